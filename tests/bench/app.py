"""The server that is measured: the program's real wiring, and beside it bare handlers to compare with.

It listens twice in one process: with the security layer, and on a second port without it.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Generator
from typing import Any

import msgspec
import uvicorn

from pointsbank.app import database as databases
from pointsbank.app import installation, server, shell, wiring
from pointsbank.events.routes_api import CodeBody
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import Tx
from pointsbank.kit.settings import Settings
from pointsbank.redemption.routes_api import OrderBody
from pointsbank.web.handlers import get, post
from pointsbank.web.limits import Limit, Limits

LOOSE = Limits(*(Limit(per_minute=10_000_000, burst=1_000_000) for _ in range(3)))
EVERYBODY_LEAVES = "UPDATE events_attendance SET out_at = in_at, out_way = in_way WHERE out_at IS NULL"


class Done(msgspec.Struct, frozen=True):
    ok: bool = True


async def everybody_leaves(tx: Tx) -> int:
    """End all attendances, so that the same people can come again, to another activity."""
    return await tx.run(EVERYBODY_LEAVES)


@get("/api/bench/null", opt={"public": True})
async def null_get() -> Done:
    return Done()


@post("/api/bench/null-order", opt={"public": True})
async def null_order(data: OrderBody) -> Done:
    assert data.lines
    return Done()


@post("/api/bench/null-check-in", opt={"public": True})
async def null_check_in(data: CodeBody) -> Done:
    assert data.code
    return Done()


@post("/api/bench/everybody-leaves", opt={"public": True})
async def leave() -> Done:
    await db.write(everybody_leaves)
    return Done()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield  # two servers share this process: it stops both itself


async def serve(data: str, port: int, bare_port: int) -> None:
    settings = Settings.from_env({"POINTSBANK_DATA": data, "POINTSBANK_PORT": str(port)})
    clock = Clock()
    async with databases.opened(settings, clock):
        found = await installation.check(settings)
        extra = [null_get, null_order, null_check_in, leave]
        layered: Any = wiring.create_app(settings, clock, found, limit=LOOSE, extra=extra)
        servers = [_server(layered, port), _server(layered.app, bare_port)]

        def stop() -> None:
            for each in servers:
                each.should_exit = True

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        server.quiet_collector()
        await asyncio.gather(*(each.serve() for each in servers))


def _server(app: Any, port: int) -> _Server:
    # As the program serves itself: pointsbank/app/server.py.
    config = uvicorn.Config(
        app,
        port=port,
        http="httptools",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
    )
    return _Server(config)


if __name__ == "__main__":
    shell.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
