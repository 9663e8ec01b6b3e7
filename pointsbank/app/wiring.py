"""What is joined to what: routes, dependencies, the security layer, the view of a page."""

from collections.abc import Collection, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Litestar, Request
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotAuthorizedException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp

from pointsbank.app import guides, health, local, nav
from pointsbank.app.installation import Installation
from pointsbank.awards import routes as awards
from pointsbank.events import routes as events
from pointsbank.governance import routes as governance
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import Actor
from pointsbank.kit.settings import Settings
from pointsbank.ledger import routes as ledger
from pointsbank.notices import routes as notices
from pointsbank.people import access
from pointsbank.people import routes as people
from pointsbank.people.access import Session
from pointsbank.redemption import routes as redemption
from pointsbank.reports import routes as reports
from pointsbank.scoring import routes as scoring
from pointsbank.stock import routes as stock
from pointsbank.web import offline, problems, render
from pointsbank.web import routes as web
from pointsbank.web.limits import Limits
from pointsbank.web.security import FindSession, Security

ROOMS = (people, ledger, scoring, notices, awards, events, stock, redemption, governance, reports)


API_DOCUMENT = OpenAPIConfig(
    title="积分银行 Pointsbank",
    version="1",
    description=(
        "Bearer tokens come from `pointsbank token issue`. Every changing request carries a `request_key`: the same "
        "key with the same body gets the first answer again (200, `Idempotent-Replayed: true`), with another body it "
        "is refused. A refusal is `application/problem+json` (RFC 9457) with a stable `code`. "
        "Points are whole numbers of the smallest unit; a refusal says with `unit` and `decimals` how they are written."
    ),
    path="/schema",
    render_plugins=[],
    use_handler_docstrings=True,
    components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
    security=[{"bearer": []}],
)


class UndeclaredRoute(Exception):
    """A route that does not say who may use it stops the start."""


def all_handlers() -> list[Any]:
    found: list[Any] = [*web.routes, *offline.handlers, *health.handlers, *guides.handlers, *local.handlers]
    for room in ROOMS:
        found += room.handlers
    for handler in found:  # the document is for programs; pages are for people
        handler.include_in_schema = (
            any(path.startswith("/api/") for path in handler.paths) and handler.include_in_schema
        )
    return found


def declared(handler: HTTPRouteHandler) -> bool:
    """Whether a route says who may use it: a guard made by `needs`, or openly nobody in particular."""
    guards = handler.guards or ()
    return bool(handler.opt.get("public")) or any(hasattr(guard, "permissions") for guard in guards)


def refuse_undeclared(app: Litestar) -> None:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and not declared(handler):
                path = getattr(route, "path", "?")
                # Litestar answers OPTIONS by itself, and its schema routes are documentation.
                if handler.http_methods == {"OPTIONS"} or path.startswith("/schema"):
                    continue
                raise UndeclaredRoute(f"{path}: {handler} declares no permission")


# Litestar starts a task each for dependencies that do not need one another, which costs more than a check-in's
# statements. So these need the clock, which costs nothing, and are resolved after it.
def provide_session(request: Request[Any, Any, Any], clock: NamedDependency[Clock]) -> Session:  # noqa: ARG001
    session = request.scope["session"]
    if session is None:
        raise NotAuthorizedException
    return cast("Session", session)


def provide_actor(request: Request[Any, Any, Any]) -> Actor:
    session = cast("Session | None", request.scope["session"])
    return session.actor if session is not None else db.NOBODY


def route_table(settings: Settings, clock: Clock, extra: Sequence[Any] = ()) -> Litestar:
    """Return the routes with what they depend on; refuses one that declares no permission."""

    def provide_settings(clock: NamedDependency[Clock]) -> Settings:  # noqa: ARG001  see provide_session
        return settings

    app = Litestar(
        [*all_handlers(), *extra],
        dependencies={
            "session": Provide(provide_session, sync_to_thread=False),
            "actor": Provide(provide_actor, sync_to_thread=False),
            "clock": Provide(lambda: clock, use_cache=True, sync_to_thread=False),
            "settings": Provide(provide_settings, use_cache=True, sync_to_thread=False),
        },
        exception_handlers=problems.handlers,
        openapi_config=API_DOCUMENT,
        logging_config=None,
    )
    refuse_undeclared(app)
    return app


def create_app(
    settings: Settings,
    clock: Clock,
    installation: Installation,
    *,
    limit: Limits | None = None,
    extra: Sequence[Any] = (),
) -> ASGIApp:
    """Return the whole program as one ASGI app; the caller has opened the database and holds the keys.

    `extra` are handlers that only a test or a benchmark adds; `limit` loosens the rate limits for it.
    """
    return secured(
        cast("ASGIApp", route_table(settings, clock, extra)),
        settings,
        clock,
        find_session=access.find_session,
        is_demo=installation.is_demo,
        limit=limit,
        uploads=[path for handler in [*all_handlers(), *extra] if handler.opt.get("upload") for path in handler.paths],
    )


def secured(
    app: ASGIApp,
    settings: Settings,
    clock: Clock,
    *,
    find_session: FindSession,
    is_demo: bool = False,
    limit: Limits | None = None,
    uploads: Collection[str] = (),
) -> ASGIApp:
    """Put the security layer before an app, and say how its pages are framed."""
    https = settings.public_url is not None and urlsplit(settings.public_url).scheme == "https"
    is_plain_http = not https and not _is_local(settings)
    render.configure(nav.describer(clock, is_demo=is_demo, is_plain_http=is_plain_http))
    hosts = {urlsplit(settings.public_url).netloc} if settings.public_url else set()
    return Security(
        app,
        find_session=find_session,
        https=https,
        limit=limit,
        trusted_proxies=settings.trusted_proxies,
        hosts=hosts,
        uploads=uploads,
    )


def _is_local(settings: Settings) -> bool:
    return settings.host in {"127.0.0.1", "localhost", "::1"}
