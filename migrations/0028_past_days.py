"""An adjustment may be for a past day."""

from ._lib import HandWritten, append_only, sql
from ._state_0028_past_days import STATE

PAST_DAY = """
CREATE TABLE ledger_past_day (
  id ID,
  voucher_id BIGINT NOT NULL UNIQUE REFERENCES ledger_voucher(id),
  day DAY NOT NULL
)
"""


class Migration(HandWritten):
    dependencies = [("models", "0027_months_each_kind")]
    operations = [sql(PAST_DAY), append_only("ledger_past_day"), *STATE]
