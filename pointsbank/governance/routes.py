"""Objections for the staff who record them and the admins who rule, and the settling of provisional people."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import queries as awards
from pointsbank.governance import actions, routes_budgets, routes_estates, routes_merging, routes_months, routes_people
from pointsbank.governance.rules import RULING_LETTERS_MAX
from pointsbank.kit import db
from pointsbank.kit.errors import Invalid, NotFound, Refusal
from pointsbank.notices import queries as notices
from pointsbank.notices.rules import GROUNDS, Grounds
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
OBJECTIONS = "/governance/objections"
VERDICTS = {"upheld": N_("属实，退回这一条"), "dismissed": N_("不成立，照常入账")}


class ObjectionForm(msgspec.Struct):
    request_key: str
    line_id: int
    grounds: Annotated[Grounds, Meta(title="哪里不对")]


class RulingForm(msgspec.Struct):
    request_key: str
    verdict: Annotated[Literal["upheld", "dismissed"], Meta(title="结论")]
    ruling: Annotated[str, Meta(title="理由", min_length=2, max_length=RULING_LETTERS_MAX)]


class SettlingForm(msgspec.Struct):
    """`same_as` is empty for a new resident."""

    request_key: str
    same_as: int | None = None
    take: list[Literal["name", "phone"]] = []


def _to(url: str) -> Redirect:
    return Redirect(url, status_code=303)


@get(OBJECTIONS, guards=[needs(Permission.RECORD_OBJECTIONS)])
async def objection_list(session: NamedDependency[Session]) -> Response[str]:
    waiting = await notices.open_objections(session.community_ids)
    grounds = {code: _(text) for code, text in GROUNDS.items()}
    may_rule = session.may(Permission.RULE_OBJECTIONS)
    return page("governance/objections.html", objections=waiting, grounds=grounds, may_rule=may_rule)


@get(f"{OBJECTIONS}/new", guards=[needs(Permission.RECORD_OBJECTIONS)])
async def new_objection(session: NamedDependency[Session], line: FromQuery[int]) -> Response[str]:
    return await _new_objection_page(session, line, forms.blank())


async def _new_objection_page(session: Session, line_id: int, form: forms.Filled[ObjectionForm]) -> Response[str]:
    notice, line = await notices.line(session.community_ids, line_id)
    grounds = [(code.value, _(text)) for code, text in GROUNDS.items()]
    status = 200 if form.is_valid else 400
    return page("governance/new_objection.html", status=status, notice=notice, line=line, form=form, grounds=grounds)


@post(OBJECTIONS, guards=[needs(Permission.RECORD_OBJECTIONS)])
async def record_objection(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    form = await forms.read(request, ObjectionForm)
    line_id = forms.number(form.typed.get("line_id", ""))
    if line_id is None:
        raise NotFound
    notice, _line = await notices.line(session.community_ids, line_id)
    if not form.is_valid:
        return await _new_objection_page(session, line_id, form)
    asked = form.value
    try:
        await db.write(
            actions.object_to,
            actor=session.actor,
            request_key=asked.request_key,
            line_id=line_id,
            grounds=asked.grounds,
        )
    except Refusal as refusal:
        form.refuse("grounds", refusal)
        return await _new_objection_page(session, line_id, form)
    return _to(f"/notices/{notice.id}")


@get(f"{OBJECTIONS}/{{objection_id:int}}", guards=[needs(Permission.RULE_OBJECTIONS)])
async def objection_page(objection_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _ruling_page(session, objection_id, forms.blank())


async def _ruling_page(session: Session, objection_id: int, form: forms.Filled[RulingForm]) -> Response[str]:
    objection = await notices.objection(session.community_ids, objection_id)
    return page(
        "governance/ruling.html",
        status=200 if form.is_valid else 400,
        objection=objection,
        grounds=_(GROUNDS[Grounds(objection.grounds)]),
        verdicts=[(code, _(text)) for code, text in VERDICTS.items()],
        award_id=await awards.award_of_line(objection.line_id),
        form=form,
    )


@post(f"{OBJECTIONS}/{{objection_id:int}}", guards=[needs(Permission.RULE_OBJECTIONS)])
async def rule(
    objection_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, RulingForm)
    await notices.objection(session.community_ids, objection_id)
    if not form.is_valid:
        return await _ruling_page(session, objection_id, form)
    asked = form.value
    try:
        await db.write(
            actions.rule,
            actor=session.actor,
            request_key=asked.request_key,
            objection_id=objection_id,
            upheld=asked.verdict == "upheld",
            ruling=asked.ruling,
        )
    except Refusal as refusal:
        form.refuse("verdict", refusal)
        return await _ruling_page(session, objection_id, form)
    return _to(OBJECTIONS)


@post("/governance/provisional/{person_id:int}", guards=[needs(Permission.SETTLE_PEOPLE)])
async def settle_provisional(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Redirect:
    """From the queue of people who are not settled yet; what is refused here is told on a page of its own."""
    form = await forms.read(request, SettlingForm)
    if not form.is_valid:
        raise Invalid(detail="；".join(form.errors.values()))
    asked = form.value
    for concerned in (person_id, asked.same_as):
        if concerned is not None:
            await people.member_view(session.community_ids, concerned)
    await db.write(
        actions.settle_provisional,
        actor=session.actor,
        request_key=asked.request_key,
        person_id=person_id,
        same_as=asked.same_as,
        take=asked.take,
    )
    return _to("/people/provisional")


handlers = [
    objection_list,
    new_objection,
    record_objection,
    objection_page,
    rule,
    settle_provisional,
    *routes_people.handlers,
    *routes_estates.handlers,
    *routes_merging.handlers,
    *routes_budgets.handlers,
    *routes_months.handlers,
]
