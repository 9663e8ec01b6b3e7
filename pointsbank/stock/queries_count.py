"""Read counts and what they found."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.stock.queries import among

COUNTS_MAX = 50


class Count(msgspec.Struct, frozen=True):
    count_id: int
    outlet_id: int
    outlet_name: str
    state: str
    opened_by: int | None
    opened_at: datetime
    ended_by: int | None
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state == "open"


class Line(msgspec.Struct, frozen=True):
    good_id: int
    name: str
    unit: str
    barcode: str
    counted: int | None
    booked: int | None
    reason: str

    @property
    def difference(self) -> int:
        return 0 if self.counted is None or self.booked is None else self.counted - self.booked


class Listed(msgspec.Struct, frozen=True):
    """A count in the list: how many kinds it covers and have been counted, and pieces over and short."""

    count: Count
    kinds: int
    counted: int
    over: int
    short: int


COUNT = """
SELECT count.id, count.outlet_id, outlet.name, count.state, count.opened_by, count.opened_at, count.ended_by,
       count.ended_at
  FROM stock_count count JOIN redemption_outlet outlet ON outlet.id = count.outlet_id
"""
SUMS = """
SELECT count_id, COUNT(*) AS kinds, COUNT(counted) AS counted,
       CAST(COALESCE(SUM(CASE WHEN counted > booked THEN counted - booked ELSE 0 END), 0) AS BIGINT) AS more,
       CAST(COALESCE(SUM(CASE WHEN counted < booked THEN booked - counted ELSE 0 END), 0) AS BIGINT) AS less
  FROM stock_count_line
"""
LINES = """
SELECT line.good_id, good.name, good.unit, good.barcode, line.counted, line.booked, line.reason
  FROM stock_count_line line JOIN stock_good good ON good.id = line.good_id
 WHERE line.count_id = ? ORDER BY good.name, good.id
"""


async def count(community_ids: Sequence[int], count_id: int) -> Count:
    sql = f"{COUNT} WHERE {among('count.community_id', community_ids)} AND count.id = ?"
    found = await db.row(sql, *community_ids, count_id)
    if found is None:
        raise NotFound
    return Count(*found)


async def lines(count_id: int) -> list[Line]:
    return [Line(*found) for found in await db.slow_rows(LINES, count_id)]


async def counts(community_ids: Sequence[int]) -> list[Listed]:
    """Return the latest counts, newest first."""
    sql = f"{COUNT} WHERE {among('count.community_id', community_ids)} ORDER BY count.id DESC LIMIT {COUNTS_MAX}"
    found = [Count(*row) for row in await db.rows(sql, *community_ids)]
    ids = [one.count_id for one in found]
    sums = {row[0]: row for row in await db.slow_rows(f"{SUMS} WHERE {among('count_id', ids)} GROUP BY count_id", *ids)}
    return [Listed(one, *(sums[one.count_id][place] for place in (1, 2, 3, 4))) for one in found]
