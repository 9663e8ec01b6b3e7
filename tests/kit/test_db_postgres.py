"""What only PostgreSQL can do to us: deadlocks, serialization failures, and connections that are lost."""

import asyncio
import traceback

import asyncpg
import pytest
from tortoise.exceptions import IntegrityError

from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.kit.db.postgres import dollars
from pointsbank.kit.errors import NotWritten
from tests.kit.towns import SEEN, SINCE, Town, TownFull, add, names

pytestmark = pytest.mark.postgres

PLUS = "UPDATE town SET people = people + 1 WHERE name = ?"


async def people() -> list[int]:
    return [count for (count,) in await db.rows("SELECT people FROM town ORDER BY name")]


async def test_a_deadlock_is_tried_again(towns):
    await db.write(add, name="a")
    await db.write(add, name="b")
    tries = []

    async def both(tx, *, names: list[str]) -> None:
        tries.append(names)
        await tx.run(PLUS, names[0])
        await asyncio.sleep(0.2)
        await tx.run(PLUS, names[1])

    await asyncio.gather(db.write(both, names=["a", "b"]), db.write(both, names=["b", "a"]))

    assert await people() == [3, 3]
    assert len(tries) > 2


async def test_a_serialization_failure_is_tried_again(towns):
    await db.write(add, name="a")
    tries = []

    async def reads_then_writes(tx) -> None:
        tries.append(1)
        await tx.rows("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        (count,) = await tx.row("SELECT people FROM town")
        await asyncio.sleep(0.1)
        await tx.run("UPDATE town SET people = ?", count + 1)

    await asyncio.gather(*(db.write(reads_then_writes) for _ in range(2)))

    assert await people() == [3]
    assert len(tries) > 2


SECRET = "测试甲 10000000001"


async def by_statement(tx) -> None:
    sql = "INSERT INTO town (name, people, since, seen_at, live) VALUES (?, 1000, ?, ?, TRUE)"
    await tx.run(sql, SECRET, SINCE, SEEN)


async def by_the_orm(tx) -> None:
    await Town.create(name=SECRET, people=1000, using_db=tx.db)


@pytest.mark.parametrize("crowd", [by_statement, by_the_orm])
async def test_an_error_does_not_quote_the_row_in_a_log(towns, crowd):
    with pytest.raises(IntegrityError) as raised:
        await db.write(crowd)

    told = "".join(traceback.format_exception(raised.value))
    assert "town_people_check" in told
    assert SECRET not in told


async def test_what_stays_locked_is_not_written(towns, settings):
    await db.write(add, name="a")
    towns.writer.TRIES = 2

    async def plus(tx) -> None:
        await tx.rows("SET LOCAL lock_timeout = '50ms'")
        await tx.run(PLUS, "a")

    other = await asyncpg.connect(settings.database_url)
    async with other.transaction():
        await other.execute("SELECT * FROM town FOR UPDATE")
        with pytest.raises(NotWritten):
            await db.write(plus)
    await other.close()

    await db.write(plus)
    assert await people() == [2]


async def test_a_lost_connection_is_not_written_and_the_next_command_is_fine(towns):
    async def is_cut_off(tx) -> None:
        await add(tx, name="trace")
        await tx.rows("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(NotWritten):
        await db.write(is_cut_off)

    await db.write(add, name="next")
    assert await names() == {"next"}


async def test_a_key_is_taken_before_any_other_row(towns):
    """Twins must meet at their key, or they would meet in a deadlock further on."""
    actor = Actor(person_id=1)

    async def slow(tx, *, name: str) -> int:
        await asyncio.sleep(0.1)
        return await add(tx, name=name)

    answers = await asyncio.gather(*(db.write(slow, actor=actor, request_key="twin-key", name="a") for _ in range(5)))

    assert len(set(answers)) == 1
    assert await names() == {"a"}


async def test_twins_of_which_only_the_first_is_refused_get_one_answer(towns, monkeypatch):
    """The first gives its key free when it rolls back, and the second may take it before the refusal is stored."""
    calls = []
    store = towns.writer._stored_refusal

    async def stores_late(command, refused) -> object:
        await asyncio.sleep(0.3)
        return await store(command, refused)

    async def refuses_at_first(tx) -> int:
        calls.append(1)
        await asyncio.sleep(0.1)
        if len(calls) == 1:
            raise TownFull(name="a")
        return 7

    monkeypatch.setattr(towns.writer, "_stored_refusal", stores_late)
    outcomes = await asyncio.gather(
        *(db.write(refuses_at_first, actor=Actor(person_id=1), request_key="twin-key") for _ in range(2)),
        return_exceptions=True,
    )

    assert outcomes == [7, 7]


async def test_the_pool_is_whole_after_refusals_errors_and_cancellations(towns):
    async def fails(tx) -> None:
        await add(tx, name="trace")
        raise ZeroDivisionError

    callers = [
        asyncio.create_task(db.write(fails if n % 2 else add, **({} if n % 2 else {"name": f"{n}"}))) for n in range(60)
    ]
    for number, caller in enumerate(callers):
        await asyncio.sleep(number % 4 * 0.001)
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await asyncio.gather(*towns.writer.tasks, return_exceptions=True)

    pool = towns.write_client._pool
    assert pool.get_idle_size() == pool.get_size()
    assert await db.rows("SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == []
    assert len(await names()) == 30


def test_question_marks_become_numbers_except_in_quotes():
    assert dollars("a = ? AND b <> '?' AND c IN (?, ?)") == "a = $1 AND b <> '?' AND c IN ($2, $3)"
