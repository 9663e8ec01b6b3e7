"""What was found when its holders move, turn out to be one, or die: nobody pays for others, nobody slips away."""

from datetime import timedelta

import pytest

from pointsbank.app import verifying
from pointsbank.approvals import queries as approvals
from pointsbank.awards import actions_cases, queries_cases, queries_gate
from pointsbank.awards.rules_cases import CaseMoved, CaseState
from pointsbank.governance import actions as settling
from pointsbank.governance import actions_people
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions_bars
from pointsbank.ledger import queries as ledger
from pointsbank.people import queries as people
from pointsbank.people import queries_own as own
from pointsbank.scoring import actions as scoring
from pointsbank.scoring.rules_table import Base, Veto
from tests.awards.cases import Patrol, a_deduction, patrol_in
from tests.awards.neighbours import LONG_AGO, a_table, an_item, settle_in
from tests.governance.merging import merge
from tests.governance.test_estates import inherit
from tests.ledger.test_vouchers import admin
from tests.world import Community, World

pytestmark = pytest.mark.both
SHED = Veto("V01", "私搭乱建", "no_redemption", 3, ground="居民公约第五条", make_good="拆掉")
FRAUD = Veto("V02", "冒领积分", "reset_to_base", ground="居民公约第七条", make_good="说清楚")


async def patrolled(clock, settings, holder) -> Patrol:
    neighbours = await settle_in(clock, holder)
    place = Community(id=neighbours.community_id, building_id=neighbours.building_id, outlet_id=0, counter_id=0,
                      version_id=0)  # fmt: skip
    table = a_table(an_item(), a_deduction(points=5), veto_rules=(SHED, FRAUD), base=Base(10))
    await db.write(scoring.adopt, community_id=place.id, table=table, in_force_from=LONG_AGO)
    return await patrol_in(neighbours, World(clock, settings, neighbours.street_id, [place]))


@pytest.fixture
async def persons(database, clock, settings):
    return await patrolled(clock, settings, "person")


@pytest.fixture
async def families(database, clock, settings):
    return await patrolled(clock, settings, "household")


async def book_of(person_id):
    holder = await people.holder_of(None, person_id)
    return await ledger.passbook_of(person_id=person_id, household_id=holder.household_id, holder=holder.kind)


async def is_barred(patrol, person_id):
    account = await ledger.account(None, (await book_of(person_id)).account_id, today=patrol.today)
    return await queries_gate.why_shut(None, account) is not None


async def move(patrol, *person_ids, door):
    return await db.write(
        actions_people.move, actor=await admin(patrol.world), community_id=patrol.place.id, person_ids=list(person_ids),
        building_id=patrol.place.building_id, door=door, reason="split", share=0,
    )  # fmt: skip


async def carried_out(patrol, person_id, code="V01"):
    case = await patrol.found(person_id, item_code=code)
    patrol.pass_days(9)
    await patrol.book()
    return await state_of(case.id)


async def state_of(case_id):
    return await queries_cases.case_in(None, case_id)


async def test_who_turns_out_to_be_somebody_barred_is_barred_and_made_good_once(persons):
    patrol = persons
    alias, kept = await patrol.neighbours.person("测试甲"), await patrol.neighbours.person("测试甲")
    for one in (alias, kept):
        await patrol.earn(one, 20)
    case = await carried_out(patrol, alias)
    await merge(patrol.world, alias, kept)

    assert await is_barred(patrol, kept)
    await patrol.remedy(case.id)
    await patrol.agree_remedy(case.id)
    assert not await is_barred(patrol, kept)


async def part(patrol, kept):
    [merged] = await own.merges_into(kept)
    asked = {"merge_id": merged.id, "reason": "两位同名"}
    parted = await db.write(actions_people.separate, actor=await admin(patrol.world), **asked)
    return parted.person_id


async def settle(patrol, person_id):
    return await db.write(settling.settle_provisional, actor=await admin(patrol.world), person_id=person_id,
                          same_as=None)  # fmt: skip


async def test_who_was_wrongly_taken_for_somebody_barred_is_free_again_and_the_barred_one_is_not(persons):
    patrol = persons
    alias, kept = await patrol.neighbours.person("测试甲"), await patrol.neighbours.person("测试甲")
    for one in (alias, kept):
        await patrol.earn(one, 20)
    for _ in range(2):
        await patrol.found(alias)
    barring = await carried_out(patrol, alias)
    taking = await patrol.found(alias)
    of_kept = await patrol.found(kept)
    await merge(patrol.world, alias, kept)
    assert await is_barred(patrol, kept)

    assert await part(patrol, kept) == alias
    assert (await is_barred(patrol, alias), await is_barred(patrol, kept)) == (True, False)
    books = [(await book_of(one)).passbook_id for one in (alias, kept)]
    assert [(await state_of(one.id)).passbook_id for one in (barring, taking, of_kept)] == [
        books[0],
        books[0],
        books[1],
    ]
    patrol.pass_days(9)
    await patrol.book()
    assert ((await state_of(taking.id)).taken, await patrol.balance(kept)) == (0, 40)
    await settle(patrol, alias)
    await patrol.remedy(barring.id)
    await patrol.agree_remedy(barring.id)
    assert not await is_barred(patrol, alias)
    assert [found for found in await verifying.of_other_rooms() if found.invariant == 15] == []


async def test_a_bar_of_a_family_that_was_wrongly_taken_along_goes_with_who_was_barred(families):
    patrol = families
    alias, kept = await patrol.neighbours.person("测试甲"), await patrol.neighbours.person("测试甲")
    await patrol.earn(alias, 20)
    await patrol.earn(kept, 20)
    await carried_out(patrol, alias)
    await merge(patrol.world, alias, kept)
    assert await is_barred(patrol, kept)

    await part(patrol, kept)
    await settle(patrol, alias)
    assert (await is_barred(patrol, alias), await is_barred(patrol, kept)) == (True, False)


async def test_a_bar_of_a_family_stays_where_one_of_its_records_was_another_s_for_a_while(families):
    patrol = families
    home = await patrol.neighbours.household()
    alias, kept = [await patrol.neighbours.person("测试甲", household_id=home) for _ in range(2)]
    await patrol.earn(alias, 20)
    case = await carried_out(patrol, alias)
    await merge(patrol.world, alias, kept)

    await part(patrol, kept)
    assert await is_barred(patrol, kept)
    assert (await state_of(case.id)).passbook_id == (await book_of(kept)).passbook_id


async def test_open_findings_follow_a_merged_record_to_its_points(persons):
    patrol = persons
    alias, kept = await patrol.neighbours.person("测试甲"), await patrol.neighbours.person("测试甲")
    for _ in range(2):
        await patrol.found(alias)
    await patrol.earn(alias, 20)
    taking, reset = [await patrol.found(alias, item_code=code) for code in ("K01", "V02")]
    await merge(patrol.world, alias, kept)
    await patrol.object_to(reset.id, kept)  # the letter is the kept record's by now
    patrol.pass_days(9)
    await patrol.book()

    assert (await patrol.balance(kept), (await state_of(taking.id)).taken) == (15, 5)
    assert (await state_of(reset.id)).state == CaseState.DISPUTED


async def test_a_bar_moves_house_with_the_whole_family_and_hits_no_host(families):
    patrol = families
    home = await patrol.neighbours.household()
    one, mate = [await patrol.neighbours.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    await patrol.earn(one, 20)
    await carried_out(patrol, one)
    await move(patrol, one, mate, door="901")
    assert await is_barred(patrol, mate)

    host = await patrol.neighbours.person("测试丙")
    await patrol.earn(host, 20)
    await move(patrol, host, door="902")
    await move(patrol, one, mate, door="902")
    assert not await is_barred(patrol, host)
    assert await patrol.balance(one) == 40


async def test_who_leaves_a_barred_family_is_free_and_the_family_is_not(families):
    patrol = families
    home = await patrol.neighbours.household()
    one, mate = [await patrol.neighbours.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    await patrol.earn(one, 20)
    await carried_out(patrol, one)
    await move(patrol, mate, door="901")
    await patrol.earn(mate, 5)

    assert (await is_barred(patrol, one), await is_barred(patrol, mate)) == (True, False)


async def test_a_pending_veto_takes_nothing_from_a_family_that_took_them_in_but_a_deduction_does(families):
    patrol = families
    one, host = await patrol.neighbours.person("测试甲"), await patrol.neighbours.person("测试丙")
    await patrol.earn(one, 20)
    await patrol.earn(host, 50)
    for _ in range(2):
        await patrol.found(one)
    reset, taking = await patrol.found(one, item_code="V02"), await patrol.found(one)
    await move(patrol, host, door="902")
    await move(patrol, one, door="902")
    patrol.pass_days(9)
    await patrol.book()

    assert (await state_of(reset.id)).state == CaseState.DROPPED
    assert ((await state_of(taking.id)).taken, await patrol.balance(host)) == (5, 65)


async def test_a_gate_that_was_passed_stays_passed_in_a_new_home(families):
    patrol = families
    home = await patrol.neighbours.household()
    one = await patrol.neighbours.person("测试甲", household_id=home)
    await patrol.earn(one, 20)
    await db.write(actions_bars.pass_gate, passbook_id=(await book_of(one)).passbook_id)
    (kind_id,) = await db.row("SELECT id FROM ledger_book_kind WHERE community_id = ?", patrol.place.id)
    await db.write(actions_bars.set_gate, kind_id=kind_id, minutes=600)
    await move(patrol, one, door="901")

    assert not await is_barred(patrol, one)


async def test_nobody_inherits_what_was_found_of_the_dead(persons):
    patrol = persons
    dead, heir = await patrol.neighbours.person("测试甲"), await patrol.neighbours.person("测试乙")
    for _ in range(2):
        await patrol.found(dead)
    await patrol.earn(dead, 20)
    told, disputed = [await patrol.found(dead, item_code=code) for code in ("K01", "V01")]
    await patrol.object_to(disputed.id, dead)
    waiting = await patrol.make(dead, item_code="V02")
    await inherit(patrol.world, dead, heir)
    patrol.pass_days(9)
    await patrol.book()

    assert (await patrol.balance(heir), await is_barred(patrol, heir)) == (20, False)
    ended = [(await state_of(one)).state for one in (told.id, disputed.id, waiting)]
    assert ended == [CaseState.DROPPED, CaseState.DROPPED, CaseState.WITHDRAWN]
    approval_id = (await state_of(waiting)).approval_id
    assert (await approvals.approval(None, approval_id)).state == "withdrawn"
    with pytest.raises(CaseMoved):
        await db.write(actions_cases.tell, actor=patrol.worker, case_id=told.id, told_on=local_day(
            patrol.neighbours.clock.now() - timedelta(days=9)), how="in_person")  # fmt: skip
