"""The migrated schema: alike on both databases, in step with the models, and guarding what may not change."""

import itertools
import shutil
import sqlite3
from contextlib import closing
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.exceptions import BaseORMException
from tortoise.migrations.api import migrate as run_migrations

from migrations._state import drift
from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.paths import migrations_dir
from pointsbank.kit.settings import Settings
from tests.schema_reading import read_schema

APPEND_ONLY = {
    "trail_record", "ledger_entry", "ledger_move", "ledger_lot_use", "notices_line", "awards_act", "awards_review",
    "stock_move", "redemption_order_line", "approvals_beneficiary", "ledger_hold_lot", "ledger_change", "ledger_seal",
    "ledger_rate",
}  # fmt: skip
AMOUNTS = {"points", "balance", "remaining", "held", "quantity", "stock", "used", "minutes"}
KEPT = {
    "ledger_lot", "ledger_account", "ledger_passbook", "scoring_version", "events_attendance", "redemption_order",
    "stock_lot", "approvals_approval", "ledger_opening_list", "ledger_opening_line",
    "ledger_book_kind", "ledger_hold", "ledger_budget", "ledger_voucher",
}  # fmt: skip


def settings_of(data: Path, url: str = "") -> Settings:
    return Settings.from_env({"POINTSBANK_DATA": str(data), "POINTSBANK_DATABASE_URL": url})


async def schema_of(settings: Settings, clock: FixedClock):
    async with databases.opened(settings, clock):
        return await read_schema()


def test_migrations_stand_in_one_line():
    """Of two that follow the same one, a database that has one would never get the other."""
    names = databases.known_migrations()
    for before, name in itertools.pairwise(names):
        assert import_module(f"migrations.{name}").Migration.dependencies == [("models", before)], name


async def test_both_databases_have_the_same_schema(template, postgres_server, clock, tmp_path):
    lite = await schema_of(settings_of(template.parent), clock)
    postgres = await schema_of(settings_of(tmp_path, postgres_server.url("pointsbank_empty")), clock)

    assert lite.columns.keys() == postgres.columns.keys()
    for table in lite.columns:
        assert lite.columns[table] == postgres.columns[table], table
        assert lite.checks[table] == postgres.checks[table], table
        assert lite.indexes[table] == postgres.indexes[table], table
        assert lite.foreign_keys[table] == postgres.foreign_keys[table], table
        assert lite.triggers[table] == postgres.triggers[table], table
    assert sum(map(len, lite.checks.values())) > 40


async def test_every_amount_is_kept_whole_on_sqlite_too(database):
    """A CHECK that bounds a number can do so only if the number stays one."""
    loose = []
    for table, text in await db.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        for column in await db.rows(f"PRAGMA table_xinfo({table})"):
            name = column["name"]
            bounded = f"CHECK ({name} >" in text or f"CHECK ({name} BETWEEN" in text
            if (name in AMOUNTS or bounded) and f"typeof({name})" not in text:
                loose.append(f"{table}.{name}")
    assert set(loose) <= {"people_activation.tries_left"}  # never computed with


async def test_models_and_tables_have_the_same_columns(database):
    schema = await read_schema()
    kinds = {"BOOL": "boolean", "TIMESTAMPTZ": "timestamp with time zone"}

    def kind_of(field) -> str:
        kind = field.get_for_dialect("postgres", "SQL_TYPE")
        return kinds.get(kind, kind.lower())

    models = Tortoise.apps["models"].values()
    for model in models:
        told = {
            field.source_field or name: (kind_of(field), field.null) for name, field in model._meta.fields_map.items()
        }
        found = {
            name: (column.kind, column.may_be_null) for name, column in schema.columns[model._meta.db_table].items()
        }
        assert told == found, model
    assert {model._meta.db_table for model in models} == schema.columns.keys() - {
        "command", "outbox", "installation", "job", "awards_cap_use", "redemption_limit_use", "redemption_carried",
        "ledger_lot_use", "ledger_hold_lot", "ledger_kind_run", "ledger_closing", "ledger_outstanding", "ledger_seal",
    }  # fmt: skip


async def test_no_migration_is_missing():
    assert [operation.describe() for operation in await drift()] == []


async def test_a_new_database_is_sound(database):
    assert await db.rows("PRAGMA foreign_key_check") == []
    assert tuple(await db.row("PRAGMA integrity_check")) == ("ok",)


async def test_the_guarded_tables_are_these(database):
    triggers = (await read_schema()).triggers

    def guarded(why: str, verbs: set[str]) -> set[str]:
        return {
            table for table, found in triggers.items() if {verb for name, verb in found if f"_{why}_" in name} == verbs
        }

    assert guarded("append_only", {"UPDATE", "DELETE"}) >= APPEND_ONLY
    assert guarded("kept", {"DELETE"}) >= KEPT


OVERRIDES = {
    "ledger_account": {"system": "x", "held": 0},
    "ledger_passbook": {"person_id": 1},
    "ledger_seal": {"entry_id": 1},
    "ledger_lot": {"remaining": 1, "held": 0},
    "ledger_book_kind": {"decimals": 0, "base_points": 0, "base_every": "never"},
    "ledger_hold": {"state": "open"},
    "ledger_budget": {"year": 2026, "ceiling_points": 1000, "issued": 0},
    "ledger_rate": {"cents_per_100": 1},
    "stock_lot": {"remaining": 1},
    "approvals_beneficiary": {"person_id": 1},
    "approvals_approval": {"maker_id": 1, "state": "open"},
    "ledger_opening_list": {"booked": 0, "state": "draft"},
    "ledger_voucher": {"what": "transfer", "state": "asked", "from_id": 1},
    "scoring_version": {"state": "retired", "in_force_from": "2026-11-21"},
}
BY_KIND = {
    "text": "x",
    "bytea": "x",
    "boolean": "t",
    "date": "2026-11-21",
    "timestamp with time zone": "2026-11-21T04:00Z",
}


async def a_row(table: str) -> dict[str, object]:
    """A row that every CHECK of the table lets through; whom it refers to need not exist."""
    schema = await read_schema()
    row: dict[str, object] = {}
    for place, (name, column) in enumerate(schema.columns[table].items(), start=1):
        if not column.may_be_null:
            row[name] = place if column.kind == "bigint" else BY_KIND[column.kind]
    for check in schema.checks[table]:
        texts = [value for value in check.values if value.startswith("'")]
        if len(check.names) == 1 and texts and check.comparisons == ("=",) and check.names[0] in row:
            row[check.names[0]] = texts[0].strip("'")
    return row | OVERRIDES.get(table, {})


async def refused_statements(settings: Settings, table: str, row: dict[str, object]) -> dict[str, str]:
    """Put the row in behind the program's back, then try to change it; returns the refusals."""
    insert = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(repr(value) for value in row.values())})"
    column = next(iter(row))
    attempts = {"UPDATE": f"UPDATE {table} SET {column} = {column}", "DELETE": f"DELETE FROM {table}"}
    refused = {}
    if not settings.database_url:
        with closing(sqlite3.connect(databases.path_of(settings), isolation_level=None)) as file:
            file.execute(insert)
            for verb, statement in attempts.items():
                try:
                    file.execute(statement)
                except sqlite3.IntegrityError as error:
                    refused[verb] = str(error)
        return refused
    connection = await asyncpg.connect(settings.database_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(insert)
        await connection.execute("SET session_replication_role = origin")
        for verb, statement in attempts.items():
            try:
                await connection.execute(statement)
            except asyncpg.IntegrityConstraintViolationError as error:
                refused[verb] = str(error)
    finally:
        await connection.close()
    return refused


@pytest.mark.both
@pytest.mark.tampers
async def test_triggers_refuse_what_may_not_be(database, settings):
    for table in sorted(APPEND_ONLY):
        refused = await refused_statements(settings, table, await a_row(table))
        assert refused == dict.fromkeys(("UPDATE", "DELETE"), f"{table}: append_only")
    for table in sorted(KEPT):
        refused = await refused_statements(settings, table, await a_row(table))
        assert refused["DELETE"] == f"{table}: kept"


BROKEN = """
from tortoise import migrations
from ._lib import sql

class Migration(migrations.Migration):
    dependencies = [("models", "{before}")]
    operations = [sql("CREATE TABLE half_done (id ID)", "CREATE TABLE half_done (id ID)")]
"""


@pytest.mark.both
async def test_a_migration_that_fails_leaves_nothing(settings, clock, tmp_path, monkeypatch):
    package = tmp_path / "broken_migrations"
    shutil.copytree(migrations_dir(), package, ignore=shutil.ignore_patterns("__pycache__"))
    before = databases.known_migrations()[-1]
    (package / "9999_broken.py").write_text(BROKEN.format(before=before), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    config = databases._migration_config(settings)
    config["apps"]["models"]["migrations"] = "broken_migrations"

    with pytest.raises((BaseORMException, asyncpg.PostgresError), match="half_done"):
        await run_migrations(config=config)
    await Tortoise.close_connections()

    async with databases.opened(settings, clock):
        assert "half_done" not in (await read_schema()).columns
