"""The counter sheet: bars of goods that have none on them, and of those asked for most, to laminate and scan from."""

from typing import Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from pointsbank.kit import codes
from pointsbank.kit.clock import Clock, local_day
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.people.access import Permission, Session, needs
from pointsbank.stock import queries, queries_print
from pointsbank.stock.queries import Good
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

KEEPER = [needs(Permission.KEEP_STOCK)]
BARS_A_SHEET = 15
SHEETS_MAX = 10
OWN, FREQUENT = N_("没有厂家条码的商品"), N_("常换的商品")


class Sheet(msgspec.Struct, frozen=True):
    title: str
    goods: list[Good]


@get("/stock/counter-sheet", guards=KEEPER)
async def counter_sheet(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    sheets: list[Sheet] = []
    today = local_day(clock.now())
    for outlet in await queries.outlets(session.community_ids):
        goods = sorted(await queries.on_shelf(outlet.outlet_id, today), key=lambda good: good.name)
        own = [good for good in goods if codes.is_own_barcode(good.barcode)]
        popular = await queries_print.popular(outlet.outlet_id, clock.now())
        frequent = [good for good in goods if good.good_id in popular and good not in own]
        for title, some in ((OWN, own), (FREQUENT, frequent)):
            parts = [some[start : start + BARS_A_SHEET] for start in range(0, len(some), BARS_A_SHEET)]
            sheets += [Sheet(f"{outlet.name} · {_(title)}", part) for part in parts]
    return page(
        "stock/counter_sheet.html", sheets=sheets[:SHEETS_MAX], of=await kinds.main(None, *session.community_ids)
    )


handlers: list[Any] = [counter_sheet]
