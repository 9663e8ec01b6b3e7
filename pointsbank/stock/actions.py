"""Put goods on the shelf, take them off, put them back. Rows are taken good first, then lots, each by ascending id."""

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

from pointsbank.kit import codes
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.stock import rules
from pointsbank.stock.rules import (
    BarcodeTaken,
    DonorMissing,
    GoodEnded,
    OnlyPastBestBefore,
    OutOfStock,
    PastBestBefore,
    Wanted,
)
from pointsbank.trail import actions as trail

LOTS_AT_ONCE = 4
LABELS = 10**9
LABEL_TRIES = 5
PHOTO_TOKEN_BYTES = 16

OUTLET = "SELECT community_id FROM redemption_outlet WHERE id = ?"
NEW_GOOD = """
INSERT INTO stock_good
       (community_id, outlet_id, name, unit, barcode, points, monthly_max, low_at, stock, state, made_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 'live', ?) ON CONFLICT (outlet_id, barcode) DO NOTHING RETURNING id
"""
WITH_BARCODE = "SELECT name FROM stock_good WHERE outlet_id = ? AND barcode = ?"
LABEL = """
UPDATE stock_good SET barcode = ?
 WHERE id = ? AND NOT EXISTS (SELECT 1 FROM stock_good other WHERE other.outlet_id = ? AND other.barcode = ?)
"""
GOOD = """
SELECT outlet_id, name, unit, barcode, points, monthly_max, low_at, state, photo FROM stock_good WHERE id = ?
"""
CHANGE = """
UPDATE stock_good SET name = ?, unit = ?, points = ?, monthly_max = ?, low_at = ?, barcode = ?
 WHERE id = ? AND state = 'live' AND NOT EXISTS
       (SELECT 1 FROM stock_good other WHERE other.outlet_id = ? AND other.barcode = ? AND other.id <> ?)
"""
END = "UPDATE stock_good SET state = 'ended' WHERE id = ? AND state = 'live'"
ADD = "UPDATE stock_good SET stock = stock + ? WHERE id = ? AND state = 'live'"
NEW_LOT = """
INSERT INTO stock_lot (good_id, source, donor, unit_value_cents, best_before, quantity, remaining, received_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
NEW_MOVE = "INSERT INTO stock_move (good_id, lot_id, quantity, kind, source_id, moved_at) VALUES (?, ?, ?, ?, ?, ?)"
ANOTHER_MOVE = ", (?, ?, ?, ?, ?, ?)"
TAKE = """
UPDATE stock_good SET stock = stock - ? WHERE id = ? AND outlet_id = ? AND state = 'live' AND stock >= ?
"""
LIVE_LOTS = f"""
SELECT id, remaining FROM stock_lot
 WHERE good_id = ? AND remaining > 0 AND best_before >= ? ORDER BY best_before, id LIMIT {LOTS_AT_ONCE}
"""
TAKE_LOT = "UPDATE stock_lot SET remaining = remaining - ? WHERE id = ? AND remaining >= ?"
ORDER_MOVES = "SELECT good_id, lot_id, quantity FROM stock_move WHERE kind = 'order' AND source_id = ? ORDER BY id"
GIVE_BACK = "UPDATE stock_good SET stock = stock + ? WHERE id = ?"
GIVE_LOT = "UPDATE stock_lot SET remaining = remaining + ? WHERE id = ?"
FORGET_PHOTO = "DELETE FROM stock_photo WHERE good_id = ?"
NEW_PHOTO = "INSERT INTO stock_photo (token, good_id, picture, thumbnail, added_at) VALUES (?, ?, ?, ?, ?)"
HANG_PHOTO = "UPDATE stock_good SET photo = ? WHERE id = ? AND state = 'live'"


async def make_good(
    tx: Tx,
    *,
    community_id: int,
    outlet_id: int,
    name: str,
    unit: str,
    points: int,
    barcode: str = "",
    monthly_max: int | None = None,
    low_at: int = 0,
) -> int:
    """Put a good into an outlet's list, with no stock yet; without a bar code it gets a label of our own."""
    assert 0 < points <= rules.POINTS_MAX
    outlet = await tx.row(OUTLET, outlet_id)
    if outlet is None or outlet["community_id"] != community_id:
        raise NotFound
    known = rules.fit_barcode(barcode) if barcode else f"unlabelled-{secrets.token_hex(8)}"
    made = await tx.row(NEW_GOOD, community_id, outlet_id, name, unit, known, points, monthly_max, low_at, tx.now)
    if made is None:
        other = await tx.row(WITH_BARCODE, outlet_id, known)
        raise BarcodeTaken(name=other["name"] if other else "")
    good_id: int = made["id"]
    if not barcode:
        await _label(tx, good_id, outlet_id)
    await trail.record(
        tx, "good.made", subject=("good", good_id), name=name, points=points, monthly_max=monthly_max, low_at=low_at
    )
    return good_id


async def _label(tx: Tx, good_id: int, outlet_id: int) -> None:
    """Give a good the label of its number, or any other if somebody typed that one for another good."""
    for number in (good_id, *(secrets.randbelow(LABELS) for _ in range(LABEL_TRIES))):
        label = codes.own_barcode(number)
        if await tx.run(LABEL, label, good_id, outlet_id, label) == 1:
            return
    raise AssertionError("five random labels were all taken")


async def _live_good(tx: Tx, good_id: int) -> Row:
    good = await tx.row(GOOD, good_id)
    if good is None:
        raise NotFound
    if good["state"] != "live":
        raise GoodEnded(name=good["name"])
    return good


async def change_good(
    tx: Tx,
    *,
    good_id: int,
    name: str,
    unit: str,
    points: int,
    monthly_max: int | None,
    low_at: int,
    barcode: str = "",
) -> None:
    """Change what a good is called and costs; the trail keeps what it was and what it is. No bar code: it stays."""
    assert 0 < points <= rules.POINTS_MAX
    good = await _live_good(tx, good_id)
    now = {"name": name, "unit": unit, "points": points, "monthly_max": monthly_max, "low_at": low_at}
    now["barcode"] = known = rules.fit_barcode(barcode) if barcode else good["barcode"]
    changed = {word: [good[word], value] for word, value in now.items() if good[word] != value}
    if not changed:
        return
    outlet_id = good["outlet_id"]
    if await tx.run(CHANGE, name, unit, points, monthly_max, low_at, known, good_id, outlet_id, known, good_id) != 1:
        other = await tx.row(WITH_BARCODE, outlet_id, known)
        raise BarcodeTaken(name=other["name"] if other else "")
    await trail.record(tx, "good.changed", subject=("good", good_id), changed=changed)


async def hang_photo(tx: Tx, *, good_id: int, picture: bytes, thumbnail: bytes) -> str:
    """Give a good its photo, in place of any other; returns the address's secret part."""
    await _live_good(tx, good_id)
    token = secrets.token_urlsafe(PHOTO_TOKEN_BYTES)
    await tx.run(FORGET_PHOTO, good_id)
    await tx.run(NEW_PHOTO, token, good_id, picture, thumbnail, tx.now)
    await _hang(tx, good_id, token)
    await trail.record(tx, "good.photographed", subject=("good", good_id))
    return token


async def drop_photo(tx: Tx, *, good_id: int) -> None:
    good = await _live_good(tx, good_id)
    if not good["photo"]:
        return
    await tx.run(FORGET_PHOTO, good_id)
    await _hang(tx, good_id, "")
    await trail.record(tx, "good.photo_dropped", subject=("good", good_id))


async def _hang(tx: Tx, good_id: int, token: str) -> None:
    if await tx.run(HANG_PHOTO, token, good_id) != 1:
        raise GoodEnded(name=await _name(tx, good_id))


async def end_good(tx: Tx, *, good_id: int) -> None:
    """Take a good out of the list for good; what is left of it stays in the books."""
    good = await _live_good(tx, good_id)
    if await tx.run(END, good_id) != 1:
        raise GoodEnded(name=good["name"])
    await trail.record(tx, "good.ended", subject=("good", good_id))


async def receive(
    tx: Tx,
    *,
    good_id: int,
    quantity: int,
    source: str,
    donor: str = "",
    unit_value_cents: int = 0,
    best_before: date = rules.NEVER,
) -> int:
    """Put a delivery on the shelf as a lot of its own; returns the lot."""
    assert 0 < quantity <= rules.QUANTITY_MAX
    assert 0 <= unit_value_cents <= rules.VALUE_CENTS_MAX
    assert source in rules.SOURCES
    if source == "donated" and not donor:
        raise DonorMissing
    if best_before < local_day(tx.now):
        raise PastBestBefore
    good = await _live_good(tx, good_id)
    if await tx.run(ADD, quantity, good_id) != 1:
        raise GoodEnded(name=good["name"])
    lot = await tx.row(NEW_LOT, good_id, source, donor, unit_value_cents, best_before, quantity, quantity, tx.now)
    assert lot is not None
    lot_id: int = lot["id"]
    await tx.run(NEW_MOVE, good_id, lot_id, quantity, "receipt", lot_id, tx.now)
    await trail.record(tx, "stock.received", subject=("good", good_id), lot=lot_id, quantity=quantity, source=source)
    return lot_id


async def take(tx: Tx, *, outlet_id: int, wanted: Sequence[Wanted], order_id: int) -> None:
    """Take goods off an outlet's shelf for an order, what keeps least long first, and nothing past its day.

    Refuses OutOfStock.
    """
    moves: list[Any] = []
    today = local_day(tx.now)
    for want in sorted(wanted, key=lambda line: line.good_id):
        if await tx.run(TAKE, want.quantity, want.good_id, outlet_id, want.quantity) != 1:
            raise OutOfStock(good_id=want.good_id, name=await _name(tx, want.good_id))
        for lot_id, quantity in await take_lots(tx, good_id=want.good_id, quantity=want.quantity, fresh_on=today):
            moves += (want.good_id, lot_id, -quantity, "order", order_id, tx.now)
    await tx.run(NEW_MOVE + ANOTHER_MOVE * (len(moves) // 6 - 1), *moves)


async def _name(tx: Tx, good_id: int) -> str:
    good = await tx.row(GOOD, good_id)
    if good is None:
        raise NotFound
    return str(good["name"])


async def take_lots(tx: Tx, *, good_id: int, quantity: int, fresh_on: date) -> list[tuple[int, int]]:
    """Take pieces that are good on that day out of their lots; the caller has taken them from the good's stock."""
    taken = []
    while quantity:
        found = await tx.rows(LIVE_LOTS, good_id, fresh_on)
        if not found:  # the stock was there, so what is left of it has passed its day
            raise OnlyPastBestBefore(good_id=good_id, name=await _name(tx, good_id))
        for part in rules.take_from(found, quantity):
            touched = await tx.run(TAKE_LOT, part.quantity, part.lot_id, part.quantity)
            assert touched == 1, "the good's row is ours, so nobody else takes from its lots"
            taken.append((part.lot_id, part.quantity))
            quantity -= part.quantity
    return taken


async def put_back(tx: Tx, *, order_id: int) -> None:
    """Return an order's goods to the lots they came from; the caller sees to it that this happens once."""
    moves = await tx.rows(ORDER_MOVES, order_id)
    assert moves
    back: dict[int, int] = {}
    for good_id, _lot_id, quantity in moves:
        back[good_id] = back.get(good_id, 0) - quantity
    for good_id in sorted(back):
        await tx.run(GIVE_BACK, back[good_id], good_id)
    returned: list[Any] = []
    for good_id, lot_id, quantity in sorted((move[0], move[1], move[2]) for move in moves):
        await tx.run(GIVE_LOT, -quantity, lot_id)
        returned += (good_id, lot_id, -quantity, "put_back", order_id, tx.now)
    await tx.run(NEW_MOVE + ANOTHER_MOVE * (len(moves) - 1), *returned)
