"""An adjustment for a past day: it counts as of then, is booked and marked today, and opens no closed month."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions_opening as openings
from pointsbank.ledger import actions_periods, queries, queries_periods, verify
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.rules_flows import DayToCome, What
from pointsbank.ledger.rules_periods import DayClosed
from pointsbank.ledger.sealing import Sealer
from pointsbank.people.access import Role
from tests.ledger.test_openings import asked, drafted, give, list_of
from tests.ledger.test_vouchers import adjust, admin, agree, book_of
from tests.world import World, visiting

pytestmark = pytest.mark.both


@pytest.fixture
async def town(database, settings, clock):
    return await World(clock, settings).found(count=1)


async def close_november(town):
    period_id = await db.write(actions_periods.close, community_id=town.home.id, month=date(2026, 11, 1))
    while await db.write(actions_periods.count, period_id=period_id):
        pass


async def test_it_counts_as_of_that_day_and_is_marked(town):
    person = await town.person(points=10)
    today = local_day(town.clock.now())
    past = today - timedelta(days=6)
    await agree(town, await adjust(town, person, 5, await admin(town), past_day=past))
    await agree(town, await adjust(town, person, 2, await admin(town), past_day=today))
    book = await book_of(town, person)
    plain, late, _award = await queries.lines(book.account_id)
    assert [(line.is_late, local_day(line.effective_at)) for line in (late, plain)] == [(True, past), (False, today)]
    noon_then = town.clock.now() - timedelta(days=5)
    then, now = [
        await queries_periods.balance_at(book.account_id, moment)
        for moment in (noon_then, town.clock.now() + timedelta(seconds=1))
    ]
    assert ((then.booked, then.effective), (now.booked, now.effective)) == ((0, 5), (17, 17))
    await Sealer().run()
    assert (await verify.verify()).findings == []


async def test_no_day_to_come_and_none_of_a_closed_month_also_when_it_was_closed_meanwhile(town):
    person, maker = await town.person(points=10), await admin(town)
    with pytest.raises(DayToCome):
        await adjust(town, person, 5, maker, past_day=local_day(town.clock.now()) + timedelta(days=1))
    town.clock.set(datetime(2026, 12, 2, 4, 0, tzinfo=UTC))
    asked = await adjust(town, person, 5, maker, past_day=date(2026, 11, 20))
    await close_november(town)
    with pytest.raises(DayClosed):
        await adjust(town, person, 5, maker, past_day=date(2026, 11, 30))
    with pytest.raises(DayClosed):
        await agree(town, asked)
    assert await town.balance(person) == 10


async def test_the_form_asks_for_the_day_and_whoever_agrees_sees_it(town):
    person = await town.person(points=10)
    _, token = await town.staff(Role.COMMUNITY_ADMIN)
    url = f"/ledger/passbooks/{(await book_of(town, person)).passbook_id}/adjust"
    form = {"way": "up", "points": "3", "reason": "missed", "note": "签到表第 2 页", "expires_on": ""}
    async with visiting(town, cookie=token) as desk:
        late = await desk.post(url, data={"request_key": "past-day-1", **form, "done_on": "2026-11-22"})
        sent = await desk.post(url, data={"request_key": "past-day-2", **form, "done_on": "2026-11-03"})
        shown = (await desk.get(sent.headers["location"])).text
    assert (late.status_code, "何时的事不能晚于今天" in late.text) == (400, True)
    assert "11 月 3 日" in shown


async def closed_meanwhile(town):
    town.clock.set(datetime(2026, 12, 2, 4, tzinfo=UTC))
    await close_november(town)


@pytest.mark.parametrize("is_asked", [False, True])
async def test_a_list_of_a_month_that_was_closed_meanwhile_is_neither_sent_nor_confirmed(town, is_asked):
    person, maker = await town.person(points=1), await admin(town)
    list_id = await (asked if is_asked else drafted)(town, maker, (person, 80))
    await closed_meanwhile(town)

    with pytest.raises(DayClosed):
        await (
            give(town, list_id, await admin(town)) if is_asked else db.write(openings.ask, actor=maker, list_id=list_id)
        )

    assert (await list_of(town, list_id)).state == ("asked" if is_asked else "draft")
    assert await town.balance(person) == 1


async def test_openings_and_what_is_taken_back_of_an_earlier_month_are_marked(town):
    person = await town.person(points=10)
    list_id = await asked(town, await admin(town), (person, 80))
    town.clock.set(datetime(2026, 12, 2, 4, tzinfo=UTC))
    await give(town, list_id, await admin(town))
    account_id = (await book_of(town, person)).account_id
    _opening, award = await queries.lines(account_id)

    await db.write(
        vouchers.take_back, actor=await admin(town), community_id=town.home.id, entry_id=award.entry_id,
        way=What.REVERSAL, reason="not_so", note="", room=(await flows.entry(None, award.entry_id)).source_room,
    )  # fmt: skip

    lines = await queries.lines(account_id)
    assert [(line.kind, line.is_late) for line in lines] == [("reversal", True), ("opening", True), ("award", False)]
