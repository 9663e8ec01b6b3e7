"""The counter over plain HTTP, as a browser without script uses it: read the form, send it, read the next page."""

import re
from html import unescape

import pytest

from pointsbank.kit import db
from pointsbank.people import actions_cards as cards
from pointsbank.people.access import Role
from pointsbank.stock import actions as stock
from tests.world import visiting


class Till:
    """A clerk's browser that keeps nothing but the page before it."""

    def __init__(self, client, counter_id):
        self.client, self.url, self.answer = client, f"/redemption/counters/{counter_id}", None

    @property
    def text(self):
        return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.answer.text.split("<body", 1)[1])))

    def fields(self):
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.answer.text))

    def shown(self, testid):
        return re.search(rf'data-testid="{testid}">([^<]*)<', self.answer.text)[1]

    async def open(self, query=""):
        self.answer = await self.client.get(self.url + query)
        return self

    async def send(self, **typed):
        self.answer = await self.client.post(self.url + "/scan", data={**self.fields(), **typed}, follow_redirects=True)
        return self

    async def scan(self, code):
        return await self.send(code=code)

    async def press(self, act):
        assert f'value="{act}"' in self.answer.text, "there is no such button"
        return await self.send(act=act)

    async def enter(self):
        return await self.send(code="")


@pytest.fixture
async def till(world):
    _actor, token = await world.staff(Role.COUNTER_STAFF)
    async with visiting(world, cookie=token) as client:
        yield await Till(client, world.home.counter_id).open()


async def barcode(good_id):
    found = await db.row("SELECT barcode FROM stock_good WHERE id = ?", good_id)
    return found["barcode"]


async def test_a_member_two_goods_and_enter(world, till):
    person = await world.person(points=50)
    salt, rice = await world.good(points=5, name="食用盐"), await world.good(points=20, name="东北大米")
    assert "请扫会员码" in till.text

    await till.scan(await world.card(person))
    assert "测*甲" in till.text
    assert "测试 1 号楼" in till.text
    assert "积分卡" in till.text
    assert till.shown("available") == "50"
    assert "测试甲" not in till.answer.text

    await till.scan(await barcode(salt))
    await till.scan(await barcode(salt))
    await till.scan(await barcode(rice))
    assert till.shown("total") == "30"
    assert "继续扫商品，或按回车确认" in till.answer.text

    await till.enter()
    assert till.answer.history[0].status_code == 303
    assert "兑换成功" in till.text
    assert (till.shown("total"), till.shown("balance")) == ("30", "20")
    assert "今天 1 单，30 分" in till.text
    assert await world.balance(person) == 20

    await till.open()
    assert "上一单" in till.text


async def test_a_price_that_changed_since_it_was_shown_is_told_before_it_is_charged(world, till):
    person, salt = await world.person(points=50), await world.good(points=5, name="食用盐")
    await till.scan(await world.card(person))
    await till.scan(await barcode(salt))
    facts = {"name": "食用盐", "unit": "袋", "monthly_max": None, "low_at": 0}
    admin, _token = await world.staff(Role.COMMUNITY_ADMIN)
    await db.write(stock.change_good, actor=admin, good_id=salt, points=8, **facts)

    await till.enter()
    assert till.answer.status_code == 409
    assert "这一单现在是 8 分" in till.text
    assert await world.balance(person) == 50

    await till.enter()
    assert "兑换成功" in till.text
    assert await world.balance(person) == 42


async def test_goods_before_the_member_are_kept(world, till):
    person, salt = await world.person(points=50), await world.good(points=5)
    await till.scan(await barcode(salt))
    assert "先扫会员码" in till.text
    await till.enter()
    assert "先扫会员码" in till.text
    await till.scan(await world.card(person))
    await till.enter()
    assert "兑换成功" in till.text


async def test_three_times_counts_with_the_scan_or_before_it(world, till):
    salt, rice = await world.good(points=5), await world.good(points=5)
    await till.scan("3*" + await barcode(salt))
    assert till.shown("total") == "15"
    await till.scan("４＊")
    assert "下一件扫 4 件" in till.text
    await till.scan(await barcode(rice))
    assert till.shown("total") == "35"
    await till.scan(await barcode(rice))
    assert till.shown("total") == "40"


async def test_pieces_more_and_less_and_the_last_line_away(world, till):
    salt, rice = await world.good(points=5), await world.good(points=20)
    await till.scan(await barcode(salt))
    await till.scan(await barcode(rice))
    await till.press(f"more:{salt}")
    assert till.shown("total") == "30"
    await till.press(f"less:{rice}")
    assert till.shown("total") == "10"
    await till.press("drop")
    assert "请扫会员码" in till.text


async def test_goods_are_found_by_the_first_letters_of_their_pinyin(world, till):
    rice, _flour = await world.good(points=20, name="大米"), await world.good(points=20, name="面粉")
    await till.press("find")
    assert "面粉" in till.text
    await till.send(sought="dm")
    assert till.fields()["lines"] == f"{rice}:1"
    await till.press("find")
    await till.send(sought="没有的")
    assert "没有叫「没有的」的商品" in till.text
    await till.press("find")
    await till.press(f"put:{rice}")
    assert till.fields()["lines"] == f"{rice}:2"
    await till.scan("面粉")
    assert "面粉" in till.text


async def test_too_few_points_name_what_to_leave_out_and_del_accepts(world, till):
    person = await world.person(points=70)
    rice, tissue = await world.good(points=60, name="东北大米"), await world.good(points=15, name="抽纸")
    await till.scan(await world.card(person))
    await till.scan(await barcode(rice))
    await till.scan(await barcode(tissue))
    assert "还差 5 分。可删：抽纸 15 分" in till.text
    await till.enter()
    assert till.answer.status_code == 409
    assert till.text.count("还差 5 分。可删：抽纸 15 分") == 1
    await till.press(f"leave:{tissue}:1")
    await till.enter()
    assert "兑换成功" in till.text
    assert await world.balance(person) == 10


async def test_limits_and_an_empty_shelf_are_foretold_and_then_refused(world, till):
    person = await world.person(points=500)
    tissue = await world.good(points=50, name="抽纸", in_stock=5, monthly_max=5)
    rice = await world.good(points=10, name="东北大米", in_stock=1)
    await till.scan(await world.card(person))
    await till.scan("5*" + await barcode(tissue))
    assert "今天还可兑 200 分，这一单要 250 分" in till.text
    assert "这一单就到上限了" in till.text
    await till.enter()
    assert (till.answer.status_code, "今天还可兑 200 分" in till.text) == (409, True)
    await till.press("drop")
    await till.scan("2*" + await barcode(rice))
    assert "东北大米账上只剩 1 件" in till.text
    await till.enter()
    assert "东北大米没有货了" in till.text
    await till.press(f"less:{rice}")
    await till.enter()
    assert "兑换成功" in till.text


SAID = {
    "134500000000000001": "这是付款码，没有保存",
    "2888" * 5: "这是付款码，没有保存",
    "81" + "0" * 18: "没认出这个码",
    "6901234567892": "这里没有这样商品：6901234567892",
    "99999": "没认出这个码",
    "http://127.0.0.1/p/0123456789ABD": "这不是会员码",
    "https://example.invalid/<script>": "没认出这个码",
}


async def test_every_other_code_says_what_to_do(till):
    for code, said in SAID.items():
        await till.scan(code)
        assert said in till.text, code
        assert till.answer.status_code in (400, 403, 404)
        assert "data-scan autofocus" in till.answer.text


async def test_a_lost_card_is_named_with_its_day(world, till, clock):
    person = await world.person(points=50)
    code = await world.card(person)
    await db.write(cards.report_lost, person_id=person)
    await till.scan(code)
    assert "此卡 2026 年 11 月 21 日已挂失，请收回并联系社区" in till.text


async def test_a_visit_that_ended_keeps_the_basket(world, till, clock):
    person, salt = await world.person(points=50), await world.good(points=5)
    code = await world.card(person)
    await till.scan(code)
    await till.scan(await barcode(salt))
    clock.advance(minutes=10)
    await till.enter()
    assert (till.answer.status_code, "核对会员已过 10 分钟" in till.text) == (410, True)
    assert till.fields()["lines"] == f"{salt}:1"
    assert "visit" not in till.fields()
    await till.scan(code)
    await till.enter()
    assert "兑换成功" in till.text


async def test_a_form_sent_twice_is_one_order(world, till):
    person, salt = await world.person(points=50), await world.good(points=5)
    await till.scan(await world.card(person))
    await till.scan(await barcode(salt))
    fields = till.fields()
    for _ in range(2):
        answer = await till.client.post(till.url + "/scan", data={**fields, "code": ""})
        assert answer.status_code == 303
    assert await world.balance(person) == 45


async def test_f8_a_reason_and_enter_take_the_last_order_back(world, till):
    person, salt = await world.person(points=50), await world.good(points=5)
    await till.scan(await world.card(person))
    await till.scan(await barcode(salt))
    await till.enter()
    await till.open("?undo=1")
    assert "为什么撤销" in till.text
    order_id = re.search(r"/redemption/orders/(\d+)/undo", till.answer.text)[1]

    async def undo(reason):
        url = f"/redemption/orders/{order_id}/undo"
        till.answer = await till.client.post(url, data={**till.fields(), "reason": reason}, follow_redirects=True)

    await undo("9")
    assert "请输入原因 1 到 4" in till.text
    await undo("２")
    assert "已撤销。5 分和 1 件商品都已退回" in till.text
    assert await world.balance(person) == 50
    await till.open("?undo=1")
    assert "已经撤销过了" in till.text


async def test_a_colleague_is_told_that_it_is_not_his_order(world, till):
    person, salt = await world.person(points=50), await world.good(points=5)
    await till.scan(await world.card(person))
    await till.scan(await barcode(salt))
    await till.enter()
    _actor, token = await world.staff(Role.COUNTER_STAFF)
    async with visiting(world, cookie=token) as client:
        other = await Till(client, world.home.counter_id).open("?undo=1")
        assert "这一单是别人办的" in other.text


async def test_the_receipt_is_as_long_as_the_order_and_masked(world, till):
    person, salt = await world.person(points=50), await world.good(points=5, name="食用盐")
    await till.scan(await world.card(person))
    await till.scan("2*" + await barcode(salt))
    await till.enter()
    url = re.search(r'"(/redemption/orders/\d+/receipt)"', till.answer.text)[1]
    receipt = await till.client.get(url)
    assert receipt.status_code == 200
    assert "食用盐 ×2" in receipt.text
    assert "测*甲" in receipt.text
    assert "10000000002" in receipt.text
    assert "测试甲" not in receipt.text
    css = await till.client.get(re.search(r'"(/print/r80-\d+\.css)"', receipt.text)[1])
    assert css.text.startswith("@page r80{size:80mm ")


FORGED = [
    {"lines": "x"},
    {"lines": "1:0"},
    {"lines": "1:100"},
    {"lines": ",".join(f"{n}:1" for n in range(1, 23))},
    {"lines": "9" * 30 + ":1"},
    {"act": "more:1:2,3"},
    {"act": "put:"},
    {"act": "leave:abc"},
    {"visit": "abc"},
    {"times": "x"},
    {"request_key": "short", "code": "81" + "0" * 18},
]


async def test_a_forged_form_is_a_problem_and_nothing_else(till):
    good = till.answer
    for fields in FORGED:
        till.answer = good
        await till.send(**fields)
        assert 400 <= till.answer.status_code < 500, fields


async def test_somebody_elses_visit_in_the_form_serves_nobody(world, till):
    person, salt = await world.person(points=50), await world.good(points=5)
    await till.scan(await world.card(person))
    visit = till.fields()["visit"]
    _actor, token = await world.staff(Role.COUNTER_STAFF)
    async with visiting(world, cookie=token) as client:
        other = await Till(client, world.home.counter_id).open()
        await other.send(visit=visit, lines=f"{salt}:1", code="")
        assert other.answer.status_code == 404
        assert "测*甲" not in other.text
    assert await world.balance(person) == 50


async def test_a_counter_of_another_community_is_not_found(world, till):
    elsewhere = world.communities[1].counter_id
    assert (await till.client.get(f"/redemption/counters/{elsewhere}")).status_code == 404
    sent = await till.client.post(f"/redemption/counters/{elsewhere}/scan", data=till.fields())
    assert sent.status_code == 404
    listed = await till.client.get("/redemption/counters")
    assert f'/redemption/counters/{world.home.counter_id}"' in listed.text
    assert f'/redemption/counters/{elsewhere}"' not in listed.text


async def test_whoever_does_not_serve_is_kept_out(world):
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as client:
        assert (await client.get(f"/redemption/counters/{world.home.counter_id}")).status_code == 403
    async with visiting(world) as client:
        assert (await client.get("/redemption/counters")).status_code == 303
