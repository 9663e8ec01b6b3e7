"""Pages from templates: the one Jinja environment, what every template may read, and the answers made of it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import Response
from markupsafe import Markup

from pointsbank.kit import clock, paths
from pointsbank.web import assets, cookies, current, formats, i18n, printing
from pointsbank.web.current import Scope

ICON = Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>')
ORNAMENT = Markup('<svg class="{1}" aria-hidden="true"><use href="{0}#{1}"></use></svg>')


@dataclass(frozen=True, slots=True)
class Reader:
    """The person who is signed in; the name is masked by whoever describes the view."""

    name: str
    role_name: str = ""
    place_name: str = ""


@dataclass(frozen=True, slots=True)
class NavEntry:
    url: str
    icon: str
    label: str
    is_on: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class Phones:
    service: str | None = None
    oversight: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What every template reads as `view`, without being handed it."""

    locale: str = i18n.SOURCE
    type_size: str = ""
    path: str = "/"
    back: str = "/"
    person: Reader | None = None
    nav: Sequence[NavEntry] = ()
    is_demo: bool = False
    is_plain_http: bool = False
    unit_name: str = ""
    phones: Phones | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def bare_view(scope: Scope | None, **facts: Any) -> View:
    """The view that needs nothing but the request; `describe` adds who is reading."""
    path, back = (str(scope["path"]), _page_of(scope)) if scope is not None else ("/", "/")
    return View(locale=i18n.locale_of(scope), type_size=current.type_size(scope), path=path, back=back, **facts)


def _page_of(scope: Scope) -> str:
    """Where a link may lead back to: this page, or the one whose form was sent, since its address may take no GET."""
    if scope["method"] in ("GET", "HEAD"):
        return str(scope["path"])
    return cookies.safe_next(urlsplit(current.header(scope, b"referer")).path)


_describe: Callable[[Scope], View] = bare_view
_view: ContextVar[View | None] = ContextVar("pointsbank_view", default=None)


def configure(describe: Callable[[Scope], View]) -> None:
    """Say how the view of a request is found; `app` calls it once, before the first request."""
    global _describe  # noqa: PLW0603  # one describer a process, handed in at start
    _describe = describe
    i18n.english()
    environment()


class _CurrentView:
    """Stands for the view of the page being drawn, so that imported macros see it too."""

    def __getattr__(self, name: str) -> Any:
        view = _view.get()
        if view is None:
            raise AttributeError(name)
        return getattr(view, name)


def _is_english() -> bool:
    view = _view.get()
    return (view.locale if view is not None else i18n.locale_now()) == i18n.ENGLISH


def _today() -> date:
    view = _view.get()
    return clock.local_day(view.now if view is not None else datetime.now(UTC))


def _day(moment: datetime | date) -> str:
    return formats.day(moment, today=_today(), english=_is_english())


def _weekday(moment: datetime | date) -> str:
    return formats.weekday(moment, english=_is_english())


def _when(moment: datetime) -> str:
    return formats.when(moment, today=_today(), english=_is_english())


def _minutes(amount: int) -> str:
    return formats.minutes(amount, english=_is_english())


@pass_context
def _gettext(_: Context, text: str, /, **facts: Any) -> Markup:
    """For {% trans %}, whose facts stand as %(name)s. Our own texts may carry markup, facts are escaped."""
    return Markup(i18n.in_locale(text, i18n.locale_now())) % facts  # noqa: S704  # the text is ours


@pass_context
def _translate(_: Context, text: str, /, **facts: Any) -> str:
    """For _("… {name}"): a plain text, escaped where it is put."""
    return i18n.translate(text, None, **facts)


@cache  # a page has several, and to write one takes as long as a paragraph
def icon(name: str) -> Markup:
    return ICON.format(assets.shelf().url("icons.svg"), name)


@cache
def ornament(name: str) -> Markup:
    """`guilloche` or `band`, the lines of the passbook."""
    return ORNAMENT.format(assets.shelf().url("icons.svg"), name)


def request_key() -> str:
    """A fresh key for a hidden input: 22 characters, 128 bits."""
    return secrets.token_urlsafe(16)


@cache
def environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(paths.templates_dir()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    env.policies["ext.i18n.trimmed"] = True
    env.newstyle_gettext = True  # type: ignore[attr-defined]  # the extension adds it to the environment
    env.globals |= {
        "_": _translate,
        "gettext": _gettext,
        "asset": lambda name: assets.shelf().url(name),
        "icon": icon,
        "ornament": ornament,
        "request_key": request_key,
        "shift_of": printing.shift_of,
        "t": i18n.t,
        "view": _CurrentView(),
    }
    env.filters |= {
        "amount": i18n.amount,
        "unit": i18n.unit,
        "points": formats.points,
        "signed": formats.signed,
        "day": _day,
        "weekday": _weekday,
        "clock": formats.clock,
        "fitted": printing.on_one_line,
        "when": _when,
        "iso_day": formats.iso_day,
        "minutes": _minutes,
    }
    return env


def text(template: str, /, *, view: View | None = None, **context: Any) -> str:
    """The drawn template. Only an answer to an error names its own view; others are described from the request."""
    scope = current.scope.get()
    seen = view or (_describe(scope) if scope is not None else bare_view(None))
    token = _view.set(seen)
    try:
        return environment().get_template(template).render(context)
    finally:
        _view.reset(token)


def page(
    template: str, /, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> Response[str]:
    """A whole page: `text/html; charset=utf-8`, never kept by a cache."""
    return Response(
        text(template, **context),
        status_code=status,
        media_type="text/html",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def partial(
    template: str, /, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> Response[str]:
    """A fragment that stands alone, for a form with `data-swap`; the template extends no layout."""
    return page(template, status=status, headers=headers, **context)
