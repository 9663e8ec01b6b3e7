"""The paper passbook: what is new is printed below what stands there already; only 「打好了」 changes anything."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit import codes, db
from pointsbank.kit.clock import local_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions_paper, queries, queries_paper, rules_paper
from pointsbank.ledger.queries import Passbook
from pointsbank.ledger.queries_paper import PaperLine
from pointsbank.ledger.rules_flows import side_words
from pointsbank.ledger.rules_paper import Page, Row
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms, printing
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

PRINTS = [needs(Permission.PRINT_PASSBOOKS)]
SUMMARY_LETTERS = 13
SUMMARIES = {
    "reversal": N_("冲正：{summary}"),
    "clawback": N_("追回：{summary}"),
    "deduction": N_("扣分：{summary}"),
    "expiry": N_("积分到期"),
    "opening": N_("期初余额（纸质存折）"),
    "transfer": N_("转让积分"),
    "donation": N_("捐赠积分"),
    "grant": N_("社区积分池发放"),
    "adjustment": N_("更正积分"),
}
# Of what kind a line is, before the number of whoever booked it.
CLERKS = {
    "award": "F",
    "order": "D",
    "reversal": "C",
    "clawback": "C",
    "opening": "Q",
    "gift": "Z",
    "transfer": "R",
    "donation": "J",
    "grant": "J",
    "adjustment": "G",
    "joining": "H",
    "estate": "H",
    "base": "",
    "expiry": "",
    "reset": "",
    "surplus": "",
    "deduction": "",
}

AnyRequest = Request[Any, Any, Any]


class PrintedForm(msgspec.Struct):
    request_key: str
    last: int
    upto: int


class RenewForm(msgspec.Struct):
    request_key: str
    book: int


class ShownRow(msgspec.Struct, frozen=True):
    is_printed: bool
    day: str = ""
    summary: str = ""
    gained: int = 0
    spent: int = 0
    balance: int | None = None
    clerk: str = ""


class ShownPage(msgspec.Struct, frozen=True):
    number: int
    is_new: bool
    first_row: int
    next_row: int
    rows: list[ShownRow]


async def _found(session: Session, passbook_id: int) -> Passbook:
    found = await queries.passbook(passbook_id)
    if found is None or found.community_id not in session.community_ids:
        raise NotFound
    return found


@get("/ledger/passbooks/{passbook_id:int}/paper", guards=PRINTS)
async def paper(request: AnyRequest, passbook_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    found = await _found(session, passbook_id)
    owner_id = await _owner_of(found)
    back = f"/people/{owner_id}" if session.may(Permission.SEE_PEOPLE) and owner_id is not None else "/"
    return await paper_page(request, found, here=f"/ledger/passbooks/{passbook_id}/paper", back=back)


@post("/ledger/passbooks/{passbook_id:int}/paper/printed", guards=PRINTS)
async def printed(request: AnyRequest, passbook_id: FromPath[int], session: NamedDependency[Session]) -> Redirect:
    await note_printed(request, session, await _found(session, passbook_id))
    return Redirect(f"/ledger/passbooks/{passbook_id}/paper", status_code=303)


@post("/ledger/passbooks/{passbook_id:int}/paper/renew", guards=PRINTS)
async def renew(request: AnyRequest, passbook_id: FromPath[int], session: NamedDependency[Session]) -> Redirect:
    await renew_book(request, session, await _found(session, passbook_id))
    return Redirect(f"/ledger/passbooks/{passbook_id}/paper", status_code=303)


async def paper_page(request: AnyRequest, passbook: Passbook, *, here: str, back: str) -> Response[str]:
    """What is to be printed now, page by page, or with `again` the page on which the paper ends.

    The page sends to `here`/printed and `here`/renew, so that a counter can show it for those it serves.
    """
    place = await queries_paper.place(None, passbook.passbook_id)
    carried, lines = await queries_paper.lines(None, passbook.account_id, place)
    every = rules_paper.pages(place, carried, lines)
    waiting = [one for one in every if one.has_unprinted]
    is_again = "again" in request.query_params and place.row > 0
    names: dict[int, str] = {}
    if passbook.household_id is not None:
        members = [line.member_id for line in lines if line.member_id is not None]
        names = await people.masked_names(members)
    owner_id = await _owner_of(passbook)
    owner = (await people.masked_names([owner_id])).get(owner_id, "") if owner_id is not None else ""
    chosen = [_as_new(every[0], place.row)] if is_again else waiting
    new = [line for line in lines if line.move_id > place.last_move]
    return page(
        "ledger/paper_book.html",
        passbook=passbook,
        pages=[_shown(one, names) for one in chosen],
        place=place,
        is_again=is_again,
        new_count=len(new),
        upto=new[-1].move_id if new else place.last_move,
        owner=owner,
        is_shared=passbook.household_id is not None,
        number=codes.shown_member_number(passbook.number),
        rows=rules_paper.ROWS,
        here=here,
        back=back,
    )


async def note_printed(request: AnyRequest, session: Session, passbook: Passbook) -> None:
    form = await forms.read(request, PrintedForm)
    if not form.is_valid:  # the numbers stand in the form: nobody typed them
        raise rules_paper.OtherLines
    asked = form.value
    await db.write(
        actions_paper.note_printed,
        actor=session.actor,
        request_key=asked.request_key,
        passbook_id=passbook.passbook_id,
        last_move=asked.last,
        upto=asked.upto,
    )


async def renew_book(request: AnyRequest, session: Session, passbook: Passbook) -> None:
    form = await forms.read(request, RenewForm)
    if not form.is_valid:
        raise rules_paper.OtherLines
    asked = form.value
    await db.write(
        actions_paper.renew,
        actor=session.actor,
        request_key=asked.request_key,
        passbook_id=passbook.passbook_id,
        book=asked.book,
    )


async def _owner_of(passbook: Passbook) -> int | None:
    """Whose name stands on the book: a household's is its head's."""
    if passbook.household_id is None:
        return passbook.person_id
    head = await people.head_of(passbook.household_id)
    return head or next(iter(await people.household_members(None, passbook.household_id)), None)


def _as_new(one: Page[PaperLine], rows: int) -> Page[PaperLine]:
    """A page as if nothing stood on it: its printed rows once more, and none of those that wait."""
    kept = [Row(row.line if at < rows else None, row.is_carried) for at, row in enumerate(one.rows)]
    return Page(one.number, kept)


def _shown(one: Page[PaperLine], names: dict[int, str]) -> ShownPage:
    first = next(at for at, row in enumerate(one.rows) if not row.is_printed)
    return ShownPage(one.number, one.is_new, first + 1, one.used + 1, [_shown_row(row, names) for row in one.rows])


def _shown_row(row: Row[PaperLine], names: dict[int, str]) -> ShownRow:
    line = row.line
    if line is None:
        return ShownRow(is_printed=False)
    day = f"{local_day(line.booked_at):%y%m%d}"
    if row.is_carried:
        return ShownRow(row.is_printed, day, _("承前页"), balance=line.balance_after)
    who = names.get(line.member_id or 0, "")
    said = side_words(line.kind, line.summary, line.points) or SUMMARIES.get(line.kind, "{summary}")
    what = _(said, summary=line.summary)
    return ShownRow(
        is_printed=row.is_printed,
        day=day,
        summary=printing.on_one_line(f"{who} {what}".strip(), SUMMARY_LETTERS),
        gained=max(line.points, 0),
        spent=max(-line.points, 0),
        balance=line.balance_after,
        clerk=_("自动") if line.actor_id is None else f"{CLERKS[line.kind]}{line.actor_id}",
    )


handlers: list[Any] = [paper, printed, renew]
