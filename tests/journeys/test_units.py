"""Points called 邻里币, beside passbooks of 志愿币 with hundredths: each reads so wherever it stands."""

import re
from html import unescape

import msgspec
import pytest

from pointsbank.governance import actions_people
from pointsbank.governance.rules import PointsLeft
from pointsbank.kit import db
from pointsbank.ledger import actions_kinds, queries_kinds
from pointsbank.ledger import queries as ledger
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from pointsbank.web import formats
from pointsbank.web.i18n import t
from tests.changes import ADMIN, CLERK, RESIDENT, WORKER
from tests.ledger.conftest import PLAIN
from tests.redemption.test_routes_counter import Till, barcode
from tests.stand import stand
from tests.test_pages import ROUTES, may
from tests.world import BLOCKED_STAIRS, JUDGED, World, visiting

COINS = msgspec.structs.replace(PLAIN, name="志愿币", unit="志愿币", decimals=2, transferable=True, donatable=True)
PLAIN_UNIT = re.compile(r"\d\s*分(?![钟数值享])|[(（>]\s*分\s*[<)）]")


async def rename_points(community_id: int) -> None:
    """The main kind of a community gets a word of its own."""
    main = (await queries_kinds.kinds(community_id))[0]
    settings = msgspec.structs.replace(main.settings, unit="邻里币", donatable=True)
    await db.write(
        actions_kinds.change_kind, community_id=community_id, kind_id=main.id, version=main.version, settings=settings
    )  # fmt: skip


def text_of(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@pytest.fixture
async def town(world):
    await rename_points(world.home.id)
    await db.write(actions_kinds.make_kind, community_id=world.home.id, code="coins", settings=COINS)
    return world


async def coins_of(world, person_id: int, points: int) -> int:
    passbook_id = await db.write(
        actions_kinds.open_for, community_id=world.home.id, person_id=person_id, kind="coins"
    )  # fmt: skip
    await world.credit(passbook_id, person_id, points)
    return passbook_id


async def test_a_phone_gives_of_the_passbook_that_it_shows_in_its_unit(town):
    home = await town.household()
    giver, mate = await town.person(points=30, household_id=home), await town.person("测试乙", household_id=home)
    book_id = await coins_of(town, giver, 1050)
    _, phone = await town.phone(giver)
    async with visiting(town, cookie=phone) as screen:
        assert "/ledger/give?kind=coins" in (await screen.get(f"/ledger?book={book_id}")).text
        assert "10.50 志愿币" in text_of((await screen.get("/ledger/give?kind=coins")).text)
        form = {"to": str(mate), "kind": "coins"}
        given = await screen.post("/ledger/give", data={**form, "request_key": "give-coins-1", "points": "2.25"})
        much = await screen.post("/ledger/give", data={**form, "request_key": "give-coins-2", "points": "9"})
        thin = await screen.post("/ledger/give", data={**form, "request_key": "give-coins-3", "points": "0.001"})
        none = await screen.post("/ledger/give", data={**form, "request_key": "give-none-1", "kind": "honour"})
    assert given.status_code == 303
    assert (much.status_code, thin.status_code, none.status_code) == (400, 400, 400)
    assert "还差 0.75 志愿币" in much.text
    assert 'name="kind" value="coins"' in much.text
    assert "小数最多 2 位" in thin.text
    books = [await queries_kinds.books_of(person_id=one, household_id=home) for one in (giver, mate)]
    assert [{book.code: book.balance for book in of}.get("coins") for of in books] == [825, 225]
    assert (await town.balance(giver), await town.balance(mate)) == (30, 0)


@pytest.mark.both
async def test_counter_receipt_shop_and_api_tell_the_main_kind_in_its_unit(town, stage):
    person, rice, salt = await town.person(points=30), await town.good(points=20), await town.good(points=15)
    _, phone = await town.phone(person)
    _, clerk = await town.staff(Role.COUNTER_STAFF)
    async with visiting(town, cookie=clerk) as client:
        till = await Till(client, town.home.counter_id).open()
        await till.scan(await town.card(person))
        await till.scan(await barcode(rice))
        await till.scan(await barcode(salt))
        assert "还差 5 邻里币。可删：" in till.text
        assert "本单扣邻里币" in till.text
        await till.press("drop")
        await till.enter()
        assert "今天 1 单，20 邻里币" in till.text
        order = re.search(r"/redemption/orders/(\d+)/receipt", till.answer.text)[1]
        told = {
            part: text_of((await client.get(f"/redemption/{part}")).text)
            for part in (f"orders/{order}", f"counters/{town.home.counter_id}/day")
        }
        receipt, paper = [
            (await client.get(f"/redemption/orders/{order}/{what}")).text for what in ("receipt", "passbook")
        ]
    program = await stage.program(Role.COUNTER_STAFF)
    refused = await program.order(town.home.counter_id, rice, code=await town.card(person))
    shopping = await stage.browser(cookie=phone)

    assert all("20 邻里币" in text for text in told.values())
    assert "本单扣邻里币" in receipt
    assert "单位：邻里币" in paper
    assert refused.json()["code"] == "redemption.not_enough_points"
    assert (refused.json()["missing"], refused.json()["unit"], refused.json()["decimals"]) == (10, "邻里币", 0)
    assert refused.json()["detail"].startswith("还差 10 邻里币。")
    shelves = (await shopping.open("/shop?show=all")).text
    assert "10 邻里币" in shelves
    assert "还差 5 邻里币" in shelves
    assert "邻里币可用" in (await shopping.open("/home")).text


@pytest.mark.both
async def test_the_phone_shows_every_passbook_with_its_unit_last_days_and_statement(town, stage):
    person = await town.person(points=30)
    coins = await coins_of(town, person, 1250)
    _, token = await town.phone(person)
    phone = await stage.browser(cookie=token)

    main = text_of((await phone.open("/ledger")).text)
    assert "余 30 邻里币" in main
    assert "志愿币 12.50 志愿币" in main
    assert f'href="/ledger?book={coins}"' in phone.text
    other = (await phone.open(f"/ledger?book={coins}")).text
    assert "余 12.50 志愿币" in other
    assert "＋12.50" in other
    assert f"/ledger/statement?book={coins}" in other
    statement = (await phone.open(f"/ledger/statement?book={coins}")).text
    assert "单位：志愿币" in statement
    assert "余 12.50 志愿币" in statement
    assert f"/ledger?book={coins}" in (await phone.open("/home")).text
    [line] = await ledger.lines((await ledger.passbook(coins)).account_id)
    entry = text_of((await phone.open(f"/ledger/entries/{line.entry_id}")).text)
    assert "＋12.50 志愿币" in entry
    assert "余额 12.50 志愿币" in entry


@pytest.mark.both
async def test_the_pot_of_a_kind_is_granted_from_in_its_own_unit(town, stage):
    giver, poor = await town.person("测试丙"), await town.person("测试丁")
    coins = await coins_of(town, giver, 400)
    number = await people.member_number(None, poor)
    first, second = await stage.browser(Role.COMMUNITY_ADMIN), await stage.browser(Role.COMMUNITY_ADMIN)

    await first.open(f"/ledger/passbooks/{coins}/hand-over")
    refused = await first.send(f"/ledger/passbooks/{coins}/hand-over", to="pot", points="5.5", how="paper")
    assert (refused.status_code, "还差 1.50 志愿币" in first.text) == (400, True)
    await first.send(f"/ledger/passbooks/{coins}/hand-over", to="pot", points="2.5", how="paper")
    assert "志愿币积分池" in text_of((await first.open("/ledger/vouchers")).text)
    await first.open("/ledger/grants/new")
    assert "志愿币，余 2.50 志愿币" in first.text
    form = {"number": number, "name": "测试丁", "kind": "coins", "reason": "hardship", "request_key": "grant-coins"}
    wrong = await first.send("/ledger/grants", **form, points="0.125")
    assert (wrong.status_code, "小数最多 2 位" in first.text) == (400, True)
    await first.send("/ledger/grants", **{**form, "request_key": "grant-more"}, points="3")
    voucher = first.page.url.path
    await second.open(voucher)
    short = await second.send(f"{voucher}/give")
    assert (short.status_code, "社区积分池里还差 0.50 志愿币" in second.text) == (400, True)
    await first.open("/ledger/grants/new")
    await first.send("/ledger/grants", **{**form, "request_key": "grant-less"}, points="1.25")
    voucher = first.page.url.path
    await second.open(voucher)
    await second.send(f"{voucher}/give")

    books = await queries_kinds.books_of(person_id=poor, household_id=None)
    assert [(book.code, book.balance) for book in books if book.balance] == [("coins", 125)]


async def test_whoever_leaves_is_told_what_is_left_in_the_first_passbook_and_gives_up_any_amount(town):
    person = await town.person()
    coins = await coins_of(town, person, 999_999)
    await town.credit(coins, person, 500_002)
    admin, _ = await town.staff(Role.COMMUNITY_ADMIN)
    leaving = {"actor": admin, "person_id": person, "how": "paper", "answer": "本人签字"}

    with pytest.raises(PointsLeft) as refused:
        await db.write(actions_people.leave, points_given_up=0, **leaving)
    await db.write(actions_people.leave, points_given_up=1_500_001, **leaving)

    assert t(refused.value).startswith("「志愿币」存折还有 15,000.01 志愿币。")
    assert (await ledger.passbook(coins)).balance == 0


async def test_no_page_of_such_a_community_calls_its_points_anything_else(database, settings, clock, monkeypatch):
    """Minutes, whose word is the same, are left out."""
    monkeypatch.setattr(formats, "minutes", lambda amount, **_: f"{amount} min")
    world = await World(clock, settings, more_items=(BLOCKED_STAIRS, JUDGED)).found(notice_days=3, count=1)
    await world.community("测试社区2", holder="household", notice_days=3)
    await rename_points(world.home.id)
    made = await stand(world)
    wrong, seen = [], 0
    for role in (ADMIN, CLERK, WORKER, RESIDENT):
        async with visiting(world, cookie=made.cookies[role]) as client:
            for route in ROUTES:
                if route.method != "GET" or route.permissions is None or route.is_api or not may(role, route):
                    continue
                answer = await client.get(route.url(made.own))
                if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
                    seen += 1
                    wrong += [
                        (role, route.path, found[0]) for found in [PLAIN_UNIT.search(_body(answer.text))] if found
                    ]

    assert seen > 100
    assert wrong == [], "\n".join(map(str, wrong))


def _body(page: str) -> str:
    return re.sub(r"小时 \d+ 分", "", page.split("<body", 1)[1])
