"""The backup drill: backups are made while 64 clients order, check in and take back, and each is restored.

What was acknowledged before a backup began has to be in it, and its books have to be right. A plain copy of the main
file is taken too, and has to fail: else the drill would see nothing.
"""

import asyncio
import contextlib
import copy
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from pointsbank.app import backup, shell
from pointsbank.app import database as databases
from pointsbank.kit.settings import Settings
from tests.bench import town as towns
from tests.bench.serving import free_port
from tests.crash.book import Book, faults
from tests.crash.clients import at_work
from tests.crash.conftest import SMALL, Ring, Stable

BACKUPS, QUICK_BACKUPS = 20, 2
PROGRAM = "from pointsbank.app.cli import main; main()"


def run(seed: int, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="pointsbank_drill_") as folder:
        shell.run(_drill(Path(folder), seed, QUICK_BACKUPS if quick else BACKUPS))


async def _drill(folder: Path, seed: int, times: int) -> None:
    settings = Settings(data=folder / "data")
    settings.data.mkdir()
    async with _served(settings, seed) as ring, at_work(ring.clients, to_the_end=False):
        for number in range(times):
            await ring.more_acknowledged()
            await asyncio.sleep(ring.chance.uniform(0, 0.5))
            told = copy.deepcopy(ring.book)
            file, again = folder / f"{number}.db", folder / f"{number}-restored.db"
            await _shell(settings, "backup", str(file))
            await _shell(settings, "restore", str(file), "--to", str(again))
            assert backup.read_manifest(file).rows["redemption_order"] >= len(told.orders)
            wrong = await _missing(settings, again, told)
            assert not wrong, f"backup {number}: {wrong[:5]}"
        told, plain = copy.deepcopy(ring.book), folder / "plain.db"
        shutil.copyfile(databases.path_of(settings), plain)
    assert await _is_seen_to_lack(settings, plain, told), "a plain copy was as good: the drill sees nothing"
    assert not ring.book.surprises, ring.book.surprises[:3]


@contextlib.asynccontextmanager
async def _served(settings: Settings, seed: int) -> AsyncIterator[Ring]:
    town = await towns.found(settings, SMALL)
    stable = Stable()
    ring = Ring(settings, town, stable, free_port(), seed)
    await ring.start()
    try:
        yield ring
    finally:
        os.kill(ring.pid, 15)
        stable.close()


async def _shell(settings: Settings, *arguments: str) -> None:
    env = {**os.environ, "POINTSBANK_DATA": str(settings.data)}
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, *arguments, env=env, stdout=nowhere, stderr=pipe
    )
    _, said = await asked.communicate()
    assert asked.returncode == 0, said.decode()


async def _missing(settings: Settings, file: Path, told: Book) -> list[str]:
    async with databases.opened_to_read(settings, file):
        # An order that was taken back after the backup began may stand in it either way.
        return [*await told.lost(), *await faults()]


async def _is_seen_to_lack(settings: Settings, file: Path, told: Book) -> bool:
    try:
        return bool(await _missing(settings, file, told))
    except (databases.DatabaseUnfit, *databases.BROKEN):
        return True
