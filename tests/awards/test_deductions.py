"""Deductions: booked once when their days are over, stopped by an objection or by what is made good, never a debt."""

import asyncio
from datetime import timedelta

import pytest

from pointsbank.approvals.rules import OwnBenefit, OwnRequest
from pointsbank.awards import actions_back, actions_deductions, queries_cases
from pointsbank.awards import verify as awards_verify
from pointsbank.awards.rules_cases import (
    CaseChanged,
    CaseMoved,
    CaseState,
    NotTheirs,
    OverForObjecting,
    OwnCase,
    SameHands,
    Step,
    Verdict,
)
from pointsbank.kit import db
from pointsbank.kit.clock import start_of_day
from pointsbank.ledger import queries as ledger
from pointsbank.ledger.rules import WrongAmount
from pointsbank.ledger.rules_flows import What
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Basis, Cap, Period, Scope
from tests.awards.cases import a_deduction, patrol_in
from tests.awards.neighbours import an_item

pytestmark = pytest.mark.both


@pytest.fixture
async def patrol(neighbours, world):
    caps = (Cap(scope=Scope.PERSON, period=Period.MONTH, points=8),)
    await neighbours.adopt(an_item(), a_deduction(points=5), a_deduction("K02", points=5, floor=7, caps=caps))
    return await patrol_in(neighbours, world)


async def warned(patrol, points=0, item_code="K01"):
    """Somebody who was advised and warned, with points."""
    person = await patrol.neighbours.person()
    for _ in range(2):
        await patrol.found(person, item_code=item_code)
    if points:
        await patrol.earn(person, points)
    return person


async def state_of(case_id):
    return (await queries_cases.case_in(None, case_id)).state


async def test_it_is_booked_once_when_its_days_are_over(patrol):
    person = await warned(patrol, 20)
    case = await patrol.found(person)
    assert case.step == Step.DEDUCTION
    while patrol.today <= case.open_until:
        assert (await patrol.book(), await patrol.balance(person)) == (0, 20)
        patrol.pass_days(1)

    assert await patrol.book() == 1

    assert (await patrol.balance(person), await patrol.book()) == (15, 0)
    booked = await queries_cases.case_in(None, case.id)
    assert (booked.state, booked.taken) == (CaseState.BOOKED, 5)
    assert await ledger.system_balances(patrol.neighbours.community_id) == {"issued": -20, "deducted": 5}


async def test_two_who_book_at_once_book_once(patrol):
    person = await warned(patrol, 20)
    await patrol.found(person)
    patrol.pass_days(9)

    await asyncio.gather(*(db.write(actions_deductions.book_due) for _ in range(3)))

    assert await patrol.balance(person) == 15


async def test_what_is_not_there_is_no_debt(patrol):
    poor, nobody = await warned(patrol, 3), await warned(patrol)
    cases = [await patrol.found(one) for one in (poor, nobody)]
    patrol.pass_days(9)
    await patrol.book()

    assert (await patrol.balance(poor), await patrol.balance(nobody)) == (0, 0)
    assert [(await queries_cases.case_in(None, case.id)).taken for case in cases] == [3, 0]
    await patrol.earn(poor, 10)
    await patrol.book()
    assert await patrol.balance(poor) == 10


async def test_it_stops_at_its_floor_and_at_its_cap(patrol):
    above, below = await warned(patrol, 9, "K02"), await warned(patrol, 6, "K02")
    await patrol.found(below, item_code="K02")
    taken = [(await patrol.found(above, item_code="K02")).points for _ in "ab"]
    patrol.pass_days(9)
    await patrol.book()

    assert taken == [5, 3]  # of 8 a month
    assert (await patrol.balance(above), await patrol.balance(below)) == (7, 6)


async def test_held_points_are_not_taken(patrol):
    person = await warned(patrol, 6)
    await patrol.hold(person, 4)
    await patrol.found(person)
    patrol.pass_days(9)
    await patrol.book()

    assert await patrol.balance(person) == 4


async def test_an_objection_stops_it_until_somebody_else_has_ruled(patrol):
    person = await warned(patrol, 20)
    case = await patrol.found(person)
    await patrol.object_to(case.id, person)
    patrol.pass_days(9)
    await patrol.book()
    assert (await patrol.balance(person), await state_of(case.id)) == (20, CaseState.DISPUTED)

    for who in (patrol.worker, patrol.admin):
        with pytest.raises(SameHands):
            await patrol.rule(case.id, Verdict.DISMISSED, actor=who)
    await patrol.rule(case.id, Verdict.DISMISSED)
    assert await patrol.book() == 0  # as many days again to make it good
    patrol.pass_days(9)
    await patrol.book()

    assert await patrol.balance(person) == 15
    with pytest.raises(CaseMoved):
        await patrol.rule(case.id, Verdict.UPHELD)


async def test_what_was_objected_to_with_reason_never_counts(patrol):
    person = await patrol.neighbours.person()
    advice = await patrol.found(person)
    await patrol.object_to(advice.id, person)
    waiting = await patrol.make(person)  # while it is disputed nobody knows what it leads to
    await patrol.rule(advice.id, Verdict.UPHELD)

    assert await state_of(advice.id) == CaseState.DROPPED
    await patrol.agree(waiting)
    assert (await queries_cases.case_in(None, waiting)).step == Step.ADVICE


async def test_a_finding_that_would_lead_to_something_else_than_was_shown_is_not_confirmed(patrol):
    person = await patrol.neighbours.person()
    advice = await patrol.found(person)
    waiting = await patrol.make(person)
    await patrol.object_to(advice.id, person)

    with pytest.raises(CaseChanged):
        await patrol.agree(waiting)


async def test_the_cap_counts_nothing_of_what_was_dropped(patrol):
    person = await warned(patrol, 50, "K02")
    first = await patrol.found(person, item_code="K02")
    assert first.points == 5
    await patrol.object_to(first.id, person)
    await patrol.rule(first.id, Verdict.UPHELD)

    assert (await patrol.found(person, item_code="K02")).points == 5


async def test_one_objects_in_time_once_and_to_what_is_one_s_own(patrol, world):
    person, stranger = await warned(patrol, 20), await patrol.neighbours.person()
    case = await patrol.found(person)
    with pytest.raises(NotTheirs):
        await patrol.object_to(case.id, stranger)
    await patrol.object_to(case.id, person)
    with pytest.raises(CaseMoved):
        await patrol.object_to(case.id, person)
    await patrol.rule(case.id, Verdict.DISMISSED)
    with pytest.raises(OverForObjecting):
        await patrol.object_to(case.id, person)

    late = await patrol.found(person)
    patrol.pass_days(9)
    with pytest.raises(OverForObjecting):
        await patrol.object_to(late.id, person)


async def test_what_is_made_good_in_time_is_not_taken(patrol, world):
    person = await warned(patrol, 20)
    case = await patrol.found(person)
    await patrol.remedy(case.id)
    patrol.pass_days(9)
    await patrol.book()
    assert await patrol.balance(person) == 20  # a second person is still to look
    with pytest.raises(OwnRequest):
        await patrol.agree_remedy(case.id, actor=patrol.worker)

    await patrol.agree_remedy(case.id)

    assert await state_of(case.id) == CaseState.MADE_GOOD
    await patrol.book()
    assert await patrol.balance(person) == 20
    assert (await patrol.found(person)).step == Step.DEDUCTION  # it was found all the same


async def test_what_was_not_made_good_is_taken(patrol):
    person = await warned(patrol, 20)
    case = await patrol.found(person)
    await patrol.remedy(case.id)
    with pytest.raises(CaseMoved):
        await patrol.remedy(case.id)
    await db.write(actions_deductions.refuse_remedy, actor=patrol.admin, case_id=case.id, reason="还堆着")
    patrol.pass_days(9)
    with pytest.raises(CaseMoved):
        await patrol.remedy(case.id)
    await patrol.book()

    assert await patrol.balance(person) == 15


async def test_nobody_lets_their_own_household_off(patrol, world, neighbours):
    mate, _ = await world.staff(Role.COMMUNITY_ADMIN, world.communities[0])
    home = await people.home_of(None, mate.person_id)
    person = await neighbours.person(household_id=home.household_id)
    for _ in range(2):
        await patrol.found(person)
    case = await patrol.found(person)
    with pytest.raises(OwnCase):
        await patrol.remedy(case.id, actor=mate)
    await patrol.remedy(case.id)
    with pytest.raises(OwnBenefit):
        await patrol.agree_remedy(case.id, actor=mate)
    await patrol.object_to(case.id, person)
    with pytest.raises(OwnCase):
        await patrol.rule(case.id, Verdict.UPHELD, actor=mate)


async def test_of_an_objection_and_the_booking_at_once_one_comes_first(patrol):
    person = await warned(patrol, 20)
    case = await patrol.found(person)
    patrol.neighbours.clock.set(start_of_day(case.open_until + timedelta(days=1)))
    late, _ = await asyncio.gather(
        patrol.object_to(case.id, person), db.write(actions_deductions.book_due), return_exceptions=True
    )

    assert isinstance(late, OverForObjecting | CaseMoved)
    assert await patrol.balance(person) == 15


async def test_a_deduction_is_reversed_like_any_other_entry(patrol):
    person = await warned(patrol, 20)
    case = await patrol.found(person)
    patrol.pass_days(9)
    await patrol.book()
    entry_id = (await queries_cases.case_in(None, case.id)).entry_id

    await db.write(
        actions_back.take_back, actor=patrol.admin, community_id=patrol.neighbours.community_id, entry_id=entry_id,
        way=What.REVERSAL, reason="not_so", note="",
    )  # fmt: skip

    assert await patrol.balance(person) == 20


DEDUCTIONS = 10
"""The invariant of the door plate that these break."""
TAMPERED = {
    "another amount": "UPDATE awards_case SET taken = 4 WHERE state = 'booked'",
    "no entry": "UPDATE awards_case SET entry_id = NULL WHERE state = 'booked'",
    "another passbook": "UPDATE awards_case SET passbook_id = (SELECT MIN(id) FROM ledger_passbook)",
    "nobody who confirmed it": "UPDATE awards_case SET approval_id = NULL WHERE state = 'booked'",
    "a warning that took points": "UPDATE awards_case SET points = 0, taken = 0, step = 'warning'",
}


TRIGGERS = ("awards_case_ended", "awards_case_final", "approvals_approval_final")


async def test_verify_finds_a_deduction_that_differs_from_its_entry(patrol, engine):
    await warned(patrol, 5)
    person = await warned(patrol, 20)
    await patrol.found(person)
    patrol.pass_days(9)
    await patrol.book()
    found = {}

    async def tamper(tx, *, what):
        for name in TRIGGERS:
            on_table = "" if engine == "sqlite" else f" ON {name.rpartition('_')[0]}"
            await tx.rows(f"DROP TRIGGER {name}_update{on_table}")
        await tx.run(TAMPERED[what])
        findings = await awards_verify.check(tx.rows)
        found[what] = {one.what for one in findings if one.invariant == DEDUCTIONS}
        raise Undone

    for what in TAMPERED:
        with pytest.raises(Undone):
            await db.write(tamper, what=what)

    assert all(found.values())
    assert set().union(*found.values()) == {what for number, what, _ in awards_verify.CHECKS if number == DEDUCTIONS}


class Undone(Exception):
    """What was tampered with is put back."""


async def test_nothing_is_confirmed_that_one_entry_could_not_take(neighbours, world):
    counted = a_deduction("K03", basis=Basis.PER_ITEM, points=101, counted="袋")
    await neighbours.adopt(an_item(), counted, a_deduction(points=5))
    patrol = await patrol_in(neighbours, world)
    person, other = await warned(patrol, item_code="K03"), await warned(patrol, 20)
    case_id = await patrol.make(person, item_code="K03", quantity=10_000)

    with pytest.raises(WrongAmount):
        await patrol.agree(case_id)
    case = await patrol.found(other)
    patrol.pass_days((case.open_until - patrol.today).days + 1)

    assert await patrol.book() == 1
    assert await patrol.balance(other) == 15
