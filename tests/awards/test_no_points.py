"""Acts that give no points: what they leave behind is reviewed before anybody can build on it for good."""

from importlib import import_module

import pytest

from pointsbank.awards import actions, queries_gate, verify
from pointsbank.awards.rules import AlreadyReviewed, Reason
from pointsbank.kit import db
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Basis, Cap, Period, Rounding, Scope
from pointsbank.scoring.rules_table import Streak
from tests.awards.neighbours import ADMIN, an_item
from tests.awards.panels import Hall, judged
from tests.world import visiting

pytestmark = pytest.mark.both
TWICE = ("organiser", ADMIN)
SAVING = {"points": 1, "block_minutes": 60, "rounding": Rounding.EXACT, "remainder": "carry", "review": TWICE}
EACH = {"basis": Basis.PER_TIME, "points": 3, "streak": Streak(3, 4), "review": TWICE}


async def review(neighbours, made, *, passed):
    told = {"passed": passed, "reason": None if passed else Reason.NOT_THERE}
    return await db.write(actions.review, actor=await neighbours.actor(), award_id=made.award_id, **told)


async def is_verified():
    return await verify.check(db.rows) == []


async def test_a_rest_of_an_act_without_points_can_be_taken_back_by_its_review(neighbours):
    await neighbours.adopt(an_item(**SAVING))
    person = await neighbours.person()
    first = await neighbours.act(person, minutes=40)
    assert (first.points, first.state, await neighbours.counted()) == (0, "pending", [40])

    assert await review(neighbours, first, passed=False) == "rejected"
    assert await neighbours.counted() == []
    assert (await neighbours.act(person, minutes=40)).points == 0
    assert await is_verified()


async def test_it_settles_with_its_last_review_without_notice_or_entry(neighbours):
    await neighbours.adopt(an_item(**SAVING), notice_days=3)
    person = await neighbours.person()
    made = await neighbours.act(person, minutes=40)

    assert await review(neighbours, made, passed=True) == "settled"
    award = await neighbours.award(made.award_id)
    assert (award["notice_id"], award["entry_id"], await neighbours.entries()) == (None, None, 0)
    assert (await neighbours.act(person, minutes=40)).points == 1
    with pytest.raises(AlreadyReviewed):
        await db.write(actions.send_back, award_id=made.award_id, reason=Reason.LEFT)
    assert await is_verified()


async def test_what_a_cap_left_nothing_of_counts_in_a_row_until_it_is_sent_back(neighbours):
    await neighbours.adopt(an_item(**EACH, caps=(Cap(Scope.PERSON, Period.MONTH, 3),)))
    person = await neighbours.person()
    made = []
    for _ in "ab":
        made.append(await neighbours.act(person, minutes=0))
        neighbours.clock.advance(days=1)
    assert [(one.points, one.state) for one in made] == [(3, "pending"), (0, "pending")]

    await review(neighbours, made[1], passed=False)
    third = await neighbours.award((await neighbours.act(person, minutes=0)).award_id)

    assert '"count":1' in third["steps"]


async def test_minutes_count_for_the_gate_once_they_were_reviewed(neighbours):
    await neighbours.adopt(an_item(minutes_min=60, review=TWICE))
    person = await neighbours.person()
    made = [await neighbours.act(person, minutes=50) for _ in "ab"]
    book = (await neighbours.award(made[0].award_id))["passbook_id"]
    assert {one.state for one in made} == {"pending"}
    assert await queries_gate.served(None, book) == 0

    await review(neighbours, made[0], passed=True)
    await review(neighbours, made[1], passed=False)

    assert await queries_gate.served(None, book) == 50


async def test_where_nothing_is_left_behind_nobody_is_asked(neighbours):
    await neighbours.adopt(an_item(basis=Basis.PER_ITEM, quantity_min=5, review=TWICE))
    made = await neighbours.act(await neighbours.person(), minutes=0, quantity=4)

    award = await neighbours.award(made.award_id)
    assert (made.points, made.state, award["chain"], award["next_role"]) == (0, "settled", '["organiser"]', "")
    assert await is_verified()


@pytest.mark.parametrize("first", ["organiser", "volunteer"])
async def test_what_was_settled_unreviewed_before_is_left_as_it_is(neighbours, first):
    """As such an award stood: the step that was never taken is still waited for."""
    await neighbours.adopt(an_item(minutes_min=60))
    made = await neighbours.act(await neighbours.person(), minutes=50)
    where = f"WHERE id = {made.award_id}"
    given = int(first == "organiser")

    async def stood(tx):
        if not given:
            await tx.run(f"UPDATE awards_award SET reviews_given = 0 {where}")
        await tx.run(f"UPDATE awards_award SET chain = ?, next_role = ? {where}", f'["{first}","{ADMIN}"]', ADMIN)

    async def migrated(tx):
        await tx.run(import_module("migrations.0047_reviewed_as_points_are").UNREVIEWED)

    await db.write(stood)
    assert not await is_verified()
    await db.write(migrated)

    award = await neighbours.award(made.award_id)
    assert (award["state"], award["next_role"]) == ("settled", "")
    assert award["chain"] == ('["organiser"]' if given else "[]")
    assert not given or await is_verified()


async def test_a_panel_votes_on_it_too(neighbours):
    hall = Hall(neighbours)
    await neighbours.adopt(judged(1, 1, minutes_min=500))
    [member] = await hall.named(1)
    award_id = await hall.deed()
    assert (await neighbours.award(award_id))["points"] == 0

    assert await hall.vote(award_id, member) == "settled"
    assert await is_verified()


async def test_the_reviewer_is_told_why_it_is_there(neighbours, world):
    await neighbours.adopt(an_item(**SAVING))
    person = await neighbours.person()
    await neighbours.act(person, minutes=60)
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as visit:
        assert "这次不记分" not in (await visit.get("/awards/review")).text
        await neighbours.act(person, minutes=40)
        assert "这次不记分，但它的时间、次数或零头以后还要算进去" in (await visit.get("/awards/review")).text
