"""Organisers' pages during and after an activity: who is in, scanning, picking names, and confirming minutes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import actions_confirm as confirming
from pointsbank.events import queries, rules
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.queries import Activity, Attendance
from pointsbank.events.routes_pieces import AnyRequest
from pointsbank.events.rules import BLOCKING, Doubt
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Kind, NotFound, Refusal
from pointsbank.people import attempts, browser
from pointsbank.people import queries as people
from pointsbank.people import roster as members
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _
from pointsbank.web.render import page

CHECKS = [needs(Permission.CHECK_IN_OTHERS)]
RUNS = [needs(Permission.RUN_EVENTS)]
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


class ConfirmForm(msgspec.Struct):
    """`line` and `minutes` go side by side, one for each row that may be confirmed; `tick` are the chosen ones."""

    request_key: str
    line: list[int] = []
    minutes: list[Annotated[int, msgspec.Meta(title="计分时长", ge=0, le=rules.PLAN_MINUTES_MAX)] | None] = []
    tick: list[int] = []


class StrikeForm(msgspec.Struct):
    request_key: str
    strike: int


@dataclass(frozen=True, slots=True)
class Row:
    """An attendance with whose it is; `doubts` are what speaks against ticking it beforehand."""

    attendance: Attendance
    who: MemberView
    minutes_max: int
    doubts: tuple[Doubt, ...]

    @property
    def may_tick(self) -> bool:
        return not BLOCKING & set(self.doubts)


async def _rows(activity: Activity, session: Session, now: datetime) -> list[Row]:
    own = await people.holder_of(None, session.person_id)
    found = []
    for one in await queries.lines(activity.id):
        who = await people.member_view((activity.community_id,), one.person_id)
        same_home = own.household_id is not None and own.household_id == who.household_id
        doubts = rules.doubts(
            plan=activity.plan,
            in_at=one.in_at,
            in_way=one.in_way,
            out_at=one.out_at,
            state=who.state,
            is_own=same_home or who.person_id == own.person_id,
            now=now,
        )
        most = rules.minutes_max(activity.plan, one.in_at, one.out_at)
        found.append(Row(one, who, most, tuple(doubts)))
    return found


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
    rows = [row for row in await _rows(activity, session, now) if row.attendance.state != "struck"]
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


@get("/events/{activity_id:int}/confirm", guards=RUNS)
async def confirm_page(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    found = await pieces.own_activity(activity_id, session)
    return await _confirm_page(request, found, session, clock.now(), None)


async def _confirm_page(
    request: AnyRequest, activity: Activity, session: Session, now: datetime, form: Filled[ConfirmForm] | None
) -> Response[str]:
    rows = await _rows(activity, session, now)
    open_rows = [row for row in rows if row.attendance.state == "open"]
    side = request.query_params.get("side", "all")
    shown = [row for row in open_rows if side == "all" or bool(row.doubts) == (side == "ask")]
    settled = [row for row in rows if row.attendance.state != "open"]
    typed = _typed_minutes(form) if form is not None else {}
    names = await people.masked_names([activity.organiser_id])
    return page(
        "events/confirm.html",
        status=200 if form is None or form.is_valid else 400,
        activity=await pieces.shown(activity),
        organiser=names.get(activity.organiser_id, ""),
        rows=shown[: rules.LINES_MAX],
        settled=settled,
        count=len(open_rows),
        count_asked=sum(bool(row.doubts) for row in open_rows),
        side=side,
        typed=typed,
        ticked=None if form is None else {forms.number(one) for one in form.lists.get("tick", [])},
        form=form or forms.blank(),
        may_finish=activity.state == "published" and activity.is_over(now),
        now=now,
    )


def _typed_minutes(form: Filled[ConfirmForm]) -> dict[str, str]:
    """What was typed for each line, so that nothing is lost when one of them is refused."""
    return dict(zip(form.lists.get("line", []), form.lists.get("minutes", []), strict=False))


@post("/events/{activity_id:int}/confirm", guards=RUNS)
async def confirm(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    found = await pieces.own_activity(activity_id, session)
    filled = await forms.read(request, ConfirmForm)
    lines = _ticked(filled) if filled.is_valid else []
    if filled.is_valid:  # still: choosing the lines may have found something missing
        facts = {"activity_id": activity_id, "community_ids": session.community_ids, "lines": lines}
        key = filled.value.request_key
        try:
            await db.write(confirming.confirm, actor=session.actor, request_key=key, **facts)
        except Refusal as refused:
            if refused.kind is Kind.BUSY:
                raise
            filled.refuse("minutes", refused)
        else:
            return Redirect(f"/events/{activity_id}/confirm", status_code=303)
    return await _confirm_page(request, found, session, clock.now(), filled)


def _ticked(filled: Filled[ConfirmForm]) -> list[confirming.Line]:
    """The chosen lines with their minutes; what is missing is said in the form."""
    form = filled.value
    chosen = set(form.tick)
    if not chosen:
        filled.refuse("minutes", _("还没有选人。请在要确认的人前面打勾"))
    if len(form.line) != len(form.minutes) or not chosen <= set(form.line):
        filled.refuse("minutes", _("页面不完整，请刷新后再试"))
        return []
    lines = []
    for number, minutes in zip(form.line, form.minutes, strict=True):
        if number in chosen and minutes is None:
            filled.refuse("minutes", _("打勾的行都要填计分时长（分钟）"))
        elif number in chosen and minutes is not None:
            lines.append(confirming.Line(number, minutes))
    return lines


@post("/events/{activity_id:int}/strike", guards=RUNS)
async def strike(activity_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    await pieces.own_activity(activity_id, session)
    filled = await forms.read(request, StrikeForm)
    if not filled.is_valid:  # the number is in the button: nobody typed it
        raise NotFound
    facts = {"activity_id": activity_id, "community_ids": session.community_ids}
    key, number = filled.value.request_key, filled.value.strike
    await db.write(confirming.strike, actor=session.actor, request_key=key, attendance_id=number, **facts)
    return Redirect(f"/events/{activity_id}/confirm", status_code=303)


@post("/events/{activity_id:int}/finish", guards=RUNS)
async def finish(activity_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    await pieces.own_activity(activity_id, session)
    facts = {"activity_id": activity_id, "community_ids": session.community_ids}
    await db.write(confirming.finish, actor=session.actor, request_key=await browser.key_of(request), **facts)
    return Redirect(f"/events/{activity_id}", status_code=303)


handlers: list[Any] = [roster, find, scan, pick, confirm_page, confirm, strike, finish]
