"""What entries that jobs post are for is there, and of the ledger, or verify says so."""

from datetime import date

import pytest

from pointsbank.kit import db
from pointsbank.kit.checks import broken
from pointsbank.ledger import (
    actions_expiry,
    actions_kinds,
    actions_reset,
    actions_reversal,
    actions_vouchers,
    verify,
    verify_books,
)
from pointsbank.ledger.rules_flows import What
from tests.ledger.conftest import add_person, found_community
from tests.ledger.intruder import Intruder
from tests.schema_reading import read_schema

pytestmark = [pytest.mark.both, pytest.mark.tampers]

ATTACKS = ("source_room = 'tests'", "source_room = 'governance'", "source_kind = 'order'", "source_id = 1000000")
OF_JOBS = ("base", "surplus", "expiry", "clawback", "reset")


async def due(action) -> None:
    while await db.write(action):
        pass


@pytest.fixture
async def intruder(bank, settings):
    await bank.settle(base_points=5, base_every="once", balance_max=40, reset_month=11, reset_day=25)
    passbook = await bank.member()
    await due(actions_kinds.give_base_due)
    await bank.award(passbook, 30, expires_on=date(2026, 11, 21))
    twice = await bank.award(passbook, 10)
    await bank.spend(passbook, 33)
    await db.write(actions_reversal.clawback, entry_id=twice.entry_id, reason="twice")
    await bank.award(passbook, 9, expires_on=date(2026, 11, 22))
    bank.clock.advance(hours=48)
    await due(actions_expiry.expire_due)
    await bank.award(passbook, 6)
    bank.clock.advance(hours=24 * 5)
    await due(actions_reset.reset_due)
    one = Intruder(settings, await read_schema(), ())
    await one.connect()
    yield one
    await one.close()


async def test_an_entry_of_a_job_that_names_another_room_or_nothing_that_is_there_is_found(intruder):
    assert await broken(intruder.rows, verify_books.CHECKS) == []
    for kind in OF_JOBS:
        for attack in ATTACKS:
            async with intruder.attempt():
                await intruder.rows(f"UPDATE ledger_entry SET {attack} WHERE kind = '{kind}'")
                found = await broken(intruder.rows, verify_books.CHECKS)
            assert [one.where for one in found if one.invariant == 17 and kind in one.where], (kind, attack)


@pytest.mark.parametrize("key", ["", "lone:1", "surplus:none", "surplus:12345678901234567890"])
async def test_a_surplus_whose_key_names_no_entry_is_found(intruder, key):
    async with intruder.attempt():
        await intruder.rows(f"UPDATE ledger_entry SET posting_key = '{key}' WHERE kind = 'surplus'")
        found = await broken(intruder.rows, verify_books.CHECKS)
    assert [one.where for one in found if one.invariant == 17 and "surplus" in one.where]


async def overflowing(bank) -> int:
    """Base points of which some did not fit; returns their entry."""
    await bank.settle(base_points=5, base_every="once", balance_max=40, surplus="pot")
    await bank.award(await bank.member(), 38)
    await due(actions_kinds.give_base_due)
    ((entry_id,),) = await db.rows("SELECT id FROM ledger_entry WHERE kind = 'base'")
    return entry_id


async def of_vouchers() -> list[str]:
    return [one.where for one in await broken(db.rows, verify.CHECKS) if one.what.startswith("points went by no")]


async def test_a_surplus_comes_back_by_the_voucher_of_what_brought_it(bank):
    """15."""
    base = await overflowing(bank)
    clerk = await db.write(add_person, community_id=await db.write(found_community), number="900000001")

    await db.write(
        actions_vouchers.take_back, actor=db.Actor(clerk), community_id=bank.community_id, entry_id=base,
        way=What.REVERSAL, reason="not_so", note="",
    )  # fmt: skip

    assert len(await db.rows("SELECT id FROM ledger_entry WHERE kind = 'reversal'")) == 2
    assert await of_vouchers() == []


async def test_what_brought_a_surplus_and_was_taken_back_by_no_voucher_is_found_and_the_surplus_too(bank):
    """15."""
    await db.write(actions_reversal.reverse, entry_id=await overflowing(bank), reason="not_so")

    assert len(await of_vouchers()) == 2


async def test_a_gift_that_nobody_agreed_to_is_found(bank):
    await bank.gift(await bank.member(), 5, 50)
    assert [one.what for one in await broken(db.rows, verify_books.CHECKS)] == ["a gift went by no voucher"]


async def test_a_surplus_that_comes_back_alone_is_found(bank):
    """6. What is in the pot would come to whom it was too much for."""
    await overflowing(bank)
    ((surplus_id,),) = await db.rows("SELECT id FROM ledger_entry WHERE kind = 'surplus'")

    async def undo(tx: db.Tx) -> None:
        await actions_reversal._undo(tx, {"id": surplus_id}, "not_so")

    await db.write(undo)

    found = [one.what for one in await broken(db.rows, verify_books.CHECKS)]
    assert found == ["a surplus came back without what brought it"]


ENTRY = "community_id, kind, effective_at, booked_at, source_room, source_kind, source_id, summary, reason"
KEYS = {
    "a key was posted twice": (
        "ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_posting_key_key",
        f"INSERT INTO ledger_entry (posting_key, {ENTRY}) SELECT posting_key, {ENTRY} FROM ledger_entry",
    ),
    "an entry was taken back twice": (
        "DROP INDEX ledger_entry_reverses",
        (
            f"INSERT INTO ledger_entry (posting_key, reverses_id, {ENTRY}) SELECT 'again', reverses_id, {ENTRY}"
            " FROM ledger_entry WHERE reverses_id IS NOT NULL"
        ),
    ),
}


@pytest.mark.parametrize("what", KEYS)
async def test_what_a_key_keeps_from_happening_twice_is_found_where_the_key_was_dropped(intruder, engine, what):
    if engine == "sqlite" and KEYS[what][0].startswith("ALTER"):
        return  # there it goes with its table alone
    async with intruder.attempt():
        for statement in KEYS[what]:
            await intruder.rows(statement)
        found = await broken(intruder.rows, verify_books.CHECKS)
    assert what in {one.what for one in found}
