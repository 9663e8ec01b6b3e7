"""Sheets of cards: choose for whom, print, print again, end a whole run. No other answer shows what a sheet bears."""

import hashlib
from datetime import date
from typing import Annotated, Literal

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Refusal
from pointsbank.kit.settings import Settings
from pointsbank.people import actions_print, browser, queries, queries_paper, queries_print
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, to
from pointsbank.people.queries import CommunityView
from pointsbank.people.queries_print import Run
from pointsbank.people.routes_roster import own_community
from pointsbank.people.rules_cards import (
    PER_SHEET,
    PLATES_PER_SHEET,
    RUN_MAX,
    SLICE,
    Kept,
    NobodyChosen,
    NoHouseholdCards,
    NothingToPrint,
    TooManyCards,
    VoidReason,
    behind,
    sheets,
)
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

ISSUES = [needs(Permission.ISSUE_CARDS)]
IDS_LENGTH_MAX = RUN_MAX * 20
KIND_NAMES = {Kept.MEMBER: N_("会员卡"), Kept.HOUSEHOLD: N_("家庭卡"), Kept.PLATE: N_("门牌")}
VOID_REASONS = {
    VoidReason.MISSING: N_("印好的卡丢了"),
    VoidReason.COPIED: N_("卡被拍照，或打印的文件流出去了"),
    VoidReason.MISPRINTED: N_("印坏了，没有发出去"),
    VoidReason.OTHER: N_("其他"),
}


class PrintForm(msgspec.Struct):
    """`ids` is everybody who was listed, `pick` who was ticked."""

    request_key: str
    kind: Kept
    ids: Annotated[str, Meta(max_length=IDS_LENGTH_MAX)] = ""
    which: Literal["all", "picked"] = "all"
    pick: list[int] = []

    def chosen(self) -> list[int]:
        """Whom to print for, each once."""
        listed = [forms.number(one) for one in self.ids.split(",")] if self.which == "all" else self.pick
        found = sorted({one for one in listed if one is not None})
        if not found:
            raise NobodyChosen
        if len(found) > RUN_MAX:
            raise TooManyCards(most=RUN_MAX)
        return found


class SheetForm(msgspec.Struct):
    """`sheet` counts from 1; 0 is all of them."""

    request_key: str
    sheet: Annotated[int, Meta(title="第几页", ge=0, le=RUN_MAX // PER_SHEET)] = 0


class VoidForm(msgspec.Struct):
    request_key: str
    reason: Annotated[VoidReason, Meta(title="原因")]
    sure: bool = False


# Choosing


@get("/people/cards", guards=ISSUES)
async def choose_page(request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    asked = request.query_params
    return await _choose_page(session, dict(asked), forms.blank())


async def _choose_page(
    session: Session, asked: dict[str, str], form: forms.Filled[PrintForm], status: int = 200
) -> Response[str]:
    community = await queries.community(own_community(session))
    kinds = [kind for kind in Kept if kind is not Kept.HOUSEHOLD or community.holder == "household"]
    kind = next((one for one in kinds if one == asked.get("kind")), Kept.MEMBER)
    place, day = forms.number(asked.get("place", "")), _day(asked.get("day", ""))
    only_unserved = asked.get("who") != "all"
    places = await queries_print.places(community.path)
    if place not in {one for one, _name in places}:
        place = None
    found = await queries_print.choices(community.id, kind, place_id=place, day=day, only_unserved=only_unserved)
    shown = {"place": place, "day": day, "who": "" if only_unserved else "all"}
    listed = await _listed(kind, found.fitting)
    return page(
        "people/cards.html",
        status=status,
        kind=kind.value,
        kinds=[(f"/people/cards?kind={one}", _(KIND_NAMES[one]), one is kind) for one in kinds],
        places=places,
        days=[(one.isoformat(), one, count) for one, count in found.days],
        filter=forms.Filled.blank(**shown),
        listed=listed,
        fitting=len(found.fitting),
        most=RUN_MAX,
        papers=-(-len(listed) // (PLATES_PER_SHEET if kind is Kept.PLATE else PER_SHEET)),
        form=form,
    )


async def _listed(kind: Kept, fitting: list[queries_print.Choice]) -> list[queries_print.Choice]:
    """As many as one print takes, in the order of the sheets."""
    some = {one.id: one for one in fitting[:RUN_MAX]}
    return [some[one] for one in await queries_paper.in_order_of_doors(kind, some)]


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


# Printing


@post("/people/cards/print", guards=ISSUES)
async def print_chosen(
    request: AnyRequest, session: NamedDependency[Session], settings: NamedDependency[Settings]
) -> Response[str]:
    """Issue what is missing, record the print, answer the sheets: a repeat of the same form prints the same run."""
    form = await forms.read(request, PrintForm)
    if not form.is_valid:
        form.errors.clear()  # no reader fills these in: the page does
        form.refuse("ids", NobodyChosen())
        return await _choose_page(session, {}, form, 400)
    wanted = form.value
    community = await queries.community(own_community(session))
    try:
        ids = wanted.chosen()
        await queries_print.check_choice(community.id, wanted.kind, ids)
        if wanted.kind is Kept.PLATE:
            return await _print_plates(request, session, settings, wanted, community)
        run_id = await _open_run(session, community.id, wanted, ids)
    except (NobodyChosen, TooManyCards, NoHouseholdCards) as refusal:
        form.refuse("ids", refusal)
        return await _choose_page(session, {"kind": wanted.kind.value}, form, refusal.kind.status)
    return await _print_run(session, await queries_print.run(session.community_ids, run_id), 0)


def _part_key(request_key: str, part: int) -> str:
    """The key of one slice: the same form finds the same slices."""
    return hashlib.sha256(f"{request_key}/{part}".encode()).hexdigest()


async def _open_run(session: Session, community_id: int, wanted: PrintForm, ids: list[int]) -> int:
    opened = await db.write(
        actions_print.open_run,
        actor=session.actor,
        request_key=wanted.request_key,
        community_id=community_id,
        kind=wanted.kind,
        holder_ids=ids,
    )
    ordered = await queries_paper.in_order_of_doors(wanted.kind, ids)
    for start in range(0, len(ordered), SLICE):
        await db.write(
            actions_print.fill_run,
            actor=session.actor,
            request_key=_part_key(wanted.request_key, start),
            run_id=opened.run_id,
            kind=wanted.kind,
            start=start,
            holder_ids=ordered[start : start + SLICE],
        )
    return opened.run_id


async def _print_run(session: Session, run: Run, sheet: int) -> Response[str]:
    is_member = run.kind == Kept.MEMBER
    drawn = await (queries_paper.member_cards if is_member else queries_paper.household_cards)(run.id, sheet)
    if not drawn:
        raise NothingToPrint
    await db.write(actions_print.note_run_printed, actor=session.actor, run_id=run.id, what="cards", sheet=sheet)
    return page(
        "people/print_sheets.html",
        run=run,
        sheet=sheet,
        sheets=[(front, behind(front)) for front in sheets(drawn)],
        cards=len(drawn),
        community=await queries.community(run.community_id),
    )


async def _print_plates(
    request: AnyRequest, session: Session, settings: Settings, wanted: PrintForm, community: CommunityView
) -> Response[str]:
    ordered = await queries_paper.in_order_of_doors(Kept.PLATE, wanted.chosen())
    await db.write(
        actions_print.make_plates,
        actor=session.actor,
        request_key=wanted.request_key,
        community_id=community.id,
        household_ids=ordered,
    )
    drawn = await queries_paper.plates(ordered, browser.public_base(request, settings))
    papers = [drawn[start : start + PLATES_PER_SHEET] for start in range(0, len(drawn), PLATES_PER_SHEET)]
    return page("people/print_plates.html", papers=papers, plates=len(drawn), community=community)


# Runs


@get("/people/cards/runs", guards=ISSUES)
async def runs_page(request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    number = max(forms.number(request.query_params.get("page", "1")[:5]) or 1, 1)
    found = await queries_print.runs(own_community(session), number=number)
    names = await queries.masked_names(one.made_by for one in found if one.made_by is not None)
    return page(
        "people/card_runs.html",
        runs=found[: queries_print.RUNS_AT_ONCE],
        has_more=len(found) > queries_print.RUNS_AT_ONCE,
        number=number,
        names=names,
        kind_names={kind.value: _(name) for kind, name in KIND_NAMES.items()},
    )


@get("/people/cards/runs/{run_id:int}", guards=ISSUES)
async def run_page(run_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    run = await queries_print.run(session.community_ids, run_id)
    return await _run_page(run, forms.blank())


async def _run_page(run: Run, form: forms.Filled[VoidForm], status: int = 200) -> Response[str]:
    cards = await queries_print.run_cards(run)
    names = await queries.masked_names(one for one in (run.made_by, run.ended_by) if one is not None)
    numbers = sorted({one.place // PER_SHEET + 1 for one in cards})
    return page(
        "people/card_run.html",
        status=status,
        run=run,
        cards=cards,
        made_by=names.get(run.made_by or 0, ""),
        ended_by=names.get(run.ended_by or 0, ""),
        numbers=[(one, _("第 {n} 页", n=one)) for one in numbers],
        kind_name=_(KIND_NAMES[Kept(run.kind)]),
        reasons=[(one.value, _(said)) for one, said in VOID_REASONS.items()],
        reason=_(VOID_REASONS[VoidReason(run.end_reason)]) if run.end_reason else "",
        form=form,
    )


async def _sheet_asked(request: AnyRequest) -> int:
    form = await forms.read(request, SheetForm)
    return form.value.sheet if form.is_valid else 0


@post("/people/cards/runs/{run_id:int}/print", guards=ISSUES)
async def print_again(run_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    """The same codes, as long as the cards live."""
    run = await queries_print.run(session.community_ids, run_id)
    return await _print_run(session, run, await _sheet_asked(request))


@post("/people/cards/runs/{run_id:int}/slips", guards=ISSUES)
async def print_slips(
    run_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    settings: NamedDependency[Settings],
    clock: NamedDependency[Clock],
) -> Response[str]:
    """The activation slips of a run, on paper of their own: whoever hands out cards need not hold both."""
    run = await queries_print.run(session.community_ids, run_id)
    sheet, base = await _sheet_asked(request), browser.public_base(request, settings)
    drawn = await queries_paper.slips(run.id, sheet, base, clock.now())
    if not drawn:
        raise NothingToPrint
    await db.write(actions_print.note_run_printed, actor=session.actor, run_id=run.id, what="slips", sheet=sheet)
    return page("people/print_slips.html", run=run, sheets=sheets(drawn), slips=len(drawn), address=base)


@post("/people/cards/runs/{run_id:int}/void", guards=ISSUES)
async def void_run(
    run_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    run = await queries_print.run(session.community_ids, run_id)
    form = await forms.read(request, VoidForm)
    if form.is_valid and not form.value.sure:
        form.refuse("sure", _("请先勾选「我知道这些卡马上不能用」。"))
    if not form.is_valid:
        return await _run_page(run, form, 400)
    try:
        await db.write(
            actions_print.void_run,
            actor=session.actor,
            request_key=form.value.request_key,
            run_id=run.id,
            reason=form.value.reason.value,
        )
    except Refusal as refusal:
        form.refuse("reason", refusal)
        return await _run_page(run, form, refusal.kind.status)
    return to(f"/people/cards/runs/{run.id}")


handlers = [choose_page, print_chosen, runs_page, run_page, print_again, print_slips, void_run]
