"""The server is asked to stop under load, as a service manager asks it."""

import asyncio
import os
import signal
import sys
import time

from pointsbank.app import database as databases
from pointsbank.kit.clock import Clock
from tests.crash.book import faults
from tests.crash.clients import at_work
from tests.crash.conftest import environment, listening

STOP_SECONDS_MAX = 10
PROGRAM = "from pointsbank.app.cli import main; main()"


async def test_a_server_that_is_told_to_stop_under_load_stops_soon_and_keeps_its_word(ring, settings):
    env = {**os.environ, **environment(settings, ring.port)}
    null = asyncio.subprocess.DEVNULL
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, "serve", env=env, stdout=null, stderr=null
    )
    await listening(ring.port)
    async with at_work(ring.clients, to_the_end=False):
        await ring.more_acknowledged()
        await asyncio.sleep(ring.chance.uniform(0, 0.5))
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        code = await server.wait()
        passed = time.monotonic() - began

    assert code == 0
    assert passed <= STOP_SECONDS_MAX
    assert ring.book.surprises == []
    async with databases.opened(settings, Clock()):
        assert await ring.book.lost() == []
        assert await faults() == []
