"""What the clients were told, and whether the database says the same."""

from collections import Counter
from dataclasses import dataclass, field

from pointsbank.kit import db
from pointsbank.ledger import verify

ORDERS = "SELECT id, points, state FROM redemption_order"
ATTENDANCES = "SELECT id, CASE WHEN out_at IS NULL THEN 0 ELSE 1 END FROM events_attendance"
SHELVES = """
SELECT good.id FROM stock_good good JOIN stock_lot lot ON lot.good_id = good.id
 GROUP BY good.id, good.stock HAVING good.stock <> SUM(lot.remaining)
"""
LOTS = """
SELECT lot.id FROM stock_lot lot JOIN stock_move move ON move.lot_id = lot.id
 GROUP BY lot.id, lot.remaining HAVING lot.remaining <> SUM(move.quantity)
"""
LIMITS = """
SELECT (SELECT COALESCE(SUM(used), 0) FROM redemption_limit_use WHERE good_id = 0)
       - (SELECT COALESCE(SUM(points), 0) FROM redemption_order WHERE state = 'done')
"""
PIECES = """
SELECT (SELECT COALESCE(SUM(line.quantity), 0) FROM redemption_order_line line
          JOIN redemption_order made ON made.id = line.order_id WHERE made.state = 'done')
       + (SELECT COALESCE(SUM(quantity), 0) FROM stock_move WHERE kind <> 'receipt')
"""


@dataclass
class Book:
    orders: dict[int, int] = field(default_factory=dict)
    undone: set[int] = field(default_factory=set)
    came: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    surprises: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        return len(self.orders) + len(self.undone) + len(self.came) + len(self.left)

    async def lost(self) -> list[str]:
        """What was acknowledged and is not in the open database."""
        orders = {order_id: (points, state) for order_id, points, state in await db.slow_rows(ORDERS)}
        attendances = dict(map(tuple, await db.slow_rows(ATTENDANCES)))
        lost = [f"order {each}" for each, points in self.orders.items() if orders.get(each, (0, ""))[0] != points]
        lost += [f"undo of order {each}" for each in self.undone if orders.get(each, (0, ""))[1] != "undone"]
        lost += [f"check-in {each}" for each in self.came if each not in attendances]
        lost += [f"check-out {each}" for each in self.left if not attendances.get(each)]
        return lost

    async def doubled(self) -> list[str]:
        """What is in the open database although nobody was told of it, once all requests have been answered."""
        orders = {order_id: state for order_id, _, state in await db.slow_rows(ORDERS)}
        attendances = dict(map(tuple, await db.slow_rows(ATTENDANCES)))
        undone = {order_id for order_id, state in orders.items() if state == "undone"}
        left = {attendance_id for attendance_id, has_left in attendances.items() if has_left}
        extra = [f"order {each}" for each in orders.keys() - self.orders.keys()]
        extra += [f"undo of order {each}" for each in undone - self.undone]
        extra += [f"check-in {each}" for each in attendances.keys() - self.came]
        extra += [f"check-out {each}" for each in left - self.left]
        return extra


async def faults() -> list[str]:
    """What is wrong with the open database by itself: the books, the shelves, the limits, the file."""
    report = await verify.verify()
    found = [str(finding) for finding in report.findings]
    for what, sql in (("shelf", SHELVES), ("lot", LOTS)):
        found += [f"{what} {each}" for (each,) in await db.slow_rows(sql)]
    for what, sql in (("points of a day", LIMITS), ("pieces", PIECES)):
        ((difference,),) = await db.slow_rows(sql)
        if difference:
            found.append(f"{what} differ by {difference}")
    if db.current().is_sqlite:
        found += [said for (said,) in await db.slow_rows("PRAGMA integrity_check") if said != "ok"]
    return found
