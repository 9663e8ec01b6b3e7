"""The ledger's invariants (door plate), on a real database. The suite verifies the books after every test."""

import asyncio
from datetime import date, timedelta

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions, actions_expiry, queries, verify
from pointsbank.ledger.rules import NotEnoughPoints, UnknownAccount
from tests.conftest import IN_POINTS
from tests.ledger.conftest import found_community

pytestmark = pytest.mark.both


async def test_an_award_raises_the_balance_and_lowers_what_is_issued(bank):
    passbook = await bank.member()

    posted = await bank.award(passbook, 16)

    assert posted.balance == 16
    assert await queries.system_balances(bank.community_id) == {"issued": -16}


async def test_spending_takes_what_expires_soonest(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    await bank.award(passbook, 10, expires_on=date(2026, 12, 31))

    await bank.spend(passbook, 12)

    assert await bank.lots(passbook) == [0, 8]


async def test_points_with_one_last_day_lie_in_one_lot(bank):
    passbook = await bank.member()
    for day in (date(2026, 12, 31), date(2027, 12, 31), date(2026, 12, 31)):
        await bank.award(passbook, 10, expires_on=day)

    assert await bank.lots(passbook) == [20, 10]


async def test_a_lot_lives_through_its_last_day_and_no_longer(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10, expires_on=date(2026, 11, 21))

    bank.clock.moment = bank.clock.moment.replace(hour=15, minute=59)  # 23:59 in Shanghai
    await bank.spend(passbook, 4)
    bank.clock.moment += timedelta(minutes=1)

    with pytest.raises(NotEnoughPoints):
        await bank.spend(passbook, 1)


async def test_points_that_expired_leave_the_passbook_once(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10, expires_on=date(2026, 11, 21))
    bank.clock.advance(days=1)

    swept = [await db.write(actions_expiry.expire_due) for _ in range(2)]

    assert swept == [1, 0]
    assert await bank.balance(passbook) == 0
    assert await queries.system_balances(bank.community_id) == {"issued": -10, "expired": 10}


async def test_what_comes_into_a_lot_after_its_last_day_lapses_the_same_day_too(bank):
    book, yesterday = await bank.member(), local_day(bank.clock.now()) - timedelta(days=1)
    for _ in range(2):
        await bank.award(book, 5, yesterday)
        while await db.write(actions_expiry.expire_due):
            pass
        bank.clock.advance(minutes=1)

    assert await bank.balance(book) == 0


async def test_nobody_spends_more_than_there_is(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)

    with pytest.raises(NotEnoughPoints) as refused:
        await bank.spend(passbook, 24)

    assert refused.value.facts == {"missing": 14, **IN_POINTS}
    assert await bank.balance(passbook) == 10


async def test_a_passbook_of_another_community_is_unknown(bank):
    """The ledger sees to it itself, whoever asks: its points would leave one community's books for another's."""
    passbook, foreign = await bank.member(), await db.write(found_community)
    await bank.award(passbook, 10)
    home, bank.community_id = bank.community_id, foreign

    for asked in (bank.award, bank.spend):
        with pytest.raises(UnknownAccount):
            await asked(passbook, 4)

    assert await bank.balance(passbook) == 10
    assert await queries.system_balances(home) == {"issued": -10}


async def test_forty_spenders_share_what_is_there(bank):
    passbook = await bank.member()
    await bank.award(passbook, 100)

    outcomes = await asyncio.gather(*(bank.spend(passbook, 7) for _ in range(40)), return_exceptions=True)

    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 14
    assert await bank.balance(passbook) == 2


async def test_a_posting_key_is_posted_once(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    bank.posted -= 1

    with pytest.raises(IntegrityError):
        await bank.award(passbook, 10)

    assert await bank.balance(passbook) == 10


async def test_a_holder_has_one_passbook(bank):
    passbook = await bank.member()

    again = await db.write(actions.open_passbook, community_id=bank.community_id, person_id=bank.members[passbook])

    assert again == passbook


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_move", "ledger_lot_use"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {column} = {column}", "DELETE FROM {}"])
async def test_the_books_refuse_to_be_changed(bank, table, statement):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    await bank.spend(passbook, 4)

    async def tamper(tx):
        await tx.run(statement.format(table, column="kind" if table == "ledger_entry" else "points"))

    with pytest.raises((IntegrityError, OperationalError), match="append_only"):
        await db.write(tamper)


async def test_a_passbook_shows_its_lines_newest_first(bank):
    passbook = await bank.member()
    for _ in range(3):
        await bank.award(passbook, 10)
    await bank.spend(passbook, 5)
    account = (await bank.passbook(passbook)).account_id

    newest = await queries.lines(account, limit=2)
    older = await queries.lines(account, before=newest[-1].move_id, limit=20)

    assert [(line.points, line.balance_after) for line in newest + older] == [(-5, 25), (10, 30), (10, 20), (10, 10)]


TAMPERINGS = {
    "a balance": "UPDATE ledger_account SET balance = balance + 1 WHERE passbook_id IS NOT NULL",
    "a lot": "UPDATE ledger_lot SET remaining = remaining - 1 WHERE remaining > 0",
    "a trigger": "DROP TRIGGER ledger_move_append_only_update{on_table}",
}


@pytest.mark.tampers
@pytest.mark.parametrize("what", TAMPERINGS)
async def test_verify_finds_what_was_tampered_with(bank, engine, what):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    assert (await verify.verify()).is_clean

    async def tamper(tx):
        await tx.rows(TAMPERINGS[what].format(on_table=" ON ledger_move" if engine == "postgres" else ""))

    await db.write(tamper)

    report = await verify.verify()
    assert not report.is_clean
