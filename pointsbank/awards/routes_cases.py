"""Findings: written down at a member's page, confirmed by another person, told by a letter; the holder reads along."""

import unicodedata
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.approvals import queries as approvals
from pointsbank.approvals.rules import OwnRequest, facts_hash
from pointsbank.awards import actions_cases as actions
from pointsbank.awards import queries_cases as queries
from pointsbank.awards.rules import BASIS
from pointsbank.awards.rules_cases import (
    CARRIED_OUT,
    HOW_WORDS,
    LETTER_WORDS,
    STEP_WORDS,
    VERDICT_WORDS,
    Case,
    CaseState,
    How,
    NotBrought,
    NotYet,
    OwnCase,
    TooLongAgo,
    deductions,
    remedy_facts,
)
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.routes_vouchers import GiveForm, KeyForm, RefuseForm
from pointsbank.ledger.rules_kinds import smallest
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import NoTableInForce, Noted, NotInTable, ValueNotFixed, counts_quantity
from pointsbank.scoring.rules_facts import FACT_WORDS
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, t
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
MAKES = [needs(Permission.MAKE_CASES)]
CONFIRMS = [needs(Permission.CONFIRM_CASES)]
CASES = "/awards/cases"
CASE = f"{CASES}/{{case_id:int}}"
# Where the form asks for what a refusal is about; those of a fact name it.
FACT_FIELDS = {FACT_WORDS["quantity"]: "quantity", FACT_WORDS["level"]: "level", FACT_WORDS["fixed_points"]: "value"}
FIELDS: dict[type[Refusal], str] = {
    NotYet: "found_on",
    TooLongAgo: "found_on",
    NoTableInForce: "found_on",
    NotInTable: "level",
    ValueNotFixed: "value",
    OwnCase: "person",
    NotBrought: "told_on",
}
CHIPS = {
    CaseState.MADE: "warn",
    CaseState.AGREED: "warn",
    CaseState.TOLD: "info",
    CaseState.REFUSED: "stop",
    CaseState.DISPUTED: "warn",
    CaseState.MADE_GOOD: "ok",
}


class CaseForm(msgspec.Struct):
    request_key: str
    item_code: Annotated[str, Meta(title=N_("扣分项"), min_length=1, max_length=10)]
    found_on: Annotated[date, Meta(title=N_("哪一天发现的"))]
    what: Annotated[str, Meta(title=N_("发现了什么"), min_length=2, max_length=120)]
    evidence: Annotated[str, Meta(title=N_("凭据"), min_length=2, max_length=120)]
    quantity: Annotated[int, Meta(title=N_("几处"), ge=1, le=100)] = 1
    level: Annotated[str, Meta(title=N_("哪一级"), max_length=120)] = ""
    value: Annotated[str, Meta(title=N_("扣多少"), max_length=12)] = ""


class TellForm(msgspec.Struct):
    request_key: str
    told_on: Annotated[date, Meta(title=N_("哪一天送到的"))]
    how: Annotated[How, Meta(title=N_("怎么送到的"))]


@get(CASES, guards=MAKES)
async def case_list(session: NamedDependency[Session]) -> Response[str]:
    if session.community_id is None:
        raise NotFound
    found = await queries.cases(session.community_id)
    return page(
        "awards/cases.html",
        cases=[(case, await queries.rule_for(None, case)) for case in found],
        names=await people.masked_names([case.person_id for case in found]),
        chips=CHIPS,
        steps=STEP_WORDS,
    )


@get("/awards/people/{person_id:int}/cases", guards=MAKES)
async def new_case(
    person_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    today = local_day(clock.now())
    return await _new_page(await _member(session, person_id), today, forms.blank(found_on=today))


async def _member(session: Session, person_id: int) -> MemberView:
    view = await people.member_view(session.community_ids, person_id)
    if view.state != "member":
        raise NotFound
    return view


async def _new_page(view: MemberView, today: date, form: Filled[Any]) -> Response[str]:
    holder = await people.holder_of(None, view.person_id)
    version = await scoring.current(holder.community_id, today)
    items = [] if version is None else deductions(version.table)
    vetoes = () if version is None else version.table.veto_rules
    return page(
        "awards/case_new.html",
        status=200 if form.is_valid else 400,
        member=view,
        items=items,
        vetoes=vetoes,
        written=await kinds.denominations(None, holder.community_id),
        counts=any(counts_quantity(item) for item in items),
        form=form,
    )


async def _noted(community_id: int, form: CaseForm) -> Noted:
    """The level is sent with its item's code before it; the value as people write points of its kind."""
    level = form.level.removeprefix(f"{form.item_code}/") or None
    if not form.value:
        return Noted(level=level)
    version = await scoring.current(community_id, form.found_on)
    item = None if version is None else version.items.get(form.item_code)
    of = None if item is None else (await kinds.denominations(None, community_id))[item.book_kind]
    value = smallest(unicodedata.normalize("NFKC", form.value), of.decimals if of else 0)
    if value is None:
        raise ValueNotFixed(name=item.name if item else form.item_code)
    return Noted(level=level, fixed_points=value)


@post("/awards/people/{person_id:int}/cases", guards=MAKES)
async def make(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, CaseForm)
    view = await _member(session, person_id)
    if form.is_valid:
        try:
            case_id = await db.write(
                actions.make,
                actor=session.actor,
                request_key=form.value.request_key,
                person_id=view.person_id,
                item_code=form.value.item_code,
                found_on=form.value.found_on,
                what=form.value.what,
                evidence=form.value.evidence,
                quantity=form.value.quantity,
                noted=await _noted((await people.holder_of(None, view.person_id)).community_id, form.value),
            )
            return Redirect(f"{CASES}/{case_id}", status_code=303)
        except Refusal as refusal:
            form.refuse(_field(refusal, "item_code"), refusal)
    return await _new_page(view, local_day(clock.now()), form)


def _field(refusal: Refusal, otherwise: str) -> str:
    """The field that is at fault."""
    return FIELDS.get(type(refusal)) or FACT_FIELDS.get(str(refusal.facts.get("fact")), otherwise)


@get(CASE, guards=[needs()])
async def case_page(
    case_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    today = local_day(clock.now())
    if session.kind == "resident":
        return await phone_page(session, case_id, today, forms.blank())
    if not session.may(Permission.MAKE_CASES):
        raise NotFound
    return await desk_page(session, case_id, today, forms.blank(told_on=today))


async def phone_page(session: Session, case_id: int, today: date, form: Filled[Any]) -> Response[str]:
    case = await queries.case_for_resident(session.person_id, case_id)
    return page("awards/case_phone.html", status=200 if form.is_valid else 400, form=form, **await _facts(case, today))


async def _facts(case: Case, today: date) -> dict[str, Any]:
    """What the staff's page, the holder's and the letter say alike."""
    version = await scoring.version((case.community_id,), case.version_id)
    objection = await queries.objection(case.id)
    is_open = case.state == CaseState.TOLD and case.open_until is not None and today <= case.open_until
    (of,) = (await kinds.denominations_of([case.passbook_id])).values()
    return {
        "case": case,
        "item": await queries.rule_for(None, case),
        "basis": _(BASIS, name=version.table.name, number=version.number),
        "of": of,
        "state": _(case.state_word),
        "chip_state": CHIPS.get(case.state, ""),
        "step": _(STEP_WORDS[case.step]) if case.step else "",
        "letter": _(LETTER_WORDS[case.step]) if case.step else "",
        "objection": objection,
        "may_object": is_open and objection is None,
        "may_remedy": case.remedy is None and (case.is_barred(today) or (is_open and case.step in CARRIED_OUT)),
    }


async def desk_page(session: Session, case_id: int, today: date, form: Filled[Any]) -> Response[str]:
    case = await queries.case_for_staff(session.community_ids, case_id)
    assert case.approval_id is not None
    approval = await approvals.approval(None, case.approval_id)
    is_made = case.state == CaseState.MADE
    unfit = await approvals.unfit(None, approval.id, session.person_id) if is_made else None
    seen = facts_hash(await queries.facts_of(None, case)) if is_made else ""
    facts = await _facts(case, today)
    objection = facts["objection"]
    staff = {case.made_by, approval.checker_id, case.remedy_by, objection.ruled_by if objection else None}
    return page(
        "awards/case.html",
        status=200 if form.is_valid else 400,
        member=await people.member_view(session.community_ids, case.person_id),
        approval=approval,
        names=await people.masked_names([one for one in staff if one is not None]),
        is_own=isinstance(unfit, OwnRequest),
        unfit=unfit and t(unfit),
        may_confirm=session.may(Permission.CONFIRM_CASES),
        may_record=session.may(Permission.RECORD_OBJECTIONS),
        leads_to=_(STEP_WORDS[await queries.step_now(None, case)]) if is_made else "",
        has_changed=is_made and seen != approval.facts_hash,
        seen=seen,
        hows=[(how.value, _(said)) for how, said in HOW_WORDS.items()],
        how=_(HOW_WORDS[case.told_how]) if case.told_how else "",
        verdicts=[(verdict.value, _(said)) for verdict, said in VERDICT_WORDS.items()],
        today=today,
        form=form,
        **facts,
        **await _to_decide(session, case),
    )


async def _to_decide(session: Session, case: Case) -> dict[str, Any]:
    """What waits of a finding that was told, and why this reader cannot decide it."""
    is_waiting = case.state in (CaseState.TOLD, CaseState.BOOKED) and case.remedy_approval_id is not None
    remedy_seen = facts_hash(remedy_facts(case.id, case.remedy or "")) if is_waiting else ""
    unfit = None
    if is_waiting:
        assert case.remedy_approval_id is not None
        unfit = await approvals.unfit(None, case.remedy_approval_id, session.person_id)
    has_hands = bool(set(await people.ids_of(None, session.person_id)) & await queries.hands(None, case))
    lives_there = await people.same_household(None, session.person_id, case.person_id)
    return {
        "remedy_seen": remedy_seen,
        "remedy_is_own": isinstance(unfit, OwnRequest),
        "remedy_unfit": unfit and t(unfit),
        "may_rule": session.may(Permission.RULE_OBJECTIONS) and not has_hands and not lives_there,
    }


async def act(
    request: AnyRequest, session: Session, case_id: int, struct: type[msgspec.Struct], action: Any, *, clock: Clock
) -> Response[str] | Redirect:
    """Do one step; what is refused is told on the finding's own page."""
    await queries.case_for_staff(session.community_ids, case_id)
    form = await forms.read(request, struct)
    if form.is_valid:
        asked = msgspec.structs.asdict(form.value)
        key = asked.pop("request_key")
        try:
            await db.write(action, actor=session.actor, request_key=key, case_id=case_id, **asked)
        except Refusal as refusal:
            form.refuse(_field(refusal, "decision"), refusal)
    if not form.is_valid:
        return await desk_page(session, case_id, local_day(clock.now()), form)
    return Redirect(f"{CASES}/{case_id}", status_code=303)


@post(f"{CASE}/give", guards=CONFIRMS)
async def agree(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    return await act(request, session, case_id, GiveForm, actions.agree, clock=clock)


@post(f"{CASE}/refuse", guards=CONFIRMS)
async def refuse(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    return await act(request, session, case_id, RefuseForm, actions.refuse, clock=clock)


@post(f"{CASE}/withdraw", guards=MAKES)
async def withdraw(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    return await act(request, session, case_id, KeyForm, actions.withdraw, clock=clock)


@post(f"{CASE}/tell", guards=MAKES)
async def tell(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    return await act(request, session, case_id, TellForm, actions.tell, clock=clock)


@get(f"{CASE}/letter", guards=MAKES)
async def letter(
    case_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """The name is masked: whoever carries the letter writes it by hand, and no printer keeps it."""
    case = await queries.case_for_staff(session.community_ids, case_id)
    if case.step is None:
        raise NotFound
    assert case.approval_id is not None
    agreed = await approvals.approval(None, case.approval_id)
    return page(
        "awards/case_letter.html",
        member=await people.member_view(session.community_ids, case.person_id),
        community=await people.community(case.community_id),
        agreed_at=agreed.used_at,
        **await _facts(case, local_day(clock.now())),
    )


handlers: list[Any] = [case_list, new_case, make, case_page, agree, refuse, withdraw, tell, letter]
