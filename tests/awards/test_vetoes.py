"""Vetoes: told like a deduction, carried out once, within this scheme alone, and lifted by what is made good."""

import asyncio
from datetime import timedelta

import pytest

from pointsbank.approvals.rules import OwnRequest
from pointsbank.awards import queries_cases, queries_gate
from pointsbank.awards import verify as awards_verify
from pointsbank.awards.rules_cases import CaseMoved, CaseState, NoDeduction, NotTheirs, Step, Verdict, months_after
from pointsbank.awards.rules_gate import Barred
from pointsbank.kit import db
from pointsbank.kit.clock import start_of_day
from pointsbank.ledger import actions_gifts
from pointsbank.ledger import queries as ledger
from pointsbank.scoring.rules_table import Base, Veto
from tests.awards.cases import a_deduction, patrol_in
from tests.awards.neighbours import an_item

pytestmark = pytest.mark.both
SHED = Veto("V01", "私搭乱建", "no_redemption", 3, ground="居民公约第五条", make_good="拆掉")
NOISE = Veto("V02", "半夜放炮", "no_redemption", 6, ground="居民公约第六条", make_good="道歉")
FRAUD = Veto("V03", "冒领积分", "reset_to_base", ground="居民公约第七条", make_good="说清楚")


@pytest.fixture
async def patrol(neighbours, world):
    await neighbours.adopt(an_item(), a_deduction(), veto_rules=(SHED, NOISE, FRAUD), base=Base(60))
    return await patrol_in(neighbours, world)


async def account_of(person_id):
    book = await ledger.passbook_of(person_id=person_id, household_id=None, holder="person")
    return book.account_id


async def barred(patrol, person_id):
    """Up to which day nothing is redeemed, as it is said; None where it is."""
    account = await ledger.account(None, await account_of(person_id), today=patrol.today)
    shut = await queries_gate.why_shut(None, account)
    assert shut is None or isinstance(shut, Barred)
    return None if shut is None else shut.facts["day"]


async def case_of(case_id):
    return await queries_cases.case_in(None, case_id)


async def vetoed(patrol, person_id, code="V01"):
    """A veto whose days are over."""
    case = await patrol.found(person_id, item_code=code)
    patrol.pass_days((case.open_until - patrol.today).days + 1)
    return case


async def test_it_is_carried_out_once_when_its_days_are_over(patrol):
    person = await patrol.neighbours.person()
    await patrol.earn(person, 20)
    case = await patrol.found(person, item_code="V01")
    assert (case.step, case.points) == (Step.VETO, 0)
    while patrol.today <= case.open_until:
        assert (await patrol.book(), await barred(patrol, person)) == (0, None)
        patrol.pass_days(1)

    assert (await patrol.book(), await patrol.book()) == (1, 0)

    until = months_after(case.told_on, 3)
    booked = await case_of(case.id)
    assert (booked.state, booked.barred_until, booked.state_word) == (CaseState.BOOKED, until, "已执行")
    assert (await barred(patrol, person), await patrol.balance(person)) == (until.isoformat(), 20)
    patrol.neighbours.clock.set(start_of_day(until))
    assert await barred(patrol, person) == until.isoformat()
    patrol.neighbours.clock.set(start_of_day(until + timedelta(days=1)))
    assert await barred(patrol, person) is None


async def test_two_who_carry_it_out_at_once_do_so_once(patrol):
    person = await patrol.neighbours.person()
    await patrol.earn(person, 90)
    await vetoed(patrol, person, "V03")

    await asyncio.gather(*(patrol.book() for _ in "abc"))

    assert await patrol.balance(person) == 60
    assert await ledger.system_balances(patrol.neighbours.community_id) == {"issued": -90, "deducted": 30}


async def test_months_end_with_the_last_day_of_a_short_one(patrol):
    assert months_after(patrol.today.replace(month=11, day=30), 3) == patrol.today.replace(year=2027, month=2, day=28)


async def test_an_objection_stops_it_and_makes_it_no_longer(patrol):
    person, other = await patrol.neighbours.person(), await patrol.neighbours.person()
    cases = [await patrol.found(one, item_code="V01") for one in (person, other)]
    with pytest.raises(NotTheirs):
        await patrol.object_to(cases[0].id, other)
    for case, one in zip(cases, (person, other), strict=True):
        await patrol.object_to(case.id, one)
    patrol.pass_days(9)
    assert await patrol.book() == 0
    await patrol.rule(cases[0].id, Verdict.DISMISSED)
    await patrol.rule(cases[1].id, Verdict.UPHELD)
    patrol.pass_days(9)
    await patrol.book()

    assert await barred(patrol, person) == months_after(cases[0].told_on, 3).isoformat()
    assert (await barred(patrol, other), (await case_of(cases[1].id)).state) == (None, CaseState.DROPPED)


async def test_what_is_made_good_in_time_is_not_carried_out(patrol):
    person = await patrol.neighbours.person()
    case = await patrol.found(person, item_code="V01")
    await patrol.remedy(case.id)
    patrol.pass_days(9)
    assert await patrol.book() == 0
    await patrol.agree_remedy(case.id)
    await patrol.book()

    assert ((await case_of(case.id)).state, await barred(patrol, person)) == (CaseState.MADE_GOOD, None)


async def test_what_is_made_good_later_lifts_its_own_bar_and_no_other(patrol):
    person = await patrol.neighbours.person()
    short, long = await vetoed(patrol, person), await vetoed(patrol, person, "V02")
    await patrol.book()
    assert await barred(patrol, person) == months_after(long.told_on, 6).isoformat()
    await patrol.remedy(long.id)
    with pytest.raises(OwnRequest):
        await patrol.agree_remedy(long.id, actor=patrol.worker)

    await patrol.agree_remedy(long.id)

    assert await barred(patrol, person) == months_after(short.told_on, 3).isoformat()
    await patrol.remedy(short.id)
    await patrol.agree_remedy(short.id)
    assert await barred(patrol, person) is None
    with pytest.raises(CaseMoved):
        await patrol.remedy(short.id)


async def test_only_what_was_earned_and_is_free_goes_and_never_below_the_base(patrol):
    person = await patrol.neighbours.person()
    await patrol.earn(person, 100)
    await patrol.hold(person, 25)
    book = await ledger.passbook_of(person_id=person, household_id=None, holder="person")
    await db.write(
        actions_gifts.give_gift, community_id=patrol.neighbours.community_id, passbook_id=book.passbook_id, points=40,
        match_percent=50, expires_on=patrol.today + timedelta(days=99), posting_key="gift:test", member_id=person,
        source=("tests", "gift", 1), summary="测试",
    )  # fmt: skip
    case = await vetoed(patrol, person, "V03")
    await patrol.book()

    booked = await case_of(case.id)
    assert (booked.points, booked.taken, await patrol.balance(person)) == (80, 55, 85)
    assert tuple(await db.row("SELECT remaining FROM ledger_lot WHERE kind = 'gift'")) == (40,)
    again = await vetoed(patrol, person, "V03")
    await patrol.book()
    assert ((await case_of(again.id)).taken, await patrol.balance(person)) == (0, 85)


async def test_who_has_less_than_the_base_loses_nothing(patrol):
    person = await patrol.neighbours.person()
    await patrol.earn(person, 59)
    case = await vetoed(patrol, person, "V03")
    await patrol.book()

    booked = await case_of(case.id)
    assert (booked.points, booked.taken, booked.entry_id, await patrol.balance(person)) == (0, 0, None, 59)


async def test_a_veto_in_words_alone_cannot_be_found(patrol):
    with pytest.raises(NoDeduction):
        await patrol.make(await patrol.neighbours.person(), item_code="V09")


TAMPERED = {
    "a bar that no veto stands behind": "UPDATE awards_case SET barred_until = NULL, taken = 0",
    "another day": "UPDATE ledger_bar SET barred_until = '2099-01-01'",
    "no bar": "UPDATE ledger_bar SET barred_until = NULL",
}


@pytest.mark.tampers
@pytest.mark.parametrize("what", TAMPERED)
async def test_verify_finds_a_bar_that_differs_from_its_veto(patrol, what):
    await vetoed(patrol, await patrol.neighbours.person())
    await patrol.book()

    async def tamper(tx):
        await tx.run(TAMPERED[what])
        found.extend(await awards_verify.check(tx.rows))
        raise Undone

    found = []
    with pytest.raises(Undone):
        await db.write(tamper)

    assert {one.invariant for one in found} == {15}


class Undone(Exception):
    """What was tampered with is put back."""
