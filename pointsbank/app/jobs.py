"""Recurring work: one list. `serve` runs it, `pointsbank tick` runs what is due once.

A job does a bounded slice a transaction and answers how much it did; it is called again until it answers 0. It may be
cut off anywhere: what it left is taken up the next time. The row in `job` keeps it to one process.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pointsbank.awards import actions as awards
from pointsbank.awards import actions_deductions, actions_gate, actions_seats, actions_settle
from pointsbank.awards import actions_words as case_words
from pointsbank.kit import db
from pointsbank.kit.db import Tx, outbox
from pointsbank.kit.db.outbox import Message
from pointsbank.kit.errors import Busy, NotWritten
from pointsbank.ledger import actions_expiry, actions_kinds, actions_opening, actions_reset
from pointsbank.ledger.sealing import Sealer
from pointsbank.notices import actions_words as objection_words
from pointsbank.people import actions_sessions, importing, uses
from pointsbank.scoring import actions_life as scoring
from pointsbank.scoring import actions_minutes

log = logging.getLogger(__name__)

SLICES_MAX = 10_000
PAUSE_SECONDS = 15
SEAL_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    every: timedelta
    action: Callable[..., Coroutine[Any, Any, int]]


JOBS = (
    # First, and before anything of a new period is booked.
    Job("reset_due", timedelta(minutes=5), actions_reset.reset_due),
    Job("enter_force_due", timedelta(minutes=1), scoring.enter_force_due),
    Job("set_gates", timedelta(minutes=1), actions_gate.set_due),
    Job("fill_panels", timedelta(minutes=1), actions_seats.fill_due),
    Job("gather_notices", timedelta(minutes=5), awards.gather_notices),
    Job("settle_due", timedelta(minutes=1), actions_settle.settle_due),
    Job("book_deductions", timedelta(minutes=5), actions_deductions.book_due),
    Job("book_openings", timedelta(minutes=1), actions_opening.book_due),
    Job("give_base_due", timedelta(minutes=5), actions_kinds.give_base_due),
    Job("expire_due", timedelta(minutes=5), actions_expiry.expire_due),
    # What an earlier release wrote in plain; there is something to do once.
    Job("seal_objections", timedelta(days=1), objection_words.seal_due),
    Job("seal_minutes", timedelta(days=1), actions_minutes.seal_due),
    Job("seal_case_words", timedelta(days=1), case_words.seal_due),
)

KNOW = "INSERT INTO job (name, due_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
TAKE = "UPDATE job SET due_at = ? WHERE name = ? AND due_at <= ?"


async def take(tx: Tx, *, name: str) -> int:
    """Claim a job that is due, until its next time; 0 if it is not due or another process has it."""
    job = next(job for job in JOBS if job.name == name)
    await tx.run(KNOW, name, tx.now)
    return await tx.run(TAKE, tx.now + job.every, name, tx.now)


async def tick() -> dict[str, int]:
    """Run what is due now; returns how much each job did that was due."""
    done = {job.name: await _attempt(job.name, _run_if_due(job)) for job in JOBS}
    done["imports"] = await _attempt("imports", _work_on_imports()) or None
    done["outbox"] = await _attempt("outbox", outbox.deliver(tell)) or None
    # Not a job of the table: each process writes down what it alone has seen.
    if uses.is_due(db.current().writer.clock.now()):
        done["uses"] = await _attempt("uses", write_uses()) or None
    return {name: count for name, count in done.items() if count is not None}


async def _attempt(name: str, work: Coroutine[Any, Any, int | None]) -> int | None:
    """A job that fails is logged and tried again when it is next due; the others go on."""
    try:
        return await work
    except (Busy, NotWritten) as later:
        log.warning("job %s waits", name, extra={"code": later.code})
    except Exception:
        log.exception("job %s failed", name)
    return None


async def _run_if_due(job: Job) -> int | None:
    return await run(job) if await db.write(take, name=job.name) else None


async def write_uses() -> int:
    """Write down when sessions were last used, as far as this process saw it; says how many."""
    total = 0
    while some := uses.unwritten():
        now = db.current().writer.clock.now()
        total += await db.write(actions_sessions.note_uses, uses=some)
        uses.mark_written(some, now)
    return total


async def _work_on_imports() -> int:
    """One that fails holds up no other."""
    return sum([await _attempt("import", importing.work_on(*one)) or 0 for one in await importing.left()])


def tell(message: Message) -> None:
    """Hand a message of the outbox to the log; there is nobody else yet."""
    log.info(message.topic, extra=message.facts)


async def run(job: Job) -> int:
    """Run one job to its end, whether or not it is due."""
    total = 0
    for _ in range(SLICES_MAX):
        part = await db.write(job.action)
        total += part
        if part == 0:
            break
    return total


async def keep_sealing(sealer: Sealer) -> None:
    """Seal what was booked, within seconds of its commit, for as long as the server lives."""
    while True:
        await _attempt("seals", sealer.run())
        await asyncio.sleep(SEAL_SECONDS)


async def keep_running() -> None:
    """Tick for as long as the server lives; the database being busy is no reason to stop.

    Somebody waits before the page of an import: it is begun at once.
    """
    wake = asyncio.Event()
    db.when_stale(importing.STALE, wake.set)
    while True:
        wake.clear()
        for name, count in (await tick()).items():
            if count:
                log.info("job %s did %d", name, count)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), PAUSE_SECONDS)
