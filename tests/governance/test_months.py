"""Months on pages: looked through, closed, printed; and a passbook as it once was."""

import re

from pointsbank.kit import db
from pointsbank.people.access import Role
from tests.world import visiting

MONTHS = "/governance/months"


def key_in(page) -> str:
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


async def left_over() -> list[tuple]:
    """Whether the month is closed, and what it told of each kind."""
    found = await db.rows(
        "SELECT period.closed_at IS NOT NULL, kind.code, told.points FROM ledger_period period"
        " JOIN ledger_outstanding told ON told.period_id = period.id JOIN ledger_book_kind kind"
        " ON kind.id = told.kind_id ORDER BY kind.id"
    )
    return [tuple(one) for one in found]


async def test_an_admin_closes_a_month_that_is_over_and_prints_its_book(world):
    person = await world.person("测试乙", points=50)
    address = f"{MONTHS}/{world.home.id}/202611"
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=token) as admin:
        early = await admin.post(address, data={"request_key": "month-key-0"})
        world.clock.advance(days=12)
        await world.give(person, 5)
        page = await admin.get(address)
        later = await admin.post(f"{MONTHS}/{world.home.id}/202612", data={"request_key": "month-key-1"})
        closed = await admin.post(address, data={"request_key": key_in(page)})
        again = await admin.post(address, data={"request_key": "month-key-2"})
        after, listed, paper = [await admin.get(url) for url in (address, MONTHS, f"{address}/print")]
    assert (early.status_code, later.status_code, closed.status_code, again.status_code) == (400, 400, 303, 400)
    assert "还没有过完" in early.text
    assert "已经结过账了" in again.text
    assert "已结账" in after.text
    assert "已结账" in listed.text
    assert "发出 50 分" in paper.text
    assert await left_over() == [(True, "points", 50)]
    assert "50 分" in listed.text


async def test_a_closing_that_was_cut_off_is_gone_on_with_by_the_same_button(world):
    from pointsbank.ledger import actions_periods  # to leave it half done

    await world.person(points=50)
    admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    world.clock.advance(days=12)
    month = world.clock.now().date().replace(month=11, day=1)
    period_id = await db.write(actions_periods.close, actor=admin, community_id=world.home.id, month=month)
    await db.write(actions_periods.count, period_id=period_id)
    async with visiting(world, cookie=token) as desk:
        page = await desk.get(f"{MONTHS}/{world.home.id}/202611")
        gone_on = await desk.post(f"{MONTHS}/{world.home.id}/202611", data={"request_key": key_in(page)})
    assert "接着结账" in page.text
    assert gone_on.status_code == 303
    assert await left_over() == [(True, "points", 50)]


async def test_an_auditor_reads_months_and_closes_none(world):
    await world.person(points=50)
    world.clock.advance(days=12)
    _, token = await world.staff(Role.AUDITOR)
    address = f"{MONTHS}/{world.home.id}/202611"
    async with visiting(world, cookie=token) as auditor:
        assert "核对好了就结账" not in (await auditor.get(address)).text
        assert (await auditor.post(address, data={"request_key": "month-key"})).status_code == 403
        assert (await auditor.get(f"{MONTHS}/{world.communities[1].id}/202611")).status_code == 404
        assert (await auditor.get(f"{MONTHS}/{world.home.id}/202613")).status_code == 404


async def test_a_resident_looks_up_what_the_passbook_held_on_a_day_and_sees_what_was_entered_late(world):
    person = await world.person(points=50)
    world.clock.advance(days=12)
    done = world.clock.now()
    world.clock.set(done.replace(month=11, day=25))
    world_now = world.clock.now()
    world.clock.set(done)
    await late(world, person, world_now)
    _device, cookie = await world.phone(person)
    async with visiting(world, cookie=cookie) as resident:
        page = await resident.get("/ledger?on=2026-11-26")
        plain = await resident.get("/ledger?on=2099-01-01")
    assert "按入账的时间，余 50 分；按做的日子，余 57 分" in page.text
    assert "补记 11 月 25 日" in page.text
    assert "按入账的时间" not in plain.text


async def late(world, person_id, done_at) -> None:
    """Points booked now for what was done then."""
    from pointsbank.ledger import actions, queries  # beside the pages
    from pointsbank.ledger.rules import NEVER

    book = await queries.passbook_of(person_id=person_id, household_id=None, holder="person")
    await db.write(
        actions.post_award, community_id=world.home.id, passbook_id=book.passbook_id, points=7, posting_key="late:1",
        effective_at=done_at, expires_on=NEVER, member_id=person_id, version_id=world.home.version_id,
        source=("ledger", "test", 0), summary="楼道清洁",
    )  # fmt: skip
