"""Read activities and attendances. An activity of another community is not found."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.events.rules import OPEN_BEFORE, OUT_AFTER, Plan, number
from pointsbank.kit import db
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound

_COLUMNS = """
SELECT id, community_id, title, venue, item_code, contact, starts_at, ends_at, seats, arrived, organiser_id, state,
       poster_token, confirmed_at
  FROM events_activity
"""
ONE = _COLUMNS + " WHERE id = ?"
BY_POSTER = _COLUMNS + " WHERE poster_token = ?"
UPCOMING = _COLUMNS + " WHERE community_id = ? AND state = 'published' AND ends_at > ? ORDER BY starts_at, id LIMIT 50"
# What staff still have to do something about comes first: drafts, what is running or to come, what is to be confirmed.
AT_WORK = _COLUMNS + (
    " WHERE community_id IN ({communities}) AND state IN ('draft', 'published') ORDER BY starts_at, id LIMIT 100"
)
PAST = _COLUMNS + (
    " WHERE community_id IN ({communities}) AND state IN ('confirmed', 'cancelled')"
    " ORDER BY starts_at DESC, id LIMIT 30"
)
LAST_BY = _COLUMNS + (
    " WHERE organiser_id = ? AND community_id = ? AND state <> 'cancelled' ORDER BY starts_at DESC, id DESC LIMIT 1"
)
LAST = _COLUMNS + (" WHERE community_id = ? AND state <> 'cancelled' ORDER BY starts_at DESC, id DESC LIMIT 1")
_ATTENDANCE = """
SELECT id, activity_id, person_id, in_at, in_way, out_at, state, minutes FROM events_attendance
"""
LINES = _ATTENDANCE + " WHERE activity_id = ? ORDER BY in_at, id"
OWN = _ATTENDANCE + (
    " WHERE activity_id = ? AND person_id IN ({people}) ORDER BY CASE state WHEN 'struck' THEN 1 ELSE 0 END, id LIMIT 1"
)
ATTENDED = """
SELECT activity.id AS activity_id, activity.title, activity.starts_at, attendance.in_at, attendance.out_at,
       attendance.state, attendance.minutes
  FROM events_attendance attendance JOIN events_activity activity ON activity.id = attendance.activity_id
 WHERE attendance.person_id IN ({people}) AND attendance.state <> 'struck'
 ORDER BY attendance.in_at DESC, attendance.id DESC LIMIT ?
"""
REGULARS = """
SELECT attendance.person_id
  FROM events_attendance attendance JOIN events_activity activity ON activity.id = attendance.activity_id
 WHERE activity.community_id = ? AND activity.item_code = ? AND activity.starts_at > ?
   AND attendance.state = 'confirmed'
 GROUP BY attendance.person_id ORDER BY COUNT(*) DESC, attendance.person_id LIMIT 60
"""
OPEN_BETWEEN = """
SELECT activity.id, activity.title, activity.starts_at, attendance.person_id
  FROM events_activity activity JOIN events_attendance attendance ON attendance.activity_id = activity.id
 WHERE activity.community_id = ? AND activity.item_code = ? AND activity.starts_at >= ? AND activity.starts_at < ?
   AND activity.state = 'published' AND attendance.state = 'open'
 ORDER BY activity.starts_at, activity.id, attendance.id
"""
IDS_OF = "SELECT id FROM events_attendance WHERE person_id = ? ORDER BY id"
STRUCK_AT = """
SELECT activity.title FROM events_attendance attendance JOIN events_activity activity
    ON activity.id = attendance.activity_id
 WHERE attendance.person_id IN ({people}) AND attendance.state = 'struck' AND attendance.settled_at = ?
 ORDER BY attendance.id
"""
MINUTES = """
SELECT COALESCE(SUM(minutes), 0) FROM events_attendance WHERE state = 'confirmed' AND person_id IN ({people})
"""


class Activity(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    title: str
    venue: str
    item_code: str
    contact: str
    starts_at: datetime
    ends_at: datetime
    seats: int | None
    arrived: int
    organiser_id: int
    state: str
    poster_token: str
    confirmed_at: datetime | None

    @property
    def plan(self) -> Plan:
        return Plan(self.starts_at, self.ends_at)

    @property
    def opens_at(self) -> datetime:
        return self.starts_at - OPEN_BEFORE

    @property
    def number(self) -> str:
        return number(self.id, self.starts_at)

    def is_open(self, now: datetime) -> bool:
        """Whether people may come now."""
        return self.state == "published" and self.opens_at <= now < self.ends_at

    def lets_out(self, now: datetime) -> bool:
        return self.state == "published" and self.opens_at <= now < self.ends_at + OUT_AFTER

    def is_over(self, now: datetime) -> bool:
        return self.ends_at <= now


class Attendance(msgspec.Struct, frozen=True):
    id: int
    activity_id: int
    person_id: int
    in_at: datetime
    in_way: str
    out_at: datetime | None
    state: str
    minutes: int | None


class Attended(msgspec.Struct, frozen=True):
    """One line of a person's own list; `minutes` only once they are confirmed."""

    activity_id: int
    title: str
    starts_at: datetime
    in_at: datetime
    out_at: datetime | None
    state: str
    minutes: int | None


class OpenLine(msgspec.Struct, frozen=True):
    """Somebody who waits to be confirmed at an activity."""

    activity_id: int
    title: str
    starts_at: datetime
    person_id: int


async def activity(activity_id: int, community_ids: Sequence[int]) -> Activity:
    found = await public_activity(activity_id)
    if found is None or found.community_id not in community_ids:
        raise NotFound
    return found


async def public_activity(activity_id: int) -> Activity | None:
    """For whoever holds a code of it."""
    found = await db.row(ONE, activity_id)
    return None if found is None else Activity(*found)


async def of_poster(token: str) -> Activity | None:
    found = await db.row(BY_POSTER, token)
    return None if found is None else Activity(*found)


async def upcoming(community_id: int, now: datetime) -> list[Activity]:
    """Published activities that are not over, soonest first."""
    return [Activity(*found) for found in await db.rows(UPCOMING, community_id, now)]


async def at_work(community_ids: Sequence[int]) -> list[Activity]:
    return [Activity(*found) for found in await db.rows(_among(AT_WORK, community_ids), *community_ids)]


async def past(community_ids: Sequence[int]) -> list[Activity]:
    return [Activity(*found) for found in await db.rows(_among(PAST, community_ids), *community_ids)]


async def last_one(organiser_id: int, community_id: int) -> Activity | None:
    """The activity that a new one is copied from: the organiser's own last, or else the community's."""
    found = await db.row(LAST_BY, organiser_id, community_id) or await db.row(LAST, community_id)
    return None if found is None else Activity(*found)


async def lines(activity_id: int) -> list[Attendance]:
    """Everybody who was there, in the order in which they came; also those who were struck off."""
    return [Attendance(*found) for found in await db.rows(LINES, activity_id)]


async def own(activity_id: int, person_ids: Sequence[int]) -> Attendance | None:
    """One human being's attendance; the ids are the person's and its aliases'."""
    found = await db.row(_among(OWN, person_ids), activity_id, *person_ids)
    return None if found is None else Attendance(*found)


async def attended(person_ids: Sequence[int], limit: int = 20) -> list[Attended]:
    return [Attended(*found) for found in await db.rows(_among(ATTENDED, person_ids), *person_ids, limit)]


async def regulars(activity: Activity, since: datetime) -> list[int]:
    """Who came to activities of the same item, most often first."""
    found = await db.slow_rows(REGULARS, activity.community_id, activity.item_code, since)
    return [row[0] for row in found]


async def open_between(like: Activity, since: datetime, until: datetime) -> list[OpenLine]:
    """Who is not confirmed yet at activities of the same item, of `since` and later, before `until`."""
    found = await db.rows(OPEN_BETWEEN, like.community_id, like.item_code, since, until)
    return [OpenLine(*one) for one in found]


async def attendance_ids(tx: Tx | None, person_id: int) -> list[int]:
    """What lies under this id alone, aliases left out: what an alias brought along."""
    rows = await (db.rows(IDS_OF, person_id) if tx is None else tx.rows(IDS_OF, person_id))
    return [found["id"] for found in rows]


async def struck_at(person_ids: Sequence[int], moment: datetime) -> list[str]:
    """Titles of activities where one of two lines went, because the two were taken for one at that moment."""
    found = await db.rows(_among(STRUCK_AT, person_ids), *person_ids, moment)
    return [one["title"] for one in found]


async def minutes_of(person_ids: Sequence[int]) -> int:
    """Verified service minutes of one human being, of all time."""
    found = await db.row(_among(MINUTES, person_ids), *person_ids)
    return int(found[0]) if found is not None else 0


def _among(sql: str, ids: Sequence[int]) -> str:
    assert ids
    places = ", ".join("?" * len(ids))
    return sql.replace("{people}", places).replace("{communities}", places)
