"""Points that are given: asked for by one, agreed to by another, and spent beside what somebody earned."""

import pytest

from pointsbank.app import jobs
from pointsbank.people import queries as people
from pointsbank.people.access import Role

pytestmark = pytest.mark.both


async def test_a_gift_is_agreed_to_told_before_it_lapses_and_pays_beside_earned_points(stage, world):
    earner, idler = await world.person("测试甲", points=60), await world.person("测试乙")
    salt = await world.good(points=1, in_stock=100)
    resident = await stage.browser(cookie=(await world.phone(earner))[1])

    await two_people_give(stage, world, {earner: "测试甲", idler: "测试乙"})
    assert [await world.balance(one) for one in (earner, idler)] == [100, 40]
    assert "测试慰问" not in (await resident.open("/ledger")).text  # why it is given is for staff
    assert "赠送积分" in resident.text
    assert "现在能用 90 分。<br>送的积分要和自己挣的搭着用：每用 100 自己挣的，可以搭 50 送的。" in resident.text
    await the_desk_is_told_whose_points_lapse(stage)

    counter = await stage.program(Role.COUNTER_STAFF)
    cards = {one: await world.card(one) for one in (earner, idler)}
    visits = {one: (await counter.visit(world.home.counter_id, card)).json() for one, card in cards.items()}
    assert [visits[one]["available_points"] for one in (earner, idler)] == [90, 0]
    tried = []
    for who, pieces in ((earner, 91), (earner, 90), (earner, 1), (idler, 1)):
        answer = await counter.order(world.home.counter_id, salt, pieces, visit=visits[who]["visit"])
        tried.append((answer.status_code, answer.json().get("code", "")))
    short = (409, "redemption.not_enough_points")
    assert tried == [short, (201, ""), short, short]
    assert [await world.balance(one) for one in (earner, idler)] == [10, 40]

    world.clock.advance(days=25)
    await jobs.tick()
    assert [await world.balance(one) for one in (earner, idler)] == [0, 0]


async def two_people_give(stage, world, names):
    """Forty points each; of them fifty go with a hundred earned ones."""
    maker, checker = [await stage.browser(Role.COMMUNITY_ADMIN) for _ in range(2)]
    listed = [
        f"{(await people.member_view((world.home.id,), one)).member_number} {name}" for one, name in names.items()
    ]
    await maker.open("/ledger/gifts/new")
    asked = await maker.send(
        "/ledger/gifts", to="list", members="\n".join(listed), points="40", match_percent="50",
        expires_on="2026-12-15", note="测试慰问",
    )  # fmt: skip
    batch = asked.headers["location"]
    assert f"{batch}/give" not in maker.text
    assert "待你确认的积分凭证" in (await checker.open("/todo")).text
    await checker.open(batch)
    assert (await checker.send(f"{batch}/give")).status_code == 303, checker.text
    assert "这一批办完了" in checker.text


async def the_desk_is_told_whose_points_lapse(stage):
    admin = await stage.browser(Role.COMMUNITY_ADMIN)
    assert "积分快到期的存折" in (await admin.open("/todo")).text
    told = (await admin.open("/todo/expiring")).text
    assert told.count("12 月 15 日") >= 2
