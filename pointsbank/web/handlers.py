"""`get` and `post` for our routes: Litestar's, but for the copy of the handler that it makes for each guard."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import HTTPRouteHandler


class _Uncopied(HTTPRouteHandler):
    async def authorize_connection(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        """Ask the guards. They get the handler itself: they only read it, and a copy costs as much as the session."""
        for guard in self.resolve_guards():
            await guard(connection, self)  # type: ignore[misc]  # as in Litestar: a guard may be of either kind


def get(path: str | list[str], **options: Any) -> HTTPRouteHandler:
    return _Uncopied(path, http_method="GET", **options)


def post(path: str | list[str], **options: Any) -> HTTPRouteHandler:
    return _Uncopied(path, http_method="POST", **options)
