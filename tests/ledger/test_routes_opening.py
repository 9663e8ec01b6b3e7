"""Lists of opening balances through HTTP: what an admin pastes, what another one confirms, what a resident reads."""

import io
import re

import pytest
import xlsxwriter

from pointsbank.kit import db
from pointsbank.ledger import actions_opening, queries, rules_opening
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from tests.world import World, visiting

LISTS = "/ledger/openings"
DAY = "2026-11-20"


async def number_of(person_id: int) -> str:
    return await people.member_number(None, person_id)


async def paste(desk, lines: str, key: str = "paste-a-list-1", **more):
    return await desk.post(LISTS, data={"request_key": key, "day": DAY, "lines": lines, **more}, files={"none": b""})


def faults(text: str) -> dict[str, str]:
    return dict(re.findall(r'<tr class="is-changed"><td class="right nowrap">([^<]+)</td><td>([^<]+)</td>', text))


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    assert found is not None
    return found[1]


async def test_one_admin_lists_another_confirms_and_the_resident_reads_who(world):
    neighbour = await world.person("测试甲")
    _, maker = await world.staff(Role.COMMUNITY_ADMIN)
    _, checker = await world.staff(Role.COMMUNITY_ADMIN)
    _, phone = await world.phone(neighbour)

    async with visiting(world, cookie=maker) as desk:
        url = (await paste(desk, f"存折号\t分数\n{await number_of(neighbour)}\t120")).headers["location"]
        sent = await desk.post(f"{url}/ask", data={"request_key": "send-the-list"})
        own = (await desk.get(url)).text
    async with visiting(world, cookie=checker) as desk:
        assert "待你确认的期初名单" in (await desk.get("/todo")).text
        shown = (await desk.get(url)).text
        given = await desk.post(f"{url}/give", data={"request_key": "give-it-1", "seen": hidden(shown, "seen")})
        again = await desk.post(f"{url}/give", data={"request_key": "give-it-1", "seen": hidden(shown, "seen")})
        paper = (await desk.get(f"{url}/print")).text
        passbook = await queries.passbook_of(person_id=neighbour, household_id=None, holder="person")
        assert passbook is not None
        book = (await desk.get(f"/ledger/passbooks/{passbook.passbook_id}/paper")).text
    async with visiting(world, cookie=phone) as screen:
        entry = re.search(r"/ledger/entries/\d+", (await screen.get("/ledger")).text)[0]
        told = (await screen.get(entry)).text

    assert (sent.status_code, given.status_code, again.status_code) == (303, 303, 303)
    assert 'name="seen"' not in own
    assert "测*甲" in shown
    assert "测试甲" not in shown + paper
    assert await world.balance(neighbour) == 120
    assert "期初余额（纸质存折 2026-11-20）" in told
    assert "确认" in told
    assert "期初余额（纸质存折）" in book


async def test_faults_are_told_by_row_and_what_was_typed_stays(world):
    known, other = await world.person("测试甲"), await world.person("测试乙")
    foreign = await world.person("测试丙", community=world.communities[1])
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    numbers = [await number_of(one) for one in (known, other, foreign)]
    rows = [
        "存折号\t姓名\t楼栋\t门牌\t分数",
        f"{numbers[0]}\t测试甲\t\t\t12",
        f"{numbers[0]}\t\t\t\t13",
        f"{numbers[1]}\t测试甲\t\t\t14",
        f"{numbers[2]}\t\t\t\t15",
        "\t测试无名\t测试 1 号楼\t101\t16",
        "\t测试乙\t测试 1 号楼\t999\t17",
        f"{numbers[1]}\t\t\t\t1.5",
    ]

    async with visiting(world, cookie=token) as desk:
        answer = await paste(desk, "\n".join(rows))

    assert answer.status_code == 400
    assert faults(answer.text) == {
        "3": "和第 2 行是同一本存折。",
        "4": "存折号和姓名不是同一个人。",
        "5": "没有这个存折号。",
        "6": "名册里没有这个人。",
        "7": "名册里有同名的人，但楼栋或门牌对不上。",
        "8": "分数「1.5」不是整数。",
    }
    assert rows[5] in answer.text
    assert await db.rows("SELECT 1 FROM ledger_opening_list") == []


async def test_people_are_found_by_name_building_and_door_as_they_are_written(world):
    home = await world.household()
    door = 100 + world.made
    neighbour = await world.person("测试甲", household_id=home)
    await world.person("测试甲")
    _, token = await world.staff(Role.COMMUNITY_ADMIN)

    async with visiting(world, cookie=token) as desk:
        answer = await paste(desk, f"户主\t楼号\t房号\t积分\n测试甲\t测试1栋\t{door}室\t30")

    assert answer.status_code == 303
    assert (await db.row("SELECT person_id FROM ledger_opening_line"))[0] == neighbour


async def test_a_file_is_read_and_its_rows_can_be_put_right_in_place(world):
    neighbour = await world.person("测试甲")
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    held = io.BytesIO()
    with xlsxwriter.Workbook(held, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate([["存折号", "分数"], [int(await number_of(neighbour)), 12.5]]):
            sheet.write_row(row, 0, cells)

    async with visiting(world, cookie=token) as desk:
        file = {"file": ("list.xlsx", held.getvalue())}
        told = await desk.post(LISTS, data={"request_key": "a-file-of-rows", "day": DAY, "lines": ""}, files=file)
        typed = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", told.text, re.DOTALL)[1]
        mended = await paste(desk, typed.replace("12.5", "12"), key="the-same-rows")

    assert faults(told.text) == {"2": "分数「12.5」不是整数。"}
    assert mended.status_code == 303


@pytest.mark.parametrize(
    ("field", "value"), [("day", "2026-11-22"), ("day", "1999-01-01"), ("expires_on", "2026-11-20")]
)
async def test_days_that_cannot_be_are_refused_at_their_field(world, field, value):
    neighbour = await world.person()
    _, token = await world.staff(Role.COMMUNITY_ADMIN)

    async with visiting(world, cookie=token) as desk:
        answer = await paste(desk, f"{await number_of(neighbour)}\t5", **{field: value})

    assert answer.status_code == 400
    assert f'id="{field}-wrong"' in answer.text


async def test_a_household_s_number_means_the_household_where_points_are_shared(database, settings, clock):
    world = await World(clock, settings).found(holder="household", count=1)
    home = await world.household()
    head = await world.person("测试甲", household_id=home, points=1)
    await world.person("测试乙", household_id=home)
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    number = (await db.row("SELECT number FROM ledger_passbook WHERE household_id = ?", home))[0]

    async with visiting(world, cookie=token) as desk:
        twice = await paste(desk, f"{number}\t30\n{await number_of(head)}\t30")
        once = await paste(desk, f"{number}\t30", key="paste-it-again")

    assert faults(twice.text) == {"2": "和第 1 行是同一本存折。"}
    assert once.status_code == 303
    assert tuple(await db.row("SELECT person_id, household_id FROM ledger_opening_line")) == (head, home)


async def test_a_booking_shows_how_far_it_is_and_goes_on_at_a_press(world, monkeypatch):
    monkeypatch.setattr(rules_opening, "SLICE_LINES", 1)
    people_listed = [await world.person() for _ in range(3)]
    rows = "\n".join([f"{await number_of(one)}\t5" for one in people_listed])
    _, maker = await world.staff(Role.COMMUNITY_ADMIN)
    checker, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=maker) as desk:
        url = (await paste(desk, rows)).headers["location"]
        await desk.post(f"{url}/ask", data={"request_key": "send-the-list"})
    list_id = int(url.rpartition("/")[2])

    async with visiting(world, cookie=token) as desk:
        seen = hidden((await desk.get(url)).text, "seen")
        await db.write(actions_opening.give, actor=checker, list_id=list_id, seen=seen)
        stopped = (await desk.get(url)).text
        await desk.post(f"{url}/book", data={"request_key": "go-on-with-it"})
        done = (await desk.get(url)).text

    assert "已入账 1 / 3 条" in stopped
    assert "3 条都记进存折了" in done
    assert [await world.balance(one) for one in people_listed] == [5, 5, 5]
