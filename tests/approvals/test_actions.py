"""A second pair of eyes: who may be it, what it saw, and that it counts once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from pointsbank.approvals import actions, queries
from pointsbank.approvals.rules import (
    AlreadyDecided,
    Dependent,
    FactsChanged,
    NotGiven,
    NotTheMaker,
    OwnBenefit,
    OwnRequest,
    RoleEnded,
    Subject,
    facts_hash,
    fit_on,
)
from pointsbank.kit import crypto, db
from pointsbank.people import actions as people
from pointsbank.people import actions_phones, actions_staff
from pointsbank.people.access import Role

pytestmark = pytest.mark.both

KIND = "tests.thing"
THING = Subject("tests", "thing", 7)
FACTS = facts_hash(["thing", 7, 120])


async def asked(world, maker, *, people=(), households=(), subject=THING) -> int:
    return await db.write(
        actions.ask, actor=maker, community_id=world.home.id, kind=KIND, subject=subject, facts_hash=FACTS,
        person_ids=list(people), household_ids=list(households),
    )  # fmt: skip


async def admin(world, household_id: int | None = None):
    """An admin who is signed in, and lives where it is said."""
    actor, _ = await world.staff(Role.COMMUNITY_ADMIN)
    if household_id is not None:
        await db.write(move, person_id=actor.person_id, household_id=household_id)
    return actor


async def move(tx: db.Tx, *, person_id: int, household_id: int) -> None:
    await tx.run("UPDATE people_person SET household_id = ? WHERE id = ?", household_id, person_id)


async def passer_by(world) -> int:
    """Somebody who is not settled yet."""
    device_id = await db.write(actions_phones.make_device, token_digest=crypto.token_digest("a passer-by"))
    return await db.write(
        people.register_provisional, community_id=world.home.id, device_id=device_id, name="测试过客",
        phone="10000009999", consent_publication=False,
    )  # fmt: skip


def use(approval_id: int, **changes) -> dict:
    return {"approval_id": approval_id, "kind": KIND, "subject": THING, "facts_hash": FACTS, **changes}


async def test_another_one_who_gains_nothing_gives_it_and_it_is_used_once(world):
    neighbour = await world.person()
    approval_id = await asked(world, await admin(world), people=[neighbour])

    with pytest.raises(NotGiven):
        await db.write(actions.use, **use(approval_id))
    await db.write(actions.give, actor=await admin(world), approval_id=approval_id, seen=FACTS)
    await db.write(actions.use, **use(approval_id))

    with pytest.raises(NotGiven):
        await db.write(actions.use, **use(approval_id))
    assert (await queries.approval(None, approval_id)).state == "used"


async def test_the_maker_does_not_decide_and_nobody_else_withdraws(world):
    maker, other = await admin(world), await admin(world)
    approval_id = await asked(world, maker)

    with pytest.raises(OwnRequest):
        await db.write(actions.give, actor=maker, approval_id=approval_id, seen=FACTS)
    with pytest.raises(OwnRequest):
        await db.write(actions.refuse, actor=maker, approval_id=approval_id, reason="测试")
    with pytest.raises(NotTheMaker):
        await db.write(actions.withdraw, actor=other, approval_id=approval_id)

    await db.write(actions.withdraw, actor=maker, approval_id=approval_id)
    with pytest.raises(AlreadyDecided):
        await db.write(actions.give, actor=other, approval_id=approval_id, seen=FACTS)


async def test_the_maker_is_known_under_an_alias_too(world):
    alias, checker = await passer_by(world), await admin(world)
    approval_id = await asked(world, db.Actor(alias))

    await db.write(people.mark_merged, person_id=alias, into_id=checker.person_id)

    with pytest.raises(OwnRequest):
        await db.write(actions.give, actor=checker, approval_id=approval_id, seen=FACTS)


async def test_nobody_confirms_what_they_or_their_home_gain(world):
    home = await world.household()
    maker, stranger = await admin(world), await admin(world)
    lives_there, alias = await admin(world, home), await passer_by(world)
    child = await world.person(household_id=home)
    by_person = await asked(world, maker, people=[child, lives_there.person_id])
    by_home = await asked(world, maker, households=[home], subject=Subject("tests", "thing", 8))
    by_alias = await asked(world, maker, people=[alias], subject=Subject("tests", "thing", 9))
    await db.write(people.mark_merged, person_id=alias, into_id=child)

    for approval_id in (by_person, by_home, by_alias):
        with pytest.raises(OwnBenefit):
            await db.write(actions.give, actor=lives_there, approval_id=approval_id, seen=FACTS)
        await db.write(actions.give, actor=stranger, approval_id=approval_id, seen=FACTS)


async def test_a_role_that_ended_after_the_page_was_opened_confirms_nothing(world):
    approval_id = await asked(world, await admin(world))
    checker = await admin(world)
    grant = await db.row("SELECT id FROM people_role_grant WHERE person_id = ?", checker.person_id)

    await db.write(actions_staff.end_grant, grant_id=grant["id"])

    with pytest.raises(RoleEnded):
        await db.write(actions.give, actor=checker, approval_id=approval_id, seen=FACTS)
    assert (await queries.approval(None, approval_id)).state == "open"


async def test_it_is_given_for_what_was_seen_and_used_for_what_was_given(world):
    approval_id = await asked(world, await admin(world))
    checker = await admin(world)

    with pytest.raises(FactsChanged):
        await db.write(actions.give, actor=checker, approval_id=approval_id, seen=facts_hash(["thing", 7, 121]))
    await db.write(actions.give, actor=checker, approval_id=approval_id, seen=FACTS)

    with pytest.raises(FactsChanged):
        await db.write(actions.use, **use(approval_id, facts_hash=facts_hash(["thing", 7, 121])))
    for other in ({"subject": Subject("tests", "thing", 8)}, {"kind": "tests.other"}):
        with pytest.raises(NotGiven):
            await db.write(actions.use, **use(approval_id, **other))


async def test_of_two_who_decide_at_once_one_is_told_that_it_is_done(world):
    approval_id = await asked(world, await admin(world))
    checkers = [await admin(world) for _ in range(4)]

    told = await asyncio.gather(
        *(db.write(actions.give, actor=one, approval_id=approval_id, seen=FACTS) for one in checkers),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in told) == ["AlreadyDecided"] * 3 + ["NoneType"]
    decided = await queries.approval(None, approval_id)
    assert decided.checker_id in [one.person_id for one in checkers]


async def test_a_refusal_is_final_and_says_why(world):
    approval_id = await asked(world, await admin(world))

    await db.write(actions.refuse, actor=await admin(world), approval_id=approval_id, reason="分数和存折对不上")

    with pytest.raises(AlreadyDecided):
        await db.write(actions.give, actor=await admin(world), approval_id=approval_id, seen=FACTS)
    with pytest.raises(NotGiven):
        await db.write(actions.use, **use(approval_id))
    assert (await queries.approval(None, approval_id)).reason == "分数和存折对不上"


async def made_staff(world, by, *, login_by=None):
    """A resident whom one admin made an admin too, and to whom that one, or another, gave the login; signed in."""
    person_id = await world.person("测试新员")
    world.made += 1
    login = {"login": f"new{world.made}", "password_hash": "", "must_change": False}
    await db.write(actions_staff.make_login, actor=login_by or by, person_id=person_id, **login)
    grant = {"role": Role.COMMUNITY_ADMIN.value, "place_id": world.home.id}
    grant_id = await db.write(actions_staff.grant, actor=by, person_id=person_id, **grant)
    session_id = await db.write(
        actions_phones.open_session, kind="staff", token_digest=f"new {world.made}".encode(), person_id=person_id,
        grant_id=grant_id, device_id=None, name=None, expires_at=world.clock.now() + timedelta(days=30),
    )  # fmt: skip
    return db.Actor(person_id, session_id)


async def test_whoever_somebody_appointed_agrees_to_nothing_of_theirs_for_seven_days(world):
    """7."""
    maker, other = await admin(world), await admin(world)
    straw = await made_staff(world, maker)
    approval_id = await asked(world, maker)

    for decide, said in ((actions.give, {"seen": FACTS}), (actions.refuse, {"reason": "测试"})):
        with pytest.raises(Dependent) as refused:
            await db.write(decide, actor=straw, approval_id=approval_id, **said)
        assert refused.value.facts == {"day": "2026-11-29"}  # appointed on the 21st
    assert isinstance(await queries.unfit(None, approval_id, straw.person_id), Dependent)
    assert await queries.unfit(None, approval_id, other.person_id) is None

    world.clock.advance(days=7)
    with pytest.raises(Dependent):
        await db.write(actions.give, actor=straw, approval_id=approval_id, seen=FACTS)
    world.clock.advance(hours=12)
    await db.write(actions.give, actor=straw, approval_id=approval_id, seen=FACTS)


async def test_a_new_password_makes_dependent_and_so_does_a_login_alone(world):
    """7."""
    maker, deputy, other = await admin(world), await admin(world), await admin(world)
    given_login = await made_staff(world, other, login_by=maker)
    approval_id = await asked(world, maker)

    assert await queries.unfit(None, approval_id, deputy.person_id) is None
    await db.write(actions_staff.reset_password, actor=maker, person_id=deputy.person_id, password_hash="")

    for one in (deputy, given_login):
        assert isinstance(await queries.unfit(None, approval_id, one.person_id), Dependent)


async def test_dependence_goes_both_ways_through_others_and_to_those_whom_one_appointed(world):
    """7."""
    root, outsider = await admin(world), await admin(world)
    first = await made_staff(world, root)
    second, third = await made_staff(world, first), await made_staff(world, root)
    makers = {maker: await asked(world, maker, subject=Subject("tests", "thing", maker.person_id)) for maker in (
        root, first, second, third)}  # fmt: skip

    for maker, approval_id in makers.items():
        for checker in makers:
            kind = OwnRequest if checker is maker else Dependent
            assert isinstance(await queries.unfit(None, approval_id, checker.person_id), kind)
        assert await queries.unfit(None, approval_id, outsider.person_id) is None


async def test_a_straw_is_known_under_an_alias_too(world):
    """7."""
    root, alias = await admin(world), await passer_by(world)
    maker, straw = await made_staff(world, root), await made_staff(world, db.Actor(alias))
    await db.write(people.mark_merged, person_id=alias, into_id=maker.person_id)

    for one in (maker, root):
        approval_id = await asked(world, one, subject=Subject("tests", "thing", one.person_id))
        assert isinstance(await queries.unfit(None, approval_id, straw.person_id), Dependent)


def test_the_day_counts_from_the_last_of_the_ways_that_join_two():
    first, second, third = (datetime(2026, 11, day, 4, tzinfo=UTC) for day in (1, 5, 9))

    assert fit_on({1: None}, {2: None, 3: first}) is None
    assert str(fit_on({1: None}, {2: None, 1: first})) == "2026-11-09"
    assert str(fit_on({1: None, 3: third, 4: second}, {2: None, 3: first, 4: second})) == "2026-11-13"
