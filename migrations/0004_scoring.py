"""Scoring tables, their versions and items; what is not a draft never changes."""

from ._lib import HandWritten, forbid, sql
from ._state_0004_scoring import STATE

TABLE = """
CREATE TABLE scoring_table (
  id ID,
  community_id BIGINT NOT NULL UNIQUE REFERENCES people_community(id),
  name TEXT NOT NULL,
  made_at MOMENT NOT NULL
)
"""

VERSION = """
CREATE TABLE scoring_version (
  id ID,
  table_id BIGINT NOT NULL REFERENCES scoring_table(id),
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  number BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'scheduled', 'in_force', 'retired')),
  rules TEXT NOT NULL,
  in_force_from DAY,
  drafted_by BIGINT,
  drafted_at MOMENT NOT NULL,
  published_by BIGINT,
  published_at MOMENT,
  UNIQUE (table_id, number),
  CHECK ((state = 'draft') = (in_force_from IS NULL))
)
"""

ITEM = """
CREATE TABLE scoring_item (
  id ID,
  version_id BIGINT NOT NULL REFERENCES scoring_version(id),
  position BIGINT NOT NULL,
  code TEXT NOT NULL,
  category TEXT NOT NULL,
  name TEXT NOT NULL,
  rule TEXT NOT NULL,
  UNIQUE (version_id, code)
)
"""

_OF_OLD = "(SELECT state FROM scoring_version WHERE id = OLD.version_id) <> 'draft'"
_OF_NEW = "(SELECT state FROM scoring_version WHERE id = NEW.version_id) <> 'draft'"
_RULES = "OLD.state <> 'draft' AND (NEW.rules <> OLD.rules OR NEW.in_force_from <> OLD.in_force_from)"


class Migration(HandWritten):
    dependencies = [("models", "0003_ledger")]
    operations = [
        sql(
            TABLE,
            VERSION,
            ITEM,
            "CREATE UNIQUE INDEX scoring_version_draft ON scoring_version (table_id) WHERE state = 'draft'",
            "CREATE INDEX scoring_version_day ON scoring_version (community_id, in_force_from)",
        ),
        forbid("scoring_item", "UPDATE DELETE", _OF_OLD, "in_force"),
        forbid("scoring_item", "INSERT", _OF_NEW, "published"),
        forbid("scoring_version", "UPDATE", _RULES, "in_force"),
        forbid("scoring_version", "DELETE", "OLD.state <> 'draft'", "kept"),
        *STATE,
    ]
