"""How many bytes a database spends, by table: each table with its indexes, as SQLite's own `dbstat` counts pages."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

PAGES = """
SELECT COALESCE(schema.tbl_name, stat.name), stat.name, SUM(stat.pgsize)
  FROM dbstat stat LEFT JOIN sqlite_schema schema ON schema.name = stat.name
 WHERE stat.aggregate = TRUE GROUP BY stat.name
"""
Sizes = dict[tuple[str, str], int]
"""Bytes by table and by the b-tree: the table's own or an index."""


def sizes(file: Path) -> Sizes:
    """Empty where this SQLite was built without `dbstat`."""
    with closing(sqlite3.connect(file)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        built_with = {option for (option,) in opened.execute("PRAGMA compile_options")}
        if "ENABLE_DBSTAT_VTAB" not in built_with:
            return {}
        return {(table, tree): size for table, tree, size in opened.execute(PAGES)}


FIGURES = {
    "ledger-bytes-an-entry": ("ledger_", "ledger_entry"),
    "command-bytes-a-key": ("command", "command"),
    "trail-bytes-a-line": ("trail_", "trail_record"),
}
"""Of which tables the bytes, and of which the rows."""


class Grown(NamedTuple):
    """What a database has come to hold between two looks."""

    bytes: Sizes
    rows: dict[str, int]

    def figures(self) -> dict[str, float]:
        return {name: total(self.bytes, tables) / self.rows[counted] for name, (tables, counted) in FIGURES.items()}

    def lines(self) -> list[str]:
        return lines({tree: size for tree, size in self.bytes.items() if size}, self.rows["ledger_entry"])


class Look(NamedTuple):
    bytes: Sizes
    rows: dict[str, int]

    def until(self, later: "Look") -> Grown | None:
        """None where this SQLite cannot tell."""
        if not later.bytes:
            return None
        grown = {tree: size - self.bytes.get(tree, 0) for tree, size in later.bytes.items()}
        return Grown(grown, {table: count - self.rows[table] for table, count in later.rows.items()})


def look(file: Path) -> Look:
    with closing(sqlite3.connect(file)) as opened:
        rows = {table: opened.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for _, table in FIGURES.values()}
    return Look(sizes(file), rows)


def total(of: Sizes, *tables: str) -> int:
    """Bytes of the tables whose names begin so."""
    return sum(size for (table, _tree), size in of.items() if table.startswith(tables))


def lines(of: Sizes, each: int) -> list[str]:
    """What each thing costs, by table, the largest first."""
    tables: dict[str, dict[str, int]] = {}
    for (table, tree), size in of.items():
        tables.setdefault(table, {})[tree] = size
    told = []
    for table, trees in sorted(tables.items(), key=lambda found: -sum(found[1].values())):
        parts = ", ".join(f"{tree.removeprefix(table + '_')} {size / each:.1f}" for tree, size in trees.items())
        told.append(f"  {table:28} {sum(trees.values()) / each:7.1f}  ({parts})")
    return told
