"""Through HTTP: signing in and out, choosing a role, passwords, staff."""

import pytest

from pointsbank.kit import db
from pointsbank.people import actions_staff, attempts
from tests.people.conftest import KEY, PASSWORD, shown, sign_in


async def test_signing_in_leads_to_where_one_wanted_to_go(people, browser):
    await people.staff("ling")
    desk = browser()
    refused = await desk.get("/people?page=2")
    assert refused.headers["location"] == "/sign-in?next=/people"
    form = {"login": "ＬＩＮＧ ", "password": PASSWORD, "next": "/people"}
    answer = await desk.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/people")
    assert (await desk.get("/people")).status_code == 200


async def test_what_an_address_asked_for_is_not_taken_through_the_door(people, browser):
    await people.staff("ling")
    form = {"login": "ling", "password": PASSWORD, "next": "/people?q=csxj"}
    assert (await browser().post("/sign-in", data=form)).headers["location"] == "/people"


async def test_nobody_is_sent_to_another_site(people, browser):
    await people.staff("ling")
    answer = await browser().post(
        "/sign-in", data={"login": "ling", "password": PASSWORD, "next": "//evil.test/people"}
    )
    assert answer.headers["location"] == "/"


async def test_a_session_that_the_client_chose_is_nobodys(people, browser):
    await people.staff("ling")
    desk = browser()
    desk.cookies.set("sid", "chosen-by-the-client")
    answer = await desk.post("/sign-in", data={"login": "ling", "password": PASSWORD})
    assert "chosen-by-the-client" not in answer.headers["set-cookie"]
    thief = browser()
    thief.cookies.set("sid", "chosen-by-the-client")
    assert (await thief.get("/people")).status_code == 303


async def test_signing_in_again_ends_the_session_of_before(people, browser):
    await people.staff("ling")
    desk = await sign_in(browser, "ling")
    old = browser()
    old.cookies.set("sid", desk.cookies["sid"])
    await desk.post("/sign-in", data={"login": "ling", "password": PASSWORD})
    assert (await old.get("/people")).status_code == 303
    assert (await desk.get("/people")).status_code == 200


async def test_a_wrong_password_and_an_unknown_login_are_told_alike(people, browser):
    await people.staff("ling")
    answers = [
        await browser().post("/sign-in", data={"login": login, "password": "wrong password"})
        for login in ("ling", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    texts = [answer.text.replace("nobody", "ling") for answer in answers]
    assert texts[0] == texts[1]
    assert "wrong password" not in texts[0]


async def test_five_wrong_passwords_shut_out_the_right_one_too(people, browser):
    await people.staff("ling")
    for _ in range(5):
        await browser().post("/sign-in", data={"login": "ling", "password": "wrong password"})
    answer = await browser().post("/sign-in", data={"login": "ling", "password": PASSWORD})
    assert answer.status_code == 403


async def test_an_address_that_guesses_at_many_logins_is_stopped(people, browser):
    await people.staff("ling")
    for _ in range(attempts.sign_ins.most):
        attempts.sign_ins.count("127.0.0.1", people.clock.now())
    answer = await browser().post("/sign-in", data={"login": "ling", "password": PASSWORD})
    assert answer.status_code == 429
    people.clock.advance(minutes=16)
    await sign_in(browser, "ling")


async def test_signing_out_ends_the_session_and_not_only_the_cookie(people, browser):
    await people.staff("ling")
    desk = await sign_in(browser, "ling")
    copy = browser()
    copy.cookies.set("sid", desk.cookies["sid"])
    answer = await desk.post("/sign-out", data=KEY)
    assert answer.headers["location"] == "/sign-in"
    assert "clear-site-data" in answer.headers
    assert (await copy.get("/people")).status_code == 303


async def test_who_has_two_roles_chooses_before_anything_else(people, browser):
    person = await people.staff("ling", "event_organiser")
    second = await db.write(actions_staff.grant, person_id=person, role="grid_worker", place_id=people.place.community)
    desk = browser()
    answer = await desk.post("/sign-in", data={"login": "ling", "password": PASSWORD, "next": "/people"})
    assert answer.headers["location"] == "/choose-role"
    assert (await desk.get("/people")).status_code == 403
    before = desk.cookies["sid"]
    answer = await desk.post("/choose-role", data={"grant": str(second), **KEY})
    assert answer.status_code == 303
    assert desk.cookies["sid"] != before
    assert (await desk.get("/people")).status_code == 200
    assert (await desk.post("/choose-role", data={"grant": "999999", **KEY})).status_code == 400


async def test_a_one_time_password_must_be_changed_before_anything_else(people, browser):
    person = await people.member("测试组织者")
    await people.staff("an")
    admin = await sign_in(browser, "an")
    await admin.post(f"/people/staff/{person}/roles", data={"role": "event_organiser", **KEY})
    made = await admin.post(f"/people/staff/{person}/login", data={"login": "zuzhi", **KEY})
    one_time = shown(made, "one-time")
    desk = browser()
    answer = await desk.post("/sign-in", data={"login": "zuzhi", "password": one_time, "next": "/events"})
    assert answer.headers["location"] == "/me/password"
    for path in ("/me", "/choose-role", "/people"):
        assert (await desk.get(path)).status_code == 403
    own = {"old": one_time, "new": "my own words", "again": "my own words", **KEY}
    answer = await desk.post("/me/password", data=own)
    assert answer.status_code == 303
    assert (await desk.get("/me")).status_code == 200
    await sign_in(browser, "zuzhi", "my own words")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"old": "wrong password"}, "old"),
        ({"again": "something else"}, "again"),
        ({"new": "12345678", "again": "12345678"}, "new"),
        ({"new": PASSWORD, "again": PASSWORD}, "new"),
        ({"new": ""}, "new"),
    ],
)
async def test_a_password_that_does_not_fit_is_not_taken(people, browser, change, field):
    await people.staff("ling")
    desk = await sign_in(browser, "ling")
    data = {"old": PASSWORD, "new": "my own words", "again": "my own words", **KEY, **change}
    answer = await desk.post("/me/password", data=data)
    assert answer.status_code == 400
    assert f'id="{field}-wrong"' in answer.text
    await sign_in(browser, "ling")


async def test_an_admin_resets_the_password_of_a_colleague_and_not_his_own(people, browser):
    own, colleague = await people.staff("an"), await people.staff("ling", "grid_worker")
    admin, theirs = await sign_in(browser, "an"), await sign_in(browser, "ling")
    answer = await admin.post(f"/people/staff/{colleague}/reset", data=KEY)
    one_time = shown(answer, "one-time")
    assert "no-store" in answer.headers["cache-control"]
    assert (await theirs.get("/people")).status_code == 303
    await sign_in(browser, "ling", one_time)
    assert (await admin.post(f"/people/staff/{own}/reset", data=KEY)).status_code == 403


async def test_a_local_admin_does_not_reset_who_oversees_him(people, browser):
    await people.staff("an")
    overseer = await people.staff("du", "auditor")
    await db.write(actions_staff.grant, person_id=overseer, role="supervisor", place_id=people.place.street)
    admin = await sign_in(browser, "an")
    for what in ("reset", "disable"):
        assert (await admin.post(f"/people/staff/{overseer}/{what}", data=KEY)).status_code == 403


async def test_a_disabled_colleague_is_out_with_the_next_click(people, browser):
    colleague = await people.staff("ling", "grid_worker")
    await people.staff("an")
    admin, theirs = await sign_in(browser, "an"), await sign_in(browser, "ling")
    assert (await theirs.get("/people")).status_code == 200
    await admin.post(f"/people/staff/{colleague}/disable", data=KEY)
    assert (await theirs.get("/people")).status_code == 303
    answer = await browser().post("/sign-in", data={"login": "ling", "password": PASSWORD})
    assert answer.status_code == 403


async def test_an_admin_ends_a_role_of_his_community_only(people, browser):
    colleague = await people.staff("ling", "grid_worker")
    stranger = await people.staff("yuan", "grid_worker", people.place.elsewhere)
    await people.staff("an")
    admin = await sign_in(browser, "an")
    grants = {found["person_id"]: found["id"] for found in await db.rows("SELECT id, person_id FROM people_role_grant")}
    assert (await admin.post(f"/people/staff/grants/{grants[stranger]}/end", data=KEY)).status_code == 404
    assert (await admin.post(f"/people/staff/grants/{grants[colleague]}/end", data=KEY)).status_code == 303
