"""Read counters, visits and orders."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import month_start
from pointsbank.kit.errors import NotFound
from pointsbank.redemption import rules


class Counter(msgspec.Struct, frozen=True):
    """`unit` and `decimals` say how the points that it takes are written."""

    counter_id: int
    name: str
    outlet_id: int
    outlet_name: str
    hours: str
    community_id: int
    unit: str
    decimals: int


class Outlet(msgspec.Struct, frozen=True):
    outlet_id: int
    name: str
    hours: str


class DaySum(msgspec.Struct, frozen=True):
    orders: int
    points: int


class Visit(msgspec.Struct, frozen=True):
    visit_id: int
    person_id: int
    account_id: int
    code_kind: str


class OrderLine(msgspec.Struct, frozen=True):
    name: str
    unit: str
    quantity: int
    points: int


class Order(msgspec.Struct, frozen=True):
    order_id: int
    counter_id: int
    counter_name: str
    outlet_name: str
    community_id: int
    staff_id: int
    person_id: int
    account_id: int
    points: int
    balance_after: int
    state: str
    made_at: datetime
    day: date
    undone_at: datetime | None
    undo_reason: str | None
    unit: str
    decimals: int
    lines: list[OrderLine]

    @property
    def number(self) -> str:
        return rules.order_number(self.order_id, self.day)

    @property
    def pieces(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def balance_before(self) -> int:
        return self.balance_after + self.points


COUNTER = """
SELECT counter.id, counter.name, outlet.id AS outlet_id, outlet.name AS outlet_name, outlet.hours, counter.community_id,
       kind.unit, kind.decimals
  FROM redemption_counter counter JOIN redemption_outlet outlet ON outlet.id = counter.outlet_id
  JOIN ledger_book_kind kind ON kind.community_id = counter.community_id AND kind.code = 'points'
"""


async def counter(community_ids: Sequence[int], counter_id: int) -> Counter:
    found = await db.row(f"{COUNTER} WHERE counter.id = ?", counter_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return Counter(*found)


async def counters(community_id: int) -> list[Counter]:
    found = await db.rows(f"{COUNTER} WHERE counter.community_id = ? ORDER BY counter.id", community_id)
    return [Counter(*one) for one in found]


OUTLETS = "SELECT id, name, hours FROM redemption_outlet WHERE community_id = ? ORDER BY id"


async def outlets(community_id: int) -> list[Outlet]:
    return [Outlet(*found) for found in await db.rows(OUTLETS, community_id)]


# By community and day, for which there is an index, and then by counter.
DAY_SUM = """
SELECT COUNT(*), COALESCE(SUM(points), 0) FROM redemption_order
 WHERE community_id = ? AND day = ? AND counter_id = ? AND state = 'done'
"""


async def day_sum(of: Counter, day: date) -> DaySum:
    found = await db.row(DAY_SUM, of.community_id, day, of.counter_id)
    assert found is not None
    return DaySum(int(found[0]), int(found[1]))


VISIT = """
SELECT id, person_id, account_id, code_kind FROM redemption_visit
 WHERE id = ? AND counter_id = ? AND staff_id = ? AND expires_at > ?
"""


async def visit(visit_id: int, *, counter_id: int, staff_id: int, now: datetime) -> Visit | None:
    """Return a visit that may still order here."""
    found = await db.row(VISIT, visit_id, counter_id, staff_id, now)
    return Visit(*found) if found is not None else None


USED = "SELECT used FROM redemption_limit_use WHERE account_id = ? AND good_id = 0 AND period_start = ?"
USED_GOODS = "SELECT good_id, used FROM redemption_limit_use WHERE account_id = ? AND good_id > 0 AND period_start = ?"


async def points_used(account_id: int, day: date) -> int:
    """Return how many points were redeemed on a day."""
    found = await db.row(USED, account_id, day)
    return int(found["used"]) if found is not None else 0


async def pieces_used(account_id: int, day: date) -> dict[int, int]:
    """Return pieces by good that were redeemed in the month of a day."""
    found = await db.rows(USED_GOODS, account_id, month_start(day))
    return {row["good_id"]: row["used"] for row in found}


ORDER = """
SELECT purchase.id, purchase.counter_id, counter.name AS counter_name, outlet.name AS outlet_name,
       purchase.community_id, purchase.staff_id, purchase.person_id, purchase.account_id, purchase.points,
       purchase.balance_after, purchase.state, purchase.made_at, purchase.day, purchase.undone_at,
       purchase.undo_reason, kind.unit, kind.decimals
  FROM redemption_order purchase JOIN redemption_counter counter ON counter.id = purchase.counter_id
  JOIN redemption_outlet outlet ON outlet.id = purchase.outlet_id
  JOIN ledger_account account ON account.id = purchase.account_id
  JOIN ledger_passbook book ON book.id = account.passbook_id JOIN ledger_book_kind kind ON kind.id = book.kind_id
"""
LINES = """
SELECT good.name, good.unit, line.quantity, line.points
  FROM redemption_order_line line JOIN stock_good good ON good.id = line.good_id
 WHERE line.order_id = ? ORDER BY line.id
"""


async def order(community_ids: Sequence[int], order_id: int) -> Order:
    found = await db.row(f"{ORDER} WHERE purchase.id = ?", order_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    values = [*found, await _lines(order_id)]
    return Order(*values)


async def last_order(counter_id: int) -> Order | None:
    """Return the newest order of a counter, undone or not."""
    found = await db.row(f"{ORDER} WHERE purchase.counter_id = ? ORDER BY purchase.id DESC LIMIT 1", counter_id)
    if found is None:
        return None
    values = [*found, await _lines(found["id"])]
    return Order(*values)


async def _lines(order_id: int) -> list[OrderLine]:
    return [OrderLine(*line) for line in await db.rows(LINES, order_id)]
