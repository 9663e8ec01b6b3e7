"""Open sessions and bound phones: each can be ended alone, by whom it belongs to and by staff who may."""

from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit import db
from pointsbank.people import actions_sessions, queries
from pointsbank.people.access import ALWAYS_OPEN, Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.web.handlers import post


@post("/me/sessions/{session_id:int}/end", guards=[needs(Permission.WORK)], opt=ALWAYS_OPEN)
async def end_own(session_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    which = {"session_id": session_id, "person_id": session.person_id}
    await db.write(actions_sessions.end_one, actor=session.actor, request_key=request_key, **which)
    return to("/me")


@post("/me/phones/{device_id:int}/leave", guards=[needs(Permission.OWN)])
async def leave_own_phone(device_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """A phone that was given away or lost; the one in hand signs out by its own button."""
    request_key = await key_of(request)
    which = {"device_id": device_id, "person_id": session.person_id}
    await db.write(actions_sessions.let_go, actor=session.actor, request_key=request_key, **which)
    return to("/me")


@post("/people/{person_id:int}/phones/{device_id:int}/unbind", guards=[needs(Permission.REGISTER_PEOPLE)])
async def unbind_phone(
    person_id: FromPath[int], device_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Redirect:
    request_key = await key_of(request)
    view = await queries.member_view(session.community_ids, person_id)
    which = {"device_id": device_id, "person_id": view.person_id}
    await db.write(actions_sessions.let_go, actor=session.actor, request_key=request_key, **which)
    return to(f"/people/{view.person_id}")


handlers = [end_own, leave_own_phone, unbind_phone]
