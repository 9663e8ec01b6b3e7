"""Read closed months, and balances as they once were."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import local_day, month_start
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger.queries import BOOKED_BETWEEN, booked_between
from pointsbank.ledger.rules_periods import CLOSING, EarlierMonthOpen, Period, month_after

PERIODS_MAX = 24
PERIODS = """
SELECT id, community_id, month, starts_at, ends_at, upto, begun_by, closed_at, head
  FROM ledger_period
"""
BY_ID = PERIODS + " WHERE id = ?"
LAST = PERIODS + " WHERE community_id = ? ORDER BY month DESC LIMIT 1"
OF_COMMUNITY = PERIODS + " WHERE community_id = ? ORDER BY month DESC LIMIT ?"
OF_MONTH = PERIODS + " WHERE community_id = ? AND month = ?"
FIRST_ENTRY = """
SELECT MIN(booked_at) AS moment FROM ledger_entry
 WHERE community_id = ? AND utc_day = (SELECT MIN(utc_day) FROM ledger_entry WHERE community_id = ?)
"""
IS_CLOSED = "SELECT 1 FROM ledger_period WHERE community_id = ? AND ends_at > ? LIMIT 1"
# Whose points an account has: those of its passbook's kind, or of the kind whose pot it is.
KIND_OF = """
COALESCE(book.kind_id, (SELECT kind.id FROM ledger_book_kind kind WHERE kind.community_id = account.community_id
           AND account.system = CASE kind.code WHEN 'points' THEN 'pot' ELSE 'pot@' || kind.code END))
"""
OUTSTANDING = """
SELECT kind.code, kind.name, kind.unit, kind.decimals, told.period_id, told.points
  FROM ledger_period period JOIN ledger_outstanding told ON told.period_id = period.id
  JOIN ledger_book_kind kind ON kind.id = told.kind_id
 WHERE period.community_id = ? ORDER BY CASE kind.code WHEN 'points' THEN 0 ELSE 1 END, kind.id
"""
# Of each account of the system what came in from passbooks and went out to them, by their kind.
TOTALS = f"""
SELECT name, code, CAST(SUM(points_in) AS BIGINT), CAST(SUM(points_out) AS BIGINT) FROM (
  SELECT target.system AS name, kind.code AS code, move.points AS points_in, 0 AS points_out
    FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
    JOIN ledger_account target ON target.id = move.target_id AND target.system IS NOT NULL
    JOIN ledger_account source ON source.id = move.source_id
    JOIN ledger_passbook book ON book.id = source.passbook_id JOIN ledger_book_kind kind ON kind.id = book.kind_id
   WHERE {BOOKED_BETWEEN}
  UNION ALL
  SELECT source.system, kind.code, 0, move.points
    FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
    JOIN ledger_account source ON source.id = move.source_id AND source.system IS NOT NULL
    JOIN ledger_account target ON target.id = move.target_id
    JOIN ledger_passbook book ON book.id = target.passbook_id JOIN ledger_book_kind kind ON kind.id = book.kind_id
   WHERE {BOOKED_BETWEEN}) AS sides
 GROUP BY name, code ORDER BY name, code
"""
# A passbook's side of a move alone says the balance after it, and stands in the index.
BALANCE = """
SELECT CAST(COALESCE(SUM(side.points), 0) AS BIGINT) FROM (
  SELECT move.points, entry.booked_at, entry.effective_at FROM ledger_move move
    JOIN ledger_entry entry ON entry.id = move.entry_id WHERE move.target_id = ? AND move.target_after IS NOT NULL
  UNION ALL
  SELECT -move.points, entry.booked_at, entry.effective_at FROM ledger_move move
    JOIN ledger_entry entry ON entry.id = move.entry_id
   WHERE move.source_id = ? AND move.source_after IS NOT NULL) AS side
"""
BY_BOOKED = BALANCE + " WHERE side.booked_at < ?"
BY_EFFECTIVE = BALANCE + " WHERE side.effective_at < ?"


class Total(msgspec.Struct, frozen=True):
    """What came into an account of the system in a month, and what went out, in points of one kind."""

    name: str
    book_kind: str
    points_in: int
    points_out: int


class Outstanding(msgspec.Struct, frozen=True):
    """What passbooks and pot had of one kind when a month ended."""

    book_kind: str
    name: str
    unit: str
    decimals: int
    period_id: int
    points: int


class Balances(msgspec.Struct, frozen=True):
    """A balance before a moment: by when things were booked, and by when they were done."""

    booked: int
    effective: int


async def period_in(tx: Tx, period_id: int) -> Period:
    found = await tx.row(BY_ID, period_id)
    assert found is not None
    return Period(*found)


async def period_of(community_ids: Sequence[int], community_id: int, month: date) -> Period | None:
    if community_id not in community_ids:
        raise NotFound
    found = await db.row(OF_MONTH, community_id, month)
    return None if found is None else Period(*found)


async def next_month(tx: Tx | None, community_id: int) -> date | None:
    """The first month that is not closed; None while nothing was ever booked."""
    row = db.row if tx is None else tx.row
    last = await row(LAST, community_id)
    if last is not None:
        period = Period(*last)
        return period.month if period.state == CLOSING else month_after(period.month)
    return await first_month(tx, community_id)


async def first_month(tx: Tx | None, community_id: int) -> date | None:
    """The month of the first entry; None while nothing was ever booked."""
    found = await (db.row if tx is None else tx.row)(FIRST_ENTRY, community_id, community_id)
    assert found is not None
    if found[0] is None:
        return None
    # SQLite gives the smallest of some moments as text.
    moment = found[0] if isinstance(found[0], datetime) else datetime.fromisoformat(found[0])
    return month_start(local_day(moment))


async def periods(community_id: int) -> list[Period]:
    """Months that were shut, the latest first."""
    return [Period(*found) for found in await db.rows(OF_COMMUNITY, community_id, PERIODS_MAX)]


async def outstanding(community_id: int) -> dict[int, list[Outstanding]]:
    """What was left at the end of each closed month, the main kind first."""
    found: dict[int, list[Outstanding]] = {}
    for row in await db.rows(OUTSTANDING, community_id):
        told = Outstanding(*row)
        found.setdefault(told.period_id, []).append(told)
    return found


async def check_counted(tx: Tx, community_id: int) -> None:
    """Refuses EarlierMonthOpen while a month that was shut is still being counted."""
    last = await tx.row(LAST, community_id)
    if last is not None and Period(*last).state == CLOSING:
        raise EarlierMonthOpen


async def is_closed(tx: Tx | None, community_id: int, moment: datetime) -> bool:
    return await (db.row if tx is None else tx.row)(IS_CLOSED, community_id, moment) is not None


async def totals(community_id: int, starts_at: datetime, ends_at: datetime) -> list[Total]:
    """What each account of the system did in a month, by what was booked."""
    between = booked_between(community_id, starts_at, ends_at)
    return [Total(*found) for found in await db.slow_rows(TOTALS, *between, *between)]


async def balance_at(account_id: int, moment: datetime) -> Balances:
    """Of a passbook's account."""
    sides = (account_id, account_id, moment)
    ((booked,),), ((effective,),) = await db.slow_rows(BY_BOOKED, *sides), await db.slow_rows(BY_EFFECTIVE, *sides)
    return Balances(booked, effective)
