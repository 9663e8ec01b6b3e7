"""The passbook through HTTP: one's own, nobody else's, and the same lines as JSON."""

import pytest

from pointsbank.kit import db
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line
from tests.world import visiting

pytestmark = pytest.mark.both


async def spent(world, person, clerk, points=5):
    good = await world.good(points=points)
    return await db.write(
        redemption.order,
        actor=clerk,
        counter_id=world.home.counter_id,
        code=await world.card(person),
        lines=[Line(quantity=1, good=good)],
        community_ids=(world.home.id,),
    )


async def test_a_passbook_shows_each_line_and_what_is_left_after_it(world):
    clerk, _ = await world.staff(Role.COUNTER_STAFF)
    person = await world.person(points=30)
    _, token = await world.phone(person)
    await spent(world, person, clerk)

    async with visiting(world, cookie=token) as phone:
        every, earned, paid = [await phone.get(f"/ledger?side={side}") for side in ("all", "in", "out")]

    assert "＋30" in every.text
    assert "－5" in every.text
    assert "余 25" in every.text
    assert "－5" not in earned.text
    assert "＋30" not in paid.text


async def test_a_line_opens_for_its_owner_alone(world):
    clerk, _ = await world.staff(Role.COUNTER_STAFF)
    person, neighbour = await world.person(points=30), await world.person(points=30)
    await spent(world, person, clerk)
    entry = await db.row("SELECT MAX(id) AS id FROM ledger_entry")
    seen = []
    for holder in (person, neighbour):
        _, token = await world.phone(holder)
        async with visiting(world, cookie=token) as phone:
            seen.append((await phone.get(f"/ledger/entries/{entry['id']}")).status_code)

    assert seen == [200, 404]


async def test_the_passbooks_of_a_person_as_json(world):
    clerk, _ = await world.staff(Role.COUNTER_STAFF)
    _, auditor = await world.staff(Role.AUDITOR, kind="token")
    _, counter = await world.staff(Role.COUNTER_STAFF, kind="token")
    person, foreign = await world.person(points=30), await world.person(points=9, community=world.communities[1])
    await spent(world, person, clerk)

    async with visiting(world, bearer=auditor) as program:
        told = await program.get(f"/api/ledger/people/{person}/passbooks")
        hidden = await program.get(f"/api/ledger/people/{foreign}/passbooks")
    async with visiting(world, bearer=counter) as program:
        refused = await program.get(f"/api/ledger/people/{person}/passbooks")

    (passbook,) = told.json()["passbooks"]
    assert passbook["balance"] == 25
    assert [(line["points"], line["balance_after"]) for line in passbook["lines"]] == [(-5, 25), (30, 30)]
    assert (hidden.status_code, refused.status_code) == (404, 404)


async def test_who_never_earned_has_an_empty_passbook(world):
    _, auditor = await world.staff(Role.AUDITOR, kind="token")
    person = await world.person()

    async with visiting(world, bearer=auditor) as program:
        told = await program.get(f"/api/ledger/people/{person}/passbooks")

    assert told.json() == {"person": person, "passbooks": []}
