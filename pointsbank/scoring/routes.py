"""The scoring table as everybody may read it."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency

from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import (
    queries,
    routes_compared,
    routes_editor,
    routes_item,
    routes_life,
    routes_settings,
    routes_sheet,
    routes_templates,
    routes_told,
    rules,
)
from pointsbank.scoring.queries import Version
from pointsbank.scoring.routes_life import PRIVATE
from pointsbank.scoring.routes_pieces import VersionChip, chip_of, grouped, rules_told, writing
from pointsbank.scoring.rules_life import UNDER_WAY
from pointsbank.web import forms
from pointsbank.web.handlers import get
from pointsbank.web.i18n import N_, _
from pointsbank.web.render import page


class CommunityTable(msgspec.Struct, frozen=True):
    name: str
    url: str


def community_asked(request: Request[Any, Any, Any], session: Session) -> int | None:
    """Return the community whose table is meant: one's own, or for whoever sees several the one in the address."""
    if session.community_id is not None:
        return session.community_id
    asked = forms.number(request.query_params.get("community", ""))
    if asked is not None and asked not in session.community_ids:
        raise NotFound
    return asked


@get("/scoring", guards=[needs()])
async def table(
    request: Request[Any, Any, Any], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """The table in force; residents read it in their own frame."""
    community_id = community_asked(request, session)
    if community_id is None:
        known = [await people.community(one) for one in session.community_ids]
        tables = [CommunityTable(one.name, f"/scoring?community={one.id}") for one in known]
        return page("scoring/communities.html", tables=tables)
    found = await queries.current(community_id, local_day(clock.now()))
    return await shown(session, community_id, found)


async def shown(session: Session, community_id: int, found: Version | None) -> Response[str]:
    """A version that is no draft; a draft is shown by `reports`, which has its trial run to put beside it."""
    may_edit = session.may(Permission.EDIT_SCORING)
    history = await queries.versions(community_id) if session.kind != "resident" else []
    versions = [VersionChip(line, *chip_of(line.state)) for line in history if line.state not in PRIVATE or may_edit]
    book_kinds = await kinds.denominations(None, community_id)
    return page(
        "scoring/table.html",
        frame="phone.html" if session.kind == "resident" else "desk.html",
        version=found,
        groups=grouped(found.table, book_kinds) if found else [],
        rules_shown=_rules_shown(found.table, book_kinds) if found else [],
        versions=versions,
        under_way=next((line for line in history if line.state in UNDER_WAY), None),
        waiting=next((line for line in history if line.state == "scheduled"), None),
        may_see_life=session.may(Permission.SEE_SCORING),
        may_edit=may_edit,
        state_chip=chip_of(found.state) if found else ("", ""),
    )


def _rules_shown(known: rules.Table, book_kinds: dict[str, Denomination]) -> list[tuple[str, str]]:
    """What holds for the table as a whole, as pairs of label and words."""
    pairs = [
        (N_("来源"), f"{known.place}《{known.document}》"),
        (N_("有效期"), rules.shown(known.validity, _)),
        (N_("合计上限"), rules.shown(known.caps, _, writing(book_kinds))),
        (N_("公示天数"), rules.shown(known.notice_days)),
        *rules_told(known, book_kinds),
    ]
    return [(label, words) for label, words in pairs if words]


handlers: list[Any] = [
    table,
    *routes_editor.handlers,
    *routes_item.handlers,
    *routes_settings.handlers,
    *routes_sheet.handlers,
    *routes_life.handlers,
    *routes_told.handlers,
    *routes_compared.handlers,
    *routes_templates.handlers,
]
