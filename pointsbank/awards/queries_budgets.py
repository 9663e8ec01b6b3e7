"""Awards that are not booked yet: those that wait for a budget, and those of a month."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import db

SHOWN_MAX = 100
SUMS = """
SELECT waits_for_budget, COUNT(*), CAST(SUM(points) AS BIGINT) FROM awards_award
 WHERE waits_for_budget IN ({ids}) GROUP BY waits_for_budget
"""
WAITING = """
SELECT award.id, award.person_id, act.what, award.points, act.began_at
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
 WHERE award.waits_for_budget = ? ORDER BY award.id LIMIT ?
"""


OPEN_OF_MONTH = """
SELECT COUNT(*)
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
 WHERE award.community_id = ? AND award.state IN ('pending', 'noticed', 'disputed')
   AND act.began_at >= ? AND act.began_at < ?
"""


class Waits(msgspec.Struct, frozen=True):
    count: int = 0
    points: int = 0


class Waiting(msgspec.Struct, frozen=True):
    award_id: int
    person_id: int
    what: str
    points: int
    began_at: datetime


async def sums(budget_ids: Sequence[int]) -> dict[int, Waits]:
    """How much waits for each of these budgets; one that nothing waits for is left out."""
    sql = SUMS.replace("{ids}", ", ".join("?" * len(budget_ids)) or "NULL")
    return {budget_id: Waits(count, points) for budget_id, count, points in await db.rows(sql, *budget_ids)}


async def waiting(budget_id: int) -> list[Waiting]:
    """What waits for a budget, the oldest first."""
    return [Waiting(*found) for found in await db.rows(WAITING, budget_id, SHOWN_MAX)]


async def open_of_month(community_id: int, starts_at: datetime, ends_at: datetime) -> int:
    """How many awards of what was done between these moments are not booked yet: they will be, in a later month."""
    found = await db.row(OPEN_OF_MONTH, community_id, starts_at, ends_at)
    assert found is not None
    return int(found[0])
