"""Our cookies: the session, the device, and two that only remember how somebody likes to read."""

from typing import Any

from litestar import Response
from litestar.datastructures import Cookie

YEAR_SECONDS = 365 * 24 * 3600


def cookie_name(name: str, *, https: bool) -> str:
    """On https the `__Host-` prefix: no other host of the domain, and no plain http page, can put one in our place."""
    return f"__Host-{name}" if https else name


def session_cookie_name(https: bool) -> str:
    return cookie_name("sid", https=https)


def device_cookie_name(https: bool) -> str:
    return cookie_name("dev", https=https)


def set_cookie(response: Response[Any], name: str, value: str, *, https: bool, max_age: int | None = None) -> None:
    """HttpOnly, SameSite=Lax, this host only. Without `max_age` it ends with the browser."""
    response.set_cookie(
        Cookie(name, path="/", value=value, max_age=max_age, secure=https, httponly=True, samesite="lax")
    )


def clear_cookie(response: Response[Any], name: str, *, https: bool) -> None:
    """Browsers ignore the removal of a `__Host-` cookie unless it is Secure too, so this is a cookie of no age."""
    set_cookie(response, name, "", https=https, max_age=0)


def safe_next(wanted: str | None, default: str = "/") -> str:
    """Where to go afterwards: a path of ours, no query. `//host` and backslashes would lead elsewhere."""
    if not wanted or not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return default
    path = wanted.partition("?")[0]
    return path if path.isascii() and path.isprintable() and " " not in path else default
