"""One furnished world, copied for every request that is tried on it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.settings import Settings
from tests.changes import Stand, stand
from tests.world import NOON, World


@dataclass
class Scene:
    """A furnished world that nothing has happened to yet."""

    world: World
    stand: Stand
    database: db.Database


@dataclass
class Furnished:
    file: Path
    world: World
    stand: Stand
    moment: datetime


@pytest.fixture(scope="session")
def furnished(template: Path, tmp_path_factory: pytest.TempPathFactory, keys: crypto.Keys) -> Furnished:
    folder = tmp_path_factory.mktemp("furnished")
    shutil.copy(template, folder)
    settings, clock = Settings(data=folder), FixedClock(NOON)

    async def make() -> Furnished:
        crypto.hold(keys)
        async with databases.opened(settings, clock):
            world = await World(clock, settings).found(notice_days=3)
            made = await stand(world)
        return Furnished(databases.path_of(settings), world, made, clock.now())

    return asyncio.run(make())


@pytest.fixture
def scene(furnished: Furnished, tmp_path: Path, keys: crypto.Keys) -> Callable[[], AbstractAsyncContextManager[Scene]]:
    """Opens a fresh copy each time."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Scene]:
        crypto.hold(keys)
        shutil.copy(furnished.file, tmp_path / databases.FILE_NAME)
        settings, clock = Settings(data=tmp_path), FixedClock(furnished.moment)
        async with databases.opened(settings, clock) as database:
            yield Scene(World(clock, settings, communities=furnished.world.communities), furnished.stand, database)

    return opened
