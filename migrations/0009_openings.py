"""Approvals by a second person, and lists of opening balances."""

from ._lib import HandWritten, append_only, forbid, recheck, sql
from ._state_0009_openings import STATE

APPROVAL = """
CREATE TABLE approvals_approval (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  kind TEXT NOT NULL,
  subject_room TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id BIGINT NOT NULL,
  maker_id BIGINT NOT NULL REFERENCES people_person(id),
  facts_hash TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'given', 'refused', 'withdrawn', 'used')),
  asked_at MOMENT NOT NULL,
  checker_id BIGINT REFERENCES people_person(id),
  decided_at MOMENT,
  reason TEXT NOT NULL,
  used_at MOMENT,
  CHECK (checker_id <> maker_id),
  CHECK ((state IN ('given', 'refused', 'used')) = (checker_id IS NOT NULL)),
  CHECK ((state = 'used') = (used_at IS NOT NULL))
)
"""

BENEFICIARY = """
CREATE TABLE approvals_beneficiary (
  id ID,
  approval_id BIGINT NOT NULL REFERENCES approvals_approval(id),
  person_id BIGINT REFERENCES people_person(id),
  household_id BIGINT REFERENCES people_household(id),
  CHECK ((person_id IS NULL) <> (household_id IS NULL))
)
"""

OPENING_LIST = """
CREATE TABLE ledger_opening_list (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  day DAY NOT NULL,
  expires_on DAY NOT NULL,
  made_by BIGINT NOT NULL REFERENCES people_person(id),
  made_at MOMENT NOT NULL,
  line_count WHOLE NOT NULL CHECK (line_count > 0),
  points WHOLE NOT NULL CHECK (points > 0),
  booked WHOLE NOT NULL CHECK (booked BETWEEN 0 AND line_count),
  state TEXT NOT NULL CHECK (state IN ('draft', 'asked', 'refused', 'withdrawn', 'booking', 'booked')),
  approval_id BIGINT UNIQUE REFERENCES approvals_approval(id),
  CHECK (approval_id IS NOT NULL OR state IN ('draft', 'withdrawn')),
  CHECK (booked = 0 OR state IN ('booking', 'booked'))
)
"""

OPENING_LINE = """
CREATE TABLE ledger_opening_line (
  id ID,
  list_id BIGINT NOT NULL REFERENCES ledger_opening_list(id),
  position BIGINT NOT NULL,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  household_id BIGINT REFERENCES people_household(id),
  points WHOLE NOT NULL CHECK (points BETWEEN 1 AND 100000),
  remark TEXT NOT NULL,
  live BOOLEAN NOT NULL,
  UNIQUE (list_id, position)
)
"""

FIXED_LINE = (
    "OLD.list_id <> NEW.list_id OR OLD.position <> NEW.position OR OLD.person_id <> NEW.person_id "
    "OR COALESCE(OLD.household_id, 0) <> COALESCE(NEW.household_id, 0) OR OLD.points <> NEW.points "
    "OR OLD.remark <> NEW.remark"
)


class Migration(HandWritten):
    dependencies = [("models", "0008_paper")]
    operations = [
        recheck(
            "ledger_entry",
            "ledger_entry_kind_check",
            "kind IN ('award', 'order', 'reversal', 'expiry')",
            "kind IN ('award', 'order', 'reversal', 'expiry', 'opening')",
        ),
        sql(
            APPROVAL,
            BENEFICIARY,
            OPENING_LIST,
            OPENING_LINE,
            "CREATE UNIQUE INDEX approvals_approval_live "
            "ON approvals_approval (kind, subject_room, subject_kind, subject_id) WHERE state IN ('open', 'given')",
            "CREATE INDEX approvals_beneficiary_approval ON approvals_beneficiary (approval_id)",
            "CREATE INDEX ledger_opening_list_community ON ledger_opening_list (community_id, id)",
            # One opening a passbook, whatever list it stands on; a line dies with its list or by a reversal.
            "CREATE UNIQUE INDEX ledger_opening_line_person "
            "ON ledger_opening_line (person_id) WHERE live AND household_id IS NULL",
            "CREATE UNIQUE INDEX ledger_opening_line_household ON ledger_opening_line (household_id) WHERE live",
        ),
        append_only("approvals_beneficiary"),
        forbid("approvals_approval", "DELETE", "1 = 1", "kept"),
        forbid("approvals_approval", "UPDATE", "OLD.state IN ('refused', 'withdrawn', 'used')", "final"),
        forbid("ledger_opening_list", "DELETE", "1 = 1", "kept"),
        forbid("ledger_opening_line", "DELETE", "1 = 1", "kept"),
        forbid("ledger_opening_line", "UPDATE", FIXED_LINE, "fixed"),
        *STATE,
    ]
