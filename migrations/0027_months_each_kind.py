"""A closed month tells what passbooks and pot had for each kind of points, not one sum of all."""

from ._lib import HandWritten, append_only, recheck, sql

OUTSTANDING = """
CREATE TABLE ledger_outstanding (
  period_id BIGINT NOT NULL REFERENCES ledger_period(id),
  kind_id BIGINT NOT NULL REFERENCES ledger_book_kind(id),
  points WHOLE NOT NULL,
  PRIMARY KEY (period_id, kind_id)
) WITHOUT_ROWID
"""
# Months that were closed before: out of their closing balances, which every account has once it was moved.
CLOSED_BEFORE = """
INSERT INTO ledger_outstanding (period_id, kind_id, points)
SELECT period.id, kind.id, CAST(SUM(closing.points_in - closing.points_out) AS BIGINT)
  FROM ledger_period period
  JOIN ledger_period past ON past.community_id = period.community_id AND past.month <= period.month
  JOIN ledger_closing closing ON closing.period_id = past.id
  JOIN ledger_account account ON account.id = closing.account_id
  LEFT JOIN ledger_passbook book ON book.id = account.passbook_id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id OR (kind.community_id = account.community_id
       AND account.system = CASE kind.code WHEN 'points' THEN 'pot' ELSE 'pot@' || kind.code END)
 WHERE period.closed_at IS NOT NULL GROUP BY period.id, kind.id
"""


class Migration(HandWritten):
    dependencies = [("models", "0026_merges_agreed")]
    operations = [
        sql(OUTSTANDING, CLOSED_BEFORE),
        recheck(
            "ledger_period",
            "ledger_period_check1",
            "(closed_at IS NULL) = (outstanding IS NULL)",
            "starts_at <= upto",
        ),
        sql("ALTER TABLE ledger_period DROP COLUMN outstanding"),
        append_only("ledger_outstanding"),
    ]
