"""Points from hand to hand through HTTP: on the phone, at the desk, and what another admin agrees to."""

import re

import pytest

from pointsbank.kit import db
from pointsbank.ledger import queries
from pointsbank.ledger import queries_flows as flows
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from tests.ledger.test_vouchers import agree, allow, book_of, give_away
from tests.world import World, visiting


@pytest.fixture
async def world(database, settings, clock):
    made = await World(clock, settings).found()
    await allow(made)
    return made


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def door_in(text: str, name: str) -> str:
    """Where a form of the page is sent to."""
    found = re.search(rf'action="([^"]+/{name})"', text)
    assert found is not None
    return found[1]


async def number_of(person_id: int) -> str:
    return await people.member_number(None, person_id)


async def test_a_resident_gives_a_housemate_points_and_the_pot_too(world):
    home = await world.household()
    giver, mate = await world.person(points=30, household_id=home), await world.person("测试乙", household_id=home)
    _, phone = await world.phone(giver)
    async with visiting(world, cookie=phone) as screen:
        assert "/ledger/give" in (await screen.get("/ledger")).text
        shown = (await screen.get("/ledger/give")).text
        form = {"request_key": "give-a-mate-1", "to": str(mate), "points": "12"}
        given, again = [await screen.post("/ledger/give", data=form) for _ in range(2)]
        told = (await screen.get(given.headers["location"])).text
        pot = await screen.post("/ledger/give", data={"request_key": "give-the-pot", "to": "pot", "points": "8"})
        over = await screen.post("/ledger/give", data={"request_key": "give-too-much", "to": "pot", "points": "11"})

    assert "测*乙" in shown
    assert (given.status_code, again.headers["location"]) == (303, given.headers["location"])
    assert "转让积分" in told
    assert "测*乙" in told
    assert pot.status_code == 303
    assert over.status_code == 400
    assert "还差 1 分" in over.text
    assert [await world.balance(one) for one in (giver, mate)] == [10, 12]
    assert (await flows.pots(world.home.id))[0].points == 8


async def test_the_phone_offers_nothing_where_the_kind_forbids_it(world):
    await allow(world, transferable=False, donatable=False)
    giver = await world.person(points=30)
    _, phone = await world.phone(giver)
    async with visiting(world, cookie=phone) as screen:
        assert "/ledger/give" not in (await screen.get("/ledger")).text
        assert "现在没有可以转给的人" in (await screen.get("/ledger/give")).text
        sent = await screen.post("/ledger/give", data={"request_key": "give-it-all", "to": "pot", "points": "8"})
    assert sent.status_code == 400
    assert "不能捐" in sent.text


async def test_staff_record_a_transfer_to_whom_number_and_name_mean(world):
    giver, friend = await world.person(points=30), await world.person("测试乙")
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    url = f"/ledger/passbooks/{(await book_of(world, giver)).passbook_id}"
    form = {"to": "transfer", "points": "7", "how": "paper", "number": await number_of(friend)}
    async with visiting(world, cookie=token) as desk:
        assert f"{url}/hand-over" in (await desk.get(url)).text
        wrong = await desk.post(f"{url}/hand-over", data={"request_key": "hand-it-over1", **form, "name": "测试丙"})
        done = await desk.post(f"{url}/hand-over", data={"request_key": "hand-it-over2", **form, "name": "测试乙"})
        vouchers = (await desk.get("/ledger/vouchers")).text
        waits = (await desk.get(done.headers["location"])).text
    assert wrong.status_code == 400
    assert "姓名和存折号不是同一个人" in wrong.text
    assert "/ledger/vouchers/" in done.headers["location"]
    assert "等另一位管理员确认" in waits
    assert "等另一人确认" in vouchers
    assert await world.balance(friend) == 0
    await agree(world, int(done.headers["location"].rpartition("/")[2]))
    assert await world.balance(friend) == 7


async def test_an_adjustment_waits_on_the_to_do_page_of_another_admin(world):
    neighbour = await world.person(points=10)
    _, maker = await world.staff(Role.COMMUNITY_ADMIN)
    _, checker = await world.staff(Role.COMMUNITY_ADMIN)
    url = f"/ledger/passbooks/{(await book_of(world, neighbour)).passbook_id}/adjust"
    form = {"way": "up", "points": "5", "reason": "missed", "note": "签到表第 2 页"}
    async with visiting(world, cookie=maker) as desk:
        sent = await desk.post(url, data={"request_key": "adjust-it-up1", **form})
        voucher = sent.headers["location"]
        assert 'name="seen"' not in (await desk.get(voucher)).text
        assert "待你确认的积分凭证" not in (await desk.get("/todo")).text
    async with visiting(world, cookie=checker) as desk:
        assert voucher in (await desk.get("/todo")).text
        shown = (await desk.get(voucher)).text
        answers = [
            await desk.post(f"{voucher}/give", data={"request_key": "agree-to-it-1", "seen": hidden(shown, "seen")})
            for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert await world.balance(neighbour) == 15


async def test_an_award_is_reversed_on_the_page_of_its_entry(world):
    neighbour = await world.person(points=10)
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    _, grid = await world.staff(Role.GRID_WORKER)
    book = await book_of(world, neighbour)
    [line] = await queries.lines(book.account_id)
    url = f"/ledger/passbooks/{book.passbook_id}/entries/{line.entry_id}"
    async with visiting(world, cookie=grid) as desk:
        assert "/reverse" not in (await desk.get(url)).text
        assert (await desk.post(f"{url}/reverse", data={"request_key": "reverse-it-1"})).status_code == 403
    async with visiting(world, cookie=token) as desk:
        assert url in (await desk.get(f"/people/{neighbour}")).text
        door = door_in((await desk.get(url)).text, "reverse")
        done = await desk.post(door, data={"request_key": "reverse-it-1", "reason": "not_so"})
        after = (await desk.get(url)).text
    assert done.status_code == 303
    assert "已经冲正" in after
    assert await world.balance(neighbour) == 0


async def test_above_the_limit_that_the_community_sets_a_reversal_wants_two(world):
    neighbour = await world.person(points=10)
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    _, checker = await world.staff(Role.COMMUNITY_ADMIN)
    book = await book_of(world, neighbour)
    [line] = await queries.lines(book.account_id)
    url = f"/ledger/passbooks/{book.passbook_id}/entries/{line.entry_id}"
    async with visiting(world, cookie=token) as desk:
        await desk.post("/ledger/vouchers/limit", data={"request_key": "set-the-limit", "points": "9"})
        door = door_in((await desk.get(url)).text, "reverse")
        asked = await desk.post(door, data={"request_key": "reverse-it-2", "reason": "twice"})
        assert "等另一位管理员确认" in (await desk.get(url)).text
        voucher = asked.headers["location"]
    assert await world.balance(neighbour) == 10
    async with visiting(world, cookie=checker) as desk:
        shown = (await desk.get(voucher)).text
        door = door_in(shown, "give")
        await desk.post(door, data={"request_key": "agree-to-it-2", "seen": hidden(shown, "seen")})
    assert await world.balance(neighbour) == 0
    assert await db.row("SELECT 1 FROM trail_record WHERE verb = 'community.reversal_limit'") is not None


async def test_a_grant_is_sent_to_another_admin(world):
    poor = await world.person("测试乙")
    await give_away(world, await world.person(points=30), 20)
    _, token = await world.staff(Role.COMMUNITY_ADMIN)
    form = {"number": await number_of(poor), "name": "测试乙", "points": "15", "reason": "hardship"}
    async with visiting(world, cookie=token) as desk:
        assert "20" in (await desk.get("/ledger/grants/new")).text
        sent = await desk.post("/ledger/grants", data={"request_key": "grant-to-poor", **form})
        late = await desk.post(
            "/ledger/grants", data={"request_key": "grant-to-past", **form, "expires_on": "2026-11-20"}
        )
        shown = (await desk.get(sent.headers["location"])).text
        gone = await desk.post(f"{sent.headers['location']}/withdraw", data={"request_key": "take-it-back"})
    assert "困难帮扶" in shown
    assert (late.status_code, gone.status_code) == (400, 303)
    assert "已撤回" in (await _get(world, token, sent.headers["location"]))


async def _get(world, token: str, url: str) -> str:
    async with visiting(world, cookie=token) as desk:
        return (await desk.get(url)).text
