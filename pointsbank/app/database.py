"""Opening the database: where it is, whether its schema fits, and bringing it up to date."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.exceptions import BaseORMException
from tortoise.migrations.api import migrate as run_migrations

from pointsbank.kit import db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db import postgres
from pointsbank.kit.paths import migrations_dir, migrations_module
from pointsbank.kit.settings import Settings

ROOMS_WITH_MODELS = (
    "trail",
    "people",
    "ledger",
    "scoring",
    "notices",
    "approvals",
    "awards",
    "events",
    "stock",
    "redemption",
    "governance",
)
MODELS = [f"pointsbank.{room}.models" for room in ROOMS_WITH_MODELS]
FILE_NAME = "pointsbank.db"


BROKEN = (OSError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, BaseORMException)
"""What opening and first reading raise when the database cannot be reached or is none."""


class DatabaseUnfit(Exception):
    """One line for the person who starts the program."""


def _unfit(error: Exception) -> DatabaseUnfit:
    # Drivers write over several lines, and SQLite's own words are for programmers: the first line is enough.
    return DatabaseUnfit(
        f"数据库打不开：{str(error).partition(chr(10))[0]}。请检查路径、权限，和它是不是积分银行的数据库。"
    )


def path_of(settings: Settings) -> Path:
    return settings.data / FILE_NAME


def config(settings: Settings) -> dict[str, Any]:
    """Tortoise's configuration of the running program."""
    if settings.database_url:
        return db.config(MODELS, migrations_module(), postgres_url=settings.database_url)
    return _config_of(path_of(settings))


def _config_of(path: Path, *, reads_only: bool = False) -> dict[str, Any]:
    return db.config(MODELS, migrations_module(), path=str(path), reads_only=reads_only)


def _migration_config(settings: Settings) -> dict[str, Any]:
    # Stock engines: migrations open transactions of their own. Foreign keys are off, or SQLite would delete the
    # children of a table that is rebuilt.
    if settings.database_url:
        connection: Any = postgres.connections(settings.database_url)["write"]
        connection["engine"] = "tortoise.backends.asyncpg"
    else:
        pragmas = {"journal_mode": "WAL", "synchronous": "FULL", "foreign_keys": "OFF"}
        connection = {
            "engine": "tortoise.backends.sqlite",
            "credentials": {"file_path": str(path_of(settings)), **pragmas},
        }
    app = {"models": MODELS, "default_connection": "default", "migrations": migrations_module()}
    return {"connections": {"default": connection}, "apps": {"models": app}, "use_tz": True}


async def migrate(settings: Settings) -> None:
    """Bring the schema up to date; does nothing when it is."""
    try:
        if not settings.database_url:
            # On a file that is no database Tortoise's runner would wait for ever, for a lock of its own.
            with closing(sqlite3.connect(path_of(settings))) as file:
                file.execute("PRAGMA schema_version")
        await run_migrations(config=_migration_config(settings))
    except BROKEN as error:
        raise _unfit(error) from error
    finally:
        await Tortoise.close_connections()


def known_migrations() -> list[str]:
    """Names of all migrations of this program, in order."""
    return sorted(path.stem for path in migrations_dir().glob("[0-9]*.py"))


async def _applied() -> set[str]:
    try:
        return {found["name"] for found in await db.rows("SELECT name FROM tortoise_migrations")}
    except BaseORMException as error:
        raise DatabaseUnfit("这不是积分银行的数据库，或还没有建好。请先运行 pointsbank init。") from error


async def missing_migrations(settings: Settings) -> list[str]:
    """What `migrate` would do; refuses a database that is none of ours."""
    if not settings.database_url:
        check_there(path_of(settings))
    wanted = config(settings) if settings.database_url else _config_of(path_of(settings), reads_only=True)
    async with _opened(wanted, Clock()):
        applied = await _applied()
    return [name for name in known_migrations() if name not in applied]


async def _check_schema() -> None:
    applied = await _applied()
    known = set(known_migrations())
    if known - applied:
        raise DatabaseUnfit("数据库是旧版本的。请先运行 pointsbank migrate（会先提示备份）。")
    if applied - known:
        raise DatabaseUnfit("数据库是更新版本的程序建的。请升级积分银行再打开。")


@asynccontextmanager
async def opened(settings: Settings, clock: Clock) -> AsyncIterator[db.Database]:
    """Open a database of the current schema, and close it whatever happens."""
    if not settings.database_url:
        check_there(path_of(settings))
        _check_writable(path_of(settings))
    async with _opened(config(settings), clock) as database:
        await _check_schema()
        yield database


@asynccontextmanager
async def opened_to_read(settings: Settings, file: Path | None = None) -> AsyncIterator[db.Database]:
    """Open for reading alone, beside a server that writes; `file` names a copy instead of the installation's own."""
    if settings.database_url and file is None:
        wanted = config(settings)
    else:
        path = file or path_of(settings)
        check_there(path)
        wanted = _config_of(path, reads_only=True)
    async with _opened(wanted, Clock()) as database:
        await _check_schema()
        yield database


async def is_founded(settings: Settings) -> bool:
    """Whether an installation lives in this database, of whatever schema. Changes nothing and makes no file."""
    if not settings.database_url and not path_of(settings).exists():
        return False
    wanted = config(settings) if settings.database_url else _config_of(path_of(settings), reads_only=True)
    async with _opened(wanted, Clock()):
        try:
            return await db.row("SELECT 1 FROM installation") is not None
        except BaseORMException:  # no such table: a database that nobody has begun to use
            await _refuse_foreign(settings)
            return False


async def _refuse_foreign(settings: Settings) -> None:
    """A file in our place with somebody else's tables. A schema of PostgreSQL may hold what its extensions need."""
    if not settings.database_url and await db.row("SELECT 1 FROM sqlite_master"):
        await _applied()


def check_there(path: Path) -> None:
    if not path.exists():
        raise DatabaseUnfit(f"没有数据库：{path}。请先运行 pointsbank init，或看演示 pointsbank demo。")


def _check_writable(path: Path) -> None:
    """SQLite would open it for reading, and stay so until the next start."""
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            raise DatabaseUnfit(f"不能写入：{place}。请检查权限。")


@asynccontextmanager
async def _opened(wanted: dict[str, Any], clock: Clock) -> AsyncIterator[db.Database]:
    try:
        database = await db.open_database(wanted, clock)
    except BROKEN as error:
        raise _unfit(error) from error
    try:
        yield database
    finally:
        await database.close()
