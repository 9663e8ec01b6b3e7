"""A second step stands between the password and the session: a code is good once, guesses are few, colleagues help."""

import asyncio
import base64
from datetime import UTC, datetime

import pytest

from pointsbank.kit import crypto, db, totp
from pointsbank.kit.db import Actor
from pointsbank.people import actions_second, actions_staff, rules, sealed
from pointsbank.people import queries_staff as staff
from pointsbank.people.rules_staff import NoSecondStep, NothingToConfirm, SecondStepIsOn, WrongCode
from tests.people.conftest import KEY, PASSWORD, session_of, shown, sign_in

SECRET = bytes(range(20))


def code_at(clock, steps: int = 0) -> str:
    return totp.code(SECRET, totp.step_of(clock.now()) + steps)


async def enrol(people, clock, login: str = "ling", role: str = "community_admin") -> int:
    person = await people.staff(login, role)
    await db.write(actions_second.begin, person_id=person, secret=sealed.seal_second_secret(person, SECRET))
    await db.write(actions_second.confirm, person_id=person, code=code_at(clock), session_id=0)
    clock.advance(minutes=1)
    return person


async def enter(person: int, code: str, token: str = "token") -> actions_staff.SignedIn | None:
    found = await db.row("SELECT password_hash FROM people_login WHERE id = ?", person)
    digest = crypto.token_digest(token)
    return await db.write(
        actions_second.sign_in, person_id=person, password_hash=found[0], code=code, token_digest=digest
    )


def test_codes_are_those_of_every_authenticator():
    """The table of RFC 6238, appendix B, in its last six digits."""
    secret = b"12345678901234567890"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        moment = datetime.fromtimestamp(seconds, UTC)
        assert totp.matching_step(secret, code, moment, 0) == seconds // 30


@pytest.mark.both
async def test_the_password_alone_opens_no_session(people, clock):
    person = await enrol(people, clock)
    signed_in = await people.sign_in(person, "token")
    assert (signed_in.needs_code, signed_in.session_id) == (True, 0)
    assert await session_of("token") is None
    assert (await enter(person, code_at(clock))).has_role
    assert await session_of("token") is not None


@pytest.mark.both
async def test_a_code_is_good_once_and_none_before_it_any_more(people, clock):
    person = await enrol(people, clock)
    code, earlier = code_at(clock), code_at(clock, -1)
    assert await enter(person, code, "one") is not None
    assert await enter(person, code, "two") is None
    assert await enter(person, earlier, "three") is None
    assert await enter(person, code_at(clock, 1), "four") is not None


@pytest.mark.both
async def test_of_one_code_sent_many_times_at_once_one_counts(people, clock):
    person = await enrol(people, clock)
    code = code_at(clock)
    done = await asyncio.gather(*(enter(person, code, f"token {n}") for n in range(4)))
    assert sum(one is not None for one in done) == 1


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_clock_may_go_wrong_by_one_step(people, clock, steps, fits):
    person = await enrol(people, clock)
    clock.advance(minutes=2)
    assert (await enter(person, code_at(clock, steps)) is not None) == fits


@pytest.mark.both
async def test_five_wrong_codes_block_for_fifteen_minutes_whatever_the_password_says(people, clock):
    person = await enrol(people, clock)
    done = await asyncio.gather(*(enter(person, "000000", f"token {n}") for n in range(8)))
    assert done == [None] * 8
    assert (await people.sign_in(person, "again")).needs_code, "a right password does not clear the count"
    assert await enter(person, code_at(clock)) is None, "blocked"
    clock.advance(minutes=15)
    assert await enter(person, "000000") is None, "the first of a new row"
    assert await enter(person, code_at(clock)) is not None
    watched = [one["facts"] for one in await db.rows("SELECT facts FROM outbox WHERE topic = 'watched'")]
    assert sum("second_step.blocked" in one for one in watched) == 1


@pytest.mark.both
async def test_four_wrong_codes_and_a_right_one_start_afresh(people, clock):
    person = await enrol(people, clock)
    for row in range(3):
        for _ in range(4):
            assert await enter(person, "000000") is None
        assert await enter(person, code_at(clock), f"token {row}") is not None
        clock.advance(minutes=1)


@pytest.mark.both
async def test_a_secret_counts_only_after_a_code_of_it_and_is_not_replaced(people, clock):
    person = await people.staff("ling")
    await people.sign_in(person, "other")
    begun = {"person_id": person, "secret": sealed.seal_second_secret(person, SECRET)}
    await db.write(actions_second.begin, **begun)
    assert not (await people.sign_in(person, "token")).needs_code
    own = {"person_id": person, "session_id": (await session_of("token")).id}
    with pytest.raises(WrongCode):
        await db.write(actions_second.confirm, code="000000", **own)
    await db.write(actions_second.confirm, code=code_at(clock), **own)
    assert await session_of("token") is not None
    assert await session_of("other") is None
    with pytest.raises(SecondStepIsOn):
        await db.write(actions_second.begin, **begun)
    assert await enter(person, code_at(clock)) is None, "the code that confirmed it is used up"


async def test_a_secret_that_nobody_confirmed_is_void_after_a_while(people, clock):
    person = await people.staff("ling")
    await db.write(actions_second.begin, person_id=person, secret=sealed.seal_second_secret(person, SECRET))
    clock.advance(minutes=16)
    assert await staff.pending_secret(person, clock.now()) is None
    with pytest.raises(NothingToConfirm):
        await db.write(actions_second.confirm, person_id=person, code=code_at(clock), session_id=0)


async def test_a_secret_lies_sealed_and_opens_for_nobody_else(people, clock):
    person = await enrol(people, clock)
    blob = bytes((await db.row("SELECT secret FROM people_second_step"))["secret"])
    assert SECRET not in blob
    assert SECRET.hex().encode() not in blob
    with pytest.raises(crypto.Unreadable):
        sealed.second_secret(person + 1, blob)


@pytest.mark.both
async def test_a_reset_password_does_not_pass_by_the_second_step(people, clock):
    person = await enrol(people, clock)
    await db.write(actions_staff.reset_password, person_id=person, password_hash="another")
    assert (await people.sign_in(person, "token")).needs_code
    assert await enter(person, "000000") is None


@pytest.mark.both
async def test_a_colleague_takes_it_off_never_oneself(people, clock):
    person, admin = await enrol(people, clock), await people.staff("an")
    await enter(person, code_at(clock))
    with pytest.raises(rules.OwnRoles):
        await db.write(actions_second.take_off, actor=Actor(person), person_id=person)
    await db.write(actions_second.take_off, actor=Actor(admin), person_id=person)
    assert await session_of("token") is None
    assert not (await people.sign_in(person, "another")).needs_code
    told = await db.row("SELECT person_id, subject_id FROM trail_record WHERE verb = 'second_step.taken_off'")
    assert tuple(told) == (admin, person)
    watched = await db.rows("SELECT facts FROM outbox WHERE topic = 'watched'")
    assert any("second_step.taken_off" in one["facts"] for one in watched)
    with pytest.raises(NoSecondStep):
        await db.write(actions_second.take_off, actor=Actor(admin), person_id=person)


async def test_one_gives_up_ones_own_by_a_code_of_it(people, clock):
    person = await enrol(people, clock)
    assert not await db.write(actions_second.give_up, person_id=person, code="000000")
    assert await db.write(actions_second.give_up, person_id=person, code=code_at(clock))
    assert not await staff.has_second_step(person)


# Through pages


async def test_signing_in_asks_for_the_code_on_a_second_page(people, clock, browser):
    await enrol(people, clock)
    desk = browser()
    answer = await desk.post("/sign-in", data={"login": "ling", "password": PASSWORD, "next": "/people"})
    assert answer.headers["location"] == "/sign-in/code"
    assert "sid" not in desk.cookies
    assert (await desk.get("/people")).status_code == 303
    assert (await desk.get("/sign-in/code")).status_code == 200
    wrong = await desk.post("/sign-in/code", data={"code": "000000"})
    assert (wrong.status_code, "sid" in desk.cookies) == (403, False)
    typed = code_at(clock)[:3] + " " + code_at(clock)[3:]
    answer = await desk.post("/sign-in/code", data={"code": typed})
    assert answer.headers["location"] == "/people"
    assert (await desk.get("/people")).status_code == 200
    assert (await desk.get("/sign-in/code")).headers["location"] == "/sign-in", "the ticket is gone"


async def test_a_ticket_is_void_after_five_minutes_after_a_change_and_when_forged(people, clock, browser):
    person = await enrol(people, clock)
    late, changed, forged = browser(), browser(), browser()
    for desk in (late, changed, forged):
        await desk.post("/sign-in", data={"login": "ling", "password": PASSWORD})
    ticket = forged.cookies["ticket"]
    forged.cookies.set("ticket", ticket[:-2] + ("00" if ticket[-2:] != "00" else "11"), domain="points.test")
    assert (await forged.post("/sign-in/code", data={"code": code_at(clock)})).status_code in {403, 410}
    clock.advance(minutes=5)
    assert (await late.post("/sign-in/code", data={"code": code_at(clock)})).status_code == 410
    await changed.post("/sign-in", data={"login": "ling", "password": PASSWORD})
    await db.write(actions_staff.reset_password, person_id=person, password_hash="another")
    assert (await changed.post("/sign-in/code", data={"code": code_at(clock)})).status_code == 410
    assert "sid" not in late.cookies


async def test_one_sets_it_up_by_oneself_and_sees_the_secret_once(people, clock, browser):
    await people.staff("ling")
    desk = await sign_in(browser, "ling")
    assert (await desk.post("/me/second-step", data={"password": "not mine", **KEY})).status_code == 400
    assert (await desk.get("/me/second-step/qr.png")).status_code == 404
    await desk.post("/me/second-step", data={"password": PASSWORD, **KEY})
    page = await desk.get("/me/second-step")
    secret = base64.b32decode(shown(page, "secret").replace(" ", ""))
    picture = await desk.get("/me/second-step/qr.png")
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/png", "no-store")
    assert (await desk.post("/me/second-step/confirm", data={"code": "12", **KEY})).status_code == 400
    code = totp.code(secret, totp.step_of(clock.now()))
    assert (await desk.post("/me/second-step/confirm", data={"code": code, **KEY})).headers["location"] == "/me"
    assert 'data-testid="secret"' not in (await desk.get("/me/second-step")).text
    assert (await desk.get("/me/second-step/qr.png")).status_code == 404
    kept = await db.rows("SELECT facts FROM trail_record UNION ALL SELECT facts FROM outbox")
    assert not any(secret.hex() in one["facts"] for one in kept)


async def test_where_it_is_required_nobody_does_anything_before(people, clock, browser):
    await people.staff("an")
    await people.staff("du", "supervisor", people.place.street)
    admin, overseer = await sign_in(browser, "an"), await sign_in(browser, "du")
    await admin.post("/people/staff/second-step", data={"required": "1", **KEY})
    for desk in (admin, overseer):
        assert (await desk.get("/")).headers["location"] == "/me/second-step"
        assert (await desk.get("/me/second-step")).status_code == 200
        for path in ("/people", "/overview", "/me", "/todo"):
            assert (await desk.get(path)).status_code == 403
    later = browser()
    answer = await later.post("/sign-in", data={"login": "an", "password": PASSWORD, "next": "/people"})
    assert answer.headers["location"] == "/me/second-step"
    await later.post("/me/second-step", data={"password": PASSWORD, **KEY})
    person = (await db.row("SELECT id FROM people_login WHERE login = 'an'"))["id"]
    code = totp.code(await staff.pending_secret(person, clock.now()), totp.step_of(clock.now()))
    answer = await later.post("/me/second-step/confirm", data={"code": code, **KEY})
    assert answer.headers["location"] == "/"
    assert (await later.get("/people")).status_code == 200
    await later.post("/people/staff/second-step", data={"required": "0", "request_key": "another-key-1"})
    assert (await overseer.get("/overview")).status_code == 200


async def test_an_admin_takes_a_colleagues_off_by_the_page(people, clock, browser):
    person = await enrol(people, clock, role="auditor")
    await people.staff("an")
    admin = await sign_in(browser, "an")
    address = f"/people/staff/{person}"
    assert f"{address}/second-step/off" in (await admin.get(address)).text
    await admin.post(f"{address}/second-step/off", data=KEY)
    assert f"{address}/second-step/off" not in (await admin.get(address)).text
    await sign_in(browser, "ling")
