"""Read goods, lots and shelves."""

import functools
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.stock import rules

GOODS_MAX = 500
LOTS_MAX = 50


class Good(msgspec.Struct, frozen=True):
    good_id: int
    community_id: int
    outlet_id: int
    name: str
    unit: str
    barcode: str
    points: int
    monthly_max: int | None
    low_at: int
    stock: int
    state: str
    photo: str

    @property
    def is_live(self) -> bool:
        return self.state == "live"


class StockedGood(msgspec.Struct, frozen=True):
    """A line of the stock list; `past` are pieces whose best-before day has gone by, and which nobody gets."""

    good: Good
    past: int
    next_best_before: date | None

    @property
    def fresh(self) -> int:
        return self.good.stock - self.past

    @property
    def is_low(self) -> bool:
        return self.fresh <= self.good.low_at


class Lot(msgspec.Struct, frozen=True):
    lot_id: int
    source: str
    donor: str
    unit_value_cents: int
    best_before: date
    quantity: int
    remaining: int
    received_at: datetime


class Outlet(msgspec.Struct, frozen=True):
    outlet_id: int
    name: str


def among(column: str, values: Sequence[Any]) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})" if values else "1 = 0"


GOOD = """
SELECT id, community_id, outlet_id, name, unit, barcode, points, monthly_max, low_at, stock, state, photo
  FROM stock_good
"""
# What people are shown as there: pieces past their day are still in the books, and nobody gets them.
FRESH = """
SELECT id, community_id, outlet_id, name, unit, barcode, points, monthly_max, low_at,
       stock - COALESCE((SELECT CAST(SUM(remaining) AS BIGINT) FROM stock_lot
                          WHERE good_id = stock_good.id AND remaining > 0 AND best_before < ?), 0),
       state, photo
  FROM stock_good
"""


async def shelf(tx: Tx | None, *, outlet_id: int, good_ids: Sequence[int], barcodes: Sequence[str] = ()) -> list[Good]:
    """Return those of the named goods that this outlet carries and still offers; unknown ones are simply missing."""
    if not good_ids and not barcodes:
        return []
    plain = [rules.plain_barcode(barcode) for barcode in barcodes]
    rows = tx.rows if tx is not None else db.rows
    sql = _shelf_sql(len(good_ids), len(barcodes))
    return [Good(*found) for found in await rows(sql, outlet_id, *good_ids, *plain)]


@functools.cache
def _shelf_sql(ids: int, barcodes: int) -> str:
    # Only what is asked for: beside `OR 1 = 0` SQLite looks through the whole shelf.
    named = [among(column, range(many)) for column, many in (("id", ids), ("barcode", barcodes)) if many]
    return f"{GOOD} WHERE outlet_id = ? AND state = 'live' AND ({' OR '.join(named)}) ORDER BY id"


ON_SHELF = f"{FRESH} WHERE outlet_id = ? AND state = 'live' ORDER BY points, id LIMIT {GOODS_MAX}"
IN_HAND = f"{FRESH} WHERE outlet_id = ? AND state = 'live' AND "


async def on_shelf(outlet_id: int, today: date) -> list[Good]:
    """Return all that an outlet offers, cheapest first, also what is out of stock; `stock` is what may be given out."""
    return [Good(*found) for found in await db.rows(ON_SHELF, today, outlet_id)]


async def in_hand(outlet_id: int, good_ids: Sequence[int], today: date) -> list[Good]:
    """Return those of the goods that the outlet still offers; `stock` is what may be given out."""
    sql = f"{IN_HAND} {among('id', good_ids)} ORDER BY id"
    return [Good(*found) for found in await db.rows(sql, today, outlet_id, *good_ids)]


async def good(community_ids: Sequence[int], good_id: int) -> Good:
    found = await db.row(f"{GOOD} WHERE id = ?", good_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return Good(*found)


async def good_by_barcode(community_ids: Sequence[int], barcode: str) -> Good | None:
    sql = f"{GOOD} WHERE {among('community_id', community_ids)} AND barcode = ? ORDER BY state DESC, id LIMIT 1"
    found = await db.row(sql, *community_ids, rules.plain_barcode(barcode))
    return Good(*found) if found is not None else None


# Lots are joined as sums, so that a good with a hundred deliveries stays one line.
STOCKED = """
SELECT good.id, good.community_id, good.outlet_id, good.name, good.unit, good.barcode, good.points, good.monthly_max,
       good.low_at, good.stock, good.state, good.photo, COALESCE(lots.past, 0) AS past, lots.next_best_before
  FROM stock_good good LEFT JOIN
       (SELECT good_id, SUM(CASE WHEN best_before < ? THEN remaining ELSE 0 END) AS past,
               MIN(best_before) AS next_best_before FROM stock_lot WHERE remaining > 0 GROUP BY good_id) lots
       ON lots.good_id = good.id
"""


async def stocked(community_ids: Sequence[int], today: date) -> list[StockedGood]:
    """Return the live goods of these communities, and ended ones of which something is left, by outlet and name."""
    where = f"WHERE {among('good.community_id', community_ids)} AND (good.state = 'live' OR good.stock > 0)"
    order = f"ORDER BY good.outlet_id, good.name, good.id LIMIT {GOODS_MAX}"
    return [_stocked(found) for found in await db.slow_rows(f"{STOCKED} {where} {order}", today, *community_ids)]


def _stocked(found: Row) -> StockedGood:
    *good, past, best_before = found
    if isinstance(best_before, str):  # an aggregate has no declared type on SQLite
        best_before = date.fromisoformat(best_before)
    return StockedGood(Good(*good), int(past), None if best_before == rules.NEVER else best_before)


LOTS = f"""
SELECT id, source, donor, unit_value_cents, best_before, quantity, remaining, received_at FROM stock_lot
 WHERE good_id = ? ORDER BY id DESC LIMIT {LOTS_MAX}
"""


async def lots(good_id: int) -> list[Lot]:
    """Return the latest deliveries of a good, newest first."""
    return [Lot(*found) for found in await db.rows(LOTS, good_id)]


PICTURE = """
SELECT good.community_id, photo.picture, photo.thumbnail
  FROM stock_photo photo JOIN stock_good good ON good.id = photo.good_id WHERE photo.token = ?
"""


async def picture(community_ids: Sequence[int], token: str, *, is_small: bool) -> bytes:
    found = await db.row(PICTURE, token)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return bytes(found["thumbnail"] if is_small else found["picture"])


async def outlets(community_ids: Sequence[int]) -> list[Outlet]:
    """Return the places that have shelves. Counters own them; goods only lie there."""
    sql = f"SELECT id, name FROM redemption_outlet WHERE {among('community_id', community_ids)} ORDER BY id"
    return [Outlet(*found) for found in await db.rows(sql, *community_ids)]
