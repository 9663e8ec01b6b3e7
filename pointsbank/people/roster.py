"""Finding people by name. Names lie sealed, so a community's roster is opened into memory when somebody searches.

It is read afresh when the roster changed, dropped after ten idle minutes, and never written anywhere.
"""

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsbank.kit import db, text
from pointsbank.kit.errors import NotFound
from pointsbank.people import sealed
from pointsbank.people.queries import MemberView, view_of

IDLE_SECONDS = 600.0
PAGE_MAX = 50
QUERY_LENGTH_MAX = 60

VERSION = "SELECT roster_version FROM people_community WHERE id = ?"
MEMBERS = """
SELECT p.id, p.member_number, p.state, p.community_id, p.household_id, p.wrapped_key, p.name, p.phone,
       b.name AS building, k.holder, h.wrapped_key AS household_key, h.door
  FROM people_person p
  JOIN people_community k ON k.id = p.community_id
  LEFT JOIN people_household h ON h.id = p.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.community_id = ? AND p.state = 'member'
 ORDER BY p.id
"""
NUMBERS = re.compile(r"[0-9]+")

COLUMNS = (
    "id", "member_number", "state", "community_id", "household_id", "wrapped_key", "name", "phone", "building",
    "holder", "household_key", "door",
)  # fmt: skip

Values = tuple[Any, ...]
Place = tuple[tuple[int | str, ...], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as one searches: everything but the view stays out of `repr`, and so out of logs."""

    view: MemberView
    key: str = field(repr=False)
    syllables: tuple[tuple[str, ...], ...] = field(repr=False)
    phone_last4: str = field(repr=False)
    home: Place = field(repr=False)

    def fits(self, sought: str) -> bool:
        if sought.isdigit():
            return sought == self.phone_last4 or sought == self.view.member_number.replace(" ", "")
        return sought in self.key or text.spells(sought, self.syllables)


@dataclass(slots=True)
class _Opened:
    version: int
    entries: list[Entry]
    by_row: dict[Values, Entry]
    drop: asyncio.TimerHandle


_opened: dict[tuple[db.Database, int], _Opened] = {}


def forget(key: tuple[db.Database, int]) -> None:
    known = _opened.pop(key, None)
    if known is not None:
        known.drop.cancel()


async def entries(community_id: int) -> list[Entry]:
    """The members of a community as they are now, by building and door, opened if need be."""
    found = await db.row(VERSION, community_id)
    if found is None:
        raise NotFound
    version = found["roster_version"]
    key = (db.current(), community_id)
    known = _opened.get(key)
    if known is None or known.version != version:
        rows = [tuple(found) for found in await db.slow_rows(MEMBERS, community_id)]
        before = {} if known is None else known.by_row
        by_row = await asyncio.to_thread(_open, rows, before)  # half a second for five thousand, unless most are known
        opened = sorted(by_row.values(), key=lambda entry: entry.home)
    else:
        opened, by_row = known.entries, known.by_row
    forget(key)
    drop = asyncio.get_running_loop().call_later(IDLE_SECONDS, forget, key)
    _opened[key] = _Opened(version, opened, by_row, drop)
    return opened


def _open(rows: Sequence[Values], before: Mapping[Values, Entry]) -> dict[Values, Entry]:
    """What lies sealed as it did is not opened again: mostly one person is new, and everybody else is known."""
    doors: dict[int, str] = {}  # a household's is opened once for all who live there
    return {row: before.get(row) or _entry(dict(zip(COLUMNS, row, strict=True)), doors) for row in rows}


def _entry(found: Mapping[str, Any], doors: dict[int, str]) -> Entry:
    name = sealed.person_field(found, "name")
    phone = sealed.person_field(found, "phone")
    home = found["household_id"] or 0
    if home not in doors:
        doors[home] = sealed.door_of(home, found["household_key"], found["door"])
    lives = (_counted(found["building"] or "\uffff"), _counted(doors[home]), (home, found["id"]))
    return Entry(view_of(found), "".join(text.search_key(name).split()), text.syllables(name), phone[-4:], lives)


def _counted(name: str) -> tuple[int | str, ...]:
    """So that 9 号楼 comes before 10 号楼: texts and numbers in turn, a text first."""
    parts: list[int | str] = []
    end = 0
    for hit in NUMBERS.finditer(name):
        parts += [name[end : hit.start()], int(hit[0])]
        end = hit.end()
    return (*parts, name[end:])


def _by_name(entry: Entry) -> tuple[tuple[str, ...], str, int]:
    return tuple(readings[0] for readings in entry.syllables), entry.key, entry.view.person_id


async def find(
    community_id: int, query: str, *, among: Collection[int] | None = None, by_name: bool = False
) -> list[MemberView]:
    """Members by part of the name, pinyin or its initials, the phone's last four, or the whole member number.

    An empty query finds everybody; `among` leaves out whoever is not in it. In the order of doors, or of names.
    """
    if len(query) > QUERY_LENGTH_MAX:
        return []
    sought = "".join(text.search_key(query).split())
    fitting = [
        entry
        for entry in await entries(community_id)
        if (among is None or entry.view.person_id in among) and (not sought or entry.fits(sought))
    ]
    if by_name:
        fitting.sort(key=_by_name)
    return [entry.view for entry in fitting]


async def search(community_id: int, query: str, *, start: int = 0, limit: int = PAGE_MAX) -> list[MemberView]:
    """A few of those found, for a list beside something else."""
    assert 0 < limit <= PAGE_MAX + 1
    return (await find(community_id, query))[start : start + limit]


async def count(community_id: int) -> int:
    return len(await entries(community_id))
