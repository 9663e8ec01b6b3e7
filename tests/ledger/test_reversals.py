"""Entries are taken back once: mirrored whole, or clawed back as far as points are there."""

import asyncio
from datetime import date

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_expiry, actions_reversal, queries, verify
from pointsbank.ledger.rules import AlreadyReversed, AlreadySpent, NothingToTake, NotReversible
from tests.conftest import IN_POINTS

pytestmark = pytest.mark.both

TODAY = date(2026, 11, 21)
SOON = date(2026, 11, 22)
LATER = date(2026, 12, 31)


async def reverse(entry_id: int):
    return await db.write(actions_reversal.reverse, entry_id=entry_id, reason="not_there")


async def clawback(entry_id: int):
    return await db.write(actions_reversal.clawback, entry_id=entry_id, reason="not_there")


async def live_lots(bank, passbook) -> list[tuple[date, int]]:
    account = (await bank.passbook(passbook)).account_id
    sql = "SELECT expires_on, remaining FROM ledger_lot WHERE account_id = ? AND remaining > 0 ORDER BY expires_on"
    return [(day, left) for day, left in await db.rows(sql, account)]


async def test_undoing_an_order_gives_back_the_same_lots(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10, expires_on=date(2026, 12, 31))
    await bank.award(passbook, 10)
    order = await bank.spend(passbook, 15)

    undone = await db.write(actions_reversal.reverse, entry_id=order.entry_id, reason="wrong_goods")

    assert undone.balance == 20
    assert await bank.lots(passbook) == [10, 10]


async def test_an_entry_is_reversed_once(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 10)
    await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    with pytest.raises(AlreadyReversed):
        await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    assert await bank.balance(passbook) == 0


async def test_ten_reversals_at_once_post_one(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    order = await bank.spend(passbook, 6)

    outcomes = await asyncio.gather(
        *(db.write(actions_reversal.reverse, entry_id=order.entry_id, reason="wrong_goods") for _ in range(10)),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(AlreadyReversed) == 9
    assert await bank.balance(passbook) == 10


async def test_an_award_that_is_not_covered_any_more_is_not_taken_back(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 10)
    await bank.spend(passbook, 3)

    with pytest.raises(AlreadySpent) as refused:
        await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    assert refused.value.facts == {"missing": 3, **IN_POINTS}
    assert await bank.balance(passbook) == 7


async def test_an_award_is_taken_back_from_its_own_lot_and_then_from_the_others(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 10, expires_on=date(2026, 12, 31))
    await bank.spend(passbook, 4)
    await bank.award(passbook, 50, expires_on=date(2026, 11, 30))

    await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    assert await bank.lots(passbook) == [46, 0]


async def test_a_reversal_is_not_reversed(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 10)
    reversal = await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    with pytest.raises(NotReversible):
        await db.write(actions_reversal.reverse, entry_id=reversal.entry_id, reason="again")


async def test_what_expired_meanwhile_comes_back_for_thirty_days(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10, expires_on=TODAY)
    await bank.award(passbook, 10, expires_on=SOON)
    await bank.award(passbook, 10, expires_on=LATER)
    order = await bank.spend(passbook, 24)
    bank.clock.advance(days=3)
    await db.write(actions_expiry.expire_due)

    await reverse(order.entry_id)

    assert await live_lots(bank, passbook) == [(date(2026, 12, 24), 20), (LATER, 10)]


async def test_a_lot_lives_through_its_last_day_when_it_comes_back_too(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10, expires_on=SOON)
    order = await bank.spend(passbook, 10)
    bank.clock.advance(days=1)

    await reverse(order.entry_id)

    assert await live_lots(bank, passbook) == [(SOON, 10)]


async def test_points_that_lapsed_cover_no_reversal(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 10, expires_on=TODAY)
    bank.clock.advance(days=1)
    await db.write(actions_expiry.expire_due)

    with pytest.raises(AlreadySpent):
        await reverse(award.entry_id)


async def test_a_clawback_takes_what_is_there_and_notes_the_rest(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 30, expires_on=LATER)
    await bank.spend(passbook, 22)

    clawed = await clawback(award.entry_id)

    assert (clawed.points, clawed.shortfall, clawed.balance) == (8, 22, 0)
    assert await queries.system_balances(bank.community_id) == {"issued": -30, "redeemed:1": 22, "clawed_back": 8}
    found = await db.row("SELECT shortfall FROM ledger_entry WHERE id = ?", clawed.entry_id)
    assert found["shortfall"] == 22
    await bank.award(passbook, 5)
    assert await bank.balance(passbook) == 5


async def test_a_clawback_of_what_is_all_there_has_no_shortfall(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 30, expires_on=LATER)
    await bank.award(passbook, 5)

    clawed = await clawback(award.entry_id)

    assert (clawed.points, clawed.shortfall, clawed.balance) == (30, 0, 5)
    assert await live_lots(bank, passbook) == [(date(9999, 12, 31), 5)]


async def test_where_nothing_is_left_nothing_is_clawed_back(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 30)
    await bank.spend(passbook, 30)

    with pytest.raises(NothingToTake):
        await clawback(award.entry_id)

    await bank.award(passbook, 5)
    assert (await clawback(award.entry_id)).shortfall == 25


async def test_an_entry_is_reversed_or_clawed_back(bank):
    passbook = await bank.member()
    first, second = await bank.award(passbook, 10), await bank.award(passbook, 10)
    await reverse(first.entry_id)
    await clawback(second.entry_id)

    with pytest.raises(AlreadyReversed):
        await reverse(second.entry_id)
    await bank.award(passbook, 10)
    with pytest.raises(AlreadyReversed):
        await clawback(first.entry_id)


async def test_only_what_brought_points_is_clawed_back(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    order = await bank.spend(passbook, 5)

    with pytest.raises(NotReversible):
        await clawback(order.entry_id)


@pytest.mark.parametrize("ways", [2, 8])
async def test_of_reversals_and_clawbacks_at_once_one_is_posted(bank, ways):
    passbook = await bank.member()
    award = await bank.award(passbook, 10)
    await bank.award(passbook, 100)

    outcomes = await asyncio.gather(
        *((reverse if number % 2 else clawback)(award.entry_id) for number in range(ways)), return_exceptions=True
    )  # fmt: skip

    assert [type(outcome) for outcome in outcomes].count(AlreadyReversed) == ways - 1
    assert await bank.balance(passbook) == 100


FORGERIES = {
    "a shortfall that is none": "UPDATE ledger_entry SET shortfall = shortfall + 1 WHERE kind = 'clawback'",
    "a shortfall of an award": "UPDATE ledger_entry SET shortfall = 1 WHERE kind = 'award'",
    "a mirror that is bent": "UPDATE ledger_move SET points = points + 1 WHERE entry_id = "
    "(SELECT id FROM ledger_entry WHERE kind = 'reversal')",
}


@pytest.mark.tampers
@pytest.mark.parametrize("what", FORGERIES)
async def test_verify_finds_what_was_not_taken_back_as_it_says(bank, engine, what):
    passbook = await bank.member()
    first, second = await bank.award(passbook, 10), await bank.award(passbook, 10)
    await bank.spend(passbook, 4)
    await reverse(first.entry_id)
    await clawback(second.entry_id)

    async def forge(tx):
        for table in ("ledger_entry", "ledger_move"):
            on_table = f" ON {table}" if engine == "postgres" else ""
            await tx.rows(f"DROP TRIGGER {table}_append_only_update{on_table}")
        await tx.run(FORGERIES[what])

    await db.write(forge)

    assert 6 in {finding.invariant for finding in (await verify.verify()).findings}
