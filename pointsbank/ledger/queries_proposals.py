"""Read what waits for a second person before it stands, and what it would book."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_flows, queries_kinds
from pointsbank.ledger.queries_kinds import BookKind
from pointsbank.ledger.rules_kinds import Settings
from pointsbank.ledger.rules_proposals import ProposalStale

PROPOSALS = """
SELECT id, community_id, kind_id, was, settings, made_by, made_at, state, approval_id FROM ledger_proposal
"""
HOLDERS = {
    "person": "SELECT COUNT(*) FROM people_person WHERE community_id = ? AND state = 'member' AND merged_into IS NULL",
    "household": """
SELECT COUNT(DISTINCT household_id) FROM people_person WHERE community_id = ? AND state = 'member'
""",
}


class Proposal(msgspec.Struct, frozen=True):
    """Settings of a kind as somebody wants them, or (without a kind) what one person may do alone."""

    id: int
    community_id: int
    kind_id: int | None
    was: int
    settings: str
    made_by: int
    made_at: datetime
    state: str
    approval_id: int | None

    @property
    def facts(self) -> list[Any]:
        """All that a second person is asked to confirm."""
        return [self.id, self.community_id, self.kind_id, self.was, self.settings]

    @property
    def of_kind(self) -> Settings:
        return msgspec.json.decode(self.settings, type=Settings)

    @property
    def alone_max(self) -> int:
        return msgspec.json.decode(self.settings, type=int)


async def proposal_in(tx: Tx, proposal_id: int) -> Proposal:
    return _proposal(await tx.row(f"{PROPOSALS} WHERE id = ?", proposal_id))


async def proposal(community_ids: Sequence[int], proposal_id: int) -> Proposal:
    found = _proposal(await db.row(f"{PROPOSALS} WHERE id = ?", proposal_id))
    if found.community_id not in community_ids:
        raise NotFound
    return found


def _proposal(found: Row | None) -> Proposal:
    if found is None:
        raise NotFound
    return Proposal(*found)


async def asked(community_id: int) -> list[Proposal]:
    """What waits for a second person."""
    found = await db.rows(f"{PROPOSALS} WHERE community_id = ? AND state = 'asked' ORDER BY id", community_id)
    return [Proposal(*one) for one in found]


async def check_same(tx: Tx, of: Proposal) -> None:
    """Refuses ProposalStale where what it would change is no longer as whoever asked saw it."""
    if of.kind_id is None:
        now = await queries_flows.reversal_alone_max(tx, of.community_id)
    else:
        now = (await queries_kinds.kind(of.community_id, of.kind_id, tx)).version
    if now != of.was:
        raise ProposalStale


async def kind_of(of: Proposal) -> BookKind:
    """The kind as it is now."""
    assert of.kind_id is not None
    return await queries_kinds.kind(of.community_id, of.kind_id)


async def holders(community_id: int, holder: str) -> int:
    """How many passbooks base points come to, opened by then or not."""
    found = await db.row(HOLDERS[holder], community_id)
    assert found is not None
    return int(found[0])
