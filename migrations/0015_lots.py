"""Kinds of passbook, lots that are buckets, and holds; what is in the books already is brought into this shape."""

from ._lib import HandWritten, append_only, forbid, recheck, sql
from ._state_0015_lots import STATE

BOOK_KIND = """
CREATE TABLE ledger_book_kind (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  decimals WHOLE NOT NULL CHECK (decimals BETWEEN 0 AND 2),
  holder TEXT NOT NULL CHECK (holder IN ('person', 'household')),
  redeemable BOOLEAN NOT NULL,
  donatable BOOLEAN NOT NULL,
  transferable BOOLEAN NOT NULL,
  balance_max WHOLE CHECK (balance_max > 0),
  surplus TEXT NOT NULL CHECK (surplus IN ('refused', 'pot')),
  base_points WHOLE NOT NULL CHECK (base_points >= 0),
  base_every TEXT NOT NULL CHECK (base_every IN ('never', 'once', 'month', 'year')),
  base_redeemable BOOLEAN NOT NULL,
  spend_above WHOLE NOT NULL CHECK (spend_above >= 0),
  reset_month WHOLE CHECK (reset_month BETWEEN 1 AND 12),
  reset_day WHOLE CHECK (reset_day BETWEEN 1 AND 31),
  carry_over BOOLEAN NOT NULL,
  version WHOLE NOT NULL CHECK (version > 0),
  UNIQUE (community_id, code),
  CHECK ((base_points = 0) = (base_every = 'never')),
  CHECK ((reset_month IS NULL) = (reset_day IS NULL))
)
"""
MAIN_KINDS = """
INSERT INTO ledger_book_kind (community_id, code, name, unit, decimals, holder, redeemable, donatable, transferable,
                              surplus, base_points, base_every, base_redeemable, spend_above, carry_over, version)
SELECT id, 'points', '积分', '分', 0, holder, TRUE, FALSE, FALSE, 'refused', 0, 'never', FALSE, 0, FALSE, 1
  FROM people_community ORDER BY id
"""

# SQLite cannot drop a UNIQUE: the table is made anew under its name. Foreign keys are off meanwhile, so that the
# tables that refer to it stay as they are.
PASSBOOK_SQLITE = (
    "CREATE TEMPORARY TABLE old_passbook AS SELECT * FROM ledger_passbook",
    "DROP TABLE ledger_passbook",
    """
CREATE TABLE ledger_passbook (
  id ID,
  number TEXT NOT NULL UNIQUE,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  kind_id BIGINT NOT NULL REFERENCES ledger_book_kind(id),
  person_id BIGINT REFERENCES people_person(id),
  household_id BIGINT REFERENCES people_household(id),
  opened_at MOMENT NOT NULL,
  UNIQUE (person_id, kind_id),
  UNIQUE (household_id, kind_id),
  CHECK ((person_id IS NULL) <> (household_id IS NULL))
)""",
    """
INSERT INTO ledger_passbook (id, number, community_id, kind_id, person_id, household_id, opened_at)
SELECT old.id, old.number, old.community_id, kind.id, old.person_id, old.household_id, old.opened_at
  FROM old_passbook old JOIN ledger_book_kind kind ON kind.community_id = old.community_id ORDER BY old.id""",
    "DROP TABLE old_passbook",
    "CREATE INDEX ledger_passbook_community ON ledger_passbook (community_id)",
    (
        "CREATE TRIGGER ledger_passbook_kept_delete BEFORE DELETE ON ledger_passbook WHEN 1 = 1 "
        "BEGIN SELECT RAISE(ABORT, 'ledger_passbook: kept'); END"
    ),
)
PASSBOOK_POSTGRES = (
    "ALTER TABLE ledger_passbook DROP COLUMN decimals, ADD COLUMN kind_id BIGINT REFERENCES ledger_book_kind(id)",
    """
UPDATE ledger_passbook SET kind_id = kind.id FROM ledger_book_kind kind
 WHERE kind.community_id = ledger_passbook.community_id""",
    (
        "ALTER TABLE ledger_passbook ALTER COLUMN kind_id SET NOT NULL, "
        "DROP CONSTRAINT ledger_passbook_person_id_key, DROP CONSTRAINT ledger_passbook_household_id_key, "
        "ADD UNIQUE (person_id, kind_id), ADD UNIQUE (household_id, kind_id)"
    ),
)

LOT = """
CREATE TABLE ledger_lot (
  id ID,
  account_id BIGINT NOT NULL REFERENCES ledger_account(id),
  kind TEXT NOT NULL CHECK (kind IN ('earned', 'base', 'gift')),
  expires_on DAY NOT NULL,
  match_percent WHOLE CHECK (match_percent BETWEEN 1 AND 1000),
  remaining WHOLE NOT NULL,
  held WHOLE NOT NULL DEFAULT 0,
  CHECK (held BETWEEN 0 AND remaining),
  CHECK ((kind = 'gift') = (match_percent IS NOT NULL))
)
"""
LOT_USE = """
CREATE TABLE ledger_lot_use (
  entry_id BIGINT NOT NULL REFERENCES ledger_entry(id),
  lot_id BIGINT NOT NULL REFERENCES ledger_lot(id),
  points WHOLE NOT NULL CHECK (points <> 0),
  PRIMARY KEY (entry_id, lot_id)
) WITHOUT_ROWID
"""
# A lot used to be what one entry brought; now what came into an account with one last day lies in one lot, and the
# entry that brought it has a use of its own.
OLD_LOTS = (
    "CREATE TEMPORARY TABLE old_lot AS SELECT * FROM ledger_lot",
    "CREATE TEMPORARY TABLE old_use AS SELECT * FROM ledger_lot_use",
    "DROP TABLE ledger_lot_use",
    "DROP TABLE ledger_lot",
)
REBUILT_LOTS = (
    """
INSERT INTO ledger_lot (account_id, kind, expires_on, remaining)
SELECT account_id, 'earned', expires_on, CAST(SUM(remaining) AS BIGINT) FROM old_lot
 GROUP BY account_id, expires_on ORDER BY MIN(id)""",
    """
INSERT INTO ledger_lot_use (entry_id, lot_id, points)
SELECT moved.entry_id, lot.id, CAST(SUM(moved.points) AS BIGINT)
  FROM (SELECT id AS old_id, entry_id, -points AS points FROM old_lot
        UNION ALL SELECT lot_id, entry_id, points FROM old_use) moved
  JOIN old_lot ON old_lot.id = moved.old_id
  JOIN ledger_lot lot ON lot.account_id = old_lot.account_id AND lot.expires_on = old_lot.expires_on
 GROUP BY moved.entry_id, lot.id ORDER BY moved.entry_id, lot.id""",
    "DROP TABLE old_use",
    "DROP TABLE old_lot",
)

HOLD = """
CREATE TABLE ledger_hold (
  id ID,
  hold_key TEXT NOT NULL UNIQUE,
  account_id BIGINT NOT NULL REFERENCES ledger_account(id),
  points WHOLE NOT NULL CHECK (points BETWEEN 1 AND 1000000),
  state TEXT NOT NULL CHECK (state IN ('open', 'captured', 'released', 'lapsed')),
  overdue_at MOMENT NOT NULL,
  source_room TEXT NOT NULL,
  source_kind TEXT NOT NULL,
  source_id BIGINT NOT NULL,
  member_id BIGINT,
  actor_id BIGINT,
  made_at MOMENT NOT NULL,
  resolved_at MOMENT,
  entry_id BIGINT UNIQUE REFERENCES ledger_entry(id),
  CHECK ((state = 'open') = (resolved_at IS NULL)),
  CHECK ((state = 'captured') = (entry_id IS NOT NULL))
)
"""
HOLD_LOT = """
CREATE TABLE ledger_hold_lot (
  hold_id BIGINT NOT NULL REFERENCES ledger_hold(id),
  lot_id BIGINT NOT NULL REFERENCES ledger_lot(id),
  points WHOLE NOT NULL CHECK (points > 0),
  PRIMARY KEY (hold_id, lot_id)
) WITHOUT_ROWID
"""
# How far a kind's recurring work has come: what is due in which period, and the last passbook that had its turn.
KIND_RUN = """
CREATE TABLE ledger_kind_run (
  kind_id BIGINT NOT NULL REFERENCES ledger_book_kind(id),
  what TEXT NOT NULL CHECK (what IN ('base', 'reset')),
  period TEXT NOT NULL,
  upto BIGINT NOT NULL,
  PRIMARY KEY (kind_id, what)
) WITHOUT_ROWID
"""


class Migration(HandWritten):
    dependencies = [("models", "0014_stock_keeping")]
    operations = [
        sql(BOOK_KIND, MAIN_KINDS, sqlite=PASSBOOK_SQLITE, postgres=PASSBOOK_POSTGRES),
        sql("ALTER TABLE ledger_account ADD COLUMN held WHOLE NOT NULL DEFAULT 0"),
        recheck(
            "ledger_account",
            "ledger_account_check1",
            "balance >= 0 OR COALESCE(system, '') = 'issued'",
            "held BETWEEN 0 AND balance OR (held = 0 AND COALESCE(system, '') LIKE 'issued%')",
        ),
        recheck(
            "ledger_entry",
            "ledger_entry_kind_check",
            "kind IN ('award', 'order', 'reversal', 'expiry', 'opening')",
            "kind IN ('award', 'opening', 'base', 'gift', 'order', 'expiry', 'reset', 'reversal', 'clawback', "
            "'transfer', 'donation', 'grant', 'adjustment', 'surplus')",
        ),
        sql(*OLD_LOTS, postgres=("DROP FUNCTION ledger_lot_use_append_only()", "DROP FUNCTION ledger_lot_kept()")),
        sql(
            LOT,
            LOT_USE,
            # Two, for NULLs are never alike to a unique index.
            "CREATE UNIQUE INDEX ledger_lot_bucket ON ledger_lot (account_id, expires_on, kind) "
            "WHERE match_percent IS NULL",
            "CREATE UNIQUE INDEX ledger_lot_gift ON ledger_lot (account_id, expires_on, match_percent) "
            "WHERE match_percent IS NOT NULL",
            *REBUILT_LOTS,
            "CREATE INDEX ledger_lot_live ON ledger_lot (account_id, expires_on, kind) WHERE remaining > 0",
            "CREATE INDEX ledger_lot_due ON ledger_lot (expires_on) WHERE remaining > 0",
            "CREATE INDEX ledger_lot_use_lot ON ledger_lot_use (lot_id)",
            HOLD,
            HOLD_LOT,
            KIND_RUN,
            # What a clawback could not take.
            "ALTER TABLE ledger_entry ADD COLUMN shortfall WHOLE CHECK (shortfall > 0)",
            "CREATE INDEX ledger_hold_open ON ledger_hold (account_id) WHERE state = 'open'",
        ),
        forbid("ledger_lot", "DELETE", "1 = 1", "kept"),
        append_only("ledger_lot_use"),
        forbid("ledger_book_kind", "DELETE", "1 = 1", "kept"),
        forbid("ledger_hold", "DELETE", "1 = 1", "kept"),
        forbid("ledger_hold", "UPDATE", "OLD.state <> 'open'", "final"),
        append_only("ledger_hold_lot"),
        *STATE,
    ]
