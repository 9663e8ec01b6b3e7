"""Moving house through HTTP: what the pages tell before it is done, and what passbooks say afterwards."""

import re

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as flows
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from tests.ledger.test_vouchers import book_of
from tests.world import COINS, World, visiting


@pytest.fixture
async def town(database, settings, clock):
    return await World(clock, settings).found(holder="household", count=1)


async def test_a_share_is_told_before_the_move_and_stands_in_both_passbooks(town):
    home = await town.household()
    goes, stays = [await town.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    await town.give(goes, 30)
    coins = await coins_of(town, goes, 25, holder="household")
    _, desk_token = await town.staff(Role.COMMUNITY_ADMIN)
    phones = [(await town.phone(one))[1] for one in (goes, stays)]
    url = f"/governance/people/{goes}/move"
    form = {"building": str(town.home.building_id), "door": "901", "reason": "split"}
    async with visiting(town, cookie=desk_token) as desk:
        assert "现在 30 分" in (await desk.get(url)).text
        over = await desk.post(f"{url}/check", data={"request_key": "check-the-1", **form, "share": "31"})
        told = await desk.post(f"{url}/check", data={"request_key": "check-the-2", **form, "share": "12"})
        none = await desk.post(f"{url}/check", data={"request_key": "check-the-3", **form, "share": ""})
        moved = await desk.post(url, data={"request_key": "move-them-1", **form, "share": "12"})
    assert (over.status_code, "带走的积分不能比存折上的多" in over.text) == (400, True)
    assert "12 分转进新一户的存折" in told.text
    assert "限量不因搬家重新算起" in told.text
    assert 'name="share" value="12"' in told.text
    assert "留在原来那一户，待入账的也记在那里" in row_of(none.text, "points")
    assert ("2.5 币" in row_of(told.text, "coins"), "留在原来那一户" in row_of(told.text, "coins")) == (True, True)
    assert "转进" not in row_of(told.text, "coins")
    assert moved.status_code == 303
    said = []
    for token in phones:
        async with visiting(town, cookie=token) as phone:
            said.append((await phone.get("/ledger")).text)
    assert "分户转入" in said[0]
    assert "分户转出" in said[1]
    assert (await flows.book(None, coins)).balance == 25


async def test_who_is_the_last_is_told_that_all_goes_along_and_that_the_passbook_ends(town):
    last, host = await town.person(points=30), await town.person("测试乙")
    coins = await coins_of(town, last, 7)
    _, token = await town.staff(Role.COMMUNITY_ADMIN)
    form = {"building": str(town.home.building_id), "door": "777", "reason": "moved"}
    async with visiting(town, cookie=token) as desk:
        for person_id in (host, last):
            url = f"/governance/people/{person_id}/move"
            told = await desk.post(f"{url}/check", data={"request_key": f"check-{person_id:04}", **form})
            done = await desk.post(url, data={"request_key": f"move-{person_id:05}", **form})
        shown = (await desk.get(done.headers["location"])).text
    assert "全部转进新一户的存折" in row_of(told.text, "points")
    assert "这本销户" in row_of(told.text, "points")
    assert ("0.7 币" in row_of(told.text, "coins"), "跟着人走" in row_of(told.text, "coins")) == (True, True)
    assert "随户转积分" in shown
    assert ((await flows.book(None, coins)).balance, (await flows.book(None, coins)).is_closed) == (7, False)
    assert await town.balance(host) == 30


@pytest.fixture
async def city(database, settings, clock):
    return await World(clock, settings).found(count=1)


async def number_of(person_id: int) -> str:
    return await people.member_number(None, person_id)


def hidden(text: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]+)"', text)[1]


async def test_an_estate_is_asked_for_by_one_admin_and_carried_out_by_another(city):
    gone, heir = await city.person(points=150), await city.person("测试乙")
    _, maker = await city.staff(Role.COMMUNITY_ADMIN)
    _, checker = await city.staff(Role.COMMUNITY_ADMIN)
    _, grid = await city.staff(Role.GRID_WORKER)
    _, phone = await city.phone(heir)
    url = f"/governance/people/{gone}/estate"
    form = {"reason": "death", "to": "heir", "note": "家属证明", "number": await number_of(heir)}
    async with visiting(city, cookie=grid) as desk:
        assert (await desk.get(url)).status_code == 403
    async with visiting(city, cookie=maker) as desk:
        assert url in (await desk.get(f"/people/{gone}")).text
        assert url in (await desk.get(f"/governance/people/{gone}/leave")).text
        assert "150 分" in (await desk.get(url)).text
        wrong = await desk.post(url, data={"request_key": "pass-it-on-1", **form, "name": "测试丁"})
        sent = await desk.post(url, data={"request_key": "pass-it-on-2", **form, "name": "测试乙"})
        voucher = sent.headers["location"]
        assert 'name="seen"' not in (await desk.get(voucher)).text
        assert "等另一位管理员确认" in (await desk.get(url)).text
    assert (wrong.status_code, "姓名和存折号不是同一个人" in wrong.text) == (400, True)
    async with visiting(city, cookie=checker) as desk:
        assert voucher in (await desk.get("/todo")).text
        shown = (await desk.get(voucher)).text
        give = re.search(r'action="(/governance/estates/\d+/give)"', shown)[1]
        done = await desk.post(give, data={"request_key": "agree-to-it", "seen": hidden(shown, "seen")})
        after = (await desk.get(voucher)).text
        assert "已退出" in (await desk.get(f"/people/{gone}")).text
    async with visiting(city, cookie=phone) as home:
        assert "继承转入" in (await home.get("/ledger")).text
    assert (done.headers["location"], "已入账" in after) == (voucher, True)
    assert await city.balance(heir) == 150


@pytest.mark.both
async def test_two_records_are_made_one_on_two_admins_pages_and_the_merge_s_own_says_what_to_reverse(city):
    twice, kept = await city.person(points=9), await city.person("测试乙")
    coins = await coins_of(city, twice, 25)
    _, maker = await city.staff(Role.COMMUNITY_ADMIN)
    _, checker = await city.staff(Role.COMMUNITY_ADMIN)
    _, phone = await city.phone(kept)
    old = (await book_of(city, twice)).passbook_id
    url = f"/governance/people/{twice}/merge"
    form = {"number": await number_of(kept), "name": "测试乙"}
    async with visiting(city, cookie=maker) as desk:
        assert url in (await desk.get(f"/people/{twice}")).text
        before = (await desk.get(url)).text
        unsure = await desk.post(url, data={"request_key": "merge-them-1", **form})
        answers = [await desk.post(url, data={"request_key": "merge-them-2", **form, "sure": "1"}) for _ in range(2)]
        request = answers[0].headers["location"]
        assert 'name="seen"' not in (await desk.get(request)).text
        assert request in (await desk.get(url)).text
    assert ("9 分" in before, "2.5 币" in before) == (True, True)
    assert (unsure.status_code, "请先核对是同一个人" in unsure.text) == (400, True)
    assert [answer.headers["location"] for answer in answers] == [request] * 2
    assert await city.balance(kept) == 0
    async with visiting(city, cookie=checker) as desk:
        assert request in (await desk.get("/todo")).text
        shown = (await desk.get(request)).text
        assert "2.5 币" in shown
        given = {"request_key": "merge-them-3", "seen": hidden(shown, "seen")}
        done = await desk.post(f"{request}/give", data=given)
        page, after = (await desk.get(f"/people/{kept}")).text, (await desk.get(done.headers["location"])).text
        merge = re.search(r"/governance/merges/\d+", page)[0]
        told = (await desk.get(merge)).text
    async with visiting(city, cookie=phone) as home:
        now, gone = (await home.get("/ledger")).text, (await home.get(f"/ledger?book={old}")).text
    assert "已合并" in after
    assert "合并登记转入" in now
    assert f"/ledger?book={old}" in now
    assert "合并登记转出" in gone
    assert "这是原来的存折" in gone
    assert "合并登记转积分" in page
    assert "合并时转过去的积分" in told
    assert "2.5 币" in told
    assert (await city.balance(kept), (await flows.book(None, coins)).balance) == (9, 0)


def row_of(text: str, kind: str) -> str:
    """What the page tells of a kind's passbook."""
    return re.search(rf'data-testid="fate-{kind}".*?</tr>', text, re.DOTALL)[0]


async def coins_of(town, person_id, points, *, holder="person") -> int:
    """A passbook of a second kind, in tenths."""
    if await db.row("SELECT 1 FROM ledger_book_kind WHERE code = 'coins'") is None:
        await db.write(
            kinds.make_kind,
            community_id=town.home.id,
            code="coins",
            settings=msgspec.structs.replace(COINS, holder=holder),
        )
    book_id = await db.write(vouchers.open_book_of, person_id=person_id, kind="coins")
    await town.credit(book_id, person_id, points)
    return book_id
