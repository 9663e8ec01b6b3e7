"""A key that is gone is missed: without it a repeat of its command would be done again."""

import sqlite3
from contextlib import closing

import asyncpg
import pytest

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.trail import verify
from tests.changes import CHANGES
from tests.faults.senders import KEY, Sender
from tests.world import World

MISSED = [
    "/api/events/{activity_id:int}/check-ins",
    "/api/events/{activity_id:int}/check-outs",
    "/api/redemption/counters/{counter_id:int}/orders",
    "/awards/people/{person_id:int}/cases",
    "/events/check-in",
    "/events/check-out",
    "/events/{activity_id:int}/late",
    "/events/{activity_id:int}/pick",
    "/ledger/give",
    "/ledger/grants",
    "/ledger/openings",
    "/ledger/passbooks/{passbook_id:int}/adjust",
    "/ledger/passbooks/{passbook_id:int}/hand-over",
    "/redemption/orders/{order_id:int}/undo",
    "/stock/counts/{count_id:int}/close",
    "/stock/receive",
    "/stock/{good_id:int}/loss",
]
DELETE = f"DELETE FROM command WHERE request_key = '{KEY}'"


async def behind_the_program(world: World, *, guarded: bool = False) -> None:
    """Somebody who holds the database takes the key away."""
    if world.settings.database_url:
        connection = await asyncpg.connect(world.settings.database_url)
        if not guarded:
            await connection.execute("SET session_replication_role = replica")
        try:
            assert await connection.execute(DELETE) == "DELETE 1"
        finally:
            await connection.close()
        return
    with closing(sqlite3.connect(databases.path_of(world.settings))) as file, file:
        if not guarded:
            file.execute("DROP TRIGGER command_kept_delete")
        assert file.execute(DELETE).rowcount == 1


async def missed() -> int:
    """How many things that were done have no key; those of the furniture were done by hand."""
    return len(await verify.check(db.rows))


@pytest.fixture(autouse=True)
def all_are_told(monkeypatch):
    monkeypatch.setattr(verify, "SHOWN", 1_000)


@pytest.mark.both
@pytest.mark.tampers
@pytest.mark.parametrize("path", MISSED)
async def test_a_key_that_was_taken_away_is_missed(scene, path):
    async with scene() as opened:
        sender, by_hand = Sender(opened, path), await missed()
        async with sender.visiting() as client:
            assert (await sender.send(client)).status_code in {200, 201, 303}
        assert await missed() == by_hand
        await behind_the_program(opened.world)
        assert await missed() == by_hand + 1


@pytest.mark.both
async def test_the_database_itself_keeps_keys(scene):
    async with scene() as opened:
        sender = Sender(opened, MISSED[0])
        async with sender.visiting() as client:
            await sender.send(client)
        with pytest.raises((sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError), match="command: kept"):
            await behind_the_program(opened.world, guarded=True)


@pytest.mark.parametrize("path", sorted(CHANGES))
async def test_nothing_that_is_done_at_a_page_lacks_its_key(scene, path):
    async with scene() as opened:
        sender, by_hand = Sender(opened, path), await missed()
        async with sender.visiting() as client:
            await sender.send(client)
        assert await missed() <= by_hand  # fewer, where the answer is the number of something done by hand
