"""Processes that race: each waits for the word, and then asks for all its commands at once.

python -m tests.races.racer SOCKET COUNT. Whoever set the race talks to each through the socket, a line at a time. On
PostgreSQL a racer writes by itself, like one of several servers; on SQLite, where one process writes, it sends each
command there, like a client.
"""

import asyncio
import base64
import os
import pickle
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pointsbank.app import database as databases
from pointsbank.app import shell
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.db import Actor, Tx
from pointsbank.kit.errors import Refusal
from pointsbank.kit.settings import Settings
from pointsbank.ledger.rules import NotEnoughPoints

LIMIT = 2**24
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Command:
    action: Callable[..., Any]
    facts: dict[str, Any]
    actor: Actor = field(default_factory=Actor)
    key: str | None = None


@dataclass(frozen=True)
class Setting:
    """What a racer opens; without a database's address it sends its commands to the one who writes."""

    settings: Settings
    secret: bytes
    moment: datetime


async def outcome(command: Command) -> Any:
    """What was answered; a refusal by its code, whatever else by what it is called."""
    try:
        return await db.write(command.action, actor=command.actor, request_key=command.key, **command.facts)
    except Refusal as refused:
        return refused.code
    except Exception as error:  # noqa: BLE001  the judge says what may be
        return f"{type(error).__name__}: {error}"


async def spend_without_guard(tx: Tx, *, account_id: int, points: int) -> None:
    """What must never be: read, decide, write back. The test of the test."""
    found = await tx.row("SELECT balance FROM ledger_account WHERE id = ?", account_id)
    assert found is not None
    if found["balance"] < points:
        raise NotEnoughPoints(missing=points - found["balance"])
    await tx.run("UPDATE ledger_account SET balance = ? WHERE id = ?", found["balance"] - points, account_id)


def line(said: Any) -> bytes:
    return base64.b64encode(pickle.dumps(said)) + b"\n"


async def heard(streams: Streams) -> Any:
    said = await streams[0].readline()
    return pickle.loads(base64.b64decode(said)) if said else None


async def send(streams: Streams, command: Command) -> Any:
    streams[1].write(line(command))
    return await heard(streams)


async def race(path: str) -> None:
    """Until whoever set it hangs up."""
    control = await asyncio.open_unix_connection(path, limit=LIMIT)
    control[1].write(line("racer"))
    setting: Setting = await heard(control)
    async with AsyncExitStack() as stack:
        if setting.settings.database_url:
            crypto.hold(crypto.Keys(setting.secret))
            await stack.enter_async_context(databases.opened(setting.settings, FixedClock(setting.moment)))
        commands: Sequence[Command] | None
        while (commands := await heard(control)) is not None:
            lanes = []
            if not setting.settings.database_url:
                lanes = [await asyncio.open_unix_connection(path, limit=LIMIT) for _ in commands]
            control[1].write(line("ready"))
            assert await heard(control) == "go"
            if lanes:
                asked = [send(lane, command) for lane, command in zip(lanes, commands, strict=True)]
            else:
                asked = [outcome(command) for command in commands]
            control[1].write(line(await asyncio.gather(*asked)))
            for _, writer in lanes:
                writer.close()


def main() -> None:
    """Import once, then be as many as were asked for."""
    path, count = sys.argv[1], int(sys.argv[2])
    for _ in range(count - 1):
        if os.fork() == 0:
            break
    shell.run(race(path))


if __name__ == "__main__":
    main()
