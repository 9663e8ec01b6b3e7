"""What residents ask to be set right, or to leave: asked for on the phone, carried out or refused by staff."""

from typing import Annotated, Literal

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db, text
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.people import actions_own, queries, queries_own
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.people.queries_own import RequestView
from pointsbank.people.routes_person import FIELD_NAMES, normal_value
from pointsbank.people.rules import ANSWER_LENGTH_MAX, ASKABLE, ASKED_LENGTH_MAX, NotBound, OwnRequest
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

STATE_WORDS = {"open": N_("等社区办"), "done": N_("办好了"), "refused": N_("没有办"), "withdrawn": N_("已撤回")}
QUEUE = "/people/requests"


class AskForm(msgspec.Struct):
    request_key: str
    field: Annotated[Literal["name", "phone", "birth_year", "home"], Meta(title="改哪一项")]
    value: Annotated[str, Meta(title="改成什么", max_length=ASKED_LENGTH_MAX)]


class AnswerForm(msgspec.Struct):
    request_key: str
    verdict: Annotated[Literal["accept", "refuse"], Meta(title="怎么办")]
    answer: Annotated[str, Meta(title="给本人的话", min_length=2, max_length=ANSWER_LENGTH_MAX)]


def kind_of(request: RequestView) -> str:
    return _("退出积分银行") if request.kind == "leave" else _("改{field}", field=_(FIELD_NAMES[request.field]))


# The resident


async def _own(session: Session) -> None:
    """Phones are passed around: what changes somebody's data wants one that was given to this member."""
    if session.is_provisional or not await queries_own.is_bound(session.device_id):
        raise NotBound


@get("/me/requests", guards=[needs(Permission.OWN)])
async def own_requests(session: NamedDependency[Session]) -> Response[str]:
    return await _own_page(session, forms.blank())


async def _own_page(session: Session, form: forms.Filled[AskForm], status: int = 200) -> Response[str]:
    asked = await queries_own.requests_of(session.person_id)
    return page(
        "people/own_requests.html",
        status=status,
        form=form,
        fields=[(name, _(FIELD_NAMES[name])) for name in ASKABLE],
        requests=[(one, kind_of(one), _(STATE_WORDS[one.state])) for one in asked],
        leaves=any(one.kind == "leave" and one.state == "open" for one in asked),
        may_ask=not session.is_provisional and await queries_own.is_bound(session.device_id),
    )


@post("/me/requests/correct", guards=[needs(Permission.OWN)])
async def ask_correction(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, AskForm)
    try:
        await _own(session)
        if form.is_valid:
            value = normal_value(form.value.field, form.value.value, local_day(clock.now()).year)
            await db.write(
                actions_own.ask_correction,
                actor=session.actor,
                request_key=form.value.request_key,
                person_id=session.person_id,
                field=form.value.field,
                value=value,
            )
            return to("/me/requests")
    except Refusal as refusal:
        form.refuse("field", refusal)
    except (text.BadText, ValueError) as wrong:
        form.refuse("value", _(str(wrong)))
    return await _own_page(session, form, 400)


@post("/me/requests/leave", guards=[needs(Permission.OWN)])
async def ask_to_leave(request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    await _own(session)
    await db.write(actions_own.ask_to_leave, actor=session.actor, request_key=request_key, person_id=session.person_id)
    return to("/me/requests")


@post("/me/requests/{request_id:int}/take-back", guards=[needs(Permission.OWN)])
async def take_back(request_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    if request_id not in {one.id for one in await queries_own.requests_of(session.person_id)}:
        raise NotFound
    await db.write(
        actions_own.take_back_request,
        actor=session.actor,
        request_key=request_key,
        request_id=request_id,
        person_id=session.person_id,
    )
    return to("/me/requests")


# Staff


@get(QUEUE, guards=[needs(Permission.SETTLE_PEOPLE)])
async def queue(session: NamedDependency[Session]) -> Response[str]:
    waiting = await queries_own.open_requests(session.community_ids)
    return page("people/requests.html", requests=[(one, kind_of(one)) for one in waiting])


@get([f"{QUEUE}/{{request_id:int}}", f"{QUEUE}/{{request_id:int}}/show"], guards=[needs(Permission.SETTLE_PEOPLE)])
async def request_page(request_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _request_page(session, request_id, forms.blank())


async def _request_page(
    session: Session, request_id: int, form: forms.Filled[AnswerForm], *, asked: str | None = None, status: int = 200
) -> Response[str]:
    found = await queries_own.request(session.community_ids, request_id)
    return page(
        "people/request.html",
        status=status,
        request=found,
        kind=kind_of(found),
        member=await queries.member_view(session.community_ids, found.person_id),
        state=_(STATE_WORDS[found.state]),
        asked=asked,
        form=form,
    )


@post(f"{QUEUE}/{{request_id:int}}/show", guards=[needs(Permission.SETTLE_PEOPLE)])
async def show_asked(
    request_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str]:
    """What the resident typed, in clear, to whoever is to decide; recorded like any other look."""
    await key_of(request)
    found = await queries_own.request(session.community_ids, request_id)
    await db.write(actions_own.note_asked_shown, actor=session.actor, person_id=found.person_id, field=found.field)
    asked = await queries_own.asked_of(session.community_ids, request_id)
    return await _request_page(session, request_id, forms.blank(), asked=asked)


@post(f"{QUEUE}/{{request_id:int}}", guards=[needs(Permission.SETTLE_PEOPLE)])
async def answer_request(
    request_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    """Accept or refuse. Moving house and leaving have pages of their own: here they are only answered."""
    form = await forms.read(request, AnswerForm)
    found = await queries_own.request(session.community_ids, request_id)
    if form.is_valid and found.kind == "leave" and form.value.verdict == "accept":
        form.refuse("verdict", _("退出请到「办理退出」里办，办完这里会自己了结"))
    if not form.is_valid:
        return await _request_page(session, request_id, form, status=400)
    try:
        await _answer(session, found, form.value)
    except Refusal as refusal:
        form.refuse("verdict", refusal)
        return await _request_page(session, request_id, form, status=refusal.kind.status)
    return to(QUEUE)


async def _answer(session: Session, found: RequestView, typed: AnswerForm) -> None:
    if found.person_id == session.person_id:
        raise OwnRequest
    if typed.verdict == "accept" and found.kind == "correct" and found.field != "home":
        await db.write(
            actions_own.accept_correction,
            actor=session.actor,
            request_key=typed.request_key,
            request_id=found.id,
            person_id=found.person_id,
            field=found.field,
            value=await queries_own.asked_of(session.community_ids, found.id),
            answer=typed.answer,
        )
        return
    await db.write(
        actions_own.settle_request,
        actor=session.actor,
        request_key=typed.request_key,
        request_id=found.id,
        done=typed.verdict == "accept",
        answer=typed.answer,
    )


handlers = [
    own_requests,
    ask_correction,
    ask_to_leave,
    take_back,
    queue,
    request_page,
    show_asked,
    answer_request,
]
