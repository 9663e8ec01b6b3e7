"""Whose deed it was: a person's, a household's, a building's, a team's."""

import msgspec
import pytest

from pointsbank.awards import actions
from pointsbank.awards.rules import Reason
from pointsbank.kit import db
from pointsbank.people import actions as people
from tests.awards.neighbours import ADMIN, an_item

pytestmark = pytest.mark.both
CLEANING, NEXT_WEEK = ("tests", "activity", 1), ("tests", "activity", 2)


async def a_home(neighbours, count=2):
    household_id = await neighbours.household()
    return [await neighbours.person(household_id=household_id) for _ in range(count)]


async def steps_of(neighbours, award_id):
    return [step["key"] for step in msgspec.json.decode((await neighbours.award(award_id))["steps"])]


@pytest.mark.parametrize("scope", ["household", "building"])
async def test_a_household_gets_it_once_for_an_occasion_and_is_told_so(neighbours, scope):
    await neighbours.adopt(an_item(scope=scope), notice_days=0)
    mother, son = await a_home(neighbours)
    across = await neighbours.person()

    first = await neighbours.act(mother, occasion=CLEANING)
    second = await neighbours.act(son, occasion=CLEANING)
    others = [await neighbours.act(across, occasion=CLEANING), await neighbours.act(son, occasion=NEXT_WEEK)]

    assert [first.points, second.points] == [20, 0]
    assert [other.points for other in others] == [20, 20]
    assert (await neighbours.award(second.award_id))["clipped"] == 20
    assert (await steps_of(neighbours, second.award_id))[-1] == "household_has_it"
    assert await neighbours.balance(mother) == 20


async def test_a_household_s_passbook_gets_a_household_s_deed_once(families):
    await families.adopt(an_item(scope="household"), notice_days=0)
    mother, son = await a_home(families)

    await families.act(mother, occasion=CLEANING)
    await families.act(son, occasion=CLEANING)

    assert await families.balance(son) == 20


async def test_a_team_s_members_each_get_it_housemates_or_not(neighbours):
    await neighbours.adopt(an_item(scope="team"), notice_days=0)
    mother, son = await a_home(neighbours)

    for member in (mother, son):
        await neighbours.act(member, occasion=CLEANING)

    assert [await neighbours.balance(member) for member in (mother, son)] == [20, 20]


async def test_what_was_sent_back_leaves_room_for_the_household(neighbours):
    await neighbours.adopt(an_item(scope="building", review=("organiser", ADMIN)), notice_days=0)
    mother, son = await a_home(neighbours)
    wrong = await neighbours.act(mother, occasion=CLEANING)
    rejected = {"passed": False, "reason": Reason.NOT_THERE}
    await db.write(actions.review, actor=await neighbours.actor(), award_id=wrong.award_id, **rejected)

    again = await neighbours.act(son, occasion=CLEANING)

    assert again.points == 20


async def test_whoever_belongs_to_no_household_counts_as_one(neighbours):
    await neighbours.adopt(an_item(scope="household"), notice_days=0)
    alone = [
        await db.write(
            people.make_person, community_id=neighbours.community_id, household_id=None, name="测试独",
            phone=f"1009999000{number}", consent_publication=True,
        )
        for number in "12"
    ]  # fmt: skip

    made = [await neighbours.act(person, occasion=CLEANING) for person in alone]

    assert [one.points for one in made] == [20, 20]


async def test_an_occasion_that_nobody_names_is_the_act_s_own(neighbours):
    await neighbours.adopt(an_item(scope="household"), notice_days=0)
    mother, son = await a_home(neighbours)

    assert [(await neighbours.act(one)).points for one in (mother, son)] == [20, 20]
