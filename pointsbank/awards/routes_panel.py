"""A panel's members vote, each on their own: residents on their phones, staff at their desks."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.awards import actions_panel as actions
from pointsbank.awards import queries_panel as queries
from pointsbank.awards.queries_panel import ToVote
from pointsbank.awards.routes_pieces import evidence_of, explained
from pointsbank.awards.rules import BASIS, REASONS, REVIEW_REASONS, Reason
from pointsbank.kit import db
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.people.access import Session, needs
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import evidence_wanted
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
PANEL = "/awards/panel"
ONE = f"{PANEL}/{{award_id:int}}"


class VoteForm(msgspec.Struct):
    request_key: str
    verdict: Annotated[Literal["agree", "against"], Meta(title=N_("同意或不同意"))]
    reason: Annotated[Reason | None, Meta(title=N_("不同意的原因"))] = None


def _frame(session: Session) -> str:
    return "phone.html" if session.kind == "resident" else "desk.html"


@get(PANEL, guards=[needs()])
async def panel_list(session: NamedDependency[Session]) -> Response[str]:
    waiting = await queries.waiting_for(session.person_id)
    written = await kinds.denominations_of(one.passbook_id for one in waiting)
    return page("awards/panels.html", frame=_frame(session), waiting=waiting, written=written)


@get(ONE, guards=[needs()])
async def panel_page(award_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _page(session, await queries.to_vote(session.person_id, award_id), forms.blank())


async def _page(session: Session, award: ToVote, form: forms.Filled[VoteForm]) -> Response[str]:
    version = await scoring.version((award.community_id,), award.version_id)
    item = version.items[award.item_code]
    of = (await kinds.denominations_of([award.passbook_id]))[award.passbook_id]
    return page(
        "awards/panel.html",
        status=200 if form.is_valid else 400,
        frame=_frame(session),
        award=award,
        item=item,
        basis=_(BASIS, name=version.table.name, number=version.number),
        evidence=evidence_of(award.evidence),
        wanted=evidence_wanted(item, _),
        of=of,
        lines=explained(award.steps, of),
        reasons=[(reason.value, _(REASONS[reason])) for reason in REVIEW_REASONS],
        form=form,
    )


@post(ONE, guards=[needs()])
async def vote(
    award_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, VoteForm)
    award = await queries.to_vote(session.person_id, award_id)
    agrees = form.is_valid and form.value.verdict == "agree"
    if form.is_valid and not agrees and form.value.reason not in REVIEW_REASONS:
        form.refuse("reason", _("请选择不同意的原因"))
    if form.is_valid:
        asked = form.value
        try:
            await db.write(
                actions.vote,
                actor=session.actor,
                request_key=asked.request_key,
                award_id=award_id,
                agrees=agrees,
                reason=None if agrees else asked.reason,
            )
        except Refusal as refusal:
            form.refuse("verdict", refusal)
    if not form.is_valid:
        return await _page(session, award, form)
    return Redirect(f"{PANEL}/{award_id}", status_code=303)


handlers: list[Any] = [panel_list, panel_page, vote]
