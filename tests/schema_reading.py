"""What a migrated database says of itself, told alike for SQLite and PostgreSQL."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pointsbank.kit import db

IGNORED = "tortoise_migrations"  # the runner's own table
KINDS = {
    "INTEGER": "bigint",
    "BIGINT": "bigint",
    "TEXT": "text",
    "BLOB": "bytea",
    "BOOLEAN": "boolean",
    "MOMENT": "timestamp with time zone",
    "DAY": "date",
}


class Column(NamedTuple):
    kind: str
    may_be_null: bool
    key_place: int


class Meaning(NamedTuple):
    """A condition without its spelling: PostgreSQL writes IN, BETWEEN and casts in its own way."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    comparisons: tuple[str, ...]


class Index(NamedTuple):
    name: str  # "" for one that a UNIQUE made
    columns: tuple[str, ...]
    is_unique: bool
    condition: Meaning


class Schema(NamedTuple):
    """Columns without those that the database computes from the others."""

    columns: dict[str, dict[str, Column]]
    checks: dict[str, list[Meaning]]
    indexes: dict[str, set[Index]]
    foreign_keys: dict[str, set[tuple[str, str, str]]]
    triggers: dict[str, set[tuple[str, str]]]


def meaning(condition: str) -> Meaning:
    text = re.sub(r"::[a-z]+(\[\])?", "", condition)
    text = re.sub(r"\bIN\b", "=", re.sub(r"\bBETWEEN\b", ">= <=", text))
    values = re.findall(r"'[^']*'|\b\d+\b", text)
    text = re.sub(r"'[^']*'", " ", text)
    comparisons = re.findall(r"<>|<=|>=|<|>|=|\bIS NOT NULL\b|\bIS NULL\b", text)
    return Meaning(*(tuple(sorted(set(found))) for found in (re.findall(r"\b[a-z_]+\b", text), values, comparisons)))


async def read_schema() -> Schema:
    return await (_of_sqlite() if db.current().is_sqlite else _of_postgres())


# SQLite: pragmas, and the text of the tables, for it keeps CHECKs nowhere else.


async def _of_sqlite() -> Schema:
    schema = Schema({}, {}, {}, {}, {})
    for name, text in await db.rows("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
        if name == IGNORED or name.startswith("sqlite_"):
            continue
        schema.columns[name] = {
            column["name"]: Column(KINDS[column["type"]], not column["notnull"], column["pk"])
            for column in await db.rows(f"PRAGMA table_info({name})")
        }
        schema.checks[name] = sorted(meaning(check) for check in _checks(text) if "typeof(" not in check)
        schema.indexes[name] = {index async for index in _indexes(name)}
        schema.foreign_keys[name] = {
            (found["from"], found["table"], found["to"]) for found in await db.rows(f"PRAGMA foreign_key_list({name})")
        }
        schema.triggers[name] = set()
    for name, table, text in await db.rows("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"):
        verb = re.search(r"BEFORE (\w+) ON", text)
        assert verb is not None
        schema.triggers[table].add((name, verb[1]))
    return schema


def _checks(text: str) -> Iterator[str]:
    for start in re.finditer(r"CHECK \(", text):
        depth = 0
        for end in range(start.end() - 1, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                yield text[start.end() : end]
                break


async def _indexes(table: str) -> Any:
    for found in await db.rows(f"PRAGMA index_list({table})"):
        if found["origin"] == "pk":
            continue
        columns = tuple(column["name"] for column in await db.rows(f"PRAGMA index_info({found['name']})"))
        text = await db.row("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", found["name"])
        assert text is not None
        condition = (text["sql"] or "").partition(" WHERE ")[2]
        name = found["name"] if found["origin"] == "c" else ""
        yield Index(name, columns, bool(found["unique"]), meaning(condition))


# PostgreSQL: its catalogue.

COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type, c.is_nullable = 'YES' AS may_be_null,
       COALESCE(array_position(k.conkey, c.ordinal_position::int2), 0) AS key_place
  FROM information_schema.columns c
  LEFT JOIN pg_constraint k ON k.contype = 'p' AND k.conrelid = c.table_name::regclass
 WHERE c.table_schema = 'public' AND c.table_name <> 'tortoise_migrations' AND c.is_generated = 'NEVER'
 ORDER BY c.table_name, c.ordinal_position
"""
CHECKS = """
SELECT conrelid::regclass::text AS name, pg_get_expr(conbin, conrelid) AS condition FROM pg_constraint
 WHERE contype = 'c' AND connamespace = 'public'::regnamespace
"""
INDEXES = """
SELECT i.indrelid::regclass::text AS on_table, c.relname AS name, i.indisunique AS is_unique,
       pg_get_expr(i.indpred, i.indrelid) AS condition,
       EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid AND contype = 'u') AS made_by_unique,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.place) AS columns
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisprimary
"""
FOREIGN_KEYS = """
SELECT k.conrelid::regclass::text AS on_table, a.attname AS name, k.confrelid::regclass::text AS target,
       b.attname AS target_column
  FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
 WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
"""
TRIGGERS = """
SELECT tgrelid::regclass::text AS on_table, tgname AS name,
       CASE WHEN tgtype & 4 > 0 THEN 'INSERT' WHEN tgtype & 8 > 0 THEN 'DELETE' WHEN tgtype & 16 > 0 THEN 'UPDATE' END
       AS verb
  FROM pg_trigger WHERE NOT tgisinternal
"""


async def _of_postgres() -> Schema:
    schema = Schema({}, {}, {}, {}, {})
    for table, name, *column in await db.rows(COLUMNS):
        for part in (schema.columns, schema.checks, schema.indexes, schema.foreign_keys, schema.triggers):
            part.setdefault(table, [] if part is schema.checks else {} if part is schema.columns else set())
        schema.columns[table][name] = Column(*column)
    for table, condition in await db.rows(CHECKS):
        schema.checks[table].append(meaning(condition))
        schema.checks[table].sort()
    for found in await db.rows(INDEXES):
        if found["on_table"] != IGNORED:
            name = "" if found["made_by_unique"] else found["name"]
            condition = meaning(found["condition"] or "")
            schema.indexes[found["on_table"]].add(Index(name, tuple(found["columns"]), found["is_unique"], condition))
    for table, *key in await db.rows(FOREIGN_KEYS):
        schema.foreign_keys[table].add(tuple(key))
    for table, name, verb in await db.rows(TRIGGERS):
        schema.triggers[table].add((name, verb))
    return schema
