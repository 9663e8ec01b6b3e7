"""Read what was asked about awards."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.awards.rules_questions import Doubt
from pointsbank.kit import db
from pointsbank.kit.db import Row
from pointsbank.kit.errors import NotFound
from pointsbank.people import queries as people

LISTED_MAX = 100

QUESTIONS = """
SELECT question.id, question.award_id, award.person_id, act.what, award.points, award.passbook_id, question.doubt,
       question.asked_at, question.answer, question.answered_at
  FROM awards_question question JOIN awards_award award ON award.id = question.award_id
  JOIN awards_act act ON act.id = award.act_id
"""
OF_AWARD = f"{QUESTIONS} WHERE question.award_id = ? ORDER BY question.id"
OPEN = f"{QUESTIONS} WHERE question.community_id = ? AND question.answered_at IS NULL ORDER BY question.id LIMIT ?"
BY_ID = f"{QUESTIONS} WHERE question.id = ? AND question.community_id = ?"


class Question(msgspec.Struct, frozen=True):
    """`points` are in the smallest unit of the passbook's kind; `answer` is empty while it is open."""

    id: int
    award_id: int
    masked_name: str
    what: str
    points: int
    passbook_id: int
    doubt: Doubt
    asked_at: datetime
    answer: str
    answered_at: datetime | None


async def of_award(award_id: int) -> list[Question]:
    return await _questions(await db.rows(OF_AWARD, award_id))


async def open_questions(community_ids: Sequence[int]) -> list[Question]:
    """Those that wait for an answer, the oldest first."""
    found = [row for one in community_ids for row in await db.rows(OPEN, one, LISTED_MAX)]
    return await _questions(found)


async def question(community_ids: Sequence[int], question_id: int) -> Question:
    """Return a question of one of these communities; another's is not found."""
    for one in community_ids:
        if found := await db.rows(BY_ID, question_id, one):
            return (await _questions(found))[0]
    raise NotFound


async def _questions(found: Sequence[Row]) -> list[Question]:
    names = await people.masked_names(row["person_id"] for row in found)
    return [
        Question(
            id=row["id"],
            award_id=row["award_id"],
            masked_name=names[row["person_id"]],
            what=row["what"],
            points=row["points"],
            passbook_id=row["passbook_id"],
            doubt=Doubt(row["doubt"]),
            asked_at=row["asked_at"],
            answer=row["answer"],
            answered_at=row["answered_at"],
        )
        for row in found
    ]
