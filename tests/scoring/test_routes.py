"""The table as it is read, and the draft's editor, through HTTP and without script."""

import html
import re
from datetime import date

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions_kinds
from pointsbank.people.access import Role
from pointsbank.scoring import queries
from tests.world import COINS, visiting


@pytest.fixture
async def admin(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as desk:
        yield desk


def key_of(page, action):
    """The request key of the form that posts there."""
    found = re.search(rf'action="{re.escape(action)}".*?name="request_key" value="([^"]+)"', page.text, re.DOTALL)
    assert found, f"no form posts to {action}"
    return found[1]


async def draft(admin):
    """Open a draft; returns its address and its page."""
    shown = await admin.get("/scoring")
    started = await admin.post("/scoring/drafts", data={"request_key": key_of(shown, "/scoring/drafts")})
    url = started.headers["location"]
    return url, await admin.get(url)


def grid(page, **changes):
    """The editor's cells as a browser would send them, with one item changed."""
    columns = {
        name: [html.unescape(text) for text in re.findall(rf'name="{name}"[^>]*?value="([^"]*)"', page.text)]
        for name in ("codes", "names", "points", "day_caps", "evidences", "seen")
    }
    for name, value in changes.items():
        columns[name][0] = value
    return columns


async def test_residents_read_the_table_in_force(world):
    person = await world.person()
    _, token = await world.phone(person)

    async with visiting(world, cookie=token) as phone:
        shown = await phone.get("/scoring")
        edit = await phone.post("/scoring/drafts", data={"request_key": "resident-key"})

    assert shown.status_code == 200
    assert "A01" in shown.text
    assert edit.status_code == 403


async def test_cells_are_edited_and_compared(world, admin):
    url, page = await draft(admin)
    saved = await admin.post(url, data={"request_key": key_of(page, url), **grid(page, points="9", day_caps="27")})
    assert saved.status_code == 303
    page = await admin.get(url)
    assert "is-changed" in page.text
    kept = await queries.draft_of(world.home.id)
    assert kept.items["A01"].points == 9
    assert [cap.points for cap in kept.items["A01"].caps if cap.period == "day"] == [27]
    today = await queries.version_on(None, community_id=world.home.id, day=local_day(world.clock.now()))
    assert today.items["A01"].points != 9


async def test_a_cell_that_is_no_number_is_named_and_nothing_is_saved(world, admin):
    url, page = await draft(admin)
    before = await queries.draft_of(world.home.id)

    refused = await admin.post(
        url, data={"request_key": key_of(page, url), **grid(page, points="八", names="改过的名字")}
    )

    assert refused.status_code == 400
    assert "A01 的分值：“八”不是数。" in refused.text
    assert "改过的名字" in refused.text
    assert 'value="八"' in refused.text
    assert (await queries.draft_of(world.home.id)).table == before.table


async def test_an_item_is_added_and_one_is_ended(world, admin):
    url, _ = await draft(admin)
    form = await admin.get(f"{url}/items/new")
    item = {"code": "Z01", "category": "志愿服务", "name": "教用手机", "basis": "per_minutes", "points": "10",
            "evidence": "受助人确认", "rounding": "down", "block_minutes": "60"}  # fmt: skip

    added = await admin.post(f"{url}/items", data={"request_key": key_of(form, f"{url}/items"), **item})
    page = await admin.get(url)
    ended = await admin.post(url, data={"request_key": key_of(page, url), **grid(page), "ended": ["A01"]})

    assert (added.status_code, ended.status_code) == (303, 303)
    table = (await queries.draft_of(world.home.id)).table
    codes = [one.code for one in table.items]
    assert "Z01" in codes
    assert "A01" not in codes
    assert "is-ended" in (await admin.get(url)).text


async def test_rows_come_one_by_one_and_leave_the_others_alone(admin, world):
    url, page = await draft(admin)
    cells = grid(page)

    for at, points in ((0, "7"), (1, "9")):  # two pages opened at once, each with a row of its own
        row = {name: [values[at]] for name, values in cells.items()} | {"points": [points]}
        assert (await admin.post(url, data={"request_key": f"row-number-{at}", **row})).status_code == 303

    assert [item.points for item in (await queries.draft_of(world.home.id)).table.items] == [7, 9]


async def test_an_ended_item_is_taken_up_again_with_what_was_typed(admin, world):
    url, page = await draft(admin)
    cells = grid(page, names="测试改名")
    await admin.post(url, data={"request_key": "end-the-first", **cells, "ended": ["A01"]})
    ended = await admin.get(url)
    assert (await queries.draft_of(world.home.id)).items.keys() == {"B01"}

    again = grid(ended)
    again["names"][again["codes"].index("A01")] = "测试改名"
    await admin.post(url, data={"request_key": "take-it-up-again", **again})

    assert re.search(r'id="ended-A01"[^>]* checked', ended.text)
    assert (await queries.draft_of(world.home.id)).items["A01"].name == "测试改名"


async def test_an_item_is_typed_with_the_decimals_of_its_kind_of_passbook(world, admin):
    for place, code in ((world.home, "coins"), (world.communities[1], "theirs")):
        await db.write(actions_kinds.make_kind, community_id=place.id, code=code, settings=COINS)
    url, _ = await draft(admin)
    form = await admin.get(f"{url}/items/new")
    item = {"code": "Z01", "category": "志愿服务", "name": "教用手机", "basis": "per_time", "points": "1.5",
            "day_cap": "4.5", "evidence": "照片", "book_kind": "coins"}  # fmt: skip

    async def sent(number: int, **changes: str) -> int:
        return (
            await admin.post(f"{url}/items", data={"request_key": f"item-key-{number}", **item, **changes})
        ).status_code

    assert 'value="coins"' in form.text
    assert [await sent(1, points="1.25"), await sent(2, day_cap="x"), await sent(3, book_kind="theirs")] == [400] * 3
    assert [await sent(4, book_kind="points")] == [400]
    assert await sent(5) == 303
    page = await admin.get(url)
    saved = await admin.post(url, data={"request_key": key_of(page, url), **grid(page)})

    added = (await queries.draft_of(world.home.id)).items["Z01"]
    again = await admin.get(f"{url}/items/Z01")
    assert saved.status_code == 303
    assert (added.book_kind, added.points, added.caps[0].points) == ("coins", 15, 45)
    assert "记入 时间币" in page.text
    assert 'value="1.5"' in again.text
    assert 'value="4.5"' in again.text


async def test_rows_of_an_item_are_typed_and_more_are_asked_for(world, admin):
    url, _ = await draft(admin)
    item = {
        "editing": "", "code": "Z01", "category": "表彰", "name": "获评先进", "basis": "per_level", "points": "",
        "evidence": "证书", "levels.name": ["市级", ""], "levels.points": ["20", ""], "review": ["", "organiser"],
    }  # fmt: skip
    before = (await queries.draft_of(world.home.id)).table

    more = await admin.post(f"{url}/items", data={"request_key": "more-levels", **item, "more": "levels"})
    assert more.status_code == 200
    assert more.text.count('name="levels.name"') == 4
    assert 'value="市级"' in more.text
    assert (await queries.draft_of(world.home.id)).table == before

    await admin.post(f"{url}/items", data={"request_key": "put-levels-in", **item})
    again = await admin.post(f"{url}/items", data={"request_key": "the-same-code", **item})
    added = (await queries.draft_of(world.home.id)).items["Z01"]
    assert (added.levels[0].name, added.levels[0].points, added.points) == ("市级", 20, None)
    assert again.status_code == 400
    assert "编号 Z01 已经有了" in again.text


async def test_what_deserves_a_second_look_stands_beside_the_grid(admin):
    url, page = await draft(admin)

    await admin.post(url, data={"request_key": "no-evidence-asked", **grid(page, evidences="无")})

    assert "A01：没有写要什么凭据" not in page.text
    assert "A01：没有写要什么凭据" in (await admin.get(url)).text


async def test_an_item_is_taken_out_of_the_draft_by_its_form(world, admin):
    url, _ = await draft(admin)
    form = await admin.get(f"{url}/items/B01")
    assert 'name="ended" value="B01"' in form.text

    await admin.post(url, data={"request_key": "take-it-out", "ended": "B01"})

    assert list((await queries.draft_of(world.home.id)).items) == ["A01"]


async def test_what_is_wrong_with_an_item_stands_at_its_field(world, admin):
    url, _ = await draft(admin)
    form = await admin.get(f"{url}/items/new")

    refused = await admin.post(
        f"{url}/items",
        data={"request_key": key_of(form, f"{url}/items"), "code": "别的", "category": "志愿服务", "name": "教用手机",
              "basis": "per_time", "points": "0", "evidence": "照片"},
    )  # fmt: skip

    assert refused.status_code == 400
    assert 'aria-invalid="true"' in refused.text
    assert "教用手机" in refused.text


async def test_a_published_version_opens_for_reading_only(world, admin):
    shown = await admin.get(f"/scoring/versions/{world.home.version_id}")

    assert shown.status_code == 200
    assert 'name="points"' not in shown.text
    assert date(2026, 11, 21) == local_day(world.clock.now())
