"""Keep points for something that is not decided yet, and resolve that once: captured, released or lapsed.

Nothing here lapses a hold by itself: the room that made it does so, with all that hangs on it. Rows are taken in one
order: the hold, its account, its lots.
"""

from datetime import datetime

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import rules
from pointsbank.ledger.actions import (
    ADD,
    ENTRY,
    KEPT_BACK,
    MOVE,
    Source,
    lots_for,
    refuse_spending,
    system_account,
)
from pointsbank.ledger.actions_lots import LOT_USE
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import AlreadyHeld, HoldResolved, NotOverdue, Posted, UnknownHold
from pointsbank.trail import actions as trail

KEEP = f"""
UPDATE ledger_account SET held = held + ? WHERE id = ? AND balance - held >= ? + {KEPT_BACK} RETURNING balance
"""
NEW_HOLD = """
INSERT INTO ledger_hold (hold_key, account_id, points, state, overdue_at, source_room, source_kind, source_id,
                         member_id, actor_id, made_at)
VALUES (?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hold_key) DO NOTHING RETURNING id
"""
KEEP_LOT = "UPDATE ledger_lot SET held = held + ? WHERE id = ? AND remaining - held >= ?"
HOLD_LOT = "INSERT INTO ledger_hold_lot (hold_id, lot_id, points) VALUES (?, ?, ?)"
# Changes nothing, but whoever comes second waits here and then finds the hold resolved.
TAKE_HOLD = """
UPDATE ledger_hold SET state = state WHERE hold_key = ? AND state = 'open'
RETURNING id, account_id, points, overdue_at, source_room, source_kind, source_id, member_id
"""
STATE_OF = "SELECT state FROM ledger_hold WHERE hold_key = ?"
RESOLVE = "UPDATE ledger_hold SET state = ?, resolved_at = ?, entry_id = ? WHERE id = ? AND state = 'open'"
HELD_LOTS = "SELECT lot_id, points FROM ledger_hold_lot WHERE hold_id = ? ORDER BY lot_id"
LET_GO = "UPDATE ledger_account SET held = held - ? WHERE id = ? RETURNING balance"
LET_LOT_GO = "UPDATE ledger_lot SET held = held - ? WHERE id = ?"
PAY = "UPDATE ledger_account SET balance = balance - ?, held = held - ? WHERE id = ? RETURNING balance, community_id"
PAY_LOT = "UPDATE ledger_lot SET remaining = remaining - ?, held = held - ? WHERE id = ?"


async def hold(
    tx: Tx,
    *,
    account_id: int,
    points: int,
    hold_key: str,
    overdue_at: datetime,
    member_id: int,
    source: Source,
) -> int:
    """Keep points of a passbook's account, soonest to expire first, under a key of the caller's; no entry is posted.

    What is held does not expire before it is resolved. Refuses NotEnoughPoints, AlreadyHeld.
    """
    rules.check_amount(points)
    account = await tx.row(KEEP, points, account_id, points, local_day(tx.now))
    if account is None:
        await refuse_spending(tx, account_id=account_id, points=points)
    made = await tx.row(
        NEW_HOLD, hold_key, account_id, points, overdue_at, *source, member_id, tx.actor.person_id, tx.now
    )  # fmt: skip
    if made is None:
        raise AlreadyHeld
    hold_id = int(made["id"])
    for part in await lots_for(tx, account_id=account_id, points=points):
        kept = await tx.run(KEEP_LOT, part.points, part.lot_id, part.points)
        assert kept == 1
        await tx.run(HOLD_LOT, hold_id, part.lot_id, part.points)
    await change(tx, what="hold", row_id=hold_id)
    await trail.record(tx, "hold.made", subject=("hold", hold_id), points=points)
    return hold_id


async def capture(tx: Tx, *, hold_key: str, outlet_id: int, posting_key: str, summary: str) -> Posted:
    """Post the entry that the points were held for, whole, from exactly the lots that were held."""
    held = await _take(tx, hold_key)
    points, account_id = held["points"], held["account_id"]
    account = await tx.row(PAY, points, points, account_id)
    assert account is not None
    target_id = await system_account(
        tx, community_id=account["community_id"], system=rules.redeemed(outlet_id)
    )  # fmt: skip
    entry = await tx.row(
        ENTRY, posting_key, account["community_id"], "order", tx.now, tx.now, tx.actor.person_id, held["member_id"],
        held["source_room"], held["source_kind"], held["source_id"], summary, "", None, None,
    )  # fmt: skip
    assert entry is not None
    await _resolve(tx, held["id"], "captured", entry["id"])
    for lot_id, part in await tx.rows(HELD_LOTS, held["id"]):
        await tx.run(PAY_LOT, part, part, lot_id)
        await tx.run(LOT_USE, entry["id"], lot_id, part)
    await tx.run(MOVE, entry["id"], account_id, target_id, points, account["balance"], None)
    await tx.run(ADD, points, target_id)
    return Posted(entry["id"], account["balance"])


async def release(tx: Tx, *, hold_key: str) -> None:
    """Let the points go again: what they were held for will not be."""
    await _let_go(tx, await _take(tx, hold_key), "released")


async def lapse(tx: Tx, *, hold_key: str) -> None:
    """Let the points go because nobody came in time; refuses NotOverdue before the time that the hold names."""
    held = await _take(tx, hold_key)
    if tx.now < held["overdue_at"]:
        raise NotOverdue
    await _let_go(tx, held, "lapsed")


async def _take(tx: Tx, hold_key: str) -> Row:
    held = await tx.row(TAKE_HOLD, hold_key)
    if held is None:
        found = await tx.row(STATE_OF, hold_key)
        raise UnknownHold if found is None else HoldResolved(state=found["state"])
    return held


async def _let_go(tx: Tx, held: Row, state: str) -> None:
    await _resolve(tx, held["id"], state, None)
    await tx.run(LET_GO, held["points"], held["account_id"])
    for lot_id, part in await tx.rows(HELD_LOTS, held["id"]):
        await tx.run(LET_LOT_GO, part, lot_id)


async def _resolve(tx: Tx, hold_id: int, state: str, entry_id: int | None) -> None:
    resolved = await tx.run(RESOLVE, state, tx.now, entry_id, hold_id)
    assert resolved == 1
    await change(tx, what="hold", row_id=hold_id)
    await trail.record(tx, f"hold.{state}", subject=("hold", hold_id))
