"""A small application behind the real security layer."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from litestar import Litestar, Request, get, post
from litestar.exceptions import NotAuthorizedException
from litestar.params import FromPath, JSONBody

from pointsbank.kit import crypto, db
from pointsbank.kit.errors import Busy, Forbidden, Kind, NotFound, Refusal
from pointsbank.web import forms, limits, problems, render, routes, security

OWN = {"Origin": "http://points.test"}
SESSIONS = {
    (crypto.token_digest("cookie-of-jia"), "cookie"): "甲",
    (crypto.token_digest("token-of-jia"), "bearer"): "甲 by token",
}


class ShortOfPoints(Refusal):
    kind = Kind.LIMITED
    code = "test.short_of_points"
    message = "还差 {missing} 分。"


class Basket(msgspec.Struct, forbid_unknown_fields=True):
    lines: Annotated[list[Any], msgspec.Meta(max_length=5)]


class Event(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(title="名称", max_length=20)]


async def who(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"session": request.scope["session"], "address": request.scope["address"]}


async def refuse(kind: FromPath[str]) -> None:
    raise {"short": ShortOfPoints(missing=14), "busy": Busy(), "forbidden": Forbidden(), "gone": NotFound()}[kind]


async def fail(kind: FromPath[str]) -> None:
    if kind == "auth":
        raise NotAuthorizedException
    if kind == "number":
        raise OverflowError("Python int too large to convert to SQLite INTEGER")
    raise KeyError("秘密 19900000001")


async def take(data: JSONBody[Basket]) -> dict[str, int]:
    return {"lines": len(data.lines)}


async def form(request: Request[Any, Any, Any]) -> Any:
    filled = await forms.read(request, Event)
    return filled.value.name if filled.is_valid else filled.errors


async def replay() -> dict[str, bool]:
    db.replayed.set(True)
    return {"ok": True}


def paths(*names: str) -> list[str]:
    return [prefix + name for name in names for prefix in ("", "/api")]


HANDLERS = [
    get(paths("/who"))(who),
    get(paths("/refuse/{kind:str}"))(refuse),
    get(paths("/fail/{kind:str}"))(fail),
    post(paths("/take"))(take),
    post("/form")(form),
    post("/upload")(form),
    post(paths("/replay"))(replay),
    *routes.routes,
]

Client = Callable[..., httpx.AsyncClient]


@pytest.fixture(autouse=True)
def _own_view() -> Any:
    before = render._describe
    yield
    render._describe = before


@pytest.fixture
async def make() -> AsyncIterator[Client]:
    """Open a client to an application with these settings of the security layer."""
    opened: list[httpx.AsyncClient] = []

    def build(
        *, address: str = "192.0.2.7", base: str = "http://points.test", extra: Sequence[Any] = (), **settings: Any
    ) -> httpx.AsyncClient:
        bare = Litestar(
            [*HANDLERS, *extra],
            exception_handlers=problems.handlers,
            openapi_config=None,
            logging_config=None,  # type: ignore[arg-type]
        )
        given = {"find_session": lambda digest, sort: SESSIONS.get((digest, sort)), "https": False} | settings
        app = security.Security(bare, **given)
        transport = httpx.ASGITransport(app, client=(address, 5000))
        opened.append(httpx.AsyncClient(transport=transport, base_url=base))
        return opened[-1]

    yield build
    for client in opened:
        await client.aclose()


@pytest.fixture
def client(make: Client) -> httpx.AsyncClient:
    return make()


@pytest.fixture
def tight() -> limits.Limits:
    one = limits.Limit(per_minute=60, burst=3)
    return limits.Limits(session=one, bearer=one, address=one)
