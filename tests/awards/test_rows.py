"""Several acts in one day of a row: the day counts as long as one of them stands."""

import asyncio
from itertools import permutations

import pytest

from pointsbank.awards import actions, actions_back
from pointsbank.awards.rules import Reason
from pointsbank.governance import actions_people
from pointsbank.kit import db
from pointsbank.ledger.rules_flows import What
from pointsbank.people import queries_own as own
from pointsbank.scoring.rules import Basis, Cap, Period, Scope
from pointsbank.scoring.rules_table import Streak
from tests.awards.neighbours import ADMIN, an_item
from tests.governance.merging import merge

pytestmark = pytest.mark.both

DAILY = {"basis": Basis.PER_TIME, "points": 3, "streak": Streak(3, 4), "review": ("organiser", ADMIN)}


async def send_back(neighbours, *made):
    told = {"passed": False, "reason": Reason.NOT_THERE}
    for one in made:
        await db.write(actions.review, actor=await neighbours.actor(), award_id=one.award_id, **told)


async def two_days(neighbours, first, *second):
    """One act on the first day, and on the second one of each of these; then it is the third."""
    await neighbours.act(first)
    neighbours.clock.advance(days=1)
    made = [await neighbours.act(person) for person in second]
    neighbours.clock.advance(days=1)
    return made


@pytest.mark.parametrize("gone", [*permutations(range(3), 1), *permutations(range(3), 2)])
async def test_a_row_goes_on_while_one_act_of_the_day_stands(neighbours, gone):
    await neighbours.adopt(an_item(**DAILY))
    person = await neighbours.person()
    made = await two_days(neighbours, person, person, person, person)
    await send_back(neighbours, *[made[place] for place in gone])

    assert [one.points for one in made] == [3, 3, 3]
    assert [(await neighbours.act(person)).points for _ in "ab"] == [7, 3]


@pytest.mark.parametrize("order", [*permutations(range(2))])
async def test_it_ends_with_the_last_of_the_day(neighbours, order):
    await neighbours.adopt(an_item(**DAILY))
    person = await neighbours.person()
    made = await two_days(neighbours, person, person, person)
    await send_back(neighbours, *[made[place] for place in order])

    assert await neighbours.counted() == [1]
    assert (await neighbours.act(person)).points == 3


async def test_two_that_are_sent_back_at_once_both_leave_the_row(neighbours):
    await neighbours.adopt(an_item(**DAILY))
    person = await neighbours.person()
    made = await two_days(neighbours, person, person, person, person, person)
    told = {"passed": False, "reason": Reason.NOT_THERE}
    admins = [await neighbours.actor() for _ in made]
    await asyncio.gather(
        *(
            db.write(actions.review, actor=admin, award_id=one.award_id, **told)
            for one, admin in zip(made, admins, strict=True)
        )
    )

    assert await neighbours.counted() == [1]


async def test_one_that_comes_while_the_first_is_sent_back_holds_the_row_in_either_order(neighbours):
    await neighbours.adopt(an_item(**DAILY))
    people = [await neighbours.person() for _ in range(8)]
    for person in people:
        await neighbours.act(person)
    neighbours.clock.advance(days=1)
    made = [await neighbours.act(person) for person in people]
    organiser, admin = [await neighbours.actor() for _ in "ab"]
    told = {"passed": False, "reason": Reason.NOT_THERE}
    for one, person in zip(made, people, strict=True):
        await asyncio.gather(
            neighbours.act(person, confirmed_by=organiser),
            db.write(actions.review, actor=admin, award_id=one.award_id, **told),
        )
    neighbours.clock.advance(days=1)

    assert [(await neighbours.act(person)).points for person in people] == [7] * len(people)


async def test_an_act_that_a_cap_left_nothing_of_stands_for_its_day_too(neighbours):
    await neighbours.adopt(an_item(**DAILY, caps=(Cap(Scope.PERSON, Period.DAY, 3),)))
    person = await neighbours.person()
    made = await two_days(neighbours, person, person, person)
    assert [(one.points, one.state) for one in made] == [(3, "pending"), (0, "pending")]
    await send_back(neighbours, made[0])

    third = await neighbours.award((await neighbours.act(person)).award_id)
    assert (third["points"], third["clipped"]) == (3, 4)


async def test_what_is_taken_back_after_it_was_booked_leaves_the_day_to_the_other(neighbours):
    await neighbours.adopt(an_item(**DAILY | {"review": ("organiser",)}), notice_days=0)
    person = await neighbours.person()
    made = await two_days(neighbours, person, person, person)

    async def take_back(one):
        entry_id = (await neighbours.award(one.award_id))["entry_id"]
        where = {"community_id": neighbours.community_id, "entry_id": entry_id}
        told = {"way": What.REVERSAL, "reason": "not_so", "note": ""}
        await db.write(actions_back.take_back, actor=await neighbours.actor(), **where, **told)

    await take_back(made[0])
    third = await neighbours.act(person)
    assert third.points == 7
    await take_back(made[1])
    await take_back(third)
    assert (await neighbours.act(person)).points == 3


async def test_a_household_s_day_stands_with_whoever_did_something(families):
    await families.adopt(an_item(**DAILY), passbook="household")
    home = await families.household()
    mother, son = [await families.person(household_id=home) for _ in "ab"]
    made = await two_days(families, mother, mother, son)
    await send_back(families, made[0])

    assert (await families.act(son)).points == 7


@pytest.mark.parametrize("passbook", ["person", "household"])
@pytest.mark.parametrize(("gone", "points"), [((0,), 7), ((1,), 7), ((0, 1), 3), ((1, 0), 3)])
async def test_what_another_record_did_that_day_stands_as_well(neighbours, world, passbook, gone, points):
    await neighbours.adopt(an_item(**DAILY), passbook=passbook)
    twice, known = await neighbours.person("测试甲"), await neighbours.person("测试乙")
    await neighbours.act(twice)
    neighbours.clock.advance(days=1)
    made = [await neighbours.act(twice)]
    await merge(world, twice, known)
    made.append(await neighbours.act(known))
    neighbours.clock.advance(days=1)
    await send_back(neighbours, *[made[place] for place in gone])

    assert [one.points for one in made] == [3, 3]
    assert (await neighbours.act(known)).points == points


async def test_after_parting_a_day_counts_on_which_they_did_something_themselves(neighbours, world):
    await neighbours.adopt(an_item(**DAILY))
    twice, known = await neighbours.person("测试甲"), await neighbours.person("测试乙")
    await neighbours.act(twice)
    neighbours.clock.advance(days=1)
    await neighbours.act(twice)
    await merge(world, twice, known)
    await neighbours.act(known)
    [merged] = await own.merges_into(known)
    await db.write(actions_people.separate, actor=await neighbours.actor(), merge_id=merged.id, reason="两位同名")

    points = []
    for _ in "ab":
        neighbours.clock.advance(days=1)
        points.append((await neighbours.act(known)).points)
    assert points == [3, 7]
