"""Points when people move house: nothing is lost, nothing is there twice, and nothing is out of everybody's reach."""

import asyncio
from datetime import timedelta

import pytest

from pointsbank.governance import actions_people
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import (
    actions,
    actions_expiry,
    actions_flows,
    actions_gifts,
    actions_holds,
    actions_reversal,
    verify,
)
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.rules import BookClosed, NotEnoughPoints, PointsHeld
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line, NothingEarned, VisitOver
from tests.conftest import IN_POINTS
from tests.ledger.test_vouchers import admin, allow, book_of
from tests.world import World


@pytest.fixture
async def town(database, settings, clock):
    """Each household shares a passbook that may have at most fifty points."""
    world = await World(clock, settings).found(holder="household", count=1)
    await allow(world, balance_max=50)
    return world


async def move(town, *person_ids, door="901", share=0):
    return await db.write(
        actions_people.move, actor=await admin(town), community_id=town.home.id, person_ids=list(person_ids),
        building_id=town.home.building_id, door=door, reason="split", share=share,
    )  # fmt: skip


async def family(town, *names):
    home = await town.household()
    return home, [await town.person(name, household_id=home) for name in names]


async def all_points() -> tuple[int, int, int]:
    """Of passbooks, of lots, and all that was ever issued."""
    found = await db.row(
        "SELECT CAST(SUM(CASE WHEN passbook_id IS NULL THEN 0 ELSE balance END) AS BIGINT),"
        " (SELECT CAST(COALESCE(SUM(remaining), 0) AS BIGINT) FROM ledger_lot),"
        " CAST(-SUM(CASE WHEN system = 'issued' THEN balance ELSE 0 END) AS BIGINT) FROM ledger_account"
    )
    return tuple(found)


async def gift(town, person_id, points, days):
    return await db.write(
        actions_gifts.give_gift, community_id=town.home.id, match_percent=50,
        passbook_id=(await book_of(town, person_id)).passbook_id, points=points, posting_key=f"gift:{person_id}",
        expires_on=local_day(town.clock.now()) + timedelta(days=days), member_id=person_id, source=("tests", "gift", 1),
        summary="测试赠送",
    )  # fmt: skip


async def lots(book) -> list[tuple]:
    sql = "SELECT kind, expires_on, match_percent, remaining FROM ledger_lot WHERE account_id = ? AND remaining > 0"
    return [tuple(lot) for lot in await db.rows(f"{sql} ORDER BY expires_on, kind", book.account_id)]


@pytest.mark.both
async def test_two_households_become_one_with_every_lot_as_it_was_and_above_the_limit(town):
    _old, (one, other) = await family(town, "测试甲", "测试乙")
    host = await town.person("测试丙", points=45)
    await move(town, host, door="777")
    await town.give(one, 30)
    await gift(town, one, 8, days=3)
    book, before = await book_of(town, one), await lots(await book_of(town, one))
    sums = await all_points()
    town.clock.advance(days=5)  # the gift has expired, and nobody has swept yet

    await move(town, one, other, door="777")

    assert await all_points() == sums
    assert [await town.balance(who) for who in (one, other, host)] == [83, 83, 83]
    assert before[0] in await lots(await book_of(town, host))
    assert (await flows.book(None, book.passbook_id)).is_closed
    assert (await ledger.lines(book.account_id))[0].points == -38
    while await db.write(actions_expiry.expire_due):
        pass
    assert await town.balance(host) == 75


@pytest.mark.both
async def test_the_share_of_who_leaves_is_neither_lost_nor_there_twice(town):
    _home, (goes, stays) = await family(town, "测试甲", "测试乙")
    await town.give(goes, 30)
    sums = await all_points()
    with pytest.raises(NotEnoughPoints):
        await move(town, goes, share=31)
    assert (await town.balance(goes), await all_points()) == (30, sums)

    await move(town, goes, share=12)

    assert (await town.balance(stays), await town.balance(goes), await all_points()) == (18, 12, sums)
    [voucher] = await flows.vouchers(town.home.id)
    assert (voucher.what, voucher.points, voucher.reason, voucher.member_id) == ("joining", 12, "split", goes)


@pytest.mark.both
async def test_points_that_are_held_stay_where_they_are_and_are_named(town):
    person = await town.person(points=30)
    host = await town.person("测试丙")
    await move(town, host, door="777")
    book = await book_of(town, person)
    hold_id = await db.write(
        actions_holds.hold, account_id=book.account_id, points=8, hold_key="hold:1", overdue_at=town.clock.now(),
        member_id=person, source=("tests", "wish", 1),
    )  # fmt: skip

    with pytest.raises(PointsHeld) as refused:
        await move(town, person, door="777")
    assert refused.value.facts == {"held": 8, "which": str(hold_id), **IN_POINTS}
    await db.write(actions_holds.release, hold_key="hold:1")
    await move(town, person, door="777")
    assert await town.balance(host) == 30


async def test_a_closed_passbook_takes_nothing_and_gives_nothing(town):
    person = await town.person(points=30)
    host = await town.person("测试丙")
    await move(town, host, door="777")
    book = await book_of(town, person)
    award = (await ledger.lines(book.account_id))[0].entry_id
    await move(town, person, door="777")
    of_book = {"community_id": town.home.id, "passbook_id": book.passbook_id}
    of_account = {"account_id": book.account_id, "points": 1, "member_id": person, "source": ("tests", "t", 1)}
    tried = (
        (gift_to(book, town), BookClosed),
        (db.write(actions.spend, **of_account, community_id=town.home.id, outlet_id=town.home.outlet_id,
                  posting_key="late", summary=""), BookClosed),
        (db.write(actions_holds.hold, **of_account, hold_key="late", overdue_at=town.clock.now()), BookClosed),
        (db.write(actions_reversal.reverse, entry_id=award, reason="not_so"), BookClosed),
        (db.write(actions_reversal.clawback, entry_id=award, reason="not_so"), BookClosed),
        (db.write(vouchers.adjust, actor=await admin(town), **of_book, points=1, is_up=True,
                  expires_on=local_day(town.clock.now()), reason="missed", note=""), BookClosed),
        (db.write(actions_flows.close, passbook_id=book.passbook_id), BookClosed),
    )  # fmt: skip
    for attempt, refusal in tried:
        with pytest.raises(refusal):
            await attempt
    assert (await flows.book(None, book.passbook_id)).balance == 0


def gift_to(book, town):
    return db.write(
        actions_gifts.give_gift, community_id=town.home.id, passbook_id=book.passbook_id, points=1, match_percent=50,
        posting_key="late", expires_on=local_day(town.clock.now()), member_id=None, source=("tests", "t", 1),
        summary="",
    )  # fmt: skip


@pytest.mark.both
async def test_an_order_and_a_move_at_once_spend_each_point_once(town):
    host = await town.person("测试丙")
    await move(town, host, door="777")
    rice = await town.good(points=20, in_stock=9)
    clerk, _ = await town.staff(Role.COUNTER_STAFF)
    refused = 0
    for number in range(4):
        person = await town.person(f"测试{number}", points=20)
        order = db.write(
            redemption.order, actor=clerk, counter_id=town.home.counter_id, code=await town.card(person),
            lines=[Line(quantity=1, good=rice)], community_ids=(town.home.id,),
        )  # fmt: skip
        both = [order, move(town, person, door="777")]
        outcomes = await asyncio.gather(*(both if number % 2 else reversed(both)), return_exceptions=True)
        problems = [one for one in outcomes if isinstance(one, Exception)]
        assert all(isinstance(one, BookClosed | NotEnoughPoints | NothingEarned) for one in problems), problems
        refused += len(problems)
        assert await all_points() == (20 * refused, 20 * refused, 20 * (number + 1))
        assert await town.balance(host) == 20 * refused


@pytest.mark.both
async def test_whoever_moved_out_cannot_spend_from_the_old_passbook_in_a_visit_begun_before(town):
    _home, (goes, stays) = await family(town, "测试甲", "测试乙")
    await town.give(goes, 40)
    rice = await town.good(points=20, in_stock=9)
    clerk, _ = await town.staff(Role.COUNTER_STAFF)
    at_counter = {"actor": clerk, "counter_id": town.home.counter_id, "community_ids": (town.home.id,)}
    visits = [
        (await db.write(redemption.open_visit, code=await town.card(who), **at_counter)).visit_id
        for who in (goes, stays)
    ]

    await move(town, goes, share=12)

    bag = [Line(quantity=1, good=rice)]
    with pytest.raises(VisitOver):
        await db.write(redemption.order, visit=visits[0], lines=bag, **at_counter)
    await db.write(redemption.order, visit=visits[1], lines=bag, **at_counter)
    assert (await town.balance(goes), await town.balance(stays)) == (12, 8)


@pytest.mark.tampers
@pytest.mark.both
async def test_verify_finds_a_passbook_that_was_moved_after_it_was_closed(town):
    person, host = await town.person(points=30), await town.person("测试丙")
    await move(town, host, door="777")
    await move(town, person, door="777")
    assert (await verify.verify()).is_clean
    await db.write(close_a_day_earlier)
    assert 16 in {finding.invariant for finding in (await verify.verify()).findings}


async def close_a_day_earlier(tx):
    """What only somebody with the database in his hands would do."""
    await tx.run("UPDATE ledger_account SET closed_at = ? WHERE closed_at IS NOT NULL", tx.now - timedelta(days=1))
