"""Passbooks of another kind at the desk, on the phone and in the API: opened, read, handed over in their decimals."""

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_kinds
from pointsbank.people.access import Role
from tests.world import COINS, visiting


@pytest.fixture
async def coins(world) -> int:
    settings = msgspec.structs.replace(COINS, transferable=True, donatable=True)
    return await db.write(actions_kinds.make_kind, community_id=world.home.id, code="coins", settings=settings)


@pytest.fixture
async def admin(world):
    _, cookie = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=cookie) as client:
        yield client


async def book_with(world, person_id: int, points: int) -> int:
    passbook_id = await db.write(
        actions_kinds.open_for, community_id=world.home.id, person_id=person_id, kind="coins"
    )  # fmt: skip
    await world.credit(passbook_id, person_id, points)
    return passbook_id


async def test_an_admin_opens_a_passbook_of_another_kind(world, admin, coins):
    person = await world.person(points=10)
    theirs = await db.write(
        actions_kinds.make_kind, community_id=world.communities[1].id, code="theirs", settings=COINS
    )  # fmt: skip
    foreigner = await world.person(community=world.communities[1])
    url = f"/ledger/people/{person}/passbooks"

    shown = await admin.get(f"/people/{person}")
    opened = await admin.post(url, data={"request_key": "open-one-book", "kind": "coins"})
    again = await admin.post(url, data={"request_key": "open-it-again", "kind": "coins"})
    foreign = await admin.post(url, data={"request_key": "open-foreign", "kind": "theirs"})
    elsewhere = await admin.post(
        f"/ledger/people/{foreigner}/passbooks", data={"request_key": "open-elsewhere", "kind": "points"}
    )

    assert theirs
    assert url in shown.text
    assert (opened.status_code, again.headers["location"]) == (303, opened.headers["location"])
    assert (foreign.status_code, elsewhere.status_code) == (404, 404)
    assert "0.0" in (await admin.get(opened.headers["location"])).text
    after = (await admin.get(f"/people/{person}")).text
    assert "0.0 币" in after
    assert url not in after


async def test_whose_passbook_it_is_the_kind_has_said(world, admin):
    shared = msgspec.structs.replace(COINS, holder="household")
    await db.write(actions_kinds.make_kind, community_id=world.home.id, code="coins", settings=shared)
    home = await world.household()
    person, mate = await world.person(household_id=home), await world.person(household_id=home)

    opened = [
        await db.write(actions_kinds.open_for, community_id=world.home.id, person_id=one, kind="coins")
        for one in (person, mate)
    ]

    assert opened[0] == opened[1]
    assert "时间币" in (await admin.get(f"/people/households/{home}")).text


async def test_amounts_are_typed_and_told_with_the_decimals_of_the_kind(world, admin, coins):
    home = await world.household()  # what leaves a home would take a second person
    giver, taker = [await world.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    book_id = await book_with(world, giver, 55)
    number = (await db.row("SELECT member_number FROM people_person WHERE id = ?", taker))["member_number"]
    hand = {"to": "transfer", "how": "paper", "number": number, "name": "测试乙"}
    url = f"/ledger/passbooks/{book_id}"

    page = await admin.get(f"{url}/hand-over")
    wrong = await admin.post(f"{url}/hand-over", data={"request_key": "hand-too-fine", "points": "1.25", **hand})
    handed = await admin.post(f"{url}/hand-over", data={"request_key": "hand-over-one", "points": "1.5", **hand})
    asked = await admin.post(
        f"{url}/adjust",
        data={"request_key": "adjust-a-tenth", "way": "up", "points": "0.1", "reason": "missed", "note": "测试依据"},
    )
    voucher = await admin.get(asked.headers["location"])

    assert "5.5 币" in page.text
    assert (wrong.status_code, handed.status_code) == (400, 303)
    assert "0.1 币" in voucher.text
    books = await db.rows(
        "SELECT balance FROM ledger_account WHERE passbook_id IN "
        "(SELECT id FROM ledger_passbook WHERE kind_id = ?) ORDER BY balance", coins
    )  # fmt: skip
    assert [balance for (balance,) in books] == [15, 40]
    assert "1.5 币" in (await admin.get("/ledger/vouchers")).text
    entry = await db.row("SELECT MAX(id) AS id FROM ledger_entry WHERE kind = 'transfer'")
    assert "－1.5 币" in (await admin.get(f"{url}/entries/{entry['id']}")).text


async def test_a_holder_reads_every_passbook_on_phone_paper_and_in_the_api(world, coins):
    person, neighbour = await world.person(points=7), await world.person()
    book_id, theirs = await book_with(world, person, 125), await book_with(world, neighbour, 5)
    _, token = await world.phone(person)
    _, script = await world.staff(Role.COMMUNITY_ADMIN, kind="token")
    _, desk = await world.staff(Role.COMMUNITY_ADMIN)

    async with visiting(world, cookie=token) as phone:
        passbook = await phone.get(f"/ledger?book={book_id}&on={world.clock.now():%Y-%m-%d}")
        statement = await phone.get(f"/ledger/statement?book={book_id}")
        zipped = await phone.get(f"/ledger/statement.zip?book={book_id}")
        foreign = [
            (await phone.get(f"/ledger/{path}?book={theirs}")).status_code for path in ("statement", "statement.zip")
        ]
    async with visiting(world, bearer=script) as program:
        told = (await program.get(f"/api/ledger/people/{person}/passbooks")).json()["passbooks"]
    async with visiting(world, cookie=desk) as admin:
        paper = await admin.get(f"/ledger/passbooks/{book_id}/paper")

    assert "按入账的时间，余 12.5 币" in passbook.text
    assert "<td>12.5</td>" in statement.text
    assert (zipped.status_code, foreign) == (200, [404, 404])
    assert "12.5" in paper.text
    assert [(book["kind"], book["unit"], book["decimals"], book["balance"]) for book in told] == [
        ("points", "分", 0, 7),
        ("coins", "币", 1, 125),
    ]
