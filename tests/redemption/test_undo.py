"""Undo: who may, when, once; and everything is as if the order had never been."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries as ledger_queries
from pointsbank.redemption import actions
from pointsbank.redemption.rules import (
    AlreadyUndone,
    NotTheLastOrder,
    NotYourOrder,
    OverDailyLimit,
    OverMonthlyLimit,
    TooLateToUndo,
)
from pointsbank.trail import queries as trail


async def point_lots(shop, member):
    passbook = await shop.passbook(member.person_id)
    found = await db.rows("SELECT id, remaining FROM ledger_lot WHERE account_id = ? ORDER BY id", passbook.account_id)
    return [tuple(row) for row in found]


@pytest.mark.both
async def test_goods_points_and_limits_go_back_where_they_came_from(shop):
    member, salt = await shop.member(), await shop.good(points=5, in_stock=0, monthly_max=4)
    await shop.award(member.person_id, 12, date(2026, 12, 31))
    await shop.award(member.person_id, 30)
    await shop.receive(salt, 2, best_before=date(2027, 1, 1))
    await shop.receive(salt, 5)
    points_before, goods_before = await point_lots(shop, member), await shop.lots(salt)

    made = await shop.order((salt, 4), member=member)
    assert (await point_lots(shop, member), await shop.lots(salt)) != (points_before, goods_before)
    undone = await shop.undo(made.order_id)

    assert (undone.points, undone.balance) == (20, 42)
    assert await point_lots(shop, member) == points_before
    assert await shop.lots(salt) == goods_before
    assert await shop.balance(member) == 42
    assert [row["used"] for row in await db.rows("SELECT used FROM redemption_limit_use")] == [0, 0]
    assert [record.verb for record in await trail.history(("order", made.order_id))] == ["order.made", "order.undone"]
    await shop.order((salt, 4), member=member)


async def test_an_undone_order_frees_the_day_and_the_month(shop):
    member, tissue = await shop.member(500), await shop.good("抽纸", 50, monthly_max=4)
    made = await shop.order((tissue, 4), member=member)
    with pytest.raises(OverDailyLimit):
        await shop.order((tissue, 1), member=member)
    await shop.undo(made.order_id)
    await shop.order((tissue, 4), member=member)


async def test_the_limits_of_the_orders_own_day_and_month_are_given_back(shop, clock):
    member, tissue = await shop.member(500), await shop.good("抽纸", 50, monthly_max=4)
    clock.set(datetime(2026, 11, 30, 15, 55, tzinfo=UTC))
    made = await shop.order((tissue, 4), member=member)
    clock.set(datetime(2026, 11, 30, 16, 4, tzinfo=UTC))  # four past midnight in Shanghai, in another month
    await shop.undo(made.order_id)
    uses = await db.rows("SELECT period_start, used FROM redemption_limit_use ORDER BY period_start")
    assert [tuple(use) for use in uses] == [(date(2026, 11, 1), 0), (date(2026, 11, 30), 0)]
    await shop.order((tissue, 4), member=member)
    with pytest.raises(OverDailyLimit):
        await shop.order((tissue, 1), member=member)
    clock.advance(days=1)
    with pytest.raises(OverMonthlyLimit):
        await shop.order((tissue, 1), member=member)


async def test_a_colleague_cannot_undo(shop):
    made = await shop.order((await shop.good(), 1), member=await shop.member(30))
    with pytest.raises(NotYourOrder):
        await shop.undo(made.order_id, staff=shop.colleague)


async def test_an_order_of_another_community_does_not_exist(shop):
    made = await shop.order((await shop.good(), 1), member=await shop.member(30))
    with pytest.raises(NotFound):
        await shop.undo(made.order_id, community_ids=[shop.community_id + 1000])
    with pytest.raises(NotFound):
        await shop.undo(made.order_id + 1)


async def test_ten_minutes_and_no_more(shop, clock):
    member, salt = await shop.member(30), await shop.good()
    made = await shop.order((salt, 1), member=member)
    clock.advance(minutes=10)
    with pytest.raises(TooLateToUndo):
        await shop.undo(made.order_id)
    made = await shop.order((salt, 1), member=member)
    clock.advance(minutes=9, seconds=59)
    await shop.undo(made.order_id)


async def test_only_the_counters_last_order(shop):
    member, salt = await shop.member(30), await shop.good()
    first = await shop.order((salt, 1), member=member)
    elsewhere = await shop.order((salt, 1), member=member, counter_id=shop.other_counter_id)
    await shop.undo(first.order_id)
    second = await shop.order((salt, 1), member=member)
    third = await shop.order((salt, 1), member=member)
    with pytest.raises(NotTheLastOrder):
        await shop.undo(second.order_id)
    await shop.undo(third.order_id)
    with pytest.raises(NotTheLastOrder):
        await shop.undo(second.order_id)
    await shop.undo(elsewhere.order_id)


@pytest.mark.both
async def test_once_however_often_it_is_asked_at_once(shop):
    member, salt = await shop.member(30), await shop.good(in_stock=10)
    made = await shop.order((salt, 2), member=member)
    answers = await asyncio.gather(*(shop.undo(made.order_id) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, actions.Undone) for answer in answers) == 1
    assert sum(isinstance(answer, AlreadyUndone) for answer in answers) == 7
    assert await shop.stock(salt) == 10
    assert await shop.balance(member) == 30


async def test_the_passbook_shows_the_order_and_its_reversal(shop):
    member, salt = await shop.member(30), await shop.good(points=5)
    made = await shop.order((salt, 1), member=member)
    await shop.undo(made.order_id)
    passbook = await shop.passbook(member.person_id)
    lines = await ledger_queries.lines(passbook.account_id)
    assert [(line.kind, line.points, line.reason) for line in lines] == [
        ("reversal", 5, "wrong_goods"),
        ("order", -5, ""),
        ("award", 30, ""),
    ]
