"""Counting the shelf, and writing off what nobody may have any more."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.stock import actions_count as actions
from pointsbank.stock import queries, queries_count, rules
from pointsbank.stock.queries import Good
from pointsbank.stock.queries_count import Count, Line
from pointsbank.stock.routes_goods import FROM, REASONS, community_of
from pointsbank.web import forms, render
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _

KEEPER = [needs(Permission.KEEP_STOCK)]
LINES_A_SHEET = 26
STATES = {"open": (N_("在点"), "warn"), "done": (N_("已对账"), "ok"), "dropped": (N_("已作废"), "")}
Number = Annotated[int, msgspec.Meta(ge=0, le=rules.QUANTITY_MAX)]


class OpenForm(msgspec.Struct):
    request_key: str
    which: Annotated[Literal["all", "some"], msgspec.Meta(title=N_("范围"))]
    outlet: Annotated[int, msgspec.Meta(title=N_("超市"))] | None = None
    goods: list[int] = []


class CountedForm(msgspec.Struct):
    """`good` and `counted` are columns of one table: their rows belong together."""

    request_key: str
    good: list[int | None]
    counted: Annotated[list[Number | None], msgspec.Meta(title=N_("点到的件数"))]
    then: Literal["stay", "compare"] = "stay"


class CloseForm(msgspec.Struct):
    request_key: str
    good: list[int | None] = []
    reason: list[str | None] = []


class KeyForm(msgspec.Struct):
    request_key: str


class LossForm(msgspec.Struct):
    request_key: str
    lot: Annotated[int, msgspec.Meta(title=N_("哪一批"))]
    quantity: Annotated[int, msgspec.Meta(title=N_("数量"), ge=1, le=rules.QUANTITY_MAX)]
    reason: Annotated[Literal["expired", "damaged", "recalled", "other"], msgspec.Meta(title=N_("原因"))]


@get("/stock/counts", guards=KEEPER)
async def count_list(session: NamedDependency[Session]) -> Response[str]:
    found = await queries_count.counts(session.community_ids)
    answerable = {one.count.ended_by or one.count.opened_by for one in found}
    names = await people.masked_names([person_id for person_id in answerable if person_id is not None])
    return render.page(
        "stock/counts.html",
        counts=[(one, names.get(one.count.ended_by or one.count.opened_by or 0, "")) for one in found],
        states={state: (_(word), colour) for state, (word, colour) in STATES.items()},
    )


@get("/stock/counts/new", guards=KEEPER)
async def open_page(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    return await _opening(session, clock, forms.blank(which="all"))


async def _opening(session: Session, clock: Clock, form: Filled[OpenForm], *, status: int = 200) -> Response[str]:
    outlets = await queries.outlets(session.community_ids)
    stocked = await queries.stocked(session.community_ids, local_day(clock.now()))
    places = {outlet.outlet_id: outlet.name for outlet in outlets}
    return render.page(
        "stock/count_new.html",
        status=status,
        form=form,
        outlets=list(places.items()),
        goods=[(line.good.good_id, _place_of(line.good, places)) for line in stocked],
    )


def _place_of(good: Good, places: dict[int, str]) -> str:
    return good.name if len(places) == 1 else good.name + _("（{what}）", what=places[good.outlet_id])


@post("/stock/counts", guards=KEEPER)
async def open_count(
    request: Request[Any, Any, Any], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[Any]:
    form = await forms.read(request, OpenForm)
    outlets = [outlet.outlet_id for outlet in await queries.outlets(session.community_ids)]
    if form.is_valid:
        asked = form.value
        outlet_id = asked.outlet or (outlets[0] if len(outlets) == 1 else 0)
        if outlet_id not in outlets:
            form.refuse("outlet", _("请选择{label}", label=_("超市")))
        elif asked.which == "some" and not asked.goods:
            form.refuse("goods", rules.NothingToCount())
        else:
            try:
                count_id = await db.write(
                    actions.open_count,
                    actor=session.actor,
                    request_key=asked.request_key,
                    community_id=await community_of(session, outlet_id),
                    outlet_id=outlet_id,
                    good_ids=sorted(set(asked.goods)) if asked.which == "some" else [],
                )
            except Refusal as refused:
                form.refuse("goods" if isinstance(refused, rules.NothingToCount) else "which", refused)
            else:
                return Redirect(f"/stock/counts/{count_id}", status_code=303)
    return await _opening(session, clock, form, status=400)


@get("/stock/counts/{count_id:int}", guards=KEEPER)
async def count_page(count_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    """While it is open, the numbers to fill in, without those of the books; then what came of it."""
    count = await queries_count.count(session.community_ids, count_id)
    lines = await queries_count.lines(count_id)
    if not count.is_open:
        return await _result(count, lines)
    return _writing(count, lines, Filled({}))


def _writing(count: Count, lines: list[Line], form: Filled[Any], *, status: int = 200) -> Response[str]:
    known = {str(line.good_id): "" if line.counted is None else str(line.counted) for line in lines}
    known |= _column(form, "counted")
    return render.page(
        "stock/count.html",
        status=status,
        count=count,
        form=form,
        lines=[(line, known[str(line.good_id)]) for line in lines],
    )


def _column(form: Filled[Any], name: str) -> dict[str, str]:
    """What was typed in a column of the table, by the good of its row."""
    return dict(zip(form.lists.get("good", []), form.lists.get(name, []), strict=False))


async def _result(count: Count, lines: list[Line]) -> Response[str]:
    names = await people.masked_names([count.ended_by]) if count.ended_by is not None else {}
    return render.page(
        "stock/count_done.html",
        count=count,
        who=names.get(count.ended_by or 0, ""),
        lines=[(line, _(REASONS[line.reason]) if line.reason else "") for line in lines if line.counted is not None],
        state=[_(word) for word in STATES[count.state]],
        uncounted=sum(line.counted is None for line in lines),
    )


@post("/stock/counts/{count_id:int}", guards=KEEPER)
async def write_counted(
    request: Request[Any, Any, Any], count_id: FromPath[int], session: NamedDependency[Session]
) -> Response[Any]:
    count = await queries_count.count(session.community_ids, count_id)
    form = await forms.read(request, CountedForm)
    if form.is_valid:
        asked = form.value
        pairs = zip(asked.good, asked.counted, strict=False)
        await db.write(
            actions.write_counted,
            actor=session.actor,
            request_key=asked.request_key,
            count_id=count_id,
            counted=[rules.Counted(good_id, number) for good_id, number in pairs if good_id is not None],
        )
        then = "/differences" if asked.then == "compare" else ""
        return Redirect(f"/stock/counts/{count_id}{then}", status_code=303)
    return _writing(count, await queries_count.lines(count_id), form, status=400)


@get("/stock/counts/{count_id:int}/differences", guards=KEEPER)
async def differences(count_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    count = await queries_count.count(session.community_ids, count_id)
    if not count.is_open:
        raise rules.CountClosed
    return await _comparing(count, Filled({}))


async def _comparing(count: Count, form: Filled[Any], *, status: int = 200) -> Response[str]:
    lines = await queries_count.lines(count.count_id)
    typed = _column(form, "reason")
    return render.page(
        "stock/count_differences.html",
        status=status,
        count=count,
        form=form,
        lines=[(line, typed.get(str(line.good_id), "")) for line in lines if line.difference],
        counted=sum(line.counted is not None for line in lines),
        uncounted=sum(line.counted is None for line in lines),
        reasons=[(code, _(REASONS[code])) for code in rules.DIFFERENCES],
    )


@post("/stock/counts/{count_id:int}/close", guards=KEEPER)
async def close(
    request: Request[Any, Any, Any], count_id: FromPath[int], session: NamedDependency[Session]
) -> Response[Any]:
    count = await queries_count.count(session.community_ids, count_id)
    form = await forms.read(request, CloseForm)
    pairs = zip(form.value.good, form.value.reason, strict=False) if form.is_valid else ()
    reasons = [rules.Explained(good_id, reason) for good_id, reason in pairs if good_id and reason]
    explained = {one.good_id for one in reasons}
    for line in await queries_count.lines(count_id) if count.is_open else ():
        if line.difference and line.good_id not in explained:
            form.refuse(f"reason-{line.good_id}", rules.ReasonMissing(name=line.name))
    if form.is_valid:
        try:
            await db.write(
                actions.close_count,
                actor=session.actor,
                request_key=form.value.request_key,
                count_id=count_id,
                reasons=reasons,
            )
        except (rules.ReasonMissing, rules.CountStale, rules.NothingCounted) as refused:
            good_id = refused.facts.get("good_id")
            form.refuse(f"reason-{good_id}" if good_id else "lines", refused)
        else:
            return Redirect(f"/stock/counts/{count_id}", status_code=303)
    return await _comparing(count, form, status=400)


@post("/stock/counts/{count_id:int}/drop", guards=KEEPER)
async def drop(
    request: Request[Any, Any, Any], count_id: FromPath[int], session: NamedDependency[Session]
) -> Response[Any]:
    await queries_count.count(session.community_ids, count_id)
    form = await forms.read(request, KeyForm)
    await db.write(actions.drop_count, actor=session.actor, request_key=form.value.request_key, count_id=count_id)
    return Redirect("/stock/counts", status_code=303)


@get("/stock/counts/{count_id:int}/sheet", guards=KEEPER)
async def sheet(count_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    """Paper to count with: what to look for, and room for a number; nothing of what the books say."""
    count = await queries_count.count(session.community_ids, count_id)
    lines = await queries_count.lines(count_id)
    sheets = [lines[start : start + LINES_A_SHEET] for start in range(0, len(lines), LINES_A_SHEET)]
    return render.page("stock/count_sheet.html", count=count, sheets=sheets, lines_a_sheet=LINES_A_SHEET)


@get("/stock/{good_id:int}/loss", guards=KEEPER)
async def loss_page(
    request: Request[Any, Any, Any],
    good_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    good = await queries.good(session.community_ids, good_id)
    lots = [lot for lot in await queries.lots(good_id) if lot.remaining]
    asked = forms.number(str(request.query_params.get("lot", "")))
    lot = next((lot for lot in lots if lot.lot_id == asked), None)
    is_past = lot is not None and lot.best_before < local_day(clock.now())
    form: Filled[LossForm] = forms.blank(
        lot=lot.lot_id if lot else None,
        quantity=lot.remaining if lot and is_past else None,
        reason="expired" if is_past else None,
    )
    return await _losing(good, form)


async def _losing(good: Good, form: Filled[LossForm], *, status: int = 200) -> Response[str]:
    lots = [lot for lot in await queries.lots(good.good_id) if lot.remaining]
    return render.page(
        "stock/loss.html",
        status=status,
        good=good,
        form=form,
        never=rules.NEVER,
        lots=[(lot, _(FROM[lot.source])) for lot in lots],
        reasons=[(code, _(REASONS[code])) for code in rules.LOSSES],
    )


@post("/stock/{good_id:int}/loss", guards=KEEPER)
async def write_off(
    request: Request[Any, Any, Any], good_id: FromPath[int], session: NamedDependency[Session]
) -> Response[Any]:
    good = await queries.good(session.community_ids, good_id)
    form = await forms.read(request, LossForm)
    if form.is_valid:
        asked = form.value
        try:
            await db.write(
                actions.write_off,
                actor=session.actor,
                request_key=asked.request_key,
                good_id=good_id,
                lot_id=asked.lot,
                quantity=asked.quantity,
                reason=asked.reason,
            )
        except rules.LotShort as refused:
            form.refuse("quantity", refused)
        else:
            return Redirect(f"/stock/{good_id}", status_code=303)
    return await _losing(good, form, status=400)


handlers: list[Any] = [
    count_list,
    open_page,
    open_count,
    count_page,
    write_counted,
    differences,
    close,
    drop,
    sheet,
    loss_page,
    write_off,
]
