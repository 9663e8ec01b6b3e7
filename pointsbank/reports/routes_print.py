"""Paper on which two rooms meet: a public notice bears the head of the ledger's chain."""

from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.ledger import queries_seal
from pointsbank.notices import queries
from pointsbank.notices.rules import About, sheets
from pointsbank.people import queries as people
from pointsbank.people.access import Session, needs
from pointsbank.web.handlers import get
from pointsbank.web.render import page


@get("/notices/{notice_id:int}/print", guards=[needs()])
async def notice_paper(notice_id: FromPath[int], session: NamedDependency[Session]) -> Response[str] | Redirect:
    """Whoever keeps the sheet keeps the head: books that were written anew afterwards no longer lead to it."""
    found = await queries.notice(session.community_ids, notice_id)
    if found.about != About.AWARDS:
        return Redirect(found.url, status_code=303)
    return page(
        "notices/print.html",
        notice=found,
        community=await people.community(found.community_id),
        sheets=sheets(await queries.all_lines(notice_id)),
        days=(found.last_day - found.first_day).days + 1,
        head=await queries_seal.head(found.community_id),
    )


handlers: list[Any] = [notice_paper]
