"""The program as `pointsbank serve` joins it, over a small town of its own, with a clock that a test moves.

Only tests start it, without arguments: it imports the program once and forks a server for each line of JSON that it
reads, {"folder": …, "port": …, "town": …}, so that each is up at once. It answers with the process's id; the server
writes down the facts of its town, beside the folder, when it is open. The folder of a town holds a migrated database.
"""

import asyncio
import functools
import json
import os
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
from pointsbank.ledger.sealing import Sealer
from pointsbank.web import render
from tests import compiled, passwords
from tests.browser import towns
from tests.world import LOOSE, NOON, World

TOWNS: dict[str, Callable[[World], Awaitable[dict[str, Any]]]] = {
    "story": towns.story,
    "full": towns.full,
    "paper": towns.paper,
    "cards": towns.cards,
    "table": towns.table,
}


def facts_of(folder: Path) -> Path:
    return folder.with_suffix(".facts")


def tell(folder: Path, facts: dict[str, Any]) -> None:
    """What the test waits for: whole, or not there."""
    half = folder.with_suffix(".half")
    half.write_text(json.dumps(facts), "utf-8")
    half.rename(facts_of(folder))


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
    done = await jobs.tick()
    await Sealer().run()
    return done


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
        tell(folder, facts)
        await server.serve()


async def serve_nothing(folder: Path, port: int) -> None:
    """As `pointsbank` does on an empty folder: the first run, then the bank; only the clock and its lever are ours."""
    clock = MovableClock(NOON)
    server.Clock = init.Clock = lambda: clock  # type: ignore[misc]  # the program asks for the time where it starts
    wiring.create_app = functools.partial(wiring.create_app, extra=[forward], limit=LOOSE)

    def told(first: FirstRun) -> None:
        tell(folder, {"first_run": f"/first-run/{first.kept.setup_code}"})

    settings = Settings.from_env({"POINTSBANK_DATA": str(folder), "POINTSBANK_PORT": str(port)})
    await server.serve(settings, asks=told)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    crypto._hasher = passwords.cheap
    compiled.keep_templates()
    for name in render.environment().list_templates():
        render.environment().get_template(name)
    server.quiet_collector()  # here, or each fork would go through everything, and so take a copy
    for line in sys.stdin:
        wanted = json.loads(line)
        folder, port, town = Path(wanted["folder"]), wanted["port"], wanted["town"]
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            asyncio.run(serve_nothing(folder, port) if town == "nothing" else serve(folder, port, town))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
