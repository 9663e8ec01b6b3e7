"""Take entries back: the mirror of an entry, once, and the points to or from the lots they came from."""

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import rules
from pointsbank.ledger import rules_opening as openings
from pointsbank.ledger.actions import ADD, ENTRY, FREE, LOT_USE, MOVE, OPENING, TAKE, TAKE_ISSUED, take_from_lot
from pointsbank.ledger.rules import AlreadyReversed, AlreadySpent, NotReversible, Posted
from pointsbank.trail import actions as trail

# Two who reverse at once may meet at either unique key, so the loser must be quiet about both.
REVERSAL = ENTRY.replace("ON CONFLICT (reverses_id)", "ON CONFLICT")
ORIGINAL = """
SELECT entry.posting_key, entry.community_id, entry.kind, entry.effective_at, entry.member_id, entry.summary,
       entry.version_id, entry.source_room, entry.source_kind, entry.source_id, move.source_id AS from_id,
       move.target_id AS to_id, move.points
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id WHERE entry.id = ?
"""
END_LINE = "UPDATE ledger_opening_line SET live = FALSE WHERE list_id = ? AND position = ?"
USES = "SELECT lot_id, points FROM ledger_lot_use WHERE entry_id = ? ORDER BY lot_id"
GIVE_TO_LOT = "UPDATE ledger_lot SET remaining = remaining + ? WHERE id = ?"
# The lots that the entry itself filled come first, even one whose last day has passed.
LOTS_FOR = """
SELECT lot.id, lot.remaining - lot.held
  FROM ledger_lot lot LEFT JOIN ledger_lot_use used ON used.lot_id = lot.id AND used.entry_id = ?
 WHERE lot.account_id = ? AND lot.remaining > 0 AND lot.remaining > lot.held
   AND (lot.expires_on >= ? OR used.lot_id IS NOT NULL)
 ORDER BY CASE WHEN used.lot_id IS NULL THEN 1 ELSE 0 END, lot.expires_on, lot.kind, lot.id
"""


async def reverse(tx: Tx, *, entry_id: int, reason: str) -> Posted:
    """Post the mirror of an entry, once. Refuses AlreadyReversed, AlreadySpent (points that came in are gone)."""
    original = await tx.row(ORIGINAL, entry_id)
    assert original is not None
    if original["kind"] not in ("award", "order", OPENING):
        raise NotReversible
    entry = await tx.row(
        REVERSAL, f"reversal:{entry_id}", original["community_id"], "reversal", original["effective_at"], tx.now,
        tx.actor.person_id, original["member_id"], original["source_room"], original["source_kind"],
        original["source_id"], original["summary"], reason, original["version_id"], entry_id,
    )  # fmt: skip
    if entry is None:
        raise AlreadyReversed
    points = original["points"]
    if original["kind"] == "order":
        balance = await _give_back(tx, entry["id"], entry_id, original["from_id"], points)
        await tx.run(MOVE, entry["id"], original["to_id"], original["from_id"], points, None, balance)
        await tx.run(TAKE_ISSUED, points, original["to_id"])
    else:
        balance = await _take_back(tx, entry["id"], entry_id, original["to_id"], points)
        await tx.run(MOVE, entry["id"], original["to_id"], original["from_id"], points, balance, None)
        await tx.run(ADD, points, original["from_id"])
    if original["kind"] == OPENING:  # the right points may come with another list
        await tx.run(END_LINE, *openings.line_of(original["posting_key"]))
    await trail.record(tx, "entry.reversed", subject=("entry", entry_id), by_entry=entry["id"], reason=reason)
    return Posted(entry["id"], balance)


async def _give_back(tx: Tx, entry_id: int, order_entry_id: int, account_id: int, points: int) -> int:
    """Return spent points to the lots they came from."""
    account = await tx.row(ADD, points, account_id)
    assert account is not None
    for lot_id, taken in await tx.rows(USES, order_entry_id):
        await tx.run(GIVE_TO_LOT, taken, lot_id)
        await tx.run(LOT_USE, entry_id, lot_id, -taken)
    return int(account["balance"])


async def _take_back(tx: Tx, entry_id: int, original_id: int, account_id: int, points: int) -> int:
    """Take what came in out again: from the lots it went into, and what is gone there from the others."""
    account = await tx.row(TAKE, points, account_id, points)
    if account is None:
        free = await tx.row(FREE, account_id)
        assert free is not None
        raise AlreadySpent(missing=points - free["points"])
    taken = rules.take_from(await tx.rows(LOTS_FOR, original_id, account_id, local_day(tx.now)), points)
    missing = points - sum(part.points for part in taken)
    if missing:
        raise AlreadySpent(missing=missing)
    for part in taken:
        await take_from_lot(tx, entry_id=entry_id, lot_id=part.lot_id, points=part.points)
    return int(account["balance"])
