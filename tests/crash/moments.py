"""Long pieces of work whose process is killed in the middle: at the n-th of the moments that count for each.

While the work goes on others spend points, and write down in the data folder what they were told.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

from migrations import _lib
from pointsbank.app import backup
from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.db import postgres, sqlite
from pointsbank.kit.errors import Refusal
from pointsbank.kit.settings import Settings
from pointsbank.ledger import actions, actions_expiry, actions_periods
from pointsbank.ledger.rules_periods import AlreadyClosed, EarlierMonthOpen
from tests import made_up

SPENDERS, PAUSE_SECONDS = 8, 0.005
WATCH_SECONDS = 0.0001
TOLD, FINISHED = "told", "finished"
OPEN_PERIOD = "SELECT id FROM ledger_period WHERE closed_at IS NULL"
Wanted = dict[str, Any]


class Moments:
    """Counts, and at the n-th ends the process without a word; with 0 never."""

    def __init__(self, fatal: int) -> None:
        self.left = fatal

    def come(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, module: Any, name: str) -> None:
        called = getattr(module, name)

        def noted(*args: Any, **facts: Any) -> Any:
            self.come()
            return called(*args, **facts)

        setattr(module, name, noted)

    def after_statement(self, sql: str) -> None:
        for client in (sqlite.InlineClient, postgres.Statements):
            client.run = self._noting(client.run, sql)

    def _noting(self, run: Callable[..., Awaitable[int]], wanted: str) -> Callable[..., Awaitable[int]]:
        async def noted(client: Any, sql: str, /, *values: Any) -> int:
            count = await run(client, sql, *values)
            if sql == wanted:
                self.come()
            return count

        return noted

    def after_each_operation(self) -> None:
        async def apply(migration: Any, state: Any, *, schema_editor: Any = None, **_: Any) -> Any:
            for operation in migration.operations:
                if not isinstance(operation, _lib.StateOnly):
                    await operation.database_forward(migration.app_label, state, state, schema_editor)
                    self.come()
            return state

        _lib.HandWritten.apply = apply


async def migrate(settings: Settings, moments: Moments) -> None:
    moments.after_each_operation()
    await databases.migrate(settings)


async def expire(_settings: Settings, moments: Moments) -> None:
    moments.before(actions_expiry, "take_from_lot")
    while await db.write(actions_expiry.expire_due):
        pass


async def close_month(_settings: Settings, moments: Moments) -> None:
    moments.after_statement(actions_periods.COUNT)
    moments.after_statement(actions_periods.BEGIN)
    with contextlib.suppress(AlreadyClosed, EarlierMonthOpen):
        await db.write(actions_periods.close, community_id=1, month=date(2026, 10, 1))
    for (period_id,) in await db.rows(OPEN_PERIOD):
        while await db.write(actions_periods.count, period_id=period_id):
            pass


async def back_up(settings: Settings, moments: Moments) -> None:
    """As the daily backup does it; also when a killed one has left a manifest without its copy."""
    for name in ("_copy_live", "look", "_put"):
        moments.before(backup, name)
    file = backup_of(settings)
    if not file.exists():
        backup.manifest_of(file).unlink(missing_ok=True)
        await backup.make(settings, file)


def backup_of(settings: Settings) -> Path:
    return settings.data / "today.db"


OUTSIDE = {"migration", "backup"}
"""What the program does in a process of its own, beside the one that has the database open."""
WORKS = {"migration": migrate, "expiry": expire, "month": close_month, "backup": back_up}


async def spend(told: TextIO, account_id: int, member_id: int, key: str) -> None:
    try:
        await db.write(
            actions.spend, community_id=1, account_id=account_id, points=1, outlet_id=1, posting_key=key,
            member_id=member_id, source=("tests", "spending", 1), summary="食用盐", request_key=key,
        )  # fmt: skip
    except Refusal:
        return
    told.write(f"{key}\n")


async def _spend_on(told: TextIO, which: int, accounts: list[tuple[int, int]]) -> None:
    for number in itertools.count():
        await spend(told, *accounts[which % len(accounts)], f"spent-{os.getpid()}-{which}-{number}")
        await asyncio.sleep(PAUSE_SECONDS)


@contextlib.asynccontextmanager
async def spending(told: TextIO, accounts: list[tuple[int, int]]) -> AsyncIterator[None]:
    """Others spend while the block runs; the first was answered before, however soon the end comes."""
    await spend(told, *accounts[0], f"spent-{os.getpid()}-first")
    spenders = [asyncio.create_task(_spend_on(told, at, accounts)) for at in range(SPENDERS)]
    yield
    for spender in spenders:
        spender.cancel()
    await asyncio.gather(*spenders, return_exceptions=True)


def commit_each_statement() -> None:
    """What must never be: the test of the tests."""
    said = sqlite.Writer.__init__

    def careless(writer: sqlite.Writer, client: sqlite.InlineClient, *others: Any) -> None:
        said(writer, client, *others)
        bounds = ("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")
        writer.execute = lambda sql: None if sql.startswith(bounds) else client.execute(sql)

    sqlite.Writer.__init__ = careless


async def work(wanted: Wanted) -> None:
    settings, moments = Settings.from_env(wanted["env"]), Moments(wanted["fatal"])
    made_up.overlook()
    if wanted.get("careless"):
        commit_each_statement()
    with (settings.data / TOLD).open("a", buffering=1) as told:
        if wanted["work"] in OUTSIDE:
            await WORKS[wanted["work"]](settings, moments)
        else:
            crypto.hold(crypto.Keys(bytes(range(32))))
            clock = FixedClock(datetime.fromisoformat(wanted["now"]))
            async with databases.opened(settings, clock), spending(told, wanted["accounts"]):
                await WORKS[wanted["work"]](settings, moments)
        told.write(f"{FINISHED}\n")


def die_in_a_checkpoint(path: Path, fatal: int) -> None:
    """Each commit is followed by a checkpoint, and nothing else writes the main file."""
    sqlite._WRITE["wal_autocheckpoint"] = 1
    moments = Moments(fatal)

    def watch() -> None:
        seen = path.stat().st_mtime_ns
        while True:
            if (now := path.stat().st_mtime_ns) != seen:
                seen = now
                moments.come()
            time.sleep(WATCH_SECONDS)

    threading.Thread(target=watch, daemon=True).start()
