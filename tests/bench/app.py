"""The server that is measured: the program's real wiring, and beside it bare handlers to compare with.

It listens twice in one process: with the security layer, and on a second port without it. The sealer is at work as in
the program; other jobs run when they are asked for.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Generator
from typing import Any

import msgspec
import uvicorn

from pointsbank.app import database as databases
from pointsbank.app import installation, jobs, server, shell, wiring
from pointsbank.events.routes_api import CodeBody
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import Tx
from pointsbank.kit.settings import Settings
from pointsbank.ledger.sealing import Sealer
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


class Unsealed(msgspec.Struct):
    """The longest that an entry was seen to wait for its seal since this was last asked."""

    seconds: float = 0.0


unsealed = Unsealed()
OLDEST_UNSEALED = """
SELECT booked_at FROM ledger_entry
 WHERE id > (SELECT COALESCE(MAX(entry_id), 0) FROM ledger_seal WHERE entry_id IS NOT NULL)  -- as its index has it
 ORDER BY id LIMIT 1
"""
LOOK_SECONDS = 0.25


async def watch_seals() -> None:
    while True:
        found = await db.row(OLDEST_UNSEALED)
        if found is not None:
            waited = (Clock().now() - found["booked_at"]).total_seconds()
            unsealed.seconds = max(unsealed.seconds, waited)
        await asyncio.sleep(LOOK_SECONDS)


@get("/api/bench/unsealed", opt={"public": True})
async def longest_unsealed() -> Unsealed:
    seen, unsealed.seconds = Unsealed(unsealed.seconds), 0.0
    return seen


class Expired(msgspec.Struct, frozen=True):
    lots: int
    seconds: float


@post("/api/bench/expire", opt={"public": True})
async def expire() -> Expired:
    began = time.perf_counter()
    (job,) = (job for job in jobs.JOBS if job.name == "expire_due")
    return Expired(await jobs.run(job), time.perf_counter() - began)


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
        extra = [null_get, null_order, null_check_in, leave, longest_unsealed, expire]
        layered: Any = wiring.create_app(settings, clock, found, limit=LOOSE, extra=extra)
        servers = [_server(layered, port), _server(layered.app, bare_port)]

        def stop() -> None:
            for each in servers:
                each.should_exit = True

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        server.quiet_collector()
        working = [asyncio.create_task(work) for work in (jobs.keep_sealing(Sealer()), watch_seals())]
        await asyncio.gather(*(each.serve() for each in servers))
        for task in working:
            task.cancel()


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
