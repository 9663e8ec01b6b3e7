"""Read lists of opening balances, and find whose passbooks the lines of a new one are."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.approvals.rules import facts_hash
from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger.rules_opening import Fault, NewLine, Typed
from pointsbank.people import queries as people
from pointsbank.people import queries_match as match
from pointsbank.people.queries import MemberView
from pointsbank.people.queries_match import Miss, Sought

LISTS_MAX = 100
PAGE_LINES = 100

LISTS = """
SELECT list.id, list.community_id, list.day, list.expires_on, list.made_by, list.made_at, list.line_count, list.points,
       list.booked, list.state, list.approval_id
  FROM ledger_opening_list list
"""
LINES = """
SELECT line.position, line.person_id, line.household_id, line.points, line.remark, line.live
  FROM ledger_opening_line line WHERE line.list_id = ? AND line.position > ? ORDER BY line.position LIMIT ?
"""
LIVE = """
SELECT line.person_id, line.household_id, line.list_id FROM ledger_opening_line line
  JOIN ledger_opening_list list ON list.id = line.list_id WHERE line.live AND list.community_id = ?
"""
EXPECTED = """
SELECT 1 FROM ledger_opening_line line JOIN ledger_opening_list list ON list.id = line.list_id
 WHERE line.live AND list.state IN ('draft', 'asked', 'booking')
   AND (line.household_id = ? OR (line.household_id IS NULL AND line.person_id = ?)) LIMIT 1
"""
HOUSEHOLD_NUMBERS = """
SELECT number, household_id FROM ledger_passbook WHERE community_id = ? AND household_id IS NOT NULL
"""
ENTRIES = """
SELECT entry.id, entry.posting_key, EXISTS (SELECT 1 FROM ledger_entry back WHERE back.reverses_id = entry.id)
  FROM ledger_entry entry
 WHERE entry.source_room = 'ledger' AND entry.source_kind = 'opening_list' AND entry.source_id = ?
   AND entry.kind = 'opening'
"""
ALL_LINES = 2**31


class OpeningList(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    day: date
    expires_on: date
    made_by: int
    made_at: datetime
    line_count: int
    points: int
    booked: int
    state: str
    approval_id: int | None


class Line(msgspec.Struct, frozen=True):
    position: int
    person_id: int
    household_id: int | None
    points: int
    remark: str
    live: bool


class ShownLine(msgspec.Struct, frozen=True):
    """As pages and paper show a line: the name is masked, and nobody's door is told."""

    position: int
    masked_name: str
    member_number: str
    building: str
    is_shared: bool
    points: int
    remark: str
    live: bool


async def _rows(tx: Tx | None, sql: str, *values: object) -> list[Row]:
    return await (db.rows(sql, *values) if tx is None else tx.rows(sql, *values))


async def lists(community_ids: Sequence[int]) -> list[OpeningList]:
    """The latest first."""
    where = f"WHERE list.community_id IN ({_marks(community_ids)}) ORDER BY list.id DESC LIMIT ?"
    return [OpeningList(*found) for found in await db.rows(f"{LISTS} {where}", *community_ids, LISTS_MAX)]


async def opening_list(community_ids: Sequence[int], list_id: int) -> OpeningList:
    where = f"WHERE list.id = ? AND list.community_id IN ({_marks(community_ids)})"
    found = await db.rows(f"{LISTS} {where}", list_id, *community_ids)
    if not found:
        raise NotFound
    return OpeningList(*found[0])


async def list_in(tx: Tx, list_id: int) -> OpeningList:
    found = await tx.row(f"{LISTS} WHERE list.id = ?", list_id)
    if found is None:
        raise NotFound
    return OpeningList(*found)


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values)) or "NULL"


async def lines(tx: Tx | None, list_id: int, *, after: int = 0, limit: int = ALL_LINES) -> list[Line]:
    found = await _rows(tx, LINES, list_id, after, limit)
    return [
        Line(position, person_id, household_id, points, remark, bool(live))
        for position, person_id, household_id, points, remark, live in found
    ]


async def facts_of(tx: Tx | None, asked: OpeningList) -> str:
    """The hash of all that a second person is asked to confirm, as it lies in the tables now."""
    told = [
        (line.position, line.person_id, line.household_id, line.points, line.remark)
        for line in await lines(tx, asked.id)
    ]
    return facts_hash([asked.community_id, asked.id, asked.day, asked.expires_on, told])


async def shown(found: Sequence[Line]) -> list[ShownLine]:
    views = await match.member_views(line.person_id for line in found)
    return [
        ShownLine(
            line.position,
            views[line.person_id].masked_name,
            views[line.person_id].member_number,
            views[line.person_id].building,
            line.household_id is not None,
            line.points,
            line.remark,
            line.live,
        )
        for line in found
    ]


async def resolved(community_id: int, typed: Sequence[Typed]) -> tuple[list[NewLine], list[Fault]]:
    """Whose passbook each line means: in the order of the table, or what is wrong with which row."""
    community = await people.community(community_id)
    is_shared = community.holder == "household"
    sought = [Sought(line.number, line.name, line.building, line.door) for line in typed]
    found = await match.find(community_id, sought)
    homes = {one["number"]: one["household_id"] for one in await db.slow_rows(HOUSEHOLD_NUMBERS, community_id)}
    opened = {
        (None if household_id is not None else person_id, household_id): list_id
        for person_id, household_id, list_id in await db.slow_rows(LIVE, community_id)
    }
    taken: dict[tuple[int | None, int | None], int] = {}
    made: list[NewLine] = []
    faults: list[Fault] = []
    for line, hit in zip(typed, found, strict=True):
        whose = await _holder(line, hit, homes, is_shared=is_shared)
        if isinstance(whose, Fault):
            faults.append(whose)
            continue
        person_id, household_id = whose
        holder = (None if household_id is not None else person_id, household_id)
        if holder in opened:
            faults.append(Fault(line.row, "opened", {"other": opened[holder]}))
        elif holder in taken:
            faults.append(Fault(line.row, "twice", {"other": taken[holder]}))
        else:
            taken[holder] = line.row
            made.append(NewLine(person_id, household_id, line.points, line.remark))
    return made, faults


async def _holder(
    line: Typed, hit: MemberView | Miss, homes: dict[str, int], *, is_shared: bool
) -> tuple[int, int | None] | Fault:
    """The member whom a line names, and the household if the passbook is a household's."""
    if isinstance(hit, MemberView):
        return hit.person_id, hit.household_id if is_shared else None
    if hit is not Miss.UNKNOWN_NUMBER or line.number not in homes:
        return Fault(line.row, hit.value)
    if not is_shared:
        return Fault(line.row, "household_number")
    household_id = homes[line.number]
    members = await people.household_members(None, household_id)
    return (members[0], household_id) if members else Fault(line.row, hit.value)


async def entries_of(list_id: int) -> dict[int, tuple[int, bool]]:
    """By position: the entry that booked the line, and whether it was reversed."""
    found = await db.slow_rows(ENTRIES, list_id)
    return {int(key.rpartition("/")[2]): (entry_id, bool(is_reversed)) for entry_id, key, is_reversed in found}


CONFIRMED_BY = """
SELECT list.made_by, approval.checker_id FROM ledger_opening_list list
  JOIN approvals_approval approval ON approval.id = list.approval_id WHERE list.id = ?
"""


async def confirmed_by(list_id: int) -> tuple[int, int]:
    """Who made a list that is booked, and who confirmed it."""
    found = await db.row(CONFIRMED_BY, list_id)
    assert found is not None
    return int(found[0]), int(found[1])


async def is_expected(tx: Tx, *, person_id: int | None = None, household_id: int | None = None) -> bool:
    """Whether a list that is not booked yet has a line for this passbook, of a person or of a household."""
    return await tx.row(EXPECTED, household_id or 0, person_id or 0) is not None
