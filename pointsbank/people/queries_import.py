"""Imports as pages and the worker need them: how far they are, what their rows say, who is in the roster already."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import db, text
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row as Found
from pointsbank.kit.errors import NotFound
from pointsbank.people import queries, sealed
from pointsbank.people.rules_import import NOTES, Cell, Field, Plan, Problem, building_key, door_key
from pointsbank.people.rules_import_cells import text_of
from pointsbank.people.rules_import_check import Entry, Home, Row, Town, grave

SHOWN_MAX = 50
SAMPLES = 3
RECENT = 10
FILE_ROWS_MAX = 100_000

IMPORT = """
SELECT i.id, i.community_id, i.state, i.kind, i.wrapped_key, i.head, i.plan, i.summary, i.total, i.done, i.entered,
       i.known, i.left_out, i.cleared, i.made_at, i.made_by
  FROM people_import i WHERE i.id = ?
"""
RECENTLY = """
SELECT id, state, total, done, entered, known, left_out, made_at
  FROM people_import WHERE community_id = ? ORDER BY id DESC LIMIT ?
"""
SAME_FILE = """
SELECT id FROM people_import WHERE community_id = ? AND digest = ? AND state IN ('mapping', 'checking', 'checked',
       'importing') ORDER BY id DESC LIMIT 1
"""
LEFT = "SELECT id, community_id, state, made_at, made_by FROM people_import WHERE NOT cleared ORDER BY id"
COUNTS = "SELECT state, COUNT(*) AS rows FROM people_import_row WHERE import_id = ? GROUP BY state"
TOP = "SELECT number, cells FROM people_import_row WHERE import_id = ? ORDER BY number LIMIT ?"
AT = "SELECT number, cells FROM people_import_row WHERE import_id = ? AND number = ?"
ROWS = """
SELECT number, cells, accepted FROM people_import_row WHERE import_id = ? AND state <> 'skipped' ORDER BY number
"""
MADE = """
SELECT number, verdict, household_id
  FROM people_import_row WHERE import_id = ? AND state IN ('ready', 'good') AND household_id IS NOT NULL
"""
OF_STATE = """
SELECT number, cells, verdict FROM people_import_row WHERE import_id = ? AND state = ? ORDER BY number LIMIT ? OFFSET ?
"""
FAILED = """
SELECT number, cells, verdict FROM people_import_row
 WHERE import_id = ? AND state IN ('faulty', 'asked') ORDER BY number
"""
REMEMBERED = "SELECT columns FROM people_import_columns WHERE community_id = ? AND header = ?"
TAGS = "SELECT id, name FROM people_tag WHERE community_id = ? AND ended_at IS NULL ORDER BY name"
MEMBERS_WITH = """
SELECT person.id FROM people_person_tag given JOIN people_person person ON person.id = given.person_id
 WHERE given.tag_id = ? AND person.state = 'member' AND person.merged_into IS NULL ORDER BY person.id
"""
TAG = "SELECT community_id FROM people_tag WHERE id = ?"
TAGGED = """
SELECT t.id, t.name, COUNT(g.id) AS people
  FROM people_tag t LEFT JOIN people_person_tag g ON g.tag_id = t.id
 WHERE t.community_id = ? AND t.ended_at IS NULL GROUP BY t.id, t.name ORDER BY t.name
"""
MEMBERS = """
SELECT p.id, p.member_number, p.wrapped_key, p.name, p.phone_index, p.id_index, p.household_id
  FROM people_person p WHERE p.community_id = ? AND p.state = 'member'
"""
HOUSEHOLDS = """
SELECT id, building_id, head_id, wrapped_key, door FROM people_household
 WHERE community_id = ? AND building_id IS NOT NULL ORDER BY id
"""


class Summary(msgspec.Struct):
    """What the check says of a file as a whole; nothing in it is about one person."""

    buildings: list[tuple[str, int]] = []  # as they were written, and how many rows name them
    notes: dict[str, int] = {}


class Judged(msgspec.Struct):
    """What is kept, sealed, beside a row."""

    problems: list[Problem]
    entry: Entry | None = None


class ImportView(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    state: str
    kind: str
    head: int
    plan: Plan | None
    summary: Summary
    total: int
    done: int
    entered: int
    known: int
    left_out: int
    cleared: bool
    made_at: datetime
    made_by: int
    counts: dict[str, int]
    key: bytes | None

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


class Recent(msgspec.Struct, frozen=True):
    id: int
    state: str
    total: int
    done: int
    entered: int
    known: int
    left_out: int
    made_at: datetime


class ColumnView(msgspec.Struct, frozen=True):
    """A column of the file as one recognises it; what stands in it is masked."""

    at: int
    title: str
    samples: list[str]


class RowView(msgspec.Struct, frozen=True):
    number: int
    masked_name: str
    problems: list[tuple[str, Problem]]  # the column's letter and title, or nothing


class TagView(msgspec.Struct, frozen=True):
    id: int
    name: str
    people: int


async def view(community_ids: Sequence[int], import_id: int) -> ImportView:
    found = await db.row(IMPORT, import_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    counts = {one["state"]: one["rows"] for one in await db.rows(COUNTS, import_id)}
    wrapped = found["wrapped_key"]
    return ImportView(
        id=found["id"],
        community_id=found["community_id"],
        state=found["state"],
        kind=found["kind"],
        head=found["head"],
        plan=msgspec.json.decode(found["plan"], type=Plan) if found["plan"] else None,
        summary=summary_of(found),
        total=found["total"],
        done=found["done"],
        entered=found["entered"],
        known=found["known"],
        left_out=found["left_out"],
        cleared=bool(found["cleared"]),
        made_at=found["made_at"],
        made_by=found["made_by"],
        counts=counts,
        key=None if wrapped is None else sealed.import_key(import_id, wrapped),
    )


def summary_of(found: Found) -> Summary:
    return msgspec.json.decode(found["summary"], type=Summary) if found["summary"] else Summary()


async def recent(community_id: int) -> list[Recent]:
    return [Recent(*found) for found in await db.rows(RECENTLY, community_id, RECENT)]


async def unfinished_of(community_id: int, digest: bytes) -> int | None:
    """The import of the very same file that is still under way."""
    found = await db.row(SAME_FILE, community_id, digest)
    return None if found is None else int(found["id"])


async def top_rows(shown: ImportView, rows: int) -> list[tuple[int, list[Cell]]]:
    return [(found["number"], cells_of(shown, found)) for found in await db.rows(TOP, shown.id, rows)]


async def every_row(shown: ImportView) -> list[tuple[int, list[Cell]]]:
    rows = await db.slow_rows(TOP, shown.id, FILE_ROWS_MAX) if shown.key is not None else []
    return await asyncio.to_thread(lambda: [(found["number"], cells_of(shown, found)) for found in rows])


async def header(shown: ImportView, head: int) -> list[Cell]:
    """The cells of the header; empty where this row has nothing in it."""
    found = await db.row(AT, shown.id, head)
    return [] if found is None else cells_of(shown, found)


def cells_of(shown: ImportView, found: Found) -> list[Cell]:
    assert shown.key is not None
    content = sealed.open_row(shown.key, shown.id, found["number"], "cells", found["cells"])
    return msgspec.json.decode(content, type=list[Cell])


def judged_of(shown: ImportView, found: Found) -> Judged:
    assert shown.key is not None
    if found["verdict"] is None:
        return Judged([])
    content = sealed.open_row(shown.key, shown.id, found["number"], "verdict", found["verdict"])
    return msgspec.json.decode(content, type=Judged)


async def remembered_columns(community_id: int, head: str) -> dict[str, int]:
    found = await db.row(REMEMBERED, community_id, sealed.file_digest("header", head.encode("utf-8", "surrogatepass")))
    return {} if found is None else msgspec.json.decode(found["columns"], type=dict[str, int])


def columns_of(head: Sequence[Cell], below: Sequence[Sequence[Cell]]) -> list[ColumnView]:
    """The columns that have anything in them."""
    width = max([len(head), *(len(cells) for cells in below)], default=0)
    columns = []
    for at in range(width):
        title = text_of(head[at]) if at < len(head) else ""
        samples = [masked_sample(cells[at]) for cells in below if at < len(cells) and text_of(cells[at])]
        if title or samples:
            columns.append(ColumnView(at, title[:20], samples[:SAMPLES]))
    return columns


def masked_sample(cell: Cell) -> str:
    """Enough to tell one column from another, and nobody from anybody."""
    written = text_of(cell)[:20]
    return (
        written if len(written) < 2 else written[0] + "*" * (len(written) - 2) + (written[-1] if written[2:] else "*")
    )


def letter_of(at: int) -> str:
    """As spreadsheets number their columns: A … Z, AA … AZ, BA."""
    return (chr(64 + at // 26) if at >= 26 else "") + chr(65 + at % 26)


async def rows_of(shown: ImportView, state: str, *, start: int = 0, limit: int = SHOWN_MAX) -> list[RowView]:
    """Rows with what is wrong with them, by row and column; names are masked."""
    if shown.plan is None or shown.key is None:
        return []
    titles = await header(shown, shown.head)
    found = await db.rows(OF_STATE, shown.id, state, limit, start)
    return [_row_view(shown.plan, titles, one["number"], cells_of(shown, one), judged_of(shown, one)) for one in found]


def _row_view(plan: Plan, titles: Sequence[Cell], number: int, cells: Sequence[Cell], judged: Judged) -> RowView:
    at = plan.columns[Field.NAME.value]
    name = text_of(cells[at])[:20] if at < len(cells) else ""
    problems = [(column_of(plan, titles, problem.field), problem) for problem in grave(judged.problems)]
    return RowView(number, text.mask_name(name), problems)


def column_of(plan: Plan, titles: Sequence[Cell], field: str) -> str:
    at = plan.columns.get(field, -1)
    if at < 0:
        return ""
    title = text_of(titles[at])[:20] if at < len(titles) else ""
    return f"{letter_of(at)} {title}".strip()


async def failed_rows(shown: ImportView) -> tuple[list[Cell], list[tuple[list[Cell], list[Problem]]]]:
    """The header and the rows that were left out, in clear. The caller records who takes them."""
    rows = await db.slow_rows(FAILED, shown.id)
    opened = await asyncio.to_thread(
        lambda: [(cells_of(shown, one), grave(judged_of(shown, one).problems)) for one in rows]
    )
    return await header(shown, shown.head), opened


def repaired(summary: Summary) -> list[tuple[str, int]]:
    return [(NOTES[key], rows) for key, rows in summary.notes.items()]


# Tags


async def tags(community_id: int) -> list[TagView]:
    return [TagView(*found) for found in await db.rows(TAGGED, community_id)]


async def members_with(tag_id: int) -> list[int]:
    """Members of whom a tag is said, by id."""
    return [found["id"] for found in await db.rows(MEMBERS_WITH, tag_id)]


async def check_tag_in(community_ids: Sequence[int], tag_id: int) -> None:
    found = await db.row(TAG, tag_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound


# What the worker reads


async def unfinished() -> list[Found]:
    return await db.rows(LEFT)


async def raw_rows(shown: ImportView) -> list[Row]:
    """All rows that are to be checked, opened."""
    found = await db.slow_rows(ROWS, shown.id)
    return await asyncio.to_thread(
        lambda: [Row(one["number"], cells_of(shown, one), bool(one["accepted"])) for one in found]
    )


async def good_rows(shown: ImportView) -> list[Found]:
    return await db.slow_rows(OF_STATE, shown.id, "good", FILE_ROWS_MAX, 0)


async def homes_made(shown: ImportView) -> dict[str, int]:
    """The households that this import has made so far, by what its rows call them."""
    found = await db.slow_rows(MADE, shown.id)
    return await asyncio.to_thread(
        lambda: {entry.home: one["household_id"] for one in found if (entry := judged_of(shown, one).entry) is not None}
    )


async def town(community_id: int, now: datetime) -> Town:
    """The roster as a check needs it; names and doors are opened in a thread."""
    community = await queries.community(community_id)
    buildings: dict[str, list[tuple[int, str]]] = {}
    for building in await queries.buildings(community_id):
        buildings.setdefault(building_key(building.name), []).append((building.id, building.name))
    members = await db.slow_rows(MEMBERS, community_id)
    households = await db.slow_rows(HOUSEHOLDS, community_id)
    found = Town(
        holder=community.holder,
        year=local_day(now).year,
        buildings=buildings,
        tags={one["name"]: one["id"] for one in await db.rows(TAGS, community_id)},
        ids={},
        phones={},
        homes={},
        index_id=lambda number: sealed.id_index(community_id, number),
        index_phone=lambda phone: sealed.phone_index(community_id, phone),
    )
    await asyncio.to_thread(_settle, found, members, households)
    return found


def _settle(found: Town, members: Sequence[Found], households: Sequence[Found]) -> None:
    names: dict[int, list[str]] = {}
    name_of: dict[int, str] = {}
    for one in members:
        name = name_of[one["id"]] = sealed.person_field(one, "name")
        if one["id_index"] is not None:
            found.ids[bytes(one["id_index"])] = name
        if one["phone_index"] is not None:
            found.phones.setdefault(bytes(one["phone_index"]), set()).add(name)
        if one["household_id"] is not None:
            names.setdefault(one["household_id"], []).append(name)
    for one in households:
        door = sealed.door_of(one["id"], one["wrapped_key"], one["door"])
        if one["id"] not in names:
            continue
        home = found.homes.setdefault((one["building_id"], door_key(door)), Home(one["id"], "", set()))
        home.names |= set(names[one["id"]])
        if home.household_id == one["id"] and one["head_id"] is not None:
            home.head = text.mask_name(name_of.get(one["head_id"], "")) or "…"


async def numbers_taken(numbers: Sequence[str]) -> set[str]:
    marks = ", ".join("?" * len(numbers))
    found = await db.rows(
        f"SELECT member_number FROM people_person WHERE member_number IN ({marks}) "
        f"UNION SELECT member_number FROM people_import_row WHERE member_number IN ({marks})",
        *numbers,
        *numbers,
    )
    return {one["member_number"] for one in found}
