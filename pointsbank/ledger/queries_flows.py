"""Read passbooks as ends of a flow, vouchers, and the community's pot."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.approvals import queries as approvals
from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import rules_flows
from pointsbank.ledger.rules import MAIN, POT, UnknownAccount, surplus_key
from pointsbank.ledger.rules_flows import HANDED_OVER, Voucher, What
from pointsbank.people.rules import OWN_PHONE

VOUCHERS_MAX = 100

BOOKS = """
SELECT book.id, account.id, book.number, book.community_id, book.person_id, book.household_id, account.balance,
       account.held, account.closed_at IS NOT NULL, kind.id, kind.name, kind.transferable, kind.donatable,
       kind.balance_max, kind.spend_above, kind.code, kind.unit, kind.decimals,
       EXISTS (SELECT 1 FROM people_person person WHERE person.id = book.person_id AND person.merged_into IS NOT NULL),
       bar.barred_until
  FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id LEFT JOIN ledger_bar bar ON bar.passbook_id = book.id
"""
BOOK = f"{BOOKS} WHERE book.id = ?"
OPEN_OF_PERSON = f"{BOOKS} WHERE book.person_id = ? AND account.closed_at IS NULL ORDER BY account.id"
OPEN_OF_HOUSEHOLD = f"{BOOKS} WHERE book.household_id = ? AND account.closed_at IS NULL ORDER BY account.id"
OPEN_HOLDS = """
SELECT hold.id, hold.points, hold.made_at FROM ledger_hold hold JOIN ledger_account account
    ON account.id = hold.account_id WHERE account.passbook_id = ? AND hold.state = 'open' ORDER BY hold.id
"""
VOUCHERS = """
SELECT id, community_id, what, from_id, to_id, reverses_id, points, expires_on, reason, note, how, member_id, made_by,
       made_at, state,
       COALESCE(approval_id, (SELECT joining.approval_id FROM ledger_joining joining
                               WHERE joining.voucher_id = ledger_voucher.id)) AS approval_id, entry_id,
       (SELECT gift.match_percent FROM ledger_gift gift WHERE gift.voucher_id = ledger_voucher.id),
       (SELECT gift.batch_id FROM ledger_gift gift WHERE gift.voucher_id = ledger_voucher.id),
       (SELECT past.day FROM ledger_past_day past WHERE past.voucher_id = ledger_voucher.id)
  FROM ledger_voucher
"""
OF_BATCH = f"{VOUCHERS} WHERE id IN (SELECT voucher_id FROM ledger_gift WHERE batch_id = ?) ORDER BY id"
OF_ENTRY = f"{VOUCHERS} WHERE entry_id = ?"
OPEN_ESTATES = f"{VOUCHERS} WHERE member_id = ? AND what = 'estate' AND state = 'asked' ORDER BY id"
MERGED_FROM = f"""{VOUCHERS}
 WHERE what = 'joining' AND reason = 'same_person' AND from_id IN (SELECT id FROM ledger_passbook WHERE person_id = ?)
 ORDER BY id
"""
FOLLOWED = """
SELECT voucher.made_by, voucher.made_at FROM ledger_voucher voucher JOIN ledger_passbook book ON book.id = voucher.to_id
 WHERE book.household_id = ? AND voucher.what = 'joining' AND voucher.reason IN ('moved', 'split')
   AND voucher.made_by IS NOT NULL AND voucher.member_id IN
"""
OPEN_REVERSAL = f"{VOUCHERS} WHERE reverses_id = ? AND state = 'asked'"
POTS = f"""
SELECT kind.code, kind.name, kind.unit, kind.decimals, COALESCE(account.balance, 0)
  FROM ledger_book_kind kind LEFT JOIN ledger_account account ON account.community_id = kind.community_id
   AND account.system = CASE WHEN kind.code = '{MAIN}' THEN '{POT}' ELSE '{POT}@' || kind.code END
 WHERE kind.community_id = ? ORDER BY kind.id
"""
HOME = """
SELECT COALESCE(book.household_id, person.household_id), book.person_id
  FROM ledger_passbook book LEFT JOIN people_person person ON person.id = book.person_id WHERE book.id = ?
"""
ALONE_MAX = "SELECT reversal_alone_max FROM people_community WHERE id = ?"
EARNED = """
SELECT CAST(COALESCE(SUM(remaining - held), 0) AS BIGINT) FROM ledger_lot
 WHERE account_id = ? AND kind = 'earned' AND expires_on >= ? AND remaining > 0
"""
EXPIRED = """
SELECT CAST(COALESCE(SUM(remaining - held), 0) AS BIGINT) FROM ledger_lot
 WHERE account_id = ? AND expires_on < ? AND remaining > 0
"""
ENTRY = """
SELECT entry.id, entry.community_id, entry.kind, entry.member_id, entry.source_room,
       CAST(SUM(move.points) AS BIGINT) AS points,
       MIN(source.passbook_id) AS from_id, MIN(target.passbook_id) AS to_id,
       EXISTS (SELECT 1 FROM ledger_entry back WHERE back.reverses_id = entry.id) AS is_reversed
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
  JOIN ledger_account source ON source.id = move.source_id JOIN ledger_account target ON target.id = move.target_id
 WHERE entry.id = ?
 GROUP BY entry.id, entry.community_id, entry.kind, entry.member_id, entry.source_room
"""


# What is free in the passbook of an entry. What went on because the passbook was full comes back first, if it is there.
SURPLUS = """
SELECT move.points, entry.reason = 'refused' OR account.balance >= move.points AS is_there
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
  JOIN ledger_account account ON account.id = move.target_id
 WHERE entry.posting_key = ? AND NOT EXISTS (SELECT 1 FROM ledger_entry back WHERE back.reverses_id = entry.id)
"""
RECOVERABLE = """
SELECT CAST(COALESCE(SUM(lot.remaining - lot.held), 0) AS BIGINT) AS points
  FROM ledger_lot lot JOIN ledger_account account ON account.id = lot.account_id
  LEFT JOIN ledger_lot_use used ON used.lot_id = lot.id AND used.entry_id = ?
 WHERE account.passbook_id = ? AND (lot.expires_on >= ? OR used.lot_id IS NOT NULL)
"""


class Book(msgspec.Struct, frozen=True):
    """A passbook as one end of a flow, with what its kind allows."""

    passbook_id: int
    account_id: int
    number: str
    community_id: int
    person_id: int | None
    household_id: int | None
    balance: int
    held: int
    is_closed: bool
    kind_id: int
    kind_name: str
    transferable: bool
    donatable: bool
    balance_max: int | None
    spend_above: int
    kind_code: str
    unit: str
    decimals: int
    is_merged: bool
    barred_until: date | None


class Pot(msgspec.Struct, frozen=True):
    """What was donated of a kind, and how its points are written."""

    code: str
    name: str
    unit: str
    decimals: int
    points: int


class OpenHold(msgspec.Struct, frozen=True):
    hold_id: int
    points: int
    made_at: datetime


class EntryFacts(msgspec.Struct, frozen=True):
    """An entry and the passbooks that it touched."""

    entry_id: int
    community_id: int
    kind: str
    member_id: int | None
    source_room: str
    points: int
    from_id: int | None
    to_id: int | None
    is_reversed: bool


async def _row(tx: Tx | None, sql: str, *values: object) -> Row | None:
    return await (db.row(sql, *values) if tx is None else tx.row(sql, *values))


async def book(tx: Tx | None, passbook_id: int) -> Book:
    """Refuses UnknownAccount."""
    found = await _row(tx, BOOK, passbook_id)
    if found is None:
        raise UnknownAccount
    return _book(found)


def _book(found: Row) -> Book:
    book = Book(*found)
    return msgspec.structs.replace(
        book,
        is_closed=bool(book.is_closed),
        is_merged=bool(book.is_merged),
        transferable=bool(book.transferable),
        donatable=bool(book.donatable),
    )


async def open_books(tx: Tx | None, *, person_id: int | None = None, household_id: int | None = None) -> list[Book]:
    """All passbooks of a person, or of a household, that are not closed; by account, as they are to be taken."""
    assert (person_id is None) != (household_id is None)
    sql, whose = (OPEN_OF_PERSON, person_id) if household_id is None else (OPEN_OF_HOUSEHOLD, household_id)
    return [_book(found) for found in await (db.rows(sql, whose) if tx is None else tx.rows(sql, whose))]


async def open_holds(tx: Tx | None, passbook_id: int) -> list[OpenHold]:
    rows = db.rows if tx is None else tx.rows
    return [OpenHold(*found) for found in await rows(OPEN_HOLDS, passbook_id)]


async def shared_book(community_ids: Sequence[int], passbook_id: int) -> Book:
    """For a page: a passbook of another community is not found."""
    try:
        found = await book(None, passbook_id)
    except UnknownAccount:
        raise NotFound from None
    if found.community_id not in community_ids:
        raise NotFound
    return found


def _voucher(found: Row) -> Voucher:
    voucher = Voucher(*found)
    return msgspec.structs.replace(voucher, what=What(voucher.what))


async def voucher_in(tx: Tx, voucher_id: int) -> Voucher:
    found = await tx.row(f"{VOUCHERS} WHERE id = ?", voucher_id)
    if found is None:
        raise NotFound
    return _voucher(found)


async def voucher(community_ids: Sequence[int], voucher_id: int) -> Voucher:
    found = await db.row(f"{VOUCHERS} WHERE id = ?", voucher_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return _voucher(found)


async def batch_in(tx: Tx | None, batch_id: int) -> list[Voucher]:
    """Gifts that were asked for together."""
    return [_voucher(found) for found in await (db.rows if tx is None else tx.rows)(OF_BATCH, batch_id)]


async def batch(community_ids: Sequence[int], batch_id: int) -> list[Voucher]:
    found = await batch_in(None, batch_id)
    if not found or found[0].community_id not in community_ids:
        raise NotFound
    return found


async def voucher_of_entry(entry_id: int) -> Voucher | None:
    found = await db.row(OF_ENTRY, entry_id)
    return None if found is None else _voucher(found)


async def open_reversal(entry_id: int) -> Voucher | None:
    found = await db.row(OPEN_REVERSAL, entry_id)
    return None if found is None else _voucher(found)


async def open_estates(tx: Tx | None, member_id: int) -> list[Voucher]:
    """What of somebody's estate waits for a second person."""
    rows = db.rows if tx is None else tx.rows
    return [_voucher(found) for found in await rows(OPEN_ESTATES, member_id)]


async def merged_from(person_id: int) -> list[Voucher]:
    """What went over from this record's passbooks when it was merged into another."""
    return [_voucher(found) for found in await db.rows(MERGED_FROM, person_id)]


async def followed(tx: Tx, *, household_id: int, person_ids: Sequence[int]) -> list[tuple[int, datetime]]:
    """Who let points come to a household with one of these when they moved in, and when."""
    marks = ", ".join("?" * len(person_ids))
    return [(by, at) for by, at in await tx.rows(f"{FOLLOWED} ({marks})", household_id, *person_ids)]


async def vouchers(community_id: int) -> list[Voucher]:
    """Those that wait for a second person first, then the latest."""
    where = "WHERE community_id = ? ORDER BY CASE WHEN state = 'asked' THEN 0 ELSE 1 END, id DESC LIMIT ?"
    return [_voucher(found) for found in await db.rows(f"{VOUCHERS} {where}", community_id, VOUCHERS_MAX)]


async def pots(community_id: int) -> list[Pot]:
    """The pot of each kind, the main one first, also those that nobody has donated to."""
    return [Pot(*found) for found in await db.rows(POTS, community_id)]


async def reversal_alone_max(tx: Tx | None, community_id: int) -> int:
    """Whole points, of any kind, up to which one person may reverse an entry."""
    found = await _row(tx, ALONE_MAX, community_id)
    assert found is not None
    return int(found["reversal_alone_max"])


class Recoverable(msgspec.Struct, frozen=True):
    """What of the points that an entry brought can be taken back now; `spent_by_pot` of them went through the pot."""

    points: int
    spent_by_pot: int


async def recoverable(tx: Tx | None, of: EntryFacts, today: date) -> Recoverable:
    free = await _row(tx, RECOVERABLE, of.entry_id, of.to_id, today)
    assert free is not None
    surplus, is_there = (await _row(tx, SURPLUS, surplus_key(of.entry_id))) or (0, True)
    if is_there:
        return Recoverable(min(free["points"] + surplus, of.points), 0)
    return Recoverable(min(free["points"], of.points - surplus), surplus)


async def needs_second(tx: Tx, voucher: Voucher) -> bool:
    """Whether another person must agree to it."""
    of = await book(tx, voucher.book_ids[0])
    return rules_flows.needs_second(
        voucher.what,
        voucher.points,
        alone_max=await reversal_alone_max(tx, of.community_id),
        decimals=of.decimals,
        leaves_home=voucher.what in HANDED_OVER and await _leaves_home(tx, voucher),
    )


async def _leaves_home(tx: Tx, voucher: Voucher) -> bool:
    """Whether it goes to another household's passbook, or to one of its people.

    Whom staff brought into a household lately counts as of another one: nobody makes housemates to hand on alone.
    """
    if voucher.to_id is None:
        return False
    sides = [(await tx.rows(HOME, passbook_id))[0] for passbook_id in voucher.book_ids]
    homes = [home for home, _person_id in sides]
    if homes[0] is None or homes[0] != homes[1]:
        return True
    if voucher.how == OWN_PHONE or voucher.made_by is None:
        return False
    holders = [person_id for _home, person_id in sides if person_id is not None]
    return await approvals.brought_until(tx, voucher.made_by, holders) is not None


async def giveable(tx: Tx | None, of: Book, today: date) -> int:
    """What may be transferred or donated: earned, not held, not expired, above what has to stay."""
    found = await _row(tx, EARNED, of.account_id, today)
    assert found is not None
    return max(min(int(found[0]), of.balance - of.held - await kept_back(tx, of, today)), 0)


async def kept_back(tx: Tx | None, of: Book, today: date) -> int:
    """Of balance and what is not held, what has to stay: none of it points that expired since the job last came."""
    if not of.spend_above:
        return 0
    found = await _row(tx, EXPIRED, of.account_id, today)
    assert found is not None
    return of.spend_above + int(found[0])


async def entry(tx: Tx | None, entry_id: int) -> EntryFacts:
    found = await _row(tx, ENTRY, entry_id)
    if found is None:
        raise NotFound
    return EntryFacts(*found)
