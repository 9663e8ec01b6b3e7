"""A household's card spends the household's points for whoever of it stands there, and does nothing else."""

import pytest

from pointsbank.kit import codes, db
from pointsbank.kit.codes import CodeKind
from pointsbank.kit.db import Actor
from pointsbank.people import actions as people
from pointsbank.people import actions_cards, actions_household_cards, rules, sealed
from pointsbank.people.rules_cards import (
    HouseholdEmpty,
    NoHouseholdCards,
    NoLiveHouseholdCard,
    PersonalCardWanted,
)
from pointsbank.redemption import actions
from pointsbank.redemption.rules import NoSuchVisit, OwnHousehold
from tests.redemption.conftest import Member

pytestmark = pytest.mark.both


@pytest.fixture
async def shop(open_shop):
    return await open_shop(holder="household")


async def issue(household_id, **facts):
    made = await db.write(actions_household_cards.issue_household_card, household_id=household_id, **facts)
    digits = sealed.card_digits(made.card_id, made.generation, CodeKind.HOUSEHOLD)
    return codes.card_code(digits, CodeKind.HOUSEHOLD)


@pytest.fixture
async def family(shop):
    """Two of one household, the second its head, with thirty points and a card between them."""
    first = await shop.member(30)
    head = await db.write(
        people.make_person, community_id=shop.community_id, household_id=first.household_id, name="测试户主",
        phone=None, is_head=True,
    )  # fmt: skip
    return first, Member(head, first.household_id, await issue(first.household_id))


async def choose(shop, visit, person_id, **who):
    await db.write(
        actions.choose_member, actor=who.get("staff", shop.staff), counter_id=shop.counter_id, visit=visit.visit_id,
        person_id=person_id, community_ids=(shop.community_id,),
    )  # fmt: skip


async def spender(order):
    entry = "SELECT member_id FROM ledger_entry WHERE id = (SELECT entry_id FROM redemption_order WHERE id = ?)"
    return (await db.row(entry, order.order_id))["member_id"]


async def test_the_head_is_served_until_staff_say_who_stands_there(shop, family):
    first, head = family
    salt = await shop.good(points=5)
    visit = await shop.visit(head)
    assert (visit.person_id, visit.code_kind, visit.available_points) == (head.person_id, "household", 30)
    assert await spender(await shop.order((salt, 1), visit=visit.visit_id)) == head.person_id
    await choose(shop, visit, first.person_id)
    assert await spender(await shop.order((salt, 1), visit=visit.visit_id)) == first.person_id
    assert await shop.balance(first) == await shop.balance(head) == 20


async def test_nobody_of_another_household_is_chosen_nor_by_another_clerk(shop, family):
    first, head = family
    visit, stranger = await shop.visit(head), await shop.member()
    by_own_card = await shop.visit(first)
    for which, person, staff in (
        (visit, stranger.person_id, shop.staff),
        (visit, first.person_id, shop.colleague),
        (by_own_card, head.person_id, shop.staff),
    ):
        with pytest.raises(NoSuchVisit):
            await choose(shop, which, person, staff=staff)


async def test_it_checks_nobody_in(shop, family):
    for purpose in ("check_in", "check_out"):
        with pytest.raises(PersonalCardWanted):
            await db.write(
                actions_cards.take_code, code=family[1].code, purpose=purpose, community_id=shop.community_id
            )


@pytest.mark.parametrize("is_lost", [True, False])
async def test_a_card_that_is_ended_ends_its_visit_and_a_new_one_serves(shop, family, is_lost):
    _, head = family
    salt, visit = await shop.good(points=5), await shop.visit(head)
    new = Member(head.person_id, head.household_id, await issue(head.household_id, is_lost=is_lost))
    refusal = rules.CardLost if is_lost else rules.CardReplaced
    with pytest.raises(refusal):
        await shop.order((salt, 1), visit=visit.visit_id)
    with pytest.raises(refusal):
        await shop.visit(head)
    assert (await shop.order((salt, 1), member=new)).balance_after == 25
    await db.write(actions_household_cards.report_household_card_lost, household_id=head.household_id)
    with pytest.raises(rules.CardLost):
        await shop.order((salt, 1), member=new)
    with pytest.raises(NoLiveHouseholdCard):
        await db.write(actions_household_cards.report_household_card_lost, household_id=head.household_id)


async def test_it_is_good_in_its_own_community_only_and_never_for_the_clerks_own(shop, family, open_shop):
    there = await open_shop(holder="household")
    with pytest.raises(rules.UnknownCode):
        await there.visit(family[1])
    clerk = Actor(family[0].person_id)
    with pytest.raises(OwnHousehold):
        await shop.visit(family[1], staff=clerk)


async def test_there_are_none_where_points_are_a_persons_or_nobody_lives(shop, open_shop):
    alone = await open_shop()
    with pytest.raises(NoHouseholdCards):
        await issue((await alone.member()).household_id)
    with pytest.raises(HouseholdEmpty):
        await issue(await shop.household())


async def test_no_code_of_one_kind_is_taken_for_the_other(shop, family):
    first, head = family
    as_person = codes.card_code(head.code[2:18], CodeKind.CARD)
    as_household = codes.card_code(first.code[2:18], CodeKind.HOUSEHOLD)
    for code in (as_person, as_household):
        with pytest.raises(rules.UnknownCode):
            await shop.visit(Member(head.person_id, head.household_id, code))
