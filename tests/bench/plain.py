"""The writer in process against plain `sqlite3`, which replays the very statements that the writer made of them.

The statements are noted down in a run of their own. Then, round by round, the writer and the replay each get a fresh
copy of the database and do the same orders and check-ins.
"""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Any

from pointsbank.app import database as databases
from pointsbank.app import server
from pointsbank.events import actions_attendance as attendance
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import sqlite
from pointsbank.kit.db.command import Command
from pointsbank.kit.settings import Settings
from pointsbank.redemption import actions as redemption
from tests.bench.commands import CheckIn, Order
from tests.bench.town import CLIENTS, Town

Statements = list[tuple[str, tuple[Any, ...]]]

BATCH = sqlite.Writer.BATCH_MAX
BALANCES = "SELECT id, balance FROM ledger_account ORDER BY id"


def settings_of(folder: Path) -> Settings:
    return Settings.from_env({"POINTSBANK_DATA": str(folder)})


def fresh(origin: Path, folder: Path) -> Path:
    """A copy that is on disk, so that the first commit need not wait for it to be written."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(origin, folder)
    descriptor = os.open(folder / databases.FILE_NAME, os.O_RDWR)
    os.fsync(descriptor)
    os.close(descriptor)
    return folder


@contextlib.contextmanager
def recorded() -> Generator[list[Statements], None, None]:
    """What each command says to the database meanwhile."""
    commands: list[Statements] = []
    step, names = sqlite.Writer._step, ("row", "rows", "run")
    calls = {name: getattr(sqlite.InlineClient, name) for name in names}

    def noted_step(writer: sqlite.Writer, command: Command, now: datetime) -> Any:
        commands.append([])
        return step(writer, command, now)

    def noted(call: Callable[..., Any]) -> Callable[..., Any]:
        def asked(client: sqlite.InlineClient, sql: str, *values: Any) -> Any:
            if not client.reads_only:
                commands[-1].append((sql, values))
            return call(client, sql, *values)

        return asked

    sqlite.Writer._step = noted_step
    for name in names:
        setattr(sqlite.InlineClient, name, noted(calls[name]))
    try:
        yield commands
    finally:
        sqlite.Writer._step = step
        for name in names:
            setattr(sqlite.InlineClient, name, calls[name])


async def through_writer(action: Callable[..., Any], asked: Sequence[dict[str, Any]]) -> float:
    """Commands a second with 64 clients."""
    queue = iter(asked)

    async def client() -> None:
        for facts in queue:
            await db.write(action, **facts)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(asked) / (time.perf_counter() - began)


def replay(connection: sqlite3.Connection, commands: Sequence[Statements]) -> float:
    """Commands a second, 32 a commit, a savepoint each."""
    execute, began = connection.execute, time.perf_counter()
    for first in range(0, len(commands), BATCH):
        execute("BEGIN IMMEDIATE")
        for statements in commands[first : first + BATCH]:
            execute("SAVEPOINT command")
            for sql, values in statements:
                execute(sql, values).fetchall()
            execute("RELEASE command")
        execute("COMMIT")
    return len(commands) / (time.perf_counter() - began)


class InProcess:
    def __init__(self, origin: Path, town: Town, orders: Sequence[Order], check_ins: Sequence[CheckIn]) -> None:
        self.origin, self.copy = origin, origin.with_name("copy")
        self.orders = [order.facts(town) for order in orders]
        self.check_ins = [check_in.facts(town) for check_in in check_ins]

    async def record(self) -> None:
        """Note down the statements, and which balances they lead to."""
        async with databases.opened(settings_of(fresh(self.origin, self.copy)), Clock()):
            with recorded() as self.order_statements:
                await through_writer(redemption.order, self.orders)
            with recorded() as self.check_in_statements:
                await through_writer(attendance.check_in, self.check_ins)
            self.balances = [tuple(found) for found in await db.rows(BALANCES)]
        server.quiet_collector()

    @property
    def statements_of_an_order(self) -> float:
        return fmean(len(statements) for statements in self.order_statements)

    async def by_writer(self) -> tuple[float, float]:
        """Orders and check-ins a second."""
        async with databases.opened(settings_of(fresh(self.origin, self.copy)), Clock()):
            orders = await through_writer(redemption.order, self.orders)
            return orders, await through_writer(attendance.check_in, self.check_ins)

    def plainly(self) -> tuple[float, float]:
        """The same by a connection with the writer's own settings and nothing around it."""
        path = fresh(self.origin, self.copy) / databases.FILE_NAME
        connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        for name, value in sqlite._WRITE.items():
            connection.execute(f"PRAGMA {name}={value}")
        rates = replay(connection, self.order_statements), replay(connection, self.check_in_statements)
        assert connection.execute(BALANCES).fetchall() == self.balances, "the replay went astray"
        connection.close()
        return rates
