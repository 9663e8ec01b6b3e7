"""Only an activation code, or staff typing the digits that a phone shows, binds a phone to a member (3)."""

import asyncio

import pytest

from pointsbank.kit import crypto, db
from pointsbank.people import actions, actions_cards, actions_phones, queries, rules, sealed
from tests.people.conftest import session_of


class Slip:
    """What is printed for a person's live card."""

    def __init__(self, people, person, issued):
        self.people, self.person = people, person
        self.token = sealed.activation_token(issued.card_id, issued.generation)
        self.digits = sealed.typed_activation(issued.card_id, issued.generation)

    async def number(self):
        found = await db.row("SELECT member_number FROM people_person WHERE id = ?", self.person)
        return found["member_number"]

    async def scan(self, device):
        digest = actions_phones.activation_digest(self.token)
        return await db.write(actions_phones.activate, activation=digest, device_id=await self.people.device(device))

    async def type(self, device, digits=None, number=None):
        return await db.write(
            actions_phones.activate_typed,
            number=number or await self.number(),
            typed=actions_phones.typed_digest(digits or self.digits),
            device_id=await self.people.device(device),
        )


async def slip_for(people, person):
    return Slip(people, person, await db.write(actions_cards.issue_card, person_id=person))


async def phones_of(person):
    return [found["id"] for found in await db.rows("SELECT id FROM people_device WHERE person_id = ?", person)]


async def test_the_slip_binds_a_phone(people):
    person = await people.member()
    slip = await slip_for(people, person)
    assert await slip.scan("phone") == person
    assert await phones_of(person) == [await people.device("phone")]


async def test_a_slip_is_good_once(people):
    slip = await slip_for(people, await people.member())
    await slip.scan("phone")
    with pytest.raises(rules.WrongActivation):
        await slip.scan("stranger")
    assert await slip.type("stranger") is None


@pytest.mark.both
async def test_of_many_phones_at_once_one_is_bound(people):
    person = await people.member()
    slip = await slip_for(people, person)
    await asyncio.gather(*(people.device(f"phone {n}") for n in range(8)))
    answers = await asyncio.gather(*(slip.scan(f"phone {n}") for n in range(8)), return_exceptions=True)
    assert answers.count(person) == 1
    assert len(await phones_of(person)) == 1


async def test_a_slip_lives_thirty_days(people, clock):
    slip = await slip_for(people, await people.member())
    clock.advance(days=30)
    with pytest.raises(rules.WrongActivation):
        await slip.scan("phone")
    assert await slip.type("phone") is None


async def test_a_slip_is_dead_with_its_card(people):
    person = await people.member()
    first = await slip_for(people, person)
    second = await slip_for(people, person)
    with pytest.raises(rules.WrongActivation):
        await first.scan("phone")
    assert await first.type("phone") is None
    await db.write(actions_cards.report_lost, person_id=person)
    with pytest.raises(rules.WrongActivation):
        await second.scan("phone")
    assert await second.type("phone") is None


async def test_the_typed_digits_bind_too(people):
    person = await people.member()
    slip = await slip_for(people, person)
    assert await slip.type("phone") == person


@pytest.mark.both
async def test_five_wrong_tries_kill_a_slip(people):
    slip = await slip_for(people, await people.member())
    for _ in range(5):
        assert await slip.type("stranger", digits="000000000000") is None
    assert await slip.type("phone") is None
    with pytest.raises(rules.WrongActivation):
        await slip.scan("phone")


async def test_four_wrong_tries_do_not(people):
    person = await people.member()
    slip = await slip_for(people, person)
    for _ in range(4):
        assert await slip.type("stranger", digits="000000000000") is None
    assert await slip.type("phone") == person


async def test_the_digits_of_one_slip_do_not_fit_another_number(people):
    slip, other = await slip_for(people, await people.member()), await slip_for(people, await people.member())
    assert await slip.type("phone", number=await other.number()) is None


@pytest.mark.parametrize("token", ["", "0" * 16, "一二三", "Z" * 500])
async def test_a_guessed_token_binds_nothing(people, token):
    await slip_for(people, await people.member())
    digest = actions_phones.activation_digest(token)
    with pytest.raises(rules.WrongActivation):
        await db.write(actions_phones.activate, activation=digest, device_id=await people.device("phone"))


async def test_nothing_that_is_stored_opens_a_slip(people):
    slip = await slip_for(people, await people.member())
    stored = await db.row("SELECT token_digest, typed_digest FROM people_activation")
    assert slip.token.encode() not in bytes(stored[0])
    assert bytes(stored[0]) != crypto.token_digest(slip.token)
    assert bytes(stored[1]) != crypto.token_digest(slip.digits)


async def pairing(people, device):
    digest = crypto.token_digest(device)
    started = await db.write(actions_phones.start_pairing, old_device=digest, new_device=digest)
    return actions_phones.pairing_digest(sealed.pairing_digits(started))


@pytest.mark.both
async def test_staff_bind_the_phone_that_shows_the_digits(people):
    person = await people.member()
    digits = await pairing(people, "phone")
    await db.write(actions_phones.finish_pairing, digits=digits, person_id=person)
    opened = await db.write(
        actions_phones.open_paired,
        device_digest=crypto.token_digest("phone"),
        session_digest=crypto.token_digest("session"),
    )
    assert opened.person_id == person
    assert (await session_of("session")).person_id == person


async def test_pairing_digits_are_good_once_and_for_ten_minutes(people, clock):
    person = await people.member()
    used, late = await pairing(people, "phone"), await pairing(people, "slow phone")
    await db.write(actions_phones.finish_pairing, digits=used, person_id=person)
    clock.advance(minutes=10)
    for digits in (used, late):
        with pytest.raises(rules.WrongPairing):
            await db.write(actions_phones.finish_pairing, digits=digits, person_id=person)


@pytest.mark.both
async def test_asking_for_new_digits_ends_the_old_ones(people):
    person = await people.member()
    old = await pairing(people, "phone")
    await pairing(people, "phone")
    with pytest.raises(rules.WrongPairing):
        await db.write(actions_phones.finish_pairing, digits=old, person_id=person)


async def test_a_phone_that_was_not_paired_opens_nothing(people, clock):
    person = await people.member()
    await pairing(people, "phone")
    facts = {"device_digest": crypto.token_digest("phone"), "session_digest": crypto.token_digest("session")}
    with pytest.raises(rules.NotPaired):
        await db.write(actions_phones.open_paired, **facts)
    await people.phone_of(person, "other phone")
    with pytest.raises(rules.NotPaired):
        await db.write(actions_phones.open_paired, **facts)
    clock.advance(minutes=11)
    facts["device_digest"] = crypto.token_digest("other phone")
    with pytest.raises(rules.NotPaired):
        await db.write(actions_phones.open_paired, **facts)


async def test_a_stranger_with_a_neighbours_name_and_number_gets_nowhere(people):
    neighbour = await people.member("测试邻居", phone="10000000077", consent_publication=True)
    device = await people.device("stranger")
    stranger = await db.write(
        actions.register_provisional,
        community_id=people.place.community,
        device_id=device,
        name="测试邻居",
        phone="10000000077",
        consent_publication=True,
    )
    assert stranger != neighbour
    with pytest.raises(rules.StillProvisional):
        await people.take(await people.code_of(device), "visit")
    taken = await people.take(await people.code_of(device), "check_in")
    assert (taken.person_id, taken.state) == (stranger, "provisional")
    assert await phones_of(neighbour) == []


@pytest.mark.both
async def test_even_when_staff_take_the_stranger_for_the_neighbour_the_phone_does_not_follow(people):
    neighbour = await people.member("测试邻居", phone="10000000077")
    device = await people.device("stranger")
    facts = {"community_id": people.place.community, "name": "测试邻居", "phone": "10000000077"}
    stranger = await db.write(actions.register_provisional, device_id=device, consent_publication=False, **facts)
    await db.write(
        actions_phones.open_resident_session,
        token_digest=crypto.token_digest("session"),
        person_id=stranger,
        device_id=device,
    )
    assert (await session_of("session")).is_provisional
    await db.write(actions.mark_merged, person_id=stranger, into_id=neighbour)
    assert await session_of("session") is None
    assert await phones_of(neighbour) == []
    assert await queries.current_phone_code(device, db.current().writer.clock.now()) is None


async def test_registering_twice_with_one_phone_makes_one_person(people):
    device = await people.device("phone")
    facts = {"community_id": people.place.community, "device_id": device, "phone": "10000000077"}
    first = await db.write(actions.register_provisional, name="测试甲", consent_publication=False, **facts)
    second = await db.write(actions.register_provisional, name="测试乙", consent_publication=False, **facts)
    assert first == second


async def test_a_members_phone_that_registers_stays_the_members(people):
    person = await people.member()
    device = await people.phone_of(person, "phone")
    facts = {"community_id": people.place.community, "device_id": device, "phone": "10000000077"}
    assert await db.write(actions.register_provisional, name="测试乙", consent_publication=False, **facts) == person
