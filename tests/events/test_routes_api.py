"""Checking in and out by program."""

import json

import pytest

from pointsbank.events import queries
from pointsbank.kit import db
from pointsbank.people.access import Role
from tests.world import visiting

KEY = "key-of-this-call-"


@pytest.fixture
async def api(square):
    _, token = await square.world.staff(Role.EVENT_ORGANISER, kind="token")
    async with visiting(square.world, bearer=token) as client:
        yield client


async def test_a_card_is_checked_in_and_out(square, api):
    person = await square.world.person()
    card = await square.world.card(person)
    number = (await db.row("SELECT member_number FROM people_person WHERE id = ?", person))[0]
    activity = await square.activity(starts_in=0)

    entered = await api.post(f"/api/events/{activity}/check-ins", json={"code": card, "request_key": KEY + "in"})
    square.world.clock.advance(minutes=75)
    left = await api.post(f"/api/events/{activity}/check-outs", json={"code": card, "request_key": KEY + "out"})

    assert entered.status_code == 201
    (line,) = await queries.lines(activity)
    assert entered.json() == {
        "attendance": line.id,
        "activity": activity,
        "person": {"member_number": number, "state": "member"},
        "in_at": "2026-11-21T04:00:00Z",
    }
    assert left.status_code == 201
    assert left.json()["minutes"] == 75
    assert left.json()["out_at"] == "2026-11-21T05:15:00Z"


async def test_a_repeat_gets_the_first_answer(square, api):
    card = await square.world.card(await square.world.person())
    activity = await square.activity()
    body = {"code": card, "request_key": KEY + "in"}

    first = await api.post(f"/api/events/{activity}/check-ins", json=body)
    again = await api.post(f"/api/events/{activity}/check-ins", json=body)
    other = await api.post(f"/api/events/{activity + 1}/check-ins", json=body)

    assert "idempotent-replayed" not in first.headers
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.json() == first.json()
    assert other.json()["code"] == "request_key_reused"
    assert await square.arrived(activity) == 1


@pytest.mark.parametrize("kind", ["screen", "poster"])
async def test_the_tail_of_an_address_checks_in_whose_token_it_is(square, kind):
    actor, token = await square.world.staff(Role.COUNTER_STAFF, kind="token")
    activity = await square.activity()
    code = square.screen(activity) if kind == "screen" else await square.poster(activity)

    async with visiting(square.world, bearer=token) as client:
        answer = await client.post(f"/api/events/{activity}/check-ins", json={"code": code, "request_key": KEY + "1"})
        card = await square.world.card(await square.world.person())
        forbidden = await client.post(
            f"/api/events/{activity}/check-ins", json={"code": card, "request_key": KEY + "2"}
        )

    assert answer.status_code == 201
    (line,) = await queries.lines(activity)
    assert (line.person_id, line.in_way) == (actor.person_id, kind)
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "forbidden")


async def test_refusals_are_problems_that_say_what_to_do(square, api):
    card = await square.world.card(await square.world.person())
    activity = await square.activity(starts_in=45)
    url = f"/api/events/{activity}/check-ins"

    early = await api.post(url, json={"code": card, "request_key": KEY + "1"})
    square.world.clock.advance(minutes=30)
    await api.post(url, json={"code": card, "request_key": KEY + "2"})
    twice = await api.post(url, json={"code": card, "request_key": KEY + "3"})

    assert early.headers["content-type"] == "application/problem+json"
    assert (early.status_code, early.json()["code"]) == (409, "events.too_early")
    assert early.json()["detail"] == "12:15 开始签到，现在 12:00。到时候再扫一次。"
    assert (twice.status_code, twice.json()["code"]) == (409, "events.already_in")


async def test_another_communitys_activity_is_not_found(square):
    _, token = await square.world.staff(Role.EVENT_ORGANISER, square.world.communities[1], kind="token")
    card = await square.world.card(await square.world.person())
    activity = await square.activity()

    async with visiting(square.world, bearer=token) as client:
        for path in ("check-ins", "check-outs"):
            answer = await client.post(f"/api/events/{activity}/{path}", json={"code": card, "request_key": KEY + path})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


RUBBISH = (
    {},
    {"code": "81"},
    {"code": 81, "request_key": KEY},
    {"code": "81", "request_key": KEY, "more": 1},
    {"code": "8" * 257, "request_key": KEY},
    {"code": "81", "request_key": "short"},
    {"code": "\x00\ud800", "request_key": KEY},
    [],
    None,
)


async def test_rubbish_is_refused_and_changes_nothing(square, api):
    activity = await square.activity()
    before = await square.everything()

    for body in RUBBISH:
        answer = await api.post(
            f"/api/events/{activity}/check-ins",
            content=json.dumps(body),
            headers={"Content-Type": "application/json"},
        )
        assert 400 <= answer.status_code < 500, body
        assert answer.headers["content-type"] == "application/problem+json"

    assert await square.everything() == before


async def test_numbers_out_of_range_are_not_found(square, api):
    for number in (0, -1, 10**18, 10**30):
        answer = await api.post(f"/api/events/{number}/check-ins", json={"code": "8" * 20, "request_key": KEY + "1"})
        assert 400 <= answer.status_code < 500, number


async def test_without_a_token_nothing_is_told(square):
    activity = await square.activity()

    async with visiting(square.world, cookie=square.organiser_token) as client:
        answer = await client.post(f"/api/events/{activity}/check-ins", json={"code": "81", "request_key": KEY})

    assert answer.status_code == 401
