"""Why an award is what it is, and the second step of its review."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import (
    actions,
    queries,
    queries_panel,
    queries_questions,
    routes_back,
    routes_cases,
    routes_deductions,
    routes_panel,
    routes_questions,
    routes_slip,
)
from pointsbank.awards.queries import AwardView, ToReview
from pointsbank.awards.routes_pieces import (
    award_seen,
    by_whom,
    denomination_of,
    evidence_of,
    explained,
    particulars,
    state_of,
)
from pointsbank.awards.rules import BASIS, REASONS, REVIEW_REASONS, Reason, State
from pointsbank.awards.rules_questions import DOUBTS
from pointsbank.kit import db
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_budgets import USED_UP
from pointsbank.notices import queries as notices
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import WORDS, evidence_wanted
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _, unit
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
CHIPS = {State.PENDING: "", State.NOTICED: "info", State.DISPUTED: "warn", State.SETTLED: "ok", State.REJECTED: "stop"}


class ReviewForm(msgspec.Struct):
    request_key: str
    award_id: Annotated[list[int], Meta(title="要处理的记录")]
    verdict: Annotated[Literal["pass", "reject"], Meta(title="通过或退回")]
    reason: Annotated[Reason | None, Meta(title="退回的原因")] = None


class AwardOut(msgspec.Struct, frozen=True):
    """Points are in the smallest unit of the `kind` of passbook, of which `decimals` are behind the point.

    `why` is what the page says, in the reader's language; `waits_for` is empty, or the reason code of a wait.
    """

    award_id: int
    person_id: int
    what: str
    item_code: str
    version_id: int
    kind: str
    decimals: int
    points: int
    clipped: int
    state: str
    waits_for: str
    why: list[str]


@get("/awards/{award_id:int}", guards=[needs()])
async def award_page(award_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    award = await award_seen(session, award_id)
    version = await scoring.version((award.community_id,), award.version_id)
    item = version.items[award.item_code]
    names = await people.masked_names([award.person_id])
    of = await denomination_of(award)
    facts: dict[str, Any] = {
        "award": award,
        "name": names[award.person_id],
        "item": item,
        "basis": _(BASIS, name=version.table.name, number=version.number),
        "of": of,
        "unit": unit(of),
        "state": state_of(award),
        "chip_state": CHIPS[award.state],
        "evidence": evidence_of(award.evidence),
        "particulars": await particulars(award, item, of),
        "lines": explained(award.steps, of),
        "handled": await _handled(award, is_staff=session.kind != "resident"),
        "expected_on": await queries.expected_on(award),
        "next_role": _(WORDS[award.next_role]) if award.next_role else "",
        "questions": await _questions(award),
    }
    if session.kind == "resident":
        return page("awards/award_phone.html", **facts)
    may_ask = session.may(Permission.RECORD_OBJECTIONS)
    return page("awards/award.html", may_see_table=session.may(Permission.SEE_SCORING), may_ask=may_ask, **facts)


async def _questions(award: AwardView) -> list[dict[str, Any]]:
    return [
        {"doubt": _(DOUBTS[one.doubt]), "asked_at": one.asked_at, "answer": one.answer, "answered_at": one.answered_at}
        for one in await queries_questions.of_award(award.id)
    ]


async def _handled(award: AwardView, *, is_staff: bool) -> list[dict[str, Any]]:
    """Who did what with this award, in order; the templates put it into words. Residents see no names of a panel."""
    told: list[dict[str, Any]] = [{"kind": "recorded", "at": award.began_at}]
    for review in await queries.reviews(award):
        reason = _(REASONS[review.reason]) if review.reason else ""
        votes = await queries_panel.votes_of(award.id) if is_staff and review.panel else []
        facts = {"kind": review.verdict, "at": review.reviewed_at, "who": by_whom(review), "reason": reason}
        told.append({**facts, "votes": votes})
    if award.notice_id is not None and award.line_id is not None:
        told.append({"kind": "noticed", "notice": await notices.notice([award.community_id], award.notice_id)})
        told += [{"kind": "objection", "objection": it} for it in await notices.objections_to(award.line_id)]
    if award.settled_at is not None:
        told.append({"kind": "settled", "at": award.settled_at})
    return told


@get("/api/awards/{award_id:int}", guards=[needs()])
async def award_json(award_id: FromPath[int], session: NamedDependency[Session]) -> AwardOut:
    """Why an award has the points it has: the item, each step of the arithmetic, who reviewed."""
    award = await award_seen(session, award_id)
    of = await denomination_of(award)
    return AwardOut(
        award_id=award.id,
        person_id=award.person_id,
        what=award.what,
        item_code=award.item_code,
        version_id=award.version_id,
        kind=of.code,
        decimals=of.decimals,
        points=award.points,
        clipped=award.clipped,
        state=award.state,
        waits_for="" if award.waits_for_budget is None else USED_UP,
        why=[text for text, _note, _points in explained(award.steps, of)],
    )


@get("/awards/review", guards=[needs(Permission.REVIEW_AWARDS)])
async def review_page(session: NamedDependency[Session]) -> Response[str]:
    return await _review_page(session, forms.blank())


async def _review_page(session: Session, form: forms.Filled[ReviewForm]) -> Response[str]:
    waiting = await queries.to_review(session.community_ids, session.person_id)
    written = await kinds.denominations_of(line.passbook_id for line in waiting)
    why = {line.award_id: explained(line.steps, written[line.passbook_id]) for line in waiting}
    evidence = {line.award_id: evidence_of(line.evidence) for line in waiting}
    at_panels = await queries_panel.at_panels(session.community_ids)
    written |= await kinds.denominations_of(line.passbook_id for line in at_panels)
    reasons = [(reason.value, _(REASONS[reason])) for reason in REVIEW_REASONS]
    ticked = set(form.lists.get("award_id", []))
    return page(
        "awards/review.html",
        status=200 if form.is_valid else 400,
        form=form,
        waiting=waiting,
        why=why,
        written=written,
        evidence=evidence,
        wanted={line.award_id: await _wanted(line) for line in waiting},
        at_panels=at_panels,
        reasons=reasons,
        ticked=ticked,
    )


async def _wanted(line: ToReview) -> str:
    """The evidence that the table demands."""
    version = await scoring.version((line.community_id,), line.version_id)
    return evidence_wanted(version.items[line.item_code], _)


@post("/awards/review", guards=[needs(Permission.REVIEW_AWARDS)])
async def review(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    form = await forms.read(request, ReviewForm)
    if form.is_valid and form.value.verdict == "reject" and form.value.reason not in REVIEW_REASONS:
        form.refuse("reason", "请选择退回的原因")
    if not form.is_valid:
        return await _review_page(session, form)
    asked = form.value
    assert session.community_id is not None
    try:
        await db.write(
            actions.review_all,
            actor=session.actor,
            request_key=asked.request_key,
            community_id=session.community_id,
            award_ids=asked.award_id,
            passed=asked.verdict == "pass",
            reason=asked.reason if asked.verdict == "reject" else None,
        )
    except Refusal as refusal:
        form.refuse("award_id", refusal)
        return await _review_page(session, form)
    return Redirect("/awards/review", status_code=303)


handlers = [
    award_page, award_json, review_page, review, *routes_back.handlers, *routes_questions.handlers,
    *routes_panel.handlers, *routes_slip.handlers, *routes_cases.handlers, *routes_deductions.handlers,
]  # fmt: skip
