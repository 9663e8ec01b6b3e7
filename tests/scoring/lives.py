"""A version on its way from a draft into force."""

from datetime import date, timedelta

from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock, local_day
from pointsbank.kit.db import Actor
from pointsbank.scoring import actions, actions_life, queries_life
from pointsbank.scoring.rules import Table

PDF = b"%PDF-1.4\n1 0 obj << >> endobj\n%%EOF\n"
CARRIED = {"place": "测试活动室", "present": 20, "votes_for": 15, "votes_against": 3, "abstained": 1}
MEETING = {**CARRIED, "record": PDF, "record_kind": "pdf"}


async def meet(version: dict[str, int], held_on: date, **changes: object) -> int:
    return await db.write(actions_life.record_meeting, **version, **MEETING | {"held_on": held_on} | changes)


async def discussed(clock: FixedClock, community_id: int, table: Table) -> dict[str, int]:
    """A version that a meeting has agreed to; nobody known drafted it."""
    version_id = await db.write(actions.import_draft, community_id=community_id, table=table)
    version = {"community_id": community_id, "version_id": version_id}
    await db.write(actions_life.submit, **version)
    await meet(version, local_day(clock.now()))
    return version


async def noticed(clock: FixedClock, publisher: Actor, community_id: int, table: Table) -> tuple[dict[str, int], int]:
    """A version on notice for as long as its community asks, and the notice."""
    version = await discussed(clock, community_id, table)
    days = await queries_life.least_days(None, community_id)
    starts_on = local_day(clock.now()) + timedelta(days=days + 2)
    shown = {"days": days, "starts_on": starts_on}
    return version, await db.write(actions_life.open_notice, actor=publisher, **version, **shown)


async def over(clock: FixedClock, publisher: Actor, community_id: int, table: Table) -> tuple[dict[str, int], int]:
    """A version whose draft, meeting and notice lie behind it by now."""
    now = clock.now()
    clock.set(now - timedelta(days=await queries_life.least_days(None, community_id) + 3))
    made = await noticed(clock, publisher, community_id, table)
    clock.set(now)
    return made


async def lived(clock: FixedClock, publisher: Actor, community_id: int, table: Table, day: date) -> int:
    """A version that is published now for a day."""
    version, _ = await over(clock, publisher, community_id, table)
    await db.write(actions_life.publish, actor=publisher, **version, in_force_from=day)
    return version["version_id"]
