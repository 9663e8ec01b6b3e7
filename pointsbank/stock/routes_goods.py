"""Pages of whoever keeps the stock: the list, a good, deliveries, labels."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit import db, qr, text
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.stock import actions, queries, rules
from pointsbank.stock.queries import Good, Outlet
from pointsbank.trail import queries as trail
from pointsbank.web import formats, forms, render
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _

KEEPER = [needs(Permission.KEEP_STOCK)]
LABELS_A_SHEET = 21
LABEL_SHEETS_MAX = 10
SOURCES = {"donated": N_("捐赠"), "purchased": N_("采购"), "subsidised": N_("补贴")}
FROM = {**SOURCES, rules.FOUND: N_("盘点多出")}
VERBS = {
    "good.made": N_("登记商品"),
    "good.changed": N_("修改"),
    "good.ended": N_("下架"),
    "good.photographed": N_("换了照片"),
    "good.photo_dropped": N_("去掉照片"),
    "stock.received": N_("入库"),
    "stock.counted": N_("盘点"),
    "stock.written_off": N_("报损"),
}
REASONS = {
    "miscounted": N_("以前记错"),
    "misscanned": N_("兑换时扫错"),
    "missing": N_("找不到了"),
    "expired": N_("过期"),
    "damaged": N_("破损"),
    "recalled": N_("厂家召回"),
    "other": N_("其他"),
}
WORDS = {
    "barcode": N_("条码"),
    "name": N_("名称"),
    "unit": N_("单位"),
    "points": N_("积分"),
    "monthly_max": N_("每月限兑"),
    "low_at": N_("低库存提醒"),
}


class GoodForm(msgspec.Struct):
    request_key: str
    name: Annotated[str, msgspec.Meta(title=N_("名称"), max_length=rules.NAME_LENGTH_MAX)]
    unit: Annotated[str, msgspec.Meta(title=N_("单位"), max_length=rules.UNIT_LENGTH_MAX)]
    points: Annotated[int, msgspec.Meta(title=N_("积分"), ge=1, le=rules.POINTS_MAX)]
    monthly_max: Annotated[int, msgspec.Meta(title=N_("每月限兑"), ge=1, le=rules.QUANTITY_MAX)] | None = None
    low_at: Annotated[int, msgspec.Meta(title=N_("低库存提醒"), ge=0, le=rules.QUANTITY_MAX)] = 0
    outlet: int | None = None
    barcode: Annotated[str, msgspec.Meta(title=N_("条码"), max_length=40)] = ""


class EndForm(msgspec.Struct):
    request_key: str


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of a good's history."""

    what: str
    when: Any
    who: str


@get("/stock", guards=KEEPER)
async def stock_list(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    found = await queries.stocked(session.community_ids, local_day(clock.now()))
    outlets = await queries.outlets(session.community_ids)
    return render.page(
        "stock/list.html",
        goods=found,
        outlets={outlet.outlet_id: outlet.name for outlet in outlets},
        low=sum(line.is_low and line.good.is_live for line in found),
        past=sum(line.past for line in found),
        pieces=sum(line.good.stock for line in found),
    )


def typed_in(request: Request[Any, Any, Any], name: str) -> str:
    return str(request.query_params.get(name, ""))[:40]


@get("/stock/new", guards=KEEPER)
async def new_page(request: Request[Any, Any, Any], session: NamedDependency[Session]) -> Response[str]:
    outlets = await queries.outlets(session.community_ids)
    form: Filled[GoodForm] = forms.blank(barcode=typed_in(request, "barcode"), low_at=0)
    return _new(form, outlets)


def _new(form: Filled[GoodForm], outlets: list[Outlet], *, status: int = 200) -> Response[str]:
    choices = [(outlet.outlet_id, outlet.name) for outlet in outlets]
    return render.page("stock/new.html", status=status, form=form, outlets=choices)


@post("/stock", guards=KEEPER)
async def make(request: Request[Any, Any, Any], session: NamedDependency[Session]) -> Response[Any]:
    form = await forms.read(request, GoodForm)
    outlets = await queries.outlets(session.community_ids)
    clean(form, "name", "unit")
    if form.is_valid:
        asked = form.value
        outlet_id = asked.outlet or (outlets[0].outlet_id if len(outlets) == 1 else 0)
        if outlet_id not in {outlet.outlet_id for outlet in outlets}:
            form.refuse("outlet", _("请选择{label}", label=_("超市")))
        else:
            try:
                good_id = await db.write(
                    actions.make_good,
                    actor=session.actor,
                    request_key=asked.request_key,
                    community_id=await community_of(session, outlet_id),
                    outlet_id=outlet_id,
                    name=text.clean(asked.name),
                    unit=text.clean(asked.unit),
                    points=asked.points,
                    barcode=asked.barcode,
                    monthly_max=asked.monthly_max,
                    low_at=asked.low_at,
                )
            except Refusal as refused:
                form.refuse("barcode", refused)
            else:
                return Redirect(f"/stock/{good_id}", status_code=303)
    return _new(form, outlets, status=400)


async def community_of(session: Session, outlet_id: int) -> int:
    for community_id in session.community_ids:
        if outlet_id in {outlet.outlet_id for outlet in await queries.outlets([community_id])}:
            return community_id
    raise AssertionError("the outlet was found among these communities")


def clean(form: Filled[Any], *names: str) -> None:
    for name in names:
        try:
            text.clean(form.typed.get(name, ""))
        except text.BadText as bad:
            form.refuse(name, str(bad))


@get("/stock/{good_id:int}", guards=KEEPER)
async def good_page(
    good_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    good = await queries.good(session.community_ids, good_id)
    return await shown(good, filled(good), local_day(clock.now()))


def filled(good: Good) -> Filled[GoodForm]:
    return forms.blank(
        name=good.name,
        unit=good.unit,
        points=good.points,
        monthly_max=good.monthly_max,
        low_at=good.low_at,
        barcode=good.barcode,
    )


async def shown(good: Good, form: Filled[Any], today: date, *, status: int = 200) -> Response[str]:
    """The page of a good; `form` is the one that was sent from it, or the good's own facts."""
    lots = await queries.lots(good.good_id)
    return render.page(
        "stock/good.html",
        status=status,
        good=good,
        form=form,
        lots=[(lot, _(FROM[lot.source]), rules.yuan_of(lot.unit_value_cents), lot.best_before < today) for lot in lots],
        past=sum(lot.remaining for lot in lots if lot.best_before < today),
        never=rules.NEVER,
        history=await _history(good.good_id),
    )


async def _history(good_id: int) -> list[Happening]:
    records = await trail.history(("good", good_id))
    names = await people.masked_names([record.person_id for record in records if record.person_id is not None])
    return [
        Happening(_happened(record), record.at, names.get(record.person_id or 0, ""))
        for record in reversed(records)
        if record.verb in VERBS
    ]


def _happened(record: trail.Record) -> str:
    said = _(VERBS[record.verb])
    if record.verb.startswith("stock."):
        quantity = record.facts["quantity"]
        said += f" {formats.signed(quantity) if record.verb == 'stock.counted' else quantity}"
        reason = record.facts.get("reason")
        return said + _("，") + _(REASONS[reason]) if reason else said
    changes = record.facts.get("changed", {})
    parts = [f"{_(WORDS[word])} {_plain(old)} → {_plain(new)}" for word, (old, new) in changes.items()]
    return said + _("：") + _("，").join(parts) if parts else said


def _plain(value: object) -> str:
    return _("不限") if value is None else str(value)


@post("/stock/{good_id:int}", guards=KEEPER)
async def change(
    request: Request[Any, Any, Any],
    good_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    good = await queries.good(session.community_ids, good_id)
    form = await forms.read(request, GoodForm)
    clean(form, "name", "unit")
    if form.is_valid:
        asked = form.value
        try:
            await db.write(
                actions.change_good,
                actor=session.actor,
                request_key=asked.request_key,
                good_id=good_id,
                name=text.clean(asked.name),
                unit=text.clean(asked.unit),
                points=asked.points,
                monthly_max=asked.monthly_max,
                low_at=asked.low_at,
                barcode=asked.barcode,
            )
        except Refusal as refused:
            is_code = isinstance(refused, rules.BarcodeTaken | rules.BarcodeUnfit)
            form.refuse("barcode" if is_code else "name", refused)
        else:
            return Redirect(f"/stock/{good_id}", status_code=303)
    return await shown(good, form, local_day(clock.now()), status=400)


@post("/stock/{good_id:int}/end", guards=KEEPER)
async def end(
    request: Request[Any, Any, Any], good_id: FromPath[int], session: NamedDependency[Session]
) -> Response[Any]:
    await queries.good(session.community_ids, good_id)
    form = await forms.read(request, EndForm)
    key = form.value.request_key if form.is_valid else None
    await db.write(actions.end_good, actor=session.actor, request_key=key, good_id=good_id)
    return Redirect("/stock", status_code=303)


async def offered(session: Session, clock: Clock) -> list[Good]:
    today = local_day(clock.now())
    outlets = await queries.outlets(session.community_ids)
    return [good for outlet in outlets for good in await queries.on_shelf(outlet.outlet_id, today)]


@get("/stock/labels", guards=KEEPER)
async def labels(
    request: Request[Any, Any, Any], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """A4 sheets of 21 labels: of all goods, or a sheet of the one that is named."""
    asked = forms.number(typed_in(request, "good"))
    if asked is not None:
        goods = [await queries.good(session.community_ids, asked)] * LABELS_A_SHEET
    else:
        goods = await offered(session, clock)
    goods = goods[: LABELS_A_SHEET * LABEL_SHEETS_MAX]
    sheets = [goods[start : start + LABELS_A_SHEET] for start in range(0, len(goods), LABELS_A_SHEET)]
    of = await kinds.main(None, *session.community_ids)
    return render.page("stock/labels.html", sheets=sheets, count=len(goods), of=of)


@get("/stock/{good_id:int}/barcode.png", guards=KEEPER)
async def barcode_png(good_id: FromPath[int], session: NamedDependency[Session]) -> Response[bytes]:
    good = await queries.good(session.community_ids, good_id)
    # An EAN-8 has bars of its own; as Code 128 every scanner sends the same eight digits.
    is_short = len(good.barcode) == 8
    picture = qr.code128_png(good.barcode) if is_short else qr.ean13_png(good.barcode.zfill(13))
    return Response(picture, media_type="image/png", headers={"Cache-Control": "private, max-age=86400"})


handlers: list[Any] = [
    stock_list,
    new_page,
    make,
    good_page,
    change,
    end,
    labels,
    barcode_png,
]
