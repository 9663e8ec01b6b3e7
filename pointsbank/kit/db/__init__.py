"""The write path and the read path, alike on SQLite and PostgreSQL.

`await write(action, actor=…, request_key=…, **facts)` runs an action: `async def action(tx, *, …)`; with `@reads(…)`
it says which facts are made ready before its turn.
`row`, `rows` and the ORM read committed data; `slow_rows` is for pages that read hundreds of rows, `snapshot` for
what must read with many statements as of one moment.
One database is open per process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Concatenate, ParamSpec, TypeVar

from tortoise import Tortoise
from tortoise import models as orm
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection

from pointsbank.kit.clock import Clock
from pointsbank.kit.db import postgres, sqlite
from pointsbank.kit.db.command import (
    NOBODY,
    Actor,
    Misuse,
    Replay,
    Row,
    Tx,
    acting,
    prepare,
    reads,
)

__all__ = [
    "NOBODY",
    "Actor",
    "Misuse",
    "Row",
    "Tx",
    "config",
    "reads",
    "replayed",
    "row",
    "rows",
    "slow_rows",
    "snapshot",
    "write",
]

# Tortoise reads the source of each model for comments of columns, which no migration of ours writes: most of what
# opening the first database takes.
orm._get_comments = lambda cls: {}  # noqa: ARG005, SLF001  there is no other door

P = ParamSpec("P")
R = TypeVar("R")

replayed: ContextVar[bool] = ContextVar("replayed", default=False)
"""True in the caller's task while its latest `write` was answered from a stored command."""


class Database:
    """The open database; `db.write` and its neighbours use the one that was opened last."""

    def __init__(self, writer: "sqlite.Writer | postgres.Runner", read: Any, slow: Any, write_client: Any) -> None:
        self.writer = writer
        self.read = read
        self.slow = slow
        self.write_client = write_client
        self.listeners: dict[str, list[Callable[[], None]]] = {}

    @property
    def is_sqlite(self) -> bool:
        return isinstance(self.writer, sqlite.Writer)

    @property
    def writer_task(self) -> asyncio.Task[None] | None:
        """What a server watches: when the SQLite writer ends, nothing can be written any more."""
        return self.writer.task if isinstance(self.writer, sqlite.Writer) else None

    def forget(self, names: Iterable[str]) -> None:
        for name in names:
            for listener in self.listeners.get(name, ()):
                listener()

    async def close(self) -> None:
        global _open  # noqa: PLW0603  one database is open per process
        try:
            await self.writer.close()
        finally:
            # The writing connection is closed last: whoever closes last checkpoints.
            for client in (self.read, self.slow, self.write_client):
                await client.close()
            await Tortoise.close_connections()
            _open = None


_open: Database | None = None


def is_open() -> bool:
    return _open is not None


def current() -> Database:
    """Return the open database."""
    assert _open is not None, "no database is open"
    return _open


def config(
    models: list[str],
    migrations: str,
    *,
    path: str | None = None,
    postgres_url: str | None = None,
    reads_only: bool = False,
) -> dict[str, Any]:
    """Tortoise's configuration: three connections, un-routed queries go to `read`, which cannot write.

    A SQLite file that another process writes to is opened with `reads_only`.
    """
    assert (path is None) != (postgres_url is None)
    if path is not None:
        connections = sqlite.connections(path, reads_only=reads_only)
    else:
        connections = postgres.connections(str(postgres_url))
    app = {"models": models, "default_connection": "read", "migrations": migrations}
    return {"connections": connections, "apps": {"models": app}, "use_tz": True}


async def open_database(settings: dict[str, Any], clock: Clock) -> Database:
    """Open a migrated database; the caller closes it, also when its own start-up fails later."""
    global _open  # noqa: PLW0603  one database is open per process
    assert _open is None, "a database is open already"
    EXECUTOR_CACHE.clear()  # it keeps INSERT texts by connection name, even those of another kind of database
    await Tortoise.init(config=settings, _enable_global_fallback=True)
    clients = {name: get_connection(name) for name in ("write", "slow", "read")}
    try:
        for client in clients.values():
            await client.create_connection(with_db=True)
    except BaseException:
        # aiosqlite's thread is not a daemon: left open it would keep the process alive.
        await Tortoise.close_connections()
        raise
    write_client = clients["write"]
    writer: sqlite.Writer | postgres.Runner
    if isinstance(write_client, sqlite.InlineClient):
        writer = sqlite.Writer(write_client, clock)
    else:
        assert isinstance(write_client, postgres.PostgresClient)
        writer = postgres.Runner(write_client, clock)
    _open = Database(writer, clients["read"], clients["slow"], write_client)
    writer.forget = _open.forget
    return _open


def when_stale(name: str, listener: Callable[[], None]) -> None:
    """Call `listener` after each commit whose action said `tx.made_stale(name)`; it may only drop memory."""
    current().listeners.setdefault(name, []).append(listener)


async def write(
    action: Callable[Concatenate[Tx, P], Coroutine[Any, Any, R]],
    /,
    *,
    actor: Actor = NOBODY,
    request_key: str | None = None,
    **facts: Any,
) -> R:
    """Run an action as one transaction and answer after its commit.

    With a `request_key` the outcome is stored: a repeat by the same caller gets it again (`replayed` is then
    set), the same key with other facts is refused with KeyReused. Raises the action's Refusal, `Busy` when too
    much is waiting, `NotWritten` when nothing was stored.
    """
    if acting.get():
        raise Misuse("an action is one transaction: call another action with the same tx")
    replayed.set(False)
    outcome = await current().writer.submit(prepare(action, actor, request_key, facts))
    if isinstance(outcome, Replay):
        replayed.set(True)
        return outcome.value  # type: ignore[no-any-return]  # decoded with the action's own return type
    return outcome  # type: ignore[no-any-return]  # a queue of commands forgets their types


async def row(sql: str, *values: Any) -> Row | None:
    """Return the first row or None, from committed data."""
    return await current().read.row(sql, *values)  # type: ignore[no-any-return]  # the clients share no base class


async def rows(sql: str, *values: Any) -> list[Row]:
    """Return all rows, from committed data; for short lists only, since SQLite answers on the event loop."""
    return await current().read.rows(sql, *values)  # type: ignore[no-any-return]  # the clients share no base class


async def slow_rows(sql: str, *values: Any) -> list[Row]:
    """Return many rows without holding up the event loop."""
    return await current().slow.rows(sql, *values)  # type: ignore[no-any-return]  # the clients share no base class


@asynccontextmanager
async def snapshot() -> AsyncIterator[Callable[..., Awaitable[list[Row]]]]:
    """Many statements that read as of one moment, whatever is committed meanwhile: `async with … as rows`."""
    async with current().slow.snapshot() as rows:
        yield rows
