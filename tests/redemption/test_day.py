"""The day sheet: one counter, one day, sums that the ledger agrees with, and the head of the books below."""

import re
from datetime import UTC, datetime

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_seal
from pointsbank.ledger.rules import redeemed
from pointsbank.ledger.sealing import Sealer
from pointsbank.people.access import Role
from pointsbank.redemption import actions, queries, queries_day
from pointsbank.redemption.rules import UndoReason
from tests.world import visiting


async def test_the_day_sheets_of_an_outlet_add_up_to_what_the_ledger_redeemed(shop, clock):
    salt, rice = await shop.good(), await shop.good("东北大米", 7)
    clock.set(datetime(2026, 11, 21, 15, 50, tzinfo=UTC))  # ten to midnight in Shanghai
    for counter_id in (shop.counter_id, shop.other_counter_id):
        member = await shop.member(100)
        await shop.order((salt, 2), (rice, 1), member=member, counter_id=counter_id)
        undone = await shop.order((salt, 1), member=member, counter_id=counter_id)
        await shop.undo(undone.order_id)
    clock.advance(minutes=10)
    await shop.order((salt, 1), member=await shop.member(30))

    sheets = [
        await queries_day.day_of(counter, day)
        for counter in await queries.counters(shop.community_id)
        for day in (local_day(clock.now()), local_day(clock.now()).replace(day=21))
    ]

    assert [(sheet.count, len(sheet.orders), sheet.pieces, sheet.points) for sheet in sheets] == [
        (1, 1, 1, 5), (1, 2, 3, 17), (0, 0, 0, 0), (1, 2, 3, 17),
    ]  # fmt: skip
    for sheet in sheets:
        assert sum(given.points for given in sheet.goods) == sheet.points
    booked = (await ledger.system_balances(shop.community_id))[redeemed(shop.outlet_id)]
    assert sum(sheet.points for sheet in sheets) == booked
    assert {given.stock for given in sheets[0].goods} == {5}


async def test_the_sheet_names_orders_and_the_head_and_nobody_in_full(world):
    actor, token = await world.staff(Role.COUNTER_STAFF)
    person, salt = await world.person(points=50), await world.good(points=5, name="食用盐")
    place = world.home
    made = [
        await db.write(
            actions.order, actor=actor, counter_id=place.counter_id, code=await world.card(person),
            lines=[actions.Line(quantity=2, good=salt)], community_ids=(place.id,),
        )
        for _ in range(2)
    ]  # fmt: skip
    await db.write(
        actions.undo, actor=actor, order_id=made[1].order_id, reason=UndoReason.OTHER, community_ids=(place.id,)
    )
    await Sealer().run()
    head = await queries_seal.head(place.id)

    async with visiting(world, cookie=token) as client:
        url = f"/redemption/counters/{place.counter_id}/day"
        assert url in (await client.get(f"/redemption/counters/{place.counter_id}")).text
        sheet = (await client.get(url)).text
        assert "兑换 1 单，2 件，10 分；撤销 1 单" in sheet
        assert re.search(r'data-testid="day-points">10<', sheet)
        assert head.shown in sheet
        assert "食用盐 ×2" in sheet
        assert "已撤销" in sheet
        assert "测*甲" in sheet
        assert "测试甲" not in sheet
        assert "今天还没有过完" in sheet
        assert (await client.get(f"{url}?day=2999-01-01")).text == (await client.get(f"{url}?day=x")).text
        assert "这一天没有换出商品" in (await client.get(f"{url}?day=2026-01-05")).text
        abroad = world.communities[1].counter_id
        assert (await client.get(f"/redemption/counters/{abroad}/day")).status_code == 404
