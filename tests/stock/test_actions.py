from datetime import date

import pytest

from pointsbank.kit import codes, db
from pointsbank.kit.errors import NotFound
from pointsbank.stock import actions, queries, rules
from pointsbank.stock.rules import (
    BarcodeTaken,
    BarcodeUnfit,
    DonorMissing,
    GoodEnded,
    OnlyPastBestBefore,
    OutOfStock,
    PastBestBefore,
    Wanted,
)
from pointsbank.trail import queries as trail

BARCODE = "6901234567892"


@pytest.mark.both
async def test_a_good_without_a_bar_code_gets_a_label_of_our_own(shelf):
    first, second = await shelf.of(await shelf.good()), await shelf.of(await shelf.good())
    assert codes.ean13_ok(first.barcode)
    assert first.barcode.startswith("200")
    assert first.barcode != second.barcode


async def test_a_label_that_somebody_typed_before_is_not_given_again(shelf):
    first = await shelf.good()
    typed = await shelf.good("海盐", barcode=codes.own_barcode(first + 2))
    labelled = await shelf.good()
    assert labelled == first + 2
    assert (await shelf.of(labelled)).barcode != (await shelf.of(typed)).barcode


async def test_a_bar_code_stands_for_one_good_of_an_outlet(shelf, open_shelf):
    await shelf.good("食用盐", barcode=BARCODE)
    with pytest.raises(BarcodeTaken) as refused:
        await shelf.good("海盐", barcode=BARCODE)
    assert refused.value.facts == {"name": "食用盐"}
    with pytest.raises(BarcodeUnfit):
        await shelf.good("海盐", barcode="6901234567891")
    elsewhere = await open_shelf()
    await elsewhere.good("海盐", barcode=BARCODE)


async def test_an_outlet_of_others_or_of_nobody_has_no_shelf_for_us(shelf, open_shelf):
    with pytest.raises(NotFound):
        await type(shelf)(shelf.community_id, shelf.outlet_id + 1).good()
    elsewhere = await open_shelf()
    with pytest.raises(NotFound):
        await type(shelf)(shelf.community_id, elsewhere.outlet_id).good()


async def test_a_delivery_is_a_lot_that_knows_where_it_came_from(shelf):
    salt = await shelf.good()
    lot_id = await shelf.receive(
        salt, 12, source="donated", donor="测试商行", unit_value_cents=250, best_before=date(2027, 6, 1)
    )
    (lot,) = await queries.lots(salt)
    assert (lot.lot_id, lot.source, lot.donor, lot.unit_value_cents) == (lot_id, "donated", "测试商行", 250)
    assert (lot.best_before, lot.quantity, lot.remaining) == (date(2027, 6, 1), 12, 12)
    assert (await shelf.of(salt)).stock == 12
    moves = await db.rows("SELECT kind, quantity, source_id FROM stock_move WHERE good_id = ?", salt)
    assert [tuple(move) for move in moves] == [("receipt", 12, lot_id)]
    assert [record.verb for record in await trail.history(("good", salt))] == ["good.made", "stock.received"]


async def test_what_has_expired_and_gifts_of_nobody_are_not_received(shelf):
    salt = await shelf.good()
    with pytest.raises(PastBestBefore):
        await shelf.receive(salt, 1, best_before=date(2026, 11, 20))
    await shelf.receive(salt, 1, best_before=date(2026, 11, 21))
    with pytest.raises(DonorMissing):
        await shelf.receive(salt, 1, source="donated")
    assert (await shelf.of(salt)).stock == 1


async def test_a_new_price_is_recorded_with_the_old_one(shelf):
    salt = await shelf.good(points=5)
    unchanged = {"name": "食用盐", "unit": "袋", "low_at": 0}
    await db.write(actions.change_good, good_id=salt, points=6, monthly_max=2, **unchanged)
    await db.write(actions.change_good, good_id=salt, points=6, monthly_max=2, **unchanged)
    assert (await shelf.of(salt)).points == 6
    changes = [record.facts for record in await trail.history(("good", salt)) if record.verb == "good.changed"]
    assert changes == [{"changed": {"points": [5, 6], "monthly_max": [None, 2]}}]


async def test_another_package_brings_another_bar_code_and_no_two_goods_share_one(shelf):
    salt, sea = await shelf.good(), await shelf.good("海盐", barcode=BARCODE)
    same = {"name": "食用盐", "unit": "袋", "points": 5, "monthly_max": None, "low_at": 0}
    with pytest.raises(BarcodeTaken) as refused:
        await db.write(actions.change_good, good_id=salt, **same, barcode=BARCODE)
    assert refused.value.facts == {"name": "海盐"}
    with pytest.raises(BarcodeUnfit):
        await db.write(actions.change_good, good_id=salt, **same, barcode="6901234567891")
    await db.write(actions.change_good, good_id=salt, **same, barcode="6901234500004")
    assert (await shelf.of(salt)).barcode == "6901234500004"
    await db.write(actions.change_good, good_id=salt, **same)
    assert (await shelf.of(salt)).barcode == "6901234500004", "no bar code typed is no change"
    await db.write(actions.end_good, good_id=sea)


@pytest.mark.both
async def test_what_is_past_its_day_is_not_given_out(shelf, clock):
    salt = await shelf.good()
    await shelf.receive(salt, 3, best_before=date(2026, 12, 1))
    await shelf.receive(salt, 2, best_before=date(2026, 12, 10))
    await shelf.receive(salt, 2)
    clock.advance(days=12)  # the third of December
    await take(shelf, (salt, 3))
    assert await lots(salt) == [3, 0, 1]
    with pytest.raises(OnlyPastBestBefore) as refused:
        await take(shelf, (salt, 2))
    assert refused.value.facts["name"] == "食用盐"
    assert await lots(salt) == [3, 0, 1]
    assert (await shelf.of(salt)).stock == 4
    (offered,) = await queries.on_shelf(shelf.outlet_id, date(2026, 12, 3))
    assert offered.stock == 1
    assert [good.stock for good in await queries.in_hand(shelf.outlet_id, [salt], date(2026, 12, 3))] == [1]


async def test_an_ended_good_takes_and_gives_nothing_more(shelf):
    salt = await shelf.good(in_stock=3)
    await db.write(actions.end_good, good_id=salt)
    with pytest.raises(GoodEnded):
        await db.write(actions.end_good, good_id=salt)
    with pytest.raises(GoodEnded):
        await shelf.receive(salt, 1)
    with pytest.raises(GoodEnded):
        await db.write(actions.change_good, good_id=salt, name="盐", unit="袋", points=1, monthly_max=None, low_at=0)
    with pytest.raises(OutOfStock):
        await take(shelf, (salt, 1))
    assert await queries.on_shelf(shelf.outlet_id, date(2026, 11, 21)) == []
    assert (await shelf.of(salt)).stock == 3


async def take(shelf, *wanted, order_id=1):
    return await db.write(
        actions.take,
        outlet_id=shelf.outlet_id,
        wanted=[Wanted(good_id, quantity) for good_id, quantity in wanted],
        order_id=order_id,
    )


async def lots(good_id):
    return [lot.remaining for lot in reversed(await queries.lots(good_id))]


@pytest.mark.both
async def test_what_keeps_least_long_goes_first_and_comes_back_to_its_lots(shelf):
    salt, rice = await shelf.good(), await shelf.good("东北大米", in_stock=4, points=60)
    await shelf.receive(salt, 5)
    await shelf.receive(salt, 3, best_before=date(2027, 2, 1))
    await shelf.receive(salt, 3, best_before=date(2027, 1, 1))
    await take(shelf, (rice, 1), (salt, 5), order_id=7)
    assert await lots(salt) == [5, 1, 0]
    await take(shelf, (salt, 1), order_id=8)
    await db.write(actions.put_back, order_id=7)
    assert await lots(salt) == [5, 2, 3]
    assert (await shelf.of(salt)).stock == 10
    assert (await shelf.of(rice)).stock == 4
    moved = await db.row("SELECT SUM(quantity) AS left_over FROM stock_move")
    assert moved["left_over"] == 14


async def test_a_good_in_many_small_lots_is_taken_whole(shelf):
    salt = await shelf.good()
    for _ in range(actions.LOTS_AT_ONCE + 3):
        await shelf.receive(salt, 1)
    await take(shelf, (salt, actions.LOTS_AT_ONCE + 2))
    assert sum(await lots(salt)) == 1


async def test_an_outlet_takes_from_its_own_shelf(shelf, open_shelf):
    elsewhere = await open_shelf()
    foreign = await elsewhere.good("东北大米", in_stock=3)
    with pytest.raises(OutOfStock):
        await take(shelf, (foreign, 1))
    assert await queries.shelf(None, outlet_id=shelf.outlet_id, good_ids=[foreign]) == []
    with pytest.raises(NotFound):
        await queries.good([shelf.community_id], foreign)


@pytest.mark.both
async def test_the_list_marks_what_runs_low_and_what_has_passed_its_day(shelf, clock):
    salt = await shelf.good(low_at=3)
    await shelf.receive(salt, 2, best_before=date(2026, 12, 1))
    await shelf.receive(salt, 1)
    clock.advance(days=20)
    (line,) = await queries.stocked([shelf.community_id], date(2026, 12, 11))
    assert (line.is_low, line.fresh, line.past, line.next_best_before) == (True, 1, 2, date(2026, 12, 1))
    await shelf.receive(salt, 2)
    (line,) = await queries.stocked([shelf.community_id], date(2026, 12, 11))
    assert (line.is_low, line.fresh) == (True, 3), "what is past its day is not there for anybody"
    await shelf.receive(salt, 1)
    (line,) = await queries.stocked([shelf.community_id], date(2026, 12, 1))
    assert (line.is_low, line.past) == (False, 0)


async def test_a_good_that_keeps_for_ever_has_no_best_before(shelf):
    await shelf.good(in_stock=1)
    await shelf.good("抽纸")
    found = await queries.stocked([shelf.community_id], date(2026, 11, 21))
    assert [line.next_best_before for line in found] == [None, None]
    assert rules.NEVER.year == 9999


async def test_the_goods_of_an_order_are_looked_up_and_not_searched_for(shelf):
    plan = await db.rows(f"EXPLAIN QUERY PLAN {queries._shelf_sql(1, 0)}", 1, 1)
    assert ["INTEGER PRIMARY KEY" in step["detail"] for step in plan] == [True], [step["detail"] for step in plan]
