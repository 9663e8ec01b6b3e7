"""On its reset day all that a kind of passbook holds lapses, unless it is carried over."""

from datetime import date, timedelta

from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import rules, rules_kinds
from pointsbank.ledger.actions import ADD, ENTRY, MOVE, TAKE, system_account
from pointsbank.ledger.actions_flows import HOLD_ACCOUNT
from pointsbank.ledger.actions_kinds import LAST, come_to, note_run
from pointsbank.ledger.actions_lots import take_from_lots
from pointsbank.ledger.rules import LotTaken

BOOKS_AT_ONCE = 100

KINDS = """
SELECT kind.id, kind.community_id, kind.reset_month, kind.reset_day, run.period, run.upto
  FROM ledger_book_kind kind JOIN ledger_kind_run run ON run.kind_id = kind.id AND run.what = 'reset'
 WHERE kind.reset_month IS NOT NULL AND NOT kind.carry_over ORDER BY kind.id
"""
BOOKS = """
SELECT book.id, account.id AS account_id
  FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
 WHERE book.kind_id = ? AND book.id > ? ORDER BY book.id LIMIT ?
"""
# Nothing that came from nowhere since the day was over, even into a lot that was there before.
OLD_LOTS = """
SELECT lot.id, lot.remaining - lot.held - COALESCE(new.points, 0) FROM ledger_lot lot LEFT JOIN (
    SELECT used.lot_id, CAST(-SUM(used.points) AS BIGINT) AS points
      FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
      JOIN ledger_lot_use used ON used.entry_id = entry.id
     WHERE move.target_id = ? AND entry.booked_at >= ? AND used.points < 0
       AND entry.kind IN ('award', 'opening', 'base', 'gift', 'grant', 'adjustment')
     GROUP BY used.lot_id) new ON new.lot_id = lot.id
 WHERE lot.account_id = ? AND lot.remaining > lot.held AND lot.remaining - lot.held > COALESCE(new.points, 0)
 ORDER BY lot.expires_on, lot.kind, lot.id
"""


async def reset_due(tx: Tx) -> int:
    """Clear the next passbooks of a kind whose reset day is over; returns how many were looked at, 0 when all is done.

    What is held stays, and what is booked before the job comes.
    """
    today = local_day(tx.now)
    for kind in await tx.rows(KINDS):
        day = rules_kinds.last_reset(kind["reset_month"], kind["reset_day"], today)
        if (kind["period"], kind["upto"]) == (day.isoformat(), LAST):
            continue
        upto = await come_to(tx, kind_id=kind["id"], what="reset", period=day.isoformat())
        books = await tx.rows(BOOKS, kind["id"], upto, BOOKS_AT_ONCE)
        for book in books:
            await _clear(tx, kind, book, day)
        upto = books[-1]["id"] if len(books) == BOOKS_AT_ONCE else LAST
        await note_run(tx, kind_id=kind["id"], what="reset", period=day.isoformat(), upto=upto)
        return max(1, len(books))
    return 0


async def _clear(tx: Tx, kind: Row, book: Row, day: date) -> None:
    """One entry, or more where a passbook holds more than one entry may move."""
    account_id, over = book["account_id"], start_of_day(day + timedelta(days=1))
    await tx.run(HOLD_ACCOUNT, account_id)
    number = 0
    while lots := await tx.rows(OLD_LOTS, account_id, over, account_id):
        key = f"reset:{book['id']}:{day.isoformat()}" + (f":{number}" if number else "")
        await _clear_some(tx, kind, account_id, rules.take_from(lots, rules.POINTS_MAX), key)
        number += 1


async def _clear_some(tx: Tx, kind: Row, account_id: int, parts: list[LotTaken], posting_key: str) -> None:
    points = sum(part.points for part in parts)
    account = await tx.row(TAKE, points, account_id, points)
    assert account is not None
    target_id = await system_account(tx, community_id=kind["community_id"], system=rules.EXPIRED)
    entry = await tx.row(
        ENTRY, posting_key, kind["community_id"], "reset", tx.now, tx.now, tx.actor.person_id, None, "ledger",
        "book_kind", kind["id"], "到清零日清零", "", None, None,
    )  # fmt: skip
    assert entry is not None
    await take_from_lots(tx, entry_id=entry["id"], account_id=account_id, parts=parts)
    await tx.run(MOVE, entry["id"], account_id, target_id, points, account["balance"], None)
    await tx.run(ADD, points, target_id)
