"""A table may keep points from being redeemed: before so many minutes of service, and for a time after a veto."""

from ._lib import HandWritten, forbid, recheck, sql
from ._state_0038_consequences import STATE

# One of each kind of passbook at most, and one of each passbook: what is not there keeps nobody.
GATE = """
CREATE TABLE ledger_gate (
  id ID,
  kind_id BIGINT NOT NULL UNIQUE REFERENCES ledger_book_kind(id),
  minutes WHOLE NOT NULL CHECK (minutes >= 0)
)
"""
BAR = """
CREATE TABLE ledger_bar (
  id ID,
  passbook_id BIGINT NOT NULL UNIQUE REFERENCES ledger_passbook(id),
  barred_until DAY,
  gate_passed_on DAY
)
"""
STEPS = "step IN ('advice', 'warning', 'deduction'{more})"


class Migration(HandWritten):
    dependencies = [("models", "0037_facts")]
    operations = [
        sql(
            GATE,
            BAR,
            "ALTER TABLE awards_case ADD COLUMN consequence TEXT "
            "CHECK (consequence IN ('no_redemption', 'reset_to_base'))",
            "ALTER TABLE awards_case ADD COLUMN barred_until DAY",
        ),
        forbid("ledger_gate", "DELETE", "1 = 1", "kept"),
        forbid("ledger_bar", "DELETE", "1 = 1", "kept"),
        recheck("awards_case", "awards_case_step_check", STEPS.format(more=""), STEPS.format(more=", 'veto'")),
        recheck(
            "awards_case",
            "awards_case_check4",
            "points = 0 OR step = 'deduction'",
            "points = 0 OR step IN ('deduction', 'veto')",
        ),
        *STATE,
    ]
