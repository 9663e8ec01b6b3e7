"""Wrong tries are counted against whoever makes them, and never against a member."""

import itertools
from datetime import timedelta

import httpx
import pytest

from pointsbank.events import actions as events
from pointsbank.kit import codes, db
from pointsbank.people.access import Role
from tests.people.conftest import ADDRESS, KEY
from tests.world import visiting


async def test_one_line_with_many_addresses_gets_no_more_tries(people, browser):
    app = browser()._transport.app
    told = []
    for number in range(21):
        transport = httpx.ASGITransport(app, client=(f"2001:db8::{number + 1:x}", 1))
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers={"Origin": ADDRESS}) as phone:
            answer = await phone.post("/activate", data={"number": "123456789", "digits": "000000000000", **KEY})
            told.append(answer.status_code)
    assert told == [404] * 20 + [429]


@pytest.fixture
async def guess(world):
    """Phone codes that nobody's phone shows, tried at every door where codes are taken."""
    numbers = itertools.count()

    def code() -> str:
        body = f"8212345678{next(numbers):08}"
        return body + codes.check_digits(body)

    _clerk, clerk = await world.staff(Role.COUNTER_STAFF, kind="token")
    _worker, worker = await world.staff(Role.GRID_WORKER, kind="token")
    counter = f"/api/redemption/counters/{world.home.counter_id}"

    async def tried(path: str, token: str, **more: object) -> list[int]:
        async with visiting(world, bearer=token) as client:
            return [
                (await client.post(path, json={"code": code(), "request_key": f"guess-{n:08}", **more})).status_code
                for n in range(102)
            ]

    return {
        "visits": lambda: tried(f"{counter}/visits", clerk),
        "orders": lambda: tried(f"{counter}/orders", clerk, lines=[{"good": 1, "quantity": 1}]),
        "check-outs": lambda: tried("/api/events/1/check-outs", worker),
    }


@pytest.mark.parametrize("door", ["visits", "orders", "check-outs"])
async def test_guessed_codes_are_counted_against_whoever_scans_them(world, guess, door):
    now = world.clock.now()
    organiser, _token = await world.staff(Role.EVENT_ORGANISER)
    activity_id = await db.write(
        events.create, actor=organiser, community_id=world.home.id, title="测试活动", venue="测试广场", item_code="A01",
        contact="测试乙", starts_at=now, ends_at=now + timedelta(hours=1), seats=None,
    )  # fmt: skip
    await db.write(events.publish, actor=organiser, activity_id=activity_id, community_ids=(world.home.id,))
    assert await guess[door]() == [404] * 100 + [429] * 2
    world.clock.advance(hours=1)
    again = await guess[door]()
    assert again[0] != 429
