"""Months are closed: frozen balances, no entry into them any more, and balances as they once were."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotWritten
from pointsbank.ledger import (
    actions_flows,
    actions_kinds,
    actions_opening,
    actions_periods,
    actions_reversal,
    actions_vouchers,
    queries_periods,
    rules,
    verify,
)
from pointsbank.ledger.rules_flows import What
from pointsbank.ledger.rules_opening import NewLine
from pointsbank.ledger.rules_periods import AlreadyClosed, DayClosed, EarlierMonthOpen, MonthClosed, MonthNotOver
from pointsbank.ledger.sealing import Sealer
from tests.world import COINS

pytestmark = pytest.mark.both

NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
AFTER_NOVEMBER = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # midnight in Shanghai


async def shut(bank, month: date = NOVEMBER) -> int:
    return await db.write(actions_periods.close, community_id=bank.community_id, month=month)


async def close(bank, month: date = NOVEMBER) -> int:
    period_id = await shut(bank, month)
    while await db.write(actions_periods.count, period_id=period_id):
        pass
    return period_id


async def is_clean() -> bool:
    await Sealer().run()
    return (await verify.verify()).is_clean


async def closings(period_id: int) -> list[tuple[int, int, int]]:
    found = await db.rows(
        "SELECT points_in, points_out, balance FROM ledger_closing WHERE period_id = ? ORDER BY account_id", period_id
    )
    return [tuple(one) for one in found]


async def left_over(bank, period_id: int) -> list[tuple[str, int]]:
    told = (await queries_periods.outstanding(bank.community_id)).get(period_id, [])
    return [(one.book_kind, one.points) for one in told]


async def test_a_month_that_is_over_is_closed_with_its_balances(bank):
    book = await bank.member()
    await bank.award(book, 20)
    bank.clock.advance(days=3)
    await bank.spend(book, 5)
    with pytest.raises(MonthNotOver):
        await shut(bank)
    bank.clock.set(AFTER_NOVEMBER)
    await bank.award(book, 7)  # of December
    november = await close(bank)

    assert sorted(await closings(november)) == [(0, 20, -20), (5, 0, 5), (20, 5, 15)]
    period = await queries_periods.period_of([bank.community_id], bank.community_id, NOVEMBER)
    assert (period.state, period.closed_at) == ("closed", AFTER_NOVEMBER)
    assert await left_over(bank, november) == [("points", 15)]
    bank.clock.advance(days=31)
    december = await close(bank, DECEMBER)
    assert sorted(await closings(december)) == [(0, 7, -27), (7, 0, 22)]
    assert await is_clean()


async def test_each_kind_and_its_pot_are_told_by_themselves_month_after_month(bank):
    await bank.award(await bank.member(), 20)
    await db.write(actions_kinds.make_kind, community_id=bank.community_id, code="coins", settings=COINS)
    person_id = next(iter(bank.members.values()))
    coins = await db.write(actions_vouchers.open_book_of, person_id=person_id, kind="coins")
    bank.members[coins] = person_id
    await bank.award(coins, 15)
    await db.write(into_the_pot, points=15)
    bank.clock.set(AFTER_NOVEMBER)
    await bank.award(coins, 5)
    november = await close(bank)
    bank.clock.advance(days=31)
    december = await close(bank, DECEMBER)
    assert await left_over(bank, november) == [("points", 20), ("coins", 15)]
    assert await left_over(bank, december) == [("points", 20), ("coins", 20)]
    assert await is_clean()


async def into_the_pot(tx, *, points: int) -> None:
    """All coins of the only passbook of coins go to their pot."""
    book = await tx.row(
        "SELECT book.id, book.person_id, book.community_id FROM ledger_passbook book"
        " JOIN ledger_book_kind kind ON kind.id = book.kind_id AND kind.code = 'coins'"
    )
    voucher = await actions_vouchers.draw(
        tx, community_id=book["community_id"], what=What.ESTATE, from_id=book["id"], points=points,
        member_id=book["person_id"], reason="left",
    )  # fmt: skip
    await actions_flows.book(tx, voucher=voucher)


async def test_months_are_closed_one_after_the_other_and_once(bank):
    with pytest.raises(MonthNotOver):
        await shut(bank)  # nothing was ever booked
    await bank.award(await bank.member(), 20)
    bank.clock.advance(days=60)
    with pytest.raises(EarlierMonthOpen):
        await shut(bank, DECEMBER)
    await shut(bank)
    with pytest.raises(EarlierMonthOpen):
        await shut(bank, DECEMBER)  # it is shut and not counted yet
    await db.write(actions_periods.count, period_id=1)
    while await db.write(actions_periods.count, period_id=1):
        pass
    with pytest.raises(AlreadyClosed):
        await shut(bank)
    await close(bank, DECEMBER)


async def test_a_closed_month_takes_no_entry_even_when_the_clock_steps_back(bank):
    book = await bank.member()
    posted = await bank.award(book, 20)
    now = bank.clock.now()
    bank.clock.set(AFTER_NOVEMBER)
    await shut(bank)
    bank.clock.set(now)
    before = await db.rows("SELECT * FROM ledger_entry")
    for attempt in (bank.award(book, 5), bank.spend(book, 5)):
        with pytest.raises(MonthClosed):
            await attempt
    with pytest.raises(MonthClosed):
        await db.write(actions_reversal.reverse, entry_id=posted.entry_id, reason="twice")
    assert await db.rows("SELECT * FROM ledger_entry") == before
    assert await bank.balance(book) == 20

    bank.clock.set(AFTER_NOVEMBER)
    await db.write(actions_reversal.reverse, entry_id=posted.entry_id, reason="twice")  # into the open month
    assert await bank.balance(book) == 0


async def test_a_day_typed_by_hand_that_lies_in_a_closed_month_is_refused(bank):
    book = await bank.member()
    await bank.award(book, 20)
    bank.clock.set(AFTER_NOVEMBER)
    await close(bank)
    line = NewLine(bank.members[book], None, 5, "")
    facts = {"community_id": bank.community_id, "expires_on": rules.NEVER, "lines": [line]}
    with pytest.raises(DayClosed):
        await db.write(actions_opening.make_list, day=date(2026, 11, 30), **facts)


async def test_a_count_that_was_cut_off_goes_on_where_it_stood(bank):
    book = await bank.member()
    for _day in range(5):
        await bank.award(book, 2)
        bank.clock.advance(days=1)
    bank.clock.set(AFTER_NOVEMBER)
    period_id = await shut(bank)
    for _day in range(23):
        assert await db.write(actions_periods.count, period_id=period_id) == 1
    assert await is_clean()
    await asyncio.gather(*(db.write(actions_periods.count, period_id=period_id) for _ in range(8)))
    while await db.write(actions_periods.count, period_id=period_id):
        pass
    assert await closings(period_id) == [(10, 0, 10), (0, 10, -10)]


@pytest.mark.parametrize("ways", [2, 8])
async def test_whoever_posts_while_a_month_is_closed_is_in_it_or_refused(bank, ways):
    book = await bank.member()
    await bank.award(book, 1)
    bank.clock.set(AFTER_NOVEMBER - timedelta(microseconds=1))
    posting = [asyncio.ensure_future(bank.award(book, 1)) for _ in range(ways)]
    await asyncio.sleep(0)
    bank.clock.set(AFTER_NOVEMBER)
    closing = asyncio.ensure_future(close(bank))
    answers = await asyncio.gather(*posting, closing, return_exceptions=True)

    assert not [one for one in answers if isinstance(one, Exception) and not isinstance(one, MonthClosed | NotWritten)]
    assert await is_clean()


async def test_a_balance_of_any_moment_is_told_by_booking_and_by_what_was_done(bank):
    book = await bank.member()
    account_id = (await bank.passbook(book)).account_id
    start = bank.clock.now()
    await bank.award(book, 20)
    bank.clock.advance(days=2)
    middle = bank.clock.now()
    posted = await bank.award(book, 7)
    bank.clock.advance(days=2)
    await db.write(actions_reversal.reverse, entry_id=posted.entry_id, reason="twice")
    bank.clock.advance(days=2)

    told = [await queries_periods.balance_at(account_id, moment) for moment in (start, middle)]
    later = await queries_periods.balance_at(account_id, middle + timedelta(days=1))
    now = await queries_periods.balance_at(account_id, bank.clock.now())
    assert [(one.booked, one.effective) for one in (*told, later, now)] == [(0, 0), (20, 20), (27, 20), (20, 20)]


SEEDED = {
    "UPDATE ledger_closing SET balance = balance + 1 WHERE points_out = 20": 2,
    "DELETE FROM ledger_closing WHERE points_out = 20": 2,
    "UPDATE ledger_outstanding SET points = points + 1": 1,
    "DELETE FROM ledger_outstanding": 1,
    "UPDATE ledger_period SET upto = starts_at": 2,
}


@pytest.mark.tampers
@pytest.mark.parametrize("fault", SEEDED)
async def test_verify_finds_a_closed_month_that_says_something_else(bank, fault):
    await bank.award(await bank.member(), 20)
    bank.clock.set(AFTER_NOVEMBER)
    await close(bank)

    async def tamper(tx) -> None:
        kept = [
            (table, rule) for table in ("ledger_closing", "ledger_period") for rule in ("kept_delete", "final_update")
        ]
        told = [("ledger_outstanding", f"append_only_{verb}") for verb in ("update", "delete")]
        for table, rule in (*kept, *told):
            await tx.rows(f"DROP TRIGGER {table}_{rule}" + ("" if db.current().is_sqlite else f" ON {table}"))
        await tx.run(fault)

    await db.write(tamper)
    assert [one for one in (await verify.verify()).findings if one.invariant == 14]
