import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pointsbank.kit.settings import Settings
from tests.bench import town as towns
from tests.bench.serving import free_port
from tests.bench.town import CLIENTS, Size, Town
from tests.crash.book import Book
from tests.crash.clients import Client

START_SECONDS, GONE_SECONDS = 30, 120
SMALL = Size(people=2 * CLIENTS, lines=10, goods=20, counters=CLIENTS, activities=40)


async def listening(port: int) -> None:
    """Wait until somebody listens there."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return


def environment(settings: Settings, port: int) -> dict[str, str]:
    env = {"POINTSBANK_DATA": str(settings.data), "POINTSBANK_PORT": str(port), "POINTSBANK_LOG_LEVEL": "error"}
    return {**env, "POINTSBANK_DATABASE_URL": settings.database_url} if settings.database_url else env


class Stable:
    """Where servers are forked from; see stable.py."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.stable"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def fork(self, wanted: dict[str, Any]) -> int:
        """The process id of what was begun."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(wanted).encode() + b"\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


async def gone(pid: int) -> None:
    """Wait until there is no such process; one that goes on for too long is not left behind."""
    with contextlib.suppress(ProcessLookupError):
        try:
            async with asyncio.timeout(GONE_SECONDS):
                while True:
                    os.kill(pid, 0)
                    await asyncio.sleep(0.01)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise


@dataclass
class Ring:
    """A town, its server, the clients, and what they were told."""

    settings: Settings
    town: Town
    stable: Stable
    port: int
    seed: int
    hasty: bool = False
    checkpoint: int = 0  # in which of its checkpoints the next server is to die
    pid: int = 0

    def __post_init__(self) -> None:
        self.book = Book()
        self.chance = random.Random(self.seed)
        self.clients = [
            Client(number, self.town, self.port, self.book, random.Random(self.chance.random()))
            for number in range(CLIENTS)
        ]

    async def start(self) -> None:
        wanted = {"env": environment(self.settings, self.port), "hasty": self.hasty, "checkpoint": self.checkpoint}
        self.pid = self.stable.fork(wanted)
        await listening(self.port)

    async def more_acknowledged(self) -> None:
        """Wait until the clients have got going."""
        enough = self.book.acknowledged + CLIENTS
        async with asyncio.timeout(START_SECONDS):
            while self.book.acknowledged < enough:  # noqa: ASYNC110  a book rings no bell
                await asyncio.sleep(0.01)

    async def end(self, signal_: signal.Signals) -> None:
        """Send a signal and wait until the server is gone."""
        if self.pid:
            os.kill(self.pid, signal_)
            await gone(self.pid)
            self.pid = 0


@pytest.fixture
def seed() -> int:
    """PB_CRASH_SEED repeats a run as far as chance goes; the moments of the machine's scheduler are its own."""
    chosen = int(os.environ.get("PB_CRASH_SEED") or random.SystemRandom().randrange(10**9))
    print(f"PB_CRASH_SEED={chosen}")  # noqa: T201  shown with a failure
    return chosen


@pytest.fixture(scope="session")
def stable() -> Iterator[Stable]:
    opened = Stable()
    yield opened
    opened.close()


@pytest.fixture
async def ring(settings: Settings, seed: int, stable: Stable) -> AsyncIterator[Ring]:
    town = await towns.found(settings, SMALL)
    made = Ring(settings, town, stable, free_port(), seed)
    yield made
    with contextlib.suppress(ProcessLookupError):
        await made.end(signal.SIGKILL)
