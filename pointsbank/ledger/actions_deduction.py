"""Points are taken for a finding that was advised and warned of before: what is there, down to a floor, never more."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import rules
from pointsbank.ledger.actions import ADD, ENTRY, MOVE, TAKE, Source, system_account
from pointsbank.ledger.actions_lots import take_from_lots
from pointsbank.ledger.rules import Deducted

# Taken before its lots are looked at; a closed passbook holds nothing.
HOLD = """
UPDATE ledger_account SET balance = balance WHERE passbook_id = ?
RETURNING id, community_id, (
  SELECT kind.spend_above FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id
   WHERE book.id = ledger_account.passbook_id) AS spend_above
"""
FREE_LOTS = """
SELECT id, remaining - held FROM ledger_lot
 WHERE account_id = ? AND remaining > 0 AND remaining > held AND expires_on >= ?
"""
LOTS_IN_ALL = """
SELECT CAST(COALESCE(SUM(remaining), 0) AS BIGINT) AS points, CAST(COALESCE(SUM(remaining - held), 0) AS BIGINT) AS free
  FROM ledger_lot WHERE account_id = ? AND expires_on >= ?
"""
EARNED = " AND kind = 'earned'"
IN_ORDER = " ORDER BY expires_on, kind, id"


class Posting(TypedDict):
    passbook_id: int
    posting_key: str
    effective_at: datetime
    member_id: int
    version_id: int
    source: Source
    summary: str


async def deduct(tx: Tx, *, points: int, floor: int | None, **said: Unpack[Posting]) -> Deducted:
    """Take these points, or what is free above the floor; `floor` None is what the kind of passbook keeps back.

    It makes no debt: where nothing is there, nothing is posted. What is held or has expired is not there.
    """
    rules.check_amount(points)
    account = await _held(tx, said["passbook_id"])
    lots = await tx.rows(FREE_LOTS + IN_ORDER, account["id"], local_day(tx.now))
    above = max(0, _sum(lots) - (account["spend_above"] if floor is None else floor))
    return await _post(tx, account, lots, min(points, above), said)


async def reset_to(tx: Tx, *, base: int, **said: Unpack[Posting]) -> tuple[int, Deducted]:
    """Take what was earned and is free above the base; returns also all that lies above it, taken or not."""
    account = await _held(tx, said["passbook_id"])
    today = local_day(tx.now)
    whole = await tx.row(LOTS_IN_ALL, account["id"], today)
    assert whole is not None
    earned = await tx.rows(FREE_LOTS + EARNED + IN_ORDER, account["id"], today)
    above = max(0, min(whole["free"] - base, _sum(earned), rules.POINTS_MAX))
    return max(0, whole["points"] - base), await _post(tx, account, earned, above, said)


def _sum(lots: Sequence[Row]) -> int:
    return sum(left for _lot_id, left in lots)


async def _held(tx: Tx, passbook_id: int) -> Row:
    account = await tx.row(HOLD, passbook_id)
    assert account is not None
    return account


async def _post(tx: Tx, account: Row, lots: Sequence[Row], points: int, said: Posting) -> Deducted:
    parts = rules.take_from(lots, points) if points else []
    taken = sum(part.points for part in parts)
    if not taken:
        return Deducted(None, 0)
    left = await tx.row(TAKE, taken, account["id"], taken)
    assert left is not None
    target_id = await system_account(tx, community_id=account["community_id"], system=rules.DEDUCTED)
    entry = await tx.row(
        ENTRY, said["posting_key"], account["community_id"], "deduction", said["effective_at"], tx.now,
        tx.actor.person_id, said["member_id"], *said["source"], said["summary"], "", said["version_id"], None,
    )  # fmt: skip
    assert entry is not None
    await take_from_lots(tx, entry_id=entry["id"], account_id=account["id"], parts=parts)
    await tx.run(MOVE, entry["id"], account["id"], target_id, taken, left["balance"], None)
    await tx.run(ADD, taken, target_id)
    return Deducted(entry["id"], taken)
