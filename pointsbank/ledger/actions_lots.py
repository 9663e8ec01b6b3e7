"""Take points out of lots and put points into lots; whoever calls has taken the account before.

Last days are promised, so lots of different last days are never made one. Of points that live to the end of a month
or a year a passbook has a lot for each; of those that live months or years from their own day, as many as the longest
life has days: 731 in two years, 3,653 in the ten that a table may say at most. What goes through all of them at once
takes a statement for each hundred.
"""

from collections.abc import Sequence

from pointsbank.kit.db import Tx
from pointsbank.ledger.rules import Bucket, LotTaken

PUT_INTO_LOT = """
INSERT INTO ledger_lot (account_id, expires_on, kind, remaining) VALUES (?, ?, ?, ?)
ON CONFLICT (account_id, expires_on, kind) WHERE match_percent IS NULL
DO UPDATE SET remaining = ledger_lot.remaining + excluded.remaining RETURNING id
"""
PUT_INTO_GIFT = """
INSERT INTO ledger_lot (account_id, expires_on, kind, remaining, match_percent) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_id, expires_on, match_percent) WHERE match_percent IS NOT NULL
DO UPDATE SET remaining = ledger_lot.remaining + excluded.remaining RETURNING id
"""
TAKE_LOT = "UPDATE ledger_lot SET remaining = remaining - ? WHERE id = ? AND remaining - held >= ?"
LOT_USE = "INSERT INTO ledger_lot_use (entry_id, lot_id, points) VALUES (?, ?, ?)"
ANOTHER_USE = ", (?, ?, ?)"
USES_AT_ONCE = 100
# Each as the entry says that it was used; what the entry has of another account's lots is not looked at.
USE_LOTS = """
UPDATE ledger_lot SET remaining = ledger_lot.remaining - used.points FROM ledger_lot_use used
 WHERE used.entry_id = ? AND ledger_lot.id = used.lot_id AND ledger_lot.account_id = ?
   AND ledger_lot.remaining - used.points >= ledger_lot.held
"""


async def take_from_lot(tx: Tx, *, entry_id: int, lot_id: int, points: int) -> None:
    taken = await tx.run(TAKE_LOT, points, lot_id, points)
    assert taken == 1
    await tx.run(LOT_USE, entry_id, lot_id, points)


async def take_from_lots(tx: Tx, *, entry_id: int, account_id: int, parts: Sequence[LotTaken]) -> None:
    """All that an entry takes out of an account; what was read of its lots still holds."""
    if len(parts) == 1:  # nearly every order
        await take_from_lot(tx, entry_id=entry_id, lot_id=parts[0].lot_id, points=parts[0].points)
    else:
        await _use(tx, entry_id, account_id, [(part.lot_id, part.points) for part in parts])


async def put_back_into_lots(tx: Tx, *, entry_id: int, account_id: int, parts: Sequence[LotTaken]) -> None:
    """What an entry gives back to lots that are there, before it puts anything into others of the account."""
    await _use(tx, entry_id, account_id, [(part.lot_id, -part.points) for part in parts])


async def _use(tx: Tx, entry_id: int, account_id: int, uses: Sequence[tuple[int, int]]) -> None:
    for start in range(0, len(uses), USES_AT_ONCE):
        some = uses[start : start + USES_AT_ONCE]
        values = [value for lot_id, points in some for value in (entry_id, lot_id, points)]
        await tx.run(LOT_USE + ANOTHER_USE * (len(some) - 1), *values)
    if uses:
        used = await tx.run(USE_LOTS, entry_id, account_id)
        assert used == len(uses)


async def put_into_lot(tx: Tx, *, entry_id: int, account_id: int, bucket: Bucket, points: int) -> int:
    """Returns the lot."""
    values = (account_id, bucket.expires_on, bucket.kind, points)
    if bucket.match_percent is None:
        lot = await tx.row(PUT_INTO_LOT, *values)
    else:
        lot = await tx.row(PUT_INTO_GIFT, *values, bucket.match_percent)
    assert lot is not None
    await tx.run(LOT_USE, entry_id, lot["id"], -points)
    return int(lot["id"])
