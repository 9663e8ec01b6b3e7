"""Gifts are vouchers, too: what goes with a hundred earned points, and which were asked for together."""

from ._lib import HandWritten, append_only, recheck, sql
from ._state_0025_gifts import STATE

GIFT = """
CREATE TABLE ledger_gift (
  id ID,
  voucher_id BIGINT NOT NULL UNIQUE REFERENCES ledger_voucher(id),
  match_percent WHOLE NOT NULL CHECK (match_percent BETWEEN 1 AND 1000),
  batch_id BIGINT NOT NULL REFERENCES ledger_voucher(id)
)
"""
VOUCHERS = "what IN ('transfer', 'donation', 'grant', 'adjustment', 'reversal', 'joining', 'estate', 'clawback'{more})"


class Migration(HandWritten):
    dependencies = [("models", "0024_clawbacks")]
    operations = [
        recheck(
            "ledger_voucher", "ledger_voucher_what_check", VOUCHERS.format(more=""), VOUCHERS.format(more=", 'gift'")
        ),
        sql(GIFT, "CREATE INDEX ledger_gift_batch ON ledger_gift (batch_id)"),
        append_only("ledger_gift"),
        *STATE,
    ]
