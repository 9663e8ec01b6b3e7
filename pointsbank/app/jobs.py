"""Recurring work: one list. `serve` runs it, `pointsbank tick` runs what is due once.

A job does a bounded slice a transaction and answers how much it did; it is called again until it answers 0. It may be
cut off anywhere: what it left is taken up the next time. The row in `job` keeps it to one process.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pointsbank.awards import actions as awards
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day, start_of_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import Busy, NotWritten
from pointsbank.ledger import actions as ledger
from pointsbank.scoring import actions as scoring

log = logging.getLogger(__name__)

SLICES_MAX = 10_000
PAUSE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Job:
    """`every` None means once a day, soon after midnight in Shanghai."""

    name: str
    every: timedelta | None
    action: Callable[..., Coroutine[Any, Any, int]]


JOBS = (
    Job("enter_force_due", timedelta(minutes=1), scoring.enter_force_due),
    Job("gather_notices", None, awards.gather_notices),
    Job("settle_due", timedelta(minutes=1), awards.settle_due),
    Job("expire_due", None, ledger.expire_due),
)

KNOW = "INSERT INTO job (name, due_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
TAKE = "UPDATE job SET due_at = ? WHERE name = ? AND due_at <= ?"


async def take(tx: Tx, *, name: str) -> int:
    """Claim a job that is due, until its next time; 0 if it is not due or another process has it."""
    job = next(job for job in JOBS if job.name == name)
    await tx.run(KNOW, name, tx.now)
    next_midnight = start_of_day(local_day(tx.now) + timedelta(days=1))
    return await tx.run(TAKE, tx.now + job.every if job.every else next_midnight, name, tx.now)


async def tick() -> dict[str, int]:
    """Run what is due now; returns how much each job did."""
    done = {}
    for job in JOBS:
        if await db.write(take, name=job.name):
            done[job.name] = await run(job)
    return done


async def run(job: Job) -> int:
    """Run one job to its end, whether or not it is due."""
    total = 0
    for _ in range(SLICES_MAX):
        part = await db.write(job.action)
        total += part
        if part == 0:
            break
    return total


async def keep_running(clock: Clock) -> None:
    """Tick for as long as the server lives; the database being busy is no reason to stop."""
    while True:
        try:
            done = await tick()
        except (Busy, NotWritten) as later:
            log.warning("jobs wait: %s", later.code)
        else:
            for name, count in done.items():
                if count:
                    log.info("job %s did %d at %s", name, count, clock.now().isoformat(timespec="seconds"))
        await asyncio.sleep(PAUSE_SECONDS)
