"""The triggers that keep rows from being changed, told alike on both databases.

`migrations/guards.txt` says which stand after all migrations, one a line: name, verb, table, when it refuses.
"""

import re

from pointsbank.kit import db
from pointsbank.kit.checks import Rows
from pointsbank.kit.paths import migrations_dir

OF_SQLITE = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
# One with a condition of its own, or for some columns alone, lets through what its function would refuse.
OF_POSTGRES = """
SELECT it.tgname, guarded.relname, CASE WHEN it.tgqual IS NULL AND CAST(it.tgattr AS TEXT) = '' THEN it.tgtype END,
       body.prosrc
  FROM pg_trigger it JOIN pg_class guarded ON guarded.oid = it.tgrelid JOIN pg_proc body ON body.oid = it.tgfoid
 WHERE NOT it.tgisinternal AND it.tgenabled IN ('O', 'A')
   AND guarded.relnamespace = CAST(current_schema() AS regnamespace)
"""
VERBS = {7: "INSERT", 11: "DELETE", 19: "UPDATE"}
"""Before the statement, for each row."""
# As `forbid` of the migrations writes them; one that does more stands in the file for each database by its own text.
SQLITE = re.compile(
    r"CREATE TRIGGER (\w+) BEFORE (\w+) ON (\w+) WHEN (.+) BEGIN SELECT RAISE\(ABORT, '\3: \w+'\); END", re.DOTALL
)
POSTGRES = re.compile(
    r"\s*BEGIN IF (.+) THEN RAISE integrity_constraint_violation USING MESSAGE = '(\w+): \w+'; END IF; "
    r"IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END\s*",
    re.DOTALL,
)


def wanted() -> dict[str, set[str]]:
    """Each guard by its name, as it may be told."""
    found: dict[str, set[str]] = {}
    for line in (migrations_dir() / "guards.txt").read_text("utf-8").splitlines():
        found.setdefault(line.partition(" ")[0], set()).add(line)
    return found


async def standing(rows: Rows) -> list[tuple[str, str]]:
    """The triggers that are there, by name; one that nobody of us wrote is told by its own text.

    On PostgreSQL two tables may have one of the same name.
    """
    if db.current().is_sqlite:
        return [(name, _of_sqlite(name, table, sql)) for name, table, sql in await rows(OF_SQLITE)]
    return [(name, _of_postgres(name, table, when, body)) for name, table, when, body in await rows(OF_POSTGRES)]


def _of_sqlite(name: str, table: str, sql: str) -> str:
    found = SQLITE.fullmatch(sql)
    return _told(name, found[2], table, found[4]) if found is not None else _told(name, "", table, sql)


def _of_postgres(name: str, table: str, when: int | None, body: str) -> str:
    found = POSTGRES.fullmatch(body)
    return _told(name, VERBS.get(when or 0, ""), table, found[1] if found is not None and found[2] == table else body)


def _told(*parts: str) -> str:
    return " ".join(" ".join(parts).split())
