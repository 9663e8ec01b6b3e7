"""Pages on which one admin asks that two records of one person become one, and another one agrees."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.approvals import queries as approvals
from pointsbank.approvals.rules import OwnRequest, facts_hash
from pointsbank.awards import queries as awards
from pointsbank.governance import actions_merging as actions
from pointsbank.governance import queries
from pointsbank.governance.queries import MergeRequest
from pointsbank.governance.routes_estates import member_here
from pointsbank.governance.rules import ASKED, DONE, REFUSED, WITHDRAWN
from pointsbank.kit import db
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.routes_vouchers import GiveForm, KeyForm, RefuseForm, member_meant
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, t
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
SETTLES = [needs(Permission.SETTLE_PEOPLE, Permission.MOVE_POINTS)]
PERSON = "/governance/people/{person_id:int}"
REQUESTS = "/governance/merge-requests"
REQUEST = f"{REQUESTS}/{{merge_request_id:int}}"
STATES = {
    ASKED: (N_("等另一人确认"), "warn"),
    DONE: (N_("已合并"), "ok"),
    REFUSED: (N_("已退回"), "stop"),
    WITHDRAWN: (N_("已撤回"), ""),
}


class MergeForm(msgspec.Struct):
    """Number and name are those of the record that stays."""

    request_key: str
    number: Annotated[str, Meta(title=N_("存折号"), max_length=20)]
    name: Annotated[str, Meta(title=N_("姓名"), max_length=40)]
    sure: Annotated[bool, Meta(title=N_("核对过"))] = False


@get(f"{PERSON}/merge", guards=SETTLES)
async def merge_page(person_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _merge_page(await member_here(session, person_id), forms.blank())


async def _merge_page(view: MemberView, form: Filled[Any]) -> Response[str]:
    holder = await people.holder_of(None, view.person_id)
    ending = await queries.books_that_end(None, holder)
    shared = [] if holder.household_id is None else await flows.open_books(None, household_id=holder.household_id)
    return page(
        "governance/merge_members.html",
        status=200 if form.is_valid else 400,
        member=view,
        moving=[book for book in ending if book.balance],
        staying=[book for book in shared if book not in ending],
        waiting=sum([len(await awards.waiting_in(None, book.passbook_id)) for book in ending]),
        asked=await queries.open_merge_request(view.person_id),
        form=form,
    )


@post(f"{PERSON}/merge", guards=SETTLES)
async def ask(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, MergeForm)
    view = await member_here(session, person_id)
    if form.is_valid and not form.value.sure:
        form.refuse("sure", "请先核对是同一个人，再勾上")
    if form.is_valid:
        asked = form.value
        other = await member_meant(session, form, asked.number, asked.name)
        try:
            if other is not None:
                request_id = await db.write(
                    actions.ask,
                    actor=session.actor,
                    request_key=asked.request_key,
                    person_id=person_id,
                    same_as=other.person_id,
                )
                return Redirect(f"{REQUESTS}/{request_id}", status_code=303)
        except Refusal as refusal:
            form.refuse("number", refusal)
    return await _merge_page(view, form)


@get(REQUESTS, guards=SETTLES)
async def request_list(session: NamedDependency[Session]) -> Response[str]:
    if session.community_id is None:
        raise NotFound
    found = await queries.merge_requests(session.community_id)
    ids = [one for request in found for one in (request.person_id, request.into_id, request.made_by)]
    return page(
        "governance/merge_requests.html",
        requests=found,
        names=await people.masked_names(ids),
        states={state: (_(said), color) for state, (said, color) in STATES.items()},
    )


@get(REQUEST, guards=SETTLES)
async def request_page(merge_request_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _request_page(session, merge_request_id, forms.blank())


async def _request_page(session: Session, request_id: int, form: Filled[Any]) -> Response[str]:
    found = await queries.merge_request(session.community_ids, request_id)
    assert found.approval_id is not None
    approval = await approvals.approval(None, found.approval_id)
    unfit = await approvals.unfit(None, approval.id, session.person_id) if found.state == ASKED else None
    staff = [one for one in (found.made_by, approval.checker_id) if one is not None]
    seen = facts_hash(await queries.merge_facts(None, found))
    return page(
        "governance/merge_request.html",
        status=200 if form.is_valid else 400,
        request=found,
        state=STATES[found.state],
        approval=approval,
        names=await people.masked_names(staff),
        is_own=isinstance(unfit, OwnRequest),
        unfit=unfit and t(unfit),
        has_changed=seen != approval.facts_hash,
        seen=seen,
        form=form,
        **await _both(session, found),
    )


async def _both(session: Session, request: MergeRequest) -> dict[str, Any]:
    """The two records as they are now, and what of the one goes to the other, kind by kind."""
    one, kept = [await people.member_view(session.community_ids, each) for each in (request.person_id, request.into_id)]
    ending = []
    if request.state == ASKED:
        ending = await queries.books_that_end(None, await people.holder_of(None, request.person_id))
    return {
        "records": [(_("留下的"), kept)] if request.state == DONE else [(_("并过去的"), one), (_("留下的"), kept)],
        "moving": [book for book in ending if book.balance],
        "waiting": sum([len(await awards.waiting_in(None, book.passbook_id)) for book in ending]),
    }


async def _act(
    request: AnyRequest, session: Session, request_id: int, struct: type[msgspec.Struct], action: Any
) -> Response[str] | Redirect:
    """Do one step; what is refused is told on the request's own page."""
    await queries.merge_request(session.community_ids, request_id)
    form = await forms.read(request, struct)
    if form.is_valid:
        asked = {name: getattr(form.value, name) for name in struct.__struct_fields__ if name != "request_key"}
        key = form.typed["request_key"]
        try:
            await db.write(action, actor=session.actor, request_key=key, request_id=request_id, **asked)
        except Refusal as refusal:
            form.refuse("decision", refusal)
    if not form.is_valid:
        return await _request_page(session, request_id, form)
    return Redirect(f"{REQUESTS}/{request_id}", status_code=303)


@post(f"{REQUEST}/give", guards=SETTLES)
async def agree(
    merge_request_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, merge_request_id, GiveForm, actions.agree)


@post(f"{REQUEST}/refuse", guards=SETTLES)
async def refuse(
    merge_request_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, merge_request_id, RefuseForm, actions.refuse)


@post(f"{REQUEST}/withdraw", guards=SETTLES)
async def withdraw(
    merge_request_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, merge_request_id, KeyForm, actions.withdraw)


handlers: list[Any] = [merge_page, ask, request_list, request_page, agree, refuse, withdraw]
