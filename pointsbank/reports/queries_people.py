"""SQL across rooms about one person or household, for reading only."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.redemption.rules import order_number

SHOWN = 20


class Bought(msgspec.Struct, frozen=True):
    order_id: int
    day: date
    points: int
    state: str
    made_at: datetime
    what: str

    @property
    def number(self) -> str:
        return order_number(self.order_id, self.day)


class Earned(msgspec.Struct, frozen=True):
    """An award of a person, whatever became of it."""

    award_id: int
    what: str
    points: int
    state: str
    began_at: datetime
    unit: str
    decimals: int


class Grant(msgspec.Struct, frozen=True):
    role: str
    place: str


ORDERS = """
SELECT purchase.id, purchase.day, purchase.points, purchase.state, purchase.made_at, good.name, line.quantity
  FROM redemption_order purchase JOIN redemption_order_line line ON line.order_id = purchase.id
  JOIN stock_good good ON good.id = line.good_id
 WHERE purchase.id IN (SELECT id FROM redemption_order WHERE person_id IN ({people}) ORDER BY id DESC LIMIT ?)
 ORDER BY purchase.id DESC, line.id
"""
AWARDS = """
SELECT award.id, act.what, award.points, award.state, act.began_at, kind.unit, kind.decimals
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
  JOIN ledger_passbook book ON book.id = award.passbook_id JOIN ledger_book_kind kind ON kind.id = book.kind_id
 WHERE award.person_id IN ({people}) ORDER BY award.id DESC LIMIT ?
"""
GRANTS = """
SELECT g.role, p.name FROM people_role_grant g JOIN people_place p ON p.id = g.place_id
 WHERE g.person_id = ? AND g.ended_at IS NULL ORDER BY g.id
"""


async def orders(person_ids: Sequence[int], limit: int = SHOWN) -> list[Bought]:
    """What a person fetched at counters, the last first; goods in one text."""
    found: dict[int, Bought] = {}
    sql = _among(ORDERS, person_ids)
    for order_id, day, points, state, made_at, name, quantity in await db.rows(sql, *person_ids, limit):
        before = found.get(order_id)
        what = f"{name}×{quantity}"
        when = day if isinstance(day, date) else date.fromisoformat(day)
        what = what if before is None else f"{before.what}，{what}"
        found[order_id] = Bought(order_id, when, points, state, made_at, what)
    return list(found.values())


async def awards(person_ids: Sequence[int], limit: int = SHOWN) -> list[Earned]:
    found = await db.rows(_among(AWARDS, person_ids), *person_ids, limit)
    return [Earned(*one) for one in found]


async def grants(person_id: int) -> list[Grant]:
    return [Grant(*found) for found in await db.rows(GRANTS, person_id)]


def _among(sql: str, person_ids: Sequence[int]) -> str:
    assert person_ids
    return sql.replace("{people}", ", ".join("?" * len(person_ids)))
