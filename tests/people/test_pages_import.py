"""Through HTTP: a file, its columns, the check, the import, the rows that were left out, the template, the tags."""

import asyncio
import io
import re
import zipfile

import httpx
import pytest

from pointsbank.app import jobs
from pointsbank.kit import crypto, db, intake
from pointsbank.people import actions_phones, importing, roster
from pointsbank.trail import queries as trail
from tests.people.conftest import sign_in
from tests.people.import_faults import BELOW, HEAD, csv_bare, csv_gbk, id_number, sheet, somebody, xlsx

CANARY = '"><b>canary</b>'
GOOD = somebody(姓名="测试小甲", 手机="10000000077", 楼栋="93栋", 身份证号=id_number(serial=40))


class Desk:
    """An admin at a browser, who presses buttons and counts them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client, self.presses, self.page = client, 0, ""

    async def press(self, url: str, *, status: int = 303, files=None, **typed) -> httpx.Response:
        self.presses += 1
        data = {"request_key": f"press-{self.presses:08}", **typed}
        answer = await self.client.post(url, data=data, files=files)
        assert answer.status_code == status, answer.text
        if status == 303:
            await self.see(answer.headers["location"])
        else:
            self.page = answer.text
        return answer

    async def see(self, url: str) -> str:
        self.url = url
        answer = await self.client.get(url)
        assert answer.status_code == 200, answer.text
        self.page = answer.text
        return self.page

    async def upload(self, content: bytes) -> None:
        await self.press("/people/import", files={"file": ("名册.xlsx", content)})

    def guessed(self) -> dict[str, str]:
        """What the page has chosen for each column, and the row of the header."""
        chosen = {}
        for name, options in re.findall(r'<select class="input" name="(c\d+)".*?>(.*?)</select>', self.page, re.DOTALL):
            if hit := re.search(r'value="(\w+)" selected', options):
                chosen[name] = hit[1]
        head = re.search(r'name="head"[^>]* value="([^"]*)"', self.page)
        assert head is not None
        return {**chosen, "head": head[1]}

    async def match(self, **typed) -> None:
        await self.press(f"{self.url}/columns", **{**self.guessed(), "service": "1", **typed})

    async def check(self, rows, **typed) -> None:
        await self.upload(xlsx(rows))
        await self.match(**typed)
        await jobs.tick()
        await self.see(self.url)


@pytest.fixture
async def desk(people, browser) -> Desk:
    await people.staff("an")
    return Desk(await sign_in(browser, "an"))


async def test_four_clicks_lead_from_a_file_to_members(desk, people):
    await desk.see("/people")
    assert 'href="/people/import"' in desk.page  # the first click
    await desk.see("/people/import")
    await desk.upload(xlsx(sheet(GOOD, BELOW)))
    assert desk.guessed() == {
        "head": "2", "c0": "name", "c1": "sex", "c2": "id_number", "c3": "phone", "c4": "building", "c5": "door",
        "c6": "household", "c7": "relation", "c8": "birth", "c9": "tags", "c10": "publication",
    }  # fmt: skip
    assert "测试小甲" not in desk.page
    assert "10000000077" not in desk.page
    await desk.match(c9="")
    assert 'http-equiv="refresh"' in desk.page
    assert "停下" in desk.page
    await jobs.tick()
    assert "导入 2 人" in await desk.see(desk.url)
    assert 'http-equiv="refresh"' not in desk.page
    await desk.press(f"{desk.url}/start")
    assert 'http-equiv="refresh"' in desk.page
    await jobs.tick()
    assert "2 人进了名册" in await desk.see(desk.url)
    assert desk.presses + 1 == 4
    (member,) = await roster.search(people.place.community, "csxj")
    assert member.building == "93 号楼"


async def test_columns_are_remembered_by_their_header(desk):
    odd = ["谁", "号码", "哪栋", "几号"]
    await desk.upload(csv_gbk([odd, ["测试甲", "10000000001", "93号楼", "101"]]))
    assert "没有认出表头" in desk.page
    await desk.press(f"{desk.url}/columns", status=200, head="1", look="1")
    await desk.match(head="1", c0="name", c1="phone", c2="building", c3="door")
    await desk.press(f"{desk.url}/stop")
    await desk.upload(csv_gbk([odd, ["测试乙", "10000000002", "93号楼", "102"]]))
    await desk.press(f"{desk.url}/columns", status=200, head="1", look="1")
    assert desk.guessed() == {"head": "1", "c0": "name", "c1": "phone", "c2": "building", "c3": "door"}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"service": ""}, "请先向名单上的人说明"),
        ({"c0": ""}, "请指出哪一列是姓名"),
        ({"c1": "name"}, "「姓名」选了两列"),
        ({"c9": "tags"}, "标签要每个人同意才能记"),
        ({"head": "x"}, "要填整数"),
    ],
)
async def test_what_is_missing_at_the_columns_is_said_and_the_choice_is_kept(desk, typed, said):
    await desk.upload(xlsx(sheet(GOOD)))
    chosen = {**desk.guessed(), "c9": "", "service": "1", **typed}
    await desk.press(f"{desk.url}/columns", status=400, **chosen)
    assert said in desk.page
    assert desk.guessed()["c3"] == "phone"
    assert await db.row("SELECT 1 FROM people_import WHERE state = 'mapping'") is not None


async def test_unknown_buildings_are_named_once_and_made_only_when_ticked(desk, people):
    rows = sheet(
        somebody(楼栋="7号楼"),
        somebody(姓名="测试丁", 手机=None, 楼栋="7 栋", 与户主关系="妻"),
        somebody(姓名="测试戊", 手机=None, 楼栋="8栋"),
    )
    await desk.check(rows, c9="")
    assert "7号楼（2 行）" in desk.page
    assert "8栋（1 行）" in desk.page
    wanted = {"building": ["7号楼", "假楼"], "request_key": "the-buildings"}
    await desk.press(f"{desk.url}/buildings", **wanted)
    await jobs.tick()
    again = await desk.press(f"{desk.url}/buildings", **wanted)  # the check after it names them no longer
    assert again.headers["idempotent-replayed"] == "true"
    assert "导入没有问题的 2 人" in await desk.see(desk.url)
    made = await db.rows("SELECT name FROM people_place WHERE kind = 'building' ORDER BY id")
    assert [one["name"] for one in made] == ["93 号楼", "7 号楼"]


async def test_questions_are_answered_row_by_row(desk):
    await desk.check(sheet(somebody(姓名="增小测"), somebody(姓名="令小测", 手机="10000000009", 门牌="404")), c9="")
    assert "姓名写的是 增*测。「增」不是常见的姓，是不是「曾*测」？" in desk.page
    await desk.press(f"{desk.url}/accept", status=400)
    await desk.press(f"{desk.url}/accept", row="3")
    assert "导入没有问题的 1 人" in desk.page
    await desk.press(f"{desk.url}/start")
    await jobs.tick()
    await desk.see(desk.url)
    assert "1 人进了名册" in desk.page
    assert "1 行没有导入" in desk.page


async def test_rows_with_faults_come_back_as_text_with_what_is_wrong(desk):
    bad = somebody(姓名="=HYPERLINK(1)", 手机="123", 楼栋="=1+1")
    await desk.check(sheet(GOOD, bad), c9="")
    assert "A 姓名" in desk.page
    faults = await desk.see(f"{desk.url}/faults")
    assert "手机号要 11 位，现在是 3 位" in faults
    own = desk.url.removesuffix("/faults")
    taken = await desk.press(f"{own}/failed", status=200)
    assert taken.headers["content-disposition"].startswith("attachment")
    read = await intake.read_sheet(taken.content)
    assert read.rows[0] == [*HEAD, "问题"]
    assert len(read.rows) == 2
    assert read.rows[1][:11] == [None if cell is None else str(cell) for cell in bad]
    assert "D 手机: 手机号要 11 位，现在是 3 位" in read.rows[1][11]
    with zipfile.ZipFile(io.BytesIO(taken.content)) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    noted = await trail.history(("import", int(own.rpartition("/")[2])))
    assert [one.verb for one in noted] == ["import.rows_taken"]


async def test_the_template_has_text_columns_and_drop_downs_and_its_example_is_no_resident(desk):
    answer = await desk.client.get("/people/import/template.xlsx")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        first = book.read("xl/worksheets/sheet1.xml").decode()
        assert first.count("<dataValidation ") == 4  # no tags yet
        assert "身份证号" in book.read("xl/sharedStrings.xml").decode()
    await desk.upload(answer.content)
    await desk.match(c9="")
    await jobs.tick()
    assert "这是模板里的示例。请删掉这一行" in await desk.see(desk.url)


async def test_the_same_file_again_leads_to_the_same_import(desk):
    content = xlsx(sheet(GOOD))
    await desk.upload(content)
    first = desk.url
    await desk.upload(content)
    assert desk.url == first


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4", csv_bare([HEAD]), b"\x00" * 50])
async def test_what_is_no_roster_is_refused_at_the_file(desk, content):
    await desk.press("/people/import", status=400, files={"file": ("x", content)})
    assert 'id="file-wrong"' in desk.page
    assert await db.row("SELECT 1 FROM people_import") is None


async def test_an_import_is_given_up_at_every_step(desk, people):
    for step in ("mapping", "checking", "checked", "importing"):
        await desk.upload(xlsx(sheet(somebody(姓名="测试停", 出生日期=f"195{len(step)}"))))
        if step != "mapping":
            await desk.match(c9="")
        if step in {"checked", "importing"}:
            await jobs.tick()
        if step == "importing":
            await desk.press(f"{desk.url}/start")
        found = await db.row("SELECT state FROM people_import ORDER BY id DESC LIMIT 1")
        assert found["state"] == step
        await desk.press(f"{desk.url}/stop")
        assert "没有人进名册" in desk.page
        await jobs.tick()
        assert (await db.row("SELECT COUNT(*) AS n FROM people_import_row"))["n"] == 0
    assert await roster.search(people.place.community, "测试停") == []


async def test_grid_workers_register_one_by_one(desk, people, browser):
    await people.staff("ling", "grid_worker")
    worker = await sign_in(browser, "ling")
    assert "/people/import" not in (await worker.get("/people")).text
    assert (await worker.get("/people/import")).status_code == 403


async def test_a_text_taken_for_markup_stays_text_in_every_column(desk):
    head = [f"{name}{CANARY}" if name == "标签" else name for name in HEAD]
    await desk.upload(xlsx([head, [CANARY] * len(head), *sheet(GOOD)[2:]]))
    assert "<b>canary" not in desk.page
    await desk.match(c9="tags", tag_consent="1")
    await jobs.tick()
    for url in (desk.url, f"{desk.url}/faults", f"{desk.url}?columns=1"):
        assert "<b>canary" not in await desk.see(url)
    await desk.press("/people/tags", status=400, tag=CANARY * 2)
    assert "<b>canary" not in desk.page


async def test_a_thousand_people_come_in_at_once_while_pages_answer(desk, people, monkeypatch):
    monkeypatch.setattr(importing, "SLICE", 50)
    head = ["姓名", "手机", "楼栋", "门牌"]
    rows = [
        [f"测{chr(0x4E00 + at // 30)}{chr(0x5200 + at % 30)}", f"100{at + 500:08}", "93号楼", str(at // 3)]
        for at in range(1000)
    ]
    rows[500][1] = "123"
    await desk.upload(csv_gbk([["测试名册"], head, *rows]))
    await desk.match()
    checking = asyncio.create_task(jobs.tick())
    pages = [await desk.see(desk.url)]
    await checking
    assert "导入没有问题的 999 人" in await desk.see(desk.url)
    await desk.press(f"{desk.url}/start")
    entering = asyncio.create_task(jobs.tick())
    counts = set()
    while not entering.done():
        pages.append(await desk.see(desk.url))
        counts.add((await db.row("SELECT COUNT(*) AS n FROM people_person"))["n"])
        await asyncio.sleep(0)
    await entering
    assert counts <= {1, 1000}  # the admin alone, or everybody
    assert len([page for page in pages if 'http-equiv="refresh"' in page]) > 3
    assert "999 人进了名册" in await desk.see(desk.url)
    assert len({re.search(r"(\d+) / 999 行", page)[1] for page in pages if "/ 999 行" in page}) > 2


async def test_tags_can_be_seen_and_taken_back_by_staff_and_by_whom_they_are_about(desk, people, browser):
    await desk.press("/people/tags", tag="独居")
    await desk.check(sheet(somebody(姓名="测试小甲", 手机="10000000077", 标签="独居", 性别="女")), tag_consent="1")
    await desk.press(f"{desk.url}/start")
    await jobs.tick()
    (member,) = await roster.search(people.place.community, "csxj")
    resident = browser()
    device = await people.phone_of(member.person_id, "phone")
    session = {"token_digest": crypto.token_digest("own"), "person_id": member.person_id, "device_id": device}
    await db.write(actions_phones.open_resident_session, **session)
    resident.cookies.set("sid", "own")

    async def own_data() -> str:
        return (await resident.post("/me/data", data={"who": "测试小甲", "form": "page"})).text

    page = await desk.see(f"/people/{member.person_id}")
    assert all(it in page for it in ("独居", "同意记标签", "登记在导入的名册里"))
    told = await own_data()
    assert all(it in told for it in ("独居", "记标签", "女"))
    await desk.press(f"/people/{member.person_id}/tags/end")
    assert "独居" not in desk.page
    assert "收回标签的同意" in desk.page
    assert "独居" not in await own_data()


async def test_tags_are_kept_short_and_harmless(desk):
    await desk.press("/people/tags", tag="独居")
    assert "独居" in desk.page
    await desk.press("/people/tags", status=400, tag="独居")
    assert "已经有这个标签" in desk.page
    await desk.press("/people/tags", status=400, tag="糖尿病")
    assert "不收集" in desk.page
    tag = await db.row("SELECT id FROM people_tag")
    await desk.press(f"/people/tags/{tag['id']}/end")
    assert "还没有标签" in desk.page
