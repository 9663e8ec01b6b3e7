"""Pages on which an admin sees to what somebody leaves behind."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import queries as awards
from pointsbank.governance import actions_estates, queries
from pointsbank.kit import db
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.routes_vouchers import GiveForm, member_meant, show_voucher
from pointsbank.ledger.rules_flows import ESTATE_REASONS, NOTE_LETTERS_MAX, What, needs_second
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
SETTLES = [needs(Permission.SETTLE_PEOPLE, Permission.MOVE_POINTS)]
PERSON = "/governance/people/{person_id:int}"


class EstateForm(msgspec.Struct):
    """`to` is an heir, whom number and name mean, or the pot."""

    request_key: str
    reason: Annotated[Literal["death", "left"], Meta(title=N_("为什么销户"))]
    to: Annotated[Literal["heir", "pot"], Meta(title=N_("积分给谁"))]
    note: Annotated[str, Meta(title=N_("依据"), min_length=2, max_length=NOTE_LETTERS_MAX)]
    number: Annotated[str, Meta(title=N_("对方的存折号"), max_length=20)] = ""
    name: Annotated[str, Meta(title=N_("对方的姓名"), max_length=40)] = ""


async def member_here(session: Session, person_id: int) -> MemberView:
    """A member of these communities whose record still stands by itself; anybody else is not found."""
    view = await people.member_view(session.community_ids, person_id)
    if view.state != "member":
        raise NotFound
    return view


@get(f"{PERSON}/estate", guards=SETTLES)
async def estate_page(person_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _estate_page(session, await member_here(session, person_id), forms.blank())


async def _estate_page(session: Session, view: MemberView, form: Filled[Any]) -> Response[str]:
    holder = await people.holder_of(None, view.person_id)
    ending = await queries.books_that_end(None, holder)
    asked = await flows.open_estates(None, view.person_id)
    free = [book for book in ending if book.balance and book.passbook_id not in {one.from_id for one in asked}]
    alone_max = await flows.reversal_alone_max(None, holder.community_id)
    return page(
        "governance/estate.html",
        status=200 if form.is_valid else 400,
        member=view,
        ending=free,
        waiting=sum([len(await awards.waiting_in(None, book.passbook_id)) for book in ending]),
        asked=asked,
        needs_second=any(
            needs_second(What.ESTATE, book.balance, alone_max=alone_max, decimals=book.decimals) for book in free
        ),
        is_own=await people.same_household(None, session.person_id, view.person_id),
        reasons=[(name, _(said)) for name, said in ESTATE_REASONS.items()],
        takers=[("heir", _("一位居民：继承人，或者本人指定的人")), ("pot", _("社区积分池"))],
        form=form,
    )


@post(f"{PERSON}/estate", guards=SETTLES)
async def pass_on(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, EstateForm)
    view = await people.member_view(session.community_ids, person_id)
    if view.state == "left":  # the button was pressed twice
        return Redirect(f"/people/{view.person_id}", status_code=303)
    view = await member_here(session, person_id)
    if form.is_valid:
        asked, heir = form.value, None
        if asked.to == "heir":
            heir = await member_meant(session, form, asked.number, asked.name)
        try:
            if form.is_valid:
                passed = await db.write(
                    actions_estates.pass_on,
                    actor=session.actor,
                    request_key=asked.request_key,
                    person_id=view.person_id,
                    heir_id=None if heir is None else heir.person_id,
                    reason=asked.reason,
                    note=asked.note,
                )
                return Redirect(f"/ledger/vouchers/{passed.voucher_ids[0]}", status_code=303)
        except Refusal as refusal:
            form.refuse("to", refusal)
    return await _estate_page(session, view, form)


@post("/governance/estates/{voucher_id:int}/give", guards=SETTLES)
async def agree(
    voucher_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    found = await flows.voucher(session.community_ids, voucher_id)
    if found.what is not What.ESTATE:
        raise NotFound
    form = await forms.read(request, GiveForm)
    if form.is_valid:
        try:
            await db.write(
                actions_estates.agree,
                actor=session.actor,
                request_key=form.value.request_key,
                voucher_id=voucher_id,
                seen=form.value.seen,
            )
            return Redirect(f"/ledger/vouchers/{voucher_id}", status_code=303)
        except Refusal as refusal:
            form.refuse("decision", refusal)
    return await show_voucher(session, voucher_id, form)


handlers: list[Any] = [estate_page, pass_on, agree]
