"""Opening the database: where it is, whether its schema fits, and bringing it up to date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

ROOMS_WITH_MODELS = ("trail", "people", "ledger", "scoring", "notices", "awards", "events", "stock", "redemption")
MODELS = [f"pointsbank.{room}.models" for room in ROOMS_WITH_MODELS]
FILE_NAME = "pointsbank.db"


class DatabaseUnfit(Exception):
    """One line for the person who starts the program."""


def path_of(settings: Settings) -> Path:
    return settings.data / FILE_NAME


def config(settings: Settings) -> dict[str, Any]:
    """Tortoise's configuration of the running program."""
    if settings.database_url:
        return db.config(MODELS, migrations_module(), postgres_url=settings.database_url)
    return db.config(MODELS, migrations_module(), path=str(path_of(settings)))


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
        await run_migrations(config=_migration_config(settings))
    except (OSError, asyncpg.PostgresError, BaseORMException) as error:
        raise DatabaseUnfit(f"数据库打不开：{error}") from error
    finally:
        await Tortoise.close_connections()


def known_migrations() -> list[str]:
    """Names of all migrations of this program, in order."""
    return sorted(path.stem for path in migrations_dir().glob("[0-9]*.py"))


async def _check_schema() -> None:
    try:
        applied = {found["name"] for found in await db.rows("SELECT name FROM tortoise_migrations")}
    except BaseORMException as error:
        raise DatabaseUnfit("这不是积分银行的数据库，或还没有建好。请先运行 pointsbank init。") from error
    known = set(known_migrations())
    if known - applied:
        raise DatabaseUnfit("数据库是旧版本的。请先运行 pointsbank migrate（会先提示备份）。")
    if applied - known:
        raise DatabaseUnfit("数据库是更新版本的程序建的。请升级积分银行再打开。")


@asynccontextmanager
async def opened(settings: Settings, clock: Clock) -> AsyncIterator[db.Database]:
    """Open a database of the current schema, and close it whatever happens."""
    if not settings.database_url and not path_of(settings).exists():
        raise DatabaseUnfit(f"没有数据库：{path_of(settings)}。请先运行 pointsbank init，或看演示 pointsbank demo。")
    try:
        database = await db.open_database(config(settings), clock)
    except (OSError, asyncpg.PostgresError, BaseORMException) as error:
        raise DatabaseUnfit(f"数据库打不开：{error}") from error
    try:
        await _check_schema()
        yield database
    finally:
        await database.close()
