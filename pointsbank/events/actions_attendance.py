"""Check people in and out. Hot: a check-in by card takes eight statements, those of its command and trail included."""

import functools
from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.events import rules
from pointsbank.events.rules import Plan, Way, told
from pointsbank.kit import codes, crypto
from pointsbank.kit.db import Row, Tx, reads
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions as people
from pointsbank.people import actions_cards as cards
from pointsbank.people import actions_phones as phones
from pointsbank.people import queries as persons
from pointsbank.trail import actions as trail

# The seat is taken before it is known who comes: the activity's row is the first that everybody takes.
TAKE_SEAT = """
UPDATE events_activity SET arrived = arrived + 1
 WHERE id = ? AND state = 'published' AND starts_at <= ? AND ends_at > ? AND (seats IS NULL OR arrived < seats)
RETURNING community_id, title, contact, starts_at, ends_at, poster_token, seats, state
"""
ACTIVITY = """
SELECT community_id, title, contact, starts_at, ends_at, poster_token, seats, state FROM events_activity WHERE id = ?
"""
# Here or at an activity of the same hours that this person has not left yet.
WHEREABOUTS = """
SELECT attendance.activity_id, attendance.in_at, attendance.out_at, attendance.state, activity.title
  FROM events_attendance attendance JOIN events_activity activity ON activity.id = attendance.activity_id
 WHERE attendance.person_id IN ({people})
   AND (attendance.activity_id = ?
        OR (attendance.state = 'open' AND (attendance.out_at IS NULL OR attendance.out_at > ?)
            AND activity.ends_at > ? AND activity.starts_at < ? AND activity.ends_at > ?))
 ORDER BY attendance.id
"""
ENTER = """
INSERT INTO events_attendance (activity_id, person_id, in_at, in_way, in_by, state) VALUES (?, ?, ?, ?, ?, 'open')
ON CONFLICT (activity_id, person_id) DO NOTHING
RETURNING id
"""
HERE = """
SELECT id, person_id, in_at, out_at, state FROM events_attendance
 WHERE activity_id = ? AND person_id IN ({people}) ORDER BY CASE state WHEN 'struck' THEN 1 ELSE 0 END, id
"""
LEAVE = """
UPDATE events_attendance SET out_at = ?, out_way = ?, out_by = ?
 WHERE id = ? AND state = 'open' AND out_at IS NULL
"""


class Arrived(msgspec.Struct, frozen=True):
    """`state` is the person's: member or provisional."""

    attendance_id: int
    activity_id: int
    person_id: int
    member_number: str
    state: str
    in_at: datetime


class Left(msgspec.Struct, frozen=True):
    """`minutes` are those that may be confirmed at most."""

    attendance_id: int
    activity_id: int
    person_id: int
    member_number: str
    state: str
    in_at: datetime
    out_at: datetime
    minutes: int


class _Place(msgspec.Struct, frozen=True):
    """An activity that lets people in or out at this time."""

    activity_id: int
    community_id: int
    title: str
    contact: str
    plan: Plan
    poster_token: str
    seats: int | None
    is_full: bool


class _Who(msgspec.Struct, frozen=True):
    person_id: int
    member_number: str
    state: str


def _who(found: cards.Scanned | persons.Holder) -> _Who:
    return _Who(found.person_id, found.member_number, found.state)


@reads(code=cards.read_code)
async def check_in(tx: Tx, *, activity_id: int, code: cards.ReadCode, community_ids: Sequence[int]) -> Arrived:
    """By the twenty digits of a card or a phone, scanned by staff."""
    place = await _take_seat(tx, activity_id, tx.now, community_ids)
    scanned = await cards.take_code(tx, code=code, purpose="check_in", community_id=place.community_id)
    return await _enter(tx, place, _who(scanned), Way(scanned.code_kind), tx.now, by_staff=True)


@reads(code=cards.read_code)
async def check_out(tx: Tx, *, activity_id: int, code: cards.ReadCode, community_ids: Sequence[int]) -> Left:
    place = await _find_place(tx, activity_id, tx.now, community_ids)
    scanned = await cards.take_code(tx, code=code, purpose="check_out", community_id=place.community_id)
    return await _leave(tx, place, _who(scanned), Way(scanned.code_kind), tx.now, by_staff=True)


async def check_in_picked(tx: Tx, *, activity_id: int, person_id: int, community_ids: Sequence[int]) -> Arrived:
    """By a name that staff picked from the roster; the weakest evidence, so it is marked."""
    place = await _take_seat(tx, activity_id, tx.now, community_ids)
    who = await _member(tx, person_id, place)
    return await _enter(tx, place, who, Way.PICKED, tx.now, by_staff=True)


async def check_out_picked(tx: Tx, *, activity_id: int, person_id: int, community_ids: Sequence[int]) -> Left:
    place = await _find_place(tx, activity_id, tx.now, community_ids)
    who = await _member(tx, person_id, place)
    return await _leave(tx, place, who, Way.PICKED, tx.now, by_staff=True)


async def enter_late(
    tx: Tx,
    *,
    activity_id: int,
    person_id: int,
    in_at: datetime,
    out_at: datetime,
    community_ids: Sequence[int],
) -> Left:
    """From the signed sheet, after the activity: in and out as they stand there, marked as picked."""
    asked = _place(activity_id, await tx.row(ACTIVITY, activity_id), community_ids, is_full=False)
    rules.check_late(asked.plan, in_at, out_at, tx.now)
    place = await _take_seat(tx, activity_id, in_at, community_ids)
    who = await _member(tx, person_id, place)
    await _enter(tx, place, who, Way.PICKED, in_at, by_staff=True)
    left = await _leave(tx, place, who, Way.PICKED, out_at, by_staff=True)
    subject = ("attendance", left.attendance_id)
    await trail.record(tx, "attendance.late", subject=subject, activity=activity_id, in_at=in_at, out_at=out_at)
    return left


async def check_in_self(tx: Tx, *, activity_id: int, code: str) -> Arrived:
    """By the tail of an address that the actor saw on the spot."""
    place = await _take_seat(tx, activity_id, tx.now, None)
    way = _way_of(code, place, activity_id, tx.now)
    return await _enter(tx, place, await _actor(tx, place), way, tx.now)


async def check_out_self(tx: Tx, *, activity_id: int, code: str) -> Left:
    place = await _find_place(tx, activity_id, tx.now, None)
    way = _way_of(code, place, activity_id, tx.now)
    return await _leave(tx, place, await _actor(tx, place), way, tx.now)


async def check_in_with_ticket(tx: Tx, *, ticket: str, nonce: str) -> Arrived:
    """As of the time at which the actor's phone saw the code, however slowly its owner typed."""
    seen = open_ticket(ticket, nonce, tx.now)
    place = await _take_seat(tx, seen.activity_id, seen.seen_at, None)
    return await _enter(tx, place, await _actor(tx, place), way_of(seen), seen.seen_at)


async def check_out_with_ticket(tx: Tx, *, ticket: str, nonce: str) -> Left:
    seen = open_ticket(ticket, nonce, tx.now)
    place = await _find_place(tx, seen.activity_id, seen.seen_at, None)
    return await _leave(tx, place, await _actor(tx, place), way_of(seen), seen.seen_at)


async def join(
    tx: Tx,
    *,
    ticket: str,
    nonce: str,
    name: str,
    phone: str,
    consent_publication: bool,
    old_device: bytes | None,
    new_device: bytes,
    session_digest: bytes,
) -> Arrived:
    """Register an unknown phone as a provisional person, remember it, and check it in: all or nothing."""
    seen = open_ticket(ticket, nonce, tx.now)
    place = await _take_seat(tx, seen.activity_id, seen.seen_at, None)
    device_id = await phones.renew_device(tx, old_device=old_device, new_device=new_device)
    person_id = await people.register_provisional(
        tx,
        community_id=place.community_id,
        device_id=device_id,
        name=name,
        phone=phone,
        consent_publication=consent_publication,
    )
    await phones.open_resident_session(tx, token_digest=session_digest, person_id=person_id, device_id=device_id)
    # The phone may turn out to be a member's whose session has ended.
    return await _enter(tx, place, await _known(tx, person_id, place), way_of(seen), seen.seen_at)


def seal_ticket(activity_id: int, way: Way, seen_at: datetime, nonce: str) -> str:
    station = rules.POSTER_STATION if way is Way.POSTER else rules.SCREEN_STATION
    return codes.seal_ticket(_ticket_key(), activity_id, station, seen_at, nonce)


def open_ticket(ticket: str, nonce: str, now: datetime) -> codes.Ticket:
    found = codes.open_ticket(_ticket_key(), ticket, now, nonce)
    if found is None:
        raise rules.TicketExpired
    return found


def way_of(ticket: codes.Ticket) -> Way:
    return Way.POSTER if ticket.station == rules.POSTER_STATION else Way.SCREEN


def event_key(activity_id: int) -> bytes:
    return crypto.held().derive(f"event/{activity_id}")


def _ticket_key() -> bytes:
    return crypto.held().derive("event-ticket")


def _way_of(code: str, place: _Place, activity_id: int, now: datetime) -> Way:
    """What the tail of an address proves at this time."""
    scan = codes.parse_scan(code)
    if scan.kind is codes.CodeKind.POSTER:
        if scan.token != place.poster_token:
            raise rules.CodeOfAnother
        return Way.POSTER
    read = codes.read_event_code(scan.token) if scan.kind is codes.CodeKind.EVENT else None
    if read is None:
        raise rules.CodeGone
    if read.activity_id != activity_id:
        raise rules.CodeOfAnother
    if not codes.event_code_ok(event_key(activity_id), read, now):
        raise rules.CodeGone
    return Way.SCREEN


async def _take_seat(tx: Tx, activity_id: int, at: datetime, community_ids: Sequence[int] | None) -> _Place:
    """Take a seat, or say why not. Who is in already gets another answer than "full", so that one is kept back."""
    taken = await tx.row(TAKE_SEAT, activity_id, at + rules.OPEN_BEFORE, at)
    found = taken or await tx.row(ACTIVITY, activity_id)
    place = _place(activity_id, found, community_ids, is_full=taken is None)
    rules.check_open(place.plan, at, place.contact)
    return place


async def _find_place(tx: Tx, activity_id: int, at: datetime, community_ids: Sequence[int] | None) -> _Place:
    """An activity that people may leave at this time."""
    place = _place(activity_id, await tx.row(ACTIVITY, activity_id), community_ids, is_full=False)
    if at >= place.plan.ends_at + rules.OUT_AFTER:
        raise rules.Over(contact=place.contact)
    return place


def _place(activity_id: int, found: Row | None, community_ids: Sequence[int] | None, *, is_full: bool) -> _Place:
    if found is None or (community_ids is not None and found["community_id"] not in community_ids):
        raise NotFound
    if found["state"] == "draft":
        if community_ids is None:
            raise NotFound
        raise rules.NotOpenYet(title=found["title"])
    if found["state"] == "cancelled":
        raise rules.Cancelled(title=found["title"], contact=found["contact"])
    if found["state"] == "confirmed":
        raise rules.Over(contact=found["contact"])
    return _Place(
        activity_id,
        found["community_id"],
        found["title"],
        found["contact"],
        Plan(found["starts_at"], found["ends_at"]),
        found["poster_token"],
        found["seats"],
        is_full,
    )


async def _member(tx: Tx, person_id: int, place: _Place) -> _Who:
    holder = await persons.holder_of(tx, person_id)
    if holder.community_id != place.community_id or holder.state == "left":
        raise NotFound
    return _who(holder)


async def _actor(tx: Tx, place: _Place) -> _Who:
    assert tx.actor.person_id is not None
    return await _known(tx, tx.actor.person_id, place)


async def _known(tx: Tx, person_id: int, place: _Place) -> _Who:
    holder = await persons.holder_of(tx, person_id)
    if holder.community_id != place.community_id or holder.state == "left":
        raise rules.OtherCommunity
    return _who(holder)


async def _enter(tx: Tx, place: _Place, who: _Who, way: Way, at: datetime, *, by_staff: bool = False) -> Arrived:
    ids = await persons.ids_of(tx, who.person_id)
    plan = place.plan
    starts_at, ends_at = plan.starts_at, plan.ends_at
    found = await tx.rows(_among(WHEREABOUTS, len(ids)), *ids, place.activity_id, at, at, ends_at, starts_at)
    _check_whereabouts(found, place, tx.now)
    if place.is_full:
        raise rules.Full(seats=place.seats, contact=place.contact)

    by = tx.actor.person_id if by_staff else None
    entered = await tx.row(ENTER, place.activity_id, who.person_id, at, way.value, by)
    if entered is None:  # a twin command on PostgreSQL was faster
        raise rules.AlreadyIn(since=told(at, tx.now), activity=place.activity_id)
    await trail.record(
        tx,
        "attendance.in",
        subject=("attendance", entered["id"]),
        activity=place.activity_id,
        person=who.person_id,
        way=way.value,
    )
    return Arrived(entered["id"], place.activity_id, who.person_id, who.member_number, who.state, at)


def _check_whereabouts(found: Sequence[Row], place: _Place, now: datetime) -> None:
    """Refuse who is in already, here or elsewhere in the same hours."""
    here = [row for row in found if row["activity_id"] == place.activity_id]
    for row in here:
        if row["state"] != "struck":
            raise rules.AlreadyIn(since=told(row["in_at"], now), activity=place.activity_id)
    if here:
        raise rules.StruckOff(contact=place.contact)
    for row in found:
        raise rules.InElsewhere(title=row["title"])


async def _leave(tx: Tx, place: _Place, who: _Who, way: Way, at: datetime, *, by_staff: bool = False) -> Left:
    ids = await persons.ids_of(tx, who.person_id)
    here = await tx.row(_among(HERE, len(ids)), place.activity_id, *ids)
    if here is None:
        raise rules.NotIn(contact=place.contact)
    if here["state"] == "struck":
        raise rules.StruckOff(contact=place.contact)
    if here["out_at"] is not None:
        raise rules.AlreadyOut(since=told(here["out_at"], tx.now), activity=place.activity_id)

    out_at = max(at, here["in_at"])  # two phones may have seen their codes in another order than they were sent
    by = tx.actor.person_id if by_staff else None
    if await tx.run(LEAVE, out_at, way.value, by, here["id"]) != 1:
        raise rules.AlreadyOut(since=told(out_at, tx.now), activity=place.activity_id)
    subject = ("attendance", here["id"])
    await trail.record(tx, "attendance.out", subject=subject, activity=place.activity_id, way=way.value)
    minutes = rules.minutes_max(place.plan, here["in_at"], out_at)
    return Left(
        here["id"], place.activity_id, who.person_id, who.member_number, who.state, here["in_at"], out_at, minutes
    )


@functools.cache
def _among(sql: str, people: int) -> str:
    """The statement with as many places as there are aliases of one human being: nearly always one."""
    return sql.replace("{people}", ", ".join("?" * people))
