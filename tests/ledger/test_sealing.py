"""The sealer: everything once, in one chain a community, whoever commits when and however it is cut off."""

import asyncio
import json
from datetime import date

import asyncpg
import pytest

from pointsbank.app import jobs
from pointsbank.kit import db
from pointsbank.ledger import actions, actions_reversal, actions_seal, queries_seal, sealing, verify
from pointsbank.ledger.sealing import Sealer

pytestmark = pytest.mark.both

SEALS = "SELECT COUNT(*) FROM ledger_seal"
UNSEALED = """
SELECT entry.id FROM ledger_entry entry
 WHERE NOT EXISTS (SELECT 1 FROM ledger_seal seal WHERE seal.entry_id = entry.id) ORDER BY entry.id
"""


async def seals() -> int:
    return int((await db.row(SEALS))[0])


async def unsealed() -> list[int]:
    return [entry_id for (entry_id,) in await db.rows(UNSEALED)]


async def test_what_is_booked_is_sealed_once_and_in_order(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    await bank.spend(passbook, 4)

    sealed = [await Sealer().run(), await Sealer().run()]

    assert sealed == [8, 0]  # a kind, what one may do alone, a passbook, three accounts, two entries
    positions = await db.rows("SELECT position, entry_id FROM ledger_seal ORDER BY position")
    assert [one["position"] for one in positions] == list(range(1, len(positions) + 1))
    entries = [one["entry_id"] for one in positions if one["entry_id"] is not None]
    assert entries == sorted(entries)
    assert await unsealed() == []


async def test_each_community_has_a_chain_of_its_own(world):
    for place in world.communities:
        await world.give(await world.person(community=place), 5, place)
    await Sealer().run()

    heads = await queries_seal.heads()

    assert len({head.hash for head in heads}) == len(world.communities) == 2
    assert all(head.shown.startswith(f"{head.community_id}-{head.position}-") for head in heads)


async def test_a_round_seals_all_that_was_there_when_it_began_whatever_is_booked_meanwhile(bank):
    """Rounds are so close that nothing stays unsealed for five seconds."""
    passbook, sealer, is_over = await bank.member(), Sealer(), asyncio.Event()

    async def keep_awarding() -> None:
        while not is_over.is_set():
            await bank.award(passbook, 1)

    busy = [asyncio.create_task(keep_awarding()) for _ in range(4)]
    for _ in range(3):
        there = {entry_id for (entry_id,) in await db.rows("SELECT id FROM ledger_entry")}
        assert await sealer.run(slices=20) < 20 * actions_seal.SLICE  # it does not run after what comes meanwhile
        assert not there & set(await unsealed())
        await asyncio.gather(*(bank.award(passbook, 1) for _ in range(5)))
    is_over.set()
    await asyncio.gather(*busy)
    assert 2 * jobs.SEAL_SECONDS < 5


async def test_a_sealer_that_is_cut_off_goes_on_where_it_was(bank, monkeypatch):
    monkeypatch.setattr(actions_seal, "SLICE", 3)
    passbook = await bank.member()
    for _ in range(10):
        await bank.award(passbook, 1)

    first = await Sealer().run(slices=2)
    left = len(await unsealed())
    rest = await Sealer().run()

    assert 0 < first <= 12
    assert left > 0
    assert rest >= left
    assert await unsealed() == []
    assert (await verify.verify()).is_clean


async def test_two_sealers_at_once_seal_everything_once(bank, monkeypatch):
    monkeypatch.setattr(actions_seal, "SLICE", 4)
    passbook = await bank.member()
    for _ in range(12):
        await bank.award(passbook, 1)

    await asyncio.gather(*(Sealer().run() for _ in range(4)))
    await Sealer().run()

    assert await unsealed() == []
    assert (await verify.verify()).is_clean


async def test_a_reversal_names_what_it_reverses_by_its_position(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    spent = await bank.spend(passbook, 4)
    await db.write(actions_reversal.reverse, entry_id=spent.entry_id, reason="wrong_goods")
    await Sealer().run()

    found = await queries_seal.sealed(db.rows, queries_seal.BETWEEN, bank.community_id, 0, 1_000)

    (reversal,) = [one for one in found if one.entry is not None and one.entry[2] == "reversal"]
    (order,) = [one for one in found if one.entry is not None and one.entry[2] == "order"]
    assert reversal.entry[-1] == order.position


async def test_what_was_booked_long_ago_and_is_not_sealed_is_told(bank):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    fresh = await verify.verify()
    bank.clock.advance(minutes=2)
    await bank.award(passbook, 1)

    late = await verify.verify()

    assert fresh.is_clean
    assert fresh.waiting > 0
    assert [finding.invariant for finding in late.findings] == [12]


async def test_a_change_says_what_the_row_says(bank):
    await bank.member()
    row = await db.row("SELECT name, content FROM ledger_change WHERE what = 'passbook'")
    assert row["name"] == "000000000"
    assert json.loads(row["content"]) == {
        "kind": "points", "person_id": 1, "household_id": None, "opened_at": "2026-11-21 04:00:00.000000+00:00",
    }  # fmt: skip


async def test_an_order_writes_not_one_statement_for_its_seal(bank, said):
    passbook = await bank.member()
    await bank.award(passbook, 10)
    await bank.spend(passbook, 1)
    said.clear()
    await bank.spend(passbook, 1)

    assert not [statement for statement in said if "ledger_seal" in statement or "ledger_change" in statement]


async def test_while_people_buy_everything_is_sealed_within_seconds(bank, monkeypatch):
    """As the server does it: orders by the dozen, and the sealer between them."""
    monkeypatch.setattr(jobs, "SEAL_SECONDS", 0.05)
    passbooks = [await bank.member() for _ in range(8)]
    for passbook in passbooks:
        await bank.award(passbook, 200, expires_on=date(2090, 12, 31))
    sealing_goes_on = asyncio.create_task(jobs.keep_sealing(Sealer()))
    try:
        for _ in range(10):
            await asyncio.gather(*(bank.spend(passbook, 1) for passbook in passbooks))
        async with asyncio.timeout(60):  # on however busy a machine
            while await unsealed():  # noqa: ASYNC110  the sealer tells nobody
                await asyncio.sleep(0.02)
    finally:
        sealing_goes_on.cancel()
    assert await seals() > 80


# PostgreSQL alone: there a smaller id may be committed after a larger one.

ENTRY = """
INSERT INTO ledger_entry (posting_key, community_id, kind, effective_at, booked_at, source_room, source_kind, source_id,
                          summary, reason) VALUES ('late', $1, 'award', now(), now(), 'tests', 'act', 1, '迟到的', '')
RETURNING id
"""
AWARD = """
UPDATE ledger_account SET balance = balance - 3 WHERE system = 'issued';
UPDATE ledger_account SET balance = balance + 3 WHERE id = {account};
INSERT INTO ledger_move (entry_id, source_id, target_id, points, target_after)
SELECT {entry}, issued.id, {account}, 3, it.balance FROM ledger_account issued, ledger_account it
 WHERE issued.system = 'issued' AND it.id = {account};
INSERT INTO ledger_lot (account_id, expires_on, kind, remaining) VALUES ({account}, '2030-12-31', 'earned', 3);
INSERT INTO ledger_lot_use (entry_id, lot_id, points) SELECT {entry}, id, -3 FROM ledger_lot
 WHERE account_id = {account} AND expires_on = '2030-12-31'
"""


@pytest.fixture
async def straggler(engine, bank, settings):
    """A transaction that has its number and its entry's id, and takes its time."""
    if engine != "postgres":
        yield None
        return
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


async def late_entry(straggler, bank, account_id: int) -> int:
    await straggler.execute("BEGIN")
    await straggler.execute("SELECT pg_current_xact_id()")
    entry_id = await straggler.fetchval(ENTRY, bank.community_id)
    await straggler.execute(AWARD.format(entry=entry_id, account=account_id))
    return entry_id


async def test_an_entry_that_is_committed_after_later_ones_is_sealed_all_the_same(bank, straggler):
    slow, quick = await bank.member(), await bank.member()
    await bank.award(slow, 1)
    account_id = (await bank.passbook(slow)).account_id
    sealer = Sealer()
    if straggler is None:
        return await only_one_writer(bank, sealer, quick)
    late_id = await late_entry(straggler, bank, account_id)
    other = await db.write(lone_entry, community_id=bank.community_id)
    for _ in range(4):  # however often the sealer comes by meanwhile
        await sealer.run()
    assert other > late_id
    assert await unsealed() == []

    await straggler.execute("COMMIT")
    assert await unsealed() == [late_id]
    await sealer.run()

    assert await unsealed() == []
    for _ in range(4):
        await sealer.run()
    assert sealer.done.entry_id >= other  # and in the end it looks no further back
    return None


async def only_one_writer(bank, sealer: Sealer, passbook: int) -> None:
    """On SQLite ids come in the order of commits: what was sealed last says where to go on."""
    await sealer.run()
    await bank.award(passbook, 1)
    assert len(await unsealed()) == 1
    await sealer.run()
    assert await unsealed() == []


async def lone_entry(tx: db.Tx, *, community_id: int) -> int:
    """An entry between two system accounts: it waits for nobody's passbook."""
    pot = await actions.system_account(tx, community_id=community_id, system="pot")
    expired = await actions.system_account(tx, community_id=community_id, system="expired")
    made = []
    for number, (source, target) in enumerate(((pot, expired), (expired, pot))):
        entry = await tx.row(
            actions.ENTRY, f"lone:{number}", community_id, "award", tx.now, tx.now, None, None, "tests", "act", 1,
            "", "", None, None,
        )  # fmt: skip
        await tx.run(actions.MOVE, entry["id"], source, target, 1, None, None)
        made.append(entry["id"])
    return made[-1]


async def test_a_sealer_that_forgets_stragglers_is_caught(bank, straggler, monkeypatch):
    """The fault: what was gone over counts as done at once, whoever is still under way."""
    if straggler is None:
        return
    passbook = await bank.member()
    await bank.award(passbook, 1)
    sealer = Sealer()
    always = sealing.UNDER_WAY.replace(
        "pg_snapshot_xmin(now.under_way) AS TEXT", "pg_snapshot_xmax(now.under_way) AS TEXT"
    )
    monkeypatch.setattr(sealing, "UNDER_WAY", always)
    late_id = await late_entry(straggler, bank, (await bank.passbook(passbook)).account_id)
    await db.write(lone_entry, community_id=bank.community_id)
    for _ in range(4):
        await sealer.run()
    await straggler.execute("COMMIT")
    await sealer.run()

    assert await unsealed() == [late_id]
