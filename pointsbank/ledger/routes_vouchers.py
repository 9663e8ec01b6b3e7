"""Vouchers for the staff who make them out and agree to them, the pot, and what one person may reverse alone."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.approvals import queries as approvals
from pointsbank.approvals.rules import REASON_LETTERS_MAX, facts_hash
from pointsbank.kit import codes, db, text
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import actions_proposals, queries_proposals
from pointsbank.ledger import actions_vouchers as actions
from pointsbank.ledger import queries_flows as queries
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import MAIN, NEVER, POINTS_MAX
from pointsbank.ledger.rules_flows import (
    ASKED,
    BOOKED,
    GRANT_REASONS,
    HOW_WORDS,
    NOTE_LETTERS_MAX,
    REASON_WORDS,
    REFUSED,
    TAKES_BACK,
    WHAT_WORDS,
    WITHDRAWN,
    Voucher,
    What,
)
from pointsbank.ledger.rules_kinds import smallest
from pointsbank.people import queries as people
from pointsbank.people import queries_match as match
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.people.queries_match import Sought
from pointsbank.web import forms
from pointsbank.web.formats import Denominated
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, amount, t
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
MOVES = [needs(Permission.MOVE_POINTS)]
VOUCHERS = "/ledger/vouchers"
VOUCHER = f"{VOUCHERS}/{{voucher_id:int}}"
STATES = {
    ASKED: (N_("等另一人确认"), "warn"),
    BOOKED: (N_("已入账"), "ok"),
    REFUSED: (N_("已退回"), "stop"),
    WITHDRAWN: (N_("已撤回"), ""),
}


class GiveForm(msgspec.Struct):
    """`seen` is the hash of the voucher on the screen."""

    request_key: str
    seen: str


class RefuseForm(msgspec.Struct):
    request_key: str
    reason: Annotated[str, Meta(title=N_("退回的理由"), min_length=2, max_length=REASON_LETTERS_MAX)]


class KeyForm(msgspec.Struct):
    request_key: str


class LimitForm(msgspec.Struct):
    request_key: str
    points: Annotated[int, Meta(title=N_("一个人能办的积分"), ge=0, le=POINTS_MAX)]


class GrantForm(msgspec.Struct):
    request_key: str
    number: Annotated[str, Meta(title=N_("存折号"), max_length=20)]
    name: Annotated[str, Meta(title=N_("姓名"), max_length=40)]
    points: Annotated[str, Meta(title=N_("分数"), max_length=12)]
    reason: Annotated[Literal["hardship", "holiday", "praise", "other"], Meta(title=N_("为什么发"))]
    expires_on: Annotated[date, Meta(title=N_("用到哪一天"))] | None = None
    note: Annotated[str, Meta(title=N_("说明"), max_length=NOTE_LETTERS_MAX)] = ""
    kind: Annotated[str, Meta(title=N_("从哪个积分池"), max_length=20)] = MAIN


def community_of(session: Session) -> int:
    if session.community_id is None:
        raise NotFound
    return session.community_id


async def member_meant(session: Session, form: Filled[Any], number: str, name: str) -> MemberView | None:
    """The member whom number and name together mean; whoever does not fit is told at the number."""
    try:
        sought = Sought(text.normal_digits(number), text.clean(name), "", "")
    except text.BadText as bad:
        form.refuse("name", str(bad))
        return None
    (found,) = await match.find(community_of(session), [sought])
    if isinstance(found, MemberView) and found.state == "member":
        return found
    form.refuse("number", N_("没有这个存折号，或者姓名和存折号不是同一个人"))
    return None


def amount_typed(form: Filled[Any], of: Denominated) -> int:
    """What stands in the field `points`, in smallest units; 0 where it is no amount, which the form then says."""
    points = smallest(form.value.points, of.decimals)
    if points is None:
        form.refuse("points", N_("要写成数字，小数最多 {n} 位。"), n=of.decimals)
    return points or 0


async def owner_words(voucher: Voucher) -> tuple[str, str]:
    """From whose passbook, and to whose: masked names with the numbers of the passbooks."""
    is_issue = voucher.what in TAKES_BACK | {What.ADJUSTMENT, What.GIFT}
    sides = []
    for passbook_id, issued in ((voucher.from_id, _("（新发放）")), (voucher.to_id, _("（冲减发放）"))):
        if passbook_id is not None:
            sides.append(await book_words(await queries.book(None, passbook_id)))
        else:
            sides.append(issued if is_issue else _("社区积分池"))
    return sides[0], sides[1]


async def book_words(book: queries.Book) -> str:
    owner_id = book.person_id
    if book.household_id is not None:
        mates = await people.household_members(None, book.household_id)
        owner_id = await people.head_of(book.household_id) or next(iter(mates), None)
    name = (await people.masked_names([owner_id])).get(owner_id, "") if owner_id is not None else ""
    whole = _("（全家）") if book.household_id is not None else ""
    return f"{name}{whole} {codes.shown_member_number(book.number)}".strip()


@get(VOUCHERS, guards=MOVES)
async def voucher_list(session: NamedDependency[Session]) -> Response[str]:
    return await _list_page(session, forms.blank())


async def _list_page(session: Session, form: Filled[Any]) -> Response[str]:
    community_id = community_of(session)
    found = await queries.vouchers(community_id)
    names = await people.masked_names(one.made_by for one in found if one.made_by is not None)
    return page(
        "ledger/vouchers.html",
        status=200 if form.is_valid else 400,
        vouchers=found,
        written=await kinds.denominations_of(book for one in found for book in one.book_ids),
        names=names,
        words={what: _(said) for what, said in WHAT_WORDS.items()},
        states={state: (_(said), color) for state, (said, color) in STATES.items()},
        pots=[one for one in await queries.pots(community_id) if one.points or one.code == MAIN],
        alone_max=await queries.reversal_alone_max(None, community_id),
        wanted=next((one for one in await queries_proposals.asked(community_id) if one.kind_id is None), None),
        form=form,
    )


@post(f"{VOUCHERS}/limit", guards=MOVES)
async def set_limit(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    form = await forms.read(request, LimitForm)
    if not form.is_valid:
        return await _list_page(session, form)
    try:
        proposal_id = await db.write(
            actions_proposals.set_alone_max,
            actor=session.actor,
            request_key=form.value.request_key,
            community_id=community_of(session),
            points=form.value.points,
        )
    except Refusal as refusal:
        form.refuse("points", refusal)
        return await _list_page(session, form)
    return Redirect(VOUCHERS if proposal_id is None else f"/ledger/proposals/{proposal_id}", status_code=303)


@get(VOUCHER, guards=MOVES)
async def voucher_page(voucher_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await show_voucher(session, voucher_id, forms.blank())


async def show_voucher(session: Session, voucher_id: int, form: Filled[Any]) -> Response[str]:
    found = await queries.voucher(session.community_ids, voucher_id)
    unfit = None
    approval = None
    if found.approval_id is not None:
        approval = await approvals.approval(None, found.approval_id)
        unfit = await approvals.unfit(None, found.approval_id, session.person_id) if found.state == ASKED else None
    from_words, to_words = await owner_words(found)
    staff = [found.made_by, approval.checker_id if approval else None]
    ids = await people.ids_of(None, session.person_id)
    return page(
        "ledger/voucher.html",
        status=200 if form.is_valid else 400,
        voucher=found,
        of=(await kinds.denominations_of(found.book_ids))[found.book_ids[0]],
        what=_(WHAT_WORDS[found.what]),
        state=STATES[found.state],
        from_words=from_words,
        to_words=to_words,
        reason=_(REASON_WORDS[found.reason]) if found.reason else "",
        how=_(HOW_WORDS[found.how]) if found.how else "",
        has_end=found.expires_on is not None and found.expires_on != NEVER,
        names=await people.masked_names(one for one in staff if one is not None),
        approval=approval,
        is_own=found.made_by in ids,
        unfit=unfit and t(unfit),
        seen=facts_hash(found.facts),
        give_url=f"/{await _room_of(found)}/vouchers/{voucher_id}/give",
        form=form,
    )


async def _room_of(voucher: Voucher) -> str:
    """Whose entry it takes back, if any: that room books it, since it has counted it."""
    return "ledger" if voucher.reverses_id is None else (await queries.entry(None, voucher.reverses_id)).source_room


async def act(
    request: AnyRequest, session: Session, voucher_id: int, struct: type[msgspec.Struct], action: Any
) -> Response[str] | Redirect:
    """Do one step of a voucher; what is refused is told on the voucher's own page."""
    await queries.voucher(session.community_ids, voucher_id)
    form = await forms.read(request, struct)
    if form.is_valid:
        asked = {name: getattr(form.value, name) for name in struct.__struct_fields__ if name != "request_key"}
        key = form.typed["request_key"]
        try:
            await db.write(action, actor=session.actor, request_key=key, voucher_id=voucher_id, **asked)
        except Refusal as refusal:
            form.refuse("decision", refusal)
    if not form.is_valid:
        return await show_voucher(session, voucher_id, form)
    return Redirect(f"{VOUCHERS}/{voucher_id}", status_code=303)


@post(f"{VOUCHER}/give", guards=MOVES)
async def give(
    voucher_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await act(request, session, voucher_id, GiveForm, actions.give)


@post(f"{VOUCHER}/refuse", guards=MOVES)
async def refuse(
    voucher_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await act(request, session, voucher_id, RefuseForm, actions.refuse)


@post(f"{VOUCHER}/withdraw", guards=MOVES)
async def withdraw(
    voucher_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await act(request, session, voucher_id, KeyForm, actions.withdraw)


@get("/ledger/grants/new", guards=MOVES)
async def new_grant(session: NamedDependency[Session]) -> Response[str]:
    return await _grant_page(session, forms.blank(kind=MAIN))


async def _grant_page(session: Session, form: Filled[Any]) -> Response[str]:
    pots = await queries.pots(community_of(session))
    return page(
        "ledger/grant.html",
        status=200 if form.is_valid else 400,
        pot=_("、").join(amount(one.points, one) for one in pots if one.points or one.code == MAIN),
        sources=[(one.code, _("{kind}，余 {amount}", kind=one.name, amount=amount(one.points, one))) for one in pots],
        reasons=[(name, _(said)) for name, said in GRANT_REASONS.items()],
        form=form,
    )


@post("/ledger/grants", guards=MOVES)
async def grant(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, GrantForm)
    if form.is_valid:
        asked = form.value
        pot = next((one for one in await queries.pots(community_of(session)) if one.code == asked.kind), None)
        if pot is None:
            raise NotFound
        points = amount_typed(form, pot)
        member = await member_meant(session, form, asked.number, asked.name)
        check_last_day(form, asked.expires_on, local_day(clock.now()))
        try:
            if member is not None and form.is_valid:
                voucher_id = await db.write(
                    actions.grant_to,
                    actor=session.actor,
                    request_key=asked.request_key,
                    community_id=community_of(session),
                    person_id=member.person_id,
                    points=points,
                    kind=pot.code,
                    expires_on=asked.expires_on or NEVER,
                    reason=asked.reason,
                    note=asked.note,
                )
                return Redirect(f"{VOUCHERS}/{voucher_id}", status_code=303)
        except Refusal as refusal:
            form.refuse("points", refusal)
    return await _grant_page(session, form)


def check_last_day(form: Filled[Any], day: date | None, today: date) -> None:
    if day is not None and day < today:
        form.refuse("expires_on", N_("用到哪一天不能早于今天"))


handlers: list[Any] = [voucher_list, set_limit, voucher_page, give, refuse, withdraw, new_grant, grant]
