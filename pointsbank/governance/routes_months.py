"""Months of the books: looked through, closed by an admin, printed as a monthly book."""

from datetime import date, timedelta
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.awards import queries_budgets as awards
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day, month_start, start_of_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import actions_periods as actions
from pointsbank.ledger import queries_budgets
from pointsbank.ledger import queries_periods as queries
from pointsbank.ledger import rules_periods as rules
from pointsbank.ledger.queries_kinds import denominations
from pointsbank.ledger.queries_periods import Total
from pointsbank.ledger.rules import MAIN, POT
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.ledger.rules_periods import Period, month_after
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.redemption import queries as redemption
from pointsbank.stock.rules import yuan_of
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

MONTHS = "/governance/months"
MONTH = f"{MONTHS}/{{community_id:int}}/{{month:int}}"
MONTHS_SHOWN = 24
MONTHS_A_YEAR = 12
SEES = [needs(Permission.SEE_BOOKS)]
KEEPS = [needs(Permission.KEEP_BOOKS)]
STATES = {
    "": (N_("没有结账"), ""),
    rules.CLOSING: (N_("没有结完"), "warn"),
    rules.CLOSED: (N_("已结账"), "ok"),
}


class CloseForm(msgspec.Struct):
    request_key: str


class Line(msgspec.Struct, frozen=True):
    """What one line of the monthly book says."""

    name: str
    of: Denomination
    points_in: int
    points_out: int


def _month(number: int) -> date:
    """202611 is November 2026."""
    year, month = divmod(number, 100)
    if not (2000 <= year < date.max.year and 1 <= month <= MONTHS_A_YEAR):
        raise NotFound
    return date(year, month, 1)


def number_of(month: date) -> int:
    return month.year * 100 + month.month


@get(MONTHS, guards=SEES)
async def months(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    this = month_start(local_day(clock.now()))
    lines = []
    for community_id in session.community_ids:
        name = (await people.community(community_id)).name
        first = await queries.first_month(None, community_id)
        known = {period.month: period for period in await queries.periods(community_id)}
        told = await queries.outstanding(community_id)
        for month in _back_from(this, first or this):
            period = known.get(month)
            left = [] if period is None else told.get(period.period_id, [])
            lines.append((name, community_id, number_of(month), month, period, left))
    return page(
        "governance/months.html", lines=lines, states=STATES, this=this, has_many=len(session.community_ids) > 1
    )


def _back_from(month: date, first: date) -> list[date]:
    """Months, the latest first."""
    found = [month]
    while found[-1] > first and len(found) < MONTHS_SHOWN:
        found.append(month_start(found[-1] - timedelta(days=1)))
    return found


@get(MONTH, guards=SEES)
async def month_page(
    community_id: FromPath[int], month: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    return await _month_page(session, clock, community_id, _month(month), forms.blank())


async def _facts(session: Session, community_id: int, month: date) -> dict[str, Any]:
    """Everything that is told of a month, on the page and on paper."""
    period = await queries.period_of(session.community_ids, community_id, month)
    starts_at, ends_at = start_of_day(month), rules.ends_at(month)
    totals = await queries.totals(community_id, starts_at, ends_at)
    last_day = month_after(month) - timedelta(days=1)
    owed = await queries_budgets.liabilities_at(community_id, ends_at, last_day)
    cents = queries_budgets.cents_of(owed)
    book_kinds = await denominations(None, community_id)
    main = [one for one in totals if one.book_kind == MAIN]
    outlets = {outlet.outlet_id: outlet.name for outlet in await redemption.outlets(community_id)}
    return {
        "period": period,
        "month": month,
        "number": number_of(month),
        "of": book_kinds[MAIN],
        "community": await people.community(community_id),
        "lines": _lines(totals, outlets, book_kinds),
        "issued": sum(one.points_out - one.points_in for one in main if one.name.startswith("issued")),
        "spent": sum(one.points_in - one.points_out for one in main if one.name.startswith("redeemed:")),
        "expired": sum(one.points_in - one.points_out for one in main if one.name == "expired"),
        "outstanding": owed[0].points,
        "others": owed[1:],
        "yuan": "" if cents is None else yuan_of(cents),
    }


def _lines(totals: list[Total], outlets: dict[int, str], book_kinds: dict[str, Denomination]) -> list[Line]:
    """Issued first, then what each outlet took, then the rest; passbooks themselves are the other side of all."""
    found = [Line(_name(one.name, outlets), book_kinds[one.book_kind], one.points_in, one.points_out) for one in totals]
    return sorted(found, key=lambda line: (line.of.code != MAIN, line.of.code, -line.points_out, line.name))


SYSTEM = {
    "issued": N_("发出的积分"),
    "expired": N_("到期收回"),
    "pot": N_("公益池"),
    "clawed_back": N_("追回"),
    "deducted": N_("扣分"),
}


def _name(system: str, outlets: dict[int, str]) -> str:
    if system.startswith(f"{POT}@"):
        return _(SYSTEM[POT])
    head, _colon, rest = system.partition(":")
    if head == "redeemed":
        return _("在{outlet}兑换", outlet=outlets.get(forms.number(rest) or 0, rest))
    if head == "issued" and rest:
        year, _colon, programme = rest.partition(":")
        return _("{year} 年预算：{name}", year=year, name=programme or _("整个社区"))
    return _(SYSTEM[head]) if head in SYSTEM else system


async def _month_page(
    session: Session, clock: Clock, community_id: int, month: date, form: Filled[CloseForm]
) -> Response[str]:
    facts = await _facts(session, community_id, month)
    period: Period | None = facts["period"]
    following = await queries.next_month(None, community_id)
    is_over = rules.ends_at(month) <= clock.now()
    waits = await awards.open_of_month(community_id, start_of_day(month), rules.ends_at(month))
    return page(
        "governance/month.html",
        status=200 if form.is_valid else 400,
        waits=waits,
        state=STATES["" if period is None else period.state],
        is_over=is_over,
        is_next=following == month,
        may_close=session.may(Permission.KEEP_BOOKS) and is_over and following == month,
        form=form,
        **facts,
    )


@post(MONTH, guards=KEEPS)
async def close(
    community_id: FromPath[int],
    month: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str] | Redirect:
    """Close a month, or go on where the counting was cut off."""
    first = _month(month)
    period = await queries.period_of(session.community_ids, community_id, first)
    form = await forms.read(request, CloseForm)
    try:
        period_id = period.period_id if period is not None and period.state == rules.CLOSING else None
        if period_id is None:
            period_id = await db.write(
                actions.close,
                actor=session.actor,
                request_key=form.value.request_key,
                community_id=community_id,
                month=first,
            )
        await _count(session, period_id)
    except Refusal as refusal:
        form.refuse("month", refusal)
        return await _month_page(session, clock, community_id, first, form)
    return Redirect(f"{MONTHS}/{community_id}/{month}", status_code=303)


async def _count(session: Session, period_id: int) -> None:
    while await db.write(actions.count, actor=session.actor, period_id=period_id):
        pass


@get(f"{MONTH}/print", guards=SEES)
async def month_paper(
    community_id: FromPath[int], month: FromPath[int], session: NamedDependency[Session]
) -> Response[str]:
    """The monthly book: what one hangs up and files."""
    return page("governance/month_print.html", **await _facts(session, community_id, _month(month)))


handlers: list[Any] = [months, month_page, close, month_paper]
