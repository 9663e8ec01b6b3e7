"""Findings: advice first, then warnings; made by one person, confirmed by another, told in writing."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from pointsbank.approvals.rules import FactsChanged, OwnBenefit, OwnRequest, facts_hash
from pointsbank.awards import actions_cases, queries_cases
from pointsbank.awards.rules_cases import (
    CaseMoved,
    CaseState,
    FoundAlready,
    NoDeduction,
    NotBrought,
    NotYet,
    OwnCase,
    Step,
    TooLongAgo,
)
from pointsbank.kit import db
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from pointsbank.scoring.rules import FactMissing, FactNotCounted, Noted, NotInTable, UnknownItem, ValueNotFixed
from pointsbank.scoring.rules_table import Basis, Level, Veto
from pointsbank.trail import queries as trail
from tests.awards.cases import a_deduction, days_before, patrol_in
from tests.awards.neighbours import an_item
from tests.world import Community, World

pytestmark = pytest.mark.both


@pytest.fixture
async def patrol(neighbours, world):
    await neighbours.adopt(an_item(), a_deduction(), a_deduction("K02", name="车占通道"))
    return await patrol_in(neighbours, world)


async def test_advice_comes_first_then_a_warning_then_what_would_be_taken(patrol, neighbours):
    person = await neighbours.person()

    steps = [(case.step, case.points) for case in [await patrol.found(person) for _ in range(4)]]

    assert steps == [(Step.ADVICE, 0), (Step.WARNING, 0), (Step.DEDUCTION, 2), (Step.DEDUCTION, 2)]


LEVELS = {"basis": Basis.PER_LEVEL, "points": None, "levels": (Level("轻微", 1), Level("严重", 8))}


async def test_a_level_or_a_value_within_its_range_says_what_is_taken(neighbours, world):
    await neighbours.adopt(an_item(), a_deduction(**LEVELS), a_deduction("K02", name="车占通道", range_max=9))
    patrol, person = await patrol_in(neighbours, world), await neighbours.person()
    grave, six = Noted(level="严重"), Noted(fixed_points=6)

    for item_code, noted, points in (("K01", grave, 8), ("K02", six, 6)):
        told = [await patrol.found(person, item_code=item_code, noted=noted) for _ in range(3)]
        assert [(case.points, case.noted) for case in told] == [(0, noted), (0, noted), (points, noted)]


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({}, FactMissing),
        ({"noted": Noted(level="特别严重")}, NotInTable),
        ({"noted": Noted(level="严重", fixed_points=3)}, FactNotCounted),
        ({"noted": Noted(level="严重"), "quantity": 2}, FactNotCounted),
        ({"item_code": "K02", "noted": Noted(fixed_points=10)}, ValueNotFixed),
        ({"item_code": "K03", "noted": Noted(level="严重")}, FactNotCounted),
    ],
)
async def test_what_a_deduction_does_not_count_or_lacks_is_refused(neighbours, world, asked, refused):
    veto = Veto("K03", "测试私拆承重墙", "no_redemption", 3, ground="测试村规", make_good="恢复")
    items = a_deduction(**LEVELS), a_deduction("K02", name="车占通道", range_max=9)
    await neighbours.adopt(an_item(), *items, veto_rules=(veto,))
    patrol = await patrol_in(neighbours, world)

    with pytest.raises(refused):
        await patrol.make(await neighbours.person(), **asked)


async def test_another_level_than_was_seen_is_not_confirmed(neighbours, world):
    await neighbours.adopt(an_item(), a_deduction(**LEVELS))
    patrol = await patrol_in(neighbours, world)
    case = await queries_cases.case_in(None, await patrol.make(await neighbours.person(), noted=Noted(level="轻微")))
    other = msgspec.structs.replace(case, noted=Noted(level="严重"))

    assert facts_hash(other.facts) != facts_hash(case.facts)


async def test_another_item_and_another_person_begin_anew(patrol, neighbours):
    person, mate = await neighbours.person(), await neighbours.person("测试乙")
    await patrol.found(person)

    assert (await patrol.found(person, item_code="K02")).step == Step.ADVICE
    assert (await patrol.found(mate)).step == Step.ADVICE


async def test_what_was_told_longer_ago_than_the_months_of_the_process_no_longer_counts(patrol, neighbours):
    person = await neighbours.person()
    await patrol.found(person)
    patrol.pass_days(180)  # from 21 November to 20 May, and one that passed already

    assert (await patrol.found(person)).step == Step.ADVICE


async def test_several_findings_before_the_advice_came_are_no_reason_to_warn(patrol, neighbours):
    """Found on three days, confirmed and told in one minute."""
    person = await neighbours.person()
    cases = [await patrol.make(person, found_on=days_before(patrol.today, days)) for days in (2, 1, 0)]
    for case_id in cases:
        await patrol.tell(await patrol.agree(case_id))

    assert {(await queries_cases.case_in(None, one)).step for one in cases} == {Step.ADVICE}


async def test_a_letter_that_nobody_got_does_not_count(patrol, neighbours):
    person = await neighbours.person()
    await patrol.agree(await patrol.make(person))
    patrol.pass_days(2)

    assert (await patrol.found(person)).step == Step.ADVICE


async def test_the_rules_are_those_of_the_day_on_which_it_was_found(patrol, neighbours):
    person = await neighbours.person()
    await neighbours.adopt_from_tomorrow(an_item())
    found_on = patrol.today
    patrol.pass_days(3)

    with pytest.raises(NoDeduction):
        await patrol.make(person)
    assert await patrol.make(person, found_on=found_on)


async def test_a_day_to_come_and_one_too_long_ago_are_refused(patrol, neighbours):
    person = await neighbours.person()
    with pytest.raises(NotYet):
        await patrol.make(person, found_on=patrol.today + timedelta(days=1))
    with pytest.raises(TooLongAgo):
        await patrol.make(person, found_on=days_before(patrol.today, 31))
    with pytest.raises(NoDeduction):
        await patrol.make(person, item_code="A01")


async def test_one_day_one_finding_of_an_item(patrol, neighbours):
    person = await neighbours.person()
    asked = await asyncio.gather(*(patrol.make(person) for _ in range(3)), return_exceptions=True)

    assert sorted(type(one).__name__ for one in asked) == ["FoundAlready", "FoundAlready", "int"]
    [made] = [one for one in asked if isinstance(one, int)]
    await db.write(actions_cases.refuse, actor=patrol.admin, case_id=made, reason="看错了")
    assert await patrol.make(person)
    with pytest.raises(FoundAlready):
        await patrol.make(person)


async def test_in_a_household_s_passbook_a_finding_counts_for_all_who_live_there(families, settings):
    place = Community(families.community_id, families.building_id, 0, 0, 0)
    world = World(families.clock, settings, families.street_id, [place])
    await families.adopt(a_deduction())
    patrol = await patrol_in(families, world)
    home = await families.household()
    one, other = [await families.person(household_id=home) for _ in "ab"]
    await patrol.found(one)

    assert (await patrol.found(other)).step == Step.WARNING
    assert await queries_cases.letters_to(one, since=days_before(patrol.today, 9)) != []


async def test_nobody_confirms_what_they_wrote_down_or_what_concerns_their_household(patrol, neighbours, world):
    mate, _ = await world.staff(Role.COMMUNITY_ADMIN, world.communities[0])
    home = await people.home_of(None, mate.person_id)
    person = await neighbours.person(household_id=home.household_id)
    with pytest.raises(OwnCase):
        await patrol.make(person, actor=mate)
    case_id = await patrol.make(person)
    with pytest.raises(OwnRequest):
        await patrol.agree(case_id, actor=patrol.worker)
    with pytest.raises(OwnBenefit):
        await patrol.agree(case_id, actor=mate)
    with pytest.raises(FactsChanged):
        await db.write(actions_cases.agree, actor=patrol.admin, case_id=case_id, seen="what was never shown")

    await patrol.agree(case_id)
    with pytest.raises(OwnCase):
        await patrol.tell(case_id, actor=mate)
    told = [(one.verb, one.person_id) for one in await trail.history(("case", case_id))]
    assert told == [("case.made", patrol.worker.person_id), ("case.agreed", patrol.admin.person_id)]


async def test_what_was_decided_is_not_decided_again(patrol, neighbours):
    person = await neighbours.person()
    case_id = await patrol.make(person)
    done = await asyncio.gather(*(patrol.agree(case_id) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) in (["AlreadyDecided", "int"], ["CaseMoved", "int"])
    for act, facts in ((actions_cases.refuse, {"reason": "看错了"}), (actions_cases.withdraw, {})):
        with pytest.raises(CaseMoved):
            await db.write(act, actor=patrol.worker, case_id=case_id, **facts)

    await patrol.tell(case_id)
    with pytest.raises(CaseMoved):
        await patrol.tell(case_id)


async def test_a_letter_is_not_told_before_it_was_confirmed_or_in_days_to_come(patrol, neighbours):
    person = await neighbours.person()
    case_id = await patrol.agree(await patrol.make(person))
    for day in (days_before(patrol.today, 1), patrol.today + timedelta(days=1)):
        with pytest.raises(NotBrought):
            await patrol.tell(case_id, told_on=day)


async def test_its_maker_takes_it_back_while_nobody_has_confirmed(patrol, neighbours):
    person = await neighbours.person()
    case_id = await patrol.make(person)
    await db.write(actions_cases.withdraw, actor=patrol.worker, case_id=case_id)

    assert (await queries_cases.case_in(None, case_id)).state == CaseState.WITHDRAWN
    assert await queries_cases.letters_to(person, since=patrol.today) == []


async def test_nobody_does_a_deduction_as_a_deed(patrol, neighbours):
    with pytest.raises(UnknownItem):
        await neighbours.act(await neighbours.person(), item="K01")
