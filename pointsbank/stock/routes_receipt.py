"""Deliveries: what came, from whom, worth what, and how long it keeps."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.response import Redirect

from pointsbank.kit import db, text
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Refusal
from pointsbank.people.access import Permission, Session, needs
from pointsbank.stock import actions, queries, rules
from pointsbank.stock.queries import Good
from pointsbank.stock.routes_goods import SOURCES, clean, offered, typed_in
from pointsbank.web import forms, render
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _

KEEPER = [needs(Permission.KEEP_STOCK)]


class ReceiptForm(msgspec.Struct):
    request_key: str
    quantity: Annotated[int, msgspec.Meta(title=N_("数量"), ge=1, le=rules.QUANTITY_MAX)]
    source: Annotated[Literal["donated", "purchased", "subsidised"], msgspec.Meta(title=N_("来源"))]
    barcode: Annotated[str, msgspec.Meta(title=N_("条码"), max_length=40)] = ""
    good: Annotated[int, msgspec.Meta(title=N_("商品"))] | None = None
    donor: Annotated[str, msgspec.Meta(title=N_("捐赠人或单位"), max_length=rules.DONOR_LENGTH_MAX)] = ""
    value: Annotated[str, msgspec.Meta(title=N_("单价"), max_length=12)] = ""
    best_before: Annotated[date, msgspec.Meta(title=N_("保质期到"))] | None = None


@get("/stock/receive", guards=KEEPER)
async def receive_page(
    request: Request[Any, Any, Any], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    form: Filled[ReceiptForm] = forms.blank(
        good=typed_in(request, "good"), barcode=typed_in(request, "barcode"), source="donated"
    )
    return await _receiving(session, clock, form)


async def _receiving(session: Session, clock: Clock, form: Filled[ReceiptForm], *, status: int = 200) -> Response[str]:
    goods = await offered(session, clock)
    return render.page(
        "stock/receive.html",
        status=status,
        form=form,
        goods=[(good.good_id, good.name + _("（{what}）", what=good.barcode)) for good in goods],
        sources=[(code, _(word)) for code, word in SOURCES.items()],
    )


@post("/stock/receive", guards=KEEPER)
async def receive(
    request: Request[Any, Any, Any], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[Any]:
    form = await forms.read(request, ReceiptForm)
    clean(form, "donor")
    asked = form.value if form.is_valid else None
    good = await _named(session, form, asked) if asked else None
    cents = _cents(form, asked.value) if asked else 0
    if form.is_valid and asked is not None and good is not None:
        try:
            await db.write(
                actions.receive,
                actor=session.actor,
                request_key=asked.request_key,
                good_id=good.good_id,
                quantity=asked.quantity,
                source=asked.source,
                donor=text.clean(asked.donor),
                unit_value_cents=cents,
                best_before=asked.best_before or rules.NEVER,
            )
        except Refusal as refused:
            field = {rules.DonorMissing: "donor", rules.PastBestBefore: "best_before"}.get(type(refused), "good")
            form.refuse(field, refused)
        else:
            return Redirect(f"/stock/{good.good_id}", status_code=303)
    return await _receiving(session, clock, form, status=400)


def _cents(form: Filled[ReceiptForm], yuan: str) -> int:
    try:
        return rules.cents_of(yuan) if yuan else 0
    except rules.ValueUnfit as refused:
        form.refuse("value", refused)
        return 0


async def _named(session: Session, form: Filled[ReceiptForm], asked: ReceiptForm) -> Good | None:
    """The good that was scanned, or else the one that was chosen."""
    if asked.barcode:
        try:
            barcode = rules.fit_barcode(asked.barcode)
        except rules.BarcodeUnfit as refused:
            form.refuse("barcode", refused)
            return None
        found = await queries.good_by_barcode(session.community_ids, barcode)
        if found is None:
            form.refuse("barcode", _("还没有登记这个条码。请先登记新商品。"))
        return found
    if asked.good is None:
        form.refuse("good", _("请扫条码，或选一样商品。"))
        return None
    return await queries.good(session.community_ids, asked.good)


handlers: list[Any] = [receive_page, receive]
