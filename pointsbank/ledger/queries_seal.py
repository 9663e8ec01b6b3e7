"""Read what is sealed: the forms of entries and changes, the subjects of changes as they stand, heads.

`canon` says how a form is spelled. Each text is read by the sealer, by verify, by exports and by statements, so that
none of them can see other columns than the others.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import canon
from pointsbank.ledger.queries_subjects import ACCOUNT_NAME, NAMED, SUBJECTS

Rows = Callable[..., Awaitable[Sequence[Row]]]
"""What reads: `tx.rows`, `db.rows`, `db.slow_rows` or those of a snapshot."""

# Columns in the order of canon.ENTRY, MOVE, USE and CHANGE. A reversed entry is named by its position, which a sealer
# that seals both at once knows better.
ENTRY_COLUMNS = """
  entry.posting_key, entry.community_id, entry.kind, entry.effective_at, entry.booked_at, entry.actor_id,
  entry.member_id, entry.source_room, entry.source_kind, entry.source_id, entry.summary, entry.reason,
  entry.version_id, entry.shortfall, back.position AS reverses
"""
MOVE_COLUMNS = f"""
  {NAMED.format("source")} AS source, {NAMED.format("target")} AS target, move.points, move.source_after,
  move.target_after
"""
MOVE_ACCOUNTS = """
  JOIN ledger_account source ON source.id = move.source_id
  LEFT JOIN ledger_passbook source_book ON source_book.id = source.passbook_id
  JOIN ledger_account target ON target.id = move.target_id
  LEFT JOIN ledger_passbook target_book ON target_book.id = target.passbook_id
"""
USE_COLUMNS = f"""
  {NAMED.format("account")} AS account, lot.kind, lot.expires_on, lot.match_percent, lot_use.points
"""
USE_LOTS = """
  JOIN ledger_lot lot ON lot.id = lot_use.lot_id
  JOIN ledger_account account ON account.id = lot.account_id
  LEFT JOIN ledger_passbook account_book ON account_book.id = account.passbook_id
"""
USE_ORDER = "lot.expires_on, lot.kind, COALESCE(lot.match_percent, 0), account_book.number"
CHANGE_COLUMNS = "change.community_id, change.what, change.name, change.actor_id, change.changed_at, change.content"

# What is sealed, by position, for the two conditions below. What a seal names may be gone: then no row speaks of it.
SEALS = """
SELECT seal.position, seal.hash, earlier.hash AS previous, (seal.entry_id IS NULL) <> (seal.change_id IS NULL) AS is_one
  FROM ledger_seal seal
  LEFT JOIN ledger_seal earlier
    ON earlier.community_id = seal.community_id AND earlier.position = seal.position - 1
"""
SEALED_ENTRIES = f"""
SELECT seal.position, {ENTRY_COLUMNS}
  FROM ledger_seal seal JOIN ledger_entry entry ON entry.id = seal.entry_id
  LEFT JOIN ledger_seal back ON back.entry_id = entry.reverses_id
"""
SEALED_MOVES = f"""
SELECT seal.position, {MOVE_COLUMNS}
  FROM ledger_seal seal JOIN ledger_move move ON move.entry_id = seal.entry_id {MOVE_ACCOUNTS}
"""
SEALED_USES = f"""
SELECT seal.position, {USE_COLUMNS}
  FROM ledger_seal seal JOIN ledger_lot_use lot_use ON lot_use.entry_id = seal.entry_id {USE_LOTS}
"""
SEALED_CHANGES = f"""
SELECT seal.position, {CHANGE_COLUMNS} FROM ledger_seal seal JOIN ledger_change change ON change.id = seal.change_id
"""
BETWEEN = " WHERE seal.community_id = ? AND seal.position > ? AND seal.position <= ?"
OF_ACCOUNT = """
 WHERE seal.entry_id IN (
   SELECT entry_id FROM ledger_move WHERE source_id = ? AND source_after IS NOT NULL
   UNION SELECT entry_id FROM ledger_move WHERE target_id = ? AND target_after IS NOT NULL)
"""

# What no seal names yet, after an id below which nothing can be missing.
UNSEALED_ENTRIES = f"""
SELECT entry.id, entry.reverses_id, {ENTRY_COLUMNS}
  FROM ledger_entry entry LEFT JOIN ledger_seal back ON back.entry_id = entry.reverses_id
 WHERE entry.id > ? AND NOT EXISTS (SELECT 1 FROM ledger_seal seal WHERE seal.entry_id = entry.id)
 ORDER BY entry.id LIMIT ?
"""
MOVES_BETWEEN = f"""
SELECT move.entry_id, {MOVE_COLUMNS} FROM ledger_move move {MOVE_ACCOUNTS}
 WHERE move.entry_id BETWEEN ? AND ? ORDER BY move.id
"""
USES_BETWEEN = f"""
SELECT lot_use.entry_id, {USE_COLUMNS} FROM ledger_lot_use lot_use {USE_LOTS}
 WHERE lot_use.entry_id BETWEEN ? AND ? ORDER BY lot_use.entry_id, {USE_ORDER}
"""
UNSEALED_CHANGES = f"""
SELECT change.id, {CHANGE_COLUMNS} FROM ledger_change change
 WHERE change.id > ? AND NOT EXISTS (SELECT 1 FROM ledger_seal seal WHERE seal.change_id = change.id)
 ORDER BY change.id LIMIT ?
"""
LAST_SEALED = """
SELECT (SELECT COALESCE(MAX(entry_id), 0) FROM ledger_seal WHERE entry_id IS NOT NULL),
       (SELECT COALESCE(MAX(change_id), 0) FROM ledger_seal WHERE change_id IS NOT NULL)
"""
IS_MORE = """
SELECT 1 WHERE EXISTS (SELECT 1 FROM ledger_entry WHERE id > ?)
            OR EXISTS (SELECT 1 FROM ledger_change WHERE id > ?)
"""


class Position(msgspec.Struct, frozen=True):
    """A seal with what it names: an entry with its moves and uses, or a change, or nothing any more.

    `is_one` unless somebody made it name both, or neither.
    """

    position: int
    hash: bytes
    previous: bytes
    entry: list[Any] | None
    moves: list[list[Any]]
    uses: list[list[Any]]
    change: list[Any] | None
    is_one: bool

    @property
    def form(self) -> bytes | None:
        if not self.is_one:
            return None
        if self.change is not None:
            return canon.change_form(self.change)
        return canon.entry_form(self.entry, self.moves, self.uses) if self.entry is not None else None


async def sealed(rows: Rows, where: str, *values: Any) -> list[Position]:
    """The seals that meet BETWEEN or OF_ACCOUNT, by position."""
    seals = await rows(f"{SEALS}{where} ORDER BY seal.position", *values)
    entries = by_first(await rows(f"{SEALED_ENTRIES}{where}", *values))
    moves = by_first(await rows(f"{SEALED_MOVES}{where} ORDER BY move.id", *values))
    uses = by_first(await rows(f"{SEALED_USES}{where} ORDER BY {USE_ORDER}", *values))
    changes = by_first(await rows(f"{SEALED_CHANGES}{where}", *values))
    found = []
    for position, digest, previous, is_one in seals:
        (entry,), (change,) = entries.get(position, [None]), changes.get(position, [None])
        last = canon.GENESIS if previous is None else bytes(previous)
        of_entry = (entry, moves.get(position, []), uses.get(position, []))
        found.append(Position(position, bytes(digest), last, *of_entry, change, bool(is_one)))
    return found


def by_first(rows: Iterable[Row]) -> dict[int, list[Any]]:
    """The rest of each row by its first column, in the order in which they come."""
    found: dict[int, list[Any]] = {}
    for first, *row in rows:
        if first in found:
            found[first].append(row)
        else:
            found[first] = [row]
    return found


class Fact(NamedTuple):
    """A subject as its row stands now: what a change about it says, if nobody went behind the program's back."""

    id: int
    community_id: int
    what: str
    name: str
    content: str


def fact_of(what: str, row: Row, parts: Sequence[Row]) -> Fact:
    facts: dict[str, Any] = dict(row)
    (row_id, community_id, name), names = tuple(row)[:3], list(facts)[3:]
    said = {column: facts[column] for column in names}
    if SUBJECTS[what].parts:
        said["rows"] = [tuple(part)[1:] for part in parts]
    return Fact(row_id, community_id, what, name, canon.content(said))


ONE, OF_ONE = " WHERE it.id = ?", " = ?"
# Of two who change one subject, by rows of its own each, the second waits here, and then tells what the first did.
ALONE = " FOR NO KEY UPDATE OF it"
NEXT, OF_NEXT = " WHERE it.id > ? ORDER BY it.id LIMIT ?", " BETWEEN ? AND ?"
FACTS_A_PAGE = 5_000


async def fact(tx: Tx, what: str, row_id: int) -> Fact:
    """One subject, as its row stands now."""
    subject = SUBJECTS[what]
    (row,) = await tx.rows(subject.sql + ONE + ("" if db.current().is_sqlite else ALONE), row_id)
    parts: Sequence[Row] = ()
    if subject.parts:
        parts = await tx.rows(subject.parts + OF_ONE + subject.parts_order, row_id)
    return fact_of(what, row, parts)


async def facts(rows: Rows, what: str) -> AsyncIterator[Fact]:
    """All subjects of a sort as their rows stand, by id."""
    subject, after = SUBJECTS[what], 0
    while page := await rows(subject.sql + NEXT, after, FACTS_A_PAGE):
        of: dict[int, list[Row]] = {}
        if subject.parts:
            for part in await rows(subject.parts + OF_NEXT + subject.parts_order, page[0][0], page[-1][0]):
                of.setdefault(part[0], []).append(part)
        for row in page:
            yield fact_of(what, row, of.get(row[0], []))
        after = page[-1][0]


class Head(msgspec.Struct, frozen=True):
    """Where a chain ends. On paper it is short; 32 digits are 128 bits, more than anybody can forge."""

    community_id: int
    position: int
    hash: bytes

    @property
    def shown(self) -> str:
        digits = self.hash.hex()[: canon.HEAD_DIGITS]
        return f"{self.community_id}-{self.position}-{digits}"


HEAD = "SELECT position, hash FROM ledger_seal WHERE community_id = ? ORDER BY position DESC LIMIT 1"
COMMUNITIES = "SELECT id FROM people_community ORDER BY id"


async def head(community_id: int, rows: Rows = db.rows) -> Head:
    """The head of a community's chain; position 0 while nothing is sealed."""
    found = await rows(HEAD, community_id)
    position, digest = found[0] if found else (0, canon.GENESIS)
    return Head(community_id, position, bytes(digest))


async def head_in(tx: Tx, community_id: int) -> Head:
    return await head(community_id, tx.rows)


async def heads(rows: Rows = db.rows) -> list[Head]:
    return [await head(community_id, rows) for (community_id,) in await rows(COMMUNITIES)]


# What tables say of a community now: names first, the amount last.
BALANCES = f"""
SELECT {NAMED.format("account")}, account.balance FROM ledger_account account
  LEFT JOIN ledger_passbook account_book ON account_book.id = account.passbook_id WHERE account.community_id = ?
"""
LOTS = f"""
SELECT {NAMED.format("account")}, lot.kind, lot.expires_on, lot.match_percent, lot.remaining
  FROM ledger_lot lot {ACCOUNT_NAME.format("lot")} WHERE account.community_id = ?
"""
ALL = 2**62


class Waiting(msgspec.Struct, frozen=True):
    """What a community's chain does not hold yet: points that came in by account and by lot, and what was changed."""

    moved: Counter[tuple[str | None, ...]]
    used: Counter[tuple[str | None, ...]]
    changed: set[tuple[str, str]]


async def waiting(rows: Rows, community_id: int) -> Waiting:
    found = Waiting(Counter(), Counter(), set())
    for _id, place, what, name, *_rest in await rows(UNSEALED_CHANGES, 0, ALL):
        if place == community_id:
            found.changed.add((what, name))
    entries = [row["id"] for row in await rows(UNSEALED_ENTRIES, 0, ALL) if row["community_id"] == community_id]
    for entry_id in entries:
        for _entry, source, target, points, *_after in await rows(MOVES_BETWEEN, entry_id, entry_id):
            found.moved[source,] -= points
            found.moved[target,] += points
        for _entry, *lot, points in await rows(USES_BETWEEN, entry_id, entry_id):
            found.used[tuple(canon.texts(lot))] -= points
    return found
