"""The roster's filters: by place and by what somebody has, in SQL; names stay out of it."""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import start_of_day
from pointsbank.people.queries import MemberView, view_of

CHOICES: dict[str, tuple[str, ...]] = {
    "card": ("yes", "no"),
    "phone": ("yes", "no", "paired"),
    "home": ("shared", "single"),
    "consent": ("yes", "no"),
    "state": ("left",),
    "sort": ("name",),
}
"""Each filter's values; the empty one is: everybody, members, by door."""

_HAS_CARD = "EXISTS (SELECT 1 FROM people_card c WHERE c.person_id = p.id AND c.state = 'live')"
_PAIRED = """EXISTS (SELECT 1 FROM people_device d WHERE d.person_id = p.id AND d.ended_at IS NULL
 AND d.bound_at IS NOT NULL)"""
_SHARES = """EXISTS (SELECT 1 FROM people_person o WHERE o.household_id = p.household_id AND o.id <> p.id
 AND o.state = 'member')"""
_NAMED = """EXISTS (SELECT 1 FROM people_consent k WHERE k.person_id = p.id AND k.purpose = 'publication'
 AND k.withdrawn_at IS NULL)"""
CONDITIONS = {
    ("card", "yes"): _HAS_CARD,
    ("card", "no"): f"NOT {_HAS_CARD}",
    ("phone", "yes"): "p.phone IS NOT NULL",
    ("phone", "no"): "p.phone IS NULL",
    ("phone", "paired"): _PAIRED,
    ("home", "shared"): _SHARES,
    ("home", "single"): f"NOT {_SHARES}",
    ("consent", "yes"): _NAMED,
    ("consent", "no"): f"NOT {_NAMED}",
}
FITTING = """
SELECT p.id FROM people_person p LEFT JOIN people_household h ON h.id = p.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.community_id = ? AND p.state = 'member'
"""
PLACES = """
SELECT id, kind, name, path FROM people_place WHERE kind IN ('grid', 'building') AND ended_at IS NULL AND path LIKE ?
 ORDER BY path
"""
COMMUNITY_PATH = "SELECT path FROM people_place WHERE id = ?"
LEFT = """
SELECT p.id, p.member_number, p.state, p.community_id, p.household_id, p.wrapped_key, p.name, p.phone,
       '' AS building, '' AS holder
  FROM people_person p WHERE p.community_id = ? AND p.state = 'left' ORDER BY p.id DESC LIMIT ? OFFSET ?
"""
LEFT_COUNT = "SELECT COUNT(*) FROM people_person WHERE community_id = ? AND state = 'left'"
CARD_STATES = """
SELECT c.person_id, c.state FROM people_card c
 WHERE c.generation = (SELECT MAX(l.generation) FROM people_card l WHERE l.person_id = c.person_id) AND c.person_id IN
"""


class Filters(msgspec.Struct, frozen=True):
    """What a roster is narrowed to; empty values do not."""

    place: int = 0
    card: str = ""
    phone: str = ""
    home: str = ""
    consent: str = ""
    state: str = ""
    since: date | None = None
    sort: str = ""

    @property
    def narrows(self) -> bool:
        return msgspec.structs.replace(self, sort="", state="") != Filters()

    @property
    def values(self) -> dict[str, str]:
        """What an address or a form carries; nothing for what is empty."""
        plain = {name: str(value) for name, value in msgspec.structs.asdict(self).items() if value}
        return plain | ({"since": self.since.isoformat()} if self.since else {})

    def url(self, path: str, page: int = 1) -> str:
        query = urlencode(self.values | ({"page": page} if page > 1 else {}))
        return f"{path}?{query}" if query else path


class PlaceView(msgspec.Struct, frozen=True):
    id: int
    kind: str
    name: str
    path: str


def filters_of(typed: Mapping[str, str]) -> Filters:
    """From an address or a form; what no page of ours sends narrows nothing."""
    known = {name: typed.get(name, "") for name in CHOICES}
    chosen = {name: value for name, value in known.items() if value in CHOICES[name]}
    place = typed.get("place", "")
    number = int(place) if place.isascii() and place.isdigit() and len(place) <= 18 else 0
    return Filters(place=number, since=_day(typed.get("since", "")), **chosen)


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if day.year >= 1900 else None


async def places(community_id: int) -> list[PlaceView]:
    """Grids with their buildings, and buildings that lie in none."""
    where = await db.row(COMMUNITY_PATH, community_id)
    assert where is not None
    return [PlaceView(*found) for found in await db.rows(PLACES, f"{where['path']}%")]


async def fitting(community_id: int, filters: Filters, known: Sequence[PlaceView]) -> set[int] | None:
    """Members that a filter lets through; None where none narrows."""
    if not filters.narrows:
        return None
    conditions = [CONDITIONS[name, value] for name, value in filters.values.items() if (name, value) in CONDITIONS]
    values: list[object] = [community_id]
    if filters.place:
        path = next((one.path for one in known if one.id == filters.place), None)
        if path is None:
            return set()
        conditions.append("b.path LIKE ?")
        values.append(f"{path}%")
    if filters.since is not None:
        conditions.append("p.made_at >= ?")
        values.append(start_of_day(filters.since))
    found = await db.slow_rows(f"{FITTING} AND {' AND '.join(conditions)}", *values)
    return {one["id"] for one in found}


async def left(community_id: int, *, start: int, limit: int) -> tuple[int, list[MemberView]]:
    """How many left, and some of them, the last first: their numbers are all that is known."""
    counted = await db.row(LEFT_COUNT, community_id)
    assert counted is not None
    return int(counted[0]), [view_of(found) for found in await db.rows(LEFT, community_id, limit, start)]


async def card_states(person_ids: Sequence[int]) -> dict[int, str]:
    """The state of each one's last card; nothing for whoever never had one."""
    marks = ", ".join("?" * len(person_ids)) or "NULL"
    return dict(tuple(found) for found in await db.rows(f"{CARD_STATES} ({marks})", *person_ids))
