"""Kinds of passbook through HTTP: an admin settles them, residents see what they have."""

from datetime import date

import pytest

from pointsbank.approvals.rules import facts_hash
from pointsbank.kit import db
from pointsbank.ledger import actions, actions_kinds, actions_proposals, queries_proposals
from pointsbank.ledger.rules import Bucket
from pointsbank.people.access import Role
from pointsbank.web import formats
from tests.world import COINS, visiting

pytestmark = pytest.mark.both

FORM = {
    "name": "时间币", "unit": "币", "decimals": "2", "holder": "person", "surplus": "pot", "base_every": "month",
    "code": "hours", "base_points": "12.5", "spend_above": "", "balance_max": "1000", "redeemable": "1",
}  # fmt: skip


PLAIN = FORM | {"base_points": "", "base_every": "never"}


async def send(admin, url, **changes):
    return await admin.post(
        url, data={"request_key": f"kind-{len(changes)}-{url[-8:]}".replace("/", "-"), **FORM, **changes}
    )


async def agreed(world):
    """Another admin agrees to what was asked for."""
    checker, _ = await world.staff(Role.COMMUNITY_ADMIN)
    for one in await queries_proposals.asked(world.home.id):
        await db.write(actions_proposals.give, actor=checker, proposal_id=one.id, seen=facts_hash(one.facts))


@pytest.fixture
async def admin(world):
    _, cookie = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=cookie) as client:
        yield client


async def test_a_kind_is_made_and_settled_anew(world, admin):
    made = await send(admin, "/ledger/kinds")
    found = await db.row("SELECT * FROM ledger_book_kind WHERE code = 'hours'")
    shown = await admin.get(f"/ledger/kinds/{found['id']}")
    changed = await send(admin, f"/ledger/kinds/{found['id']}", version="1", **PLAIN | {"name": "邻里币"})
    after = await db.row("SELECT name, version FROM ledger_book_kind WHERE code = 'hours'")

    assert (made.status_code, changed.status_code) == (303, 303)
    assert (found["base_points"], found["balance_max"], found["community_id"]) == (0, 100_000, world.home.id)
    assert 'value="1000.00"' in shown.text
    assert tuple(after) == ("邻里币", 2)
    assert "邻里币" in (await admin.get("/ledger/kinds")).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "points", "decimals": "0", "base_points": "12"}, "code"),
        ({"base_points": "1.234"}, "base_points"),
        ({"base_points": ""}, "base_points"),
        ({"reset_month": "2", "reset_day": "30"}, "reset_month"),
        ({"balance_max": "1"}, "balance_max"),
        ({"name": ""}, "name"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(admin, wrong, field):
    answer = await send(admin, "/ledger/kinds", **wrong)

    assert answer.status_code == 400
    assert f'id="{field}-wrong"' in answer.text
    assert "时间币" in answer.text or field == "name"


async def test_a_kind_that_somebody_changed_meanwhile_is_looked_at_again(admin):
    await send(admin, "/ledger/kinds")
    found = await db.row("SELECT id FROM ledger_book_kind WHERE code = 'hours'")
    await send(admin, f"/ledger/kinds/{found['id']}", version="1", **PLAIN | {"name": "邻里币"})

    late = await send(admin, f"/ledger/kinds/{found['id']}", version="1", base_points="3", spend_above="2")

    assert late.status_code == 400
    assert "别人刚刚改过" in late.text


async def test_a_kind_of_another_community_is_not_there(world, admin):
    theirs = await db.row("SELECT id FROM ledger_book_kind WHERE community_id = ?", world.communities[1].id)

    assert (await admin.get(f"/ledger/kinds/{theirs['id']}")).status_code == 404
    assert (await send(admin, f"/ledger/kinds/{theirs['id']}", version="1")).status_code == 404


async def test_a_resident_sees_each_passbook_and_nobody_else_s(world, admin):
    await send(admin, "/ledger/kinds")
    await agreed(world)
    person, neighbour = await world.person(points=30), await world.person(points=9)
    await db.write(actions_kinds.give_base_due)
    theirs = await db.row("SELECT id FROM ledger_passbook WHERE person_id = ?", neighbour)
    own = await db.row("SELECT MAX(id) AS id FROM ledger_passbook WHERE person_id = ?", person)
    entry = await db.row("SELECT MAX(id) AS id FROM ledger_entry WHERE member_id = ?", person)
    _, token = await world.phone(person)

    async with visiting(world, cookie=token) as phone:
        main, hours = await phone.get("/ledger"), await phone.get(f"/ledger?book={own['id']}")
        line = await phone.get(f"/ledger/entries/{entry['id']}")
        foreign = await phone.get(f"/ledger?book={theirs['id']}")

    assert "余 30 分" in main.text
    assert f"/ledger?book={own['id']}" in main.text
    assert "余 12.50 币" in hours.text
    assert "＋12.50" in hours.text
    assert "现在能用 0.00 币。<br>有 12.50 币 是基础分，不能兑换。" in hours.text
    assert "12.50" in line.text
    assert foreign.status_code == 404


async def test_points_that_are_only_kept_on_record_say_so(world, admin):
    person = await world.person()
    await db.write(actions_kinds.make_kind, community_id=world.home.id, code="coins", settings=COINS)
    book = await db.write(actions.open_passbook, community_id=world.home.id, person_id=person, kind="coins")
    await world.credit(book, person, 125)
    _, token = await world.phone(person)

    async with visiting(world, cookie=token) as phone:
        text = (await phone.get(f"/ledger?book={book}")).text

    assert "这种存折里的积分只记着，不能兑换。" in text
    assert "现在能用" not in text


async def test_a_holder_is_told_what_lapses_within_thirty_days_and_the_admin_sees_each_day(world, admin):
    person = await world.person()
    passbook_id = await db.write(actions.open_passbook, community_id=world.home.id, person_id=person)
    for number, day in enumerate((date(2026, 12, 21), date(2026, 12, 22))):
        await db.write(
            actions.issue, kind="award", community_id=world.home.id, passbook_id=passbook_id, points=7 + number,
            posting_key=f"lapsing:{number}", effective_at=world.clock.now(), bucket=Bucket("earned", day),
            member_id=person, version_id=None, source=("tests", "act", 1), summary="测试",
        )  # fmt: skip
    _, token = await world.phone(person)

    async with visiting(world, cookie=token) as phone:
        told = [(await phone.get(page)).text for page in ("/home", "/ledger")]
    preview = (await admin.get("/ledger/lapsing")).text

    assert all("7 分快到期，最早一笔用到12 月 21 日" in text for text in told)
    assert "12 月 22 日" in preview
    assert "<b>8</b>" in preview


async def test_a_kind_says_how_early_its_holders_are_told_of_what_lapses(world, admin):
    person = await world.person()
    for code, days in (("points", "10"), ("coins", "40")):
        settings = {
            "name": code, "unit": "币" if code == "coins" else "分", "notice_days": days, "surplus": "refused",
            "redeemable": "1", "holder": "person", "decimals": "1" if code == "coins" else "0", "base_every": "never",
        }  # fmt: skip
        if code == "coins":
            sent = await admin.post("/ledger/kinds", data={"request_key": "make-coins", "code": code, **settings})
        else:
            main = await db.row("SELECT id FROM ledger_book_kind WHERE community_id = ?", world.home.id)
            url, again = f"/ledger/kinds/{main['id']}", {"request_key": "change-main", "version": "1"}
            sent = await admin.post(url, data={**again, **settings})
            assert 'value="10"' in (await admin.get(url)).text
        assert sent.status_code == 303
        passbook_id = await db.write(
            actions_kinds.open_for, community_id=world.home.id, person_id=person, kind=code
        )  # fmt: skip
        await db.write(
            actions.issue, kind="award", community_id=world.home.id, passbook_id=passbook_id, points=15,
            posting_key=f"early:{code}", effective_at=world.clock.now(), bucket=Bucket("earned", date(2026, 12, 20)),
            member_id=person, version_id=None, source=("tests", "act", 1), summary="测试",
        )  # fmt: skip
    _, token = await world.phone(person)

    async with visiting(world, cookie=token) as phone:
        home, coins = await phone.get("/home"), await phone.get(f"/ledger?book={passbook_id}")
        early = await admin.get("/todo/expiring")
        world.clock.advance(days=20)
        late = await phone.get("/home")

    assert "快到期" not in home.text
    assert "1.5 币快到期" in coins.text
    assert "1 本存折快到期，共 1.5 币" in early.text
    assert "15 分快到期" in late.text
    assert "2 本存折快到期，共 15 分，1.5 币" in (await admin.get("/todo/expiring")).text
    assert "1.5 币" in (await admin.get("/todo/expiring/print")).text


@pytest.mark.parametrize(
    ("amount", "decimals", "shown", "signed"),
    [
        (1250, 2, "12.50", "＋12.50"),
        (5, 2, "0.05", "＋0.05"),
        (-1234567, 1, "-123,456.7", "－123,456.7"),
        (7, 0, "7", "＋7"),
    ],
)
def test_an_amount_is_written_with_its_decimals(amount, decimals, shown, signed):
    assert (formats.points(amount, decimals), formats.signed(amount, decimals)) == (shown, signed)
