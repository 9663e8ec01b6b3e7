"""The program as `pointsbank serve` joins it, over a small town of its own, with a clock that a test moves.

FOLDER holds a migrated database. Prints one line of facts when it is open. Only tests start it:
`python -m tests.browser.serve FOLDER PORT TOWN`.
"""

import asyncio
import functools
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Request, post
from litestar.di import NamedDependency

from pointsbank.app import database as databases
from pointsbank.app import init, installation, jobs, server, wiring
from pointsbank.app.first_run import FirstRun
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import Clock, FixedClock
from pointsbank.kit.crypto import Keys
from pointsbank.kit.settings import Settings
from tests.browser import towns
from tests.world import LOOSE, NOON, World

TOWNS: dict[str, Callable[[World], Awaitable[dict[str, Any]]]] = {
    "story": towns.story,
    "full": towns.full,
    "paper": towns.paper,
    "cards": towns.cards,
}


class MovableClock(FixedClock):
    """Runs on from the moment it is set to."""

    def set(self, moment: datetime) -> None:
        super().set(moment)
        self.since = time.monotonic()

    def now(self) -> datetime:
        return self.moment + timedelta(seconds=time.monotonic() - self.since)

    def advance(self, **span: float) -> None:
        self.set(self.now() + timedelta(**span))


@post("/test/forward", opt={"public": True}, include_in_schema=False)
async def forward(request: Request[Any, Any, Any], clock: NamedDependency[Clock]) -> dict[str, int]:
    """Let time pass, then do what has fallen due: answers how much each job did."""
    assert isinstance(clock, MovableClock)
    span = await request.json()
    clock.advance(**span)
    return await jobs.tick()


async def serve(folder: Path, port: int, town: str) -> None:
    settings = Settings.from_env({"POINTSBANK_DATA": str(folder), "POINTSBANK_PORT": str(port)})
    clock = MovableClock(NOON)
    keys = Keys.load_or_create(settings.key_path)
    crypto.hold(keys)
    async with databases.opened(settings, clock):
        await db.write(installation.found, kind="real", key_fingerprint=keys.fingerprint)
        facts = await TOWNS[town](World(clock, settings))
        found = await installation.check(settings)
        app = wiring.create_app(settings, clock, found, limit=LOOSE, extra=[forward])
        server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="error", server_header=False))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: setattr(server, "should_exit", True))
        print(json.dumps(facts), flush=True)  # noqa: T201  this line is what the test waits for
        await server.serve()


async def serve_nothing(folder: Path, port: int) -> None:
    """As `pointsbank` does on an empty folder: the first run, then the bank; only the clock and its lever are ours."""
    clock = MovableClock(NOON)
    server.Clock = init.Clock = lambda: clock  # type: ignore[misc]  # the program asks for the time where it starts
    wiring.create_app = functools.partial(wiring.create_app, extra=[forward], limit=LOOSE)

    def told(first: FirstRun) -> None:
        print(json.dumps({"first_run": f"/first-run/{first.kept.setup_code}"}), flush=True)  # noqa: T201

    settings = Settings.from_env({"POINTSBANK_DATA": str(folder), "POINTSBANK_PORT": str(port)})
    await server.serve(settings, asks=told)


if __name__ == "__main__":
    if sys.argv[3] == "nothing":
        asyncio.run(serve_nothing(Path(sys.argv[1]), int(sys.argv[2])))
    else:
        asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
