"""Printing one card, with its slip on the same paper. The codes stand in the answer itself: nothing else shows them."""

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.settings import Settings
from pointsbank.people import actions, browser, queries, queries_paper
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of
from pointsbank.web.handlers import post
from pointsbank.web.render import page


@post("/people/{person_id:int}/card/print", guards=[needs(Permission.REGISTER_PEOPLE)])
async def print_card(
    person_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    settings: NamedDependency[Settings],
    clock: NamedDependency[Clock],
) -> Response[str]:
    """A POST, because it is recorded who printed; shown at once, because nobody should come back to it."""
    await key_of(request)
    view = await queries.member_view(session.community_ids, person_id)
    base = browser.public_base(request, settings)
    card, slip = await queries_paper.one_card(view.person_id, base, clock.now())
    await db.write(actions.note_printed, actor=session.actor, person_id=view.person_id, card_id=card.card_id)
    return page(
        "people/print_card.html",
        card=card,
        slip=slip,
        back_url=f"/people/{view.person_id}",
        kind="member",
        community=await queries.community(view.community_id),
        address=base,
    )


handlers = [print_card]
