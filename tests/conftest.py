"""A migrated database per test, keys that are plainly invented, a clock that stands still."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.settings import Settings
from pointsbank.ledger import verify

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # Saturday noon in Shanghai


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture(scope="session")
def keys() -> crypto.Keys:
    return crypto.Keys(bytes(range(32)))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file; each test gets a copy."""
    folder = tmp_path_factory.mktemp("template")
    asyncio.run(databases.migrate(Settings.from_env({"POINTSBANK_DATA": str(folder)})))
    return folder / databases.FILE_NAME


@pytest.fixture
def settings(template: Path, tmp_path: Path) -> Settings:
    shutil.copy(template, tmp_path / databases.FILE_NAME)
    return Settings.from_env({"POINTSBANK_DATA": str(tmp_path)})


@pytest.fixture
async def database(
    request: pytest.FixtureRequest, settings: Settings, clock: FixedClock, keys: crypto.Keys
) -> AsyncIterator[db.Database]:
    """An open database; the ledger is verified after the test, unless the test says that it damages the books."""
    crypto.hold(keys)
    async with databases.opened(settings, clock) as opened:
        yield opened
        if "tampers" not in request.keywords:
            report = await verify.verify()
            assert report.is_clean, report.findings
