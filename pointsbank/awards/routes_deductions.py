"""What follows a letter: the holder objects, somebody else rules, and what was made good is looked at by a second."""

from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import actions_deductions as actions
from pointsbank.awards import queries_cases as queries
from pointsbank.awards.routes_cases import CASE, CASES, CONFIRMS, MAKES, AnyRequest, act, phone_page
from pointsbank.awards.rules_cases import Verdict
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.ledger.routes_vouchers import GiveForm, RefuseForm
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms
from pointsbank.web.handlers import post
from pointsbank.web.i18n import N_

Answer = Response[str] | Redirect


class ObjectForm(msgspec.Struct):
    request_key: str
    said: Annotated[str, Meta(title=N_("意见"), min_length=2, max_length=200)]


class RuleForm(msgspec.Struct):
    request_key: str
    verdict: Annotated[Verdict, Meta(title=N_("答复"))]
    answer: Annotated[str, Meta(title=N_("答复的话"), min_length=2, max_length=200)]


class RemedyForm(msgspec.Struct):
    request_key: str
    said: Annotated[str, Meta(title=N_("怎么补救的"), min_length=2, max_length=120)]


@post(f"{CASE}/object", guards=[needs(Permission.OWN)])
async def object_to(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Answer:
    """The holder's own word, on the phone."""
    await queries.case_for_resident(session.person_id, case_id)
    form = await forms.read(request, ObjectForm)
    if form.is_valid:
        asked = {"case_id": case_id, "said": form.value.said}
        try:
            await db.write(actions.object_to, actor=session.actor, request_key=form.value.request_key, **asked)
        except Refusal as refusal:
            form.refuse("said", refusal)
    if not form.is_valid:
        return await phone_page(session, case_id, local_day(clock.now()), form)
    return Redirect(f"{CASES}/{case_id}", status_code=303)


@post(f"{CASE}/objection", guards=[needs(Permission.MAKE_CASES, Permission.RECORD_OBJECTIONS)])
async def record_objection(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Answer:
    """What the holder said at the desk or by telephone."""
    return await act(request, session, case_id, ObjectForm, actions.note_objection, clock=clock)


@post(f"{CASE}/rule", guards=[needs(Permission.MAKE_CASES, Permission.RULE_OBJECTIONS)])
async def rule(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Answer:
    return await act(request, session, case_id, RuleForm, actions.rule, clock=clock)


@post(f"{CASE}/remedy", guards=MAKES)
async def remedy(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Answer:
    return await act(request, session, case_id, RemedyForm, actions.remedy, clock=clock)


@post(f"{CASE}/remedy/give", guards=CONFIRMS)
async def agree_remedy(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Answer:
    return await act(request, session, case_id, GiveForm, actions.agree_remedy, clock=clock)


@post(f"{CASE}/remedy/refuse", guards=CONFIRMS)
async def refuse_remedy(
    case_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Answer:
    return await act(request, session, case_id, RefuseForm, actions.refuse_remedy, clock=clock)


handlers: list[Any] = [object_to, record_objection, rule, remedy, agree_remedy, refuse_remedy]
