"""Residents ask about an award, and are answered."""

from ._lib import HandWritten, forbid, sql
from ._state_0029_questions import STATE

QUESTION = """
CREATE TABLE awards_question (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  award_id BIGINT NOT NULL REFERENCES awards_award(id),
  doubt TEXT NOT NULL CHECK (doubt IN ('unclear', 'minutes', 'quantity', 'points', 'not_mine', 'other')),
  asked_by BIGINT NOT NULL REFERENCES people_person(id),
  asked_at MOMENT NOT NULL,
  answer TEXT NOT NULL DEFAULT '' CHECK (length(answer) <= 200),
  answered_by BIGINT REFERENCES people_person(id),
  answered_at MOMENT,
  CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
  CHECK ((answered_at IS NULL) = (answer = ''))
)
"""
INDEXES = (
    "CREATE UNIQUE INDEX awards_question_open ON awards_question (award_id) WHERE answered_at IS NULL",
    "CREATE INDEX awards_question_waiting ON awards_question (community_id) WHERE answered_at IS NULL",
    "CREATE INDEX awards_question_award ON awards_question (award_id)",
)


class Migration(HandWritten):
    dependencies = [("models", "0028_past_days")]
    operations = [
        sql(QUESTION, *INDEXES),
        forbid("awards_question", "DELETE", "1 = 1", "kept"),
        forbid("awards_question", "UPDATE", "OLD.answered_at IS NOT NULL", "answered"),
        *STATE,
    ]
