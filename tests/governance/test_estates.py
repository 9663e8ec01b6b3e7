"""What somebody leaves behind, and two records of one person: who must agree, and that every point and row is kept."""

import asyncio

import msgspec
import pytest

from pointsbank.approvals.rules import AlreadyDecided, OwnRequest, facts_hash
from pointsbank.governance import actions_estates, actions_people
from pointsbank.governance.rules import BookStays, NothingToPassOn, OwnMatter, PointsLeft
from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions_gifts, actions_kinds, verify
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.rules import NEVER, AlreadyReversed, BookClosed
from pointsbank.ledger.rules_flows import BookMerged, EstateAsked, EstateChanged, VoucherMoved, What
from pointsbank.ledger.sealing import Sealer
from pointsbank.people import actions_own
from pointsbank.people import queries as people
from pointsbank.people import queries_own as own
from pointsbank.people.access import Role
from pointsbank.people.rules import BadMerge, HasLeft, HoldsRole, NotSettled, RequestsFirst
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line
from tests.conftest import IN_POINTS
from tests.governance.merging import agree as agree_to_merge
from tests.governance.merging import ask, merge
from tests.governance.test_points_follow import all_points, lots
from tests.ledger.conftest import PLAIN
from tests.ledger.test_vouchers import admin, book_of, lasting
from tests.world import World


@pytest.fixture
async def town(database, settings, clock):
    """Whoever may reverse up to a hundred points alone may pass on as many."""
    return await World(clock, settings).found()


@pytest.fixture
async def families(database, settings, clock):
    return await World(clock, settings).found(holder="household", count=1)


async def pass_on(town, person_id, heir_id=None, *, actor=None):
    return await db.write(
        actions_estates.pass_on, actor=actor or await admin(town), person_id=person_id, heir_id=heir_id,
        reason="death", note="家属交来证明",
    )  # fmt: skip


async def agree(town, voucher_id, *, actor=None):
    seen = facts_hash((await flows.voucher((town.home.id,), voucher_id)).facts)
    return await db.write(
        actions_estates.agree, actor=actor or await admin(town), voucher_id=voucher_id, seen=seen
    )  # fmt: skip


async def inherit(town, gone, heir):
    """Passed on by one, agreed to by another."""
    for voucher_id in (await pass_on(town, gone, heir)).voucher_ids:
        await agree(town, voucher_id)


async def state_of(person_id):
    return (await people.member_view((1, 2, 3, 4, 5, 6), person_id)).state


async def hours_of(town, person_id, points):
    """Somebody's second passbook, of a kind told in tenths."""
    made = await db.row("SELECT id FROM ledger_book_kind WHERE code = 'hours'")
    settings = dict.fromkeys(("name", "unit"), "小时") | {"decimals": 1}
    if made is None:
        await db.write(
            actions_kinds.make_kind,
            community_id=town.home.id,
            code="hours",
            settings=msgspec.structs.replace(PLAIN, **settings),
        )
    book_id = await db.write(vouchers.open_book_of, person_id=person_id, kind="hours")
    await db.write(
        actions_gifts.give_gift, community_id=town.home.id, passbook_id=book_id, points=points, match_percent=100,
        expires_on=NEVER, posting_key=f"hours:{person_id}", member_id=person_id, source=("tests", "gift", 1),
        summary="测试时长",
    )  # fmt: skip
    return book_id


class TestPassingOn:
    @pytest.mark.both
    async def test_a_small_estate_goes_at_once_with_its_last_days_and_the_member_is_gone(self, town):
        gone = await lasting(town, 10, 30)
        home = (await people.holder_of(None, gone)).household_id
        heir = await town.person("测试乙", points=1, household_id=home)
        old, sums = await book_of(town, gone), await all_points()
        before = await lots(old)

        assert (await pass_on(town, gone, heir)).is_done

        assert (await town.balance(heir), await all_points()) == (14, sums)
        assert before[0] in await lots(await book_of(town, heir))
        assert await state_of(gone) == "left"
        assert (await flows.book(None, old.passbook_id)).is_closed
        [line, *_] = await ledger.lines(old.account_id)
        assert (line.kind, line.summary, line.points) == ("estate", "继承积分", -13)
        with pytest.raises(HasLeft):
            await pass_on(town, gone, heir)

    @pytest.mark.both
    async def test_a_large_estate_waits_for_a_second_person_who_is_not_the_first(self, town):
        gone, heir, maker = await town.person(points=101), await town.person("测试乙"), await admin(town)
        [voucher_id] = (await pass_on(town, gone, heir, actor=maker)).voucher_ids

        assert (await town.balance(gone), await state_of(gone)) == (101, "member")
        with pytest.raises(EstateAsked):
            await pass_on(town, gone, heir)
        with pytest.raises(OwnRequest):
            await agree(town, voucher_id, actor=maker)
        seen, other = facts_hash((await flows.voucher((town.home.id,), voucher_id)).facts), await admin(town)
        with pytest.raises(NotFound):  # the ledger's own page would leave the member behind
            await db.write(vouchers.give, actor=other, voucher_id=voucher_id, seen=seen)
        assert await agree(town, voucher_id)
        assert (await town.balance(heir), await state_of(gone)) == (101, "left")

    async def test_a_small_estate_to_another_home_waits_for_a_second_person_too(self, town):
        gone, heir, maker = await town.person(points=1), await town.person("测试乙"), await admin(town)
        passed = await pass_on(town, gone, heir, actor=maker)

        assert (passed.is_done, await town.balance(heir)) == (False, 0)
        with pytest.raises(OwnRequest):
            await agree(town, passed.voucher_ids[0], actor=maker)
        assert await agree(town, passed.voucher_ids[0])
        assert (await town.balance(heir), await state_of(gone)) == (1, "left")

    @pytest.mark.both
    async def test_what_no_entry_may_move_at_once_goes_in_several_each_agreed_to(self, town):
        gone, heir, maker = await town.person(points=1_000_000), await town.person("测试乙"), await admin(town)
        await town.give(gone, 1_000_000)
        await town.give(gone, 500_000)
        sums = await all_points()
        [voucher_id] = (await pass_on(town, gone, heir, actor=maker)).voucher_ids
        booked = []
        while voucher_id:
            is_last = await agree(town, voucher_id)
            booked.append((await flows.voucher((town.home.id,), voucher_id)).points)
            open_ones = await flows.open_estates(None, gone)
            voucher_id = open_ones[0].id if open_ones else 0
            assert is_last == (not open_ones)

        assert booked == [1_000_000, 1_000_000, 500_000]
        assert (await town.balance(heir), await all_points(), await state_of(gone)) == (2_500_000, sums, "left")

    async def test_what_came_meanwhile_is_seen_and_what_is_withdrawn_may_be_asked_again(self, town):
        gone, maker = await town.person(points=101), await admin(town)
        [voucher_id] = (await pass_on(town, gone, actor=maker)).voucher_ids
        await town.give(gone, 2)
        with pytest.raises(EstateChanged) as refused:
            await agree(town, voucher_id)
        assert refused.value.facts == {"balance": 103, **IN_POINTS}
        await db.write(vouchers.withdraw, actor=maker, voucher_id=voucher_id)
        [voucher_id] = (await pass_on(town, gone)).voucher_ids
        await agree(town, voucher_id)
        assert (await flows.pots(town.home.id))[0].points == 103

    async def test_each_passbook_has_a_voucher_and_with_the_last_the_member_goes(self, town):
        home = await town.household()
        gone, heir = [await town.person(points=points, household_id=home) for points in (101, 0)]
        hours = await hours_of(town, gone, 1205)
        first, second = (await pass_on(town, gone, heir)).voucher_ids

        assert not await agree(town, first)
        await town.give(gone, 1)
        with pytest.raises(PointsLeft):
            await agree(town, second)
        assert await state_of(gone) == "member"
        [third] = (await pass_on(town, gone, heir)).voucher_ids
        assert not (await flows.book(None, hours)).is_closed
        assert await agree(town, second)
        assert third not in (first, second)
        assert (await state_of(gone), await town.balance(heir)) == ("left", 102)
        assert (
            await flows.book(None, await db.write(vouchers.open_book_of, person_id=heir, kind="hours"))
        ).balance == 1205

    async def test_nobody_passes_on_to_their_own_household_or_elsewhere(self, town):
        clerk, gone = await admin(town), await town.person(points=9)
        with pytest.raises(OwnMatter):
            await pass_on(town, gone, clerk.person_id, actor=clerk)
        with pytest.raises(OwnMatter):
            await pass_on(town, clerk.person_id, gone, actor=clerk)
        with pytest.raises(NothingToPassOn):
            await pass_on(town, await town.person("测试丙"), gone)
        assert (await town.balance(gone), await state_of(gone)) == (9, "member")

    async def test_a_family_keeps_its_points_also_one_that_grew_meanwhile(self, families):
        home = await families.household()
        one, other = [await families.person(name, household_id=home) for name in ("测试甲", "测试乙")]
        await families.give(one, 300)
        with pytest.raises(NothingToPassOn):
            await pass_on(families, one)
        alone, mate = await families.person("测试丙", points=101), await families.person("测试丁")
        [voucher_id] = (await pass_on(families, alone)).voucher_ids
        await db.write(
            actions_people.move, actor=await admin(families), community_id=families.home.id, person_ids=[alone],
            building_id=families.home.building_id, door="901", reason="moved",
        )  # fmt: skip
        await db.write(
            actions_people.move, actor=await admin(families), community_id=families.home.id, person_ids=[mate],
            building_id=families.home.building_id, door="901", reason="moved",
        )  # fmt: skip
        with pytest.raises(BookStays):
            await agree(families, voucher_id)
        assert (await families.balance(mate), await families.balance(other)) == (101, 300)

    @pytest.mark.both
    async def test_of_two_who_agree_at_once_one_does_it_and_an_order_spends_before_or_not_at_all(self, town):
        rice = await town.good(points=20)
        clerk, _ = await town.staff(Role.COUNTER_STAFF)
        gone, heir = await town.person(points=120), await town.person("测试乙")
        code = await town.card(gone)
        [voucher_id] = (await pass_on(town, gone, heir)).voucher_ids
        order = db.write(
            redemption.order, actor=clerk, counter_id=town.home.counter_id, code=code,
            lines=[Line(quantity=1, good=rice)], community_ids=(town.home.id,),
        )  # fmt: skip
        checkers = [await admin(town), await admin(town)]
        outcomes = await asyncio.gather(
            *(agree(town, voucher_id, actor=one) for one in checkers), order, return_exceptions=True
        )
        agreed, bought = [one is True for one in outcomes[:2]], not isinstance(outcomes[2], Exception)
        assert agreed.count(True) == (0 if bought else 1), outcomes
        told = (AlreadyDecided, VoucherMoved, EstateChanged, HasLeft)
        assert all(one is True or isinstance(one, told) for one in outcomes[:2]), outcomes
        assert (await town.balance(heir), await town.balance(gone)) == ((0, 100) if bought else (120, 0))


class TestOnePersonTwice:
    @pytest.mark.both
    async def test_one_entry_brings_the_points_over_and_every_row_stays(self, town):
        twice, known = await lasting(town, 10, 30), await town.person("测试乙", points=4)
        await town.card(twice)
        before, old, sums = await lots(await book_of(town, twice)), await book_of(town, twice), await all_points()

        assert await merge(town, twice, known) == known

        assert (await town.balance(known), await all_points()) == (17, sums)
        assert before[0] in await lots(await book_of(town, known))
        assert [line.points for line in await ledger.lines(old.account_id)] == [-13, 10, 3]
        assert await people.ids_of(None, twice) == sorted([twice, known])
        assert (await db.row("SELECT state FROM people_card WHERE person_id = ?", twice))[0] == "replaced"
        with pytest.raises(NotSettled):
            await merge(town, twice, known)
        with pytest.raises(BookMerged):
            await db.write(
                vouchers.adjust, actor=await admin(town), community_id=town.home.id, passbook_id=old.passbook_id,
                points=1, is_up=True, expires_on=NEVER, reason="missed", note="",
            )  # fmt: skip

    @pytest.mark.both
    async def test_a_wrong_merge_is_parted_and_its_entry_reversed(self, town):
        twice, known = await town.person(points=9), await town.person("测试乙", points=4)
        old = await book_of(town, twice)
        await merge(town, twice, known)
        [voucher] = await flows.merged_from(twice)
        back = {"community_id": town.home.id, "entry_id": voucher.entry_id, "reason": "wrong_book", "note": ""}
        with pytest.raises(BookMerged):
            await db.write(vouchers.take_back, way=What.REVERSAL, actor=await admin(town), **back)
        [merged] = await own.merges_into(known)

        await db.write(actions_people.separate, actor=await admin(town), merge_id=merged.id, reason="两位同名")
        await db.write(vouchers.take_back, way=What.REVERSAL, actor=await admin(town), **back)

        assert (await town.balance(known), (await flows.book(None, old.passbook_id)).balance) == (4, 9)
        holder = await people.holder_of(None, twice)
        assert (holder.state, holder.household_id) == ("provisional", None)
        with pytest.raises(AlreadyReversed):
            await db.write(vouchers.take_back, way=What.REVERSAL, actor=await admin(town), **back)

    async def test_the_last_of_a_household_brings_the_household_s_points_and_its_passbook_is_closed(self, families):
        twice, known = await families.person(points=9), await families.person("测试乙")
        old = await book_of(families, twice)
        await merge(families, twice, known)
        assert await families.balance(known) == 9
        assert (await flows.book(None, old.passbook_id)).is_closed
        [voucher] = await flows.vouchers(families.home.id)
        with pytest.raises(BookClosed):
            await db.write(
                vouchers.take_back, way=What.REVERSAL, actor=await admin(families), community_id=families.home.id,
                entry_id=voucher.entry_id, reason="wrong_book", note="",
            )  # fmt: skip

    async def test_nobody_merges_themselves_a_role_an_open_request_or_somebody_from_elsewhere(self, town):
        clerk, twice, known = await admin(town), await town.person(points=3), await town.person("测试乙")
        foreign = await town.person("测试丙", community=town.communities[1])
        await db.write(actions_own.ask_to_leave, person_id=known)
        tried = (
            (known, clerk.person_id, clerk, OwnMatter), (twice, foreign, None, BadMerge),
            (twice, twice, None, BadMerge), (clerk.person_id, twice, None, HoldsRole),
            (known, twice, None, RequestsFirst), (await town.provisional(), twice, None, NotSettled),
        )  # fmt: skip
        for person_id, same_as, actor, refusal in tried:
            with pytest.raises(refusal):
                await ask(town, person_id, same_as, actor=actor)
        assert await town.balance(twice) == 3

    @pytest.mark.both
    async def test_a_merge_both_ways_at_once_is_one(self, town):
        one, other = await town.person(points=5), await town.person("测试乙", points=6)
        asked = [await ask(town, one, other), await ask(town, other, one)]
        actors = [await admin(town), await admin(town)]
        outcomes = await asyncio.gather(
            *(agree_to_merge(town, request, actor=actor) for request, actor in zip(asked, actors, strict=True)),
            return_exceptions=True,
        )
        kept = [found for found in outcomes if isinstance(found, int)]
        assert len(kept) == 1, outcomes
        assert await town.balance(kept[0]) == 11


@pytest.mark.both
async def test_verify_and_the_chain_hold_after_all_of_it(town):
    gone, heir, twice = (
        await town.person(points=101),
        await town.person("测试乙"),
        await town.person("测试丙", points=7),
    )
    [voucher_id] = (await pass_on(town, gone, heir)).voucher_ids
    await agree(town, voucher_id)
    await merge(town, twice, heir)
    await Sealer().run()
    report = await verify.verify()
    assert (report.findings, report.waiting) == ([], 0)
    assert await town.balance(heir) == 108
