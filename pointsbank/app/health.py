"""Health, for whoever watches the process; says nothing else to strangers."""

from typing import Any

from litestar import Response

from pointsbank.kit import db
from pointsbank.web.handlers import get

PUBLIC = {"public": True}


@get("/livez", opt=PUBLIC, sync_to_thread=False)
def livez() -> dict[str, str]:
    return {"status": "alive"}


@get("/readyz", opt=PUBLIC)
async def readyz() -> Response[dict[str, str]]:
    """Ready while the database answers and the writer takes commands."""
    ready = db.is_open() and not db.current().writer.closing
    if ready:
        await db.row("SELECT 1")
    return Response({"status": "ready" if ready else "closing"}, status_code=200 if ready else 503)


handlers: list[Any] = [livez, readyz]
