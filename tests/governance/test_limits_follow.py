"""Limits when their holders move: what was used follows, once, and undone it counts nowhere (redemption, 7)."""

import asyncio
import re
from datetime import UTC, datetime

import pytest

from pointsbank.governance import actions_people
from pointsbank.kit import db
from pointsbank.ledger.rules import BookClosed
from pointsbank.redemption.rules import AlreadyUndone, NotTheLastOrder, OverDailyLimit, OverMonthlyLimit
from pointsbank.trail import queries as trail
from tests.governance.limits import DAY, family, move, nothing_is_used, sound
from tests.ledger.test_vouchers import admin, book_of
from tests.world import visiting

pytestmark = pytest.mark.both


async def test_whoever_leaves_has_used_what_the_family_had_and_so_have_those_who_stay(till):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    await till.buy(stays, 2)
    await move(till, goes, share=400)
    await sound()

    assert await till.left(goes, stays) == [0, 0]
    for one in (goes, stays):
        with pytest.raises(OverDailyLimit) as refused:
            await till.buy(one)
        assert refused.value.facts["left"] == 0
    till.town.clock.advance(days=1)
    assert await till.left(goes, stays) == [DAY, DAY]
    with pytest.raises(OverMonthlyLimit) as refused:
        await till.buy(goes)
    assert refused.value.facts["used"] == 2
    till.town.clock.set(datetime(2026, 12, 1, 4, 0, tzinfo=UTC))
    await till.buy(goes, 2)


async def test_the_limits_follow_where_no_points_go_along_and_a_passbook_is_opened_for_nothing_else(till):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    idle, others = await family(till.town, "测试丙", "测试丁")
    await till.buy(stays)
    for one, door in ((goes, "901"), (idle, "902")):
        await move(till, one, door=door)
    books = "SELECT COUNT(*) FROM ledger_passbook book JOIN people_person it ON it.household_id = book.household_id"
    for one, number in ((goes, 1), (idle, 0), (others, 1)):
        assert tuple(await db.row(f"{books} WHERE it.id = ?", one)) == (number,)
    await till.town.give(goes, 500)
    assert await till.left(goes, stays) == [100, 100]


async def test_an_undone_order_is_given_back_to_both_once_and_only_once(till):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    order_id = await till.buy(goes, 2)
    await move(till, goes, share=400)
    outcomes = await asyncio.gather(*(till.undo(order_id) for _ in range(4)), return_exceptions=True)
    assert sorted(map(type, outcomes), key=str) == [type(None), *[AlreadyUndone] * 3]
    await sound()

    assert await till.left(goes, stays) == [DAY, DAY]
    await nothing_is_used()
    for one in (goes, stays):
        await till.buy(one, 2)


async def test_what_each_uses_after_parting_company_is_the_own(till):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    await till.buy(stays)
    await move(till, goes, share=400)
    await till.buy(goes)
    assert await till.left(goes, stays) == [0, 100]


async def test_households_that_become_one_have_used_the_sum_and_then_nothing_is_left(till):
    guests, hosts = await family(till.town, "测试甲", "测试乙"), await family(till.town, "测试丙")
    await move(till, *hosts, door="777")
    for one in (guests[0], hosts[0]):
        await till.buy(one, 2)
    await move(till, *guests, door="777")
    await sound()

    assert await till.left(guests[0], hosts[0]) == [0, 0]
    with pytest.raises(OverDailyLimit) as refused:
        await till.buy(hosts[0])
    assert refused.value.facts["left"] == 0
    till.town.clock.advance(days=1)
    with pytest.raises(OverMonthlyLimit) as refused:
        await till.buy(guests[1])
    assert refused.value.facts["used"] == 4


async def test_who_splits_and_comes_back_has_used_it_once(till):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    await move(till, goes, stays, door="777")
    await till.buy(goes)
    await move(till, goes, share=400)
    await move(till, goes, door="777")
    await sound()
    assert await till.left(goes, stays) == [100, 100]


async def test_who_leaves_others_and_joins_a_family_brings_what_was_used_along(till):
    (goes, stays), (host,) = await family(till.town, "测试甲", "测试乙"), await family(till.town, "测试丙")
    await move(till, host, door="777")
    order_id = await till.buy(stays)
    await move(till, goes, door="777")
    assert await till.left(stays, goes, host) == [100, 100, 100]
    await till.undo(order_id)
    await sound()
    assert await till.left(stays, goes, host) == [DAY, DAY, DAY]


async def test_a_household_that_only_changes_its_door_has_used_what_it_had(till):
    one, mate = await family(till.town, "测试甲", "测试乙")
    order_id = await till.buy(one)
    await move(till, one, mate, door="901")
    assert await till.left(one, mate) == [100, 100]
    await till.undo(order_id)
    assert await till.left(one, mate) == [DAY, DAY]


async def test_nothing_goes_back_into_a_passbook_that_was_closed_meanwhile(till):
    (guest,), (host,) = await family(till.town, "测试甲"), await family(till.town, "测试丙")
    await move(till, host, door="777")
    order_id = await till.buy(guest)
    await move(till, guest, door="777")
    with pytest.raises(BookClosed):
        await till.undo(order_id)
    assert await till.left(host) == [100]


async def test_the_day_and_the_month_of_the_order_are_given_back_across_midnight_and_month_end(till):
    goes, later, stays = await family(till.town, "测试甲", "测试乙", "测试丙")
    till.town.clock.set(datetime(2026, 11, 29, 15, 55, tzinfo=UTC))
    of_yesterday = await till.buy(stays)
    till.town.clock.set(datetime(2026, 11, 29, 16, 2, tzinfo=UTC))  # the last of November, in Shanghai
    await move(till, goes, share=400)
    assert await carried() == [of_yesterday]
    assert await till.left(goes, stays) == [DAY, DAY]
    await till.undo(of_yesterday)

    till.town.clock.set(datetime(2026, 11, 30, 15, 55, tzinfo=UTC))
    of_last_month = await till.buy(stays)
    await move(till, later, door="902")
    till.town.clock.set(datetime(2026, 11, 30, 16, 2, tzinfo=UTC))
    await till.undo(of_last_month)
    assert await carried() == [of_yesterday, of_last_month]
    await nothing_is_used()


async def carried():
    return [one["order_id"] for one in await db.rows("SELECT order_id FROM redemption_carried ORDER BY order_id")]


async def test_what_was_used_last_month_is_left_behind(till):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    till.town.clock.set(datetime(2026, 11, 30, 15, 55, tzinfo=UTC))
    await till.buy(stays)
    till.town.clock.set(datetime(2026, 11, 30, 16, 1, tzinfo=UTC))
    await move(till, goes, share=400)
    assert await carried() == []
    await till.buy(goes, 2)


async def test_the_trail_says_who_carried_what_from_where(till):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    order_id, left = await till.buy(stays), await book_of(till.town, stays)
    who = await admin(till.town)
    await db.write(
        actions_people.move, actor=who, community_id=till.town.home.id, person_ids=[goes], share=0,
        building_id=till.town.home.building_id, door="901", reason="split",
    )  # fmt: skip
    told = await trail.history(("passbook", (await book_of(till.town, goes)).passbook_id))
    [carried] = [one for one in told if one.verb == "limits.carried"]
    assert carried.person_id == who.person_id
    assert carried.facts == {"orders": [order_id], "left": [left.passbook_id]}


async def test_orders_undone_orders_and_moves_at_once_leave_counters_that_agree(till):
    salt = await till.town.good(points=5, in_stock=99)
    for number in range(4):
        goes, stays = await family(till.town, f"测试甲{number}", f"测试乙{number}")
        order_id = await till.buy(stays, good=salt)
        at_once = [move(till, goes, door=f"9{number}", share=100), till.undo(order_id), till.buy(goes, good=salt)]
        outcomes = await asyncio.gather(*(at_once if number % 2 else reversed(at_once)), return_exceptions=True)
        # An order that comes first at the counter is what may be undone there.
        assert {type(one) for one in outcomes if isinstance(one, Exception)} <= {NotTheLastOrder}
        await sound()


async def test_what_a_member_used_who_leaves_the_bank_stays_with_the_family(till):
    gone, stays = await family(till.town, "测试甲", "测试乙")
    order_id = await till.buy(gone)
    await db.write(
        actions_people.leave, actor=await admin(till.town), person_id=gone, how="paper", points_given_up=0, answer="",
    )  # fmt: skip
    assert await till.left(stays) == [100]
    await till.undo(order_id)
    assert await till.left(stays) == [DAY]


async def test_the_pages_of_clerk_and_resident_show_what_is_left(till):
    town = till.town
    goes, stays = await family(town, "测试甲", "测试乙")
    await till.buy(stays, 2)
    await move(till, goes, share=400)
    _, phone_token = await town.phone(goes)
    url = f"/redemption/counters/{town.home.counter_id}"
    async with visiting(town, cookie=till.token) as desk, visiting(town, cookie=phone_token) as phone:
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', (await desk.get(url)).text))
        scanned = await desk.post(f"{url}/scan", data={**form, "code": await town.card(goes)}, follow_redirects=True)
        shop = await phone.get("/shop?show=all")
    assert re.search(r"今天还可兑</span><b>0</b>", scanned.text)
    assert "本月已兑" in shop.text
