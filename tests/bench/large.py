"""A SQLite file of many entries whose books verify: `python -m tests.bench.large FILE [ENTRIES]`.

Rows are written by the hundred thousand, since actions would take an hour; what is sealed is sealed by the product's
own sealer, and `pointsbank ledger verify --database FILE` accepts the result. Without a file, and with `--measure`,
it is made in a scratch folder, and verify and export are timed as commands of their own.
"""

import argparse
import asyncio
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import Clock
from pointsbank.kit.db.sqlite import moment_text
from pointsbank.kit.settings import Settings
from pointsbank.ledger import actions_kinds, actions_seal, queries_seal
from pointsbank.ledger.sealing import Sealer

SEED = 20261121
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
ENTRIES_A_BOOK = 100
ROWS_AT_ONCE = 20_000
OUTLETS = 8
LOOK_SECONDS = 0.1
PROGRAM = ("-c", "from pointsbank.app.cli import main; main()")
LAST_DAYS = [date(year, 12, 31) for year in range(2060, 2064)]
TABLES = {
    "people_person": "id, community_id, member_number, state, made_at",
    "ledger_passbook": "id, number, community_id, kind_id, person_id, opened_at",
    "ledger_account": "id, community_id, passbook_id, system, balance, held",
    "ledger_lot": "id, account_id, kind, expires_on, remaining, held",
    "ledger_entry": "id, posting_key, community_id, kind, effective_at, booked_at, actor_id, member_id, source_room, "
    "source_kind, source_id, summary, reason, version_id",
    "ledger_move": "id, entry_id, source_id, target_id, points, source_after, target_after",
    "ledger_lot_use": "entry_id, lot_id, points",
    "events_activity": "id, community_id, title, venue, item_code, contact, starts_at, ends_at, arrived, organiser_id, "
    "state, poster_token, made_at",
    "events_attendance": "id, activity_id, person_id, in_at, in_way, state, minutes",
    "awards_act": "id, community_id, person_id, source_room, source_kind, source_id, item_code, what, evidence, "
    "began_at, day, minutes, planned_minutes, quantity, recorded_at",
    "awards_award": "id, act_id, version_id, community_id, person_id, passbook_id, item_code, points, clipped, steps, "
    "uses, chain, reviews_given, next_role, notice_days, expires_on, state, entry_id, made_at, settled_at",
    "awards_review": "award_id, step, verdict, reason, reviewed_by, reviewed_at",
}
BY_NUMBER = (
    "ledger_entry", "ledger_move", "ledger_lot_use", "events_attendance", "awards_act", "awards_award", "awards_review",
)  # fmt: skip
PLACE = "INSERT INTO people_place (id, kind, name, path) VALUES (1, 'community', '测试社区', '/1/')"
COMMUNITY = """
INSERT INTO people_community (id, unit_name, holder, daily_points_max, service_phone, oversight_phone, roster_version)
VALUES (1, '测试社区', 'person', 200, '10000000001', '10000000002', 0)
"""
Say = Callable[[str], None]


class Books:
    """Awards and orders at random, soonest-expiring lots first, with the balances that follow."""

    def __init__(self, file: sqlite3.Connection, entries: int, *, has_lines: bool) -> None:
        """With `has_lines` each award is for an act, and each act for a line of an activity, as `verify` wants it."""
        self.file, self.entries, self.has_lines, self.chance = file, entries, has_lines, random.Random(SEED)
        self.waiting: dict[str, list[tuple[object, ...]]] = {table: [] for table in BY_NUMBER}
        self.books = max(2, entries // ENTRIES_A_BOOK)
        self.issued, self.first_outlet = self.books + 1, self.books + 2
        self.balances = [0] * (self.first_outlet + OUTLETS)
        self.lots: list[dict[date, list[int]]] = [{} for _ in range(self.books + 1)]  # account → day → id, left
        self.lots_made = 0
        self.attended = [0] * (self.books + 1)

    def put(self, table: str, rows: Iterator[tuple[object, ...]]) -> None:
        columns = TABLES[table]
        marks = ", ".join("?" * len(columns.split(",")))
        while some := list(islice(rows, ROWS_AT_ONCE)):
            self.file.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", some)

    def fill(self, say: Say) -> None:
        at = moment_text(BEGAN)
        numbers = range(1, self.books + 1)
        self.put("people_person", ((n, 1, f"{n:09d}", "member", at) for n in numbers))
        self.put("ledger_passbook", ((n, f"{n:09d}", 1, 1, n, at) for n in numbers))
        for number in range(1, self.entries + 1):
            self.entry(number)
            if number % ROWS_AT_ONCE == 0 or number == self.entries:
                for table, rows in self.waiting.items():
                    self.put(table, iter(rows))
                    rows.clear()
            if number % 200_000 == 0:
                say(f"{number} entries")
        system = ["issued", *(f"redeemed:{outlet}" for outlet in range(1, OUTLETS + 1))]
        accounts = [(n, 1, n, None, self.balances[n], 0) for n in numbers]
        accounts += [
            (self.issued + at, 1, None, name, self.balances[self.issued + at], 0) for at, name in enumerate(system)
        ]
        later, done = moment_text(BEGAN + timedelta(days=1)), range(1, max(self.attended) + 1)
        activities = ((n, 1, "测试活动", "", "A01", "", at, later, 0, 1, "confirmed", f"{n}", at) for n in done)
        self.put("events_activity", activities)
        self.put("ledger_account", iter(accounts))
        of = ((lot, account, day) for account, days in enumerate(self.lots) for day, lot in days.items())
        self.put("ledger_lot", ((lot[0], account, "earned", day.isoformat(), lot[1], 0) for lot, account, day in of))

    def entry(self, number: int) -> None:
        account = self.chance.randint(1, self.books)
        at = moment_text(BEGAN + timedelta(minutes=number))
        if self.balances[account] < 10 or self.chance.random() < 0.4:
            source = ("award", None, "awards" if self.has_lines else "bench", "award", "楼道清洁 2 小时", 1)
            self._award(number, account, at)
        else:
            # Given up, since an order would want its goods too; to the ledger it is the same work.
            source = ("expiry", 7, "governance", "person", "自愿放弃积分", None)
            self._order(number, account)
        kind, actor, room, what, summary, version = source
        of, reason = (number, "") if kind == "award" else (account, "given_up")
        self.waiting["ledger_entry"].append(
            (number, f"{kind}/{number}", 1, kind, at, at, actor, account, room, what, of, summary, reason, version)
        )

    def _award(self, number: int, account: int, at: str) -> None:
        points, day = self.chance.randint(5, 30), self.chance.choice(LAST_DAYS)
        self.balances[account] += points
        self.balances[self.issued] -= points
        if day not in self.lots[account]:
            self.lots_made += 1
            self.lots[account][day] = [self.lots_made, 0]
        lot = self.lots[account][day]
        lot[1] += points
        self.waiting["ledger_move"].append(
            (number, number, self.issued, account, points, None, self.balances[account])
        )  # fmt: skip
        self.waiting["ledger_lot_use"].append((number, lot[0], -points))
        if self.has_lines:
            self.attended[account] += 1
            self.waiting["events_attendance"].append(
                (number, self.attended[account], account, at, "screen", "confirmed", 120)
            )
            self.waiting["awards_act"].append(
                (number, 1, account, "events", "attendance", number, "A01", "楼道清洁 2 小时", "screen", at, at[:10],
                 120, 120, 1, at)
            )  # fmt: skip
            self.waiting["awards_award"].append(
                (number, number, 1, 1, account, account, "A01", points, 0, "[]", "[]", '["organiser"]', 1, "", 0,
                 day.isoformat(), "settled", number, at, at)
            )  # fmt: skip
            self.waiting["awards_review"].append((number, 0, "passed", "", 1, at))

    def _order(self, number: int, account: int) -> None:
        points = self.chance.randint(1, 10)
        outlet = self.first_outlet + self.chance.randrange(OUTLETS)
        self.balances[account] -= points
        self.balances[outlet] += points
        self.waiting["ledger_move"].append((number, number, account, outlet, points, self.balances[account], None))
        for _day, lot in sorted(self.lots[account].items()):
            part = min(lot[1], points)
            if part:
                lot[1] -= part
                points -= part
                self.waiting["ledger_lot_use"].append((number, lot[0], part))


async def _open_place(tx: db.Tx) -> None:
    await tx.run(PLACE)
    await tx.run(COMMUNITY)
    await actions_kinds.make_main_kind(tx, community_id=1)


async def _record(tx: db.Tx, *, facts: list[tuple[str, str, str]]) -> int:
    for what, name, content in facts:
        await tx.run(actions_seal.RECORD, 1, what, name, None, tx.now, content)
    return len(facts)


async def make(settings: Settings, entries: int, say: Say, *, is_sealed: bool = True) -> None:
    """Fill an empty data folder. Seals and lines that awards are for take long: who only reads can do without."""
    await databases.migrate(settings)
    crypto.hold(crypto.Keys.load_or_create(settings.key_path))
    wanted = databases.config(settings)
    wanted["connections"]["write"]["credentials"]["synchronous"] = "OFF"  # the file counts only once it is whole
    database = await db.open_database(wanted, Clock())
    try:
        await db.write(_open_place)
        with closing(sqlite3.connect(databases.path_of(settings), isolation_level=None)) as file:
            file.execute("PRAGMA cache_size = -262144")
            file.execute("BEGIN")
            Books(file, entries, has_lines=is_sealed).fill(say)
            file.execute("COMMIT")
        for what in ("passbook", "account"):
            facts = [(one.what, one.name, one.content) async for one in queries_seal.facts(db.slow_rows, what)]
            for at in range(0, len(facts), ROWS_AT_ONCE):
                await db.write(_record, facts=facts[at : at + ROWS_AT_ONCE])
        if not is_sealed:
            return
        began, total, sealer = time.perf_counter(), 0, Sealer()
        while done := await sealer.run():
            total += done
        seconds = time.perf_counter() - began
        say(f"sealed {total} in {seconds:.0f} s, {total / seconds:.0f}/s")
    finally:
        await database.close()


def resident_mb(pid: int) -> float:
    """What a process and those that it started hold in memory; 0 when it has ended, or where nobody can tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return 0.0
    own = next((int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)
    return own + sum(resident_mb(int(child)) for child in children)


def measured(*command: str) -> tuple[float, float]:
    """Seconds and megabytes of a command of the shell, with the processes that it starts."""
    began, most = time.perf_counter(), 0.0
    child = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None:
        most = max(most, resident_mb(child.pid))
        time.sleep(LOOK_SECONDS)
    assert child.returncode == 0, command
    return time.perf_counter() - began, most


def measure(file: Path, entries: int, out: Path) -> dict[str, tuple[float, float]]:
    found = {}
    for what, command in (
        ("verify", (*PROGRAM, "ledger", "verify", "--database", str(file))),
        ("export", (*PROGRAM, "ledger", "export", str(out), "--database", str(file))),
        ("verify.py of the export", (str(out / "verify.py"),)),
    ):
        found[what] = seconds, megabytes = measured(*command)
        sys.stdout.write(f"{what} of {entries} entries: {seconds:.1f} s, {megabytes:.0f} MB\n")
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", nargs="?", type=Path)
    options.add_argument("entries", nargs="?", type=int, default=1_000_000)
    options.add_argument("--measure", action="store_true")
    given = options.parse_args()
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:5.0f} s  {text}\n")

    with tempfile.TemporaryDirectory(prefix="pointsbank_large_") as scratch:
        settings = Settings.from_env({"POINTSBANK_DATA": scratch})
        asyncio.run(make(settings, given.entries, say))
        file = databases.path_of(settings)
        say(f"{file.stat().st_size / given.entries:.0f} bytes an entry in all")
        if given.measure:
            measure(file, given.entries, Path(scratch) / "export")
        if given.file is not None:
            shutil.move(file, given.file)


if __name__ == "__main__":
    main()
