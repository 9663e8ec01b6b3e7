"""All routes of this room. `/events` and `/events/{id}` are one page for residents and another for staff."""

from typing import Any

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.events import (
    routes_api,
    routes_confirm,
    routes_late,
    routes_print,
    routes_resident,
    routes_roster,
    routes_staff,
)
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Forbidden
from pointsbank.people.access import Permission, Session, needs
from pointsbank.web.handlers import get


@get("/events", guards=[needs()])
async def event_list(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    if session.kind == "resident":
        return await routes_resident.list_page(session, clock.now())
    _check_staff(session)
    return await routes_staff.desk_page(session, clock.now())


@get("/events/{activity_id:int}", guards=[needs()])
async def event(
    activity_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    if session.kind == "resident":
        return await routes_resident.detail_page(session, activity_id, clock.now())
    _check_staff(session)
    return await routes_staff.manage_page(session, activity_id, clock.now())


def _check_staff(session: Session) -> None:
    if not session.may(Permission.CHECK_IN_OTHERS):
        raise Forbidden


handlers: list[Any] = [
    event_list,
    event,
    *routes_resident.handlers,
    *routes_staff.handlers,
    *routes_print.handlers,
    *routes_roster.handlers,
    *routes_confirm.handlers,
    *routes_late.handlers,
    *routes_api.handlers,
]
