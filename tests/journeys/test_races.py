"""Everybody at once, over HTTP: whatever is scarce is given once, and whoever is too late is told so."""

import asyncio
from collections import Counter

import pytest

from pointsbank.kit import db
from pointsbank.people import actions_cards as cards
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from tests.world import visiting

pytestmark = pytest.mark.both

MOVED = (
    "redemption_order",
    "redemption_order_line",
    "redemption_visit",
    "redemption_limit_use",
    "ledger_entry",
    "ledger_move",
    "ledger_lot_use",
    "stock_move",
    "trail_record",
)


async def counted():
    """How many rows each table has, and the sums that only an order changes."""
    found = {table: (await db.row(f"SELECT COUNT(*) FROM {table}"))[0] for table in MOVED}
    left = await db.row("SELECT CAST(COALESCE(SUM(remaining), 0) AS BIGINT) FROM ledger_lot")
    return {**found, "points in lots": left[0]}


def told(answers):
    """How often each thing was said: a status, and the code of a refusal."""
    return Counter((answer.status_code, answer.json().get("code")) for answer in answers)


async def test_the_last_bag_of_rice_goes_to_one_of_sixty_four(stage, world):
    rice = await world.good(points=20, in_stock=1)
    members = [await world.person(points=50) for _ in range(64)]
    codes = [await world.card(member) for member in members]
    clerk = await stage.program(Role.COUNTER_STAFF)
    before = await counted()

    answers = await asyncio.gather(*(clerk.order(world.home.counter_id, rice, code=code) for code in codes))

    assert told(answers) == {(201, None): 1, (409, "stock.out_of_stock"): 63}
    after = await counted()
    one_order = dict.fromkeys(MOVED, 1) | {"redemption_limit_use": after["redemption_limit_use"], "points in lots": -20}
    one_order["redemption_limit_use"] -= before["redemption_limit_use"]
    assert {what: after[what] - before[what] for what in after} == one_order
    assert one_order["redemption_limit_use"] <= 2, "the day of one member, and the month of one good"
    assert sorted([await world.balance(member) for member in members]) == [30] + [50] * 63
    winner = next(answer.json() for answer in answers if answer.status_code == 201)
    assert (winner["balance_before"], winner["balance_after"]) == (50, 30)


async def test_one_card_held_to_sixty_four_scanners_is_one_attendance(stage, world):
    activity = await stage.activity()
    card = await world.card(await world.person())
    door = await stage.program(Role.GRID_WORKER)

    answers = await asyncio.gather(*(door.check_in(activity, card) for _ in range(64)))

    assert told(answers) == {(201, None): 1, (409, "events.already_in"): 63}
    assert (await db.row("SELECT COUNT(*) FROM events_attendance"))[0] == 1
    assert (await db.row("SELECT arrived FROM events_activity WHERE id = ?", activity))[0] == 1


async def test_an_order_sent_forty_times_under_one_key_is_made_once(stage, world):
    salt = await world.good(points=5, in_stock=100)
    member = await world.person(points=200)
    card = await world.card(member)
    clerk = await stage.program(Role.COUNTER_STAFF)

    answers = await asyncio.gather(
        *(clerk.order(world.home.counter_id, salt, code=card, key="one-and-the-same") for _ in range(40))
    )

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 39}
    assert sum(answer.headers.get("Idempotent-Replayed") == "true" for answer in answers) == 39
    assert len({answer.content for answer in answers}) == 1
    assert await world.balance(member) == 195
    assert (await counted())["redemption_order"] == 1


async def test_the_last_points_are_spent_at_one_of_two_counters(stage, world):
    rice = await world.good(points=20)
    second = await db.write(redemption.make_counter, outlet_id=world.home.outlet_id, name="2 号台")
    here, there = await stage.program(Role.COUNTER_STAFF), await stage.another_program(Role.COUNTER_STAFF)
    for _ in range(8):
        member = await world.person(points=30)
        card = await world.card(member)

        answers = await asyncio.gather(
            here.order(world.home.counter_id, rice, code=card), there.order(second, rice, code=card)
        )

        assert sorted(answer.status_code for answer in answers) == [201, 409]
        late = max(answers, key=lambda answer: answer.status_code).json()
        assert (late["code"].endswith("not_enough_points"), late["missing"]) == (True, 10)
        assert await world.balance(member) == 10


async def test_a_card_reported_lost_at_the_same_moment_pays_before_or_not_at_all(stage, world):
    rice = await world.good(points=20, in_stock=100)
    clerk = await stage.program(Role.COUNTER_STAFF)
    _, cookie = await world.staff(Role.GRID_WORKER)
    async with visiting(world, cookie=cookie) as desk:
        for number in range(16):
            member = await world.person(points=50)
            card = await world.card(member)
            lost = desk.post(f"/people/{member}/card/lost", data={"request_key": f"reported-{number:02}"})
            order = clerk.order(world.home.counter_id, rice, code=card)

            answers = await asyncio.gather(*((lost, order) if number % 2 else (order, lost)))

            reported, ordered = answers if number % 2 else reversed(answers)
            assert reported.status_code == 303
            assert (ordered.status_code, await world.balance(member)) in {(201, 30), (410, 50)}
            later = await clerk.order(world.home.counter_id, rice, code=card)
            assert (later.status_code, later.json()["code"]) == (410, "people.card_lost")


async def test_a_visit_ends_when_its_card_is_lost_however_close_the_order_comes(stage, world):
    rice = await world.good(points=20, in_stock=100)
    clerk = await stage.program(Role.COUNTER_STAFF)
    for _ in range(8):
        member = await world.person(points=50)
        visit = (await clerk.visit(world.home.counter_id, await world.card(member))).json()["visit"]
        ordered, _ = await asyncio.gather(
            clerk.order(world.home.counter_id, rice, visit=visit), db.write(cards.report_lost, person_id=member)
        )
        later = await clerk.order(world.home.counter_id, rice, visit=visit)

        assert (ordered.status_code, await world.balance(member)) in {(201, 30), (410, 50)}
        assert later.status_code == 410
