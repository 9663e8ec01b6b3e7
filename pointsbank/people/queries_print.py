"""Whom cards and plates can be printed for, and what was printed. Masked; the paper itself is queries_paper."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row
from pointsbank.kit.errors import NotFound
from pointsbank.people import roster
from pointsbank.people.queries import masked_names
from pointsbank.people.rules_cards import Kept

DAYS_SHOWN = 12
RUNS_AT_ONCE = 50

PLACES = """
SELECT id, name, path FROM people_place WHERE kind IN ('grid', 'building') AND ended_at IS NULL AND path LIKE ?
 ORDER BY path
"""
PATH = "SELECT path FROM people_place WHERE id = ?"
# In the order of the sheets but for what is sealed: doors are opened only of those who were chosen.
MEMBERS = """
SELECT p.id, p.id AS person_id, p.made_at, p.household_id, b.name AS building, b.path,
       EXISTS (SELECT 1 FROM people_card c WHERE c.person_id = p.id AND c.state = 'live') AS is_served
  FROM people_person p
  LEFT JOIN people_household h ON h.id = p.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.community_id = ? AND p.state = 'member'
 ORDER BY b.id, p.household_id, p.id
"""
HOUSEHOLDS = """
SELECT h.id, COALESCE(m.merged_into, h.head_id, MIN(p.id)) AS person_id, h.made_at, h.id AS household_id,
       b.name AS building, b.path, {is_served} AS is_served
  FROM people_household h
  JOIN people_person p ON p.household_id = h.id AND p.state = 'member'
  LEFT JOIN people_person m ON m.id = h.head_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE h.community_id = ? {only}
 GROUP BY h.id, h.made_at, h.head_id, m.merged_into, b.id, b.name, b.path
 ORDER BY b.id, h.id
"""
HAS_CARD = "EXISTS (SELECT 1 FROM people_household_card c WHERE c.household_id = h.id AND c.state = 'live')"
HAS_PLATE = "EXISTS (SELECT 1 FROM people_plate t WHERE t.household_id = h.id)"
CHOICES = {
    Kept.MEMBER: MEMBERS,
    Kept.HOUSEHOLD: HOUSEHOLDS.format(is_served=HAS_CARD, only=""),
    Kept.PLATE: HOUSEHOLDS.format(is_served=HAS_PLATE, only="AND h.door IS NOT NULL AND b.id IS NOT NULL"),
}
RUN = """
SELECT r.id, r.community_id, r.kind, r.number, r.made_by, r.made_at, r.ended_by, r.ended_at, r.end_reason,
       COUNT(x.id) AS cards,
       COUNT(CASE WHEN COALESCE(c.state, d.state) = 'live' THEN 1 END) AS live
  FROM people_print_run r
  LEFT JOIN people_print_run_card x ON x.run_id = r.id
  LEFT JOIN people_card c ON c.id = x.card_id
  LEFT JOIN people_household_card d ON d.id = x.household_card_id
"""
RUN_GROUP = """
GROUP BY r.id, r.community_id, r.kind, r.number, r.made_by, r.made_at, r.ended_by, r.ended_at, r.end_reason
"""
RUN_CARDS = """
SELECT x.place, c.state, c.generation, COALESCE(p.merged_into, p.id) AS person_id, h.id AS household_id,
       b.name AS building
  FROM people_print_run_card x
  JOIN people_card c ON c.id = x.card_id
  JOIN people_person p ON p.id = c.person_id
  LEFT JOIN people_household h ON h.id = p.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE x.run_id = ? ORDER BY x.place
"""
RUN_HOUSEHOLD_CARDS = """
SELECT x.place, c.state, c.generation, COALESCE(m.merged_into, h.head_id) AS person_id, h.id AS household_id,
       b.name AS building
  FROM people_print_run_card x
  JOIN people_household_card c ON c.id = x.household_card_id
  JOIN people_household h ON h.id = c.household_id
  LEFT JOIN people_person m ON m.id = h.head_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE x.run_id = ? ORDER BY x.place
"""
PLATE = """
SELECT t.household_id, h.community_id, k.unit_name, k.service_phone, p.name AS community_name
  FROM people_plate t
  JOIN people_household h ON h.id = t.household_id
  JOIN people_community k ON k.id = h.community_id
  JOIN people_place p ON p.id = k.id
 WHERE t.token = ?
"""
HOUSEHOLD_CARDS = """
SELECT id, generation, state, issued_at, ended_at FROM people_household_card WHERE household_id = ?
 ORDER BY generation DESC
"""
HOUSEHOLD = """
SELECT h.id, h.community_id, k.holder, b.name AS building
  FROM people_household h
  JOIN people_community k ON k.id = h.community_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE h.id = ?
"""
MEMBERS_OF = "SELECT id FROM people_person WHERE household_id = ? AND state = 'member' ORDER BY id"


class Choice(msgspec.Struct, frozen=True):
    """Somebody a card could be printed for; `is_served`: has one that lives."""

    id: int
    masked_name: str
    member_number: str
    building: str
    registered: date
    is_served: bool


class Choices(msgspec.Struct, frozen=True):
    """What fits the filter, and the days on which people were registered, latest first, with how many."""

    fitting: list[Choice]
    days: list[tuple[date, int]]


class Run(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    kind: str
    number: int
    made_by: int | None
    made_at: datetime
    ended_by: int | None
    ended_at: datetime | None
    end_reason: str | None
    cards: int
    live: int


class RunCard(msgspec.Struct, frozen=True):
    place: int
    state: str
    generation: int
    person_id: int | None
    household_id: int | None
    building: str
    masked_name: str


class PlateView(msgspec.Struct, frozen=True):
    """What a plate says to everybody is the community's; whose door it is, only staff are led to."""

    household_id: int
    community_id: int
    unit_name: str
    service_phone: str
    community_name: str


class HouseholdCardView(msgspec.Struct, frozen=True):
    id: int
    generation: int
    state: str
    issued_at: datetime
    ended_at: datetime | None


class HouseholdView(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    holder: str
    building: str
    members: list[tuple[int, str]]
    cards: list[HouseholdCardView]


async def places(path: str) -> list[tuple[int, str]]:
    """Grids, and below each its buildings."""
    return [(found["id"], found["name"]) for found in await db.rows(PLACES, f"{path}%")]


async def choices(
    community_id: int, kind: Kept, *, place_id: int | None, day: date | None, only_unserved: bool
) -> Choices:
    """Everybody who fits. A place that is not the community's own holds nobody of it."""
    under = "" if place_id is None else await _path(place_id)
    found = await db.slow_rows(CHOICES[kind], community_id)
    days = Counter(local_day(one["made_at"]) for one in found)
    fitting = [
        one
        for one in found
        if (one["path"] or "").startswith(under)
        and (day is None or local_day(one["made_at"]) == day)
        and not (only_unserved and one["is_served"])
    ]
    return Choices(await _masked(community_id, fitting), sorted(days.items(), reverse=True)[:DAYS_SHOWN])


async def _path(place_id: int) -> str:
    found = await db.row(PATH, place_id)
    if found is None:
        raise NotFound
    return str(found["path"])


async def _masked(community_id: int, found: Sequence[Row]) -> list[Choice]:
    views = {entry.view.person_id: entry.view for entry in await roster.entries(community_id)}
    shown = []
    for one in found:
        view = views.get(one["person_id"])
        shown.append(
            Choice(
                id=one["id"],
                masked_name=view.masked_name if view is not None else "",
                member_number=view.member_number if view is not None else "",
                building=one["building"] or "",
                registered=local_day(one["made_at"]),
                is_served=bool(one["is_served"]),
            )
        )
    return shown


async def check_choice(community_id: int, kind: Kept, ids: Collection[int]) -> None:
    """Whoever is not of this community is not found."""
    table = "people_person" if kind is Kept.MEMBER else "people_household"
    asked = sorted(ids)
    marks = ", ".join("?" * len(asked))
    found = await db.rows(f"SELECT id FROM {table} WHERE community_id = ? AND id IN ({marks})", community_id, *asked)
    if len(found) != len(asked):
        raise NotFound


async def run(community_ids: Sequence[int], run_id: int) -> Run:
    found = await db.row(f"{RUN} WHERE r.id = ? {RUN_GROUP}", run_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return _run(found)


async def runs(community_id: int, *, number: int) -> list[Run]:
    """The runs of a community, newest first; one more than a page, to tell whether there are others."""
    start = (number - 1) * RUNS_AT_ONCE
    found = await db.rows(
        f"{RUN} WHERE r.community_id = ? {RUN_GROUP} ORDER BY r.number DESC LIMIT ? OFFSET ?",
        community_id, RUNS_AT_ONCE + 1, start,
    )  # fmt: skip
    return [_run(one) for one in found]


def _run(found: Row) -> Run:
    values = [*found]
    return Run(*values)


async def run_cards(of: Run) -> list[RunCard]:
    statement = RUN_CARDS if of.kind == Kept.MEMBER else RUN_HOUSEHOLD_CARDS
    found = await db.slow_rows(statement, of.id)
    names = await masked_names(one["person_id"] for one in found if one["person_id"] is not None)
    return [
        RunCard(
            one["place"], one["state"], one["generation"], one["person_id"], one["household_id"],
            one["building"] or "", names.get(one["person_id"], ""),
        )
        for one in found
    ]  # fmt: skip


async def plate(token: str) -> PlateView:
    found = await db.row(PLATE, token)
    if found is None:
        raise NotFound
    return PlateView(*found)


async def household(community_ids: Sequence[int], household_id: int) -> HouseholdView:
    """A household as far as its card is concerned."""
    found = await db.row(HOUSEHOLD, household_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    members = [one["id"] for one in await db.rows(MEMBERS_OF, household_id)]
    names = await masked_names(members)
    cards = [HouseholdCardView(*one) for one in await db.rows(HOUSEHOLD_CARDS, household_id)]
    return HouseholdView(
        found["id"],
        found["community_id"],
        found["holder"],
        found["building"] or "",
        [(one, names[one]) for one in members],
        cards,
    )
