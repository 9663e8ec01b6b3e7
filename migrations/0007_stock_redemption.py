"""Goods on shelves, counters, visits and orders."""

from ._lib import HandWritten, append_only, forbid, sql
from ._state_0007_stock_redemption import STATE

OUTLET = """
CREATE TABLE redemption_outlet (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  name TEXT NOT NULL,
  hours TEXT NOT NULL,
  made_at MOMENT NOT NULL
)
"""

COUNTER = """
CREATE TABLE redemption_counter (
  id ID,
  outlet_id BIGINT NOT NULL REFERENCES redemption_outlet(id),
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  name TEXT NOT NULL,
  made_at MOMENT NOT NULL
)
"""

GOOD = """
CREATE TABLE stock_good (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  outlet_id BIGINT NOT NULL REFERENCES redemption_outlet(id),
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  barcode TEXT NOT NULL,
  points WHOLE NOT NULL CHECK (points BETWEEN 1 AND 1000000),
  monthly_max WHOLE CHECK (monthly_max > 0),
  low_at WHOLE NOT NULL,
  stock WHOLE NOT NULL CHECK (stock >= 0),
  state TEXT NOT NULL CHECK (state IN ('live', 'ended')),
  made_at MOMENT NOT NULL,
  UNIQUE (outlet_id, barcode)
)
"""

STOCK_LOT = """
CREATE TABLE stock_lot (
  id ID,
  good_id BIGINT NOT NULL REFERENCES stock_good(id),
  source TEXT NOT NULL CHECK (source IN ('donated', 'purchased', 'subsidised')),
  donor TEXT NOT NULL,
  unit_value_cents WHOLE NOT NULL CHECK (unit_value_cents >= 0),
  best_before DAY NOT NULL,
  quantity WHOLE NOT NULL CHECK (quantity > 0),
  remaining WHOLE NOT NULL,
  received_at MOMENT NOT NULL,
  CHECK (remaining BETWEEN 0 AND quantity)
)
"""

STOCK_MOVE = """
CREATE TABLE stock_move (
  id ID,
  good_id BIGINT NOT NULL REFERENCES stock_good(id),
  lot_id BIGINT NOT NULL REFERENCES stock_lot(id),
  quantity WHOLE NOT NULL CHECK (quantity <> 0),
  kind TEXT NOT NULL CHECK (kind IN ('receipt', 'order', 'put_back')),
  source_id BIGINT NOT NULL,
  moved_at MOMENT NOT NULL
)
"""

VISIT = """
CREATE TABLE redemption_visit (
  id ID,
  counter_id BIGINT NOT NULL REFERENCES redemption_counter(id),
  staff_id BIGINT NOT NULL REFERENCES people_person(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  account_id BIGINT NOT NULL REFERENCES ledger_account(id),
  code_kind TEXT NOT NULL CHECK (code_kind IN ('card', 'phone')),
  opened_at MOMENT NOT NULL,
  expires_at MOMENT NOT NULL
)
"""

ORDER = """
CREATE TABLE redemption_order (
  id ID,
  counter_id BIGINT NOT NULL REFERENCES redemption_counter(id),
  outlet_id BIGINT NOT NULL REFERENCES redemption_outlet(id),
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  visit_id BIGINT NOT NULL REFERENCES redemption_visit(id),
  staff_id BIGINT NOT NULL REFERENCES people_person(id),
  person_id BIGINT NOT NULL REFERENCES people_person(id),
  account_id BIGINT NOT NULL REFERENCES ledger_account(id),
  entry_id BIGINT UNIQUE REFERENCES ledger_entry(id),
  points WHOLE NOT NULL CHECK (points > 0),
  balance_after WHOLE CHECK (balance_after >= 0),
  day DAY NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('done', 'undone')),
  made_at MOMENT NOT NULL,
  undone_at MOMENT,
  undo_reason TEXT
)
"""

ORDER_LINE = """
CREATE TABLE redemption_order_line (
  id ID,
  order_id BIGINT NOT NULL REFERENCES redemption_order(id),
  good_id BIGINT NOT NULL REFERENCES stock_good(id),
  quantity WHOLE NOT NULL CHECK (quantity > 0),
  points WHOLE NOT NULL CHECK (points > 0)
)
"""

LIMIT_USE = """
CREATE TABLE redemption_limit_use (
  account_id BIGINT NOT NULL,
  good_id BIGINT NOT NULL,
  period_start DAY NOT NULL,
  used WHOLE NOT NULL CHECK (used >= 0),
  PRIMARY KEY (account_id, good_id, period_start)
) WITHOUT_ROWID
"""


class Migration(HandWritten):
    dependencies = [("models", "0006_events")]
    operations = [
        sql(
            OUTLET,
            COUNTER,
            GOOD,
            STOCK_LOT,
            STOCK_MOVE,
            VISIT,
            ORDER,
            ORDER_LINE,
            LIMIT_USE,
            "CREATE INDEX redemption_outlet_community ON redemption_outlet (community_id)",
            "CREATE INDEX redemption_counter_outlet ON redemption_counter (outlet_id)",
            "CREATE INDEX stock_good_community ON stock_good (community_id)",
            "CREATE INDEX stock_lot_live ON stock_lot (good_id, best_before, id) WHERE remaining > 0",
            "CREATE INDEX stock_move_source ON stock_move (kind, source_id)",
            "CREATE INDEX stock_move_good ON stock_move (good_id, id)",
            "CREATE INDEX redemption_order_counter ON redemption_order (counter_id, id)",
            "CREATE INDEX redemption_order_day ON redemption_order (community_id, day)",
            "CREATE INDEX redemption_order_person ON redemption_order (person_id, id)",
            "CREATE INDEX redemption_order_line_order ON redemption_order_line (order_id)",
        ),
        append_only("stock_move"),
        append_only("redemption_order_line"),
        forbid("redemption_order", "DELETE", "1 = 1", "kept"),
        forbid("stock_lot", "DELETE", "1 = 1", "kept"),
        *STATE,
    ]
