"""Organisers at the desk, at the projector and at the door, through HTTP."""

import re
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from pointsbank.events import queries
from pointsbank.events.rules import Way
from pointsbank.kit import codes
from pointsbank.people.access import Role
from tests.world import ADDRESS, visiting

KEY = "key-of-this-form-"
FORM = {
    "title": "三号楼楼道清洁",
    "day": "2026-11-22",
    "starts": "14:30",
    "ends": "16:30",
    "venue": "三号楼单元门口",
    "item_code": "A01",
    "contact": "测试乙 100 0000 0000",
    "seats": "12",
}


@pytest.fixture
async def desk(square):
    async with visiting(square.world, cookie=square.organiser_token) as client:
        yield client


def decoded(png: bytes) -> str:
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(png)).convert("L"))
    return found.text


async def test_from_the_form_over_the_check_to_the_poster(square, desk):
    made = await desk.post("/events/new", data={**FORM, "request_key": KEY + "1"})
    assert made.status_code == 303, made.text
    number = int(made.headers["location"].split("/")[2])
    check = await desk.get(made.headers["location"])
    assert "14:30 至 16:30" in check.text
    assert "14:00 开始" in check.text

    await desk.post(f"/events/{number}/publish", data={"request_key": KEY + "2"})
    poster = await desk.get(f"/events/{number}/poster")

    assert "三号楼楼道清洁" in poster.text
    assert f"活动编号 1122-{number:02}" in poster.text
    found = await queries.activity(number, square.community_ids)
    picture = await desk.get(f"/events/{number}/poster.png")
    assert decoded(picture.content) == f"{ADDRESS}/p/{found.poster_token}"
    assert (await desk.get("/events")).text.count("三号楼楼道清洁") == 1
    assert (await desk.get(f"/events/{number}")).status_code == 200


MISTAKES = (
    ("title", "", "请填写名称"),
    ("day", "明天", "请把日期写成 2026-11-22 这样"),
    ("ends", "14:00", "结束晚于开始"),
    ("day", "2026-11-20", "活动要在将来开始"),
    ("day", "2025-01-01", "活动要在将来开始"),
    ("seats", "0", "名额要在 1 到 100000 之间"),
    ("item_code", "Z01", "积分项目 Z01 不能用在活动上"),
    ("venue", "", "请填写地点"),
)


async def test_a_form_keeps_what_was_typed_and_says_what_to_change(square, desk):
    for field, value, said in MISTAKES:
        answer = await desk.post("/events/new", data={**FORM, field: value, "request_key": KEY + "1"})
        assert answer.status_code == 400
        assert said in answer.text
        assert "100 0000 0000" in answer.text

    assert await queries.at_work(square.community_ids) == []


async def test_the_last_activity_fills_the_form(square, desk):
    activity = await square.activity(title="上次的活动")

    page = (await desk.get(f"/events/new?copy={activity}")).text

    assert 'value="上次的活动"' in page
    assert 'id="day" name="day" type="date" value=""' in page
    assert f"/events/new?copy={activity}" in (await desk.get("/events/new")).text


async def test_a_draft_is_edited(square, desk):
    activity = await square.activity(is_draft=True)
    assert 'value="三号楼楼道清洁"' in (await desk.get(f"/events/{activity}/edit")).text

    answer = await desk.post(f"/events/{activity}/edit", data={**FORM, "title": "四号楼", "request_key": KEY + "1"})

    assert answer.headers["location"] == f"/events/{activity}/check"
    assert (await queries.activity(activity, square.community_ids)).title == "四号楼"


# The projector


async def test_the_projector_shows_a_code_that_lets_in(square, desk):
    activity = await square.activity()

    page = await desk.get(f"/events/{activity}/projector")
    picture = await desk.get(f"/events/{activity}/screen.png")

    assert 'data-refresh-seconds="15"' in page.text
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page.text
    assert picture.headers["cache-control"] == "no-store"
    assert decoded(picture.content) == f"{ADDRESS}/e/{square.screen(activity)}"
    square.world.clock.advance(seconds=codes.EVENT_STEP_SECONDS)
    assert (await desk.get(f"/events/{activity}/screen.png")).content != picture.content


async def test_the_projector_opens_half_an_hour_before_and_closes_at_the_end(square, desk):
    activity = await square.activity(starts_in=31)

    for path in ("projector", "screen.png"):
        early = await desk.get(f"/events/{activity}/{path}")
        assert early.status_code == 409
        assert "12:01 开始签到" in early.text
    square.world.clock.advance(minutes=1)
    assert (await desk.get(f"/events/{activity}/projector")).status_code == 200
    square.world.clock.advance(minutes=150)
    for path in ("projector", "screen.png"):
        assert (await desk.get(f"/events/{activity}/{path}")).status_code == 410


async def test_only_this_communitys_organisers_open_it(square, desk):
    activity = await square.activity()
    _, stranger = await square.world.staff(Role.EVENT_ORGANISER, square.world.communities[1])
    _, grid_worker = await square.world.staff(Role.GRID_WORKER)
    _, counter = await square.world.staff(Role.COUNTER_STAFF)

    async with visiting(square.world, cookie=stranger) as client:
        for path in ("", "/roster", "/confirm", "/poster", "/poster.png", "/projector", "/screen.png", "/check"):
            assert (await client.get(f"/events/{activity}{path}")).status_code == 404, path
        for path in ("publish", "cancel", "scan", "pick", "confirm", "strike", "finish", "edit"):
            answer = await client.post(f"/events/{activity}/{path}", data={"request_key": KEY + "1"})
            assert answer.status_code == 404, path
        assert (await client.get(f"/events/new?copy={activity}")).status_code == 404
    async with visiting(square.world, cookie=grid_worker) as client:
        assert (await client.get(f"/events/{activity}/roster")).status_code == 200
        assert (await client.get(f"/events/{activity}/projector")).status_code == 403
    async with visiting(square.world, cookie=counter) as client:
        assert (await client.get("/events")).status_code == 403
        assert (await client.get(f"/events/{activity}")).status_code == 403
    async with visiting(square.world) as client:
        assert (await client.get(f"/events/{activity}/projector")).headers["location"].startswith("/sign-in")


# The door


async def test_staff_scan_cards_in_and_out(square, desk):
    card = await square.world.card(await square.world.person("测试小兰"))
    activity = await square.activity(starts_in=0)
    form = {"code": card, "direction": "in", "request_key": KEY + "1"}

    answer = await desk.post(f"/events/{activity}/scan", data=form)
    page = await desk.get(answer.headers["location"])
    assert "12:00 已签到" in page.text
    assert "测**兰" in page.text
    assert "测试小兰" not in page.text
    twice = await desk.post(f"/events/{activity}/scan", data={**form, "request_key": KEY + "2"})
    assert "12:00 已签到，不用再签" in twice.text
    assert card not in twice.text
    square.world.clock.advance(minutes=90)
    left = await desk.post(
        f"/events/{activity}/scan", data={"code": card, "direction": "out", "request_key": KEY + "3"}
    )

    assert "13:30 已签退" in (await desk.get(left.headers["location"])).text


async def test_staff_pick_a_name_and_it_is_marked(square, desk):
    person = await square.world.person("测试小兰")
    activity = await square.activity()
    found = (await desk.post(f"/events/{activity}/roster/find", data={"q": "小兰", "direction": "in"})).text
    assert f'name="person" value="{person}"' in found
    assert 'name="q" value="小兰"' in found

    form = {"person": str(person), "direction": "in", "request_key": KEY + "1"}
    answer = await desk.post(f"/events/{activity}/pick", data=form)

    assert "点名" in (await desk.get(answer.headers["location"])).text
    (line,) = await queries.lines(activity)
    assert line.in_way == "picked"


async def test_a_scan_that_is_no_member_code_says_what_to_do(square, desk):
    activity = await square.activity()

    for number, code in enumerate(["", "134567890123456789", "8" * 20, "6901234567892", "x" * 300, "１２３"]):
        form = {"code": code, "direction": "in", "request_key": f"{KEY}{number}"}
        answer = await desk.post(f"/events/{activity}/scan", data=form)
        assert answer.status_code == 400
        assert 'class="notice is-stop"' in answer.text

    assert await queries.lines(activity) == []


# Confirmation


def boxes(page: str) -> dict[int, bool]:
    """The ticks that may be set, and whether they are."""
    found = re.findall(r'name="tick" value="(\d+)"[^>]*?( checked)?>', page)
    return {int(number): bool(checked) for number, checked in found}


async def test_only_lines_without_a_doubt_are_ticked_beforehand(square, desk):
    activity = await square.activity(starts_in=0)
    seen = await square.world.person("测试一")
    await square.enter(activity, await square.world.card(seen))
    at_poster = await square.world.person("测试二")
    await square.press(at_poster, square.ticket(activity, way=Way.POSTER))
    picked = await square.world.person("测试三")
    await square.pick(activity, picked)
    stays = await square.world.person("测试四")
    await square.enter(activity, await square.world.card(stays))
    unsettled = await square.join(activity)
    await square.enter(activity, await square.world.card(square.organiser.person_id))
    square.world.clock.advance(minutes=100)
    for person in (seen, at_poster, picked, square.organiser.person_id):
        await square.leave(activity, await square.world.card(person))
    square.world.clock.advance(minutes=30)

    page = (await desk.get(f"/events/{activity}/confirm")).text
    enter = re.search(r"<button[^>]*>", page[page.index(f'action="/events/{activity}/confirm"') :])
    assert enter is not None
    assert "formaction" not in enter[0]  # Enter in a field of minutes is the first button's: it strikes nobody

    line_of = {line.person_id: line.id for line in await queries.lines(activity)}
    assert boxes(page) == {
        line_of[seen]: True,
        line_of[at_poster]: False,
        line_of[picked]: False,
        line_of[stays]: False,
    }
    assert unsettled.person_id in line_of
    assert "未签退" in page
    assert "请另一位负责人核对" in page


async def test_the_form_confirms_what_is_ticked(square, desk):
    activity = await square.activity(starts_in=0)
    people = [await square.world.person(f"测试{name}") for name in "一二"]
    for person in people:
        await square.enter(activity, await square.world.card(person))
    square.world.clock.advance(minutes=120)
    first, second = (line.id for line in await queries.lines(activity))
    form = {"line": [first, second], "minutes": ["90", "121"], "request_key": KEY + "1"}

    too_long = await desk.post(f"/events/{activity}/confirm", data={**form, "tick": [first, second]})
    assert "最多 120 分钟" in too_long.text
    assert 'value="121"' in too_long.text
    nobody = await desk.post(f"/events/{activity}/confirm", data=form)
    assert "还没有选人" in nobody.text
    done = await desk.post(f"/events/{activity}/confirm", data={**form, "tick": [first], "request_key": KEY + "2"})

    assert done.status_code == 303
    assert [(line.state, line.minutes) for line in await queries.lines(activity)] == [
        ("confirmed", 90),
        ("open", None),
    ]
    await desk.post(f"/events/{activity}/strike", data={"strike": second, "request_key": KEY + "3"})
    assert [line.state for line in await queries.lines(activity)] == ["confirmed", "struck"]
    assert "已经核对完" in (await desk.get(f"/events/{activity}/confirm")).text


async def test_the_desk_finishes_and_calls_off(square, desk):
    over, coming = await square.activity(starts_in=0), await square.activity(starts_in=600)
    square.world.clock.advance(minutes=121)

    assert (await desk.post(f"/events/{over}/finish", data={"request_key": KEY + "1"})).status_code == 303
    assert (await desk.post(f"/events/{coming}/cancel", data={"request_key": KEY + "2"})).status_code == 303

    assert (await queries.activity(over, square.community_ids)).state == "confirmed"
    assert (await queries.activity(coming, square.community_ids)).state == "cancelled"
    for number in (over, coming):
        assert (await desk.get(f"/events/{number}")).status_code == 200
