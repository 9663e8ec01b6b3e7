"""Who may have signed in as somebody through whose hands an award went takes none of its next steps."""

import pytest

from pointsbank.approvals.rules import Dependent
from pointsbank.awards import actions, queries_cases
from pointsbank.awards.rules import Reason
from pointsbank.awards.rules_cases import CaseState, Verdict
from pointsbank.awards.rules_panel import TooFewNamed
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.people import actions_staff
from pointsbank.people.access import Role
from tests.awards.cases import a_deduction, patrol_in
from tests.awards.neighbours import ADMIN, an_item
from tests.awards.panels import Hall, judged

pytestmark = pytest.mark.both


@pytest.fixture
def hall(neighbours) -> Hall:
    return Hall(neighbours)


async def appoint(neighbours, by: Actor, person_id: int | None = None, role: Role = Role.COMMUNITY_ADMIN) -> Actor:
    person_id = person_id or (await neighbours.actor()).person_id
    facts = {"role": role.value, "place_id": neighbours.community_id}
    await db.write(actions_staff.grant, actor=by, person_id=person_id, **facts)
    return Actor(person_id)


async def review(award_id: int, actor: Actor, reason: Reason | None = None):
    return await db.write(actions.review, actor=actor, award_id=award_id, passed=reason is None, reason=reason)


class TestChains:
    async def test_whom_the_organiser_appointed_reviews_nothing_of_theirs_for_seven_days(self, neighbours):
        """7."""
        await neighbours.adopt(notice_days=0)
        organiser, other = await neighbours.actor(), await neighbours.actor()
        straw = await appoint(neighbours, organiser)
        made = [await neighbours.act(await neighbours.person(), item="B01", confirmed_by=organiser) for _ in "ab"]

        for reason in (None, Reason.TWICE):
            with pytest.raises(Dependent) as refused:
                await review(made[0].award_id, straw, reason)
            assert refused.value.facts == {"day": "2026-11-29"}  # appointed on the 21st
        assert await review(made[0].award_id, other) == "settled"
        neighbours.clock.advance(days=7)
        with pytest.raises(Dependent):
            await review(made[1].award_id, straw)
        neighbours.clock.advance(hours=12)
        assert await review(made[1].award_id, straw) == "settled"

    async def test_it_goes_both_ways_and_through_a_third(self, neighbours):
        await neighbours.adopt(notice_days=0)
        root = await neighbours.actor()
        first = await appoint(neighbours, root)
        second = await appoint(neighbours, root)

        for organiser in (root, first):
            made = await neighbours.act(await neighbours.person(), item="B01", confirmed_by=organiser)
            for reviewer in {root, first, second} - {organiser}:
                with pytest.raises(Dependent):
                    await review(made.award_id, reviewer)

    async def test_of_several_at_once_one_is_enough(self, neighbours):
        """All or none, also where others stand before it."""
        await neighbours.adopt(notice_days=0)
        organiser, other = await neighbours.actor(), await neighbours.actor()
        straw = await appoint(neighbours, organiser)
        made = [
            (await neighbours.act(await neighbours.person(), item="B01", confirmed_by=by)).award_id
            for by in (other, other, organiser)
        ]

        with pytest.raises(Dependent):
            await db.write(
                actions.review_all, actor=straw, community_id=neighbours.community_id, award_ids=made, passed=True,
                reason=None,
            )  # fmt: skip

        assert [await neighbours.state(one) for one in made] == ["pending"] * 3


class TestPanels:
    async def test_whom_the_organiser_named_is_not_drawn_for_seven_days(self, hall, neighbours):
        """7."""
        await neighbours.adopt(judged(2, 2), notice_days=0)
        organiser = await neighbours.actor()
        straws = {(await appoint(neighbours, organiser, role=Role.PANEL_MEMBER)).person_id for _ in "abc"}
        others = await hall.named(2)

        assert sorted(await hall.seated(await hall.deed(confirmed_by=organiser))) == others

        neighbours.clock.advance(days=8)
        seated = [await hall.seated(await hall.deed(confirmed_by=organiser)) for _ in range(12)]
        assert straws & {person for panel in seated for person in panel}

    async def test_a_draw_waits_while_too_few_are_independent_and_comes_when_they_are(self, hall, neighbours):
        await neighbours.adopt(judged(2, 2), notice_days=0)
        organiser = await neighbours.actor()
        for _ in "ab":
            await appoint(neighbours, organiser, role=Role.PANEL_MEMBER)
        award = await hall.deed(confirmed_by=organiser)
        assert (await hall.seated(award), await hall.fill()) == ([], 0)

        neighbours.clock.advance(days=8)

        assert await hall.fill() == 1
        assert len(await hall.seated(award)) == 2

    async def test_whoever_appointed_the_organiser_is_not_drawn(self, hall, neighbours):
        await neighbours.adopt(judged(1, 1), notice_days=0)
        [member] = await hall.named(1)
        organiser = await appoint(neighbours, Actor(member), role=Role.EVENT_ORGANISER)

        assert await hall.seated(await hall.deed(confirmed_by=organiser)) == []

    async def test_whoever_is_appointed_after_the_draw_does_not_vote(self, hall, neighbours):
        await neighbours.adopt(judged(1, 1), notice_days=0)
        [member] = await hall.named(1)
        organiser = await neighbours.actor()
        award = await hall.deed(confirmed_by=organiser)
        await appoint(neighbours, organiser, member, role=Role.EVENT_ORGANISER)

        with pytest.raises(Dependent):
            await hall.vote(award, member)

        neighbours.clock.advance(days=8)
        assert await hall.vote(award, member) == "settled"

    async def test_where_nobody_is_drawn_a_straw_neither_votes_nor_counts(self, hall, neighbours):
        await neighbours.adopt(judged(2, 2, drawn=False), notice_days=0)
        organiser = await neighbours.actor()
        straw = await appoint(neighbours, organiser, role=Role.PANEL_MEMBER)
        [member] = await hall.named(1)
        award = await hall.deed(confirmed_by=organiser)

        with pytest.raises(Dependent):
            await hall.vote(award, straw.person_id)
        with pytest.raises(TooFewNamed):
            await hall.vote(award, member)

    async def test_whom_a_reviewer_before_it_named_is_not_drawn(self, hall, neighbours):
        await neighbours.adopt(an_item(review=(ADMIN, "panel"), panel=judged(1, 1).panel), notice_days=0)
        reviewer = await neighbours.actor()
        await appoint(neighbours, reviewer, role=Role.PANEL_MEMBER)

        by_straws, by_others = await hall.deed(), await hall.deed()
        await review(by_straws, reviewer)
        await review(by_others, await neighbours.actor())

        assert await hall.seated(by_straws) == []
        assert len(await hall.seated(by_others)) == 1


class TestFindings:
    async def test_whom_one_of_its_hands_appointed_does_not_rule_on_an_objection(self, neighbours, world):
        await neighbours.adopt(an_item(), a_deduction(), notice_days=0)
        patrol = await patrol_in(neighbours, world)
        case = await patrol.found(person := await neighbours.person())
        await patrol.object_to(case.id, person)

        for hand in (patrol.worker, patrol.admin):
            straw = await appoint(neighbours, hand)
            for verdict in Verdict:
                with pytest.raises(Dependent):
                    await patrol.rule(case.id, verdict, actor=straw)
        assert (await queries_cases.case_in(None, case.id)).state == CaseState.DISPUTED

        await patrol.rule(case.id, Verdict.UPHELD)
        assert (await queries_cases.case_in(None, case.id)).state == CaseState.DROPPED
