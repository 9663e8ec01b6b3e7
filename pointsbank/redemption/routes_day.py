"""The day sheet (日结单): what a counter gave out on one day, to sign and to keep; it bears the head of the books."""

from datetime import date, timedelta
from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit.clock import Clock, local_day
from pointsbank.ledger import queries_seal
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.redemption import queries, queries_day
from pointsbank.redemption.queries_day import DayOrder
from pointsbank.web import printing
from pointsbank.web.handlers import get
from pointsbank.web.render import page

GOODS_A_SHEET, ORDERS_A_SHEET = 24, 28
GOODS_LETTERS = 24


def _day(typed: str, today: date) -> date:
    """The day that the address names; today for none, for nonsense, and for days to come."""
    try:
        return min(date.fromisoformat(typed), today)
    except ValueError:
        return today


def _parts(rows: list[Any], most: int) -> list[list[Any]]:
    return [rows[start : start + most] for start in range(0, len(rows), most)]


def _on_one_line(order: DayOrder) -> str:
    return printing.on_one_line("，".join(f"{name} ×{quantity}" for name, quantity in order.goods), GOODS_LETTERS)


@get("/redemption/counters/{counter_id:int}/day", guards=[needs(Permission.REDEEM)])
async def day_sheet(
    request: browser.AnyRequest,
    counter_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    counter = await queries.counter(session.community_ids, counter_id)
    today = local_day(clock.now())
    day = _day(request.query_params.get("day", ""), today)
    found = await queries_day.day_of(counter, day)
    ids = {person_id for order in found.orders for person_id in (order.person_id, order.staff_id)}
    return page(
        "redemption/day.html",
        counter=counter,
        community=await people.community(counter.community_id),
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1) if day < today else None,
        is_over=day < today,
        now=clock.now(),
        found=found,
        goods_sheets=_parts(found.goods, GOODS_A_SHEET) or [[]],
        order_sheets=_parts(found.orders, ORDERS_A_SHEET),
        names=await people.masked_names(ids),
        texts={order.order_id: _on_one_line(order) for order in found.orders},
        head=await queries_seal.head(counter.community_id),
    )


handlers: list[Any] = [day_sheet]
