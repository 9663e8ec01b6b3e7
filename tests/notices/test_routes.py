"""The notice on the screen and on paper."""

from pointsbank.kit import db
from pointsbank.ledger import queries_seal
from pointsbank.ledger.sealing import Sealer
from pointsbank.people import actions_own
from pointsbank.people import queries as people_queries
from pointsbank.people.access import Role
from tests.world import visiting


async def noticed(neighbours, count=1):
    await neighbours.adopt(notice_days=3)
    awards = [(await neighbours.act(await neighbours.person("王测试兰"))).award_id for _ in range(count)]
    await neighbours.midnight()
    return awards, (await neighbours.award(awards[0]))["notice_id"]


async def test_residents_read_the_notice_of_their_community_only(neighbours, world):
    _awards, notice = await noticed(neighbours)
    _device, token = await world.phone(await neighbours.person())
    async with visiting(world, cookie=token) as resident:
        listed, page = await resident.get("/notices"), await resident.get(f"/notices/{notice}")
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN, world.communities[1])
    async with visiting(world, cookie=token) as stranger:
        hidden = [await stranger.get(f"/notices/{notice}"), await stranger.get(f"/notices/{notice}/print")]
        empty = await stranger.get("/notices")

    assert "2026 年 11 月 22 日积分公示" in listed.text
    assert "王**兰" in page.text
    assert "王测试兰" not in page.text
    assert "记异议" not in page.text
    assert [answer.status_code for answer in hidden] == [404, 404]
    assert "还没有公示" in empty.text


async def test_a_name_goes_from_a_hanging_notice_with_the_consent_and_comes_back_only_with_it(neighbours, world):
    (award,), notice = await noticed(neighbours)
    person = (await neighbours.award(award))["person_id"]
    number = (await people_queries.member_view([neighbours.community_id], person)).member_number
    objection = await neighbours.object_to(award)
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    pages = (f"/notices/{notice}", f"/notices/{notice}/print", f"/governance/objections/{objection}")

    async def named(agrees: bool) -> list[bool]:
        facts = {"person_id": person, "given": agrees, "how": "call"}
        await db.write(actions_own.change_publication_consent, **facts)
        async with visiting(world, cookie=token) as admin:
            texts = [(await admin.get(page)).text for page in pages]
        assert all(("王**兰" in text) != (number in text) for text in texts)
        return ["王**兰" in text for text in texts]

    assert await named(agrees=False) == [False] * 3
    neighbours.clock.advance(days=1)
    assert await named(agrees=False) == [False] * 3
    assert await named(agrees=True) == [True] * 3


async def test_staff_see_how_far_a_notice_is_and_what_is_disputed(neighbours, world):
    (award,), notice = await noticed(neighbours)
    _actor, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as admin:
        before = await admin.get(f"/notices/{notice}")
        await neighbours.object_to(award)
        during = await admin.get(f"/notices/{notice}")
        await neighbours.midnight(3)
        after = await admin.get(f"/notices/{notice}")

    assert before.status_code == 200
    assert "今天第 1 天" in before.text
    assert "/governance/objections/new?line=" in before.text
    assert "有异议" in during.text
    assert "等答复" in during.text
    assert "已结束" in after.text
    assert "/governance/objections/new?line=" not in after.text


async def test_a_long_notice_has_pages_and_sheets(neighbours, world):
    _awards, notice = await noticed(neighbours, count=54)
    await Sealer().run()
    _actor, token = await world.staff(Role.GRID_WORKER)
    async with visiting(world, cookie=token) as clerk:
        second = await clerk.get(f"/notices/{notice}?page=2")
        beyond = await clerk.get(f"/notices/{notice}?page=99")
        nonsense = await clerk.get(f"/notices/{notice}?page=x")
        paper = await clerk.get(f"/notices/{notice}/print")

    assert second.text.count("王**兰") == 4
    assert beyond.text.count("王**兰") == 4
    assert nonsense.status_code == 400
    assert paper.text.count('class="sheet sheet-serif"') == 3
    assert paper.text.count("王**兰") == 54
    assert "第 3 页，共 3 页" in paper.text
    assert paper.text.count("盖章处") == 1
    assert "合计 54 条" in paper.text
    head = await queries_seal.head(world.home.id)
    assert paper.text.count(f"账本链头 {head.shown}") == 3
    assert "1,080" in paper.text
