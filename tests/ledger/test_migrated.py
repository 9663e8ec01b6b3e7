"""Books of earlier versions: after the migration they verify clean, and nobody's points moved.

Once of the time before lots became buckets, and once of that when a closed month told one sum of all kinds.
"""

import random
import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tortoise import Tortoise
from tortoise.migrations.api import migrate as run_migrations

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.paths import migrations_dir
from pointsbank.kit.settings import Settings
from pointsbank.ledger import (
    actions,
    actions_kinds,
    actions_periods,
    actions_reversal,
    queries,
    queries_periods,
    verify,
)
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.queries import booked_between
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.sealing import Sealer
from pointsbank.people.queries import Holder
from tests.world import COINS

pytestmark = pytest.mark.both

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
DAYS = (date(2026, 12, 31), date(2027, 12, 31), NEVER)
LAST_BEFORE = "0014_stock_keeping"
TOWN = (
    "INSERT INTO people_place (id, kind, name, path) VALUES (1, 'community', '测试社区', '/1/')",
    (
        "INSERT INTO people_community (id, unit_name, holder, daily_points_max, service_phone, oversight_phone, "
        "roster_version) VALUES (1, '测试社区', 'person', 200, '10000000001', '10000000002', 0)"
    ),
    (
        "INSERT INTO people_person (id, community_id, member_number, state, made_at) "
        "VALUES (1, 1, '000000001', 'member', '2026-11-21 04:00:00.000000+00:00'), "
        "(2, 1, '000000002', 'member', '2026-11-21 04:00:00.000000+00:00')"
    ),
    (
        "INSERT INTO ledger_passbook (id, number, community_id, person_id, decimals, opened_at) "
        "SELECT id, '00000000' || id, 1, id, 0, made_at FROM people_person"
    ),
    (
        "INSERT INTO ledger_account (id, community_id, system, balance) VALUES (1, 1, 'issued', 0), "
        "(2, 1, 'redeemed:1', 0)"
    ),
    "INSERT INTO ledger_account (id, community_id, passbook_id, balance) SELECT 10 + id, 1, id, 0 FROM ledger_passbook",
)
ENTRY = """
INSERT INTO ledger_entry (posting_key, community_id, kind, effective_at, booked_at, source_room, source_kind, source_id,
                          summary, reason, reverses_id)
VALUES (?, 1, ?, ?, ?, 'tests', 'act', 1, '测试', '', ?) RETURNING id
"""
MOVE = """
INSERT INTO ledger_move (entry_id, source_id, target_id, points, source_after, target_after) VALUES (?, ?, ?, ?, ?, ?)
"""
ADD = "UPDATE ledger_account SET balance = balance + ? WHERE id = ? RETURNING balance"
LOT = """
INSERT INTO ledger_lot (account_id, entry_id, points, remaining, expires_on) VALUES (?, ?, ?, ?, ?) RETURNING id
"""
TAKE = "UPDATE ledger_lot SET remaining = remaining - ? WHERE id = ?"
KEY = "INSERT INTO command (caller, request_key, digest, outcome, answer, at) VALUES ('p1', ?, ?, ?, ?, ?)"
USE = "INSERT INTO ledger_lot_use (lot_id, entry_id, points) VALUES (?, ?, ?)"


@dataclass
class OldBooks:
    """Posts as the program did when an entry still had lots of its own."""

    tx: db.Tx
    dice: random.Random
    entries: int = 0
    lots: dict[int, dict[int, int]] = field(default_factory=lambda: {11: {}, 12: {}})
    orders: list[tuple[int, int, list[tuple[int, int]]]] = field(default_factory=list)

    async def post(self, kind: str, source: int, target: int, points: int, reverses: int | None = None) -> int:
        self.entries += 1
        entry = await self.tx.row(ENTRY, f"old:{self.entries}", kind, NOON, NOON, reverses)
        taken, given = await self.tx.row(ADD, -points, source), await self.tx.row(ADD, points, target)
        after = (taken["balance"] if source > 10 else None, given["balance"] if target > 10 else None)
        await self.tx.run(MOVE, entry["id"], source, target, points, *after)
        return entry["id"]

    async def award(self) -> None:
        account, points = self.dice.choice((11, 12)), self.dice.randint(1, 30)
        entry_id = await self.post("award", 1, account, points)
        lot = await self.tx.row(LOT, account, entry_id, points, points, self.dice.choice(DAYS))
        self.lots[account][lot["id"]] = points

    async def order(self) -> None:
        account = self.dice.choice((11, 12))
        have = {lot_id: left for lot_id, left in self.lots[account].items() if left}
        if not have:
            return
        points = self.dice.randint(1, sum(have.values()))
        entry_id, uses = await self.post("order", account, 2, points), []
        for lot_id, left in have.items():
            part = min(left, points)
            if part:
                uses.append((lot_id, part))
                await self.use(entry_id, account, lot_id, part)
            points -= part
        self.orders.append((entry_id, account, uses))

    async def undo(self) -> None:
        if self.orders:
            original, account, uses = self.orders.pop()
            entry_id = await self.post("reversal", 2, account, sum(part for _, part in uses), original)
            for lot_id, part in uses:
                await self.use(entry_id, account, lot_id, -part)

    async def use(self, entry_id: int, account: int, lot_id: int, part: int) -> None:
        await self.tx.run(TAKE, part, lot_id)
        await self.tx.run(USE, lot_id, entry_id, part)
        self.lots[account][lot_id] -= part


async def fill(tx: db.Tx) -> dict[int, int]:
    for statement in TOWN:
        await tx.run(statement)
    for key, outcome, answer in (("key-0001", "done", b"7"), ("key-0002", "refused", b"{}")):
        await tx.run(KEY, key, bytes(range(32)), outcome, answer, NOON)
    books = OldBooks(tx, random.Random(15))
    for _ in range(150):
        await books.dice.choice((books.award, books.award, books.order, books.undo))()
    return {row["id"]: row["balance"] for row in await tx.rows("SELECT id, balance FROM ledger_account")}


@pytest.fixture
def settings(request, engine, tmp_path):
    """A database with nothing in it, not even the schema."""
    if engine == "sqlite":
        yield Settings.from_env({"POINTSBANK_DATA": str(tmp_path)})
        return
    server = request.getfixturevalue("postgres_server")
    server.run("CREATE DATABASE before_lots")
    yield Settings.from_env({"POINTSBANK_DATA": str(tmp_path), "POINTSBANK_DATABASE_URL": server.url("before_lots")})
    server.run("DROP DATABASE before_lots WITH (FORCE)")


async def migrate_up_to(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    name = f"migrations_up_to_{last}"
    later = [f"{path.stem}.py" for path in migrations_dir().glob("[0-9]*.py") if path.stem > last]
    shutil.copytree(migrations_dir(), folder / name, ignore=shutil.ignore_patterns("__pycache__", *later))
    monkeypatch.syspath_prepend(folder)
    config = databases._migration_config(settings)
    config["apps"]["models"]["migrations"] = name
    if not settings.database_url:
        databases.path_of(settings).touch()
    await run_migrations(config=config)
    await Tortoise.close_connections()


async def test_old_books_verify_clean_and_go_on(settings, clock, tmp_path, monkeypatch):
    await migrate_up_to(settings, tmp_path, monkeypatch, LAST_BEFORE)
    async with databases._opened(databases.config(settings), clock):
        before = await db.write(fill)

    await databases.migrate(settings)

    async with databases.opened(settings, clock):
        await Sealer().run()
        assert (await verify.verify()).findings == []
        after = {row["id"]: row["balance"] for row in await db.rows("SELECT id, balance FROM ledger_account")}
        assert after == before
        assert before[11] > 0
        assert before[12] > 0
        keys = await db.rows("SELECT request_key, digest, is_refused, answer FROM command ORDER BY request_key")
        half = bytes(range(16))
        assert [tuple(key) for key in keys] == [("key-0001", half, False, b"7"), ("key-0002", half, True, b"{}")]
        lots = await db.row("SELECT COUNT(*) AS lots FROM ledger_lot")
        assert lots["lots"] <= 2 * len(DAYS)
        book = await queries.passbook_of(person_id=1, household_id=None, holder="person")
        order = await db.rows("SELECT id FROM ledger_entry WHERE kind = 'order' AND id NOT IN "
                              "(SELECT reverses_id FROM ledger_entry WHERE reverses_id IS NOT NULL)")  # fmt: skip
        for (entry_id,) in order:
            await db.write(actions_reversal.reverse, entry_id=entry_id, reason="wrong_goods")
        assert await db.write(actions.open_passbook, community_id=1, person_id=1) == book.passbook_id
        await Sealer().run()
        assert (await verify.verify()).findings == []


LAST_OF_ONE_SUM = "0026_merges_agreed"
TWO_KINDS = (
    "INSERT INTO people_place (id, kind, name, path) VALUES (1, 'community', '测试社区', '/1/')",
    TOWN[1],
    TOWN[2],
)
ONE_SUM = "UPDATE ledger_period SET upto = ends_at, closed_at = ?, outstanding = ? WHERE id = ?"


async def two_kinds(tx: db.Tx) -> None:
    for statement in TWO_KINDS:
        await tx.run(statement)
    await actions_kinds.make_main_kind(tx, community_id=1)
    await actions_kinds.make_kind(tx, community_id=1, code="coins", settings=COINS)
    points = await actions.open_passbook(tx, community_id=1, person_id=1)
    coins = await actions_kinds.open_book(
        tx, holder=Holder(1, 1, None, None, "", "person", "member", "000000001"), kind="coins"
    )
    for number, (book, amount) in enumerate(((points, 30), (coins, 125), (points, 4))):
        await actions.post_award(
            tx, community_id=1, passbook_id=book, points=amount, posting_key=f"award:{number}", effective_at=tx.now,
            expires_on=NEVER, member_id=1, version_id=1, source=("tests", "act", number), summary="楼道清洁",
        )  # fmt: skip


async def close_as_before(tx: db.Tx) -> None:
    period_id = await actions_periods.close(tx, community_id=1, month=date(2026, 11, 1))
    period = await tx.row("SELECT starts_at, ends_at FROM ledger_period WHERE id = ?", period_id)
    between = booked_between(1, *period)
    await tx.run(actions_periods.COUNT, period_id, period_id, *between, *between)
    await tx.run(ONE_SUM, tx.now, 159, period_id)
    await change(tx, what="period", row_id=period_id)


async def test_a_month_that_told_one_sum_tells_each_kind_s(settings, clock, tmp_path, monkeypatch):
    await migrate_up_to(settings, tmp_path, monkeypatch, LAST_OF_ONE_SUM)
    async with databases._opened(databases.config(settings), clock):
        await db.write(two_kinds)
        clock.advance(days=20)
        await db.write(close_as_before)
        await Sealer().run()

    await databases.migrate(settings)

    async with databases.opened(settings, clock):
        [told] = (await queries_periods.outstanding(1)).values()
        assert [(one.book_kind, one.points) for one in told] == [("points", 34), ("coins", 125)]
        await Sealer().run()
        assert (await verify.verify()).findings == []
        await db.write(more_coins)
        clock.advance(days=31)
        period_id = await db.write(actions_periods.close, community_id=1, month=date(2026, 12, 1))
        while await db.write(actions_periods.count, period_id=period_id):
            pass
        latest = (await queries_periods.outstanding(1))[period_id]
        assert [(one.book_kind, one.points) for one in latest] == [("points", 34), ("coins", 130)]
        await Sealer().run()
        assert (await verify.verify()).findings == []


async def more_coins(tx: db.Tx) -> None:
    book = await tx.row("SELECT MAX(id) AS id FROM ledger_passbook")
    await actions.post_award(
        tx, community_id=1, passbook_id=book["id"], points=5, posting_key="award:later", effective_at=tx.now,
        expires_on=NEVER, member_id=1, version_id=1, source=("tests", "act", 9), summary="楼道清洁",
    )  # fmt: skip
