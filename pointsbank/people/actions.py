"""Places, households and persons: who there is and where they belong."""

from datetime import datetime

import msgspec

from pointsbank.kit import codes
from pointsbank.kit.db import Tx
from pointsbank.people import queries, queries_homes, sealed
from pointsbank.people.rules import (
    CONSENT_VERSION,
    OWN_PHONE,
    PARENT_KINDS,
    AlreadyAtDoor,
    BadMerge,
    IdNumberTaken,
    NotMerged,
    NotSettled,
)
from pointsbank.trail import actions as trail

NUMBER_TRIES = 8

PLACE = "SELECT kind, path FROM people_place WHERE id = ?"
MAKE_PLACE = "INSERT INTO people_place (parent_id, kind, name, path) VALUES (?, ?, ?, '') RETURNING id"
SET_PATH = "UPDATE people_place SET path = ? WHERE id = ?"
MAKE_COMMUNITY = """
INSERT INTO people_community
  (id, unit_name, holder, daily_points_max, service_phone, oversight_phone, roster_version)
VALUES (?, ?, ?, ?, ?, ?, 1)
"""
TOUCH = "UPDATE people_community SET roster_version = roster_version + 1 WHERE id = ?"
MAKE_HOUSEHOLD = """
INSERT INTO people_household (community_id, building_id, wrapped_key, made_at) VALUES (?, ?, ?, ?) RETURNING id
"""
FILL_HOUSEHOLD = "UPDATE people_household SET wrapped_key = ?, door = ? WHERE id = ?"
SET_HEAD = "UPDATE people_household SET head_id = ? WHERE id = ?"
NAMES_AT_HOME = """
SELECT member_number, wrapped_key, name FROM people_person WHERE household_id = ? AND state = 'member'
"""
ID_TAKEN = "SELECT id FROM people_person WHERE id_index = ? AND state = 'member'"
MAKE_PERSON = """
INSERT INTO people_person (community_id, household_id, member_number, state, wrapped_key, name, phone, phone_index,
                           id_last4, id_index, birth_year, made_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (member_number) DO NOTHING RETURNING id
"""
CONSENT = """
INSERT INTO people_consent (person_id, purpose, version, given_at, how, given_by) VALUES (?, ?, ?, ?, ?, ?)
"""
PERSON = "SELECT community_id, household_id, state FROM people_person WHERE id = ?"
ACCEPT = "UPDATE people_person SET state = 'member', household_id = ? WHERE id = ? AND state = 'provisional'"
HOLDER = "SELECT holder FROM people_community WHERE id = ?"
HOLD = "UPDATE people_person SET state = state WHERE id = ?"
HOLD_PROVISIONAL = "UPDATE people_person SET state = state WHERE id = ? AND state = 'provisional'"
MERGE = "UPDATE people_person SET state = 'merged', merged_into = ? WHERE id = ? AND state IN ('member', 'provisional')"
ALIASES_FOLLOW = "UPDATE people_person SET merged_into = ? WHERE merged_into = ?"
NOTE_MERGE = """
INSERT INTO people_merge (person_id, into_id, merged_by, merged_at, reason) VALUES (?, ?, ?, ?, '') RETURNING id
"""
LIVE_MERGE = """
SELECT person_id, into_id, merged_by, merged_at FROM people_merge WHERE id = ? AND separated_at IS NULL
"""
NOTE_SEPARATION = """
UPDATE people_merge SET separated_by = ?, separated_at = ?, reason = ? WHERE id = ? AND separated_at IS NULL
RETURNING person_id, into_id
"""
SEPARATE = """
UPDATE people_person SET state = 'provisional', merged_into = NULL, household_id = NULL
 WHERE id = ? AND merged_into = ? AND wrapped_key IS NOT NULL
RETURNING community_id
"""
ALIAS_GOES_BACK = "UPDATE people_person SET merged_into = ? WHERE id = ? AND merged_into = ?"
SESSIONS_END = "UPDATE people_session SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL"
DEVICES_FOLLOW = "UPDATE people_device SET person_id = ? WHERE person_id = ? AND bound_at IS NOT NULL"
DEVICES_LEFT = "UPDATE people_device SET person_id = NULL WHERE person_id = ?"
DEVICE_PERSON = """
SELECT COALESCE(p.merged_into, p.id) AS person_id
  FROM people_device d LEFT JOIN people_person p ON p.id = d.person_id WHERE d.id = ?
"""
DEVICE_HOLDS = "UPDATE people_device SET person_id = ? WHERE id = ?"
PHONE_SESSIONS_END = """
UPDATE people_session SET ended_at = ?
 WHERE person_id = ? AND kind = 'resident' AND ended_at IS NULL
   AND device_id IN (SELECT id FROM people_device WHERE person_id IS NULL)
"""


class Sealed(msgspec.Struct, frozen=True):
    """What of a new person is stored sealed; made and used within one action."""

    member_number: str
    wrapped_key: bytes
    name: bytes
    phone: bytes | None


async def make_place(tx: Tx, *, parent_id: int | None, kind: str, name: str) -> int:
    """Add a node to the tree; its path ends with its own id, so that what lies below begins with it."""
    parent = None if parent_id is None else await tx.row(PLACE, parent_id)
    parent_kind, parent_path = parent or (None, "/")
    assert parent_kind in PARENT_KINDS[kind], f"a {kind} does not lie in a {parent_kind}"
    made = await tx.row(MAKE_PLACE, parent_id, kind, name)
    assert made is not None
    await tx.run(SET_PATH, f"{parent_path}{made['id']}/", made["id"])
    tx.made_stale("people.sessions")  # a supervisor's session lists the communities of his street
    return int(made["id"])


async def make_community(
    tx: Tx,
    *,
    street_id: int,
    name: str,
    unit_name: str,
    holder: str,
    service_phone: str,
    oversight_phone: str,
    daily_points_max: int = 200,
) -> int:
    community_id = await make_place(tx, parent_id=street_id, kind="community", name=name)
    await tx.run(MAKE_COMMUNITY, community_id, unit_name, holder, daily_points_max, service_phone, oversight_phone)
    await trail.record(tx, "community.made", subject=("community", community_id), holder=holder)
    return community_id


async def touch_roster(tx: Tx, *, community_id: int) -> None:
    """Have every process read this community's roster afresh; called by whatever changes what a roster shows."""
    await tx.run(TOUCH, community_id)


async def make_household(tx: Tx, *, community_id: int, building_id: int | None, door: str | None) -> int:
    made = await tx.row(MAKE_HOUSEHOLD, community_id, building_id, b"", tx.now)
    assert made is not None
    household_id = int(made["id"])
    wrapped_key = sealed.new_household_key(household_id)
    sealed_door = sealed.seal_door(wrapped_key, household_id, door) if door else None
    await tx.run(FILL_HOUSEHOLD, wrapped_key, sealed_door, household_id)
    return household_id


async def make_person(
    tx: Tx,
    *,
    community_id: int,
    household_id: int | None,
    name: str,
    phone: str | None,
    id_number: str | None = None,
    birth_year: int | None = None,
    is_head: bool = False,
    consent_publication: bool = False,
    consent_how: str | None = None,
) -> int:
    """Enter a member into the roster. Name, phone and ID number come clean and in their normal form."""
    id_index = sealed.id_index(community_id, id_number) if id_number else None
    if id_index is not None and await tx.row(ID_TAKEN, id_index) is not None:
        raise IdNumberTaken
    last4 = id_number[-4:] if id_number else None
    person_id = await _insert_person(
        tx,
        state="member",
        community_id=community_id,
        household_id=household_id,
        name=name,
        phone=phone,
        id_last4=last4,
        id_index=id_index,
        birth_year=birth_year,
    )
    if is_head:
        assert household_id is not None
        await tx.run(SET_HEAD, person_id, household_id)
    await record_consents(tx, person_id=person_id, publication=consent_publication, how=consent_how)
    await touch_roster(tx, community_id=community_id)
    await trail.record(tx, "person.registered", subject=("person", person_id), community_id=community_id)
    return person_id


async def register_at_door(
    tx: Tx, *, community_id: int, building_id: int, door: str, name: str, phone: str | None, consent_publication: bool
) -> int:
    """Enter somebody whom staff met at home: into the household behind this door, or as head of a new one.

    The same name behind the same door is refused: more likely somebody is entered twice than lives there twice.
    """
    await touch_roster(tx, community_id=community_id)  # of two who open the same door, one waits for the other
    household_id = await queries_homes.household_at(tx, building_id, door)
    is_head = household_id is None
    if household_id is None:
        household_id = await make_household(tx, community_id=community_id, building_id=building_id, door=door)
    elif name in [sealed.person_field(one, "name") for one in await tx.rows(NAMES_AT_HOME, household_id)]:
        raise AlreadyAtDoor
    return await make_person(
        tx,
        community_id=community_id,
        household_id=household_id,
        name=name,
        phone=phone,
        is_head=is_head,
        consent_publication=consent_publication,
        consent_how="in_person",
    )


async def note_shown(tx: Tx, *, person_id: int, field: str, purpose: str) -> None:
    """Record who looked at one field of one person, and why, before it is shown."""
    await trail.record(tx, "person.field_shown", subject=("person", person_id), field=field, purpose=purpose)


async def note_printed(tx: Tx, *, person_id: int, card_id: int) -> None:
    """Record who printed a card with its slip."""
    await trail.record(tx, "card.printed", subject=("person", person_id), card_id=card_id)


async def register_provisional(
    tx: Tx, *, community_id: int, device_id: int, name: str, phone: str, consent_publication: bool
) -> int:
    """Note who somebody says to be. Nobody is looked up, so the answer tells nothing about the roster.

    A phone that already is somebody's stays that person's. The roster is not touched: provisional people are not in it.
    """
    device = await tx.row(DEVICE_PERSON, device_id)
    assert device is not None
    if device["person_id"] is not None:
        return int(device["person_id"])
    person_id = await _insert_person(
        tx, state="provisional", community_id=community_id, household_id=None, name=name, phone=phone
    )
    await record_consents(tx, person_id=person_id, publication=consent_publication, how=OWN_PHONE)
    await tx.run(DEVICE_HOLDS, person_id, device_id)
    await trail.record(tx, "person.provisional", subject=("person", person_id), community_id=community_id)
    return person_id


async def _insert_person(
    tx: Tx,
    *,
    state: str,
    community_id: int,
    household_id: int | None,
    name: str,
    phone: str | None,
    id_last4: str | None = None,
    id_index: bytes | None = None,
    birth_year: int | None = None,
) -> int:
    index = sealed.phone_index(community_id, phone) if phone else None
    for _ in range(NUMBER_TRIES):  # a random number may be somebody's already
        new = _seal_new(name, phone)
        facts = (community_id, household_id, new.member_number, state, new.wrapped_key, new.name, new.phone, index)
        made = await tx.row(MAKE_PERSON, *facts, id_last4, id_index, birth_year, tx.now)
        if made is not None:
            return int(made["id"])
    raise AssertionError("member numbers have run out")


def _seal_new(name: str, phone: str | None) -> Sealed:
    number = codes.new_member_number()
    key = sealed.new_person_key(number)
    sealed_phone = sealed.seal_person(key, number, "phone", phone) if phone else None
    return Sealed(number, key, sealed.seal_person(key, number, "name", name), sealed_phone)


async def record_consents(tx: Tx, *, person_id: int, publication: bool, how: str | None = None) -> None:
    """Note that the privacy notice was shown and agreed to, and whether names may be published masked."""
    for purpose in ("service", "publication") if publication else ("service",):
        await tx.run(CONSENT, person_id, purpose, CONSENT_VERSION, tx.now, how, tx.actor.person_id)


async def hold_provisional(tx: Tx, *, person_id: int) -> None:
    """Take a person's row who is still to be settled, so that of two admins one is told that it was done."""
    if await tx.run(HOLD_PROVISIONAL, person_id) == 0:
        raise NotSettled


async def hold_person(tx: Tx, *, person_id: int) -> None:
    """Take a person's row; a caller with several goes by ascending id."""
    await tx.run(HOLD, person_id)


async def accept_provisional(tx: Tx, *, person_id: int, household_id: int | None = None) -> None:
    """Settle that this is a new resident. Only governance calls it, which also looks after what the person did."""
    person = await tx.row(PERSON, person_id)
    if person is None or person["state"] != "provisional":
        raise NotSettled
    community = await tx.row(HOLDER, person["community_id"])
    assert community is not None
    if household_id is None and community["holder"] == "household":
        household_id = await make_household(tx, community_id=person["community_id"], building_id=None, door=None)
        await tx.run(SET_HEAD, person_id, household_id)
    if await tx.run(ACCEPT, household_id, person_id) == 0:
        raise NotSettled
    await touch_roster(tx, community_id=person["community_id"])
    tx.made_stale("people.sessions")
    await trail.record(tx, "person.accepted", subject=("person", person_id))


async def mark_merged(tx: Tx, *, person_id: int, into_id: int) -> int:
    """Make one person an alias of a member of the same community; returns the merge. Only governance calls it.

    A phone follows if an activation code or staff bound it. One that merely registered at a poster does not:
    whoever knows a neighbour's name and number could have held it. It is nobody's until it is activated.
    """
    person, target = await tx.row(PERSON, person_id), await tx.row(PERSON, into_id)
    if person is None or target is None or person_id == into_id or target["state"] != "member":
        raise BadMerge
    if person["community_id"] != target["community_id"]:
        raise BadMerge
    if await tx.run(MERGE, into_id, person_id) == 0:
        raise NotSettled
    await tx.run(ALIASES_FOLLOW, into_id, person_id)
    merge = await tx.row(NOTE_MERGE, person_id, into_id, tx.actor.person_id, tx.now)
    assert merge is not None
    await tx.run(DEVICES_FOLLOW, into_id, person_id)
    await tx.run(DEVICES_LEFT, person_id)
    await tx.run(PHONE_SESSIONS_END, tx.now, person_id)
    await touch_roster(tx, community_id=person["community_id"])
    tx.made_stale("people.sessions")
    await trail.record(tx, "person.merged", subject=("person", person_id), into=into_id)
    return int(merge["id"])


class LiveMerge(msgspec.Struct, frozen=True):
    person_id: int
    into_id: int
    merged_by: int | None
    merged_at: datetime


async def live_merge(tx: Tx, *, merge_id: int) -> LiveMerge:
    """Take a merge that nobody has parted, and the two of it, by ascending id."""
    found = await tx.row(LIVE_MERGE, merge_id)
    if found is None:
        raise NotMerged
    for person_id in sorted((found["person_id"], found["into_id"])):
        await tx.run(HOLD, person_id)
    return LiveMerge(*found)


async def mark_separated(tx: Tx, *, merge_id: int, reason: str) -> tuple[int, int]:
    """Take an alias back: who was merged waits to be settled again, with its own aliases. Only governance calls it.

    Returns who it is and who it was taken for. Phones stay where they are: none of the alias's followed.
    """
    merge = await tx.row(NOTE_SEPARATION, tx.actor.person_id, tx.now, reason, merge_id)
    if merge is None:
        raise NotMerged
    person_id, into_id = merge
    parted = await tx.row(SEPARATE, person_id, into_id)
    if parted is None:
        raise NotMerged
    for one in await queries.came_along(tx, person_id):
        await tx.run(ALIAS_GOES_BACK, person_id, one, into_id)
    await tx.run(SESSIONS_END, tx.now, person_id)
    await touch_roster(tx, community_id=parted["community_id"])
    tx.made_stale("people.sessions")
    await trail.record(tx, "person.separated", subject=("person", person_id), of=into_id)
    await trail.record(tx, "person.parted", subject=("person", into_id), person=person_id)
    return int(person_id), int(into_id)
