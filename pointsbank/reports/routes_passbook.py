"""The resident's passbook, with why not all of it can be spent, and the same as JSON.

What keeps points from being spent is the ledger's and what opens it is service, of which the ledger knows nothing.
"""

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.awards import queries_gate, routes_gate
from pointsbank.kit import codes
from pointsbank.kit.clock import Clock, local_day, start_of_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_periods as periods
from pointsbank.ledger import routes as told
from pointsbank.ledger import routes_give as giving
from pointsbank.ledger.queries_kinds import Book
from pointsbank.ledger.queries_periods import Balances
from pointsbank.ledger.routes_statement import earlier_books, own_book, own_books, own_books_of
from pointsbank.ledger.rules import MAIN, NEVER
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import formats, forms
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, locale_now, translate
from pointsbank.web.render import page

PAGE_LINES = 30
LINES_TOLD = 20
FIRST_DAY = date(2000, 1, 1)
LAST_DAYS = 6
LASTING = NEVER - timedelta(days=1)
"""What has any last day has one before this."""


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
    """Amounts are in the smallest unit: with `decimals` 1, 15 means 1.5. `kind` is the code of the kind of passbook.

    `spendable` is redeemed neither up to the day `barred_until`, nor while `served_minutes` are fewer than
    `gate_minutes`. Once a gate is passed, and where there is none, both are 0.
    """

    number: str
    kind: str
    name: str
    unit: str
    decimals: int
    balance: int
    spendable: int
    barred_until: date | None
    gate_minutes: int
    served_minutes: int
    lines: list[PassbookLine]


class PassbooksOut(msgspec.Struct, frozen=True):
    person: int
    passbooks: list[PassbookOut]


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
    lines = await ledger.lines(found.account_id, before=before or ledger.FIRST_PAGE, limit=PAGE_LINES)
    kept = [line for line in lines if side not in ("in", "out") or (line.points > 0) == (side == "in")]
    english = locale_now() == "en"
    today = local_day(clock.now())
    months = [
        (month, [told.shown(line, today, english=english, decimals=found.decimals) for line in of_month])
        for month, of_month in groupby(kept, key=lambda line: _month(line.booked_at))
    ]
    here = f"/ledger?book={found.passbook_id}"
    older_url = f"{here}&side={side}&before={lines[-1].move_id}" if len(lines) == PAGE_LINES else ""
    earlier = {book.passbook_id for book in await earlier_books(await people.holder_of(None, session.person_id))}
    is_own = found.passbook_id not in earlier
    is_main = is_own and found.code == MAIN
    return page(
        "ledger/passbook.html",
        passbook=found,
        books=books,
        earlier=earlier,
        here=here,
        number=await told.own_number(session) if is_main else codes.shown_member_number(found.number),
        lapsing=await ledger.lapsing_soon(found.account_id, today=today),
        last_days=(await ledger.expiring(found.account_id, today=today, until=LASTING))[:LAST_DAYS],
        months=months,
        once=await balance_on(found.account_id, request, today),
        today=today,
        side=side,
        older_url=older_url,
        may_give=is_own and await giving.may_give(session, found.code),
        **(await _why_not(session, found, today) if is_own else {"shut": [], "why_not_all": []}),
    )


async def _why_not(session: Session, book: Book, today: date) -> dict[str, Any]:
    """Why nothing can be spent, and why not all that stands in the passbook."""
    account = await ledger.account(None, book.account_id, today=today)
    shut = await routes_gate.why_shut(session, account, today)
    return {"shut": shut, "why_not_all": await told.why_not_all(book, account, today, is_shut=bool(shut))}


async def balance_on(account_id: int, request: Request[Any, Any, Any], today: date) -> tuple[date, Balances] | None:
    """The balances at the end of the day that the address names; None where it names none that has been."""
    try:
        day = date.fromisoformat(request.query_params.get("on", ""))
    except ValueError:
        return None
    if not FIRST_DAY <= day <= today:
        return None
    return day, await periods.balance_at(account_id, start_of_day(day + timedelta(days=1)))


def _month(moment: datetime) -> str:
    day = local_day(moment)
    return translate(N_("{year} 年 {month}"), year=day.year, month=formats.month(day, english=locale_now() == "en"))


@get("/api/ledger/people/{person_id:int}/passbooks", guards=[needs()])
async def passbooks(
    person_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> PassbooksOut:
    """A person's passbooks with their newest lines: for the person, and for whoever may see the ledger there."""
    holder = await people.holder_of(None, person_id)
    is_own = holder.person_id == session.person_id
    if not is_own and not (session.may(Permission.SEE_LEDGER) and holder.community_id in session.community_ids):
        raise NotFound
    books = await own_books_of(holder)
    return PassbooksOut(person_id, [await _out(book, local_day(clock.now())) for book in books])


async def _out(book: Book, today: date) -> PassbookOut:
    account = await ledger.account(None, book.account_id, today=today)
    gate = await queries_gate.gate(None, account)
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
        for line in await ledger.lines(book.account_id, limit=LINES_TOLD)
    ]
    return PassbookOut(
        book.number,
        book.code,
        book.name,
        book.unit,
        book.decimals,
        book.balance,
        account.points,
        account.barred_until,
        gate.wanted if gate else 0,
        gate.served if gate else 0,
        lines,
    )


handlers: list[Any] = [passbook, passbooks]
