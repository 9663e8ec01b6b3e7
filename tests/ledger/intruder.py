"""Somebody who holds the database and writes what they like: no trigger, key or condition stops them.

Each attempt is a transaction that is rolled back; inside it `verify` sees what the intruder sees.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.db.postgres import dollars
from pointsbank.kit.settings import Settings
from pointsbank.ledger import verify
from pointsbank.ledger.verify import Finding
from pointsbank.ledger.verify_seals import Deposited
from tests.made_up import true_books
from tests.schema_reading import Schema, read_schema

TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
FEW = 6


class Intruder:
    REFUSED = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)

    def __init__(self, settings: Settings, schema: Schema, heads: Sequence[Deposited]) -> None:
        self.settings, self.schema, self.heads = settings, schema, heads
        self.tables = {name: columns for name, columns in schema.columns.items() if name.startswith("ledger_")}
        self.usual: set[Finding] = set()
        self.alone = asyncio.Lock()

    async def connect(self) -> None:
        if self.settings.database_url:
            self.connection: Any = await asyncpg.connect(self.settings.database_url)
            await self.connection.execute("SET session_replication_role = replica")
        else:
            path = databases.path_of(self.settings)
            self.connection = sqlite3.connect(path, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)
            self.connection.row_factory = sqlite3.Row
            self.connection.execute("PRAGMA ignore_check_constraints = ON")

    async def close(self) -> None:
        closed = self.connection.close()
        if closed is not None:
            await closed

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        if self.settings.database_url:
            async with self.alone:  # verify asks on two connections, an intruder has one
                return await self.connection.fetch(dollars(sql), *values)
        return self.connection.execute(sql, values).fetchall()

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        await self.rows("BEGIN")
        try:
            if not self.settings.database_url:
                for (name,) in await self.rows(TRIGGERS):
                    await self.rows(f"DROP TRIGGER {name}")
            yield
        finally:
            await self.rows("ROLLBACK")

    async def noticed(self, heads: Sequence[Deposited] | None = None) -> set[Finding]:
        """What verify finds beyond the triggers that are gone, inside an attempt."""
        report = await verify.verify(self.heads if heads is None else heads)
        return set(report.findings) - self.usual

    async def changes_unnoticed(self, table: str, column: str) -> str:
        """Change one value of a column; says what went unnoticed, or "" if all is well."""
        for key, row in await self.some(table):
            for other in self.others(table, column, row):
                async with self.attempt():
                    if await self.has_set(table, column, key, other):
                        return "" if await self.noticed() else f"{table}.{column}: {row[column]!r} → {other!r}"
        return f"{table}.{column}: no other value could be put there"

    async def has_set(self, table: str, column: str, key: dict[str, Any], value: Any) -> bool:
        where = " AND ".join(f"{name} = ?" for name in key)
        with suppress(*self.REFUSED):
            await self.rows(f"UPDATE {table} SET {column} = ? WHERE {where}", value, *key.values())
            return True
        return False

    async def some(self, table: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """A few rows with their keys: the first, the last and some between."""
        key = [name for name, column in self.tables[table].items() if column.key_place]
        columns = ", ".join(self.tables[table])
        found = [dict(row) for row in await self.rows(f"SELECT {columns} FROM {table} ORDER BY {', '.join(key)}")]
        step = max(1, len(found) // FEW)
        return [({name: row[name] for name in key}, row) for row in (found[::step] + found[-1:])]

    def others(self, table: str, column: str, row: dict[str, Any]) -> list[Any]:
        """Values that might be put in the place of this one."""
        value = row[column]
        match self.tables[table][column].kind:
            case "bigint":
                return [(value or 0) + step for step in (1, -1, 1000)]
            case "text":
                values = [
                    text.strip("'") for check in self.schema.checks[table] for text in check.values if "'" in text
                ]
                return [*(one for one in values if one != value), f"{value or ''}x"]
            case "boolean":
                return [not value]
            case "bytea":
                return [bytes(32)]
            case "date":
                return [(value or date(2026, 1, 1)) - timedelta(days=1)]
            case _:
                return [(value or datetime.fromisoformat("2026-11-21T04:00Z")) + timedelta(seconds=1)]


@asynccontextmanager
async def intruding(settings: Settings, heads: Sequence[Deposited], monkeypatch: pytest.MonkeyPatch) -> Any:
    """An intruder in the open database, whose transaction is what verify looks at."""
    one = Intruder(settings, await read_schema(), heads)
    await one.connect()

    @asynccontextmanager
    async def snapshot() -> AsyncIterator[Any]:
        yield one.rows

    monkeypatch.setattr(db, "snapshot", snapshot)
    try:
        async with one.attempt():
            one.usual = set((await verify.verify(heads)).findings)
        seen = true_books(tuple(one.usual))
        assert all(finding.what == verify.GUARD_MISSING for finding in seen)
        yield one
    finally:
        monkeypatch.undo()
        await one.close()
