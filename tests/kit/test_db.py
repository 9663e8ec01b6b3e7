"""The write path: what an action may do, what is refused, and that nothing refused leaves a trace."""

import asyncio
import contextlib
import threading
from datetime import date, datetime, timedelta, timezone

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from pointsbank.kit import db
from pointsbank.kit.db import Misuse
from pointsbank.kit.errors import Busy
from tests.kit.towns import SEEN, SINCE, House, Town, TownFull, add, move_in, names, names_stored

pytestmark = pytest.mark.both

MANY = 2_100  # the ORM pauses every 2,000 rows


# What works, alike on both.


async def test_an_action_answers_after_its_commit(towns):
    town_id = await db.write(add, name="临江")

    found = await db.row("SELECT name FROM town WHERE id = ?", town_id)

    assert found is not None
    assert found["name"] == found[0] == "临江"


async def test_sql_reads_counts_and_returns_alike(towns):
    await db.write(add, name="?", people=3)

    async def sql(tx) -> None:
        await add(tx, name="b")
        assert await tx.row("SELECT id FROM town WHERE name = '?' AND people = ?", 3) is not None
        assert [tuple(row) for row in await tx.rows("SELECT name, people FROM town ORDER BY people")] == [
            ("b", 1),
            ("?", 3),
        ]
        assert await tx.run("UPDATE town SET people = people + ? WHERE name IN (?, ?)", 1, "?", "b") == 2
        assert await tx.run("UPDATE town SET people = 1 WHERE name = ?", "nowhere") == 0
        assert await tx.row("UPDATE town SET people = 0 WHERE people > ? RETURNING id", 500) is None
        conflict = "INSERT INTO town (name, people, since, seen_at, live) VALUES (?, 1, ?, ?, ?) ON CONFLICT DO NOTHING"
        assert await tx.run(conflict, "b", SINCE, tx.now, True) == 0
        assert await tx.run("DELETE FROM town WHERE name = ?", "b") == 1

    await db.write(sql)


async def test_a_count_leaves_out_what_triggers_did(towns, engine):
    async def watched(tx) -> None:
        if engine == "sqlite":
            await tx.rows("CREATE TRIGGER more AFTER UPDATE ON town BEGIN UPDATE house SET id = id + 1000; END")
        town_id = await add(tx, name="临江")
        await tx.run("INSERT INTO house (town_id) VALUES (?)", town_id)
        assert await tx.run("UPDATE town SET people = 2") == 1

    await db.write(watched)


async def test_the_orm_works_inside_an_action(towns):
    async def orm(tx) -> str:
        town = await Town.create(name="临江", people=4, using_db=tx.db)
        town.people = 5
        await town.save(update_fields=["people"], using_db=tx.db)
        assert await Town.filter(name="临江", people__gte=5).using_db(tx.db).update(people=F("people") - 2) == 1
        await House.bulk_create([House(town=town) for _ in range(MANY)], using_db=tx.db)
        assert len(await House.all().using_db(tx.db)) == MANY
        town = await Town.filter(name="临江").using_db(tx.db).prefetch_related("houses").get()
        assert len(town.houses) == MANY
        assert town.people == 3
        assert await Town.get_or_none(name="nowhere", using_db=tx.db) is None
        house = await House.all().using_db(tx.db).select_related("town").first()
        assert house is not None
        await House.filter(town_id=town.id).using_db(tx.db).delete()
        return house.town.name

    assert await db.write(orm) == "临江"
    assert await Town.filter(name="临江").values_list("people", flat=True) == [3]
    assert await House.all().count() == 0


async def test_days_moments_and_booleans_read_back_alike(towns):
    seen = datetime(2026, 11, 21, 12, 0, 0, 5, timezone(timedelta(hours=8)))

    async def both_ways(tx) -> None:
        await Town.create(name="orm", seen_at=seen, live=False, using_db=tx.db)
        inserted = "INSERT INTO town (name, people, since, seen_at, live) VALUES (?, 0, ?, ?, ?)"
        returned = await tx.row(f"{inserted} RETURNING since, seen_at, live", "sql", SINCE, seen, False)
        assert tuple(returned) == (SINCE, seen, False)

    await db.write(both_ways)

    sql = "SELECT since, seen_at, live FROM town WHERE seen_at = ? AND NOT live ORDER BY name"
    for rows in (await db.rows(sql, seen), await db.slow_rows(sql, seen)):
        assert [tuple(row) for row in rows] == [(SINCE, seen, False)] * 2
        assert {type(cell) for row in rows for cell in row} == {date, datetime, bool}
        assert {row["seen_at"].utcoffset() for row in rows} == {timedelta(0)}
    assert {town.seen_at for town in await Town.filter(seen_at__lte=seen)} == {seen}


async def test_moments_sort_by_time_whoever_wrote_them(towns):
    moments = [SEEN + timedelta(microseconds=step) for step in (0, 1, 999_999, 1_000_000)]

    async def some(tx) -> None:
        for place, moment in enumerate(moments):
            if place % 2:
                await Town.create(name=f"{place}", seen_at=moment, using_db=tx.db)
            else:
                await tx.run(
                    "INSERT INTO town (name, people, since, seen_at, live) VALUES (?, 0, ?, ?, ?)",
                    f"{place}", SINCE, moment.astimezone(timezone(timedelta(hours=8))), True,
                )  # fmt: skip

    await db.write(some)

    found = [name for (name,) in await db.rows("SELECT name FROM town ORDER BY seen_at")]
    assert found == ["0", "1", "2", "3"]
    assert await Town.filter(seen_at__gt=moments[0]).count() == 3


@pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime")
async def test_a_moment_without_a_zone_is_refused(towns):
    naive = SEEN.replace(tzinfo=None)

    async def write_naive(tx) -> None:
        await tx.run(
            "INSERT INTO town (name, people, since, seen_at, live) VALUES ('n', 0, ?, ?, ?)", SINCE, naive, True
        )

    with pytest.raises(AssertionError, match="zone"):
        await db.write(write_naive)
    with pytest.raises(AssertionError, match="zone"):
        await db.rows("SELECT id FROM town WHERE seen_at < ?", naive)
    assert await names() == set()


# What is refused. The action writes "trace" first; no refusal may leave it.


async def twice(tx) -> None:
    await add(tx, name="trace")
    await add(tx, name="trace")


async def too_many(tx) -> None:
    await add(tx, name="trace")
    await tx.run("UPDATE town SET people = 1000")


async def orphan(tx) -> None:
    await add(tx, name="trace")
    await House.create(town_id=10**9, using_db=tx.db)


async def swallows_and_goes_on(tx) -> None:
    await add(tx, name="trace")
    with contextlib.suppress(IntegrityError):
        await add(tx, name="trace")
    await add(tx, name="after")


async def swallows_and_ends(tx) -> None:
    await add(tx, name="trace")
    with contextlib.suppress(IntegrityError):
        await Town.create(name="trace", using_db=tx.db)


async def opens_a_transaction(tx) -> None:
    await add(tx, name="trace")
    async with in_transaction("write"):
        pass


async def opens_one_inside_its_own(tx) -> None:
    await add(tx, name="trace")
    async with tx.db._in_transaction():
        pass


async def gets_or_creates(tx) -> None:
    await Town.get_or_create(name="trace", using_db=tx.db)


async def reads_elsewhere(tx) -> None:
    await add(tx, name="trace")
    await Town.filter(name="trace")


async def reads_committed_rows(tx) -> None:
    await add(tx, name="trace")
    await db.rows("SELECT * FROM town")


async def reads_slowly(tx) -> None:
    await add(tx, name="trace")
    await db.slow_rows("SELECT * FROM town")


async def writes_elsewhere(tx) -> None:
    await Town.create(name="trace")


async def writes_inside(tx) -> None:
    await add(tx, name="trace")
    await db.write(add, name="trace2")


WRONG = [
    (twice, IntegrityError),
    (too_many, IntegrityError),
    (orphan, IntegrityError),
    (swallows_and_goes_on, Exception),
    (swallows_and_ends, Misuse),
    (opens_a_transaction, Misuse),
    (opens_one_inside_its_own, Misuse),
    (gets_or_creates, Misuse),
    (reads_elsewhere, Misuse),
    (reads_committed_rows, Misuse),
    (reads_slowly, Misuse),
    (writes_elsewhere, Misuse),
    (writes_inside, Misuse),
]


@pytest.mark.parametrize(("action", "error"), WRONG, ids=lambda each: getattr(each, "__name__", ""))
async def test_what_is_refused_leaves_no_trace(towns, action, error):
    before, refused, after = await asyncio.gather(
        db.write(add, name="before"), db.write(action), db.write(add, name="behind"), return_exceptions=True
    )

    assert isinstance(refused, error)
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert await names() == {"before", "behind"}


@pytest.mark.parametrize("client", ["read", "slow", "write"])
async def test_nothing_but_an_action_writes(towns, client):
    await db.write(add, name="临江")
    where = {"read": towns.read, "slow": towns.slow, "write": towns.write_client}[client]

    for attempt in (
        lambda: Town.create(name="trace", using_db=where),
        lambda: Town.filter(name="临江").using_db(where).update(people=9),
        lambda: Town.filter(name="临江").using_db(where).delete(),
        lambda: Town.bulk_create([Town(name="trace")], using_db=where),
        lambda: where.rows("DELETE FROM town"),
    ):
        with pytest.raises(Exception, match=r"only an action writes|read.?only"):
            await attempt()

    assert [tuple(row) for row in await db.rows("SELECT name, people FROM town")] == [("临江", 1)]


async def test_a_write_without_using_db_fails(towns):
    for attempt in (Town.create(name="trace"), Town.filter(name="trace").delete()):
        with pytest.raises(Exception, match=r"only an action writes|read-only transaction"):
            await attempt
    assert await names() == set()


async def test_a_transaction_kept_after_its_action_is_of_no_use(towns, engine):
    kept = []

    async def keep(tx) -> None:
        kept.append(tx)

    await db.write(keep)

    with pytest.raises(Misuse if engine == "sqlite" else Exception):
        await kept[0].rows("SELECT 1")


async def test_a_task_left_behind_by_an_action_cannot_write(towns):
    tasks = []

    async def leaves_a_task(tx) -> None:
        tasks.append(asyncio.get_running_loop().create_task(db.write(add, name="trace")))

    await db.write(leaves_a_task)

    with pytest.raises(Misuse):
        await tasks[0]
    assert await names() == set()


# Callers, the queue, the end.


async def test_a_command_counts_though_its_caller_has_gone(towns, settings):
    caller = asyncio.create_task(db.write(add, name="left"))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    await db.write(add, name="later")
    await towns.close()

    assert await names_stored(settings) == {"left", "later"}


async def test_sixty_callers_cancelled_at_all_moments_leave_whole_commands(towns, engine):
    async def two(tx, *, name: str) -> None:
        await add(tx, name=f"{name}a")
        await add(tx, name=f"{name}b")

    callers = [asyncio.create_task(db.write(two, name=f"{number} ")) for number in range(60)]
    for number, caller in enumerate(callers):
        await asyncio.sleep(0 if number % 3 else 0.001)
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await db.write(add, name="last")
    if engine == "postgres":
        await asyncio.gather(*towns.writer.tasks, return_exceptions=True)
        pool = towns.write_client._pool
        assert pool.get_idle_size() == pool.get_size()

    found = await names()
    assert {name[:-1] for name in found if name.endswith("a")} == {name[:-1] for name in found if name.endswith("b")}
    assert len(found) == 2 * 60 + 1


async def test_what_is_too_much_for_the_queue_is_refused_at_once(towns):
    towns.writer.QUEUE_MAX = 100

    outcomes = await asyncio.gather(*(db.write(add, name=f"{n}") for n in range(250)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes].count(Busy) == 150
    assert len(await names()) == 100


async def test_closing_answers_what_is_waiting_and_takes_no_more(towns, settings):
    waiting = [asyncio.create_task(db.write(add, name=f"{number}")) for number in range(100)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(towns.close())
    await asyncio.sleep(0)

    with pytest.raises(Busy):
        await db.write(add, name="late")
    await closing

    assert all(isinstance(answer, int) for answer in await asyncio.gather(*waiting))
    assert await names_stored(settings) == {f"{number}" for number in range(100)}
    assert not db.is_open()
    assert not any(thread.name.startswith("commit") for thread in threading.enumerate())


async def test_a_hundred_people_move_in_and_the_limit_holds(towns):
    await db.write(add, name="临江", people=950)

    outcomes = await asyncio.gather(
        *(db.write(move_in, name="临江", people=7) for _ in range(100)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(TownFull) == 93
    assert tuple(await db.row("SELECT people FROM town")) == (999,)


# Copies in memory.


async def test_copies_are_dropped_after_the_commit_and_only_then(towns):
    seen = []
    db.when_stale("towns", lambda: seen.append("dropped"))

    async def changes(tx, *, name: str) -> None:
        await add(tx, name=name)
        tx.made_stale("towns")
        seen.append("changed")

    async def refuses(tx) -> None:
        tx.made_stale("towns")
        raise TownFull(name="临江")

    await db.write(changes, name="a")
    assert seen == ["changed", "dropped"]
    with pytest.raises(TownFull):
        await db.write(refuses)
    with pytest.raises(IntegrityError):
        await db.write(changes, name="a")
    assert seen == ["changed", "dropped"]
