"""A database with two small tables beside the program's own, and the models of those two."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import asyncpg
import pytest

from migrations._lib import spelled
from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.paths import migrations_module
from pointsbank.kit.settings import Settings
from tests.kit.towns import HOUSE, TOWN

MODELS = ["tests.kit.towns"]


async def _make_tables(settings: Settings) -> None:
    if settings.database_url:
        connection = await asyncpg.connect(settings.database_url)
        for table in (TOWN, HOUSE):
            await connection.execute(spelled(table, "postgres"))
        await connection.close()
    else:
        with closing(sqlite3.connect(databases.path_of(settings))) as file:
            for table in (TOWN, HOUSE):
                file.execute(spelled(table, "sqlite"))


@pytest.fixture
async def towns(settings: Settings, clock: FixedClock, keys: crypto.Keys) -> AsyncIterator[db.Database]:
    """The open database; a test may close it itself."""
    crypto.hold(keys)
    await _make_tables(settings)
    if settings.database_url:
        config = db.config(MODELS, migrations_module(), postgres_url=settings.database_url)
    else:
        config = db.config(MODELS, migrations_module(), path=str(databases.path_of(settings)))
    opened = await db.open_database(config, clock)
    yield opened
    if db.is_open():
        await opened.close()
    if settings.database_url:  # a database of the shape it had is used again, which is much faster than a new one
        connection = await asyncpg.connect(settings.database_url)
        await connection.execute("DROP TABLE house, town")
        await connection.close()
