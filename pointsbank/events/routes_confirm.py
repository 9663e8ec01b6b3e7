"""The organisers' page after an activity: confirm the lines, with what their item counts; strike one off; finish."""

import unicodedata
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.awards.rules import Holders
from pointsbank.events import actions_confirm as confirming
from pointsbank.events import queries, routes_lines, rules
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.actions_confirm import Line
from pointsbank.events.queries import Activity, OpenLine
from pointsbank.events.routes_lines import Asking
from pointsbank.events.routes_pieces import AnyRequest, Row
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day, start_of_day
from pointsbank.kit.errors import Kind, NotFound, Refusal
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.scoring.rules_caps import caps_on
from pointsbank.web import forms, i18n
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _
from pointsbank.web.render import page

RUNS = [needs(Permission.RUN_EVENTS)]


class ConfirmForm(msgspec.Struct):
    """`line` and `minutes` go side by side, one for each row that may be confirmed; `tick` are the chosen ones.

    What else a row asks has names of its own (`routes_lines`). With `fill` nothing is confirmed: the row for all is put
    into the ticked ones, which are shown again.
    """

    request_key: str
    line: list[int] = []
    minutes: list[str | None] = []
    tick: list[int] = []
    fill: str = ""


class StrikeForm(msgspec.Struct):
    request_key: str
    strike: int


@get("/events/{activity_id:int}/confirm", guards=RUNS)
async def confirm_page(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    found = await pieces.own_activity(activity_id, session)
    asking = await routes_lines.asking(found)
    return await _page(request, found, session, clock.now(), asking=asking, form=forms.blank(), wrong={})


@post("/events/{activity_id:int}/confirm", guards=RUNS)
async def confirm(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    found = await pieces.own_activity(activity_id, session)
    asking = await routes_lines.asking(found)
    filled = await forms.read(request, ConfirmForm)
    wrong: dict[int, str] = {}
    if filled.is_valid and filled.value.fill:
        form = _with_all_filled(asking, filled)
        return await _page(request, found, session, clock.now(), asking=asking, form=form, wrong=wrong)
    lines = await _ticked(found, filled, asking, wrong) if filled.is_valid else []
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
    return await _page(request, found, session, clock.now(), asking=asking, form=filled, wrong=wrong)


def _with_all_filled(asking: Asking, filled: Filled[ConfirmForm]) -> Filled[ConfirmForm]:
    lists = routes_lines.filled(asking, filled.lists, filled.lists.get("tick", []))
    return Filled({name: "\n".join(values) for name, values in lists.items()}, lists)


async def _ticked(activity: Activity, filled: Filled[ConfirmForm], asking: Asking, wrong: dict[int, str]) -> list[Line]:
    """The chosen lines with what was typed in them; what is to be changed goes into `wrong`, line by line."""
    form = filled.value
    chosen = set(form.tick)
    if not chosen:
        filled.refuse("minutes", _("还没有选人。请在要确认的人前面打勾"))
    if len(form.line) != len(form.minutes) or not chosen <= set(form.line):
        filled.refuse("minutes", _("页面不完整，请刷新后再试"))
        return []
    here = {one.id: rules.minutes_max(activity.plan, one.in_at, one.out_at) for one in await queries.lines(activity.id)}
    lines = []
    for number, text in zip(form.line, form.minutes, strict=True):
        if number not in chosen:
            continue
        minutes, most = _minutes(text or ""), here.get(number, 0)
        told = asking.read(filled.lists, str(number))
        if minutes is None and (text or asking.wants_minutes):
            wrong[number] = _("打勾的行都要填计分时长（分钟）")
        elif minutes is not None and not 0 < minutes <= most and number in here:
            wrong[number] = i18n.t(rules.TooLong(most=most))
        elif isinstance(told, str):
            wrong[number] = told
        else:
            noted, quantity = told
            lines.append(Line(number, minutes, quantity, noted))
    if wrong:
        filled.refuse("minutes", _("有 {n} 行要补或要改，都没有确认", n=len(wrong)))
    return lines


def _minutes(text: str) -> int | None:
    return forms.number(unicodedata.normalize("NFKC", text))


async def _to_confirm_first(activity: Activity, asking: Asking, rows: list[Row]) -> list[tuple[OpenLine, list[str]]]:
    """Activities of the day (week, month) before that keep some of these people waiting, with their names.

    How many in a row end with an act is counted when it is confirmed: of what is confirmed later it knows nothing.
    """
    if asking.table is None or asking.item is None:
        return []
    row = caps_on(asking.table, asking.item, local_day(activity.starts_at)).row
    if row is None:
        return []
    here, before = row

    def whose(who: MemberView) -> int:
        return Holders(who.person_id, who.household_id, None).of(here.scope)

    holders = {whose(one.who) for one in rows}
    first: dict[int, tuple[OpenLine, list[str]]] = {}
    since, until = start_of_day(before.period_start), start_of_day(here.period_start)
    for line in await queries.open_between(activity, since, until):
        who = await people.member_view((activity.community_id,), line.person_id)
        if whose(who) in holders:
            first.setdefault(line.activity_id, (line, []))[1].append(who.masked_name)
    return list(first.values())


async def _page(
    request: AnyRequest,
    activity: Activity,
    session: Session,
    now: datetime,
    *,
    asking: Asking,
    form: Filled[Any],
    wrong: dict[int, str],
) -> Response[str]:
    rows = await pieces.rows(activity, session, now)
    open_rows = [row for row in rows if row.attendance.state == "open"]
    side = request.query_params.get("side", "all")
    shown = [row for row in open_rows if side == "all" or bool(row.doubts) == (side == "ask")]
    was_sent = "request_key" in form.lists
    names = await people.masked_names([activity.organiser_id])
    return page(
        "events/confirm.html",
        status=200 if form.is_valid else 400,
        activity=await pieces.shown(activity),
        organiser=names.get(activity.organiser_id, ""),
        rows=shown[: min(rules.LINES_MAX, asking.lines_max)],
        settled=[row for row in rows if row.attendance.state != "open"],
        count=len(open_rows),
        count_asked=sum(bool(row.doubts) for row in open_rows),
        side=side,
        asking=asking,
        typed=form.lists,
        minutes=dict(zip(form.lists.get("line", []), form.lists.get("minutes", []), strict=False)),
        ticked={forms.number(one) for one in form.lists.get("tick", [])} if was_sent else None,
        wrong=[(row, wrong[row.attendance.id]) for row in open_rows if row.attendance.id in wrong],
        wrong_of=wrong,
        form=form,
        first=await _to_confirm_first(activity, asking, open_rows),
        may_finish=activity.state == "published" and activity.is_over(now),
        now=now,
    )


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


handlers: list[Any] = [confirm_page, confirm, strike, finish]
