"""Compare orders with what they took: points in the ledger, goods on the shelf, and the counters of limits."""

from datetime import datetime

import msgspec

from pointsbank.kit.checks import SHOWN, Check, Finding, Rows, broken
from pointsbank.kit.clock import local_day

# What orders that stand have used: of a holder's day (good 0), and of each good in a month; where they were carried to,
# too.
USED = """
SELECT account_id, 0 AS good_id, day AS day, points AS used FROM redemption_order WHERE state = 'done'
UNION ALL SELECT it.account_id, line.good_id, it.day, line.quantity FROM redemption_order it
  JOIN redemption_order_line line ON line.order_id = it.id WHERE it.state = 'done'
UNION ALL SELECT carried.account_id, 0, it.day, it.points FROM redemption_carried carried
  JOIN redemption_order it ON it.id = carried.order_id WHERE it.state = 'done'
UNION ALL SELECT carried.account_id, line.good_id, it.day, line.quantity FROM redemption_carried carried
  JOIN redemption_order it ON it.id = carried.order_id JOIN redemption_order_line line ON line.order_id = it.id
 WHERE it.state = 'done'
"""
PERIOD = "SUBSTR(CAST({1} AS TEXT), 1, CASE WHEN {0} = 0 THEN 10 ELSE 7 END)"
CHECKS: tuple[Check, ...] = (
    (
        1,
        "an order has taken other points than it says, or from another passbook",
        """
SELECT 'order ' || it.id, it.points, move.points FROM redemption_order it
  LEFT JOIN ledger_entry entry ON entry.id = it.entry_id AND entry.source_room = 'redemption'
        AND entry.source_kind = 'order' AND entry.source_id = it.id
  LEFT JOIN ledger_move move ON move.entry_id = entry.id AND move.source_id = it.account_id
 WHERE move.points IS DISTINCT FROM it.points OR move.source_after IS DISTINCT FROM it.balance_after""",
    ),
    (
        1,
        "an entry is of an order that does not know it",
        """
SELECT 'entry ' || entry.id, 1, 0 FROM ledger_entry entry LEFT JOIN redemption_order it ON it.entry_id = entry.id
 WHERE entry.kind = 'order' AND it.id IS NULL""",
    ),
    (
        1,
        "an order costs something else than its lines",
        """
SELECT 'order ' || it.id, CAST(COALESCE(lines.points, 0) AS BIGINT), it.points FROM redemption_order it
  LEFT JOIN (SELECT order_id, SUM(points) AS points FROM redemption_order_line GROUP BY order_id) lines
         ON lines.order_id = it.id
 WHERE it.points <> COALESCE(lines.points, 0)""",
    ),
    (
        1,
        "an order's goods are not what left the shelf for it",
        """
SELECT 'order ' || order_id || ', good ' || good_id, CAST(SUM(told) AS BIGINT), CAST(SUM(taken) AS BIGINT) FROM (
         SELECT order_id, good_id, quantity AS told, 0 AS taken FROM redemption_order_line
         UNION ALL SELECT source_id, good_id, 0, -quantity FROM stock_move WHERE kind = 'order') AS sides
 GROUP BY order_id, good_id HAVING SUM(told) <> SUM(taken)""",
    ),
    (
        4,
        "an order that is undone has not given its points back",
        """
SELECT 'order ' || it.id, it.points, 0 FROM redemption_order it
  LEFT JOIN ledger_entry back ON back.reverses_id = it.entry_id AND back.kind = 'reversal'
 WHERE it.state = 'undone' AND back.id IS NULL""",
    ),
    (
        4,
        "an order that stands has given its points back",
        """
SELECT 'order ' || it.id, 0, it.points FROM redemption_order it
  JOIN ledger_entry back ON back.reverses_id = it.entry_id WHERE it.state <> 'undone'""",
    ),
    (
        4,
        "an order that is undone has not put its goods back, or one that stands has",
        """
SELECT 'order ' || order_id || ', lot ' || lot_id, CAST(SUM(taken) AS BIGINT), CAST(SUM(returned) AS BIGINT) FROM (
         SELECT move.source_id AS order_id, move.lot_id, -move.quantity AS taken, 0 AS returned FROM stock_move move
           JOIN redemption_order it ON it.id = move.source_id AND it.state = 'undone' WHERE move.kind = 'order'
         UNION ALL SELECT source_id, lot_id, 0, quantity FROM stock_move WHERE kind = 'put_back') AS sides
 GROUP BY order_id, lot_id HAVING SUM(taken) <> SUM(returned)""",
    ),
    (
        3,
        "a counter of limits differs from the orders that stand",
        f"""
SELECT 'account ' || account_id || ', good ' || good_id || ', ' || period, CAST(SUM(ordered) AS BIGINT),
       CAST(SUM(counted) AS BIGINT) FROM (
         SELECT account_id, good_id, {PERIOD.format("good_id", "day")} AS period, used AS ordered, 0 AS counted
           FROM ({USED}) AS orders
         UNION ALL SELECT account_id, good_id, {PERIOD.format("good_id", "period_start")}, 0, used
                     FROM redemption_limit_use) AS sides
 GROUP BY account_id, good_id, period HAVING SUM(ordered) <> SUM(counted)""",
    ),
    (
        7,
        "an order counts for a passbook that nobody can have come to, or after the merge was parted that brought it",
        """
SELECT 'order ' || carried.order_id || ', account ' || carried.account_id, 0, 1 FROM redemption_carried carried
  LEFT JOIN redemption_order it ON it.id = carried.order_id
  LEFT JOIN ledger_account account ON account.id = carried.account_id AND account.passbook_id IS NOT NULL
        AND account.community_id = it.community_id AND account.id <> it.account_id
  LEFT JOIN people_merge parted ON parted.id = carried.merge_id AND parted.separated_at IS NOT NULL
 WHERE account.id IS NULL OR parted.id IS NOT NULL""",
    ),
)


PAGE = 5_000
LAST = "SELECT COALESCE(MAX(id), 0) FROM redemption_order"
DAYS = """
SELECT it.id, it.day, entry.booked_at FROM redemption_order it JOIN ledger_entry entry ON entry.id = it.entry_id
 WHERE it.id > ? AND it.id <= ? ORDER BY it.id
"""
CARRIED = "SELECT order_id, account_id FROM redemption_carried"
# What the trail says of it, in the order in which it was done.
MOVED = """
SELECT it.verb, it.facts, account.id FROM trail_record it
  LEFT JOIN ledger_account account ON account.passbook_id = it.subject_id AND it.subject_kind = 'passbook'
 WHERE it.verb IN ('limits.carried', 'limits.parted') ORDER BY it.id
"""
OTHER_DAY = "an order is of another day than its entry, and counts for that one"
OTHER_WAY = "an order counts for other passbooks than those that it followed somebody to"


async def check(rows: Rows) -> list[Finding]:
    """The counters follow from orders, the orders' days from the ledger, and where they count from the trail."""
    return await broken(rows, CHECKS, "redemption") + await _days(rows) + await _followed(rows)


async def _days(rows: Rows) -> list[Finding]:
    findings: list[Finding] = []
    ((last,),) = await rows(LAST)
    for after in range(0, last, PAGE):
        for order_id, day, booked_at in await rows(DAYS, after, after + PAGE):
            moment = booked_at if isinstance(booked_at, datetime) else datetime.fromisoformat(booked_at)
            if str(day) != (booked := str(local_day(moment))):
                where = f"order {order_id}: expected {booked}, found {day}"
                findings.append(Finding(3, OTHER_DAY, where, "redemption"))
    return findings[:SHOWN]


async def _followed(rows: Rows) -> list[Finding]:
    stands = {(order_id, account_id) for order_id, account_id in await rows(CARRIED)}
    told: set[tuple[int, int]] = set()
    for verb, facts, account_id in await rows(MOVED):
        said = msgspec.json.decode(facts)
        if verb == "limits.carried":
            told |= {(order_id, account_id) for order_id in said["orders"]}
        elif "counted" in said:
            told -= {(order_id, from_id) for order_id, from_id in said["counted"]}
        else:  # as it was told once, without the accounts
            told = {one for one in told if one in stands or one[0] not in said["orders"]}
    return [
        Finding(7, OTHER_WAY, f"order {order_id}, account {account_id}", "redemption")
        for order_id, account_id in sorted(told ^ stands, key=str)[:SHOWN]
    ]
