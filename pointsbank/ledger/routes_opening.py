"""Paper passbooks taken over: one admin makes a list, another confirms it, then it is booked."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.approvals import queries as approvals
from pointsbank.approvals.rules import REASON_LETTERS_MAX
from pointsbank.kit import db, intake
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import actions_opening as actions
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger import queries_opening as queries
from pointsbank.ledger import queries_seal
from pointsbank.ledger import rules_opening as rules
from pointsbank.ledger.queries_opening import OpeningList
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_opening import FAULTS, REASONS, Fault, NewLine, Reason
from pointsbank.notices.rules import sheets
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, t
from pointsbank.web.render import page as show

AnyRequest = Request[Any, Any, Any]
OPENER = [needs(Permission.OPEN_BOOKS)]
LISTS = "/ledger/openings"
LIST = f"{LISTS}/{{list_id:int}}"
LINE = f"{LIST}/lines/{{position:int}}"
YEARS_BACK = 10
TEXT_LETTERS_MAX = 120_000
FAULTS_SHOWN = 50
ROWS_READ_MAX = 2_000
STATES = {
    rules.DRAFT: (N_("草稿"), "info"),
    rules.ASKED: (N_("等另一人确认"), "warn"),
    rules.REFUSED: (N_("已退回"), "stop"),
    rules.WITHDRAWN: (N_("已撤回"), ""),
    rules.BOOKING: (N_("入账中"), "warn"),
    rules.BOOKED: (N_("已入账"), "ok"),
}


class ListForm(msgspec.Struct):
    request_key: str
    day: Annotated[date, Meta(title=N_("点存折的日子"))]
    expires_on: Annotated[date, Meta(title=N_("用到哪一天"))] | None = None
    lines: Annotated[str, Meta(title=N_("名单"), max_length=TEXT_LETTERS_MAX)] = ""


class KeyForm(msgspec.Struct):
    request_key: str


class GiveForm(msgspec.Struct):
    """`seen` is the hash of the list on the screen."""

    request_key: str
    seen: str


class RefuseForm(msgspec.Struct):
    request_key: str
    reason: Annotated[str, Meta(title=N_("退回的理由"), min_length=2, max_length=REASON_LETTERS_MAX)]


class ReverseForm(msgspec.Struct):
    request_key: str
    reason: Annotated[Reason, Meta(title=N_("为什么冲正"))]


def _to(url: str) -> Redirect:
    return Redirect(url, status_code=303)


@get(LISTS, guards=OPENER)
async def opening_lists(session: NamedDependency[Session]) -> Response[str]:
    found = await queries.lists(session.community_ids)
    names = await people.masked_names(one.made_by for one in found)
    return show("ledger/openings.html", lists=found, names=names, states=STATES)


@get(f"{LISTS}/new", guards=OPENER)
async def new_list(clock: NamedDependency[Clock]) -> Response[str]:
    form: Filled[ListForm] = forms.blank(day=local_day(clock.now()))
    return _new_page(form, [])


def _new_page(form: Filled[ListForm], faults: Sequence[Fault]) -> Response[str]:
    told = [(fault.row, _(FAULTS[fault.what], **fault.facts)) for fault in faults[:FAULTS_SHOWN]]
    more = max(0, len(faults) - FAULTS_SHOWN)
    status = 200 if form.is_valid else 400
    return show("ledger/opening_new.html", status=status, form=form, faults=told, more=more, most=rules.LINES_MAX)


@post(LISTS, guards=OPENER, opt={"upload": True})
async def make_list(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, ListForm)
    content = await forms.read_file(request)
    community_id = session.community_id
    assert community_id is not None
    if form.is_valid:
        _check_days(form, local_day(clock.now()))
    lines: list[NewLine] = []
    faults: list[Fault] = []
    if "lines" in form.errors:
        return _new_page(form, faults)
    try:
        unit = (await kinds.main(None, community_id)).unit
        typed, faults = rules.read(await _rows(form, content), unit)
        lines, unknown = await queries.resolved(community_id, typed)
        faults = sorted([*faults, *unknown], key=lambda fault: fault.row)
        if faults and not faults[0].row:  # the table as a whole
            form.refuse("lines", FAULTS[faults[0].what], **faults[0].facts)
            faults = []
        elif faults:
            form.refuse("lines", N_("名单里有 {n} 行要改，改好再检查"), n=len(faults))
        if form.is_valid:
            asked = form.value
            list_id = await db.write(
                actions.make_list,
                actor=session.actor,
                request_key=asked.request_key,
                community_id=community_id,
                day=asked.day,
                expires_on=asked.expires_on or NEVER,
                lines=lines,
            )
            return _to(f"{LISTS}/{list_id}")
    except Refusal as refusal:
        form.refuse("file" if content else "lines", refusal)
    return _new_page(form, faults)


def _check_days(form: Filled[ListForm], today: date) -> None:
    asked = form.value
    if not today - timedelta(days=366 * YEARS_BACK) <= asked.day <= today:
        form.refuse("day", N_("点存折的日子要在最近 {years} 年里，不能是以后"), years=YEARS_BACK)
    elif asked.expires_on is not None and asked.expires_on < today:
        form.refuse("expires_on", N_("用到哪一天不能早于今天"))


async def _rows(form: Filled[ListForm], content: bytes) -> Sequence[Sequence[rules.Cell]]:
    """The rows of the file, which then stand in the text field too, where they can be put right; else of the text."""
    if not content:
        return rules.pasted(form.typed.get("lines", ""))
    sheet = await intake.read_sheet(content, rows_max=ROWS_READ_MAX)
    form.typed["lines"] = rules.as_text(sheet.rows)
    return sheet.rows


@get(LIST, guards=OPENER)
async def opening_list(
    list_id: FromPath[int], session: NamedDependency[Session], page: FromQuery[int] = 1
) -> Response[str]:
    return await _list_page(session, list_id, forms.blank(), page)


async def _list_page(session: Session, list_id: int, form: Filled[Any], page: int = 1) -> Response[str]:
    found = await queries.opening_list(session.community_ids, list_id)
    pages = -(-found.line_count // queries.PAGE_LINES)
    number = min(max(page, 1), pages)
    every = await queries.lines(None, list_id)
    start = (number - 1) * queries.PAGE_LINES
    approval = None if found.approval_id is None else await approvals.approval(None, found.approval_id)
    is_own = found.made_by in await people.ids_of(None, session.person_id)
    unfit = None
    if found.approval_id is not None and found.state == rules.ASKED:
        unfit = await approvals.unfit(None, found.approval_id, session.person_id)
    home = await people.home_of(None, found.made_by)
    staff = [found.made_by] if approval is None or approval.checker_id is None else [found.made_by, approval.checker_id]
    return show(
        "ledger/opening_list.html",
        status=200 if form.is_valid else 400,
        list=found,
        of=await kinds.main(None, found.community_id),
        lines=await queries.shown(every[start : start + queries.PAGE_LINES]),
        number=number,
        pages=pages,
        approval=approval,
        names=await people.masked_names(staff),
        of_maker=sum(line.person_id in home.person_ids for line in every),
        state=STATES[found.state],
        is_own=is_own,
        unfit=unfit and t(unfit),
        may_manage_staff=session.may(Permission.MANAGE_STAFF),
        seen=await queries.facts_of(None, found),
        has_end=found.expires_on != NEVER,
        form=form,
    )


async def _act(
    request: AnyRequest, session: Session, list_id: int, struct: type[msgspec.Struct], action: Any, **facts: Any
) -> Response[str] | Redirect:
    """Do one step of a list; what is refused is told on the list's own page."""
    await queries.opening_list(session.community_ids, list_id)
    form = await forms.read(request, struct)
    if form.is_valid:
        asked = {name: getattr(form.value, name) for name in struct.__struct_fields__ if name != "request_key"}
        key = form.typed["request_key"]
        try:
            await db.write(action, actor=session.actor, request_key=key, list_id=list_id, **asked, **facts)
        except Refusal as refusal:
            form.refuse("decision", refusal)
    if not form.is_valid:
        return await _list_page(session, list_id, form)
    return _to(f"{LISTS}/{list_id}")


@post(f"{LIST}/ask", guards=OPENER)
async def ask(
    list_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, list_id, KeyForm, actions.ask)


@post(f"{LIST}/give", guards=OPENER)
async def give(
    list_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    answer = await _act(request, session, list_id, GiveForm, actions.give)
    return await _book(session, list_id) if isinstance(answer, Redirect) else answer


@post(f"{LIST}/refuse", guards=OPENER)
async def refuse(
    list_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, list_id, RefuseForm, actions.refuse)


@post(f"{LIST}/withdraw", guards=OPENER)
async def withdraw(
    list_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, list_id, KeyForm, actions.withdraw)


@post(f"{LIST}/book", guards=OPENER)
async def book(list_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """Go on where the booking was cut off; the job would, a little later."""
    await queries.opening_list(session.community_ids, list_id)
    await forms.read(request, KeyForm)
    return await _book(session, list_id)


async def _book(session: Session, list_id: int) -> Redirect:
    while await db.write(actions.book, actor=session.actor, list_id=list_id):
        pass
    return _to(f"{LISTS}/{list_id}")


@get(f"{LIST}/print", guards=OPENER)
async def list_paper(list_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    found = await queries.opening_list(session.community_ids, list_id)
    approval = None if found.approval_id is None else await approvals.approval(None, found.approval_id)
    return show(
        "ledger/opening_print.html",
        list=found,
        of=await kinds.main(None, found.community_id),
        community=await people.community(found.community_id),
        approval=approval,
        has_end=found.expires_on != NEVER,
        head=await queries_seal.head(found.community_id),
        sheets=sheets(await queries.shown(await queries.lines(None, list_id))),
    )


@get(LINE, guards=OPENER)
async def opening_line(
    list_id: FromPath[int], position: FromPath[int], session: NamedDependency[Session]
) -> Response[str]:
    return await _line_page(session, list_id, position, forms.blank())


async def _line_page(session: Session, list_id: int, position: int, form: Filled[Any]) -> Response[str]:
    found: OpeningList = await queries.opening_list(session.community_ids, list_id)
    some = [
        line for line in await queries.lines(None, list_id, after=position - 1, limit=1) if line.position == position
    ]
    if not some:
        raise NotFound
    entry = (await queries.entries_of(list_id)).get(position)
    approval = None if found.approval_id is None else await approvals.approval(None, found.approval_id)
    staff = [one for one in (found.made_by, approval.checker_id if approval else None) if one is not None]
    return show(
        "ledger/opening_line.html",
        status=200 if form.is_valid else 400,
        list=found,
        of=await kinds.main(None, found.community_id),
        line=(await queries.shown(some))[0],
        person_id=some[0].person_id,
        entry=entry,
        approval=approval,
        names=await people.masked_names(staff),
        reasons=[(reason.value, _(said)) for reason, said in REASONS.items()],
        form=form,
    )


@post(f"{LINE}/reverse", guards=OPENER)
async def reverse(
    list_id: FromPath[int], position: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    await queries.opening_list(session.community_ids, list_id)
    form = await forms.read(request, ReverseForm)
    if form.is_valid:
        asked = form.value
        try:
            await db.write(
                actions.reverse,
                actor=session.actor,
                request_key=asked.request_key,
                list_id=list_id,
                position=position,
                reason=asked.reason.value,
            )
        except Refusal as refusal:
            form.refuse("reason", refusal)
    if not form.is_valid:
        return await _line_page(session, list_id, position, form)
    return _to(f"{LISTS}/{list_id}/lines/{position}")


handlers: list[Any] = [
    opening_lists,
    new_list,
    make_list,
    opening_list,
    ask,
    give,
    refuse,
    withdraw,
    book,
    list_paper,
    opening_line,
    reverse,
]
