"""Read kinds of passbook, who has which, and what will lapse."""

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger.queries import to_day
from pointsbank.ledger.rules import MAIN, NEVER
from pointsbank.ledger.rules_kinds import PLAIN, Denomination, Settings, cleared_on

DAYS_SHOWN = 200

KINDS = """
SELECT kind.id, kind.code, kind.version, (SELECT COUNT(*) FROM ledger_passbook book WHERE book.kind_id = kind.id),
       kind.name, kind.unit, kind.decimals, kind.holder, kind.redeemable, kind.donatable, kind.transferable,
       kind.balance_max, kind.surplus, kind.base_points, kind.base_every, kind.base_redeemable, kind.spend_above,
       kind.reset_month, kind.reset_day, kind.carry_over, kind.notice_days
  FROM ledger_book_kind kind WHERE kind.community_id = ?
"""
BOOKS = """
SELECT book.id, book.number, account.id, account.balance, kind.code, kind.name, kind.unit, kind.decimals
  FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id
"""
BOOKS_OF_PERSON = f"{BOOKS} WHERE book.person_id = ? AND (account.closed_at IS NULL OR kind.code = '{MAIN}')"
EARLIER = f"""{BOOKS}
 WHERE book.person_id = ? AND (account.closed_at IS NOT NULL OR ?)
   AND EXISTS (SELECT 1 FROM ledger_lot lot WHERE lot.account_id = account.id) ORDER BY book.id
"""
BOOKS_OF_HOME = f"{BOOKS} WHERE book.household_id = ?"
DENOMINATIONS = "SELECT code, name, unit, decimals, holder FROM ledger_book_kind WHERE community_id = ?"
MAIN_KINDS = f"""
SELECT code, name, unit, decimals, holder FROM ledger_book_kind WHERE code = '{MAIN}' AND community_id IN
"""
OF_BOOKS = """
SELECT book.id, kind.code, kind.name, kind.unit, kind.decimals, kind.holder
  FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id WHERE book.id IN
"""
# What is left on the day on which a kind is cleared lapses with it, whatever its lot says.
LAPSING = """
SELECT lot.last_day, COUNT(DISTINCT lot.account_id), CAST(SUM(lot.remaining) AS BIGINT) FROM (
  SELECT lot.account_id, lot.remaining, CASE WHEN lot.expires_on > ? THEN ? ELSE lot.expires_on END AS last_day
    FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id
    JOIN ledger_passbook book ON book.id = account.passbook_id
   WHERE book.kind_id = ? AND lot.remaining > 0 AND lot.expires_on BETWEEN ? AND ?) lot
 GROUP BY lot.last_day ORDER BY lot.last_day LIMIT ?
"""


class BookKind(msgspec.Struct, frozen=True):
    id: int
    code: str
    version: int
    books: int
    settings: Settings


class Book(msgspec.Struct, frozen=True):
    """A passbook as its holder sees it beside the others."""

    passbook_id: int
    number: str
    account_id: int
    balance: int
    code: str
    name: str
    unit: str
    decimals: int


class Lapsing(msgspec.Struct, frozen=True):
    day: date
    name: str
    unit: str
    decimals: int
    books: int
    points: int


def _kind(found: Row) -> BookKind:
    kind_id, code, version, books, *settings = found
    return BookKind(kind_id, code, version, books, msgspec.convert(_named(settings), Settings, strict=False))


def _named(settings: Sequence[object]) -> dict[str, object]:
    return dict(zip(Settings.__struct_fields__, settings, strict=True))


async def kinds(community_id: int) -> list[BookKind]:
    """The main kind first."""
    return [_kind(found) for found in await db.rows(f"{KINDS} ORDER BY kind.id", community_id)]


async def kind(community_id: int, kind_id: int, tx: Tx | None = None) -> BookKind:
    found = await (db.row if tx is None else tx.row)(f"{KINDS} AND kind.id = ?", community_id, kind_id)
    if found is None:
        raise NotFound
    return _kind(found)


async def denominations(tx: Tx | None, community_id: int) -> dict[str, Denomination]:
    """The kinds of passbook of a community, by code."""
    found = await (db.rows if tx is None else tx.rows)(DENOMINATIONS, community_id)
    return {one["code"]: Denomination(*one) for one in found}


async def main(tx: Tx | None, *community_ids: int) -> Denomination:
    """How points of the main kind are written; plainly where these communities have different words for them."""
    sql = f"{MAIN_KINDS} ({', '.join('?' * len(community_ids)) or 'NULL'})"
    found = [Denomination(*one) for one in await (db.rows if tx is None else tx.rows)(sql, *community_ids)]
    return found[0] if len({one.unit for one in found}) == 1 else PLAIN


async def denominations_of(passbook_ids: Iterable[int]) -> dict[int, Denomination]:
    """How the amounts of these passbooks are written."""
    ids = sorted(set(passbook_ids))
    found = await db.rows(f"{OF_BOOKS} ({', '.join('?' * len(ids)) or 'NULL'})", *ids)
    return {passbook_id: Denomination(*kind) for passbook_id, *kind in found}


async def books_of(*, person_id: int, household_id: int | None) -> list[Book]:
    """All passbooks that somebody sees as a holder: the own, and the household's; main ones first."""
    found = await db.rows(BOOKS_OF_PERSON, person_id)
    if household_id is not None:
        found = [*found, *await db.rows(BOOKS_OF_HOME, household_id)]
    return sorted((Book(*book) for book in found), key=lambda book: (book.code != MAIN, book.passbook_id))


async def earlier_books(person_id: int, *, is_alias: bool) -> list[Book]:
    """A person's closed passbooks, or all of a record that was merged; those without a line are left out."""
    return [Book(*book) for book in await db.rows(EARLIER, person_id, is_alias)]


async def lapsing(community_id: int, *, today: date, until: date) -> list[Lapsing]:
    """What lapses by itself, by day and kind, if nobody spends it; the soonest first."""
    lines = []
    for of in await kinds(community_id):
        kind = of.settings
        cleared = cleared_on(kind.reset_month, kind.reset_day, carry_over=kind.carry_over, today=today)
        last = NEVER if cleared <= until else until
        found = await db.slow_rows(LAPSING, cleared, cleared, of.id, today, last, DAYS_SHOWN)
        lines += [
            Lapsing(to_day(day), kind.name, kind.unit, kind.decimals, books, points) for day, books, points in found
        ]
    return sorted(lines, key=lambda line: line.day)[:DAYS_SHOWN]
