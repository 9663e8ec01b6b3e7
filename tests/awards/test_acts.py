"""From an act to an award: version, caps, chain."""

import asyncio
from datetime import UTC, datetime

import pytest

from pointsbank.awards import actions
from pointsbank.awards.rules import AlreadyRecorded, AlreadyReviewed, NotYourStep, OwnAct, Reason, SameReviewer
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound
from pointsbank.ledger.rules import WrongAmount
from pointsbank.people import actions as people
from pointsbank.people import actions_phones as phones
from pointsbank.people.rules import StillProvisional
from pointsbank.scoring.rules import Basis, Cap, NoTableInForce, Period, Scope, UnknownItem
from tests.awards.neighbours import ADMIN, an_item

pytestmark = pytest.mark.both


def cap(scope: Scope, period: Period, points: int) -> Cap:
    return Cap(scope=scope, period=period, points=points)


async def test_where_nothing_is_published_an_act_settles_at_once(neighbours):
    await neighbours.adopt(notice_days=0)
    person = await neighbours.person()

    made = await neighbours.act(person, minutes=130)

    assert (made.points, made.state) == (20, "settled")
    assert await neighbours.balance(person) == 20


async def test_an_act_that_waits_for_its_notice_is_not_spendable(neighbours):
    await neighbours.adopt()
    person = await neighbours.person()

    made = await neighbours.act(person)

    assert made.state == "pending"
    assert await neighbours.balance(person) == 0


async def test_points_of_one_member_lie_in_the_household_s_passbook(families):
    await families.adopt(notice_days=0)
    home = await families.household()
    mother, son = [await families.person(household_id=home) for _ in "ab"]

    await families.act(mother)
    await families.act(son)

    assert await families.balance(mother) == 40
    assert await families.balance(son) == 40


async def test_a_threshold_that_is_not_met_gives_an_award_of_nothing_with_its_reason(neighbours):
    await neighbours.adopt(an_item(minutes_min=60))
    made = await neighbours.act(await neighbours.person(), minutes=59)

    award = await neighbours.award(made.award_id)
    assert (made.points, made.state, award["entry_id"]) == (0, "settled", None)
    assert "too_short" in award["steps"]
    assert await neighbours.entries() == 0


@pytest.mark.parametrize(
    ("began_at", "points"),
    [(datetime(2026, 11, 21, 15, 59, tzinfo=UTC), 10), (datetime(2026, 11, 21, 16, 0, tzinfo=UTC), 30)],
)
async def test_the_version_is_that_of_the_shanghai_day_on_which_the_act_began(neighbours, began_at, points):
    await neighbours.adopt(notice_days=0)
    await neighbours.adopt_from_tomorrow(an_item(points=30), notice_days=0)
    neighbours.clock.advance(days=3)

    made = await neighbours.act(await neighbours.person(), minutes=60, began_at=began_at)

    assert made.points == points


async def test_without_a_table_or_an_item_nothing_is_written(neighbours):
    person = await neighbours.person()
    with pytest.raises(NoTableInForce):
        await neighbours.act(person)
    await neighbours.adopt()
    with pytest.raises(UnknownItem):
        await neighbours.act(person, item="Z99")
    assert await db.rows("SELECT id FROM awards_act") == []


async def test_a_provisional_person_earns_nothing(neighbours):
    await neighbours.adopt()
    device = await db.write(phones.make_device, token_digest=b"a phone")
    somebody = await db.write(
        people.register_provisional,
        community_id=neighbours.community_id,
        device_id=device,
        name="测试乙",
        phone="10000000001",
        consent_publication=True,
    )
    with pytest.raises(StillProvisional):
        await neighbours.act(somebody)


async def test_the_same_deed_is_awarded_once(neighbours):
    await neighbours.adopt(an_item(caps=(cap(Scope.PERSON, Period.DAY, 100),)))
    organiser, person = await neighbours.actor(), await neighbours.person()
    deed = {
        "community_id": neighbours.community_id,
        "person_id": person,
        "source": ("events", "attendance", 1),
        "item_code": "A01",
        "what": "三号楼楼道清洁",
        "evidence": "screen",
        "began_at": neighbours.clock.now(),
        "minutes": 60,
        "planned_minutes": 60,
        "reviewed_by": organiser.person_id,
    }
    await db.write(actions.record_act, actor=organiser, **deed)
    with pytest.raises(AlreadyRecorded):
        await db.write(actions.record_act, actor=organiser, **deed)
    assert await neighbours.counted() == [10]


async def test_whoever_wrote_an_act_down_does_not_review_it_alone(neighbours):
    await neighbours.adopt(an_item(review=(ADMIN,)), notice_days=0)
    organiser, person = await neighbours.actor(), await neighbours.person()
    made = await neighbours.act(person, confirmed_by=organiser)
    passed = {"award_id": made.award_id, "passed": True, "reason": None}

    assert made.state == "pending"
    with pytest.raises(SameReviewer):
        await db.write(actions.review, actor=organiser, **passed)
    assert await db.write(actions.review, actor=await neighbours.actor(), **passed) == "settled"


class TestCaps:
    async def test_what_is_beyond_a_cap_is_clipped_and_recorded(self, neighbours):
        await neighbours.adopt(an_item(caps=(cap(Scope.PERSON, Period.DAY, 25),)))
        person = await neighbours.person()

        first, second = await neighbours.act(person), await neighbours.act(person)

        assert (first.points, second.points) == (20, 5)
        assert (await neighbours.award(second.award_id))["clipped"] == 15
        assert await neighbours.counted() == [25]

    async def test_a_household_and_a_building_share_their_caps(self, neighbours):
        household, building = cap(Scope.HOUSEHOLD, Period.DAY, 30), cap(Scope.BUILDING, Period.MONTH, 50)
        await neighbours.adopt(caps=(household, building))
        home = await neighbours.household()
        mother, son = [await neighbours.person(household_id=home) for _ in "ab"]
        neighbour = await neighbours.person()

        points = [(await neighbours.act(person)).points for person in (mother, son, neighbour, neighbour)]

        assert points == [20, 10, 20, 0]
        assert await neighbours.counted() == [20, 30, 50]

    async def test_a_rejected_award_gives_back_what_it_took(self, neighbours):
        item = an_item("B01", review=("organiser", ADMIN), caps=(cap(Scope.PERSON, Period.DAY, 30),))
        await neighbours.adopt(item, caps=(cap(Scope.HOUSEHOLD, Period.LIFETIME, 1000),))
        person = await neighbours.person()
        first = await neighbours.act(person, item="B01")
        clipped = await neighbours.act(person, item="B01")

        await db.write(
            actions.review, actor=await neighbours.actor(), award_id=first.award_id, passed=False, reason="not_there"
        )

        assert await neighbours.state(first.award_id) == "rejected"
        assert await neighbours.counted() == [10, 10]
        assert (await neighbours.award(clipped.award_id))["points"] == 10  # not worked out anew
        assert (await neighbours.act(person, item="B01")).points == 20

    async def test_twenty_at_once_never_pass_a_cap(self, neighbours):
        shared = cap(Scope.BUILDING, Period.DAY, 70), cap(Scope.PERSON, Period.WEEK, 50)
        await neighbours.adopt(an_item(), an_item("A02"), caps=shared, notice_days=0)
        people = [await neighbours.person() for _ in range(3)]
        organisers = [await neighbours.actor() for _ in range(4)]

        made = await asyncio.gather(
            *(
                neighbours.act(
                    people[turn % 3], item=f"A0{turn % 2 + 1}", minutes=60, confirmed_by=organisers[turn % 4]
                )
                for turn in range(20)
            )
        )

        assert sum(award.points for award in made) == 70
        assert sum([await neighbours.balance(person) for person in people]) == 70
        assert max(await neighbours.counted()) == 70


class TestReview:
    async def test_a_chain_of_two_waits_for_its_second_step(self, neighbours):
        await neighbours.adopt(notice_days=0)
        person = await neighbours.person()
        made = await neighbours.act(person, item="B01")
        assert made.state == "pending"

        state = await db.write(
            actions.review, actor=await neighbours.actor(), award_id=made.award_id, passed=True, reason=None
        )

        assert state == "settled"
        assert await neighbours.balance(person) == 20

    async def test_nobody_takes_two_steps(self, neighbours):
        await neighbours.adopt()
        organiser = await neighbours.actor()
        made = await neighbours.act(await neighbours.person(), item="B01", confirmed_by=organiser)
        with pytest.raises(SameReviewer):
            await db.write(actions.review, actor=organiser, award_id=made.award_id, passed=True, reason=None)

    async def test_nobody_reviews_themselves_or_their_household(self, neighbours):
        await neighbours.adopt()
        home = await neighbours.household()
        person, relative = [await neighbours.person(household_id=home) for _ in "ab"]
        for reviewer in (person, relative):
            with pytest.raises(OwnAct):
                await neighbours.act(person, confirmed_by=Actor(reviewer))
        made = await neighbours.act(person, item="B01")
        for reviewer in (person, relative):
            with pytest.raises(OwnAct):
                await db.write(actions.review, actor=Actor(reviewer), award_id=made.award_id, passed=True, reason=None)

    async def test_a_step_is_taken_once_and_only_in_its_turn(self, neighbours):
        await neighbours.adopt()
        made = await neighbours.act(await neighbours.person(), item="B01")
        step = {"award_id": made.award_id, "passed": True, "reason": None}
        with pytest.raises(NotYourStep):
            await db.write(actions.review, actor=await neighbours.actor(), role="organiser", **step)
        await db.write(actions.review, actor=await neighbours.actor(), **step)
        with pytest.raises(AlreadyReviewed):
            await db.write(actions.review, actor=await neighbours.actor(), **step)

    async def test_of_ten_admins_at_once_one_takes_the_step(self, neighbours):
        await neighbours.adopt(notice_days=0)
        person = await neighbours.person()
        made = await neighbours.act(person, item="B01")
        admins = [await neighbours.actor() for _ in range(10)]

        outcomes = await asyncio.gather(
            *(
                db.write(actions.review, actor=admin, award_id=made.award_id, passed=True, reason=None)
                for admin in admins
            ),
            return_exceptions=True,
        )

        assert sorted(str(outcome) for outcome in outcomes) == ["awards.already_reviewed"] * 9 + ["settled"]
        assert await neighbours.balance(person) == 20

    async def test_a_batch_passes_whole_or_not_at_all(self, neighbours):
        await neighbours.adopt()
        home = await neighbours.household()
        admin = await neighbours.person(household_id=home)
        fine = await neighbours.act(await neighbours.person(), item="B01")
        own = await neighbours.act(await neighbours.person(household_id=home), item="B01")
        batch = {"community_id": neighbours.community_id, "passed": True, "reason": None}

        with pytest.raises(OwnAct):
            await db.write(actions.review_all, actor=Actor(admin), award_ids=[fine.award_id, own.award_id], **batch)

        assert (await neighbours.award(fine.award_id))["next_role"] == ADMIN
        assert await db.write(actions.review_all, actor=Actor(admin), award_ids=[fine.award_id] * 2, **batch) == 1

    async def test_another_community_s_awards_are_not_found(self, neighbours):
        await neighbours.adopt()
        made = await neighbours.act(await neighbours.person(), item="B01")
        with pytest.raises(NotFound):
            await db.write(
                actions.review_all,
                actor=await neighbours.actor(),
                community_id=neighbours.elsewhere_id,
                award_ids=[made.award_id],
                passed=False,
                reason=Reason.TWICE,
            )


async def test_more_than_one_entry_may_move_is_refused_where_it_is_written_down_and_holds_up_nobody(neighbours):
    """A slip of the keyboard, ten thousand for ten: the job that books would have stopped at it for everybody."""
    await neighbours.adopt(an_item(basis=Basis.PER_ITEM, points=101), an_item("A02"))
    hasty, patient = await neighbours.person("测试甲"), await neighbours.person("测试乙")

    with pytest.raises(WrongAmount):
        await neighbours.act(hasty, quantity=10_000)
    await neighbours.act(hasty, quantity=10)
    await neighbours.act(patient, item="A02")
    await neighbours.midnight(4)

    assert [await neighbours.balance(one) for one in (hasty, patient)] == [1_010, 20]
