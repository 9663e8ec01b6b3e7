import asyncio

import pytest

from pointsbank.events import actions_confirm, queries, rules
from pointsbank.events.rules import Way
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions as people
from pointsbank.people import queries as holders
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Basis, Item
from pointsbank.trail import queries as trail
from tests.events.conftest import Square
from tests.world import World

both = pytest.mark.both


@pytest.fixture
async def evening(square):
    """An activity of two hours that is over: two neighbours came at its start and left after 90 minutes."""
    activity = await square.activity(starts_in=0)
    for name in ("测试丁", "测试戊"):
        await square.enter(activity, await square.world.card(await square.world.person(name)))
    square.world.clock.advance(minutes=90)
    for line in await queries.lines(activity):
        await square.leave(activity, await square.world.card(line.person_id))
    square.world.clock.advance(minutes=60)
    return activity


async def household_of(person_id):
    return (await holders.holder_of(None, person_id)).household_id


async def lines_of(activity):
    return [line.id for line in await queries.lines(activity)]


@both
async def test_a_confirmed_line_becomes_points_and_closes_the_activity(square, evening):
    first, second = await queries.lines(evening)

    done = await square.confirm(evening, (first.id, 90), (second.id, 60))

    assert (done.lines, done.minutes, done.points, done.is_closed) == (2, 150, 2, True)
    assert await square.world.balance(first.person_id) == 1  # an hour and a half is one whole hour
    assert await square.world.balance(second.person_id) == 1
    assert await queries.minutes_of([first.person_id]) == 90
    assert (await queries.public_activity(evening)).state == "confirmed"
    act = await db.row("SELECT * FROM awards_act WHERE source_room = 'events' AND source_id = ?", first.id)
    assert (act["minutes"], act["planned_minutes"], act["what"]) == (90, 120, "三号楼楼道清洁 1 小时 30 分钟")
    assert act["evidence"] == "card"
    assert [one.verb for one in await trail.history(("attendance", first.id))] == [
        "attendance.in",
        "attendance.out",
        "attendance.confirmed",
    ]


async def test_unticked_lines_stay_open_and_keep_the_activity_open(square, evening):
    first, second = await lines_of(evening)

    done = await square.confirm(evening, (first, 90))

    assert not done.is_closed
    assert [line.state for line in await queries.lines(evening)] == ["confirmed", "open"]
    assert (await square.confirm(evening, (second, 90))).is_closed


async def test_a_line_is_confirmed_once(square, evening):
    first, _ = await lines_of(evening)
    await square.confirm(evening, (first, 90))

    with pytest.raises(rules.LineGone):
        await square.confirm(evening, (first, 90))


@both
async def test_two_organisers_at_once_confirm_a_line_once(square, evening):
    colleague, _ = await square.world.staff(Role.COMMUNITY_ADMIN)
    first, _ = await lines_of(evening)

    results = await asyncio.gather(
        square.confirm(evening, (first, 90)),
        square.confirm(evening, (first, 90), actor=colleague),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in results) == ["Confirmed", "LineGone"]
    found = await db.row("SELECT COUNT(*) AS acts FROM awards_act")
    assert found["acts"] == 1


async def test_minutes_may_be_shortened_and_never_lengthened(square, evening):
    first, second = await lines_of(evening)

    with pytest.raises(rules.TooLong) as refused:
        await square.confirm(evening, (first, 91))
    with pytest.raises(rules.TooLong):
        await square.confirm(evening, (first, 0))
    with pytest.raises(rules.TooLong):
        await square.confirm(evening, (first, -5))
    await square.confirm(evening, (first, 1), (second, 90))

    assert refused.value.facts == {"most": 90}


async def test_one_line_that_is_refused_holds_back_the_others(square, evening):
    first, second = await lines_of(evening)

    with pytest.raises(rules.TooLong):
        await square.confirm(evening, (first, 90), (second, 91))

    assert [line.state for line in await queries.lines(evening)] == ["open", "open"]


async def test_who_never_left_counts_to_the_planned_end_at_most(square):
    activity = await square.activity(starts_in=0)
    await square.enter(activity, await square.world.card(await square.world.person()))
    (line,) = await lines_of(activity)

    square.world.clock.advance(minutes=119)
    with pytest.raises(rules.StillIn):
        await square.confirm(activity, (line, 100))
    square.world.clock.advance(minutes=1)
    with pytest.raises(rules.TooLong):
        await square.confirm(activity, (line, 121))
    await square.confirm(activity, (line, 120))


async def test_who_has_left_may_be_confirmed_before_the_end(square):
    activity = await square.activity(starts_in=0)
    card = await square.world.card(await square.world.person())
    await square.enter(activity, card)
    square.world.clock.advance(minutes=60)
    await square.leave(activity, card)
    (line,) = await lines_of(activity)

    done = await square.confirm(activity, (line, 60))

    assert not done.is_closed  # others may still come
    await square.enter(activity, await square.world.card(await square.world.person()))


async def test_nobody_confirms_themselves_or_their_household(square):
    organiser = square.organiser
    home = await household_of(organiser.person_id)
    spouse = await square.world.person("测试己", household_id=home)
    activity = await square.activity(starts_in=0)
    for person in (spouse, organiser.person_id):
        await square.enter(activity, await square.world.card(person))
    square.world.clock.advance(minutes=120)
    spouse_line, own_line = await lines_of(activity)

    for line in (spouse_line, own_line):
        with pytest.raises(rules.OwnLine):
            await square.confirm(activity, (line, 120))

    colleague, _ = await square.world.staff(Role.EVENT_ORGANISER)
    done = await square.confirm(activity, (spouse_line, 120), (own_line, 120), actor=colleague)
    assert done.is_closed


async def test_who_is_not_settled_earns_nothing_until_they_are(square):
    activity = await square.activity(starts_in=0)
    arrived = await square.join(activity)
    square.world.clock.advance(minutes=120)
    (line,) = await lines_of(activity)

    with pytest.raises(rules.LineNotSettled):
        await square.confirm(activity, (line, 120))
    await db.write(people.accept_provisional, person_id=arrived.person_id)
    await square.confirm(activity, (line, 120))

    assert await square.world.balance(arrived.person_id) == 2


async def test_a_line_that_was_struck_gives_nothing_and_frees_its_seat(square):
    activity = await square.activity(starts_in=0, seats=1)
    card = await square.world.card(await square.world.person())
    await square.enter(activity, card)
    (line,) = await lines_of(activity)

    await strike(square, activity, line)

    assert await square.arrived(activity) == 0
    with pytest.raises(rules.StruckOff):
        await square.enter(activity, card)
    await square.enter(activity, await square.world.card(await square.world.person()))


async def strike(square, activity, line):
    return await db.write(
        actions_confirm.strike,
        actor=square.organiser,
        activity_id=activity,
        community_ids=square.community_ids,
        attendance_id=line,
    )


async def finish(square, activity):
    return await db.write(
        actions_confirm.finish, actor=square.organiser, activity_id=activity, community_ids=square.community_ids
    )


async def test_finishing_strikes_off_what_is_left(square, evening):
    first, _ = await lines_of(evening)
    await square.confirm(evening, (first, 90))

    assert await finish(square, evening) == 1

    assert [line.state for line in await queries.lines(evening)] == ["confirmed", "struck"]
    assert (await queries.public_activity(evening)).state == "confirmed"
    with pytest.raises(rules.NotConfirmable):
        await finish(square, evening)


async def test_an_activity_is_not_finished_before_its_end(square):
    activity = await square.activity(starts_in=0)

    with pytest.raises(rules.NotOver):
        await finish(square, activity)


async def test_another_community_confirms_nothing(square, evening):
    stranger = square.world.communities[1].id
    first, _ = await lines_of(evening)
    line = actions_confirm.Line(first, 90)
    where = {"activity_id": evening, "community_ids": (stranger,)}

    for action, facts in (
        (actions_confirm.confirm, {"lines": [line]}),
        (actions_confirm.strike, {"attendance_id": first}),
        (actions_confirm.finish, {}),
    ):
        with pytest.raises(NotFound):
            await db.write(action, actor=square.organiser, **where, **facts)


async def test_a_line_of_another_activity_is_not_confirmed_with_this_one(square, evening):
    other = await square.activity(starts_in=0)
    await square.enter(other, await square.world.card(await square.world.person()))
    square.world.clock.advance(minutes=120)
    (line,) = await lines_of(other)

    with pytest.raises(rules.LineGone):
        await square.confirm(evening, (line, 60))
    with pytest.raises(rules.LineGone):
        await strike(square, evening, line)


# Aliases


async def merge(square, person_id, into_id):
    async def merged(tx, *, person_id: int, into_id: int) -> None:
        await people.mark_merged(tx, person_id=person_id, into_id=into_id)
        await actions_confirm.after_merge(tx, person_id=person_id, into_id=into_id)

    await db.write(merged, actor=square.organiser, person_id=person_id, into_id=into_id)


@both
async def test_attendances_follow_whoever_a_phone_turns_out_to_be(square):
    member = await square.world.person()
    activity = await square.activity(starts_in=0)
    arrived = await square.join(activity)
    square.world.clock.advance(minutes=120)

    await merge(square, arrived.person_id, member)
    (line,) = await lines_of(activity)
    await square.confirm(activity, (line, 120))

    assert await square.world.balance(member) == 2
    assert await queries.minutes_of([member, arrived.person_id]) == 120
    assert await square.attendances(activity) == [(arrived.person_id, "confirmed")]


async def test_one_human_being_under_two_names_is_there_once(square):
    member = await square.world.person()
    activity = await square.activity(starts_in=0)
    arrived = await square.join(activity)
    square.world.clock.advance(minutes=1)
    await square.enter(activity, await square.world.card(member))

    await merge(square, arrived.person_id, member)

    assert await square.attendances(activity) == [(arrived.person_id, "open"), (member, "struck")]
    assert await square.arrived(activity) == 1
    with pytest.raises(rules.AlreadyIn):
        await square.press(member, square.ticket(activity, way=Way.SCREEN))


@both
async def test_two_phones_of_one_human_being_are_there_once(square):
    member = await square.world.person()
    activity = await square.activity(starts_in=0)
    first, second = await square.join(activity), await square.join(activity)

    for arrived in (first, second):
        await merge(square, arrived.person_id, member)

    assert await square.attendances(activity) == [(first.person_id, "open"), (second.person_id, "struck")]


@both
async def test_the_same_hours_at_two_activities_count_once(square):
    """A phone that registered here, and its owner's card there: who it was came out afterwards."""
    member = await square.world.person()
    here, there = await square.activity(starts_in=0), await square.activity(starts_in=0)
    arrived = await square.join(here)
    await square.enter(there, await square.world.card(member))
    square.world.clock.advance(minutes=120)
    await merge(square, arrived.person_id, member)
    ((one,), (other,)) = await lines_of(here), await lines_of(there)

    told = await asyncio.gather(
        square.confirm(here, (one, 120)), square.confirm(there, (other, 120)), return_exceptions=True
    )

    assert sorted(type(answer).__name__ for answer in told) == ["Confirmed", "SameHours"]
    assert await square.world.balance(member) == 2


async def test_of_two_rows_the_confirmed_one_stays(square):
    member = await square.world.person()
    activity = await square.activity(starts_in=0)
    arrived = await square.join(activity)
    square.world.clock.advance(minutes=1)
    await square.enter(activity, await square.world.card(member))
    square.world.clock.advance(minutes=119)
    _, line = await lines_of(activity)
    await square.confirm(activity, (line, 119))

    await merge(square, arrived.person_id, member)

    assert await square.attendances(activity) == [(arrived.person_id, "struck"), (member, "confirmed")]


async def test_an_organiser_is_kept_from_the_lines_of_their_own_aliases(square):
    activity = await square.activity(starts_in=0)
    arrived = await square.join(activity)
    square.world.clock.advance(minutes=120)
    await merge(square, arrived.person_id, square.organiser.person_id)
    (line,) = await lines_of(activity)

    with pytest.raises(rules.OwnLine):
        await square.confirm(activity, (line, 120), actor=Actor(square.organiser.person_id))


async def test_an_activity_is_one_occasion_for_a_household(clock, settings, database):
    stairs = Item(
        code="Z01", category="环境", name="楼道评比", basis=Basis.PER_TIME, points=3, evidence="评比", scope="building"
    )
    world = await World(clock, settings, more_items=(stairs,)).found(count=1)
    square = Square(world, *await world.staff(Role.EVENT_ORGANISER))
    home = await world.household()
    came = [await world.person(household_id=home) for _ in "ab"] + [await world.person()]
    activity = await square.activity(starts_in=0, item_code="Z01")
    for person in came:
        await square.pick(activity, person)
    clock.advance(minutes=150)

    done = await square.confirm(activity, *[(line.id, 60) for line in await queries.lines(activity)])

    assert (done.points, [await world.balance(person) for person in came]) == (6, [3, 0, 3])
