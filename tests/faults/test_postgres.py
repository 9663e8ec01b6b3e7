"""PostgreSQL's own faults: connections lost, the server restarted, rows locked, deadlocks, disk full, read-only.

A clean 503 and nothing changed; and without a restart of the program all is as before.
"""

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from pointsbank.kit import db
from pointsbank.kit.db import postgres
from tests.faults.senders import Sender, is_long
from tests.faults.test_cancelled import ORDERS, state

pytestmark = pytest.mark.postgres
ORDERING = 2
LATER = (503, "2")
TRIGGER = """
CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$;
CREATE TRIGGER fault BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fault()
"""
HEAL = "DROP TRIGGER fault ON {table}; DROP FUNCTION fault()"
SHORT_WAIT = "PERFORM set_config('lock_timeout', '50ms', true)"
CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
NOTICED_SECONDS = 0.2  # by a pool, that its connections are gone


@contextlib.asynccontextmanager
async def outside(scene) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else at the same database."""
    other = await asyncpg.connect(scene.world.settings.database_url)
    yield other
    await other.close()


@contextlib.asynccontextmanager
async def raised(scene, body: str, table: str = "ledger_entry") -> AsyncIterator[None]:
    async with outside(scene) as other:
        await other.execute(TRIGGER.format(body=body, table=table))
        yield
        await other.execute(HEAL.format(table=table))


@contextlib.asynccontextmanager
async def locked(scene) -> AsyncIterator[None]:
    async with raised(scene, SHORT_WAIT, "command"), outside(scene) as other, other.transaction():
        await other.execute("SELECT * FROM ledger_account FOR UPDATE")
        yield


@contextlib.asynccontextmanager
async def read_only(scene) -> AsyncIterator[None]:
    async with outside(scene) as other:
        name = await other.fetchval("SELECT current_database()")
        await other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await other.execute(CUT_OFF)
        await asyncio.sleep(NOTICED_SECONDS)
        yield
        await other.execute(f"SET default_transaction_read_only = off; ALTER DATABASE {name} RESET ALL; {CUT_OFF}")
        await asyncio.sleep(NOTICED_SECONDS)


FAULTS = {
    "the disk is full": lambda scene: raised(scene, "RAISE EXCEPTION USING ERRCODE = '53100'"),
    "deadlock after deadlock": lambda scene: raised(scene, "RAISE EXCEPTION USING ERRCODE = '40P01'"),
    "never to be put in an order": lambda scene: raised(scene, "RAISE EXCEPTION USING ERRCODE = '40001'"),
    "the connection is lost in the middle": lambda scene: raised(
        scene, "PERFORM pg_terminate_backend(pg_backend_pid())"
    ),
    "the rows are locked": locked,
    "nothing may be written": read_only,
}


async def refused_then_done(scene, sender: Sender, fault: str) -> list[str]:
    """What was not as promised while the fault lasted, and after it."""
    wrong, key = list[str](), f"met-{list(FAULTS).index(fault):06}"
    async with sender.visiting() as client:
        before = await state()
        async with FAULTS[fault](scene):
            answer = await sender.send(client, key)
            if (answer.status_code, answer.headers.get("retry-after")) != LATER:
                wrong.append(f"answered {answer.status_code}")
            if await state() != before:
                wrong.append("changed something")
        again = await sender.send(client, key)
        if again.status_code != 201 or "idempotent-replayed" in again.headers:
            wrong.append(f"then answered {again.status_code}")
    pools = [client._pool for client in (scene.database.read, scene.database.slow, scene.database.write_client)]
    return wrong + ["a connection is not given back" for pool in pools if pool.get_idle_size() != pool.get_size()]


async def test_a_fault_of_postgres_is_a_clean_no_and_passes(scene):
    async with scene() as opened:
        for fault in FAULTS:
            assert await refused_then_done(opened, Sender(opened, ORDERS), fault) == [], fault


async def test_what_meets_a_deadlock_once_is_done(scene):
    once = "IF nextval('tries') < 2 THEN RAISE EXCEPTION USING ERRCODE = '40P01'; END IF"
    async with scene() as opened, outside(opened) as other:
        await other.execute("CREATE SEQUENCE tries")
        sender = Sender(opened, ORDERS)
        async with raised(opened, once), sender.visiting() as client:
            assert (await sender.send(client)).status_code == 201


async def test_this_test_sees_a_fault_that_reaches_the_caller(scene, monkeypatch):
    monkeypatch.setattr(postgres, "LOST", ())
    async with scene() as opened:
        assert "answered 500" in await refused_then_done(opened, Sender(opened, ORDERS), "the disk is full")


# The server of the tests answers before its log is written, and would lose what it acknowledged.
AS_IN_USE = ("ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()", "CHECKPOINT")


async def until_granted(sender: Sender, client, key: str) -> bool:
    """Whether it was refused on the way."""
    is_refused = False
    while (answer := await sender.send(client, key)).status_code not in {200, 201}:
        assert (answer.status_code, answer.headers.get("retry-after")) == LATER, answer.text
        is_refused = True
        await asyncio.sleep(0.02)
    return is_refused


if is_long():  # the server is every other test's too, so it is restarted where no other follows

    async def test_while_the_server_is_restarted_nothing_is_lost_or_doubled(scene):
        async with scene() as opened:
            sender, folder = Sender(opened, ORDERS), await where_it_lies(opened)
            ((before,),) = await db.rows("SELECT COUNT(*) FROM redemption_order")
            async with outside(opened) as other:
                for said in AS_IN_USE:
                    await other.execute(said)

            async def order(client, number: int) -> None:
                while not await until_granted(sender, client, f"asked-before-{number}"):
                    pass
                await until_granted(sender, client, f"asked-while-{number}")

            async with sender.visiting() as client:
                await asyncio.gather(
                    asyncio.to_thread(restart, folder), *(order(client, one) for one in range(ORDERING))
                )
            ((after,),) = await db.rows("SELECT COUNT(*) FROM redemption_order")

        assert after - before == 2 * ORDERING


async def where_it_lies(scene) -> Path:
    async with outside(scene) as other:
        return Path(await other.fetchval("SHOW data_directory"))


def restart(folder: Path) -> None:
    """As after a crash of the server: nothing is awaited, and it recovers."""
    program = Path((folder / "postmaster.opts").read_text().split()[0]).with_name("pg_ctl")
    command = [program, "-w", "-m", "immediate", "-D", folder, "-l", folder / "restarted.log", "restart"]
    owner = folder.owner() if os.getuid() == 0 else None
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=owner)
