"""Numbers across rooms: what is left out of them."""

from datetime import date, timedelta

import pytest

from pointsbank.events import actions as events
from pointsbank.events import actions_attendance as attendance
from pointsbank.events import actions_confirm as confirming
from pointsbank.kit import db
from pointsbank.people.access import Role
from pointsbank.reports import queries

MINUTES = 60


async def serve(world, count: int) -> None:
    """So many people come to one activity, each for an hour, and are confirmed."""
    organiser, _ = await world.staff(Role.EVENT_ORGANISER)
    where = {"community_ids": (world.home.id,)}
    starts_at = world.clock.now()
    activity_id = await db.write(
        events.create,
        actor=organiser,
        community_id=world.home.id,
        title="测试活动",
        venue="测试广场",
        item_code="A01",
        contact="10000000003",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=MINUTES),
        seats=None,
    )
    await db.write(events.publish, actor=organiser, activity_id=activity_id, **where)
    people = [await world.person() for _ in range(count)]
    facts = {"actor": organiser, "activity_id": activity_id, **where}
    came = [await db.write(attendance.check_in_picked, person_id=one, **facts) for one in people]
    world.clock.advance(minutes=MINUTES)
    for one in people:
        await db.write(attendance.check_out_picked, person_id=one, **facts)
    lines = [confirming.Line(one.attendance_id, MINUTES) for one in came]
    await db.write(confirming.confirm, lines=lines, **facts)


@pytest.mark.parametrize(("count", "people", "minutes"), [(4, 0, 0), (5, 5, 5 * MINUTES)])
async def test_a_few_people_show_neither_in_their_number_nor_in_their_minutes(world, count, people, minutes):
    await serve(world, count)

    month = await queries.month_of(world.home.id, date(2026, 11, 1), date(2026, 12, 1))

    assert (month.people, month.minutes) == (people, minutes)
