"""A panel's pages: what waits, one page for each award, and what everybody is told of it."""

import re

from pointsbank.awards.rules import Reason
from pointsbank.people.access import Role
from tests.awards.neighbours import ADMIN, an_item
from tests.awards.panels import Hall, judged
from tests.world import visiting


def key_in(page) -> str:
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


async def test_a_resident_votes_on_the_phone_and_reads_the_outcome_once_it_is_there(neighbours, world):
    hall = Hall(neighbours)
    await neighbours.adopt(judged(3, 2, evidence_kinds=("photo",), says="每月评一次"))
    members = await hall.named(3)
    award = await hall.deed()
    url = f"/awards/panel/{award}"
    _device, token = await world.phone(members[0])
    async with visiting(world, cookie=token) as phone:
        home = await phone.get("/home")
        listed = await phone.get("/awards/panel")
        page = await phone.get(url)
        no_reason = await phone.post(url, data={"request_key": key_in(page), "verdict": "against"})
        voted = await phone.post(url, data={"request_key": key_in(page), "verdict": "agree"})
        after = await phone.get(url)
        await hall.vote(award, members[1])
        decided = await phone.get(url)
        empty = await phone.get("/awards/panel")

    assert "有 1 件等你评议" in home.text
    assert f'href="{url}"' in listed.text
    for words in (
        "三号楼楼道清洁",
        "现场签到，要有照片",
        "每月评一次",
        "3 人评议，2 人同意就通过",
        "《测试积分表》第 1 版",
    ):
        assert words in page.text
    assert (no_reason.status_code, "请选择不同意的原因" in no_reason.text) == (400, True)
    assert (voted.status_code, voted.headers["location"]) == (303, url)
    assert "你投了“同意”" in after.text
    assert "人中" not in after.text
    assert "评议小组 3 人中 2 人同意，通过了" in decided.text
    assert "没有等你评议的" in empty.text


async def test_an_award_that_one_has_no_seat_for_is_not_there(neighbours, world):
    hall = Hall(neighbours)
    await neighbours.adopt(judged(1, 1))
    await hall.named(1)
    award = await hall.deed()
    tokens = [(await world.phone(await neighbours.person()))[1], (await world.staff(Role.COMMUNITY_ADMIN))[1]]
    for token in tokens:
        async with visiting(world, cookie=token) as stranger:
            page = await stranger.get(f"/awards/panel/{award}")
            refused = await stranger.post(
                f"/awards/panel/{award}", data={"request_key": "a-stranger-votes", "verdict": "agree"}
            )
        assert (page.status_code, refused.status_code) == (404, 404)
    assert await hall.votes(award) == (0, 0)


async def test_residents_hear_how_many_and_staff_who_once_it_is_decided(neighbours, world):
    hall = Hall(neighbours)
    await neighbours.adopt(judged(3, 2, submit=("organiser", "self")))
    members, doer = await hall.named(3), await neighbours.person()
    award = await hall.deed(doer)
    await hall.vote(award, members[0], against=Reason.NO_EVIDENCE)
    _device, phone = await world.phone(doer)
    _admin, desk = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=phone) as resident, visiting(world, cookie=desk) as staff:
        before = [(await who.get(f"/awards/{award}")).text for who in (resident, staff)]
        queue = await staff.get("/awards/review")
        await hall.vote(award, members[1], against=Reason.NO_EVIDENCE)
        told, named = [(await who.get(f"/awards/{award}")).text for who in (resident, staff)]
        slip = await staff.get(f"/awards/{award}/slip")

    assert all("等评议小组审核" in text and "测*评" not in text for text in before)
    assert "3 人中 1 人投了" in queue.text
    assert "评议小组 3 人中 0 人同意 退回：凭据不够" in told
    assert "测*评" not in told
    assert named.count("测*评 不同意") == 2
    assert "活动组织者、居民自己" in named
    assert "评议小组 3 人中 0 人同意" in slip.text


async def test_admins_are_told_that_more_have_to_be_named(neighbours, world):
    hall = Hall(neighbours)
    await neighbours.adopt(judged(3, 2), an_item("B01", review=("organiser", ADMIN), evidence_kinds=("document",)))
    [member] = await hall.named(1)
    await hall.deed()
    await neighbours.act(await neighbours.person(), item="B01")
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as admin:
        queue = await admin.get("/awards/review")
        todo = await admin.get("/todo")
        one = await admin.get(f"/people/staff/{member}")

    assert "能参加评议的还差 2 人" in queue.text
    assert "要的凭据：现场签到，要有材料" in queue.text
    assert "评议小组人不够" in todo.text
    assert "评议小组成员" in one.text


async def test_a_panel_member_with_a_login_begins_at_what_waits(neighbours, world):
    hall = Hall(neighbours)
    await neighbours.adopt(judged(1, 1))
    member, token = await world.staff(Role.PANEL_MEMBER)
    award = await hall.deed()
    async with visiting(world, cookie=token) as desk:
        start = await desk.get("/")
        page = await desk.get(f"/awards/panel/{award}")
        await desk.post(f"/awards/panel/{award}", data={"request_key": key_in(page), "verdict": "agree"})

    assert start.headers["location"] == "/awards/panel"
    assert (await neighbours.award(award))["next_role"] == ""
    assert await hall.seated(award) == [member.person_id]
