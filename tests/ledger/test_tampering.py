"""Whoever writes in the books behind the program's back is found, whatever column, row or table it was.

Read off the schema: a column that comes later is tried too, and one that nothing covers turns these tests red.
"""

import shutil
from typing import Any

import pytest

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.settings import Settings
from pointsbank.ledger import (
    canon,
    queries_seal,
    queries_subjects,
    verify_seals,
)
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.sealing import Sealer
from pointsbank.people.access import Role
from tests.ledger.busy import Filled, busy_books, fill, heads
from tests.ledger.intruder import Intruder, intruding

pytestmark = pytest.mark.tampers


@pytest.fixture(scope="module")
async def filled(template, tmp_path_factory, keys) -> Filled:
    folder = tmp_path_factory.mktemp("filled")
    shutil.copy(template, folder)
    return await fill(Settings(data=folder), keys)


@pytest.fixture(scope="module")
async def filled_postgres(postgres_server, tmp_path_factory, keys):
    async with postgres_server.lending() as name:
        yield await fill(Settings(data=tmp_path_factory.mktemp("filled"), database_url=postgres_server.url(name)), keys)


@pytest.fixture
def books(request, engine) -> Filled:
    return request.getfixturevalue("filled_postgres" if engine == "postgres" else "filled")


@pytest.fixture
async def intruder(books, monkeypatch):
    async with (
        databases.opened(books.settings, FixedClock(books.moment)),
        intruding(books.settings, books.heads, monkeypatch) as one,
    ):
        yield one


async def columns_unnoticed(intruder: Intruder, *tables: str) -> list[str]:
    tried = [(table, column) for table in tables or intruder.tables for column in intruder.tables[table]]
    told = [await intruder.changes_unnoticed(*each) for each in tried]
    return [one for one in told if one]


@pytest.mark.both
async def test_every_column_of_every_table_is_covered(intruder):
    assert len(intruder.tables) >= 13
    assert await columns_unnoticed(intruder) == []


FORGETFUL = {
    "ledger_entry.summary": ("SEALED_ENTRIES", "UNSEALED_ENTRIES"),
    "ledger_move.target_after": ("SEALED_MOVES", "MOVES_BETWEEN"),
}


@pytest.mark.parametrize("column", FORGETFUL)
async def test_a_form_that_forgets_a_column_is_caught_by_the_test_of_columns(world, settings, monkeypatch, column):
    table, _, name = column.partition(".")
    with pytest.MonkeyPatch.context() as fault:
        for text in FORGETFUL[column]:
            whole = getattr(queries_seal, text)
            short = whole.replace(f"{table.removeprefix('ledger_')}.{name}", "NULL")
            assert short != whole
            fault.setattr(queries_seal, text, short)
        await busy_books(world)
        await Sealer().run()
        async with intruding(settings, await heads(), monkeypatch) as intruder:
            told = await columns_unnoticed(intruder, table)
    assert [one.partition(":")[0] for one in told] == [column]


async def test_a_subject_that_forgets_a_column_is_caught_by_the_test_of_columns(world, settings, monkeypatch):
    kind = queries_subjects.SUBJECTS["kind"]
    with pytest.MonkeyPatch.context() as fault:
        fault.setitem(queries_subjects.SUBJECTS, "kind", kind._replace(sql=kind.sql.replace(" it.spend_above,", "")))
        await busy_books(world)
        await db.write(relearn)
        await Sealer().run()
        async with intruding(settings, await heads(), monkeypatch) as intruder:
            told = await columns_unnoticed(intruder, "ledger_book_kind")
    assert [one.partition(":")[0] for one in told] == ["ledger_book_kind.spend_above"]


async def relearn(tx: db.Tx) -> None:
    for (kind_id,) in await tx.rows("SELECT id FROM ledger_book_kind"):
        await change(tx, what="kind", row_id=kind_id)


@pytest.mark.both
async def test_a_row_that_is_gone_is_missed(intruder):
    for table in intruder.tables:
        for key, _row in await intruder.some(table):
            async with intruder.attempt():
                where = " AND ".join(f"{name} = ?" for name in key)
                await intruder.rows(f"DELETE FROM {table} WHERE {where}", *key.values())
                assert await intruder.noticed(), (table, key)


@pytest.mark.both
async def test_a_row_that_was_put_in_is_noticed(intruder):
    for table in intruder.tables:
        for key, row in (await intruder.some(table))[:2]:
            assert await put_in_unnoticed(intruder, table, key, row) == "", table


async def put_in_unnoticed(intruder: Intruder, table: str, key: dict[str, Any], row: dict[str, Any]) -> str:
    """Put a twin in: what must differ from the row differs by as little as the keys allow."""
    unique = {name for index in intruder.schema.indexes[table] if index.is_unique for name in index.columns}
    listed = {name for check in intruder.schema.checks[table] for name in check.names}
    for step in range(1, 9):
        twin = dict(row)
        for name in unique | {[name for name in key if isinstance(row[name], int)][-1]}:
            if isinstance(twin[name], int):
                twin[name] += 97 * step
            elif isinstance(twin[name], str) and name not in listed:
                twin[name] += "x" * step
        async with intruder.attempt():
            marks = ", ".join("?" * len(twin))
            try:
                await intruder.rows(f"INSERT INTO {table} ({', '.join(twin)}) VALUES ({marks})", *twin.values())
            except intruder.REFUSED:
                continue
            return "" if await intruder.noticed() else f"{table}: {twin}"
    return f"{table}: no twin could be put in"


SOURCES = {
    "source_room": ("opening", "adjustment", "reversal", "joining"),
    "source_kind": ("opening", "transfer", "reversal"),
    "source_id": ("opening", "adjustment", "reversal"),
}
OF_KIND = "SELECT MIN(id) FROM ledger_entry WHERE kind = ? AND source_room <> 'tests'"


@pytest.mark.both
async def test_an_entry_that_names_another_room_or_nothing_that_is_there_is_found_without_its_seal(intruder):
    for column, kinds in SOURCES.items():
        other = 10**6 if column == "source_id" else "tests"
        for kind in kinds:
            (first,) = await intruder.rows(OF_KIND, kind)
            async with intruder.attempt():
                assert await intruder.has_set("ledger_entry", column, {"id": first[0]}, other)
                assert 17 in {finding.invariant for finding in await intruder.noticed()}, (kind, column)


SWAPS = {
    "ledger_entry": ["summary"],
    "ledger_move": ["points", "entry_id"],
    "ledger_lot_use": ["points"],
    "ledger_change": ["content"],
    "ledger_seal": ["hash"],
    "ledger_account": ["balance"],
    "ledger_passbook": ["opened_at", "person_id"],
}


@pytest.mark.both
@pytest.mark.parametrize("table", SWAPS)
async def test_two_rows_that_changed_places_are_noticed(intruder, table):
    for column in SWAPS[table]:
        rows = await intruder.some(table)
        key, row = rows[0]
        other_key, other = next(each for each in reversed(rows) if each[1][column] != row[column])
        async with intruder.attempt():
            spare = {"hash": b"x", "person_id": 10**6, "opened_at": row[column]}.get(column, row[column])
            assert await intruder.has_set(table, column, key, spare)
            assert await intruder.has_set(table, column, other_key, row[column])
            assert await intruder.has_set(table, column, key, other[column])
            assert await intruder.noticed(), column


@pytest.mark.both
async def test_two_seals_that_changed_places_are_noticed(intruder):
    first, second = (await intruder.rows(
        "SELECT community_id, position, entry_id FROM ledger_seal WHERE entry_id IS NOT NULL ORDER BY entry_id LIMIT 2"
    ))  # fmt: skip
    async with intruder.attempt():
        for seal, entry_id in ((first, 10**6), (second, first["entry_id"]), (first, second["entry_id"])):
            await intruder.rows(
                "UPDATE ledger_seal SET entry_id = ? WHERE community_id = ? AND position = ?",
                entry_id, seal["community_id"], seal["position"],
            )  # fmt: skip
        (finding, *_) = sorted(await intruder.noticed(), key=lambda one: one.where)
        assert f"position {min(first['position'], second['position'])}" in finding.where


LAST_ENTRY = """
SELECT seal.community_id, seal.position, seal.entry_id, move.source_id, move.target_id, move.points
  FROM ledger_seal seal JOIN ledger_move move ON move.entry_id = seal.entry_id
 ORDER BY seal.entry_id DESC LIMIT 1
"""


@pytest.mark.both
async def test_a_tail_that_was_cut_off_shows_in_the_deposited_head_alone(intruder):
    """The intruder takes the last award out of every table, so that nothing contradicts anything."""
    async with intruder.attempt():
        (last,) = await intruder.rows(LAST_ENTRY)
        place, cut = last["community_id"], last["position"]
        for sql, value in (
            ("DELETE FROM ledger_seal WHERE entry_id = ?", last["entry_id"]),
            ("DELETE FROM ledger_lot_use WHERE entry_id = ?", last["entry_id"]),
            ("DELETE FROM ledger_move WHERE entry_id = ?", last["entry_id"]),
            ("DELETE FROM ledger_entry WHERE id = ?", last["entry_id"]),
            ("DELETE FROM ledger_lot WHERE account_id = ?", last["target_id"]),
        ):
            await intruder.rows(sql, value)
        for sign, account_id in ((1, last["source_id"]), (-1, last["target_id"])):
            await intruder.rows(
                "UPDATE ledger_account SET balance = balance + ? WHERE id = ?", sign * last["points"], account_id
            )
        assert await intruder.noticed(heads=()) == set()
        (finding,) = await intruder.noticed()
        assert (finding.invariant, finding.where) == (12, f"community {place}, position {cut}")


@pytest.mark.both
async def test_a_chain_that_was_written_anew_shows_in_the_deposited_head_alone(intruder):
    """Another summary in the first entry, and every seal from there on computed as the sealer would."""
    async with intruder.attempt():
        (first,) = await intruder.rows(
            "SELECT community_id, position, entry_id FROM ledger_seal WHERE entry_id IS NOT NULL "
            "ORDER BY entry_id LIMIT 1"
        )
        await intruder.rows("UPDATE ledger_entry SET summary = '改过' WHERE id = ?", first["entry_id"])
        place = first["community_id"]
        assert await intruder.noticed(heads=()) != set()
        previous = canon.GENESIS
        for one in await queries_seal.sealed(intruder.rows, queries_seal.BETWEEN, place, 0, 10_000):
            previous = canon.link(place, one.position, previous, canon.digest(one.form))
            await intruder.rows(
                "UPDATE ledger_seal SET hash = ? WHERE community_id = ? AND position = ?", previous, place, one.position
            )
        assert await intruder.noticed(heads=()) == set()
        (finding,) = await intruder.noticed()
        assert finding.what == "the chain differs from a deposited head"


async def test_a_chain_that_is_checked_in_pieces_tells_the_same(intruder, monkeypatch):
    """A hash, a row and a gap on both sides of where pieces join."""
    _length, place = max((head.position, head.community_id) for head in intruder.heads)
    of = "WHERE community_id = ? AND position = ?"
    for position in (6, 7, 8):
        for attack in (
            f"UPDATE ledger_seal SET hash = zeroblob(32) {of}",
            f"UPDATE ledger_change SET what = 'x' WHERE id = (SELECT change_id FROM ledger_seal {of})",
            f"DELETE FROM ledger_seal {of}",
        ):
            async with intruder.attempt():
                await intruder.rows(attack, place, position)
                told = []
                for span in (10_000, 7, 1):
                    monkeypatch.setattr(verify_seals, "SPAN", span)
                    told.append({one.where for one in await intruder.noticed() if one.where.startswith("community")})
                assert told[0] == told[1] == told[2]
                assert any(f"position {position}" in where for where in told[0]), (attack, position)


async def test_a_role_that_is_tampered_with_is_none_of_the_ledger_s(intruder):
    """So that the test of columns cannot pass by finding everything wrong."""
    async with intruder.attempt():
        await intruder.rows("UPDATE people_role_grant SET role = ?", Role.COUNTER_STAFF.value)
        assert await intruder.noticed() == set()
