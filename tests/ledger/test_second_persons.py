"""Whoever has the database in hand takes no second person away, and lets nobody do alone what takes two: it shows."""

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import verify
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_flows import What
from pointsbank.ledger.sealing import Sealer
from tests.ledger.test_proposals import agree as agree_to_settings
from tests.ledger.test_proposals import wanted
from tests.ledger.test_vouchers import adjust, admin, agree
from tests.world import World

pytestmark = [pytest.mark.both, pytest.mark.tampers]
GUARD = "approvals_approval_final_update"
FAULTS = {
    "another maker": "maker_id = (SELECT MAX(id) FROM people_person)",
    "refused": "state = 'refused', used_at = NULL",
    "of something else": "subject_id = subject_id + 1000",
    "of another kind": "kind = 'ledger.opening'",
}


async def adjusted(world: World) -> None:
    await agree(world, await adjust(world, await world.person(), 5, await admin(world)))


async def given(world: World) -> None:
    voucher_id = await db.write(
        vouchers.ask_gifts, actor=await admin(world), community_id=world.home.id, person_ids=[await world.person()],
        points=5, match_percent=50, expires_on=NEVER, note="慰问",
    )  # fmt: skip
    await agree(world, voucher_id)


async def taken_back(world: World) -> None:
    """More than one person may take back alone."""
    await world.person(points=200)
    ((entry_id,),) = await db.rows("SELECT id FROM ledger_entry WHERE kind = 'award'")
    voucher_id = await db.write(
        vouchers.take_back, actor=await admin(world), community_id=world.home.id, entry_id=entry_id,
        way=What.REVERSAL, reason="not_so", note="", room=await room_of(entry_id),
    )  # fmt: skip
    await agree(world, voucher_id)


async def settled(world: World) -> None:
    """More base points for everybody."""
    proposal_id = await wanted(world, await admin(world), base_points=5, base_every="once")
    assert proposal_id is not None
    await agree_to_settings(world, proposal_id, await admin(world))


async def room_of(entry_id: int) -> str:
    ((room,),) = await db.rows("SELECT source_room FROM ledger_entry WHERE id = ?", entry_id)
    return str(room)


async def tamper(tx: db.Tx, *, fault: str) -> None:
    statement = f"UPDATE approvals_approval SET {FAULTS[fault]}"
    if db.current().is_sqlite:
        await tx.run(f"DROP TRIGGER {GUARD}")
        await tx.run(statement)
    else:
        await tx.row("ALTER TABLE approvals_approval DISABLE TRIGGER USER")
        await tx.run(statement)
        await tx.row("ALTER TABLE approvals_approval ENABLE TRIGGER USER")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("booked", [adjusted, given, taken_back, settled])
async def test_verify_misses_the_second_person(world, booked, fault):
    await booked(world)
    await world.person()  # who had no part in it
    await Sealer().run()
    assert (await verify.verify()).is_clean

    await db.write(tamper, fault=fault)

    [finding] = [one for one in (await verify.verify()).findings if one.what != verify.GUARD_MISSING]
    assert finding.invariant == 15


@pytest.mark.parametrize("setting", ["reversal_alone_max = 1000000", "holder = 'household'"])
async def test_verify_notices_a_setting_that_nobody_changed(world, setting):
    await Sealer().run()
    assert (await verify.verify()).is_clean

    async def change(tx: db.Tx) -> None:
        await tx.run(f"UPDATE people_community SET {setting} WHERE id = ?", world.home.id)

    await db.write(change)

    assert {finding.invariant for finding in (await verify.verify()).findings} <= {10, 12}
    assert not (await verify.verify()).is_clean
