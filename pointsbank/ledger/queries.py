"""Read the ledger."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from pointsbank.kit import db
from pointsbank.kit.clock import local_day, month_start, utc_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import rules_lots
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_kinds import cleared_on
from pointsbank.ledger.rules_lots import FreeLot

LINES_MAX = 100
# Of one community, within a span; days are in the index, moments decide.
BOOKED_BETWEEN = """
  entry.community_id = ? AND entry.utc_day BETWEEN ? AND ? AND entry.booked_at >= ? AND entry.booked_at < ?
"""
MANY_LOTS = 10_000


def booked_between(community_id: int, starts_at: datetime, ends_at: datetime) -> tuple[Any, ...]:
    """The values of BOOKED_BETWEEN."""
    return (community_id, utc_day(starts_at), utc_day(ends_at), starts_at, ends_at)


class Account(msgspec.Struct, frozen=True):
    """What can be spent from: `points` leaves out what is held, what the kind keeps back, and lots that expired.

    Nothing is redeemed while `barred_until` is not over, nor before its holder has served `gate_minutes`; a gate that
    was passed once is none any more.
    """

    account_id: int
    passbook_id: int
    points: int
    barred_until: date | None = None
    gate_minutes: int = 0


class Passbook(msgspec.Struct, frozen=True):
    passbook_id: int
    number: str
    account_id: int
    balance: int
    community_id: int
    person_id: int | None
    household_id: int | None
    name: str
    unit: str
    decimals: int


class Line(msgspec.Struct, frozen=True):
    """A move as its passbook shows it; `points` is negative for what went out."""

    move_id: int
    entry_id: int
    kind: str
    points: int
    balance_after: int
    effective_at: datetime
    booked_at: datetime
    summary: str
    reason: str
    source_room: str
    source_kind: str
    source_id: int
    member_id: int | None

    @property
    def is_late(self) -> bool:
        """Booked in a later month than the one in which it was done; an adjustment, on a later day."""
        days = {local_day(moment) for moment in (self.effective_at, self.booked_at)}
        if self.kind == "adjustment":
            return len(days) > 1
        return len({month_start(day) for day in days}) > 1


class Expiring(msgspec.Struct, frozen=True):
    expires_on: date
    points: int


# Points of lots that expired since the job last came, and of those that are not simply earned.
SPENDING = """
SELECT account.id, passbook.id, kind.redeemable,
       account.balance - account.held - kind.spend_above - CAST(COALESCE((
         SELECT SUM(lot.remaining - lot.held) FROM ledger_lot lot
          WHERE lot.account_id = account.id AND lot.remaining > 0 AND lot.expires_on < ?), 0) AS BIGINT),
       EXISTS (SELECT 1 FROM ledger_lot lot WHERE lot.account_id = account.id AND lot.remaining > 0
                  AND lot.expires_on >= ? AND lot.kind <> 'earned'),
       bar.barred_until, CASE WHEN bar.gate_passed_on IS NULL THEN gate.minutes END
  FROM ledger_passbook passbook JOIN ledger_account account ON account.passbook_id = passbook.id
  JOIN ledger_book_kind kind ON kind.id = passbook.kind_id
  LEFT JOIN ledger_gate gate ON gate.kind_id = kind.id LEFT JOIN ledger_bar bar ON bar.passbook_id = passbook.id
"""
MAIN = " AND kind.code = 'points'"
SPENDING_OF_PERSON = SPENDING + " WHERE passbook.person_id = ?" + MAIN
SPENDING_OF_ACCOUNT = SPENDING + " WHERE account.id = ?"
SPENDING_OF_HOUSEHOLD = SPENDING + " WHERE passbook.household_id = ?" + MAIN
SPENDABLE_LOTS = """
SELECT lot.id, lot.remaining - lot.held, lot.kind, lot.match_percent FROM ledger_lot lot
 WHERE lot.account_id = ? AND lot.expires_on >= ? AND lot.remaining > 0 AND lot.remaining > lot.held
   AND (lot.kind <> 'base' OR (SELECT kind.base_redeemable FROM ledger_account account
          JOIN ledger_passbook book ON book.id = account.passbook_id
          JOIN ledger_book_kind kind ON kind.id = book.kind_id WHERE account.id = lot.account_id))
 ORDER BY lot.expires_on, lot.kind, lot.id LIMIT ?
"""


async def spending_account(tx: Tx, *, person_id: int, household_id: int | None, holder: str) -> Account | None:
    """Return the main account that this member spends from; None while nothing was ever earned."""
    today = local_day(tx.now)
    if holder == "household" and household_id is not None:
        found = await tx.row(SPENDING_OF_HOUSEHOLD, today, today, household_id)
    else:
        found = await tx.row(SPENDING_OF_PERSON, today, today, person_id)
    return await _account(tx, found, today) if found is not None else None


async def spendable(tx: Tx | None, account_id: int, *, today: date) -> int:
    """Return what an account can spend today."""
    return (await account(tx, account_id, today=today)).points


async def account(tx: Tx | None, account_id: int, *, today: date) -> Account:
    """Return an account with what it can spend today, and what keeps it from redeeming."""
    row = tx.row if tx is not None else db.row
    found = await row(SPENDING_OF_ACCOUNT, today, today, account_id)
    assert found is not None
    return await _account(tx, found, today)


async def _account(tx: Tx | None, found: Row, today: date) -> Account:
    account_id, passbook_id, redeemable, points, has_others, barred_until, gate_minutes = found
    if has_others:
        rows = tx.rows if tx is not None else db.rows
        lots = [FreeLot(*lot) for lot in await rows(SPENDABLE_LOTS, account_id, today, MANY_LOTS)]
        points = min(points, rules_lots.payable(lots))
    is_barred = barred_until is not None and barred_until >= today
    free = max(0, points) if redeemable else 0
    return Account(account_id, passbook_id, free, barred_until if is_barred else None, gate_minutes or 0)


PASSBOOK = """
SELECT passbook.id, passbook.number, account.id, account.balance, passbook.community_id, passbook.person_id,
       passbook.household_id, kind.name, kind.unit, kind.decimals
  FROM ledger_passbook passbook JOIN ledger_account account ON account.passbook_id = passbook.id
  JOIN ledger_book_kind kind ON kind.id = passbook.kind_id
"""
PASSBOOK_OF_PERSON = PASSBOOK + " WHERE passbook.person_id = ?" + MAIN
PASSBOOK_OF_HOUSEHOLD = PASSBOOK + " WHERE passbook.household_id = ?" + MAIN
PASSBOOK_BY_ID = PASSBOOK + " WHERE passbook.id = ?"
PASSBOOK_OF_ACCOUNT = PASSBOOK + " WHERE account.id = ?"


async def passbook_of(*, person_id: int, household_id: int | None, holder: str) -> Passbook | None:
    """Return the main passbook, to which a member's acts are credited: the household's where the community says so."""
    if holder == "household" and household_id is not None:
        found = await db.row(PASSBOOK_OF_HOUSEHOLD, household_id)
    else:
        found = await db.row(PASSBOOK_OF_PERSON, person_id)
    return Passbook(*found) if found is not None else None


async def passbook_in(tx: Tx, *, person_id: int | None = None, household_id: int | None = None) -> Passbook | None:
    """The main passbook of a person, or that of a household, inside an action."""
    assert (person_id is None) != (household_id is None)
    if household_id is not None:
        found = await tx.row(PASSBOOK_OF_HOUSEHOLD, household_id)
    else:
        found = await tx.row(PASSBOOK_OF_PERSON, person_id)
    return Passbook(*found) if found is not None else None


async def passbook(passbook_id: int) -> Passbook | None:
    found = await db.row(PASSBOOK_BY_ID, passbook_id)
    return Passbook(*found) if found is not None else None


async def passbook_of_account(tx: Tx | None, account_id: int) -> Passbook | None:
    found = await (db.row if tx is None else tx.row)(PASSBOOK_OF_ACCOUNT, account_id)
    return Passbook(*found) if found is not None else None


async def paying(tx: Tx, account_id: int) -> Passbook:
    """The passbook of an account, for a refusal that tells its points."""
    found = await passbook_of_account(tx, account_id)
    assert found is not None
    return found


# Each half comes in the order of its index, so that the database merges them and reads no line too many.
LINES = """
SELECT move.id, move.entry_id, entry.kind, -move.points, move.source_after, entry.effective_at, entry.booked_at,
       entry.summary, entry.reason, entry.source_room, entry.source_kind, entry.source_id, entry.member_id
  FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
 WHERE move.source_id = ? AND move.source_after IS NOT NULL AND move.id < ?
UNION ALL
SELECT move.id, move.entry_id, entry.kind, move.points, move.target_after, entry.effective_at, entry.booked_at,
       entry.summary, entry.reason, entry.source_room, entry.source_kind, entry.source_id, entry.member_id
  FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
 WHERE move.target_id = ? AND move.target_after IS NOT NULL AND move.id < ?
 ORDER BY 1 DESC LIMIT ?
"""
FIRST_PAGE = 2**62


async def lines(account_id: int, *, before: int = FIRST_PAGE, limit: int = 20) -> list[Line]:
    """Return a passbook's lines, newest first; `before` is the last move_id of the page before."""
    assert 0 < limit <= LINES_MAX
    found = await db.rows(LINES, account_id, before, account_id, before, limit)
    return [Line(*line) for line in found]


ENTRY_LINE = """
SELECT move.id, entry.id, entry.kind, CASE WHEN move.source_id = ? THEN -move.points ELSE move.points END,
       CASE WHEN move.source_id = ? THEN move.source_after ELSE move.target_after END, entry.effective_at,
       entry.booked_at, entry.summary, entry.reason, entry.source_room, entry.source_kind, entry.source_id,
       entry.member_id
  FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
 WHERE entry.id = ? AND (move.source_id = ? OR move.target_id = ?)
"""


async def entry_line(account_id: int, entry_id: int) -> Line | None:
    """Return one entry as this account's passbook shows it; None if it does not touch the account."""
    found = await db.row(ENTRY_LINE, account_id, account_id, entry_id, account_id, account_id)
    return Line(*found) if found is not None else None


EXPIRING = """
SELECT expires_on, SUM(remaining) FROM ledger_lot
 WHERE account_id = ? AND remaining > 0 AND expires_on BETWEEN ? AND ? GROUP BY expires_on
"""
LAPSES = """
SELECT kind.notice_days, kind.reset_month, kind.reset_day, kind.carry_over
  FROM ledger_account account JOIN ledger_passbook book ON book.id = account.passbook_id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id WHERE account.id = ?
"""


async def expiring(account_id: int, *, today: date, until: date) -> list[Expiring]:
    """Return what a passbook loses if it is not spent by `until`, by last day: on a reset day, all that is left."""
    return await _expiring(account_id, await _lapses(account_id), today=today, until=until)


async def lapsing_soon(account_id: int, *, today: date) -> list[Expiring]:
    """What its holder is told of in time: what lapses within as many days as the kind says, by last day."""
    kind = await _lapses(account_id)
    return await _expiring(account_id, kind, today=today, until=today + timedelta(days=kind["notice_days"]))


async def _lapses(account_id: int) -> Row:
    found = await db.row(LAPSES, account_id)
    assert found is not None
    return found


async def _expiring(account_id: int, kind: Row, *, today: date, until: date) -> list[Expiring]:
    cleared = cleared_on(kind["reset_month"], kind["reset_day"], carry_over=bool(kind["carry_over"]), today=today)
    points: Counter[date] = Counter()
    for day, left in await db.rows(EXPIRING, account_id, today, NEVER if cleared <= until else until):
        points[min(to_day(day), cleared)] += int(left)
    return [Expiring(day, left) for day, left in sorted(points.items())]


GIFT_RATES = """
SELECT DISTINCT match_percent FROM ledger_lot
 WHERE account_id = ? AND match_percent IS NOT NULL AND remaining > held AND expires_on >= ? ORDER BY match_percent
"""


async def gift_rates(account_id: int, *, today: date) -> list[int]:
    """How much of the gifts that lie in an account goes with 100 earned points of the same spending."""
    return [int(percent) for (percent,) in await db.rows(GIFT_RATES, account_id, today)]


KEPT_BACK = """
SELECT kind.redeemable, CASE WHEN kind.base_redeemable THEN 0 ELSE CAST(COALESCE((
         SELECT SUM(lot.remaining - lot.held) FROM ledger_lot lot
          WHERE lot.account_id = account.id AND lot.kind = 'base' AND lot.remaining > 0 AND lot.expires_on >= ?), 0)
         AS BIGINT) END
  FROM ledger_account account JOIN ledger_passbook passbook ON passbook.id = account.passbook_id
  JOIN ledger_book_kind kind ON kind.id = passbook.kind_id WHERE account.id = ?
"""


class KeptBack(msgspec.Struct, frozen=True):
    """Whether a passbook is for redeeming at all, and how many of its points never are, being base points."""

    is_redeemable: bool
    base: int


async def kept_back(account_id: int, *, today: date) -> KeptBack:
    found = await db.row(KEPT_BACK, today, account_id)
    assert found is not None
    return KeptBack(bool(found[0]), found[1])


def to_day(value: date | str) -> date:
    """SQLite gives a day that it has worked out as text."""
    return value if isinstance(value, date) else date.fromisoformat(value)


TOTALS = "SELECT system, balance FROM ledger_account WHERE community_id = ? AND system IS NOT NULL ORDER BY id"


async def system_balances(community_id: int) -> dict[str, int]:
    """Return what was issued (below zero), redeemed by outlet, and expired."""
    found = await db.rows(TOTALS, community_id)
    return {row["system"]: row["balance"] for row in found}
