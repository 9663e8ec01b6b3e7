"""Through HTTP: activating and pairing a phone, and the code that it shows."""

import io
import itertools
import re

import pytest
import zxingcpp
from PIL import Image

from pointsbank.kit import crypto, db
from pointsbank.people import actions_cards, queries, rules, sealed
from tests.people.conftest import KEY, shown, sign_in

numbers = itertools.count(1)


def fresh_key() -> dict[str, str]:
    return {"request_key": f"key-of-a-phone-{next(numbers)}"}


async def slip_of(people, person):
    issued = await db.write(actions_cards.issue_card, person_id=person)
    token = sealed.activation_token(issued.card_id, issued.generation)
    digits = sealed.typed_activation(issued.card_id, issued.generation)
    found = await db.row("SELECT member_number FROM people_person WHERE id = ?", person)
    return token, digits, found["member_number"]


async def test_opening_the_slips_address_changes_nothing_and_its_button_signs_in(people, browser):
    person = await people.member("测试小甲")
    token, _digits, _number = await slip_of(people, person)
    phone = browser()
    page = await phone.get(f"/a/{token}")
    assert page.status_code == 200
    assert "测" not in re.sub(r"<[^>]+>", "", page.text)
    assert not phone.cookies
    answer = await phone.post(f"/a/{token}", data=fresh_key())
    assert (answer.status_code, answer.headers["location"]) == (303, "/home")
    assert "测**甲" in (await phone.get("/me")).text
    assert (await browser().post(f"/a/{token}", data=fresh_key())).status_code == 404


async def test_a_phone_that_lost_the_answer_gets_it_again_and_another_phone_does_not(people, browser):
    person = await people.member("测试小甲")
    token, _digits, _number = await slip_of(people, person)
    once, again, another = browser(), browser(), browser()
    pressed, key = f"/a/{token}", fresh_key()

    lost = await once.post(pressed, data=key)
    kept = await again.post(pressed, data=key)

    assert (lost.status_code, kept.status_code) == (303, 303)
    assert lost.headers.get_list("set-cookie") == kept.headers.get_list("set-cookie")
    assert "测**甲" in (await again.get("/me")).text
    assert (await another.post(pressed, data=fresh_key())).status_code == 404


async def test_activation_renews_the_cookie_of_the_browser(people, browser):
    token, _digits, _number = await slip_of(people, await people.member())
    phone = browser()
    await phone.post("/pair", data=KEY)
    planted = phone.cookies["dev"]
    await phone.post(f"/a/{token}", data=fresh_key())
    assert phone.cookies["dev"] != planted
    known = await db.rows("SELECT 1 FROM people_device WHERE token_digest = ?", crypto.token_digest(planted))
    assert known == []


async def test_the_digits_may_be_typed_in_groups_and_full_width(people, browser):
    _token, digits, number = await slip_of(people, await people.member())
    wide = digits.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    phone = browser()
    typed = {"number": f"{number[:3]} {number[3:6]} {number[6:]}", "digits": wide}
    answer = await phone.post("/activate", data={**typed, **fresh_key()})
    assert answer.status_code == 303


async def test_an_address_gets_twenty_wrong_activations_an_hour(people, browser):
    token, _digits, _number = await slip_of(people, await people.member())
    phone = browser()
    for _ in range(20):
        answer = await phone.post("/activate", data={"number": "123456789", "digits": "000000000000", **fresh_key()})
        assert answer.status_code == 404
    assert (await phone.post(f"/a/{token}", data=fresh_key())).status_code == 429
    people.clock.advance(hours=1, seconds=1)
    assert (await phone.post(f"/a/{token}", data=fresh_key())).status_code == 303


async def test_staff_pair_the_phone_before_them(people, browser):
    await people.staff("ling", "grid_worker")
    person = await people.member("测试小甲")
    phone, desk = browser(), await sign_in(browser, "ling")
    assert (await phone.get("/pair")).status_code == 200
    assert (await phone.post("/pair/open", data=fresh_key())).status_code == 409
    await phone.post("/pair", data=KEY)
    digits = shown(await phone.get("/pair"), "pairing-digits")
    assert (await desk.post(f"/people/{person}/pair", data={"digits": "00000000", **fresh_key()})).status_code == 400
    assert (await desk.post(f"/people/{person}/pair", data={"digits": digits, **fresh_key()})).status_code == 303
    assert (await phone.post("/pair/open", data=fresh_key())).headers["location"] == "/home"
    assert "测**甲" in (await phone.get("/code")).text


async def test_the_code_page_shows_what_a_counter_takes(people, browser, clock):
    person = await people.member()
    token, _digits, _number = await slip_of(people, person)
    phone = browser()
    await phone.post(f"/a/{token}", data=fresh_key())
    page = await phone.get("/code")
    digits = shown(page, "code-digits").replace(" ", "")
    for path in ("/code/qr.png", "/code/bar.png"):
        picture = await phone.get(path)
        assert picture.headers["cache-control"] == "no-store"
        read = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)).convert("L"))
        assert [one.text for one in read] == [digits]
    assert (await people.take(digits)).person_id == person
    clock.advance(seconds=30)
    assert shown(await phone.get("/code"), "code-digits").replace(" ", "") != digits


async def test_a_phone_that_was_signed_out_is_nobodys(people, browser):
    token, _digits, _number = await slip_of(people, await people.member())
    phone = browser()
    await phone.post(f"/a/{token}", data=fresh_key())
    code = shown(await phone.get("/code"), "code-digits").replace(" ", "")
    assert (await phone.post("/sign-out", data=KEY)).status_code == 303
    assert (await phone.get("/code")).status_code == 303
    assert (await phone.post("/pair/open", data=fresh_key())).status_code == 409
    with pytest.raises(rules.UnknownCode):
        await people.take(code)


async def test_consent_to_publication_is_changed_by_oneself(people, browser):
    person = await people.member()
    token, _digits, _number = await slip_of(people, person)
    phone = browser()
    await phone.post(f"/a/{token}", data=fresh_key())
    await phone.post("/me/consent", data={"publication": "1", **KEY})
    assert await queries.publishes(person)
    await phone.post("/me/consent", data={"request_key": "l" * 22})
    assert not await queries.publishes(person)
