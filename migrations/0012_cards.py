"""Household cards, print runs of card sheets, door plates; a card that has ended never lives again."""

from ._lib import HandWritten, append_only, forbid, recheck, sql
from ._state_0012_cards import STATE

HOUSEHOLD_CARD = """
CREATE TABLE people_household_card (
  id ID,
  household_id BIGINT NOT NULL REFERENCES people_household(id),
  generation WHOLE NOT NULL,
  key_id BIGINT NOT NULL,
  digits_index BLOB UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('live', 'lost', 'replaced')),
  issued_at MOMENT NOT NULL,
  ended_at MOMENT,
  UNIQUE (household_id, generation)
)
"""

PRINT_RUN = """
CREATE TABLE people_print_run (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  kind TEXT NOT NULL CHECK (kind IN ('member', 'household')),
  number WHOLE NOT NULL,
  made_by BIGINT,
  made_at MOMENT NOT NULL,
  ended_by BIGINT,
  ended_at MOMENT,
  end_reason TEXT,
  UNIQUE (community_id, number)
)
"""

# A row a card, in the order of the sheets.
PRINT_RUN_CARD = """
CREATE TABLE people_print_run_card (
  id ID,
  run_id BIGINT NOT NULL REFERENCES people_print_run(id),
  place WHOLE NOT NULL,
  card_id BIGINT REFERENCES people_card(id),
  household_card_id BIGINT REFERENCES people_household_card(id),
  UNIQUE (run_id, place),
  CHECK ((card_id IS NULL) <> (household_card_id IS NULL))
)
"""

PLATE = """
CREATE TABLE people_plate (
  id ID,
  household_id BIGINT NOT NULL UNIQUE REFERENCES people_household(id),
  token TEXT NOT NULL UNIQUE,
  made_at MOMENT NOT NULL
)
"""

HOUSEHOLD_CARD_LIVE = """
CREATE UNIQUE INDEX people_household_card_live ON people_household_card (household_id) WHERE state = 'live'
"""
REVIVED = "OLD.state <> 'live' AND NEW.state = 'live'"


class Migration(HandWritten):
    dependencies = [("models", "0011_people_pages")]
    operations = [
        sql(
            HOUSEHOLD_CARD,
            PRINT_RUN,
            PRINT_RUN_CARD,
            PLATE,
            HOUSEHOLD_CARD_LIVE,
            "ALTER TABLE redemption_visit ADD COLUMN card_id BIGINT",
        ),
        append_only("people_print_run_card"),
        forbid("people_card", "UPDATE", REVIVED, "ended"),
        forbid("people_household_card", "UPDATE", REVIVED, "ended"),
        recheck(
            "redemption_visit",
            "redemption_visit_code_kind_check",
            "code_kind IN ('card', 'phone')",
            "code_kind IN ('card', 'phone', 'household')",
        ),
        *STATE,
    ]
