"""What `verify` asks of budgets. Each check selects what is wrong: where, expected, found."""

CHECKS: tuple[tuple[int, str, str], ...] = (
    (
        12,
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
        12,
        "a budget issues from an account that is not its own",
        """
SELECT 'account ' || account.id, budget.community_id, account.community_id
  FROM ledger_budget budget JOIN ledger_account account ON account.id = budget.account_id
 WHERE account.community_id <> budget.community_id
    OR account.system IS DISTINCT FROM 'issued:' || budget.year || ':' || budget.programme""",
    ),
    (
        12,
        "a budget has issued more than its ceiling",
        """
SELECT 'budget ' || id, COALESCE(ceiling_points, ceiling_cents * 100 / cents_per_100), issued FROM ledger_budget
 WHERE issued > ceiling_points OR issued * cents_per_100 > ceiling_cents * 100""",
    ),
)
