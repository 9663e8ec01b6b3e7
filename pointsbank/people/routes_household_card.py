"""A household's card, and the plate at its door: whoever scans that sees whose community it is, staff the household."""

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit import codes, db
from pointsbank.people import actions_household_cards, actions_print, queries, queries_paper, queries_print
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, session_of, to
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

REGISTERS = [needs(Permission.REGISTER_PEOPLE)]


@get("/people/households/{household_id:int}/card", guards=[needs(Permission.SEE_PEOPLE)])
async def card_page(household_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    found = await queries_print.household(session.community_ids, household_id)
    return page("people/household_card.html", home=found, may_register=session.may(Permission.REGISTER_PEOPLE))


@post("/people/households/{household_id:int}/card", guards=REGISTERS)
async def issue_card(household_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    return await _issue(household_id, request, session, is_lost=False)


@post("/people/households/{household_id:int}/card/replace-lost", guards=REGISTERS)
async def replace_lost(household_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    return await _issue(household_id, request, session, is_lost=True)


async def _issue(household_id: int, request: AnyRequest, session: Session, *, is_lost: bool) -> Redirect:
    request_key = await key_of(request)
    found = await queries_print.household(session.community_ids, household_id)
    await db.write(
        actions_household_cards.issue_household_card,
        actor=session.actor,
        request_key=request_key,
        household_id=found.id,
        is_lost=is_lost,
    )
    return to(f"/people/households/{found.id}/card")


@post("/people/households/{household_id:int}/card/lost", guards=REGISTERS)
async def report_lost(household_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    found = await queries_print.household(session.community_ids, household_id)
    await db.write(
        actions_household_cards.report_household_card_lost,
        actor=session.actor,
        request_key=request_key,
        household_id=found.id,
    )
    return to(f"/people/households/{found.id}/card")


@post("/people/households/{household_id:int}/card/print", guards=REGISTERS)
async def print_card(
    household_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str]:
    await key_of(request)
    found = await queries_print.household(session.community_ids, household_id)
    card = await queries_paper.one_household_card(found.id)
    await db.write(
        actions_print.note_household_card_printed, actor=session.actor, household_id=found.id, card_id=card.card_id
    )
    return page(
        "people/print_card.html",
        card=card,
        slip=None,
        back_url=f"/people/households/{found.id}/card",
        kind="household",
        community=await queries.community(found.community_id),
        address="",
    )


@get("/d/{token:str}", opt={"public": True})
async def plate(token: FromPath[str], request: AnyRequest) -> Response[str] | Redirect:
    found = await queries_print.plate(codes.poster_token(token) or "")
    session = session_of(request)
    if session is not None and session.may(Permission.SEE_PEOPLE) and found.community_id in session.community_ids:
        return to(f"/people/households/{found.household_id}")
    return page("people/plate.html", plate=found)


handlers = [card_page, issue_card, replace_lost, report_lost, print_card, plate]
