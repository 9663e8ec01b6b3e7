"""Check in and out by program: staff with a code that they scanned, or anybody with the tail of an address they saw."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import routes_pieces as pieces
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Forbidden
from pointsbank.people import attempts
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web.handlers import post

Code = Annotated[str, msgspec.Meta(max_length=256)]


class CodeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code`: the twenty digits of a card or phone, or the tail of an `/e/` or `/p/` address."""

    code: Code
    request_key: str


class PersonAnswer(msgspec.Struct, frozen=True):
    member_number: str
    state: str


class CheckedIn(msgspec.Struct, frozen=True):
    attendance: int
    activity: int
    person: PersonAnswer
    in_at: datetime


class CheckedOut(msgspec.Struct, frozen=True):
    """`minutes` are those that may be confirmed at most."""

    attendance: int
    activity: int
    person: PersonAnswer
    in_at: datetime
    out_at: datetime
    minutes: int


@post("/api/events/{activity_id:int}/check-ins", guards=[needs()])
async def check_in(
    activity_id: FromPath[int],
    data: JSONBody[CodeBody],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> CheckedIn:
    """Check in whoever this code stands for.

    `code` is 20 digits (a card, or the code on a member's phone; needs the right to check others in), or the tail of an
    `/e/` or `/p/` address: then the token's own person is checked in. The time is the server's.
    """
    actor, key = session.actor, data.request_key
    if pieces.is_address_code(data.code):
        arrived = await db.write(
            attendance.check_in_self, actor=actor, request_key=key, activity_id=activity_id, code=data.code
        )
    else:
        with attempts.scanning(session.person_id, clock.now()):
            arrived = await db.write(
                attendance.check_in,
                actor=actor,
                request_key=key,
                activity_id=activity_id,
                code=data.code,
                community_ids=_scanning(session),
            )
    person = PersonAnswer(arrived.member_number, arrived.state)
    return CheckedIn(arrived.attendance_id, arrived.activity_id, person, arrived.in_at)


@post("/api/events/{activity_id:int}/check-outs", guards=[needs()])
async def check_out(
    activity_id: FromPath[int],
    data: JSONBody[CodeBody],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> CheckedOut:
    """Check out by the same codes; `minutes` are those that may be confirmed at most."""
    actor, key = session.actor, data.request_key
    if pieces.is_address_code(data.code):
        left = await db.write(
            attendance.check_out_self, actor=actor, request_key=key, activity_id=activity_id, code=data.code
        )
    else:
        with attempts.scanning(session.person_id, clock.now()):
            left = await db.write(
                attendance.check_out,
                actor=actor,
                request_key=key,
                activity_id=activity_id,
                code=data.code,
                community_ids=_scanning(session),
            )
    person = PersonAnswer(left.member_number, left.state)
    return CheckedOut(left.attendance_id, left.activity_id, person, left.in_at, left.out_at, left.minutes)


def _scanning(session: NamedDependency[Session]) -> tuple[int, ...]:
    """The communities in which this session may scan other people's codes."""
    if not session.may(Permission.CHECK_IN_OTHERS):
        raise Forbidden
    return session.community_ids


handlers: list[Any] = [check_in, check_out]
