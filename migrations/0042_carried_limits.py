"""An order counts against the limits of each passbook that those who used them up have come to since."""

from ._lib import HandWritten, sql

# Beside the passbook that paid. Where it was a merge of two records that brought it, it goes when that is parted.
CARRIED = """
CREATE TABLE redemption_carried (
  order_id BIGINT NOT NULL REFERENCES redemption_order(id),
  account_id BIGINT NOT NULL REFERENCES ledger_account(id),
  merge_id BIGINT REFERENCES people_merge(id),
  PRIMARY KEY (order_id, account_id)
) WITHOUT_ROWID
"""


class Migration(HandWritten):
    dependencies = [("models", "0041_sealed_findings")]
    operations = [sql(CARRIED, "CREATE INDEX redemption_carried_account ON redemption_carried (account_id)")]
