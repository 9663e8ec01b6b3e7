"""What `verify` asks of budgets and closed months. Each check selects what is wrong: where, expected, found."""

from pointsbank.kit.checks import Check
from pointsbank.ledger.queries_periods import KIND_OF

BOOKED_IN = """
  ledger_period period JOIN ledger_entry entry ON entry.community_id = period.community_id
   AND entry.booked_at >= period.starts_at AND entry.booked_at < period.ends_at AND period.closed_at IS NOT NULL
  JOIN ledger_move move ON move.entry_id = entry.id
"""
CHECKS: tuple[Check, ...] = (
    (
        16,
        "a closed passbook holds points, or was moved after it was closed",
        """
SELECT 'account ' || account.id, 0, account.balance + account.held FROM ledger_account account
 WHERE account.closed_at IS NOT NULL
   AND (account.balance <> 0 OR account.held <> 0
        OR EXISTS (SELECT 1 FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
                    WHERE move.source_id = account.id AND move.source_after IS NOT NULL
                      AND entry.booked_at > account.closed_at)
        OR EXISTS (SELECT 1 FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
                    WHERE move.target_id = account.id AND move.target_after IS NOT NULL
                      AND entry.booked_at > account.closed_at))""",
    ),
    (
        13,
        "what a budget has issued differs from the moves of its account",
        """
SELECT 'budget ' || budget.year || ' ' || budget.programme || ', community ' || budget.community_id,
       COALESCE(moved.points, 0), budget.issued
  FROM ledger_budget budget LEFT JOIN (SELECT account_id, SUM(points) AS points FROM (
         SELECT source_id AS account_id, points FROM ledger_move
         UNION ALL SELECT target_id, -points FROM ledger_move) AS sides GROUP BY account_id) moved
    ON moved.account_id = budget.account_id
 WHERE budget.issued <> COALESCE(moved.points, 0)""",
    ),
    (
        13,
        "a budget issues from an account that is not its own",
        """
SELECT 'account ' || account.id, budget.community_id, account.community_id
  FROM ledger_budget budget JOIN ledger_account account ON account.id = budget.account_id
 WHERE account.community_id <> budget.community_id
    OR account.system IS DISTINCT FROM 'issued:' || budget.year || ':' || budget.programme""",
    ),
    (
        13,
        "a budget has issued more than its ceiling",
        """
SELECT 'budget ' || id, COALESCE(ceiling_points, ceiling_cents * 100 / cents_per_100), issued FROM ledger_budget
 WHERE issued > ceiling_points OR issued * cents_per_100 > ceiling_cents * 100""",
    ),
    (
        14,
        "a closed month says something else than what was booked in it",
        f"""
SELECT 'period ' || period_id || ', account ' || account_id, CAST(SUM(moved_in) - SUM(moved_out) AS BIGINT),
       CAST(SUM(points_in) - SUM(points_out) AS BIGINT) FROM (
         SELECT period.id AS period_id, move.target_id AS account_id, move.points AS moved_in, 0 AS moved_out,
                0 AS points_in, 0 AS points_out FROM {BOOKED_IN}
         UNION ALL SELECT period.id, move.source_id, 0, move.points, 0, 0 FROM {BOOKED_IN}
         UNION ALL SELECT closing.period_id, closing.account_id, 0, 0, closing.points_in, closing.points_out
                     FROM ledger_closing closing JOIN ledger_period period
                       ON period.id = closing.period_id AND period.closed_at IS NOT NULL) AS sides
 GROUP BY period_id, account_id HAVING SUM(moved_in) <> SUM(points_in) OR SUM(moved_out) <> SUM(points_out)""",
    ),
    (
        14,
        "a closing balance does not follow from the one before it",
        """
SELECT 'period ' || period_id || ', account ' || account_id, before + points_in - points_out, balance FROM (
         SELECT closing.*, COALESCE(LAG(balance) OVER (PARTITION BY account_id ORDER BY period_id), 0) AS before
           FROM ledger_closing closing) AS closings
 WHERE balance <> before + points_in - points_out""",
    ),
    (
        14,
        "a closed month tells another sum of a kind's passbooks than its closing balances",
        f"""
SELECT 'period ' || period_id || ', kind ' || kind_id, CAST(SUM(booked) AS BIGINT), CAST(SUM(told) AS BIGINT) FROM (
         SELECT period.id AS period_id, past.kind_id, SUM(past.points) AS booked, 0 AS told, 1 AS side
           FROM ledger_period period JOIN (
                SELECT of.community_id, of.month, {KIND_OF} AS kind_id,
                       SUM(closing.points_in - closing.points_out) AS points
                  FROM ledger_closing closing JOIN ledger_period of ON of.id = closing.period_id
                  JOIN ledger_account account ON account.id = closing.account_id
                  LEFT JOIN ledger_passbook book ON book.id = account.passbook_id
                 GROUP BY of.community_id, of.month, {KIND_OF}) past
             ON past.community_id = period.community_id AND past.month <= period.month AND past.kind_id IS NOT NULL
          WHERE period.closed_at IS NOT NULL GROUP BY period.id, past.kind_id
         UNION ALL SELECT period_id, kind_id, 0, points, -1 FROM ledger_outstanding) AS sides
 GROUP BY period_id, kind_id HAVING SUM(booked) <> SUM(told) OR SUM(side) <> 0""",
    ),
    (
        14,
        "a closed month is not counted to its end, or does not begin where the one before ended",
        """
SELECT 'period ' || id, 0, 0 FROM (
         SELECT period.*, LAG(ends_at) OVER (PARTITION BY community_id ORDER BY month) AS before
           FROM ledger_period period) AS periods
 WHERE (closed_at IS NOT NULL AND upto <> ends_at) OR upto < starts_at OR upto > ends_at OR before <> starts_at""",
    ),
)
