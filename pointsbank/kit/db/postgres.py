"""PostgreSQL: each command is its own transaction on the pool, in a task that its caller cannot cancel."""

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base_postgres.client import translate_exceptions

from pointsbank.kit.clock import Clock
from pointsbank.kit.db.command import (
    Again,
    Command,
    Misuse,
    Replay,
    Row,
    Tx,
    acting,
    is_stored,
    perform,
    store_refusal,
)
from pointsbank.kit.db.sqlite import NEST, READ, WRITE
from pointsbank.kit.errors import Busy, NotWritten, Refusal, said_by_table

_NO_WRITES = {"default_transaction_read_only": "on"}
LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
"""What is heard while the server is away, stops, starts or has no room: it passes, and nothing was done."""


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    def get_reset_query(self) -> str:
        return ""  # a round trip less for each command: we leave nothing behind in a session


def connections(url: str) -> dict[str, Any]:
    """Tortoise's configuration of the three pools for `postgres://user:password@host:port/database`.

    A query part is handed on, so `?host=/folder` names a unix socket.
    """
    parts = urlsplit(url)
    where: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "database": parts.path.lstrip("/"),
        **dict(parse_qsl(parts.query)),
    }

    def pool(size: int, **limits: str) -> dict[str, Any]:
        settings = {"lock_timeout": "3s", "timezone": "UTC", **limits}
        credentials = {**where, "maxsize": size, "statement_cache_size": 512, "connection_class": Connection}
        return {"engine": __name__, "credentials": {**credentials, "server_settings": settings}}

    return {"write": pool(16), "read": pool(8, **_NO_WRITES), "slow": pool(2, **_NO_WRITES)}


def get_client_class(_info: dict[str, Any]) -> type[AsyncpgDBClient]:
    """Tortoise asks this of the module that a connection names as its engine."""
    return PostgresClient


@functools.lru_cache(4096)
def dollars(sql: str) -> str:
    """Write `?` as $1, $2 …; a `?` inside quotes stays."""
    number = iter(range(1, 10_000))
    return re.sub(r"'[^']*'|\?", lambda hit: f"${next(number)}" if hit[0] == "?" else hit[0], sql)


class Statements:
    """The three calls that Tx and the read path use."""

    acquire_connection: Any

    @translate_exceptions
    async def call(self, method: str, sql: str, values: Sequence[Any]) -> Any:
        for value in values:  # asyncpg would take a naive one for the machine's own time
            assert not isinstance(value, datetime) or value.tzinfo is not None, "a moment needs its zone"
        async with self.acquire_connection() as connection:
            try:
                return await getattr(connection, method)(dollars(sql), *values)
            except asyncpg.IntegrityConstraintViolationError as error:
                raise said_by_table(str(error)) or error from error

    async def row(self, sql: str, /, *values: Any) -> Row | None:
        found: Row | None = await self.call("fetchrow", sql, values)
        return found

    async def rows(self, sql: str, /, *values: Any) -> list[Row]:
        found: list[Row] = await self.call("fetch", sql, values)
        return found

    async def run(self, sql: str, /, *values: Any) -> int:
        return int((await self.call("execute", sql, values)).rpartition(" ")[2])

    def _in_transaction(self) -> Any:
        raise Misuse(NEST)


class ActionClient(Statements, TransactionWrapper):
    """What an action holds as tx.db; remembers a failed statement, after which COMMIT would roll back in silence."""

    shut: str | None = None

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._translate_exceptions(func, *args, **kwargs)
        except Exception as error:
            for said in (error, error.__cause__):
                if isinstance(said, asyncpg.PostgresError):
                    said.detail = None  # it quotes the row, of which no log is to tell
            self.shut = f"this action went on after a failed statement ({error})"
            if isinstance(error.__cause__, asyncpg.ReadOnlySQLTransactionError):  # a standby, or under repair
                raise NotWritten from error
            raise


class PostgresClient(Statements, AsyncpgDBClient):
    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super()._translate_exceptions(func, *args, **kwargs)
        except LOST as error:
            raise Busy from error

    def acquire_connection(self) -> Any:
        if acting.get():
            raise Misuse(READ)
        if self.connection_name == "write":
            raise Misuse(WRITE)
        return super().acquire_connection()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Callable[..., Awaitable[list[Row]]]]:
        async with self.acquire_connection() as connection:

            async def rows(sql: str, *values: Any) -> list[Row]:
                found: list[Row] = await connection.fetch(dollars(sql), *values)
                return found

            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield rows


class Runner:
    """Retries what PostgreSQL asks to retry; a body may run again, so it has no effect outside its transaction."""

    RETRY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)
    TRIES, QUEUE_MAX = 5, 2_000

    def __init__(self, client: PostgresClient, clock: Clock) -> None:
        self.client, self.clock = client, clock
        self.tasks: set[asyncio.Task[Any]] = set()
        self.closing = False
        self.forget: Callable[[Iterable[str]], None] = lambda _names: None

    def submit(self, command: Command) -> asyncio.Future[Any]:
        if self.closing or len(self.tasks) >= self.QUEUE_MAX:
            raise Busy
        task = asyncio.create_task(self._attempts(command))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return asyncio.shield(task)

    async def _attempts(self, command: Command) -> Any:
        acting.set(True)
        for tries_left in reversed(range(self.TRIES)):
            try:
                return await self._once(command)
            except self.RETRY as error:
                if not tries_left:
                    raise NotWritten from error
            except LOST as error:
                raise NotWritten from error
        raise AssertionError("unreachable")

    async def _once(self, command: Command) -> Any:
        try:
            return await self._transaction(command, perform)
        except Again as again:
            raise again.refusal from None
        except Refusal as refused:
            if not is_stored(command, refused):
                raise
            return await self._stored_refusal(command, refused)

    async def _stored_refusal(self, command: Command, refused: Refusal) -> Any:
        async def keep(tx: Tx, _command: Command) -> int:
            return await store_refusal(tx, command, refused)

        if await self._transaction(command, keep) == 0:
            # A twin with the same key came first: its answer counts.
            try:
                twin = await self._transaction(command, perform)
            except Again as again:
                raise again.refusal from None
            assert isinstance(twin, Replay)
            return twin
        raise refused

    async def _transaction(self, command: Command, body: Callable[[Tx, Command], Any]) -> Any:
        pool = self.client._pool  # noqa: SLF001  the runner is the other half of its client
        assert pool is not None
        async with pool.acquire() as connection:
            client = ActionClient(self.client)
            client._connection = connection  # noqa: SLF001  as Tortoise's own transaction context does
            tx = Tx(client, self.clock.now(), command.actor)
            try:
                async with connection.transaction():
                    result = await body(tx, command)
                    if client.shut:
                        raise Misuse(client.shut)
            except asyncpg.InterfaceError as error:
                # What asyncpg says when it cannot roll back, since the connection is gone.
                if isinstance(error.__context__, LOST):
                    raise ConnectionResetError from error
                raise
            self.forget(tx.stale)
            return result

    async def close(self) -> None:
        self.closing = True
        await asyncio.gather(*self.tasks, return_exceptions=True)
