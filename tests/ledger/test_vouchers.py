"""Points that go from hand to hand, adjustments, grants and reversals: who may, what goes along, and who must agree."""

import asyncio
from datetime import date, timedelta

import pytest

from pointsbank.approvals.rules import AlreadyDecided, FactsChanged, NotGiven, OwnBenefit, OwnRequest, facts_hash
from pointsbank.kit import db
from pointsbank.ledger import actions, actions_gifts, queries
from pointsbank.ledger import actions_flows as flows
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as found
from pointsbank.ledger import rules_flows as rules
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import NEVER, AlreadyReversed, BookClosed, NotEnoughPoints, UnknownAccount, WrongAmount
from pointsbank.ledger.rules_flows import What
from pointsbank.people.access import Role
from tests.world import World

pytestmark = pytest.mark.both


async def set_kind(tx: db.Tx, *, community_id: int, name: str, value: object) -> None:
    names = {"transferable", "donatable", "balance_max", "spend_above"}
    assert name in names
    sql = f"UPDATE ledger_book_kind SET {name} = ? WHERE community_id = ? AND code = 'points' RETURNING id"
    kind = await tx.row(sql, value, community_id)
    await change(tx, what="kind", row_id=kind["id"])


async def allow(world, **settings):
    for name, value in {"transferable": True, "donatable": True, **settings}.items():
        await db.write(set_kind, community_id=world.home.id, name=name, value=value)


@pytest.fixture
async def town(database, settings, clock):
    world = await World(clock, settings).found()
    await allow(world)
    return world


async def admin(world):
    return (await world.staff(Role.COMMUNITY_ADMIN))[0]


async def book_of(world, person_id: int) -> found.Book:
    return await found.book(None, await db.write(vouchers.open_book_of, person_id=person_id))


async def give_away(world, giver, points, to=None, *, actor=None):
    """Agreed to by another one, where that is asked for."""
    voucher_id = await db.write(
        vouchers.hand_over, actor=actor or await admin(world), community_id=world.home.id,
        what=What.TRANSFER if to else What.DONATION, from_id=(await book_of(world, giver)).passbook_id, to_person=to,
        points=points, how="paper",
    )  # fmt: skip
    if (await found.voucher((world.home.id,), voucher_id)).state == "asked":
        await agree(world, voucher_id)
    return voucher_id


async def seen(world, voucher_id: int) -> str:
    return facts_hash((await found.voucher((world.home.id,), voucher_id)).facts)


async def agree(world, voucher_id: int, actor=None):
    back = (await found.voucher((world.home.id,), voucher_id)).reverses_id
    return await db.write(
        vouchers.give, actor=actor or await admin(world), voucher_id=voucher_id, seen=await seen(world, voucher_id),
        room="ledger" if back is None else (await found.entry(None, back)).source_room,
    )  # fmt: skip


async def adjust(world, person_id, points, maker, *, is_up=True, expires_on=NEVER, past_day=None):
    return await db.write(
        vouchers.adjust, actor=maker, community_id=world.home.id, points=points, is_up=is_up, expires_on=expires_on,
        past_day=past_day,
        passbook_id=(await book_of(world, person_id)).passbook_id, reason="missed", note="",
    )  # fmt: skip


async def grant(world, person_id, points, maker, expires_on=NEVER):
    return await db.write(
        vouchers.grant_to, actor=maker, community_id=world.home.id, person_id=person_id, points=points,
        expires_on=expires_on, reason="hardship", note="",
    )  # fmt: skip


async def lots_of(world, person_id) -> list[tuple[date, int]]:
    account_id = (await book_of(world, person_id)).account_id
    sql = "SELECT expires_on, remaining FROM ledger_lot WHERE account_id = ? AND remaining > 0 ORDER BY expires_on"
    return [(day, left) for day, left in await db.rows(sql, account_id)]


async def lasting(world, points: int, days: int) -> int:
    """Somebody whose points end some days from now, and with them three that never do."""
    person_id = await world.person("测试甲", points=3)
    book = await book_of(world, person_id)
    await db.write(
        award_until, community_id=world.home.id, passbook_id=book.passbook_id, points=points, member_id=person_id,
        expires_on=world.clock.now().date() + timedelta(days=days), number=person_id,
    )  # fmt: skip
    return person_id


async def award_until(tx, *, community_id, passbook_id, points, member_id, expires_on, number):
    return await actions.post_award(
        tx, community_id=community_id, passbook_id=passbook_id, points=points, posting_key=f"lasting:{number}",
        effective_at=tx.now, expires_on=expires_on, member_id=member_id, version_id=1,
        source=("awards", "award", 0), summary="测试发分",
    )  # fmt: skip


class TestHandToHand:
    async def test_a_transfer_stands_in_both_passbooks_and_its_last_days_go_along(self, town):
        giver, friend = await lasting(town, 10, 30), await town.person("测试乙")
        until = town.clock.now().date() + timedelta(days=30)

        await give_away(town, giver, 12, friend)

        assert (await town.balance(giver), await town.balance(friend)) == (1, 12)
        assert await lots_of(town, friend) == [(until, 10), (NEVER, 2)]
        for person_id, points in ((giver, -12), (friend, 12)):
            line = (await queries.lines((await book_of(town, person_id)).account_id))[0]
            assert (line.kind, line.points) == ("transfer", points)

    async def test_what_was_donated_lies_in_the_pot_until_two_people_grant_it(self, town):
        giver, poor = await town.person(points=30), await town.person("测试乙")
        await give_away(town, giver, 20)
        assert (await found.pots(town.home.id))[0].points == 20

        voucher_id = await grant(town, poor, 15, await admin(town))
        assert await town.balance(poor) == 0
        await agree(town, voucher_id)

        assert ((await found.pots(town.home.id))[0].points, await town.balance(poor)) == (5, 15)

    async def test_the_pot_gives_no_more_than_it_has(self, town):
        await give_away(town, await town.person(points=30), 20)
        voucher_id = await grant(town, await town.person("测试乙"), 21, await admin(town))

        with pytest.raises(rules.PotShort):
            await agree(town, voucher_id)

        assert (await found.pots(town.home.id))[0].points == 20

    async def test_a_resident_gives_to_housemates_alone(self, town):
        home = await town.household()
        giver, mate = await town.person(points=9, household_id=home), await town.person("测试乙", household_id=home)
        stranger = await town.person("测试丙")

        await db.write(vouchers.give_own, actor=db.Actor(giver), to_person=mate, points=4)
        with pytest.raises(rules.NotHousemate):
            await db.write(vouchers.give_own, actor=db.Actor(giver), to_person=stranger, points=4)

        assert [await town.balance(one) for one in (giver, mate, stranger)] == [5, 4, 0]

    async def test_strange_amounts_are_refused(self, town):
        giver, friend, clerk = await town.person(points=9), await town.person("测试乙"), await admin(town)
        for points in (0, -1, 1.5, 1_000_001, True, "5"):
            with pytest.raises(WrongAmount):
                await give_away(town, giver, points, friend, actor=clerk)
            with pytest.raises(WrongAmount):
                await db.write(vouchers.give_own, actor=db.Actor(giver), to_person=None, points=points)
        assert await town.balance(giver) == 9

    async def test_foreign_closed_and_own_passbooks_are_refused_each_in_its_words(self, town):
        giver, friend = await town.person(points=9), await town.person("测试乙")
        foreign = await town.person("测试丙", community=town.communities[1])
        gone = await town.person("测试丁")
        await db.write(flows.close, passbook_id=(await book_of(town, gone)).passbook_id)

        for to, points, refusal in (
            (foreign, 5, UnknownAccount),
            (gone, 5, BookClosed),
            (giver, 5, rules.SameBook),
            (friend, 10, NotEnoughPoints),
        ):
            with pytest.raises(refusal):
                await give_away(town, giver, points, to)
        with pytest.raises(rules.BookNotEmpty):
            await db.write(flows.close, passbook_id=(await book_of(town, giver)).passbook_id)
        assert await town.balance(giver) == 9

    async def test_the_kind_of_passbook_decides(self, town):
        giver, friend = await town.person(points=9), await town.person("测试乙", points=5)
        await allow(town, transferable=False, donatable=False)
        with pytest.raises(rules.NotTransferable):
            await give_away(town, giver, 5, friend)
        with pytest.raises(rules.NotDonatable):
            await give_away(town, giver, 5)
        await allow(town, balance_max=8)
        with pytest.raises(rules.BookFull):
            await give_away(town, giver, 4, friend)
        await allow(town, balance_max=None, spend_above=6)
        with pytest.raises(NotEnoughPoints):
            await give_away(town, giver, 4, friend)
        await give_away(town, giver, 3, friend)

    async def test_what_the_community_gave_is_for_ones_own_use(self, town):
        giver, friend = await town.person(points=9), await town.person("测试乙")
        book = await book_of(town, giver)
        await db.write(
            actions_gifts.give_gift, community_id=town.home.id, passbook_id=book.passbook_id, points=6,
            match_percent=50, expires_on=NEVER, posting_key="gift:1", member_id=giver, source=("tests", "gift", 1),
            summary="节日赠送",
        )  # fmt: skip
        for to in (friend, None):
            with pytest.raises(rules.OnlyEarned):
                await give_away(town, giver, 10, to)
        await give_away(town, giver, 9, friend)
        assert (await town.balance(giver), await town.balance(friend)) == (6, 9)

    async def test_expired_points_are_not_given_away(self, town):
        giver, friend = await lasting(town, 10, 1), await town.person("测试乙")
        town.clock.advance(days=3)
        with pytest.raises(rules.OnlyEarned):
            await give_away(town, giver, 5, friend)

    async def test_staff_record_nothing_for_their_own_household(self, town):
        clerk, friend = await admin(town), await town.person("测试乙", points=5)
        await town.give(clerk.person_id, 9)
        for giver, to in ((clerk.person_id, friend), (friend, clerk.person_id)):
            with pytest.raises(rules.OwnVoucher):
                await give_away(town, giver, 5, to, actor=clerk)

    async def test_what_staff_hand_on_to_another_home_waits_for_another_one(self, town):
        """15."""
        home = await town.household()
        giver, mate = [await town.person(points=9, household_id=home) for _ in range(2)]
        friend, maker = await town.person("测试乙"), await admin(town)
        source = (await book_of(town, giver)).passbook_id
        asked = {"community_id": town.home.id, "from_id": source, "points": 2, "how": "paper", "what": What.TRANSFER}
        voucher_id = await db.write(vouchers.hand_over, actor=maker, **asked, to_person=friend)

        assert (await town.balance(giver), await town.balance(friend)) == (9, 0)
        with pytest.raises(OwnRequest):
            await agree(town, voucher_id, maker)
        await agree(town, voucher_id)
        assert (await town.balance(giver), await town.balance(friend)) == (7, 2)

        await db.write(vouchers.hand_over, actor=maker, **asked, to_person=mate)
        assert (await town.balance(giver), await town.balance(mate)) == (5, 11)

        await allow(town, transferable=False)
        with pytest.raises(rules.NotTransferable):  # and it is not asked for
            await db.write(vouchers.hand_over, actor=maker, **asked, to_person=friend)

    async def test_of_two_transfers_of_the_last_points_one_goes(self, town):
        home = {"household_id": await town.household()}
        giver, one, other = [await town.person(points=points, **home) for points in (9, 0, 0)]
        clerk = await admin(town)
        books = [(await book_of(town, who)).passbook_id for who in (giver, one, other)]
        given = await asyncio.gather(
            *(
                db.write(
                    vouchers.hand_over, actor=clerk, community_id=town.home.id, what=What.TRANSFER,
                    from_id=books[0], to_person=to, points=9, how="paper",
                )
                for to in (one, other)
            ),
            return_exceptions=True,
        )  # fmt: skip

        assert sorted(type(one).__name__ for one in given) == ["NotEnoughPoints", "int"]
        assert sorted([await town.balance(one), await town.balance(other)]) == [0, 9]

    async def test_two_who_give_to_each_other_at_once_both_do(self, town):
        home = {"household_id": await town.household()}
        one, other = [await town.person(points=9, **home) for _ in range(2)]
        clerk = await admin(town)
        books = [(await book_of(town, who)).passbook_id for who in (one, other)]
        for _ in range(4):
            await asyncio.gather(
                *(
                    db.write(
                        vouchers.hand_over, actor=clerk, community_id=town.home.id, what=What.TRANSFER,
                        from_id=source, to_person=to, points=2, how="paper",
                    )
                    for source, to in zip(books, (other, one), strict=True)
                )
            )  # fmt: skip
        assert (await town.balance(one), await town.balance(other)) == (9, 9)


class TestTwoPeople:
    async def test_an_adjustment_is_booked_when_another_agrees(self, town):
        neighbour = await town.person(points=10)
        until = date(2027, 12, 31)
        await agree(town, await adjust(town, neighbour, 5, await admin(town), expires_on=until))
        assert await lots_of(town, neighbour) == [(until, 5), (NEVER, 10)]
        await agree(town, await adjust(town, neighbour, 12, await admin(town), is_up=False))
        assert await town.balance(neighbour) == 3

    async def test_maker_checker_and_whoever_gains_are_three(self, town):
        maker, gains = await admin(town), await admin(town)
        voucher_id = await adjust(town, gains.person_id, 5, maker)

        for actor, refusal in ((maker, OwnRequest), (gains, OwnBenefit)):
            with pytest.raises(refusal):
                await agree(town, voucher_id, actor)
        with pytest.raises(rules.OwnVoucher):
            await adjust(town, maker.person_id, 5, maker)
        assert await town.balance(gains.person_id) == 0

    async def test_the_ledger_itself_wants_the_approval(self, town):
        voucher_id = await adjust(town, await town.person(), 5, await admin(town))
        voucher = await found.voucher((town.home.id,), voucher_id)

        with pytest.raises(NotGiven):
            await db.write(flows.book, actor=await admin(town), voucher=voucher)

        assert await db.rows("SELECT 1 FROM ledger_entry WHERE kind = 'adjustment'") == []

    async def test_what_was_not_shown_is_not_agreed_to(self, town):
        voucher_id = await adjust(town, await town.person(), 5, await admin(town))
        other_id = await adjust(town, await town.person(), 50, await admin(town))
        with pytest.raises(FactsChanged):
            await db.write(
                vouchers.give, actor=await admin(town), voucher_id=other_id, seen=await seen(town, voucher_id)
            )

    async def test_of_two_who_agree_at_once_one_books(self, town):
        neighbour = await town.person()
        voucher_id = await adjust(town, neighbour, 5, await admin(town))
        checkers, shown = [await admin(town), await admin(town)], await seen(town, voucher_id)
        given = await asyncio.gather(
            *(db.write(vouchers.give, actor=one, voucher_id=voucher_id, seen=shown) for one in checkers),
            return_exceptions=True,
        )
        losers = [one for one in given if isinstance(one, Exception)]
        assert len(losers) == 1
        assert isinstance(losers[0], AlreadyDecided | rules.VoucherMoved)
        assert await town.balance(neighbour) == 5

    async def test_refused_and_withdrawn_vouchers_move_nothing(self, town):
        neighbour, maker = await town.person(), await admin(town)
        first, second = [await adjust(town, neighbour, 5, maker) for _ in range(2)]
        await db.write(vouchers.refuse, actor=await admin(town), voucher_id=first, reason="没有依据")
        await db.write(vouchers.withdraw, actor=maker, voucher_id=second)
        for voucher_id in (first, second):
            with pytest.raises(rules.VoucherMoved):
                await agree(town, voucher_id)
        assert await town.balance(neighbour) == 0


async def set_alone_max(tx: db.Tx, *, community_id: int, points: int) -> None:
    await tx.run("UPDATE people_community SET reversal_alone_max = ? WHERE id = ?", points, community_id)
    await change(tx, what="limit", row_id=community_id)


class TestReversing:
    async def reverse(self, town, person_id, actor=None):
        line = (await queries.lines((await book_of(town, person_id)).account_id))[0]
        room = (await found.entry(None, line.entry_id)).source_room
        return await db.write(
            vouchers.take_back, actor=actor or await admin(town), community_id=town.home.id, way=What.REVERSAL,
            entry_id=line.entry_id, reason="wrong_points", note="", room=room,
        )  # fmt: skip

    async def test_a_small_award_is_reversed_by_one_a_large_one_by_two(self, town):
        await db.write(set_alone_max, community_id=town.home.id, points=20)
        small, large = await town.person(points=20), await town.person("测试乙", points=21)

        await self.reverse(town, small)
        voucher_id = await self.reverse(town, large)

        assert (await town.balance(small), await town.balance(large)) == (0, 21)
        with pytest.raises(rules.AskedAlready):
            await self.reverse(town, large)
        await agree(town, voucher_id)
        assert await town.balance(large) == 0
        with pytest.raises((AlreadyReversed, rules.ElsewhereReversed)):
            await self.reverse(town, small)

    async def test_a_transfer_comes_back_with_its_last_days(self, town):
        """Out of lots of the other one in which there is more."""
        giver, friend = await lasting(town, 10, 30), await lasting(town, 1, 30)
        before = await lots_of(town, giver)
        await give_away(town, giver, 12, friend)

        await self.reverse(town, friend)

        assert (await lots_of(town, giver), await lots_of(town, friend)) == (before, [(NEVER, 4)])

    async def test_a_donation_comes_back_from_the_pot(self, town):
        giver = await town.person(points=10)
        await give_away(town, giver, 7)
        await self.reverse(town, giver)
        assert (await town.balance(giver), (await found.pots(town.home.id))[0].points) == (10, 0)

    async def test_nobody_reverses_what_is_their_own_household_s(self, town):
        clerk = await admin(town)
        await town.give(clerk.person_id, 9)
        with pytest.raises(rules.OwnVoucher):
            await self.reverse(town, clerk.person_id, clerk)
