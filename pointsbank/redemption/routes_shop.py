"""The shop as residents see it, and one order in full."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.awards import routes_gate as gates
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.redemption import queries
from pointsbank.redemption.queries import Order, Outlet
from pointsbank.stock import queries as stock
from pointsbank.stock.queries import Good
from pointsbank.web import render
from pointsbank.web.handlers import get


@dataclass(frozen=True, slots=True)
class Offer:
    good: Good
    missing: int
    is_used_up: bool

    @property
    def glyph(self) -> str:
        """盐 for 「食用盐 400 g」: what the good is stands last in its first word."""
        return self.good.name.split()[0][-1:]

    @property
    def is_open(self) -> bool:
        return self.missing == 0 and not self.is_used_up and self.good.stock > 0


@dataclass(frozen=True, slots=True)
class Shelves:
    outlet: Outlet
    offers: list[Offer]


@get("/shop", guards=[needs(Permission.OWN)])
async def shop(
    request: Request[Any, Any, Any], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """What is on the shelves, what one can have now first."""
    today = local_day(clock.now())
    passbook = await _own_passbook(session)
    account = await ledger.account(None, passbook.account_id, today=today) if passbook else None
    available = account.points if account else 0
    used = await queries.pieces_used(passbook.account_id, today) if passbook else {}
    shelves = []
    for community_id in session.community_ids:
        for outlet in await queries.outlets(community_id):
            offers = [
                _offer(good, available, used.get(good.good_id, 0))
                for good in await stock.on_shelf(outlet.outlet_id, today)
            ]
            shelves.append(Shelves(outlet, sorted(offers, key=lambda offer: not offer.is_open)))
    every = [offer for one in shelves for offer in one.offers]
    return render.page(
        "redemption/shop.html",
        of=passbook or await kinds.main(None, *session.community_ids),
        shelves=shelves,
        available=available,
        shut=await gates.why_shut(session, account, today) if account else [],
        is_all=request.query_params.get("show", "") == "all",
        count=len(every),
        open_count=sum(offer.is_open for offer in every),
    )


def _offer(good: Good, available: int, used: int) -> Offer:
    is_used_up = good.monthly_max is not None and used >= good.monthly_max
    return Offer(good, max(good.points - available, 0), is_used_up)


async def _own_passbook(session: Session) -> ledger.Passbook | None:
    holder = await people.holder_of(None, session.person_id)
    return await ledger.passbook_of(person_id=holder.person_id, household_id=holder.household_id, holder=holder.kind)


async def _visible(session: Session, order_id: int) -> Order:
    """An order for the holder of its passbook, and for the community's staff who serve or see the ledger."""
    found = await queries.order(session.community_ids, order_id)
    if session.may(Permission.REDEEM) or session.may(Permission.SEE_LEDGER):
        return found
    passbook = await _own_passbook(session) if session.may(Permission.OWN) else None
    if passbook is None or passbook.account_id != found.account_id:
        raise NotFound
    return found


@get("/redemption/orders/{order_id:int}", guards=[needs()])
async def order(order_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    found = await _visible(session, order_id)
    names = await people.masked_names([found.person_id, found.staff_id])
    return render.page(
        "redemption/order.html",
        frame="phone.html" if session.kind == "resident" else "desk.html",
        order=found,
        member=names.get(found.person_id, ""),
        staff=names.get(found.staff_id, ""),
    )


handlers: list[Any] = [shop, order]
