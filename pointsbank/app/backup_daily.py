"""The daily backup: today's file in the backups' folder, the latest days and one of each month kept.

The server has another process make it, so that nobody at a counter waits for it.
"""

import asyncio
import contextlib
import logging
import os
import re
import sys
import time
from collections.abc import Collection
from datetime import date
from pathlib import Path

from pointsbank.app import backup, local
from pointsbank.app.backup import Manifest
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.settings import Settings

log = logging.getLogger(__name__)

DAYS_KEPT, MONTHS_KEPT = 14, 12
FIRST_LOOK_SECONDS = 300  # whoever has just started a server wants something else of it
LOOK_SECONDS = 600
DRAFT_SECONDS = 86_400
FILE = re.compile(r"(\d{4}-\d{2}-\d{2})\.db")
PROGRAM = "from pointsbank.app.cli import main; main()"


def kept(days: Collection[date]) -> set[date]:
    """Which of these days' backups stay: the latest days, and the first of each of the latest months."""
    first_of = {(day.year, day.month): day for day in sorted(days, reverse=True)}
    months = sorted(first_of.values())[-MONTHS_KEPT:]
    return {*sorted(days)[-DAYS_KEPT:], *months}


def today(settings: Settings) -> Path:
    return settings.backups_folder / f"{local_day(Clock().now())}.db"


async def make(settings: Settings) -> tuple[Path, Manifest | None]:
    """Make today's backup unless there is one, and drop those that are no longer kept."""
    file = today(settings)
    if file.exists():
        return file, None
    settings.backups_folder.mkdir(parents=True, exist_ok=True)
    backup.manifest_of(file).unlink(missing_ok=True)  # of a backup that somebody took away
    manifest = await backup.make(settings, file)
    await tell(settings, manifest)
    _thin_out(file)
    return file, manifest


async def tell(settings: Settings, manifest: Manifest) -> None:
    """Have it noted when this backup was made; a database of an older schema is left as it is."""
    if backup.is_current(manifest.schema):
        await local.send(settings, "backup.note", is_clean=not manifest.findings)


def _thin_out(made: Path) -> None:
    """Nothing is touched but what bears the name of a day, and what was begun long ago and never finished.

    What has just been made stays, whatever days a wrong clock has put behind it; and so does the last one whose books
    were right, however long ago they were.
    """
    folder = made.parent
    found = {day: path for path in folder.iterdir() if (day := _day_of(path)) is not None}
    last_clean = next((day for day in sorted(found, reverse=True) if _is_clean(found[day])), None)
    for day in found.keys() - kept(found) - {_day_of(made), last_clean}:
        found[day].unlink()
        backup.manifest_of(found[day]).unlink(missing_ok=True)
    for path in folder.glob(".*.draft*"):
        if time.time() - path.stat().st_mtime > DRAFT_SECONDS:  # another one is being made now, perhaps
            path.unlink(missing_ok=True)


def _is_clean(file: Path) -> bool:
    with contextlib.suppress(backup.NoBackup):
        return not backup.read_manifest(file).findings
    return False


def _day_of(path: Path) -> date | None:
    with contextlib.suppress(ValueError):  # there is no 30 February
        if hit := FILE.fullmatch(path.name):
            return date.fromisoformat(hit[1])
    return None


async def keep_making(settings: Settings) -> None:
    """For as long as the server lives. One that fails is tried again at the next look, and its age shows."""
    await asyncio.sleep(FIRST_LOOK_SECONDS)
    while True:
        try:
            if not today(settings).exists():
                await _have_made(settings)
        except OSError as error:  # the other disk is gone, or there is no room for a process: the bank stays open
            log.error("no backup was made: %s", error)  # noqa: TRY400  the disk's one line
        await asyncio.sleep(LOOK_SECONDS)


async def _have_made(settings: Settings) -> None:
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, "backup", stdin=nowhere, stdout=nowhere, stderr=pipe, env=_environment(settings)
    )  # fmt: skip
    try:
        _, said = await child.communicate()
    finally:
        if child.returncode is None:  # the server goes down: the next one begins afresh
            child.kill()
            await child.communicate()
    if child.returncode:
        log.error("no backup was made: %s", said.decode(errors="replace").strip())
    elif said:
        log.error("the backup is kept, and not clean: %s", said.decode(errors="replace").strip())


def _environment(settings: Settings) -> dict[str, str]:
    own = {
        "POINTSBANK_DATA": str(settings.data),
        "POINTSBANK_KEY_FILE": str(settings.key_path),
        "POINTSBANK_BACKUPS": str(settings.backups_folder),
    }
    return {**{name: value for name, value in os.environ.items() if not name.startswith("POINTSBANK_")}, **own}
