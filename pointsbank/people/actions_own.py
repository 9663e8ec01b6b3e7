"""What is held about somebody: consent, corrections, requests of residents, and leaving."""

from collections.abc import Sequence

from pointsbank.kit.db import Tx
from pointsbank.people import actions, actions_homes, sealed
from pointsbank.people.rules import (
    ASKABLE,
    CONSENT_VERSION,
    CORRECTABLE,
    AlreadyAsked,
    HasLeft,
    HoldsRole,
    OtherRoles,
    RequestSettled,
    RequestsFirst,
)
from pointsbank.trail import actions as trail

PUBLISHES = """
SELECT id FROM people_consent WHERE person_id = ? AND purpose = 'publication' AND withdrawn_at IS NULL LIMIT 1
"""
GIVE = """
INSERT INTO people_consent (person_id, purpose, version, given_at, how, given_by)
VALUES (?, 'publication', ?, ?, ?, ?)
"""
WITHDRAW = """
UPDATE people_consent SET withdrawn_at = ?, withdrawn_how = ?, withdrawn_by = ?
 WHERE person_id = ? AND purpose = ? AND withdrawn_at IS NULL
"""
HELD = """
SELECT community_id, household_id, state, member_number, wrapped_key FROM people_person
 WHERE id = ? AND wrapped_key IS NOT NULL
"""
FIELDS_OF = "SELECT member_number, wrapped_key, name, phone FROM people_person WHERE id = ?"
TAKE = "UPDATE people_person SET state = state WHERE id = ?"
SET = {
    "name": "UPDATE people_person SET name = ? WHERE id = ?",
    "birth_year": "UPDATE people_person SET birth_year = ? WHERE id = ?",
}
SET_PHONE = "UPDATE people_person SET phone = ?, phone_index = ? WHERE id = ?"
ASK = """
INSERT INTO people_request (community_id, person_id, kind, field, asked, state, answer, made_at)
VALUES (?, ?, ?, ?, ?, 'open', '', ?) ON CONFLICT (person_id, kind, field) WHERE state = 'open' DO NOTHING RETURNING id
"""
SETTLE = """
UPDATE people_request SET state = ?, answer = ?, settled_by = ?, settled_at = ? WHERE id = ? AND state = 'open'
RETURNING person_id, kind, field
"""
TAKE_BACK = """
UPDATE people_request SET state = 'withdrawn', settled_by = ?, settled_at = ?
 WHERE id = ? AND person_id = ? AND state = 'open' RETURNING kind
"""
ELSEWHERE = "SELECT 1 FROM people_role_grant WHERE person_id = ? AND ended_at IS NULL AND place_id <> ? LIMIT 1"
# Of the person and of everybody who was taken for the person.
ALL_IDS = "SELECT id FROM people_person WHERE id = ? OR merged_into = ? ORDER BY id"
ERASE = """
UPDATE people_person SET wrapped_key = NULL, name = NULL, phone = NULL, phone_index = NULL, id_last4 = NULL,
       id_index = NULL, birth_year = NULL, sex = NULL, household_id = NULL
 WHERE id = ?
"""
UNTAG = "DELETE FROM people_person_tag WHERE person_id = ?"
LEAVE = "UPDATE people_person SET state = 'left' WHERE id = ? AND state = 'member'"
CARDS_END = "UPDATE people_card SET state = 'lost', ended_at = ? WHERE person_id = ? AND state = 'live'"
CARDS_REPLACED = "UPDATE people_card SET state = 'replaced', ended_at = ? WHERE person_id = ? AND state = 'live'"
HOLDS_ROLE = """
SELECT 1 WHERE EXISTS (SELECT 1 FROM people_role_grant WHERE person_id = ? AND ended_at IS NULL)
            OR EXISTS (SELECT 1 FROM people_login WHERE id = ? AND disabled_at IS NULL)
"""
HAS_ASKED = "SELECT 1 FROM people_request WHERE person_id = ? AND state = 'open'"
SESSIONS_END = "UPDATE people_session SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL"
UNBIND = "UPDATE people_device SET person_id = NULL, bound_at = NULL WHERE person_id = ?"
ROLES_END = "UPDATE people_role_grant SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL"
LOGIN_ENDS = """
UPDATE people_login SET login = 'left-' || id, password_hash = '', disabled_at = COALESCE(disabled_at, ?) WHERE id = ?
"""
SECOND_STEP_ENDS = "DELETE FROM people_second_step WHERE id = ?"
REQUESTS_END = """
UPDATE people_request SET asked = NULL, settled_by = CASE WHEN state = 'open' THEN ? ELSE settled_by END,
       settled_at = CASE WHEN state = 'open' THEN ? ELSE settled_at END,
       state = CASE WHEN state <> 'open' THEN state WHEN kind = 'leave' THEN 'done' ELSE 'withdrawn' END,
       answer = CASE WHEN state = 'open' AND kind = 'leave' THEN ? ELSE answer END
 WHERE person_id = ?
"""


# Consent


async def change_publication_consent(tx: Tx, *, person_id: int, given: bool, how: str) -> None:
    """From this commit on notices name the person, masked, or do not: those on the screen that hang already, too."""
    await tx.run(TAKE, person_id)
    if (await tx.row(PUBLISHES, person_id) is not None) == given:
        return
    if given:
        await tx.run(GIVE, person_id, CONSENT_VERSION, tx.now, how, tx.actor.person_id)
    else:
        await tx.run(WITHDRAW, tx.now, how, tx.actor.person_id, person_id, "publication")
    await trail.record(tx, "person.consent_changed", subject=("person", person_id), publication=given, how=how)


async def take_tags(tx: Tx, *, person_id: int, how: str) -> None:
    """Somebody no longer agrees to tags: they go, and with them what was noted of the agreement's end."""
    if await tx.run(WITHDRAW, tx.now, how, tx.actor.person_id, person_id, "tags") == 0:
        return
    await tx.run(UNTAG, person_id)
    await trail.record(tx, "person.untagged", subject=("person", person_id), how=how)


# Corrections; what stood there before is not kept, and the trail tells which field, never what


async def correct(tx: Tx, *, person_id: int, field: str, value: str, reason: str) -> None:
    """Set one field right. The value comes clean and in its normal form; an empty one removes phone or birth year.

    Nothing else moves: what the books say of the person stays as it was posted.
    """
    assert field in CORRECTABLE
    await tx.run(TAKE, person_id)
    held = await tx.row(HELD, person_id)
    if held is None or held["state"] not in ("member", "provisional"):
        raise HasLeft
    key, number = bytes(held["wrapped_key"]), held["member_number"]
    if field == "phone":
        index = sealed.phone_index(held["community_id"], value) if value else None
        await tx.run(SET_PHONE, sealed.seal_person(key, number, "phone", value) if value else None, index, person_id)
    elif field == "name":
        assert value
        await tx.run(SET["name"], sealed.seal_person(key, number, "name", value), person_id)
    else:
        await tx.run(SET["birth_year"], int(value) if value else None, person_id)
    await actions.touch_roster(tx, community_id=held["community_id"])
    tx.made_stale("people.sessions")  # a frame shows the masked name
    await trail.record(tx, "person.corrected", subject=("person", person_id), field=field, reason=reason)


async def adopt(tx: Tx, *, from_id: int, into_id: int, fields: Sequence[str]) -> None:
    """Before a merge: let the member have what the alias typed. Only governance calls it."""
    found = await tx.row(FIELDS_OF, from_id)
    assert found is not None
    for field in fields:
        value = sealed.person_field(found, field)
        if value:
            await correct(tx, person_id=into_id, field=field, value=value, reason="merge")


# Requests


async def ask_correction(tx: Tx, *, person_id: int, field: str, value: str) -> int:
    """A resident asks for something to be set right; what it should say lies sealed until staff look."""
    assert field in ASKABLE
    assert value
    held = await tx.row(HELD, person_id)
    if held is None:
        raise HasLeft
    asked = sealed.seal_person(bytes(held["wrapped_key"]), held["member_number"], "asked", value)
    return await _ask(tx, (held["community_id"], person_id, "correct", field, asked))


async def ask_to_leave(tx: Tx, *, person_id: int) -> int:
    held = await tx.row(HELD, person_id)
    if held is None:
        raise HasLeft
    return await _ask(tx, (held["community_id"], person_id, "leave", "", None))


async def _ask(tx: Tx, asking: tuple[int, int, str, str, bytes | None]) -> int:
    _community_id, person_id, kind, field, _asked = asking
    made = await tx.row(ASK, *asking, tx.now)
    if made is None:
        raise AlreadyAsked
    await trail.record(tx, "request.made", subject=("person", person_id), kind=kind, field=field)
    return int(made["id"])


async def take_back_request(tx: Tx, *, request_id: int, person_id: int) -> None:
    taken = await tx.row(TAKE_BACK, tx.actor.person_id, tx.now, request_id, person_id)
    if taken is None:
        raise RequestSettled
    await trail.record(tx, "request.withdrawn", subject=("person", person_id), kind=taken["kind"])


async def settle_request(tx: Tx, *, request_id: int, done: bool, answer: str) -> None:
    """Tell the resident that it was done, or why not."""
    state = "done" if done else "refused"
    settled = await tx.row(SETTLE, state, answer, tx.actor.person_id, tx.now, request_id)
    if settled is None:
        raise RequestSettled
    person_id, kind, field = settled
    await trail.record(tx, f"request.{state}", subject=("person", person_id), kind=kind, field=field)


async def accept_correction(tx: Tx, *, request_id: int, person_id: int, field: str, value: str, answer: str) -> None:
    """Do what a resident asked for, and answer; both or neither."""
    await settle_request(tx, request_id=request_id, done=True, answer=answer)
    await correct(tx, person_id=person_id, field=field, value=value, reason="request")


async def note_asked_shown(tx: Tx, *, person_id: int, field: str) -> None:
    """Record who looked at what a resident asks for, before it is shown."""
    await trail.record(tx, "person.request_shown", subject=("person", person_id), field=field, purpose="办理申请")


async def check_may_end(tx: Tx, *, person_id: int) -> None:
    """Refuses while a record still holds a role, or asks for something: neither would go to the other one."""
    if await tx.row(HOLDS_ROLE, person_id, person_id) is not None:
        raise HoldsRole
    if await tx.row(HAS_ASKED, person_id) is not None:
        raise RequestsFirst


async def give_over(tx: Tx, *, person_id: int) -> None:
    """Before a member's record becomes an alias: its card ends, so that of two one lives. Only governance calls it."""
    await check_may_end(tx, person_id=person_id)
    await tx.run(CARDS_REPLACED, tx.now, person_id)


# Leaving


async def leave(tx: Tx, *, person_id: int, how: str, answer: str) -> int | None:
    """End everything that lets this member in, and erase who it was. Only governance calls it, after the points.

    The key of the sealed fields goes, and with it every copy of them; number, books and trail stay, under the number.
    Returns the household that is empty now, if one is.
    """
    held = await tx.row(HELD, person_id)
    if held is None or await tx.run(LEAVE, person_id) == 0:
        raise HasLeft
    if await tx.row(ELSEWHERE, person_id, held["community_id"]) is not None:
        raise OtherRoles
    for one in [row["id"] for row in await tx.rows(ALL_IDS, person_id, person_id)]:
        for purpose in ("service", "publication", "tags"):
            await tx.run(WITHDRAW, tx.now, how, tx.actor.person_id, one, purpose)
        await tx.run(REQUESTS_END, tx.actor.person_id, tx.now, answer, one)
        await tx.run(CARDS_END, tx.now, one)
        await tx.run(SESSIONS_END, tx.now, one)
        await tx.run(UNBIND, one)
        await tx.run(ROLES_END, tx.now, one)
        await tx.run(LOGIN_ENDS, tx.now, one)
        await tx.run(UNTAG, one)
        await tx.run(SECOND_STEP_ENDS, one)
        await tx.run(ERASE, one)
    home = held["household_id"]
    is_empty = home is not None and await actions_homes.gone_from(tx, household_id=home)
    await actions.touch_roster(tx, community_id=held["community_id"])
    tx.made_stale("people.sessions")
    await trail.record(tx, "person.left", subject=("person", person_id), how=how)
    return int(home) if is_empty else None
