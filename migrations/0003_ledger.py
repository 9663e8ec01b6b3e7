"""Passbooks, accounts, entries, moves and lots."""

from ._lib import HandWritten, append_only, forbid, sql
from ._state_0003_ledger import STATE

PASSBOOK = """
CREATE TABLE ledger_passbook (
  id ID,
  number TEXT NOT NULL UNIQUE,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  person_id BIGINT UNIQUE REFERENCES people_person(id),
  household_id BIGINT UNIQUE REFERENCES people_household(id),
  decimals BIGINT NOT NULL CHECK (decimals BETWEEN 0 AND 2),
  opened_at MOMENT NOT NULL,
  CHECK ((person_id IS NULL) <> (household_id IS NULL))
)
"""

ACCOUNT = """
CREATE TABLE ledger_account (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  passbook_id BIGINT UNIQUE REFERENCES ledger_passbook(id),
  system TEXT,
  balance WHOLE NOT NULL,
  UNIQUE (community_id, system),
  CHECK ((passbook_id IS NULL) <> (system IS NULL)),
  CHECK (balance >= 0 OR COALESCE(system, '') = 'issued')
)
"""

ENTRY = """
CREATE TABLE ledger_entry (
  id ID,
  posting_key TEXT NOT NULL UNIQUE,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  kind TEXT NOT NULL CHECK (kind IN ('award', 'order', 'reversal', 'expiry')),
  effective_at MOMENT NOT NULL,
  booked_at MOMENT NOT NULL,
  actor_id BIGINT,
  member_id BIGINT,
  source_room TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source_id BIGINT NOT NULL,
  summary TEXT NOT NULL,
  reason TEXT NOT NULL,
  version_id BIGINT,
  reverses_id BIGINT UNIQUE REFERENCES ledger_entry(id)
)
"""

MOVE = """
CREATE TABLE ledger_move (
  id ID,
  entry_id BIGINT NOT NULL REFERENCES ledger_entry(id),
  source_id BIGINT NOT NULL REFERENCES ledger_account(id),
  target_id BIGINT NOT NULL REFERENCES ledger_account(id),
  points WHOLE NOT NULL CHECK (points BETWEEN 1 AND 1000000),
  source_after WHOLE,
  target_after WHOLE,
  CHECK (source_id <> target_id)
)
"""

LOT = """
CREATE TABLE ledger_lot (
  id ID,
  account_id BIGINT NOT NULL REFERENCES ledger_account(id),
  entry_id BIGINT NOT NULL REFERENCES ledger_entry(id),
  points WHOLE NOT NULL CHECK (points > 0),
  remaining WHOLE NOT NULL,
  expires_on DAY NOT NULL,
  CHECK (remaining BETWEEN 0 AND points)
)
"""

LOT_USE = """
CREATE TABLE ledger_lot_use (
  id ID,
  lot_id BIGINT NOT NULL REFERENCES ledger_lot(id),
  entry_id BIGINT NOT NULL REFERENCES ledger_entry(id),
  points WHOLE NOT NULL CHECK (points <> 0),
  UNIQUE (entry_id, lot_id)
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0002_people")]
    operations = [
        sql(
            PASSBOOK,
            ACCOUNT,
            ENTRY,
            MOVE,
            LOT,
            LOT_USE,
            "CREATE INDEX ledger_passbook_community ON ledger_passbook (community_id)",
            "CREATE INDEX ledger_entry_source ON ledger_entry (source_room, source_kind, source_id)",
            "CREATE INDEX ledger_entry_community ON ledger_entry (community_id, booked_at)",
            "CREATE INDEX ledger_move_entry ON ledger_move (entry_id)",
            "CREATE INDEX ledger_move_source ON ledger_move (source_id, id)",
            "CREATE INDEX ledger_move_target ON ledger_move (target_id, id)",
            "CREATE INDEX ledger_lot_entry ON ledger_lot (entry_id)",
            "CREATE INDEX ledger_lot_live ON ledger_lot (account_id, expires_on, id) WHERE remaining > 0",
            "CREATE INDEX ledger_lot_use_lot ON ledger_lot_use (lot_id)",
        ),
        append_only("ledger_entry"),
        append_only("ledger_move"),
        append_only("ledger_lot_use"),
        forbid("ledger_lot", "DELETE", "1 = 1", "kept"),
        forbid("ledger_account", "DELETE", "1 = 1", "kept"),
        forbid("ledger_passbook", "DELETE", "1 = 1", "kept"),
        *STATE,
    ]
