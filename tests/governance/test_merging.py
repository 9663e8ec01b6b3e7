"""Two records of one person become one when a second person agrees to exactly that, who gains nothing by it."""

import asyncio

import msgspec
import pytest

from pointsbank.approvals.rules import AlreadyDecided, FactsChanged, NotGiven, OwnBenefit, OwnRequest
from pointsbank.governance import actions as settling
from pointsbank.governance import actions_merging, actions_people
from pointsbank.governance.rules import MergeAsked, MergeMoved, OwnMerge, PointsFirst
from pointsbank.kit import db
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_joining, actions_kinds, verify
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.actions_joining import Agreed
from pointsbank.ledger.rules_flows import JoiningChanged, What
from pointsbank.ledger.sealing import Sealer
from pointsbank.people import queries as people
from pointsbank.people import queries_own as own
from pointsbank.people.access import Role
from pointsbank.people.rules import NotSettled
from pointsbank.trail import queries as trail
from tests.governance.merging import agree, ask, merge
from tests.governance.test_points_follow import all_points
from tests.ledger.test_vouchers import admin, book_of
from tests.world import COINS, World

pytestmark = pytest.mark.both


@pytest.fixture
async def town(database, settings, clock):
    return await World(clock, settings).found(count=1)


async def somebody_twice(town):
    return await town.person(points=9), await town.person("测试乙", points=4)


async def balances(town, *person_ids):
    return [await town.balance(one) for one in person_ids]


async def test_nothing_moves_before_somebody_else_agrees_and_the_trail_names_both(town):
    (twice, known), maker, checker = await somebody_twice(town), await admin(town), await admin(town)
    sums = await all_points()
    request_id = await ask(town, twice, known, actor=maker)
    assert await balances(town, twice, known) == [9, 4]
    with pytest.raises(MergeAsked):
        await ask(town, twice, known)
    with pytest.raises(OwnRequest):
        await agree(town, request_id, actor=maker)

    assert await agree(town, request_id, actor=checker) == known

    assert (await town.balance(known), await all_points()) == (13, sums)
    [voucher] = await flows.merged_from(twice)
    assert voucher.made_by == maker.person_id
    told = [(one.verb, one.person_id) for one in await trail.history(("person", twice)) if "merge" in one.verb]
    assert told == [("person.merge_asked", maker.person_id), ("person.merged", checker.person_id)]
    with pytest.raises(MergeMoved):
        await agree(town, request_id)
    await Sealer().run()
    assert (await verify.verify()).findings == []


async def test_nobody_agrees_who_is_one_of_the_two_or_lives_with_one(town):
    twice, known = await somebody_twice(town)
    homes = [(await people.holder_of(None, one)).household_id for one in (twice, known)]
    request_id = await ask(town, twice, known)
    for home in homes:
        clerk, _ = await town.staff(Role.COMMUNITY_ADMIN)
        await db.write(move_in, person_id=clerk.person_id, household_id=home)
        with pytest.raises(OwnBenefit):
            await agree(town, request_id, actor=clerk)
    assert await balances(town, twice, known) == [9, 4]


async def move_in(tx, *, person_id, household_id):
    await tx.run("UPDATE people_person SET household_id = ? WHERE id = ?", household_id, person_id)


async def test_what_was_not_shown_is_not_agreed_to(town):
    twice, known = await somebody_twice(town)
    request_id = await ask(town, twice, known)
    with pytest.raises(FactsChanged):
        await db.write(actions_merging.agree, actor=await admin(town), request_id=request_id, seen="0" * 64)
    await town.give(twice, 2)
    with pytest.raises(JoiningChanged):
        await agree(town, request_id)
    await db.write(actions_merging.refuse, actor=await admin(town), request_id=request_id, reason="分数变了")
    assert await merge(town, twice, known) == known
    assert await town.balance(known) == 15


async def test_what_is_refused_or_taken_back_moves_nothing_and_may_be_asked_again(town):
    (twice, known), maker = await somebody_twice(town), await admin(town)
    first = await ask(town, twice, known, actor=maker)
    await db.write(actions_merging.refuse, actor=await admin(town), request_id=first, reason="不是同一个人")
    second = await ask(town, twice, known, actor=maker)
    await db.write(actions_merging.withdraw, actor=maker, request_id=second)
    for request_id in (first, second):
        with pytest.raises(MergeMoved):
            await agree(town, request_id)
    assert await balances(town, twice, known) == [9, 4]
    verbs = [one.verb for one in await trail.history(("person", twice))]
    assert {"person.merge_refused", "person.merge_withdrawn"} < set(verbs)


async def test_the_ledger_lets_no_points_follow_without_an_approval_of_this_very_moment(town):
    twice, known = await somebody_twice(town)
    request_id = await ask(town, twice, known)
    found = await db.row("SELECT approval_id, made_by FROM governance_merge_request WHERE id = ?", request_id)
    books = [(await book_of(town, one)).passbook_id for one in (twice, known)]
    carried = {"from_id": books[0], "to_id": books[1], "points": None, "member_id": known, "reason": "same_person"}
    agreed = Agreed(*found, {books[0]: 9})
    for given in (None, agreed):
        with pytest.raises(NotGiven):
            await db.write(actions_joining.carry_over, actor=await admin(town), **carried, agreed=given)
    await agree(town, request_id)
    town.clock.advance(minutes=1)
    back = {"from_id": books[1], "to_id": books[0], "points": None, "member_id": known, "reason": "same_person"}
    with pytest.raises(NotGiven):
        await db.write(
            actions_joining.carry_over, actor=await admin(town), **back, agreed=Agreed(*found, {books[1]: 13})
        )  # fmt: skip
    assert await town.balance(known) == 13


async def test_of_two_who_agree_at_once_one_does_it(town):
    twice, known = await somebody_twice(town)
    request_id = await ask(town, twice, known)
    checkers = [await admin(town), await admin(town)]
    outcomes = await asyncio.gather(
        *(agree(town, request_id, actor=one) for one in checkers), return_exceptions=True
    )  # fmt: skip
    refused = [one for one in outcomes if one != known]
    assert [type(one) for one in refused] in ([AlreadyDecided], [MergeMoved], [NotSettled]), outcomes
    assert await town.balance(known) == 13


async def test_whoever_asked_or_agreed_does_not_part(town):
    (twice, known), maker, checker = await somebody_twice(town), await admin(town), await admin(town)
    await agree(town, await ask(town, twice, known, actor=maker), actor=checker)
    [merged] = await own.merges_into(known)
    for one in (maker, checker):
        with pytest.raises(OwnMerge):
            await db.write(actions_people.separate, actor=one, merge_id=merged.id, reason="两位同名")
    await db.write(actions_people.separate, actor=await admin(town), merge_id=merged.id, reason="两位同名")


async def parted(town):
    """Two whose records were one, and who are two again; what went along was given back."""
    twice, known = await somebody_twice(town)
    await merge(town, twice, known)
    [merged] = await own.merges_into(known)
    await db.write(actions_people.separate, actor=await admin(town), merge_id=merged.id, reason="两位同名")
    [voucher] = await flows.merged_from(twice)
    await db.write(
        vouchers.take_back, actor=await admin(town), community_id=town.home.id, entry_id=voucher.entry_id,
        way=What.REVERSAL, reason="not_so", note="",
    )  # fmt: skip
    return twice, known


async def test_whoever_was_parted_is_no_alias_again_while_points_lie_where_nobody_would_look(town):
    twice, known = await parted(town)
    with pytest.raises(PointsFirst):
        await db.write(settling.settle_provisional, actor=await admin(town), person_id=twice, same_as=known)
    assert await balances(town, twice, known) == [9, 4]

    await db.write(settling.settle_provisional, actor=await admin(town), person_id=twice, same_as=None)
    await merge(town, twice, known)  # a second person agrees to the points
    assert await town.balance(known) == 13


async def test_where_households_share_whoever_was_parted_brings_the_own_points_into_a_new_one(
    database, settings, clock
):
    town = await World(clock, settings).found(holder="household", count=1)
    stranger, known = await town.provisional(), await town.person("测试乙")
    passbook_id = await db.write(ledger.open_passbook, community_id=town.home.id, person_id=stranger)
    await town.credit(passbook_id, stranger, 9)

    await db.write(settling.settle_provisional, actor=await admin(town), person_id=stranger, same_as=None)

    assert await balances(town, stranger, known) == [9, 0]
    assert (await flows.book(None, passbook_id)).is_closed


async def test_whoever_is_parted_and_lives_in_no_household_has_the_own_passbook_open_again(town):
    """It was closed when they moved in, and base points stood still for everybody because nothing comes into it."""
    coins = msgspec.structs.replace(COINS, holder="household", base_points=20, base_every="month")
    await db.write(actions_kinds.make_kind, community_id=town.home.id, code="coins", settings=coins)
    loner, known = await town.provisional(), await town.person("测试乙")
    await db.write(settling.settle_provisional, actor=await admin(town), person_id=loner, same_as=None)
    own = await db.write(actions_kinds.open_for, community_id=town.home.id, person_id=loner, kind="coins")
    await db.write(
        actions_people.move, actor=await admin(town), community_id=town.home.id, person_ids=[loner],
        building_id=town.home.building_id, door="901", reason="moved",
    )  # fmt: skip
    assert (await flows.book(None, own)).is_closed
    await merge(town, loner, known)
    [merged] = await db.rows("SELECT id FROM people_merge WHERE person_id = ?", loner)
    await db.write(actions_people.separate, actor=await admin(town), merge_id=merged[0], reason="两位同名")

    await db.write(settling.settle_provisional, actor=await admin(town), person_id=loner, same_as=None)
    while await db.write(actions_kinds.give_base_due):
        pass

    assert (await flows.book(None, own)).balance == 20
    assert [one.verb for one in await trail.history(("passbook", own))][-1] == "passbook.opened_again"
    await Sealer().run()
    assert (await verify.verify()).findings == []
