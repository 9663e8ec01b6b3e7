"""Lists of opening balances: made, sent to a second person, confirmed, booked slice by slice."""

from collections.abc import Sequence
from datetime import date

from pointsbank.approvals import actions as approvals
from pointsbank.approvals.rules import NotTheMaker
from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions, actions_periods, actions_reversal, queries_opening
from pointsbank.ledger import rules_opening as rules
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.queries_opening import OpeningList
from pointsbank.ledger.rules import check_last_day
from pointsbank.ledger.rules_opening import (
    ASKED,
    BOOKING,
    DRAFT,
    REFUSED,
    WITHDRAWN,
    ListMoved,
    NewLine,
    OpenedElsewhere,
    OwnReversal,
)
from pointsbank.people import queries as people
from pointsbank.trail import actions as trail

MAKE = """
INSERT INTO ledger_opening_list (community_id, day, expires_on, made_by, made_at, line_count, points, booked, state)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, 'draft') RETURNING id
"""
LINE = """
INSERT INTO ledger_opening_line (list_id, position, person_id, household_id, points, remark, live)
VALUES (?, ?, ?, ?, ?, ?, TRUE) ON CONFLICT DO NOTHING
"""
ASK = "UPDATE ledger_opening_list SET state = 'asked', approval_id = ? WHERE id = ? AND state = 'draft'"
STEP = "UPDATE ledger_opening_list SET state = ? WHERE id = ? AND state = ?"
END_LINES = "UPDATE ledger_opening_line SET live = FALSE WHERE list_id = ?"
TAKE_SLICE = "UPDATE ledger_opening_list SET booked = booked + ? WHERE id = ? AND state = 'booking' AND booked = ?"
FINISH = "UPDATE ledger_opening_list SET state = 'booked' WHERE id = ? AND state = 'booking' AND booked = line_count"
BOOKED_LINE = """
SELECT entry.id, line.person_id, line.household_id, list.made_by
  FROM ledger_entry entry JOIN ledger_opening_list list ON list.id = entry.source_id
  JOIN ledger_opening_line line ON line.list_id = list.id
 WHERE entry.posting_key = ? AND entry.posting_key = 'opening/' || line.list_id || '/' || line.position
"""
UNFINISHED = "SELECT id FROM ledger_opening_list WHERE state = 'booking' ORDER BY id LIMIT 1"


async def make_list(tx: Tx, *, community_id: int, day: date, expires_on: date, lines: Sequence[NewLine]) -> int:
    """Save a list as a draft. Refuses OpenedElsewhere where another list got hold of a passbook meanwhile."""
    assert 0 < len(lines) <= rules.LINES_MAX
    await actions_periods.require_open(tx, community_id=community_id, day=day)
    points = sum(line.points for line in lines)
    made = await tx.row(
        MAKE, community_id, day, expires_on, tx.actor.person_id, tx.now, len(lines), points
    )  # fmt: skip
    assert made is not None
    list_id = int(made["id"])
    for position, line in enumerate(lines, 1):
        if not await tx.run(LINE, list_id, position, line.person_id, line.household_id, line.points, line.remark):
            raise OpenedElsewhere(line=position)
    await change(tx, what="opening_list", row_id=list_id)
    await trail.record(tx, "openings.made", subject=("opening_list", list_id), lines=len(lines), points=points)
    return list_id


async def ask(tx: Tx, *, list_id: int) -> None:
    """Send a draft to a second person. Only its maker can: another who sent it would leave the maker free to agree."""
    asked = await queries_opening.list_in(tx, list_id)
    if asked.state != DRAFT:
        raise ListMoved
    assert tx.actor.person_id is not None
    if asked.made_by not in await people.ids_of(tx, tx.actor.person_id):
        raise NotTheMaker
    await actions_periods.require_open(tx, community_id=asked.community_id, day=asked.day)
    check_last_day(asked.expires_on, local_day(tx.now))
    lines = await queries_opening.lines(tx, list_id)
    approval_id = await approvals.ask(
        tx,
        community_id=asked.community_id,
        kind=rules.APPROVAL_KIND,
        subject=rules.subject(list_id),
        facts_hash=await queries_opening.facts_of(tx, asked),
        person_ids=[line.person_id for line in lines],
        household_ids=[line.household_id for line in lines if line.household_id is not None],
    )
    if await tx.run(ASK, approval_id, list_id) != 1:
        raise ListMoved
    await change(tx, what="opening_list", row_id=list_id)


async def give(tx: Tx, *, list_id: int, seen: str) -> int:
    """Confirm a list as it was seen, and book its first slice; returns how many lines were booked.

    Refuses DayClosed where the month of its day was closed since somebody asked, and LastDayOver.
    """
    asked = await _asked(tx, list_id)
    assert asked.approval_id is not None
    await approvals.give(tx, approval_id=asked.approval_id, seen=seen)
    await approvals.use(
        tx,
        approval_id=asked.approval_id,
        kind=rules.APPROVAL_KIND,
        subject=rules.subject(list_id),
        facts_hash=await queries_opening.facts_of(tx, asked),
    )
    await actions_periods.require_open(tx, community_id=asked.community_id, day=asked.day)
    check_last_day(asked.expires_on, local_day(tx.now))
    await _step(tx, list_id, ASKED, BOOKING)
    return await book(tx, list_id=list_id)


async def refuse(tx: Tx, *, list_id: int, reason: str) -> None:
    asked = await _asked(tx, list_id)
    assert asked.approval_id is not None
    await approvals.refuse(tx, approval_id=asked.approval_id, reason=reason)
    await _end(tx, list_id, ASKED, REFUSED)


async def withdraw(tx: Tx, *, list_id: int) -> None:
    """Throw a draft away, or take a list back while nobody has decided on it."""
    asked = await queries_opening.list_in(tx, list_id)
    if asked.state not in (DRAFT, ASKED):
        raise ListMoved
    if asked.approval_id is not None:
        await approvals.withdraw(tx, approval_id=asked.approval_id)
    await _end(tx, list_id, asked.state, WITHDRAWN)


async def _asked(tx: Tx, list_id: int) -> OpeningList:
    asked = await queries_opening.list_in(tx, list_id)
    if asked.state != ASKED:
        raise ListMoved
    return asked


async def _step(tx: Tx, list_id: int, before: str, after: str) -> None:
    if await tx.run(STEP, after, list_id, before) != 1:
        raise ListMoved
    await change(tx, what="opening_list", row_id=list_id)


async def _end(tx: Tx, list_id: int, before: str, after: str) -> None:
    """Its passbooks are free for another list."""
    await _step(tx, list_id, before, after)
    await tx.run(END_LINES, list_id)
    await trail.record(tx, f"openings.{after}", subject=("opening_list", list_id))


async def book(tx: Tx, *, list_id: int) -> int:
    """Book the next slice of a confirmed list; returns how many lines, 0 when all are booked.

    Whoever moves `booked` on has the slice: two who come at once do not book it twice.
    """
    asked = await queries_opening.list_in(tx, list_id)
    if asked.state != BOOKING:
        return 0
    lines = await queries_opening.lines(tx, list_id, after=asked.booked, limit=rules.SLICE_LINES)
    if await tx.run(TAKE_SLICE, len(lines), list_id, asked.booked) != 1:
        return 0
    for line in lines:
        await _book_line(tx, asked, line)
    if await tx.run(FINISH, list_id):
        await change(tx, what="opening_list", row_id=list_id)
        await trail.record(tx, "openings.booked", subject=("opening_list", list_id), lines=asked.line_count)
    return len(lines)


async def _book_line(tx: Tx, asked: OpeningList, line: queries_opening.Line) -> None:
    assert asked.approval_id is not None
    person_id = await people.canonical_id(tx, line.person_id)
    passbook_id = await actions.open_passbook(
        tx,
        community_id=asked.community_id,
        person_id=None if line.household_id is not None else person_id,
        household_id=line.household_id,
    )
    await actions.post_opening(
        tx,
        approval_id=asked.approval_id,
        list_id=asked.id,
        position=line.position,
        community_id=asked.community_id,
        passbook_id=passbook_id,
        points=line.points,
        effective_at=start_of_day(asked.day),
        expires_on=asked.expires_on,
        member_id=person_id,
        summary=rules.summary_of(asked.day),
    )


async def reverse(tx: Tx, *, list_id: int, position: int, reason: str) -> int:
    """Take a booked line back by its counter-entry; returns the entry. Somebody else than the list's maker does it."""
    found = await tx.row(BOOKED_LINE, rules.posting_key(list_id, position))
    if found is None:
        raise NotFound
    judge_id = tx.actor.person_id
    assert judge_id is not None
    home = await people.home_of(tx, judge_id)
    is_own = found["made_by"] in await people.ids_of(tx, judge_id)
    is_home = found["household_id"] is not None and found["household_id"] == home.household_id
    if is_own or is_home or found["person_id"] in home.person_ids:
        raise OwnReversal
    return (await actions_reversal.reverse(tx, entry_id=found["id"], reason=reason)).entry_id


async def book_due(tx: Tx) -> int:
    """Go on with a list whose booking was cut off; the job that runs it."""
    found = await tx.row(UNFINISHED)
    return 0 if found is None else await book(tx, list_id=found["id"])
