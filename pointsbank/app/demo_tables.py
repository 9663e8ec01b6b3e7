"""Scoring tables under way: one community has its new version on notice, another is still drafting."""

import io
from datetime import date, timedelta
from typing import Any

import msgspec
from PIL import Image

from pointsbank.app.demo_places import Community, table_of
from pointsbank.app.demo_scene import Scene
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor
from pointsbank.notices import queries as notices
from pointsbank.people.access import Role
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import actions_life, actions_templates
from pointsbank.scoring.rules import Table

PAPER = 840, 1188  # a sheet of A4 that somebody photographed, with nothing on it
DAYS = 7
VOTES = {"present": 46, "votes_for": 38, "votes_against": 5, "abstained": 3}
STREET_ADMIN = "SELECT person_id, place_id FROM people_role_grant WHERE role = 'street_admin'"
OBJECTION = "半小时以下不算分太严了，送一趟饭常常只要二十分钟。"


def next_version(community: Community) -> Table:
    """Half an hour at the least, and an item more."""
    table = table_of(community.plan)
    item = table.items[0]
    taught = msgspec.structs.replace(item, code="A02", name="教老人用手机", points=(item.points or 0) + 2, says="")
    return msgspec.structs.replace(
        table, items=(msgspec.structs.replace(item, minutes_min=30), taught, *table.items[1:])
    )


async def draw_up(scene: Scene, on_notice: Community, drafting: Community) -> None:
    """Yesterday afternoon."""
    for community in (on_notice, drafting):
        admin, table = community.actor(Role.COMMUNITY_ADMIN), next_version(community)
        await db.write(scoring.import_draft, actor=admin, community_id=community.id, table=table)
    found = await db.row("SELECT id FROM scoring_version WHERE community_id = ? AND state = 'draft'", on_notice.id)
    assert found is not None
    await _advise(on_notice)
    await _show(scene, on_notice, {"community_id": on_notice.id, "version_id": found["id"]})


async def _advise(community: Community) -> None:
    """The street's template is what this community is about to have; the others can see where they differ."""
    keeper = await db.row(STREET_ADMIN)
    assert keeper is not None
    await db.write(
        actions_templates.keep_template,
        actor=Actor(keeper["person_id"]),
        place_id=keeper["place_id"],
        table=next_version(community),
    )


async def _show(scene: Scene, community: Community, version: dict[str, Any]) -> None:
    admin, today = community.actor(Role.COMMUNITY_ADMIN), local_day(scene.clock.now())
    await db.write(actions_life.submit, actor=admin, **version)
    record: dict[str, Any] = {"record": _blank_sheet(), "record_kind": "jpeg"}
    held: dict[str, Any] = {"held_on": today, "place": "社区活动室", **VOTES, **record}
    await db.write(actions_life.record_meeting, actor=admin, **version, **held)
    shown: dict[str, Any] = {"days": DAYS, "starts_on": _month_after(today + timedelta(days=DAYS + 2))}
    deputy = Actor(community.deputy_id)
    notice_id = await db.write(actions_life.open_notice, actor=deputy, **version, **shown)
    line = (await notices.all_lines(notice_id))[1]
    resident = Actor(community.residents[3].person_id)
    said: dict[str, Any] = {"community_id": community.id, "line_id": line.id, "words": OBJECTION}
    await db.write(actions_life.object_to, actor=resident, **said)


def _blank_sheet() -> bytes:
    made = io.BytesIO()
    Image.new("L", PAPER, 250).save(made, "JPEG", quality=60)
    return made.getvalue()


def _month_after(day: date) -> date:
    """The first day of a month, this day or later."""
    return day if day.day == 1 else (day.replace(day=1) + timedelta(days=32)).replace(day=1)
