"""Printing a card and its activation slip: the only pages that hold live secrets of somebody else."""

from datetime import datetime, timedelta

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit import db, qr
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import NotFound
from pointsbank.kit.settings import Settings
from pointsbank.people import actions, browser, queries
from pointsbank.people import queries_roster as details
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of
from pointsbank.trail import queries as trail
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

NO_STORE = {"Cache-Control": "no-store"}
PICTURES_LIFE = timedelta(minutes=10)
REGISTERS = [needs(Permission.REGISTER_PEOPLE)]


def _png(content: bytes) -> Response[bytes]:
    return Response(content, media_type="image/png", headers=NO_STORE)


@post("/people/{person_id:int}/card/print", guards=REGISTERS)
async def print_card(
    person_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    settings: NamedDependency[Settings],
    clock: NamedDependency[Clock],
) -> Response[str]:
    """A POST, because it is recorded who printed; shown at once, because nobody should come back to it."""
    await key_of(request)
    card = await details.printed_card(session.community_ids, person_id)
    person = await details.person_page(session.community_ids, person_id, clock.now())
    view = person.view
    await db.write(actions.note_printed, actor=session.actor, person_id=view.person_id, card_id=card.card_id)
    community = await queries.community(view.community_id)
    return page(
        "people/print_card.html",
        card=card,
        person_id=view.person_id,
        community=community,
        slip_good=any(one.slip_good for one in person.cards),
        code=_grouped(card.card_code),
        typed=_grouped(card.activation_digits),
        address=browser.public_base(request, settings),
    )


async def _printed(session: Session, person_id: int, now: datetime) -> details.Printed:
    """The card that this reader has just printed: without a record of it there is no picture."""
    card = await details.printed_card(session.community_ids, person_id)
    for record in await trail.history(("person", await queries.canonical_id(None, person_id))):
        is_own = record.verb == "card.printed" and record.person_id == session.person_id
        if is_own and record.facts["card_id"] == card.card_id and now - record.at < PICTURES_LIFE:
            return card
    raise NotFound


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


@get("/people/{person_id:int}/card/qr.png", guards=REGISTERS)
async def card_qr(
    person_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[bytes]:
    card = await _printed(session, person_id, clock.now())
    return _png(qr.qr_png(card.card_code, level="Q", box=8))


@get("/people/{person_id:int}/card/bar.png", guards=REGISTERS)
async def card_bar(
    person_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[bytes]:
    card = await _printed(session, person_id, clock.now())
    return _png(qr.code128_png(card.card_code))


@get("/people/{person_id:int}/card/slip.png", guards=REGISTERS)
async def slip_qr(
    person_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    settings: NamedDependency[Settings],
    clock: NamedDependency[Clock],
) -> Response[bytes]:
    card = await _printed(session, person_id, clock.now())
    address = f"{browser.public_base(request, settings)}/a/{card.activation_token}"
    return _png(qr.qr_png(address, level="M", box=8))


handlers = [print_card, card_qr, card_bar, slip_qr]
