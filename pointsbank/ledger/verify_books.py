"""What `verify` asks of budgets, closed months, and what entries say they are for.

Each check selects what is wrong: where, expected, found.
"""

from pointsbank.kit.checks import Check
from pointsbank.ledger.queries_periods import KIND_OF

BOOKED_IN = """
  ledger_period period JOIN ledger_entry entry ON entry.community_id = period.community_id
   AND entry.booked_at >= period.starts_at AND entry.booked_at < period.ends_at AND period.closed_at IS NOT NULL
  JOIN ledger_move move ON move.entry_id = entry.id
"""
# The entry that a surplus's key names.
BROUGHT = """
CASE WHEN LTRIM(SUBSTR({0}.posting_key, 9), '0123456789') = '' AND LENGTH({0}.posting_key) BETWEEN 9 AND 26
     THEN CAST(SUBSTR({0}.posting_key, 9) AS BIGINT) END
"""
# What an award, an order or a deduction is for stands in another room, which looks itself.
SOURCES = f"""
SELECT 'entry ' || entry.id || ', ' || entry.kind || ' of ' || entry.source_room || ' ' || entry.source_kind, 0,
       entry.source_id FROM ledger_entry entry
  LEFT JOIN ledger_voucher voucher ON voucher.id = entry.source_id AND entry.source_kind = 'voucher'
  LEFT JOIN ledger_opening_list list ON list.id = entry.source_id AND entry.source_kind = 'opening_list'
  LEFT JOIN ledger_book_kind kind ON kind.id = entry.source_id AND entry.source_kind = 'book_kind'
  LEFT JOIN ledger_lot lot ON lot.id = entry.source_id AND entry.source_kind = 'lot'
  LEFT JOIN people_person person ON person.id = entry.source_id AND entry.source_kind = 'person'
  LEFT JOIN ledger_entry origin ON origin.id = CASE WHEN entry.kind <> 'surplus' THEN entry.reverses_id
        ELSE {BROUGHT.format("entry")} END
 WHERE entry.kind NOT IN ('award', 'order', 'deduction', 'gift')
   AND NOT COALESCE(CASE
         WHEN entry.kind IN ('reversal', 'clawback', 'surplus') THEN entry.source_room = origin.source_room
              AND entry.source_kind = origin.source_kind AND entry.source_id = origin.source_id
         WHEN entry.source_room = 'governance' THEN entry.kind = 'expiry' AND entry.reason = 'given_up'
              AND person.community_id = entry.community_id
         WHEN entry.source_room <> 'ledger' THEN FALSE
         WHEN entry.kind = 'expiry' THEN lot.id IS NOT NULL
         WHEN entry.kind = 'opening' THEN list.community_id = entry.community_id
         WHEN entry.kind IN ('base', 'reset') THEN kind.community_id = entry.community_id
         ELSE voucher.entry_id = entry.id END, FALSE)
"""
GIFTS = """
SELECT 'entry ' || entry.id, 1, 0 FROM ledger_entry entry
  LEFT JOIN ledger_voucher voucher ON voucher.entry_id = entry.id AND voucher.what = 'gift'
        AND entry.source_room = 'ledger' AND entry.source_kind = 'voucher' AND entry.source_id = voucher.id
 WHERE entry.kind = 'gift' AND voucher.id IS NULL
"""
LONE_SURPLUS = f"""
SELECT 'entry ' || back.id, 1, 0 FROM ledger_entry back
  JOIN ledger_entry surplus ON surplus.id = back.reverses_id AND surplus.kind = 'surplus'
  LEFT JOIN ledger_entry whole ON whole.reverses_id = {BROUGHT.format("surplus")}
 WHERE whole.id IS NULL
"""
# The database keeps both from happening, as long as nobody has told it not to.
TWICE = """
SELECT 'entry ' || MAX(id), 1, COUNT(*) FROM ledger_entry GROUP BY posting_key HAVING COUNT(*) > 1
"""
BACK_TWICE = """
SELECT 'entry ' || reverses_id, 1, COUNT(*) FROM ledger_entry
 WHERE reverses_id IS NOT NULL GROUP BY reverses_id HAVING COUNT(*) > 1
"""
CHECKS: tuple[Check, ...] = (
    (4, "a key was posted twice", TWICE),
    (6, "an entry was taken back twice", BACK_TWICE),
    (6, "a surplus came back without what brought it", LONE_SURPLUS),
    (17, "an entry is for something that is not there, or of another room", SOURCES),
    (17, "a gift went by no voucher", GIFTS),
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
