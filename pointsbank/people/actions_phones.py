"""Residents' phones: devices, activation, pairing, and the sessions of whoever signs in anywhere."""

import hmac
from datetime import datetime

import msgspec

from pointsbank.kit import codes
from pointsbank.kit.db import Tx
from pointsbank.people import sealed
from pointsbank.people.rules import (
    PAIRING_LIFE,
    RESIDENT_SESSION_LIFE,
    NotPaired,
    StillProvisional,
    WrongActivation,
    WrongPairing,
)
from pointsbank.trail import actions as trail

HANDLE_TRIES = 8

MAKE_DEVICE = """
INSERT INTO people_device (token_digest, handle, check_in_step, check_out_step, visit_step, made_at)
VALUES (?, ?, 0, 0, 0, ?) ON CONFLICT DO NOTHING RETURNING id
"""
RENEW_DEVICE = """
UPDATE people_device SET token_digest = ? WHERE token_digest = ? AND ended_at IS NULL RETURNING id
"""
FIND_DEVICE = "SELECT id FROM people_device WHERE token_digest = ? AND ended_at IS NULL"
BIND = "UPDATE people_device SET person_id = ?, bound_at = ? WHERE id = ? AND ended_at IS NULL"
UNBIND = "UPDATE people_device SET person_id = NULL, bound_at = NULL WHERE person_id = ?"
UNBIND_ONE = "UPDATE people_device SET person_id = NULL, bound_at = NULL WHERE id = ?"
DEVICE_SESSIONS_END = """
UPDATE people_session SET ended_at = ? WHERE device_id = ? AND kind = 'resident' AND ended_at IS NULL
"""
USE_SLIP = """
UPDATE people_activation SET used_at = ?
 WHERE token_digest = ? AND used_at IS NULL AND tries_left > 0 AND expires_at > ?
   AND card_id IN (SELECT id FROM people_card WHERE state = 'live')
RETURNING person_id
"""
FIND_TYPED = """
SELECT a.id, a.typed_digest
  FROM people_person p
  JOIN people_card c ON c.person_id = p.id AND c.state = 'live'
  JOIN people_activation a ON a.card_id = c.id
 WHERE p.member_number = ? AND a.used_at IS NULL AND a.tries_left > 0 AND a.expires_at > ?
"""
USE_TYPED = """
UPDATE people_activation SET used_at = ? WHERE id = ? AND used_at IS NULL AND tries_left > 0 RETURNING person_id
"""
COUNT_WRONG = "UPDATE people_activation SET tries_left = tries_left - 1 WHERE id = ? AND tries_left > 0"
CANONICAL = "SELECT COALESCE(merged_into, id) AS id FROM people_person WHERE id = ?"
STATE = "SELECT state FROM people_person WHERE id = ?"
DROP_PAIRINGS = "UPDATE people_pairing SET expires_at = ? WHERE device_id = ? AND used_at IS NULL AND expires_at > ?"
PAIR = "INSERT INTO people_pairing (device_id, digits_digest, expires_at) VALUES (?, ?, ?) RETURNING id"
SET_PAIRING = "UPDATE people_pairing SET digits_digest = ? WHERE id = ?"
FIND_PAIRING = "SELECT id FROM people_pairing WHERE digits_digest = ? AND used_at IS NULL AND expires_at > ?"
USE_PAIRING = "UPDATE people_pairing SET used_at = ? WHERE id = ? AND used_at IS NULL RETURNING device_id"
JUST_PAIRED = """
SELECT d.id, d.person_id
  FROM people_device d
 WHERE d.token_digest = ? AND d.ended_at IS NULL AND d.person_id IS NOT NULL AND d.bound_at IS NOT NULL
   AND EXISTS (SELECT 1 FROM people_pairing r WHERE r.device_id = d.id AND r.used_at > ?)
"""
OPEN_SESSION = """
INSERT INTO people_session
  (kind, token_digest, person_id, grant_id, device_id, name, made_at, expires_at, idle_minutes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
END_SESSION = "UPDATE people_session SET ended_at = ? WHERE id = ? AND ended_at IS NULL"
END_ALL = "UPDATE people_session SET ended_at = ? WHERE person_id = ? AND kind = ? AND id <> ? AND ended_at IS NULL"
NO_SESSION = 0


class Opened(msgspec.Struct, frozen=True):
    person_id: int
    session_id: int


# Sessions


async def open_session(
    tx: Tx,
    *,
    kind: str,
    token_digest: bytes,
    person_id: int,
    grant_id: int | None,
    device_id: int | None,
    name: str | None,
    expires_at: datetime,
    idle_minutes: int | None = None,
) -> int:
    """Open a session for a token that the caller made; who may have one was decided before."""
    facts = (kind, token_digest, person_id, grant_id, device_id, name)
    made = await tx.row(OPEN_SESSION, *facts, tx.now, expires_at, idle_minutes)
    assert made is not None
    return int(made["id"])


async def open_resident_session(tx: Tx, *, token_digest: bytes, person_id: int, device_id: int) -> int:
    """The session of a phone; those that this phone had before end, so a session is never two people's."""
    await tx.run(DEVICE_SESSIONS_END, tx.now, device_id)
    tx.made_stale("people.sessions")
    return await open_session(
        tx,
        kind="resident",
        token_digest=token_digest,
        person_id=person_id,
        grant_id=None,
        device_id=device_id,
        name=None,
        expires_at=tx.now + RESIDENT_SESSION_LIFE,
    )


async def end_session(tx: Tx, *, session_id: int) -> None:
    await tx.run(END_SESSION, tx.now, session_id)
    tx.made_stale("people.sessions")


async def end_all_sessions(tx: Tx, *, person_id: int, kind: str = "staff", but_id: int = NO_SESSION) -> int:
    """End the sessions of one kind everywhere, except one if it is named; says how many."""
    ended = await tx.run(END_ALL, tx.now, person_id, kind, but_id)
    tx.made_stale("people.sessions")
    return ended


async def leave_phone(tx: Tx, *, session_id: int, device_id: int) -> None:
    """A resident signs out: this browser is nobody's again, until a new activation."""
    await tx.run(END_SESSION, tx.now, session_id)
    await tx.run(UNBIND_ONE, device_id)
    await tx.run(DEVICE_SESSIONS_END, tx.now, device_id)
    tx.made_stale("people.sessions")


# Devices


async def make_device(tx: Tx, *, token_digest: bytes) -> int:
    """A browser that is known by its cookie and is nobody's yet; the same cookie gets the same device."""
    for _ in range(HANDLE_TRIES):  # a random handle may be taken
        known = await tx.row(FIND_DEVICE, token_digest) or await tx.row(
            MAKE_DEVICE, token_digest, codes.new_handle(), tx.now
        )
        if known is not None:
            return int(known["id"])
    raise AssertionError("handles have run out, or the token of an ended device came back")


async def renew_device(tx: Tx, *, old_device: bytes | None, new_device: bytes) -> int:
    """The same browser under a new token, or a new browser; whoever planted or copied the old token loses it."""
    known = None if old_device is None else await tx.row(RENEW_DEVICE, new_device, old_device)
    return int(known["id"]) if known is not None else await make_device(tx, token_digest=new_device)


async def _bind(tx: Tx, device_id: int, person_id: int, how: str) -> None:
    bound = await tx.run(BIND, person_id, tx.now, device_id)
    assert bound == 1, "only a living device is bound"
    await tx.run(DEVICE_SESSIONS_END, tx.now, device_id)
    tx.made_stale("people.sessions")
    await trail.record(tx, "phone.bound", subject=("person", person_id), device_id=device_id, how=how)


async def unbind_phones(tx: Tx, *, person_id: int) -> int:
    """A phone was lost: its codes and sessions are dead at once; says how many phones there were."""
    unbound = await tx.run(UNBIND, person_id)
    await tx.run(END_ALL, tx.now, person_id, "resident", NO_SESSION)
    tx.made_stale("people.sessions")
    await trail.record(tx, "phone.unbound", subject=("person", person_id), phones=unbound)
    return unbound


# Activation


def activation_digest(token: str) -> bytes:
    """What to look for; a text that is no token looks for nothing that was ever stored."""
    return sealed.short_digest("activation", codes.activation_token(token) or "")


def typed_digest(digits: str) -> bytes:
    return sealed.short_digest("typed", digits)


async def activate(tx: Tx, *, activation: bytes, device_id: int) -> int:
    """Bind this phone to whom the slip's token (its digest) was given."""
    used = await tx.row(USE_SLIP, tx.now, activation, tx.now)
    if used is None:
        raise WrongActivation
    return await _activated(tx, used["person_id"], device_id)


async def activate_typed(tx: Tx, *, number: str, typed: bytes, device_id: int) -> int | None:
    """Bind this phone by member number and the slip's twelve digits; None when they do not fit.

    Not a refusal, because that would undo the counting of the try.
    """
    found = await _fitting(tx, number, typed)
    return None if found is None else await _activated(tx, found, device_id)


async def _fitting(tx: Tx, number: str, typed: bytes) -> int | None:
    """Use up the slip and say whose it is, or count a wrong try."""
    found = await tx.row(FIND_TYPED, number, tx.now)
    if found is None:
        return None
    if not hmac.compare_digest(bytes(found["typed_digest"]), typed):
        await tx.run(COUNT_WRONG, found["id"])
        return None
    used = await tx.row(USE_TYPED, tx.now, found["id"])
    return None if used is None else int(used["person_id"])


async def _activated(tx: Tx, person_id: int, device_id: int) -> int:
    canonical = await tx.row(CANONICAL, person_id)
    assert canonical is not None
    await _bind(tx, device_id, canonical["id"], "activation")
    return int(canonical["id"])


async def activate_browser(
    tx: Tx, *, activation: bytes, old_device: bytes | None, new_device: bytes, session_digest: bytes
) -> Opened:
    """What the button on the slip's page does: know the browser, bind it, sign in."""
    device_id = await renew_device(tx, old_device=old_device, new_device=new_device)
    person_id = await activate(tx, activation=activation, device_id=device_id)
    return Opened(
        person_id,
        await open_resident_session(tx, token_digest=session_digest, person_id=person_id, device_id=device_id),
    )


async def activate_browser_typed(
    tx: Tx, *, number: str, typed: bytes, old_device: bytes | None, new_device: bytes, session_digest: bytes
) -> Opened | None:
    """The same by typing; None, and nothing changed but the count of tries, when it does not fit.

    The browser's token is renewed only with success, or a slip of the finger would cost it its cookie.
    """
    found = await _fitting(tx, number, typed)
    if found is None:
        return None
    device_id = await renew_device(tx, old_device=old_device, new_device=new_device)
    person_id = await _activated(tx, found, device_id)
    return Opened(
        person_id,
        await open_resident_session(tx, token_digest=session_digest, person_id=person_id, device_id=device_id),
    )


# Pairing: the phone shows digits, staff who have the person before them type them


async def start_pairing(tx: Tx, *, old_device: bytes | None, new_device: bytes) -> int:
    """Have this browser show digits for ten minutes; earlier ones of it are dead."""
    device_id = await renew_device(tx, old_device=old_device, new_device=new_device)
    await tx.run(DROP_PAIRINGS, tx.now, device_id, tx.now)
    made = await tx.row(PAIR, device_id, b"", tx.now + PAIRING_LIFE)
    assert made is not None
    pairing_id = int(made["id"])
    await tx.run(SET_PAIRING, pairing_digest(sealed.pairing_digits(pairing_id)), pairing_id)
    return pairing_id


def pairing_digest(digits: str) -> bytes:
    return sealed.short_digest("pairing", digits)


async def finish_pairing(tx: Tx, *, digits: bytes, person_id: int) -> None:
    """Bind the phone that shows these digits (their digest) to a member who stands there."""
    person = await tx.row(STATE, person_id)
    if person is None or person["state"] != "member":
        raise StillProvisional
    found = await tx.rows(FIND_PAIRING, digits, tx.now)
    if len(found) != 1:  # two phones with the same digits: neither, they ask for new ones
        raise WrongPairing
    used = await tx.row(USE_PAIRING, tx.now, found[0]["id"])
    if used is None:
        raise WrongPairing
    await _bind(tx, used["device_id"], person_id, "pairing")


async def open_paired(tx: Tx, *, device_digest: bytes, session_digest: bytes) -> Opened:
    """Sign in the phone that staff have just paired; it proves itself by its own cookie."""
    paired = await tx.row(JUST_PAIRED, device_digest, tx.now - PAIRING_LIFE)
    if paired is None:
        raise NotPaired
    device_id, person_id = paired
    return Opened(
        person_id,
        await open_resident_session(tx, token_digest=session_digest, person_id=person_id, device_id=device_id),
    )
