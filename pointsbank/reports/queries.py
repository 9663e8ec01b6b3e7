"""SQL across rooms, for reading only."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import month_start as first_of_month
from pointsbank.kit.clock import start_of_day
from pointsbank.ledger.queries import BOOKED_BETWEEN, booked_between
from pointsbank.reports.rules import GROUP_MIN


class Waiting(msgspec.Struct, frozen=True):
    """An award on its way to the passbook."""

    award_id: int
    what: str
    points: int
    state: str
    began_at: datetime
    ends_at: datetime | None
    lacks_budget: bool
    kind: str
    unit: str
    decimals: int


class Upcoming(msgspec.Struct, frozen=True):
    activity_id: int
    title: str
    venue: str
    starts_at: datetime
    ends_at: datetime
    state: str
    came: int


class Month(msgspec.Struct, frozen=True):
    """A community in one month; `people` and `minutes` are 0 where fewer than GROUP_MIN took part."""

    people: int
    minutes: int
    points_in: int
    points_out: int


WAITING = """
SELECT award.id, act.what, award.points, award.state, act.began_at, notice.ends_at,
       award.waits_for_budget IS NOT NULL, kind.code, kind.unit, kind.decimals
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
  JOIN ledger_passbook book ON book.id = award.passbook_id JOIN ledger_book_kind kind ON kind.id = book.kind_id
  LEFT JOIN notices_notice notice ON notice.id = award.notice_id
 WHERE award.passbook_id IN ({books}) AND award.state IN ('pending', 'noticed', 'disputed') AND award.points > 0
 ORDER BY award.id DESC LIMIT 50
"""


async def waiting(passbook_ids: Sequence[int]) -> list[Waiting]:
    """Return what is earned but not yet booked."""
    sql = WAITING.replace("{books}", ", ".join("?" * len(passbook_ids)) or "NULL")
    return [Waiting(*found) for found in await db.rows(sql, *passbook_ids)]


BOOKED_SINCE = """
SELECT COALESCE(SUM(move.points), 0) FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
 WHERE move.target_id = ? AND move.target_after IS NOT NULL AND entry.kind = 'award' AND entry.booked_at >= ?
"""


async def earned_this_month(account_id: int, today: date) -> int:
    found = await db.row(BOOKED_SINCE, account_id, start_of_day(first_of_month(today)))
    assert found is not None
    return int(found[0])


UPCOMING = """
SELECT activity.id, activity.title, activity.venue, activity.starts_at, activity.ends_at, activity.state,
       (SELECT COUNT(*) FROM events_attendance came WHERE came.activity_id = activity.id AND came.state <> 'struck')
  FROM events_activity activity
 WHERE activity.community_id = ? AND activity.state IN ('published', 'confirmed') AND activity.ends_at > ?
   AND activity.starts_at < ?
 ORDER BY activity.starts_at LIMIT 5
"""


async def activities(community_id: int, since: datetime, until: datetime) -> list[Upcoming]:
    """Return activities that touch the time between, soonest first."""
    return [Upcoming(*found) for found in await db.rows(UPCOMING, community_id, since, until)]


ACTIVE = """
SELECT COUNT(DISTINCT COALESCE(person.merged_into, person.id)), COALESCE(SUM(came.minutes), 0)
  FROM events_attendance came JOIN events_activity activity ON activity.id = came.activity_id
  JOIN people_person person ON person.id = came.person_id
 WHERE activity.community_id = ? AND came.state = 'confirmed' AND came.in_at >= ? AND came.in_at < ?
"""
BOOKED = f"""
SELECT COALESCE(SUM(CASE WHEN source.system LIKE 'issued%' THEN move.points
                         WHEN target.system LIKE 'issued%' THEN -move.points ELSE 0 END), 0),
       COALESCE(SUM(CASE WHEN target.system LIKE 'redeemed:%' THEN move.points
                         WHEN source.system LIKE 'redeemed:%' THEN -move.points ELSE 0 END), 0)
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
  JOIN ledger_account source ON source.id = move.source_id JOIN ledger_account target ON target.id = move.target_id
  JOIN ledger_passbook book ON book.id = COALESCE(target.passbook_id, source.passbook_id)
  JOIN ledger_book_kind kind ON kind.id = book.kind_id AND kind.code = 'points'
 WHERE {BOOKED_BETWEEN}
"""


async def month_of(community_id: int, first: date, after: date) -> Month:
    """Return a community's numbers for the local days from `first` to before `after`."""
    start, end = start_of_day(first), start_of_day(after)
    ((people, minutes),) = await db.slow_rows(ACTIVE, community_id, start, end)
    ((points_in, points_out),) = await db.slow_rows(BOOKED, *booked_between(community_id, start, end))
    if people < GROUP_MIN:
        people = minutes = 0
    return Month(people, int(minutes), int(points_in), int(points_out))


HOUSEHOLDS = "SELECT COUNT(*) FROM people_household WHERE community_id = ?"
NAME = "SELECT name FROM people_place WHERE id = ?"
OPEN_OBJECTIONS = "SELECT COUNT(*) FROM notices_objection WHERE community_id = ? AND state = 'open'"


async def _number(sql: str, *values: object) -> int:
    ((found,),) = await db.slow_rows(sql, *values)
    return int(found)


class Community(msgspec.Struct, frozen=True):
    community_id: int
    name: str
    households: int
    open_objections: int


async def community(community_id: int) -> Community:
    ((name,),) = await db.slow_rows(NAME, community_id)
    return Community(
        community_id,
        name,
        await _number(HOUSEHOLDS, community_id),
        await _number(OPEN_OBJECTIONS, community_id),
    )


def month_after(first: date, count: int = 1) -> date:
    """Return the first of the month `count` months later; earlier for a negative count."""
    months = first.year * 12 + first.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def last_months(today: date, count: int) -> list[date]:
    """Return the firsts of the last `count` months, this one last."""
    this = first_of_month(today)
    return [month_after(this, -back) for back in reversed(range(count))]
