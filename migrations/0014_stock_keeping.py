"""Photos of goods, counts of the shelf, and what is written off."""

from ._lib import HandWritten, append_only, forbid, recheck, sql
from ._state_0014_stock_keeping import STATE

PHOTO = """
CREATE TABLE stock_photo (
  id ID,
  token TEXT NOT NULL UNIQUE,
  good_id BIGINT NOT NULL UNIQUE REFERENCES stock_good(id),
  picture BLOB NOT NULL,
  thumbnail BLOB NOT NULL,
  added_at MOMENT NOT NULL
)
"""

COUNT = """
CREATE TABLE stock_count (
  id ID,
  community_id BIGINT NOT NULL REFERENCES people_community(id),
  outlet_id BIGINT NOT NULL REFERENCES redemption_outlet(id),
  state TEXT NOT NULL CHECK (state IN ('open', 'done', 'dropped')),
  opened_by BIGINT REFERENCES people_person(id),
  opened_at MOMENT NOT NULL,
  ended_by BIGINT REFERENCES people_person(id),
  ended_at MOMENT
)
"""

COUNT_LINE = """
CREATE TABLE stock_count_line (
  id ID,
  count_id BIGINT NOT NULL REFERENCES stock_count(id),
  good_id BIGINT NOT NULL REFERENCES stock_good(id),
  counted WHOLE CHECK (counted >= 0),
  booked WHOLE CHECK (booked >= 0),
  reason TEXT NOT NULL,
  UNIQUE (count_id, good_id)
)
"""

LOSS = """
CREATE TABLE stock_loss (
  id ID,
  good_id BIGINT NOT NULL REFERENCES stock_good(id),
  lot_id BIGINT NOT NULL REFERENCES stock_lot(id),
  quantity WHOLE NOT NULL CHECK (quantity > 0),
  reason TEXT NOT NULL CHECK (reason IN ('expired', 'damaged', 'recalled', 'other')),
  person_id BIGINT REFERENCES people_person(id),
  written_at MOMENT NOT NULL
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0013_roster_import")]
    operations = [
        sql(
            PHOTO,
            COUNT,
            COUNT_LINE,
            LOSS,
            "ALTER TABLE stock_good ADD COLUMN photo TEXT NOT NULL DEFAULT ''",
            # Of one outlet one count is open, whoever opens another at the same time.
            "CREATE UNIQUE INDEX stock_count_open ON stock_count (outlet_id) WHERE state = 'open'",
            "CREATE INDEX stock_count_community ON stock_count (community_id, id)",
            "CREATE INDEX stock_loss_good ON stock_loss (good_id)",
        ),
        append_only("stock_loss"),
        forbid("stock_count", "DELETE", "1 = 1", "kept"),
        recheck(
            "stock_move",
            "stock_move_kind_check",
            "kind IN ('receipt', 'order', 'put_back')",
            "kind IN ('receipt', 'order', 'put_back', 'count', 'loss')",
        ),
        recheck(
            "stock_lot",
            "stock_lot_source_check",
            "source IN ('donated', 'purchased', 'subsidised')",
            "source IN ('donated', 'purchased', 'subsidised', 'found')",
        ),
        *STATE,
    ]
