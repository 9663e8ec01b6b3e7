"""Points that follow whoever moves house."""

from ._lib import HandWritten, recheck, sql

ENTRY_KINDS = (
    "kind IN ('award', 'opening', 'base', 'gift', 'order', 'expiry', 'reset', 'reversal', 'clawback', "
    "'transfer', 'donation', 'grant', 'adjustment', 'surplus'{more})"
)
VOUCHERS = "what IN ('transfer', 'donation', 'grant', 'adjustment', 'reversal'{more})"


class Migration(HandWritten):
    dependencies = [("models", "0020_points_on_notices")]
    operations = [
        recheck(
            "ledger_entry",
            "ledger_entry_kind_check",
            ENTRY_KINDS.format(more=""),
            ENTRY_KINDS.format(more=", 'joining', 'estate'"),
        ),
        recheck(
            "ledger_voucher",
            "ledger_voucher_what_check",
            VOUCHERS.format(more=""),
            VOUCHERS.format(more=", 'joining', 'estate'"),
        ),
        sql(
            # One at a time is asked for.
            "CREATE UNIQUE INDEX ledger_voucher_estate ON ledger_voucher (from_id) "
            "WHERE state = 'asked' AND what = 'estate'",
        ),
    ]
