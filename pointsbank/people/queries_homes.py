"""Households: who lives behind which door, and who moved."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import codes, db
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people import sealed
from pointsbank.trail import queries as trail

COMES = ("person.registered", "person.accepted", "person.moved")
MOVES = ("household.joined", "household.left", "household.moved", "household.head")

DOORS = "SELECT id, wrapped_key, door FROM people_household WHERE building_id = ? AND door IS NOT NULL ORDER BY id"
HOUSEHOLD = """
SELECT h.id, h.community_id, h.head_id, h.wrapped_key, h.door, h.made_at, b.name AS building, k.holder
  FROM people_household h JOIN people_community k ON k.id = h.community_id
  LEFT JOIN people_place b ON b.id = h.building_id WHERE h.id = ?
"""
MEMBERS = """
SELECT id, member_number, wrapped_key, name, birth_year FROM people_person
 WHERE household_id = ? AND state = 'member' ORDER BY id
"""


class Housemate(msgspec.Struct, frozen=True):
    person_id: int
    masked_name: str
    member_number: str
    birth_year: int | None


class Change(msgspec.Struct, frozen=True):
    """Who came, went or became head; `person_ids` are looked up by name where a page shows them."""

    at: datetime
    verb: str
    person_ids: list[int]
    by: int | None


class HouseholdView(msgspec.Struct, frozen=True):
    """A household as staff may see it; whether there is a door number is told, not which."""

    household_id: int
    community_id: int
    building: str
    has_door: bool
    head_id: int | None
    holder: str
    made_at: datetime
    members: list[Housemate]


async def brought(tx: Tx, person_ids: Sequence[int], *, since: datetime) -> list[tuple[int, datetime]]:
    """Whoever brought one of these into a household since then, and when."""
    return [(by, at) for _, by, at in await trail.doers(tx, "person", person_ids, COMES, since=since)]


async def left_lately(tx: Tx, person_ids: Sequence[int], *, since: datetime) -> list[int]:
    """The households that these people were moved out of since then."""
    moves = await trail.facts(tx, "person", person_ids, "person.moved", since=since)
    return sorted({move["left"] for move in moves if move["left"] is not None})


async def household_at(tx: Tx | None, building_id: int, door: str) -> int | None:
    """The household behind a door; doors lie sealed, so those of the building are opened one by one."""
    rows = await (db.rows(DOORS, building_id) if tx is None else tx.rows(DOORS, building_id))
    for household_id, wrapped_key, sealed_door in rows:
        if sealed.door_of(household_id, wrapped_key, sealed_door) == door:
            return int(household_id)
    return None


async def household(community_ids: Sequence[int], household_id: int) -> HouseholdView:
    found = await db.row(HOUSEHOLD, household_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return HouseholdView(
        household_id=found["id"],
        community_id=found["community_id"],
        building=found["building"] or "",
        has_door=found["door"] is not None,
        head_id=found["head_id"],
        holder=found["holder"],
        made_at=found["made_at"],
        members=await members(household_id),
    )


async def members(household_id: int) -> list[Housemate]:
    return [
        Housemate(
            one["id"],
            sealed.masked_name_of(one),
            codes.shown_member_number(one["member_number"]),
            one["birth_year"],
        )
        for one in await db.rows(MEMBERS, household_id)
    ]


async def door_of(community_ids: Sequence[int], household_id: int) -> str:
    """In clear. The caller records who looked and why before it shows it."""
    found = await db.row(HOUSEHOLD, household_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return sealed.door_of(household_id, found["wrapped_key"], found["door"])


async def changes(household_id: int) -> list[Change]:
    """Newest first."""
    history = await trail.history(("household", household_id))
    return [
        Change(one.at, one.verb, list(one.facts.get("people", [])), one.person_id)
        for one in reversed(history)
        if one.verb in MOVES
    ]
