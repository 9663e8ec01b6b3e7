"""What a browser sends beside its forms: the cookies of its session and phone, the key of a button, a search."""

import base64
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.exceptions import ValidationException
from litestar.response import Redirect

from pointsbank.kit import crypto, db
from pointsbank.kit.db.command import RequestKeyUnfit
from pointsbank.kit.settings import Settings
from pointsbank.people import roster
from pointsbank.people.access import Session
from pointsbank.people.rules import RESIDENT_SESSION_LIFE, STAFF_SESSION_LIFE
from pointsbank.web import cookies, current, forms, limits

AnyRequest = Request[Any, Any, Any]

DAY_SECONDS = 24 * 3600
STAFF_SECONDS = int(STAFF_SESSION_LIFE.total_seconds())
RESIDENT_SECONDS = int(RESIDENT_SESSION_LIFE.total_seconds())


class KeyForm(msgspec.Struct):
    request_key: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{8,64}\Z")]


async def key_of(request: AnyRequest) -> str:
    """The request key of a form that is but a button."""
    form = await forms.read(request, KeyForm)
    if not form.is_valid:
        raise RequestKeyUnfit
    return form.value.request_key


class SearchForm(msgspec.Struct):
    """Without a key: nothing changes, and a repeat is another look."""

    q: str = ""


Search = TypeVar("Search", bound=SearchForm)


async def search_of(request: AnyRequest, struct: type[Search]) -> Search:
    """What somebody looks for by name. It comes in a body: addresses stay behind in the history of a shared computer.

    Its text may be empty; what no page of ours sends is refused.
    """
    return found_in(await forms.read(request, struct))


def found_in(form: forms.Filled[Search]) -> Search:
    """The search of a form that carries more than that."""
    if "q" not in form.typed or not form.is_valid:
        raise ValidationException
    form.value.q = form.value.q[: roster.QUERY_LENGTH_MAX]
    return form.value


def is_https(settings: Settings) -> bool:
    return settings.public_url is not None and settings.public_url.startswith("https://")


def to(url: str) -> Redirect:
    return Redirect(url, status_code=303)


def session_of(request: AnyRequest) -> Session | None:
    found = current.scope_of(request).get("session")
    return found if isinstance(found, Session) else None


def address_of(request: AnyRequest) -> str:
    """Whom wrong tries are counted against; a line with IPv6 has more addresses than anybody could count."""
    return limits.network(str(current.scope_of(request).get("address", "?")))


def derived_token(label: str, secret: str, request_key: str) -> str:
    """A token that a repeat of the same form gets again, and nobody without its secret: the answer may be lost."""
    key = crypto.held().derive("browser-token")
    digest = crypto.mac(key, f"{label}/{secret}/{request_key}".encode("utf-8", "surrogatepass"))
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_answered(request: AnyRequest, settings: Settings, device: str) -> bool:
    """Whether this browser has the device token that a form gives it: so the form has been answered.

    A repeat must end here: it comes with this cookie and not with the one of the first time, and would pass for
    another request under the same key.
    """
    has = device_token(request, settings) == device
    db.replayed.set(has)
    return has


def session_digest(request: AnyRequest, settings: Settings) -> bytes | None:
    """What this browser's session cookie holds, also when its session has ended."""
    token = current.cookie(current.scope_of(request), cookies.session_cookie_name(is_https(settings)))
    return crypto.token_digest(token) if token else None


def device_token(request: AnyRequest, settings: Settings) -> str:
    """The token in this browser's device cookie, empty if it has none."""
    return current.cookie(current.scope_of(request), cookies.device_cookie_name(is_https(settings)))


def device_digest(request: AnyRequest, settings: Settings) -> bytes | None:
    token = device_token(request, settings)
    return crypto.token_digest(token) if token else None


def keep_staff(response: Response[Any], settings: Settings, token: str, *, stays: bool) -> None:
    """On a shared computer the cookie ends with the browser.

    On one's own it stays a day longer than its session: a form that is sent too late is known by it, and kept.
    """
    https = is_https(settings)
    seconds = STAFF_SECONDS + DAY_SECONDS if stays else None
    cookies.set_cookie(response, cookies.session_cookie_name(https), token, https=https, max_age=seconds)


def keep_resident(response: Response[Any], settings: Settings, token: str, device: str) -> None:
    https = is_https(settings)
    cookies.set_cookie(response, cookies.session_cookie_name(https), token, https=https, max_age=RESIDENT_SECONDS)
    keep_device(response, settings, device)


def keep_device(response: Response[Any], settings: Settings, device: str) -> None:
    https = is_https(settings)
    name = cookies.device_cookie_name(https)
    cookies.set_cookie(response, name, device, https=https, max_age=cookies.YEAR_SECONDS)


def forget(response: Response[Any], settings: Settings) -> None:
    https = is_https(settings)
    cookies.clear_cookie(response, cookies.session_cookie_name(https), https=https)
    response.headers["Clear-Site-Data"] = '"cache"'


def public_base(request: AnyRequest, settings: Settings) -> str:
    """What printed addresses begin with."""
    return settings.public_url or str(request.base_url).rstrip("/")
