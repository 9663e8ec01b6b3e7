"""Find the members that a list names: by member number, or by name with building and door."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from pointsbank.kit import db, text
from pointsbank.people import roster, sealed
from pointsbank.people.queries import IDS_AT_ONCE, MemberView, view_of
from pointsbank.people.roster import Entry
from pointsbank.people.rules_import import building_key, door_key

DOORS = "SELECT id, wrapped_key, door FROM people_household WHERE id IN"
MERGED = """
SELECT member_number, merged_into FROM people_person WHERE community_id = ? AND merged_into IS NOT NULL
"""
VIEWS = """
SELECT p.id AS asked, q.id, q.member_number, q.state, q.community_id, q.household_id, q.wrapped_key, q.name, q.phone,
       b.name AS building, k.holder
  FROM people_person p
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  JOIN people_community k ON k.id = q.community_id
  LEFT JOIN people_household h ON h.id = q.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.id IN
"""


class Sought(msgspec.Struct, frozen=True):
    """One line of a list, as it was typed; what was not typed is empty. A number is without blanks."""

    number: str
    name: str
    building: str
    door: str


class Miss(StrEnum):
    """Why nobody is found."""

    UNKNOWN_NUMBER = "unknown_number"
    OTHER_NAME = "other_name"  # the number is somebody else's
    UNKNOWN_NAME = "unknown_name"
    ELSEWHERE = "elsewhere"  # there is somebody of the name, at another door
    SEVERAL = "several"


async def find(community_id: int, lines: Sequence[Sought]) -> list[MemberView | Miss]:
    """For each line the member whom it means. A number decides; with a name beside it both must fit."""
    entries = await roster.entries(community_id)
    by_id = {entry.view.person_id: entry for entry in entries}
    by_number = {entry.view.member_number.replace(" ", ""): entry for entry in entries}
    for number, person_id in await db.rows(MERGED, community_id):
        if person_id in by_id:
            by_number.setdefault(number, by_id[person_id])
    wanted = {_name_key(line.name) for line in lines if not line.number}
    namesakes: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.key in wanted:
            namesakes.setdefault(entry.key, []).append(entry)
    doors = await _doors(entry.view.household_id for found in namesakes.values() for entry in found)
    return [
        _numbered(line, by_number) if line.number else _named(line, namesakes.get(_name_key(line.name), []), doors)
        for line in lines
    ]


def _name_key(name: str) -> str:
    return "".join(text.search_key(name).split())


def _numbered(line: Sought, by_number: dict[str, Entry]) -> MemberView | Miss:
    entry = by_number.get(line.number)
    if entry is None:
        return Miss.UNKNOWN_NUMBER
    return Miss.OTHER_NAME if line.name and _name_key(line.name) != entry.key else entry.view


def _named(line: Sought, namesakes: Sequence[Entry], doors: dict[int, str]) -> MemberView | Miss:
    if not namesakes:
        return Miss.UNKNOWN_NAME
    building, door = building_key(line.building), door_key(line.door)
    here = [
        entry.view
        for entry in namesakes
        if building_key(entry.view.building) == building and doors.get(entry.view.household_id or 0, "") == door
    ]
    if len(here) > 1:
        return Miss.SEVERAL
    return here[0] if here else Miss.ELSEWHERE


async def _doors(household_ids: Iterable[int | None]) -> dict[int, str]:
    asked = sorted({one for one in household_ids if one is not None})
    doors: dict[int, str] = {}
    for start in range(0, len(asked), IDS_AT_ONCE):
        some = asked[start : start + IDS_AT_ONCE]
        marks = ", ".join("?" * len(some))
        for found in await db.slow_rows(f"{DOORS} ({marks})", *some):
            doors[found["id"]] = door_key(sealed.door_of(found["id"], found["wrapped_key"], found["door"]))
    return doors


async def member_views(person_ids: Iterable[int]) -> dict[int, MemberView]:
    """For each id asked the view of who that is; lists only, a scope was checked when the list was made."""
    asked = sorted(set(person_ids))
    views: dict[int, MemberView] = {}
    for start in range(0, len(asked), IDS_AT_ONCE):
        some = asked[start : start + IDS_AT_ONCE]
        marks = ", ".join("?" * len(some))
        for found in await db.slow_rows(f"{VIEWS} ({marks})", *some):
            views[found["asked"]] = view_of(found)
    return views
