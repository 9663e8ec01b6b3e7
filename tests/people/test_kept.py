"""A form that is sent after its session ended is not lost: it travels through signing in."""

import html
import re

from pointsbank.kit import db, totp
from pointsbank.people import actions_second, actions_staff, sealed
from tests.people.conftest import PASSWORD, sign_in

HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
TYPED = {"request_key": "typed-before-1", "kind": "building", "name": "辛苦打的 <楼> & 名", "grid": "0"}


def hidden(text: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in HIDDEN.findall(text)}


async def test_what_was_typed_before_the_session_ended_is_sent_after_signing_in(people, clock, browser):
    await people.staff("an")
    desk = await sign_in(browser, "an")
    clock.advance(minutes=31)
    late = await desk.post("/people/places", data=TYPED)
    assert late.status_code == 401
    assert "没有丢" in late.text
    carried = {name: value for name, value in hidden(late.text).items() if name.startswith("kept")}
    wrong = await desk.post("/sign-in", data={"login": "an", "password": "wrong", **carried})
    again = {name: value for name, value in hidden(wrong.text).items() if name.startswith("kept")}
    assert again == carried, "a wrong password loses nothing either"
    ready = await desk.post("/sign-in", data={"login": "an", "password": PASSWORD, **carried})
    assert ready.status_code == 200
    assert 'action="/people/places"' in ready.text
    assert hidden(ready.text) == TYPED
    assert (await desk.post("/people/places", data=hidden(ready.text))).status_code == 303
    names = [one["name"] for one in await db.rows("SELECT name FROM people_place WHERE kind = 'building'")]
    assert TYPED["name"] in names


async def test_it_travels_through_the_second_page_too(people, clock, browser):
    person = await people.staff("an")
    desk = await sign_in(browser, "an")
    secret = bytes(20)
    await db.write(actions_second.begin, person_id=person, secret=sealed.seal_second_secret(person, secret))
    code = totp.code(secret, totp.step_of(clock.now()))
    await db.write(actions_second.confirm, person_id=person, code=code, session_id=0)
    clock.advance(minutes=31)
    late = await desk.post("/people/places", data=TYPED)
    asked = await desk.post("/sign-in", data={"login": "an", "password": PASSWORD, **hidden(late.text)})
    code = totp.code(secret, totp.step_of(clock.now()))
    ready = await desk.post("/sign-in/code", data={"code": code, **hidden(asked.text)})
    assert hidden(ready.text) == TYPED


async def test_passwords_are_not_kept_and_strangers_are_only_led_to_sign_in(people, clock, browser):
    await people.staff("an")
    desk = await sign_in(browser, "an")
    clock.advance(minutes=31)
    own = {"old": PASSWORD, "new": "another one 8", "again": "another one 8", "request_key": "typed-before-1"}
    answer = await desk.post("/me/password", data=own)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    answer = await browser().post("/people/places", data=TYPED)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    answer = await desk.post("/people/places", data={**TYPED, "name": "x" * 17_000})
    assert answer.status_code == 303


async def test_it_goes_to_a_path_of_ours_alone(people, browser):
    await people.staff("an")
    for path in ("//elsewhere.test/x", "https://elsewhere.test/", "javascript:alert(1)"):
        desk = browser()
        answer = await desk.post(
            "/sign-in", data={"login": "an", "password": PASSWORD, "kept_path": path, "kept.name": "x"}
        )
        assert answer.status_code == 303


async def test_whoever_comes_back_goes_on_in_the_role_of_before(people, clock, browser):
    person = await people.staff("ling", "event_organiser")
    facts = {"person_id": person, "place_id": people.place.community}
    second = await db.write(actions_staff.grant, role="grid_worker", **facts)
    desk = await sign_in(browser, "ling")
    await desk.post("/choose-role", data={"grant": str(second), "request_key": "choose-key-1"})
    clock.advance(minutes=31)
    answer = await desk.post("/sign-in", data={"login": "ling", "password": PASSWORD, "next": "/people"})
    assert answer.headers["location"] == "/people"
    assert (await desk.get("/people")).status_code == 200
