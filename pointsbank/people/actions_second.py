"""The second step of a sign-in: a code from the phone. Set up, used, given up, taken off by a colleague, required."""

from pointsbank.kit import totp
from pointsbank.kit.db import Tx
from pointsbank.people import sealed
from pointsbank.people.actions_phones import end_all_sessions
from pointsbank.people.actions_staff import SignedIn, open_signed_in
from pointsbank.people.rules import OwnRoles, SignInFailed, UnknownLogin
from pointsbank.people.rules_staff import (
    CODE_BLOCK,
    CODE_FAILURES_MAX,
    PENDING_LIFE,
    NoSecondStep,
    NothingToConfirm,
    SecondStepIsOn,
    WrongCode,
)
from pointsbank.trail import actions as trail

# A secret that was confirmed is not replaced: it is given up first, by its own code or by a colleague.
BEGIN = """
INSERT INTO people_second_step (id, secret, last_step, failures, made_at) VALUES (?, ?, 0, 0, ?)
ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, made_at = excluded.made_at
 WHERE people_second_step.confirmed_at IS NULL
"""
PENDING = "SELECT secret FROM people_second_step WHERE id = ? AND confirmed_at IS NULL AND made_at > ?"
CONFIRM = """
UPDATE people_second_step SET confirmed_at = ?, last_step = ?, failures = 0, blocked_until = NULL
 WHERE id = ? AND confirmed_at IS NULL
"""
# The try is counted before it is looked at, so of guesses made at once none goes uncounted. A block that is over
# starts the count afresh.
TRY = """
UPDATE people_second_step
   SET failures = CASE WHEN blocked_until <= ? THEN 1 ELSE failures + 1 END,
       blocked_until = CASE WHEN blocked_until IS NULL AND failures + 1 >= ? THEN ?
                            WHEN blocked_until IS NOT NULL THEN NULL ELSE blocked_until END
 WHERE id = ? AND confirmed_at IS NOT NULL AND (blocked_until IS NULL OR blocked_until <= ?)
RETURNING secret, last_step, blocked_until
"""
RIGHT = "UPDATE people_second_step SET failures = 0, blocked_until = NULL, last_step = ? WHERE id = ? AND last_step < ?"
TAKE_OFF = "DELETE FROM people_second_step WHERE id = ?"
CONFIRMED = "SELECT 1 FROM people_second_step WHERE id = ? AND confirmed_at IS NOT NULL"
STILL = """
SELECT must_change FROM people_login
 WHERE id = ? AND password_hash = ? AND disabled_at IS NULL AND (blocked_until IS NULL OR blocked_until <= ?)
"""
LOGIN = "SELECT id FROM people_login WHERE login = ?"
REQUIRE = "UPDATE people_community SET second_step_required = ? WHERE id = ? AND second_step_required <> ?"


async def sign_in(
    tx: Tx, *, person_id: int, password_hash: str, code: str, token_digest: bytes, left_digest: bytes | None = None
) -> SignedIn | None:
    """The second page of signing in; None for a wrong code, which is counted and so must not be rolled back."""
    still = await tx.row(STILL, person_id, password_hash, tx.now)
    if still is None:
        raise SignInFailed
    if not await take_code(tx, person_id=person_id, code=code):
        return None
    return await open_signed_in(
        tx,
        person_id=person_id,
        must_change=bool(still["must_change"]),
        token_digest=token_digest,
        left_digest=left_digest,
    )


async def take_code(tx: Tx, *, person_id: int, code: str) -> bool:
    """Use up a code, or count a wrong try; the fifth in a row blocks for a while."""
    tried = await tx.row(TRY, tx.now, CODE_FAILURES_MAX, tx.now + CODE_BLOCK, person_id, tx.now)
    if tried is None:
        return False
    secret = sealed.second_secret(person_id, bytes(tried["secret"]))
    step = totp.matching_step(secret, code, tx.now, tried["last_step"])
    if step is None:
        if tried["blocked_until"] is not None:
            await trail.record(tx, "second_step.blocked", subject=("person", person_id))
        return False
    return await tx.run(RIGHT, step, person_id, step) == 1


async def begin(tx: Tx, *, person_id: int, secret: bytes) -> None:
    """Keep a sealed secret that does not count until a code of it was typed; an earlier one of these is void."""
    if await tx.run(BEGIN, person_id, secret, tx.now) == 0:
        raise SecondStepIsOn


async def confirm(tx: Tx, *, person_id: int, code: str, session_id: int) -> None:
    """From now on every sign-in asks for a code; the other sessions of the login end."""
    pending = await tx.row(PENDING, person_id, tx.now - PENDING_LIFE)
    if pending is None:
        raise NothingToConfirm
    step = totp.matching_step(sealed.second_secret(person_id, bytes(pending["secret"])), code, tx.now, 0)
    if step is None:
        raise WrongCode
    await tx.run(CONFIRM, tx.now, step, person_id)
    await end_all_sessions(tx, person_id=person_id, but_id=session_id)
    await trail.record(tx, "second_step.on", subject=("person", person_id))


async def give_up(tx: Tx, *, person_id: int, code: str) -> bool:
    """End one's own second step by a code of it, for another phone or for good; False for a wrong code."""
    if not await take_code(tx, person_id=person_id, code=code):
        return False
    await _end(tx, person_id)
    await trail.record(tx, "second_step.off", subject=("person", person_id))
    return True


async def take_off(tx: Tx, *, person_id: int) -> None:
    """A colleague whose phone is gone signs in without a code again. The actor and he both stand in the trail."""
    if tx.actor.person_id == person_id:
        raise OwnRoles
    if await tx.row(CONFIRMED, person_id) is None:
        raise NoSecondStep
    await _end(tx, person_id)
    await end_all_sessions(tx, person_id=person_id)
    await trail.record(tx, "second_step.taken_off", subject=("person", person_id))


async def take_off_by_login(tx: Tx, *, login: str) -> None:
    """For the command line on the machine itself, where the only admin has no colleague."""
    found = await tx.row(LOGIN, login)
    if found is None:
        raise UnknownLogin
    await take_off(tx, person_id=found["id"])


async def _end(tx: Tx, person_id: int) -> None:
    await tx.run(TAKE_OFF, person_id)
    tx.made_stale("people.sessions")  # whoever has none may have to set one up


async def require(tx: Tx, *, community_id: int, required: bool) -> None:
    """Whether everybody with a role in this community must have a second step, those of its street included."""
    if await tx.run(REQUIRE, required, community_id, required) == 0:
        return
    tx.made_stale("people.sessions")
    verb = "second_step.required" if required else "second_step.not_required"
    await trail.record(tx, verb, subject=("community", community_id))
