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
HAS_PASSED = "SELECT 1 FROM ledger_bar WHERE passbook_id = ? AND gate_passed_on IS NOT NULL"


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


async def follow_gate(tx: Tx, *, from_id: int, to_id: int) -> None:
    """Whoever has passed the gate with one passbook has passed it with the other."""
    if await tx.row(HAS_PASSED, from_id) is not None:
        await pass_gate(tx, passbook_id=to_id)
