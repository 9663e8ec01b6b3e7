"""`make bench`: ratios within one run, medians of interleaved rounds. Figures on standard output, progress beside it.

    python -m tests.bench [--quick]

Exits 0 whatever it measures: the figures are for a person, or a script, to judge.
"""

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pointsbank.app import database as databases
from pointsbank.app import shell
from pointsbank.kit.clock import Clock
from pointsbank.ledger import verify
from tests.bench import commands, scoring, sizes, town
from tests.bench.app import Unsealed
from tests.bench.figures import Findings, Rates
from tests.bench.plain import InProcess, fresh, settings_of
from tests.bench.serving import Serving
from tests.bench.town import Size, Town

SEED = 20261121
ORDERS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Plan:
    size: Size
    rounds: int
    seconds: float
    orders: int
    orders_in_all: int


FULL = Plan(Size(people=6_000, lines=20), rounds=5, seconds=1.5, orders=3_000, orders_in_all=100_000)
QUICK = Plan(Size(people=1_500, lines=20), rounds=3, seconds=0.7, orders=1_200, orders_in_all=8_000)

_began = time.monotonic()


def say(text: str) -> None:
    sys.stderr.write(f"{time.monotonic() - _began:5.0f} s  {text}\n")


class Bench:
    def __init__(self, plan: Plan, place: Town, serving: Serving, chance: random.Random) -> None:
        self.plan, self.town, self.serving, self.chance = plan, place, serving, chance
        self.waves = commands.waves(place, chance)
        self.orders_served = 0

    async def round(self, in_process: InProcess) -> Rates:
        orders, check_ins = await in_process.by_writer()
        plain_orders, plain_check_ins = in_process.plainly()
        say(f"  order     {orders:7.0f}/s in process, {plain_orders:7.0f}/s plain")
        say(f"  check-in  {check_ins:7.0f}/s in process, {plain_check_ins:7.0f}/s plain")
        return Rates(orders, plain_orders, plain_check_ins, **await self._over_http())

    async def _over_http(self) -> dict[str, Any]:
        load, seconds, town_ = self.serving.load, self.plan.seconds, self.town
        found: dict[str, Any] = {}
        null_order = partial(commands.posts, self._orders(), "/api/bench/null-order")
        found["null_order"] = await load("null order", null_order, seconds)
        found["order"] = await load("order", self._order_requests, None)
        null_check_in = partial(commands.posts, next(commands.waves(town_, self.chance)), "/api/bench/null-check-in")
        found["null_check_in"] = await load("null check-in", null_check_in, seconds)
        found["check_in"] = await load("check-in", self._wave_requests, None, before=self.serving.everybody_leaves)
        null = partial(commands.gets, town_, "/api/bench/null")
        found["null_get"] = await load("null get", null, seconds)
        found["bare_get"] = await load("without layer", null, seconds, bare=True)
        found["acts_scored"] = scoring.acts_a_second()
        found["passbook"] = await load("passbook", partial(commands.gets, town_), seconds)
        return found

    def _orders(self) -> list[commands.Order]:
        return commands.orders(self.town, self.plan.orders, self.chance)

    def _order_requests(self) -> list[bytes]:
        self.orders_served += self.plan.orders
        return commands.posts(self._orders())

    def _wave_requests(self) -> list[bytes]:
        return commands.posts(next(self.waves))

    async def fill_up(self) -> None:
        """As many orders as memory is measured after."""
        while (missing := self.plan.orders_in_all - self.orders_served) > 0:
            some = commands.orders(self.town, min(missing, ORDERS_AT_ONCE), self.chance)
            found = await self.serving.send(commands.posts(some))
            assert set(found.statuses) == {"201"}, found.statuses
            self.orders_served += len(some)
            told = f"{self.orders_served} orders served, {found.rate:.0f}/s, server {found.busy:.0%} busy"
            say(f"{told}, {self.serving.resident_mb():.0f} MB resident")


async def check_books(folder: Path) -> None:
    async with databases.opened(settings_of(folder), Clock()):
        report = await verify.verify()
    assert report.is_clean, report.findings


async def main(plan: Plan, scratch: Path) -> None:
    origin, served, chance = scratch / "town", scratch / "served", random.Random(SEED)
    origin.mkdir()
    place = await town.found(settings_of(origin), plan.size, say)
    orders, check_ins = commands.orders(place, plan.orders, chance), next(commands.waves(place, chance))
    in_process = InProcess(origin, place, orders, check_ins)
    await in_process.record()
    findings = Findings(statements=in_process.statements_of_an_order)
    serving = Serving(fresh(origin, served), say)
    before = sizes.look(served / databases.FILE_NAME)
    await serving.start()
    say(f"the server is up, {serving.resident_mb():.0f} MB resident")
    try:
        bench = Bench(plan, place, serving, chance)
        for number in range(1, plan.rounds + 1):
            say(f"round {number} of {plan.rounds}")
            findings.rounds.append(await bench.round(in_process))
        await bench.fill_up()
        findings.unsealed_seconds = (await serving.asked("GET", "/api/bench/unsealed", Unsealed)).seconds
        findings.resident_mb = serving.resident_mb()
    finally:
        await serving.stop()
    say("verifying the books …")
    await check_books(served)
    findings.grown = before.until(sizes.look(served / databases.FILE_NAME))
    if findings.grown is not None:
        say("bytes an entry, by table and its indexes:")
        for line in findings.grown.lines():
            say(line)
    if serving.idle_rounds:
        say(f"in {serving.idle_rounds} rounds the server was less than 90 % busy: judge with care")
    sys.stdout.write("\n".join(findings.lines()) + "\n")


if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed, as ratios within one run.")
    words.add_argument("--quick", action="store_true", help="a minute instead of five")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="pointsbank_bench_") as folder:
        shell.run(main(QUICK if asked.quick else FULL, Path(folder)))
