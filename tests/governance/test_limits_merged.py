"""Limits of somebody who turns out to be another, or not to be, or who dies (redemption, 7)."""

import pytest

from pointsbank.governance import actions as settling
from pointsbank.kit import db
from pointsbank.ledger.rules import BookClosed
from pointsbank.ledger.rules_flows import BookMerged
from pointsbank.redemption.rules import OverDailyLimit
from pointsbank.trail import actions as trail
from tests.governance.limits import DAY, family, move, nothing_is_used, part_again, sound
from tests.governance.merging import merge
from tests.governance.test_estates import inherit
from tests.ledger.test_vouchers import admin

pytestmark = pytest.mark.both


async def test_two_records_of_one_person_have_used_the_sum_until_they_are_parted(own_till):
    till, town = own_till, own_till.town
    twice, known = [await town.person(name, points=1000) for name in ("测试甲", "测试乙")]
    await till.buy(twice, 2)
    await till.buy(known)
    await merge(town, twice, known)
    await sound()
    assert await till.left(known) == [0]
    with pytest.raises(OverDailyLimit):
        await till.buy(known)

    await part_again(till, known)
    await sound()
    assert await till.left(known) == [100]
    await db.write(settling.settle_provisional, actor=await admin(town), person_id=twice, same_as=None)
    assert await till.left(twice) == [0]


async def test_a_record_that_is_merged_once_more_brings_what_it_used_once_more(own_till):
    till, town = own_till, own_till.town
    twice, known = await town.person(points=100), await town.person("测试乙", points=1000)
    await till.buy(twice)
    await merge(town, twice, known)
    await part_again(till, known)
    assert await till.left(known) == [DAY]
    await db.write(settling.settle_provisional, actor=await admin(town), person_id=twice, same_as=known)
    assert await till.left(known) == [100]


async def test_a_parting_that_was_told_of_without_accounts_is_sound(own_till, monkeypatch):
    """As it was told of once."""
    record = trail.record

    async def as_once(tx, verb, subject, **facts):
        if verb == "limits.parted":
            facts = {"orders": [order_id for order_id, _account in facts["counted"]]}
        await record(tx, verb, subject, **facts)

    monkeypatch.setattr(trail, "record", as_once)
    twice, known = [await own_till.town.person(name, points=1000) for name in ("测试甲", "测试乙")]
    await own_till.buy(twice)
    await merge(own_till.town, twice, known)
    await part_again(own_till, known)
    [told] = await db.rows("SELECT facts FROM trail_record WHERE verb = 'limits.parted'")
    assert "counted" not in told[0]
    await sound()


async def test_an_order_of_a_merged_record_is_undone_where_somebody_can_use_the_points(own_till):
    till, town = own_till, own_till.town
    twice, known = [await town.person(name, points=1000) for name in ("测试甲", "测试乙")]
    order_id = await till.buy(twice, 2)
    await merge(town, twice, known)
    with pytest.raises(BookMerged):
        await till.undo(order_id)
    assert await till.left(known) == [0]

    await part_again(till, known)
    await till.undo(order_id)
    assert await till.left(known) == [DAY]
    await nothing_is_used()


async def test_what_a_wrong_merge_brought_is_gone_from_every_house_it_was_taken_to(till):
    town = till.town
    (twice,), (known,), (host,) = [await family(town, name) for name in ("测试甲", "测试乙", "测试丙")]
    await move(till, host, door="777")
    await till.buy(twice)
    await merge(town, twice, known)
    await move(till, known, door="777")
    assert await till.left(known, host) == [100, 100]
    await part_again(till, known)
    await sound()
    assert await till.left(known, host) == [DAY, DAY]


async def test_who_was_taken_for_another_goes_on_in_a_new_home_with_what_was_used_in_the_old_one(till):
    town = till.town
    (twice,), (known,) = [await family(town, name) for name in ("测试甲", "测试乙")]
    await till.buy(twice, 2)
    await merge(town, twice, known)
    await part_again(till, known)
    assert await till.left(known) == [DAY]
    await db.write(settling.settle_provisional, actor=await admin(town), person_id=twice, same_as=None)
    assert await till.left(twice) == [0]


async def test_what_was_undone_before_a_merge_is_parted_is_not_given_back_twice(till):
    town = till.town
    (goes, stays), (known,) = await family(town, "测试甲", "测试乙"), await family(town, "测试丙")
    await till.buy(known)
    order_id = await till.buy(stays)
    await move(till, goes, share=400)
    await merge(town, goes, known)
    assert await till.left(known) == [0]
    await till.undo(order_id)
    assert await till.left(known) == [100]
    await part_again(till, known)
    await sound()
    assert await till.left(known) == [100]


async def test_an_heir_inherits_points_and_nothing_that_was_used(own_till):
    till, town = own_till, own_till.town
    dead, heir = [await town.person(name, points=300) for name in ("测试甲", "测试乙")]
    order_id = await till.buy(dead, 2)
    await inherit(town, dead, heir)
    assert (await town.balance(heir), await till.left(heir)) == (400, [DAY])
    with pytest.raises(BookClosed):
        await till.undo(order_id)
    await till.buy(heir, 2)
