"""The gate before the first redemption: set where a version with another one comes into force, passed once for ever."""

from pointsbank.awards import queries_gate as queries
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import actions_bars as ledger
from pointsbank.scoring import queries as scoring
from pointsbank.trail import actions as trail

AT_ONCE = 100

MAIN_KINDS = """
SELECT kind.id, kind.community_id, COALESCE(gate.minutes, 0) AS minutes
  FROM ledger_book_kind kind LEFT JOIN ledger_gate gate ON gate.kind_id = kind.id
 WHERE kind.code = 'points' ORDER BY kind.id
"""
NOT_PASSED = """
SELECT book.id FROM ledger_passbook book LEFT JOIN ledger_bar bar ON bar.passbook_id = book.id
 WHERE book.kind_id = ? AND book.id > ? AND bar.gate_passed_on IS NULL
"""
# Whose first redemption was before there was a gate.
HAS_REDEEMED = """
   AND EXISTS (SELECT 1 FROM ledger_account account
                 JOIN ledger_move move ON move.source_id = account.id AND move.source_after IS NOT NULL
                 JOIN ledger_entry entry ON entry.id = move.entry_id AND entry.kind = 'order'
                WHERE account.passbook_id = book.id)
"""
IN_ORDER = " ORDER BY book.id LIMIT ?"
SHUT = """
SELECT book.id, gate.minutes FROM ledger_passbook credited JOIN ledger_passbook book
    ON book.community_id = credited.community_id
   AND (book.person_id = credited.person_id OR book.household_id = credited.household_id)
  JOIN ledger_gate gate ON gate.kind_id = book.kind_id AND gate.minutes > 0
  LEFT JOIN ledger_bar bar ON bar.passbook_id = book.id
 WHERE credited.id = ? AND bar.gate_passed_on IS NULL
"""


async def set_due(tx: Tx) -> int:
    """Give each community the gate of its version in force; returns how many were changed.

    Whoever could redeem before the day still can: who has redeemed where there was no gate, who has passed the last.
    """
    today, done = local_day(tx.now), 0
    for kind in await tx.rows(MAIN_KINDS):
        version = await scoring.current(kind["community_id"], today, tx)
        minutes = 0 if version is None else version.table.gate_minutes
        if minutes != kind["minutes"]:
            assert version is not None
            await _note_passed(tx, kind)
            await ledger.set_gate(tx, kind_id=kind["id"], minutes=minutes)
            await trail.record(tx, "gate.set", subject=("version", version.id), minutes=minutes)
            done += 1
    return done


async def _note_passed(tx: Tx, kind: Row) -> None:
    after, had_gate = 0, kind["minutes"] > 0
    sql = NOT_PASSED + ("" if had_gate else HAS_REDEEMED) + IN_ORDER
    while books := await tx.rows(sql, kind["id"], after, AT_ONCE):
        for (passbook_id,) in books:
            if not had_gate or await queries.served(tx, passbook_id) >= kind["minutes"]:
                await ledger.pass_gate(tx, passbook_id=passbook_id)
        after = books[-1]["id"]


async def note_served(tx: Tx, *, passbook_id: int) -> None:
    """Something settled in this passbook: its holder may have served enough by now."""
    for book_id, minutes in await tx.rows(SHUT, passbook_id):
        if await queries.served(tx, book_id) >= minutes and await ledger.pass_gate(tx, passbook_id=book_id):
            await trail.record(tx, "gate.passed", subject=("passbook", book_id), minutes=minutes)
