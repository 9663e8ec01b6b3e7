"""Check in and out by program, and confirm.

Staff check in with a code that they scanned, anybody with the tail of an address they saw.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import actions_confirm as confirming
from pointsbank.events import routes_lines
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.actions_confirm import Confirmed, Line
from pointsbank.events.rules import LINES_MAX, PLAN_MINUTES_MAX, LineFacts
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Forbidden
from pointsbank.people import attempts
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring.rules import NOTHING, Noted
from pointsbank.web import i18n
from pointsbank.web.handlers import post

ID_MAX = 10**18
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


class ConfirmLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without `minutes` all the time counts that somebody was there. `facts` are those that the item counts."""

    attendance: Annotated[int, msgspec.Meta(ge=1, le=ID_MAX)]
    minutes: Annotated[int, msgspec.Meta(ge=0, le=PLAN_MINUTES_MAX)] | None = None
    quantity: int = 1
    facts: Noted = NOTHING


class ConfirmBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lines: Annotated[list[ConfirmLine], msgspec.Meta(min_length=1, max_length=LINES_MAX)]
    request_key: str


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


@post("/api/events/{activity_id:int}/confirmations", guards=[needs(Permission.RUN_EVENTS)])
async def confirm(
    activity_id: FromPath[int], data: JSONBody[ConfirmBody], session: NamedDependency[Session]
) -> Confirmed:
    """Confirm these attendances, all or none; each becomes an act with what its item counts."""
    asking = await routes_lines.asking(await pieces.own_activity(activity_id, session))
    for one in data.lines:
        if (refused := asking.trouble(one.facts, one.quantity)) is not None:
            raise LineFacts(attendance=one.attendance, why=i18n.t(refused))
    return await db.write(
        confirming.confirm,
        actor=session.actor,
        request_key=data.request_key,
        activity_id=activity_id,
        community_ids=session.community_ids,
        lines=[Line(one.attendance, one.minutes, one.quantity, one.facts) for one in data.lines],
    )


def _scanning(session: NamedDependency[Session]) -> tuple[int, ...]:
    """The communities in which this session may scan other people's codes."""
    if not session.may(Permission.CHECK_IN_OTHERS):
        raise Forbidden
    return session.community_ids


handlers: list[Any] = [check_in, check_out, confirm]
