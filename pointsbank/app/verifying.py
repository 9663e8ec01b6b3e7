"""Verify books of any size: chains are gone through in pieces, by processes of their own where they are long.

    python -m pointsbank.app.verifying [FILE]

is such a process: spans of a chain as lines of JSON on stdin, what was found on stdout, until stdin ends. It reads the
database of the settings, or the file that is named.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec

from pointsbank.app import database as databases
from pointsbank.awards import verify as awards
from pointsbank.events import verify as events
from pointsbank.kit import db
from pointsbank.kit.checks import Finding
from pointsbank.kit.priority import give_way
from pointsbank.kit.settings import Settings
from pointsbank.ledger import queries_seal, verify_seals
from pointsbank.ledger import verify as books
from pointsbank.ledger.verify_seals import Checked, Deposited, Span
from pointsbank.redemption import verify as redemption
from pointsbank.stock import verify as stock
from pointsbank.trail import verify as trail

PROCESSES_MAX = 4
LONG = 10_000
OTHER_ROOMS = (stock, redemption, awards, events, trail)
Progress = Callable[[str], None]


class ProcessEnded(Exception):
    """One of the processes that check was ended from outside."""


async def verified(
    settings: Settings, file: Path | None, heads: Sequence[Deposited], progress: Progress
) -> books.Report:
    """Recompute the books of an installation, or of a file, and say meanwhile how far it has come."""

    async def check(spans: Sequence[Span]) -> list[Checked]:
        count = min(PROCESSES_MAX, os.cpu_count() or 1, len(spans))
        if count < 2:
            async with db.snapshot() as rows:
                return await verify_seals.check_spans(rows, spans)
        return await _apart(spans, count, file, progress)

    async with opened_giving_way(settings, file):
        report, others = await asyncio.gather(books.verify(heads, check), of_other_rooms())
        return msgspec.structs.replace(report, findings=report.findings + others)


async def of_other_rooms() -> list[Finding]:
    """What is wrong with goods, orders, awards, attendances and keys, as of one moment."""
    async with db.snapshot() as rows:
        return [finding for room in OTHER_ROOMS for finding in await room.check(rows)]


async def _apart(spans: Sequence[Span], count: int, file: Path | None, progress: Progress) -> list[Checked]:
    found: dict[int, Checked] = {}
    waiting = iter(enumerate(spans))
    async with _processes(count, file) as processes, asyncio.TaskGroup() as group:

        async def keep_busy(process: Process) -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            for place, span in waiting:
                process.stdin.write(msgspec.json.encode(span) + b"\n")
                line = await process.stdout.readline()
                if not line:
                    raise ProcessEnded
                found[place] = msgspec.json.decode(line, type=Checked)
                progress(f"封存的链：{len(found)} / {len(spans)} 段")

        for process in processes:
            group.create_task(keep_busy(process))
    return [found[place] for place in range(len(spans))]


@contextlib.asynccontextmanager
async def _processes(count: int, file: Path | None) -> AsyncIterator[list[Process]]:
    """Gone in the end, whatever happens; should we be gone ourselves, their stdin has ended."""
    command = (sys.executable, "-m", __name__, *([] if file is None else [str(file)]))
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _serve(settings: Settings, file: Path | None) -> None:
    async with databases.opened_to_read(settings, file), db.snapshot() as rows:
        for line in sys.stdin.buffer:
            checked = await verify_seals.check_span(rows, msgspec.json.decode(line, type=Span))
            sys.stdout.buffer.write(msgspec.json.encode(checked) + b"\n")
            sys.stdout.buffer.flush()


@contextlib.asynccontextmanager
async def opened_giving_way(settings: Settings, file: Path | None) -> AsyncIterator[None]:
    """Open what takes more than a moment to read so that people at the pages come first. For good, as for commands."""
    async with databases.opened_to_read(settings, file):
        positions = sum(head.position for head in await queries_seal.heads())
    if positions > LONG:
        give_way()  # which the threads of a database take over when they begin: so it is opened anew
    async with databases.opened_to_read(settings, file):
        yield


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is at the keyboard means the command that started this
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    asyncio.run(_serve(Settings() if file else Settings.from_env(os.environ), file))


if __name__ == "__main__":
    main()
