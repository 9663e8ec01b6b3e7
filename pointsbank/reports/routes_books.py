"""What is in passbooks and what that is worth, on any day."""

from datetime import date, timedelta
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency

from pointsbank.kit.clock import Clock, local_day, start_of_day
from pointsbank.ledger import queries_budgets as books
from pointsbank.ledger.queries_budgets import Liability
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people.access import Permission, Session, needs
from pointsbank.reports import queries
from pointsbank.stock.rules import yuan_of
from pointsbank.web.handlers import get
from pointsbank.web.render import page

MONTHS_SHOWN = 6
FIRST_DAY = date(2000, 1, 1)


class LiabilityLine(msgspec.Struct, frozen=True):
    """`rate` and `yuan` are empty where nobody had said what points are worth."""

    name: str
    day: date
    of: Denomination
    points: int
    rate: str
    yuan: str


def _line(name: str, day: date, found: Liability) -> LiabilityLine:
    rate = "" if found.rate is None else yuan_of(found.rate)
    return LiabilityLine(
        name, day, found.of, found.points, rate, "" if found.cents is None else yuan_of(found.cents)
    )  # fmt: skip


async def _at_end_of(community_id: int, day: date) -> list[Liability]:
    return await books.liabilities_at(community_id, start_of_day(day + timedelta(days=1)), day)


def asked_day(request: Request[Any, Any, Any], today: date) -> date:
    """The day in the address, where it is one that has been; else today."""
    try:
        day = date.fromisoformat(request.query_params.get("on", ""))
    except ValueError:
        return today
    return day if FIRST_DAY <= day <= today else today


@get("/overview/liability", guards=[needs(Permission.SEE_BOOKS)])
async def liability(
    request: Request[Any, Any, Any], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """Points outstanding at the end of a day, and at the ends of the months before it."""
    today = local_day(clock.now())
    day = asked_day(request, today)
    places = [(one, (await queries.community(one)).name) for one in session.community_ids]
    owed = [(name, found) for one, name in places for found in await _at_end_of(one, day)]
    cents = books.cents_of([found for _, found in owed])
    ends = [first - timedelta(days=1) for first in reversed(queries.last_months(day, MONTHS_SHOWN))]
    before = [_line(name, end, found) for one, name in places for end in ends for found in await _at_end_of(one, end)]
    return page(
        "reports/liability.html",
        day=day,
        today=today,
        lines=[_line(name, day, found) for name, found in owed],
        before=before,
        has_many=len(places) > 1,
        yuan="" if cents is None else yuan_of(cents),
    )


handlers: list[Any] = [liability]
