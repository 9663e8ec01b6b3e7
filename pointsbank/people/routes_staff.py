"""Staff of a community: who has which role, new sign-ins, one-time passwords."""

from typing import Annotated

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db.command import RequestKeyUnfit
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.people import actions_second, actions_sessions, actions_staff, passwords, queries
from pointsbank.people import queries_staff as staff
from pointsbank.people.access import ROLE_NAMES, Permission, Role, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.people.history import shown_history
from pointsbank.people.routes_roster import own_community
from pointsbank.people.rules import LOGIN_LENGTH_MAX, LoginTaken, OtherRoles, OwnRoles, normal_login
from pointsbank.people.rules_roles import GRANTED_AT
from pointsbank.people.rules_staff import UNUSED, may_be_together
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _
from pointsbank.web.render import page

MANAGES = [needs(Permission.MANAGE_STAFF)]
LOCAL_ROLES = [role for role, kinds in GRANTED_AT.items() if "community" in kinds]


class RoleForm(msgspec.Struct):
    request_key: str
    role: Annotated[Role, Meta(title="岗位")]


class RequireForm(msgspec.Struct):
    request_key: str
    required: bool = False


class LoginForm(msgspec.Struct):
    login: Annotated[str, Meta(title="登录名", min_length=2, max_length=LOGIN_LENGTH_MAX)]


@get("/people/staff", guards=MANAGES)
async def staff_page(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    members = await staff.staff_of([own_community(session)], clock.now())
    return page(
        "people/staff.html",
        members=members,
        unused=[one for one in members if one.is_unused],
        unused_days=UNUSED.days,
        required=await staff.requires_second_step(own_community(session)),
        role_names=_role_names(),
        own_id=session.person_id,
    )


@post("/people/staff/second-step", guards=MANAGES)
async def require_second_step(request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    form = await forms.read(request, RequireForm)
    if not form.is_valid:
        raise RequestKeyUnfit
    await db.write(
        actions_second.require,
        actor=session.actor,
        request_key=form.value.request_key,
        community_id=own_community(session),
        required=form.value.required,
    )
    return to("/people/staff")


def _role_names() -> dict[str, str]:
    return {role.value: _(said) for role, said in ROLE_NAMES.items()}


@get("/people/staff/{person_id:int}", guards=MANAGES)
async def one_page(
    person_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    return await _one_page(session, clock, person_id, forms.blank())


async def _one_page(
    session: Session,
    clock: Clock,
    person_id: int,
    form: forms.Filled[RoleForm] | forms.Filled[LoginForm],
    status: int = 200,
) -> Response[str]:
    view = await queries.member_view(session.community_ids, person_id)
    known = await staff.own_login(view.person_id)
    grants = await staff.grants_of(view.person_id)
    own = own_community(session)
    held = frozenset(grant.role for grant in grants if grant.place_id == own)
    is_own = view.person_id == session.person_id
    # Whoever works elsewhere too may be one who oversees us: when he is signed in is not for us to see.
    is_ours = not is_own and all(grant.place_id == own for grant in grants)
    return page(
        "people/staff_one.html",
        status=status,
        member=view,
        login=known[0] if known else "",
        is_disabled=await staff.is_disabled(view.person_id),
        grants=grants,
        own_place=own,
        is_own=is_own,
        is_ours=is_ours,
        sessions=await staff.open_sessions(view.person_id, clock.now()) if is_ours else [],
        has_second_step=await staff.has_second_step(view.person_id),
        history=await shown_history(view.person_id) if is_ours else [],
        role_names=_role_names(),
        options=[
            (role.value, _(ROLE_NAMES[role]))
            for role in LOCAL_ROLES
            if role not in held and may_be_together(role, held)
        ],
        form=form,
    )


@post("/people/staff/{person_id:int}/roles", guards=MANAGES)
async def grant_role(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    """Give somebody of the roster a role here."""
    form = await forms.read(request, RoleForm)
    view = await queries.member_view(session.community_ids, person_id)
    try:
        if form.is_valid:
            await db.write(
                actions_staff.grant,
                actor=session.actor,
                request_key=form.value.request_key,
                person_id=view.person_id,
                role=form.value.role.value,
                place_id=own_community(session),
            )
            return to(f"/people/staff/{view.person_id}")
    except Refusal as refusal:
        form.refuse("role", refusal)
    return await _one_page(session, clock, person_id, form, 400)


@post("/people/staff/grants/{grant_id:int}/end", guards=MANAGES)
async def end_role(grant_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    if await staff.place_of_grant(grant_id) != own_community(session):
        raise NotFound
    await db.write(actions_staff.end_grant, actor=session.actor, request_key=request_key, grant_id=grant_id)
    return to("/people/staff")


async def _manageable(session: Session, person_id: int) -> int:
    """Somebody of this roster whose every role is here; the sign-in of others is not a local matter."""
    view = await queries.member_view(session.community_ids, person_id)
    if view.person_id == session.person_id:
        raise OwnRoles
    if any(grant.place_id != own_community(session) for grant in await staff.grants_of(view.person_id)):
        raise OtherRoles
    return view.person_id


@post("/people/staff/{person_id:int}/login", guards=MANAGES)
async def new_login(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """A sign-in for somebody of the roster, with a password that is shown this once."""
    form = await forms.read(request, LoginForm)
    if not form.is_valid:
        return await _one_page(session, clock, person_id, form, 400)
    manageable = await _manageable(session, person_id)
    one_time = passwords.new_one_time()
    try:
        await db.write(
            actions_staff.make_login,
            actor=session.actor,
            person_id=manageable,
            login=normal_login(form.value.login),
            password_hash=await passwords.hashed(one_time),
            must_change=True,
        )
    except LoginTaken as refusal:
        form.refuse("login", refusal)
        return await _one_page(session, clock, person_id, form, refusal.kind.status)
    return await _password_once(session, manageable, one_time)


@post("/people/staff/{person_id:int}/reset", guards=MANAGES)
async def reset(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    """Another password for somebody who forgot, for one use; also opens a login that was shut.

    Its key is not kept: each answer shows a fresh password, and the last one counts.
    """
    await key_of(request)
    manageable = await _manageable(session, person_id)
    one_time = passwords.new_one_time()
    hashed = await passwords.hashed(one_time)
    await db.write(actions_staff.reset_password, actor=session.actor, person_id=manageable, password_hash=hashed)
    return await _password_once(session, manageable, one_time)


async def _password_once(session: Session, person_id: int, one_time: str) -> Response[str]:
    view = await queries.member_view(session.community_ids, person_id)
    known = await staff.own_login(person_id)
    assert known is not None
    return page("people/staff_password.html", member=view, login=known[0], one_time=one_time)


@post("/people/staff/{person_id:int}/disable", guards=MANAGES)
async def disable(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    manageable = await _manageable(session, person_id)
    await db.write(actions_staff.disable_login, actor=session.actor, request_key=request_key, person_id=manageable)
    return to(f"/people/staff/{manageable}")


@post("/people/staff/{person_id:int}/leave", guards=MANAGES)
async def leave(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """Somebody goes: all roles end, the login is shut."""
    request_key = await key_of(request)
    manageable = await _manageable(session, person_id)
    await db.write(actions_staff.end_work, actor=session.actor, request_key=request_key, person_id=manageable)
    return to("/people/staff")


@post("/people/staff/{person_id:int}/second-step/off", guards=MANAGES)
async def take_second_step_off(
    person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Redirect:
    """For a colleague whose phone is gone."""
    request_key = await key_of(request)
    manageable = await _manageable(session, person_id)
    await db.write(actions_second.take_off, actor=session.actor, request_key=request_key, person_id=manageable)
    return to(f"/people/staff/{manageable}")


@post("/people/staff/{person_id:int}/sessions/end", guards=MANAGES)
async def end_sessions(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    manageable = await _manageable(session, person_id)
    await db.write(actions_sessions.end_everywhere, actor=session.actor, request_key=request_key, person_id=manageable)
    return to(f"/people/staff/{manageable}")


@post("/people/staff/{person_id:int}/sessions/{session_id:int}/end", guards=MANAGES)
async def end_session(
    person_id: FromPath[int], session_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Redirect:
    request_key = await key_of(request)
    manageable = await _manageable(session, person_id)
    which = {"session_id": session_id, "person_id": manageable}
    await db.write(actions_sessions.end_one, actor=session.actor, request_key=request_key, **which)
    return to(f"/people/staff/{manageable}")


handlers = [
    staff_page,
    require_second_step,
    one_page,
    grant_role,
    end_role,
    new_login,
    reset,
    disable,
    leave,
    take_second_step_off,
    end_sessions,
    end_session,
]
