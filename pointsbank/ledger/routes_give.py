"""A resident gives points of one's own: to a housemate, or to the community's pot."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import actions_vouchers as actions
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.routes_statement import own_books_of
from pointsbank.ledger.routes_vouchers import amount_typed
from pointsbank.ledger.rules import MAIN
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
OWN = [needs(Permission.OWN)]
POT = "pot"


class GiveForm(msgspec.Struct):
    """`to` is a housemate, or the pot."""

    request_key: str
    to: Annotated[str, Meta(title=N_("给谁"))]
    points: Annotated[str, Meta(title=N_("分数"), max_length=12)]
    kind: Annotated[str, Meta(max_length=20)] = MAIN


async def own_book(session: Session, kind: str) -> flows.Book | None:
    for one in await own_books_of(await people.holder_of(None, session.person_id)):
        if one.code == kind:
            return await flows.book(None, one.passbook_id)
    return None


async def _takers(session: Session, book: flows.Book | None) -> list[tuple[str, str]]:
    """To whom this passbook's points may go from the phone."""
    if book is None:
        return []
    takers = []
    holder = await people.holder_of(None, session.person_id)
    if book.transferable and book.person_id is not None and holder.household_id is not None:
        mates = [one for one in await people.household_members(None, holder.household_id) if one != holder.person_id]
        names = await people.masked_names(mates)
        takers = [(str(one), names[one]) for one in mates]
    if book.donatable:
        takers.append((POT, _("社区积分池（帮助有困难的邻居）")))
    return takers


async def may_give(session: Session, kind: str) -> bool:
    """Whether there is anybody to give to: the passbook's page has a way there."""
    return bool(await _takers(session, await own_book(session, kind)))


@get("/ledger/give", guards=OWN)
async def give_page(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    return await _page(session, clock, forms.blank(), request.query_params.get("kind", MAIN))


async def _page(session: Session, clock: Clock, form: Filled[Any], kind: str) -> Response[str]:
    book = await own_book(session, kind)
    return page(
        "ledger/give.html",
        status=200 if form.is_valid else 400,
        book=book,
        takers=await _takers(session, book),
        giveable=0 if book is None else await flows.giveable(None, book, local_day(clock.now())),
        kind=kind,
        form=form,
    )


@post("/ledger/give", guards=OWN)
async def give(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, GiveForm)
    book = await own_book(session, form.value.kind) if form.is_valid else None
    points = amount_typed(form, book) if book is not None else 0
    if form.is_valid and form.value.to != POT and forms.number(form.value.to) is None:
        form.refuse("to", N_("请选择给谁"))
    if form.is_valid:
        asked = form.value
        try:
            entry_id = await db.write(
                actions.give_own,
                actor=session.actor,
                request_key=asked.request_key,
                to_person=None if asked.to == POT else forms.number(asked.to),
                points=points,
                kind=asked.kind,
            )
            return Redirect(f"/ledger/entries/{entry_id}", status_code=303)
        except Refusal as refusal:
            form.refuse("points", refusal)
    return await _page(session, clock, form, form.typed.get("kind") or MAIN)


handlers: list[Any] = [give_page, give]
