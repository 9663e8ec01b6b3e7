"""Trial runs: one at a time for each community, in a process of its own. What came out is kept for a day."""

import asyncio
import contextlib
import hashlib
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.settings import Settings
from pointsbank.reports.rules_trial import TrialRuns
from pointsbank.reports.trial_files import Answer, Asked, Order, answer_file, order_file, put, read, said_at
from pointsbank.scoring.queries import Version
from pointsbank.scoring.rules import Table

COMMAND = (sys.executable, "-m", "pointsbank.reports.trial_child")
KEPT = timedelta(days=1)
SILENT = timedelta(minutes=2)
"""A process says something at least every few thousand acts; one that is silent for so long was ended from outside."""

log = logging.getLogger(__name__)
_processes: dict[Order, Process] = {}
_watching: set[asyncio.Task[None]] = set()


class Run(msgspec.Struct, frozen=True):
    order: Order
    answer: Answer

    @property
    def is_running(self) -> bool:
        return self.answer.outcome is None and not self.answer.is_broken

    @property
    def percent(self) -> int:
        return self.answer.done * 100 // max(self.answer.total, 1)


def rules_of(table: Table) -> str:
    return hashlib.sha256(msgspec.json.encode(table)).hexdigest()[:32]


def look(settings: Settings, community_id: int, now: datetime) -> Run | None:
    """The community's latest trial run, as far as it has come; None if there is none, or none of these days."""
    order = read(order_file(settings, community_id), Order)
    if order is None or now - order.made_at > KEPT:
        return None
    path = answer_file(settings, community_id)
    answer = read(path, Answer)
    if answer is None or answer.key != order.key:
        answer = Answer(order.key)
        path = order_file(settings, community_id)
    run = Run(order, answer)
    if run.is_running and _is_older(path, SILENT):
        return Run(order, msgspec.structs.replace(answer, is_broken=True))
    return run


async def start(settings: Settings, draft: Version, *, months: int, key: str, now: datetime) -> None:
    """Begin a run over so many months; refuses TrialRuns while another one of this community goes on."""
    place = draft.community_id
    known = look(settings, place, now)
    if known is not None and known.order.key == key:
        return
    if known is not None and known.is_running:
        raise TrialRuns
    _forget_old(settings)
    order = Order(key, place, draft.id, months, local_day(now), rules_of(draft.table), now)
    asked = msgspec.json.encode(Asked(order, draft.table, str(settings.data), settings.database_url))
    put(order_file(settings, place), order)
    with contextlib.ExitStack() as undo:
        undo.callback(order_file(settings, place).unlink, missing_ok=True)
        process = await asyncio.create_subprocess_exec(*COMMAND, stdin=PIPE, stdout=DEVNULL)
        undo.pop_all()
    assert process.stdin is not None
    process.stdin.write(asked + b"\n")
    _processes[order] = process
    task = asyncio.create_task(_watch(settings, order, process))
    _watching.add(task)
    task.add_done_callback(_watching.discard)


async def _watch(settings: Settings, order: Order, process: Process) -> None:
    """Say so if the process ends without an answer. Should this end first, the process does too."""
    place = order.community_id
    try:
        if await process.wait() and read(order_file(settings, place), Order) == order:
            log.warning("a trial run ended with %s", process.returncode)
            put(answer_file(settings, place), Answer(order.key, is_broken=True))
    finally:
        _processes.pop(order, None)
        with contextlib.suppress(ProcessLookupError):
            process.kill()


async def stop(settings: Settings, community_id: int) -> None:
    """Nothing is left running, and of what was running no answer; one of another server process ends by itself."""
    order = read(order_file(settings, community_id), Order)
    for path in (order_file(settings, community_id), answer_file(settings, community_id)):
        path.unlink(missing_ok=True)
    process = _processes.get(order) if order is not None else None
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        answer_file(settings, community_id).unlink(missing_ok=True)  # it may have spoken meanwhile


def _forget_old(settings: Settings) -> None:
    for path in order_file(settings, 0).parent.glob("*"):
        if _is_older(path, KEPT):
            path.unlink(missing_ok=True)


def _is_older(path: Path, span: timedelta) -> bool:
    """By the time of the system, which files bear whatever clock the program was given."""
    said = said_at(path)
    return said is None or Clock().now() - said > span
