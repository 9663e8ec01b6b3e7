"""Photos, counts and losses over plain HTTP."""

import io
import re
from datetime import date

import pytest
from PIL import Image

from pointsbank.people.access import Role
from pointsbank.stock import queries
from tests.world import visiting


@pytest.fixture
async def keeper(world):
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as client:
        yield client


def key(page):
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


def jpeg(side=2000, **more):
    made = io.BytesIO()
    Image.effect_noise((side, side // 2), 40).convert("RGB").save(made, "JPEG", quality=60, **more)
    return made.getvalue()


async def send_photo(keeper, good_id, content):
    page = await keeper.get(f"/stock/{good_id}")
    files = {"photo": ("../../盐.html", content, "text/html")}
    return await keeper.post(f"/stock/{good_id}/photo", data={"request_key": key(page)}, files=files)


async def test_a_photo_is_made_anew_and_shown_to_the_community_alone(world, keeper):
    salt = await world.good(name="食用盐")
    assert (await send_photo(keeper, salt, jpeg(comment=b"SecretPlace"))).status_code == 303
    page = await keeper.get(f"/stock/{salt}")
    url = re.search(r'src="(/stock/photos/[^"]+)"', page.text)[1]
    large, small = await keeper.get(url), await keeper.get(f"{url}/small")
    for answer, side, most in ((large, 800, 120_000), (small, 96, 2500)):
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "immutable" in answer.headers["cache-control"]
        assert "盐" not in answer.headers["content-disposition"]
        image = Image.open(io.BytesIO(answer.content))
        assert (image.format, max(image.size)) == ("JPEG", side)
        assert len(answer.content) <= most
        assert b"Secret" not in answer.content

    _phone, token = await world.phone(await world.person())
    async with visiting(world, cookie=token) as resident:
        assert f"{url}/small" in (await resident.get("/shop?show=all")).text
        assert (await resident.get(f"{url}/small")).status_code == 200
    _phone, token = await world.phone(await world.person(community=world.communities[1]))
    async with visiting(world, cookie=token) as stranger:
        assert (await stranger.get(url)).status_code == 404
    async with visiting(world) as nobody:
        assert (await nobody.get(url)).status_code == 303

    page = await keeper.get(f"/stock/{salt}")
    assert (await keeper.post(f"/stock/{salt}/photo/drop", data={"request_key": key(page)})).status_code == 303
    assert (await keeper.get(url)).status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "请先选一张照片"), (b"<svg/>", "SVG 图片"), (b"%PDF-1.7", "PDF 文件"), (jpeg(300)[:2000], "文件坏了")],
)
async def test_what_is_no_photo_is_refused_at_its_field(world, keeper, content, said):
    salt = await world.good()
    refused = await send_photo(keeper, salt, content)
    assert refused.status_code == 400
    assert said in refused.text
    assert 'id="photo-wrong"' in refused.text


async def test_a_count_is_blind_then_compared_then_settled(world, keeper):
    salt, rice = await world.good(name="食用盐", in_stock=37), await world.good(name="东北大米", in_stock=12)
    page = await keeper.get("/stock/counts/new")
    wrong = await keeper.post("/stock/counts", data={"request_key": key(page), "which": "some"})
    assert (wrong.status_code, "没有选商品" in wrong.text) == (400, True)
    opened = await keeper.post("/stock/counts", data={"request_key": key(page), "which": "all"})
    url = opened.headers["location"]
    again = await keeper.post("/stock/counts", data={"request_key": "another-key", "which": "all"})
    assert "还有一次没做完的盘点" in again.text

    for blind in (await keeper.get(url), await keeper.get(f"{url}/sheet")):
        assert "食用盐" in blind.text
        assert "37" not in re.sub(r"<[^>]+>", "", blind.text)
    page = await keeper.get(url)
    goods = [int(good) for good in re.findall(r'name="good" value="(\d+)"', page.text)]
    assert sorted(goods) == sorted([salt, rice])
    numbers = {salt: "35", rice: "十"}
    data = {"request_key": key(page), "good": goods, "counted": [numbers[good] for good in goods], "then": "compare"}
    wrong = await keeper.post(url, data=data)
    assert wrong.status_code == 400
    assert 'value="十"' in wrong.text
    numbers[rice] = "12"
    data["counted"] = [numbers[good] for good in goods]
    saved = await keeper.post(url, data=data)
    assert saved.headers["location"] == f"{url}/differences"

    page = await keeper.get(f"{url}/differences")
    assert "点了 2 种，1 种对不上" in page.text
    assert "东北大米" not in page.text
    wrong = await keeper.post(f"{url}/close", data={"request_key": key(page), "good": salt, "reason": ""})
    assert (wrong.status_code, "食用盐的数对不上" in wrong.text) == (400, True)
    done = await keeper.post(f"{url}/close", data={"request_key": key(wrong), "good": salt, "reason": "missing"})
    assert (done.status_code, done.headers["location"]) == (303, url)
    result = (await keeper.get(url)).text
    assert "找不到了" in result
    assert "已对账" in (await keeper.get("/stock/counts")).text
    assert (await keeper.get(f"{url}/differences")).status_code == 409
    assert "盘点 －2，找不到了" in (await keeper.get(f"/stock/{salt}")).text
    assert (await queries.good([world.home.id], salt)).stock == 35


async def test_what_is_past_its_day_is_named_and_written_off(world, clock):
    milk = await world.good(name="测试牛奶", in_stock=6, best_before=date(2026, 11, 25))
    clock.advance(days=10)
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as later:
        assert "6 件已过期，请报损" in (await later.get("/stock")).text
        page = await later.get(f"/stock/{milk}")
        assert "6 件已过期，兑换台不会给出去" in page.text
        link = re.search(r'href="(/stock/\d+/loss\?lot=(\d+))"', page.text)
        page = await later.get(link[1])
        assert 'name="quantity" value="6"' in re.sub(r'type="text" |id="quantity" ', "", page.text)
        data = {"request_key": key(page), "lot": link[2], "quantity": "7", "reason": "expired"}
        wrong = await later.post(f"/stock/{milk}/loss", data=data)
        assert "这一批只剩 6 件" in wrong.text
        data = {**data, "request_key": key(wrong), "quantity": "6"}
        assert (await later.post(f"/stock/{milk}/loss", data=data)).status_code == 303
        assert "报损 6，过期" in (await later.get(f"/stock/{milk}")).text
        assert (await queries.good([world.home.id], milk)).stock == 0
