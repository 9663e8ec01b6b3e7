"""The stock keeper's pages over plain HTTP."""

import io
import re

import pytest

from pointsbank.people.access import Role
from pointsbank.stock import queries
from tests.world import visiting

BARCODE = "6901234567892"


@pytest.fixture
async def keeper(world):
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as client:
        yield client


def key(page):
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


async def new_good(keeper, **typed):
    page = await keeper.get("/stock/new")
    fields = {"name": "食用盐 400 g", "unit": "袋", "points": "5", **typed}
    return await keeper.post("/stock", data={"request_key": key(page), **fields})


async def test_a_good_is_registered_received_repriced_and_ended(world, keeper):
    made = await new_good(keeper, barcode=BARCODE, monthly_max="２", low_at="10")
    assert made.status_code == 303
    url = made.headers["location"]
    good_id = int(url.rpartition("/")[2])

    page = await keeper.get("/stock/receive")
    received = await keeper.post(
        "/stock/receive",
        data={
            "request_key": key(page),
            "barcode": BARCODE,
            "quantity": "8",
            "source": "donated",
            "donor": "测试商行",
            "value": "2.5",
            "best_before": "2027年6月1日",
        },
    )
    assert (received.status_code, received.headers["location"]) == (303, url)
    (lot,) = await queries.lots(good_id)
    assert (lot.quantity, lot.unit_value_cents, lot.donor, lot.best_before.year) == (8, 250, "测试商行", 2027)
    assert "要补货" in (await keeper.get("/stock")).text

    page = await keeper.get(url)
    assert "2.50" in page.text
    changed = await keeper.post(
        url, data={"request_key": key(page), "name": "食用盐 400 g", "unit": "袋", "points": "6", "low_at": "3"}
    )
    assert changed.status_code == 303
    history = (await keeper.get(url)).text
    assert "积分 5 → 6" in history
    assert "每月限兑 2 → 不限" in history

    page = await keeper.get(url)
    ended = await keeper.post(f"{url}/end", data={"request_key": key(page)})
    assert ended.status_code == 303
    assert "已下架" in (await keeper.get("/stock")).text, "what is left of it is still in the books"
    assert "已下架" in (await keeper.get(url)).text


async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(world, keeper):
    wrong = await new_good(keeper, barcode="6901234567891", points="0")
    assert wrong.status_code == 400
    assert "积分要在 1 到" in wrong.text
    assert 'value="食用盐 400 g"' in wrong.text
    wrong = await new_good(keeper, barcode="6901234567891")
    assert "这不是商品条码" in wrong.text
    assert (await new_good(keeper, barcode=BARCODE)).status_code == 303
    wrong = await new_good(keeper, barcode=BARCODE, name="海盐")
    assert "这个条码已经登记为「食用盐 400 g」" in wrong.text

    delivery = {"quantity": "1", "source": "donated"}
    for typed, said in (
        ({"barcode": "96385074"}, "还没有登记这个条码"),
        ({"barcode": "1"}, "这不是商品条码"),
        ({}, "请扫条码，或选一样商品"),
        ({"barcode": BARCODE}, "请写上捐赠人或单位"),
        ({"barcode": BARCODE, "donor": "测试商行", "value": "1.234"}, "单价请写成"),
        ({"barcode": BARCODE, "donor": "测试商行", "best_before": "2020-01-01"}, "保质期已经过了"),
    ):
        page = await keeper.get("/stock/receive")
        answer = await keeper.post("/stock/receive", data={"request_key": key(page), **delivery, **typed})
        assert answer.status_code == 400
        assert said in answer.text


async def test_labels_come_in_sheets_of_twenty_one_with_a_bar_code_that_reads(world, keeper):
    zxingcpp = pytest.importorskip("zxingcpp")
    image = pytest.importorskip("PIL.Image")
    salt = await world.good(name="食用盐", barcode="6901234567892", monthly_max=2)
    await world.good(name="面巾", barcode="96385074")
    await world.good(name="毛巾", barcode="036000291452")
    page = (await keeper.get("/stock/labels")).text
    assert page.count('class="label"') == 3
    assert "每月限 2 件" in page
    assert (await keeper.get(f"/stock/labels?good={salt}")).text.count('class="label"') == 21
    read = []
    for good_id in re.findall(r"/stock/(\d+)/barcode", page):
        picture = await keeper.get(f"/stock/{good_id}/barcode.png")
        (found,) = zxingcpp.read_barcodes(image.open(io.BytesIO(picture.content)).convert("L"))
        read.append(found.text.lstrip("0"))
    assert sorted(read) == sorted(["6901234567892", "96385074", "36000291452"])


async def test_goods_of_another_community_are_not_found(world, keeper):
    foreign = await world.good(community=world.communities[1], name="外面的米")
    for path in (*(f"/stock/{foreign}{end}" for end in ("", "/barcode.png", "/loss")), f"/stock/labels?good={foreign}"):
        assert (await keeper.get(path)).status_code == 404
    fields = {"request_key": "foreign-01", "name": "米", "unit": "袋", "points": "1"}
    assert (await keeper.post(f"/stock/{foreign}", data=fields)).status_code == 404
    assert (await keeper.post(f"/stock/{foreign}/end", data=fields)).status_code == 404
    delivery = {"request_key": "foreign-02", "good": str(foreign), "quantity": "1", "source": "purchased"}
    assert (await keeper.post("/stock/receive", data=delivery)).status_code == 404
    assert "外面的米" not in (await keeper.get("/stock")).text
    other_outlet = {**fields, "outlet": str(world.communities[1].outlet_id)}
    assert (await keeper.post("/stock", data=other_outlet)).status_code == 400


async def test_whoever_serves_does_not_keep_the_stock(world):
    _actor, token = await world.staff(Role.COUNTER_STAFF)
    async with visiting(world, cookie=token) as client:
        for path in ("/stock", "/stock/new", "/stock/receive", "/stock/labels"):
            assert (await client.get(path)).status_code == 403
