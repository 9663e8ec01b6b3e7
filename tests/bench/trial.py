"""A trial run over a year of one community, alone and while people check in: `python -m tests.bench.trial [--quick]`.

Two years of acts lie behind: the trial is of one, and what of the year before counts for caps is read as well.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec

from pointsbank.app import database as databases
from pointsbank.app import shell
from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.db.sqlite import moment_text
from pointsbank.reports import trial_runs
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import queries
from pointsbank.scoring.queries import Version
from pointsbank.scoring.rules import Cap, Period, Scope
from tests.bench import commands, large, town
from tests.bench.figures import judged
from tests.bench.plain import settings_of
from tests.bench.serving import Serving
from tests.bench.town import Size, Town

FLOORS = {"check-ins-beside-trial/alone": 0.85}
CEILINGS = {"trial-seconds": 30.0, "trial-mb": 300.0}
ACTS, MONTHS = 104_000, 12
ROUNDS = 24  # of a second each, and rates of one second lie as far apart as 2 and 3
DAYS_BACK = 730
BOOKS = "SELECT person_id, id FROM ledger_passbook WHERE community_id = ? ORDER BY id"
LAST = "SELECT COALESCE(MAX(id), 0) FROM awards_act"
ACT = f"INSERT INTO awards_act ({large.TABLES['awards_act']}) VALUES ({', '.join('?' * 15)})"
AWARD = f"INSERT INTO awards_award ({large.TABLES['awards_award']}) VALUES ({', '.join('?' * 20)})"
CAPS = (Cap(Scope.PERSON, Period.DAY, 3), Cap(Scope.PERSON, Period.MONTH, 20), Cap(Scope.HOUSEHOLD, Period.YEAR, 90))
Say = Callable[[str], None]


async def draft_of(place: Town) -> Version:
    """What is in force, dearer and with more caps, so that there is something to reckon."""
    version_id = await db.write(scoring.draft_from_current, community_id=place.community_id)
    found = await queries.version((place.community_id,), version_id)
    first, *others = found.table.items
    items = (msgspec.structs.replace(first, points=2, caps=CAPS), *others)
    table = msgspec.structs.replace(found.table, items=items, caps=(Cap(Scope.PERSON, Period.WEEK, 15),))
    await db.write(scoring.save_draft, community_id=place.community_id, version_id=version_id, table=table)
    return await queries.version((place.community_id,), version_id)


async def live_through(file: Path, place: Town, version_id: int, acts: int) -> None:
    """So many acts over two years, written as rows: an hour of actions would lead to the same."""
    chance, now = random.Random(large.SEED), Clock().now()
    books = [tuple(found) for found in await db.rows(BOOKS, place.community_id)]
    ((last,),) = await db.rows(LAST)

    def act(number: int) -> tuple[tuple[object, ...], tuple[object, ...]]:
        person, book = chance.choice(books)
        began = now - timedelta(days=DAYS_BACK * (1 - (number - last) / acts))
        at, minutes = moment_text(began), chance.choice((45, 60, 90, 120, 150))
        ids = number, place.community_id, person
        return (
            (*ids, "bench", "past", number, "A01", "楼道清洁", "screen", at, local_day(began), minutes, minutes, 1, at),
            (number, number, version_id, *ids[1:], book, "A01", min(minutes, 120) // 60, 0, "[]", "[]",
             '["organiser"]', 1, "community_admin", 0, "2099-12-31", "pending", None, at, None),
        )  # fmt: skip

    made = [act(number) for number in range(last + 1, last + acts + 1)]
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executemany(ACT, [act for act, _award in made])
        connection.executemany(AWARD, [award for _act, award in made])


class Bench:
    """A town, a server that serves it, and trial runs that this process starts as the server would."""

    def __init__(self, folder: Path, place: Town, draft: Version, say: Say) -> None:
        self.place, self.draft, self.say = place, draft, say
        self.settings, self.serving = settings_of(folder), Serving(folder, say)
        self.waves = commands.waves(place, random.Random(large.SEED))

    async def start(self) -> None:
        key = commands.new_key()
        await trial_runs.start(self.settings, self.draft, months=MONTHS, key=key, now=Clock().now())

    def running(self) -> bool:
        run = trial_runs.look(self.settings, self.place.community_id, Clock().now())
        return run is not None and run.is_running

    async def alone(self) -> dict[str, float]:
        """Seconds and megabytes of a run that nothing disturbs."""
        began, most = time.perf_counter(), 0.0
        await self.start()
        [process] = trial_runs._processes.values()  # whose memory is looked at
        while self.running():
            most = max(most, large.resident_mb(process.pid))
            await asyncio.sleep(large.LOOK_SECONDS)
        run = trial_runs.look(self.settings, self.place.community_id, Clock().now())
        assert run is not None
        assert run.answer.outcome is not None
        took = time.perf_counter() - began
        self.say(f"{run.answer.outcome.acts} acts tried, {run.answer.total} read, in {took:.1f} s, {most:.0f} MB")
        return {"trial-seconds": took, "trial-mb": most}

    async def beside(self, rounds: int) -> dict[str, float]:
        """Check-ins alone, and while a trial run goes on, by turns."""
        seconds = {False: 0.0, True: 0.0}
        await self.serving.start()
        try:
            for _ in range(rounds):
                for is_tried in seconds:
                    await self.serving.everybody_leaves()
                    if is_tried:
                        await self.start()
                    sent = await self.serving.send(commands.posts(next(self.waves)))
                    assert set(sent.statuses) <= {"200", "201"}, sent.refused
                    seconds[is_tried] += sent.requests / sent.rate
                    left = "still at it" if self.running() else "not running"
                    self.say(f"  check-ins {sent.rate:6.0f}/s  p99 {sent.p99_ms:5.1f} ms  trial run {left}")
                    await trial_runs.stop(self.settings, self.place.community_id)
        finally:
            await self.serving.stop()
        return {"check-ins-beside-trial/alone": seconds[False] / seconds[True]}  # everybody once a round, in both


async def measure(folder: Path, place: Town, acts: int, rounds: int, say: Say) -> dict[str, float]:
    """Of a town that was founded in this folder, while nobody else has it open."""
    file = databases.path_of(settings_of(folder))
    async with databases.opened(settings_of(folder), Clock()):
        draft = await draft_of(place)
        in_force = await queries.version_on(None, community_id=place.community_id, day=local_day(Clock().now()))
        await live_through(file, place, in_force.id, acts)
    bench = Bench(folder, place, draft, say)
    return {**await bench.alone(), **await bench.beside(rounds)}


async def main(folder: Path, size: Size, acts: int, rounds: int) -> None:
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {text}\n")

    place = await town.found(settings_of(folder), size, say)
    found = await measure(folder, place, acts, rounds, say)
    sys.stdout.write("\n".join(judged(found, FLOORS, CEILINGS)) + "\n")


if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="python -m tests.bench.trial", description="What a trial run takes.")
    words.add_argument("--quick", action="store_true", help="everything small, to see that it works")
    is_quick = words.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="pointsbank_trial_") as scratch:
        if is_quick:
            shell.run(main(Path(scratch), Size(people=300, lines=2, activities=10), 2_000, 2))
        else:
            shell.run(main(Path(scratch), Size(people=3_000, lines=2), ACTS, ROUNDS))
