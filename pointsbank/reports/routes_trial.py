"""The trial run: what a draft would have given for what was really done, beside the rules of its days."""

from datetime import date
from itertools import groupby
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.settings import Settings
from pointsbank.ledger import queries_budgets as books
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_budgets import HUNDRED, WHOLE, Budget, worth
from pointsbank.ledger.rules_kinds import PLAIN, Denomination
from pointsbank.people import queries_match as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.reports import rules_trial as rules
from pointsbank.reports import trial_runs
from pointsbank.reports.rules_trial import MONTHS_MAX, UNKNOWN, Clip, ItemLine, Outcome, Pair, TrialRuns
from pointsbank.reports.trial_runs import Run
from pointsbank.scoring import queries as scoring
from pointsbank.scoring import rules_warnings
from pointsbank.scoring.queries import Version
from pointsbank.scoring.rules import EXPLANATIONS
from pointsbank.stock.rules import yuan_of
from pointsbank.web import charts, formats, forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, amount, locale_now, with_words
from pointsbank.web.render import page

TRIES = [needs(Permission.EDIT_SCORING)]
MONTHS_AT_FIRST = 12
CLIPS_SHOWN = 10
SEXES = {"m": N_("男"), "f": N_("女"), UNKNOWN: N_("没有登记")}


class TrialForm(msgspec.Struct):
    request_key: str
    months: Annotated[int, Meta(title=N_("近几个月"), ge=1, le=MONTHS_MAX)]


class KeyForm(msgspec.Struct):
    request_key: str


class ItemRow(msgspec.Struct, frozen=True):
    """A line of the table; `of` says how its amounts are written."""

    line: ItemLine
    of: Denomination


class Category(msgspec.Struct, frozen=True):
    """`total` is of the main passbook: points of several kinds are no sum."""

    name: str
    rows: list[ItemRow]
    total: Pair | None


class ClipRow(msgspec.Struct, frozen=True):
    code: str
    words: str
    times: int
    lost: str


class Mover(msgspec.Struct, frozen=True):
    """Somebody for whom the draft changes much, as staff may see one: masked."""

    masked_name: str
    building: str
    old: int
    new: int


def url_of(version_id: int) -> str:
    return f"/overview/trial/{version_id}"


@get("/overview/trial/{version_id:int}", guards=TRIES)
async def trial(
    version_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Response[str]:
    found = await scoring.version(session.community_ids, version_id)
    return await _page(found, clock, settings, forms.blank(months=MONTHS_AT_FIRST))


@post("/overview/trial/{version_id:int}", guards=TRIES)
async def start(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Response[str] | Redirect:
    """Begin a run; nothing is written to the database, and the same key again begins no other."""
    found = await scoring.version(session.community_ids, version_id)
    form = await forms.read(request, TrialForm)
    if form.is_valid:
        asked = form.value
        try:
            await trial_runs.start(settings, found, months=asked.months, key=asked.request_key, now=clock.now())
        except TrialRuns as refusal:
            form.refuse("months", refusal)
            return await _page(found, clock, settings, form, refusal.kind.status)
        return Redirect(url_of(version_id), status_code=303)
    return await _page(found, clock, settings, form, 400)


@post("/overview/trial/{version_id:int}/stop", guards=TRIES)
async def stop(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Redirect:
    found = await scoring.version(session.community_ids, version_id)
    await forms.read(request, KeyForm)
    run = trial_runs.look(settings, found.community_id, clock.now())
    if run is not None and run.order.version_id == version_id:
        await trial_runs.stop(settings, found.community_id)
    return Redirect(url_of(version_id), status_code=303)


async def _page(
    found: Version, clock: Clock, settings: Settings, form: forms.Filled[Any], status: int = 200
) -> Response[str]:
    run = trial_runs.look(settings, found.community_id, clock.now())
    is_ours = run is not None and run.order.version_id == found.id
    outcome = run.answer.outcome if run is not None and is_ours else None
    return page(
        "reports/trial.html",
        status=status,
        version=found,
        form=form,
        run=run,
        is_ours=is_ours,
        runs=run is not None and run.is_running,
        outcome=outcome,
        **(await _shown(found, run, outcome, local_day(clock.now())) if run is not None and outcome else {}),
    )


async def _shown(found: Version, run: Run, outcome: Outcome, today: date) -> dict[str, Any]:
    book_kinds = await kinds.denominations(None, found.community_id)
    of = book_kinds.get(MAIN, PLAIN)
    budget = await budget_of(found.community_id, today)
    gone = gone_on(outcome, budget)
    said = [*rules_warnings.warnings(found.table), *rules_warnings.budget_gone(gone[1])]
    cents = await _cents(found, today)
    return {
        "of": of,
        "book_kinds": book_kinds,
        "has_changed": run.order.rules != trial_runs.rules_of(found.table),
        "main": outcome.totals[MAIN],
        "others": [(book_kinds.get(kind, PLAIN), pair) for kind, pair in outcome.totals.items() if kind != MAIN],
        "yuan": None if cents is None else _worth(outcome.totals[MAIN], cents),
        "differs": outcome.awarded[MAIN] - outcome.totals[MAIN].old,
        "budget": budget,
        "gone": gone,
        "categories": _categories(outcome, book_kinds),
        "bars_of": _bars(outcome),
        "chart": _chart(outcome),
        "clips": [_clip(one, book_kinds) for one in outcome.clips[:CLIPS_SHOWN]],
        "gains": await movers(outcome.gains),
        "losses": await movers(outcome.losses),
        "groups": [
            (_("年龄"), [(_age(one.name), one) for one in outcome.ages]),
            (_("性别"), [(_(SEXES.get(one.name, one.name)), one) for one in outcome.sexes]),
        ],
        "warnings": [one.said(with_words) for one in said],
    }


async def budget_of(community_id: int, today: date) -> Budget | None:
    """The next year's, where it is there already: a draft is for what comes."""
    for year in (today.year + 1, today.year):
        for one in await books.budgets_of([community_id], year):
            if one.programme == WHOLE:
                return one
    return None


def gone_on(outcome: Outcome, budget: Budget | None) -> tuple[date | None, date | None]:
    if budget is None:
        return None, None
    old, new = (
        rules.used_up_on(
            {day: getattr(pair, side) for day, pair in outcome.days.items()},
            outcome.first, outcome.last, budget.ceiling, budget.year,
        )
        for side in ("old", "new")
    )  # fmt: skip
    return old, new


async def _cents(found: Version, today: date) -> int | None:
    """What 100 points are worth: as the community has it, else as the table says."""
    rate = await books.rate_on(None, found.community_id, today)
    per_point = found.table.yuan_per_point_cents
    return rate if rate is not None or per_point is None else per_point * HUNDRED


def _worth(points: Pair, cents_per_100: int) -> tuple[str, str]:
    old, new = worth(points.old, cents_per_100), worth(points.new, cents_per_100)
    return yuan_of(new), formats.signed((new - old) // HUNDRED)


def _categories(outcome: Outcome, book_kinds: dict[str, Denomination]) -> list[Category]:
    rows = [ItemRow(line, book_kinds.get(line.kind, PLAIN)) for line in outcome.items]
    rows.sort(key=lambda row: row.line.category)
    totals = _totals(outcome)
    by_category = groupby(rows, key=lambda row: row.line.category)
    return [Category(name, list(some), totals.get(name)) for name, some in by_category]


def _totals(outcome: Outcome) -> dict[str, Pair]:
    found: dict[str, Pair] = {}
    for line in outcome.items:
        if line.kind == MAIN:
            found.setdefault(line.category, Pair()).add(line.points.old, line.points.new)
    return found


def _bars(outcome: Outcome) -> list[charts.Bar]:
    return [charts.Bar(name, pair.new, formats.points(pair.new), pair.old) for name, pair in _totals(outcome).items()]


def _chart(outcome: Outcome) -> charts.LineChart | None:
    if len(outcome.months) < 2:
        return None
    columns = [
        formats.month(date.fromisoformat(f"{month}-01"), english=locale_now() == "en") for month in outcome.months
    ]
    pairs = outcome.months.values()
    series = [
        charts.Series(_("新"), [pair.new for pair in pairs]),
        charts.Series(_("旧"), [pair.old for pair in pairs]),
    ]
    return charts.line_chart(_("每月发出的积分"), columns, series)


def _clip(clip: Clip, book_kinds: dict[str, Denomination]) -> ClipRow:
    """The cap in the words of the explanation."""
    of = book_kinds.get(clip.kind, PLAIN)
    words = _(EXPLANATIONS[clip.key], most=amount(clip.most, of), most_times=clip.most, most_minutes=clip.most)
    return ClipRow(clip.code, words, clip.times, amount(clip.points, of))


async def movers(changes: list[rules.Change]) -> list[Mover]:
    views = await people.member_views(one.person_id for one in changes)
    return [Mover(views[one.person_id].masked_name, views[one.person_id].building, one.old, one.new) for one in changes]


def _age(band: str) -> str:
    if band == UNKNOWN:
        return _("没有登记")
    low, _dash, high = band.partition("-")
    if not high:
        return _("{low} 岁以上", low=low)
    return _("{high} 岁以下", high=int(high) + 1) if low == "0" else _("{low}–{high} 岁", low=low, high=high)


handlers: list[Any] = [trial, start, stop]
