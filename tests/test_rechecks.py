"""A migration may put another condition into a CHECK; whatever else the table has stays."""

import shutil
from pathlib import Path

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.exceptions import BaseORMException
from tortoise.migrations.api import migrate as run_migrations

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.paths import migrations_dir
from pointsbank.kit.settings import Settings
from tests.schema_reading import read_schema

KINDS = "kind IN ('one', 'two')"
MORE = "kind IN ('one', 'two', 'three')"
SMALL = "size < 9 OR kind = 'two'"
LARGER = "size < 20 OR kind = 'two'"
MIGRATION = """
from tortoise import migrations
from ._lib import append_only, recheck, sql

class Migration(migrations.Migration):
    dependencies = [("models", "{before}")]
    operations = [
        sql(
            "CREATE TABLE thing (id ID, kind TEXT NOT NULL CHECK (kind IN ('one', 'two')), "
            "size WHOLE CHECK (size > 0), CHECK (size < 9 OR kind = 'two'))",
            "CREATE TABLE part (id ID, thing_id BIGINT NOT NULL REFERENCES thing(id))",
            "CREATE UNIQUE INDEX thing_big ON thing (kind, size) WHERE size > 1",
            "INSERT INTO thing (kind, size) VALUES ('one', 1), ('two', 10)",
            "INSERT INTO part (thing_id) VALUES (1), (2)",
        ),
        append_only("thing"),
        {then}
    ]
"""


async def migrated(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, then: str) -> None:
    name = f"migrations_{folder.name}"
    package = folder / name
    shutil.copytree(migrations_dir(), package, ignore=shutil.ignore_patterns("__pycache__"))
    before = databases.known_migrations()[-1]
    (package / "9999_more.py").write_text(MIGRATION.format(before=before, then=then), encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    config = databases._migration_config(settings)
    config["apps"]["models"]["migrations"] = name
    try:
        await run_migrations(config=config)
    finally:
        await Tortoise.close_connections()


async def attempt(tx: db.Tx, *, statement: str) -> int:
    return await tx.run(statement)


async def is_taken(statement: str) -> bool:
    try:
        await db.write(attempt, statement=statement)
    except (BaseORMException, asyncpg.PostgresError):
        return False
    return True


ROWS = "SELECT thing.id, kind, size, part.id FROM thing JOIN part ON part.thing_id = thing.id ORDER BY thing.id"
TRIED = {
    "INSERT INTO thing (id, kind, size) VALUES (11, 'three', 19)": True,
    "INSERT INTO thing (id, kind, size) VALUES (12, 'four', 1)": False,
    "INSERT INTO thing (id, kind, size) VALUES (13, 'three', 20)": False,
    "INSERT INTO thing (id, kind, size) VALUES (14, 'three', 0)": False,
    "INSERT INTO thing (id, kind, size) VALUES (15, 'two', 10)": False,
    "UPDATE thing SET size = size": False,
    "DELETE FROM thing": False,
}


@pytest.mark.both
async def test_a_wider_condition_leaves_rows_triggers_and_indexes_alone(settings, clock, tmp_path, monkeypatch):
    of_column = f'recheck("thing", "thing_kind_check", "{KINDS}", "{MORE}"),'
    of_table = f'recheck("thing", "thing_check", "{SMALL}", "{LARGER}"),'
    at_once = "sql(\"INSERT INTO thing (id, kind, size) VALUES (10, 'three', 1)\"),"

    await migrated(settings, tmp_path, monkeypatch, of_column + of_table + at_once)

    async with databases._opened(databases.config(settings), clock):
        schema = await read_schema()
        kind = next(check for check in schema.checks["thing"] if check.names == ("kind",))
        assert kind.values == ("'one'", "'three'", "'two'")
        assert len(schema.checks["thing"]) == 3
        assert {index.name for index in schema.indexes["thing"]} == {"thing_big"}
        assert schema.foreign_keys["part"] == {("thing_id", "thing", "id")}
        assert {verb for _, verb in schema.triggers["thing"]} == {"UPDATE", "DELETE"}
        assert [tuple(row) for row in await db.rows(ROWS)] == [(1, "one", 1, 1), (2, "two", 10, 2)]
        assert {statement: await is_taken(statement) for statement in TRIED} == TRIED


@pytest.mark.both
async def test_a_condition_that_rows_break_ends_the_migration(settings, clock, tmp_path, monkeypatch):
    narrower = f'recheck("thing", "thing_kind_check", "{KINDS}", "kind IN (\'one\', \'three\')"),'

    with pytest.raises((BaseORMException, asyncpg.PostgresError, AssertionError)):
        await migrated(settings, tmp_path, monkeypatch, narrower)

    async with databases.opened(settings, clock):
        assert "thing" not in (await read_schema()).columns


async def test_a_condition_that_does_not_stand_there_ends_the_migration(settings, tmp_path, monkeypatch):
    wrong = f'recheck("thing", "thing_colour_check", "kind IN (\'red\')", "{MORE}"),'

    with pytest.raises(AssertionError, match="has no single"):
        await migrated(settings, tmp_path, monkeypatch, wrong)
