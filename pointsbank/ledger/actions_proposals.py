"""Settings that make points, or let one person do more alone: somebody asks, another one agrees, and then they stand.

What only lowers, or is but words, stands at once.
"""

import msgspec

from pointsbank.approvals import actions as approvals
from pointsbank.approvals.rules import facts_hash
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_kinds, queries_flows, queries_kinds
from pointsbank.ledger import queries_proposals as queries
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.queries_proposals import Proposal
from pointsbank.ledger.rules_flows import ASKED, REFUSED, WITHDRAWN
from pointsbank.ledger.rules_kinds import KindMoved, Settings
from pointsbank.ledger.rules_proposals import (
    APPROVAL_KIND,
    DONE,
    ProposalAsked,
    ProposalMoved,
    needs_second,
    subject,
    without_base,
)
from pointsbank.people import actions_places
from pointsbank.trail import actions as trail

MAKE = """
INSERT INTO ledger_proposal (community_id, kind_id, was, settings, made_by, made_at, state)
VALUES (?, ?, ?, ?, ?, ?, 'asked') ON CONFLICT DO NOTHING RETURNING id
"""
ASK = "UPDATE ledger_proposal SET approval_id = ? WHERE id = ?"
STEP = "UPDATE ledger_proposal SET state = ? WHERE id = ? AND state = 'asked'"


async def make_kind(tx: Tx, *, community_id: int, code: str, settings: Settings) -> int | None:
    """Make a kind at once, but ask for its base points; returns the proposal, if there are any."""
    plain = without_base(settings)
    kind_id = await actions_kinds.make_kind(tx, community_id=community_id, code=code, settings=plain)
    if plain == settings:
        return None
    return await change_kind(tx, community_id=community_id, kind_id=kind_id, version=1, settings=settings)


async def change_kind(tx: Tx, *, community_id: int, kind_id: int, version: int, settings: Settings) -> int | None:
    """Settle a kind anew, as it was when `version` was read, or ask for it; returns the proposal, or None."""
    before = await queries_kinds.kind(community_id, kind_id, tx)
    said = {"community_id": community_id, "kind_id": kind_id}
    if before.version == version and not needs_second(before.settings, settings):
        await actions_kinds.change_kind(tx, **said, version=version, settings=settings)
        return None
    await actions_kinds.check_change(tx, **said, settings=settings)
    if before.version != version:
        raise KindMoved
    return await _ask(tx, community_id, msgspec.json.encode(settings).decode(), kind_id=kind_id, was=version)


async def set_alone_max(tx: Tx, *, community_id: int, points: int) -> int | None:
    """Up to how many points one person may reverse an entry: less at once, more is asked for."""
    now = await queries_flows.reversal_alone_max(tx, community_id)
    if points <= now:
        await _limit(tx, community_id, points)
        return None
    return await _ask(tx, community_id, str(points), kind_id=None, was=now)


async def _limit(tx: Tx, community_id: int, points: int) -> None:
    await actions_places.set_reversal_alone_max(tx, community_id=community_id, points=points)
    await change(tx, what="limit", row_id=community_id)


async def _ask(tx: Tx, community_id: int, settings: str, *, kind_id: int | None, was: int) -> int:
    made = await tx.row(MAKE, community_id, kind_id, was, settings, tx.actor.person_id, tx.now)
    if made is None:
        raise ProposalAsked
    proposal = await queries.proposal_in(tx, made["id"])
    approval_id = await approvals.ask(
        tx,
        community_id=community_id,
        kind=APPROVAL_KIND,
        subject=subject(proposal.id),
        facts_hash=facts_hash(proposal.facts),
        person_ids=[],  # what holds for everybody is nobody's own
        household_ids=[],
    )
    await tx.run(ASK, approval_id, proposal.id)
    await change(tx, what="proposal", row_id=proposal.id)
    await trail.record(tx, "proposal.made", subject=("proposal", proposal.id))
    return proposal.id


async def give(tx: Tx, *, proposal_id: int, seen: str) -> None:
    """Agree to it as it was seen: from now on it stands. Refuses ProposalStale."""
    proposal = await _waiting(tx, proposal_id)
    assert proposal.approval_id is not None
    await queries.check_same(tx, proposal)
    await approvals.give(tx, approval_id=proposal.approval_id, seen=seen)
    await approvals.use(
        tx, approval_id=proposal.approval_id, kind=APPROVAL_KIND, subject=subject(proposal_id),
        facts_hash=facts_hash(proposal.facts),
    )  # fmt: skip
    community_id = proposal.community_id
    if proposal.kind_id is None:
        await _limit(tx, community_id, proposal.alone_max)
    else:
        await actions_kinds.change_kind(
            tx, community_id=community_id, kind_id=proposal.kind_id, version=proposal.was, settings=proposal.of_kind
        )
    await _ended(tx, proposal_id, DONE)


async def refuse(tx: Tx, *, proposal_id: int, reason: str) -> None:
    proposal = await _waiting(tx, proposal_id)
    assert proposal.approval_id is not None
    await approvals.refuse(tx, approval_id=proposal.approval_id, reason=reason)
    await _ended(tx, proposal_id, REFUSED)


async def withdraw(tx: Tx, *, proposal_id: int) -> None:
    proposal = await _waiting(tx, proposal_id)
    assert proposal.approval_id is not None
    await approvals.withdraw(tx, approval_id=proposal.approval_id)
    await _ended(tx, proposal_id, WITHDRAWN)


async def _waiting(tx: Tx, proposal_id: int) -> Proposal:
    proposal = await queries.proposal_in(tx, proposal_id)
    if proposal.state != ASKED:
        raise ProposalMoved
    return proposal


async def _ended(tx: Tx, proposal_id: int, state: str) -> None:
    if await tx.run(STEP, state, proposal_id) != 1:
        raise ProposalMoved
    await change(tx, what="proposal", row_id=proposal_id)
    await trail.record(tx, f"proposal.{state}", subject=("proposal", proposal_id))
