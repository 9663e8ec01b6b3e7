"""A stable of servers: imports the program once and forks one server after another, so that each is up at once.

Reads a line of JSON for each server wanted, {"env": {…}, "hasty": false}, and answers with its process id. One that
is to die in its n-th checkpoint has "checkpoint": n; one that is to do a piece of work of `moments` has "work".
"""

import asyncio
import json
import os
import signal
import sys
from typing import Any

from pointsbank.app import database as databases
from pointsbank.app import server, shell
from pointsbank.kit.db import sqlite
from pointsbank.kit.settings import Settings
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


def run(wanted: dict[str, Any]) -> None:
    if "work" in wanted:
        shell.run(moments.work(wanted))
        return
    settings = Settings.from_env(wanted["env"])
    if wanted["hasty"]:
        sqlite.Writer._one_batch = answer_before_commit
    if wanted["checkpoint"]:
        moments.die_in_a_checkpoint(databases.path_of(settings), wanted["checkpoint"])
    shell.run(server.serve(settings))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            run(wanted)
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
