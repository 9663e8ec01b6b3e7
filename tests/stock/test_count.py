"""Counts, losses and photos."""

import asyncio
from datetime import date

import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.stock import actions, actions_count, queries, queries_count
from pointsbank.stock.rules import (
    CountClosed,
    Counted,
    CountOpen,
    CountStale,
    Explained,
    GoodEnded,
    LotShort,
    NothingCounted,
    NothingToCount,
    OutOfStock,
    ReasonMissing,
    Wanted,
)
from pointsbank.trail import queries as trail


async def open_count(shelf, *goods):
    return await db.write(
        actions_count.open_count, community_id=shelf.community_id, outlet_id=shelf.outlet_id, good_ids=list(goods)
    )


async def counted(count_id, numbers):
    await db.write(actions_count.write_counted, count_id=count_id, counted=[Counted(*one) for one in numbers.items()])


async def close(count_id, reasons=None):
    await db.write(
        actions_count.close_count, count_id=count_id, reasons=[Explained(*one) for one in (reasons or {}).items()]
    )


async def take(shelf, good_id, quantity, order_id=1):
    wanted = [Wanted(good_id, quantity)]
    await db.write(actions.take, outlet_id=shelf.outlet_id, wanted=wanted, order_id=order_id)


async def books(good_id):
    """The good's stock, what its lots hold, and what its moves add up to: always the same number."""
    stock = await db.row("SELECT stock FROM stock_good WHERE id = ?", good_id)
    lots = await db.row("SELECT CAST(SUM(remaining) AS BIGINT) FROM stock_lot WHERE good_id = ?", good_id)
    moves = await db.row("SELECT CAST(SUM(quantity) AS BIGINT) FROM stock_move WHERE good_id = ?", good_id)
    assert stock[0] == lots[0] == moves[0]
    return stock[0]


@pytest.mark.both
async def test_a_count_books_its_differences_as_moves_with_their_reasons(shelf):
    salt, rice, soap = [await shelf.good(name, in_stock=10) for name in ("食用盐", "东北大米", "洗衣皂")]
    await shelf.receive(rice, 2, best_before=date(2027, 1, 1))
    count_id = await open_count(shelf)
    await counted(count_id, {salt: 7, rice: 15, soap: 10})
    with pytest.raises(ReasonMissing) as refused:
        await close(count_id, {salt: "missing"})
    assert refused.value.facts["name"] == "东北大米"
    assert await books(salt) == 10, "a refused end changes nothing"
    await close(count_id, {salt: "missing", rice: "miscounted"})
    assert [await books(good) for good in (salt, rice, soap)] == [7, 15, 10]
    moves = await db.rows(
        "SELECT quantity FROM stock_move WHERE kind = 'count' AND source_id = ? ORDER BY id", count_id
    )
    assert [move[0] for move in moves] == [-3, 3]
    (found, *_rest) = await queries.lots(rice)
    assert (found.source, found.quantity, found.best_before) == ("found", 3, date(2027, 1, 1))
    told = [record.facts for record in await trail.history(("good", salt)) if record.verb == "stock.counted"]
    assert told == [{"quantity": -3, "reason": "missing", "count": count_id}]
    (listed,) = await queries_count.counts([shelf.community_id])
    assert (listed.kinds, listed.counted, listed.over, listed.short) == (3, 3, 3, 3)
    assert listed.count.state == "done"


@pytest.mark.both
async def test_orders_between_counting_and_ending_are_not_counted_twice(shelf):
    salt = await shelf.good(in_stock=10)
    count_id = await open_count(shelf)
    await counted(count_id, {salt: 9})
    await take(shelf, salt, 4)
    await close(count_id, {salt: "missing"})
    assert await books(salt) == 5


async def test_a_difference_that_the_stock_no_longer_holds_is_counted_again(shelf):
    salt = await shelf.good(in_stock=5)
    count_id = await open_count(shelf)
    await counted(count_id, {salt: 2})
    await take(shelf, salt, 4)
    with pytest.raises(CountStale):
        await close(count_id, {salt: "missing"})
    await counted(count_id, {salt: None})
    await counted(count_id, {salt: 1})
    await close(count_id)
    assert await books(salt) == 1


async def test_numbers_that_stay_keep_what_the_books_said_then(shelf):
    salt, rice = await shelf.good(in_stock=5), await shelf.good("东北大米", in_stock=5)
    count_id = await open_count(shelf)
    await counted(count_id, {salt: 5})
    await take(shelf, salt, 1)
    await counted(count_id, {salt: 5, rice: None})
    (rice_line, salt_line) = await queries_count.lines(count_id)
    assert (salt_line.counted, salt_line.booked, salt_line.difference) == (5, 5, 0)
    assert (rice_line.counted, rice_line.booked, rice_line.difference) == (None, None, 0)


async def test_goods_that_nobody_counted_stay_as_they_are(shelf):
    salt, rice = await shelf.good(in_stock=5), await shelf.good("东北大米", in_stock=5)
    count_id = await open_count(shelf)
    with pytest.raises(NothingCounted):
        await close(count_id)
    await counted(count_id, {salt: 0})
    await close(count_id, {salt: "missing"})
    assert [await books(salt), await books(rice)] == [0, 5]


@pytest.mark.both
async def test_one_count_of_an_outlet_is_open_at_a_time(shelf):
    await shelf.good(in_stock=1)
    told = await asyncio.gather(*(open_count(shelf) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, int) for one in told) == 1
    assert sum(isinstance(one, CountOpen) for one in told) == 5


async def test_some_goods_are_counted_and_none_or_foreign_ones_are_not(shelf, open_shelf):
    salt, _rice = await shelf.good(in_stock=1), await shelf.good("东北大米", in_stock=1)
    elsewhere = await open_shelf()
    foreign = await elsewhere.good(in_stock=1)
    with pytest.raises(NothingToCount):
        await open_count(elsewhere, salt)
    with pytest.raises(NothingToCount):
        await open_count(shelf, salt, foreign)
    with pytest.raises(NotFound):
        await db.write(
            actions_count.open_count, community_id=shelf.community_id, outlet_id=elsewhere.outlet_id, good_ids=[]
        )
    count_id = await open_count(shelf, salt)
    assert [line.good_id for line in await queries_count.lines(count_id)] == [salt]
    with pytest.raises(NotFound):
        await counted(count_id, {foreign: 3})
    with pytest.raises(NotFound):
        await queries_count.count([elsewhere.community_id], count_id)


@pytest.mark.both
async def test_a_count_ends_once(shelf):
    salt = await shelf.good(in_stock=5)
    count_id = await open_count(shelf)
    await counted(count_id, {salt: 3})
    told = await asyncio.gather(*(close(count_id, {salt: "missing"}) for _ in range(5)), return_exceptions=True)
    assert sum(one is None for one in told) == 1
    assert sum(isinstance(one, CountClosed) for one in told) == 4
    assert await books(salt) == 3
    for act in (actions_count.drop_count, actions_count.close_count, actions_count.write_counted):
        facts = {
            actions_count.close_count: {"reasons": []},
            actions_count.write_counted: {"counted": [Counted(salt, 1)]},
        }
        with pytest.raises(CountClosed):
            await db.write(act, count_id=count_id, **facts.get(act, {}))
    with pytest.raises(NotFound):
        await db.write(actions_count.drop_count, count_id=count_id + 99)


async def test_a_dropped_count_changes_nothing(shelf):
    salt = await shelf.good(in_stock=5)
    count_id = await open_count(shelf)
    await counted(count_id, {salt: 3})
    await db.write(actions_count.drop_count, count_id=count_id)
    assert await books(salt) == 5
    await open_count(shelf)


@pytest.mark.both
async def test_the_last_pieces_go_to_an_order_or_to_a_loss_and_never_to_both(shelf):
    salt = await shelf.good()
    lot_id = await shelf.receive(salt, 3)

    async def lose():
        await db.write(actions_count.write_off, good_id=salt, lot_id=lot_id, quantity=2, reason="damaged")

    told = await asyncio.gather(
        *(lose() if n % 2 else take(shelf, salt, 2, order_id=n) for n in range(8)), return_exceptions=True
    )
    assert sum(one is None for one in told) == 1
    assert all(isinstance(one, OutOfStock | LotShort) for one in told if one is not None), told
    assert await books(salt) == 1


async def test_a_loss_is_a_move_of_its_own_with_somebody_who_answers_for_it(shelf, clock):
    salt = await shelf.good()
    lot_id = await shelf.receive(salt, 3, best_before=date(2026, 12, 1))
    other = await shelf.receive(salt, 4)
    clock.advance(days=20)
    await db.write(actions_count.write_off, good_id=salt, lot_id=lot_id, quantity=3, reason="expired")
    assert await books(salt) == 4
    moved = await db.row("SELECT lot_id, quantity FROM stock_move WHERE kind = 'loss'")
    assert tuple(moved) == (lot_id, -3)
    with pytest.raises(LotShort) as refused:
        await db.write(actions_count.write_off, good_id=salt, lot_id=other, quantity=5, reason="other")
    assert refused.value.facts == {"remaining": 4}
    rice = await shelf.good("东北大米", in_stock=1)
    with pytest.raises(NotFound):
        await db.write(actions_count.write_off, good_id=rice, lot_id=other, quantity=1, reason="other")
    await db.write(actions.end_good, good_id=salt)
    await db.write(actions_count.write_off, good_id=salt, lot_id=other, quantity=4, reason="recalled")
    assert await books(salt) == 0
    verbs = [record.verb for record in await trail.history(("good", salt))]
    assert verbs.count("stock.written_off") == 2


@pytest.mark.both
async def test_a_photo_hangs_at_an_address_that_nobody_guesses(shelf, open_shelf):
    salt = await shelf.good()
    first = await db.write(actions.hang_photo, good_id=salt, picture=b"large", thumbnail=b"small")
    assert len(first) >= 20
    assert (await shelf.of(salt)).photo == first
    assert await queries.picture([shelf.community_id], first, is_small=False) == b"large"
    assert await queries.picture([shelf.community_id], first, is_small=True) == b"small"
    elsewhere = await open_shelf()
    with pytest.raises(NotFound):
        await queries.picture([elsewhere.community_id], first, is_small=True)
    second = await db.write(actions.hang_photo, good_id=salt, picture=b"newer", thumbnail=b"small")
    assert second != first
    with pytest.raises(NotFound):
        await queries.picture([shelf.community_id], first, is_small=False)
    await db.write(actions.drop_photo, good_id=salt)
    assert (await shelf.of(salt)).photo == ""
    with pytest.raises(NotFound):
        await queries.picture([shelf.community_id], second, is_small=False)
    await db.write(actions.end_good, good_id=salt)
    with pytest.raises(GoodEnded):
        await db.write(actions.hang_photo, good_id=salt, picture=b"x", thumbnail=b"x")
