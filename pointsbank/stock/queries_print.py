"""Read what is asked for most."""

from datetime import datetime, timedelta

from pointsbank.kit import db

POPULAR_MAX = 15
SINCE = timedelta(days=60)

POPULAR = f"""
SELECT good.id FROM stock_move move JOIN stock_good good ON good.id = move.good_id
 WHERE good.outlet_id = ? AND good.state = 'live' AND move.kind = 'order' AND move.moved_at > ?
 GROUP BY good.id ORDER BY SUM(move.quantity), good.id LIMIT {POPULAR_MAX}
"""


async def popular(outlet_id: int, now: datetime) -> set[int]:
    """The goods of which most went over the counter lately; moves out are negative."""
    return {found[0] for found in await db.slow_rows(POPULAR, outlet_id, now - SINCE)}
