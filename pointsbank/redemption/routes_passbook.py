"""The paper passbook at the counter: for the member of an order that this clerk has just made, and for nobody else."""

from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import routes_print as paper_pages
from pointsbank.ledger.queries import Passbook
from pointsbank.people.access import Permission, Session, needs
from pointsbank.redemption import queries, rules
from pointsbank.redemption.queries import Order
from pointsbank.web.handlers import get, post

SERVES = [needs(Permission.REDEEM)]


async def _served(order_id: int, session: Session, clock: Clock) -> tuple[Order, Passbook]:
    """The passbook of whoever still stands before this clerk: as long as the order could be undone."""
    order = await queries.order(session.community_ids, order_id)
    if order.staff_id != session.person_id or clock.now() - order.made_at > rules.UNDO_WINDOW:
        raise NotFound
    passbook = await ledger.passbook_of_account(None, order.account_id)
    if passbook is None:
        raise NotFound
    return order, passbook


@get("/redemption/orders/{order_id:int}/passbook", guards=SERVES)
async def paper(
    request: paper_pages.AnyRequest,
    order_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    order, passbook = await _served(order_id, session, clock)
    here, back = f"/redemption/orders/{order_id}/passbook", f"/redemption/counters/{order.counter_id}"
    return await paper_pages.paper_page(request, passbook, here=here, back=back)


@post("/redemption/orders/{order_id:int}/passbook/printed", guards=SERVES)
async def printed(
    request: paper_pages.AnyRequest,
    order_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Redirect:
    _order, passbook = await _served(order_id, session, clock)
    await paper_pages.note_printed(request, session, passbook)
    return Redirect(f"/redemption/orders/{order_id}/passbook", status_code=303)


@post("/redemption/orders/{order_id:int}/passbook/renew", guards=SERVES)
async def renew(
    request: paper_pages.AnyRequest,
    order_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Redirect:
    _order, passbook = await _served(order_id, session, clock)
    await paper_pages.renew_book(request, session, passbook)
    return Redirect(f"/redemption/orders/{order_id}/passbook", status_code=303)


handlers: list[Any] = [paper, printed, renew]
