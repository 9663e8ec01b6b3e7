"""Sessions one by one: when they were used, ending one, and letting go of one phone."""

from collections.abc import Sequence
from datetime import datetime

from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people.actions_phones import DEVICE_SESSIONS_END, end_all_sessions
from pointsbank.trail import actions as trail

USED = "UPDATE people_session SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)"
LOGIN_USED = """
UPDATE people_login SET last_used_at = ?
 WHERE id = (SELECT person_id FROM people_session WHERE id = ? AND kind <> 'resident')
   AND (last_used_at IS NULL OR last_used_at < ?)
"""
END_ONE = """
UPDATE people_session SET ended_at = ?
 WHERE id = ? AND person_id = ? AND kind IN ('staff', 'token') AND ended_at IS NULL RETURNING kind
"""
LET_GO = """
UPDATE people_device SET person_id = NULL, bound_at = NULL
 WHERE id = ? AND person_id = ? AND bound_at IS NOT NULL AND ended_at IS NULL RETURNING id
"""


async def note_uses(tx: Tx, *, uses: Sequence[tuple[int, datetime]]) -> int:
    """Write down when sessions, and with them sign-ins, were last used; an earlier time changes nothing."""
    changed = 0
    for session_id, when in uses:
        changed += await tx.run(USED, when, session_id, when)
    for session_id, when in uses:
        await tx.run(LOGIN_USED, when, session_id, when)
    return changed


async def end_one(tx: Tx, *, session_id: int, person_id: int) -> None:
    """End one session or token of staff; it is dead from this commit on."""
    ended = await tx.row(END_ONE, tx.now, session_id, person_id)
    if ended is None:
        raise NotFound
    tx.made_stale("people.sessions")
    await trail.record(
        tx, "session.ended", subject=("person", person_id), session_id=session_id, kind=ended["kind"]
    )  # fmt: skip


async def end_everywhere(tx: Tx, *, person_id: int) -> None:
    """End all sessions of a colleague, and the tokens of his programs."""
    sessions = await end_all_sessions(tx, person_id=person_id)
    tokens = await end_all_sessions(tx, person_id=person_id, kind="token")
    await trail.record(tx, "session.all_ended", subject=("person", person_id), sessions=sessions, tokens=tokens)


async def let_go(tx: Tx, *, person_id: int, device_id: int) -> None:
    """Make one phone nobody's: its code and sessions are dead at once, the person's other phones go on."""
    if await tx.row(LET_GO, device_id, person_id) is None:
        raise NotFound
    await tx.run(DEVICE_SESSIONS_END, tx.now, device_id)
    tx.made_stale("people.sessions")
    await trail.record(tx, "phone.unbound", subject=("person", person_id), phones=1, device_id=device_id)
