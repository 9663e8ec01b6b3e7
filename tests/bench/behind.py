"""`make bench-large`: what it costs that there is much behind it. Figures on standard output, progress beside it.

    python -m tests.bench.behind [--quick]

A file of ten thousand, a million and ten million entries, a town that lives in the first two, and ratios between them;
verify, export and the expiry of many lots beside orders, a trial run beside check-ins. With --quick everything small,
to see that it works.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pointsbank.app import database as databases
from pointsbank.app import shell
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.ledger import queries
from pointsbank.redemption import actions as redemption
from tests.bench import commands, large, postgres, town, trial
from tests.bench.app import Expired
from tests.bench.figures import judged
from tests.bench.load import Round
from tests.bench.plain import settings_of, through_writer
from tests.bench.serving import Serving
from tests.bench.town import Size, Town

WARM, READS = 20_000, 2_000  # reads before it counts, as of a server that has been up for an hour, and those that count
PAGE = 20
FLOORS = {
    "orders-with-large/with-small-behind": 0.8,
    "orders-beside-verify/alone": 0.9,
    "orders-beside-export/alone": 0.9,
    "postgres-orders/plain-asyncpg": 0.8,
    **trial.FLOORS,
}
CEILINGS = {
    "balance-read-huge/small": 1.5,
    "passbook-page-huge/large": 2.5,
    "verify-seconds": 60.0,
    "verify-mb": 500.0,
    "expiry-seconds": 10.0,
    "order-p99-beside-expiry/quiet": 5.0,
    **trial.CEILINGS,
}


@dataclass(frozen=True)
class Plan:
    small: int
    large: int
    huge: int
    expired: int
    orders: int
    rounds: int
    people: int
    acts: int


FULL = Plan(10_000, 1_000_000, 10_000_000, expired=20_000, orders=3_000, rounds=5, people=3_000, acts=trial.ACTS)
QUICK = Plan(2_000, 20_000, 60_000, expired=500, orders=400, rounds=2, people=300, acts=2_000)

_began = time.monotonic()


def say(text: str) -> None:
    sys.stderr.write(f"{time.monotonic() - _began:5.0f} s  {text}\n")


class Bench:
    def __init__(self, plan: Plan, scratch: Path) -> None:
        self.plan, self.scratch, self.chance = plan, scratch, random.Random(large.SEED)
        self.figures: dict[str, float] = {}

    def folder(self, name: str) -> Path:
        found = self.scratch / name
        found.mkdir(exist_ok=True)
        return found

    def note(self, name: str, value: float) -> None:
        say(f"{name} {value:.2f}")
        self.figures[name] = value

    async def build(self, name: str, entries: int, *, is_sealed: bool = True) -> None:
        say(f"{entries} entries …")
        await large.make(settings_of(self.folder(name)), entries, say, is_sealed=is_sealed)

    async def reads(self) -> None:
        """Seconds of balances and of pages, of passbooks at random, in each of the files by turns."""
        took: dict[tuple[str, str], list[float]] = {}
        for _ in range(self.plan.rounds):
            for name in ("small", "large", "huge"):
                async with databases.opened(settings_of(self.scratch / name), Clock()):
                    for what, seconds in (await self._read()).items():
                        took.setdefault((name, what), []).append(seconds)
        mid = {key: median(seconds) for key, seconds in took.items()}
        self.note("balance-read-huge/small", mid["huge", "balance"] / mid["small", "balance"])
        self.note("passbook-page-huge/large", mid["huge", "page"] / mid["large", "page"])

    async def _read(self) -> dict[str, float]:
        today = local_day(Clock().now())
        ((last,),) = await db.rows("SELECT MAX(id) FROM ledger_passbook")
        found = {}
        for what, read in (
            ("balance", lambda account: queries.spendable(None, account, today=today)),
            ("page", lambda account: queries.lines(account, limit=PAGE)),
        ):
            for _ in range(WARM):
                await read(self.chance.randint(1, last))
            accounts = [self.chance.randint(1, last) for _ in range(READS)]
            began = time.perf_counter()
            for account in accounts:
                await read(account)
            found[what] = time.perf_counter() - began
        return found

    async def settle(self, name: str) -> Town:
        """A town moves into the file."""
        return await town.found(settings_of(self.folder(name)), Size(people=self.plan.people, lines=20), say)

    async def order_rates(self, towns: dict[str, Town]) -> None:
        rates: dict[str, list[float]] = {name: [] for name in towns}
        for _ in range(self.plan.rounds):
            for name, place in towns.items():
                asked = [order.facts(place) for order in commands.orders(place, self.plan.orders, self.chance)]
                settings = settings_of(self.scratch / name)
                crypto.hold(crypto.Keys.load_or_create(settings.key_path))  # each town has its own
                async with databases.opened(settings, Clock()):
                    rates[name].append(await through_writer(redemption.order, asked))
        self.note("orders-with-large/with-small-behind", median(rates["large"]) / median(rates["small"]))

    async def beside(self, place: Town) -> None:
        """Orders over HTTP alone, and while verify or export read the same file."""
        folder = self.scratch / "large"
        serving = Serving(folder, say)
        await serving.start()
        rates: dict[str, list[float]] = {"alone": [], "verify": [], "export": []}
        try:
            for number in range(self.plan.rounds):
                for name, found in rates.items():
                    reader = self._reader(name, folder, number)
                    found.append((await self._orders(serving, place)).rate)
                    if reader is not None:
                        say(f"  {name} was {'still at it' if reader.poll() is None else 'through before the orders'}")
                        reader.terminate()
                        reader.wait()
        finally:
            await serving.stop()
        for name in ("verify", "export"):
            self.note(f"orders-beside-{name}/alone", median(rates[name]) / median(rates["alone"]))

    def _reader(self, name: str, folder: Path, number: int) -> subprocess.Popen[bytes] | None:
        words = {"verify": ["verify"], "export": ["export", str(self.scratch / f"export-{number}")]}.get(name)
        if words is None:
            return None
        command = [sys.executable, *large.PROGRAM, "ledger", *words, "--database", str(folder / databases.FILE_NAME)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def _orders(self, serving: Serving, place: Town) -> Round:
        found = await serving.send(commands.posts(commands.orders(place, self.plan.orders, self.chance)))
        assert set(found.statuses) == {"201"}, found.refused
        return found

    async def expiry(self) -> None:
        """Lots expire in a town where people go on ordering."""
        folder = self.folder("expiring")
        size = Size(people=self.plan.people, lines=20, expired=self.plan.expired)
        place = await town.found(settings_of(folder), size, say)
        serving = Serving(folder, say)
        await serving.start()
        try:
            quiet = await self._orders(serving, place)
            running = asyncio.create_task(serving.asked("POST", "/api/bench/expire", Expired))
            waits = [(await self._orders(serving, place)).p99_ms]
            while not running.done():
                waits.append((await self._orders(serving, place)).p99_ms)
            found = await running
        finally:
            await serving.stop()
        assert found.lots == self.plan.expired, found
        self.note("expiry-seconds", found.seconds)
        self.note("order-p99-beside-expiry/quiet", max(waits) / quiet.p99_ms)

    async def trial(self) -> None:
        folder = self.folder("trial")
        place = await town.found(settings_of(folder), Size(people=self.plan.people, lines=2), say)
        found = await trial.measure(folder, place, self.plan.acts, self.plan.rounds, say)
        for name, value in found.items():
            self.note(name, value)

    async def run(self) -> None:
        await self.build("small", self.plan.small)
        await self.build("large", self.plan.large)
        await self.build("huge", self.plan.huge, is_sealed=False)
        await self.reads()
        file = databases.path_of(settings_of(self.scratch / "large"))
        seconds, megabytes = large.measure(file, self.plan.large, self.scratch / "export")["verify"]
        self.note("verify-seconds", seconds)
        self.note("verify-mb", megabytes)
        towns = {name: await self.settle(name) for name in ("small", "large")}
        await self.order_rates(towns)
        await self.beside(towns["large"])
        await self.expiry()
        await self.trial()
        self.note("postgres-orders/plain-asyncpg", await postgres.ratio(self.plan.orders, self.plan.rounds, say))


async def main(plan: Plan, scratch: Path) -> None:
    bench = Bench(plan, scratch)
    await bench.run()
    sys.stdout.write("\n".join(judged(bench.figures, FLOORS, CEILINGS)) + "\n")


if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="python -m tests.bench.behind", description="What much behind it costs.")
    words.add_argument("--quick", action="store_true", help="everything small, to see that it works")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="pointsbank_behind_") as folder:
        shell.run(main(QUICK if asked.quick else FULL, Path(folder)))
