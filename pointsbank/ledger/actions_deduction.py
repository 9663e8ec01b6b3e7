"""Points are taken for a finding that was advised and warned of before: what is there, down to a floor, never more."""

from datetime import datetime

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import rules
from pointsbank.ledger.actions import ADD, ENTRY, MOVE, TAKE, Source, system_account, take_from_lot
from pointsbank.ledger.rules import Deducted

# Taken before its lots are looked at; a closed passbook holds nothing.
HOLD = """
UPDATE ledger_account SET balance = balance WHERE passbook_id = ? RETURNING id, community_id, (
  SELECT kind.spend_above FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id
   WHERE book.id = ledger_account.passbook_id)
"""
FREE_LOTS = """
SELECT id, remaining - held FROM ledger_lot
 WHERE account_id = ? AND remaining > 0 AND remaining > held AND expires_on >= ? ORDER BY expires_on, kind, id
"""


async def deduct(
    tx: Tx,
    *,
    passbook_id: int,
    points: int,
    floor: int | None,
    posting_key: str,
    effective_at: datetime,
    member_id: int,
    version_id: int,
    source: Source,
    summary: str,
) -> Deducted:
    """Take these points, or what is free above the floor; `floor` None is what the kind of passbook keeps back.

    It makes no debt: where nothing is there, nothing is posted. What is held or has expired is not there.
    """
    rules.check_amount(points)
    account = await tx.row(HOLD, passbook_id)
    assert account is not None
    account_id, community_id, spend_above = account
    lots = await tx.rows(FREE_LOTS, account_id, local_day(tx.now))
    above = max(0, sum(left for _lot_id, left in lots) - (spend_above if floor is None else floor))
    parts = rules.take_from(lots, min(points, above)) if above else []
    taken = sum(part.points for part in parts)
    if not taken:
        return Deducted(None, 0)
    left = await tx.row(TAKE, taken, account_id, taken)
    assert left is not None
    target_id = await system_account(tx, community_id=community_id, system=rules.DEDUCTED)
    entry = await tx.row(
        ENTRY, posting_key, community_id, "deduction", effective_at, tx.now, tx.actor.person_id, member_id,
        *source, summary, "", version_id, None,
    )  # fmt: skip
    assert entry is not None
    for part in parts:
        await take_from_lot(tx, entry_id=entry["id"], lot_id=part.lot_id, points=part.points)
    await tx.run(MOVE, entry["id"], account_id, target_id, taken, left["balance"], None)
    await tx.run(ADD, taken, target_id)
    return Deducted(entry["id"], taken)
