"""Vouchers: points that go from hand to hand, adjustments and reversals; and passbooks that are closed."""

from ._lib import HandWritten, forbid, sql
from ._state_0017_vouchers import STATE

VOUCHER = """
CREATE TABLE ledger_voucher (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  what TEXT NOT NULL CHECK (what IN ('transfer', 'donation', 'grant', 'adjustment', 'reversal')),
  from_id BIGINT REFERENCES ledger_passbook(id),
  to_id BIGINT REFERENCES ledger_passbook(id),
  reverses_id BIGINT REFERENCES ledger_entry(id),
  points WHOLE NOT NULL CHECK (points BETWEEN 1 AND 1000000),
  expires_on DAY,
  reason TEXT NOT NULL,
  note TEXT NOT NULL,
  how TEXT NOT NULL,
  member_id BIGINT,
  made_by BIGINT,
  made_at MOMENT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'booked', 'refused', 'withdrawn')),
  approval_id BIGINT UNIQUE REFERENCES approvals_approval(id),
  entry_id BIGINT UNIQUE REFERENCES ledger_entry(id),
  CHECK (from_id IS NOT NULL OR to_id IS NOT NULL),
  CHECK ((state = 'booked') = (entry_id IS NOT NULL))
)
"""
FIXED = (
    "OLD.state <> 'asked' OR NEW.what <> OLD.what OR NEW.points <> OLD.points OR NEW.reason <> OLD.reason "
    "OR NEW.note <> OLD.note OR NEW.member_id IS DISTINCT FROM OLD.member_id "
    "OR NEW.from_id IS DISTINCT FROM OLD.from_id OR NEW.to_id IS DISTINCT FROM OLD.to_id "
    "OR NEW.reverses_id IS DISTINCT FROM OLD.reverses_id OR NEW.expires_on IS DISTINCT FROM OLD.expires_on "
    "OR NEW.made_by IS DISTINCT FROM OLD.made_by"
)


class Migration(HandWritten):
    dependencies = [("models", "0016_seals")]
    operations = [
        sql(
            VOUCHER,
            "CREATE INDEX ledger_voucher_community ON ledger_voucher (community_id, id)",
            "CREATE INDEX ledger_voucher_asked ON ledger_voucher (community_id) WHERE state = 'asked'",
            # One reversal at a time is asked for.
            "CREATE UNIQUE INDEX ledger_voucher_reverses ON ledger_voucher (reverses_id) WHERE state = 'asked'",
            "ALTER TABLE ledger_account ADD COLUMN closed_at MOMENT CHECK (closed_at IS NULL OR balance = 0)",
            "ALTER TABLE people_community ADD COLUMN reversal_alone_max WHOLE NOT NULL DEFAULT 100 "
            "CHECK (reversal_alone_max >= 0)",
        ),
        forbid("ledger_voucher", "DELETE", "1 = 1", "kept"),
        forbid("ledger_voucher", "UPDATE", FIXED, "fixed"),
        *STATE,
    ]
