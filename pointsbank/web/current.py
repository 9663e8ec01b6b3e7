"""The request being answered, for code that is not handed it: templates, translation, refusals."""

from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, cast

from litestar import Request

Scope = MutableMapping[str, Any]

type_sizes = ("", "large", "larger")

scope: ContextVar[Scope | None] = ContextVar("pointsbank_scope", default=None)


def scope_of(request: Request[Any, Any, Any]) -> Scope:
    """The request's scope as a plain mapping; Litestar types it as a closed one."""
    return cast("Scope", request.scope)


def header(of: Scope, name: bytes) -> str:
    """Text of a request header, empty where there is none."""
    for key, value in of["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def cookie(of: Scope, name: str) -> str:
    """Text of a cookie, empty where there is none; the first wins, as browsers send the most specific path first."""
    for part in header(of, b"cookie").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""


def type_size(of: Scope | None) -> str:
    """大字: the class on <html> that the reader chose."""
    size = cookie(of, "type") if of is not None else ""
    return size if size in type_sizes else ""


def is_api(of: Scope) -> bool:
    return str(of["path"]).startswith("/api/")


def is_partial(of: Scope) -> bool:
    """Whether the script asked for a fragment to put into the page."""
    return header(of, b"x-partial") == "1"
