"""Confirming an activity whose item counts more than minutes: what is asked, line by line, and what comes of it."""

import re

import msgspec
import pytest

from pointsbank.events import queries, rules
from pointsbank.kit import db
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Basis, Item, Noted
from pointsbank.scoring.rules_table import Finding, Level, Multiplier, Streak
from tests.events.conftest import Square
from tests.world import World, visiting

KEY = "key-of-this-form-"
COMMON = {"category": "其他", "evidence": "现场记录"}
RIVER = Item("R01", name="巡河", basis=Basis.PER_DISTANCE, points=1, block_metres=1000, minutes_min=20, **COMMON)
BALCONY = Item("R02", name="最美阳台", basis=Basis.PER_LEVEL, levels=(Level("一等奖", 9), Level("二等奖", 5)), **COMMON)
HOME = Item(
    "R03", name="文明家庭", basis=Basis.PER_CONDITIONS, conditions=("门前干净", "垃圾分类"), points_by_met=(1, 3),
    multipliers=(Multiplier("带动邻居", 200),), **COMMON,
)  # fmt: skip
YARD = Item("R04", name="院落评比", basis=Basis.FULL_SCORE, points=10, faults=(Finding("乱堆乱放", 4),), **COMMON)
TALK = Item("R05", name="讲课", basis=Basis.PER_TIME, points=3, range_max=9, **COMMON)
FRIENDS = Item("R06", name="带人来", basis=Basis.PER_ITEM, points=2, counted="人", **COMMON)

DAILY = Item("R08", name="天天扫楼道", basis=Basis.PER_TIME, points=3, streak=Streak(3, 4), **COMMON)
HOMELY = Item(
    "R09", name="天天扫门前", basis=Basis.PER_TIME, points=3, streak=Streak(3, 4), scope="household", **COMMON
)
OWN = Item("R07", name="自己申报", basis=Basis.PER_TIME, points=1, submit=("self",), **COMMON)


@pytest.fixture
async def square(database, settings, clock):
    items = (RIVER, BALCONY, HOME, YARD, TALK, FRIENDS, DAILY, HOMELY, OWN)
    world = await World(clock, settings, more_items=items).found(count=1)
    return Square(world, *await world.staff(Role.EVENT_ORGANISER))


@pytest.fixture
async def desk(square):
    async with visiting(square.world, cookie=square.organiser_token) as client:
        yield client


async def over(square, item, people=2):
    """An activity of two hours that is over, and its lines."""
    activity = await square.activity(starts_in=0, item_code=item.code, title=item.name)
    for name in "一二三"[:people]:
        await square.enter(activity, await square.world.card(await square.world.person(f"测试{name}")))
    square.world.clock.advance(minutes=121)
    return f"/events/{activity}/confirm", [line.id for line in await queries.lines(activity)]


def form(lines, minutes="", ticked=None, **told):
    sent = {"line": lines, "minutes": [minutes] * len(lines), "tick": lines if ticked is None else ticked}
    return {**sent, **{name.replace("_of_", "-"): value for name, value in told.items()}, "request_key": KEY + "1"}


async def days_of(square, item, *days):
    """An activity a day, none of them confirmed, with who came to each."""
    activities = []
    for people in days:
        activity = await square.activity(starts_in=0, item_code=item.code, title=f"第{len(activities) + 1}天")
        for person in people:
            await square.enter(activity, await square.world.card(person))
        square.world.clock.advance(days=1)
        activities.append(activity)
    return activities


async def told_first(desk, activity):
    """What the page wants to be confirmed before, and whose row that is."""
    page = (await desk.get(f"/events/{activity}/confirm")).text
    shown = re.search(r"请先核对前一次.*?</p>", page, re.DOTALL)
    return re.findall(r'<br><a href="/events/(\d+)/confirm">[^<]*</a>：([^<]*)', shown[0]) if shown else []


AWARDED = """
SELECT act.what, award.points FROM awards_act act JOIN awards_award award ON award.act_id = act.id ORDER BY act.id
"""


async def points():
    return [tuple(found) for found in await db.rows(AWARDED)]


@pytest.mark.parametrize(
    ("item", "told", "worth"),
    [
        (RIVER, {"metres": "３200", "minutes": "60"}, ("巡河 3.2 千米", 3)),
        (BALCONY, {"level": "二等奖"}, ("最美阳台 二等奖", 5)),
        (HOME, {"met": ["门前干净", "垃圾分类"], "marks": ["带动邻居"]}, ("文明家庭 做到 2 条", 6)),
        (HOME, {}, ("文明家庭 做到 0 条", 0)),
        (YARD, {"faults": ["乱堆乱放"]}, ("院落评比 1 次", 6)),
        (TALK, {"fixed_points": "7"}, ("讲课 1 次", 7)),
        (FRIENDS, {"quantity": "3"}, ("带人来 3 人", 6)),
    ],
    ids=["metres", "level", "met", "met-nothing", "faults", "range", "quantity"],
)
async def test_a_line_takes_what_its_item_counts(square, desk, item, told, worth):
    url, (line,) = await over(square, item, people=1)
    minutes = told.pop("minutes", "")

    page = (await desk.get(url)).text
    sent = await desk.post(
        url, data=form([line], minutes, **{f"{name}_of_{line}": value for name, value in told.items()})
    )

    assert sent.status_code == 303, sent.text
    assert all(f'name="{name}-{line}"' in page for name in told)
    assert await points() == [worth]


async def test_what_is_missing_is_said_with_its_line_and_nothing_typed_is_lost(square, desk):
    url, (first, second) = await over(square, BALCONY)

    sent = await desk.post(url, data=form([first, second], "119", **{f"level_of_{first}": "一等奖"}))

    assert sent.status_code == 400
    assert "有 1 行要补或要改" in sent.text
    assert f'<a href="#line-{second}">' in sent.text
    assert f'<a href="#line-{first}">' not in sent.text
    assert sent.text.count("要知道是哪一级") == 2  # above, and in the line
    assert sent.text.count('value="119"') == 2
    assert sent.text.count('<option value="一等奖" selected>') == 1
    assert await points() == []


async def test_who_confirms_a_row_out_of_order_is_told_what_to_confirm_first(square, desk):
    both, early, late = [await square.world.person(f"测试{name}") for name in "一二三"]
    first, between, second, third = await days_of(square, DAILY, [both, early], [], [both, late], [both])

    assert await told_first(desk, third) == [(str(second), "测*一")]
    assert [await told_first(desk, one) for one in (first, between, second)] == [[], [], []]

    await square.confirm(second, (next(line.id for line in await queries.lines(second) if line.person_id == both), 120))
    assert await told_first(desk, third) == []  # though somebody else waits there still


async def test_a_household_s_row_is_told_of_by_whoever_of_it_came_and_what_counts_no_rows_tells_nothing(square, desk):
    home = await square.world.household()
    mother, son = [await square.world.person(f"测试{name}", household_id=home) for name in "一二"]
    first, second = await days_of(square, HOMELY, [mother], [son])
    assert await told_first(desk, second) == [(str(first), "测*一")]

    for item in (DAILY, RIVER):
        assert await told_first(desk, (await days_of(square, item, [mother], [son]))[1]) == []
    plain = await days_of(square, RIVER, [mother], [mother])
    assert await told_first(desk, plain[1]) == []


async def test_each_mistake_is_of_its_line(square, desk):
    url, (first, second) = await over(square, RIVER)
    wrong = {f"metres_of_{first}": "3公里", f"metres_of_{second}": "99999999"}

    sent = await desk.post(url, data=form([first, second], "60", **wrong))
    too_long = await desk.post(url, data=form([first], "121", **{f"metres_of_{first}": "5"}))
    no_minutes = await desk.post(url, data=form([first], "", **{f"metres_of_{first}": "5"}))

    assert "走了多少米要填数" in sent.text
    assert "要在 0 到 1000000 之间" in sent.text
    assert 'value="3公里"' in sent.text
    assert "最多 120 分钟" in too_long.text
    assert "都要填计分时长" in no_minutes.text


async def test_a_level_or_mark_that_the_table_does_not_have_is_refused(square, desk):
    url, (line,) = await over(square, BALCONY, people=1)
    unknown = await desk.post(url, data=form([line], **{f"level_of_{line}": "三等奖"}))
    assert "没有写“三等奖”这一种" in unknown.text
    assert unknown.status_code == 400


async def test_the_row_for_all_fills_the_ticked_lines_and_confirms_nothing(square, desk):
    url, (first, second, third) = await over(square, HOME, people=3)
    sent = form(
        [first, second, third], "100", [first, second], met_of_all=["门前干净"], **{f"met_of_{third}": ["垃圾分类"]}
    )

    shown = await desk.post(url, data={**sent, "fill": "1"})

    assert shown.status_code == 200
    ticked = re.findall(r'name="(met-\w+)" value="(\S+)" checked', shown.text)
    assert set(ticked) == {
        (f"met-{first}", "门前干净"),
        (f"met-{second}", "门前干净"),
        (f"met-{third}", "垃圾分类"),
        ("met-all", "门前干净"),
    }
    assert shown.text.count('value="100"') == 3
    assert await points() == []


async def test_an_item_that_counts_no_minutes_does_not_press_for_them(square, desk):
    url, (line,) = await over(square, FRIENDS, people=1)

    assert "可不填" in (await desk.get(url)).text
    await desk.post(url, data=form([line], "", **{f"quantity_of_{line}": "1"}))

    assert [one.minutes for one in await queries.lines(int(url.split("/")[2]))] == [120]


async def test_what_an_organiser_may_not_enter_makes_no_activity(square):
    with pytest.raises(rules.NotAnEventItem):
        await square.activity(item_code=OWN.code)


async def test_by_program_a_line_is_confirmed_with_its_facts_or_refused_by_its_number(square):
    url, (first, second) = await over(square, RIVER)
    address, facts = f"/api{url.removesuffix('confirm')}confirmations", msgspec.to_builtins(Noted(metres=3000))
    _, token = await square.world.staff(Role.EVENT_ORGANISER, kind="token")
    async with visiting(square.world, bearer=token) as client:
        missing = await client.post(
            address,
            json={"request_key": KEY + "1", "lines": [{"attendance": first, "facts": facts}, {"attendance": second}]},
        )
        done = await client.post(
            address, json={"request_key": KEY + "2", "lines": [{"attendance": first, "minutes": 90, "facts": facts}]}
        )

    assert (missing.status_code, missing.json()["code"]) == (400, rules.LineFacts.code)
    assert f"签到 {second} 这一行" in missing.json()["detail"]
    assert done.json() == {"lines": 1, "minutes": 90, "points": 3, "is_closed": False}
    assert await points() == [("巡河 3 千米", 3)]
