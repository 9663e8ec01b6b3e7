"""Goods and orders are recomputed too: whoever changes what lies on the shelf, or an order, behind the program."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from pointsbank.app import database as databases
from pointsbank.app import verifying
from pointsbank.kit import checks, db
from pointsbank.ledger import queries_flows as books
from pointsbank.people import actions as people
from pointsbank.redemption import actions_limits
from pointsbank.redemption import verify as redemption
from pointsbank.stock import actions_count
from pointsbank.stock import verify as stock
from pointsbank.stock.rules import DIFFERENCES, Counted, Explained
from tests.made_up import true_books

pytestmark = pytest.mark.tampers

ENTRY = "community_id, kind, effective_at, booked_at, source_kind, source_id, summary, reason"
ELSEWHERE = "an order counts for a passbook that nobody can have come to, or after the merge was parted that brought it"
ATTACKS = {
    "UPDATE stock_good SET stock = stock + 1 WHERE id = 1": "a good's stock differs from what is left in its lots",
    "UPDATE stock_lot SET remaining = remaining - 1 WHERE id = 1": "what is left of a lot differs from its moves",
    "UPDATE stock_lot SET quantity = quantity + 1 WHERE id = 1": (
        "a lot came with another number of pieces than it says"
    ),
    "UPDATE stock_move SET good_id = 2 WHERE id = 1": "a move is of a lot that is not there, or of another good",
    "DELETE FROM stock_lot WHERE id = 1": "a move is of a lot that is not there, or of another good",
    "UPDATE stock_loss SET quantity = 9": "a loss differs from its move",
    "UPDATE stock_count_line SET counted = counted + 1": (
        "a count booked something else than the difference that it found"
    ),
    "UPDATE redemption_order SET points = points + 1 WHERE id = 1": (
        "an order has taken other points than it says, or from another passbook"
    ),
    "UPDATE ledger_entry SET source_room = 'awards' WHERE kind = 'order'": (
        "an order has taken other points than it says, or from another passbook"
    ),
    "DELETE FROM redemption_order WHERE id = 1": "an entry is of an order that does not know it",
    f"INSERT INTO ledger_entry (posting_key, source_room, {ENTRY})"
    f" SELECT 'twice', 'tests', {ENTRY} FROM ledger_entry WHERE kind = 'order' LIMIT 1": (
        "an entry is of an order that does not know it"
    ),
    "UPDATE redemption_order_line SET points = 1 WHERE id = 1": "an order costs something else than its lines",
    "UPDATE redemption_order_line SET quantity = 7 WHERE id = 1": "an order's goods are not what left the shelf for it",
    "DELETE FROM stock_move WHERE kind = 'order' AND source_id = 1": (
        "an order's goods are not what left the shelf for it"
    ),
    "DELETE FROM ledger_entry WHERE kind = 'reversal'": "an order that is undone has not given its points back",
    f"INSERT INTO ledger_entry (posting_key, source_room, reverses_id, {ENTRY})"
    f" SELECT 'reversal:x', source_room, id, {ENTRY.replace('kind', chr(39) + 'reversal' + chr(39), 1)}"
    " FROM ledger_entry WHERE id = (SELECT entry_id FROM redemption_order WHERE state = 'done' LIMIT 1)": (
        "an order that stands has given its points back"
    ),
    "UPDATE redemption_order SET state = 'done' WHERE state = 'undone'": (
        "an order that is undone has not put its goods back, or one that stands has"
    ),
    "UPDATE stock_move SET quantity = 7 WHERE kind = 'put_back'": (
        "an order that is undone has not put its goods back, or one that stands has"
    ),
    "UPDATE redemption_limit_use SET used = used - 1 WHERE good_id = 0": (
        "a counter of limits differs from the orders that stand"
    ),
    "DELETE FROM redemption_limit_use WHERE good_id <> 0": "a counter of limits differs from the orders that stand",
    "DELETE FROM redemption_carried": "a counter of limits differs from the orders that stand",
    "UPDATE redemption_carried SET order_id = 2": "a counter of limits differs from the orders that stand",
    "UPDATE redemption_limit_use SET used = 0 WHERE account_id IN (SELECT account_id FROM redemption_carried)": (
        "a counter of limits differs from the orders that stand"
    ),
    "UPDATE redemption_carried SET account_id = (SELECT MIN(account_id) FROM redemption_order)": ELSEWHERE,
    "UPDATE ledger_account SET community_id = 0 WHERE id IN (SELECT account_id FROM redemption_carried)": ELSEWHERE,
    "UPDATE people_merge SET separated_at = merged_at": ELSEWHERE,
}
TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


async def shelf_and_orders(shop) -> None:
    """Something that every check looks at."""
    member, salt, rice = await shop.member(100), await shop.good(), await shop.good("米", 7)
    await shop.order((salt, 2), (rice, 1), member=member)
    undone = await shop.order((salt, 1), member=member)
    await shop.undo(undone.order_id)
    [book], twin = await books.open_books(None, person_id=member.person_id), await shop.member(100)
    merge_id = await db.write(people.mark_merged, person_id=member.person_id, into_id=twin.person_id)
    await db.write(actions_limits.follow, left=[book], person_id=twin.person_id, merge_id=merge_id)
    await db.write(actions_count.write_off, good_id=rice, lot_id=2, quantity=1, reason="damaged")
    count_id = await db.write(
        actions_count.open_count, community_id=shop.community_id, outlet_id=shop.outlet_id, good_ids=[salt, rice]
    )
    counted = [Counted(salt, 6), Counted(rice, 11)]
    await db.write(actions_count.write_counted, count_id=count_id, counted=counted)
    reasons = [Explained(good_id, min(DIFFERENCES)) for good_id in (salt, rice)]
    await db.write(actions_count.close_count, count_id=count_id, reasons=reasons)


@pytest.fixture
def file(settings) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(databases.path_of(settings), isolation_level=None)) as opened:
        opened.execute("PRAGMA ignore_check_constraints = ON")
        yield opened


async def test_what_was_changed_behind_the_program_is_found(shop, file):
    await shelf_and_orders(shop)
    assert true_books(await verifying.of_other_rooms()) == []
    for (name,) in file.execute(TRIGGERS).fetchall():
        file.execute(f"DROP TRIGGER {name}")

    for attack, expected in ATTACKS.items():
        file.execute("BEGIN")
        assert file.execute(attack).rowcount > 0, attack

        async def rows(sql: str, *values: object) -> list[tuple[object, ...]]:
            return file.execute(sql, values).fetchall()

        found = [finding for room in (stock, redemption) for finding in await room.check(rows)]
        file.execute("ROLLBACK")
        assert expected in {finding.what for finding in found}, (attack, found)

    told = {what for checks in (stock.CHECKS, redemption.CHECKS) for _, what, _ in checks}
    assert told == set(ATTACKS.values())


@pytest.mark.both
async def test_shelves_and_orders_verify_clean_on_both_databases(shop):
    await shelf_and_orders(shop)
    assert true_books(await verifying.of_other_rooms()) == []


AT_ANOTHER_TIME = "UPDATE redemption_limit_use SET period_start ="
# Changed together, so that the counters agree with the orders.
STRANGER = "(SELECT MAX(id) FROM ledger_account WHERE passbook_id IS NOT NULL)"
ALIKE = {
    "nobody was followed": (
        redemption.OTHER_WAY,
        "UPDATE redemption_limit_use SET used = 0 WHERE account_id IN (SELECT account_id FROM redemption_carried)",
        "DELETE FROM redemption_carried",
    ),
    "one order less has followed": (
        redemption.OTHER_WAY,
        """
UPDATE redemption_limit_use SET used = used - (SELECT points FROM redemption_order WHERE id = 1)
 WHERE good_id = 0 AND account_id IN (SELECT account_id FROM redemption_carried)""",
        """
UPDATE redemption_limit_use SET used = used - (
         SELECT SUM(quantity) FROM redemption_order_line it
          WHERE it.order_id = 1 AND it.good_id = redemption_limit_use.good_id)
 WHERE good_id <> 0 AND account_id IN (SELECT account_id FROM redemption_carried)""",
        "DELETE FROM redemption_carried WHERE order_id = 1",
    ),
    "what followed went to somebody else": (
        redemption.OTHER_WAY,
        f"""
UPDATE redemption_limit_use SET account_id = {STRANGER}
 WHERE account_id IN (SELECT account_id FROM redemption_carried)""",
        f"UPDATE redemption_carried SET account_id = {STRANGER}",
    ),
    "it was another day": (
        redemption.OTHER_DAY,
        "UPDATE redemption_order SET day = '2026-01-02'",
        f"{AT_ANOTHER_TIME} '2026-01-02' WHERE good_id = 0",
        f"{AT_ANOTHER_TIME} '2026-01-01' WHERE good_id <> 0",
    ),
}


@pytest.mark.both
@pytest.mark.parametrize("fault", ALIKE)
async def test_counters_that_were_changed_with_what_they_count_are_found(shop, fault):
    await shelf_and_orders(shop)
    await shop.member(100)
    assert true_books(await redemption.check(db.rows)) == []
    what, *statements = ALIKE[fault]

    async def tamper(tx):
        for statement in statements:
            assert await tx.run(statement) > 0

    await db.write(tamper)

    assert true_books(await checks.broken(db.rows, redemption.CHECKS)) == []
    assert what in {finding.what for finding in await redemption.check(db.rows)}
