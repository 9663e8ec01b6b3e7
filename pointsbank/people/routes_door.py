"""Signing in and out, choosing a role, one's own password."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import crypto, db
from pointsbank.kit.clock import Clock
from pointsbank.kit.crypto import new_token, token_digest
from pointsbank.kit.db.command import RequestKeyUnfit
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.kit.settings import Settings
from pointsbank.people import (
    actions_own,
    actions_phones,
    actions_staff,
    attempts,
    browser,
    passwords,
    queries,
    queries_own,
    queries_phones,
)
from pointsbank.people import queries_staff as staff
from pointsbank.people.access import ALWAYS_OPEN, BEFORE_SECOND_STEP, ROLE_NAMES, Permission, Session, needs
from pointsbank.people.browser import AnyRequest, to
from pointsbank.people.history import shown_history
from pointsbank.people.routes_second import ask_code, signed_in_answer
from pointsbank.people.rules import LOGIN_LENGTH_MAX, OWN_PHONE, SignInFailed, normal_login
from pointsbank.web import cookies, forms
from pointsbank.web import kept as keeping
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _
from pointsbank.web.render import page

PASSWORD_LENGTH_MAX = 200
NOBODYS_ID = 0  # a wrong guess at an unknown login takes the same way through the writer
PUBLIC = {"public": True}


class SignInForm(msgspec.Struct):
    login: Annotated[str, Meta(title="登录名", max_length=LOGIN_LENGTH_MAX)]
    password: Annotated[str, Meta(title="密码", max_length=PASSWORD_LENGTH_MAX)]
    stay: bool = False
    next: str = ""


class RoleForm(msgspec.Struct):
    grant: Annotated[int, Meta(title="岗位")]


class PasswordForm(msgspec.Struct):
    old: Annotated[str, Meta(title="现在的密码", max_length=PASSWORD_LENGTH_MAX)]
    new: Annotated[str, Meta(title="新密码", max_length=PASSWORD_LENGTH_MAX)]
    again: Annotated[str, Meta(title="再输一次新密码", max_length=PASSWORD_LENGTH_MAX)]


class ConsentForm(msgspec.Struct):
    request_key: str
    publication: bool = False


@get("/sign-in", opt=PUBLIC, sync_to_thread=False)
def sign_in_page(request: AnyRequest) -> Response[str]:
    wanted = cookies.safe_next(request.query_params.get("next"), "")
    return page("people/sign_in.html", form=forms.blank(next=wanted), kept=None)


@post("/sign-in", opt=PUBLIC)
async def sign_in(
    request: AnyRequest, settings: NamedDependency[Settings], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, SignInForm)
    kept = keeping.carried(form)
    if not form.is_valid:
        return page("people/sign_in.html", status=400, form=form, kept=kept)
    token = new_token()
    try:
        facts, signed_in = await _signed_in(request, settings, form.value, token, clock)
    except Refusal as refusal:
        form.refuse("login", refusal)
        return page("people/sign_in.html", status=refusal.kind.status, form=form, kept=kept)
    if signed_in.needs_code:
        return ask_code(settings, facts, clock.now(), stay=form.value.stay, wanted=form.value.next, kept=kept)
    answer = signed_in_answer(signed_in, form.value.next, kept)
    browser.keep_staff(answer, settings, token, stays=form.value.stay)
    return answer


async def _signed_in(
    request: AnyRequest, settings: Settings, typed: SignInForm, token: str, clock: Clock
) -> tuple[staff.LoginFacts, actions_staff.SignedIn]:
    """Check the password, then sign in; wrong ones count against the login and the address."""
    address = browser.address_of(request)
    attempts.sign_ins.check(address, clock.now())
    facts = await staff.login_facts(normal_login(typed.login))
    if not await passwords.fits(facts.password_hash if facts else None, typed.password) or facts is None:
        await db.write(actions_staff.count_failure, person_id=facts.person_id if facts else NOBODYS_ID)
        attempts.sign_ins.count(address, clock.now())
        raise SignInFailed
    signed_in = await db.write(
        actions_staff.sign_in,
        person_id=facts.person_id,
        password_hash=facts.password_hash,
        token_digest=token_digest(token),
        left_digest=browser.session_digest(request, settings),
    )
    return facts, signed_in


@post("/sign-out", guards=[needs()], opt=ALWAYS_OPEN)
async def sign_out(session: NamedDependency[Session], settings: NamedDependency[Settings]) -> Redirect:
    """Leave this browser. A resident's phone becomes nobody's, and needs a new activation."""
    if session.device_id is not None:
        await db.write(
            actions_phones.leave_phone, actor=session.actor, session_id=session.id, device_id=session.device_id
        )
    else:
        await db.write(actions_phones.end_session, actor=session.actor, session_id=session.id)
    answer = to("/sign-in" if session.kind == "staff" else "/activate")
    browser.forget(answer, settings)
    return answer


@post("/me/sign-out-everywhere", guards=[needs(Permission.WORK)], opt=ALWAYS_OPEN)
async def sign_out_everywhere(session: NamedDependency[Session], settings: NamedDependency[Settings]) -> Redirect:
    await db.write(actions_phones.end_all_sessions, actor=session.actor, person_id=session.person_id)
    answer = to("/sign-in")
    browser.forget(answer, settings)
    return answer


def _staff_only(session: Session) -> None:
    if session.kind != "staff":
        raise NotFound


@get("/choose-role", guards=[needs()], opt={BEFORE_SECOND_STEP: True})
async def role_page(session: NamedDependency[Session]) -> Response[str]:
    _staff_only(session)
    return await _role_page(session, forms.blank(grant=session.grant_id))


async def _role_page(session: Session, form: forms.Filled[RoleForm], status: int = 200) -> Response[str]:
    grants = await staff.grants_of(session.person_id)
    options = [(grant.id, f"{_(ROLE_NAMES[grant.role])} · {grant.place_name}") for grant in grants]
    return page("people/choose_role.html", status=status, form=form, options=options)


@post("/choose-role", guards=[needs()], opt={BEFORE_SECOND_STEP: True})
async def choose_role(
    request: AnyRequest, session: NamedDependency[Session], settings: NamedDependency[Settings]
) -> Response[str] | Redirect:
    _staff_only(session)
    form = await forms.read(request, RoleForm)
    token = new_token()
    try:
        if not form.is_valid:
            return await _role_page(session, form, 400)
        await db.write(
            actions_staff.choose_role,
            actor=session.actor,
            session_id=session.id,
            person_id=session.person_id,
            grant_id=form.value.grant,
            token_digest=token_digest(token),
        )
    except Refusal as refusal:
        form.refuse("grant", refusal)
        return await _role_page(session, form, refusal.kind.status)
    answer = to("/")
    browser.keep_staff(answer, settings, token, stays=False)
    return answer


@get("/me", guards=[needs()])
async def me(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    if session.kind == "staff":
        return await _own_sign_in_page(session, clock)
    view = await queries.member_view(session.community_ids, session.person_id)
    publishes = await queries.publishes(session.person_id)
    phones = await queries_phones.phones_of(session.person_id)
    return page(
        "people/me.html",
        member=view,
        publishes=publishes,
        tags=await queries_own.tags_of(session.person_id),
        phones=phones,
        own_device=session.device_id,
        **await told_of_work(session.person_id),
    )


async def told_of_work(person_id: int, *, since: datetime | None = None) -> dict[str, Any]:
    """For a resident's own pages: which roles somebody gave in this name, and a password, of late or at all."""
    reset = await staff.last_reset(person_id)
    given = [one for one in await staff.appointments_of(person_id) if since is None or one.at > since]
    return {
        "appointments": [(one, _(ROLE_NAMES[one.role])) for one in given],
        "password_reset": None if reset is None or (since is not None and reset.at <= since) else reset,
    }


async def _own_sign_in_page(session: Session, clock: Clock) -> Response[str]:
    grants = await staff.grants_of(session.person_id)
    return page(
        "people/me_staff.html",
        grants=len(grants),
        sessions=await staff.open_sessions(session.person_id, clock.now()),
        own_id=session.id,
        has_second_step=await staff.has_second_step(session.person_id),
        history=await shown_history(session.person_id),
        role_names={role.value: _(said) for role, said in ROLE_NAMES.items()},
    )


@post("/me/consent", guards=[needs(Permission.OWN)])
async def change_consent(request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    form = await forms.read(request, ConsentForm)
    if not form.is_valid:
        raise RequestKeyUnfit
    await db.write(
        actions_own.change_publication_consent,
        actor=session.actor,
        request_key=form.value.request_key,
        person_id=session.person_id,
        given=form.value.publication,
        how=OWN_PHONE,
    )
    return to("/me#publication")


@get("/me/password", guards=[needs()], opt=ALWAYS_OPEN)
async def password_page(session: NamedDependency[Session]) -> Response[str]:
    _staff_only(session)
    return await _password_page(session, forms.blank())


async def _password_page(session: Session, form: forms.Filled[PasswordForm], status: int = 200) -> Response[str]:
    reset = await staff.last_reset(session.person_id) if session.must_change else None
    return page("people/password.html", status=status, form=form, must_change=session.must_change, reset=reset)


@post("/me/password", guards=[needs()], opt=ALWAYS_OPEN)
async def change_password(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    _staff_only(session)
    form = await forms.read(request, PasswordForm)
    known = await staff.own_login(session.person_id)
    if known is None:
        raise NotFound
    if form.is_valid:
        await _check_passwords(form, *known, session, clock)
    if not form.is_valid:
        return await _password_page(session, form, 400)
    hashed = await passwords.hashed(form.value.new)
    await db.write(
        actions_staff.change_password,
        actor=session.actor,
        person_id=session.person_id,
        password_hash=hashed,
        session_id=session.id,
    )
    if session.must_enrol:
        return to("/me/second-step")
    return to("/me" if session.role is not None else "/choose-role")


async def _check_passwords(
    form: forms.Filled[PasswordForm], login: str, password_hash: str, session: Session, clock: Clock
) -> None:
    typed = form.value
    attempts.own_passwords.check(session.person_id, clock.now())
    if typed.new != typed.again:
        form.refuse("again", _("两次输入的新密码不一样，请再输一次"))
    elif crypto.weak_password(typed.new, login) or typed.new == typed.old:
        form.refuse("new", _("新密码太简单：至少 8 位，不能和登录名或旧密码相同，也不能是连号"))
    elif not await passwords.fits(password_hash, typed.old):
        attempts.own_passwords.count(session.person_id, clock.now())
        form.refuse("old", _("现在的密码不对"))


handlers = [
    sign_in_page,
    sign_in,
    sign_out,
    sign_out_everywhere,
    role_page,
    choose_role,
    me,
    change_consent,
    password_page,
    change_password,
]
