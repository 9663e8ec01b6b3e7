"""Vouchers of clawbacks, where a reversal is not covered."""

from ._lib import HandWritten, recheck

VOUCHERS = "what IN ('transfer', 'donation', 'grant', 'adjustment', 'reversal', 'joining', 'estate'{more})"


class Migration(HandWritten):
    dependencies = [("models", "0023_each_kind")]
    operations = [
        recheck(
            "ledger_voucher",
            "ledger_voucher_what_check",
            VOUCHERS.format(more=""),
            VOUCHERS.format(more=", 'clawback'"),
        ),
    ]
