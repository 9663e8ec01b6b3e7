"""Killed in the middle of a checkpoint, a backup, a migration, an expiry, the closing of a month: at a chosen moment.

PB_MOMENTS sets how many kills each has; whoever comes after a kill finishes the work.
"""

import asyncio
import os
import random
from datetime import date, timedelta

import pytest

from pointsbank.app import backup, installation, jobs
from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import Clock, FixedClock
from pointsbank.kit.settings import Settings
from pointsbank.ledger import actions, actions_kinds, verify
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.sealing import Sealer
from tests import made_up
from tests.conftest import NOON
from tests.crash import moments
from tests.crash.book import faults
from tests.crash.clients import at_work
from tests.crash.conftest import environment, gone
from tests.ledger.conftest import add_person, found_community
from tests.schema_reading import read_schema

KILLS = int(os.environ.get("PB_MOMENTS") or 1)
MEMBERS, LOTS, POINTS = 4, 12, 5
# Of how many moments each piece of work has at least.
MOST = {"migration": 90, "expiry": MEMBERS * LOTS, "month": 31, "backup": 4}
UNHEARD = 9  # a port, for nobody listens
POSTED = "SELECT posting_key FROM ledger_entry WHERE posting_key LIKE 'spent-%'"


at_length_on_both = pytest.mark.both if KILLS > 1 else pytest.mark.asyncio


async def found(settings, keys) -> list[tuple[int, int]]:
    """Members with lots that expire, and points for ever; returns accounts and persons. It is long ago."""
    crypto.hold(keys)
    clock = FixedClock(NOON - timedelta(days=40))
    async with databases.opened(settings, clock):
        await db.write(installation.found, kind="real", key_fingerprint=keys.fingerprint)
        community_id = await db.write(found_community)
        await db.write(actions_kinds.make_main_kind, community_id=community_id)
        made = []
        for number in range(MEMBERS):
            person_id = await db.write(add_person, community_id=community_id, number=f"{number:09d}")
            book_id = await db.write(actions.open_passbook, community_id=community_id, person_id=person_id)
            for lot in range(LOTS + 1):
                await db.write(
                    actions.post_award, community_id=community_id, passbook_id=book_id,
                    points=POINTS if lot < LOTS else 1_000_000, posting_key=f"award:{number}:{lot}",
                    effective_at=clock.now(), member_id=person_id, version_id=1, source=("ledger", "test", 1),
                    summary="楼道清洁",
                    expires_on=date(2026, 10, 20) + timedelta(days=lot) if lot < LOTS else NEVER,
                )  # fmt: skip
            account = await db.row("SELECT id FROM ledger_account WHERE passbook_id = ?", book_id)
            made.append((account["id"], person_id))
        await Sealer().run()
    return made


def wanted_of(settings, work: str, accounts) -> dict:
    return {"env": environment(settings, UNHEARD), "work": work, "accounts": list(accounts), "now": NOON.isoformat()}


async def kill(stable, settings, chance, work: str, accounts=()) -> int:
    """Kill it as often as is wanted, let it finish at last; returns how often it was killed indeed."""
    told, kills = settings.data / moments.TOLD, 0
    wanted = wanted_of(settings, work, accounts)
    for left in range(KILLS, -1, -1):
        fatal = chance.randint(1, max(MOST[work] // (KILLS + 1), 1)) if left else 0
        await gone(stable.fork({**wanted, "fatal": fatal}))
        if moments.FINISHED in told.read_text().split():
            break
        kills += 1
    assert moments.FINISHED in told.read_text().split(), "it did not finish"
    return kills


async def lost(settings) -> set[str]:
    told = {*(settings.data / moments.TOLD).read_text().split()} - {moments.FINISHED}
    assert told
    return told - {key for (key,) in await db.rows(POSTED)}


@pytest.mark.both
@pytest.mark.parametrize("work", ["expiry", "month"])
async def test_what_was_killed_in_the_middle_is_finished_once(settings, keys, stable, seed, work):
    accounts = await found(settings, keys)
    kills = await kill(stable, settings, random.Random(seed), work, accounts)

    assert kills == KILLS
    async with databases.opened(settings, FixedClock(NOON)):
        assert await lost(settings) == set()
        if work == "expiry":
            ((expired,),) = await db.rows("SELECT balance FROM ledger_account WHERE system = 'expired'")
            assert expired == MEMBERS * LOTS * POINTS
        else:
            ((outstanding, closed_at),) = await db.rows(
                "SELECT told.points, closed_at FROM ledger_period period"
                " JOIN ledger_outstanding told ON told.period_id = period.id"
            )
            assert closed_at is not None
            assert outstanding == MEMBERS * (LOTS * POINTS + 1_000_000)
        await Sealer().run()
        assert (await verify.verify()).findings == []


async def test_these_tests_see_work_that_is_killed_between_statements_that_are_kept(settings, keys, stable, seed):
    """Each statement committed by itself, and killed where an expiry is about to take from a lot."""
    accounts = await found(settings, keys)
    fatal = random.Random(seed).randint(1, MEMBERS * LOTS)
    await gone(stable.fork({**wanted_of(settings, "expiry", accounts), "fatal": fatal, "careless": True}))

    async with databases.opened(settings, FixedClock(NOON)):
        await Sealer().run()
        assert (await verify.verify()).findings


async def test_a_backup_that_was_killed_is_none_and_the_next_one_is_whole(settings, keys, stable, seed, monkeypatch):
    accounts = await found(settings, keys)
    made_up.overlook(monkeypatch.setattr)
    with (settings.data / moments.TOLD).open("a", buffering=1) as told:
        async with databases.opened(settings, Clock()), moments.spending(told, accounts):
            sealing = asyncio.create_task(jobs.keep_sealing(Sealer()))  # a backup looks whether that is done in time
            assert await kill(stable, settings, random.Random(seed), "backup") == KILLS
            sealing.cancel()

    await backup.restore(moments.backup_of(settings), settings.data / "again.db")
    async with databases.opened(settings, Clock()):
        assert await lost(settings) == set()
        await Sealer().run()
        assert (await verify.verify()).findings == []


@pytest.fixture
def empty(request, engine, seed, tmp_path):
    """Settings of a database in which nothing is."""
    folder = tmp_path / "empty"
    folder.mkdir()
    if engine == "sqlite":
        yield Settings(data=folder)
    else:
        server, name = request.getfixturevalue("postgres_server"), f"empty_{seed}"
        server.run(f"CREATE DATABASE {name}")
        yield Settings(data=folder, database_url=server.url(name))
        server.run(f"DROP DATABASE {name} WITH (FORCE)")


@at_length_on_both
async def test_a_migration_that_was_killed_is_finished_by_the_next(empty, settings, stable, seed):
    assert await kill(stable, empty, random.Random(seed), "migration") == KILLS

    async with databases.opened(settings, Clock()):
        wanted = await read_schema()
    async with databases.opened(empty, Clock()):
        assert await read_schema() == wanted


async def test_killed_in_a_checkpoint_nothing_is_lost_that_was_acknowledged(ring, settings):
    async with at_work(ring.clients):
        for _ in range(KILLS):
            ring.checkpoint = ring.chance.randint(20, 60)
            await ring.start()
            await gone(ring.pid)
        ring.checkpoint = 0
        await ring.start()
        await ring.more_acknowledged()

    await ring.end(15)
    assert ring.book.surprises == []
    async with databases.opened(settings, Clock()):
        assert await ring.book.lost() == []
        assert await ring.book.doubled() == []
        await Sealer().run()
        assert await faults() == []
