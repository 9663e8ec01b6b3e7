"""What a resident's phone sees: the page behind a scanned code, its buttons, and the list of activities."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import queries, rules
from pointsbank.events import routes_pieces as pieces
from pointsbank.events.queries import Activity, Attendance
from pointsbank.events.routes_pieces import AnyRequest
from pointsbank.events.rules import STAY_MIN, AlreadyIn, AlreadyOut, Way
from pointsbank.kit import codes, crypto, db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import NotFound
from pointsbank.kit.settings import Settings
from pointsbank.kit.text import BadText, clean, normal_phone, phone_ok
from pointsbank.people import browser
from pointsbank.people import queries as people
from pointsbank.people.access import Session
from pointsbank.people.rules import NAME_LENGTH_MAX
from pointsbank.web import cookies, current, forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

PUBLIC = {"public": True}
NONCE_SECONDS = 600
LAST_RELOAD_SECONDS = 3600


class TicketForm(msgspec.Struct):
    ticket: Annotated[str, msgspec.Meta(max_length=200)]
    request_key: str


class JoinForm(msgspec.Struct):
    ticket: Annotated[str, msgspec.Meta(max_length=200)]
    request_key: str
    name: Annotated[str, msgspec.Meta(title="姓名", max_length=NAME_LENGTH_MAX)]
    phone: Annotated[str, msgspec.Meta(title="手机号", max_length=30)]
    agree: bool
    publication: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """An activity whose code was seen, and how."""

    activity: Activity
    way: Way
    seen_at: datetime


@get("/e/{code:str}", opt=PUBLIC)
async def screen_scanned(
    code: FromPath[str],
    request: AnyRequest,
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Response[str]:
    """Behind the rotating code on the screen. Stores nothing."""
    now = clock.now()
    read = codes.read_event_code(code)
    found = None if read is None else await queries.public_activity(read.activity_id)
    if read is None or found is None or found.state == "draft":
        raise NotFound
    if not codes.event_code_ok(attendance.event_key(found.id), read, now):
        raise rules.CodeGone
    return await _landing(request, Seen(found, Way.SCREEN, now), now, settings)


@get("/p/{token:str}", opt=PUBLIC)
async def poster_scanned(
    token: FromPath[str],
    request: AnyRequest,
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Response[str]:
    """Behind the code on the poster. Stores nothing."""
    now = clock.now()
    canonical = codes.poster_token(token)
    found = None if canonical is None else await queries.of_poster(canonical)
    if found is None or found.state == "draft":
        raise NotFound
    return await _landing(request, Seen(found, Way.POSTER, now), now, settings)


async def _landing(request: AnyRequest, seen: Seen, now: datetime, settings: Settings) -> Response[str]:
    """The page of a code just seen: a fresh nonce goes into the cookie, the ticket bound to it into the form."""
    nonce = secrets.token_urlsafe(16)
    ticket = attendance.seal_ticket(seen.activity.id, seen.way, seen.seen_at, nonce)
    form: Filled[JoinForm] = forms.blank(ticket=ticket)
    answer = await _scan_page(browser.session_of(request), seen.activity, now, form)
    name = pieces.nonce_cookie(settings)
    cookies.set_cookie(answer, name, nonce, https=browser.is_https(settings), max_age=NONCE_SECONDS)
    return answer


async def _scan_page(
    session: Session | None, activity: Activity, now: datetime, form: Filled[JoinForm]
) -> Response[str]:
    community = await people.community(activity.community_id)
    ids = [] if session is None else await people.ids_of(None, session.person_id)
    own = await queries.own(activity.id, ids) if ids else None
    own = None if own is not None and own.state == "struck" else own
    reload_seconds = int((activity.opens_at - now).total_seconds()) + 1
    return page(
        "events/scan.html",
        status=200 if form.is_valid else 400,
        activity=await pieces.shown(activity),
        community=community,
        own=own,
        state=_state(activity, own, session, now),
        minutes=0 if own is None else rules.minutes_max(activity.plan, own.in_at, now),
        reload_seconds=reload_seconds if 0 < reload_seconds <= LAST_RELOAD_SECONDS else 0,
        reader=session,
        form=form,
        now=now,
    )


def _state(activity: Activity, own: Attendance | None, session: Session | None, now: datetime) -> str:
    """Which of its faces the page shows."""
    if activity.state == "cancelled":
        return "cancelled"
    if own is not None:
        return _state_of_own(activity, own, now)
    if activity.state != "published" or activity.is_over(now):
        return "over"
    if now < activity.opens_at:
        return "early"
    if activity.seats is not None and activity.arrived >= activity.seats:
        return "full"
    return "new" if session is None else "known"


def _state_of_own(activity: Activity, own: Attendance, now: datetime) -> str:
    if own.out_at is not None or own.state == "confirmed" or not activity.lets_out(now):
        return "was_in"
    return "may_leave" if now - own.in_at >= STAY_MIN else "in"


@post("/events/check-in", opt=PUBLIC)
async def check_in(
    request: AnyRequest, clock: NamedDependency[Clock], settings: NamedDependency[Settings]
) -> Response[Any]:
    """A known phone: the one button."""
    return await _press(request, attendance.check_in_with_ticket, clock.now(), settings)


@post("/events/check-out", opt=PUBLIC)
async def check_out(
    request: AnyRequest, clock: NamedDependency[Clock], settings: NamedDependency[Settings]
) -> Response[Any]:
    return await _press(request, attendance.check_out_with_ticket, clock.now(), settings)


async def _press(request: AnyRequest, action: Callable[..., Any], now: datetime, settings: Settings) -> Response[Any]:
    """Do what the button says and show where the resident stands; pressing twice is no error."""
    filled = await forms.read(request, TicketForm)
    session, nonce = browser.session_of(request), _nonce(request, settings)
    ticket = filled.typed.get("ticket", "")
    if session is None or not filled.is_valid:
        seen = attendance.open_ticket(ticket, nonce, now)
        return await _again(request, seen.activity_id, now, forms.blank(ticket=ticket))
    key = filled.value.request_key
    try:
        done = await db.write(action, actor=session.actor, request_key=key, ticket=ticket, nonce=nonce)
    except (AlreadyIn, AlreadyOut) as already:
        return Redirect(f"/events/{already.facts['activity']}", status_code=303)
    return Redirect(f"/events/{done.activity_id}", status_code=303)


@post("/events/join", opt=PUBLIC)
async def join(
    request: AnyRequest, clock: NamedDependency[Clock], settings: NamedDependency[Settings]
) -> Response[Any]:
    """An unknown phone: who somebody says to be, and the check-in, in one command."""
    filled = await forms.read(request, JoinForm)
    nonce = _nonce(request, settings)
    name, phone = _checked_person(filled)
    if not filled.is_valid:
        seen = attendance.open_ticket(filled.typed.get("ticket", ""), nonce, clock.now())
        return await _again(request, seen.activity_id, clock.now(), filled)

    key = filled.value.request_key
    asked = f"{nonce}/{filled.value.ticket}/{phone}/{name}/{filled.value.publication}"
    session_token, device_token = (browser.derived_token(label, asked, key) for label in ("session", "device"))
    if browser.is_answered(request, settings, device_token):
        activity_id = attendance.open_ticket(filled.value.ticket, nonce, clock.now()).activity_id
    else:
        arrived = await db.write(
            attendance.join,
            request_key=key,
            ticket=filled.value.ticket,
            nonce=nonce,
            name=name,
            phone=phone,
            consent_publication=filled.value.publication,
            old_device=browser.device_digest(request, settings),
            new_device=crypto.token_digest(device_token),
            session_digest=crypto.token_digest(session_token),
        )
        activity_id = arrived.activity_id
    answer = Redirect(f"/events/{activity_id}", status_code=303)
    browser.keep_resident(answer, settings, session_token, device_token)
    return answer


def _checked_person(filled: Filled[JoinForm]) -> tuple[str, str]:
    """Name and phone in their normal form; what is wrong with them stands in the form."""
    name, phone = filled.typed.get("name", ""), normal_phone(filled.typed.get("phone", ""))
    try:
        name = clean(name)
    except BadText:
        filled.refuse("name", "姓名里有看不见的字符，请重新输入")
    if not phone_ok(phone):
        filled.refuse("phone", "手机号要有 11 位数字，例如 199 0000 0001")
    if not filled.typed.get("agree"):
        filled.refuse("agree", rules.NothingAgreed())
    return name, phone


async def _again(request: AnyRequest, activity_id: int, now: datetime, form: Filled[JoinForm]) -> Response[str]:
    """The same page with what was typed; its ticket and cookie go on."""
    activity = await queries.public_activity(activity_id)
    if activity is None:
        raise NotFound
    return await _scan_page(browser.session_of(request), activity, now, form)


def _nonce(request: AnyRequest, settings: Settings) -> str:
    return current.cookie(current.scope_of(request), pieces.nonce_cookie(settings))


async def list_page(session: Session, now: datetime) -> Response[str]:
    """What is on in the resident's community, and where this resident was."""
    coming = [await pieces.shown(one) for one in await queries.upcoming(pieces.own_community(session), now)]
    ids = await people.ids_of(None, session.person_id)
    return page(
        "events/list.html",
        coming=coming,
        attended=await queries.attended(ids),
        minutes=await queries.minutes_of(ids),
        now=now,
    )


async def detail_page(session: Session, activity_id: int, now: datetime) -> Response[str]:
    found = await pieces.own_activity(activity_id, session)
    if found.state == "draft":
        raise NotFound
    own = await queries.own(found.id, await people.ids_of(None, session.person_id))
    return page(
        "events/show.html",
        activity=await pieces.shown(found),
        own=own,
        worked=0 if own is None else rules.minutes_max(found.plan, own.in_at, own.out_at),
        is_provisional=session.is_provisional,
        now=now,
    )


handlers: list[Any] = [screen_scanned, poster_scanned, check_in, check_out, join]
