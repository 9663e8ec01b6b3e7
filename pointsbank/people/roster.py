"""Finding people by name. Names lie sealed, so a community's roster is opened into memory when somebody searches.

It is read afresh when the roster changed, dropped after ten idle minutes, and never written anywhere.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from pointsbank.kit import db, text
from pointsbank.kit.db import Row
from pointsbank.kit.errors import NotFound
from pointsbank.people import sealed
from pointsbank.people.queries import MemberView, view_of

IDLE_SECONDS = 600.0
PAGE_MAX = 50
QUERY_LENGTH_MAX = 60

VERSION = "SELECT roster_version FROM people_community WHERE id = ?"
MEMBERS = """
SELECT p.id, p.member_number, p.state, p.community_id, p.household_id, p.wrapped_key, p.name, p.phone,
       b.name AS building, k.holder
  FROM people_person p
  JOIN people_community k ON k.id = p.community_id
  LEFT JOIN people_household h ON h.id = p.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.community_id = ? AND p.state = 'member'
 ORDER BY b.id, p.household_id, p.id
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A member as one searches: everything but the view stays out of `repr`, and so out of logs."""

    view: MemberView
    key: str = field(repr=False)
    syllables: tuple[tuple[str, ...], ...] = field(repr=False)
    phone_last4: str = field(repr=False)

    def fits(self, sought: str) -> bool:
        if sought.isdigit():
            return sought == self.phone_last4 or sought == self.view.member_number.replace(" ", "")
        return sought in self.key or text.spells(sought, self.syllables)


@dataclass(slots=True)
class _Opened:
    version: int
    entries: list[Entry]
    drop: asyncio.TimerHandle


_opened: dict[tuple[db.Database, int], _Opened] = {}


def forget(key: tuple[db.Database, int]) -> None:
    known = _opened.pop(key, None)
    if known is not None:
        known.drop.cancel()


async def entries(community_id: int) -> list[Entry]:
    """The members of a community as they are now, opened if need be."""
    found = await db.row(VERSION, community_id)
    if found is None:
        raise NotFound
    version = found["roster_version"]
    key = (db.current(), community_id)
    known = _opened.get(key)
    if known is None or known.version != version:
        rows = await db.slow_rows(MEMBERS, community_id)
        opened = await asyncio.to_thread(_open, rows)  # some 20 ms for a thousand names, pinyin included
    else:
        opened = known.entries
    forget(key)
    drop = asyncio.get_running_loop().call_later(IDLE_SECONDS, forget, key)
    _opened[key] = _Opened(version, opened, drop)
    return opened


def _open(rows: Sequence[Row]) -> list[Entry]:
    return [_entry(found) for found in rows]


def _entry(found: Row) -> Entry:
    name = sealed.person_field(found, "name")
    phone = sealed.person_field(found, "phone")
    return Entry(view_of(found), "".join(text.search_key(name).split()), text.syllables(name), phone[-4:])


async def search(community_id: int, query: str, *, start: int = 0, limit: int = PAGE_MAX) -> list[MemberView]:
    """Members by part of the name, pinyin or its initials, the phone's last four, or the whole member number.

    An empty query lists everybody, page by page.
    """
    assert 0 < limit <= PAGE_MAX + 1
    if len(query) > QUERY_LENGTH_MAX:
        return []
    sought = "".join(text.search_key(query).split())
    found = await entries(community_id)
    fitting = [entry.view for entry in found if not sought or entry.fits(sought)]
    return fitting[start : start + limit]


async def count(community_id: int) -> int:
    return len(await entries(community_id))
