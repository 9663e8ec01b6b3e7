"""Kinds of passbook: seen, made and settled by an admin; and what will lapse, day by day."""

from datetime import timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.kit.text import BadText, clean
from pointsbank.ledger import actions_kinds, queries_proposals, rules_proposals
from pointsbank.ledger import actions_proposals as actions
from pointsbank.ledger import queries_kinds as queries
from pointsbank.ledger import rules_kinds as rules
from pointsbank.ledger.queries_kinds import BookKind
from pointsbank.ledger.rules import NOTICE_DAYS
from pointsbank.ledger.rules_kinds import Settings
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import formats, forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_
from pointsbank.web.render import page

MANAGES = [needs(Permission.KEEP_BOOKS)]
KINDS = "/ledger/kinds"
PREVIEW_DAYS = 366
EVERY = {"never": N_("不发"), "once": N_("只发一次"), "month": N_("每月"), "year": N_("每年")}
HOLDERS = {"person": N_("个人"), "household": N_("家庭")}
SURPLUS = {"refused": N_("不入账"), "pot": N_("转入社区公益积分")}
AMOUNTS = ("balance_max", "base_points", "spend_above")
WRONG_FIELD: dict[type[Refusal], str] = {
    rules.CodeTaken: "code",
    rules.WrongCode: "code",
    rules.MainHasNoDecimals: "decimals",
    rules.DecimalsFixed: "decimals",
    rules.HolderFixed: "holder",
    rules.BaseUnclear: "base_points",
    rules.ResetDayUnfit: "reset_month",
    rules.LimitUnfit: "balance_max",
    rules_proposals.ProposalAsked: "base_points",
}

AnyRequest = Request[Any, Any, Any]


class KindForm(msgspec.Struct):
    """Amounts are typed as they are shown, with the decimals that the kind has."""

    request_key: str
    name: Annotated[str, Meta(title=N_("名称"), min_length=1, max_length=rules.NAME_LETTERS_MAX)]
    unit: Annotated[str, Meta(title=N_("单位"), min_length=1, max_length=rules.UNIT_LETTERS_MAX)]
    decimals: Annotated[int, Meta(title=N_("小数位"), ge=0, le=2)]
    holder: Annotated[Literal["person", "household"], Meta(title=N_("存折归谁"))]
    surplus: Annotated[Literal["refused", "pot"], Meta(title=N_("超过上限的"))]
    base_every: Annotated[Literal["never", "once", "month", "year"], Meta(title=N_("多久发一次"))]
    code: Annotated[str, Meta(title=N_("代号"), max_length=20)] = ""
    version: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    balance_max: Annotated[str, Meta(title=N_("余额上限"), max_length=12)] = ""
    base_points: Annotated[str, Meta(title=N_("基础积分"), max_length=12)] = ""
    spend_above: Annotated[str, Meta(title=N_("留着不能动"), max_length=12)] = ""
    notice_days: Annotated[int, Meta(title=N_("到期前几天提醒"), ge=1, le=366)] = NOTICE_DAYS
    reset_month: Annotated[int, Meta(title=N_("清零日的月"), ge=1, le=12)] | None = None
    reset_day: Annotated[int, Meta(title=N_("清零日的日"), ge=1, le=31)] | None = None
    redeemable: bool = False
    donatable: bool = False
    transferable: bool = False
    base_redeemable: bool = False
    carry_over: bool = False


class OpenForm(msgspec.Struct):
    request_key: str
    kind: Annotated[str, Meta(max_length=20)]


def _community(session: Session) -> int:
    assert session.community_id is not None, "only a community's admin manages kinds"
    return session.community_id


def _typed(settings: Settings) -> dict[str, object]:
    typed: dict[str, object] = msgspec.structs.asdict(settings)
    typed |= {name: "1" if value else "" for name, value in typed.items() if isinstance(value, bool)}
    for name in AMOUNTS:
        points = getattr(settings, name)
        typed[name] = formats.points(points, settings.decimals).replace(",", "") if points else ""
    return typed


def _settings(form: Filled[KindForm]) -> Settings | None:
    """None where something is to be typed again; the form says what."""
    if not form.is_valid:
        return None
    said: dict[str, Any] = {name: getattr(form.value, name) for name in Settings.__struct_fields__}
    decimals = form.value.decimals
    for name in AMOUNTS:
        points = rules.smallest(said[name], decimals) if said[name].strip() else 0
        if points is None:
            form.refuse(name, N_("要写成数字，小数最多 {n} 位。"), n=decimals)
        said[name] = points
    for name in ("name", "unit"):
        try:
            said[name] = clean(said[name])
        except BadText as error:
            form.refuse(name, str(error))
    said["balance_max"] = said["balance_max"] or None
    return Settings(**said) if not form.errors else None


def _form_page(form: Filled[KindForm], kind: BookKind | None) -> Response[str]:
    choices = {"every": EVERY, "holders": HOLDERS, "surplus": SURPLUS}
    return page("ledger/kind.html", status=400 if form.errors else 200, form=form, kind=kind, **choices)


def _done(proposal_id: int | None) -> Redirect:
    """Where it waits for a second person, or to what stands now."""
    return Redirect(KINDS if proposal_id is None else f"/ledger/proposals/{proposal_id}", status_code=303)


@get(KINDS, guards=MANAGES)
async def kinds(session: NamedDependency[Session]) -> Response[str]:
    found = await queries.kinds(_community(session))
    asked = await queries_proposals.asked(_community(session))
    names = {one.id: one.settings.name for one in found}
    return page("ledger/kinds.html", kinds=found, asked=asked, names=names, every=EVERY, holders=HOLDERS)


@get(f"{KINDS}/new", guards=MANAGES, sync_to_thread=False)
def new_kind() -> Response[str]:
    form: Filled[KindForm] = forms.blank(
        unit="分", decimals=0, holder="person", base_every="never", redeemable="1", notice_days=NOTICE_DAYS
    )
    return _form_page(form, None)


@post(KINDS, guards=MANAGES)
async def make_kind(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    form = await forms.read(request, KindForm)
    settings = _settings(form)
    try:
        if settings is not None:
            proposal_id = await db.write(
                actions.make_kind,
                actor=session.actor,
                request_key=form.value.request_key,
                community_id=_community(session),
                code=form.value.code,
                settings=settings,
            )
            return _done(proposal_id)
    except Refusal as refusal:
        form.refuse(WRONG_FIELD.get(type(refusal), "name"), refusal)
    return _form_page(form, None)


@get(f"{KINDS}/{{kind_id:int}}", guards=MANAGES)
async def kind(kind_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    found = await queries.kind(_community(session), kind_id)
    return _form_page(forms.blank(version=found.version, **_typed(found.settings)), found)


@post(f"{KINDS}/{{kind_id:int}}", guards=MANAGES)
async def change_kind(
    kind_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, KindForm)
    found = await queries.kind(_community(session), kind_id)
    settings = _settings(form)
    try:
        if settings is not None:
            proposal_id = await db.write(
                actions.change_kind,
                actor=session.actor,
                request_key=form.value.request_key,
                community_id=_community(session),
                kind_id=kind_id,
                version=form.value.version,
                settings=settings,
            )
            return _done(proposal_id)
    except Refusal as refusal:
        form.refuse(WRONG_FIELD.get(type(refusal), "name"), refusal)
    return _form_page(form, found)


@post("/ledger/people/{person_id:int}/passbooks", guards=MANAGES)
async def open_book(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """Open a passbook of another kind for a member; it opens by itself with the first points, too."""
    form = await forms.read(request, OpenForm)
    if not form.is_valid:
        raise NotFound
    passbook_id = await db.write(
        actions_kinds.open_for,
        actor=session.actor,
        request_key=form.value.request_key,
        community_id=_community(session),
        person_id=person_id,
        kind=form.value.kind,
    )
    return Redirect(f"/ledger/passbooks/{passbook_id}", status_code=303)


@get("/ledger/lapsing", guards=MANAGES)
async def lapsing(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    """What will lapse within a year, by day."""
    today = local_day(clock.now())
    days = await queries.lapsing(_community(session), today=today, until=today + timedelta(days=PREVIEW_DAYS))
    return page("ledger/lapsing.html", days=days)


handlers: list[Any] = [kinds, new_kind, make_kind, kind, change_kind, open_book, lapsing]
