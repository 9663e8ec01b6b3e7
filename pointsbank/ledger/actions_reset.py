"""On its reset day all that a kind of passbook holds lapses, unless it is carried over."""

from datetime import date

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import rules, rules_kinds
from pointsbank.ledger.actions import ADD, ENTRY, MOVE, TAKE, system_account, take_from_lot
from pointsbank.ledger.actions_kinds import LAST, come_to, note_run

BOOKS_AT_ONCE = 100

KINDS = """
SELECT kind.id, kind.community_id, kind.reset_month, kind.reset_day, run.period, run.upto
  FROM ledger_book_kind kind JOIN ledger_kind_run run ON run.kind_id = kind.id AND run.what = 'reset'
 WHERE kind.reset_month IS NOT NULL AND NOT kind.carry_over ORDER BY kind.id
"""
BOOKS = """
SELECT book.id, account.id AS account_id, account.balance - account.held AS points
  FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
 WHERE book.kind_id = ? AND book.id > ? ORDER BY book.id LIMIT ?
"""
FREE_LOTS = """
SELECT id, remaining - held FROM ledger_lot
 WHERE account_id = ? AND remaining > 0 AND remaining > held ORDER BY expires_on, kind, id
"""


async def reset_due(tx: Tx) -> int:
    """Clear the next passbooks of a kind whose reset day is over; returns how many were looked at, 0 when all is done.

    It must come before anything of the new period is booked: first in the list of jobs. What is held stays.
    """
    today = local_day(tx.now)
    for kind in await tx.rows(KINDS):
        day = rules_kinds.last_reset(kind["reset_month"], kind["reset_day"], today)
        if (kind["period"], kind["upto"]) == (day.isoformat(), LAST):
            continue
        upto = await come_to(tx, kind_id=kind["id"], what="reset", period=day.isoformat())
        books = await tx.rows(BOOKS, kind["id"], upto, BOOKS_AT_ONCE)
        for book in books:
            if book["points"]:
                await _clear(tx, kind, book, day)
        upto = books[-1]["id"] if len(books) == BOOKS_AT_ONCE else LAST
        await note_run(tx, kind_id=kind["id"], what="reset", period=day.isoformat(), upto=upto)
        return max(1, len(books))
    return 0


async def _clear(tx: Tx, kind: Row, book: Row, day: date) -> None:
    """One entry, or more where a passbook holds more than one entry may move."""
    left, number = book["points"], 0
    while left:
        points = min(left, rules.POINTS_MAX)
        key = f"reset:{book['id']}:{day.isoformat()}" + (f":{number}" if number else "")
        await _clear_some(tx, kind, book["account_id"], points, key)
        left, number = left - points, number + 1


async def _clear_some(tx: Tx, kind: Row, account_id: int, points: int, posting_key: str) -> None:
    account = await tx.row(TAKE, points, account_id, points)
    assert account is not None
    target_id = await system_account(tx, community_id=kind["community_id"], system=rules.EXPIRED)
    entry = await tx.row(
        ENTRY, posting_key, kind["community_id"], "reset", tx.now, tx.now, tx.actor.person_id, None, "ledger",
        "book_kind", kind["id"], "到清零日清零", "", None, None,
    )  # fmt: skip
    assert entry is not None
    for part in rules.take_from(await tx.rows(FREE_LOTS, account_id), points):
        await take_from_lot(tx, entry_id=entry["id"], lot_id=part.lot_id, points=part.points)
    await tx.run(MOVE, entry["id"], account_id, target_id, points, account["balance"], None)
    await tx.run(ADD, points, target_id)
