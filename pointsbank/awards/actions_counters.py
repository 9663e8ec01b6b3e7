"""Counters of caps: taken before points are worked out, counted up, and given back. They come before awards and ledger.

All of an act are taken in one order; what counts further acts of a row is held by its row.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pointsbank.awards import queries
from pointsbank.awards.rules import (
    Counter,
    CounterUse,
    Holders,
    again_in_row,
    counter_of,
    order_of,
    together,
    uses_of,
)
from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import POINTS_MAX, check_amount
from pointsbank.people.queries import Holder
from pointsbank.scoring.rules import STREAK, Facts, Item, Result, Table, caps_of, evaluate

# An upsert, because it takes the row whether or not it was there: on PostgreSQL it is locked from here on.
TAKE_COUNTER = """
INSERT INTO awards_cap_use (community_id, scope, holder_id, item_code, period, period_start, counts, points)
VALUES (?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (community_id, scope, holder_id, item_code, period, period_start, counts)
DO UPDATE SET points = awards_cap_use.points
RETURNING points
"""
ADD_TO_COUNTER = """
UPDATE awards_cap_use SET points = points + ?
 WHERE community_id = ? AND scope = ? AND holder_id = ? AND item_code = ? AND period = ? AND period_start = ?
   AND counts = ?
"""
# Acts beyond the first in one period of a row: the period counts as long as one of them stands.
ANOTHER = """
INSERT INTO awards_cap_use (community_id, scope, holder_id, item_code, period, period_start, counts, points)
VALUES (?, ?, ?, ?, ?, ?, 'streak/more', 1)
ON CONFLICT (community_id, scope, holder_id, item_code, period, period_start, counts)
DO UPDATE SET points = awards_cap_use.points + 1
"""
ONE_FEWER = """
UPDATE awards_cap_use SET points = points - 1
 WHERE community_id = ? AND scope = ? AND holder_id = ? AND item_code = ? AND period = ? AND period_start = ?
   AND counts = 'streak/more' AND points > 0
"""
# Whatever it says by now: of a row that was another record's for a while less may be left than was counted.
BREAK_ROW = """
UPDATE awards_cap_use SET points = 0
 WHERE community_id = ? AND scope = ? AND holder_id = ? AND item_code = ? AND period = ? AND period_start = ?
   AND counts = ?
"""


async def score(tx: Tx, *, holder: Holder, table: Table, item: Item, facts: Facts) -> tuple[Result, list[CounterUse]]:
    """Work out an act's points under the caps' counters, which are taken first and counted up.

    Refuses WrongAmount for more than one entry may move: the job that is to book it would stop there for everybody.
    """
    holders = Holders(holder.person_id, holder.household_id, holder.building_id)
    keys = {key: counter_of(key, holders) for key in caps_of(table, item, facts.day, facts.occasion)}
    counted = await take_counters(tx, community_id=holder.community_id, counters=keys.values())
    before = await queries.used_before_merging(tx, holder)
    used = {key: together(key, counted[counter], before.get(key, 0)) for key, counter in keys.items()}
    result = evaluate(table, item, facts, used)
    if result.points > POINTS_MAX:
        check_amount(result.points, (await kinds.denominations(tx, holder.community_id))[item.book_kind])
    uses = uses_of(result, holders) + again_in_row(result, facts.day, keys, used, counted)
    await add_to_counters(tx, community_id=holder.community_id, uses=uses)
    return result, uses


async def take_counters(tx: Tx, *, community_id: int, counters: Iterable[Counter]) -> dict[Counter, int]:
    """What each has counted; from here on nobody else counts with them."""
    counted = {}
    for counter in sorted(counters, key=order_of):
        found = await tx.row(TAKE_COUNTER, community_id, *msgspec.structs.astuple(counter))
        assert found is not None
        counted[counter] = int(found["points"])
    return counted


async def add_to_counters(tx: Tx, *, community_id: int, uses: Sequence[CounterUse], sign: int = 1) -> None:
    for use in sorted(uses, key=lambda use: order_of(use.counter)):
        place = community_id, *msgspec.structs.astuple(use.counter)
        if use.counter.counts == STREAK and sign < 0:
            await _leave_row(tx, place)
        elif use.counter.counts == STREAK and not use.points:
            await tx.run(ANOTHER, *place[:-1])
        else:
            added = await tx.run(ADD_TO_COUNTER, sign * use.points, *place)
            assert added == 1


async def _leave_row(tx: Tx, place: tuple[Any, ...]) -> None:
    """An act of a row is gone, and its period with the last of them. The row is held while they are counted."""
    await tx.row(TAKE_COUNTER, *place)
    if await tx.run(ONE_FEWER, *place[:-1]) == 0:
        await tx.run(BREAK_ROW, *place)
