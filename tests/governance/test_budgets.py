"""Budgets on pages: made, raised, seen by whoever waits and whoever oversees."""

import re

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.people.access import Role
from tests.world import visiting

BUDGETS = "/governance/budgets"


def key_in(page) -> str:
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


async def test_an_admin_makes_a_budget_sees_what_waits_and_raises_it(neighbours, world):
    await neighbours.adopt(notice_days=0)
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as admin:
        key = key_in(await admin.get(f"{BUDGETS}/new"))
        asked = {"request_key": key, "year": "2026"}
        empty = await admin.post(BUDGETS, data=asked)
        in_yuan = await admin.post(BUDGETS, data={**asked, "yuan": "12.5"})
        unknown = await admin.post(BUDGETS, data={**asked, "points": "30", "programme": "没有的"})
        rate = {"request_key": "rate-key-1", "yuan": "5", "from_day": local_day(neighbours.clock.now()).isoformat()}
        rated = await admin.post(f"{BUDGETS}/rate", data=rate)
        nothing = await admin.post(f"{BUDGETS}/rate", data={**rate, "request_key": "rate-key-2", "yuan": "0"})
        made = await admin.post(BUDGETS, data={**asked, "request_key": key_in(in_yuan), "points": "30", "yuan": "100"})
        twice = await admin.post(BUDGETS, data={**asked, "request_key": "another-key", "points": "30"})
        assert [one.status_code for one in (empty, in_yuan, unknown, nothing, twice)] == [400] * 5
        assert (rated.status_code, made.status_code) == (303, 303)
        assert "至少填一个" in empty.text
        assert "折合多少钱" in in_yuan.text

        person = await neighbours.person()
        await neighbours.act(person)
        award_id = (await neighbours.act(person)).award_id
        todo, listed = await admin.get("/todo"), await admin.get(BUDGETS)
        (budget_id,) = await db.row("SELECT id FROM ledger_budget")
        address = f"{BUDGETS}/{budget_id}"
        one, why = await admin.get(address), await admin.get(f"/awards/{award_id}")
        assert "积分等预算" in todo.text
        assert "1 条" in listed.text
        assert "三号楼楼道清洁" in one.text
        assert "等预算" in why.text

        raising = {"request_key": key_in(one), "points": "20", "yuan": "100"}
        lowered = await admin.post(address, data=raising)
        raised = await admin.post(address, data={**raising, "points": "40"})
        assert (lowered.status_code, raised.status_code) == (400, 303)
        await neighbours.jobs()
        after = await admin.get(BUDGETS)
        assert "用完了" in after.text
        assert "1 条" not in after.text
    assert await neighbours.balance(person) == 40


async def test_a_resident_reads_in_plain_words_why_points_wait(neighbours, world):
    await neighbours.adopt(notice_days=0)
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as admin:
        key = key_in(await admin.get(f"{BUDGETS}/new"))
        await admin.post(BUDGETS, data={"request_key": key, "year": "2026", "points": "10"})
    person = await neighbours.person()
    award_id = (await neighbours.act(person)).award_id
    _device, cookie = await world.phone(person)
    async with visiting(world, cookie=cookie) as resident:
        home, why = await resident.get("/home"), await resident.get(f"/awards/{award_id}")
    assert "今年预算用完了" in home.text
    assert "不会作废" in why.text


async def test_whoever_oversees_reads_budgets_and_the_worth_of_what_is_outstanding_and_changes_nothing(world):
    await world.person(points=50)
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as desk:
        await desk.post(BUDGETS, data={"request_key": "budget-key", "year": "2026", "points": "100"})
        today = local_day(world.clock.now()).isoformat()
        rate = {"request_key": "rate-key-1", "yuan": "12.50", "from_day": today}
        await desk.post(f"{BUDGETS}/rate", data=rate)
    for role in (Role.AUDITOR, Role.SUPERVISOR):
        _, token = await world.staff(role)
        async with visiting(world, cookie=token) as reader:
            listed, worth, overview = [await reader.get(url) for url in (BUDGETS, "/overview/liability", "/overview")]
            refused = await reader.post(BUDGETS, data={"request_key": "other-key", "year": "2027", "points": "1"})
        assert "定预算" not in listed.text
        assert "6.25" in worth.text
        assert "6.25" in overview.text
        assert refused.status_code == 403
    _, token = await world.staff(Role.COUNTER_STAFF)
    async with visiting(world, cookie=token) as clerk:
        assert (await clerk.get("/overview/liability")).status_code == 403


async def test_in_december_the_missing_budget_of_the_next_year_is_on_the_list(world):
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as desk:
        await desk.post(BUDGETS, data={"request_key": "budget-key", "year": "2026", "points": "100"})
        assert "明年的积分预算" not in (await desk.get("/todo")).text
        world.clock.advance(days=15)
        assert "明年的积分预算" in (await desk.get("/todo")).text
        await desk.post(BUDGETS, data={"request_key": "budget-key-2", "year": "2027", "points": "100"})
        assert "明年的积分预算" not in (await desk.get("/todo")).text
