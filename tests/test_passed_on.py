"""Databases that tests pass on are new to each of them: what `files`, `embedded` and `doors` promise all the others.

If one of these let something through, tests would stay green for the wrong reason.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from types import SimpleNamespace

import asyncpg
import pytest

from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.errors import NotFound
from pointsbank.kit.settings import Settings
from pointsbank.trail import actions as trail
from tests.doors import Watch
from tests.embedded import PostgresServer
from tests.files import Files

NOTE = "INSERT INTO note (word) VALUES (?)"
NOTES = "SELECT id, word FROM note ORDER BY id"


def a_file(folder, *words: str) -> bytes:
    """A database whose notes are these."""
    path = folder / "template.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, word TEXT)")
        made.executemany(NOTE, [(word,) for word in words])
    return path.read_bytes()


class TestFiles:
    @pytest.fixture
    def lender(self, tmp_path) -> Iterator[Files]:
        folder = tmp_path / "passed_on"
        folder.mkdir()
        lender = Files(folder, a_file(tmp_path))
        yield lender
        for one in lender.free:
            one.forget()

    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "looked_for.db"

    def notes(self, lender, path, *words: str) -> list[tuple]:
        """What a test of its own finds there, and leaves behind."""
        connection = lender.connect(str(path), isolation_level=None, timeout=0)
        found = connection.execute(NOTES).fetchall()
        connection.executemany(NOTE, [(word,) for word in words])
        assert len(connection.execute(NOTES).fetchall()) == len(found) + len(words)
        connection.close()
        return found

    def test_what_one_writes_the_next_does_not_see_though_its_connections_are_open_still(self, lender, path):
        for _ in range(3):
            with lender.lending(path, lender.empty):
                assert self.notes(lender, path, "mine", "and mine") == []
        assert lender.made == 1
        assert [len(some) for some in lender.free[0].idle.values()] == [1]

    def test_each_finds_what_was_asked_for_though_it_is_more_or_less_than_before(self, lender, path, tmp_path):
        for words in (("more",), (), ("other", "words")):
            with lender.lending(path, a_file(tmp_path, *words)):
                assert [word for _, word in self.notes(lender, path, "mine")] == [*words]
        assert lender.made == 1

    def test_who_knows_of_fewer_pages_is_not_passed_on(self, lender, path, tmp_path):
        large = a_file(tmp_path, *["x" * 3_000] * 9)
        assert len(large) > len(lender.empty)
        with lender.lending(path, lender.empty):
            self.notes(lender, path)
        with lender.lending(path, large):
            assert len(self.notes(lender, path)) == 9
        assert lender.made == 2
        with lender.lending(path, lender.empty):  # fewer than they know is no harm
            assert self.notes(lender, path) == []
        assert lender.made == 2

    def test_a_log_that_somebody_left_is_not_read_over_the_next_one_s_rows(self, lender, path):
        with lender.lending(path, lender.empty):
            real = path.resolve()
            log = real.with_name(f"{real.name}-wal")
            with closing(sqlite3.connect(real, isolation_level=None)) as killed:
                killed.execute(NOTE, ("of somebody killed",))
                left = log.read_bytes()
            log.write_bytes(left)
        with lender.lending(path, lender.empty):
            assert self.notes(lender, path) == []
        assert lender.made == 2

    def test_what_somebody_has_open_still_is_not_passed_on(self, lender, path):
        with lender.lending(path, lender.empty):
            held = lender.connect(str(path), isolation_level=None)
            held.execute(NOTES)
        with lender.lending(path, lender.empty):
            assert self.notes(lender, path) == []
        assert lender.made == 2
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            held.execute(NOTES)

    def test_what_somebody_reads_in_still_is_left_to_them(self, lender, path):
        with lender.lending(path, lender.empty):
            self.notes(lender, path, "mine")
            reader = sqlite3.connect(path.resolve(), isolation_level=None)
            reader.execute("BEGIN")
            assert len(reader.execute(NOTES).fetchall()) == 1
            self.notes(lender, path, "and mine")
        with lender.lending(path, lender.empty):
            assert self.notes(lender, path) == []
        assert lender.made == 2
        assert len(reader.execute(NOTES).fetchall()) == 1
        reader.close()

    def test_a_connection_comes_back_without_what_it_was_in_the_midst_of(self, lender, path):
        with lender.lending(path, lender.empty):
            connection = lender.connect(str(path), isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(NOTE, ("mine",))
            connection.close()
            again = lender.connect(str(path), isolation_level=None)
            assert (again is connection, again.in_transaction, again.row_factory) == (True, False, None)
            assert again.execute(NOTES).fetchall() == []
            again.close()

    def test_where_nothing_is_lent_a_file_is_a_file(self, lender, path):
        with closing(lender.connect(str(path), isolation_level=None)) as own:
            own.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, word TEXT)")
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            own.execute(NOTES)


@pytest.fixture
def lend(request, engine, tmp_path, clock, keys):
    """The program on a database of the suite's own, as a test has it."""
    crypto.hold(keys)
    lender = request.getfixturevalue("postgres_server" if engine == "postgres" else "files")

    @asynccontextmanager
    async def lend():
        path, made = tmp_path / databases.FILE_NAME, {"POINTSBANK_DATA": str(tmp_path)}
        if engine == "postgres":
            async with lender.lending() as name:
                made["POINTSBANK_DATABASE_URL"] = lender.url(name)
                async with databases.opened(Settings.from_env(made), clock):
                    yield
        else:
            with lender.lending(path, lender.empty):
                async with databases.opened(Settings.from_env(made), clock):
                    yield

    lend.made = lambda: lender.made
    return lend


async def note(tx, *, word):
    await trail.record(tx, word, subject=("person", 1))


@pytest.mark.both
async def test_a_test_begins_with_an_empty_database_and_its_first_number(lend):
    seen = []
    for _ in range(3):
        async with lend():
            assert await db.rows("SELECT id FROM trail_record") == []
            for word in ("first", "second"):
                await db.write(note, word=word, request_key=f"{word}-key")
            seen.append([tuple(found) for found in await db.rows("SELECT id, verb FROM trail_record ORDER BY id")])
            made = lend.made()

    assert seen == [[(1, "first"), (2, "second")]] * 3
    async with lend():
        assert lend.made() == made  # the same one all the time


@pytest.mark.postgres
class TestPostgres:
    async def test_a_changed_schema_is_thrown_away(self, postgres_server: PostgresServer):
        for change in ("CREATE TABLE another (id INT)", "DROP TRIGGER trail_record_append_only_update ON trail_record"):
            async with postgres_server.lending() as name:
                connection = await postgres_server.connect(name)
                await connection.execute(change)
                await connection.close()
            async with postgres_server.lending() as other:
                assert other != name

    async def test_whoever_is_connected_still_is_sent_away(self, postgres_server: PostgresServer):
        async with postgres_server.lending() as name:
            left = await postgres_server.connect(name)
            await left.execute("BEGIN")
        async with postgres_server.lending() as other:
            assert other == name
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await left.execute("SELECT 1")


async def refused(_tx):
    raise NotFound


async def renamed(tx, *, word):
    await tx.run("UPDATE job SET name = ?", word)


async def job(tx, *, name):
    await tx.run("INSERT INTO job (name, due_at) VALUES (?, ?)", name, tx.now)


async def test_whoever_watches_sees_any_row_change_but_the_stored_answers(database, settings):
    watch = Watch(SimpleNamespace(settings=settings))
    with closing(watch.connection):
        assert not watch.look()
        with pytest.raises(NotFound):
            await db.write(refused, request_key="a-refusal-is-kept")
        assert [tuple(kept) for kept in await db.rows("SELECT request_key FROM command")] == [("a-refusal-is-kept",)]
        assert not watch.look()

        for action, facts in ((job, {"name": "one"}), (renamed, {"word": "other"}), (note, {"word": "any"})):
            await db.write(action, **facts)
            assert watch.look(), action
            assert not watch.look()
        with closing(sqlite3.connect(databases.path_of(settings))) as other:
            other.execute("CREATE INDEX another ON job (due_at)")
        assert watch.look()
