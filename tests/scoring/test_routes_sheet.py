"""A draft and Excel, through HTTP and without script: taken away, brought back, looked at first."""

import io
import re
from html import unescape

import msgspec
import pytest
import xlsxwriter

from pointsbank.kit import db, intake
from pointsbank.people.access import Role
from pointsbank.scoring import actions, actions_life, queries, scheme_file
from pointsbank.web.i18n import HAN
from tests.world import visiting

HEAD = ["编号", "类别", "项目", "计分方式", "分值", "凭据"]
NEW = ["Z01", "环境", "测试新项", "按次", 5, "照片"]


@pytest.fixture
async def version_id(world):
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
    return await db.write(actions.draft_from_current, actor=admin, community_id=world.home.id)


@pytest.fixture
async def admin(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as desk:
        yield desk


def book(rows, prepare=None):
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as written:
        sheet = written.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        if prepare is not None:
            prepare(sheet)
    return made.getvalue()


async def check(desk, version_id, content=b"", lines="", **typed):
    return await desk.post(
        f"/scoring/versions/{version_id}/sheet/check",
        data={"lines": lines, "others": "stay", **typed},
        files={"file": ("table.xlsx", content)},
    )


async def put(desk, checked, version_id, key="put-the-sheet"):
    """Press what the check page offers."""
    hidden = {
        "seen": re.search(r'name="seen" value="([^"]+)"', checked.text)[1],
        "others": re.search(r'name="others" value="([^"]+)"', checked.text)[1],
        "lines": unescape(re.search(r"<textarea name=\"lines\" hidden>\n(.*?)</textarea>", checked.text, re.DOTALL)[1]),
    }
    return await desk.post(
        f"/scoring/versions/{version_id}/sheet", data={"request_key": key, **hidden}, files={"none": ("", b"")}
    )


def told(page):
    cells = r'<tr class="is-changed"><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td><td>(.*?)</td>'
    return {(row, column): said.partition("。")[0] for row, column, said in re.findall(cells, page.text)}


async def the_draft(world):
    return (await queries.draft_of(world.home.id)).table


async def test_what_is_taken_away_and_brought_back_changes_nothing(world, admin, version_id):
    before = await the_draft(world)

    taken = await admin.get(f"/scoring/versions/{version_id}/sheet.xlsx")
    checked = await check(admin, version_id, taken.content, others="end")

    assert taken.headers["content-disposition"] == 'attachment; filename="scoring-2.xlsx"'
    assert checked.status_code == 200
    assert "和草稿一样" in checked.text
    assert "放进草稿" not in checked.text
    assert await the_draft(world) == before


async def test_a_sheet_is_looked_at_first_and_put_in_whole(world, admin, version_id):
    before = await the_draft(world)
    checked = await check(
        admin, version_id, book([HEAD, NEW, ["A01", "志愿服务", "测试改名", "按时长", 3, "现场签到"]])
    )
    assert await the_draft(world) == before

    done = await put(admin, checked, version_id)

    assert "会改 2 处" in checked.text
    assert done.status_code == 303
    items = {item.code: item for item in (await the_draft(world)).items}
    assert (items["Z01"].points, items["A01"].name, items["A01"].points) == (5, "测试改名", 3)
    assert len(items) == len(before.items) + 1


async def test_a_block_is_pasted_without_script(world, admin, version_id):
    checked = await check(admin, version_id, lines="编号\t分值\nA01\t7")

    assert (await put(admin, checked, version_id)).status_code == 303
    assert (await the_draft(world)).items[0].points == 7


async def test_items_that_a_sheet_does_not_name_end_where_that_is_chosen(world, admin, version_id):
    checked = await check(admin, version_id, book([HEAD, NEW]), others="end")

    assert (await put(admin, checked, version_id)).status_code == 303
    assert [item.code for item in (await the_draft(world)).items] == ["Z01"]


def merged(sheet):
    sheet.merge_range(1, 1, 2, 1, "环境")


def reckoned(sheet):
    sheet.write_formula(1, 4, "=2+3", None, 5)


OTHER = ["Z02", "环境", "测试又一项", "按次", 5, "照片"]
BROKEN = {
    "wrong types and words": (
        book([HEAD, ["Z01", "环境", "测试", "随便", "五", "照片"], ["Z02", 3, True, "按次", 1.5, 7]]),
        {("2", "D"): "不认识“随便”", ("2", "E"): "“五”不是数", ("3", "E"): "“1.5”不是整数"},
    ),
    "a code twice": (book([HEAD, NEW, NEW]), {("3", "A"): "编号 Z01 在第 2 行已经写过"}),
    "merged cells": (
        book([HEAD, NEW, OTHER], merged),
        {("2", "B"): "这里是合并的格子"},
    ),
    "a formula": (book([HEAD, NEW], reckoned), {("2", "E"): "这一格是公式"}),
    "a formula in text": ("编号,分值\nA01,=2+3".encode(), {("2", "B"): "这一格是公式"}),
    "GBK": (
        "编号,分值\nA01,三".encode("gbk"),
        {("—", "—"): "这个文件是 GBK 编码的文字，容易读错字", ("2", "B"): "“三”不是数"},
    ),
    "no names of columns": ("测试甲,3".encode(), {("—", "—"): "没有找到列名"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_sheet_is_refused_with_every_fault_and_nothing_is_stored(world, admin, version_id, name):
    content, faults = BROKEN[name]
    before = await the_draft(world)

    refused = await check(admin, version_id, content)

    assert refused.status_code == 400
    assert told(refused) == faults
    assert "放进草稿" not in refused.text
    assert await the_draft(world) == before


async def test_a_hundred_thousand_rows_are_refused(world, admin, version_id):
    before = await the_draft(world)

    refused = await check(admin, version_id, "编号,分值\n".encode() + b"A01,3\n" * 100_000)

    assert refused.status_code == 400
    assert "最多 300 行，这个文件超过 2000 行" in refused.text
    assert await the_draft(world) == before


async def test_a_draft_that_changed_meanwhile_is_checked_again(world, admin, version_id):
    checked = await check(admin, version_id, lines="编号\t分值\nA01\t7")
    await put(admin, await check(admin, version_id, lines="编号\t分值\nA01\t8"), version_id, "somebody-else")

    late = await put(admin, checked, version_id)

    assert late.status_code == 409
    assert "又改过了" in late.text
    assert "会改 1 处" in late.text
    assert "<del>8 分</del><ins>7 分</ins>" in late.text
    assert (await the_draft(world)).items[0].points == 8
    assert (await put(admin, late, version_id, "looked-again")).status_code == 303
    assert (await the_draft(world)).items[0].points == 7


@pytest.mark.parametrize("step", ["check", "put"])
async def test_what_was_pasted_stays_where_the_version_has_gone_to_the_meeting(world, admin, version_id, step):
    pasted = "编号\t分值\nA01\t7"
    checked = await check(admin, version_id, lines=pasted)
    which = {"community_id": world.home.id, "version_id": version_id}
    changed = msgspec.structs.replace(await the_draft(world), name="测试改过的表")
    await db.write(actions.save_draft, **which, table=changed)
    await db.write(actions_life.submit, **which)

    late = await (check(admin, version_id, lines=pasted) if step == "check" else put(admin, checked, version_id))

    assert late.status_code == 409
    assert "已经交给议事会" in late.text
    assert f'href="/scoring/versions/{version_id}/life"' in late.text
    assert pasted in unescape(late.text)
    assert "A01\t7" in unescape(re.search(r'<textarea[^>]*id="lines".*?</textarea>', late.text, re.DOTALL)[0])


async def test_a_sheet_that_was_never_checked_is_not_put_in(world, admin, version_id):
    sent = {"request_key": "never-checked", "seen": "0", "lines": "编号\t分值\nA01\t三"}

    refused = await admin.post(f"/scoring/versions/{version_id}/sheet", data=sent, files={"none": ("", b"")})

    assert refused.status_code == 400
    assert "有 1 处要改" in refused.text


async def test_a_published_table_is_taken_away_by_residents_and_a_draft_by_nobody_else(world, version_id):
    _, token = await world.phone(await world.person())

    async with visiting(world, cookie=token) as phone:
        published = await phone.get(f"/scoring/versions/{world.home.version_id}/sheet.xlsx")
        draft = await phone.get(f"/scoring/versions/{version_id}/sheet.xlsx")

    rows = (await intake.read_sheet(published.content)).rows
    assert rows[0][:3] == ["编号", "类别", "项目"]
    assert rows[1][0] == "A01"
    assert draft.status_code == 404


async def test_a_published_version_takes_no_sheet(world, admin):
    assert (await admin.get(f"/scoring/versions/{world.home.version_id}/sheet")).status_code == 404
    assert (await check(admin, world.home.version_id, lines="编号\t分值\nA01\t7")).status_code == 409


async def test_any_version_is_taken_away_as_its_file_by_whoever_may_read_it_and_no_stranger(world, admin, version_id):
    _, token = await world.phone(await world.person())
    _, outsider = await world.staff(Role.COMMUNITY_ADMIN, world.communities[1])
    url, draft_url = (f"/scoring/versions/{each}/file.toml" for each in (world.home.version_id, version_id))

    draft = await admin.get(draft_url)
    async with visiting(world, cookie=token) as phone:
        published, unseen = await phone.get(url), await phone.get(draft_url)
        offered = (await phone.get("/scoring")).text
    async with visiting(world, cookie=outsider) as stranger:
        refused = [(await stranger.get(each)).status_code for each in (url, draft_url)]

    assert draft.headers["content-disposition"] == 'attachment; filename="scoring-2.toml"'
    assert scheme_file.parse(draft.text) == await the_draft(world)
    assert scheme_file.parse(published.text) == (await queries.version((world.home.id,), world.home.version_id)).table
    assert url in offered
    assert (unseen.status_code, refused) == (404, [404, 404])


# --- the file of a whole table


def of_a_file(table, *, points="points = 4\n", more=""):
    """The file of a table whose first item is worth something else."""
    return scheme_file.write(table).replace("points = 1\n", points, 1) + more


NEXT = """
[[items]]
code = "Z01"
category = "环境"
name = "测试新项"
basis = "per_time"
points = 5
evidence = "照片"
levels = []
"""


async def test_a_file_taken_away_and_brought_back_changes_nothing(admin, version_id):
    taken = await admin.get(f"/scoring/versions/{version_id}/file.toml")

    checked = await check(admin, version_id, taken.content)

    assert checked.status_code == 200
    assert "和草稿一样" in checked.text


async def test_a_file_is_looked_at_first_and_put_in_whole(world, admin, version_id):
    before = await the_draft(world)
    head = scheme_file.write(before).split("[[items]]")[0].replace(before.name, "测试换表")
    text = head + NEXT

    checked = await check(admin, version_id, text.encode())
    assert await the_draft(world) == before
    done = await put(admin, checked, version_id)

    assert "文件写的是整张表" in checked.text
    assert re.search(r"新</span> <b>Z01 测试新项", checked.text)
    assert all(f"停</span> <b>{item.code} " in checked.text for item in before.items)
    assert "<ins>测试换表</ins>" in checked.text
    assert done.status_code == 303
    assert await the_draft(world) == scheme_file.parse(text)


@pytest.mark.parametrize("is_pasted", [False, True])
async def test_every_fault_of_a_file_is_listed_with_its_line_and_nothing_is_stored(world, admin, version_id, is_pasted):
    before = await the_draft(world)
    text = of_a_file(before, points='points = "四"\n', more=NEXT + 'book_kind = "none"\nquantity_min = 0\n')
    known = {"points"}

    refused = await check(admin, version_id, **({"lines": text} if is_pasted else {"content": text.encode()}))

    problems = scheme_file.check(text, known)
    assert refused.status_code == 400
    assert [where for _, where, _ in sorted((p.line, p.where, p.message) for p in problems)] == ["A01", "Z01", "Z01"]
    assert told(refused).keys() == {(str(problem.line), problem.where) for problem in problems}
    assert "没有代号是 none 的存折种类" in refused.text
    assert "放进草稿" not in refused.text
    assert await the_draft(world) == before


async def test_the_faults_of_a_file_are_told_in_the_language_of_the_page(world, admin, version_id):
    broken = NEXT + 'pionts = 1\ncaps = [{ scope = "person", period = "day", points = 0 }]\nquantity_min = "二"\n'
    admin.cookies.set("lang", "en")

    refused = await check(admin, version_id, of_a_file(await the_draft(world), more=broken).encode())

    said = set(told(refused).values())
    assert refused.status_code == 400
    assert any("&#39;pionts&#39; is not a known key" in one for one in said), said
    assert any("quantity_min (" in one and "has to be a whole number" in one for one in said), said
    assert not any(HAN.search(one) for one in said), said


async def test_a_file_in_another_writing_is_refused_in_words(world, admin, version_id):
    before = await the_draft(world)

    refused = await check(admin, version_id, scheme_file.write(before).encode("gbk"))

    assert refused.status_code == 400
    assert "这个文件不是 UTF-8 的文字" in refused.text
    assert await the_draft(world) == before


async def test_a_file_is_not_put_over_what_somebody_else_saved_meanwhile(world, admin, version_id):
    checked = await check(admin, version_id, of_a_file(await the_draft(world)).encode())
    await put(admin, await check(admin, version_id, lines="编号\t分值\nA01\t8"), version_id, "somebody-else")

    late = await put(admin, checked, version_id)

    assert late.status_code == 409
    assert (await the_draft(world)).items[0].points == 8


async def test_a_file_that_was_never_checked_is_not_put_in(world, admin, version_id):
    before = await the_draft(world)
    sent = {"request_key": "never-checked", "seen": "0", "lines": of_a_file(before, points="points = -1\n")}

    refused = await admin.post(f"/scoring/versions/{version_id}/sheet", data=sent, files={"none": ("", b"")})

    assert refused.status_code == 400
    assert "有 1 处要改" in refused.text
    assert await the_draft(world) == before
