"""Sessions end by lying idle, one by one and all at once; when they were used is written down by a job."""

import asyncio
from datetime import timedelta

import pytest

from pointsbank.app import jobs
from pointsbank.kit import crypto, db
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound
from pointsbank.people import access, actions_phones, actions_sessions, actions_staff, queries_phones, rules, uses
from pointsbank.people import queries_staff as staff
from pointsbank.people.rules_staff import CounterAndCards
from tests.people.conftest import KEY, session_of, sign_in
from tests.world import program, visiting


async def token_of(login: str, text: str = "bearer", **facts) -> int:
    digest = crypto.token_digest(text)
    return await db.write(actions_staff.issue_token, login=login, name="兑换机", token_digest=digest, days=90, **facts)


def restarted() -> None:
    """What a process remembers is gone."""
    uses.last.clear()
    uses._written.clear()
    access._remembered.by_digest.clear()


@pytest.mark.both
@pytest.mark.parametrize(("role", "minutes"), [("community_admin", 30), ("counter_staff", 240)])
async def test_a_session_ends_that_lies_idle(people, clock, role, minutes):
    await people.sign_in(await people.staff("ling", role), "token")
    assert await session_of("token") is not None
    for _ in range(3):
        clock.advance(minutes=minutes, seconds=-1)
        assert await session_of("token") is not None, "it was used in time"
    clock.advance(minutes=minutes)
    assert await session_of("token") is None
    assert await session_of("token") is None, "looking for it is no use of it"


async def test_a_token_and_a_phone_do_not_end_by_lying_idle(people, clock):
    await people.staff("ling")
    await token_of("ling")
    person = await people.member()
    facts = {"person_id": person, "device_id": await people.phone_of(person, "phone")}
    await db.write(actions_phones.open_resident_session, token_digest=crypto.token_digest("token"), **facts)
    clock.advance(days=80)
    assert await session_of("bearer", "bearer") is not None
    assert await session_of("token") is not None


@pytest.mark.both
async def test_when_sessions_were_used_is_written_down_once(people, clock):
    person = await people.staff("ling")
    signed_in = await people.sign_in(person, "token")
    await session_of("token")
    assert await jobs.write_uses() == 1
    assert await jobs.write_uses() == 0
    clock.advance(minutes=20)
    await session_of("token")
    used_at = clock.now()
    assert await jobs.write_uses() == 1
    note = [(signed_in.session_id, used_at - timedelta(minutes=5))]
    assert await db.write(actions_sessions.note_uses, uses=note) == 0, "an earlier time changes nothing"
    (found,) = await staff.open_sessions(person, clock.now())
    login = await db.row("SELECT signed_in_at, last_used_at FROM people_login WHERE id = ?", person)
    assert (found.last_used_at, login["last_used_at"]) == (used_at, used_at)
    assert login["signed_in_at"] == used_at - timedelta(minutes=20)


@pytest.mark.both
async def test_another_process_knows_what_was_written_down(people, clock):
    await people.sign_in(await people.staff("ling"), "token")
    clock.advance(minutes=29)
    await session_of("token")
    await jobs.write_uses()
    restarted()
    clock.advance(minutes=29)
    assert await session_of("token") is not None
    restarted()
    clock.advance(minutes=10)
    assert await session_of("token") is None


async def test_no_look_up_of_a_session_that_is_known_asks_the_database(people, said, monkeypatch):
    await people.sign_in(await people.staff("ling"), "token")
    await session_of("token")
    said.clear()
    monkeypatch.setattr(access, "_find", None)
    assert isinstance(access.find_session(crypto.token_digest("token"), "cookie"), access.Session)
    assert said == []


async def test_long_past_uses_are_forgotten_once_written(people, clock):
    await people.sign_in(await people.staff("ling"), "token")
    await session_of("token")
    await jobs.write_uses()
    clock.advance(days=2)
    await people.sign_in(await people.staff("yuan"), "later")
    await session_of("later")
    await jobs.write_uses()
    assert len(uses.last) == len(uses._written) == 1


@pytest.mark.both
async def test_one_session_or_token_is_ended_alone(people):
    person, other = await people.staff("ling"), await people.staff("yuan")
    here, there = await people.sign_in(person, "here"), await people.sign_in(person, "there")
    token = await token_of("ling")
    await people.sign_in(other, "other")
    assert await session_of("there") is not None, "it is remembered from now on"
    assert await session_of("bearer", "bearer") is not None
    which = {"session_id": there.session_id, "person_id": other}
    with pytest.raises(NotFound):
        await db.write(actions_sessions.end_one, **which)
    await db.write(actions_sessions.end_one, session_id=there.session_id, person_id=person)
    assert (await session_of("here")).id == here.session_id
    assert await session_of("there") is None
    await db.write(actions_sessions.end_one, session_id=token, person_id=person)
    assert await session_of("bearer", "bearer") is None
    await db.write(actions_sessions.end_everywhere, person_id=person)
    assert await session_of("here") is None
    assert await session_of("other") is not None


@pytest.mark.both
async def test_whoever_leaves_loses_roles_login_sessions_and_tokens_at_once(people):
    person = await people.staff("ling", "event_organiser")
    await db.write(actions_staff.grant, person_id=person, role="auditor", place_id=people.place.community)
    await people.sign_in(person, "cookie")
    await token_of("ling", role="auditor")
    assert await session_of("bearer", "bearer") is not None
    with pytest.raises(rules.OwnRoles):
        await db.write(actions_staff.end_work, actor=Actor(person_id=person), person_id=person)
    assert await db.write(actions_staff.end_work, person_id=person) == 2
    assert [await session_of("cookie"), await session_of("bearer", "bearer")] == [None, None]
    with pytest.raises(rules.SignInFailed):
        await people.sign_in(person, "again")
    assert await staff.grants_of(person) == []


@pytest.mark.both
async def test_a_phone_is_let_go_alone(people):
    person, other = await people.member(), await people.member()
    devices = [await people.phone_of(person, name) for name in ("one", "two")]
    for device, text in zip(devices, ("first", "second"), strict=True):
        facts = {"person_id": person, "device_id": device}
        await db.write(actions_phones.open_resident_session, token_digest=crypto.token_digest(text), **facts)
    code = await people.code_of(devices[0])
    with pytest.raises(NotFound):
        await db.write(actions_sessions.let_go, person_id=other, device_id=devices[0])
    await db.write(actions_sessions.let_go, person_id=person, device_id=devices[0])
    assert await session_of("first") is None
    assert await session_of("second") is not None
    with pytest.raises(rules.UnknownCode):
        await people.take(code)
    assert [one.id for one in await queries_phones.phones_of(person)] == [devices[1]]


@pytest.mark.both
async def test_who_serves_at_a_counter_issues_no_cards_there(people):
    clerk, worker = await people.staff("ling", "counter_staff"), await people.staff("yuan", "grid_worker")
    here = {"place_id": people.place.community}
    for person, role in ((clerk, "grid_worker"), (clerk, "community_admin"), (worker, "counter_staff")):
        with pytest.raises(CounterAndCards):
            await db.write(actions_staff.grant, person_id=person, role=role, **here)
    await db.write(actions_staff.grant, person_id=clerk, role="grid_worker", place_id=people.place.elsewhere)
    await db.write(actions_staff.grant, person_id=clerk, role="event_organiser", **here)


@pytest.mark.both
async def test_of_two_grants_at_once_that_may_not_be_together_one_stands(people):
    person = await people.member()
    facts = {"person_id": person, "place_id": people.place.community}
    both = [db.write(actions_staff.grant, role=role, **facts) for role in ("counter_staff", "community_admin")]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert [type(one) for one in done if isinstance(one, Exception)] == [CounterAndCards]
    assert len(await staff.grants_of(person)) == 1


async def test_a_login_unused_for_ninety_days_is_named(people, clock):
    await people.staff("an")
    used, unused = await people.staff("ling", "auditor"), await people.staff("yuan", "auditor")
    clock.advance(days=89)
    await people.sign_in(used, "token")
    place = [people.place.community]
    assert not any(one.is_unused for one in await staff.staff_of(place, clock.now()))
    clock.advance(days=1)
    assert [one.login for one in await staff.staff_of(place, clock.now()) if one.is_unused] == ["an", "yuan"]
    await db.write(actions_staff.disable_login, person_id=unused)
    assert [one.login for one in await staff.staff_of(place, clock.now()) if one.is_unused] == ["an"]


# Through pages


async def test_an_admin_sees_and_ends_sessions_and_learns_no_secret_of_them(people, browser):
    person = await people.staff("ling", "auditor")
    await people.staff("an")
    colleague, admin = await sign_in(browser, "ling"), await sign_in(browser, "an")
    token = await token_of("ling")
    address = f"/people/staff/{person}"
    seen = await admin.get(address)
    assert "兑换机" in seen.text
    for row in await db.rows("SELECT token_digest FROM people_session"):
        assert bytes(row["token_digest"]).hex() not in seen.text
    assert colleague.cookies["sid"] not in seen.text
    await admin.post(f"{address}/sessions/{token}/end", data=KEY)
    assert await session_of("bearer", "bearer") is None
    assert (await colleague.get("/me")).status_code == 200
    await admin.post(f"{address}/sessions/end", data={"request_key": "another-key-1"})
    assert (await colleague.get("/me")).status_code == 303


async def test_a_colleague_who_works_elsewhere_too_is_not_watched_nor_signed_out(people, browser):
    person = await people.staff("ling", "auditor")
    await db.write(actions_staff.grant, person_id=person, role="auditor", place_id=people.place.street)
    await people.staff("an")
    admin = await sign_in(browser, "an")
    signed_in = await people.sign_in(person, "cookie")
    address = f"/people/staff/{person}"
    assert f"{address}/sessions/{signed_in.session_id}/end" not in (await admin.get(address)).text
    for path in (f"sessions/{signed_in.session_id}/end", "sessions/end", "leave", "second-step/off"):
        assert (await admin.post(f"{address}/{path}", data=KEY)).status_code == 403
    assert await session_of("cookie") is not None


async def test_everybody_ends_own_sessions_alone(people, browser):
    person = await people.staff("ling")
    here = await sign_in(browser, "ling")
    there = await people.sign_in(person, "there")
    assert f"/me/sessions/{there.session_id}/end" in (await here.get("/me")).text
    await here.post(f"/me/sessions/{there.session_id}/end", data=KEY)
    assert await session_of("there") is None
    assert (await here.get("/me")).status_code == 200


async def test_a_resident_signs_another_phone_out(world):
    person = await world.person()
    _, here = await world.phone(person)
    other, there = await world.phone(person)
    async with visiting(world, cookie=here, app=program(world.clock)) as phone:
        assert "让这部手机退出" in (await phone.get("/me")).text
        answer = await phone.post(f"/me/phones/{other}/leave", data=KEY)
        assert answer.headers["location"] == "/me"
        assert (await phone.get("/home")).status_code == 200
    async with visiting(world, cookie=there, app=program(world.clock)) as phone:
        assert (await phone.get("/home")).status_code == 303


async def test_an_open_counter_page_is_dead_with_the_login(world):
    actor, token = await world.staff(access.Role.COUNTER_STAFF)
    own = {"request_key": "counter-key-1", "code": "0", "visit": "0"}
    async with visiting(world, cookie=token, app=program(world.clock)) as counter:
        assert (await counter.get(f"/redemption/counters/{world.home.counter_id}")).status_code == 200
        await db.write(actions_staff.disable_login, person_id=actor.person_id)
        headers = {"X-Partial": "1"}
        path = f"/redemption/counters/{world.home.counter_id}"
        for answer in (
            await counter.get(path, headers=headers),
            await counter.post(f"{path}/scan", data=own, headers=headers),
        ):
            assert answer.status_code == 401
            assert answer.headers["x-problem"] == "not_signed_in"


async def test_the_colleague_learns_at_the_next_sign_in_who_reset_the_password(people, browser):
    person = await people.staff("ling")
    await people.staff("an")
    admin = await sign_in(browser, "an")
    made = await admin.post(f"/people/staff/{person}/reset", data=KEY)
    one_time = made.text.split('data-testid="one-time">')[1].split("<")[0]
    desk = await sign_in(browser, "ling", one_time)
    assert "由 测**n 重设" in (await desk.get("/me/password")).text
    watched = await db.rows("SELECT facts FROM outbox WHERE topic = 'watched'")
    assert any("login.password_reset" in one["facts"] for one in watched)
