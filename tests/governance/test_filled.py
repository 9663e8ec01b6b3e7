"""Nobody fills a household and lets shared points come to those whom they put there: not alone, for seven days."""

import pytest

from pointsbank.governance import actions_people
from pointsbank.governance.rules import FilledAlone, LeftBehind
from pointsbank.kit import db
from pointsbank.ledger import actions_kinds
from pointsbank.people import actions as people
from pointsbank.people import queries as people_queries

pytestmark = pytest.mark.both


async def registered(place, home, actor, name="测试丙"):
    return await db.write(
        people.make_person, actor=actor, community_id=place.community_id, household_id=home, name=name, phone=None
    )  # fmt: skip


async def move(place, *person_ids, actor, door="901", share=0):
    return await db.write(
        actions_people.move, actor=actor, community_id=place.community_id, person_ids=list(person_ids),
        building_id=place.building_id, door=door, reason="moved", share=share,
    )  # fmt: skip


@pytest.fixture
async def rich(families):
    """A household of one with twenty points."""
    await families.adopt(notice_days=0)
    home = await families.household()
    owner = await families.person(household_id=home)
    await families.act(owner)
    assert await families.balance(owner) == 20
    return home, owner


async def test_whom_one_registered_takes_no_share_along(families, rich):
    """7."""
    home, owner = rich
    maker, other = await families.actor(), await families.actor()
    straw = await registered(families, home, maker)

    with pytest.raises(FilledAlone) as refused:
        await move(families, straw, actor=maker, share=15)
    assert refused.value.facts == {"day": "2026-11-29"}  # registered on the 21st
    assert await families.balance(owner) == 20
    await move(families, straw, actor=other, share=5)
    assert (await families.balance(straw), await families.balance(owner)) == (5, 15)


async def test_a_slip_of_the_door_is_set_right_at_once(families, rich):
    home, _owner = rich
    maker = await families.actor()
    straw = await registered(families, home, maker)

    await move(families, straw, actor=maker)
    assert (await people_queries.holder_of(None, straw)).household_id not in (None, home)


async def test_nobody_is_moved_out_so_that_it_is_all_left_to_whom_one_registered(families, rich):
    """7."""
    home, owner = rich
    maker = await families.actor()
    straw = await registered(families, home, maker)

    with pytest.raises(FilledAlone):
        await move(families, owner, actor=maker)
    families.clock.advance(days=9)
    await move(families, owner, actor=maker)
    assert (await families.balance(straw), await families.balance(owner)) == (20, 0)


async def test_nobody_is_moved_to_where_one_registered_another(families, rich):
    """7."""
    _home, owner = rich
    maker, other = await families.actor(), await families.actor()
    their_home = await db.write(
        people.make_household, community_id=families.community_id, building_id=families.building_id, door="901"
    )  # fmt: skip
    straw = await registered(families, their_home, maker)

    with pytest.raises(FilledAlone):
        await move(families, owner, actor=maker)
    assert await families.balance(owner) == 20
    await move(families, owner, actor=other)
    assert await families.balance(straw) == await families.balance(owner) == 20


async def test_where_no_points_are_shared_nobody_waits(families):
    await families.adopt(notice_days=0)
    maker = await families.actor()
    home = await families.household()
    first, second = [await registered(families, home, maker, name) for name in ("测试丙", "测试丁")]
    await db.write(actions_kinds.open_for, community_id=families.community_id, person_id=first, kind="points")

    await move(families, first, actor=maker)
    moved = await move(families, second, actor=maker)

    assert moved.is_emptied


async def test_a_whole_family_that_came_this_week_moves_with_its_points(families):
    await families.adopt(notice_days=0)
    maker = await families.actor()
    home = await families.household()
    family = [await registered(families, home, maker, name) for name in ("测试丙", "测试丁")]
    await families.act(family[0])

    moved = await move(families, *family, actor=maker)

    assert (moved.left_id, await families.balance(family[1])) == (None, 20)


async def test_nobody_moves_somebody_in_with_points_and_out_again_without(families, rich):
    """7."""
    home, owner = rich
    mate = await families.person("测试丁", household_id=home)
    maker, other, host = await families.actor(), await families.actor(), await families.person("测试丙")
    await move(families, host, actor=other)
    families.clock.advance(days=9)
    await move(families, owner, actor=maker, share=15)
    assert [await families.balance(one) for one in (host, mate)] == [15, 5]

    with pytest.raises(LeftBehind) as refused:
        await move(families, owner, actor=maker, door="902")
    assert refused.value.facts == {"day": "2026-12-08"}  # moved in on the 30th
    await move(families, owner, actor=other, door="902", share=15)
    assert [await families.balance(one) for one in (owner, host)] == [15, 0]


async def test_a_slip_of_a_move_that_brought_no_points_is_set_right_at_once(families, rich):
    home, owner = rich
    await families.person("测试丁", household_id=home)
    maker, host = await families.actor(), await families.person("测试丙")
    await families.act(host)
    await move(families, host, actor=await families.actor())

    await move(families, owner, actor=maker)
    await move(families, owner, actor=maker, door="902")

    assert [await families.balance(one) for one in (owner, host)] == [0, 20]
