"""A version of a scoring table goes through a residents' meeting and a public notice, and never back once it is set."""

from ._lib import HandWritten, forbid, recheck, sql
from ._state_0030_version_life import STATE

DRAFTER = """
CREATE TABLE scoring_drafter (
  id ID,
  version_id BIGINT NOT NULL REFERENCES scoring_version(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  UNIQUE (version_id, person_id)
)
"""

MEETING = """
CREATE TABLE scoring_meeting (
  id ID,
  version_id BIGINT NOT NULL REFERENCES scoring_version(id),
  held_on DAY NOT NULL,
  place TEXT NOT NULL,
  present WHOLE NOT NULL CHECK (present > 0),
  votes_for WHOLE NOT NULL CHECK (votes_for >= 0),
  votes_against WHOLE NOT NULL CHECK (votes_against >= 0),
  abstained WHOLE NOT NULL CHECK (abstained >= 0),
  record BLOB NOT NULL,
  record_kind TEXT NOT NULL CHECK (record_kind IN ('jpeg', 'pdf')),
  recorded_by BIGINT,
  recorded_at MOMENT NOT NULL,
  voided_at MOMENT,
  CHECK (votes_for + votes_against + abstained <= present)
)
"""

TOLD = """
CREATE TABLE scoring_notice (
  id ID,
  version_id BIGINT NOT NULL REFERENCES scoring_version(id),
  notice_id BIGINT NOT NULL UNIQUE REFERENCES notices_notice(id),
  starts_on DAY NOT NULL,
  opened_by BIGINT,
  voided_at MOMENT
)
"""

BEFORE_STATES = "state IN ('draft', 'scheduled', 'in_force', 'retired')"
STATES = "state IN ('draft', 'discussion', 'noticed', 'dropped', 'scheduled', 'in_force', 'retired')"
BEFORE_DAY = "(state = 'draft') = (in_force_from IS NULL)"
DAY = "(state IN ('draft', 'discussion', 'noticed', 'dropped')) = (in_force_from IS NULL)"

_STEPS = {
    "draft": ("discussion", "dropped", "scheduled", "in_force"),  # the last two for a community's first table
    "discussion": ("draft", "noticed"),
    "noticed": ("draft", "scheduled"),
    "scheduled": ("in_force",),
    "in_force": ("retired",),
}
_FORWARD = " OR ".join(
    f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(one) for one in after)}))"
    for before, after in _STEPS.items()
)
_STRAYS = f"NEW.state <> OLD.state AND NOT ({_FORWARD})"
_MEETING_REWRITTEN = (
    "OLD.voided_at IS NOT NULL OR NEW.version_id <> OLD.version_id OR NEW.held_on <> OLD.held_on"
    " OR NEW.present <> OLD.present OR NEW.votes_for <> OLD.votes_for OR NEW.votes_against <> OLD.votes_against"
    " OR NEW.abstained <> OLD.abstained OR NEW.place <> OLD.place OR NEW.record <> OLD.record"
)
_TOLD_REWRITTEN = (
    "OLD.voided_at IS NOT NULL OR NEW.version_id <> OLD.version_id OR NEW.notice_id <> OLD.notice_id"
    " OR NEW.starts_on <> OLD.starts_on"
)


class Migration(HandWritten):
    dependencies = [("models", "0029_questions")]
    operations = [
        sql(
            "ALTER TABLE notices_notice ADD COLUMN about TEXT NOT NULL DEFAULT 'awards'"
            " CHECK (about IN ('awards', 'scoring'))",
            "ALTER TABLE notices_notice ADD COLUMN withdrawn_at MOMENT",
            "ALTER TABLE notices_objection ADD COLUMN words TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE scoring_table ADD COLUMN notice_days_min WHOLE NOT NULL DEFAULT 7"
            " CHECK (notice_days_min BETWEEN 1 AND 30)",
        ),
        recheck(
            "notices_objection",
            "notices_objection_state_check",
            "state IN ('open', 'upheld', 'dismissed')",
            "state IN ('open', 'upheld', 'dismissed', 'moot')",
        ),
        recheck("scoring_version", "scoring_version_state_check", BEFORE_STATES, STATES),
        recheck("scoring_version", "scoring_version_check", BEFORE_DAY, DAY),
        sql(
            DRAFTER,
            MEETING,
            TOLD,
            "DROP INDEX scoring_version_draft",
            "CREATE UNIQUE INDEX scoring_version_under_way ON scoring_version (table_id)"
            " WHERE state IN ('draft', 'discussion', 'noticed')",
            "CREATE UNIQUE INDEX scoring_meeting_live ON scoring_meeting (version_id) WHERE voided_at IS NULL",
            "CREATE UNIQUE INDEX scoring_notice_live ON scoring_notice (version_id) WHERE voided_at IS NULL",
            "INSERT INTO scoring_drafter (version_id, person_id)"
            " SELECT id, drafted_by FROM scoring_version WHERE state = 'draft' AND drafted_by IS NOT NULL",
        ),
        forbid("scoring_version", "UPDATE", _STRAYS, "strays"),
        forbid("scoring_meeting", "UPDATE", _MEETING_REWRITTEN, "rewritten"),
        forbid("scoring_meeting", "DELETE", "1 = 1", "kept"),
        forbid("scoring_notice", "UPDATE", _TOLD_REWRITTEN, "rewritten"),
        forbid("scoring_notice", "DELETE", "1 = 1", "kept"),
        *STATE,
    ]
