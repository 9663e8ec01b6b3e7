"""What was typed into a form whose session had ended meanwhile: it travels through signing in and is not lost.

It is in nobody's keeping but the browser's that sent it: the page that asks to sign in holds it in hidden fields, and
after signing in the reader sends it again by a button. Forms with files are not kept: those would be large, and read
for anybody who brings a cookie.
"""

from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import ValidationException

from pointsbank.web import cookies, current, forms

PREFIX = "kept."
PATH = "kept_path"
LENGTH_MAX = 16 * 1024  # with names, written for a body it is some 48 KB at most: what one request may hold


@dataclass(frozen=True, slots=True)
class Kept:
    path: str
    fields: tuple[tuple[str, str], ...]

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """The fields of the page that asks to sign in."""
        return ((PATH, self.path), *((PREFIX + name, value) for name, value in self.fields))


async def keep(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Keep the form of a browser that was signed in; whoever never was is only led to the sign-in page."""
    scope: current.Scope = connection.scope  # type: ignore[assignment]  # Litestar types a scope as a closed mapping
    if scope["method"] != "POST" or current.is_api(scope) or current.is_partial(scope):
        return  # the script keeps its page, and the program its body
    if not any(current.cookie(scope, cookies.session_cookie_name(https)) for https in (True, False)):
        return
    assert isinstance(connection, Request)
    if connection.content_type[0] != "application/x-www-form-urlencoded":
        return
    try:
        lists = await forms.texts(connection)
    except ValidationException:
        return
    fields = tuple((name, value) for name, values in lists.items() for value in values)
    if sum(len(name) + len(value) for name, value in fields) <= LENGTH_MAX:
        scope["kept"] = Kept(str(scope["path"]), fields)


def kept_of(scope: current.Scope) -> Kept | None:
    found = scope.get("kept")
    return found if isinstance(found, Kept) else None


def carried(form: forms.Filled[Any]) -> Kept | None:
    """What a sign-in form carries along, to a path of ours."""
    path = cookies.safe_next(form.typed.get(PATH), "")
    if not path:
        return None
    found = ((name, value) for name, values in form.lists.items() for value in values if name.startswith(PREFIX))
    return Kept(path, tuple((name.removeprefix(PREFIX), value) for name, value in found))
