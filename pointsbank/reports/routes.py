"""Pages that look across rooms."""

from datetime import date, datetime, timedelta
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency

from pointsbank.awards import queries_cases, queries_panel, routes_gate
from pointsbank.awards.rules_cases import LETTER_WORDS, OPEN_STATES
from pointsbank.kit.clock import Clock, local_day, start_of_day
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_budgets as books
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger import routes as ledger_pages
from pointsbank.ledger.routes_statement import earlier_books, own_books_of
from pointsbank.ledger.rules import MAIN
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.routes_door import told_of_work
from pointsbank.reports import (
    queries,
    routes_books,
    routes_draft,
    routes_own,
    routes_passbook,
    routes_people,
    routes_print,
    routes_today,
    routes_trial,
)
from pointsbank.reports.queries import Community, Month
from pointsbank.stock.rules import yuan_of
from pointsbank.web import charts, formats
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, locale_now, translate
from pointsbank.web.render import page

LINES_AT_HOME = 5
LETTERS_FOR = timedelta(days=60)
STAFF_TOLD_FOR = timedelta(days=30)
MONTHS_SHOWN = 12
CHART_LINES = 3


def _is_english() -> bool:
    return locale_now() == "en"


def start_page(session: Session) -> str:
    """Where somebody's work begins."""
    if session.must_change or session.must_enrol:
        return "/me/password" if session.must_change else "/me/second-step"
    if session.kind == "resident":
        return "/home"
    for permission, url in (
        (Permission.SEE_TODO, "/todo"),
        (Permission.REDEEM, "/redemption/counters"),
        (Permission.SEE_OVERVIEW, "/overview"),
        (Permission.KEEP_TEMPLATES, "/scoring/templates"),
        (Permission.SIT_ON_PANELS, "/awards/panel"),
    ):
        if session.may(permission):
            return url
    return "/choose-role"


@get("/", opt={"public": True}, sync_to_thread=False)
def start(request: Request[Any, Any, Any]) -> Response[bytes]:
    session = request.scope["session"]
    url = start_page(session) if isinstance(session, Session) else "/sign-in"
    return Response(b"", status_code=303, media_type="text/html", headers={"Location": url})


@get("/home", guards=[needs(Permission.OWN)])
async def home(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    """A resident's first page: what can be spent, what is on its way, what is on."""
    now = clock.now()
    today = local_day(now)
    passbook = await ledger_pages.own_passbook(session)
    facts: dict[str, Any] = {
        "passbook": None,
        "lines": [],
        "number": "",
        "earned": 0,
        "expiring": 0,
        "soon": [],
        "shut": [],
    }
    holder = await people.holder_of(None, session.person_id)
    books = await own_books_of(holder)
    facts["others"] = [book for book in books if book.code != MAIN]
    books += await earlier_books(holder)
    facts["waiting"] = await queries.waiting([book.passbook_id for book in books])
    if passbook is not None:
        account = await ledger.account(None, passbook.account_id, today=today)
        lines = await ledger.lines(passbook.account_id, limit=LINES_AT_HOME)
        lapsing = await ledger.expiring(passbook.account_id, today=today, until=date(today.year, 12, 31))
        facts |= {
            "passbook": passbook,
            "number": await ledger_pages.own_number(session),
            "lines": [ledger_pages.shown(line, today, english=_is_english()) for line in lines],
            "earned": await queries.earned_this_month(passbook.account_id, today),
            "expiring": sum(lot.points for lot in lapsing),
            "soon": await ledger.lapsing_soon(passbook.account_id, today=today),
            "spendable": account.points,
            "shut": await routes_gate.why_shut(session, account, today),
        }
    letters = await queries_cases.letters_to(session.person_id, since=today - LETTERS_FOR)
    facts["letters"] = [one for one in letters if one.state in OPEN_STATES]
    facts["to_vote"] = len(await queries_panel.waiting_for(session.person_id))
    facts |= await told_of_work(session.person_id, since=now - STAFF_TOLD_FOR)
    upcoming = await queries.activities(session.place_id, now, now + timedelta(days=14))
    return page(
        "reports/home.html",
        upcoming=upcoming[:2],
        letter_words=LETTER_WORDS,
        is_provisional=session.is_provisional,
        who=session.shown_name,
        of=passbook or await kinds.main(None, *session.community_ids),
        **facts,
    )


@get("/overview", guards=[needs(Permission.SEE_OVERVIEW)])
async def overview(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    """Communities side by side, in numbers alone."""
    now: datetime = clock.now()
    firsts = queries.last_months(local_day(now), MONTHS_SHOWN)
    communities = [await queries.community(community_id) for community_id in session.community_ids]
    months = {
        one.community_id: [
            await queries.month_of(one.community_id, first, queries.month_after(first)) for first in firsts
        ]
        for one in communities
    }
    rows = [(one, months[one.community_id][-1], months[one.community_id][-2]) for one in communities]
    today = local_day(now)
    tonight = start_of_day(today + timedelta(days=1))
    owed = {one.community_id: await books.liabilities_at(one.community_id, tonight, today) for one in communities}
    in_points = {place: sum(one.points for one in lines if one.of.code == MAIN) for place, lines in owed.items()}
    worth = {community_id: books.cents_of(lines) for community_id, lines in owed.items()}
    yuan = {community_id: "" if cents is None else yuan_of(cents) for community_id, cents in worth.items()}
    charted = _charts(communities, months, firsts)
    of = await kinds.main(None, *session.community_ids)
    return page(
        "reports/overview.html", now=now, rows=rows, owed=in_points, yuan=yuan, total=_total(rows), of=of, **charted
    )


def _total(rows: list[tuple[Community, Month, Month]]) -> dict[str, int]:
    return {
        "people": sum(month.people for _, month, _ in rows),
        "people_more": sum(month.people - before.people for _, month, before in rows),
        "hours": sum(month.minutes for _, month, _ in rows) // 60,
        "points_in": sum(month.points_in for _, month, _ in rows),
        "points_out": sum(month.points_out for _, month, _ in rows),
    }


def _charts(communities: list[Community], months: dict[int, list[Month]], firsts: list[date]) -> dict[str, Any]:
    if not communities:
        return {"hours": None, "share": [], "flow": []}
    label = translate(N_("近 12 个月服务时长，小时"), locale_now())
    columns = [formats.month(first, english=_is_english()) for first in firsts]
    largest = sorted(communities, key=lambda one: -sum(month.minutes for month in months[one.community_id]))
    series = [
        charts.Series(one.name, [month.minutes // 60 for month in months[one.community_id]])
        for one in largest[:CHART_LINES]
    ]
    share = [
        charts.Bar(one.name, value := month.people * 100 // max(one.households, 1), str(value))
        for one in communities
        for month in (months[one.community_id][-1],)
    ]
    flow = [
        charts.Bar(one.name, month.points_in, f"{month.points_out * 100 // max(month.points_in, 1)}%", month.points_out)
        for one in communities
        for month in (months[one.community_id][-1],)
    ]
    return {"hours": charts.line_chart(label, columns, series), "share": share, "flow": flow}


handlers: list[Any] = [
    start,
    home,
    *routes_today.handlers,
    overview,
    *routes_books.handlers,
    *routes_trial.handlers,
    *routes_draft.handlers,
    *routes_people.handlers,
    *routes_own.handlers,
    *routes_passbook.handlers,
    *routes_print.handlers,
]
