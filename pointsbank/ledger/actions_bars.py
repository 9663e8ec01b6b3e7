"""What keeps points from being redeemed: a gate for all passbooks of a kind, a bar for one. The points stay.

A room above says when, and why; here stands what an order looks at, sealed like the passbook itself.
"""

from datetime import date

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger.actions_seal import change

SET_GATE = """
INSERT INTO ledger_gate (kind_id, minutes) VALUES (?, ?)
ON CONFLICT (kind_id) DO UPDATE SET minutes = excluded.minutes RETURNING id
"""
NOW_PASSED = """
INSERT INTO ledger_bar (passbook_id, gate_passed_on) VALUES (?, ?)
ON CONFLICT (passbook_id) DO UPDATE SET gate_passed_on = excluded.gate_passed_on
 WHERE ledger_bar.gate_passed_on IS NULL RETURNING id
"""
BAR = """
INSERT INTO ledger_bar (passbook_id, barred_until) VALUES (?, ?)
ON CONFLICT (passbook_id) DO UPDATE SET barred_until = excluded.barred_until RETURNING id
"""
OF_BOOK = "SELECT barred_until, gate_passed_on FROM ledger_bar WHERE passbook_id = ?"
OPENED_NOW = "SELECT 1 FROM ledger_passbook WHERE id = ? AND opened_at = ?"


async def set_gate(tx: Tx, *, kind_id: int, minutes: int) -> None:
    """From now on who has served less redeems nothing of this kind; 0 lets everybody."""
    gate = await tx.row(SET_GATE, kind_id, minutes)
    assert gate is not None
    await change(tx, what="gate", row_id=gate["id"])


async def pass_gate(tx: Tx, *, passbook_id: int) -> bool:
    """Once and for ever; returns whether it was not passed before."""
    passed = await tx.row(NOW_PASSED, passbook_id, local_day(tx.now))
    if passed is not None:
        await change(tx, what="bar", row_id=passed["id"])
    return passed is not None


async def bar(tx: Tx, *, passbook_id: int, until: date | None) -> None:
    """Keep a passbook from redeeming up to and with this day; None lets it."""
    barred = await tx.row(BAR, passbook_id, until)
    assert barred is not None
    await change(tx, what="bar", row_id=barred["id"])


async def was_opened_now(tx: Tx, *, passbook_id: int) -> bool:
    return await tx.row(OPENED_NOW, passbook_id, tx.now) is not None


async def follow(tx: Tx, *, from_id: int, to_id: int) -> None:
    """What held for one passbook holds for the other: the later day, and a gate that either has passed."""
    left = await tx.row(OF_BOOK, from_id)
    if left is None:
        return
    barred_until, passed_on = left
    here = await tx.row(OF_BOOK, to_id)
    if barred_until is not None and (here is None or here[0] is None or here[0] < barred_until):
        await bar(tx, passbook_id=to_id, until=barred_until)
    if passed_on is not None:
        await pass_gate(tx, passbook_id=to_id)
