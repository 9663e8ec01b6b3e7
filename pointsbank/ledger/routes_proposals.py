"""What waits for a second person before it stands: what would change, what it would book, and the decision."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.approvals import queries as approvals
from pointsbank.approvals.rules import OwnRequest, facts_hash
from pointsbank.kit import db
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import actions_proposals as actions
from pointsbank.ledger import queries_flows
from pointsbank.ledger import queries_proposals as queries
from pointsbank.ledger.queries_proposals import Proposal
from pointsbank.ledger.routes_kinds import EVERY, HOLDERS, MANAGES, SURPLUS
from pointsbank.ledger.routes_vouchers import GiveForm, KeyForm, RefuseForm
from pointsbank.ledger.rules_flows import ASKED, REFUSED, WITHDRAWN
from pointsbank.ledger.rules_kinds import Settings
from pointsbank.ledger.rules_proposals import DONE
from pointsbank.people import queries as people
from pointsbank.people.access import Session
from pointsbank.web import formats, forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, amount, t
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
PROPOSAL = "/ledger/proposals/{proposal_id:int}"
STATES = {
    ASKED: (N_("等另一人确认"), "warn"),
    DONE: (N_("已生效"), "ok"),
    REFUSED: (N_("已退回"), "stop"),
    WITHDRAWN: (N_("已撤回"), ""),
}
LABELS = {
    "name": N_("名称"),
    "unit": N_("单位"),
    "holder": N_("存折归谁"),
    "redeemable": N_("可以换东西"),
    "donatable": N_("可以捐赠"),
    "transferable": N_("可以转给别人"),
    "balance_max": N_("余额上限"),
    "surplus": N_("超过上限的"),
    "base_points": N_("基础积分"),
    "base_every": N_("多久发一次"),
    "base_redeemable": N_("基础积分可以换东西"),
    "spend_above": N_("留着不能动"),
    "reset_month": N_("清零日的月"),
    "reset_day": N_("清零日的日"),
    "carry_over": N_("结转：到了清零日也不清零"),
    "notice_days": N_("到期前几天提醒"),
}
CHOICES = {"holder": HOLDERS, "surplus": SURPLUS, "base_every": EVERY}
AMOUNTS = ("balance_max", "base_points", "spend_above")


def _said(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if value is None or (name in AMOUNTS and not value):
        return _("没有")
    if name in AMOUNTS:
        return formats.points(value, settings.decimals)
    return _(CHOICES[name][value]) if name in CHOICES else str(value)


@get(PROPOSAL, guards=MANAGES)
async def proposal_page(proposal_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    return await _page(session, proposal_id, forms.blank())


async def _page(session: Session, proposal_id: int, form: Filled[Any]) -> Response[str]:
    found = await queries.proposal(session.community_ids, proposal_id)
    assert found.approval_id is not None
    approval = await approvals.approval(None, found.approval_id)
    unfit = await approvals.unfit(None, approval.id, session.person_id) if found.state == ASKED else None
    staff = [one for one in (found.made_by, approval.checker_id) if one is not None]
    return page(
        "ledger/proposal.html",
        status=200 if form.is_valid else 400,
        proposal=found,
        state=STATES[found.state],
        approval=approval,
        names=await people.masked_names(staff),
        is_own=isinstance(unfit, OwnRequest),
        unfit=unfit and t(unfit),
        seen=facts_hash(found.facts),
        form=form,
        **(await _limit(found) if found.kind_id is None else await _kind(found)),
    )


async def _limit(found: Proposal) -> dict[str, Any]:
    now = await queries_flows.reversal_alone_max(None, found.community_id)
    is_same = found.state != ASKED or now == found.was
    changes = [(_("一个人能办的积分"), formats.points(found.was), formats.points(found.alone_max))]
    return {"name": _("冲正、销户转出要几个人"), "changes": changes, "books": 0, "has_changed": not is_same}


async def _kind(found: Proposal) -> dict[str, Any]:
    """What of the kind would change, and how many passbooks base points would come to."""
    kind, wanted = await queries.kind_of(found), found.of_kind
    facts: dict[str, Any] = {"name": kind.settings.name, "changes": [], "books": 0}
    facts["has_changed"] = found.state == ASKED and kind.version != found.was
    facts["changes"] = [
        (_(label), _said(kind.settings, name) if found.state == ASKED else "", _said(wanted, name))
        for name, label in LABELS.items()
        if found.state != ASKED or getattr(kind.settings, name) != getattr(wanted, name)
    ]
    if wanted.base_points:
        books = await queries.holders(found.community_id, wanted.holder)
        facts |= {
            "books": books,
            "every": _(EVERY[wanted.base_every]),
            "each": amount(wanted.base_points, wanted),
            "total": amount(wanted.base_points * books, wanted),
        }
    return facts


async def _act(
    request: AnyRequest, session: Session, proposal_id: int, struct: type[msgspec.Struct], action: Any
) -> Response[str] | Redirect:
    """Do one step; what is refused is told on the proposal's own page."""
    await queries.proposal(session.community_ids, proposal_id)
    form = await forms.read(request, struct)
    if form.is_valid:
        said = {name: getattr(form.value, name) for name in struct.__struct_fields__ if name != "request_key"}
        key = form.typed["request_key"]
        try:
            await db.write(action, actor=session.actor, request_key=key, proposal_id=proposal_id, **said)
        except Refusal as refusal:
            form.refuse("decision", refusal)
    if not form.is_valid:
        return await _page(session, proposal_id, form)
    return Redirect(f"/ledger/proposals/{proposal_id}", status_code=303)


@post(f"{PROPOSAL}/give", guards=MANAGES)
async def give(
    proposal_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, proposal_id, GiveForm, actions.give)


@post(f"{PROPOSAL}/refuse", guards=MANAGES)
async def refuse(
    proposal_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, proposal_id, RefuseForm, actions.refuse)


@post(f"{PROPOSAL}/withdraw", guards=MANAGES)
async def withdraw(
    proposal_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await _act(request, session, proposal_id, KeyForm, actions.withdraw)


handlers: list[Any] = [proposal_page, give, refuse, withdraw]
