"""SQLite: statements complete at once on the event loop's thread, commands share a commit, COMMIT has a thread."""

import asyncio
import contextlib
import functools
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

from tortoise.backends.sqlite.client import SqliteClient
from tortoise.backends.sqlite.executor import SqliteExecutor
from tortoise.exceptions import IntegrityError, OperationalError

from pointsbank.kit.clock import Clock
from pointsbank.kit.db.command import Again, Command, Misuse, Row, Tx, acting, is_stored, perform, store_refusal
from pointsbank.kit.errors import Busy, NotWritten, Refusal, said_by_table

log = logging.getLogger(__name__)

WRITE = "only an action writes: await db.write(action, …), and inside it tx or using_db=tx.db"
READ = "an action reads through tx or using_db=tx.db: elsewhere it would miss its own rows"
FAILURES = (sqlite3.IntegrityError, sqlite3.OperationalError)
# The disk is full, lost or may not be written: nobody's programming error, and it may pass.
OF_THE_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
NEST = "an action is one transaction: call another action with the same tx"

# What each connection is for: architecture, section 4. The reading one has room for the accounts and live lots of
# 100,000 passbooks; with half of it a balance among them took twice as long as among a few.
_COMMON = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "ON", "temp_store": "MEMORY"}
_WRITE = {**_COMMON, "cache_size": -32_768, "journal_size_limit": 67_108_864, "wal_autocheckpoint": 4_000}
_READ = {**_COMMON, "cache_size": -32_768, "wal_autocheckpoint": 0, "query_only": "ON"}
_SLOW = {**_READ, "cache_size": -8_192}


def connections(path: str, *, reads_only: bool = False) -> dict[str, Any]:
    """Tortoise's configuration of the three connections; with `reads_only` none of them writes or checkpoints."""
    return {
        "write": {"engine": __name__, "credentials": {"file_path": path, **(_READ if reads_only else _WRITE)}},
        "read": {"engine": __name__, "credentials": {"file_path": path, **_READ}},
        "slow": {"engine": f"{__name__}_slow", "credentials": {"file_path": path, **_SLOW}},
    }


def get_client_class(_info: dict[str, Any]) -> type[SqliteClient]:
    """Tortoise asks this of the module that a connection names as its engine."""
    return InlineClient


@functools.lru_cache(maxsize=64)
def moment_text(value: datetime) -> str:
    """One zone and one width, so that text sorts as time does. Remembered: an action writes its own time many times."""
    assert value.tzinfo is not None, "a moment needs its zone"
    return value.astimezone(UTC).isoformat(" ", "microseconds")


@functools.lru_cache(maxsize=1_024)
def _moment(raw: bytes) -> datetime:
    """Remembered: an evening's check-ins read the same two times of the same activity."""
    return datetime.fromisoformat(raw.decode())


def _nothing(value: None) -> None:
    return value


def register_types() -> None:
    """Columns declared MOMENT, DAY and BOOLEAN read back as they do on PostgreSQL."""
    sqlite3.register_adapter(datetime, moment_text)
    sqlite3.register_adapter(date, date.isoformat)
    # What is stored as it is, is told so: where `sqlite3` finds no adapter it looks for two methods that nobody has,
    # by way of an exception, for each such value of each statement.
    sqlite3.register_adapter(bytes, bytes)
    sqlite3.register_adapter(bool, int)
    sqlite3.register_adapter(type(None), _nothing)
    sqlite3.register_converter("moment", _moment)
    sqlite3.register_converter("day", lambda raw: date.fromisoformat(raw.decode()))
    sqlite3.register_converter("boolean", lambda raw: raw == b"1")


register_types()


class InlineExecutor(SqliteExecutor):
    async def _execute_prefetch_queries(self, instance_list: Iterable[Any]) -> list[Any]:
        # Tortoise gathers tasks here, which an action cannot wait for.
        instances = list(instance_list)
        if instances and (self.prefetch_map or self._prefetch_queries):
            self._make_prefetch_queries()
            for name, queries in self._prefetch_queries.items():
                for query in queries:
                    await self._do_prefetch(instances, name, query)
        return instances


class InlineClient(SqliteClient):
    """Tortoise's SQLite client over `sqlite3`, without a thread hop per statement.

    The writing one is shut outside a step of the writer, and shuts itself when a statement fails.
    """

    executor_class = InlineExecutor
    _connection: sqlite3.Connection  # type: ignore[assignment]  # the parent's is aiosqlite's

    async def create_connection(self, with_db: bool) -> None:  # noqa: ARG002  Tortoise's signature
        self.reads_only = "query_only" in self.pragmas
        self.shut = None if self.reads_only else WRITE
        self._connection = sqlite3.connect(
            self.filename,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
            detect_types=sqlite3.PARSE_DECLTYPES,
        )
        self._connection.row_factory = sqlite3.Row
        # One cursor for all that is written: a new one for each of an order's 26 statements takes a fiftieth of it.
        # Whoever reads gets new ones: what `row` leaves unread would keep its snapshot, and the log behind it, alive.
        self.execute = (self._connection if self.reads_only else self._connection.cursor()).execute
        for name, value in self.pragmas.items():
            self._connection.execute(f"PRAGMA {name}={value}")

    async def close(self) -> None:
        if self._connection is not None:  # None when opening failed
            self._connection.close()

    def _in_transaction(self) -> Any:
        raise Misuse(NEST)

    def _failed(self, error: sqlite3.IntegrityError | sqlite3.OperationalError) -> Exception:
        """What a failed statement raises; the writing client is shut from here to the end of the step."""
        if (refusal := said_by_table(str(error))) is not None:
            return refusal
        if isinstance(error, sqlite3.IntegrityError):
            failed: Exception = IntegrityError(error)
        elif not self.reads_only and error.sqlite_errorcode & 0xFF in OF_THE_DISK:
            log.error("nothing was written: %s", error)
            failed = _not_written(error)
        else:
            is_write = error.sqlite_errorcode == sqlite3.SQLITE_READONLY
            failed = Misuse(WRITE) if is_write else OperationalError(error)
        if not self.reads_only:
            self.shut = f"this action went on after a failed statement ({failed}): PostgreSQL would not allow it"
        return failed

    # Three times the same, and each whole: these are most of what an action does.
    async def row(self, sql: str, /, *values: Any) -> Row | None:
        if self.shut or (self.reads_only and acting.get()):
            raise Misuse(self.shut or READ)
        try:
            return self.execute(sql, values).fetchone()  # type: ignore[no-any-return]  # sqlite3 says Any
        except FAILURES as error:
            raise self._failed(error) from error

    async def rows(self, sql: str, /, *values: Any) -> list[Row]:
        if self.shut or (self.reads_only and acting.get()):
            raise Misuse(self.shut or READ)
        try:
            return self.execute(sql, values).fetchall()
        except FAILURES as error:
            raise self._failed(error) from error

    async def run(self, sql: str, /, *values: Any) -> int:
        if self.shut or (self.reads_only and acting.get()):
            raise Misuse(self.shut or READ)
        try:
            return self.execute(sql, values).rowcount
        except FAILURES as error:
            raise self._failed(error) from error

    # The next four are what the ORM calls.
    def _cursor(self, sql: str, values: Sequence[Any], *, many: bool = False) -> sqlite3.Cursor:
        if self.shut or (self.reads_only and acting.get()):
            raise Misuse(self.shut or READ)
        try:
            return self._connection.executemany(sql, values) if many else self.execute(sql, values)
        except FAILURES as error:
            raise self._failed(error) from error

    async def execute_query(self, query: str, values: list[Any] | None = None) -> tuple[int, Sequence[Any]]:
        cursor = self._cursor(query, values or ())
        found = cursor.fetchall()
        return (len(found) if cursor.rowcount < 0 else cursor.rowcount), found

    async def execute_query_dict(self, query: str, values: list[Any] | None = None) -> list[dict[str, Any]]:
        return [dict(found) for found in self._cursor(query, values or ())]

    async def execute_insert(self, query: str, values: list[Any]) -> int:
        return self._cursor(query, values).lastrowid or 0

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        self._cursor(query, values, many=True)


def drive(name: str, coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run an action to its end, now."""
    try:
        while (waited := coroutine.send(None)) is None:
            pass  # a bare yield: the ORM makes one every 2,000 rows
    except StopIteration as done:
        return done.value
    waited.add_done_callback(lambda future: future.cancelled() or future.exception())
    waited.cancel()
    coroutine.close()
    raise Misuse(f"{name} waited for {type(waited).__name__}: an action awaits nothing but its own statements")


class Writer:
    """One per process. Commands share a commit, each in its own savepoint; answers go out after COMMIT has returned."""

    BATCH_MAX, QUEUE_MAX, LOCK_SECONDS = 32, 2_000, 2.0

    def __init__(self, client: InlineClient, clock: Clock) -> None:
        self.client, self.clock = client, clock
        self.execute = client.execute
        self.closing = False
        self.forget: Callable[[Iterable[str]], None] = lambda _names: None
        self.stale: list[str] = []
        self.waiting: deque[tuple[Command, asyncio.Future[Any]]] = deque()
        self.wake = asyncio.Event()
        self.thread = ThreadPoolExecutor(1, "commit")
        self.task = asyncio.create_task(self._work())  # the app watches it: when the writer dies, the process stops

    def submit(self, command: Command) -> asyncio.Future[Any]:
        if self.closing or self.task.done() or len(self.waiting) >= self.QUEUE_MAX:
            raise Busy
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting.append((command, answer))
        self.wake.set()
        return answer

    async def _work(self) -> None:
        acting.set(True)
        try:
            while self.waiting or not self.closing:
                if self.waiting:
                    size = min(len(self.waiting), self.BATCH_MAX)
                    await self._one_batch([self.waiting.popleft() for _ in range(size)])
                else:
                    self.wake.clear()
                    await self.wake.wait()
        finally:  # nobody waits here, unless the writer died
            self._hand_out(self.waiting, [NotWritten() for _ in self.waiting])

    async def _one_batch(self, batch: list[tuple[Command, asyncio.Future[Any]]]) -> None:
        results: list[Any] = []
        self.stale = []
        try:
            await self._begin()
            now = self.clock.now()  # commands of one commit share their moment, which is then spelled once
            results = [self._step(command, now) for command, _ in batch]
            await self._commit()
        except BaseException as failure:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back by itself: disk full, I/O error
                self.execute("ROLLBACK")
            log.error("nothing was written: %s", failure)  # noqa: TRY400  the disk's one line
            results = [_not_written(failure) for _ in batch]
            if not isinstance(failure, Exception):
                raise
        else:
            self.forget(self.stale)
        finally:
            self._hand_out(batch, results)

    @staticmethod
    def _hand_out(batch: Iterable[tuple[Command, asyncio.Future[Any]]], results: list[Any]) -> None:
        for (_, answer), result in zip(batch, results, strict=True):
            if answer.done():
                continue  # its caller has gone; the command counts all the same
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)

    async def _begin(self) -> None:
        until = time.monotonic() + self.LOCK_SECONDS
        while True:  # a shell or a backup tool may hold the lock: wait for it without holding up the loop
            try:
                self.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            else:
                return
            await asyncio.sleep(0.01)

    def _step(self, command: Command, now: datetime) -> Any:
        self.execute("SAVEPOINT command")
        tx = Tx(self.client, now, command.actor)
        try:
            result = self._drive(command, perform(tx, command))
            self.stale += tx.stale
        except Again as again:
            self.execute("ROLLBACK TO command")
            result = again.refusal
        except Exception as refused:  # noqa: BLE001  whatever it is, it belongs to this command's caller
            # This fails if SQLite rolled everything back by itself: then the whole batch must fail.
            self.execute("ROLLBACK TO command")
            result = self._stored(tx, command, refused)
        self.execute("RELEASE command")
        return result

    def _stored(self, tx: Tx, command: Command, refused: Exception) -> Exception:
        if isinstance(refused, Refusal) and is_stored(command, refused):
            try:
                self._drive(command, store_refusal(tx, command, refused))
            except Exception as failed:  # noqa: BLE001  the others of the batch have no part in it
                self.execute("ROLLBACK TO command")
                return failed
        return refused

    def _drive(self, command: Command, coroutine: Coroutine[Any, Any, Any]) -> Any:
        self.client.shut = None
        try:
            result = drive(command.action.__qualname__, coroutine)
            if self.client.shut:
                raise Misuse(self.client.shut)
            return result
        finally:
            self.client.shut = WRITE

    async def _commit(self) -> None:
        fsync = asyncio.get_running_loop().run_in_executor(self.thread, self.execute, "COMMIT")
        while not fsync.done():
            try:
                await asyncio.wait({fsync})
            except asyncio.CancelledError:  # the process is going down, but this batch is owed a true answer
                self.closing = True
        fsync.result()

    async def close(self) -> None:
        self.closing = True
        self.wake.set()
        await asyncio.wait({self.task})  # should it have died, the app has seen that; here everything is closed
        self.thread.shutdown()
        if not self.client.reads_only:
            self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # unread it would keep the file open


def _not_written(cause: BaseException) -> NotWritten:
    refusal = NotWritten()
    refusal.__cause__ = cause
    return refusal
