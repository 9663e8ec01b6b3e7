"""Recompute what lies on shelves from the moves of goods."""

from pointsbank.kit.checks import Check, Finding, Rows, broken

CHECKS: tuple[Check, ...] = (
    (
        2,
        "a good's stock differs from what is left in its lots",
        """
SELECT 'good ' || good.id, CAST(COALESCE(lots.remaining, 0) AS BIGINT), good.stock FROM stock_good good
  LEFT JOIN (SELECT good_id, SUM(remaining) AS remaining FROM stock_lot GROUP BY good_id) lots
         ON lots.good_id = good.id
 WHERE good.stock <> COALESCE(lots.remaining, 0)""",
    ),
    (
        3,
        "what is left of a lot differs from its moves",
        """
SELECT 'lot ' || lot.id, CAST(COALESCE(moved.quantity, 0) AS BIGINT), lot.remaining FROM stock_lot lot
  LEFT JOIN (SELECT lot_id, SUM(quantity) AS quantity FROM stock_move GROUP BY lot_id) moved ON moved.lot_id = lot.id
 WHERE lot.remaining <> COALESCE(moved.quantity, 0)""",
    ),
    (
        3,
        "a lot came with another number of pieces than it says",
        """
SELECT 'lot ' || lot.id, lot.quantity, CAST(COALESCE(came.quantity, 0) AS BIGINT) FROM stock_lot lot
  LEFT JOIN (SELECT lot_id, SUM(quantity) AS quantity FROM stock_move
              WHERE quantity > 0 AND kind IN ('receipt', 'count') GROUP BY lot_id) came ON came.lot_id = lot.id
 WHERE lot.quantity <> COALESCE(came.quantity, 0) OR lot.remaining NOT BETWEEN 0 AND lot.quantity""",
    ),
    (
        3,
        "a move is of a lot that is not there, or of another good",
        """
SELECT 'move ' || move.id, lot.good_id, move.good_id FROM stock_move move
  LEFT JOIN stock_lot lot ON lot.id = move.lot_id LEFT JOIN stock_good good ON good.id = move.good_id
 WHERE good.id IS NULL OR lot.good_id IS DISTINCT FROM move.good_id""",
    ),
    (
        6,
        "a loss differs from its move",
        """
SELECT 'loss ' || loss.id, -loss.quantity, move.quantity FROM stock_loss loss
  LEFT JOIN stock_move move ON move.kind = 'loss' AND move.source_id = loss.id
 WHERE move.quantity IS DISTINCT FROM -loss.quantity OR move.lot_id IS DISTINCT FROM loss.lot_id
UNION ALL
SELECT 'move ' || move.id, 0, move.quantity FROM stock_move move
  LEFT JOIN stock_loss loss ON loss.id = move.source_id WHERE move.kind = 'loss' AND loss.id IS NULL""",
    ),
    (
        6,
        "a count booked something else than the difference that it found",
        """
SELECT 'count ' || count_id || ', good ' || good_id, CAST(SUM(told) AS BIGINT), CAST(SUM(moved) AS BIGINT) FROM (
         SELECT line.count_id, line.good_id, line.counted - line.booked AS told, 0 AS moved
           FROM stock_count_line line JOIN stock_count it ON it.id = line.count_id AND it.state = 'done'
          WHERE line.counted IS NOT NULL
         UNION ALL SELECT source_id, good_id, 0, quantity FROM stock_move WHERE kind = 'count') AS sides
 GROUP BY count_id, good_id HAVING SUM(told) <> SUM(moved)""",
    ),
)


async def check(rows: Rows) -> list[Finding]:
    return await broken(rows, CHECKS, "stock")
