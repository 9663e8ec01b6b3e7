"""Caps of somebody who was registered twice: what one record has used counts for the other."""

import pytest

from pointsbank.awards import actions as awards
from pointsbank.awards.rules import Reason
from pointsbank.governance import actions_people
from pointsbank.kit import db
from pointsbank.people import queries_own as own
from pointsbank.scoring.rules import Basis, Cap, Period, Scope
from pointsbank.scoring.rules_table import Streak
from tests.awards.neighbours import an_item
from tests.governance.merging import merge

pytestmark = pytest.mark.both


@pytest.fixture(params=[Scope.PERSON, Scope.HOUSEHOLD])
async def capped(request, neighbours):
    """An act is twenty points, and thirty are the most of a day, and forty-five of a year."""
    caps = (Cap(request.param, Period.DAY, 30), Cap(request.param, Period.YEAR, 45))
    await neighbours.adopt(an_item(caps=caps))
    return neighbours


async def test_what_was_used_under_the_other_record_is_used(capped, world):
    twice, known = await capped.person("测试甲"), await capped.person("测试乙")
    first, second = await capped.act(twice), await capped.act(twice)
    assert (first.points, second.points) == (20, 10)
    await merge(world, twice, known)

    assert (await capped.act(known)).points == 0
    await capped.midnight()
    today = capped.clock.now()
    assert (await capped.act(known, began_at=today)).points == 15

    await db.write(awards.send_back, award_id=first.award_id, reason=Reason.LEFT)
    assert (await capped.act(known, began_at=today)).points == 15


async def test_after_parting_each_has_a_cap_again_and_housemates_never_share_a_person_s(capped, world):
    twice, known = await capped.person("测试甲"), await capped.person("测试乙")
    for who in (twice, known):
        assert (await capped.act(who)).points == 20
    await merge(world, twice, known)
    assert (await capped.act(known)).points == 0
    [merged] = await own.merges_into(known)
    await db.write(actions_people.separate, actor=await capped.actor(), merge_id=merged.id, reason="两位同名")
    assert (await capped.act(known)).points == 10


@pytest.mark.parametrize("own_days", [0, 2])
async def test_the_row_of_one_record_goes_on_with_the_other_and_two_rows_are_not_added_up(neighbours, world, own_days):
    await neighbours.adopt(an_item(basis=Basis.PER_TIME, points=3, streak=Streak(3, 4)))
    twice, known = await neighbours.person("测试甲"), await neighbours.person("测试乙")
    for day in range(2):
        await neighbours.act(twice)
        if day < own_days:
            await neighbours.act(known)
        neighbours.clock.advance(days=1)
    await merge(world, twice, known)

    assert (await neighbours.act(known)).points == 7


async def part(neighbours, kept):
    [merged] = await own.merges_into(kept)
    await db.write(actions_people.separate, actor=await neighbours.actor(), merge_id=merged.id, reason="两位同名")


@pytest.mark.parametrize("passbook", ["person", "household"])
async def test_after_parting_a_row_goes_on_without_what_the_other_record_lent_it(neighbours, world, passbook):
    await neighbours.adopt(an_item(basis=Basis.PER_TIME, points=3, streak=Streak(3, 4)), passbook=passbook)
    twice, known = await neighbours.person("测试甲"), await neighbours.person("测试乙")
    for _ in range(2):
        await neighbours.act(twice)
        neighbours.clock.advance(days=1)
    await merge(world, twice, known)
    made = []
    for _ in range(2):
        made.append(await neighbours.act(known))
        neighbours.clock.advance(days=1)
    await part(neighbours, known)

    assert [one.points for one in made] == [7, 3]  # what is booked stays, for staff to reverse
    assert (await neighbours.act(known)).points == 7  # the third day of their own
    for one in reversed(made):
        await db.write(awards.send_back, award_id=one.award_id, reason=Reason.SOMEBODY_ELSE)
    neighbours.clock.advance(days=1)
    assert (await neighbours.act(known)).points == 3


async def test_after_parting_a_row_of_one_s_own_is_as_long_as_it_was(neighbours, world):
    await neighbours.adopt(an_item(basis=Basis.PER_TIME, points=3, streak=Streak(3, 4)))
    twice, known = await neighbours.person("测试甲"), await neighbours.person("测试乙")
    for _ in range(2):
        for one in (twice, known):
            await neighbours.act(one)
        neighbours.clock.advance(days=1)
    await merge(world, twice, known)
    await part(neighbours, known)

    assert (await neighbours.act(known)).points == 7
