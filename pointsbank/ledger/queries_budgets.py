"""Read budgets, what points are worth, and how many are in passbooks."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import local_day, utc_day
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger.queries_kinds import denominations
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_budgets import Budget, worth
from pointsbank.ledger.rules_kinds import Denomination

RATES_MAX = 20
BUDGETS = """
SELECT id, community_id, year, programme, ceiling_points, ceiling_cents, cents_per_100, issued, made_at
  FROM ledger_budget
"""
BY_ID = BUDGETS + " WHERE id = ?"
OF_YEAR = BUDGETS + " WHERE year = ? AND community_id IN ({ids}) ORDER BY community_id, programme"
RATE = """
SELECT cents_per_100 FROM ledger_rate
 WHERE community_id = ? AND book_kind = ? AND from_day <= ? ORDER BY from_day DESC, id DESC LIMIT 1
"""
RATES = """
SELECT book_kind, from_day, cents_per_100, set_by, set_at FROM ledger_rate
 WHERE community_id = ? ORDER BY id DESC LIMIT ?
"""
# Points of a pot can be granted again, so somebody will want goods for them.
OWED = """
  LEFT JOIN ledger_passbook book ON book.id = account.passbook_id
  LEFT JOIN ledger_book_kind kind ON kind.id = book.kind_id
 WHERE (kind.code IS NOT NULL OR account.system = 'pot' OR account.system LIKE 'pot@%')
"""
KIND = "COALESCE(kind.code, CASE account.system WHEN 'pot' THEN 'points' ELSE SUBSTR(account.system, 5) END)"
MOVED = f"""
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
  JOIN ledger_account account ON account.id = move.{{side}} {OWED}
   AND entry.community_id = ? AND entry.utc_day >= ? AND entry.booked_at >= ?
"""
# One statement, so that what is posted meanwhile is in all sums or in none.
LIABILITIES = f"""
SELECT code, CAST(SUM(points) AS BIGINT) FROM (
  SELECT {KIND} AS code, account.balance AS points FROM ledger_account account {OWED} AND account.community_id = ?
  UNION ALL SELECT {KIND}, -move.points {MOVED.format(side="target_id")}
  UNION ALL SELECT {KIND}, move.points {MOVED.format(side="source_id")}) AS owed
 GROUP BY code
"""


class Rate(msgspec.Struct, frozen=True):
    book_kind: str
    from_day: date
    cents_per_100: int
    set_by: int | None
    set_at: datetime


class Liability(msgspec.Struct, frozen=True):
    """`rate` and `cents` are None for a day on which nobody had said what points of this kind are worth."""

    of: Denomination
    points: int
    rate: int | None

    @property
    def cents(self) -> int | None:
        return None if self.rate is None else worth(self.points, self.rate, self.of.decimals)


def _budget(found: Row) -> Budget:
    budget_id, community_id, year, programme, points, cents, rate, issued, made_at = found
    return Budget(budget_id, community_id, year, programme, points, cents, rate, issued, local_day(made_at))


async def budget_in(tx: Tx | None, budget_id: int) -> Budget | None:
    found = await (tx.row if tx is not None else db.row)(BY_ID, budget_id)
    return None if found is None else _budget(found)


async def budget(community_ids: Sequence[int], budget_id: int) -> Budget:
    found = await budget_in(None, budget_id)
    if found is None or found.community_id not in community_ids:
        raise NotFound
    return found


async def budgets_of(community_ids: Sequence[int], year: int) -> list[Budget]:
    sql = OF_YEAR.replace("{ids}", ", ".join("?" * len(community_ids)) or "NULL")
    return [_budget(found) for found in await db.rows(sql, year, *community_ids)]


async def room_in(tx: Tx, budget_id: int) -> int | None:
    """How many points a budget still takes; None once its year is over, since another budget counts then."""
    found = await budget_in(tx, budget_id)
    assert found is not None
    return None if found.year < local_day(tx.now).year else found.rest


async def rate_on(tx: Tx | None, community_id: int, day: date, book_kind: str = MAIN) -> int | None:
    """What 100 points of a kind are worth on a day, in cents."""
    found = await (tx.row if tx is not None else db.row)(RATE, community_id, book_kind, day)
    return None if found is None else int(found[0])


async def rates(community_id: int) -> list[Rate]:
    return [Rate(*found) for found in await db.rows(RATES, community_id, RATES_MAX)]


async def liabilities_at(community_id: int, moment: datetime, day: date) -> list[Liability]:
    """What the community owes its residents before a moment, at what points are worth on a day: the main kind first.

    From the balances of now back to the moment: a late day costs little, and an early one a walk through the books.
    """
    since = (community_id, utc_day(moment), moment)
    points = {found[0]: int(found[1]) for found in await db.slow_rows(LIABILITIES, community_id, *since, *since)}
    lines = []
    for code, of in (await denominations(None, community_id)).items():
        line = Liability(of, points.get(code, 0), await rate_on(None, community_id, day, code))
        if code == MAIN or line.points or line.rate is not None:
            lines.append(line)
    return sorted(lines, key=lambda line: line.of.code != MAIN)


def cents_of(lines: Sequence[Liability]) -> int | None:
    """What all is worth together; None where nobody had said what any of it is worth."""
    known = [line.cents for line in lines if line.cents is not None]
    return sum(known) if known else None
