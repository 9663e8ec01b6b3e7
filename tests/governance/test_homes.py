"""Moving house and leaving: what becomes of points, one's own and a household's."""

import pytest

from pointsbank.awards import actions as awards
from pointsbank.awards import queries as award_queries
from pointsbank.awards.rules import Reason
from pointsbank.governance import actions_people
from pointsbank.governance.rules import DisputedFirst, OpeningFirst, OwnMatter, PointsLeft
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions_opening as openings
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.rules import NEVER, NotEnoughPoints
from pointsbank.ledger.rules_opening import NewLine
from pointsbank.people import actions as people
from pointsbank.people import actions_cards, actions_homes, actions_household_cards, actions_print
from pointsbank.people import queries as people_queries
from pointsbank.people.rules import AlreadyAtDoor, AlreadyThere, HasLeft, NotOneHome, StillProvisional


async def move(place, *person_ids, door="901", actor=None, reason="moved", share=0):
    """Move people behind a door of the one building."""
    return await db.write(
        actions_people.move, actor=actor or await place.actor(), community_id=place.community_id,
        person_ids=list(person_ids), building_id=place.building_id, door=door, reason=reason, share=share,
    )  # fmt: skip


async def leave(place, person_id, points=0):
    await db.write(
        actions_people.leave, actor=await place.actor(), person_id=person_id, how="paper", points_given_up=points,
        answer="本人签字",
    )  # fmt: skip


async def passbook(**whose):
    """The main passbook of a person or of a household."""

    async def found(tx, **whose):
        return await ledger.passbook_in(tx, **whose)

    return await db.write(found, **whose)


async def is_closed(book) -> bool:
    return (await flows.book(None, book.passbook_id)).is_closed


class TestMoving:
    async def test_a_person_s_own_passbook_and_what_is_on_its_way_go_along(self, neighbours):
        await neighbours.adopt(notice_days=1)
        home = await neighbours.household()
        person, mate = [await neighbours.person(name, household_id=home) for name in ("测试甲", "测试乙")]
        made = await neighbours.act(person)
        moved = await move(neighbours, person)
        assert (moved.left_id, moved.is_emptied) == (home, False)
        await neighbours.midnight(3)
        assert await neighbours.balance(person) == 20
        assert await neighbours.state(made.award_id) == "settled"
        assert await neighbours.entries() == 1
        assert await people_queries.household_members(None, home) == [mate]
        assert await people_queries.head_of(moved.household_id) == person

    async def test_nobody_moves_nowhere_or_into_a_namesake_or_out_of_two_homes(self, neighbours):
        one, other = await neighbours.person("测试甲"), await neighbours.person("测试甲")
        with pytest.raises(NotOneHome):
            await move(neighbours, one, other)
        await move(neighbours, one)
        with pytest.raises(AlreadyThere):
            await move(neighbours, one)
        with pytest.raises(AlreadyAtDoor):
            await move(neighbours, other)
        with pytest.raises(OwnMatter):
            await move(neighbours, other, door="902", actor=Actor(other))
        with pytest.raises(NotOneHome):
            await db.write(
                actions_people.move, actor=await neighbours.actor(), community_id=neighbours.elsewhere_id,
                person_ids=[other], building_id=neighbours.building_id, door="1", reason="moved",
            )  # fmt: skip

    async def test_an_empty_household_is_not_found_behind_its_old_door(self, neighbours):
        person, late = await neighbours.person("测试甲"), await neighbours.person("测试乙")
        mate = await neighbours.person("测试丙")
        first = await move(neighbours, person)
        await move(neighbours, mate, door="902")
        await move(neighbours, person, door="902")
        second = await move(neighbours, late)
        assert second.household_id != first.household_id


class TestMovingWithOneHouseholdPassbook:
    @pytest.fixture
    async def home(self, families):
        await families.adopt(notice_days=1)
        household = await families.household()
        return household, [await families.person(name, household_id=household) for name in ("测试甲", "测试乙")]

    @pytest.mark.both
    async def test_what_was_done_before_goes_to_the_old_household_once_and_later_deeds_to_the_new(self, families, home):
        _where, (goes, stays) = home
        await families.act(goes)
        await move(families, goes)
        later = await families.act(goes, what="搬走以后")
        await families.midnight(3)
        assert await families.balance(stays) == 20
        assert await families.balance(goes) == 20
        assert await families.entries() == 2
        assert await award_queries.award_for_resident(goes, later.award_id)
        with pytest.raises(NotFound):
            await award_queries.award_for_resident(stays, later.award_id)

    async def test_an_award_stays_visible_to_the_passbook_it_goes_to(self, families, home):
        _where, (goes, stays) = home
        made = await families.act(goes)
        host = await families.person("测试丁")
        door = await move(families, host, door="777")
        await move(families, goes, door="777")
        assert door.household_id == (await people_queries.holder_of(None, goes)).household_id
        assert await award_queries.award_for_resident(stays, made.award_id)
        assert await award_queries.award_for_resident(goes, made.award_id)
        with pytest.raises(NotFound):
            await award_queries.award_for_resident(host, made.award_id)

    async def test_a_rejected_award_gives_back_the_old_household_s_cap(self, families, home):
        _where, (goes, _stays) = home
        made = await families.act(goes, item="B01")
        await move(families, goes)
        await db.write(awards.send_back, award_id=made.award_id, reason=Reason.LEFT)
        assert await families.counted() == []

    @pytest.mark.both
    async def test_the_last_one_takes_all_along_and_what_is_on_its_way(self, families, home):
        where, (one, other) = home
        host = await families.person("测试丁")
        await move(families, host, door="777")
        await families.act(one)
        await families.midnight(3)
        later = await families.act(one)
        await move(families, other, door="777")
        old = await passbook(household_id=where)

        moved = await move(families, one, door="777")

        assert moved.is_emptied
        assert await families.balance(host) == 20
        assert await is_closed(old)
        assert [line.summary for line in await ledger.lines(old.account_id)] == ["随户转积分", "三号楼楼道清洁 2 小时"]
        await families.midnight(3)
        assert await families.state(later.award_id) == "settled"
        assert await families.balance(host) == 40
        assert await families.entries() == 3

    async def test_a_whole_household_keeps_its_passbook_at_another_door(self, families, home):
        where, (one, other) = home
        await families.act(one)
        moved = await move(families, one, other, door="902")
        assert moved.household_id == where
        await families.midnight(3)
        assert await families.balance(one) == 20
        assert not await is_closed(await passbook(household_id=where))

    @pytest.mark.both
    async def test_who_leaves_others_behind_takes_the_share_that_was_agreed(self, families, home):
        _where, (goes, stays) = home
        await families.act(goes)
        await families.midnight(3)
        with pytest.raises(NotEnoughPoints):
            await move(families, goes, share=21)
        await move(families, goes, share=12)
        assert (await families.balance(stays), await families.balance(goes)) == (8, 12)

    async def test_a_passbook_of_one_s_own_follows_into_the_household(self, families):
        await families.adopt(notice_days=1)
        alone = await db.write(
            people.make_person, community_id=families.community_id, household_id=None, name="测试戊", phone=None
        )
        await families.act(alone)
        old = await passbook(person_id=alone)
        await move(families, alone)
        await families.midnight(3)
        assert await families.balance(alone) == 20
        assert await is_closed(old)


class TestLeaving:
    async def test_a_family_keeps_its_points_until_the_last_one_leaves(self, families):
        await families.adopt(notice_days=1)
        home = await families.household()
        one, other = [await families.person(name, household_id=home) for name in ("测试甲", "测试乙")]
        first = await families.act(one)
        await families.midnight(3)
        await families.act(one)
        await leave(families, one)
        assert await families.balance(other) == 20
        await families.midnight(3)
        assert await families.balance(other) == 40
        assert await families.state(first.award_id) == "settled"
        waiting = await families.act(other)
        with pytest.raises(PointsLeft):
            await leave(families, other)
        await leave(families, other, points=40)
        assert await families.state(waiting.award_id) == "rejected"
        found = await db.row("SELECT door, head_id FROM people_household WHERE id = ?", home)
        assert tuple(found) == (None, None)

    async def test_what_is_disputed_is_ruled_on_first(self, neighbours):
        await neighbours.adopt(notice_days=1)
        person = await neighbours.person()
        made = await neighbours.act(person)
        await neighbours.midnight()
        await neighbours.object_to(made.award_id)
        with pytest.raises(DisputedFirst):
            await leave(neighbours, person)

    async def test_nobody_who_left_earns_or_is_settled(self, neighbours):
        await neighbours.adopt(notice_days=0)
        person = await neighbours.person()
        await leave(neighbours, person)
        with pytest.raises(HasLeft):
            await neighbours.act(person)
        with pytest.raises(StillProvisional):
            await db.write(actions_cards.issue_card, person_id=person)


async def test_an_opening_balance_that_is_to_come_is_not_left_behind(families):
    home = await families.household()
    person = await families.person("测试甲", household_id=home)
    maker = await families.actor()
    made = {"community_id": families.community_id, "day": local_day(families.clock.now()), "expires_on": NEVER}
    list_id = await db.write(openings.make_list, actor=maker, **made, lines=[NewLine(person, home, 50, "")])
    with pytest.raises(OpeningFirst):
        await leave(families, person)
    host = await families.person("测试丁")
    await move(families, host, door="777")
    with pytest.raises(OpeningFirst):
        await move(families, person, door="777")
    await db.write(openings.withdraw, actor=maker, list_id=list_id)
    await leave(families, person)


async def test_a_household_s_card_and_plate_are_dead_when_nobody_lives_there(families):
    home = await families.household()
    person, host = await families.person("测试甲", household_id=home), await families.person("测试丁")
    issued = await db.write(actions_household_cards.issue_household_card, household_id=home)
    await db.write(actions_print.make_plates, community_id=families.community_id, household_ids=[home])
    await move(families, host, door="777")
    await move(families, person, door="777")
    card = await db.row("SELECT state FROM people_household_card WHERE id = ?", issued.card_id)
    assert card[0] == "lost"
    assert await db.row("SELECT 1 FROM people_plate WHERE household_id = ?", home) is None


async def test_a_head_is_one_of_the_household(neighbours):
    home = await neighbours.household()
    one, other = [await neighbours.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    stranger = await neighbours.person("测试丙")
    await db.write(actions_homes.make_head, household_id=home, person_id=other)
    assert await people_queries.head_of(home) == other
    with pytest.raises(NotOneHome):
        await db.write(actions_homes.make_head, household_id=home, person_id=stranger)
    assert one != other
