"""One furnished world, copied for every request that is tried on it."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.settings import Settings
from tests.embedded import PostgresServer
from tests.stand import Stand, stand
from tests.world import BLOCKED_STAIRS, JUDGED, NOON, World

OpenScene = Callable[[], AbstractAsyncContextManager["Scene"]]


@dataclass
class Scene:
    """A furnished world that nothing has happened to yet."""

    world: World
    stand: Stand
    database: db.Database


@dataclass
class Furnished:
    world: World
    stand: Stand
    moment: datetime
    whole: Any = None  # what a database is made of that holds it


async def furnish(settings: Settings, keys: crypto.Keys) -> Furnished:
    crypto.hold(keys)
    clock = FixedClock(NOON)
    async with databases.opened(settings, clock):
        world = await World(clock, settings, more_items=(BLOCKED_STAIRS, JUDGED)).found(notice_days=3, count=1)
        await world.community("测试二社区", holder="household", notice_days=3)
        return Furnished(world, await stand(world), clock.now())


@pytest.fixture(scope="session")
async def furnished_sqlite(template: Path, tmp_path_factory: pytest.TempPathFactory, keys: crypto.Keys) -> Furnished:
    settings = Settings(data=tmp_path_factory.mktemp("furnished"))
    shutil.copy(template, settings.data)
    furnished = await furnish(settings, keys)
    return replace(furnished, whole=databases.path_of(settings).read_bytes())


@pytest.fixture(scope="session")
async def furnished_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, keys: crypto.Keys
) -> Furnished:
    folder = tmp_path_factory.mktemp("furnished_postgres")
    async with postgres_server.lending() as name:
        furnished = await furnish(Settings(data=folder, database_url=postgres_server.url(name)), keys)
        return replace(furnished, whole=await postgres_server.learn_filled(name))


@pytest.fixture
def scene(request: pytest.FixtureRequest, engine: str, tmp_path: Path, keys: crypto.Keys) -> OpenScene:
    """Opens a fresh copy each time."""
    origin: Furnished = request.getfixturevalue(f"furnished_{engine}")
    lender: Any = request.getfixturevalue("postgres_server" if engine == "postgres" else "files")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Scene]:
        crypto.hold(keys)
        clock, settings = FixedClock(origin.moment), Settings(data=tmp_path)
        async with contextlib.AsyncExitStack() as stack:
            if engine == "postgres":
                name = await stack.enter_async_context(lender.lending(origin.whole))
                settings = replace(settings, database_url=lender.url(name))
            else:
                is_new = "fills" in request.keywords
                stack.enter_context(lender.lending(databases.path_of(settings), origin.whole, is_new=is_new))
            database = await stack.enter_async_context(databases.opened(settings, clock))
            world = World(clock, settings, communities=origin.world.communities)
            yield Scene(world, origin.stand, database)

    return opened
