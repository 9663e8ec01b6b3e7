"""What a code that a phone saw is good for: tickets, codes on the screen, the poster."""

import pytest

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import queries, rules
from pointsbank.events.rules import Way
from pointsbank.kit import db
from pointsbank.kit.db import Actor

both = pytest.mark.both


# Tickets


@both
async def test_a_slow_typist_counts_as_of_the_time_the_code_was_seen(square):
    person = await square.world.person()
    activity = await square.activity(starts_in=-118)  # two minutes before the end
    seen_at, ticket = square.now, square.ticket(activity)

    square.world.clock.advance(minutes=4, seconds=59)
    arrived = await square.press(person, ticket)

    assert arrived.in_at == seen_at


async def test_after_five_minutes_the_code_must_be_seen_again(square):
    person = await square.world.person()
    activity = await square.activity()
    ticket = square.ticket(activity)

    square.world.clock.advance(minutes=5, seconds=1)

    with pytest.raises(rules.TicketExpired):
        await square.press(person, ticket)


async def test_a_forwarded_page_is_of_no_use_in_another_browser(square):
    person = await square.world.person()
    activity = await square.activity()

    with pytest.raises(rules.TicketExpired):
        await square.press(person, square.ticket(activity, nonce="another-phone"))
    with pytest.raises(rules.TicketExpired):
        await square.press(person, square.ticket(activity), nonce="")


async def test_a_ticket_cannot_be_altered(square):
    person = await square.world.person()
    ticket = square.ticket(await square.activity(), way=Way.POSTER)

    for place in range(len(ticket)):
        altered = ticket[:place] + ("0" if ticket[place] != "0" else "1") + ticket[place + 1 :]
        with pytest.raises(rules.TicketExpired):
            await square.press(person, altered)


@both
async def test_a_button_pressed_twice_checks_in_once(square):
    person = await square.world.person()
    activity = await square.activity()
    ticket = square.ticket(activity)

    first = await square.press(person, ticket, key="the-same-form")
    again = await square.press(person, ticket, key="the-same-form")
    with pytest.raises(rules.AlreadyIn):
        await square.press(person, ticket, key="another-form")

    assert again == first
    assert await square.arrived(activity) == 1


# The tail of an address, by program


async def self_in(square, activity, person, code):
    return await db.write(attendance.check_in_self, actor=Actor(person), activity_id=activity, code=code)


@pytest.mark.parametrize("steps_ago", [0, 1])
async def test_the_code_on_the_screen_is_good_in_its_step_and_the_next(square, steps_ago):
    person = await square.world.person()
    activity = await square.activity()

    await self_in(square, activity, person, square.screen(activity, steps_ago))

    (line,) = await queries.lines(activity)
    assert line.in_way == "screen"


@pytest.mark.parametrize("steps_ago", [-1, 2, 240])
async def test_an_older_or_newer_code_is_refused(square, steps_ago):
    person = await square.world.person()
    activity = await square.activity()

    with pytest.raises(rules.CodeGone):
        await self_in(square, activity, person, square.screen(activity, steps_ago))


async def test_a_forged_code_and_one_of_another_activity_are_refused(square):
    person = await square.world.person()
    activity, other = await square.activity(), await square.activity(starts_in=500)
    code = square.screen(activity)
    forged = code[:-1] + ("0" if code[-1] != "0" else "1")

    with pytest.raises(rules.CodeGone):
        await self_in(square, activity, person, forged)
    with pytest.raises(rules.CodeOfAnother):
        await self_in(square, activity, person, square.screen(other))
    with pytest.raises(rules.CodeOfAnother):
        await self_in(square, activity, person, await square.poster(other))


async def test_the_poster_counts_as_poster(square):
    person = await square.world.person()
    activity = await square.activity()

    await self_in(square, activity, person, await square.poster(activity))

    (line,) = await queries.lines(activity)
    assert line.in_way == "poster"


async def test_a_resident_of_another_community_cannot_check_in(square):
    stranger = await square.world.person(community=square.world.communities[1])
    activity = await square.activity()

    with pytest.raises(rules.OtherCommunity):
        await square.press(stranger, square.ticket(activity))

    assert await square.arrived(activity) == 0
