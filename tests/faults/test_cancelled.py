"""The caller goes away at every point at which it waits: the next query answers, the pool is whole, and what was asked
is done wholly or not at all; asked again under its key, it is done once.
"""

import asyncio
import hashlib
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from pointsbank.kit import db
from pointsbank.kit.db import sqlite
from tests.changes import CHANGES, IN_OTHER_WORDS, STEPWISE
from tests.faults.senders import KEY, Sender, is_long, sampled

ORDERS = "/api/redemption/counters/{counter_id:int}/orders"
POINTS_MAX = 200
SECONDS_MAX = 10
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
TABLES_POSTGRES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
STORED = "SELECT COUNT(*) FROM command WHERE request_key = ?"
UNKEPT = {"command", "people_session"}  # refusals are kept; a session's last use is no part of a command


class Leaving:
    """Awaits a coroutine, and is cancelled when that waits for the `at`-th time."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: int) -> None:
        self.coroutine, self.at, self.waits = coroutine, at, 0

    def __await__(self) -> Generator[Any, Any, Any]:
        inner, step = self.coroutine.__await__(), None
        try:
            while True:
                waited = inner.send(None) if step is None else inner.throw(step)
                self.waits += 1
                if self.waits == self.at:
                    task = asyncio.current_task()
                    assert task is not None
                    task.cancel()
                step = None
                try:
                    yield waited
                except BaseException as thrown:  # noqa: BLE001  handed on, whatever it is
                    step = thrown
        except StopIteration as done:
            return done.value


async def leaves(coroutine: Coroutine[Any, Any, Any], at: int) -> bool:
    """Whether it came to be cancelled there; False when it had ended before."""
    leaving = Leaving(coroutine, at)

    async def ask() -> None:
        await leaving

    asked = asyncio.create_task(ask())
    await asyncio.wait({asked}, timeout=SECONDS_MAX)
    assert asked.done(), "it waits for ever"
    if not asked.cancelled():
        asked.result()
    return leaving.waits >= at


async def nothing(tx) -> None:
    await tx.row("SELECT 1")


async def settled(database: db.Database) -> list[str]:
    """Wait until whatever is under way has ended; says what is wrong then."""
    wrong = []
    try:
        async with asyncio.timeout(SECONDS_MAX):
            if database.is_sqlite:
                await db.write(nothing)
            else:
                await asyncio.gather(*database.writer.tasks, return_exceptions=True)
            await db.row("SELECT 1")
            await db.slow_rows("SELECT 1")
    except Exception as error:  # noqa: BLE001  what it is is what is asked
        wrong.append(f"the next one fails: {error!r}")
    if database.is_sqlite:
        if database.write_client._connection.in_transaction:
            wrong.append("a transaction was left open")
            database.write_client.execute("ROLLBACK")
    else:
        pools = [client._pool for client in (database.read, database.slow, database.write_client)]
        wrong += ["a connection is not given back" for pool in pools if pool.get_idle_size() != pool.get_size()]
    return wrong


async def state() -> dict[str, tuple[int, str]]:
    """How many rows each table has, and a hash of them."""
    names = await db.rows(TABLES if db.current().is_sqlite else TABLES_POSTGRES)
    found = {}
    for (name,) in names:
        if name not in UNKEPT:
            rows = sorted(repr(tuple(row)) for row in await db.slow_rows(f'SELECT * FROM "{name}"'))
            found[name] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def counts(found: dict[str, tuple[int, str]]) -> dict[str, int]:
    return {name: count for name, (count, _) in found.items()}


async def undisturbed(scene, path: str) -> dict[str, int]:
    async with scene() as opened:
        sender = Sender(opened, path)
        async with sender.visiting() as client:
            assert (await sender.send(client)).status_code in {200, 201, 303}
        return counts(await state())


async def faults_at(scene, path: str, at: int, expected: dict[str, int]) -> list[str] | None:
    """What is wrong after the caller has gone at this point; None when it does not wait so often."""
    async with scene() as opened:
        sender, before = Sender(opened, path), await state()
        async with sender.visiting() as client:
            if not await leaves(sender.send(client), at):
                return None
            wrong = await settled(opened.database)
            if wrong:
                return wrong
            (stored,) = await db.row(STORED, KEY)
            left = await state()
            if not stored and left != before and not (path in STEPWISE and counts(left) == expected):
                wrong.append("half done")
            again = await sender.send(client)
            if again.status_code not in {200, 201, 303} and not (stored and path in IN_OTHER_WORDS):
                wrong.append(f"asked again, it answers {again.status_code}")
            if counts(await state()) != expected:
                wrong.append("asked again, it is not done once")
        return wrong


async def faults(scene, path: str, *, every: int = 1) -> list[str]:
    """What is wrong at the first of its points where anything is."""
    expected = await undisturbed(scene, path)
    for at in range(1, POINTS_MAX, every):
        wrong = await faults_at(scene, path, at, expected)
        if wrong is None:
            return ["it waits for nothing"] if at == 1 else []
        if wrong:
            return [f"gone at its wait number {at}", *wrong]
    return ["it never ends"]


@pytest.mark.parametrize("path", sampled(sorted(CHANGES)))
async def test_a_caller_may_go_at_any_moment(scene, path):
    assert await faults(scene, path) == []


@pytest.mark.postgres
@pytest.mark.parametrize("path", sorted(CHANGES) if is_long() else [ORDERS])
async def test_a_caller_of_postgres_may_go_at_any_moment(scene, path):
    """The short run tries every fifth of an order's points: each wants a database of its own."""
    assert await faults(scene, path, every=1 if is_long() else 5) == []


async def test_this_test_sees_a_transaction_that_its_caller_can_leave(scene, monkeypatch):
    async def by_the_caller_itself(writer: sqlite.Writer, command: Any) -> Any:
        await writer._begin()
        result = writer._step(command, writer.clock.now())
        await asyncio.sleep(0)
        await writer._commit()
        return result

    expected = await undisturbed(scene, ORDERS)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite.Writer, "submit", by_the_caller_itself)
        found = [await faults_at(scene, ORDERS, at, expected) for at in range(1, 4)]

    assert any(found)
