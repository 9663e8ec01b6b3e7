"""A passbook at the desk: its lines, each in full with its reversal, and what may be done with its points."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import actions_vouchers as actions
from pointsbank.ledger import queries
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.queries_flows import Book
from pointsbank.ledger.routes_vouchers import (
    MOVES,
    amount_typed,
    book_words,
    check_last_day,
    community_of,
    member_meant,
    owner_words,
)
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_flows import (
    ADJUSTMENT_REASONS,
    ASKED,
    CLAWED_HERE,
    HOW_WORDS,
    NOTE_LETTERS_MAX,
    REASON_WORDS,
    REVERSAL_REASONS,
    REVERSED_HERE,
    DayToCome,
    What,
    needs_second,
)
from pointsbank.ledger.rules_periods import DayClosed
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.rules import OWN_PHONE
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, amount
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
SEES = [needs(Permission.SEE_PEOPLE)]
BOOK = "/ledger/passbooks/{passbook_id:int}"
ENTRY = f"{BOOK}/entries/{{entry_id:int}}"
PAGE_LINES = 30
KINDS = {
    "award": N_("存入"),
    "order": N_("兑换"),
    "reversal": N_("冲正"),
    "clawback": N_("追回"),
    "deduction": N_("扣分"),
    "base": N_("基础积分"),
    "gift": N_("赠送积分"),
    "reset": N_("清零"),
    "surplus": N_("超过上限"),
    "expiry": N_("到期"),
    "opening": N_("期初余额"),
    "transfer": N_("转让"),
    "donation": N_("捐赠"),
    "grant": N_("积分池发放"),
    "adjustment": N_("更正"),
    "joining": N_("随户、分户、合并登记"),
    "estate": N_("销户转出"),
}


class HandForm(msgspec.Struct):
    """`to` says what: to a person by transfer or donation, or to the pot."""

    request_key: str
    to: Annotated[Literal["transfer", "donation", "pot"], Meta(title=N_("给谁"))]
    points: Annotated[str, Meta(title=N_("分数"), max_length=12)]
    how: Annotated[Literal["in_person", "paper", "call"], Meta(title=N_("本人怎么说的"))]
    number: Annotated[str, Meta(title=N_("对方的存折号"), max_length=20)] = ""
    name: Annotated[str, Meta(title=N_("对方的姓名"), max_length=40)] = ""
    note: Annotated[str, Meta(title=N_("说明"), max_length=NOTE_LETTERS_MAX)] = ""


class AdjustForm(msgspec.Struct):
    request_key: str
    way: Annotated[Literal["up", "down"], Meta(title=N_("加还是减"))]
    points: Annotated[str, Meta(title=N_("分数"), max_length=12)]
    reason: Annotated[Literal["missed", "twice", "wrong_points", "wrong_book", "other"], Meta(title=N_("为什么更正"))]
    expires_on: Annotated[date, Meta(title=N_("用到哪一天"))] | None = None
    done_on: Annotated[date, Meta(title=N_("何时的事"))] | None = None
    note: Annotated[str, Meta(title=N_("依据"), min_length=2, max_length=NOTE_LETTERS_MAX)] = ""


class TakeBackForm(msgspec.Struct):
    """Where a reversal is not covered, a clawback takes what is still there."""

    request_key: str
    reason: Annotated[
        Literal["wrong_points", "wrong_book", "twice", "not_so", "taken_back"], Meta(title=N_("为什么冲正"))
    ]
    way: Literal["reversal", "clawback"] = "reversal"
    note: Annotated[str, Meta(title=N_("说明"), max_length=NOTE_LETTERS_MAX)] = ""


def _owner_url(book: Book) -> str:
    if book.household_id is not None:
        return f"/people/households/{book.household_id}"
    return f"/people/{book.person_id}"


@get(BOOK, guards=SEES)
async def book_page(
    passbook_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    book = await flows.shared_book(session.community_ids, passbook_id)
    before = forms.number(request.query_params.get("before", "")) or queries.FIRST_PAGE
    lines = await queries.lines(book.account_id, before=before, limit=PAGE_LINES)
    return page(
        "ledger/book.html",
        book=book,
        owner=await book_words(book),
        owner_url=_owner_url(book),
        giveable=await flows.giveable(None, book, local_day(clock.now())),
        lines=lines,
        holds=await flows.open_holds(None, passbook_id),
        older_url=f"/ledger/passbooks/{passbook_id}?before={lines[-1].move_id}" if len(lines) == PAGE_LINES else "",
        entry_url=f"/ledger/passbooks/{passbook_id}/entries",
        may_open_books=session.may(Permission.OPEN_BOOKS),
        may_make_cases=session.may(Permission.MAKE_CASES),
        may_print=session.may(Permission.PRINT_PASSBOOKS),
        may_move=session.may(Permission.MOVE_POINTS) and not book.is_closed,
    )


@get(f"{BOOK}/hand-over", guards=MOVES)
async def hand_page(
    passbook_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    return await _hand_page(session, passbook_id, forms.blank(), clock)


async def _hand_page(session: Session, passbook_id: int, form: Filled[Any], clock: Clock) -> Response[str]:
    book = await flows.shared_book(session.community_ids, passbook_id)
    ways = [
        *([("transfer", _("转让给一位居民"))] if book.transferable else []),
        *([("donation", _("捐给一位居民")), ("pot", _("捐进社区积分池"))] if book.donatable else []),
    ]
    return page(
        "ledger/hand_over.html",
        status=200 if form.is_valid else 400,
        book=book,
        owner=await book_words(book),
        giveable=await flows.giveable(None, book, local_day(clock.now())),
        ways=ways,
        hows=[(name, _(said)) for name, said in HOW_WORDS.items() if name != OWN_PHONE],
        form=form,
    )


@post(f"{BOOK}/hand-over", guards=MOVES)
async def hand_over(
    passbook_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    book = await flows.shared_book(session.community_ids, passbook_id)
    form = await forms.read(request, HandForm)
    if form.is_valid:
        asked, member = form.value, None
        points = amount_typed(form, book)
        if asked.to != "pot":
            member = await member_meant(session, form, asked.number, asked.name)
        try:
            if form.is_valid:
                voucher_id = await db.write(
                    actions.hand_over,
                    actor=session.actor,
                    request_key=asked.request_key,
                    community_id=community_of(session),
                    what=What.TRANSFER if asked.to == "transfer" else What.DONATION,
                    from_id=book.passbook_id,
                    to_person=None if member is None else member.person_id,
                    points=points,
                    how=asked.how,
                    note=asked.note,
                )
                return Redirect(await _where(session, passbook_id, voucher_id), status_code=303)
        except Refusal as refusal:
            form.refuse("points", refusal)
    return await _hand_page(session, passbook_id, form, clock)


async def _where(session: Session, passbook_id: int, voucher_id: int) -> str:
    """To what was handed over; to the voucher while it waits for a second person."""
    is_asked = (await flows.voucher(session.community_ids, voucher_id)).state == ASKED
    return f"/ledger/vouchers/{voucher_id}" if is_asked else f"/ledger/passbooks/{passbook_id}"


@get(f"{BOOK}/adjust", guards=MOVES)
async def adjust_page(passbook_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _adjust_page(session, passbook_id, forms.blank())


async def _adjust_page(session: Session, passbook_id: int, form: Filled[Any]) -> Response[str]:
    book = await flows.shared_book(session.community_ids, passbook_id)
    return page(
        "ledger/adjust.html",
        status=200 if form.is_valid else 400,
        book=book,
        owner=await book_words(book),
        ways=[("up", _("加分")), ("down", _("减分"))],
        reasons=[(name, _(said)) for name, said in ADJUSTMENT_REASONS.items()],
        form=form,
    )


@post(f"{BOOK}/adjust", guards=MOVES)
async def adjust(
    passbook_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    book = await flows.shared_book(session.community_ids, passbook_id)
    form = await forms.read(request, AdjustForm)
    if form.is_valid:
        points = amount_typed(form, book)
        check_last_day(form, form.value.expires_on, local_day(clock.now()))
    if form.is_valid:
        asked = form.value
        try:
            voucher_id = await db.write(
                actions.adjust,
                actor=session.actor,
                request_key=asked.request_key,
                community_id=community_of(session),
                passbook_id=book.passbook_id,
                points=points,
                is_up=asked.way == "up",
                expires_on=asked.expires_on or NEVER,
                reason=asked.reason,
                note=asked.note,
                past_day=asked.done_on,
            )
            return Redirect(f"/ledger/vouchers/{voucher_id}", status_code=303)
        except Refusal as refusal:
            form.refuse("done_on" if isinstance(refusal, DayToCome | DayClosed) else "points", refusal)
    return await _adjust_page(session, passbook_id, form)


@get(ENTRY, guards=SEES)
async def entry_page(
    passbook_id: FromPath[int],
    entry_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    return await _entry_page(session, passbook_id, entry_id, forms.blank(), clock)


async def _entry_page(
    session: Session, passbook_id: int, entry_id: int, form: Filled[Any], clock: Clock
) -> Response[str]:
    book = await flows.shared_book(session.community_ids, passbook_id)
    line = await queries.entry_line(book.account_id, entry_id)
    if line is None:
        raise NotFound
    entry = await flows.entry(None, entry_id)
    voucher = await flows.voucher_of_entry(entry_id)
    there = flows.Recoverable(entry.points, 0)
    if entry.kind in CLAWED_HERE:
        there = await flows.recoverable(None, entry, local_day(clock.now()))
    names = await people.masked_names([line.member_id] if line.member_id else [])
    alone_max = await flows.reversal_alone_max(None, book.community_id)
    sides = await owner_words(voucher) if voucher is not None else None
    return page(
        "ledger/entry_desk.html",
        status=200 if form.is_valid else 400,
        book=book,
        owner=await book_words(book),
        line=line,
        kind=_(KINDS[line.kind]),
        member=names.get(line.member_id or 0, ""),
        entry=entry,
        voucher=voucher,
        sides=sides,
        reason=_(REASON_WORDS[line.reason]) if line.reason in REASON_WORDS else "",
        asked=await flows.open_reversal(entry_id),
        is_reversible=line.kind in REVERSED_HERE and not entry.is_reversed,
        needs_second=needs_second(What.REVERSAL, entry.points, alone_max=alone_max, decimals=book.decimals),
        there=there,
        short=entry.points - there.points,
        pot_spent=_pot_spent(there, book),
        back_url=f"/{entry.source_room}/passbooks/{passbook_id}/entries/{entry_id}/reverse",
        reasons=[(name, _(said)) for name, said in REVERSAL_REASONS.items()],
        may_move=session.may(Permission.MOVE_POINTS),
        form=form,
    )


def _pot_spent(there: flows.Recoverable, book: Book) -> str:
    if not there.spent_by_pot:
        return ""
    points = amount(there.spent_by_pot, book)
    return _("其中 {n}超过存折上限，进了社区积分池，池里已经发出去，从池里收不回。", n=points)


@post(f"{ENTRY}/reverse", guards=MOVES)
async def reverse(
    passbook_id: FromPath[int],
    entry_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str] | Redirect:
    return await take_back(
        request, session, clock, passbook_id=passbook_id, entry_id=entry_id, action=actions.take_back
    )


async def take_back(
    request: AnyRequest, session: Session, clock: Clock, *, passbook_id: int, entry_id: int, action: Any
) -> Response[str] | Redirect:
    """Reverse an entry or claw it back by the action of its room; what is refused is told on the entry's own page."""
    book = await flows.shared_book(session.community_ids, passbook_id)
    if await queries.entry_line(book.account_id, entry_id) is None:
        raise NotFound
    form = await forms.read(request, TakeBackForm)
    if form.is_valid:
        asked = form.value
        try:
            voucher_id = await db.write(
                action,
                actor=session.actor,
                request_key=asked.request_key,
                community_id=community_of(session),
                entry_id=entry_id,
                way=What(asked.way),
                reason=asked.reason,
                note=asked.note,
            )
            return Redirect(f"/ledger/vouchers/{voucher_id}", status_code=303)
        except Refusal as refusal:
            form.refuse("reason", refusal)
    return await _entry_page(session, passbook_id, entry_id, form, clock)


handlers: list[Any] = [book_page, hand_page, hand_over, adjust_page, adjust, entry_page, reverse]
