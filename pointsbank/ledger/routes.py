"""The resident's passbook, and the same lines as JSON."""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit import codes
from pointsbank.kit.clock import Clock, local_day, start_of_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import (
    queries,
    queries_flows,
    queries_opening,
    queries_periods,
    routes_book,
    routes_gifts,
    routes_give,
    routes_kinds,
    routes_opening,
    routes_print,
    routes_statement,
    routes_vouchers,
)
from pointsbank.ledger.queries import Line, Passbook
from pointsbank.ledger.queries_kinds import Book
from pointsbank.ledger.queries_periods import Balances
from pointsbank.ledger.routes_statement import earlier_books, own_book, own_books, own_books_of
from pointsbank.ledger.rules import MAIN, NEVER
from pointsbank.ledger.rules_flows import side_words
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import formats, forms
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _, amount, locale_now, translate
from pointsbank.web.render import page

PAGE_LINES = 30
LINES_TOLD = 20
FIRST_DAY = date(2000, 1, 1)
LAST_DAYS = 6
LASTING = NEVER - timedelta(days=1)
"""What has any last day has one before this."""

SUMMARIES = {
    "reversal": N_("冲正：{summary}"),
    "clawback": N_("追回：{summary}"),
    "deduction": N_("扣分：{summary}"),
    "expiry": N_("积分到期"),
    "opening": N_("期初余额（纸质存折 {day}）"),
    "transfer": N_("转让积分"),
    "donation": N_("捐赠积分"),
    "grant": N_("社区积分池发放"),
    "adjustment": N_("更正积分"),
}


class ShownLine(msgspec.Struct, frozen=True):
    url: str
    title: str
    under: str
    points: int
    balance_after: int
    decimals: int = 0


class PassbookLine(msgspec.Struct, frozen=True):
    entry: int
    kind: str
    points: int
    balance_after: int
    effective_at: datetime
    booked_at: datetime
    summary: str
    source_room: str
    source_id: int


class PassbookOut(msgspec.Struct, frozen=True):
    """Amounts are in the smallest unit: with `decimals` 1, 15 means 1.5. `kind` is the code of the kind of passbook."""

    number: str
    kind: str
    name: str
    unit: str
    decimals: int
    balance: int
    lines: list[PassbookLine]


class PassbooksOut(msgspec.Struct, frozen=True):
    person: int
    passbooks: list[PassbookOut]


def title_of(line: Line) -> str:
    day = formats.iso_day(line.effective_at)
    said = side_words(line.kind, line.summary, line.points) or SUMMARIES.get(line.kind, "{summary}")
    return translate(said, locale_now(), summary=line.summary, day=day)


def url_of(line: Line) -> str:
    """An award and a deduction explain themselves; everything else is explained by its entry."""
    if line.kind == "award":
        return f"/awards/{line.source_id}"
    if line.kind == "deduction":
        return f"/awards/cases/{line.source_id}"
    return f"/ledger/entries/{line.entry_id}"


def shown(line: Line, today: date, *, english: bool, decimals: int = 0) -> ShownLine:
    when = formats.day(line.booked_at, today=today, english=english)
    if line.is_late:
        done = formats.day(line.effective_at, today=today, english=english)
        when = f"{when} · {translate(N_('补记 {day}'), locale_now(), day=done)}"
    return ShownLine(url_of(line), title_of(line), when, line.points, line.balance_after, decimals)


async def own_passbook(session: Session) -> Passbook | None:
    """Return the passbook of the person signed in: the household's where the community says so."""
    holder = await people.holder_of(None, session.person_id)
    return await queries.passbook_of(person_id=holder.person_id, household_id=holder.household_id, holder=holder.kind)


async def own_number(session: Session) -> str:
    """The number on the resident's card, also where a household shares the passbook."""
    return (await people.member_view(session.community_ids, session.person_id)).member_number


@get("/ledger", guards=[needs(Permission.OWN)])
async def passbook(
    session: NamedDependency[Session], clock: NamedDependency[Clock], request: Request[Any, Any, Any]
) -> Response[str]:
    books = await own_books(session)
    if not books:
        return page("ledger/passbook.html", passbook=None)
    found = await own_book(request, session)
    assert found is not None
    before, side = forms.number(request.query_params.get("before", "")), request.query_params.get("side", "all")
    lines = await queries.lines(found.account_id, before=before or queries.FIRST_PAGE, limit=PAGE_LINES)
    kept = [line for line in lines if side not in ("in", "out") or (line.points > 0) == (side == "in")]
    english = locale_now() == "en"
    today = local_day(clock.now())
    months = [
        (month, [shown(line, today, english=english, decimals=found.decimals) for line in of_month])
        for month, of_month in groupby(kept, key=lambda line: _month(line.booked_at))
    ]
    here = f"/ledger?book={found.passbook_id}"
    older_url = f"{here}&side={side}&before={lines[-1].move_id}" if len(lines) == PAGE_LINES else ""
    earlier = {book.passbook_id for book in await earlier_books(await people.holder_of(None, session.person_id))}
    is_own = found.passbook_id not in earlier
    return page(
        "ledger/passbook.html",
        passbook=found,
        books=books,
        earlier=earlier,
        here=here,
        number=await own_number(session) if is_own and found.code == MAIN else codes.shown_member_number(found.number),
        lapsing=await queries.lapsing_soon(found.account_id, today=today),
        last_days=(await queries.expiring(found.account_id, today=today, until=LASTING))[:LAST_DAYS],
        months=months,
        why_not_all=await why_not_all(found, today) if is_own else [],
        once=await balance_on(found.account_id, request, today),
        today=today,
        side=side,
        older_url=older_url,
        may_give=is_own and await routes_give.may_give(session, found.code),
    )


async def why_not_all(book: Book, today: date) -> list[str]:
    """Why less can be spent today than stands in a passbook, beginning with how much can; empty where all can."""
    free = await queries.spendable(None, book.account_id, today=today)
    if free >= book.balance:
        return []
    of = await queries_flows.book(None, book.passbook_id)
    told = [_("现在能用 {amount}。", amount=amount(free, book))]
    if of.held:
        told.append(_("有 {amount} 为还没办完的事留着。", amount=amount(of.held, book)))
    if of.spend_above:
        told.append(_("这种存折里要留着 {amount}，不能用。", amount=amount(of.spend_above, book)))
    rates = await queries.gift_rates(book.account_id, today=today)
    return told + [_("送的积分要和自己挣的搭着用：每用 100 自己挣的，可以搭 {n} 送的。", n=rate) for rate in rates]


async def balance_on(account_id: int, request: Request[Any, Any, Any], today: date) -> tuple[date, Balances] | None:
    """The balances at the end of the day that the address names; None where it names none that has been."""
    try:
        day = date.fromisoformat(request.query_params.get("on", ""))
    except ValueError:
        return None
    if not FIRST_DAY <= day <= today:
        return None
    return day, await queries_periods.balance_at(account_id, start_of_day(day + timedelta(days=1)))


def _month(moment: datetime) -> str:
    day = local_day(moment)
    return translate(N_("{year} 年 {month}"), year=day.year, month=formats.month(day, english=locale_now() == "en"))


@get("/ledger/entries/{entry_id:int}", guards=[needs(Permission.OWN)])
async def entry(entry_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    """One line in full; somebody else's is not found."""
    for book in await own_books(session):
        line = await queries.entry_line(book.account_id, entry_id)
        if line is not None:
            break
    else:
        raise NotFound
    locale = locale_now()
    today = local_day(line.booked_at)
    details = [
        (translate(N_("种类"), locale), translate(routes_book.KINDS[line.kind], locale)),
        (translate(N_("入账"), locale), formats.when(line.booked_at, today=today, english=locale == "en")),
        (translate(N_("余额"), locale), amount(line.balance_after, book)),
        (translate(N_("流水号"), locale), str(line.entry_id)),
    ]
    if line.kind == "opening":
        details += await _confirmed(line.source_id, locale)
    voucher = await queries_flows.voucher_of_entry(entry_id)
    if voucher is not None:
        sides = await routes_vouchers.owner_words(voucher)
        details += [(translate(N_("转出"), locale), sides[0]), (translate(N_("转入"), locale), sides[1])]
    award_url = f"/awards/{line.source_id}" if line.source_room == "awards" else ""
    order_url = f"/redemption/orders/{line.source_id}" if line.source_kind == "order" else ""
    return page(
        "ledger/entry.html",
        line=shown(line, today, english=locale == "en", decimals=book.decimals),
        book=book,
        details=details,
        is_reversal=line.kind == "reversal",
        award_url=award_url,
        order_url=order_url,
    )


async def _confirmed(list_id: int, locale: str) -> list[tuple[str, str]]:
    """Who answers for points that came from a paper passbook."""
    maker_id, checker_id = await queries_opening.confirmed_by(list_id)
    names = await people.masked_names([maker_id, checker_id])
    return [
        (translate(N_("经办"), locale), names[maker_id]),
        (translate(N_("确认"), locale), names[checker_id]),
    ]


@get("/api/ledger/people/{person_id:int}/passbooks", guards=[needs()])
async def passbooks(person_id: FromPath[int], session: NamedDependency[Session]) -> PassbooksOut:
    """A person's passbooks with their newest lines: for the person, and for whoever may see the ledger there."""
    holder = await people.holder_of(None, person_id)
    is_own = holder.person_id == session.person_id
    if not is_own and not (session.may(Permission.SEE_LEDGER) and holder.community_id in session.community_ids):
        raise NotFound
    books = await own_books_of(holder)
    return PassbooksOut(person_id, [await _told(book) for book in books])


async def _told(book: Book) -> PassbookOut:
    lines = [
        PassbookLine(
            line.entry_id,
            line.kind,
            line.points,
            line.balance_after,
            line.effective_at,
            line.booked_at,
            line.summary,
            line.source_room,
            line.source_id,
        )
        for line in await queries.lines(book.account_id, limit=LINES_TOLD)
    ]
    return PassbookOut(book.number, book.code, book.name, book.unit, book.decimals, book.balance, lines)


handlers: list[Any] = [
    passbook,
    entry,
    passbooks,
    *routes_kinds.handlers,
    *routes_opening.handlers,
    *routes_print.handlers,
    *routes_statement.handlers,
    *routes_vouchers.handlers,
    *routes_book.handlers,
    *routes_give.handlers,
    *routes_gifts.handlers,
]
