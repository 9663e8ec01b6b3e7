"""「我有疑问」: a resident, or staff for who stands at the desk, asks about an award; an admin answers."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import actions_questions as actions
from pointsbank.awards import queries_questions as queries
from pointsbank.awards.queries import AwardView
from pointsbank.awards.routes_pieces import award_seen, denomination_of, explained
from pointsbank.awards.rules_questions import ANSWER_LETTERS_MAX, DOUBTS, Doubt, answer_by
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
QUESTIONS = "/awards/questions"


class QuestionForm(msgspec.Struct):
    request_key: str
    doubt: Annotated[Doubt, Meta(title=N_("哪里有疑问"))]


class AnswerForm(msgspec.Struct):
    request_key: str
    answer: Annotated[str, Meta(title=N_("答复"), min_length=2, max_length=ANSWER_LETTERS_MAX)]


async def _asked_about(session: Session, award_id: int) -> AwardView:
    """The award, where the caller may ask about it: a resident, or staff who write down what others say."""
    if session.kind != "resident" and not session.may(Permission.RECORD_OBJECTIONS):
        raise NotFound
    return await award_seen(session, award_id)


@get("/awards/{award_id:int}/question", guards=[needs()])
async def question_form(
    award_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    return await _question_page(session, await _asked_about(session, award_id), clock, forms.blank())


async def _question_page(
    session: Session, award: AwardView, clock: Clock, form: forms.Filled[QuestionForm]
) -> Response[str]:
    return page(
        "awards/question_phone.html" if session.kind == "resident" else "awards/question.html",
        status=200 if form.is_valid else 400,
        award=award,
        of=await denomination_of(award),
        doubts=[(doubt.value, _(words)) for doubt, words in DOUBTS.items()],
        answer_by=answer_by(local_day(clock.now())),
        form=form,
    )


@post("/awards/{award_id:int}/question", guards=[needs()])
async def ask(
    award_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, QuestionForm)
    award = await _asked_about(session, award_id)
    if form.is_valid:
        asked = form.value
        try:
            await db.write(
                actions.ask,
                actor=session.actor,
                request_key=asked.request_key,
                award_id=award_id,
                doubt=asked.doubt,
            )
        except Refusal as refusal:
            form.refuse("doubt", refusal)
    if not form.is_valid:
        return await _question_page(session, award, clock, form)
    return Redirect(f"/awards/{award_id}", status_code=303)


@get(QUESTIONS, guards=[needs(Permission.RULE_OBJECTIONS)])
async def question_list(session: NamedDependency[Session]) -> Response[str]:
    found = await queries.open_questions(session.community_ids)
    due = {one.id: answer_by(local_day(one.asked_at)) for one in found}
    written = await kinds.denominations_of(one.passbook_id for one in found)
    return page("awards/questions.html", questions=found, doubts=_doubts(), due=due, written=written)


def _doubts() -> dict[Doubt, str]:
    return {doubt: _(words) for doubt, words in DOUBTS.items()}


@get(f"{QUESTIONS}/{{question_id:int}}", guards=[needs(Permission.RULE_OBJECTIONS)])
async def answer_page(question_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _answer_page(session, question_id, forms.blank())


async def _answer_page(session: Session, question_id: int, form: forms.Filled[AnswerForm]) -> Response[str]:
    question = await queries.question(session.community_ids, question_id)
    award = await award_seen(session, question.award_id)
    of = await denomination_of(award)
    return page(
        "awards/answer.html",
        status=200 if form.is_valid else 400,
        question=question,
        doubt=_(DOUBTS[question.doubt]),
        due=answer_by(local_day(question.asked_at)),
        of=of,
        lines=explained(award.steps, of),
        form=form,
    )


@post(f"{QUESTIONS}/{{question_id:int}}", guards=[needs(Permission.RULE_OBJECTIONS)])
async def answer(
    question_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, AnswerForm)
    if form.is_valid:
        try:
            await db.write(
                actions.answer,
                actor=session.actor,
                request_key=form.value.request_key,
                question_id=question_id,
                answer=form.value.answer,
                community_ids=session.community_ids,
            )
        except Refusal as refusal:
            if isinstance(refusal, NotFound):
                raise
            form.refuse("answer", refusal)
    if not form.is_valid:
        return await _answer_page(session, question_id, form)
    return Redirect(QUESTIONS, status_code=303)


handlers: list[Any] = [question_form, ask, question_list, answer_page, answer]
