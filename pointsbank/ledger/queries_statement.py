"""A passbook's lines of one year with their places in the chain, and what a holder needs to check them alone."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import start_of_day
from pointsbank.ledger import queries_seal
from pointsbank.ledger.queries_seal import OF_ACCOUNT, Position

LINES_MAX = 2_000


class Line(msgspec.Struct, frozen=True):
    """`position` is None for what was booked a moment ago."""

    move_id: int
    kind: str
    points: int
    balance_after: int
    effective_at: datetime
    booked_at: datetime
    summary: str
    position: int | None
    hash: bytes | None


LINES = """
SELECT move.id, entry.kind, -move.points, move.source_after, entry.effective_at, entry.booked_at, entry.summary,
       seal.position, seal.hash
  FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
  LEFT JOIN ledger_seal seal ON seal.entry_id = entry.id
 WHERE move.source_id = ? AND move.id > ? AND move.source_after IS NOT NULL
   AND entry.booked_at >= ? AND entry.booked_at < ?
UNION ALL
SELECT move.id, entry.kind, move.points, move.target_after, entry.effective_at, entry.booked_at, entry.summary,
       seal.position, seal.hash
  FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
  LEFT JOIN ledger_seal seal ON seal.entry_id = entry.id
 WHERE move.target_id = ? AND move.id > ? AND move.target_after IS NOT NULL
   AND entry.booked_at >= ? AND entry.booked_at < ?
 ORDER BY 1 LIMIT ?
"""


async def lines(account_id: int, year: int, after: int = 0) -> tuple[list[Line], bool]:
    """In the order of the passbook, from behind this move on; and whether there are more than come at once."""
    of_year = (account_id, after, start_of_day(date(year, 1, 1)), start_of_day(date(year + 1, 1, 1)))
    found = await db.slow_rows(LINES, *of_year, *of_year, LINES_MAX + 1)
    return [Line(*line) for line in found[:LINES_MAX]], len(found) > LINES_MAX


async def positions(account_id: int, number: str) -> list[tuple[Position, bool]]:
    """All that is sealed of an account, and whether it is closed: it tells of somebody else's passbook too."""
    async with db.snapshot() as rows:
        own = await queries_seal.sealed(rows, OF_ACCOUNT, account_id, account_id)
    return [(one, _names_others(one, number)) for one in own]


def _names_others(one: Position, number: str) -> bool:
    names: Sequence[str | None] = [name for move in one.moves for name in move[:2]] + [use[0] for use in one.uses]
    return any(name is not None and name.isdigit() and name != number for name in names)
