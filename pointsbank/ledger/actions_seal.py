"""Seal what was booked and what was changed: one chain per community, written apart from the actions that book."""

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import canon, queries_seal

SLICE = 200

RECORD = """
INSERT INTO ledger_change (community_id, what, name, actor_id, changed_at, content) VALUES (?, ?, ?, ?, ?, ?)
"""
# On PostgreSQL several processes may come at once: whoever finds another at it leaves it to that one. Should two write
# all the same, the second meets the unique position and entry, and nothing of it stays.
ALONE = "SELECT pg_try_advisory_xact_lock(1936024940)"
SEAL = "INSERT INTO ledger_seal (community_id, position, entry_id, change_id, hash) VALUES (?, ?, ?, ?, ?)"


async def change(tx: Tx, *, what: str, row_id: int) -> None:
    """Have what a row says now sealed, as `what` of queries_subjects.SUBJECTS.

    Called by every action that opens or changes a row of such a table, after its statement and in its transaction,
    once for each row: `await change(tx, what="hold", row_id=hold_id)`. A new table needs an entry in SUBJECTS that
    reads each of its columns; verify then compares every row with the latest change of its name.
    """
    said = await queries_seal.fact(tx, what, row_id)
    await tx.run(RECORD, said.community_id, what, said.name, tx.actor.person_id, tx.now, said.content)


class Slice(msgspec.Struct, frozen=True):
    """How much was gone over, up to which ids, whether that was all, and whether some had to be left for later."""

    count: int
    entry_id: int
    change_id: int
    is_last: bool = True
    must_wait: bool = False


class _Chains:
    """The ends of the chains that a slice lengthens."""

    def __init__(self) -> None:
        self.ends: dict[int, queries_seal.Head] = {}
        self.positions: dict[int, int] = {}

    async def add(self, tx: Tx, community_id: int, form: bytes, *, entry_id: int | None, change_id: int | None) -> None:
        end = self.ends.get(community_id) or await queries_seal.head_in(tx, community_id)
        position = end.position + 1
        sealed = canon.link(community_id, position, end.hash, canon.digest(form))
        await tx.run(SEAL, community_id, position, entry_id, change_id, sealed)
        self.ends[community_id] = queries_seal.Head(community_id, position, sealed)
        if entry_id is not None:
            self.positions[entry_id] = position


async def seal(tx: Tx, *, after_entry: int, after_change: int) -> Slice:
    """Seal the next of what came after these ids and is not sealed yet: changes first, entries by id."""
    if not db.current().is_sqlite and not (await tx.rows(ALONE))[0][0]:
        return Slice(0, after_entry, after_change, must_wait=True)
    chains = _Chains()
    changes = await tx.rows(queries_seal.UNSEALED_CHANGES, after_change, SLICE)
    for change_id, *row in changes:
        await chains.add(tx, row[0], canon.change_form(row), entry_id=None, change_id=change_id)
    entries = await tx.rows(queries_seal.UNSEALED_ENTRIES, after_entry, SLICE)
    must_wait = not await _seal_entries(tx, chains, entries) if entries else False
    return Slice(
        len(changes) + len(entries),
        entries[-1]["id"] if entries else after_entry,
        changes[-1]["id"] if changes else after_change,
        len(entries) < SLICE and len(changes) < SLICE,
        must_wait,
    )


async def _seal_entries(tx: Tx, chains: _Chains, entries: list[Row]) -> bool:
    """False if an entry had to be left: on PostgreSQL what it reverses may have come to sight after the look at it."""
    between = (entries[0]["id"], entries[-1]["id"])
    moves = queries_seal.by_first(await tx.rows(queries_seal.MOVES_BETWEEN, *between))
    uses = queries_seal.by_first(await tx.rows(queries_seal.USES_BETWEEN, *between))
    is_whole = True
    for entry_id, reverses_id, *row in entries:
        if reverses_id is not None and row[-1] is None:
            row[-1] = chains.positions.get(reverses_id)
            if row[-1] is None:
                is_whole = False
                continue
        form = canon.entry_form(row, moves.get(entry_id, []), uses.get(entry_id, []))
        await chains.add(tx, row[1], form, entry_id=entry_id, change_id=None)
    return is_whole
