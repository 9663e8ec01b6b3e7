"""A lost card is dead at once wherever it could be used, and nothing brings it back; a phone it let in stays in."""

import asyncio
import json
import sys

import pytest

from pointsbank.kit import db
from pointsbank.people import actions_cards as cards
from pointsbank.people import actions_household_cards as household_cards
from pointsbank.people import sealed
from pointsbank.people.access import Role
from tests.world import visiting

KEY = {"request_key": "k" * 22}


async def report_by_desk(world, person):
    """挂失: at the person's page."""
    _, cookie = await world.staff(Role.GRID_WORKER)
    async with visiting(world, cookie=cookie) as desk:
        assert (await desk.post(f"/people/{person}/card/lost", data=KEY)).status_code == 303


async def replace_by_desk(world, person):
    """挂失并换新卡: at the person's page, in one click."""
    _, cookie = await world.staff(Role.GRID_WORKER)
    async with visiting(world, cookie=cookie) as desk:
        assert (await desk.post(f"/people/{person}/card/replace-lost", data=KEY)).status_code == 303


async def void_the_run(world, person):
    """这一批作废: the sheet on which the card was printed."""
    _, cookie = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=cookie) as desk:
        printed = await desk.post("/people/cards/print", data={**KEY, "kind": "member", "ids": str(person)})
        assert printed.status_code == 200
        run = await db.row("SELECT MAX(id) AS id FROM people_print_run")
        form = {"request_key": "v" * 22, "reason": "missing", "sure": "1"}
        assert (await desk.post(f"/people/cards/runs/{run['id']}/void", data=form)).status_code == 303


@pytest.mark.both
@pytest.mark.parametrize("end", [report_by_desk, replace_by_desk, void_the_run])
async def test_a_card_that_was_reported_lost_is_dead_everywhere(stage, world, end):
    rice, member = await world.good(points=5), await world.person(points=50)
    activity = await stage.activity()
    issued = await db.write(cards.issue_card, person_id=member)
    card = cards.card_code_of(issued.card_id, issued.generation)
    slip = sealed.activation_token(issued.card_id, issued.generation)
    clerk, door = await stage.program(Role.COUNTER_STAFF), await stage.program(Role.GRID_WORKER)
    counter = await stage.browser(Role.COUNTER_STAFF)
    place = f"/redemption/counters/{world.home.counter_id}"
    await counter.open(place)
    await counter.send(f"{place}/scan", code=card)
    assert "请扫商品" in counter.text
    visit = (await clerk.visit(world.home.counter_id, card)).json()["visit"]

    await end(world, member)

    refused = [
        await clerk.order(world.home.counter_id, rice, code=card),
        await clerk.order(world.home.counter_id, rice, visit=visit),
        await clerk.visit(world.home.counter_id, card),
        await door.check_in(activity, card),
        await door.check_out(activity, card),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(410, "people.card_lost")}
    again = await counter.send(f"{place}/scan", lines=f"{rice}:1", code="", act="confirm")
    assert again.status_code == 410
    assert "已挂失" in again.text
    async with visiting(world) as phone:
        opened = await phone.post(f"/a/{slip}", data=KEY)
        number = (await db.row("SELECT member_number FROM people_person WHERE id = ?", member))["member_number"]
        typed = sealed.typed_activation(issued.card_id, issued.generation)
        wrong = await phone.post("/activate", data={"request_key": "t" * 22, "number": number, "digits": typed})
    assert (opened.status_code, wrong.status_code) == (404, 404)
    assert await db.row("SELECT 1 FROM people_activation WHERE used_at IS NOT NULL") is None
    assert await world.balance(member) == 50


@pytest.mark.both
async def test_a_phone_that_the_slip_has_let_in_stays_when_the_card_is_lost(stage, world):
    rice, member = await world.good(points=5), await world.person(points=50)
    device, cookie = await world.phone(member)
    clerk = await stage.program(Role.COUNTER_STAFF)

    await report_by_desk(world, member)

    resident = await stage.browser(cookie=cookie)
    await resident.open("/code")
    assert resident.page.status_code == 200
    paid = await clerk.order(world.home.counter_id, rice, code=await stage.phone_code(device))
    assert paid.status_code == 201


@pytest.mark.both
async def test_a_card_that_is_found_again_stays_dead_and_only_a_new_one_lives(stage, world):
    rice, member = await world.good(points=5), await world.person(points=50)
    found_again = await world.card(member)
    clerk = await stage.program(Role.COUNTER_STAFF)
    await replace_by_desk(world, member)
    new = await db.row("SELECT id, generation FROM people_card WHERE person_id = ? AND state = 'live'", member)

    answers = [
        await clerk.order(world.home.counter_id, rice, code=code)
        for code in (found_again, cards.card_code_of(new["id"], new["generation"]))
    ]

    assert [answer.status_code for answer in answers] == [410, 201]


async def revive(tx, *, table):
    await tx.run(f"UPDATE {table} SET state = 'live', ended_at = NULL WHERE state = 'lost'")


@pytest.mark.both
@pytest.mark.parametrize("table", ["people_card", "people_household_card"])
async def test_the_database_itself_revives_no_card(world, settings, clock, table):
    place = await world.community("测试户社区", holder="household", notice_days=0)
    member = await world.person(points=5, community=place)
    home = (await db.row("SELECT household_id FROM people_person WHERE id = ?", member))["household_id"]
    await world.card(member)
    await db.write(cards.report_lost, person_id=member)
    await db.write(household_cards.issue_household_card, household_id=home)
    await db.write(household_cards.report_household_card_lost, household_id=home)

    with pytest.raises(Exception, match=f"{table}: ended"):
        await db.write(revive, table=table)


ANOTHER_SERVER = """
import asyncio, json, sys
from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import Clock
from pointsbank.kit.errors import Refusal
from pointsbank.kit.settings import Settings
from pointsbank.people import actions_cards as cards

async def main():
    crypto.hold(crypto.Keys(bytes(range(32))))
    settings = Settings.from_env(json.loads(sys.argv[1]))
    async with databases.opened(settings, Clock()):
        for line in sys.stdin:
            person, code, community = json.loads(line)
            try:
                if code:
                    await db.write(cards.take_code, code=code, purpose="visit", community_id=community)
                else:
                    await db.write(cards.report_lost, person_id=person)
                print("done", flush=True)
            except Refusal as refusal:
                print(refusal.code, flush=True)

asyncio.run(main())
"""


@pytest.mark.postgres
async def test_of_two_servers_each_knows_at_once_what_the_other_was_told(stage, world, settings, tmp_path):
    rice, clerk = await world.good(points=5), await stage.program(Role.COUNTER_STAFF)
    here, there = await world.person(points=50), await world.person(points=50)
    codes = {person: await world.card(person) for person in (here, there)}
    names = {"POINTSBANK_DATA": str(tmp_path), "POINTSBANK_DATABASE_URL": settings.database_url}
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ANOTHER_SERVER, json.dumps(names),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def ask(person, code=""):
        other.stdin.write(json.dumps([person, code, world.home.id]).encode() + b"\n")
        return (await other.stdout.readline()).decode().strip()

    assert await ask(here, codes[here]) == "done"
    visit = (await clerk.visit(world.home.counter_id, codes[here])).json()["visit"]
    assert await ask(here) == "done"
    told = [
        await clerk.order(world.home.counter_id, rice, visit=visit),
        await clerk.order(world.home.counter_id, rice, code=codes[here]),
    ]
    assert {answer.json()["code"] for answer in told} == {"people.card_lost"}

    assert await ask(there, codes[there]) == "done"
    await report_by_desk(world, there)
    assert await ask(there, codes[there]) == "people.card_lost"
    other.stdin.close()
    assert await other.wait() == 0
