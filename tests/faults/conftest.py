"""One furnished world, copied for every request that is tried on it."""

import asyncio
import contextlib
import itertools
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
from tests.embedded import EMPTY, PostgresServer
from tests.stand import Stand, stand
from tests.world import BLOCKED_STAIRS, JUDGED, NOON, World

FURNISHED = "pointsbank_furnished"
OpenScene = Callable[[], AbstractAsyncContextManager["Scene"]]


@dataclass
class Scene:
    """A furnished world that nothing has happened to yet."""

    world: World
    stand: Stand
    database: db.Database


@dataclass
class Furnished:
    settings: Settings
    world: World
    stand: Stand
    moment: datetime


async def furnish(settings: Settings, keys: crypto.Keys) -> Furnished:
    crypto.hold(keys)
    clock = FixedClock(NOON)
    async with databases.opened(settings, clock):
        world = await World(clock, settings, more_items=(BLOCKED_STAIRS, JUDGED)).found(notice_days=3, count=1)
        await world.community("测试二社区", holder="household", notice_days=3)
        return Furnished(settings, world, await stand(world), clock.now())


@pytest.fixture(scope="session")
def furnished(template: Path, tmp_path_factory: pytest.TempPathFactory, keys: crypto.Keys) -> Furnished:
    folder = tmp_path_factory.mktemp("furnished")
    shutil.copy(template, folder)
    return asyncio.run(furnish(Settings(data=folder), keys))


@pytest.fixture(scope="session")
def furnished_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, keys: crypto.Keys
) -> Furnished:
    folder = tmp_path_factory.mktemp("furnished_postgres")
    postgres_server.run(f"CREATE DATABASE {FURNISHED} TEMPLATE {EMPTY}")
    return asyncio.run(furnish(Settings(data=folder, database_url=postgres_server.url(FURNISHED)), keys))


_numbers = itertools.count(1)


@pytest.fixture
def scene(request: pytest.FixtureRequest, engine: str, tmp_path: Path, keys: crypto.Keys) -> OpenScene:
    """Opens a fresh copy each time."""
    is_postgres = engine == "postgres"
    origin: Furnished = request.getfixturevalue("furnished_postgres" if is_postgres else "furnished")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Scene]:
        crypto.hold(keys)
        clock = FixedClock(origin.moment)
        async with contextlib.AsyncExitStack() as stack:
            if is_postgres:
                server = request.getfixturevalue("postgres_server")
                settings = replace(origin.settings, database_url=await stack.enter_async_context(_copied(server)))
            else:
                shutil.copy(databases.path_of(origin.settings), tmp_path)
                settings = Settings(data=tmp_path)
            database = await stack.enter_async_context(databases.opened(settings, clock))
            world = World(clock, settings, communities=origin.world.communities)
            yield Scene(world, origin.stand, database)

    return opened


@asynccontextmanager
async def _copied(server: Any) -> AsyncIterator[str]:
    name = f"scene_{next(_numbers)}"
    await server.say(f"CREATE DATABASE {name} TEMPLATE {FURNISHED}")
    try:
        yield server.url(name)
    finally:
        await server.say(f"DROP DATABASE {name} WITH (FORCE)")
