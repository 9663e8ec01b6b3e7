"""Months that are closed: closing balances, and no entry booked into them any more."""

from ._lib import HandWritten, forbid, sql
from ._state_0019_periods import STATE

PERIOD = """
CREATE TABLE ledger_period (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  month DAY NOT NULL,
  starts_at MOMENT NOT NULL,
  ends_at MOMENT NOT NULL,
  upto MOMENT NOT NULL,
  outstanding WHOLE,
  begun_by BIGINT,
  begun_at MOMENT NOT NULL,
  closed_at MOMENT,
  head TEXT,
  UNIQUE (community_id, month),
  CHECK (starts_at < ends_at),
  CHECK ((closed_at IS NULL) = (outstanding IS NULL))
)
"""
CLOSING = """
CREATE TABLE ledger_closing (
  account_id BIGINT NOT NULL REFERENCES ledger_account(id),
  period_id BIGINT NOT NULL REFERENCES ledger_period(id),
  points_in WHOLE NOT NULL CHECK (points_in >= 0),
  points_out WHOLE NOT NULL CHECK (points_out >= 0),
  balance WHOLE NOT NULL,
  PRIMARY KEY (account_id, period_id)
) WITHOUT_ROWID
"""
IS_CLOSED = "EXISTS (SELECT 1 FROM ledger_period WHERE community_id = NEW.community_id AND ends_at > NEW.booked_at)"
IS_FINAL = "EXISTS (SELECT 1 FROM ledger_period WHERE id = OLD.period_id AND closed_at IS NOT NULL)"
REFUSED = "refused ledger.month_closed"
# Whoever posts holds the lock shared, whoever closes alone: an entry is either seen by the closing or sees it.
SHARED = "PERFORM pg_advisory_xact_lock_shared(1818521444, NEW.community_id::INT)"

SHUT_SQLITE = f"""
CREATE TRIGGER ledger_entry_closed_insert BEFORE INSERT ON ledger_entry WHEN {IS_CLOSED}
BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
"""
SHUT_FUNCTION = f"""
CREATE FUNCTION ledger_entry_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {SHARED};
  IF {IS_CLOSED} THEN RAISE integrity_constraint_violation USING MESSAGE = '{REFUSED}'; END IF;
  RETURN NEW;
END $$
"""
SHUT_POSTGRES = """
CREATE TRIGGER ledger_entry_closed_insert BEFORE INSERT ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION ledger_entry_closed()
"""


class Migration(HandWritten):
    dependencies = [("models", "0018_budgets")]
    operations = [
        sql(
            PERIOD,
            CLOSING,
            "CREATE INDEX ledger_period_ends ON ledger_period (community_id, ends_at)",
            "CREATE INDEX ledger_closing_period ON ledger_closing (period_id)",
            sqlite=(SHUT_SQLITE,),
            postgres=(
                SHUT_FUNCTION,
                SHUT_POSTGRES,
            ),
        ),
        forbid("ledger_period", "DELETE", "1 = 1", "kept"),
        forbid("ledger_period", "UPDATE", "OLD.closed_at IS NOT NULL", "final"),
        forbid("ledger_closing", "DELETE", "1 = 1", "kept"),
        forbid("ledger_closing", "UPDATE", IS_FINAL, "final"),
        *STATE,
    ]
