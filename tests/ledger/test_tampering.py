"""Whoever writes in the books behind the program's back is found, whatever column, row or table it was.

Read off the schema: a column that comes later is tried too, and one that nothing covers turns these tests red.
"""

from datetime import date, timedelta
from typing import Any

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor
from pointsbank.ledger import (
    actions,
    actions_budgets,
    actions_flows,
    actions_holds,
    actions_opening,
    actions_paper,
    actions_periods,
    actions_reversal,
    canon,
    queries,
    queries_seal,
    verify_seals,
)
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_opening import NewLine
from pointsbank.ledger.sealing import Sealer
from pointsbank.ledger.verify_seals import Deposited, read_head
from pointsbank.people.access import Role
from tests.ledger.intruder import Intruder, intruding
from tests.ledger.test_openings import admin, asked, give
from tests.ledger.test_vouchers import adjust, agree, allow, book_of, give_away
from tests.world import World

pytestmark = pytest.mark.tampers

NEW_KIND = """
INSERT INTO ledger_book_kind (community_id, code, name, unit, decimals, holder, redeemable, donatable, transferable,
                              balance_max, surplus, base_points, base_every, base_redeemable, spend_above, reset_month,
                              reset_day, carry_over, version)
VALUES (?, 'honour', '荣誉分', '分', 0, 'person', FALSE, FALSE, FALSE, 100, 'pot', 5, 'once', FALSE, 0, 1, 1, TRUE, 1)
RETURNING id
"""
NEW_GIFT = """
INSERT INTO ledger_lot (account_id, kind, expires_on, match_percent, remaining, held) VALUES (?, 'gift', ?, 50, ?, 0)
RETURNING id
"""


async def honour(tx: db.Tx, *, community_id: int) -> None:
    made = await tx.row(NEW_KIND, community_id)
    await tx.run("INSERT INTO ledger_kind_run (kind_id, what, period, upto) VALUES (?, 'base', '2026', 7)", made["id"])
    await change(tx, what="kind", row_id=made["id"])


async def present(tx: db.Tx, *, community_id: int, account_id: int) -> None:
    """Gift points, as any room's action may post them."""
    issued_id = await actions.system_account(tx, community_id=community_id, system="issued")
    entry = await tx.row(
        actions.ENTRY, f"gift:{account_id}", community_id, "gift", tx.now, tx.now, None, None, "tests", "gift", 1,
        "赠分", "", None, None,
    )  # fmt: skip
    account = await tx.row(actions.ADD, 4, account_id)
    await tx.run(actions.MOVE, entry["id"], issued_id, account_id, 4, None, account["balance"])
    lot = await tx.row(NEW_GIFT, account_id, NEVER, 4)
    await tx.run(actions.LOT_USE, entry["id"], lot["id"], -4)
    await tx.run(actions.TAKE_ISSUED, 4, issued_id)


async def busy_books(world: World) -> None:
    """Something in every table of the ledger."""
    maker, checker = await admin(world), await admin(world)
    one, other = await world.person(points=10), await world.person(points=7)
    await world.give(other, 5)
    home = await world.household()
    await db.write(actions.open_passbook, community_id=world.home.id, household_id=home)
    listed = [await world.person() for _ in range(3)]
    list_id = await asked(world, maker, *((person, 20) for person in listed))
    await give(world, list_id, checker)
    await db.write(
        actions_opening.reverse, actor=await admin(world), list_id=list_id, position=2, reason="wrong_points"
    )
    for _ in range(2):
        refused = await db.write(
            actions_opening.make_list, actor=maker, community_id=world.home.id, day=date(2026, 11, 20),
            expires_on=NEVER, lines=[NewLine(await world.person(), None, 3, "旧折")],
        )  # fmt: skip
        await db.write(actions_opening.withdraw, actor=maker, list_id=refused)
    books = [await queries.passbook_of(person_id=person, household_id=None, holder="person") for person in (one, other)]
    for number in range(2):
        day = local_day(world.clock.now()) + timedelta(days=number)
        await db.write(actions_budgets.set_rate, actor=maker, community_id=world.home.id, from_day=day, cents_per_100=7)
        budget = {"year": day.year + number, "programme": "", "points": 9, "cents": 9}
        await db.write(actions_budgets.make_budget, actor=maker, community_id=world.home.id, **budget)
    for place in world.communities:
        await db.write(honour, community_id=place.id)
    for number, book in enumerate(books):
        await db.write(present, community_id=world.home.id, account_id=book.account_id)
        facts: dict[str, Any] = {
            "community_id": world.home.id, "account_id": book.account_id, "points": 3,
            "outlet_id": world.home.outlet_id, "member_id": one, "source": ("tests", "order", number),
            "summary": "兑换 食用盐",
        }  # fmt: skip
        spent = await db.write(actions.spend, posting_key=f"order:{number}", **facts)
        await db.write(actions.spend, posting_key=f"again:{number}", **facts | {"points": 1})
        await db.write(actions_reversal.reverse, entry_id=spent.entry_id, reason="wrong_goods")
        for key in ("open", "released", "captured"):
            await db.write(
                actions_holds.hold, account_id=book.account_id, points=1, hold_key=f"{key}:{number}",
                overdue_at=world.clock.now() + timedelta(days=1), member_id=one, source=("tests", "act", 1),
            )  # fmt: skip
        await db.write(actions_holds.release, hold_key=f"released:{number}")
        await db.write(
            actions_holds.capture, hold_key=f"captured:{number}", outlet_id=world.home.outlet_id,
            posting_key=f"captured:{number}", summary="自提 食用盐",
        )  # fmt: skip
        [*_, last] = reversed(await queries.lines(book.account_id))
        await db.write(actions_paper.note_printed, passbook_id=book.passbook_id, last_move=0, upto=last.move_id)
    for month in (date(2026, 11, 1), date(2026, 12, 1)):
        world.clock.advance(days=31)
        period_id = await db.write(actions_periods.close, actor=maker, community_id=world.home.id, month=month)
        while await db.write(actions_periods.count, period_id=period_id):
            pass

    await hand_over(world, one, other, maker)


async def hand_over(world: World, one: int, other: int, maker: Actor) -> None:
    """Vouchers in every state, and a passbook that is closed."""
    await allow(world)
    for person in (one, other):
        await give_away(world, person, 1, other if person == one else one)
    for step in (vouchers.refuse, vouchers.withdraw):
        voucher_id = await adjust(world, one, 3, maker)
        facts = {"reason": "没有依据"} if step is vouchers.refuse else {}
        actor = maker if step is vouchers.withdraw else await admin(world)
        await db.write(step, actor=actor, voucher_id=voucher_id, **facts)
    await adjust(world, one, 3, maker)
    await agree(world, await adjust(world, other, 2, maker))
    gone = await book_of(world, await world.person())
    await db.write(actions_flows.close, passbook_id=gone.passbook_id)


async def heads() -> list[Deposited]:
    found = [read_head(head.shown) for head in await queries_seal.heads()]
    return [head for head in found if head is not None and head.position]


@pytest.fixture
async def intruder(world, settings, monkeypatch):
    await busy_books(world)
    world.clock.advance(minutes=2)  # what is not sealed by now has no excuse
    await world.person(points=2)
    await Sealer().run()
    async with intruding(settings, await heads(), monkeypatch) as one:
        yield one


async def columns_unnoticed(intruder: Intruder, *tables: str) -> list[str]:
    tried = [(table, column) for table in tables or intruder.tables for column in intruder.tables[table]]
    told = [await intruder.changes_unnoticed(*each) for each in tried]
    return [one for one in told if one]


@pytest.mark.both
async def test_every_column_of_every_table_is_covered(intruder):
    assert len(intruder.tables) >= 13
    assert await columns_unnoticed(intruder) == []


FORGETFUL = {
    "ledger_entry.summary": ("SEALED_ENTRIES", "UNSEALED_ENTRIES"),
    "ledger_move.target_after": ("SEALED_MOVES", "MOVES_BETWEEN"),
}


@pytest.mark.parametrize("column", FORGETFUL)
async def test_a_form_that_forgets_a_column_is_caught_by_the_test_of_columns(world, settings, monkeypatch, column):
    table, _, name = column.partition(".")
    with pytest.MonkeyPatch.context() as fault:
        for text in FORGETFUL[column]:
            whole = getattr(queries_seal, text)
            short = whole.replace(f"{table.removeprefix('ledger_')}.{name}", "NULL")
            assert short != whole
            fault.setattr(queries_seal, text, short)
        await busy_books(world)
        await Sealer().run()
        async with intruding(settings, await heads(), monkeypatch) as intruder:
            told = await columns_unnoticed(intruder, table)
    assert [one.partition(":")[0] for one in told] == [column]


async def test_a_subject_that_forgets_a_column_is_caught_by_the_test_of_columns(world, settings, monkeypatch):
    kind = queries_seal.SUBJECTS["kind"]
    with pytest.MonkeyPatch.context() as fault:
        fault.setitem(queries_seal.SUBJECTS, "kind", kind._replace(sql=kind.sql.replace(" it.spend_above,", "")))
        await busy_books(world)
        await db.write(relearn)
        await Sealer().run()
        async with intruding(settings, await heads(), monkeypatch) as intruder:
            told = await columns_unnoticed(intruder, "ledger_book_kind")
    assert [one.partition(":")[0] for one in told] == ["ledger_book_kind.spend_above"]


async def relearn(tx: db.Tx) -> None:
    for (kind_id,) in await tx.rows("SELECT id FROM ledger_book_kind"):
        await change(tx, what="kind", row_id=kind_id)


@pytest.mark.both
async def test_a_row_that_is_gone_is_missed(intruder):
    for table in intruder.tables:
        for key, _row in await intruder.some(table):
            async with intruder.attempt():
                where = " AND ".join(f"{name} = ?" for name in key)
                await intruder.rows(f"DELETE FROM {table} WHERE {where}", *key.values())
                assert await intruder.noticed(), (table, key)


@pytest.mark.both
async def test_a_row_that_was_put_in_is_noticed(intruder):
    for table in intruder.tables:
        for key, row in (await intruder.some(table))[:2]:
            assert await put_in_unnoticed(intruder, table, key, row) == "", table


async def put_in_unnoticed(intruder: Intruder, table: str, key: dict[str, Any], row: dict[str, Any]) -> str:
    """Put a twin in: what must differ from the row differs by as little as the keys allow."""
    unique = {name for index in intruder.schema.indexes[table] if index.is_unique for name in index.columns}
    listed = {name for check in intruder.schema.checks[table] for name in check.names}
    for step in range(1, 9):
        twin = dict(row)
        for name in unique | {[name for name in key if isinstance(row[name], int)][-1]}:
            if isinstance(twin[name], int):
                twin[name] += 97 * step
            elif isinstance(twin[name], str) and name not in listed:
                twin[name] += "x" * step
        async with intruder.attempt():
            marks = ", ".join("?" * len(twin))
            try:
                await intruder.rows(f"INSERT INTO {table} ({', '.join(twin)}) VALUES ({marks})", *twin.values())
            except intruder.REFUSED:
                continue
            return "" if await intruder.noticed() else f"{table}: {twin}"
    return f"{table}: no twin could be put in"


SWAPS = {
    "ledger_entry": ["summary"],
    "ledger_move": ["points", "entry_id"],
    "ledger_lot_use": ["points"],
    "ledger_change": ["content"],
    "ledger_seal": ["hash"],
    "ledger_account": ["balance"],
    "ledger_passbook": ["opened_at", "person_id"],
}


@pytest.mark.both
@pytest.mark.parametrize("table", SWAPS)
async def test_two_rows_that_changed_places_are_noticed(intruder, table):
    for column in SWAPS[table]:
        rows = await intruder.some(table)
        key, row = rows[0]
        other_key, other = next(each for each in reversed(rows) if each[1][column] != row[column])
        async with intruder.attempt():
            spare = {"hash": b"x", "person_id": 10**6, "opened_at": row[column]}.get(column, row[column])
            assert await intruder.has_set(table, column, key, spare)
            assert await intruder.has_set(table, column, other_key, row[column])
            assert await intruder.has_set(table, column, key, other[column])
            assert await intruder.noticed(), column


@pytest.mark.both
async def test_two_seals_that_changed_places_are_noticed(intruder):
    first, second = (await intruder.rows(
        "SELECT community_id, position, entry_id FROM ledger_seal WHERE entry_id IS NOT NULL ORDER BY entry_id LIMIT 2"
    ))  # fmt: skip
    async with intruder.attempt():
        for seal, entry_id in ((first, 10**6), (second, first["entry_id"]), (first, second["entry_id"])):
            await intruder.rows(
                "UPDATE ledger_seal SET entry_id = ? WHERE community_id = ? AND position = ?",
                entry_id, seal["community_id"], seal["position"],
            )  # fmt: skip
        (finding, *_) = sorted(await intruder.noticed(), key=lambda one: one.where)
        assert f"position {min(first['position'], second['position'])}" in finding.where


LAST_ENTRY = """
SELECT seal.community_id, seal.position, seal.entry_id, move.source_id, move.target_id, move.points
  FROM ledger_seal seal JOIN ledger_move move ON move.entry_id = seal.entry_id
 ORDER BY seal.entry_id DESC LIMIT 1
"""


@pytest.mark.both
async def test_a_tail_that_was_cut_off_shows_in_the_deposited_head_alone(intruder):
    """The intruder takes the last award out of every table, so that nothing contradicts anything."""
    async with intruder.attempt():
        (last,) = await intruder.rows(LAST_ENTRY)
        place, cut = last["community_id"], last["position"]
        for sql, value in (
            ("DELETE FROM ledger_seal WHERE entry_id = ?", last["entry_id"]),
            ("DELETE FROM ledger_lot_use WHERE entry_id = ?", last["entry_id"]),
            ("DELETE FROM ledger_move WHERE entry_id = ?", last["entry_id"]),
            ("DELETE FROM ledger_entry WHERE id = ?", last["entry_id"]),
            ("DELETE FROM ledger_lot WHERE account_id = ?", last["target_id"]),
        ):
            await intruder.rows(sql, value)
        for sign, account_id in ((1, last["source_id"]), (-1, last["target_id"])):
            await intruder.rows(
                "UPDATE ledger_account SET balance = balance + ? WHERE id = ?", sign * last["points"], account_id
            )
        assert await intruder.noticed(heads=()) == set()
        (finding,) = await intruder.noticed()
        assert (finding.invariant, finding.where) == (12, f"community {place}, position {cut}")


@pytest.mark.both
async def test_a_chain_that_was_written_anew_shows_in_the_deposited_head_alone(intruder):
    """Another summary in the first entry, and every seal from there on computed as the sealer would."""
    async with intruder.attempt():
        (first,) = await intruder.rows(
            "SELECT community_id, position, entry_id FROM ledger_seal WHERE entry_id IS NOT NULL "
            "ORDER BY entry_id LIMIT 1"
        )
        await intruder.rows("UPDATE ledger_entry SET summary = '改过' WHERE id = ?", first["entry_id"])
        place = first["community_id"]
        assert await intruder.noticed(heads=()) != set()
        previous = canon.GENESIS
        for one in await queries_seal.sealed(intruder.rows, queries_seal.BETWEEN, place, 0, 10_000):
            previous = canon.link(place, one.position, previous, canon.digest(one.form))
            await intruder.rows(
                "UPDATE ledger_seal SET hash = ? WHERE community_id = ? AND position = ?", previous, place, one.position
            )
        assert await intruder.noticed(heads=()) == set()
        (finding,) = await intruder.noticed()
        assert finding.what == "the chain differs from a deposited head"


async def test_a_chain_that_is_checked_in_pieces_tells_the_same(intruder, monkeypatch):
    """A hash, a row and a gap on both sides of where pieces join."""
    _length, place = max((head.position, head.community_id) for head in intruder.heads)
    of = "WHERE community_id = ? AND position = ?"
    for position in (6, 7, 8):
        for attack in (
            f"UPDATE ledger_seal SET hash = zeroblob(32) {of}",
            f"UPDATE ledger_change SET what = 'x' WHERE id = (SELECT change_id FROM ledger_seal {of})",
            f"DELETE FROM ledger_seal {of}",
        ):
            async with intruder.attempt():
                await intruder.rows(attack, place, position)
                told = []
                for span in (10_000, 7, 1):
                    monkeypatch.setattr(verify_seals, "SPAN", span)
                    told.append({one.where for one in await intruder.noticed() if one.where.startswith("community")})
                assert told[0] == told[1] == told[2]
                assert any(f"position {position}" in where for where in told[0]), (attack, position)


async def test_a_role_that_is_tampered_with_is_none_of_the_ledger_s(intruder):
    """So that the test of columns cannot pass by finding everything wrong."""
    async with intruder.attempt():
        await intruder.rows("UPDATE people_role_grant SET role = ?", Role.COUNTER_STAFF.value)
        assert await intruder.noticed() == set()
