"""What only SQLite can do to us: a shared commit that fails, a lock held elsewhere, waiting inside an action."""

import asyncio
import sqlite3
import time
from contextlib import closing

import pytest

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.db import Misuse
from pointsbank.kit.errors import Busy, NotWritten
from tests.kit.towns import Town, TownFull, add, names, names_stored


async def rolls_everything_back(tx) -> None:
    """Stands in for a full disk or an I/O error: SQLite drops the whole batch, savepoints and all."""
    await tx.run("INSERT OR ROLLBACK INTO town SELECT * FROM town")


def failing_commit(execute):
    def fail(statement: str) -> object:
        if statement == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return execute(statement)

    return fail


async def test_when_sqlite_rolls_back_by_itself_nobody_was_written(towns):
    outcomes = await asyncio.gather(
        db.write(add, name="a"), db.write(rolls_everything_back), db.write(add, name="b"), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [NotWritten] * 3
    assert await names() == set()
    await db.write(add, name="next")
    assert await names() == {"next"}


async def test_when_the_commit_fails_nobody_was_written(towns, settings, monkeypatch):
    dropped = []
    db.when_stale("towns", lambda: dropped.append(True))

    async def changes(tx, *, name: str) -> int:
        tx.made_stale("towns")
        return await add(tx, name=name)

    with monkeypatch.context() as patch:
        patch.setattr(towns.writer, "execute", failing_commit(towns.writer.execute))
        outcomes = await asyncio.gather(*(db.write(changes, name=f"{n}") for n in range(3)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [NotWritten] * 3
    assert await names_stored(settings) == set()
    assert not dropped
    await db.write(changes, name="next")
    assert await names_stored(settings) == {"next"}
    assert dropped


async def test_a_lock_held_too_long_is_not_written_and_the_next_batch_is_fine(towns, settings):
    towns.writer.LOCK_SECONDS = 0.1
    with closing(sqlite3.connect(databases.path_of(settings), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = await asyncio.gather(db.write(add, name="a"), db.write(add, name="b"), return_exceptions=True)
        other.execute("ROLLBACK")

    assert [type(outcome) for outcome in outcomes] == [NotWritten] * 2
    await db.write(add, name="next")
    assert await names() == {"next"}


async def test_a_lock_held_for_a_while_is_waited_for_and_readers_go_on(towns, settings):
    towns.writer.LOCK_SECONDS = 30
    with closing(sqlite3.connect(databases.path_of(settings), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(db.write(add, name="a"))
        longest = 0.0
        for _ in range(20):
            started = time.monotonic()
            assert await names() == set()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - started)
        other.execute("ROLLBACK")

    assert isinstance(await waiting, int)
    assert longest < 10  # SQLite's own busy wait would have stopped the loop for all thirty


async def sleeps(tx) -> None:
    await add(tx, name="trace")
    await asyncio.sleep(0.01)


async def gathers(tx) -> None:
    await add(tx, name="trace")
    await asyncio.gather(add(tx, name="trace2"), add(tx, name="trace3"))


async def asks_a_thread(tx) -> None:
    await add(tx, name="trace")
    await asyncio.to_thread(time.monotonic)


async def waits_for_a_task(tx) -> None:
    await add(tx, name="trace")
    await asyncio.create_task(add(tx, name="trace2"))


@pytest.mark.parametrize("action", [sleeps, gathers, asks_a_thread, waits_for_a_task])
async def test_an_action_waits_for_nothing_but_its_statements(towns, action):
    with pytest.raises(Misuse, match="waited for"):
        await db.write(action)

    await db.write(add, name="next")
    await asyncio.sleep(0.02)
    assert await names() == {"next"}


async def test_answers_of_a_batch_go_out_after_its_commit(towns, settings):
    """What is acknowledged can be seen by another process."""

    async def written_and_stored(name: str) -> bool:
        await db.write(add, name=name)
        return name in await names_stored(settings)

    assert all(await asyncio.gather(*(written_and_stored(f"{number}") for number in range(40))))


async def test_a_refusal_takes_back_its_own_rows_and_no_others(towns):
    async def refused(tx) -> None:
        await add(tx, name="trace")
        raise TownFull(name="临江")

    commands = [db.write(refused) if number % 2 else db.write(add, name=f"{number}") for number in range(20)]
    await asyncio.gather(*commands, return_exceptions=True)

    assert await names() == {f"{number}" for number in range(0, 20, 2)}


async def test_a_writer_stopped_in_its_commit_tells_the_truth(towns, settings):
    execute = towns.writer.execute

    def slow_commit(statement: str) -> object:
        if statement == "COMMIT":
            time.sleep(0.1)
        return execute(statement)

    towns.writer.execute = slow_commit
    written = [asyncio.create_task(db.write(add, name=f"{number}")) for number in range(50)]
    await asyncio.sleep(0.05)
    towns.writer.task.cancel()

    assert all(isinstance(answer, int) for answer in await asyncio.gather(*written))
    assert len(await names_stored(settings)) == 50
    with pytest.raises(Busy):
        await db.write(add, name="late")


async def test_a_writer_that_died_leaves_nobody_waiting_and_can_be_closed(towns, monkeypatch):
    class Dying(BaseException):
        pass

    def die(_command, _now) -> None:
        raise Dying

    monkeypatch.setattr(towns.writer, "_step", die)
    waiting = asyncio.create_task(db.write(add, name="a"))
    with pytest.raises(NotWritten):
        await waiting
    with pytest.raises(Busy):
        await db.write(add, name="b")

    await towns.close()

    assert not db.is_open()
    assert isinstance(towns.writer.task.exception(), Dying)


async def test_every_connection_is_set_as_it_should_be(towns):
    asked = ("synchronous", "foreign_keys", "journal_mode", "query_only", "wal_autocheckpoint", "temp_store")
    found = {}
    for name, client in {"read": towns.read, "slow": towns.slow}.items():
        found[name] = [(await client.row(f"PRAGMA {pragma}"))[0] for pragma in asked]
    found["write"] = [towns.writer.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in asked]

    assert found == {
        "write": [2, 1, "wal", 0, 4000, 2],
        "read": [2, 1, "wal", 1, 0, 2],
        "slow": [2, 1, "wal", 1, 0, 2],
    }


async def test_closing_leaves_one_file(towns, settings):
    await db.write(add, name="a")
    await towns.close()

    assert [path.name for path in settings.data.glob("pointsbank.db*")] == ["pointsbank.db"]


async def test_amounts_stay_whole(towns):
    await db.write(add, name="a", people=1)

    async def overflow(tx) -> None:
        await tx.run("UPDATE town SET people = people - 9223372036854775807 - 9223372036854775807")

    async def half(tx) -> None:
        await tx.run("UPDATE town SET people = 0.5")

    for action in (overflow, half):
        with pytest.raises(Exception, match="CHECK"):
            await db.write(action)
    assert await Town.get(name="a").values_list("people", flat=True) == 1


async def test_a_broken_file_is_said_in_one_line(settings, clock):
    path = databases.path_of(settings)
    path.write_bytes(b"this is no database, and long enough to be taken for one" * 100)

    with pytest.raises(databases.DatabaseUnfit):
        async with databases.opened(settings, clock):
            pass
    with pytest.raises(databases.DatabaseUnfit):
        await databases.migrate(settings)
