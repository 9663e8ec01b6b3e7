"""Several processes at once: what is sealed of a row last is what the row says."""

import asyncio

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_kinds, verify
from pointsbank.ledger.sealing import Sealer

pytestmark = pytest.mark.postgres


async def at_work(tx: db.Tx, *, kind_id: int, what: str) -> None:
    """A slice of a kind's recurring work, which is not committed at once."""
    await actions_kinds.come_to(tx, kind_id=kind_id, what=what, period="2026-11-21")
    await actions_kinds.note_run(tx, kind_id=kind_id, what=what, period="2026-11-21", upto=100)
    await tx.rows("SELECT CAST(pg_sleep(0.2) AS TEXT)")


async def test_two_jobs_of_one_kind_at_once_leave_what_both_did_sealed(bank):
    """One process resets passbooks while another gives base points."""
    ((kind_id,),) = await db.rows("SELECT id FROM ledger_book_kind")

    await asyncio.gather(*(db.write(at_work, kind_id=kind_id, what=what) for what in ("base", "reset")))

    await Sealer().run()
    assert (await verify.verify()).findings == []


async def test_settings_that_change_while_a_job_is_at_work_are_what_is_sealed_of_a_kind(bank):
    ((kind_id,),) = await db.rows("SELECT id FROM ledger_book_kind")

    await asyncio.gather(db.write(at_work, kind_id=kind_id, what="base"), bank.settle(name="志愿积分"))

    await Sealer().run()
    assert (await verify.verify()).findings == []
