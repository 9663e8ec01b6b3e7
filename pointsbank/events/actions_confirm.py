"""After the activity: confirm minutes, which makes awards; strike lines off; close. The activity is taken first."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from pointsbank.awards import actions as awards
from pointsbank.events import rules
from pointsbank.events.rules import Doubt, Plan, told
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions as people
from pointsbank.people import queries as persons
from pointsbank.scoring.rules import NOTHING, Noted
from pointsbank.trail import actions as trail

TAKE = """
UPDATE events_activity SET state = state WHERE id = ?
RETURNING community_id, title, item_code, starts_at, ends_at, state
"""
OPEN_LINE = """
SELECT id, person_id, in_at, in_way, out_at FROM events_attendance WHERE id = ? AND activity_id = ? AND state = 'open'
"""
CONFIRM = """
UPDATE events_attendance SET state = 'confirmed', minutes = ?, settled_by = ?, settled_at = ?
 WHERE id = ? AND state = 'open'
"""
STRIKE = """
UPDATE events_attendance SET state = 'struck', settled_by = ?, settled_at = ?
 WHERE id = ? AND activity_id = ? AND state = 'open'
"""
FREE_SEAT = "UPDATE events_activity SET arrived = arrived - 1 WHERE id = ?"
OPEN_IDS = "SELECT id FROM events_attendance WHERE activity_id = ? AND state = 'open' ORDER BY id"
CLOSE = """
UPDATE events_activity SET state = 'confirmed', confirmed_at = ?, confirmed_by = ?
 WHERE id = ? AND state = 'published' AND ends_at <= ?
   AND NOT EXISTS (SELECT 1 FROM events_attendance WHERE activity_id = events_activity.id AND state = 'open')
"""
SAME_HOURS = """
SELECT activity.title, activity.starts_at, activity.ends_at, attendance.in_at, attendance.minutes
  FROM events_attendance attendance JOIN events_activity activity ON activity.id = attendance.activity_id
 WHERE attendance.person_id IN ({people}) AND attendance.id <> ? AND attendance.state = 'confirmed'
   AND activity.starts_at < ? AND activity.ends_at > ?
"""
MET_TWICE = """
SELECT mine.activity_id, mine.id, mine.in_at, mine.state, other.id AS other_id, other.in_at AS other_in_at,
       other.state AS other_state
  FROM events_attendance mine JOIN events_attendance other ON other.activity_id = mine.activity_id
 WHERE mine.person_id = ? AND other.person_id IN ({people}) AND mine.state <> 'struck' AND other.state <> 'struck'
 ORDER BY mine.activity_id
"""
STRUCK_AT = """
SELECT attendance.id, attendance.activity_id FROM events_attendance attendance
  JOIN events_activity activity ON activity.id = attendance.activity_id
 WHERE attendance.person_id IN ({people}) AND attendance.state = 'struck' AND attendance.settled_at = ?
   AND activity.state = 'published'
 ORDER BY attendance.activity_id, attendance.id
"""
OPEN_AGAIN = """
UPDATE events_attendance SET state = 'open', settled_by = NULL, settled_at = NULL WHERE id = ? AND state = 'struck'
"""
TAKE_SEAT = "UPDATE events_activity SET arrived = arrived + 1 WHERE id = ?"
OPEN_OF = """
SELECT attendance.id, attendance.activity_id FROM events_attendance attendance
  JOIN events_activity activity ON activity.id = attendance.activity_id
 WHERE attendance.person_id IN ({people}) AND attendance.state = 'open' AND activity.state = 'published'
 ORDER BY attendance.activity_id, attendance.id
"""


class Line(msgspec.Struct, frozen=True):
    """Without `minutes` all the time that somebody was there counts."""

    attendance_id: int
    minutes: int | None = None
    quantity: int = 1
    noted: Noted = NOTHING


class Confirmed(msgspec.Struct, frozen=True):
    lines: int
    minutes: int
    points: int
    is_closed: bool


class _Checked(msgspec.Struct, frozen=True):
    attendance_id: int
    person_id: int
    in_at: datetime
    in_way: str
    minutes: int
    quantity: int
    noted: Noted


async def confirm(tx: Tx, *, activity_id: int, community_ids: Sequence[int], lines: Sequence[Line]) -> Confirmed:
    """Confirm the minutes of these lines, each of which becomes an act with its first review; the others stay open."""
    assert len(lines) <= rules.LINES_MAX
    activity = await _take(tx, activity_id, community_ids)
    plan = Plan(activity["starts_at"], activity["ends_at"])
    checked = [await _check_line(tx, activity_id, plan, line) for line in lines]
    for person_id in sorted({line.person_id for line in checked}):  # all of them before any cap
        await people.hold_person(tx, person_id=person_id)
    points = 0
    for line in sorted(checked, key=lambda line: line.person_id):  # the order in which caps are to be taken
        points += await _confirm_line(tx, activity_id, activity, plan, line)
    minutes = sum(line.minutes for line in checked)
    facts = {"lines": len(lines), "minutes": minutes}
    await trail.record(tx, "activity.lines_confirmed", subject=("activity", activity_id), **facts)
    return Confirmed(len(lines), minutes, points, await _close_if_done(tx, activity_id))


async def strike(tx: Tx, *, activity_id: int, community_ids: Sequence[int], attendance_id: int) -> bool:
    """Take a line off: nobody gets anything for it. Returns whether the activity is closed with that."""
    await _take(tx, activity_id, community_ids)
    await _strike(tx, activity_id, attendance_id, "organiser")
    return await _close_if_done(tx, activity_id)


async def finish(tx: Tx, *, activity_id: int, community_ids: Sequence[int]) -> int:
    """Close the activity: what is not confirmed by now is struck off. Returns how many lines that were."""
    activity = await _take(tx, activity_id, community_ids)
    if tx.now < activity["ends_at"]:
        raise rules.NotOver(ends=told(activity["ends_at"], tx.now))
    left = await tx.rows(OPEN_IDS, activity_id)
    for line in left:
        await _strike(tx, activity_id, line["id"], "finished")
    await _close_if_done(tx, activity_id)
    return len(left)


async def after_merge(tx: Tx, *, person_id: int, into_id: int) -> None:
    """Let `person_id`, from now on an alias of `into_id`, keep its rows; at an activity where both stand, one goes.

    The later row goes, unless it is the one that is confirmed already. Where both are, both stay: what was booked twice
    is for staff to reverse.
    """
    others = [one for one in await persons.ids_of(tx, into_id) if one != person_id]
    for twice in await tx.rows(_among(MET_TWICE, others), person_id, *others):
        if twice["state"] == twice["other_state"] == "confirmed":
            continue
        mine_goes = twice["in_at"] >= twice["other_in_at"]
        if "confirmed" in (twice["state"], twice["other_state"]):
            mine_goes = twice["state"] != "confirmed"
        await tx.row(TAKE, twice["activity_id"])
        await _strike(tx, twice["activity_id"], twice["id"] if mine_goes else twice["other_id"], "merged")


async def after_separation(tx: Tx, *, person_id: int, into_id: int, merged_at: datetime) -> int:
    """Where both stood at one activity and the merge took a line off, it stands again, while nobody has closed it."""
    ids = sorted({person_id, *await persons.ids_of(tx, into_id)})
    lines = await tx.rows(_among(STRUCK_AT, ids), *ids, merged_at)
    for line in lines:
        await tx.row(TAKE, line["activity_id"])
        if await tx.run(OPEN_AGAIN, line["id"]) == 1:
            await tx.run(TAKE_SEAT, line["activity_id"])
            facts = {"activity": line["activity_id"]}
            await trail.record(tx, "attendance.reopened", subject=("attendance", line["id"]), **facts)
    return len(lines)


async def after_leaving(tx: Tx, *, person_ids: Sequence[int]) -> None:
    """Nobody confirms minutes for whoever left: the lines that are open go."""
    for line in await tx.rows(_among(OPEN_OF, person_ids), *person_ids):
        await tx.row(TAKE, line["activity_id"])
        await _strike(tx, line["activity_id"], line["id"], "left")
        await _close_if_done(tx, line["activity_id"])


async def _take(tx: Tx, activity_id: int, community_ids: Sequence[int]) -> Row:
    """Take the activity's row, so that two who confirm at once do so one after the other."""
    activity = await tx.row(TAKE, activity_id)
    if activity is None or activity["community_id"] not in community_ids:
        raise NotFound
    if activity["state"] != "published":
        raise rules.NotConfirmable
    return activity


async def _check_line(tx: Tx, activity_id: int, plan: Plan, line: Line) -> _Checked:
    """Refuse what no tick can make good; say whose minutes these are."""
    assert tx.actor.person_id is not None
    found = await tx.row(OPEN_LINE, line.attendance_id, activity_id)
    if found is None:
        raise rules.LineGone
    holder = await persons.holder_of(tx, found["person_id"])
    is_own = await persons.same_household(tx, tx.actor.person_id, holder.person_id)
    in_at, out_at = found["in_at"], found["out_at"]
    doubts = rules.doubts(
        plan=plan, in_at=in_at, in_way=found["in_way"], out_at=out_at, state=holder.state, is_own=is_own, now=tx.now
    )
    if Doubt.OWN in doubts:
        raise rules.OwnLine
    if Doubt.PROVISIONAL in doubts:
        raise rules.LineNotSettled
    if Doubt.STILL_IN in doubts:
        raise rules.StillIn(ends=told(plan.ends_at, tx.now))
    most = rules.minutes_max(plan, in_at, out_at)
    minutes = most if line.minutes is None else line.minutes
    if not 0 < minutes <= most:
        raise rules.TooLong(most=most)
    return _Checked(line.attendance_id, holder.person_id, in_at, found["in_way"], minutes, line.quantity, line.noted)


async def _confirm_line(tx: Tx, activity_id: int, activity: Row, plan: Plan, line: _Checked) -> int:
    """Return the points that this line is worth."""
    await _check_hours(tx, plan, line)
    actor_id = tx.actor.person_id
    if await tx.run(CONFIRM, line.minutes, actor_id, tx.now, line.attendance_id) != 1:
        raise rules.LineGone
    made = await awards.record_act(
        tx,
        community_id=activity["community_id"],
        person_id=line.person_id,
        source=("events", "attendance", line.attendance_id),
        occasion=("events", "activity", activity_id),
        item_code=activity["item_code"],
        what=activity["title"],
        evidence=line.in_way,
        began_at=rules.began(plan, line.in_at),
        minutes=line.minutes,
        planned_minutes=plan.minutes,
        quantity=line.quantity,
        noted=line.noted,
        reviewed_by=actor_id,
    )
    subject = ("attendance", line.attendance_id)
    await trail.record(tx, "attendance.confirmed", subject=subject, activity=activity_id, minutes=line.minutes)
    return made.points


async def _check_hours(tx: Tx, plan: Plan, line: _Checked) -> None:
    """Refuse time that was confirmed elsewhere: two phones, or a merge, may have put one human being there twice."""
    began = rules.began(plan, line.in_at)
    ended = began + timedelta(minutes=line.minutes)
    ids = await persons.ids_of(tx, line.person_id)
    for other in await tx.rows(_among(SAME_HOURS, ids), *ids, line.attendance_id, ended, began):
        since = rules.began(Plan(other["starts_at"], other["ends_at"]), other["in_at"])
        if since < ended and began < since + timedelta(minutes=other["minutes"]):
            raise rules.SameHours(title=other["title"])


def _among(sql: str, ids: Sequence[int]) -> str:
    return sql.replace("{people}", ", ".join("?" * len(ids)))


async def _strike(tx: Tx, activity_id: int, attendance_id: int, reason: str) -> None:
    if await tx.run(STRIKE, tx.actor.person_id, tx.now, attendance_id, activity_id) != 1:
        raise rules.LineGone
    await tx.run(FREE_SEAT, activity_id)
    subject = ("attendance", attendance_id)
    await trail.record(tx, "attendance.struck", subject=subject, activity=activity_id, reason=reason)


async def _close_if_done(tx: Tx, activity_id: int) -> bool:
    if await tx.run(CLOSE, tx.now, tx.actor.person_id, activity_id, tx.now) == 0:
        return False
    await trail.record(tx, "activity.closed", subject=("activity", activity_id))
    return True
