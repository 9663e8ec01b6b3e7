"""From the first scan to the last line of the passbook: programs at the door and the counter, people in between."""

from datetime import timedelta

import pytest

from pointsbank.app import jobs
from pointsbank.kit import db
from pointsbank.people.access import Role

pytestmark = pytest.mark.both


async def test_service_becomes_points_and_points_become_salt(stage, world):
    lan, li, chen = [await world.person(name) for name in ("测试兰", "测试李", "测试陈")]
    cards = {person: await world.card(person) for person in (lan, chen)}
    phone, _ = await world.phone(li)

    activity = await an_afternoon_of_service(stage, lan, cards, phone)
    await three_days_of_notice(stage, activity, lan, chen)
    assert [await world.balance(person) for person in (lan, li, chen)] == [2, 2, 0]

    salt = await world.good(points=1)
    order = await at_the_counter(stage, salt, phone)
    assert (await world.balance(li), await in_stock(salt)) == (0, 8)

    await the_clerk_takes_it_back(stage, order)
    assert (await world.balance(li), await in_stock(salt)) == (2, 10)
    await the_passbook_tells_it_all(stage, activity, li, order)


async def an_afternoon_of_service(stage, lan, cards, phone):
    """An activity is announced; a program at the door checks three people in and out; the organiser confirms."""
    organiser = await stage.browser(Role.EVENT_ORGANISER)
    door = await stage.program(Role.EVENT_ORGANISER)
    await organiser.open("/events/new")
    plan = {"title": "测试楼道清洁", "day": "2026-11-21", "starts": "12:30", "ends": "14:30", "item_code": "A01"}
    announced = await organiser.send("", **plan, venue="测试 1 号楼", contact="测试员 100 0000 0000")
    activity = int(announced.headers["location"].split("/")[2])
    await organiser.send(f"/events/{activity}/publish")

    stage.world.clock.advance(minutes=30)
    codes = [*cards.values(), await stage.phone_code(phone)]
    entered = [await door.check_in(activity, code) for code in codes]
    twice = await door.check_in(activity, cards[lan])
    assert [answer.status_code for answer in entered] == [201] * 3
    assert (twice.status_code, twice.json()["code"]) == (409, "events.already_in")

    stage.world.clock.advance(minutes=120)
    codes = [*cards.values(), await stage.phone_code(phone)]
    left = [await door.check_out(activity, code) for code in codes]
    assert [(answer.status_code, answer.json()["minutes"]) for answer in left] == [(201, 120)] * 3

    await organiser.open(f"/events/{activity}/confirm")
    confirmed = await organiser.send(f"/events/{activity}/confirm")
    assert confirmed.status_code == 303, organiser.text
    return activity


async def three_days_of_notice(stage, activity, lan, chen):
    """Neighbours object to two of three lines; one objection is dismissed, the other upheld; then points are booked."""
    stage.world.clock.advance(days=1)
    await jobs.tick()
    dismissed, upheld = await line_of(lan), await line_of(chen)
    grid_worker, admin = await stage.browser(Role.GRID_WORKER), await stage.browser(Role.COMMUNITY_ADMIN)
    for line, grounds in ((dismissed, "minutes"), (upheld, "not_there")):
        await grid_worker.open(f"/governance/objections/new?line={line}")
        recorded = await grid_worker.send("/governance/objections", grounds=grounds)
        assert recorded.status_code == 303, grid_worker.text
    await jobs.tick()
    assert (await state_of(dismissed), await state_of(upheld)) == ("disputed", "disputed")

    for line, verdict in ((dismissed, "dismissed"), (upheld, "upheld")):
        objection = (await db.row("SELECT id FROM notices_objection WHERE line_id = ?", line))["id"]
        await admin.open(f"/governance/objections/{objection}")
        ruled = await admin.send(f"/governance/objections/{objection}", verdict=verdict, ruling="查过签到记录。")
        assert ruled.status_code == 303, admin.text

    assert await points_booked(stage) == 0
    stage.world.clock.advance(days=2)
    await jobs.tick()
    assert await points_booked(stage) == 0, "the notice hangs for three whole days"
    stage.world.clock.advance(days=2)
    await jobs.tick()
    assert (await state_of(dismissed), await state_of(upheld)) == ("settled", "rejected")


async def at_the_counter(stage, salt, phone):
    """A visit by phone code, then an order; the program loses the answer and asks again."""
    counter, clerk = stage.world.home.counter_id, await stage.program(Role.COUNTER_STAFF)
    visit = await clerk.visit(counter, await stage.phone_code(phone))
    assert visit.status_code == 201
    assert visit.json()["member"]["name"] == "测*李"
    assert visit.json()["available_points"] == 2

    who = {"visit": visit.json()["visit"], "key": "the-order-of-li"}
    made = await clerk.order(counter, salt, 2, **who)
    again = await clerk.order(counter, salt, 2, **who)
    other = await clerk.order(counter, salt, 1, **who)

    assert made.status_code == 201
    assert made.json() == {"order": made.json()["order"], "points": 2, "balance_before": 2, "balance_after": 0}
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")
    assert again.json() == made.json()
    assert (other.status_code, other.json()["code"]) == (409, "request_key_reused")
    assert other.headers["content-type"].startswith("application/problem+json")
    return made.json()["order"]


async def the_clerk_takes_it_back(stage, order):
    """F8 at the counter's page, signed in as the same person."""
    counter = stage.world.home.counter_id
    grant = await db.row("SELECT id, person_id FROM people_role_grant WHERE role = 'counter_staff'")
    _, cookie = await stage.world.session(grant["person_id"], grant["id"], "staff")
    page = await (await stage.browser(cookie=cookie)).open(f"/redemption/counters/{counter}?undo=1")
    undone = await page.send(f"/redemption/orders/{order}/undo", reason="1")
    assert undone.headers["location"] == f"/redemption/counters/{counter}?undone={order}", page.text
    assert "已撤销" in page.text


async def the_passbook_tells_it_all(stage, activity, li, order):
    """Each line with its reason, in the member's passbook as the auditor's program reads it."""
    auditor = await stage.program(Role.AUDITOR)
    book = await auditor.passbook(li)

    lines = [(line["kind"], line["points"], line["balance_after"]) for line in book["lines"]]
    assert lines == [("reversal", 2, 2), ("order", -2, 0), ("award", 2, 2)]
    reversal, spent, earned = book["lines"]
    assert (spent["source_room"], spent["source_id"]) == ("redemption", order)
    assert (earned["source_room"], earned["summary"]) == ("awards", "测试楼道清洁 2 小时")
    assert reversal["summary"] == spent["summary"]
    why = await auditor.client.get(f"/api/awards/{earned['source_id']}")
    assert (why.json()["state"], why.json()["points"]) == ("settled", 2)
    assert why.json()["why"]
    began = stage.world.clock.now() - timedelta(days=5, hours=2)
    assert earned["effective_at"] == f"{began:%Y-%m-%dT%H:%M:%SZ}", "an award counts from the day of service"


async def line_of(person):
    return (await db.row("SELECT line_id FROM awards_award WHERE person_id = ?", person))["line_id"]


async def state_of(line):
    return (await db.row("SELECT state FROM awards_award WHERE line_id = ?", line))["state"]


async def in_stock(good):
    return (await db.row("SELECT CAST(SUM(remaining) AS BIGINT) FROM stock_lot WHERE good_id = ?", good))[0]


async def points_booked(stage):
    found = await db.row("SELECT CAST(COALESCE(SUM(balance), 0) AS BIGINT) FROM ledger_account WHERE passbook_id > 0")
    return found[0]
