"""A holder's statement: on paper with the places of its lines in the chain, and as a file that anybody can check."""

from datetime import date
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency

from pointsbank.kit import codes
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import export, queries, queries_kinds, queries_seal, queries_statement
from pointsbank.ledger.queries import Passbook
from pointsbank.ledger.queries_kinds import Book
from pointsbank.ledger.queries_statement import Line
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_flows import side_words
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import Holder
from pointsbank.web import formats, forms, printing
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

ROWS_A_SHEET = 24
FIRST_YEAR = 2000
SUMMARY_LETTERS = 15
SHORT_HASH = 12
SUMMARIES = {"reversal": N_("冲正：{summary}"), "expiry": N_("积分到期"), "opening": N_("期初余额（纸质存折）")}
README = """积分银行对账单，存折号 {number}。

这里是您存折上每一笔在账本链上的位次和内容，谁改过都对不上。

怎么核对：电脑上有 Python 3.8 以上就行，不用联网。在这个文件夹里运行：

    python verify.py --statement

这样只看得出它和自己对得上。要知道没有改过，和整本账的链核对：向社区要 chain.csv（里面没有姓名和内容），再运行：

    python verify.py --statement --chain chain.csv --head 公示上印的链头

chain.csv 里写着 closed 的那些笔，同时写着别人的存折，所以只给出它的封存值。

Check with: python verify.py --statement (Python 3.8 or newer, nothing else).
"""

AnyRequest = Request[Any, Any, Any]


class Row(msgspec.Struct, frozen=True):
    day: date
    summary: str
    gained: int
    spent: int
    balance: int
    position: int | None
    seal: str


async def own_books(session: Session) -> list[Book]:
    """All passbooks of the person signed in, the main one first; at the end those that were this person's before."""
    holder = await people.holder_of(None, session.person_id)
    return [*await own_books_of(holder), *await earlier_books(holder)]


async def earlier_books(holder: Holder) -> list[Book]:
    """Closed ones, and those of a record that turned out to be this person's: nothing comes in, every line stays."""
    ids = await people.ids_of(None, holder.person_id)
    return [book for one in ids for book in await queries_kinds.earlier_books(one, is_alias=one != holder.person_id)]


async def own_books_of(holder: Holder) -> list[Book]:
    """What belongs to a person, or to the household together."""
    main = await queries.passbook_of(person_id=holder.person_id, household_id=holder.household_id, holder=holder.kind)
    books = await queries_kinds.books_of(person_id=holder.person_id, household_id=holder.household_id)
    return [book for book in books if book.code != MAIN or (main and book.passbook_id == main.passbook_id)]


async def own_book(request: AnyRequest, session: Session) -> Book | None:
    """The own passbook that the address names, or the first; somebody else's is not found."""
    books = await own_books(session)
    wanted = forms.number(request.query_params.get("book", ""))
    if wanted is None:
        return books[0] if books else None
    for book in books:
        if book.passbook_id == wanted:
            return book
    raise NotFound


async def _own(request: AnyRequest, session: Session) -> Passbook:
    book = await own_book(request, session)
    found = None if book is None else await queries.passbook(book.passbook_id)
    if found is None:
        raise NotFound
    return found


def _row(line: Line) -> Row:
    said = side_words(line.kind, line.summary, line.points) or SUMMARIES.get(line.kind, "{summary}")
    summary = _(said, summary=line.summary)
    seal = line.hash.hex()[:SHORT_HASH] if line.hash is not None else ""
    return Row(
        local_day(line.booked_at),
        printing.on_one_line(summary, SUMMARY_LETTERS),
        max(line.points, 0),
        max(-line.points, 0),
        line.balance_after,
        line.position,
        seal,
    )


@get("/ledger/statement", guards=[needs(Permission.OWN)])
async def statement(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """One year on paper; each line says where it stands in the chain. A very long one goes on at another address."""
    found = await _own(request, session)
    today = local_day(clock.now())
    asked = forms.number(request.query_params.get("year", "")) or today.year
    year = min(max(asked, FIRST_YEAR), today.year)
    after = forms.number(request.query_params.get("after", "")) or 0
    lines, has_more = await queries_statement.lines(found.account_id, year, after)
    rows = [_row(line) for line in lines]
    return page(
        "ledger/statement.html",
        sheets=[rows[at : at + ROWS_A_SHEET] for at in range(0, len(rows), ROWS_A_SHEET)] or [[]],
        number=codes.shown_member_number(found.number),
        book=found,
        year=year,
        is_now=year == today.year,
        is_first=not after,
        more_url=f"?book={found.passbook_id}&year={year}&after={lines[-1].move_id}" if has_more else "",
        today=formats.iso_day(clock.now()),
        community=await people.community(found.community_id),
        head=(await queries_seal.head(found.community_id)).shown,
    )


@get("/ledger/statement.zip", guards=[needs(Permission.OWN)])
async def statement_file(request: AnyRequest, session: NamedDependency[Session]) -> Response[bytes]:
    """Every line as it is sealed, with the program that checks it."""
    found = await _own(request, session)
    own = await queries_statement.positions(found.account_id, found.number)
    content = export.zipped(found.community_id, own, README.format(number=found.number))
    return Response(
        content,
        media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="pointsbank-statement-{found.number}.zip"',
            "Cache-Control": "no-store",
        },
    )


handlers: list[Any] = [statement, statement_file]
