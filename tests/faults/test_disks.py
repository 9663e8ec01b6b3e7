"""The disk is full, another process holds the lock, the file cannot be written: a clean 503, and then as before."""

import asyncio
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.db import sqlite
from pointsbank.kit.errors import NotWritten
from tests.changes import CHANGES, STEPWISE
from tests.doors import Watch
from tests.faults.senders import KEY, Sender, is_long, sampled

pytestmark = pytest.mark.fills
TRIED = sampled(sorted(CHANGES))
FILL = "INSERT INTO command (caller, request_key, digest, is_refused, answer) VALUES (?, ?, x'00', FALSE, ?)"
HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
HELD_SECONDS = 10
HURRY_SECONDS = 15  # what a busy machine may add


async def fill(tx, *, caller: str, number: int, size: int) -> None:
    await tx.run(FILL, caller, f"{KEY}-{number:06}", b"x" * size)


@contextmanager
def said_by_sqlite(scene, statement: str, undo: str) -> Iterator[None]:
    scene.database.writer.execute(statement)
    yield
    scene.database.writer.execute(undo)


@contextmanager
def opened_for_reading(scene) -> Iterator[None]:
    """What SQLite does with a file that it may not write: it opens it, and says so at the first change."""
    client, writer = scene.database.write_client, scene.database.writer
    own = client._connection
    with closing(
        sqlite3.connect(f"file:{client.filename}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    ) as reading:
        reading.row_factory = sqlite3.Row
        client._connection, client.execute, writer.execute = reading, reading.execute, reading.execute
        yield
    client._connection, client.execute, writer.execute = own, own.execute, own.execute


@contextmanager
def held_by_another(scene) -> Iterator[None]:
    path = databases.path_of(scene.world.settings)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], **pipes) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
        other.communicate("")


@contextmanager
def full(scene) -> Iterator[None]:
    """No page more than there are; not even the key of the next command finds room in those."""
    size = scene.database.writer.execute("PRAGMA page_count").fetchone()[0]
    with said_by_sqlite(scene, f"PRAGMA max_page_count = {size}", "PRAGMA max_page_count = 1073741823"):
        yield


async def use_up_the_rest(scene, sender: Sender) -> None:
    caller, number = sender.caller, 0
    for bytes_ in (1_500, 300, 60, 0):
        while True:
            number += 1
            try:
                await db.write(fill, caller=caller, number=number, size=bytes_)
            except NotWritten:
                break
    assert number > len((1_500, 300, 60, 0))


FAULTS = {
    "full": full,
    "not to be written": lambda scene: said_by_sqlite(scene, "PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
    "opened for reading": opened_for_reading,
    "held by another": held_by_another,
}


async def refused_then_done(scene, sender: Sender, fault: str) -> list[str]:
    """What was not as promised while the fault lasted, and after it."""
    wrong = []
    scene.database.writer.LOCK_SECONDS = 0.05
    async with sender.visiting() as client:
        with FAULTS[fault](scene):
            if fault == "full":
                await use_up_the_rest(scene, sender)
            watch = Watch(scene.world)
            answer = await sender.send(client)
            if (answer.status_code, answer.headers.get("retry-after")) != (503, "2"):
                wrong.append(f"answered {answer.status_code}, Retry-After {answer.headers.get('retry-after')}")
            if (await client.get("/livez")).status_code != 200:
                wrong.append("does not read")
        if watch.look():
            wrong.append("changed something")
        again = await sender.send(client)
        if again.status_code not in {200, 201, 303} or "idempotent-replayed" in again.headers or not watch.look():
            wrong.append(f"then answered {again.status_code}")
    return wrong


@pytest.mark.parametrize("path", TRIED)
async def test_a_fault_of_the_disk_is_a_clean_no_and_passes(scene, path):
    # What keeps no key may find room in pages that are half empty.
    for fault in FAULTS:
        if fault == "full" and path in STEPWISE:
            continue
        async with scene() as opened:
            assert await refused_then_done(opened, Sender(opened, path), fault) == [], fault


async def test_this_test_sees_a_fault_that_reaches_the_caller(scene, monkeypatch):
    monkeypatch.setattr(sqlite, "_not_written", lambda cause: cause)
    async with scene() as opened:
        wrong = await refused_then_done(opened, Sender(opened, TRIED[0]), "not to be written")

    assert wrong == ["answered 500, Retry-After None"]


async def reading(client) -> float:
    """How long a page takes on this machine, at this moment, when nobody holds anything."""
    taken = []
    for _ in range(20):
        began = time.monotonic()
        assert (await client.get("/livez")).status_code == 200
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


async def test_while_another_process_holds_the_lock_pages_are_read_and_nobody_waits_for_long(scene):
    """Ten seconds in the long run; two in the short one."""
    seconds = HELD_SECONDS if is_long() else 2
    path = "/api/redemption/counters/{counter_id:int}/orders"
    async with scene() as opened:
        sender, watch, statuses, reads = Sender(opened, path), Watch(opened.world), set(), []
        opened.database.writer.LOCK_SECONDS = 2.0 if is_long() else 0.3
        async with sender.visiting() as client:
            with held_by_another(opened):
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    asked = asyncio.gather(*(sender.send(client) for _ in range(4)))
                    began = time.monotonic()
                    while not asked.done():
                        read = time.monotonic()
                        assert (await client.get("/livez")).status_code == 200
                        reads.append(time.monotonic() - read)
                        await asyncio.sleep(0.02)
                    statuses |= {(one.status_code, one.headers.get("retry-after")) for one in await asked}
                    assert time.monotonic() - began < 2 * opened.database.writer.LOCK_SECONDS + HURRY_SECONDS
            assert not watch.look()
            assert (await sender.send(client)).status_code == 201
            quiet = await reading(client)

    assert statuses == {(503, "2")}
    assert statistics.median(reads) < 20 * quiet
