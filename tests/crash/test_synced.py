"""What is answered is on disk: between a command's last write and its answer lies a sync, seen from outside.

The server runs with a library between it and the system, which the test builds, that notes each call: calls.c.
"""

import asyncio
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bench import commands
from tests.bench import town as towns
from tests.bench.serving import free_port
from tests.bench.town import Size, Town
from tests.crash.conftest import listening

COMMANDS = int(os.environ.get("PB_SYNC_COMMANDS") or 50)
SMALL = Size(people=20, lines=20, goods=4, counters=2, activities=1)
SERVER = "from pointsbank.kit.db import sqlite; sqlite._WRITE['synchronous'] = '{}'; import runpy; "
SERVER += "runpy.run_module('tests.bench.app', run_name='__main__', alter_sys=True)"
SYNCED = re.compile(r"W[WS]*SA")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        assert not os.environ.get("PB_REQUIRE_COMPILER")
        pytest.skip("no C compiler: install gcc to see whether answers wait for the disk")
    built = tmp_path_factory.mktemp("calls") / "calls.so"
    source = Path(__file__).with_name("calls.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl"], check=True)
    return built


@contextlib.asynccontextmanager
async def watched(settings, library: Path, synchronous: str) -> AsyncIterator[tuple[int, Path]]:
    """A server whose calls are noted: its port, and the notes."""
    port, notes = free_port(), settings.data / f"calls-{synchronous}"
    env = {**os.environ, "LD_PRELOAD": str(library), "CALLS_FILE": str(notes)}
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER.format(synchronous), str(settings.data), str(port), str(free_port()), env=env
    )
    try:
        await listening(port)
        yield port, notes
    finally:
        server.send_signal(signal.SIGTERM)
        await server.wait()


async def order(port: int, town: Town) -> None:
    """One after the other, so that no other command's writes stand between."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for text in commands.posts(commands.orders(town, COMMANDS, random.Random(1))):
        writer.write(text)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 201"), head
        await reader.readexactly(int(re.search(r"content-length: (\d+)", head)[1]))
    writer.close()
    await writer.wait_closed()


async def told(settings, town: Town, library: Path, synchronous: str) -> tuple[int, int]:
    """How many orders were answered, and how many of them after a sync that came after their last write."""
    async with watched(settings, library, synchronous) as (port, notes):
        await order(port, town)
    each = re.findall(r"[^A]*A", notes.read_text("ascii"))
    return len(each), sum(SYNCED.fullmatch(one) is not None for one in each)


async def test_every_answer_waits_for_the_disk_and_one_that_does_not_would_be_seen(settings, library):
    town = await towns.found(settings, SMALL)

    assert await told(settings, town, library, "FULL") == (COMMANDS, COMMANDS)
    answered, synced = await told(settings, town, library, "NORMAL")

    assert answered == COMMANDS
    assert synced < COMMANDS / 2
