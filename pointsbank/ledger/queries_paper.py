"""Read what a passbook's paper shows, and how far it is printed."""

from datetime import datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger.rules_paper import LINES_AT_ONCE, Place

PLACE = "SELECT book, page, row_number, page_after, last_move FROM ledger_paper WHERE passbook_id = ?"
# Oldest first, and with the line before them, whose balance is what a page brings forward.
LINES = """
SELECT move.id, entry.kind, -move.points, move.source_after, entry.booked_at, entry.summary, entry.actor_id,
       entry.member_id
  FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
 WHERE move.source_id = ? AND move.source_after IS NOT NULL AND move.id >= ?
UNION ALL
SELECT move.id, entry.kind, move.points, move.target_after, entry.booked_at, entry.summary, entry.actor_id,
       entry.member_id
  FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
 WHERE move.target_id = ? AND move.target_after IS NOT NULL AND move.id >= ?
 ORDER BY 1 LIMIT ?
"""


class PaperLine(msgspec.Struct, frozen=True):
    """`points` is negative for what went out; `actor_id` is None for what the program did by itself."""

    move_id: int
    kind: str
    points: int
    balance_after: int
    booked_at: datetime
    summary: str
    actor_id: int | None
    member_id: int | None


async def place(tx: Tx | None, passbook_id: int) -> Place:
    """Where the paper stands; at the top of the first page while nothing was ever printed."""
    found = await (db.row(PLACE, passbook_id) if tx is None else tx.row(PLACE, passbook_id))
    return Place() if found is None else Place(*found)


async def lines(tx: Tx | None, account_id: int, place: Place) -> tuple[PaperLine | None, list[PaperLine]]:
    """The line that the page brings forward, and those after it, on paper or not."""
    asked = (account_id, place.page_after, account_id, place.page_after, LINES_AT_ONCE + place.carries)
    found: list[Row] = await (db.rows(LINES, *asked) if tx is None else tx.rows(LINES, *asked))
    read = [PaperLine(*line) for line in found]
    if not place.carries:
        return None, read
    assert read[0].move_id == place.page_after
    return read[0], read[1:]
