"""The embedded PostgreSQL server: databases that tests pass on, emptied, with the connections to them.

A new connection reads the whole catalogue anew, which takes longer than most tests: so they stay open from test to
test, the pools of the program too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from pointsbank.kit.db.postgres import PostgresClient

EMPTY = "pointsbank_empty"
SHAPE = """
    SELECT (SELECT COUNT(*) FROM pg_class) + (SELECT COUNT(*) FROM pg_trigger) + (SELECT COUNT(*) FROM pg_proc)
"""
# What a test may have left open ends; rows go without asking triggers; numbers begin again.
STRANGERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> ALL($1::int[])
"""
CLEAN = """
    SET session_replication_role = replica;
    DO $$ DECLARE one text; BEGIN
        FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'
        LOOP EXECUTE format('DELETE FROM %I', one); END LOOP;
    END $$;
    SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename <> 'tortoise_migrations_id_seq';
"""


@dataclass
class Lent:
    """A database, the connection that empties it, and the pools that the program has had of it."""

    name: str
    cleaner: asyncpg.Connection
    pools: dict[str, asyncpg.Pool] = field(default_factory=dict)

    async def clean(self, shape: int) -> bool:
        """Empty it; one whose schema was changed is left as it is."""
        ours = [holder._con for pool in self.pools.values() for holder in pool._holders if holder.is_connected()]
        await self.cleaner.execute(STRANGERS, [one.get_server_pid() for one in (self.cleaner, *ours)])
        if await self.cleaner.fetchval(SHAPE) != shape:
            return False
        await self.cleaner.execute(CLEAN)
        return True

    async def forget(self) -> None:
        for pool in self.pools.values():
            pool.terminate()
        await self.cleaner.close()


@dataclass
class PostgresServer:
    """Reached by a unix socket; holds a migrated template whose copies are lent to tests."""

    folder: str
    loop: asyncio.AbstractEventLoop
    shape: int = 0
    made: int = 0
    free: list[Lent] = field(default_factory=list)
    lent: dict[str, Lent] = field(default_factory=dict)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    async def connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(host=self.folder, user="postgres", database=database)

    async def say(self, *statements: str) -> None:
        connection = await self.connect("postgres")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    def run(self, *statements: str) -> None:
        asyncio.run(self.say(*statements))

    async def learn_shape(self) -> None:
        connection = await self.connect(EMPTY)
        self.shape = await connection.fetchval(SHAPE)
        await connection.close()

    @asynccontextmanager
    async def lending(self) -> AsyncIterator[str]:
        """A migrated, empty database. One whose schema a test has changed is thrown away."""
        one = self.free.pop() if self.free else await self._new()
        self.lent[one.name] = one
        yield one.name
        del self.lent[one.name]
        if await one.clean(self.shape):
            self.free.append(one)
        else:
            await one.forget()
            await self.say(f"DROP DATABASE {one.name} WITH (FORCE)")

    async def _new(self) -> Lent:
        self.made += 1
        name = f"test_{self.made}"
        await self.say(f"CREATE DATABASE {name} TEMPLATE {EMPTY}")
        return Lent(name, await self.connect(name))

    @contextmanager
    def keeping_pools(self) -> Iterator[None]:
        """What the program opens to a database that is lent, it finds open the next time."""
        create, close = PostgresClient.create_pool, PostgresClient._close

        async def create_pool(client: PostgresClient, **wanted: Any) -> asyncpg.Pool:
            one = self.lent.get(wanted["database"])
            if one is None or asyncio.get_running_loop() is not self.loop:
                return await create(client, **wanted)
            if client.connection_name not in one.pools:
                one.pools[client.connection_name] = await create(client, **wanted)
            return one.pools[client.connection_name]

        async def close_or_keep(client: PostgresClient) -> None:
            pool, one = client._pool, self.lent.get(client.database)
            is_kept = one is not None and one.pools.get(client.connection_name) is pool
            if is_kept and pool.get_idle_size() == pool.get_size():
                client._pool = None
                return
            if is_kept:
                del one.pools[client.connection_name]
            await close(client)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PostgresClient, "create_pool", create_pool)
            patch.setattr(PostgresClient, "_close", close_or_keep)
            yield
