"""Findings that are told in writing: advice first, then warnings, and a deduction only after them."""

from ._lib import HandWritten, forbid, sql
from ._state_0033_cases import STATE

CASE = """
CREATE TABLE awards_case (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  version_id BIGINT NOT NULL REFERENCES scoring_version(id),
  item_code TEXT NOT NULL,
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  household_id BIGINT REFERENCES people_household(id),
  passbook_id BIGINT NOT NULL REFERENCES ledger_passbook(id),
  found_on DAY NOT NULL,
  quantity WHOLE NOT NULL CHECK (quantity > 0),
  what TEXT NOT NULL CHECK (what <> ''),
  evidence TEXT NOT NULL CHECK (evidence <> ''),
  made_by BIGINT NOT NULL REFERENCES people_person(id),
  made_at MOMENT NOT NULL,
  approval_id BIGINT UNIQUE REFERENCES approvals_approval(id),
  state TEXT NOT NULL CHECK (state IN ('made', 'refused', 'withdrawn', 'agreed', 'told', 'disputed', 'dropped',
                                       'made_good', 'booked')),
  step TEXT CHECK (step IN ('advice', 'warning', 'deduction')),
  points WHOLE NOT NULL DEFAULT 0 CHECK (points >= 0),
  uses TEXT NOT NULL DEFAULT '[]',
  steps TEXT NOT NULL DEFAULT '[]',
  object_days BIGINT,
  told_on DAY,
  told_how TEXT CHECK (told_how IN ('in_person', 'family', 'door')),
  told_by BIGINT REFERENCES people_person(id),
  open_until DAY,
  CHECK ((step IS NULL) = (state IN ('made', 'refused', 'withdrawn'))),
  CHECK ((step IS NULL) = (object_days IS NULL)),
  CHECK ((told_on IS NULL) = (state IN ('made', 'refused', 'withdrawn', 'agreed'))),
  CHECK ((told_on IS NULL) = (open_until IS NULL)),
  CHECK (points = 0 OR step = 'deduction')
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0032_what_caps_count")]
    operations = [
        sql(
            CASE,
            # One day, one finding of an item: two, for NULLs are never alike to a unique index.
            "CREATE UNIQUE INDEX awards_case_of_person ON awards_case (person_id, item_code, found_on) "
            "WHERE household_id IS NULL AND state IN ('made', 'agreed', 'told', 'disputed', 'made_good', 'booked')",
            "CREATE UNIQUE INDEX awards_case_of_household ON awards_case (household_id, item_code, found_on) "
            "WHERE household_id IS NOT NULL AND state IN ('made', 'agreed', 'told', 'disputed', 'made_good', 'booked')",
            "CREATE INDEX awards_case_community ON awards_case (community_id, id)",
            "CREATE INDEX awards_case_passbook ON awards_case (passbook_id)",
            "CREATE INDEX awards_case_open ON awards_case (state) "
            "WHERE state IN ('made', 'agreed', 'told', 'disputed')",
        ),
        forbid("awards_case", "DELETE", "1 = 1", "kept"),
        forbid("awards_case", "UPDATE", "OLD.state IN ('refused', 'withdrawn')", "final"),
        *STATE,
    ]
