"""Whose hands an award went through: none of them takes its next step, and nobody who may have signed in as one."""

from collections.abc import Sequence

from pointsbank.approvals import queries as approvals
from pointsbank.awards.rules import SameReviewer
from pointsbank.kit.db import Tx

# Who wrote the act down has had a hand in it, whether or not that was a step of the chain.
HANDS = """
SELECT reviewed_by FROM awards_review WHERE award_id = ? AND reviewed_by IS NOT NULL
 UNION SELECT act.recorded_by FROM awards_award award JOIN awards_act act ON act.id = award.act_id
        WHERE award.id = ? AND act.recorded_by IS NOT NULL
"""


async def check_reviewer(tx: Tx, *, award_id: int, reviewer_id: int, known: set[int]) -> None:
    """Refuses SameReviewer and Dependent; `known` are those of whom this reviewer is independent, and grows."""
    hands = await _hands(tx, award_id)
    if reviewer_id in hands:
        raise SameReviewer
    for hand in sorted(hands - known):
        dependent = await approvals.dependent(tx, hand, reviewer_id)
        if dependent is not None:
            raise dependent
        known.add(hand)


async def independent(tx: Tx, *, award_id: int, person_ids: Sequence[int]) -> list[int]:
    """Those of these who are independent of all whose hands the award went through."""
    return await approvals.independent(tx, maker_ids=sorted(await _hands(tx, award_id)), person_ids=person_ids)


async def _hands(tx: Tx, award_id: int) -> set[int]:
    return {person_id for (person_id,) in await tx.rows(HANDS, award_id, award_id)}
