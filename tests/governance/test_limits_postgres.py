"""Several connections at once: a family splits while an order is being made, or undone (redemption, 7)."""

import asyncio

import pytest

from tests.governance.limits import DAY, family, move
from tests.locks import taken, waits

pytestmark = pytest.mark.postgres


async def test_an_order_that_is_being_made_is_waited_for_and_counts_for_both(till, settings):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    async with taken(settings, "stock_good", till.rice):
        buying = asyncio.ensure_future(till.buy(stays))
        await waits(buying)
        moving = asyncio.ensure_future(move(till, goes, share=100))
        await waits(moving)
    await asyncio.gather(buying, moving)
    assert await till.left(goes, stays) == [DAY - 100, DAY - 100]


async def test_an_order_that_is_being_undone_is_waited_for_and_counts_for_none(till, settings):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    order_id = await till.buy(stays)
    async with taken(settings, "stock_good", till.rice):
        undoing = asyncio.ensure_future(till.undo(order_id))
        await waits(undoing)
        moving = asyncio.ensure_future(move(till, goes, share=100))
        await waits(moving)
    await asyncio.gather(undoing, moving)
    assert await till.left(goes, stays) == [DAY, DAY]


async def test_an_order_is_not_undone_while_it_is_carried(till, settings):
    goes, stays = await family(till.town, "测试甲", "测试乙")
    order_id = await till.buy(stays)
    async with taken(settings, "redemption_order", order_id):
        moving = asyncio.ensure_future(move(till, goes, share=100))
        await waits(moving)
    await moving
    await till.undo(order_id)
    assert await till.left(goes, stays) == [DAY, DAY]
