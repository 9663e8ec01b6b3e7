"""Several connections at once: what clears and expires waits for whoever is at a passbook, and goes on (5)."""

import asyncio
from datetime import date, datetime

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_expiry, actions_reset, actions_reversal, queries
from tests.locks import taken, waits

pytestmark = pytest.mark.postgres


async def test_a_reset_clears_what_an_order_has_left(bank, settings):
    book = await bank.member()
    await bank.settle(reset_month=11, reset_day=21)
    await bank.award(book, 10, expires_on=date(2026, 12, 31))
    await bank.award(book, 10)
    await bank.spend(book, 1)
    bank.clock.advance(days=1)

    async with taken(settings, "ledger_account", "redeemed:1", "system"):
        order = asyncio.ensure_future(bank.spend(book, 4))
        await waits(order)
        reset = asyncio.ensure_future(db.write(actions_reset.reset_due))
        await waits(reset)
    await asyncio.gather(order, reset)

    assert await bank.balance(book) == 0
    assert await queries.system_balances(bank.community_id) == {"issued": -20, "redeemed:1": 5, "expired": 15}


async def test_what_is_being_taken_back_does_not_expire_as_well_nor_hold_up_the_rest(bank, settings):
    books = [await bank.member() for _ in range(3)]
    awards = [await bank.award(book, 10, expires_on=date(2026, 11, 22)) for book in books]
    bank.clock.set(datetime.fromisoformat("2026-11-23T04:00+00:00"))

    async with taken(settings, "ledger_account", "issued", "system"):
        wrong = asyncio.ensure_future(db.write(actions_reversal.reverse, entry_id=awards[0].entry_id, reason="twice"))
        await waits(wrong)
        expiry = asyncio.ensure_future(db.write(actions_expiry.expire_due))
        await waits(expiry)
    await asyncio.gather(wrong, expiry)

    assert await queries.system_balances(bank.community_id) == {"issued": -20, "expired": 20}
