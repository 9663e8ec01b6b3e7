"""What is taken back can be earned again: an award's caps are given back with its points, and no more than that."""

import asyncio
import re

import pytest

from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import actions_back as back
from pointsbank.kit import db
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import actions, queries
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import AlreadySpent, NothingToTake
from pointsbank.ledger.rules_flows import TAKES_BACK, ClawbackNotNeeded, ElsewhereReversed, What, needs_second
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Cap, Period, Scope
from tests.awards.neighbours import an_item
from tests.world import visiting

pytestmark = pytest.mark.both
CAPS = (
    Cap(scope=Scope.PERSON, period=Period.DAY, points=30),
    Cap(scope=Scope.BUILDING, period=Period.MONTH, points=50),
)


@pytest.fixture
async def town(neighbours):
    await neighbours.adopt(an_item(caps=CAPS), notice_days=0)
    return neighbours


async def last_entry(town, person_id: int) -> int:
    book = await queries.passbook_of(person_id=person_id, household_id=None, holder="person")
    return (await queries.lines(book.account_id))[0].entry_id


async def take_back(town, entry_id: int, way=What.REVERSAL, *, actor=None, by=back.take_back) -> int:
    return await db.write(
        by, actor=actor or await town.actor(), community_id=town.community_id, entry_id=entry_id, way=way,
        reason="not_so", note="",
    )  # fmt: skip


async def spend(town, person_id: int, points: int) -> None:
    book = await queries.passbook_of(person_id=person_id, household_id=None, holder="person")
    await db.write(
        actions.spend, community_id=town.community_id, account_id=book.account_id, points=points, outlet_id=1,
        posting_key=f"order:{person_id}", member_id=person_id, source=("tests", "order", 1), summary="兑换 食用盐",
    )  # fmt: skip


async def set_alone_max(tx, *, points: int) -> None:
    await tx.run("UPDATE people_community SET reversal_alone_max = ?", points)
    for (community_id,) in await tx.rows("SELECT community_id FROM ledger_book_kind WHERE code = 'points'"):
        await change(tx, what="limit", row_id=community_id)


async def test_what_was_taken_back_wrongly_can_be_earned_again(town):
    person = await town.person()
    await town.act(person, minutes=180)
    assert (await town.act(person)).points == 0

    await take_back(town, await last_entry(town, person))

    assert await town.counted() == []
    assert (await town.act(person, minutes=180)).points == 30
    assert await town.counted() == [30, 30]


async def test_above_the_limit_caps_come_back_when_a_second_person_agrees_and_not_before(town, world):
    await db.write(set_alone_max, points=29)
    person = await town.person()
    await town.act(person, minutes=180)
    voucher_id = await take_back(town, await last_entry(town, person))
    assert await town.counted() == [30, 30]
    seen = facts_hash((await flows.voucher((town.community_id,), voucher_id)).facts)

    checker, _ = await world.staff(Role.COMMUNITY_ADMIN)
    with pytest.raises(ElsewhereReversed):
        await db.write(vouchers.give, actor=checker, voucher_id=voucher_id, seen=seen)
    for _ in range(2):
        await db.write(back.agree, actor=checker, request_key="agreed-to-once", voucher_id=voucher_id, seen=seen)

    assert (await town.counted(), await town.balance(person)) == ([], 0)


async def test_a_clawback_gives_back_what_it_took_and_leaves_used_what_the_holder_keeps(town):
    person = await town.person()
    await town.act(person, minutes=180)
    entry_id = await last_entry(town, person)
    await spend(town, person, 18)
    with pytest.raises(AlreadySpent):
        await take_back(town, entry_id)

    await take_back(town, entry_id, What.CLAWBACK)

    assert (await town.counted(), await town.balance(person)) == ([18, 18], 0)
    [left] = await db.rows("SELECT shortfall FROM ledger_entry WHERE kind = 'clawback'")
    assert left[0] == 18
    assert (await town.act(person, minutes=180)).points == 12


async def test_a_clawback_is_refused_where_a_reversal_is_covered_or_nothing_is_left(town):
    rich, poor = await town.person(), await town.person("测试乙")
    await town.act(rich, minutes=60)
    await town.act(poor, minutes=60)
    entries = [await last_entry(town, person) for person in (rich, poor)]
    await spend(town, poor, 10)
    for entry_id, refused in zip(entries, (ClawbackNotNeeded, NothingToTake), strict=True):
        with pytest.raises(refused):
            await take_back(town, entry_id, What.CLAWBACK)
    assert await town.counted() == [10, 10, 20]


def test_much_is_taken_back_by_two_whichever_way():
    for way in TAKES_BACK:
        assert needs_second(way, 30, alone_max=29)
        assert not needs_second(way, 29, alone_max=29)
        assert needs_second(way, 2901, alone_max=29, decimals=2)
        assert not needs_second(way, 2900, alone_max=29, decimals=2)


async def test_the_ledger_alone_takes_no_award_back(town):
    person = await town.person()
    await town.act(person)
    with pytest.raises(ElsewhereReversed):
        await take_back(town, await last_entry(town, person), by=vouchers.take_back)
    assert await town.counted() == [20, 20]


async def test_while_many_take_back_and_earn_the_caps_hold_what_stands(town):
    people = [await town.person(f"测试{name}") for name in "甲乙丙丁"]
    for person in people[:2]:
        await town.act(person, minutes=150)
    staff = [await town.actor() for _ in range(4)]
    entries = [await last_entry(town, person) for person in people[:2]]

    outcomes = await asyncio.gather(
        *(take_back(town, entry, actor=one) for entry in entries for one in staff[:2]),
        *(town.act(person, minutes=180, confirmed_by=one) for person, one in zip(people, staff, strict=True)),
        return_exceptions=True,
    )

    assert [isinstance(one, Exception) for one in outcomes].count(True) == 2
    assert all(isinstance(one, Refusal) for one in outcomes if isinstance(one, Exception))
    balances = [await town.balance(person) for person in people]
    [building] = await db.rows("SELECT points FROM awards_cap_use WHERE scope = 'building'")
    assert sum(balances) == building[0] <= 50
    assert max(balances) <= 30


async def test_the_page_says_beforehand_what_comes_back_and_what_stays_short(town, world):
    person = await town.person()
    await town.act(person, minutes=180)
    entry_id = await last_entry(town, person)
    await spend(town, person, 18)
    await db.write(set_alone_max, points=29)
    _, maker = await world.staff(Role.COMMUNITY_ADMIN)
    _, checker = await world.staff(Role.COMMUNITY_ADMIN)
    book = await queries.passbook_of(person_id=person, household_id=None, holder="person")
    url = f"/ledger/passbooks/{book.passbook_id}/entries/{entry_id}"

    async with visiting(world, cookie=maker) as desk:
        page = (await desk.get(url)).text
        action = re.search(r'action="([^"]+/reverse)"', page)[1]
        sent = await desk.post(action, data={"request_key": "claw-it-back1", "way": "clawback", "reason": "not_so"})
    async with visiting(world, cookie=checker) as desk:
        shown = (await desk.get(sent.headers["location"])).text
        give = re.search(r'action="([^"]+/give)"', shown)[1]
        seen = re.search(r'name="seen" value="([^"]+)"', shown)[1]
        done = await desk.post(give, data={"request_key": "agree-to-it-1", "seen": seen})
        after = (await desk.get(url)).text

    assert "能追回的" in page
    assert "12 分" in page
    assert "18 分" in page
    assert (sent.status_code, done.status_code) == (303, 303)
    assert "追回" in shown
    assert "已经冲正" in after
    assert await town.counted() == [18, 18]
