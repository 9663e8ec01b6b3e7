"""A deduction waits for objections and for what is made good; then it is booked once, and never below its floor."""

from ._lib import HandWritten, forbid, recheck, sql
from ._state_0034_deductions import STATE

OBJECTION = """
CREATE TABLE awards_case_objection (
  id ID,
  case_id BIGINT NOT NULL UNIQUE REFERENCES awards_case(id),
  said TEXT NOT NULL CHECK (said <> ''),
  person_id BIGINT REFERENCES people_person(id),
  recorded_by BIGINT NOT NULL REFERENCES people_person(id),
  recorded_at MOMENT NOT NULL,
  verdict TEXT CHECK (verdict IN ('upheld', 'dismissed')),
  answer TEXT,
  ruled_by BIGINT REFERENCES people_person(id),
  ruled_at MOMENT,
  CHECK ((verdict IS NULL) = (answer IS NULL) AND (verdict IS NULL) = (ruled_by IS NULL)
         AND (verdict IS NULL) = (ruled_at IS NULL))
)
"""
ENTRY_KINDS = (
    "kind IN ('award', 'opening', 'base', 'gift', 'order', 'expiry', 'reset', 'reversal', 'clawback', "
    "'transfer', 'donation', 'grant', 'adjustment', 'surplus', 'joining', 'estate'{more})"
)


class Migration(HandWritten):
    dependencies = [("models", "0033_cases")]
    operations = [
        sql(
            OBJECTION,
            "ALTER TABLE awards_case ADD COLUMN remedy TEXT",
            "ALTER TABLE awards_case ADD COLUMN remedy_by BIGINT REFERENCES people_person(id)",
            "ALTER TABLE awards_case ADD COLUMN remedy_approval_id BIGINT REFERENCES approvals_approval(id)",
            "ALTER TABLE awards_case ADD COLUMN booked_at MOMENT",
            # What was there to take; the rest of the points is no debt.
            "ALTER TABLE awards_case ADD COLUMN taken WHOLE CHECK (taken BETWEEN 0 AND points)",
            "ALTER TABLE awards_case ADD COLUMN entry_id BIGINT REFERENCES ledger_entry(id)",
            "CREATE UNIQUE INDEX awards_case_entry ON awards_case (entry_id) WHERE entry_id IS NOT NULL",
        ),
        recheck(
            "ledger_entry",
            "ledger_entry_kind_check",
            ENTRY_KINDS.format(more=""),
            ENTRY_KINDS.format(more=", 'deduction'"),
        ),
        forbid("awards_case", "UPDATE", "OLD.state IN ('dropped', 'made_good') OR OLD.taken IS NOT NULL", "ended"),
        forbid("awards_case_objection", "DELETE", "1 = 1", "kept"),
        forbid("awards_case_objection", "UPDATE", "OLD.verdict IS NOT NULL", "final"),
        *STATE,
    ]
