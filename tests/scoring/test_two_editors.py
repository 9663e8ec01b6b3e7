"""Two people in one draft: what either has typed stays, and what both have typed is told to the second."""

import html
import re
from types import SimpleNamespace

import pytest

from pointsbank.people.access import Role
from pointsbank.scoring import queries, routes_editor, routes_item, routes_settings
from tests.scoring.test_routes import draft, grid, key_of
from tests.world import visiting


@pytest.fixture
async def early(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as desk:
        yield desk


@pytest.fixture
async def late(world):
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as desk:
        yield desk


def typed(page, at=0, **changes):
    """The cells of a page with some of one line changed."""
    columns = grid(page)
    for name, value in changes.items():
        columns[name][at] = value
    return columns


async def save(desk, page, url, **sent):
    return await desk.post(url, data={"request_key": key_of(page, url), **sent})


async def items(world):
    return (await queries.draft_of(world.home.id)).items


def cell(page, which):
    """What stands in a cell."""
    found = re.search(rf'id="{which}"[^>]*?value="([^"]*)"', page.text)
    return html.unescape(found[1])


async def test_an_older_page_keeps_what_somebody_else_has_saved_meanwhile(world, early, late):
    url, older = await draft(late)
    await save(early, await early.get(url), url, **typed(older, points="15", day_caps="30", names="改过的名字"))

    saved = await save(late, older, url, **typed(older, at=1, points="3"))

    assert saved.status_code == 303
    kept = await items(world)
    assert (kept["A01"].name, kept["A01"].points, kept["B01"].points) == ("改过的名字", 15, 3)


async def test_two_cells_of_one_line_are_kept_both(world, early, late):
    url, older = await draft(late)
    await save(early, await early.get(url), url, **typed(older, points="15"))

    await save(late, older, url, **typed(older, evidences="照片"))

    kept = (await items(world))["A01"]
    assert (kept.points, kept.evidence) == (15, "照片")


async def test_a_cell_that_both_changed_is_told_with_both_and_kept_as_typed_until_saved_again(world, early, late):
    url, older = await draft(late)
    await save(early, await early.get(url), url, **typed(older, points="15", names="早的名字", evidences="早的凭据"))

    refused = await save(late, older, url, **typed(older, points="20", names="晚的名字"))

    assert refused.status_code == 400
    assert "A01 的分值：别人刚改成“15”，你写的是“20”" in refused.text
    assert "A01 的名称：别人刚改成“早的名字”，你写的是“晚的名字”" in refused.text
    assert [cell(refused, which) for which in ("points-A01", "name-A01", "evidence-A01")] == [
        "20",
        "晚的名字",
        "早的凭据",
    ]
    kept = (await items(world))["A01"]
    assert (kept.points, kept.name) == (15, "早的名字")

    again = await save(late, refused, url, **grid(refused))
    assert again.status_code == 303
    kept = (await items(world))["A01"]
    assert (kept.points, kept.name, kept.evidence) == (20, "晚的名字", "早的凭据")


async def test_the_same_typed_by_both_is_no_quarrel(world, early, late):
    url, older = await draft(late)
    await save(early, await early.get(url), url, **typed(older, points="15"))

    saved = await save(late, older, url, **typed(older, points="１５"))

    assert saved.status_code == 303
    assert (await items(world))["A01"].points == 15


async def test_an_older_page_does_not_take_up_again_what_was_ended(world, early, late):
    url, older = await draft(late)
    await save(early, await early.get(url), url, **grid(older), ended=["A01"])

    saved = await save(late, older, url, **typed(older, at=1, points="3"))
    refused = await save(late, older, url, **typed(older, points="20"))

    assert saved.status_code == 303
    assert list(await items(world)) == ["B01"]
    assert refused.status_code == 400
    assert "A01 的分值：别人刚把这一项停用了，你写的“20”没有存" in refused.text
    again = await save(late, refused, url, **grid(refused))
    assert again.status_code == 303
    assert (await items(world))["A01"].points == 20


async def test_an_older_page_does_not_end_again_what_was_taken_up(world, early, late):
    url, page = await draft(late)
    await save(late, page, url, **grid(page), ended=["A01"])
    older = await late.get(url)
    await save(early, older, url, **grid(older))
    assert "A01" in await items(world)

    await save(late, older, url, **typed(older, at=1, points="3"), ended=["A01"])

    assert "A01" in await items(world)


async def test_an_item_that_somebody_has_changed_is_ended_only_knowingly(world, early, late):
    url, older = await draft(late)
    await save(early, await early.get(url), url, **typed(older, points="15"))

    refused = await save(late, older, url, **grid(older), ended=["A01"])

    assert refused.status_code == 400
    assert "A01：你要停用的这一项，别人刚改过：15" in refused.text
    assert (await items(world))["A01"].points == 15
    await save(late, refused, url, **grid(refused), ended=["A01"])
    assert "A01" not in await items(world)


async def test_what_was_typed_of_an_item_that_is_gone_is_told(world, early, late):
    url, _ = await draft(late)
    item = {"code": "Z01", "category": "志愿服务", "name": "教用手机", "basis": "per_minutes", "points": "10",
            "evidence": "受助人确认", "rounding": "down", "block_minutes": "60"}  # fmt: skip
    await late.post(f"{url}/items", data={"request_key": "an-item-more", **item})
    older = await late.get(url)
    at = grid(older)["codes"].index("Z01")
    await early.post(url, data={"request_key": "take-it-out", "ended": "Z01"})

    quiet = await save(late, older, url, **grid(older))
    refused = await save(late, older, url, **typed(older, at=at, points="12"))

    assert quiet.status_code == 303
    assert refused.status_code == 400
    assert "Z01 的名称：别人刚把这一项拿掉了，你写的“12”没有存" in refused.text


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("-1", "“-1”比 0 小"),
        ("10.5", "“10.5”不是整数"),
        ("9" * 20, "太大"),
        ("八", "“八”不是数"),
        ("", "“”不是数"),
    ],
)
async def test_what_is_wrong_with_a_number_is_said_of_it(world, late, points, said):
    url, page = await draft(late)
    before = await items(world)

    refused = await save(late, page, url, **typed(page, points=points))

    assert refused.status_code == 400
    assert said in refused.text
    assert cell(refused, "points-A01") == points
    assert await items(world) == before


async def test_numbers_of_full_width_are_read(world, late):
    url, page = await draft(late)

    saved = await save(late, page, url, **typed(page, points="１２", day_caps="３６"))

    assert saved.status_code == 303
    assert (await items(world))["A01"].points == 12


@pytest.mark.parametrize("seen", ["", "[]", "{}", '["x","1","","y"]', "null"])
async def test_a_page_that_does_not_carry_what_it_showed_is_refused(world, late, seen):
    url, page = await draft(late)

    refused = await save(late, page, url, **typed(page, points="9", seen=seen))

    assert refused.status_code == 400
    assert "请刷新页面后再改" in refused.text
    assert (await items(world))["A01"].points != 9


def fields(page):
    """What the form of an item sends as it stands, of its first inputs."""
    found = {
        name: html.unescape(value)
        for tag in re.findall(r"<input[^>]*>", page.text)
        if "checkbox" not in tag and "radio" not in tag
        for name, value in re.findall(r'name="([^"]+)".*? value="([^"]*)"', tag)
        if name not in {"request_key", "ended"}
    }
    return {
        name: found[name] for name in ("code", "category", "name", "points", "day_cap", "evidence", "editing", "seen")
    }


async def put(desk, page, url, **changes):
    sent = {"request_key": key_of(page, f"{url}/items"), **fields(page), **changes}
    return await desk.post(f"{url}/items", data=sent)


async def test_an_older_form_of_an_item_keeps_what_somebody_else_has_saved(world, early, late):
    url, _ = await draft(late)
    older = await late.get(f"{url}/items/A01")
    await put(early, await early.get(f"{url}/items/A01"), url, points="15", day_cap="30")

    saved = await put(late, older, url, evidence="照片")

    kept = (await items(world))["A01"]
    assert saved.status_code == 303, saved.text
    assert (kept.points, kept.evidence, kept.caps[0].points) == (15, "照片", 30)


async def test_a_field_that_both_changed_is_told_and_kept_as_typed_until_sent_again(world, early, late):
    url, _ = await draft(late)
    older = await late.get(f"{url}/items/A01")
    await put(early, await early.get(f"{url}/items/A01"), url, points="15", day_cap="30", name="早的名字")

    refused = await put(late, older, url, points="20", day_cap="60", evidence="照片")

    assert refused.status_code == 400
    assert "别人刚改成“15 分”，你写的是“20 分”" in refused.text
    assert 'href="#day_cap"' in refused.text
    shown = fields(refused)
    assert (shown["points"], shown["day_cap"], shown["evidence"], shown["name"]) == ("20", "60", "照片", "早的名字")
    assert (await items(world))["A01"].points == 15
    assert (await put(late, refused, url)).status_code == 303
    kept = (await items(world))["A01"]
    assert (kept.points, kept.caps[0].points, kept.evidence, kept.name) == (20, 60, "照片", "早的名字")


async def test_an_item_that_is_gone_does_not_come_back_by_an_older_form(world, early, late):
    url, page = await draft(late)
    older = await late.get(f"{url}/items/A01")
    await save(early, page, url, **grid(page), ended=["A01"])

    refused = await put(late, older, url, name="还在写的名字")

    assert refused.status_code == 400
    assert "别人刚把这一项从草稿里拿掉了" in refused.text
    assert fields(refused)["name"] == "还在写的名字"
    assert "A01" not in await items(world)


async def handed_in(desk, url):
    life = await desk.get(f"{url}/life")
    sent = await desk.post(f"{url}/submit", data={"request_key": key_of(life, f"{url}/submit")})
    assert sent.status_code == 303


async def test_what_was_typed_in_the_grid_stays_where_the_version_has_gone_to_the_meeting(world, early, late):
    url, older = await draft(late)
    await save(early, older, url, **typed(older, at=1, points="3"))
    await handed_in(early, url)

    refused = await save(late, older, url, **typed(older, points="20", evidences="还在写的凭据"))

    assert refused.status_code == 409
    assert "已经交给议事会" in refused.text
    assert 'href="#handed"' in refused.text
    assert re.search(rf'id="handed"[^>]*><a[^>]*href="{url}/life"', refused.text)
    assert (cell(refused, "points-A01"), cell(refused, "evidence-A01")) == ("20", "还在写的凭据")
    kept = await queries.version((world.home.id,), int(url.rpartition("/")[2]))
    assert (kept.items["A01"].points, kept.items["B01"].points) == (1, 3)


async def test_what_was_typed_of_the_whole_table_stays_where_the_version_has_gone_to_the_meeting(world, early, late):
    url, page = await draft(late)
    older = await late.get(f"{url}/settings")
    await save(early, page, url, **typed(page, points="15"))
    await handed_in(early, url)
    sent = {"request_key": "settings-late", "seen": re.search(r'name="seen" value="([^"]+)"', older.text)[1]}

    refused = await late.post(f"{url}/settings", data={**sent, "redeem": "还在写的兑换办法", "vetoes": "一\n二"})

    assert refused.status_code == 409
    assert "已经交给议事会" in refused.text
    assert re.search(rf'id="handed"[^>]*><a[^>]*href="{url}/life"', refused.text)
    assert re.search(r'name="redeem"[^>]*>\n?还在写的兑换办法', refused.text)
    assert "一\n二" in refused.text


ROOMS = {
    "settings": (routes_settings, "redeem"),
    "items": (routes_item, "name"),
    "": (routes_editor, "evidences"),
}


@pytest.mark.parametrize("place", ROOMS)
async def test_what_was_typed_stays_though_the_version_goes_in_that_very_moment(early, late, monkeypatch, place):
    room, field = ROOMS[place]
    url, page = await draft(late)
    await save(early, page, url, **typed(page, at=1, points="3"))
    older = await late.get(f"{url}/items/A01" if place == "items" else f"{url}/{place}".rstrip("/"))
    marks = re.search(r'name="seen" value="([^"]+)"', older.text)[1]
    body = {"settings": {"seen": marks}, "items": fields(older) if place == "items" else {}, "": grid(page)}[place]
    body = {**body, field: ["还在写的凭据", *body[field][1:]] if place == "" else "还在写的凭据"}
    real, has_gone = room.kinds.denominations, []

    async def meanwhile(*asked):
        if not has_gone:
            has_gone.append(True)
            await handed_in(early, url)
        return await real(*asked)

    monkeypatch.setattr(room, "kinds", SimpleNamespace(**vars(room.kinds) | {"denominations": meanwhile}))
    refused = await save(late, older, f"{url}/{place}".rstrip("/"), **body)

    assert refused.status_code in {400, 409}
    assert has_gone
    assert f'href="{url}/life"' in refused.text
    assert "还在写的凭据" in refused.text


async def test_an_item_is_edited_in_a_draft_alone_and_what_was_typed_of_another_stays(world, early, late):
    in_force = f"/scoring/versions/{world.home.version_id}"
    url, page = await draft(late)
    older = await late.get(f"{url}/items/A01")
    await save(early, page, url, **typed(page, points="15"))
    await handed_in(early, url)

    looked, sent = await late.get(f"{in_force}/items/A01"), await put(late, older, url, name="还在写的名字")

    assert [one.status_code for one in (looked, sent, await late.get(f"{url}/items/new"))] == [409, 409, 409]
    assert "另起草稿" in looked.text
    assert fields(sent)["name"] == "还在写的名字"
