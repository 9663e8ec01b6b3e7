"""Through HTTP: one person and one household, setting right, consent, requests, one's own data; all masked."""

import pytest

from pointsbank.kit import crypto, db
from pointsbank.people import actions, actions_cards, actions_own, actions_phones, actions_tags, queries, queries_own
from pointsbank.people.rules import CONSENT_VERSION
from tests.people.conftest import KEY, session_of, shown, sign_in

NAME, PHONE, DOOR = "测试金丝雀", "10000000077", "九〇一室"


@pytest.fixture
async def canary(people):
    """Somebody whose every field would be seen if it slipped through."""
    home = await people.household(door=DOOR)
    return await people.member(
        NAME, phone=PHONE, household_id=home, id_number="11010519491231002X", consent_publication=True
    )


async def phone(people, browser, person):
    """A phone activated by the slip of a new card."""
    issued = await db.write(actions_cards.issue_card, person_id=person)
    token = actions_cards.sealed.activation_token(issued.card_id, issued.generation)
    own = browser()
    assert (await own.post(f"/a/{token}", data={"request_key": f"activate-{issued.card_id}"})).status_code == 303
    return own


async def home_of(person):
    return (await queries.holder_of(None, person)).household_id


async def test_no_page_of_staff_shows_more_than_was_asked_for(people, browser, canary, caplog):
    mate = await people.member("测试同住", household_id=await home_of(canary))
    await people.staff("an")
    await db.write(actions_own.ask_correction, person_id=canary, field="name", value="测试金丝燕")
    desk = await sign_in(browser, "an")
    home = await home_of(canary)
    (request,) = await queries_own.requests_of(canary)
    pages = [
        "/people", "/people?card=no&phone=yes&home=shared&sort=name", f"/people/{canary}",
        f"/people/{canary}?view=hours", f"/people/{canary}?view=orders", f"/people/{canary}?view=trail",
        f"/people/{canary}/correct",
        f"/people/households/{home}", "/people/requests", f"/people/requests/{request.id}",
        f"/governance/people/{canary}/move", f"/governance/people/{canary}/leave", "/people/provisional",
    ]  # fmt: skip
    texts = {url: await desk.get(url) for url in pages}
    texts["found"] = await desk.post("/people/find", data={"q": "金丝雀", "card": "no"})
    asked = {"building": str(people.place.building), "door": "1", "reason": "moved", "together": str(mate), **KEY}
    texts["check"] = await desk.post(f"/governance/people/{canary}/move/check", data=asked)
    assert {url: answer.status_code for url, answer in texts.items()} == dict.fromkeys(texts, 200)
    secrets = (NAME, "金丝燕", PHONE, DOOR, "11010519491231")
    seen = [(url, it) for url, answer in texts.items() for it in secrets if it in answer.text]
    assert seen == []
    assert not any(it in caplog.text for it in secrets)


@pytest.mark.parametrize(("field", "value"), [("name", NAME), ("phone", PHONE), ("door", DOOR)])
async def test_one_field_is_shown_and_who_looked_is_told(people, browser, canary, field, value):
    await people.staff("an")
    desk = await sign_in(browser, "an")
    refused = await desk.post(f"/people/{canary}/show", data={"field": field, "purpose": "", **KEY})
    assert (refused.status_code, value in refused.text) == (400, False)
    answer = await desk.post(f"/people/{canary}/show", data={"field": field, "purpose": "本人来电", **KEY})
    assert shown(answer, "shown-value") == value
    assert sum(secret in answer.text for secret in (NAME, PHONE, DOOR)) == 1
    assert "本人来电" in (await desk.get(f"/people/{canary}?view=trail")).text
    assert value not in (await desk.get(f"/people/{canary}")).text


async def test_a_door_is_shown_on_the_household_s_page_and_everybody_there_is_told(people, browser, canary):
    mate = await people.member("测试同住", household_id=await home_of(canary))
    await people.staff("an")
    desk = await sign_in(browser, "an")
    answer = await desk.post(f"/people/households/{await home_of(canary)}/show", data={"purpose": "上门送卡", **KEY})
    assert shown(answer, "shown-value") == DOOR
    for person in (canary, mate):
        (look,) = queries_own.looks(await queries_own.history(person))
        assert (look.what, look.purpose) == ("door", "上门送卡")


async def test_staff_set_a_name_or_number_right_and_no_value_is_kept(people, browser, canary):
    await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    url = f"/people/{canary}/correct"
    wrong = await desk.post(url, data={"field": "phone", "value": "123", "reason": "换号", **KEY})
    assert wrong.status_code == 400
    for key, field, value in (
        ("a", "phone", "100 0000 0088"),
        ("b", "name", "测试新名"),
        ("c", "birth_year", "１９５０"),
    ):
        data = {"field": field, "value": value, "reason": "本人来说", "request_key": key * 22}
        assert (await desk.post(url, data=data)).status_code == 303
    data = await queries_own.own_data(canary)
    assert (data.name, data.phone, data.birth_year) == ("测试新名", "10000000088", 1950)
    listed = (await desk.post("/people/find", data={"q": "csxm"})).text
    assert "测**名" in listed
    kept = [tuple(one) for one in await db.rows("SELECT facts FROM trail_record WHERE verb = 'person.corrected'")]
    assert not any(value in str(kept) for value in ("新名", "10000000088", "1950"))


async def test_consent_is_given_and_withdrawn_on_behalf_and_says_how(people, browser, canary):
    await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    for key, given, how in (("a", "no", "call"), ("b", "no", "paper"), ("c", "yes", "paper")):
        data = {"given": given, "how": how, "request_key": key * 22}
        assert (await desk.post(f"/people/{canary}/consent", data=data)).status_code == 303
    told = [(one.how, one.withdrawn_how) for one in await queries_own.consents(canary) if one.purpose == "publication"]
    assert told == [("paper", None), (None, "call")]
    strange = await desk.post(f"/people/{canary}/consent", data={"given": "yes", "how": "own_phone", **KEY})
    assert strange.status_code == 303
    assert len([one for one in await queries_own.consents(canary) if one.version == CONSENT_VERSION]) == 3


async def test_consent_to_tags_is_withdrawn_and_the_tags_go_with_it(people, browser, canary):
    own = await phone(people, browser, canary)
    mate = await people.member("测试乙")
    tag = await db.write(actions_tags.make_tag, community_id=people.place.community, name="测试志愿者")

    async def give(tx):
        for person in (canary, mate):
            await tx.run(
                "INSERT INTO people_person_tag (person_id, tag_id, given_at) VALUES (?, ?, ?)", person, tag, tx.now
            )
            await tx.run(
                "INSERT INTO people_consent (person_id, purpose, version, given_at) VALUES (?, 'tags', '1', ?)",
                person, tx.now,
            )  # fmt: skip

    await db.write(give)
    await people.staff("ling", "grid_worker")
    desk = await sign_in(browser, "ling")
    assert "测试志愿者" in (await own.get("/me")).text
    assert "测试志愿者" in (await own.post("/me/data", data={"who": NAME, "form": "page"})).text
    assert "同意记标签" in (await desk.get(f"/people/{mate}")).text
    assert (await own.post("/me/tags/end", data=KEY)).status_code == 303
    assert (await desk.post(f"/people/{mate}/tags/end", data=KEY)).status_code == 303
    assert "测试志愿者" not in (await own.get("/me")).text
    assert await db.rows("SELECT 1 FROM people_person_tag") == []
    told = [one.withdrawn_how for one in await queries_own.consents(mate) if one.purpose == "tags"]
    assert told == ["in_person"]


async def test_filters_narrow_the_roster_and_stand_in_the_address(people, browser):
    home = await people.household(door="10")
    carded = await people.member("测试甲", household_id=home, phone=None)
    await people.card(carded)
    mate = await people.member("测试乙", household_id=home, consent_publication=True)
    alone = await people.member("测试丙", household_id=await people.household(door="9"))
    await people.staff("ling", "grid_worker")
    staff = await db.row("SELECT MAX(id) FROM people_person")
    desk = await sign_in(browser, "ling")

    async def found(query: str) -> list[int]:
        text = (await desk.get(f"/people?{query}")).text
        order = [(text.find(f'href="/people/{one}"'), one) for one in (carded, mate, alone, staff[0])]
        return [one for place, one in sorted(order) if place >= 0]

    assert await found("card=yes") == [carded]
    assert await found("phone=no") == [carded]
    assert await found("home=shared") == [carded, mate]
    assert await found("home=single&card=no") == [alone, staff[0]]
    assert await found("consent=yes") == [mate]
    assert await found(f"place={people.place.building}") == [alone, carded, mate]
    assert await found("place=999999") == []
    assert await found("since=2026-11-22") == []
    assert await found("since=nonsense&card=perhaps&place=x") == [alone, carded, mate, staff[0]]
    assert await found("sort=name&home=shared") == [carded, mate]
    assert (await desk.post("/people/find", data={"q": "", "card": "yes"})).headers["location"] == "/people?card=yes"
    searched = (await desk.post("/people/find", data={"q": "测试", "card": "yes"})).text
    assert f'href="/people/{carded}"' in searched
    assert f'href="/people/{mate}"' not in searched


async def test_those_who_left_are_listed_by_their_numbers(people, browser, canary):
    number = (await queries.member_view([people.place.community], canary)).member_number
    await db.write(actions_own.leave, person_id=canary, how="paper", answer="签字")
    await people.staff("an")
    desk = await sign_in(browser, "an")
    assert number in (await desk.get("/people?state=left")).text
    page = await desk.get(f"/people/{canary}")
    assert "已退出" in page.text
    assert (await desk.get(f"/governance/people/{canary}/leave")).status_code == 404


# What a resident may do


async def test_one_s_own_data_needs_an_activated_phone_and_a_word_that_is_not_on_it(people, browser, canary):
    own = await phone(people, browser, canary)
    page = await own.get("/me/data")
    assert PHONE not in page.text
    wrong = await own.post("/me/data", data={"who": "测试别人", "form": "page"})
    assert (wrong.status_code, PHONE in wrong.text, NAME in wrong.text) == (400, False, False)
    for typed in (NAME, "１００ 0000 0077"):
        right = await own.post("/me/data", data={"who": typed, "form": "page"})
        assert right.status_code == 200
        assert all(it in right.text for it in (NAME, PHONE, DOOR, "002X"))
        assert right.headers["cache-control"] == "no-store"
    file = await own.post("/me/data", data={"who": NAME, "form": "file"})
    assert file.headers["content-disposition"].startswith("attachment")
    assert DOOR in file.text


async def test_guessing_who_one_is_has_an_end_and_another_phone_is_not_shut(people, browser, canary):
    own, other = await phone(people, browser, canary), await phone(people, browser, canary)
    tries = [(await own.post("/me/data", data={"who": f"猜{n}", "form": "page"})).status_code for n in range(10)]
    assert set(tries) == {400}
    assert (await own.post("/me/data", data={"who": NAME, "form": "page"})).status_code == 400
    assert (await other.post("/me/data", data={"who": NAME, "form": "page"})).status_code == 200


async def test_a_phone_that_only_registered_at_a_poster_neither_sees_nor_asks(people, browser):
    own = browser()
    person = await db.write(
        actions.register_provisional,
        community_id=people.place.community,
        device_id=await people.device("poster"),
        name=NAME,
        phone=PHONE,
        consent_publication=False,
    )
    device = await people.device("poster")
    await db.write(
        actions_phones.open_resident_session, token_digest=crypto.token_digest("t"), person_id=person, device_id=device
    )
    own.cookies.set("sid", "t")
    answers = [
        await own.post("/me/data", data={"who": NAME, "form": "page"}),
        await own.post("/me/requests/correct", data={"field": "name", "value": "测试新名", **KEY}),
        await own.post("/me/requests/leave", data=KEY),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 403]
    assert not any(PHONE in answer.text for answer in answers)
    assert await queries_own.requests_of(person) == []


async def test_a_correction_is_asked_for_looked_at_and_made_and_the_resident_reads_the_answer(people, browser, canary):
    own = await phone(people, browser, canary)
    asked = {"field": "phone", "value": "10000000099"}
    assert (await own.post("/me/requests/correct", data={**asked, **KEY})).status_code == 303
    again = await own.post("/me/requests/correct", data={**asked, "request_key": "z" * 22})
    assert again.status_code == 400
    (request,) = await queries_own.requests_of(canary)
    await people.staff("an")
    desk = await sign_in(browser, "an")
    assert "10000000099" not in (await desk.get(f"/people/requests/{request.id}")).text
    look = await desk.post(f"/people/requests/{request.id}/show", data=KEY)
    assert shown(look, "shown-value") == "10000000099"
    done = await desk.post(
        f"/people/requests/{request.id}", data={"verdict": "accept", "answer": "已经改好", "request_key": "d" * 22}
    )
    assert done.status_code == 303
    assert (await queries_own.own_data(canary)).phone == "10000000099"
    assert "已经改好" in (await own.get("/me/requests")).text
    late = {"verdict": "refuse", "answer": "不改", "request_key": "e" * 22}
    assert (await desk.post(f"/people/requests/{request.id}", data=late)).status_code == 409


async def test_a_request_is_taken_back_or_refused_with_words_and_leaving_is_not_just_answered(people, browser, canary):
    own = await phone(people, browser, canary)
    await own.post("/me/requests/leave", data=KEY)
    (request,) = await queries_own.requests_of(canary)
    await people.staff("an")
    desk = await sign_in(browser, "an")
    url = f"/people/requests/{request.id}"
    merely = await desk.post(url, data={"verdict": "accept", "answer": "好的", "request_key": "m" * 22})
    assert merely.status_code == 400
    refused = await desk.post(url, data={"verdict": "refuse", "answer": "本人改了主意", "request_key": "r" * 22})
    assert refused.status_code == 303
    assert "本人改了主意" in (await own.get("/me/requests")).text
    await own.post("/me/requests/leave", data={"request_key": "n" * 22})
    second = (await queries_own.requests_of(canary))[0]
    assert (await own.post(f"/me/requests/{second.id}/take-back", data={"request_key": "t" * 22})).status_code == 303
    stranger = await phone(people, browser, await people.member("测试乙"))
    assert (
        await stranger.post(f"/me/requests/{second.id}/take-back", data={"request_key": "t" * 22})
    ).status_code == 404
    assert [one.state for one in await queries_own.requests_of(canary)] == ["withdrawn", "refused"]


async def test_leaving_through_the_pages_ends_phone_and_sign_in_within_the_same_moment(people, browser, canary):
    own = await phone(people, browser, canary)
    await people.staff("an")
    desk = await sign_in(browser, "an")
    page = await desk.get(f"/governance/people/{canary}/leave")
    assert "放弃" not in page.text
    gone = await desk.post(
        f"/governance/people/{canary}/leave", data={"how": "in_person", "answer": "本人当面说", "points": "0", **KEY}
    )
    assert gone.headers["location"] == f"/people/{canary}"
    assert (await own.get("/home")).status_code == 303
    assert await session_of(own.cookies["sid"]) is None
