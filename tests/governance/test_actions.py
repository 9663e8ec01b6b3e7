"""Rulings on objections, and settling who a provisional person is."""

import pytest

from pointsbank.approvals.rules import Dependent
from pointsbank.awards import actions as awards
from pointsbank.governance import actions
from pointsbank.governance.rules import OwnMatter, OwnRecord
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.notices.rules import AlreadyRuled, NoticeOver
from pointsbank.people import actions as people
from pointsbank.people import actions_phones as phones
from pointsbank.people import actions_staff
from pointsbank.people import queries as people_queries
from pointsbank.people.rules import BadMerge, NotSettled
from pointsbank.scoring.rules import Cap, Period, Scope
from tests.awards.neighbours import an_item

pytestmark = pytest.mark.both

CAP = Cap(scope=Scope.PERSON, period=Period.YEAR, points=100)


async def disputed(neighbours, person_id):
    """An award of 20 points whose line somebody objects to, on the first day of its notice."""
    await neighbours.adopt(an_item(caps=(CAP,)), notice_days=1)
    made = await neighbours.act(person_id)
    await neighbours.midnight()
    return made.award_id, await neighbours.object_to(made.award_id)


def ruling(objection_id, *, upheld):
    return {"objection_id": objection_id, "upheld": upheld, "ruling": "查过签到记录。"}


async def test_an_upheld_objection_sends_the_award_back_with_its_caps(neighbours):
    person = await neighbours.person()
    award, objection = await disputed(neighbours, person)
    assert await neighbours.counted() == [20]

    await db.write(actions.rule, actor=await neighbours.actor(), **ruling(objection, upheld=True))
    await neighbours.midnight(3)

    assert await neighbours.state(award) == "rejected"
    assert await neighbours.balance(person) == 0
    assert await neighbours.counted() == []


async def test_a_dismissed_objection_puts_the_line_back_on_its_notice(neighbours):
    person = await neighbours.person()
    award, objection = await disputed(neighbours, person)

    await db.write(actions.rule, actor=await neighbours.actor(), **ruling(objection, upheld=False))

    assert await neighbours.state(award) == "noticed"
    assert await neighbours.balance(person) == 0
    assert await neighbours.midnight() == 1
    assert await neighbours.balance(person) == 20


async def test_an_objection_dismissed_after_the_notice_ended_settles_at_once(neighbours):
    person = await neighbours.person()
    award, objection = await disputed(neighbours, person)
    await neighbours.midnight(2)

    await db.write(actions.rule, actor=await neighbours.actor(), **ruling(objection, upheld=False))

    assert await neighbours.state(award) == "settled"
    assert await neighbours.balance(person) == 20
    assert await neighbours.midnight(2) == 0
    assert await neighbours.entries() == 1


async def test_a_ruling_is_given_once(neighbours):
    _award, objection = await disputed(neighbours, await neighbours.person())
    await db.write(actions.rule, actor=await neighbours.actor(), **ruling(objection, upheld=False))
    with pytest.raises(AlreadyRuled):
        await db.write(actions.rule, actor=await neighbours.actor(), **ruling(objection, upheld=True))


async def test_nobody_rules_on_their_own_line_or_their_household_s(neighbours):
    home = await neighbours.household()
    person, relative = [await neighbours.person(household_id=home) for _ in "ab"]
    award, objection = await disputed(neighbours, person)
    for judge in (person, relative):
        with pytest.raises(OwnMatter):
            await db.write(actions.rule, actor=Actor(judge), **ruling(objection, upheld=False))
    assert await neighbours.state(award) == "disputed"


async def test_whoever_recorded_an_objection_does_not_rule_on_it(neighbours):
    await neighbours.adopt(notice_days=1)
    made = await neighbours.act(await neighbours.person())
    await neighbours.midnight()
    clerk = await neighbours.actor()
    objection = await neighbours.object_to(made.award_id, recorded_by=clerk)
    with pytest.raises(OwnRecord):
        await db.write(actions.rule, actor=clerk, **ruling(objection, upheld=True))


async def test_whoever_depends_on_who_recorded_an_objection_does_not_rule_on_it_for_a_while(neighbours):
    await neighbours.adopt(notice_days=1)
    made = await neighbours.act(await neighbours.person())
    await neighbours.midnight()
    clerk, judge = await neighbours.actor(), await neighbours.actor()
    login = {"login": "straw", "password_hash": "", "must_change": False}
    await db.write(actions_staff.make_login, actor=clerk, person_id=judge.person_id, **login)
    objection = await neighbours.object_to(made.award_id, recorded_by=clerk)

    with pytest.raises(Dependent):
        await db.write(actions.rule, actor=judge, **ruling(objection, upheld=False))

    neighbours.clock.advance(days=8)
    await db.write(actions.rule, actor=judge, **ruling(objection, upheld=False))


async def test_an_objection_that_comes_too_late_holds_nothing_back(neighbours):
    await neighbours.adopt(notice_days=1)
    made = await neighbours.act(await neighbours.person())
    await neighbours.midnight()
    neighbours.clock.advance(days=1)
    with pytest.raises(NoticeOver):
        await neighbours.object_to(made.award_id)
    assert await neighbours.state(made.award_id) == "noticed"


class TestProvisional:
    async def stranger(self, neighbours):
        number = next(neighbours.numbers)
        device = await db.write(phones.make_device, token_digest=f"phone {number}".encode())
        return await db.write(
            people.register_provisional,
            community_id=neighbours.community_id,
            device_id=device,
            name="测试乙",
            phone=f"100{number:08}",
            consent_publication=True,
        )

    async def test_a_new_resident_earns_from_now_on(self, neighbours):
        await neighbours.adopt(notice_days=0)
        stranger = await self.stranger(neighbours)
        await db.write(actions.settle_provisional, actor=await neighbours.actor(), person_id=stranger, same_as=None)
        await neighbours.act(stranger)
        assert await neighbours.balance(stranger) == 20

    async def test_an_alias_earns_for_whom_it_turned_out_to_be(self, neighbours):
        await neighbours.adopt(notice_days=0)
        stranger, member = await self.stranger(neighbours), await neighbours.person()
        known = await db.write(
            actions.settle_provisional, actor=await neighbours.actor(), person_id=stranger, same_as=member
        )
        await neighbours.act(stranger)
        assert known == member
        assert await neighbours.balance(member) == 20
        assert await people_queries.ids_of(None, stranger) == sorted([stranger, member])

    async def test_nobody_settles_themselves_or_their_household(self, neighbours):
        home = await neighbours.household()
        admin, relative = [await neighbours.person(household_id=home) for _ in "ab"]
        stranger = await self.stranger(neighbours)
        for same_as in (admin, relative):
            with pytest.raises(OwnMatter):
                await db.write(actions.settle_provisional, actor=Actor(admin), person_id=stranger, same_as=same_as)
        with pytest.raises(OwnMatter):
            await db.write(actions.settle_provisional, actor=Actor(stranger), person_id=stranger, same_as=None)

    async def test_a_person_is_settled_once(self, neighbours):
        stranger, member, admin = await self.stranger(neighbours), await neighbours.person(), await neighbours.actor()
        with pytest.raises(BadMerge):
            await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=stranger + 1000)
        await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=None)
        for same_as in (None, member):
            with pytest.raises(NotSettled):
                await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=same_as)

    async def test_a_member_is_never_settled_as_somebody_else(self, neighbours):
        """His card and phone would spend the other's points, and his own would be out of reach."""
        await neighbours.adopt(notice_days=0)
        member, neighbour = await neighbours.person(), await neighbours.person()
        await neighbours.act(member)
        with pytest.raises(NotSettled):
            await db.write(
                actions.settle_provisional, actor=await neighbours.actor(), person_id=member, same_as=neighbour
            )
        assert await neighbours.balance(member) == 20
        assert await people_queries.ids_of(None, neighbour) == [neighbour]


async def test_a_reviewer_s_own_household_is_told_apart_after_a_merge(neighbours):
    """An alias of the admin is the admin."""
    await neighbours.adopt(notice_days=0)
    admin = await neighbours.person()
    alias = await TestProvisional().stranger(neighbours)
    await db.write(actions.settle_provisional, actor=await neighbours.actor(), person_id=alias, same_as=admin)
    with pytest.raises(awards.OwnAct):
        await neighbours.act(alias, confirmed_by=Actor(admin))
