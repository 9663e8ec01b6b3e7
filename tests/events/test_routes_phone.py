"""A resident's phone at the poster and at the screen, through HTTP."""

import re

import pytest

from pointsbank.events import queries
from pointsbank.people import queries as people
from tests.world import visiting

KEY = "key-of-this-form-"


def ticket_of(page: str) -> str:
    found = re.search(r'name="ticket" value="([0-9A-Z]+)"', page)
    assert found is not None, page
    return found[1]


async def give_name(client, page, *, key=KEY + "1", **typed):
    form = {"name": "测试丙", "phone": "100 1234 5678", "agree": "1", "request_key": key, "ticket": ticket_of(page)}
    return await client.post("/events/join", data={**form, **typed})


@pytest.fixture
async def unknown(square):
    async with visiting(square.world) as client:
        yield client


@pytest.fixture
async def known(square):
    person = await square.world.person("测试兰")
    _, token = await square.world.phone(person)
    async with visiting(square.world, cookie=token) as client:
        client.person = person
        yield client


async def test_an_unknown_phone_registers_and_is_in(square, unknown):
    activity = await square.activity()
    page = await unknown.get(f"/p/{await square.poster(activity)}")
    assert "同意并签到" in page.text
    assert "/privacy" in page.text
    assert "激活码" in page.text

    answer = await give_name(unknown, page.text)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/events/{activity}")
    after = await unknown.get(f"/events/{activity}")

    assert "你 12:00 已签到" in after.text
    assert "签到成功，社区会核对信息" in after.text
    (line,) = await queries.lines(activity)
    assert line.in_way == "poster"
    assert (await people.holder_of(None, line.person_id)).state == "provisional"


async def test_the_phone_is_known_from_then_on_and_may_leave_after_a_while(square, unknown):
    activity = await square.activity(starts_in=0)
    await give_name(unknown, (await unknown.get(f"/e/{square.screen(activity)}")).text)

    square.world.clock.advance(minutes=10)
    soon = await unknown.get(f"/e/{square.screen(activity)}")
    assert "你 12:00 已签到" in soon.text
    assert 'action="/events/check-out"' not in soon.text
    square.world.clock.advance(minutes=66)
    later = await unknown.get(f"/e/{square.screen(activity)}")
    assert "签退，记 1 小时 16 分" in later.text
    answer = await unknown.post("/events/check-out", data={"ticket": ticket_of(later.text), "request_key": KEY + "out"})
    assert answer.status_code == 303

    assert "13:16 已签退" in (await unknown.get(f"/events/{activity}")).text
    (line,) = await queries.lines(activity)
    assert (line.in_way, line.out_at) == ("screen", square.now)


async def test_a_known_phone_needs_one_button(square, known):
    activity = await square.activity()
    page = await known.get(f"/e/{square.screen(activity)}")
    assert "我来签到" in page.text
    assert 'name="phone"' not in page.text

    form = {"ticket": ticket_of(page.text), "request_key": KEY + "in"}
    first = await known.post("/events/check-in", data=form)
    again = await known.post("/events/check-in", data={**form, "request_key": KEY + "2"})

    assert first.headers["location"] == again.headers["location"] == f"/events/{activity}"
    assert [line.person_id for line in await queries.lines(activity)] == [known.person]


async def test_a_repeat_after_a_lost_answer_is_no_second_person(square, unknown):
    activity = await square.activity()
    page = (await unknown.get(f"/p/{await square.poster(activity)}")).text
    seen = dict(unknown.cookies)

    first = await give_name(unknown, page)
    unknown.cookies.clear()
    for name, value in seen.items():
        unknown.cookies.set(name, value)
    again = await give_name(unknown, page)

    assert again.status_code == 303
    assert again.headers.get_list("set-cookie") == first.headers.get_list("set-cookie")
    assert len(await queries.lines(activity)) == 1
    assert "已签到" in (await unknown.get(f"/events/{activity}")).text


async def test_what_was_typed_stays_when_something_is_missing(square, unknown):
    activity = await square.activity()
    page = (await unknown.get(f"/p/{await square.poster(activity)}")).text

    refused = await give_name(unknown, page, phone="12345", name="测试丙")
    assert "手机号要有 11 位数字" in refused.text
    assert 'value="12345"' in refused.text
    assert ticket_of(refused.text) == ticket_of(page)
    assert "不同意也可以带积分卡" in (await give_name(unknown, page, agree="")).text
    assert await queries.lines(activity) == []

    assert (await give_name(unknown, refused.text, key=KEY + "3")).status_code == 303


async def test_a_slow_typist_is_in_and_a_slower_one_scans_again(square, unknown):
    activity = await square.activity()
    code = await square.poster(activity)
    page = (await unknown.get(f"/p/{code}")).text

    square.world.clock.advance(minutes=5, seconds=1)
    refused = await give_name(unknown, page)
    assert refused.status_code == 410
    assert "再扫一次" in refused.text

    page = (await unknown.get(f"/p/{code}")).text
    square.world.clock.advance(minutes=4, seconds=59)
    assert (await give_name(unknown, page, key=KEY + "4")).status_code == 303


async def test_a_forwarded_page_does_not_work_on_another_phone(square, unknown):
    activity = await square.activity()
    page = (await unknown.get(f"/e/{square.screen(activity)}")).text

    async with visiting(square.world) as friend:
        assert (await give_name(friend, page)).status_code == 410
    assert await queries.lines(activity) == []


async def test_early_says_when_and_reloads_by_itself(square, unknown):
    activity = await square.activity(starts_in=48)

    page = await unknown.get(f"/p/{await square.poster(activity)}")

    assert "12:18 开始签到" in page.text
    assert "现在 12:00" in page.text
    assert '<meta http-equiv="refresh" content="1081">' in page.text


async def test_over_says_whom_to_ask(square, unknown):
    activity = await square.activity(starts_in=0)
    square.world.clock.advance(minutes=120)

    page = await unknown.get(f"/p/{await square.poster(activity)}")

    assert "已结束，请找测试乙补签" in page.text
    assert 'href="tel:10000000000"' in page.text
    assert "<form" not in page.text


async def test_full_says_so(square, unknown):
    activity = await square.activity(seats=1)
    await square.enter(activity, await square.world.card(await square.world.person()))

    page = await unknown.get(f"/p/{await square.poster(activity)}")

    assert "1 个名额满了" in page.text
    assert "<form" not in page.text


async def test_a_code_that_was_on_the_screen_before_is_gone(square, unknown):
    activity = await square.activity()

    assert (await unknown.get(f"/e/{square.screen(activity, 1)}")).status_code == 200
    old = await unknown.get(f"/e/{square.screen(activity, 2)}")

    assert old.status_code == 410
    assert "请扫现场大屏上的新码" in old.text


async def test_rubbish_codes_are_not_found(square, unknown):
    await square.activity()

    for path in ("/e/0000", "/p/0000000000000", "/e/%00", "/p/" + "Z" * 300, "/e/" + "0" * 31, "/p/%F0%9F%92%A9"):
        assert (await unknown.get(path)).status_code == 404, path


async def test_a_draft_is_nobodys_business(square, unknown):
    activity = await square.activity(is_draft=True)

    assert (await unknown.get(f"/p/{await square.poster(activity)}")).status_code == 404
    assert (await unknown.get(f"/e/{square.screen(activity)}")).status_code == 404


async def test_opening_an_address_changes_nothing(square, unknown, known):
    open_now, early = await square.activity(), await square.activity(starts_in=300)
    paths = [f"/e/{square.screen(open_now)}", f"/p/{await square.poster(open_now)}", f"/p/{await square.poster(early)}"]
    before = await square.everything()

    for client in (unknown, known):
        for path in paths:
            assert (await client.get(path)).status_code == 200

    assert await square.everything() == before


async def test_somebody_elses_name_and_number_open_nothing(square, unknown):
    neighbour = await square.world.person("测试邻居", points=50)
    activity = await square.activity()

    answer = await give_name(
        unknown, (await unknown.get(f"/p/{await square.poster(activity)}")).text, name="测试邻居", phone="10000000001"
    )

    assert answer.status_code == 303
    (line,) = await queries.lines(activity)
    assert line.person_id != neighbour
    assert "50" not in (await unknown.get(f"/events/{activity}")).text


async def test_a_resident_sees_what_is_on_and_where_they_were(square, known):
    activity = await square.activity(title="明天的义诊")
    await square.activity(title="还是草稿", is_draft=True)
    await square.enter(activity, await square.world.card(known.person))

    page = (await known.get("/events")).text

    assert "明天的义诊" in page
    assert "12:00 签到" in page
    assert "还是草稿" not in page


async def test_a_resident_does_not_see_drafts_nor_other_communities_nor_staff_pages(square, known):
    draft = await square.activity(is_draft=True)
    activity = await square.activity()
    stranger = await square.world.person(community=square.world.communities[1])
    _, token = await square.world.phone(stranger)

    assert (await known.get(f"/events/{draft}")).status_code == 404
    for page in ("roster", "confirm", "poster", "projector", "check", "screen.png"):
        assert (await known.get(f"/events/{activity}/{page}")).status_code == 403
    async with visiting(square.world, cookie=token) as elsewhere:
        assert (await elsewhere.get(f"/events/{activity}")).status_code == 404
        assert (await elsewhere.get(f"/e/{square.screen(activity)}")).status_code == 200
