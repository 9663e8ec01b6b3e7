"""The signed sheet: printed before, entered afterwards, and never a way round the door."""

from datetime import UTC, datetime, time, timedelta

import pytest

from pointsbank.events import actions_attendance as attendance
from pointsbank.events import queries, rules
from pointsbank.events.rules import Plan
from pointsbank.kit import db
from pointsbank.kit.clock import ZONE
from pointsbank.kit.errors import Refusal
from pointsbank.people.access import Role
from tests.world import visiting


async def late(square, activity_id, person_id, *, in_at, out_at):
    return await db.write(
        attendance.enter_late,
        actor=square.organiser,
        activity_id=activity_id,
        person_id=person_id,
        in_at=in_at,
        out_at=out_at,
        community_ids=square.community_ids,
    )


@pytest.mark.both
async def test_who_signed_on_paper_is_entered_afterwards_and_can_be_confirmed(square):
    activity_id = await square.activity(starts_in=10, minutes=120, seats=1)
    person_id, other = await square.world.person("测试乙"), await square.world.person("测试丁")
    square.world.clock.advance(hours=3)
    starts = square.now - timedelta(minutes=170)

    left = await late(square, activity_id, person_id, in_at=starts, out_at=starts + timedelta(minutes=90))
    (line,) = await queries.lines(activity_id)
    assert (left.minutes, line.in_way, line.out_at) == (90, "picked", starts + timedelta(minutes=90))
    for who, code in ((person_id, "events.already_in"), (other, "events.full")):
        with pytest.raises(Refusal) as refused:
            await late(square, activity_id, who, in_at=starts, out_at=starts + timedelta(minutes=90))
        assert refused.value.code == code

    await square.confirm(activity_id, (line.id, 90))
    with pytest.raises(rules.Over):
        await late(square, activity_id, other, in_at=starts, out_at=starts + timedelta(minutes=90))


async def test_times_that_the_sheet_cannot_have_are_refused_and_nobody_is_entered_while_the_door_is_open(square):
    activity_id = await square.activity(starts_in=10, minutes=120)
    person_id, starts = await square.world.person("测试乙"), square.now + timedelta(minutes=10)
    with pytest.raises(rules.StillOn):
        await late(square, activity_id, person_id, in_at=starts, out_at=starts + timedelta(minutes=90))
    square.world.clock.advance(hours=9)
    for come, go in ((-40, 90), (130, 140), (30, 30), (30, 20), (0, 190)):
        with pytest.raises(rules.BadTimes):
            await late(
                square, activity_id, person_id, in_at=starts + timedelta(minutes=come),
                out_at=starts + timedelta(minutes=go),
            )  # fmt: skip

    assert await square.attendances(activity_id) == []
    assert await square.arrived(activity_id) == 0


def test_a_time_on_the_sheet_is_of_the_day_or_past_its_midnight():
    night = Plan(datetime(2026, 11, 21, 22, tzinfo=ZONE), datetime(2026, 11, 22, 1, tzinfo=ZONE))
    day = Plan(datetime(2026, 11, 21, 9, tzinfo=ZONE), datetime(2026, 11, 21, 11, tzinfo=ZONE))

    assert rules.moment_on_sheet(night, time(21, 40)).day == 21
    assert rules.moment_on_sheet(night, time(0, 30)).day == 22
    assert rules.moment_on_sheet(day, time(0, 30)).day == 21
    assert rules.moment_on_sheet(day, time(9, 5)).astimezone(UTC) == datetime(2026, 11, 21, 1, 5, tzinfo=UTC)


async def test_from_the_printed_sheet_to_the_entered_one(square):
    activity_id = await square.activity(starts_in=10, minutes=120, seats=20)
    early, regular = await square.world.person("测试乙"), await square.world.person("测试丁")
    await square.pick(activity_id, early)
    url = f"/events/{activity_id}"
    async with visiting(square.world, cookie=square.organiser_token) as desk:
        sheet = (await desk.get(f"{url}/sheet")).text
        assert sheet.count("<tr><td>") == 28
        assert "测*乙" in sheet
        assert "测试乙" not in sheet
        assert "活动还没有结束" in (await desk.get(f"{url}/late")).text

        square.world.clock.advance(hours=3)
        assert f"{url}/late" in (await desk.get(f"{url}/confirm")).text
        found = (await desk.post(f"{url}/late/find", data={"q": "测试丁"})).text
        assert "测*丁" in found
        form = {"request_key": "sheet-entered-1", "person": str(regular), "arrived": "12:20", "left": "12:10"}
        refused = await desk.post(f"{url}/late", data=form)
        assert refused.status_code == 400
        assert 'value="12:20"' in refused.text
        entered = await desk.post(f"{url}/late", data={**form, "request_key": "sheet-entered-2", "left": "14:00"})
        assert entered.status_code == 303
        assert "已补签：12:20 到 14:00" in (await desk.get(entered.headers["location"])).text


async def test_a_sheet_may_name_those_who_come_to_this_kind_of_thing(square):
    before = await square.activity(starts_in=10, minutes=60)
    person_id = await square.world.person("测试乙")
    square.world.clock.advance(minutes=20)
    entered = await square.pick(before, person_id)
    square.world.clock.advance(hours=2)
    await square.confirm(before, (entered.attendance_id, 40))
    activity_id = await square.activity(starts_in=60)
    _actor, admin = await square.world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(square.world, cookie=admin) as desk:
        assert "测*乙" not in (await desk.get(f"/events/{activity_id}/sheet")).text
        assert "测*乙" in (await desk.get(f"/events/{activity_id}/sheet?regulars=1")).text
