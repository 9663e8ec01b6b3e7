"""A merge is an alias (2), records of others are not found (1), fields lie sealed and are shown masked (6)."""

import pytest

from pointsbank.kit import crypto, db
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions, actions_own, actions_phones, queries, queries_roster, roster, rules
from tests.people.conftest import session_of

pytestmark = pytest.mark.both


async def provisional(people, device="phone", name="测试甲", phone="10000000077"):
    return await db.write(
        actions.register_provisional,
        community_id=people.place.community,
        device_id=await people.device(device),
        name=name,
        phone=phone,
        consent_publication=True,
    )


async def test_a_merged_person_is_found_as_who_it_turned_out_to_be(people):
    home = await people.household()
    member = await people.member("测试甲", household_id=home)
    partner = await people.member("测试乙", household_id=home)
    alias = await provisional(people)
    await db.write(actions.mark_merged, person_id=alias, into_id=member)
    assert (await queries.holder_of(None, alias)).person_id == member
    assert await queries.ids_of(None, alias) == await queries.ids_of(None, member) == sorted([member, alias])
    assert await queries.same_household(None, alias, member)
    assert await queries.same_household(None, alias, partner)
    assert (await queries.member_view([people.place.community], alias)).person_id == member
    assert (await queries.masked_names([alias]))[alias] == (await queries.masked_names([member]))[member]


async def test_an_alias_of_an_alias_ends_at_the_last_one(people):
    first, second, third = [await people.member() for _ in range(3)]
    await db.write(actions.mark_merged, person_id=first, into_id=second)
    await db.write(actions.mark_merged, person_id=second, into_id=third)
    assert (await queries.holder_of(None, first)).person_id == third
    assert await queries.ids_of(None, second) == sorted([first, second, third])


async def test_whoever_is_parted_takes_the_own_aliases_along(people):
    first, second, third, fourth = [await people.member() for _ in range(4)]
    await db.write(actions.mark_merged, person_id=first, into_id=second)
    await db.write(actions.mark_merged, person_id=fourth, into_id=third)
    await db.write(actions.mark_merged, person_id=second, into_id=third)
    [merge] = await db.rows("SELECT id FROM people_merge WHERE person_id = ?", second)

    await db.write(actions.mark_separated, merge_id=merge["id"], reason="两位同名")

    assert await queries.ids_of(None, first) == sorted([first, second])
    assert await queries.ids_of(None, third) == sorted([third, fourth])


async def test_cards_and_bound_phones_of_a_merged_member_are_the_canonical_ones(people):
    double, member = await people.member(), await people.member()
    card, device = await people.card(double), await people.phone_of(double, "phone")
    facts = {"person_id": double, "device_id": device}
    await db.write(actions_phones.open_resident_session, token_digest=crypto.token_digest("token"), **facts)
    await db.write(actions.mark_merged, person_id=double, into_id=member)
    assert (await people.take(card)).person_id == member
    assert (await people.take(await people.code_of(device))).person_id == member
    assert (await session_of("token")).person_id == member


async def test_a_merge_needs_another_living_member_of_the_same_community(people):
    here, there = await people.member(), await people.member(community=people.place.elsewhere)
    alias, waiting = await provisional(people), await provisional(people, "other phone")
    for into in (there, alias, waiting, 999_999):
        with pytest.raises(rules.BadMerge):
            await db.write(actions.mark_merged, person_id=alias, into_id=into)
    await db.write(actions.mark_merged, person_id=alias, into_id=here)
    with pytest.raises(rules.NotSettled):
        await db.write(actions.mark_merged, person_id=alias, into_id=here)


async def test_a_new_resident_joins_the_roster_and_keeps_the_phone(people):
    person = await provisional(people)
    assert await roster.count(people.place.community) == 0
    await db.write(actions.accept_provisional, person_id=person)
    assert [one.person_id for one in await roster.search(people.place.community, "")] == [person]
    code = await people.code_of(await people.device("phone"))
    assert (await people.take(code)).person_id == person
    with pytest.raises(rules.NotSettled):
        await db.write(actions.accept_provisional, person_id=person)


async def test_strangers_do_not_live_together(people):
    assert not await queries.same_household(None, await people.member(), await people.member())


async def test_somebody_of_another_community_is_not_found(people):
    person = await people.member(community=people.place.elsewhere)
    card = await people.card(person)
    scope = [people.place.community]
    now = db.current().writer.clock.now()
    for look in (
        queries.member_view(scope, person),
        queries_roster.person_page(scope, person, now),
        queries_roster.field_of(scope, person, "phone"),
        queries_roster.printed_card(scope, person),
        queries.member_view(scope, 999_999),
        queries.member_view([], person),
    ):
        with pytest.raises(NotFound):
            await look
    with pytest.raises(rules.UnknownCode):
        await queries.page_of_card(scope, card)


async def test_nothing_readable_about_a_person_is_stored(people):
    home = await people.household(door="九〇一室")
    await people.member("测试甲", household_id=home, phone="10000000077", id_number="11010519491231002X")
    rows = [*await db.rows("SELECT * FROM people_person"), *await db.rows("SELECT * FROM people_household")]
    stored = b"".join(cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row)
    for secret in ("测试甲", "10000000077", "11010519491231002X", "九〇一室"):
        assert secret.encode() not in stored


async def test_a_sealed_name_moved_to_another_row_does_not_open(people):
    first, second = await people.member("测试甲"), await people.member("测试乙")

    async def swap(tx):
        await tx.run(
            "UPDATE people_person SET name = (SELECT name FROM people_person WHERE id = ?) WHERE id = ?", second, first
        )

    await db.write(swap)
    with pytest.raises(crypto.Unreadable):
        await queries.member_view([people.place.community], first)


async def test_who_was_erased_keeps_only_the_number(people):
    person = await people.member("测试甲")

    async def erase(tx):
        await tx.run("UPDATE people_person SET wrapped_key = NULL WHERE id = ?", person)

    await db.write(erase)
    view = await queries.member_view([people.place.community], person)
    assert view.masked_name == view.member_number
    assert view.masked_phone == ""


async def test_a_notice_names_only_who_agreed_to_it(people):
    home = await people.household()
    shy = await people.member("测试甲", household_id=home)
    open_one = await people.member("测试小乙", household_id=home, consent_publication=True)
    view = await queries.member_view([people.place.community], shy)
    assert await queries.notice_name(None, shy) == (view.member_number, "93 号楼")
    assert await queries.notice_name(None, open_one) == ("测**乙", "93 号楼")
    await db.write(actions_own.change_publication_consent, person_id=open_one, given=False, how="call")
    assert (await queries.notice_name(None, open_one))[0] != "测**乙"
    await db.write(actions_own.change_publication_consent, person_id=open_one, given=True, how="call")
    assert (await queries.notice_name(None, open_one))[0] == "测**乙"


async def test_an_id_number_is_one_members(people):
    await people.member(id_number="11010519491231002X")
    with pytest.raises(rules.IdNumberTaken):
        await people.member(id_number="11010519491231002X")
    await people.member(community=people.place.elsewhere, id_number="11010519491231002X")


async def test_consent_is_kept_with_purpose_version_and_time(people, clock):
    person = await provisional(people)
    found = await db.rows(
        "SELECT purpose, version, given_at FROM people_consent WHERE person_id = ? ORDER BY id", person
    )
    assert [tuple(one) for one in found] == [
        ("service", rules.CONSENT_VERSION, clock.now()),
        ("publication", rules.CONSENT_VERSION, clock.now()),
    ]


async def test_neighbours_behind_one_door_are_one_household(people):
    facts = {
        "community_id": people.place.community,
        "building_id": people.place.building,
        "phone": None,
        "consent_publication": False,
    }
    first = await db.write(actions.register_at_door, door="301", name="测试甲", **facts)
    second = await db.write(actions.register_at_door, door="301", name="测试乙", **facts)
    apart = await db.write(actions.register_at_door, door="302", name="测试甲", **facts)
    assert await queries.same_household(None, first, second)
    assert not await queries.same_household(None, first, apart)
    home = (await queries.holder_of(None, first)).household_id
    assert await queries.head_of(home) == first
    with pytest.raises(rules.AlreadyAtDoor):
        await db.write(actions.register_at_door, door="301", name="测试甲", **facts)
