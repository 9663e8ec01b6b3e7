"""Read approvals, and whether somebody may decide on one."""

from datetime import datetime

import msgspec

from pointsbank.approvals.rules import NotGiven, Subject, Unfit
from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.people import queries as people

APPROVAL = """
SELECT id, community_id, kind, subject_room, subject_kind, subject_id, maker_id, facts_hash, state, asked_at,
       checker_id, decided_at, reason, used_at
  FROM approvals_approval WHERE id = ?
"""
GAINS = "SELECT 1 FROM approvals_beneficiary WHERE approval_id = ? AND (household_id = ? OR person_id IN"
USED_NOW = "SELECT 1 FROM approvals_approval WHERE id = ? AND kind = ? AND state = 'used' AND used_at = ?"
USED_FOR = """
SELECT 1 FROM approvals_approval
 WHERE id = ? AND kind = ? AND subject_room = ? AND subject_kind = ? AND subject_id = ? AND state = 'used'
"""


class Approval(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    kind: str
    subject_room: str
    subject_kind: str
    subject_id: int
    maker_id: int
    facts_hash: str
    state: str
    asked_at: datetime
    checker_id: int | None
    decided_at: datetime | None
    reason: str
    used_at: datetime | None


async def _row(tx: Tx | None, sql: str, *values: object) -> Row | None:
    return await (db.row(sql, *values) if tx is None else tx.row(sql, *values))


async def approval(tx: Tx | None, approval_id: int) -> Approval:
    found = await _row(tx, APPROVAL, approval_id)
    assert found is not None
    return Approval(*found)


async def unfit(tx: Tx | None, approval_id: int, person_id: int) -> Unfit | None:
    """Why this person cannot decide on it; None for whoever can."""
    asked = await approval(tx, approval_id)
    if asked.maker_id in await people.ids_of(tx, person_id):
        return Unfit.MAKER
    home = await people.home_of(tx, person_id)
    marks = ", ".join("?" * len(home.person_ids))
    gains = await _row(tx, f"{GAINS} ({marks}))", approval_id, home.household_id, *home.person_ids)
    return None if gains is None else Unfit.BENEFICIARY


async def require_used(tx: Tx, *, approval_id: int, kind: str, subject: Subject) -> None:
    """Refuse NotGiven unless this approval was given for this subject and used for it."""
    if await tx.row(USED_FOR, approval_id, kind, subject.room, subject.kind, subject.id) is None:
        raise NotGiven


async def require_used_now(tx: Tx, *, approval_id: int, kind: str) -> None:
    """Refuse NotGiven unless this approval was used up in this very transaction, for several rows of one subject."""
    if await tx.row(USED_NOW, approval_id, kind, tx.now) is None:
        raise NotGiven
