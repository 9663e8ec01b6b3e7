"""A wrong merge parted, moving house and leaving: what becomes of points, and that nothing else can undo it."""

from datetime import timedelta

import pytest

from pointsbank.awards import queries as award_queries
from pointsbank.events import actions as event_actions
from pointsbank.events import actions_attendance
from pointsbank.events import actions_confirm as events
from pointsbank.events.actions_confirm import Line
from pointsbank.governance import actions, actions_people
from pointsbank.governance.rules import (
    OwnMatter,
    OwnMerge,
    PointsLeft,
)
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.ledger import actions_expiry as ledger
from pointsbank.ledger.rules import NotAsTold
from pointsbank.people import actions_cards, actions_own
from pointsbank.people import queries as people_queries
from pointsbank.people import queries_own as own
from pointsbank.people.access import Role
from pointsbank.people.rules import (
    HasLeft,
    NotMerged,
    OtherRoles,
    UnknownCode,
)
from tests.governance.merging import merge
from tests.people.conftest import session_of
from tests.world import World


async def activity(world, organiser) -> int:
    """Two hours that are over, with everybody of `came` still to be confirmed."""
    now = world.clock.now()
    seen = (world.home.id,)
    activity_id = await db.write(
        event_actions.create, actor=organiser, community_id=world.home.id, title="测试打扫", venue="测试广场",
        item_code="A01", contact="10000000003", starts_at=now, ends_at=now + timedelta(hours=2), seats=None,
    )  # fmt: skip
    await db.write(event_actions.publish, actor=organiser, activity_id=activity_id, community_ids=seen)
    return activity_id


async def came(world, staff, activity_id, *person_ids) -> list[int]:
    facts = {"activity_id": activity_id, "community_ids": (world.home.id,)}
    arrived = [
        await db.write(actions_attendance.check_in_picked, actor=staff, person_id=one, **facts) for one in person_ids
    ]
    return [one.attendance_id for one in arrived]


async def confirmed(world, organiser, activity_id, *lines) -> None:
    world.clock.advance(hours=2, minutes=1)
    await db.write(
        events.confirm, actor=organiser, activity_id=activity_id, community_ids=(world.home.id,),
        lines=[Line(line, 120) for line in lines],
    )  # fmt: skip


@pytest.fixture
async def world(database, settings, clock) -> World:
    return await World(clock, settings).found()


class TestSeparating:
    """Somebody came to an activity, and an admin took him for a member who did not."""

    @pytest.fixture
    async def merged(self, world):
        organiser, _ = await world.staff(Role.EVENT_ORGANISER)
        admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
        other, _ = await world.staff(Role.COMMUNITY_ADMIN)
        stranger, member = await world.provisional("测试戊"), await world.person("测试己")
        where = await activity(world, organiser)
        (line,) = await came(world, organiser, where, stranger)
        await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=member)
        (merge,) = await own.merges_into(member)
        return organiser, admin, other, stranger, member, where, line, merge

    @pytest.mark.both
    async def test_takes_effect_at_once_and_the_booked_points_stay_to_be_reversed(self, world, merged):
        organiser, _admin, other, stranger, member, where, line, merge = merged
        await confirmed(world, organiser, where, line)
        before = await world.balance(member)
        assert before > 0

        await db.write(actions_people.separate, actor=other, merge_id=merge.id, reason="两位同名")

        assert await people_queries.ids_of(None, member) == [member]
        assert (await people_queries.holder_of(None, stranger)).state == "provisional"
        assert await world.balance(member) == before
        made = await award_queries.of_acts(None, "events", "attendance", [line])
        assert [(one.person_id, one.state) for one in made] == [(member, "settled")]
        found = await db.row("SELECT state, person_id FROM events_attendance WHERE id = ?", line)
        assert tuple(found) == ("confirmed", stranger)

    async def test_nobody_who_merged_parts_it_nor_anybody_twice(self, merged):
        _organiser, admin, other, stranger, member, _where, _line, merge = merged
        with pytest.raises(OwnMerge):
            await db.write(actions_people.separate, actor=admin, merge_id=merge.id, reason="错了")
        with pytest.raises(OwnMatter):
            await db.write(actions_people.separate, actor=Actor(member), merge_id=merge.id, reason="错了")
        await db.write(actions_people.separate, actor=other, merge_id=merge.id, reason="错了")
        with pytest.raises(NotMerged):
            await db.write(actions_people.separate, actor=other, merge_id=merge.id, reason="错了")
        await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=member)
        assert len(await own.merges_into(member)) == 2

    @pytest.mark.both
    @pytest.mark.usefixtures("database")
    async def test_what_the_own_alias_brought_is_sent_back_too(self, settings, clock):
        world = await World(clock, settings).found(notice_days=3)
        organiser, _ = await world.staff(Role.EVENT_ORGANISER)
        (admin, _), (other, _) = await world.staff(Role.COMMUNITY_ADMIN), await world.staff(Role.COMMUNITY_ADMIN)
        stranger, double, member = await world.provisional("测试戊"), await world.person("测试戊"), await world.person()
        where = await activity(world, organiser)
        (line,) = await came(world, organiser, where, stranger)
        await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=double)
        await merge(world, double, member, actor=admin)
        await confirmed(world, organiser, where, line)
        (wrong,) = await own.merges_into(member)

        parted = await db.write(actions_people.separate, actor=other, merge_id=wrong.id, reason="两位同名")

        assert (parted.person_id, parted.sent_back) == (double, 1)
        assert await people_queries.ids_of(None, stranger) == sorted([stranger, double])

    @pytest.mark.both
    async def test_a_line_that_the_merge_struck_stands_again(self, world):
        organiser, _ = await world.staff(Role.EVENT_ORGANISER)
        (admin, _), (other, _) = await world.staff(Role.COMMUNITY_ADMIN), await world.staff(Role.COMMUNITY_ADMIN)
        stranger, member = await world.provisional("测试戊"), await world.person("测试己")
        where = await activity(world, organiser)
        lines = await came(world, organiser, where, member, stranger)
        await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=member)
        (merge,) = await own.merges_into(member)

        async def states():
            found = await db.rows("SELECT state FROM events_attendance WHERE id IN (?, ?) ORDER BY id", *lines)
            seats = await db.row("SELECT arrived FROM events_activity WHERE id = ?", where)
            return [one[0] for one in found], seats[0]

        assert await states() == (["open", "struck"], 1)
        world.clock.advance(minutes=1)
        await db.write(actions_people.separate, actor=other, merge_id=merge.id, reason="错了")
        assert await states() == (["open", "open"], 2)


async def test_where_both_records_of_one_person_were_confirmed_both_lines_stay(world):
    organiser, _ = await world.staff(Role.EVENT_ORGANISER)
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
    twice, member = await world.person("测试戊"), await world.person("测试己")
    where = await activity(world, organiser)
    await confirmed(world, organiser, where, *await came(world, organiser, where, twice, member))
    before = await world.balance(twice) + await world.balance(member)

    await merge(world, twice, member, actor=admin)

    assert await world.balance(member) == before
    found = await db.rows("SELECT state FROM events_attendance WHERE activity_id = ?", where)
    assert [one[0] for one in found] == ["confirmed", "confirmed"]


class TestSeparatingBeforeTheNoticeEnds:
    @pytest.fixture
    async def world(self, database, settings, clock) -> World:  # noqa: ARG002  open before it is filled
        return await World(clock, settings).found(notice_days=3)

    async def test_what_is_on_its_way_is_sent_back_and_disputed_lines_are_ruled_on_first(self, world):
        organiser, _ = await world.staff(Role.EVENT_ORGANISER)
        (admin, _), (other, _) = await world.staff(Role.COMMUNITY_ADMIN), await world.staff(Role.COMMUNITY_ADMIN)
        stranger, member = await world.provisional("测试戊"), await world.person("测试己")
        where = await activity(world, organiser)
        (line,) = await came(world, organiser, where, stranger)
        await db.write(actions.settle_provisional, actor=admin, person_id=stranger, same_as=member)
        await confirmed(world, organiser, where, line)
        (merge,) = await own.merges_into(member)

        parted = await db.write(actions_people.separate, actor=other, merge_id=merge.id, reason="错了")

        assert parted.sent_back == 1
        (award,) = await award_queries.of_acts(None, "events", "attendance", [line])
        assert award.state == "rejected"
        assert await world.balance(member) == 0


class TestLeaving:
    def leave(self, person_id, actor, points=0):
        return db.write(
            actions_people.leave, actor=actor, person_id=person_id, how="paper", points_given_up=points,
            answer="本人签字",
        )  # fmt: skip

    @pytest.mark.both
    async def test_ends_everything_at_once_and_keeps_the_number_and_the_books(self, world):
        person = await world.person("测试甲", points=30)
        admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
        _device, token = await world.phone(person)
        card = await world.card(person)
        await db.write(actions_own.ask_to_leave, person_id=person)
        view = await people_queries.member_view([world.home.id], person)
        assert await session_of(token) is not None
        with pytest.raises(PointsLeft):
            await self.leave(person, admin)
        with pytest.raises(PointsLeft):
            await self.leave(person, admin, points=29)
        assert await session_of(token) is not None

        await self.leave(person, admin, points=30)

        assert await session_of(token) is None
        with pytest.raises(UnknownCode):
            await db.write(actions_cards.take_code, code=card, purpose="visit", community_id=world.home.id)
        gone = await people_queries.member_view([world.home.id], person)
        assert (gone.state, gone.masked_name, gone.masked_phone) == ("left", view.member_number, "")
        kept = await db.row(
            "SELECT wrapped_key, name, phone, phone_index, id_last4, id_index, birth_year, household_id "
            "FROM people_person WHERE id = ?", person,
        )  # fmt: skip
        assert set(kept) == {None}
        assert await world.balance(person) == 0
        assert not await people_queries.publishes(person)
        (request,) = await own.requests_of(person)
        assert (request.state, request.answer) == ("done", "本人签字")
        with pytest.raises(HasLeft):
            await self.leave(person, admin)

    async def test_open_attendances_and_awards_on_their_way_end_and_no_new_ones_are_made(self, world):
        person = await world.person("测试甲")
        organiser, _ = await world.staff(Role.EVENT_ORGANISER)
        admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
        where = await activity(world, organiser)
        (line,) = await came(world, organiser, where, person)
        await self.leave(person, admin)
        found = await db.row("SELECT state FROM events_attendance WHERE id = ?", line)
        assert found[0] == "struck"

    async def test_an_admin_s_roles_end_but_none_that_oversees_from_elsewhere(self, world):
        leaver, token = await world.staff(Role.GRID_WORKER)
        above, _ = await world.staff(Role.SUPERVISOR)
        admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
        assert await session_of(token) is not None
        await self.leave(leaver.person_id, admin)
        assert await session_of(token) is None
        with pytest.raises(OtherRoles):
            await self.leave(above.person_id, admin)
        with pytest.raises(OwnMatter):
            await self.leave(admin.person_id, admin)


async def test_points_given_up_are_those_that_were_told(world):
    person = await world.person("测试甲", points=30)
    book = await db.row("SELECT id FROM ledger_passbook WHERE person_id = ?", person)
    with pytest.raises(NotAsTold):
        await db.write(ledger.give_up, passbook_id=book[0], points=31, member_id=person, source=("a", "b", 1))
