"""A card or phone code is good for one community; a phone code for one use of each purpose (4, 5)."""

import asyncio

import pytest

from pointsbank.kit import codes, db
from pointsbank.people import actions_cards, actions_phones, queries, rules


@pytest.mark.both
async def test_a_card_says_whose_it_is(people):
    household = await people.household()
    person = await people.member(household_id=household)
    number = await queries.member_number(None, person)
    card = await db.write(actions_cards.issue_card, person_id=person)
    taken = await people.take(actions_cards.card_code_of(card.card_id, card.generation))
    assert taken == actions_cards.Scanned(person, household, "card", "member", "person", number, card.card_id)


async def test_a_card_works_again_and_again(people):
    code = await people.card(await people.member())
    assert await people.take(code) == await people.take(code)


@pytest.mark.both
async def test_a_phone_code_is_good_once_for_each_purpose(people):
    person = await people.member()
    code = await people.code_of(await people.phone_of(person, "phone"))
    for purpose in ("check_in", "check_out", "visit"):
        assert (await people.take(code, purpose)).person_id == person
        with pytest.raises(rules.CodeUsed):
            await people.take(code, purpose)


async def test_a_screenshot_of_before_is_not_good_after_a_later_code(people):
    device = await people.phone_of(await people.member(), "phone")
    before, now = await people.code_of(device, -1), await people.code_of(device)
    await people.take(now)
    with pytest.raises(rules.CodeUsed):
        await people.take(before)


async def test_the_step_before_and_the_next_are_accepted(people):
    device = await people.phone_of(await people.member(), "phone")
    taken = [await people.take(await people.code_of(device, steps_later)) for steps_later in (-1, 0, 1)]

    assert {scanned.code_kind for scanned in taken} == {"phone"}


@pytest.mark.parametrize("steps_later", [-2, 2, 10])
async def test_other_steps_have_expired(people, steps_later):
    device = await people.phone_of(await people.member(), "phone")
    with pytest.raises(rules.CodeExpired):
        await people.take(await people.code_of(device, steps_later))


async def test_a_code_is_dead_61_seconds_after_it_left_the_screen(people, clock):
    device = await people.phone_of(await people.member(), "phone")
    code = await people.code_of(device)
    clock.advance(seconds=30 + 61)
    with pytest.raises(rules.CodeExpired):
        await people.take(code)


async def test_a_lost_card_is_dead_at_once(people):
    person = await people.member()
    code = await people.card(person)
    await db.write(actions_cards.report_lost, person_id=person)
    with pytest.raises(rules.CardLost) as refused:
        await people.take(code)
    assert refused.value.facts == {"day": "2026-11-21"}


@pytest.mark.both
async def test_a_new_card_ends_the_old_one(people):
    person = await people.member()
    old = await people.card(person)
    new = await people.card(person)
    with pytest.raises(rules.CardReplaced):
        await people.take(old)
    assert (await people.take(new)).person_id == person


@pytest.mark.both
async def test_of_cards_issued_at_once_the_last_one_lives(people):
    person = await people.member()
    for _ in range(2):  # once for the first card of all, once where there is one to replace
        cards = await asyncio.gather(*(people.card(person) for _ in range(4)))
        live = await db.rows("SELECT generation FROM people_card WHERE person_id = ? AND state = 'live'", person)
        assert len(set(cards)) == 4
        assert len(live) == 1


async def test_the_code_of_another_community_is_unknown(people):
    person = await people.member(community=people.place.elsewhere)
    card, device = await people.card(person), await people.phone_of(person, "phone")
    for code in (card, await people.code_of(device)):
        with pytest.raises(rules.UnknownCode):
            await people.take(code)
        assert (await people.take(code, community=people.place.elsewhere)).person_id == person


async def test_a_code_taken_in_the_wrong_community_is_not_used_up(people):
    person = await people.member()
    code = await people.code_of(await people.phone_of(person, "phone"))
    with pytest.raises(rules.UnknownCode):
        await people.take(code, community=people.place.elsewhere)
    assert (await people.take(code)).person_id == person


@pytest.mark.parametrize(
    ("scanned", "refusal"),
    [
        ("134567890123456789", rules.PaymentCode),
        ("2812345678901234567", rules.PaymentCode),
        ("6901234567892", rules.NotCardOrPhone),
        (codes.pickup_code("1234567890123456"), rules.NotCardOrPhone),
        (codes.card_code("1234567890123456"), rules.UnknownCode),
        (codes.card_code("1234567890123456", codes.CodeKind.PHONE), rules.UnknownCode),
        ("", rules.UnknownCode),
        ("你好", rules.UnknownCode),
        ("8" * 300, rules.UnknownCode),
    ],
)
async def test_whatever_else_is_scanned_is_told_apart(people, scanned, refusal):
    with pytest.raises(refusal):
        await people.take(scanned)


async def test_a_typed_member_number_opens_nothing(people):
    person = await people.member()
    found = await db.row("SELECT member_number FROM people_person WHERE id = ?", person)
    with pytest.raises(rules.TypedNumber):
        await people.take(found["member_number"])


@pytest.mark.both
async def test_a_visit_does_not_outlive_its_card_or_phone(people):
    person = await people.member()
    card_id = (await people.take(await people.card(person))).card_id
    await people.phone_of(person, "phone")

    async def still_good(kind):
        card = card_id if kind == "card" else None
        await db.write(actions_cards.check_code_still_good, person_id=person, code_kind=kind, card_id=card)

    await still_good("card")
    await still_good("phone")
    await db.write(actions_cards.report_lost, person_id=person)
    await db.write(actions_phones.unbind_phones, person_id=person)
    with pytest.raises(rules.CardLost):
        await still_good("card")
    with pytest.raises(rules.CodeExpired):
        await still_good("phone")


@pytest.mark.both
async def test_the_same_phone_code_at_two_counters_at_once_is_taken_once(people):
    code = await people.code_of(await people.phone_of(await people.member(), "phone"))
    answers = await asyncio.gather(*(people.take(code) for _ in range(16)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["CodeUsed"] * 15 + ["Scanned"]


async def test_a_card_costs_one_statement_and_a_phone_code_two(people, said):
    person = await people.member()
    card, device = await people.card(person), await people.phone_of(person, "phone")
    said.clear()
    await people.take(card)
    assert len(said) == 1
    await people.take(await people.code_of(device))
    assert len(said) == 3
