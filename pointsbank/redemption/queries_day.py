"""Read what one counter gave out on one day."""

from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.redemption import rules
from pointsbank.redemption.queries import Counter


class DayOrder(msgspec.Struct):
    order_id: int
    person_id: int
    staff_id: int
    points: int
    is_undone: bool
    made_at: datetime
    day: date
    goods: list[tuple[str, int]]

    @property
    def number(self) -> str:
        return rules.order_number(self.order_id, self.day)


class GoodGiven(msgspec.Struct):
    """`stock` is what the books say lies there now."""

    name: str
    unit: str
    stock: int
    pieces: int = 0
    points: int = 0


class Day(msgspec.Struct, frozen=True):
    """Sums leave out what was taken back."""

    orders: list[DayOrder]
    goods: list[GoodGiven]

    @property
    def count(self) -> int:
        return sum(not order.is_undone for order in self.orders)

    @property
    def points(self) -> int:
        return sum(order.points for order in self.orders if not order.is_undone)

    @property
    def pieces(self) -> int:
        return sum(good.pieces for good in self.goods)


# By community and day, for which there is an index, and then by counter; one statement, so that sums and lines agree.
OF_DAY = """
SELECT made.id, made.person_id, made.staff_id, made.points, made.state = 'undone', made.made_at, good.id, good.name,
       good.unit, good.stock, line.quantity, line.points
  FROM redemption_order made JOIN redemption_order_line line ON line.order_id = made.id
  JOIN stock_good good ON good.id = line.good_id
 WHERE made.community_id = ? AND made.day = ? AND made.counter_id = ? ORDER BY made.id, line.id
"""


async def day_of(counter: Counter, day: date) -> Day:
    orders: dict[int, DayOrder] = {}
    goods: dict[int, GoodGiven] = {}
    for found in await db.slow_rows(OF_DAY, counter.community_id, day, counter.counter_id):
        order_id, person_id, staff_id, total, is_undone, made_at, good_id, name, unit, stock, quantity, points = found
        order = orders.setdefault(
            order_id, DayOrder(order_id, person_id, staff_id, total, bool(is_undone), made_at, day, [])
        )
        order.goods.append((name, quantity))
        if not order.is_undone:
            given = goods.setdefault(good_id, GoodGiven(name, unit, stock))
            given.pieces += quantity
            given.points += points
    return Day(list(orders.values()), sorted(goods.values(), key=lambda given: given.name))
