"""A stable of servers: joins the program once and forks one server after another, so that each is up at once.

Reads a line of JSON for each server wanted, {"env": {…}, "hasty": false}, and answers with its process id. One that
is to die in its n-th checkpoint has "checkpoint": n; one that is to do a piece of work of `moments` has "work".
"""

import asyncio
import functools
import json
import os
import signal
import sys
from typing import Any

from litestar.types import ASGIApp

from pointsbank.app import database as databases
from pointsbank.app import installation, server, shell, wiring
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import sqlite
from pointsbank.kit.settings import Settings
from tests import compiled
from tests.crash import moments

HASTY_SECONDS = 0.3  # long enough for a client on a busy machine to read its answer


async def answer_before_commit(writer: sqlite.Writer, batch: list[Any]) -> None:
    """What must never be: the test of the test."""
    await writer._begin()
    now = writer.clock.now()
    results = [writer._step(command, now) for command, _ in batch]
    writer._hand_out(batch, results)
    await asyncio.sleep(HASTY_SECONDS)
    await writer._commit()


@functools.lru_cache(maxsize=1)  # one ring at a time starts its server again and again
def joined(settings: Settings) -> ASGIApp:
    app = wiring.create_app(settings, Clock(), installation.Installation(is_demo=False))
    server.quiet_collector()  # here, or each fork would go through everything, and so take a copy
    return app


def run(wanted: dict[str, Any], app: ASGIApp | None) -> None:
    if "work" in wanted:
        shell.run(moments.work(wanted))
        return
    settings = Settings.from_env(wanted["env"])
    if wanted["hasty"]:
        sqlite.Writer._one_batch = answer_before_commit
    if wanted["checkpoint"]:
        moments.die_in_a_checkpoint(databases.path_of(settings), wanted["checkpoint"])
    server.wiring.create_app = lambda *_: app  # type: ignore[assignment]
    shell.run(server.serve(settings))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    compiled.keep_templates()
    server.quiet_collector()
    for line in sys.stdin:
        wanted = json.loads(line)
        app = None if "work" in wanted else joined(Settings.from_env(wanted["env"]))
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            run(wanted, app)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
