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
FIRST_OF_OURS = 16_384  # below are what every database has
SHAPE = " + ".join(
    f"(SELECT {what} FROM {catalogue} WHERE oid >= {FIRST_OF_OURS})"
    for catalogue, what in {
        "pg_class": "COUNT(*)",
        "pg_trigger": "COALESCE(SUM(hashtext(concat(tgname, tgenabled, tgrelid, tgtype, tgattr, tgqual IS NULL))), 0)",
        "pg_proc": "COALESCE(SUM(hashtext(concat(proname, prosrc))), 0)",
    }.items()
)
# What a test may have left open ends.
SHAPE_ALONE = f"""
SELECT {SHAPE} FROM (SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                      WHERE datname = current_database() AND pid <> ALL($1::int[])) strangers
"""
OURS = "schemaname = 'public' AND {} NOT LIKE 'tortoise_migrations%'"
TABLES = f"SELECT tablename FROM pg_tables WHERE {OURS.format('tablename')}"
USED = f"""
SELECT sequencename, last_value FROM pg_sequences WHERE {OURS.format("sequencename")} AND last_value IS NOT NULL
"""
GIVEN = """
SELECT string_agg(format('%I', attname), ', ') FROM pg_attribute
 WHERE attrelid = format('%I', $1::text)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
BEGIN_AGAIN = f"SELECT setval(sequencename::regclass, 1, false) FROM ({USED}) used"


@dataclass
class Lent:
    """A database, the connection that empties it, and the pools that the program has had of it."""

    name: str
    cleaner: asyncpg.Connection
    pools: dict[str, asyncpg.Pool] = field(default_factory=dict)
    prepared: dict[str, Any] = field(default_factory=dict)

    async def has_shape(self, shape: int) -> bool:
        """Whether the schema is as it was, once nobody else is connected."""
        ours = [holder._con for pool in self.pools.values() for holder in pool._holders if holder.is_connected()]
        return await self.run(SHAPE_ALONE, [one.get_server_pid() for one in (self.cleaner, *ours)]) == shape

    async def run(self, sql: str, *values: Any) -> Any:
        if sql not in self.prepared:
            self.prepared[sql] = await self.cleaner.prepare(sql)
        return await self.prepared[sql].fetchval(*values)

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
    empty: str = ""
    made: int = 0
    free: list[Lent] = field(default_factory=list)
    lent: dict[str, Lent] = field(default_factory=dict)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    async def connect(self, database: str, **settings: str) -> asyncpg.Connection:
        return await asyncpg.connect(host=self.folder, user="postgres", database=database, server_settings=settings)

    async def say(self, *statements: str) -> None:
        connection = await self.connect("postgres")
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    def run(self, *statements: str) -> None:
        asyncio.run(self.say(*statements))

    async def learn_empty(self) -> None:
        connection = await self.connect(EMPTY)
        self.shape = await connection.fetchval(f"SELECT {SHAPE}")
        # All in one statement, which the server plans once for each database.
        emptied = [f'gone_{table} AS (DELETE FROM "{table}")' for (table,) in await connection.fetch(TABLES)]
        self.empty = f"WITH {', '.join(emptied)} {BEGIN_AGAIN}"
        await connection.close()

    async def learn_filled(self, name: str) -> str:
        """Return the statement that fills an empty database with what is in this one."""
        cleaner, filled = self.lent[name].cleaner, []
        for (table,) in await cleaner.fetch(TABLES):
            if rows := await cleaner.fetchval(f'SELECT json_agg(it) FROM "{table}" it'):
                read = f'json_populate_recordset(NULL::"{table}", $rows${rows}$rows$)'
                given = await cleaner.fetchval(GIVEN, table)
                put = f'INSERT INTO "{table}" ({given}) OVERRIDING SYSTEM VALUE SELECT {given} FROM {read}'
                filled.append(f"into_{table} AS ({put})")
        numbers = [f"setval('{sequence}', {last})" for sequence, last in await cleaner.fetch(USED)]
        return f"WITH {', '.join(filled)} SELECT {', '.join(numbers)}"

    @asynccontextmanager
    async def lending(self, filled: str = "") -> AsyncIterator[str]:
        """A migrated database, empty or filled by a statement. One whose schema a test has changed is thrown away."""
        one = self.free.pop() if self.free else await self._new()
        if filled:
            await one.run(filled)
        self.lent[one.name] = one
        try:
            yield one.name
        finally:
            del self.lent[one.name]
            if not one.cleaner.is_closed() and await one.has_shape(self.shape):
                await one.run(self.empty)
                self.free.append(one)
            else:
                await one.forget()
                await self.say(f"DROP DATABASE {one.name} WITH (FORCE)")

    async def _new(self) -> Lent:
        self.made += 1
        name = f"test_{self.made}"
        await self.say(f"CREATE DATABASE {name} TEMPLATE {EMPTY}")
        # Rows come and go there without asking triggers.
        return Lent(name, await self.connect(name, session_replication_role="replica"))

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
            is_kept = one is not None and pool is not None and one.pools.get(client.connection_name) is pool
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
