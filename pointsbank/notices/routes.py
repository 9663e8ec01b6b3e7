"""The public notices of a community: for its residents and its staff, on the screen and on paper."""

from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from pointsbank.kit.clock import Clock, local_day
from pointsbank.notices import queries
from pointsbank.notices.rules import GROUNDS, About
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page as show

MASK = N_("姓名只留首尾，不写门牌、电话")


@get("/notices", guards=[needs()])
async def notice_list(session: NamedDependency[Session]) -> Response[str]:
    found = await queries.notices(session.community_ids)
    template = "notices/list_phone.html" if session.kind == "resident" else "notices/list.html"
    return show(template, notices=found)


@get("/notices/{notice_id:int}", guards=[needs()])
async def notice(
    notice_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
    page: FromQuery[int] = 1,
) -> Response[str] | Redirect:
    found = await queries.notice(session.community_ids, notice_id)
    if found.about != About.AWARDS:
        return Redirect(found.url, status_code=303)
    pages = max(1, -(-found.line_count // queries.PAGE_LINES))
    number = min(max(page, 1), pages)
    facts: dict[str, Any] = {
        "notice": found,
        "lines": await queries.lines(notice_id, page=number),
        "number": number,
        "pages": pages,
        "is_open": found.closed_at is None and clock.now() < found.ends_at,
        "mask": _(MASK),
    }
    if session.kind == "resident":
        return show("notices/notice_phone.html", **facts)
    facts["days"] = (found.last_day - found.first_day).days + 1
    facts["day_now"] = (local_day(clock.now()) - found.first_day).days + 1
    facts["objections"] = await queries.objections(notice_id)
    facts["grounds"] = {code: _(text) for code, text in GROUNDS.items()}
    facts["may_record"] = facts["is_open"] and session.may(Permission.RECORD_OBJECTIONS)
    facts["may_rule"] = session.may(Permission.RULE_OBJECTIONS)
    return show("notices/notice.html", **facts)


handlers = [notice_list, notice]
