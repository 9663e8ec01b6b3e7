"""Ask for a second pair of eyes, give or refuse it, use it. Each step is one guarded UPDATE."""

from collections.abc import Iterable

from pointsbank.approvals import queries
from pointsbank.approvals.rules import (
    REASON_LETTERS_MAX,
    AlreadyDecided,
    FactsChanged,
    NotGiven,
    NotTheMaker,
    RoleEnded,
    Subject,
)
from pointsbank.kit.db import Tx
from pointsbank.people import queries as people
from pointsbank.trail import actions as trail

ASK = """
INSERT INTO approvals_approval (community_id, kind, subject_room, subject_kind, subject_id, maker_id, facts_hash, state,
                                asked_at, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, '') RETURNING id
"""
GAINS = "INSERT INTO approvals_beneficiary (approval_id, person_id, household_id) VALUES (?, ?, ?)"
GIVE = """
UPDATE approvals_approval SET state = 'given', checker_id = ?, decided_at = ?
 WHERE id = ? AND state = 'open' AND facts_hash = ?
"""
REFUSE = """
UPDATE approvals_approval SET state = 'refused', checker_id = ?, decided_at = ?, reason = ?
 WHERE id = ? AND state = 'open'
"""
WITHDRAW = "UPDATE approvals_approval SET state = 'withdrawn', decided_at = ? WHERE id = ? AND state = 'open'"
USE = """
UPDATE approvals_approval SET state = 'used', used_at = ?
 WHERE id = ? AND state = 'given' AND kind = ? AND subject_room = ? AND subject_kind = ? AND subject_id = ?
   AND facts_hash = ?
"""


async def ask(
    tx: Tx,
    *,
    community_id: int,
    kind: str,
    subject: Subject,
    facts_hash: str,
    person_ids: Iterable[int],
    household_ids: Iterable[int],
) -> int:
    """Ask for a second person; the ids are of whoever gains. Returns the approval."""
    maker_id = tx.actor.person_id
    assert maker_id is not None
    asked = await tx.row(
        ASK, community_id, kind, subject.room, subject.kind, subject.id, maker_id, facts_hash, tx.now
    )  # fmt: skip
    assert asked is not None
    approval_id = int(asked["id"])
    for person_id in sorted(set(person_ids)):
        await tx.run(GAINS, approval_id, person_id, None)
    for household_id in sorted(set(household_ids)):
        await tx.run(GAINS, approval_id, None, household_id)
    await trail.record(tx, "approval.asked", subject=("approval", approval_id), kind=kind, of=subject.id)
    return approval_id


async def _checker(tx: Tx, approval_id: int) -> int:
    """Who decides; refuses whoever may not, and whoever lost the role after the request came in."""
    checker_id = tx.actor.person_id
    assert checker_id is not None
    if tx.actor.session_id is None or not await people.session_stands(tx, tx.actor.session_id):
        raise RoleEnded
    unfit = await queries.unfit(tx, approval_id, checker_id)
    if unfit is not None:
        raise unfit
    return checker_id


async def give(tx: Tx, *, approval_id: int, seen: str) -> None:
    """Agree; `seen` is the hash of the facts on the checker's screen."""
    checker_id = await _checker(tx, approval_id)
    if await tx.run(GIVE, checker_id, tx.now, approval_id, seen) != 1:
        is_open = (await queries.approval(tx, approval_id)).state == "open"
        raise FactsChanged if is_open else AlreadyDecided
    await trail.record(tx, "approval.given", subject=("approval", approval_id))


async def refuse(tx: Tx, *, approval_id: int, reason: str) -> None:
    assert 0 < len(reason) <= REASON_LETTERS_MAX
    checker_id = await _checker(tx, approval_id)
    if await tx.run(REFUSE, checker_id, tx.now, reason, approval_id) != 1:
        raise AlreadyDecided
    await trail.record(tx, "approval.refused", subject=("approval", approval_id))


async def withdraw(tx: Tx, *, approval_id: int) -> None:
    """The maker takes it back while nobody has decided."""
    assert tx.actor.person_id is not None
    asked = await queries.approval(tx, approval_id)
    if asked.maker_id not in await people.ids_of(tx, tx.actor.person_id):
        raise NotTheMaker
    if await tx.run(WITHDRAW, tx.now, approval_id) != 1:
        raise AlreadyDecided
    await trail.record(tx, "approval.withdrawn", subject=("approval", approval_id))


async def end(tx: Tx, *, approval_id: int) -> None:
    """What was asked about is no more: nobody decides it."""
    if await tx.run(WITHDRAW, tx.now, approval_id) == 1:
        await trail.record(tx, "approval.ended", subject=("approval", approval_id))


async def use(tx: Tx, *, approval_id: int, kind: str, subject: Subject, facts_hash: str) -> None:
    """Use an approval up, in the transaction that does what it was asked for; `facts_hash` is of the facts as they are.

    Refuses NotGiven, and FactsChanged where it was given for other facts.
    """
    if await tx.run(USE, tx.now, approval_id, kind, subject.room, subject.kind, subject.id, facts_hash) != 1:
        asked = await queries.approval(tx, approval_id)
        raise FactsChanged if asked.state == "given" and asked.facts_hash != facts_hash else NotGiven
    await trail.record(tx, "approval.used", subject=("approval", approval_id))
