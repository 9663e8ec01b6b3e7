"""Nobody makes housemates to hand points on alone: whoever was brought in lately counts as of another home.

And what may not be redeemed is handed to nobody who may.
"""

import pytest

from pointsbank.approvals.rules import OwnRequest
from pointsbank.governance import actions_estates, actions_people
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions_bars as bars
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as found
from pointsbank.ledger.rules_flows import NotWhileBarred, OwnVoucher, What
from pointsbank.people import actions as people
from tests.approvals.test_actions import made_staff
from tests.ledger.test_vouchers import admin, agree, allow, book_of, give_away
from tests.world import World

pytestmark = pytest.mark.both


@pytest.fixture
async def town(database, settings, clock):
    world = await World(clock, settings).found()
    await allow(world)
    return world


async def hand_over(world, giver, to, *, actor):
    """How its voucher stands."""
    voucher_id = await db.write(
        vouchers.hand_over, actor=actor, community_id=world.home.id, what=What.TRANSFER, to_person=to, points=5,
        from_id=(await book_of(world, giver)).passbook_id, how="paper",
    )  # fmt: skip
    return await found.voucher((world.home.id,), voucher_id)


async def registered(world, household_id, actor, name="测试丙"):
    return await db.write(
        people.make_person, actor=actor, community_id=world.home.id, household_id=household_id, name=name, phone=None,
    )  # fmt: skip


async def family(world, points=20):
    home = await world.household()
    return home, await world.person(points=points, household_id=home)


async def moved_in(world, person_id, door, actor):
    return await db.write(
        actions_people.move, actor=actor, community_id=world.home.id, person_ids=[person_id], door=door,
        building_id=world.home.building_id, reason="moved",
    )  # fmt: skip


async def test_whom_one_registers_there_gets_nothing_alone_for_seven_days(town):
    """7."""
    maker, other = await admin(town), await admin(town)
    home, giver = await family(town)
    straw = await registered(town, home, maker)

    asked = await hand_over(town, giver, straw, actor=maker)
    assert (asked.state, await town.balance(straw)) == ("asked", 0)
    with pytest.raises(OwnRequest):
        await agree(town, asked.id, actor=maker)
    await agree(town, asked.id, actor=other)
    assert await town.balance(straw) == 5

    assert (await hand_over(town, giver, straw, actor=other)).state == "booked"  # two have looked at it
    town.clock.advance(days=7)
    assert (await hand_over(town, giver, straw, actor=maker)).state == "asked"
    town.clock.advance(days=1)
    assert (await hand_over(town, giver, straw, actor=maker)).state == "booked"


async def test_whom_one_moves_in_neither_gets_nor_gives_alone(town):
    """7."""
    maker = await admin(town)
    straw = await town.person("测试丙", points=20)
    giver = await town.person(points=20)
    await moved_in(town, giver, "901", maker)
    town.clock.advance(days=9)
    await moved_in(town, straw, "901", maker)

    assert (await hand_over(town, giver, straw, actor=maker)).state == "asked"
    assert (await hand_over(town, straw, giver, actor=maker)).state == "asked"
    assert await town.balance(giver) == await town.balance(straw) == 20


async def test_it_is_asked_through_other_logins_of_the_same_hands_too(town):
    """7."""
    root = await admin(town)
    second = await made_staff(town, root)
    home, giver = await family(town)
    straw, other_straw = await registered(town, home, root), await registered(town, home, second, "测试丁")

    assert (await hand_over(town, giver, straw, actor=second)).state == "asked"
    assert (await hand_over(town, giver, other_straw, actor=root)).state == "asked"
    assert (await hand_over(town, giver, straw, actor=await admin(town))).state == "booked"


async def test_an_estate_goes_to_whom_one_brought_in_with_a_second_person(town):
    maker = await admin(town)
    home, gone = await family(town, points=5)
    heir = await registered(town, home, maker)

    passed = await db.write(
        actions_estates.pass_on, actor=maker, person_id=gone, heir_id=heir, reason="death", note=""
    )  # fmt: skip

    assert (passed.is_done, await town.balance(heir)) == (False, 0)


async def test_the_holder_gives_to_a_new_housemate_alone_on_the_own_phone(town):
    home, giver = await family(town)
    mate = await registered(town, home, await admin(town))

    await db.write(vouchers.give_own, actor=db.Actor(giver), to_person=mate, points=4)

    assert await town.balance(mate) == 4


async def test_nobody_hands_on_what_an_own_household_gives_or_gets(town):
    """Also of whoever was registered there a moment ago, and whoever was long ago."""
    maker = await admin(town)
    ((own_home,),) = await db.rows("SELECT household_id FROM people_person WHERE id = ?", maker.person_id)
    straw, rich = await registered(town, own_home, maker), await town.person(points=20)
    await town.give(straw, 20)
    for days in (0, 30):
        town.clock.advance(days=days)
        for giver, to in ((rich, straw), (straw, rich)):
            with pytest.raises(OwnVoucher):
                await hand_over(town, giver, to, actor=maker)


async def test_nobody_hands_on_while_barred_but_to_the_pot(town):
    giver, friend = await town.person(points=60), await town.person("测试乙")
    book, today = await book_of(town, giver), local_day(town.clock.now())
    await db.write(bars.bar, passbook_id=book.passbook_id, until=today)

    for points in (5, 25):
        with pytest.raises(NotWhileBarred) as refused:
            await give_away(town, giver, points, friend)
        assert refused.value.facts == {"day": today.isoformat()}
        await give_away(town, giver, points)

    town.clock.advance(days=1)
    await give_away(town, giver, 5, friend)
    assert (await town.balance(giver), await town.balance(friend)) == (25, 5)


async def test_whoever_was_barred_after_somebody_asked_hands_nothing_on(town):
    giver, friend = await town.person(points=60), await town.person("测试乙")
    voucher = await hand_over(town, giver, friend, actor=await admin(town))
    assert voucher.state == "asked"
    book, today = await book_of(town, giver), local_day(town.clock.now())
    await db.write(bars.bar, passbook_id=book.passbook_id, until=today)

    with pytest.raises(NotWhileBarred):
        await agree(town, voucher.id)
    assert await town.balance(friend) == 0
