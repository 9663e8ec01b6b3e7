"""Count what lies on the shelf, and write off what can no longer be given out.

A count is blind: the books are compared with what was counted only after it was written down. What an order takes
between the two does no harm, because the difference is what is booked, and never the number that was counted.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.stock import rules
from pointsbank.stock.actions import ANOTHER_MOVE, NEW_LOT, NEW_MOVE, OUTLET, TAKE_LOT, take_lots
from pointsbank.stock.rules import (
    CountClosed,
    Counted,
    CountOpen,
    CountStale,
    Explained,
    LotShort,
    NothingCounted,
    NothingToCount,
    ReasonMissing,
)
from pointsbank.trail import actions as trail

NEW_COUNT = """
INSERT INTO stock_count (community_id, outlet_id, state, opened_by, opened_at)
VALUES (?, ?, 'open', ?, ?) ON CONFLICT DO NOTHING RETURNING id
"""
ALL_LINES = """
INSERT INTO stock_count_line (count_id, good_id, reason)
SELECT CAST(? AS BIGINT), id, '' FROM stock_good WHERE outlet_id = ? AND (state = 'live' OR stock > 0)
"""
COUNT = "SELECT state FROM stock_count WHERE id = ?"
KEEP_OPEN = "UPDATE stock_count SET state = state WHERE id = ? AND state = 'open'"
END = "UPDATE stock_count SET state = ?, ended_by = ?, ended_at = ? WHERE id = ? AND state = 'open'"
LINES = """
SELECT line.good_id, line.counted, line.booked, good.name FROM stock_count_line line
  JOIN stock_good good ON good.id = line.good_id WHERE line.count_id = ? ORDER BY line.good_id
"""
WRITE = """
UPDATE stock_count_line SET counted = ?, booked = (SELECT stock FROM stock_good WHERE id = stock_count_line.good_id)
 WHERE count_id = ? AND good_id = ?
"""
UNWRITE = "UPDATE stock_count_line SET counted = NULL, booked = NULL WHERE count_id = ? AND good_id = ?"
REASON = "UPDATE stock_count_line SET reason = ? WHERE count_id = ? AND good_id = ?"
LESS = "UPDATE stock_good SET stock = stock - ? WHERE id = ? AND stock >= ?"
MORE = "UPDATE stock_good SET stock = stock + ? WHERE id = ?"
KEEPS_UNTIL = """
SELECT best_before FROM stock_lot WHERE good_id = ?
 ORDER BY CASE WHEN remaining > 0 THEN 0 ELSE 1 END, best_before LIMIT 1
"""
LOT = "SELECT remaining FROM stock_lot WHERE id = ? AND good_id = ?"
NEW_LOSS = """
INSERT INTO stock_loss (good_id, lot_id, quantity, reason, person_id, written_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id
"""


async def open_count(tx: Tx, *, community_id: int, outlet_id: int, good_ids: Sequence[int] = ()) -> int:
    """Begin a count of these goods, or of all that the outlet has."""
    outlet = await tx.row(OUTLET, outlet_id)
    if outlet is None or outlet["community_id"] != community_id:
        raise NotFound
    made = await tx.row(NEW_COUNT, community_id, outlet_id, tx.actor.person_id, tx.now)
    if made is None:
        raise CountOpen
    count_id: int = made["id"]
    among = f" AND id IN ({', '.join('?' * len(good_ids))})" if good_ids else ""
    if await tx.run(ALL_LINES + among, count_id, outlet_id, *good_ids) < max(len(set(good_ids)), 1):
        raise NothingToCount
    await trail.record(tx, "count.opened", subject=("count", count_id))
    return count_id


async def _closed(tx: Tx, count_id: int) -> NotFound | CountClosed:
    return CountClosed() if await tx.row(COUNT, count_id) is not None else NotFound()


async def write_counted(tx: Tx, *, count_id: int, counted: Sequence[Counted]) -> None:
    """Write down what was counted. Only what is new is compared with the books."""
    if await tx.run(KEEP_OPEN, count_id) != 1:
        raise await _closed(tx, count_id)
    known = {line["good_id"]: line["counted"] for line in await tx.rows(LINES, count_id)}
    for good_id, number in sorted({line.good_id: line.quantity for line in counted}.items()):
        if good_id not in known:
            raise NotFound
        if number == known[good_id]:
            continue
        if number is None:
            await tx.run(UNWRITE, count_id, good_id)
        else:
            assert 0 <= number <= rules.QUANTITY_MAX
            await tx.run(WRITE, number, count_id, good_id)


async def drop_count(tx: Tx, *, count_id: int) -> None:
    if await tx.run(END, "dropped", tx.actor.person_id, tx.now, count_id) != 1:
        raise await _closed(tx, count_id)
    await trail.record(tx, "count.dropped", subject=("count", count_id))


async def close_count(tx: Tx, *, count_id: int, reasons: Sequence[Explained]) -> None:
    """Book every difference as a move, with its reason; goods that nobody counted stay as they are."""
    if await tx.run(END, "done", tx.actor.person_id, tx.now, count_id) != 1:
        raise await _closed(tx, count_id)
    lines = [line for line in await tx.rows(LINES, count_id) if line["counted"] is not None]
    if not lines:
        raise NothingCounted
    given = {line.good_id: line.reason for line in reasons}
    over = short = 0
    for line in lines:
        difference: int = line["counted"] - line["booked"]
        if difference == 0:
            continue
        reason = given.get(line["good_id"], "")
        if reason not in rules.DIFFERENCES:
            raise ReasonMissing(good_id=line["good_id"], name=line["name"])
        await tx.run(REASON, reason, count_id, line["good_id"])
        await _book(tx, count_id, line, difference)
        await trail.record(
            tx, "stock.counted", subject=("good", line["good_id"]), quantity=difference, reason=reason, count=count_id
        )
        over, short = over + max(difference, 0), short + max(-difference, 0)
    await trail.record(tx, "count.done", subject=("count", count_id), goods=len(lines), over=over, short=short)


async def _book(tx: Tx, count_id: int, line: Row, difference: int) -> None:
    good_id: int = line["good_id"]
    if difference > 0:
        await tx.run(MORE, difference, good_id)
        keeps = await tx.row(KEEPS_UNTIL, good_id)
        until = keeps["best_before"] if keeps is not None else rules.NEVER
        lot = await tx.row(NEW_LOT, good_id, rules.FOUND, "", 0, until, difference, difference, tx.now)
        assert lot is not None
        await tx.run(NEW_MOVE, good_id, lot["id"], difference, "count", count_id, tx.now)
        return
    missing = -difference
    if await tx.run(LESS, missing, good_id, missing) != 1:
        raise CountStale(good_id=good_id, name=line["name"])
    moves: list[Any] = []
    for lot_id, quantity in await take_lots(tx, good_id=good_id, quantity=missing, fresh_on=date.min):
        moves += (good_id, lot_id, -quantity, "count", count_id, tx.now)
    await tx.run(NEW_MOVE + ANOTHER_MOVE * (len(moves) // 6 - 1), *moves)


async def write_off(tx: Tx, *, good_id: int, lot_id: int, quantity: int, reason: str) -> None:
    """Take pieces of one lot out of the books because nobody may have them; also from a good that has ended."""
    assert 0 < quantity <= rules.QUANTITY_MAX
    assert reason in rules.LOSSES
    lot = await tx.row(LOT, lot_id, good_id)
    if lot is None:
        raise NotFound
    is_less = await tx.run(LESS, quantity, good_id, quantity) == 1
    if not is_less or await tx.run(TAKE_LOT, quantity, lot_id, quantity) != 1:
        raise LotShort(remaining=lot["remaining"])
    loss = await tx.row(NEW_LOSS, good_id, lot_id, quantity, reason, tx.actor.person_id, tx.now)
    assert loss is not None
    await tx.run(NEW_MOVE, good_id, lot_id, -quantity, "loss", loss["id"], tx.now)
    await trail.record(tx, "stock.written_off", subject=("good", good_id), lot=lot_id, quantity=quantity, reason=reason)
