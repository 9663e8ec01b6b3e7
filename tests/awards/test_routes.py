"""Why somebody got so many points, and the page on which a second person reviews."""

import re

from pointsbank.people.access import Role
from tests.awards.neighbours import ADMIN, an_item
from tests.world import visiting


def key_in(page) -> str:
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


async def test_a_resident_reads_each_step_of_the_calculation(neighbours, world):
    await neighbours.adopt(an_item(minutes_max_per_act=120))
    person = await neighbours.person()
    made = await neighbours.act(person, minutes=136)
    _device, token = await world.phone(person)
    async with visiting(world, cookie=token) as resident:
        page = await resident.get(f"/awards/{made.award_id}")

    assert page.status_code == 200
    limited = page.text.index("一次最多算 120 分钟，这次的 2 小时 16 分钟只算 2 小时")
    assert limited < page.text.index("2 小时，每满 1 小时记 10 分，满了 2 个")
    assert "《测试积分表》第 1 版" in page.text
    assert "活动组织者 测**部 审核通过" in page.text
    assert "11 月 25 日入账" in page.text


async def test_each_state_has_its_word(neighbours, world):
    await neighbours.adopt(an_item(minutes_min=60), an_item("B01", review=("organiser", ADMIN)), notice_days=1)
    person = await neighbours.person()
    nothing = await neighbours.act(person, minutes=30)
    _device, token = await world.phone(person)
    async with visiting(world, cookie=token) as resident:

        async def says(award_id: int, word: str) -> bool:
            return word in (await resident.get(f"/awards/{award_id}")).text

        assert await says(nothing.award_id, "不记分")
        assert await says((await neighbours.act(person, item="B01")).award_id, "等社区管理员审核")
        made = await neighbours.act(person)
        assert await says(made.award_id, "待审核")
        await neighbours.midnight()
        assert await says(made.award_id, "公示中")
        await neighbours.object_to(made.award_id)
        assert await says(made.award_id, "有人提出异议，正在核查")
        assert await says(made.award_id, "被异议")


async def test_an_award_is_seen_by_its_own_passbook_and_by_the_community_s_staff(neighbours, world):
    await neighbours.adopt()
    home = await neighbours.household()
    person, relative = [await neighbours.person(household_id=home) for _ in "ab"]
    made = await neighbours.act(person)
    here, elsewhere = world.communities
    sessions = {
        "own": (await world.phone(person))[1],
        "relative": (await world.phone(relative))[1],
        "neighbour": (await world.phone(await neighbours.person()))[1],
        "organiser": (await world.staff(Role.EVENT_ORGANISER, here))[1],
        "counter": (await world.staff(Role.COUNTER_STAFF, here))[1],
        "admin elsewhere": (await world.staff(Role.COMMUNITY_ADMIN, elsewhere))[1],
    }
    seen = {}
    for who, token in sessions.items():
        async with visiting(world, cookie=token) as reader:
            seen[who] = (await reader.get(f"/awards/{made.award_id}")).status_code
    assert seen == {
        "own": 200,
        "relative": 404,
        "neighbour": 404,
        "organiser": 200,
        "counter": 404,
        "admin elsewhere": 404,
    }


async def test_a_household_s_passbook_is_seen_by_all_of_it(families, world):
    await families.adopt()
    home = await families.household()
    mother, son = [await families.person(household_id=home) for _ in "ab"]
    made = await families.act(mother)
    _device, token = await world.phone(son)
    async with visiting(world, cookie=token) as resident:
        assert (await resident.get(f"/awards/{made.award_id}")).status_code == 200


async def test_the_api_tells_the_same_reasons(neighbours, world):
    await neighbours.adopt()
    made = await neighbours.act(await neighbours.person())
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN, kind="token")
    async with visiting(world, bearer=token) as script:
        found = await script.get(f"/api/awards/{made.award_id}")
        missing = await script.get("/api/awards/999999")
    assert found.status_code == 200
    assert found.json()["why"] == ["2 小时，每满 1 小时记 10 分，满了 2 个"]
    assert missing.json()["code"] == "not_found"


class TestReviewPage:
    async def test_an_admin_passes_ticked_rows_and_sends_others_back(self, neighbours, world):
        await neighbours.adopt(notice_days=0)
        people = [await neighbours.person() for _ in range(3)]
        made = [(await neighbours.act(person, item="B01")).award_id for person in people]
        _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
        async with visiting(world, cookie=token) as admin:
            page = await admin.get("/awards/review")
            tick = {"request_key": key_in(page), "award_id": [str(made[0]), str(made[1])], "verdict": "pass"}
            passed = await admin.post("/awards/review", data=tick)
            again = await admin.post("/awards/review", data=tick)
            key = key_in(await admin.get("/awards/review"))
            back = {"request_key": key, "award_id": str(made[2]), "verdict": "reject", "reason": "minutes"}
            rejected = await admin.post("/awards/review", data=back)
            reason = await admin.get(f"/awards/{made[2]}")

        assert (passed.status_code, again.status_code, rejected.status_code) == (303, 303, 303)
        assert [await neighbours.state(award) for award in made] == ["settled", "settled", "rejected"]
        assert [await neighbours.balance(person) for person in people] == [20, 20, 0]
        assert "退回：时长不对" in reason.text

    async def test_a_rejection_needs_a_reason_and_keeps_the_ticks(self, neighbours, world):
        await neighbours.adopt()
        made = await neighbours.act(await neighbours.person(), item="B01")
        _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
        async with visiting(world, cookie=token) as admin:
            key = key_in(await admin.get("/awards/review"))
            asked = {"request_key": key, "award_id": str(made.award_id), "verdict": "reject"}
            page = await admin.post("/awards/review", data=asked)
        assert page.status_code == 400
        assert "请选择退回的原因" in page.text
        assert f'value="{made.award_id}" aria-label="选 测*甲" checked' in page.text
        assert await neighbours.state(made.award_id) == "pending"

    async def test_rows_of_one_s_own_household_cannot_be_ticked(self, neighbours, world):
        await neighbours.adopt()
        actor, token = await world.staff(Role.COMMUNITY_ADMIN)
        made = await neighbours.act(actor.person_id, item="B01")
        async with visiting(world, cookie=token) as admin:
            page = await admin.get("/awards/review")
            asked = {"request_key": "a-key-of-my-own", "award_id": str(made.award_id), "verdict": "pass"}
            forced = await admin.post("/awards/review", data=asked)
        assert 'type="checkbox"' not in page.text
        assert "是你自己或家人的" in page.text
        assert "不能由自己审核" in forced.text
        assert await neighbours.state(made.award_id) == "pending"

    async def test_nothing_to_review_says_so(self, world):
        _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
        async with visiting(world, cookie=token) as admin:
            page = await admin.get("/awards/review")
        assert "没有要审核的" in page.text
