"""Read approvals, and whether somebody may decide on one."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import msgspec

from pointsbank.approvals.rules import (
    DEPENDENT_DAYS,
    Dependent,
    NotGiven,
    OwnBenefit,
    OwnRequest,
    Subject,
    fit_on,
)
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import Refusal
from pointsbank.people import queries as people
from pointsbank.people import queries_homes as homes
from pointsbank.people import queries_staff as staff

APPROVAL = """
SELECT id, community_id, kind, subject_room, subject_kind, subject_id, maker_id, facts_hash, state, asked_at,
       checker_id, decided_at, reason, used_at
  FROM approvals_approval WHERE id = ?
"""
GAINS = "SELECT 1 FROM approvals_beneficiary WHERE approval_id = ? AND (household_id = ? OR person_id IN"
USED_NOW = "SELECT 1 FROM approvals_approval WHERE id = ? AND kind = ? AND state = 'used' AND used_at = ?"
USED_FOR = """
SELECT 1 FROM approvals_approval
 WHERE id = ? AND kind = ? AND subject_room = ? AND subject_kind = ? AND subject_id = ? AND state = 'used'
"""


class Approval(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    kind: str
    subject_room: str
    subject_kind: str
    subject_id: int
    maker_id: int
    facts_hash: str
    state: str
    asked_at: datetime
    checker_id: int | None
    decided_at: datetime | None
    reason: str
    used_at: datetime | None


async def _row(tx: Tx | None, sql: str, *values: object) -> Row | None:
    return await (db.row(sql, *values) if tx is None else tx.row(sql, *values))


async def approval(tx: Tx | None, approval_id: int) -> Approval:
    found = await _row(tx, APPROVAL, approval_id)
    assert found is not None
    return Approval(*found)


async def unfit(tx: Tx | None, approval_id: int, person_id: int) -> Refusal | None:
    """Why this person cannot decide on it; None for whoever can."""
    asked = await approval(tx, approval_id)
    if asked.maker_id in await people.ids_of(tx, person_id):
        return OwnRequest()
    home = await people.home_of(tx, person_id)
    marks = ", ".join("?" * len(home.person_ids))
    gains = await _row(tx, f"{GAINS} ({marks}))", approval_id, home.household_id, *home.person_ids)
    if gains is not None:
        return OwnBenefit()
    return await dependent(tx, asked.maker_id, person_id)


async def dependent(tx: Tx | None, maker_id: int, person_id: int) -> Dependent | None:
    """Whether one of the two may have signed in as the other, or a third one as both; says until when."""
    now = db.current().writer.clock.now() if tx is None else tx.now
    since = now - timedelta(days=DEPENDENT_DAYS + 1)
    hands = [await staff.hands_of(tx, one, since=since) for one in (maker_id, person_id)]
    day = fit_on(*hands)
    return None if day is None or day <= local_day(now) else Dependent(day=day.isoformat())


async def independent(tx: Tx, *, maker_ids: Sequence[int], person_ids: Sequence[int]) -> list[int]:
    """Those of these people who are independent of all the makers.

    Who was given nothing lately may only have given, so the hands of the makers tell of them all at once.
    """
    if not maker_ids or not person_ids:
        return list(person_ids)
    since = tx.now - timedelta(days=DEPENDENT_DAYS + 1)
    makers = [await staff.hands_of(tx, one, since=since) for one in maker_ids]
    appointed = await staff.appointed(tx, person_ids, since=since)
    found = []
    for one in person_ids:
        own: dict[int, datetime | None] = (
            await staff.hands_of(tx, one, since=since) if one in appointed else {one: None}
        )
        days = [fit_on(maker, own) for maker in makers]
        if all(day is None or day <= local_day(tx.now) for day in days):
            found.append(one)
    return found


async def brought_until(tx: Tx, maker_id: int, person_ids: Iterable[int]) -> date | None:
    """The first day on which none of these is newly in the household through the maker, or one dependent of the maker.

    None where that is today or was before: whoever fills a household decides alone on nothing in it for some days.
    """
    records = [one for person_id in person_ids for one in await people.ids_of(tx, person_id)]
    if not records:
        return None
    since = tx.now - timedelta(days=DEPENDENT_DAYS + 1)
    return await done_until(tx, maker_id, await homes.brought(tx, records, since=since))


async def done_until(tx: Tx, maker_id: int, done: Iterable[tuple[int, datetime]]) -> date | None:
    """The first day on which none of this was done lately by the maker, or by one dependent of the maker; or None."""
    today, own = local_day(tx.now), await people.ids_of(tx, maker_id)
    until = today
    for by, at in done:
        day = local_day(at) + timedelta(days=DEPENDENT_DAYS + 1)
        if day > until and (by in own or await dependent(tx, by, maker_id) is not None):
            until = day
    return until if until > today else None


async def require_used(tx: Tx, *, approval_id: int, kind: str, subject: Subject) -> None:
    """Refuse NotGiven unless this approval was given for this subject and used for it."""
    if await tx.row(USED_FOR, approval_id, kind, subject.room, subject.kind, subject.id) is None:
        raise NotGiven


async def require_used_now(tx: Tx, *, approval_id: int, kind: str) -> None:
    """Refuse NotGiven unless this approval was used up in this very transaction, for several rows of one subject."""
    if await tx.row(USED_NOW, approval_id, kind, tx.now) is None:
        raise NotGiven
