"""Caps on times and minutes, rests that are carried, and what an item settles for itself."""

import pytest

from pointsbank.awards import actions
from pointsbank.kit import db
from pointsbank.scoring.rules import Cap, Period, Rounding, Scope, Validity, ValidityKind
from pointsbank.scoring.rules_table import Hours
from tests.awards.neighbours import ADMIN, an_item

pytestmark = pytest.mark.both


async def send_back(neighbours, award_id):
    await db.write(actions.review, actor=await neighbours.actor(), award_id=award_id, passed=False, reason="not_there")


async def test_times_and_minutes_are_counted_and_a_rejected_award_gives_them_back(neighbours):
    caps = (Cap(Scope.PERSON, Period.DAY, times=2), Cap(Scope.PERSON, Period.DAY, minutes=200))
    await neighbours.adopt(an_item("B01", review=("organiser", ADMIN), caps=caps))
    person = await neighbours.person()

    made = [await neighbours.act(person, item="B01", minutes=minutes) for minutes in (120, 120, 60)]
    assert [one.points for one in made] == [20, 10, 0]
    assert await neighbours.counted() == [2, 200]
    await send_back(neighbours, made[0].award_id)

    assert await neighbours.counted() == [1, 80]
    assert (await neighbours.act(person, item="B01", minutes=120)).points == 20


async def test_a_rest_goes_to_the_next_act_and_is_taken_along_by_one_that_is_sent_back(neighbours):
    saving = an_item("B01", rounding=Rounding.EXACT, remainder="carry", block_minutes=1000, review=("organiser", ADMIN))
    await neighbours.adopt(saving)
    person = await neighbours.person()

    made = [await neighbours.act(person, item="B01", minutes=minutes) for minutes in (50, 70)]
    assert [one.points for one in made] == [0, 1]
    assert await neighbours.counted() == [200]
    third = await neighbours.act(person, item="B01", minutes=90)
    assert (third.points, await neighbours.counted()) == (1, [100])
    await send_back(neighbours, third.award_id)

    assert await neighbours.counted() == [200]


async def test_a_rest_may_be_owed(neighbours):
    saving = an_item("B01", rounding=Rounding.EXACT, remainder="carry", block_minutes=1000, review=("organiser", ADMIN))
    await neighbours.adopt(saving)
    person = await neighbours.person()
    first = await neighbours.act(person, item="B01", minutes=190)
    await neighbours.act(person, item="B01", minutes=20)
    await send_back(neighbours, first.award_id)

    assert await neighbours.counted() == [-800]
    assert [(await neighbours.act(person, item="B01", minutes=minutes)).points for minutes in (79, 100)] == [0, 0]
    assert await neighbours.counted() == [990]


async def test_an_item_has_its_own_days_of_notice_and_validity(neighbours):
    short = an_item("B01", notice_days=0, validity=Validity(ValidityKind.MONTH_END))
    await neighbours.adopt(an_item(), short, notice_days=3)
    person = await neighbours.person()

    usual, own = [await neighbours.award((await neighbours.act(person, item=code)).award_id) for code in ("A01", "B01")]

    assert (usual["notice_days"], own["notice_days"], own["state"]) == (3, 0, "settled")
    assert own["expires_on"] < usual["expires_on"]


async def test_the_hour_at_which_an_act_began_is_known(neighbours):
    began = neighbours.clock.now().replace(hour=2)  # ten in the morning
    await neighbours.adopt(an_item("B01", hours=Hours("09:00", "11:00")), an_item("C01", hours=Hours("11:00", "12:00")))
    person = await neighbours.person()

    made = [await neighbours.act(person, item=code, began_at=began) for code in ("B01", "C01")]

    assert [one.points for one in made] == [20, 0]
