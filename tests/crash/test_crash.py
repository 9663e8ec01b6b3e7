"""The server is killed under load, again and again. PB_CRASH_CYCLES sets how often; the short form runs each time."""

import asyncio
import os
import signal

import pytest

from pointsbank.app import database as databases
from pointsbank.kit.clock import Clock
from pointsbank.ledger.sealing import Sealer
from tests.crash.book import faults
from tests.crash.clients import at_work

CYCLES = 10
HASTY_CYCLES_MAX = 10
LIFE_SECONDS = (0.05, 0.4)


async def kill_soon(ring) -> None:
    """Let the clients get going, then end the server at some moment without a word."""
    await ring.more_acknowledged()
    await asyncio.sleep(ring.chance.uniform(*LIFE_SECONDS))
    await ring.end(signal.SIGKILL)


@pytest.mark.both
async def test_what_was_acknowledged_survives_and_what_was_asked_again_happened_once(ring, settings):
    cycles = int(os.environ.get("PB_CRASH_CYCLES") or CYCLES)
    await ring.start()
    async with at_work(ring.clients):
        for _ in range(cycles):
            await kill_soon(ring)
            await ring.start()
    await ring.end(signal.SIGTERM)

    book = ring.book
    print(f"{cycles} kills, {book.acknowledged} acknowledged, {book.replayed} replayed, refused {dict(book.refused)}")  # noqa: T201  shown with a failure
    assert book.surprises == []
    assert book.orders
    assert book.undone
    assert book.came
    assert book.left
    async with databases.opened(settings, Clock()):
        assert await book.lost() == []
        assert await book.doubled() == []
        await Sealer().run()  # as the next server would: none of these lived for long
        assert await faults() == []


async def test_this_test_sees_what_is_lost_when_answers_leave_before_the_commit(ring, settings):
    ring.hasty = True
    await ring.start()
    lost: list[str] = []
    for _ in range(HASTY_CYCLES_MAX):
        async with at_work(ring.clients, to_the_end=False):
            await kill_soon(ring)
        async with databases.opened(settings, Clock()):
            lost = await ring.book.lost()
        if lost:
            break
        await ring.start()
    assert lost
