import asyncio
from datetime import timedelta

import pytest

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import queries, rules
from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.people.rules import CodeUsed, TypedNumber, UnknownCode

both = pytest.mark.both


# Windows


@pytest.mark.parametrize("starts_in", [30, 0, -119])
async def test_a_card_lets_in_from_half_an_hour_before_until_the_end(square, starts_in):
    person = await square.world.person()
    activity = await square.activity(starts_in=starts_in)

    arrived = await square.enter(activity, await square.world.card(person))

    assert arrived.person_id == person
    assert arrived.in_at == square.now
    assert await square.attendances(activity) == [(person, "open")]


async def test_before_that_it_is_too_early_and_at_the_end_it_is_over(square):
    card = await square.world.card(await square.world.person())
    activity = await square.activity(starts_in=31)

    with pytest.raises(rules.TooEarly):
        await square.enter(activity, card)
    square.world.clock.advance(minutes=31 + 120)
    with pytest.raises(rules.Over) as refused:
        await square.enter(activity, card)

    assert refused.value.facts == {"contact": "测试乙 100 0000 0000"}
    assert await square.arrived(activity) == 0


async def test_a_draft_lets_nobody_in(square):
    activity = await square.activity(is_draft=True)

    with pytest.raises(rules.NotOpenYet):
        await square.enter(activity, await square.world.card(await square.world.person()))


async def test_an_activity_over_midnight_is_one_attendance_of_the_day_it_began(square):
    person = await square.world.person()
    card = await square.world.card(person)
    square.world.clock.advance(hours=11, minutes=30)  # 23:30
    activity = await square.activity(starts_in=0, minutes=60)

    await square.enter(activity, card)
    square.world.clock.advance(minutes=60)  # half past midnight
    left = await square.leave(activity, card)

    assert left.minutes == 60
    assert await square.attendances(activity) == [(person, "open")]


# Staff


async def test_a_phone_code_lets_in_once_and_out_once(square):
    person = await square.world.person()
    activity = await square.activity(starts_in=0)
    code = await square.phone_code(person)

    await square.enter(activity, code)
    with pytest.raises(CodeUsed):
        await square.enter(activity, code)
    await square.leave(activity, code)  # the same picture is good for the other purpose

    (line,) = await queries.lines(activity)
    assert line.in_way == "phone"


async def test_what_was_picked_by_name_is_marked(square):
    person = await square.world.person()
    activity = await square.activity()

    await square.pick(activity, person)

    (line,) = await queries.lines(activity)
    assert line.in_way == "picked"


async def test_strangers_cards_numbers_and_names_are_not_taken(square):
    stranger = await square.world.person(community=square.world.communities[1])
    person = await square.world.person()
    found = await db.row("SELECT member_number FROM people_person WHERE id = ?", person)
    activity = await square.activity()

    with pytest.raises(UnknownCode):
        await square.enter(activity, await square.world.card(stranger))
    with pytest.raises(NotFound):
        await square.pick(activity, stranger)
    with pytest.raises(TypedNumber):
        await square.enter(activity, found["member_number"])

    assert await square.arrived(activity) == 0


async def test_an_activity_of_another_community_is_not_found(square):
    activity = await square.activity()
    card = await square.world.card(await square.world.person())

    for action in (attendance.check_in, attendance.check_out):
        with pytest.raises(NotFound):
            await db.write(
                action,
                actor=square.organiser,
                activity_id=activity,
                code=card,
                community_ids=(square.world.communities[1].id,),
            )
    with pytest.raises(NotFound):
        await square.enter(activity + 1000, card)


# Once, in one place


async def test_one_person_is_in_once_whatever_was_scanned(square):
    person = await square.world.person()
    activity = await square.activity()
    await square.enter(activity, await square.world.card(person))

    with pytest.raises(rules.AlreadyIn) as refused:
        await square.enter(activity, await square.phone_code(person))
    with pytest.raises(rules.AlreadyIn):
        await square.press(person, square.ticket(activity))

    assert refused.value.facts == {"since": "12:00", "activity": activity}
    assert await square.arrived(activity) == 1


@both
async def test_two_phones_of_one_person_at_once_are_one_attendance(square):
    person = await square.world.person()
    activity = await square.activity()
    phones = [square.ticket(activity, nonce=f"phone-{number}") for number in range(2)]

    results = await asyncio.gather(
        *(square.press(person, ticket, nonce=f"phone-{number}") for number, ticket in enumerate(phones)),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in results) == ["AlreadyIn", "Arrived"]
    assert await square.arrived(activity) == 1


@both
async def test_who_is_in_elsewhere_in_the_same_hours_is_sent_to_check_out_there(square):
    card = await square.world.card(await square.world.person())
    here = await square.activity(title="文明劝导", starts_in=0)
    there = await square.activity(title="义诊", starts_in=20)
    await square.enter(here, card)

    with pytest.raises(rules.InElsewhere) as refused:
        await square.enter(there, card)
    assert refused.value.facts == {"title": "文明劝导"}

    square.world.clock.advance(minutes=30)
    await square.leave(here, card)
    await square.enter(there, card)


async def test_one_activity_after_the_other_needs_no_check_out(square):
    card = await square.world.card(await square.world.person())
    first = await square.activity(starts_in=0, minutes=60)
    second = await square.activity(starts_in=60, minutes=60)
    await square.enter(first, card)

    square.world.clock.advance(minutes=50)
    arrived = await square.enter(second, card)

    assert arrived.activity_id == second


# Out


async def test_out_without_in_is_refused(square):
    card = await square.world.card(await square.world.person())

    with pytest.raises(rules.NotIn):
        await square.leave(await square.activity(), card)


@both
async def test_the_first_check_out_stands(square):
    card = await square.world.card(await square.world.person())
    activity = await square.activity(starts_in=0)
    await square.enter(activity, card)
    square.world.clock.advance(minutes=136)
    first = await square.leave(activity, card)

    with pytest.raises(rules.AlreadyOut):
        await square.leave(activity, card)

    assert first.minutes == 120
    assert first.out_at - first.in_at == timedelta(minutes=136)


async def test_people_may_leave_until_an_hour_after_the_end(square):
    cards = [await square.world.card(await square.world.person()) for _ in range(2)]
    activity = await square.activity(starts_in=0)
    for card in cards:
        await square.enter(activity, card)

    square.world.clock.advance(minutes=179)
    await square.leave(activity, cards[0])
    square.world.clock.advance(minutes=1)

    with pytest.raises(rules.Over):
        await square.leave(activity, cards[1])


async def test_out_is_never_before_in(square):
    person = await square.world.person()
    activity = await square.activity(starts_in=0)
    early_ticket = square.ticket(activity)
    square.world.clock.advance(minutes=2)
    await square.enter(activity, await square.world.card(person))

    left = await square.press_out(person, early_ticket)

    assert left.out_at == left.in_at


# Seats


@both
async def test_the_last_seat_is_the_last(square):
    activity = await square.activity(seats=1)
    first = await square.world.card(await square.world.person())
    await square.enter(activity, first)

    with pytest.raises(rules.Full) as refused:
        await square.enter(activity, await square.world.card(await square.world.person()))
    with pytest.raises(rules.AlreadyIn):  # who is in is told so, not that it is full
        await square.enter(activity, first)

    assert refused.value.facts["seats"] == 1


@both
async def test_forty_at_once_for_the_last_seat_are_one_attendance(square):
    activity = await square.activity(seats=1)
    people = [await square.world.person(f"测试{number}") for number in range(40)]

    results = await asyncio.gather(
        *(square.press(person, square.ticket(activity)) for person in people), return_exceptions=True
    )

    names = [type(one).__name__ for one in results]
    assert names.count("Arrived") == 1
    assert names.count("Full") == 39
    assert len(await queries.lines(activity)) == 1
    assert await square.arrived(activity) == 1


# First visit


@both
async def test_an_unknown_phone_is_registered_and_in_or_neither(square):
    activity = await square.activity(seats=1)

    arrived = await square.join(activity)
    before = await square.everything()
    with pytest.raises(rules.Full):
        await square.join(activity, phone="10087654321")

    assert arrived.state == "provisional"
    assert await square.everything() == before


async def test_a_check_in_by_card_takes_nine_statements(square, said):
    card = await square.world.card(await square.world.person())
    activity = await square.activity()
    said.clear()

    await square.enter(activity, card, key="a-key-of-its-own")

    assert 5 < len(said) <= 9, said
