"""The counter by program: visits and orders, the same actions as the page."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.people import attempts
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.redemption import actions
from pointsbank.redemption.rules import Id, Line
from pointsbank.web.handlers import post

Code = Annotated[str, msgspec.Meta(max_length=256)]


class VisitBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code`: the twenty digits of a card or phone."""

    code: Code
    request_key: str


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either a visit that is open, or a code that opens one in the same transaction.

    `seen_points`, what the member was told: where the goods cost something else by now, the order is refused.
    """

    lines: Annotated[list[Line], msgspec.Meta(max_length=100)]
    request_key: str
    visit: Id | None = None
    code: Code | None = None
    seen_points: Annotated[int, msgspec.Meta(gt=0)] | None = None


class MemberAnswer(msgspec.Struct, frozen=True):
    """Masked; for the clerk to ask and compare."""

    name: str
    number: str
    building: str


class VisitAnswer(msgspec.Struct, frozen=True):
    visit: int
    member: MemberAnswer
    code_kind: str
    available_points: int
    left_today: int
    expires_at: datetime


class OrderAnswer(msgspec.Struct, frozen=True):
    order: int
    points: int
    balance_before: int
    balance_after: int


@post("/api/redemption/counters/{counter_id:int}/visits", guards=[needs(Permission.REDEEM)])
async def open_visit(
    counter_id: FromPath[int],
    data: JSONBody[VisitBody],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> VisitAnswer:
    """Consume a member's code: for ten minutes this token may order for the member at this counter."""
    with attempts.scanning(session.person_id, clock.now()):
        opened = await db.write(
            actions.open_visit,
            actor=session.actor,
            request_key=data.request_key,
            counter_id=counter_id,
            code=data.code,
            community_ids=session.community_ids,
        )
    # The stored answer holds no name: a repeat masks whoever the member is today.
    member = await people.member_view(session.community_ids, opened.person_id)
    shown = MemberAnswer(member.masked_name, member.member_number, member.building)
    return VisitAnswer(
        opened.visit_id, shown, opened.code_kind, opened.available_points, opened.left_today, opened.expires_at
    )


@post("/api/redemption/counters/{counter_id:int}/orders", guards=[needs(Permission.REDEEM)])
async def order(
    counter_id: FromPath[int],
    data: JSONBody[OrderBody],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> OrderAnswer:
    """Give goods for points, all or nothing. Send either the `visit` or a fresh `code`, never both."""
    with attempts.scanning(session.person_id, clock.now()):
        made = await db.write(
            actions.order,
            actor=session.actor,
            request_key=data.request_key,
            counter_id=counter_id,
            lines=data.lines,
            community_ids=session.community_ids,
            visit=data.visit,
            code=data.code,
            seen_points=data.seen_points,
        )
    return OrderAnswer(made.order_id, made.points, made.balance_before, made.balance_after)


handlers: list[Any] = [open_visit, order]
