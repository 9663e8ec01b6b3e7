"""Ask about an award, and answer. Nothing happens to its points by this alone."""

from collections.abc import Sequence

from pointsbank.awards.rules_questions import ANSWER_LETTERS_MAX, AlreadyAnswered, AlreadyAsked, Doubt, OwnQuestion
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people import queries as people
from pointsbank.trail import actions as trail

ASK = """
INSERT INTO awards_question (community_id, award_id, doubt, asked_by, asked_at)
SELECT community_id, id, ?, ?, ? FROM awards_award WHERE id = ?
ON CONFLICT (award_id) WHERE answered_at IS NULL DO NOTHING RETURNING id
"""
QUESTION = """
SELECT question.community_id, question.award_id, award.person_id
  FROM awards_question question JOIN awards_award award ON award.id = question.award_id WHERE question.id = ?
"""
ANSWER = """
UPDATE awards_question SET answer = ?, answered_by = ?, answered_at = ? WHERE id = ? AND answered_at IS NULL
"""


async def ask(tx: Tx, *, award_id: int, doubt: Doubt) -> int:
    """Ask about an award that the caller may see; one question at a time stands open."""
    made = await tx.row(ASK, doubt, tx.actor.person_id, tx.now, award_id)
    if made is None:
        raise AlreadyAsked
    await trail.record(tx, "award.questioned", subject=("award", award_id), doubt=doubt)
    return int(made["id"])


async def answer(tx: Tx, *, question_id: int, answer: str, community_ids: Sequence[int]) -> None:
    """Answer once; nobody answers their own household."""
    assert 0 < len(answer) <= ANSWER_LETTERS_MAX
    found = await tx.row(QUESTION, question_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    answered_by = tx.actor.person_id
    assert answered_by is not None
    if await people.same_household(tx, answered_by, found["person_id"]):
        raise OwnQuestion
    if await tx.run(ANSWER, answer, answered_by, tx.now, question_id) != 1:
        raise AlreadyAnswered
    await trail.record(tx, "award.answered", subject=("award", found["award_id"]))
