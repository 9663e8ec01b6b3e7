"""A version before the residents: its public notice, what they say to it, and the answers."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.notices import queries as notices
from pointsbank.notices.queries import NoticeView
from pointsbank.notices.rules import About
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import actions_life, queries, queries_life
from pointsbank.scoring.queries_life import Told
from pointsbank.scoring.rules_life import WORDS_LETTERS_MAX
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

NOTICE = "/scoring/notices/{scoring_notice_id:int}"
OBJECTION = "/scoring/objections/{scoring_objection_id:int}"
PUBLISHES = [needs(Permission.PUBLISH_SCORING)]
VERDICTS = {"dismissed": N_("说明理由，照原样继续"), "upheld": N_("采纳，退回起草修改")}

AnyRequest = Request[Any, Any, Any]


class ObjectionForm(msgspec.Struct):
    request_key: str
    line: Annotated[int, Meta(title=N_("对哪一条"))]
    words: Annotated[str, Meta(title=N_("您的意见"), min_length=2, max_length=WORDS_LETTERS_MAX)]


class AnswerForm(msgspec.Struct):
    request_key: str
    verdict: Annotated[Literal["upheld", "dismissed"], Meta(title=N_("结论"))]
    words: Annotated[str, Meta(title=N_("答复"), min_length=2, max_length=WORDS_LETTERS_MAX)]


async def _told(session: Session, notice_id: int) -> tuple[NoticeView, Told]:
    found = await notices.notice(session.community_ids, notice_id)
    if found.about != About.SCORING:
        raise NotFound
    return found, await queries_life.told_by(None, notice_id)


async def _shown(session: Session, clock: Clock, notice_id: int, form: Filled[Any]) -> Response[str]:
    found, told = await _told(session, notice_id)
    own = await people.ids_of(None, session.person_id)
    objections = await notices.objections(notice_id)
    lines = await notices.all_lines(notice_id)
    is_resident = session.kind == "resident"
    is_open = found.withdrawn_at is None and clock.now() < found.ends_at
    return page(
        "scoring/notice.html",
        status=200 if form.is_valid else 400,
        frame="phone.html" if is_resident else "desk.html",
        notice=found,
        told=told,
        lines=lines,
        choices_of_lines=[(line.id, f"{line.place}　{line.shown_name}") for line in lines],
        is_open=is_open,
        objections=[one for one in objections if not is_resident or one.recorded_by in own],
        count=len(objections),
        form=form,
        objects_at=f"/scoring/notices/{notice_id}/objections{'' if is_resident else '/recorded'}",
        may_object=is_open and (is_resident or session.may(Permission.RECORD_OBJECTIONS)),
        may_draft=session.may(Permission.EDIT_SCORING),
    )


@get(NOTICE, guards=[needs()])
async def told_notice(
    scoring_notice_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """What changes and from when; residents see what they said themselves, with the answer."""
    return await _shown(session, clock, scoring_notice_id, forms.blank())


async def _object(request: AnyRequest, session: Session, clock: Clock, notice_id: int) -> Response[Any]:
    found, _told_as = await _told(session, notice_id)
    form = await forms.read(request, ObjectionForm)
    if form.is_valid and form.value.line not in {line.id for line in await notices.all_lines(notice_id)}:
        raise NotFound
    if not form.is_valid:
        return await _shown(session, clock, notice_id, form)
    asked = form.value
    try:
        await db.write(
            actions_life.object_to,
            actor=session.actor,
            request_key=asked.request_key,
            community_id=found.community_id,
            line_id=asked.line,
            words=asked.words,
        )
    except Refusal as refused:
        form.refuse("words", refused)
        return await _shown(session, clock, notice_id, form)
    return Redirect(f"/scoring/notices/{notice_id}", status_code=303)


@post(f"{NOTICE}/objections", guards=[needs(Permission.OWN)])
async def object_to(
    scoring_notice_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    return await _object(request, session, clock, scoring_notice_id)


@post(f"{NOTICE}/objections/recorded", guards=[needs(Permission.RECORD_OBJECTIONS)])
async def record_objection(
    scoring_notice_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    """Staff write down what a neighbour came to say."""
    return await _object(request, session, clock, scoring_notice_id)


async def _answer_page(session: Session, objection_id: int, form: Filled[Any]) -> Response[str]:
    objection = await notices.objection(session.community_ids, objection_id, About.SCORING)
    told = await queries_life.told_by(None, objection.notice_id)
    known = set(await people.ids_of(None, session.person_id))
    return page(
        "scoring/answer.html",
        status=200 if form.is_valid else 400,
        objection=objection,
        version=await queries.version(session.community_ids, told.version_id),
        verdicts=[(code, _(text)) for code, text in VERDICTS.items()],
        is_drafter=bool(known & set(await queries_life.drafters(None, told.version_id))),
        form=form,
    )


@get(OBJECTION, guards=PUBLISHES)
async def answer_page(scoring_objection_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _answer_page(session, scoring_objection_id, forms.blank())


@post(OBJECTION, guards=PUBLISHES)
async def answer(
    scoring_objection_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[Any]:
    objection = await notices.objection(session.community_ids, scoring_objection_id, About.SCORING)
    told = await queries_life.told_by(None, objection.notice_id)
    version = await queries.version(session.community_ids, told.version_id)
    form = await forms.read(request, AnswerForm)
    if not form.is_valid:
        return await _answer_page(session, objection.id, form)
    asked = form.value
    try:
        await db.write(
            actions_life.answer,
            actor=session.actor,
            request_key=asked.request_key,
            community_id=version.community_id,
            objection_id=objection.id,
            upheld=asked.verdict == "upheld",
            words=asked.words,
        )
    except Refusal as refused:
        form.refuse("verdict", refused)
        return await _answer_page(session, objection.id, form)
    return Redirect(f"/scoring/versions/{version.id}/life", status_code=303)


handlers: list[Any] = [
    told_notice,
    object_to,
    record_objection,
    answer_page,
    answer,
]
