"""Before so many minutes of service nothing is redeemed; what was served counts wherever and whenever it was."""

import itertools
from datetime import timedelta
from types import SimpleNamespace

import pytest

from pointsbank.awards import actions as awards
from pointsbank.awards import actions_back, actions_gate, queries_gate
from pointsbank.awards.rules_cases import months_after
from pointsbank.awards.rules_gate import Barred, GateShut, hours_wanted
from pointsbank.governance import actions_people as moves
from pointsbank.kit import db
from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.kit.db import Actor
from pointsbank.ledger import actions_bars
from pointsbank.ledger import queries as ledger
from pointsbank.ledger.rules_flows import What
from pointsbank.people import actions as people
from pointsbank.people.access import Role
from pointsbank.scoring import actions as scoring
from pointsbank.scoring.rules_table import Veto
from tests.awards.cases import Patrol
from tests.awards.neighbours import LONG_AGO, a_table, an_item
from tests.scoring.lives import lived
from tests.world import Community, World

pytestmark = pytest.mark.both
numbers = itertools.count(1)
GATE = 600


async def adopt(shop, gate_minutes=GATE, **changes):
    table = a_table(an_item(), notice_days=0, gate_minutes=gate_minutes, **changes)
    await db.write(scoring.adopt, community_id=shop.community_id, table=table, in_force_from=LONG_AGO)
    return await db.write(actions_gate.set_due)


async def change(shop, gate_minutes):
    """The next version, in force from tomorrow on."""
    shop.clock.advance(days=30)  # the version before it is in force
    person_id = (await shop.member()).person_id
    table = a_table(an_item(), notice_days=0, gate_minutes=gate_minutes)
    tomorrow = local_day(shop.clock.now()) + timedelta(days=1)
    await lived(shop.clock, Actor(person_id), shop.community_id, table, tomorrow)
    shop.clock.advance(days=1)
    return await db.write(actions_gate.set_due)


async def serve(shop, member, minutes):
    return await db.write(
        awards.record_act,
        actor=shop.staff,
        community_id=shop.community_id,
        person_id=member.person_id,
        source=("tests", "attendance", next(numbers)),
        item_code="A01",
        what="楼道清洁",
        evidence="screen",
        began_at=shop.clock.now() - timedelta(hours=20),
        minutes=minutes,
        planned_minutes=minutes,
        reviewed_by=shop.staff.person_id,
    )


async def refused(shop, member):
    """What is said at the counter; nothing where the visit is opened."""
    try:
        await shop.visit(member)
    except (GateShut, Barred) as shut:
        return shut.facts
    return None


def test_what_is_left_is_told_in_tenths_of_an_hour_and_never_as_less():
    assert [hours_wanted(minutes) for minutes in (1, 6, 7, 60, 90, 91, 720)] == [
        "0.1", "0.1", "0.2", "1", "1.5", "1.6", "12",
    ]  # fmt: skip


async def test_nothing_is_redeemed_before_the_gate_and_from_its_last_minute_on(shop):
    assert (await adopt(shop), await db.write(actions_gate.set_due)) == (1, 0)
    member, salt = await shop.member(), await shop.good(points=5)
    await serve(shop, member, 480)
    assert await refused(shop, member) == {"hours": "2"}
    with pytest.raises(GateShut):
        await shop.order((salt, 1), member=member)
    await serve(shop, member, 119)
    assert await refused(shop, member) == {"hours": "0.1"}

    await serve(shop, member, 1)

    await shop.order((salt, 1), member=member)


async def test_a_visit_that_was_opened_before_the_gate_came_pays_nothing(shop):
    await adopt(shop, 0)
    member, salt = await shop.member(), await shop.good(points=5)
    await serve(shop, member, 120)
    visit = await shop.visit(member)
    kind = await db.row("SELECT id FROM ledger_book_kind WHERE community_id = ?", shop.community_id)
    await db.write(actions_bars.set_gate, kind_id=kind["id"], minutes=GATE)

    with pytest.raises(GateShut):
        await shop.order((salt, 1), visit=visit.visit_id)


async def test_whoever_redeemed_before_there_was_a_gate_is_not_held_back(shop):
    await adopt(shop, 0)
    early, late, salt = await shop.member(20), await shop.member(20), await shop.good(points=5)
    await shop.order((salt, 1), member=early)

    assert await change(shop, GATE) == 1

    await shop.order((salt, 1), member=early)
    assert await refused(shop, late) == {"hours": "10"}
    await change(shop, 0)
    await shop.order((salt, 1), member=late)


async def test_a_gate_that_was_passed_stays_passed(shop):
    await adopt(shop)
    served, lacking = await shop.member(), await shop.member()
    for member, minutes in ((served, 600), (lacking, 480)):
        await serve(shop, member, minutes)

    await change(shop, 2 * GATE)

    assert await refused(shop, served) is None
    assert await refused(shop, lacking) == {"hours": "12"}


async def test_what_was_taken_back_was_not_served(shop):
    await adopt(shop)
    member = await shop.member()
    wrong = await serve(shop, member, 480)
    (entry_id,) = await db.row("SELECT entry_id FROM awards_award WHERE id = ?", wrong.award_id)
    await db.write(
        actions_back.take_back, actor=shop.colleague, community_id=shop.community_id, entry_id=entry_id,
        way=What.REVERSAL, reason="not_so", note="",
    )  # fmt: skip
    await serve(shop, member, 240)

    assert await refused(shop, member) == {"hours": "6"}


async def test_a_household_s_passbook_counts_the_service_of_all_who_live_there(open_shop):
    shop = await open_shop(holder="household")
    await adopt(shop)
    one = await shop.member()
    mate = await shop.member(household_id=one.household_id)
    await serve(shop, one, 480)
    assert await refused(shop, mate) == {"hours": "2"}
    await serve(shop, mate, 120)

    assert await refused(shop, one) is None


async def test_service_goes_with_whoever_moves_and_stays_with_a_record_that_is_merged(open_shop):
    shop = await open_shop(holder="household")
    await adopt(shop)
    one = await shop.member()
    mate = await shop.member(household_id=one.household_id)
    await serve(shop, mate, 540)
    await db.write(
        moves.move, actor=shop.colleague, community_id=shop.community_id, person_ids=[mate.person_id],
        building_id=shop.building_id, door="99 室", reason="split", share=0,
    )  # fmt: skip
    await serve(shop, mate, 120)  # with the 540 of the home that was left
    assert await refused(shop, mate) is None
    assert await refused(shop, one) == {"hours": "10"}

    twin = await shop.member()
    await serve(shop, twin, 600)
    await db.write(people.mark_merged, person_id=twin.person_id, into_id=one.person_id)
    assert await refused(shop, one) is None


async def test_nothing_is_redeemed_up_to_the_last_day_of_a_veto(shop, settings):
    """Neither by a code nor by a visit that was opened before."""
    shed = Veto("V01", "私搭乱建", "no_redemption", 1, ground="居民公约第五条", make_good="拆掉")
    await adopt(shop, 0, veto_rules=(shed,))
    member, salt = await shop.member(20), await shop.good(points=5)
    case = await carried_out(shop, settings, member)
    until = months_after(case.told_on, 1)
    shop.clock.set(start_of_day(until + timedelta(days=1)) - timedelta(minutes=1))
    assert await refused(shop, member) == {"day": until.isoformat()}
    with pytest.raises(Barred):
        await shop.order((salt, 1), member=member)

    shop.clock.advance(minutes=2)
    await shop.order((salt, 1), member=member)


async def carried_out(shop, settings, member):
    place = Community(shop.community_id, shop.building_id, shop.outlet_id, shop.counter_id, version_id=0)
    world = World(shop.clock, settings, shop.street_id, [place])
    roles = (Role.GRID_WORKER, Role.COMMUNITY_ADMIN, Role.COMMUNITY_ADMIN)
    staff = [(await world.staff(role, place))[0] for role in roles]
    patrol = Patrol(SimpleNamespace(clock=shop.clock, balance=shop.balance), world, *staff)
    case = await patrol.found(member.person_id, item_code="V01")
    patrol.pass_days(9)
    await patrol.book()
    return case


async def test_pages_say_it_before_anybody_queues(shop):
    await adopt(shop)
    member = await shop.member()
    await serve(shop, member, 60)
    book = await shop.passbook(member.person_id)
    account = await ledger.account(None, book.account_id, today=local_day(shop.clock.now()))

    assert (account.points, account.gate_minutes) == (10, GATE)
    assert (await queries_gate.why_shut(None, account)).facts == {"hours": "9"}
