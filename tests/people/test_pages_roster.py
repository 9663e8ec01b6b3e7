"""Through HTTP: the roster, one person, registration at the door, cards, the queue."""

import re

import pytest

from pointsbank.kit import db
from pointsbank.people import actions, roster
from tests.people.conftest import KEY, shown, sign_in


async def test_the_roster_is_masked_and_one_field_is_shown_with_a_reason_that_is_kept(people, browser):
    person = await people.member("测试小甲", phone="10000000077")
    own = await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    listed = (await desk.post("/people/find", data={"q": "csxj"})).text
    assert "测**甲" in listed
    page = await desk.get(f"/people/{person}")
    for text in (listed, page.text):
        assert "测试小甲" not in text
        assert "10000000077" not in text
    refused = await desk.post(f"/people/{person}/show", data={"field": "phone", "purpose": "", **KEY})
    assert refused.status_code == 400
    assert "10000000077" not in refused.text
    answer = await desk.post(f"/people/{person}/show", data={"field": "phone", "purpose": "本人来电核对", **KEY})
    assert shown(answer, "shown-value") == "10000000077"
    assert "测试小甲" not in answer.text
    found = await db.row("SELECT person_id, facts FROM trail_record WHERE verb = 'person.field_shown'")
    assert found["person_id"] == own
    assert "本人来电核对" in found["facts"]
    assert "10000000077" not in found["facts"]


async def test_somebody_of_another_community_does_not_exist(people, browser):
    stranger = await people.member("测试外人", community=people.place.elsewhere)
    await people.card(stranger)
    await people.staff("an")
    desk = await sign_in(browser, "an")
    for path in ("", "/pair"):
        there = await desk.get(f"/people/{stranger}{path}")
        nowhere = await desk.get(f"/people/999999{path}")
        assert there.status_code == nowhere.status_code == 404
    for path, data in (
        ("/show", {"field": "name", "purpose": "看看"}),
        ("/card", {}),
        ("/card/lost", {}),
        ("/card/replace-lost", {}),
        ("/card/print", {}),
        ("/phones/unbind", {}),
        ("/pair", {"digits": "12345678"}),
    ):
        assert (await desk.post(f"/people/{stranger}{path}", data={**data, **KEY})).status_code == 404
    for path in ("roles", "login", "reset", "disable"):
        data = {"role": "grid_worker", "login": "someone", **KEY}
        assert (await desk.post(f"/people/staff/{stranger}/{path}", data=data)).status_code == 404


async def test_a_resident_is_registered_at_the_door_and_gets_a_card(people, browser):
    await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    form = {"name": "测试小乙", "building": str(people.place.building), "door": "301", "publication": "1", **KEY}
    answer = await desk.post("/people/new", data=form)
    assert answer.status_code == 303
    page = answer.headers["location"]
    assert (await desk.post(f"{page}/card", data={"request_key": "c" * 22})).status_code == 303
    printed = await desk.post(f"{page}/card/print", data=KEY)
    assert "测试小乙" in printed.text
    code = re.search(r"81\d\d( \d{4}){4}", printed.text)[0].replace(" ", "")
    assert (await people.take(code)).code_kind == "card"
    found = await desk.post("/people/scan", data={"code": code})
    assert found.headers["location"] == page
    assert (await desk.post(f"{page}/card/lost", data={"request_key": "l" * 22})).status_code == 303
    assert "已挂失" in (await desk.get(page)).text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "测\ue000试"}, "name"),
        ({"name": "长" * 41}, "name"),
        ({"phone": "12345"}, "phone"),
        ({"building": "999999"}, "building"),
        ({"building": "x"}, "building"),
        ({"door": ""}, "door"),
    ],
)
async def test_what_is_typed_wrong_at_the_door_is_said_and_kept(people, browser, change, field):
    await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    form = {"name": "测试小乙", "building": str(people.place.building), "door": "301", "phone": "", **KEY}
    answer = await desk.post("/people/new", data={**form, **change})
    assert answer.status_code == 400
    assert f'id="{field}-wrong"' in answer.text
    assert ("测试小乙" in answer.text) == ("name" not in change)


async def test_a_payment_code_at_the_roster_is_told_apart_and_not_shown_again(people, browser):
    await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    answer = await desk.post("/people/scan", data={"code": "134567890123456789"})
    assert answer.status_code == 400
    assert "付款码" in answer.text
    assert "134567890123456789" not in answer.text


async def test_the_queue_of_provisional_people_shows_masks_only(people, browser):
    await people.staff("an")
    await people.member("测试小甲", phone="10000000077")
    await db.write(
        actions.register_provisional,
        community_id=people.place.community,
        device_id=await people.device("phone"),
        name="测试小甲",
        phone="10000000077",
        consent_publication=False,
    )
    desk = await sign_in(browser, "an")
    text = (await desk.get("/people/provisional")).text
    assert "姓名手机都相同" in text
    assert "测试小甲" not in text
    assert "10000000077" not in text


async def test_somebody_who_waits_is_looked_for_in_the_roster(people, browser):
    await people.staff("an")
    other = await people.member("测试小乙", phone="10000000078")
    waiting = await db.write(
        actions.register_provisional,
        community_id=people.place.community,
        device_id=await people.device("phone"),
        name="测试小甲",
        phone="10000000077",
        consent_publication=False,
    )
    desk = await sign_in(browser, "an")
    found = await desk.post("/people/provisional/find", data={"of": str(waiting), "q": "csxy"})
    assert f'/governance/provisional/{waiting}?same_as={other}"' in found.text
    assert 'name="q" type="search" value="csxy"' in found.text
    assert "测试小乙" not in found.text
    nobody = await desk.post("/people/provisional/find", data={"of": "999999", "q": "csxy"})
    assert "same_as=" not in nobody.text


async def test_the_pages_of_a_search_are_forms_and_those_of_the_list_are_links(people, browser):
    for number in range(roster.PAGE_MAX + 1):
        await people.member(f"测试{'甲乙丙丁戊己庚辛壬癸'[number % 10]}")
    await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    listed = (await desk.get("/people")).text
    assert 'href="/people?page=2"' in listed
    assert 'href="/people" rel="prev"' in (await desk.get("/people?page=2")).text
    first = (await desk.post("/people/find", data={"q": "测试"})).text
    assert "/people?" not in first
    assert '<input type="hidden" name="q" value="测试">' in first
    assert re.findall(r'name="page" value="(\d+)"', first) == ["2"]
    second = (await desk.post("/people/find", data={"q": "测试", "page": "2"})).text
    assert re.findall(r'name="page" value="(\d+)"', second) == ["1"]
    shown_first, shown_second = (set(re.findall(r'href="/people/(\d+)"', text)) for text in (first, second))
    assert len(shown_first) == roster.PAGE_MAX
    assert shown_second
    assert not shown_first & shown_second


async def test_who_is_not_settled_yet_gets_neither_a_sign_in_nor_a_role(people, browser):
    stranger = await db.write(
        actions.register_provisional,
        community_id=people.place.community,
        device_id=await people.device("phone"),
        name="测试小甲",
        phone="10000000077",
        consent_publication=False,
    )
    await people.staff("an")
    desk = await sign_in(browser, "an")
    answers = [
        await desk.post(f"/people/staff/{stranger}/login", data={"login": "someone", **KEY}),
        await desk.post(f"/people/staff/{stranger}/roles", data={"role": "counter_staff", **KEY}),
    ]
    assert [answer.status_code for answer in answers] == [403, 400]
    assert all("还没有核对" in answer.text for answer in answers)
    assert await db.row("SELECT 1 FROM people_role_grant WHERE person_id = ?", stranger) is None


@pytest.mark.parametrize("path", ["/privacy", "/activate", "/pair", "/sign-in", "/a/0000000000000000"])
async def test_pages_for_everybody_open_without_signing_in(people, browser, path):
    assert (await browser().get(path)).status_code == 200


async def test_all_staff_pages_open(people, browser):
    person = await people.staff("ling", "grid_worker")
    await people.staff("an")
    desk = await sign_in(browser, "an", stay="1")
    for path in ("/people", f"/people/{person}", "/people/new", "/people/provisional", "/people/staff", "/me"):
        assert (await desk.get(path)).status_code == 200, path
    for path in (f"/people/staff/{person}", f"/people/{person}/pair", "/choose-role", "/me/password"):
        assert (await desk.get(path)).status_code == 200, path
    assert (await desk.get("/people?page=99999999999999999999")).status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/activate", "/pair", "/pair/open", "/a/x"])
async def test_rubbish_is_answered_and_not_obeyed(people, browser, path):
    for content in (b"\xff\xfe\x00", b"login=%ED%A0%80&password=%00", b"=" * 5000, b""):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await browser().post(path, content=content, headers=headers)
        assert answer.status_code < 500
