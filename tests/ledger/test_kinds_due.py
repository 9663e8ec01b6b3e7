"""Base points come once in each period, and all is cleared on a reset day; both go on where they were cut off."""

import asyncio
from datetime import UTC, date, datetime

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions_expiry, actions_kinds, actions_reset, actions_reversal, queries, queries_kinds
from pointsbank.ledger.rules_kinds import ResetUnderWay
from tests.ledger.conftest import PLAIN

pytestmark = pytest.mark.both


async def until_done(action) -> int:
    slices = 0
    while await db.write(action):
        slices += 1
    return slices


async def give_base() -> int:
    return await until_done(actions_kinds.give_base_due)


def at(bank, *when: int) -> None:
    bank.clock.set(datetime(*when, tzinfo=UTC))


async def test_base_points_come_once_to_everybody_also_without_a_passbook(bank, monkeypatch):
    monkeypatch.setattr(actions_kinds, "MEMBERS_AT_ONCE", 2)
    books = [await bank.member() for _ in range(5)]
    await bank.settle(base_points=100, base_every="once")

    slices = await give_base()
    bank.clock.advance(days=400)
    newcomer = await bank.member()
    await give_base()

    assert slices == 3
    assert [await bank.balance(book) for book in (*books, newcomer)] == [100] * 6


@pytest.mark.parametrize(("every", "next_period"), [("month", (2026, 12, 1, 4)), ("year", (2027, 1, 1, 4))])
async def test_base_points_come_anew_and_the_old_ones_lapse(bank, every, next_period):
    book = await bank.member()
    await bank.settle(base_points=100, base_every=every, base_redeemable=True)
    await give_base()
    await bank.spend(book, 30)

    at(bank, *next_period)
    await give_base()
    await until_done(actions_expiry.expire_due)

    assert await bank.balance(book) == 100
    assert await queries.system_balances(bank.community_id) == {"issued": -200, "redeemed:1": 30, "expired": 70}


async def test_base_points_are_given_once_whoever_comes_at_once(bank):
    book = await bank.member()
    await bank.settle(base_points=100, base_every="month")

    await asyncio.gather(*(db.write(actions_kinds.give_base_due) for _ in range(8)))
    bank.clock.advance(days=1)
    await give_base()

    assert await bank.balance(book) == 100


@pytest.mark.tampers
async def test_a_passbook_that_is_closed_keeps_base_points_from_nobody_else(bank):
    gone, other = await bank.member(), await bank.member()
    await bank.settle(base_points=100, base_every="once")

    async def close(tx: db.Tx) -> None:
        """Behind the program's back: each way to it that was found is closed."""
        assert await tx.run("UPDATE ledger_account SET closed_at = ? WHERE passbook_id = ?", tx.now, gone) == 1

    await db.write(close)
    await give_base()

    assert [await bank.balance(one) for one in (gone, other)] == [0, 100]


async def test_base_points_above_the_limit_are_not_kept(bank):
    book = await bank.member()
    await bank.award(book, 60)
    await bank.settle(base_points=50, base_every="month", balance_max=100)

    await give_base()

    assert await bank.balance(book) == 100


async def test_a_passbook_that_holds_more_than_one_entry_may_move_is_cleared_too(bank):
    passbook = await bank.member()
    await bank.settle(reset_month=11, reset_day=21)
    for points in (1_000_000, 1_000_000, 7):
        await bank.award(passbook, points)
    bank.clock.advance(days=1)

    await until_done(actions_reset.reset_due)

    assert await bank.balance(passbook) == 0
    assert (await queries.system_balances(bank.community_id))["expired"] == 2_000_007


async def test_on_its_reset_day_a_passbook_lives_and_is_empty_on_the_next(bank, monkeypatch):
    monkeypatch.setattr(actions_reset, "BOOKS_AT_ONCE", 2)
    books = [await bank.member() for _ in range(5)]
    await bank.settle(reset_month=12, reset_day=31)
    for book in books:
        await bank.award(book, 10)

    at(bank, 2026, 12, 31, 4)
    assert await until_done(actions_reset.reset_due) == 0
    at(bank, 2026, 12, 31, 16)  # midnight in Shanghai
    assert await db.write(actions_reset.reset_due) == 2
    await bank.award(books[4], 7)
    slices = await until_done(actions_reset.reset_due)

    assert slices == 2
    assert [await bank.balance(book) for book in books] == [0] * 4 + [7]
    await bank.award(books[0], 7)
    assert await until_done(actions_reset.reset_due) == 0
    assert await bank.balance(books[0]) == 7


async def test_passbooks_are_cleared_once_whoever_comes_at_once(bank):
    book = await bank.member()
    await bank.settle(reset_month=11, reset_day=30)
    await bank.award(book, 10)
    bank.clock.advance(days=10)

    await asyncio.gather(*(db.write(actions_reset.reset_due) for _ in range(8)))

    assert await queries.system_balances(bank.community_id) == {"issued": -10, "expired": 10}


async def test_what_comes_between_midnight_and_the_job_is_of_the_new_year(bank):
    book, giver = await bank.member(), await bank.member()
    await bank.settle(reset_month=12, reset_day=31)
    await bank.award(book, 10)
    await bank.award(giver, 10)
    at(bank, 2026, 12, 31, 16)
    await bank.award(book, 7)
    await bank.spend(book, 4)

    await until_done(actions_reset.reset_due)

    assert [await bank.balance(one) for one in (book, giver)] == [7, 0]
    assert (await queries.system_balances(bank.community_id))["expired"] == 16


async def test_whoever_changes_a_kind_waits_until_its_passbooks_are_cleared(bank, monkeypatch):
    monkeypatch.setattr(actions_reset, "BOOKS_AT_ONCE", 2)
    books = [await bank.member() for _ in range(3)]
    await bank.settle(reset_month=12, reset_day=31)
    for book in books:
        await bank.award(book, 10)
    at(bank, 2026, 12, 31, 16)

    for cleared in (0, 2):
        with pytest.raises(ResetUnderWay):
            await bank.settle(reset_month=12, reset_day=31, carry_over=True)
        assert [await bank.balance(book) for book in books].count(0) == cleared
        await db.write(actions_reset.reset_due)
    await bank.settle()

    assert [await bank.balance(book) for book in books] == [0] * 3


async def test_what_was_spent_before_a_reset_comes_back_after_it_for_thirty_days(bank):
    book = await bank.member()
    await bank.settle(reset_month=12, reset_day=31)
    await bank.award(book, 10)
    at(bank, 2026, 12, 31, 15, 55)
    order = await bank.spend(book, 4)
    at(bank, 2026, 12, 31, 16, 2)
    await until_done(actions_reset.reset_due)

    await db.write(actions_reversal.reverse, entry_id=order.entry_id, reason="changed_mind")

    account = (await bank.passbook(book)).account_id
    lots = await db.rows("SELECT expires_on, remaining FROM ledger_lot WHERE account_id = ? AND remaining > 0", account)
    assert [tuple(lot) for lot in lots] == [(date(2027, 1, 31), 4)]


async def test_a_reset_day_that_was_over_before_it_was_settled_clears_nothing(bank):
    book = await bank.member()
    await bank.award(book, 10)

    await bank.settle(reset_month=1, reset_day=1)
    await until_done(actions_reset.reset_due)

    assert await bank.balance(book) == 10


async def test_what_is_carried_over_is_not_cleared(bank):
    book = await bank.member()
    await bank.award(book, 10)
    await bank.settle(reset_month=12, reset_day=31, carry_over=True)
    at(bank, 2027, 1, 1, 4)

    await until_done(actions_reset.reset_due)

    assert await bank.balance(book) == 10


async def test_last_day_of_february_clears_in_a_common_year_too(bank):
    book = await bank.member()
    await bank.settle(reset_month=2, reset_day=29)
    await bank.award(book, 10, expires_on=date(2028, 1, 1))
    at(bank, 2027, 3, 1, 4)

    await until_done(actions_reset.reset_due)

    assert await bank.balance(book) == 0


async def test_where_households_hold_whoever_has_none_has_base_points_alone(world):
    shared = msgspec.structs.replace(PLAIN, name="家庭分", holder="household", base_points=20, base_every="once")
    await db.write(actions_kinds.make_kind, community_id=world.home.id, code="homes", settings=shared)
    home = await world.household()
    mates = [await world.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    alone = await world.person("测试丙")
    await db.write(without_household, person_id=alone)

    await give_base()
    await give_base()

    sql = """
SELECT book.person_id, book.household_id, account.balance FROM ledger_passbook book
  JOIN ledger_account account ON account.passbook_id = book.id JOIN ledger_book_kind kind ON kind.id = book.kind_id
 WHERE kind.code = 'homes' ORDER BY book.id
"""
    assert [tuple(book) for book in await db.rows(sql)] == [(None, home, 20), (alone, None, 20)]
    assert mates


async def without_household(tx, *, person_id):
    await tx.run("UPDATE people_person SET household_id = NULL WHERE id = ?", person_id)


async def test_what_a_reset_day_clears_is_told_in_time_and_previewed(bank):
    book, other = await bank.member(), await bank.member()
    account_id = (await bank.passbook(book)).account_id
    await bank.settle(reset_month=12, reset_day=31, notice_days=30)
    await bank.award(book, 10)
    await bank.award(book, 4, expires_on=date(2026, 12, 25))
    await bank.award(book, 5, expires_on=date(2027, 1, 25))
    await bank.award(other, 1)

    async def soon() -> list[tuple[date, int]]:
        today = local_day(bank.clock.now())
        return [(one.expires_on, one.points) for one in await queries.lapsing_soon(account_id, today=today)]

    assert await soon() == []
    at(bank, 2026, 12, 1, 4)
    last, before = date(2026, 12, 31), date(2026, 12, 25)
    assert await soon() == [(before, 4), (last, 15)]
    found = await queries_kinds.lapsing(bank.community_id, today=date(2026, 12, 1), until=date(2027, 12, 1))
    assert [(one.day, one.books, one.points) for one in found] == [(before, 1, 4), (last, 2, 16)]

    at(bank, 2026, 12, 31, 4)
    assert await soon() == [(last, 15)]
    await bank.settle(reset_month=12, reset_day=31, carry_over=True)
    assert [day for day, _ in await soon()] == [date(2027, 1, 25)]
