"""Organisers' pages during an activity: who is in, scanning, and picking names."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.queries import Activity
from pointsbank.events.routes_pieces import AnyRequest
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.people import attempts, browser
from pointsbank.people import roster as members
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

CHECKS = [needs(Permission.CHECK_IN_OTHERS)]
FOUND_MAX = 8

Direction = Literal["in", "out"]


class FindForm(browser.SearchForm):
    direction: Direction = "in"


class ScanForm(msgspec.Struct):
    request_key: str
    code: Annotated[str, msgspec.Meta(title="积分卡或手机码", max_length=256)]
    direction: Direction


class PickForm(msgspec.Struct):
    request_key: str
    person: int
    direction: Direction


# The second address is where a reader is sent back to who changes the type size after a search.
@get(["/events/{activity_id:int}/roster", "/events/{activity_id:int}/roster/find"], guards=CHECKS)
async def roster(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    """Who is in and who is out, the box for scanned codes, and names to pick from."""
    found = await pieces.own_activity(activity_id, session)
    direction = "out" if request.query_params.get("direction") == "out" else "in"
    return await _roster_page(request, found, session, clock.now(), forms.blank(direction=direction))


@post("/events/{activity_id:int}/roster/find", guards=CHECKS)
async def find(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    """The same page with the names that fit, to pick from."""
    found = await pieces.own_activity(activity_id, session)
    sought = await browser.search_of(request, FindForm)
    if not sought.q:
        return Redirect(f"/events/{activity_id}/roster?direction={sought.direction}", status_code=303)
    form: Filled[Any] = forms.blank(direction=sought.direction)
    return await _roster_page(request, found, session, clock.now(), form, sought=sought.q)


async def _roster_page(
    request: AnyRequest, activity: Activity, session: Session, now: datetime, form: Filled[Any], *, sought: str = ""
) -> Response[str]:
    rows = [row for row in await pieces.rows(activity, session, now) if row.attendance.state != "struck"]
    side = request.query_params.get("side", "all")
    done = request.query_params.get("done", "")
    picked = await members.search(activity.community_id, sought, limit=FOUND_MAX) if sought else []
    return page(
        "events/roster.html",
        status=200 if form.is_valid else 400,
        activity=await pieces.shown(activity),
        rows=[row for row in rows if side == "all" or (row.attendance.out_at is None) == (side == "in")],
        count=len(rows),
        count_in=sum(row.attendance.out_at is None for row in rows),
        side=side,
        sought=sought,
        picked=picked,
        here={row.who.person_id: row for row in rows},
        done=next((row for row in rows if str(row.attendance.id) == done), None),
        form=form,
        may_run=session.may(Permission.RUN_EVENTS),
        now=now,
    )


@post("/events/{activity_id:int}/scan", guards=CHECKS)
async def scan(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    found = await pieces.own_activity(activity_id, session)
    filled = await forms.read(request, ScanForm)
    if filled.is_valid:
        action = attendance.check_in if filled.value.direction == "in" else attendance.check_out
        facts = {"activity_id": activity_id, "code": filled.value.code, "community_ids": session.community_ids}
        try:
            with attempts.scanning(session.person_id, clock.now()):
                return await _do(filled, action, session, facts)
        except Refusal as refused:
            _put(filled, refused)
    filled.typed.pop("code", None)  # a card's digits are not shown again
    return await _roster_page(request, found, session, clock.now(), filled)


@post("/events/{activity_id:int}/pick", guards=CHECKS)
async def pick(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    found = await pieces.own_activity(activity_id, session)
    filled = await forms.read(request, PickForm)
    if filled.is_valid:
        action = attendance.check_in_picked if filled.value.direction == "in" else attendance.check_out_picked
        facts = {"activity_id": activity_id, "person_id": filled.value.person, "community_ids": session.community_ids}
        try:
            return await _do(filled, action, session, facts)
        except Refusal as refused:
            _put(filled, refused)
    return await _roster_page(request, found, session, clock.now(), filled)


def _put(filled: Filled[Any], refused: Refusal) -> None:
    """Say at the box why nobody went in or out, unless nothing was decided."""
    if refused.kind is Kind.BUSY:
        raise refused
    filled.refuse("code", refused)


async def _do(filled: Filled[Any], action: Any, session: Session, facts: dict[str, Any]) -> Redirect:
    """Run a form's action and go back to the roster."""
    done = await db.write(action, actor=session.actor, request_key=filled.value.request_key, **facts)
    direction = filled.value.direction
    url = f"/events/{facts['activity_id']}/roster?direction={direction}&done={done.attendance_id}"
    return Redirect(url, status_code=303)


handlers: list[Any] = [roster, find, scan, pick]
