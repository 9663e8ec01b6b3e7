"""The resident's phone: activating it, pairing it, and the code it shows."""

from typing import Annotated

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import codes, db, qr, text
from pointsbank.kit.clock import Clock
from pointsbank.kit.crypto import new_token, token_digest
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.kit.settings import Settings
from pointsbank.people import actions_phones, attempts, browser, queries, queries_phones, sealed
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.people.rules import CONSENT_VERSION, WrongActivation
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

PUBLIC = {"public": True}
NO_STORE = {"Cache-Control": "no-store"}
REFRESH_SECONDS = codes.PHONE_STEP_SECONDS


class NoForm(msgspec.Struct):
    """A button: nothing is typed."""


class ActivationForm(msgspec.Struct):
    request_key: str
    number: Annotated[str, Meta(title="存折号", max_length=20)]
    digits: Annotated[str, Meta(title="12 位数字", max_length=30)]


@get("/privacy", opt=PUBLIC, sync_to_thread=False)
def privacy() -> Response[str]:
    """What residents agree to; its version is kept with each consent."""
    return page("people/privacy.html", version=CONSENT_VERSION)


# Activation


@get("/a/{token:str}", opt=PUBLIC, sync_to_thread=False)
def slip_page(token: FromPath[str]) -> Response[str]:
    """Only a button: whoever merely opens the address, or has it opened by a messenger, changes nothing."""
    if codes.activation_token(token) is None:
        raise NotFound
    return page("people/activate_slip.html", token=token, form=forms.blank())


@post("/a/{token:str}", opt=PUBLIC)
async def use_slip(
    token: FromPath[str], request: AnyRequest, settings: NamedDependency[Settings], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    request_key, address = await key_of(request), browser.address_of(request)
    session, device = (browser.derived_token(label, token, request_key) for label in ("session", "device"))
    answer = to("/home")
    browser.keep_resident(answer, settings, session, device)
    if browser.is_answered(request, settings, device):
        return answer
    try:
        attempts.activations.check(address, clock.now())
        await db.write(
            actions_phones.activate_browser,
            request_key=request_key,
            activation=actions_phones.activation_digest(token),
            old_device=browser.device_digest(request, settings),
            new_device=token_digest(device),
            session_digest=token_digest(session),
        )
    except Refusal as refusal:
        if isinstance(refusal, WrongActivation):
            attempts.activations.count(address, clock.now())
        form: forms.Filled[NoForm] = forms.blank()
        form.refuse("token", refusal)
        return page("people/activate_slip.html", status=refusal.kind.status, token=token, form=form)
    return answer


@get("/activate", opt=PUBLIC, sync_to_thread=False)
def activation_page() -> Response[str]:
    return page("people/activate.html", form=forms.blank())


@post("/activate", opt=PUBLIC)
async def use_typed(
    request: AnyRequest, settings: NamedDependency[Settings], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    form = await forms.read(request, ActivationForm)
    if not form.is_valid:
        return page("people/activate.html", status=400, form=form)
    request_key, address = form.value.request_key, browser.address_of(request)
    digits = text.normal_digits(form.value.digits).replace("-", "")
    session, device = (browser.derived_token(label, digits, request_key) for label in ("session", "device"))
    answer = to("/home")
    browser.keep_resident(answer, settings, session, device)
    if browser.is_answered(request, settings, device):
        return answer
    try:
        attempts.activations.check(address, clock.now())
        opened = await db.write(
            actions_phones.activate_browser_typed,
            request_key=request_key,
            number=text.normal_digits(form.value.number).replace("-", ""),
            typed=actions_phones.typed_digest(digits),
            old_device=browser.device_digest(request, settings),
            new_device=token_digest(device),
            session_digest=token_digest(session),
        )
        if opened is None:
            attempts.activations.count(address, clock.now())
            raise WrongActivation
    except Refusal as refusal:
        form.refuse("digits", refusal)
        return page("people/activate.html", status=refusal.kind.status, form=form)
    return answer


# Pairing


@get("/pair", opt=PUBLIC)
async def pairing_page(
    request: AnyRequest, settings: NamedDependency[Settings], clock: NamedDependency[Clock]
) -> Response[str]:
    return await _pairing_page(request, settings, clock, forms.blank())


async def _pairing_page(
    request: AnyRequest, settings: Settings, clock: Clock, form: forms.Filled[NoForm], status: int = 200
) -> Response[str]:
    device = browser.device_digest(request, settings)
    pairing_id = None if device is None else await queries_phones.live_pairing(device, clock.now())
    digits = "" if pairing_id is None else sealed.pairing_digits(pairing_id)
    return page("people/pair.html", status=status, form=form, digits=f"{digits[:4]} {digits[4:]}".strip())


@post("/pair", opt=PUBLIC)
async def start_pairing(request: AnyRequest, settings: NamedDependency[Settings]) -> Redirect:
    """Its key is not kept: each time other digits are shown, and those before are dead."""
    await key_of(request)
    device = new_token()
    await db.write(
        actions_phones.start_pairing,
        old_device=browser.device_digest(request, settings),
        new_device=token_digest(device),
    )
    answer = to("/pair")
    browser.keep_device(answer, settings, device)
    return answer


@post("/pair/open", opt=PUBLIC)
async def open_paired(
    request: AnyRequest, settings: NamedDependency[Settings], clock: NamedDependency[Clock]
) -> Response[str] | Redirect:
    """After staff typed the digits: this phone proves itself by its cookie and is signed in."""
    request_key, token = await key_of(request), browser.device_token(request, settings)
    session = browser.derived_token("paired", token, request_key)
    try:
        await db.write(
            actions_phones.open_paired,
            request_key=request_key,
            device_digest=token_digest(token),
            session_digest=token_digest(session),
        )
    except Refusal as refusal:
        form: forms.Filled[NoForm] = forms.blank()
        form.refuse("digits", refusal)
        return await _pairing_page(request, settings, clock, form, refusal.kind.status)
    answer = to("/home")
    browser.keep_resident(answer, settings, session, token)
    return answer


# The code that this phone shows


async def _own_code(session: Session, clock: Clock) -> str:
    code = None if session.device_id is None else await queries.current_phone_code(session.device_id, clock.now())
    if code is None:
        raise NotFound
    return code


@get("/code", guards=[needs(Permission.OWN)])
async def code_page(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    code = await _own_code(session, clock)
    view = await queries.member_view(session.community_ids, session.person_id)
    return page(
        "people/code.html",
        member=view,
        is_provisional=session.is_provisional,
        digits=" ".join(code[at : at + 4] for at in range(0, len(code), 4)),
        step=codes.phone_step(clock.now()),  # makes the pictures' addresses new; says nothing that a clock does not
        refresh_seconds=REFRESH_SECONDS,
    )


def _png(content: bytes) -> Response[bytes]:
    return Response(content, media_type="image/png", headers=NO_STORE)


@get("/code/qr.png", guards=[needs(Permission.OWN)])
async def code_qr(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[bytes]:
    return _png(qr.qr_png(await _own_code(session, clock), level="M", box=9))


@get("/code/bar.png", guards=[needs(Permission.OWN)])
async def code_bar(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[bytes]:
    return _png(qr.code128_png(await _own_code(session, clock)))


handlers = [
    privacy,
    slip_page,
    use_slip,
    activation_page,
    use_typed,
    pairing_page,
    start_pairing,
    open_paired,
    code_page,
    code_qr,
    code_bar,
]
