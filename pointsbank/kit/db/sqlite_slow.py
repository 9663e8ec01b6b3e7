"""SQLite in a thread: Tortoise's own aiosqlite engine, for pages that read hundreds of rows."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiosqlite
from tortoise.backends.sqlite.client import SqliteClient

from pointsbank.kit.db.command import Row


def get_client_class(_info: dict[str, Any]) -> type[SqliteClient]:
    """Tortoise asks this of the module that a connection names as its engine."""
    return SlowClient


class SlowClient(SqliteClient):
    async def create_connection(self, with_db: bool) -> None:  # noqa: ARG002  Tortoise's signature
        self._connection = await self._connected(sqlite3.PARSE_DECLTYPES)

    async def _connected(self, detect_types: int) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(self.filename, isolation_level=None, detect_types=detect_types)
        connection.row_factory = sqlite3.Row
        for name, value in self.pragmas.items():
            await connection.execute(f"PRAGMA {name}={value}")
        return connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Callable[..., Awaitable[list[Row]]]]:
        """A connection of its own: whoever reads by the other one is to see what has been committed meanwhile.

        Values come as they lie there, moments and days as their text: what reads a million rows spells them again.
        """
        connection = await self._connected(0)

        async def rows(sql: str, *values: Any) -> list[Row]:
            return list(await connection.execute_fetchall(sql, values))

        try:
            await connection.execute("BEGIN")
            yield rows
        finally:
            await connection.interrupt()  # whoever gave up need not wait for the end of a long statement
            await connection.close()

    async def row(self, sql: str, /, *values: Any) -> Row | None:
        found = await self.rows(sql, *values)
        return found[0] if found else None

    async def rows(self, sql: str, /, *values: Any) -> list[Row]:
        assert self._connection is not None
        return list(await self._connection.execute_fetchall(sql, values))
