"""Awards that are taken back: what their caps had counted can be earned again. Order of rows: counters, the ledger."""

import msgspec

from pointsbank.awards.actions_counters import add_to_counters, take_counters
from pointsbank.awards.rules import CounterUse, given_back
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.rules_flows import BOOKED, What

ROOM = "awards"
USES = "SELECT community_id, points, uses FROM awards_award WHERE entry_id = ?"
_uses = msgspec.json.Decoder(list[CounterUse]).decode


async def take_back(tx: Tx, *, community_id: int, entry_id: int, way: What, reason: str, note: str) -> int:
    """As the ledger's own, for the entry of an award; returns the voucher."""
    points, uses = await _held(tx, entry_id)
    voucher_id = await vouchers.take_back(
        tx, community_id=community_id, entry_id=entry_id, way=way, reason=reason, note=note, room=ROOM
    )
    await _give_back(tx, voucher_id=voucher_id, points=points, uses=uses)
    return voucher_id


async def agree(tx: Tx, *, voucher_id: int, seen: str) -> int:
    """As the ledger's own, for a voucher that takes an award back; returns the entry."""
    voucher = await flows.voucher_in(tx, voucher_id)
    points, uses = (0, []) if voucher.reverses_id is None else await _held(tx, voucher.reverses_id)
    entry_id = await vouchers.give(tx, voucher_id=voucher_id, seen=seen, room=ROOM)
    await _give_back(tx, voucher_id=voucher_id, points=points, uses=uses)
    return entry_id


async def _held(tx: Tx, entry_id: int) -> tuple[int, list[CounterUse]]:
    """Points of an entry's award and what it has used, with the counters taken: before any row of the ledger."""
    award = await tx.row(USES, entry_id)
    if award is None:
        return 0, []
    uses = _uses(award["uses"])
    await take_counters(tx, community_id=award["community_id"], counters=[use.counter for use in uses])
    return award["points"], uses


async def _give_back(tx: Tx, *, voucher_id: int, points: int, uses: list[CounterUse]) -> None:
    """Once it is booked, and no more than was taken."""
    voucher = await flows.voucher_in(tx, voucher_id)
    if voucher.state != BOOKED:
        return
    assert voucher.entry_id is not None
    taken = (await flows.entry(tx, voucher.entry_id)).points
    given = given_back(uses, taken=taken, of=points)
    await add_to_counters(tx, community_id=voucher.community_id, uses=given, sign=-1)
