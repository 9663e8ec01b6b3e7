"""Awards taken back from the desk: asked for on the page of their entry, agreed to on the page of the voucher."""

from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.awards import actions_back as actions
from pointsbank.kit.clock import Clock
from pointsbank.ledger import routes_book, routes_vouchers
from pointsbank.ledger.routes_vouchers import MOVES, GiveForm
from pointsbank.people.access import Session
from pointsbank.web.handlers import post

AnyRequest = Request[Any, Any, Any]


@post("/awards/passbooks/{passbook_id:int}/entries/{entry_id:int}/reverse", guards=MOVES)
async def reverse(
    passbook_id: FromPath[int],
    entry_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str] | Redirect:
    return await routes_book.take_back(
        request, session, clock, passbook_id=passbook_id, entry_id=entry_id, action=actions.take_back
    )


@post("/awards/vouchers/{voucher_id:int}/give", guards=MOVES)
async def give(
    voucher_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    return await routes_vouchers.act(request, session, voucher_id, GiveForm, actions.agree)


handlers: list[Any] = [reverse, give]
