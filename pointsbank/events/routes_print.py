"""What an organiser prints: the poster, and the sheet to sign where there is no phone and no net."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.events import queries
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.queries import Activity
from pointsbank.events.routes_pieces import AnyRequest
from pointsbank.kit.clock import Clock
from pointsbank.kit.settings import Settings
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries import MemberView
from pointsbank.web.handlers import get
from pointsbank.web.render import page

RUNS = [needs(Permission.RUN_EVENTS)]
POSTER_BOX = 12
SHEET_ROWS, SHEETS_MAX = 14, 20
SPARE_ROWS = 5  # somebody always comes who was not expected
REGULARS_SINCE = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row to sign; of somebody known it says who, and since when they are here."""

    number: int
    who: MemberView | None = None
    in_at: datetime | None = None
    out_at: datetime | None = None


@get("/events/{activity_id:int}/poster", guards=RUNS)
async def poster(request: AnyRequest, activity_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    found = await pieces.own_activity(activity_id, session)
    community = await people.community(found.community_id)
    is_a3 = request.query_params.get("size") == "a3"
    return page("events/poster.html", activity=await pieces.shown(found), community=community, is_a3=is_a3)


@get("/events/{activity_id:int}/poster.png", guards=RUNS)
async def poster_code(
    activity_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    found = await pieces.own_activity(activity_id, session)
    return pieces.png(f"{browser.public_base(request, settings)}/p/{found.poster_token}", level="Q", box=POSTER_BOX)


@get("/events/{activity_id:int}/sheet", guards=RUNS)
async def sign_in_sheet(
    request: AnyRequest,
    activity_id: FromPath[int],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[str]:
    """A4 across: who is here already, with `regulars` those who came to the same kind of thing before, empty rows."""
    found = await pieces.own_activity(activity_id, session)
    community = await people.community(found.community_id)
    organiser = (await people.masked_names([found.organiser_id])).get(found.organiser_id, "")
    with_regulars = "regulars" in request.query_params
    known = await _known(found, session, clock.now(), with_regulars=with_regulars)
    wanted = max(len(known) + SPARE_ROWS, min(found.seats or 0, SHEET_ROWS * SHEETS_MAX))
    count = min(-(-wanted // SHEET_ROWS), SHEETS_MAX) * SHEET_ROWS
    rows = [*known, *(SheetRow(number + 1) for number in range(len(known), count))]
    return page(
        "events/sign_in_sheet.html",
        activity=await pieces.shown(found),
        community=community,
        organiser=organiser,
        sheets=[rows[start : start + SHEET_ROWS] for start in range(0, len(rows), SHEET_ROWS)],
        with_regulars=with_regulars,
    )


async def _known(activity: Activity, session: Session, now: datetime, *, with_regulars: bool) -> list[SheetRow]:
    here = [one for one in await queries.lines(activity.id) if one.state != "struck"]
    times = {one.person_id: (one.in_at, one.out_at) for one in here}
    ids = [one.person_id for one in here]
    if with_regulars:
        ids += await queries.regulars(activity, now - REGULARS_SINCE)
    rows: dict[int, SheetRow] = {}
    for person_id in ids[: SHEET_ROWS * SHEETS_MAX - SPARE_ROWS]:
        who = await people.member_view(session.community_ids, person_id)
        rows.setdefault(who.person_id, SheetRow(len(rows) + 1, who, *times.get(person_id, (None, None))))
    return list(rows.values())


handlers: list[Any] = [poster, poster_code, sign_in_sheet]
