"""What keeps a passbook from redeeming: in the same words on every page, and what is behind it for who may know."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from pointsbank.awards import actions_gate, queries_cases, routes_gate
from pointsbank.awards.rules_cases import months_after
from pointsbank.awards.rules_gate import Gate, hours_served, hours_wanted
from pointsbank.kit import db
from pointsbank.ledger import actions_bars
from pointsbank.ledger import queries as ledger
from pointsbank.people.access import Role
from pointsbank.scoring.rules_table import Base, Veto
from tests.awards.cases import patrol_in
from tests.awards.neighbours import an_item, families, neighbours, world
from tests.world import Community, World, visiting

__all__ = ["families", "neighbours", "world"]
pytestmark = pytest.mark.both
SHED = Veto("V01", "私搭乱建", "no_redemption", 3, ground="居民公约第五条", make_good="拆掉")
NOISE = Veto("V02", "半夜放炮", "no_redemption", 1, ground="居民公约第六条", make_good="道歉")
FRAUD = Veto("V03", "冒领积分", "reset_to_base", ground="居民公约第七条", make_good="说清楚")
SHUT = "还差 6 小时服务，就可以第一次兑换。"
PHONE_PAGES = ("/home", "/shop", "/ledger")


@pytest.fixture
async def patrol(neighbours, world):
    await neighbours.adopt(an_item(), notice_days=0, veto_rules=(SHED, NOISE, FRAUD), gate_minutes=600, base=Base(10))
    return await patrol_in(neighbours, world)


async def read(world, token, *pages):
    async with visiting(world, cookie=token) as client:
        answers = [await client.get(page) for page in pages]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.text for answer in answers]


async def on_the_phone(patrol, person, *pages):
    return await read(patrol.world, (await patrol.world.phone(person))[1], *pages)


async def at_the_desk(patrol, *pages, role=Role.GRID_WORKER):
    return await read(patrol.world, (await patrol.world.staff(role, patrol.place))[1], *pages)


async def book_of(person_id):
    (passbook_id,) = await db.row("SELECT id FROM ledger_passbook WHERE person_id = ?", person_id)
    return passbook_id


async def barred(patrol, person, code="V01"):
    case = await patrol.found(person, item_code=code)
    patrol.pass_days(9)
    await patrol.book()
    return await queries_cases.case_in(None, case.id)


def day(moment) -> str:
    return f"{moment.year} 年 {moment.month} 月 {moment.day} 日"


@pytest.mark.parametrize("served", [0, 1, 5, 6, 59, 60, 241, 599])
def test_what_was_served_and_what_is_left_make_the_whole(served):
    gate = Gate(600, served, is_household=False)

    assert float(hours_served(served)) + float(hours_wanted(gate.left)) == 10


async def test_a_gate_is_told_alike_at_home_in_the_shop_in_the_passbook_and_to_staff(patrol, neighbours):
    await db.write(actions_gate.set_due)
    person = await neighbours.person()
    await neighbours.act(person, minutes=240)

    phone = await on_the_phone(patrol, person, *PHONE_PAGES)
    desk = await at_the_desk(patrol, f"/people/{person}")

    for text in (*phone, *desk):
        assert SHUT in text
        assert "服务了 4 小时，要满 10 小时。" in text
    assert all('href="/events">看看活动</a>' in text for text in phone)
    assert "看看活动" not in desk[0]
    assert "分，现在不能兑换" in phone[0]
    assert "40 分可用" not in phone[0]

    await neighbours.act(person, minutes=360)

    for text in (*await on_the_phone(patrol, person, *PHONE_PAGES), *await at_the_desk(patrol, f"/people/{person}")):
        assert "第一次兑换" not in text
        assert "要满 10 小时" not in text


async def test_a_bar_is_told_alike_and_whose_letter_it_was_reads_it_from_there(patrol, neighbours):
    person = await neighbours.person()
    await patrol.earn(person, 20)
    case = await barred(patrol, person)
    until = months_after(case.told_on, 3)
    said = f"到 {day(until)}为止不能兑换：按积分标准，告知书已经送达。有疑问请到社区。"

    phone = await on_the_phone(patrol, person, *PHONE_PAGES, f"/awards/cases/{case.id}")
    desk = await at_the_desk(patrol, f"/people/{person}", f"/awards/cases/{case.id}")

    for text in (*phone[:3], desk[0]):
        assert said in text
        assert f"从告知书送达的 {day(case.told_on)}算起。" in text
        assert f'href="/awards/cases/{case.id}"' in text
    assert "私搭乱建" not in "".join(phone[:3])
    assert f"{case.id} 号：V01 私搭乱建</a>" in desk[0]

    patrol.neighbours.clock.advance(days=(until - patrol.today).days + 1)
    for text in (*await on_the_phone(patrol, person, *PHONE_PAGES), *await at_the_desk(patrol, f"/people/{person}")):
        assert "为止不能兑换" not in text


async def test_the_last_day_is_that_of_the_longest_bar_and_each_says_its_own(patrol, neighbours):
    person = await neighbours.person()
    await patrol.earn(person, 20)
    long, short = await barred(patrol, person), await barred(patrol, person, "V02")

    (text,) = await at_the_desk(patrol, f"/people/{person}")

    assert f"到 {day(long.barred_until)}为止不能兑换" in text
    assert f"从告知书送达的 {day(long.told_on)}算起。" in text
    assert f"从告知书送达的 {day(short.told_on)}算起，到 {day(short.barred_until)}为止。" in text
    assert text.index(f"/awards/cases/{long.id}") < text.index(f"/awards/cases/{short.id}")


async def test_whoever_may_not_read_the_finding_is_told_the_days_and_nothing_else(patrol, neighbours):
    person, stranger = await neighbours.person(), await neighbours.person()
    await patrol.earn(person, 20)
    case = await barred(patrol, person)
    book = await ledger.passbook(await book_of(person))
    account = await ledger.account(None, book.account_id, today=patrol.today)
    readers = [
        SimpleNamespace(kind="staff", may=lambda _: False, community_ids=(case.community_id,)),
        SimpleNamespace(kind="staff", may=lambda _: True, community_ids=(neighbours.elsewhere_id,)),
        SimpleNamespace(kind="resident", person_id=stranger),
    ]

    for reader in readers:
        (shut,) = await routes_gate.why_shut(reader, account, patrol.today)
        assert [(line.url, line.label) for line in shut.behind] == [("", "")]
        assert day(case.told_on) in shut.behind[0].said


async def test_both_reasons_are_told_the_day_first(patrol, neighbours):
    await db.write(actions_gate.set_due)
    person = await neighbours.person()
    await neighbours.act(person, minutes=240)
    await barred(patrol, person)

    for text in (*await on_the_phone(patrol, person, *PHONE_PAGES), *await at_the_desk(patrol, f"/people/{person}")):
        assert 0 < text.index("为止不能兑换") < text.index(SHUT)


async def test_a_household_s_passbook_is_told_of_on_its_own_page_and_on_that_of_each_who_lives_there(
    families, settings
):
    await families.adopt(an_item(), notice_days=0, veto_rules=(SHED,), gate_minutes=600)
    place = Community(families.community_id, families.building_id, outlet_id=0, counter_id=0, version_id=0)
    patrol = await patrol_in(families, World(families.clock, settings, families.street_id, [place]))
    await db.write(actions_gate.set_due)
    home = await families.household()
    one, mate = [await families.person(household_id=home) for _ in "ab"]
    await families.act(one, minutes=240)
    case = await barred(patrol, one)

    desk = await at_the_desk(patrol, f"/people/{one}", f"/people/{mate}", f"/people/households/{home}")
    (phone,) = await on_the_phone(patrol, mate, "/ledger")

    for text in (*desk, phone):
        assert "为止不能兑换" in text
        assert SHUT in text
        assert "全家服务了 4 小时，要满 10 小时。" in text
        assert f'href="/awards/cases/{case.id}"' in text


async def test_while_nothing_is_redeemed_the_passbook_says_how_much_would_be(patrol, neighbours):
    await db.write(actions_gate.set_due)
    person = await neighbours.person()
    await neighbours.act(person, minutes=240)
    await patrol.hold(person, 15)
    (shut,) = await on_the_phone(patrol, person, "/ledger")
    await db.write(actions_bars.pass_gate, passbook_id=await book_of(person))
    (free,) = await on_the_phone(patrol, person, "/ledger")

    assert "照现在算，到那时能用 25 分。" in shut
    assert "现在能用" not in shut
    assert "现在能用 25 分。" in free
    assert all("有 15 分 为还没办完的事留着。" in text for text in (shut, free))


async def test_a_program_is_told_the_same(patrol, neighbours):
    await db.write(actions_gate.set_due)
    person = await neighbours.person()
    await neighbours.act(person, minutes=240)
    case = await barred(patrol, person)
    _, token = await patrol.world.staff(Role.AUDITOR, patrol.place, kind="token")

    async def told():
        async with visiting(patrol.world, bearer=token) as program:
            (book,) = (await program.get(f"/api/ledger/people/{person}/passbooks")).json()["passbooks"]
        return {name: book[name] for name in ("spendable", "barred_until", "gate_minutes", "served_minutes")}

    assert await told() == {
        "spendable": 40, "barred_until": case.barred_until.isoformat(), "gate_minutes": 600, "served_minutes": 240,
    }  # fmt: skip
    await db.write(actions_bars.pass_gate, passbook_id=await book_of(person))
    patrol.neighbours.clock.advance(days=(case.barred_until - patrol.today + timedelta(days=1)).days)
    assert await told() == {"spendable": 40, "barred_until": None, "gate_minutes": 0, "served_minutes": 0}


async def test_what_was_taken_down_to_the_base_leads_staff_and_holder_to_the_finding(patrol, neighbours):
    person = await neighbours.person()
    await patrol.earn(person, 30)
    case = await patrol.found(person, item_code="V03")
    patrol.pass_days(9)
    await patrol.book()
    book = await book_of(person)

    (phone,) = await on_the_phone(patrol, person, "/ledger")
    desk = await at_the_desk(patrol, f"/people/{person}")
    desk += await at_the_desk(patrol, f"/ledger/passbooks/{book}", role=Role.COMMUNITY_ADMIN)
    assert await patrol.balance(person) == 10
    assert all(f'href="/awards/cases/{case.id}"' in text for text in (phone, *desk))
