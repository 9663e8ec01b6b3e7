"""Budgets of a year, what points are worth, and awards that wait for a budget."""

from ._lib import HandWritten, append_only, forbid, sql
from ._state_0018_budgets import STATE

BUDGET = """
CREATE TABLE ledger_budget (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  year WHOLE NOT NULL CHECK (year BETWEEN 2000 AND 2999),
  programme TEXT NOT NULL,
  account_id BIGINT NOT NULL UNIQUE REFERENCES ledger_account(id),
  ceiling_points WHOLE CHECK (ceiling_points > 0),
  ceiling_cents WHOLE CHECK (ceiling_cents > 0),
  cents_per_100 WHOLE CHECK (cents_per_100 > 0),
  issued WHOLE NOT NULL CHECK (issued >= 0),
  made_by BIGINT,
  made_at MOMENT NOT NULL,
  UNIQUE (community_id, year, programme),
  CHECK (ceiling_points IS NOT NULL OR ceiling_cents IS NOT NULL),
  CHECK ((ceiling_cents IS NULL) = (cents_per_100 IS NULL)),
  CHECK (ceiling_points IS NULL OR issued <= ceiling_points),
  CHECK (ceiling_cents IS NULL OR issued * cents_per_100 <= ceiling_cents * 100)
)
"""
RATE = """
CREATE TABLE ledger_rate (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  from_day DAY NOT NULL,
  cents_per_100 WHOLE NOT NULL CHECK (cents_per_100 BETWEEN 1 AND 1000000),
  set_by BIGINT,
  set_at MOMENT NOT NULL
)
"""
FIXED_BUDGET = (
    "OLD.community_id <> NEW.community_id OR OLD.year <> NEW.year OR OLD.programme <> NEW.programme "
    "OR OLD.account_id <> NEW.account_id OR NEW.ceiling_points < OLD.ceiling_points "
    "OR NEW.ceiling_cents < OLD.ceiling_cents OR COALESCE(OLD.cents_per_100, 0) <> COALESCE(NEW.cents_per_100, 0)"
)


class Migration(HandWritten):
    dependencies = [("models", "0017_vouchers")]
    operations = [
        sql(
            BUDGET,
            RATE,
            "CREATE INDEX ledger_rate_community ON ledger_rate (community_id, from_day)",
            "ALTER TABLE awards_award ADD COLUMN waits_for_budget BIGINT REFERENCES ledger_budget(id)",
            "ALTER TABLE awards_award ADD COLUMN programme TEXT",
            "CREATE INDEX awards_award_waiting ON awards_award (waits_for_budget, id) "
            "WHERE waits_for_budget IS NOT NULL",
        ),
        forbid("ledger_budget", "DELETE", "1 = 1", "kept"),
        forbid("ledger_budget", "UPDATE", FIXED_BUDGET, "fixed"),
        append_only("ledger_rate"),
        *STATE,
    ]
