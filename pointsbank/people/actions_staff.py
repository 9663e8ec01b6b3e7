"""Sign-ins and roles of staff, and the tokens of their programs."""

from datetime import datetime, timedelta

import msgspec

from pointsbank.kit.db import Tx
from pointsbank.kit.errors import Forbidden
from pointsbank.people.actions_phones import NO_SESSION, end_all_sessions, open_session
from pointsbank.people.rules import (
    LOGIN_BLOCK,
    LOGIN_FAILURES_MAX,
    STAFF_SESSION_LIFE,
    TOKEN_DAYS_MAX,
    LoginTaken,
    NoRole,
    OwnRoles,
    RoleHeld,
    RoleUnfit,
    SeveralRoles,
    SignInFailed,
    StillProvisional,
    UnknownLogin,
)
from pointsbank.people.rules_roles import GRANTED_AT, Role
from pointsbank.people.rules_staff import CounterAndCards, idle_minutes, may_be_together
from pointsbank.trail import actions as trail

MAKE_LOGIN = """
INSERT INTO people_login (id, login, password_hash, must_change, failures, made_at) VALUES (?, ?, ?, ?, 0, ?)
ON CONFLICT DO NOTHING
"""
MEMBER = "SELECT id FROM people_person WHERE id = ? AND state = 'member'"
# A block that is over starts the count afresh.
COUNT_FAILURE = """
UPDATE people_login
   SET failures = CASE WHEN blocked_until <= ? THEN 1 ELSE failures + 1 END,
       blocked_until = CASE WHEN blocked_until IS NULL AND failures + 1 >= ? THEN ?
                            WHEN blocked_until <= ? THEN NULL ELSE blocked_until END
 WHERE id = ?
"""
CLEAR_FAILURES = """
UPDATE people_login SET failures = 0, blocked_until = NULL
 WHERE id = ? AND password_hash = ? AND disabled_at IS NULL AND (blocked_until IS NULL OR blocked_until <= ?)
RETURNING must_change
"""
GRANTS = """
SELECT g.id, g.role FROM people_role_grant g WHERE g.person_id = ? AND g.ended_at IS NULL ORDER BY g.id
"""
HAS_SECOND_STEP = "SELECT 1 FROM people_second_step WHERE id = ? AND confirmed_at IS NOT NULL"
LEFT = """
UPDATE people_session SET ended_at = COALESCE(ended_at, ?)
 WHERE token_digest = ? AND kind = 'staff' RETURNING person_id, grant_id
"""
SIGNED_IN = "UPDATE people_login SET signed_in_at = ? WHERE id = ?"
LACKS_SECOND_STEP = """
SELECT 1 FROM people_role_grant g
  JOIN people_place r ON r.id = g.place_id
  JOIN people_place p ON p.path LIKE r.path || '%'
  JOIN people_community c ON c.id = p.id
 WHERE g.id = ? AND c.second_step_required
   AND NOT EXISTS (SELECT 1 FROM people_second_step t WHERE t.id = g.person_id AND t.confirmed_at IS NOT NULL) LIMIT 1
"""
LEAVE = "UPDATE people_session SET ended_at = ? WHERE id = ? AND ended_at IS NULL RETURNING expires_at"
OWN_GRANT = "SELECT id, role FROM people_role_grant WHERE id = ? AND person_id = ? AND ended_at IS NULL"
SET_HASH = "UPDATE people_login SET password_hash = ?, must_change = ?, failures = 0, blocked_until = NULL WHERE id = ?"
NOTE_RESET = "UPDATE people_login SET reset_at = ?, reset_by = ? WHERE id = ?"
ENABLE = "UPDATE people_login SET disabled_at = NULL WHERE id = ?"
DISABLE = "UPDATE people_login SET disabled_at = ? WHERE id = ? AND disabled_at IS NULL"
LOGIN = "SELECT id FROM people_login WHERE login = ? AND disabled_at IS NULL"
PLACE_KIND = "SELECT kind FROM people_place WHERE id = ?"
HOLD_PERSON = "UPDATE people_person SET state = state WHERE id = ?"
HELD_THERE = "SELECT role FROM people_role_grant WHERE person_id = ? AND place_id = ? AND ended_at IS NULL"
GRANT = """
INSERT INTO people_role_grant (person_id, role, place_id, granted_by, granted_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (person_id, role, place_id) WHERE ended_at IS NULL DO NOTHING RETURNING id
"""
END_GRANT = (
    "UPDATE people_role_grant SET ended_at = ? WHERE id = ? AND ended_at IS NULL RETURNING person_id, role, place_id"
)
GRANT_PERSON = "SELECT person_id FROM people_role_grant WHERE id = ?"
END_GRANT_SESSIONS = "UPDATE people_session SET ended_at = ? WHERE grant_id = ? AND ended_at IS NULL"
GRANTS_IN_ROLE = """
SELECT id FROM people_role_grant WHERE person_id = ? AND ended_at IS NULL AND (? = '' OR role = ?) ORDER BY id
"""
REVOKE = (
    "UPDATE people_session SET ended_at = ? WHERE id = ? AND kind = 'token' AND ended_at IS NULL RETURNING person_id"
)


class SignedIn(msgspec.Struct, frozen=True):
    """What comes next: a code from the phone (no session yet), a role, an own password, a second step."""

    session_id: int
    has_role: bool
    must_change: bool
    needs_code: bool = False
    must_enrol: bool = False


async def make_login(tx: Tx, *, person_id: int, login: str, password_hash: str, must_change: bool) -> None:
    """Let a roster person sign in; what for, the roles say. `login` comes in its one normal form."""
    _not_own(tx, person_id)
    await _check_member(tx, person_id)
    if await tx.run(MAKE_LOGIN, person_id, login, password_hash, must_change, tx.now) == 0:
        raise LoginTaken
    await trail.record(tx, "login.made", subject=("person", person_id))


async def count_failure(tx: Tx, *, person_id: int) -> None:
    """A wrong password; the fifth in a row blocks the login for a while."""
    await tx.run(COUNT_FAILURE, tx.now, LOGIN_FAILURES_MAX, tx.now + LOGIN_BLOCK, tx.now, person_id)


async def sign_in(
    tx: Tx, *, person_id: int, password_hash: str, token_digest: bytes, left_digest: bytes | None = None
) -> SignedIn:
    """Open a session after the password was found to fit this very hash; with a second step, only the way to it.

    Blocks and changes are looked at again here, since the check itself takes a while.
    """
    passed = await tx.row(CLEAR_FAILURES, person_id, password_hash, tx.now)
    if passed is None:
        raise SignInFailed
    if await tx.row(HAS_SECOND_STEP, person_id) is not None:
        return SignedIn(NO_SESSION, has_role=False, must_change=False, needs_code=True)
    return await open_signed_in(
        tx,
        person_id=person_id,
        must_change=bool(passed["must_change"]),
        token_digest=token_digest,
        left_digest=left_digest,
    )


async def open_signed_in(
    tx: Tx, *, person_id: int, must_change: bool, token_digest: bytes, left_digest: bytes | None
) -> SignedIn:
    """Open a session for somebody who has proved who it is; its one role is in it, of several one is chosen.

    The session that the browser had until now ends. Whoever comes back to his own goes on in the role of it.
    """
    left = None if left_digest is None else await tx.row(LEFT, tx.now, left_digest)
    if left is not None:
        tx.made_stale("people.sessions")
    roles = {int(one["id"]): Role(one["role"]) for one in await tx.rows(GRANTS, person_id)}
    if not roles:
        raise NoRole
    grant_id = next(iter(roles)) if len(roles) == 1 else None
    if left is not None and left["person_id"] == person_id and left["grant_id"] in roles:
        grant_id = int(left["grant_id"])
    role = None if grant_id is None else roles[grant_id]
    session_id = await _open_staff_session(
        tx, person_id, grant_id, role, token_digest=token_digest, expires_at=tx.now + STAFF_SESSION_LIFE
    )
    await tx.run(SIGNED_IN, tx.now, person_id)
    await trail.record(tx, "login.used", subject=("person", person_id))
    must_enrol = grant_id is not None and await tx.row(LACKS_SECOND_STEP, grant_id) is not None
    return SignedIn(session_id, grant_id is not None, must_change, must_enrol=must_enrol)


async def choose_role(tx: Tx, *, session_id: int, person_id: int, grant_id: int, token_digest: bytes) -> int:
    """Go on in another role: the session ends and one under a new token takes its place, for as long as it had left."""
    chosen = await tx.row(OWN_GRANT, grant_id, person_id)
    if chosen is None:
        raise RoleUnfit
    left = await tx.row(LEAVE, tx.now, session_id)
    if left is None:  # signed out everywhere in the same moment
        raise Forbidden
    tx.made_stale("people.sessions")
    return await _open_staff_session(
        tx, person_id, grant_id, Role(chosen["role"]), token_digest=token_digest, expires_at=left["expires_at"]
    )


async def _open_staff_session(
    tx: Tx, person_id: int, grant_id: int | None, role: Role | None, *, token_digest: bytes, expires_at: datetime
) -> int:
    return await open_session(
        tx,
        kind="staff",
        token_digest=token_digest,
        person_id=person_id,
        grant_id=grant_id,
        device_id=None,
        name=None,
        expires_at=expires_at,
        idle_minutes=idle_minutes(role),
    )


async def change_password(tx: Tx, *, person_id: int, password_hash: str, session_id: int) -> None:
    """Set one's own password; every other session of the login ends."""
    await tx.run(SET_HASH, password_hash, False, person_id)
    await end_all_sessions(tx, person_id=person_id, but_id=session_id)
    await trail.record(tx, "login.password_changed", subject=("person", person_id))


async def reset_password(tx: Tx, *, person_id: int, password_hash: str) -> None:
    """Another admin sets a password for one use; a disabled login is open again.

    He learns the password, so it is the one thing that he may do to a colleague: a second step stays as it is, the
    colleague is told at the next sign-in, and whoever watches hears of it.
    """
    _not_own(tx, person_id)
    if await tx.run(SET_HASH, password_hash, True, person_id) == 0:
        raise UnknownLogin
    await tx.run(ENABLE, person_id)
    await tx.run(NOTE_RESET, tx.now, tx.actor.person_id, person_id)
    await end_all_sessions(tx, person_id=person_id)
    await trail.record(tx, "login.password_reset", subject=("person", person_id))


async def disable_login(tx: Tx, *, person_id: int) -> None:
    """Shut a login: its sessions and tokens are dead from this commit on."""
    _not_own(tx, person_id)
    if await tx.run(DISABLE, tx.now, person_id) == 0:
        raise UnknownLogin
    await end_all_sessions(tx, person_id=person_id)
    await end_all_sessions(tx, person_id=person_id, kind="token")
    await trail.record(tx, "login.disabled", subject=("person", person_id))


async def grant(tx: Tx, *, person_id: int, role: str, place_id: int) -> int:
    """Give a role at a place; which places a grantor may grant at, the route decides by his session."""
    _not_own(tx, person_id)
    await _check_member(tx, person_id)
    place = await tx.row(PLACE_KIND, place_id)
    if place is None or place["kind"] not in GRANTED_AT[Role(role)]:
        raise RoleUnfit
    # Held, so that of two grants at once the later one sees the earlier.
    await tx.run(HOLD_PERSON, person_id)
    held = frozenset(Role(one["role"]) for one in await tx.rows(HELD_THERE, person_id, place_id))
    if not may_be_together(Role(role), held):
        raise CounterAndCards
    made = await tx.row(GRANT, person_id, role, place_id, tx.actor.person_id, tx.now)
    if made is None:
        raise RoleHeld
    await trail.record(tx, "role.granted", subject=("person", person_id), role=role, place_id=place_id)
    return int(made["id"])


async def end_grant(tx: Tx, *, grant_id: int) -> None:
    """Take a role back; sessions and tokens in this role are dead at once."""
    held = await tx.row(GRANT_PERSON, grant_id)
    if held is None:
        raise RoleUnfit
    _not_own(tx, held["person_id"])
    await _end_grant(tx, grant_id)


async def _end_grant(tx: Tx, grant_id: int) -> None:
    ended = await tx.row(END_GRANT, tx.now, grant_id)
    if ended is None:
        return
    await tx.run(END_GRANT_SESSIONS, tx.now, grant_id)
    tx.made_stale("people.sessions")
    person_id, role, place_id = ended
    await trail.record(tx, "role.ended", subject=("person", person_id), role=role, place_id=place_id)


async def end_work(tx: Tx, *, person_id: int) -> int:
    """Somebody leaves: every role ends, the login is shut, sessions and tokens are dead; says how many roles."""
    _not_own(tx, person_id)
    await tx.run(HOLD_PERSON, person_id)
    grants = await tx.rows(GRANTS, person_id)
    for one in grants:
        await _end_grant(tx, one["id"])
    if await tx.run(DISABLE, tx.now, person_id) == 1:
        await trail.record(tx, "login.disabled", subject=("person", person_id))
    await end_all_sessions(tx, person_id=person_id)
    await end_all_sessions(tx, person_id=person_id, kind="token")
    return len(grants)


async def issue_token(tx: Tx, *, login: str, name: str, token_digest: bytes, days: int, role: str | None = None) -> int:
    """Open a session for a program, in the login's one role or in the one that is named."""
    assert 0 < days <= TOKEN_DAYS_MAX
    found = await tx.row(LOGIN, login)
    if found is None:
        raise UnknownLogin
    grants = await tx.rows(GRANTS_IN_ROLE, found["id"], role or "", role or "")
    if len(grants) != 1:
        raise SeveralRoles if grants else NoRole
    session_id = await open_session(
        tx,
        kind="token",
        token_digest=token_digest,
        person_id=found["id"],
        grant_id=grants[0]["id"],
        device_id=None,
        name=name,
        expires_at=tx.now + timedelta(days=days),
    )
    await trail.record(tx, "token.issued", subject=("person", found["id"]), session_id=session_id, days=days)
    return session_id


async def revoke_token(tx: Tx, *, session_id: int) -> bool:
    """Say whether there was such a living token."""
    revoked = await tx.row(REVOKE, tx.now, session_id)
    if revoked is None:
        return False
    tx.made_stale("people.sessions")
    await trail.record(tx, "token.revoked", subject=("person", revoked["person_id"]), session_id=session_id)
    return True


async def _check_member(tx: Tx, person_id: int) -> None:
    if await tx.row(MEMBER, person_id) is None:
        raise StillProvisional


def _not_own(tx: Tx, person_id: int) -> None:
    """The command line acts for nobody, so it may set up the first admin."""
    if tx.actor.person_id == person_id:
        raise OwnRoles
