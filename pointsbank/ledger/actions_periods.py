"""Close months: first the month is shut, then its entries are counted day by day, then its balances are final."""

from datetime import date, timedelta

from pointsbank.kit import db
from pointsbank.kit.clock import start_of_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_seal as seals
from pointsbank.ledger import queries_periods as queries
from pointsbank.ledger import queries_seal
from pointsbank.ledger import rules_periods as rules
from pointsbank.ledger.queries import BOOKED_BETWEEN, booked_between
from pointsbank.ledger.queries_periods import KIND_OF
from pointsbank.ledger.rules_periods import AlreadyClosed, DayClosed, MonthNotOver
from pointsbank.trail import actions as trail

# The other half of the lock that each entry takes: waits for whoever is posting right now.
ALONE = "SELECT pg_advisory_xact_lock(1818521444, CAST(? AS INT))"
BEGIN = """
INSERT INTO ledger_period (community_id, month, starts_at, ends_at, upto, begun_by, begun_at)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (community_id, month) DO NOTHING RETURNING id
"""
CLAIM = "UPDATE ledger_period SET upto = ? WHERE id = ? AND upto = ? AND closed_at IS NULL"
SIDE = f"""
SELECT move.{{0}} AS account_id, {{1}} AS points_in, {{2}} AS points_out
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
 WHERE {BOOKED_BETWEEN}
"""
COUNT = f"""
INSERT INTO ledger_closing (account_id, period_id, points_in, points_out, balance)
SELECT side.account_id, CAST(? AS BIGINT), SUM(side.points_in), SUM(side.points_out),
       COALESCE((SELECT earlier.balance FROM ledger_closing earlier
                  WHERE earlier.account_id = side.account_id AND earlier.period_id < ?
                  ORDER BY earlier.period_id DESC LIMIT 1), 0) + SUM(side.points_in) - SUM(side.points_out)
  FROM ({SIDE.format("target_id", "move.points", "0")} UNION ALL
        {SIDE.format("source_id", "0", "move.points")}) AS side
 WHERE 1 = 1 GROUP BY side.account_id
ON CONFLICT (account_id, period_id) DO UPDATE SET points_in = ledger_closing.points_in + excluded.points_in,
  points_out = ledger_closing.points_out + excluded.points_out,
  balance = ledger_closing.balance + excluded.points_in - excluded.points_out
"""
FINISH = "UPDATE ledger_period SET closed_at = ?, head = ? WHERE id = ?"
# What the month before ended with, and what came and went in this one: in passbooks, and in the pot of each kind.
OUTSTANDING = f"""
INSERT INTO ledger_outstanding (period_id, kind_id, points)
SELECT CAST(? AS BIGINT), sums.kind_id, CAST(SUM(sums.points) AS BIGINT) FROM (
  SELECT {KIND_OF} AS kind_id, closing.points_in - closing.points_out AS points
    FROM ledger_closing closing JOIN ledger_account account ON account.id = closing.account_id
    LEFT JOIN ledger_passbook book ON book.id = account.passbook_id WHERE closing.period_id = ?
  UNION ALL
  SELECT kind_id, points FROM ledger_outstanding WHERE period_id = (
    SELECT before.id FROM ledger_period before JOIN ledger_period this ON this.id = ?
     WHERE before.community_id = this.community_id AND before.month < this.month ORDER BY before.month DESC LIMIT 1)
) AS sums WHERE sums.kind_id IS NOT NULL GROUP BY sums.kind_id
"""


async def close(tx: Tx, *, community_id: int, month: date) -> int:
    """Shut a month: from here on nothing is booked into it. `count` does the rest; returns the period."""
    assert month.day == 1
    if not db.current().is_sqlite:
        await tx.rows(ALONE, community_id)
    following = await queries.next_month(tx, community_id)
    if following is None:
        raise MonthNotOver
    rules.check_next(month, following, tx.now)
    await queries.check_counted(tx, community_id)
    starts_at = start_of_day(month)
    begun = await tx.row(
        BEGIN, community_id, month, starts_at, rules.ends_at(month), starts_at, tx.actor.person_id, tx.now
    )  # fmt: skip
    if begun is None:
        raise AlreadyClosed
    await seals.change(tx, what="period", row_id=begun["id"])
    await trail.record(tx, "month.shut", subject=("period", begun["id"]), month=month.isoformat())
    return int(begun["id"])


async def count(tx: Tx, *, period_id: int) -> int:
    """Count one more day of a month that was shut; returns 0 when all is counted and the month is closed.

    Whoever moves `upto` on has the day: two who come at once do not count it twice.
    """
    period = await queries.period_in(tx, period_id)
    if period.state == rules.CLOSED:
        return 0
    until = min(period.upto + timedelta(days=1), period.ends_at)
    if await tx.run(CLAIM, until, period_id, period.upto) != 1:
        return 1
    day = booked_between(period.community_id, period.upto, until)
    await tx.run(COUNT, period_id, period_id, *day, *day)
    if until < period.ends_at:
        return 1
    await tx.run(OUTSTANDING, period_id, period_id, period_id)
    head = await queries_seal.head_in(tx, period.community_id)
    await tx.run(FINISH, tx.now, head.shown if head.position else None, period_id)
    await seals.change(tx, what="period", row_id=period_id)
    await trail.record(tx, "month.closed", subject=("period", period_id), month=period.month.isoformat())
    return 0


async def require_open(tx: Tx, *, community_id: int, day: date) -> None:
    """For a day that somebody typed; refuses DayClosed."""
    if await queries.is_closed(tx, community_id, start_of_day(day)):
        raise DayClosed(day=day.isoformat())
