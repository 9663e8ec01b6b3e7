"""Entering a signed sheet after the activity: who stands on it, from when to when."""

from datetime import UTC, datetime, time
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import queries, rules
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.queries import Activity
from pointsbank.events.routes_pieces import AnyRequest
from pointsbank.kit import db
from pointsbank.kit.clock import ZONE, Clock
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people import roster as members
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

RUNS = [needs(Permission.RUN_EVENTS)]
FOUND_MAX = 8


class LateForm(msgspec.Struct):
    request_key: str
    person: int
    arrived: Annotated[time, msgspec.Meta(title="到场")]
    left: Annotated[time, msgspec.Meta(title="离场")]


# The second address is where a reader is sent back to who changes the type size after a search.
@get(["/events/{activity_id:int}/late", "/events/{activity_id:int}/late/find"], guards=RUNS)
async def late_page(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    found = await pieces.own_activity(activity_id, session)
    return await _page(found, clock.now(), forms.blank(), done=request.query_params.get("done", ""))


@post("/events/{activity_id:int}/late/find", guards=RUNS)
async def find(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    found = await pieces.own_activity(activity_id, session)
    sought = await browser.search_of(request, browser.SearchForm)
    return await _page(found, clock.now(), forms.blank(), sought=sought.q)


@post("/events/{activity_id:int}/late", guards=RUNS)
async def enter(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    found = await pieces.own_activity(activity_id, session)
    filled = await forms.read(request, LateForm)
    if filled.is_valid:
        asked = filled.value
        try:
            entered = await db.write(
                attendance.enter_late,
                actor=session.actor,
                request_key=asked.request_key,
                activity_id=activity_id,
                person_id=asked.person,
                in_at=_moment(found, asked.arrived),
                out_at=_moment(found, asked.left),
                community_ids=session.community_ids,
            )
        except Refusal as refused:
            if refused.kind is Kind.BUSY:
                raise
            filled.refuse("arrived", refused)
        else:
            return Redirect(f"/events/{activity_id}/late?done={entered.attendance_id}", status_code=303)
    return await _page(found, clock.now(), filled)


def _moment(activity: Activity, clock: time) -> datetime:
    return rules.moment_on_sheet(activity.plan, clock).astimezone(UTC)


async def _page(
    activity: Activity, now: datetime, form: Filled[Any], *, sought: str = "", done: str = ""
) -> Response[str]:
    lines = [one for one in await queries.lines(activity.id) if one.state != "struck"]
    picked = await members.search(activity.community_id, sought, limit=FOUND_MAX) if sought else []
    person = forms.number(form.typed.get("person", ""))
    if person is not None and not form.is_valid:  # whoever was refused stands there again, with what was typed
        picked = [await people.member_view((activity.community_id,), person)]
    last = next((one for one in lines if str(one.id) == done), None)
    names = await people.masked_names([last.person_id]) if last is not None else {}
    starts, ends = activity.starts_at.astimezone(ZONE), activity.ends_at.astimezone(ZONE)
    return page(
        "events/late.html",
        status=200 if form.is_valid else 400,
        activity=await pieces.shown(activity),
        form=form,
        sought=sought,
        picked=picked,
        here={one.person_id for one in lines},
        count=len(lines),
        last=last,
        last_name="" if last is None else names.get(last.person_id, ""),
        arrived=form.typed.get("arrived") or f"{starts:%H:%M}",
        left=form.typed.get("left") or f"{ends:%H:%M}",
        may_enter=activity.state == "published" and activity.is_over(now),
    )


handlers: list[Any] = [late_page, find, enter]
