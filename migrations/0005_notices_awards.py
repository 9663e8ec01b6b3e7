"""Public notices with their objections, and acts on their way to points."""

from ._lib import HandWritten, append_only, sql
from ._state_0005_notices_awards import STATE

NOTICE = """
CREATE TABLE notices_notice (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  number TEXT NOT NULL,
  title TEXT NOT NULL,
  basis TEXT NOT NULL,
  starts_at MOMENT NOT NULL,
  ends_at MOMENT NOT NULL,
  closed_at MOMENT,
  UNIQUE (community_id, number)
)
"""

LINE = """
CREATE TABLE notices_line (
  id ID,
  notice_id BIGINT NOT NULL REFERENCES notices_notice(id),
  position BIGINT NOT NULL,
  shown_name TEXT NOT NULL,
  place TEXT NOT NULL,
  what TEXT NOT NULL,
  points WHOLE NOT NULL,
  UNIQUE (notice_id, position)
)
"""

OBJECTION = """
CREATE TABLE notices_objection (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  notice_id BIGINT NOT NULL REFERENCES notices_notice(id),
  line_id BIGINT NOT NULL REFERENCES notices_line(id),
  grounds TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'upheld', 'dismissed')),
  recorded_by BIGINT NOT NULL,
  recorded_at MOMENT NOT NULL,
  ruled_by BIGINT,
  ruled_at MOMENT,
  ruling TEXT
)
"""

ACT = """
CREATE TABLE awards_act (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  source_room TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source_id BIGINT NOT NULL,
  item_code TEXT NOT NULL,
  what TEXT NOT NULL,
  evidence TEXT NOT NULL,
  began_at MOMENT NOT NULL,
  day DAY NOT NULL,
  minutes WHOLE NOT NULL CHECK (minutes >= 0),
  planned_minutes WHOLE NOT NULL CHECK (planned_minutes >= 0),
  quantity WHOLE NOT NULL CHECK (quantity > 0),
  recorded_by BIGINT,
  recorded_at MOMENT NOT NULL,
  UNIQUE (source_room, source_kind, source_id, item_code)
)
"""

AWARD = """
CREATE TABLE awards_award (
  id ID,
  act_id BIGINT NOT NULL REFERENCES awards_act(id),
  version_id BIGINT NOT NULL REFERENCES scoring_version(id),
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  passbook_id BIGINT NOT NULL REFERENCES ledger_passbook(id),
  item_code TEXT NOT NULL,
  points WHOLE NOT NULL CHECK (points >= 0),
  clipped WHOLE NOT NULL CHECK (clipped >= 0),
  steps TEXT NOT NULL,
  uses TEXT NOT NULL,
  chain TEXT NOT NULL,
  reviews_given BIGINT NOT NULL,
  next_role TEXT NOT NULL,
  notice_days BIGINT NOT NULL,
  expires_on DAY NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'noticed', 'disputed', 'settled', 'rejected')),
  notice_id BIGINT REFERENCES notices_notice(id),
  line_id BIGINT UNIQUE REFERENCES notices_line(id),
  entry_id BIGINT UNIQUE REFERENCES ledger_entry(id),
  made_at MOMENT NOT NULL,
  settled_at MOMENT,
  UNIQUE (act_id, version_id)
)
"""

REVIEW = """
CREATE TABLE awards_review (
  id ID,
  award_id BIGINT NOT NULL REFERENCES awards_award(id),
  step BIGINT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('passed', 'rejected')),
  reason TEXT NOT NULL,
  reviewed_by BIGINT,
  reviewed_at MOMENT NOT NULL,
  UNIQUE (award_id, step)
)
"""

CAP_USE = """
CREATE TABLE awards_cap_use (
  community_id BIGINT NOT NULL,
  scope TEXT NOT NULL,
  holder_id BIGINT NOT NULL,
  item_code TEXT NOT NULL,
  period TEXT NOT NULL,
  period_start DAY NOT NULL,
  points WHOLE NOT NULL CHECK (points >= 0),
  PRIMARY KEY (community_id, scope, holder_id, item_code, period, period_start)
) WITHOUT_ROWID
"""


class Migration(HandWritten):
    dependencies = [("models", "0004_scoring")]
    operations = [
        sql(
            NOTICE,
            LINE,
            OBJECTION,
            ACT,
            AWARD,
            REVIEW,
            CAP_USE,
            "CREATE INDEX notices_notice_open ON notices_notice (ends_at) WHERE closed_at IS NULL",
            "CREATE INDEX notices_objection_line ON notices_objection (line_id)",
            "CREATE INDEX notices_objection_open ON notices_objection (community_id) WHERE state = 'open'",
            "CREATE INDEX awards_act_person ON awards_act (person_id, began_at)",
            "CREATE INDEX awards_award_person ON awards_award (person_id, state)",
            "CREATE INDEX awards_award_passbook ON awards_award (passbook_id, state)",
            "CREATE INDEX awards_award_state ON awards_award (community_id, state)",
            "CREATE INDEX awards_award_pending ON awards_award (next_role, community_id) WHERE state = 'pending'",
            "CREATE INDEX awards_award_noticed ON awards_award (notice_id, passbook_id) WHERE state = 'noticed'",
        ),
        append_only("notices_line"),
        append_only("awards_act"),
        append_only("awards_review"),
        *STATE,
    ]
