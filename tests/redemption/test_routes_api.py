"""The counter by program, and the pages of residents."""

import json

import pytest

from pointsbank.people.access import Role
from tests.world import visiting


@pytest.fixture
async def api(world):
    _actor, token = await world.staff(Role.COUNTER_STAFF, kind="token")
    async with visiting(world, bearer=token) as client:
        yield client


def url(world, what):
    return f"/api/redemption/counters/{world.home.counter_id}/{what}"


async def test_a_visit_and_an_order_and_their_repeats(world, api):
    person, salt = await world.person(points=30), await world.good(points=5)
    scan = {"code": await world.card(person), "request_key": "visit-0001"}
    opened = await api.post(url(world, "visits"), json=scan)
    assert opened.status_code == 201
    visit = opened.json()
    assert visit["member"]["name"] == "测*甲"
    assert visit["member"]["building"] == "测试 1 号楼"
    assert len(visit["member"]["number"]) == 11
    assert (visit["available_points"], visit["left_today"], visit["code_kind"]) == (30, 200, "card")

    basket = {"visit": visit["visit"], "lines": [{"good": salt, "quantity": 2}], "request_key": "order-0001"}
    made = await api.post(url(world, "orders"), json=basket)
    assert made.status_code == 201
    assert made.json() == {"order": made.json()["order"], "points": 10, "balance_before": 30, "balance_after": 20}

    for what, body, first in (("visits", scan, opened), ("orders", basket, made)):
        again = await api.post(url(world, what), json=body)
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
        assert again.json() == first.json()
    other = await api.post(url(world, "orders"), json={**basket, "lines": [{"good": salt, "quantity": 3}]})
    assert (other.status_code, other.json()["code"]) == (409, "request_key_reused")
    assert await world.balance(person) == 20


async def test_points_that_the_member_was_told_are_what_is_charged(world, api):
    person, salt = await world.person(points=30), await world.good(points=5)
    body = {"lines": [{"good": salt, "quantity": 2}], "code": await world.card(person)}
    refused = await api.post(url(world, "orders"), json=body | {"seen_points": 9, "request_key": "order-0009"})
    assert (refused.status_code, refused.json()["code"]) == (409, "redemption.price_changed")
    assert await world.balance(person) == 30

    made = await api.post(url(world, "orders"), json=body | {"seen_points": 10, "request_key": "order-0010"})
    assert made.status_code == 201


async def test_a_code_and_a_bar_code_are_enough(world, api):
    person, salt = await world.person(points=30), await world.good(points=5, barcode="6901234567892")
    body = {
        "code": await world.card(person),
        "lines": [{"barcode": "6901234567892", "quantity": 1}, {"good": salt, "quantity": 1}],
        "request_key": "order-0002",
    }
    made = await api.post(url(world, "orders"), json=body)
    assert (made.status_code, made.json()["points"]) == (201, 10)


async def test_refusals_have_a_code_and_facts(world, api):
    person, rice = await world.person(points=5), await world.good(points=20, name="东北大米")
    body = {"code": await world.card(person), "lines": [{"good": rice, "quantity": 1}], "request_key": "order-0003"}
    refused = await api.post(url(world, "orders"), json=body)
    assert refused.status_code == 409
    assert refused.headers["content-type"].startswith("application/problem+json")
    problem = refused.json()
    assert (problem["code"], problem["missing"]) == ("redemption.not_enough_points", 15)
    assert problem["detail"] == "还差 15 分。可删：东北大米 20 分"


BAD = [
    {},
    {"lines": [], "request_key": "order-0004", "code": "81"},
    {"lines": [{"good": 1, "quantity": 0}], "request_key": "order-0004", "code": "81"},
    {"lines": [{"good": 1, "quantity": 1.5}], "request_key": "order-0004", "code": "81"},
    {"lines": [{"good": 2**70, "quantity": 1}], "request_key": "order-0004", "code": "81"},
    {"lines": [{"good": -1, "quantity": 1}], "request_key": "order-0004", "code": "81"},
    {"lines": [{"good": 1, "quantity": 1}], "request_key": "order-0004"},
    {"lines": [{"good": 1, "quantity": 1}], "request_key": "order-0004", "code": "81", "visit": 1},
    {"lines": [{"good": 1, "quantity": 1}], "request_key": "order-0004", "code": "8" * 300},
    {"lines": [{"good": 1, "quantity": 1}], "request_key": "短", "code": "81"},
    {"lines": [{"good": 1, "quantity": 1, "points": 0}], "request_key": "order-0004", "code": "81"},
    {"lines": [{"good": 1, "quantity": 1}], "request_key": "order-0004", "code": "81", "points": 1},
    {"lines": [{"barcode": "\ud800", "quantity": 1}], "request_key": "order-0004", "code": "81"},
]


async def test_bad_bodies_are_refused(world, api):
    for body in BAD:
        content = json.dumps(body)  # not the client's own, which would not write a lone surrogate
        answer = await api.post(url(world, "orders"), content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400, body
        assert answer.json()["code"]


async def test_a_foreign_counter_and_a_visit_that_never_was_are_not_found(world, api):
    person, salt = await world.person(points=30), await world.good(points=5)
    elsewhere = f"/api/redemption/counters/{world.communities[1].counter_id}/visits"
    body = {"code": await world.card(person), "request_key": "visit-0005"}
    assert (await api.post(elsewhere, json=body)).status_code == 404
    basket = {"visit": 4711, "lines": [{"good": salt, "quantity": 1}], "request_key": "order-0005"}
    assert (await api.post(url(world, "orders"), json=basket)).status_code == 404


async def test_the_shop_shows_first_what_one_can_have_now(world):
    person = await world.person(points=30)
    await world.good(points=60, name="东北大米")
    await world.good(points=5, name="食用盐")
    await world.good(points=4, name="洗衣皂", in_stock=0)
    _device, token = await world.phone(person)
    async with visiting(world, cookie=token) as client:
        mine, every = (await client.get("/shop")).text, (await client.get("/shop?show=all")).text
    assert "每天 9–17 点" in mine
    assert "食用盐" in mine
    assert "东北大米" not in mine
    assert "我换得起 1" in mine
    assert every.index("食用盐") < every.index("洗衣皂") < every.index("东北大米")
    assert "缺货" in every
    assert "还差 30 分" in every


async def test_an_order_is_seen_by_its_member_and_by_nobody_else_of_the_house(world, api):
    person, stranger, salt = await world.person(points=30), await world.person(points=30), await world.good(points=5)
    body = {"code": await world.card(person), "lines": [{"good": salt, "quantity": 1}], "request_key": "order-0006"}
    order = (await api.post(url(world, "orders"), json=body)).json()["order"]
    for who, status in ((person, 200), (stranger, 404)):
        _device, token = await world.phone(who)
        async with visiting(world, cookie=token) as client:
            assert (await client.get(f"/redemption/orders/{order}")).status_code == status
            assert (await client.get(f"/redemption/orders/{order}/receipt")).status_code == 403
    _actor, token = await world.staff(Role.COUNTER_STAFF, world.communities[1])
    async with visiting(world, cookie=token) as client:
        assert (await client.get(f"/redemption/orders/{order}")).status_code == 404
        assert (await client.get(f"/redemption/orders/{order}/receipt")).status_code == 404
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as client:
        assert (await client.get(f"/redemption/orders/{order}")).status_code == 200
