"""A session's token is the server's, and dies with its login, grant or device (7); nobody changes his own roles (8)."""

import asyncio

import pytest

from pointsbank.kit import crypto, db
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import Forbidden
from pointsbank.people import access, actions, actions_phones, actions_staff, rules
from pointsbank.people.access import Permission, Role
from pointsbank.people.rules_roles import GRANTED_AT, PERMISSIONS
from tests.people.conftest import CHEAP, session_of


@pytest.mark.both
async def test_who_signs_in_has_one_role_at_one_place(people):
    person = await people.staff("ling")
    signed_in = await people.sign_in(person, "token")
    session = await session_of("token")
    assert signed_in.has_role
    assert (session.person_id, session.role, session.community_id) == (
        person,
        Role.COMMUNITY_ADMIN,
        people.place.community,
    )
    assert session.community_ids == (people.place.community,)
    assert session.permissions == PERMISSIONS[Role.COMMUNITY_ADMIN]
    assert (session.shown_name, session.unit_name) == ("测****g", "梧桐里社区居委会")


@pytest.mark.both
async def test_a_supervisor_sees_every_community_of_the_street_and_no_other(people):
    person = await people.staff("du", "supervisor", people.place.street)
    elsewhere = await db.write(actions.make_place, parent_id=None, kind="street", name="另一街道")
    await db.write(
        actions.make_community,
        street_id=elsewhere,
        name="外面社区",
        unit_name="外面",
        holder="person",
        service_phone="10000000001",
        oversight_phone="10000000002",
    )
    await people.sign_in(person, "token")
    session = await session_of("token")
    assert session.community_ids == (people.place.community, people.place.elsewhere)
    assert session.community_id is None


@pytest.mark.both
async def test_who_has_several_roles_chooses_one_and_gets_a_new_token(people):
    person = await people.staff("ling", "counter_staff")
    facts = {"person_id": person, "place_id": people.place.community}
    second = await db.write(actions_staff.grant, role="event_organiser", **facts)
    signed_in = await people.sign_in(person, "token")
    session = await session_of("token")
    assert not signed_in.has_role
    assert session.role is None
    assert session.permissions == frozenset()
    assert session.community_ids == ()
    await db.write(
        actions_staff.choose_role,
        session_id=session.id,
        person_id=person,
        grant_id=second,
        token_digest=crypto.token_digest("second token"),
    )
    assert await session_of("token") is None
    assert (await session_of("second token")).role is Role.EVENT_ORGANISER


async def test_nobody_chooses_somebody_elses_role(people):
    person, admin = await people.staff("ling", "counter_staff"), await people.staff("an")
    await people.sign_in(person, "token")
    found = await db.row("SELECT id FROM people_role_grant WHERE person_id = ?", admin)
    session = await session_of("token")
    with pytest.raises(rules.RoleUnfit):
        await db.write(
            actions_staff.choose_role,
            session_id=session.id,
            person_id=person,
            grant_id=found["id"],
            token_digest=crypto.token_digest("second token"),
        )


async def test_a_token_that_was_never_issued_is_nobodys(people):
    await people.staff("ling")
    assert await session_of("chosen by the client") is None


async def test_a_cookie_opens_no_api_and_a_bearer_token_no_pages(people):
    person = await people.staff("ling")
    await people.sign_in(person, "cookie")
    await db.write(
        actions_staff.issue_token, login="ling", name="兑换机", token_digest=crypto.token_digest("bearer"), days=90
    )
    assert await session_of("cookie", "bearer") is None
    assert await session_of("bearer", "cookie") is None
    assert (await session_of("bearer", "bearer")).kind == "token"


async def test_a_staff_session_ends_after_twelve_hours(people, clock):
    await people.sign_in(await people.staff("ling"), "token")
    for _ in range(47):
        clock.advance(minutes=15)
        assert await session_of("token") is not None
    clock.advance(minutes=15)
    assert await session_of("token") is None


async def test_changing_roles_does_not_lengthen_a_session_nor_bring_one_back(people, clock):
    person = await people.staff("ling")
    grant = await db.write(actions_staff.grant, person_id=person, role="grid_worker", place_id=people.place.community)
    first = await people.sign_in(person, "one")
    which = {"person_id": person, "grant_id": grant}
    clock.advance(hours=11)
    digest = crypto.token_digest("two")
    await db.write(actions_staff.choose_role, session_id=first.session_id, token_digest=digest, **which)
    assert await session_of("two") is not None
    with pytest.raises(Forbidden):
        await db.write(actions_staff.choose_role, session_id=first.session_id, token_digest=b"three", **which)
    clock.advance(hours=1)
    assert await session_of("two") is None


async def test_a_residents_session_ends_after_180_days(people, clock):
    person = await people.member()
    device = await people.phone_of(person, "phone")
    facts = {"person_id": person, "device_id": device}
    await db.write(actions_phones.open_resident_session, token_digest=crypto.token_digest("token"), **facts)
    session = await session_of("token")
    assert (session.kind, session.role, session.permissions) == ("resident", None, frozenset({Permission.OWN}))
    clock.advance(days=180)
    assert await session_of("token") is None


@pytest.mark.both
async def test_disabling_a_login_ends_its_sessions_and_tokens_at_once(people):
    person = await people.staff("ling")
    await people.sign_in(person, "cookie")
    digest = crypto.token_digest("bearer")
    await db.write(actions_staff.issue_token, login="ling", name="兑换机", token_digest=digest, days=90)
    assert await session_of("cookie") is not None
    assert await session_of("bearer", "bearer") is not None
    await db.write(actions_staff.disable_login, person_id=person)
    assert await session_of("cookie") is None
    assert await session_of("bearer", "bearer") is None
    with pytest.raises(rules.SignInFailed):
        await people.sign_in(person, "again")
    with pytest.raises(rules.UnknownLogin):
        await db.write(actions_staff.issue_token, login="ling", name="兑换机", token_digest=digest, days=90)


@pytest.mark.both
async def test_taking_a_role_back_ends_the_sessions_in_it(people):
    person = await people.staff("ling")
    await people.sign_in(person, "token")
    session = await session_of("token")
    await db.write(actions_staff.end_grant, grant_id=session.grant_id)
    assert await session_of("token") is None


async def test_signing_out_everywhere_leaves_tokens_of_programs(people):
    person = await people.staff("ling")
    for token in ("here", "there"):
        await people.sign_in(person, token)
    digest = crypto.token_digest("bearer")
    await db.write(actions_staff.issue_token, login="ling", name="兑换机", token_digest=digest, days=90)
    await db.write(actions_phones.end_all_sessions, person_id=person)
    assert [await session_of("here"), await session_of("there")] == [None, None]
    assert await session_of("bearer", "bearer") is not None


async def test_a_changed_password_ends_the_other_sessions(people):
    person = await people.staff("ling")
    for token in ("here", "there"):
        await people.sign_in(person, token)
    here = await session_of("here")
    await db.write(
        actions_staff.change_password,
        person_id=person,
        password_hash=crypto.hash_password("another one 8", CHEAP),
        session_id=here.id,
    )
    assert await session_of("here") is not None
    assert await session_of("there") is None


async def test_a_password_changed_while_it_was_checked_does_not_sign_in(people):
    person = await people.staff("ling")
    with pytest.raises(rules.SignInFailed):
        await db.write(
            actions_staff.sign_in,
            person_id=person,
            password_hash=crypto.hash_password("an older one", CHEAP),
            token_digest=crypto.token_digest("token"),
        )


@pytest.mark.both
async def test_five_wrong_passwords_block_a_login_for_fifteen_minutes(people, clock):
    person = await people.staff("ling")
    for _ in range(4):
        await db.write(actions_staff.count_failure, person_id=person)
    await people.sign_in(person, "after four")
    for _ in range(5):
        await db.write(actions_staff.count_failure, person_id=person)
    with pytest.raises(rules.SignInFailed):
        await people.sign_in(person, "after five")
    clock.advance(minutes=15)
    await db.write(actions_staff.count_failure, person_id=person)  # the first of a new row, not the sixth
    await people.sign_in(person, "later")


@pytest.mark.both
async def test_guesses_made_at_once_are_all_counted(people):
    person = await people.staff("ling")
    await asyncio.gather(*(db.write(actions_staff.count_failure, person_id=person) for _ in range(20)))
    found = await db.row("SELECT failures FROM people_login WHERE id = ?", person)
    assert found["failures"] == 20


async def test_without_a_role_nobody_signs_in(people):
    person = await people.staff("ling")
    found = await db.row("SELECT id FROM people_role_grant WHERE person_id = ?", person)
    await db.write(actions_staff.end_grant, grant_id=found["id"])
    with pytest.raises(rules.NoRole):
        await people.sign_in(person, "token")


async def test_nobody_changes_his_own_roles_or_sign_in(people):
    person = await people.staff("ling")
    found = await db.row("SELECT id FROM people_role_grant WHERE person_id = ?", person)
    own = {"actor": Actor(person_id=person)}
    hashed = crypto.hash_password("another one 8", CHEAP)
    for action, facts in (
        (actions_staff.grant, {"person_id": person, "role": "auditor", "place_id": people.place.street}),
        (actions_staff.end_grant, {"grant_id": found["id"]}),
        (actions_staff.disable_login, {"person_id": person}),
        (actions_staff.reset_password, {"person_id": person, "password_hash": hashed}),
    ):
        with pytest.raises(rules.OwnRoles):
            await db.write(action, **own, **facts)


@pytest.mark.both
async def test_a_role_is_granted_only_where_it_belongs_and_once(people):
    person = await people.member()
    with pytest.raises(rules.RoleUnfit):
        await db.write(actions_staff.grant, person_id=person, role="counter_staff", place_id=people.place.street)
    with pytest.raises(rules.RoleUnfit):
        await db.write(actions_staff.grant, person_id=person, role="supervisor", place_id=people.place.community)
    facts = {"person_id": person, "role": "auditor", "place_id": people.place.community}
    await db.write(actions_staff.grant, **facts)
    with pytest.raises(rules.RoleHeld):
        await db.write(actions_staff.grant, **facts)


@pytest.mark.both
async def test_a_login_is_one_persons_and_a_person_has_one(people):
    first = await people.staff("ling")
    second = await people.member()
    facts = {"password_hash": "none", "must_change": True}
    for person, login in ((second, "ling"), (first, "another")):
        with pytest.raises(rules.LoginTaken):
            await db.write(actions_staff.make_login, person_id=person, login=login, **facts)


@pytest.mark.both
async def test_a_revoked_or_expired_token_is_dead(people, clock):
    await people.staff("ling")
    digest = crypto.token_digest("bearer")
    made = await db.write(actions_staff.issue_token, login="ling", name="一", token_digest=digest, days=2)
    assert await session_of("bearer", "bearer") is not None
    assert await db.write(actions_staff.revoke_token, session_id=made)
    assert await session_of("bearer", "bearer") is None
    assert not await db.write(actions_staff.revoke_token, session_id=made)
    other = crypto.token_digest("other")
    await db.write(actions_staff.issue_token, login="ling", name="二", token_digest=other, days=2)
    clock.advance(days=2)
    assert await session_of("other", "bearer") is None


@pytest.mark.both
async def test_a_token_of_somebody_with_several_roles_names_one(people):
    person = await people.staff("ling", "counter_staff")
    await db.write(actions_staff.grant, person_id=person, role="auditor", place_id=people.place.community)
    facts = {"login": "ling", "name": "兑换机", "days": 90, "token_digest": crypto.token_digest("bearer")}
    with pytest.raises(rules.SeveralRoles):
        await db.write(actions_staff.issue_token, **facts)
    await db.write(actions_staff.issue_token, **facts, role="counter_staff")
    assert (await session_of("bearer", "bearer")).role is Role.COUNTER_STAFF


async def test_a_lost_phone_is_signed_out_and_shows_no_code(people):
    person = await people.member()
    device = await people.phone_of(person, "phone")
    facts = {"person_id": person, "device_id": device}
    await db.write(actions_phones.open_resident_session, token_digest=crypto.token_digest("token"), **facts)
    code = await people.code_of(device)
    await db.write(actions_phones.unbind_phones, person_id=person)
    assert await session_of("token") is None
    with pytest.raises(rules.UnknownCode):
        await people.take(code)


async def test_a_session_is_remembered_for_as_long_as_the_database_is_open(people):
    await people.sign_in(await people.staff("ling"), "token")
    await session_of("token")
    assert isinstance(access.find_session(crypto.token_digest("token"), "cookie"), access.Session)
    assert access._remembered.database is db.current()


def test_who_serves_at_a_counter_neither_registers_people_nor_counts_stock():
    counter = PERMISSIONS[Role.COUNTER_STAFF]
    assert not counter & {Permission.REGISTER_PEOPLE, Permission.KEEP_STOCK, Permission.SEE_PEOPLE}
    assert [role for role, allowed in PERMISSIONS.items() if Permission.REDEEM in allowed] == [Role.COUNTER_STAFF]


def test_whoever_oversees_changes_nothing():
    reads = {permission for permission in Permission if permission.startswith("see_")} | {Permission.WORK}
    assert PERMISSIONS[Role.SUPERVISOR] | PERMISSIONS[Role.AUDITOR] <= reads


def test_every_role_has_permissions_and_places():
    assert set(PERMISSIONS) == set(GRANTED_AT) == set(Role) == set(access.ROLE_NAMES)
    assert all(Permission.OWN not in allowed and Permission.WORK in allowed for allowed in PERMISSIONS.values())
