"""How far each passbook is printed on paper."""

from ._lib import HandWritten, sql
from ._state_0008_paper import STATE

PAPER = """
CREATE TABLE ledger_paper (
  id ID,
  passbook_id BIGINT NOT NULL UNIQUE REFERENCES ledger_passbook(id),
  book WHOLE NOT NULL CHECK (book >= 1),
  page WHOLE NOT NULL CHECK (page >= 1),
  row_number WHOLE NOT NULL CHECK (row_number BETWEEN 0 AND 8),
  page_after WHOLE NOT NULL CHECK (page_after >= 0),
  last_move WHOLE NOT NULL CHECK (last_move >= page_after),
  printed_at MOMENT NOT NULL
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0007_stock_redemption")]
    operations = [sql(PAPER), *STATE]
