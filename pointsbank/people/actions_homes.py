"""Moving between households. What a move means for points, governance asks before it calls these."""

from collections.abc import Sequence

import msgspec

from pointsbank.kit.db import Row, Tx
from pointsbank.people import actions, queries_homes, sealed
from pointsbank.people.rules import HOUSEHOLD_MAX, AlreadyAtDoor, AlreadyThere, NotOneHome
from pointsbank.trail import actions as trail

TAKE = """
UPDATE people_person SET state = state WHERE id = ? AND community_id = ? AND state = 'member'
RETURNING household_id, member_number, wrapped_key, name
"""
MEMBERS = """
SELECT id, member_number, wrapped_key, name FROM people_person
 WHERE household_id = ? AND state = 'member' ORDER BY id
"""
PUT = "UPDATE people_person SET household_id = ? WHERE id = ?"
READDRESS = "UPDATE people_household SET building_id = ?, wrapped_key = ?, door = ? WHERE id = ?"
# Nobody lives there any more: whoever moves in behind this door later must not find the passbook of those before.
EMPTY = "UPDATE people_household SET door = NULL, head_id = NULL WHERE id = ?"
CARD_ENDS = "UPDATE people_household_card SET state = 'lost', ended_at = ? WHERE household_id = ? AND state = 'live'"
# What hangs at the old door speaks of whoever lives there; a new one is printed for the new door.
PLATE_ENDS = "DELETE FROM people_plate WHERE household_id = ?"
HEAD_LEFT = """
UPDATE people_household SET head_id = (SELECT MIN(p.id) FROM people_person p
                                        WHERE p.household_id = people_household.id AND p.state = 'member')
 WHERE id = ? AND NOT EXISTS (SELECT 1 FROM people_person p
                               WHERE p.id = people_household.head_id AND p.household_id = people_household.id
                                 AND p.state = 'member')
"""
MAKE_HEAD = """
UPDATE people_household SET head_id = ?
 WHERE id = ? AND EXISTS (SELECT 1 FROM people_person p
                           WHERE p.id = ? AND p.household_id = people_household.id AND p.state = 'member')
"""


class Moved(msgspec.Struct, frozen=True):
    """`left_id` is the household that was left, `is_emptied` whether nobody lives there now."""

    household_id: int
    left_id: int | None
    is_emptied: bool


async def move(
    tx: Tx, *, community_id: int, person_ids: Sequence[int], building_id: int, door: str, reason: str
) -> Moved:
    """Members of one household move together: into the household behind the door, or into a new one.

    A whole household that moves behind an empty door stays what it is, and gets another address.
    """
    assert 0 < len(person_ids) <= HOUSEHOLD_MAX
    await actions.touch_roster(tx, community_id=community_id)  # of two who open the same door, one waits for the other
    moving = {person_id: await _taken(tx, person_id, community_id) for person_id in sorted(set(person_ids))}
    homes = {one["household_id"] for one in moving.values()}
    if len(homes) != 1:
        raise NotOneHome
    left_id = homes.pop()
    if left_id is None and len(moving) > 1:
        raise NotOneHome
    target_id = await queries_homes.household_at(tx, building_id, door)
    if target_id is not None and target_id == left_id:
        raise AlreadyThere
    staying = [] if left_id is None else [one for one in await tx.rows(MEMBERS, left_id) if one["id"] not in moving]
    if target_id is None and left_id is not None and not staying:
        await _readdress(tx, left_id, building_id, door)
        whole = {"people": sorted(moving), "reason": reason}
        await trail.record(tx, "household.moved", subject=("household", left_id), **whole)
        return Moved(left_id, None, is_emptied=False)
    if target_id is None:
        target_id = await actions.make_household(tx, community_id=community_id, building_id=building_id, door=door)
    household_id = await _settled_in(tx, target_id, moving)
    for person_id in moving:
        facts = {"household": household_id, "left": left_id, "reason": reason}
        await trail.record(tx, "person.moved", subject=("person", person_id), **facts)
    joined = {"people": sorted(moving), "reason": reason}
    await trail.record(tx, "household.joined", subject=("household", household_id), **joined)
    if left_id is not None:
        await trail.record(tx, "household.left", subject=("household", left_id), **joined)
        await (tx.run(HEAD_LEFT, left_id) if staying else _empty(tx, left_id))
    return Moved(household_id, left_id, is_emptied=left_id is not None and not staying)


async def _taken(tx: Tx, person_id: int, community_id: int) -> Row:
    found = await tx.row(TAKE, person_id, community_id)
    if found is None:
        raise NotOneHome
    return found


async def _readdress(tx: Tx, household_id: int, building_id: int, door: str) -> None:
    key = sealed.new_household_key(household_id)
    await tx.run(READDRESS, building_id, key, sealed.seal_door(key, household_id, door), household_id)
    await tx.run(PLATE_ENDS, household_id)


async def _settled_in(tx: Tx, target_id: int, moving: dict[int, Row]) -> int:
    """The first of them heads a household that has no head yet."""
    names = {sealed.person_field(one, "name") for one in await tx.rows(MEMBERS, target_id)}
    if names & {sealed.person_field(one, "name") for one in moving.values()}:
        raise AlreadyAtDoor
    for person_id in moving:
        await tx.run(PUT, target_id, person_id)
    await tx.run(HEAD_LEFT, target_id)
    return target_id


async def make_head(tx: Tx, *, household_id: int, person_id: int) -> None:
    if await tx.run(MAKE_HEAD, person_id, household_id, person_id) == 0:
        raise NotOneHome
    await trail.record(tx, "household.head", subject=("household", household_id), people=[person_id])


async def gone_from(tx: Tx, *, household_id: int) -> bool:
    """After a member left: another head, or nothing of the door any more. Says whether it is empty."""
    is_empty = not await tx.rows(MEMBERS, household_id)
    await (_empty(tx, household_id) if is_empty else tx.run(HEAD_LEFT, household_id))
    return is_empty


async def _empty(tx: Tx, household_id: int) -> None:
    """Nobody lives there: its card and its door plate are dead with it."""
    await tx.run(EMPTY, household_id)
    await tx.run(CARD_ENDS, tx.now, household_id)
    await tx.run(PLATE_ENDS, household_id)


async def note_door_shown(tx: Tx, *, household_id: int, purpose: str) -> None:
    """Record who looked at a household's door and why, before it is shown: for the household and each member."""
    await trail.record(tx, "household.door_shown", subject=("household", household_id), purpose=purpose)
    for member in await tx.rows(MEMBERS, household_id):
        facts = {"field": "door", "purpose": purpose}
        await trail.record(tx, "person.field_shown", subject=("person", member["id"]), **facts)
