"""Budgets of a year: used, left, until when; made and raised by admins. And what a point is worth."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import queries_budgets as awards
from pointsbank.governance import actions_books
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import actions_budgets as actions
from pointsbank.ledger import queries_budgets as queries
from pointsbank.ledger import rules_budgets as rules
from pointsbank.ledger.queries_kinds import denominations, main
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_budgets import CEILING_MAX, Budget
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import queries as scoring
from pointsbank.stock.rules import cents_of, yuan_of
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
BUDGETS = "/governance/budgets"
BUDGET = f"{BUDGETS}/{{budget_id:int}}"
SEES = [needs(Permission.SEE_BOOKS)]
KEEPS = [needs(Permission.KEEP_BOOKS)]

Points = Annotated[int, Meta(title=N_("分数上限"), ge=1, le=CEILING_MAX)]
Yuan = Annotated[str, Meta(title=N_("金额上限"), max_length=14)]


class BudgetForm(msgspec.Struct):
    """`programme` is empty for the whole community."""

    request_key: str
    year: Annotated[int, Meta(title=N_("年度"))]
    programme: Annotated[str, Meta(title=N_("管哪一类"), max_length=100)] = ""
    points: Points | None = None
    yuan: Yuan = ""


class RaiseForm(msgspec.Struct):
    request_key: str
    points: Points | None = None
    yuan: Yuan = ""


class RateForm(msgspec.Struct):
    request_key: str
    yuan: Annotated[str, Meta(title=N_("100 积分折合多少元"), max_length=9)]
    from_day: Annotated[date, Meta(title=N_("从哪天算起"))]
    book_kind: Annotated[str, Meta(title=N_("哪种存折"), max_length=20)] = MAIN


class Shown(msgspec.Struct, frozen=True):
    """A budget as the page shows it: `lasts` is the day on which it is used up at this pace, if that is this year."""

    budget: Budget
    name: str
    used: int
    ceiling: int
    rest: int
    percent: int
    yuan: str
    lasts: date | None
    waits: awards.Waits


def _to(url: str) -> Redirect:
    return Redirect(url, status_code=303)


def name_of(budget: Budget) -> str:
    return budget.programme or _("整个社区")


async def _places(session: Session) -> dict[int, str]:
    """Names of communities, for whoever sees several."""
    if session.community_id is not None:
        return {}
    return {one: (await people.community(one)).name for one in session.community_ids}


async def _shown(budgets: Sequence[Budget], today: date) -> list[Shown]:
    waiting = await awards.sums([budget.budget_id for budget in budgets])
    return [
        Shown(
            budget=budget,
            name=name_of(budget),
            used=budget.issued,
            ceiling=budget.ceiling,
            rest=budget.rest,
            percent=budget.used_percent,
            yuan="" if budget.ceiling_cents is None else yuan_of(budget.ceiling_cents),
            lasts=rules.used_up_on(budget, today),
            waits=waiting.get(budget.budget_id, awards.Waits()),
        )
        for budget in budgets
    ]


@get(BUDGETS, guards=SEES)
async def budgets(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    year = forms.number(request.query_params.get("year", "")) or local_day(clock.now()).year
    return await _budgets_page(session, local_day(clock.now()), year, _blank_rate(local_day(clock.now())))


def _blank_rate(today: date) -> Filled[RateForm]:
    return forms.blank(from_day=today, book_kind=MAIN)


async def _budgets_page(session: Session, today: date, year: int, form: Filled[RateForm]) -> Response[str]:
    found = await queries.budgets_of(session.community_ids, year) if year < date.max.year else []
    own = session.community_id
    rates = await queries.rates(own) if own is not None else []
    kinds = await denominations(None, own) if own is not None else {}
    return page(
        "governance/budgets.html",
        status=200 if form.is_valid else 400,
        year=year,
        years=[today.year - 1, today.year, today.year + 1],
        shown=await _shown(found, today),
        of=await main(None, *session.community_ids),
        places=await _places(session),
        rates=[(rate, yuan_of(rate.cents_per_100), kinds[rate.book_kind].name) for rate in rates],
        kinds=[(code, kind.name) for code, kind in kinds.items()],
        may_keep=session.may(Permission.KEEP_BOOKS),
        form=form,
    )


@post(f"{BUDGETS}/rate", guards=KEEPS)
async def set_rate(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, RateForm)
    today = local_day(clock.now())
    assert session.community_id is not None
    if form.is_valid:
        asked = form.value
        try:
            cents = cents_of(asked.yuan)
            if not 0 < cents <= rules.RATE_MAX:
                form.refuse("yuan", N_("100 积分折合要在 0.01 元到 10000 元之间"))
            else:
                await db.write(
                    actions.set_rate,
                    actor=session.actor,
                    request_key=asked.request_key,
                    community_id=session.community_id,
                    from_day=asked.from_day,
                    cents_per_100=cents,
                    book_kind=asked.book_kind,
                )
        except Refusal as refusal:
            form.refuse("from_day" if refusal.code == rules.RateInThePast.code else "yuan", refusal)
    return _to(BUDGETS) if form.is_valid else await _budgets_page(session, today, today.year, form)


@get(f"{BUDGETS}/new", guards=KEEPS)
async def new_budget(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    today = local_day(clock.now())
    return await _new_page(session, today, forms.blank(year=today.year))


async def _new_page(session: Session, today: date, form: Filled[BudgetForm]) -> Response[str]:
    assert session.community_id is not None
    return page(
        "governance/budget_new.html",
        status=200 if form.is_valid else 400,
        years=[(year, str(year)) for year in (today.year, today.year + 1)],
        programmes=[(name, name) for name in await _programmes(session.community_id, today)],
        form=form,
    )


async def _programmes(community_id: int, today: date) -> list[str]:
    """The categories of the table in force."""
    version = await scoring.current(community_id, today)
    return [] if version is None else sorted({item.category for item in version.items.values()})


def _cents(form: Filled[Any], yuan: str) -> int | None:
    if not yuan:
        return None
    try:
        cents = cents_of(yuan)
    except Refusal as refusal:
        form.refuse("yuan", refusal)
        return None
    if not 0 < cents <= CEILING_MAX:
        form.refuse("yuan", N_("金额上限要大于 0，不能太大"))
    return cents


@post(BUDGETS, guards=KEEPS)
async def make_budget(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, BudgetForm)
    today = local_day(clock.now())
    assert session.community_id is not None
    if form.is_valid:
        asked = form.value
        cents = _cents(form, asked.yuan)
        if asked.programme and asked.programme not in await _programmes(session.community_id, today):
            form.refuse("programme", N_("积分标准里没有这一类"))
        try:
            if form.is_valid:
                await db.write(
                    actions_books.make_budget,
                    actor=session.actor,
                    request_key=asked.request_key,
                    community_id=session.community_id,
                    year=asked.year,
                    programme=asked.programme,
                    points=asked.points,
                    cents=cents,
                )
                return _to(f"{BUDGETS}?year={asked.year}")
        except Refusal as refusal:
            form.refuse(FIELDS.get(refusal.code, "points"), refusal)
    return await _new_page(session, today, form)


FIELDS = {rules.BudgetExists.code: "programme", rules.BudgetYear.code: "year", rules.NoRate.code: "yuan"}


@get(BUDGET, guards=SEES)
async def budget(
    budget_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    found = await queries.budget(session.community_ids, budget_id)
    yuan = "" if found.ceiling_cents is None else yuan_of(found.ceiling_cents).replace(",", "")
    form: Filled[RaiseForm] = forms.blank(points=found.ceiling_points, yuan=yuan)
    return await _budget_page(session, found, local_day(clock.now()), form)


async def _budget_page(session: Session, found: Budget, today: date, form: Filled[RaiseForm]) -> Response[str]:
    (shown,) = await _shown([found], today)
    waiting = await awards.waiting(found.budget_id)
    return page(
        "governance/budget.html",
        status=200 if form.is_valid else 400,
        shown=shown,
        of=await main(None, found.community_id),
        rate="" if found.cents_per_100 is None else yuan_of(found.cents_per_100),
        waiting=waiting,
        names=await people.masked_names(one.person_id for one in waiting),
        may_raise=session.may(Permission.KEEP_BOOKS) and found.year >= today.year,
        form=form,
    )


@post(BUDGET, guards=KEEPS)
async def raise_budget(
    budget_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    found = await queries.budget(session.community_ids, budget_id)
    form = await forms.read(request, RaiseForm)
    today = local_day(clock.now())
    if form.is_valid:
        asked = form.value
        cents = _cents(form, asked.yuan)
        try:
            if form.is_valid:
                await db.write(
                    actions.raise_budget,
                    actor=session.actor,
                    request_key=asked.request_key,
                    budget_id=budget_id,
                    points=asked.points,
                    cents=cents,
                )
                return _to(f"{BUDGETS}/{budget_id}")
        except Refusal as refusal:
            form.refuse("points", refusal)
    return await _budget_page(session, found, today, form)


handlers: list[Any] = [budgets, set_rate, new_budget, make_budget, budget, raise_budget]
