"""Signing in's second page, and one's own second step."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import crypto, db, qr, totp
from pointsbank.kit.clock import Clock
from pointsbank.kit.crypto import Unreadable, new_token, token_digest
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.kit.settings import Settings
from pointsbank.kit.text import normal_digits
from pointsbank.people import actions_second, attempts, browser, passwords, sealed
from pointsbank.people import queries_staff as staff
from pointsbank.people.access import BEFORE_SECOND_STEP, Permission, Session, needs
from pointsbank.people.actions_staff import SignedIn
from pointsbank.people.browser import AnyRequest, to
from pointsbank.people.rules_staff import TICKET_LIFE, TicketExpired, WrongCode
from pointsbank.web import cookies, current, forms
from pointsbank.web import kept as keeping
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _
from pointsbank.web.kept import Kept
from pointsbank.web.render import page

PUBLIC = {"public": True}
OWN = {BEFORE_SECOND_STEP: True}
ISSUER = "积分银行"
PASSWORD_LENGTH_MAX = 200
TICKET_AAD = "sign-in/1"
NO_STORE = {"Cache-Control": "no-store"}


class Ticket(msgspec.Struct):
    """That somebody knew a password; it opens nothing but the page that asks for the code."""

    person_id: int
    password: str  # a fingerprint of the hash: a changed password makes the ticket void
    stay: bool
    next: str
    until: datetime


class CodeForm(msgspec.Struct):
    code: Annotated[str, Meta(title="验证码", max_length=20)]


class BeginForm(msgspec.Struct):
    password: Annotated[str, Meta(title="现在的密码", max_length=PASSWORD_LENGTH_MAX)]


# Signing in


def _key() -> bytes:
    return crypto.held().derive("sign-in-ticket/1")


def _fingerprint(password_hash: str) -> str:
    return crypto.mac(_key(), password_hash.encode()).hex()


def _ticket_name(settings: Settings) -> str:
    return cookies.cookie_name("ticket", https=browser.is_https(settings))


def ask_code(
    settings: Settings, facts: staff.LoginFacts, now: datetime, *, stay: bool, wanted: str, kept: Kept | None
) -> Response[str] | Redirect:
    """After the password: the page that asks for the code, and a ticket for the browser that may fill it in."""
    ticket = Ticket(facts.person_id, _fingerprint(facts.password_hash), stay, wanted, now + TICKET_LIFE)
    answer = to("/sign-in/code") if kept is None else _code_page(forms.blank(), kept)
    sealed_ticket = crypto.seal(_key(), msgspec.json.encode(ticket).decode(), TICKET_AAD).hex()
    https, seconds = browser.is_https(settings), int(TICKET_LIFE.total_seconds())
    cookies.set_cookie(answer, _ticket_name(settings), sealed_ticket, https=https, max_age=seconds)
    return answer


def _ticket(request: AnyRequest, settings: Settings, now: datetime) -> Ticket | None:
    text = current.cookie(current.scope_of(request), _ticket_name(settings))
    try:
        found = msgspec.json.decode(crypto.unseal(_key(), bytes.fromhex(text), TICKET_AAD), type=Ticket)
    except (ValueError, Unreadable):
        return None
    return found if found.until > now else None


def _code_page(form: forms.Filled[CodeForm], kept: Kept | None = None, status: int = 200) -> Response[str]:
    form.typed.pop("code", None)
    return page("people/sign_in_code.html", status=status, form=form, kept=kept)


@get("/sign-in/code", opt=PUBLIC, sync_to_thread=False)
def code_page(
    request: AnyRequest, settings: NamedDependency[Settings], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    if _ticket(request, settings, clock.now()) is None:
        return to("/sign-in")
    return _code_page(forms.blank())


@post("/sign-in/code", opt=PUBLIC)
async def sign_in_with_code(
    request: AnyRequest, settings: NamedDependency[Settings], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, CodeForm)
    kept = keeping.carried(form)
    ticket = _ticket(request, settings, clock.now())
    if ticket is None:
        form.typed["next"] = ""
        form.refuse("login", TicketExpired())
        return page("people/sign_in.html", status=TicketExpired.kind.status, form=form, kept=kept)
    if not form.is_valid:
        return _code_page(form, kept, 400)
    token = new_token()
    try:
        signed_in = await _with_code(request, settings, ticket, form.value.code, token=token, now=clock.now())
    except Refusal as refusal:
        form.refuse("code", refusal)
        return _code_page(form, kept, refusal.kind.status)
    answer = signed_in_answer(signed_in, ticket.next, kept)
    browser.keep_staff(answer, settings, token, stays=ticket.stay)
    cookies.clear_cookie(answer, _ticket_name(settings), https=browser.is_https(settings))
    return answer


async def _with_code(
    request: AnyRequest, settings: Settings, ticket: Ticket, code: str, *, token: str, now: datetime
) -> SignedIn:
    address = browser.address_of(request)
    attempts.sign_ins.check(address, now)
    password_hash = await staff.password_hash(ticket.person_id)
    if password_hash is None or _fingerprint(password_hash) != ticket.password:
        raise TicketExpired
    signed_in = await db.write(
        actions_second.sign_in,
        person_id=ticket.person_id,
        password_hash=password_hash,
        code=normal_digits(code),
        token_digest=token_digest(token),
        left_digest=browser.session_digest(request, settings),
    )
    if signed_in is None:
        attempts.sign_ins.count(address, now)
        raise WrongCode
    return signed_in


def signed_in_answer(signed_in: SignedIn, wanted: str, kept: Kept | None) -> Response[str] | Redirect:
    """Where somebody goes who has just signed in; a form that was sent too late can be sent now."""
    if signed_in.must_change:
        return to("/me/password")
    if signed_in.must_enrol:
        return to("/me/second-step")
    if not signed_in.has_role:
        return to("/choose-role")
    return to(cookies.safe_next(wanted)) if kept is None else page("people/sign_in_kept.html", kept=kept)


# One's own second step


@get("/me/second-step", guards=[needs(Permission.WORK)], opt=OWN)
async def own_page(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    return await _own_page(session, clock.now(), forms.blank())


async def _own_page(
    session: Session,
    now: datetime,
    form: forms.Filled[BeginForm] | forms.Filled[CodeForm],
    status: int = 200,
) -> Response[str]:
    form.typed.pop("code", None)
    is_on = await staff.has_second_step(session.person_id)
    secret = await staff.pending_secret(session.person_id, now)
    return page(
        "people/second_step.html",
        status=status,
        form=form,
        is_on=is_on,
        secret=totp.shown(secret) if secret else "",
        must_enrol=session.must_enrol,
        at=int(now.timestamp()),  # makes the picture's address new
    )


@post("/me/second-step", guards=[needs(Permission.WORK)], opt=OWN)
async def begin(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    """Make a secret, for whoever knows the password: an open page alone must not hand the login to another's phone."""
    form = await forms.read(request, BeginForm)
    now = clock.now()
    known = await staff.own_login(session.person_id)
    if known is None:
        raise NotFound
    if form.is_valid:
        attempts.own_passwords.check(session.person_id, now)
        if not await passwords.fits(known[1], form.value.password):
            attempts.own_passwords.count(session.person_id, now)
            form.refuse("password", _("现在的密码不对"))
    if not form.is_valid:
        return await _own_page(session, now, form, 400)
    secret = sealed.seal_second_secret(session.person_id, totp.new_secret())
    await db.write(actions_second.begin, actor=session.actor, person_id=session.person_id, secret=secret)
    return to("/me/second-step")


@get("/me/second-step/qr.png", guards=[needs(Permission.WORK)], opt=OWN)
async def own_picture(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[bytes]:
    secret = await staff.pending_secret(session.person_id, clock.now())
    known = await staff.own_login(session.person_id)
    if secret is None or known is None:
        raise NotFound
    picture = qr.secret_qr_png(totp.address(secret, known[0], ISSUER), level="M", box=4)
    return Response(picture, media_type="image/png", headers=NO_STORE)


@post("/me/second-step/confirm", guards=[needs(Permission.WORK)], opt=OWN)
async def confirm(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, CodeForm)
    try:
        if form.is_valid:
            await db.write(
                actions_second.confirm,
                actor=session.actor,
                person_id=session.person_id,
                code=normal_digits(form.value.code),
                session_id=session.id,
            )
            return to("/me" if not session.must_enrol else "/")
    except Refusal as refusal:
        form.refuse("code", refusal)
    return await _own_page(session, clock.now(), form, 400)


@post("/me/second-step/off", guards=[needs(Permission.WORK)], opt=OWN)
async def give_up(
    request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, CodeForm)
    if form.is_valid:
        code = normal_digits(form.value.code)
        if await db.write(actions_second.give_up, actor=session.actor, person_id=session.person_id, code=code):
            return to("/me/second-step")
        form.refuse("code", WrongCode())
    return await _own_page(session, clock.now(), form, 400)


handlers = [code_page, sign_in_with_code, own_page, begin, own_picture, confirm, give_up]
