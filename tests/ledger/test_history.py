"""One long history on both databases: afterwards they say the same, but for the numbers of rows.

PB_HISTORY sets how many operations, PB_MACHINE_SEED which.
"""

import itertools
import os
import random

import pytest

from pointsbank.kit import codes
from pointsbank.ledger.sealing import Sealer
from tests.ledger.desk import Desk
from tests.ledger.dump import dump
from tests.ledger.operations import history, perform

pytestmark = pytest.mark.postgres  # and SQLite beside it
OPERATIONS = int(os.environ.get("PB_HISTORY") or 240)
A_COMMUNITY = 1_000


def chapters(seed: int) -> list[list]:
    """Of a thousand operations each, in a community of its own."""
    whole = history(seed, OPERATIONS)
    return [whole[at : at + A_COMMUNITY] for at in range(0, OPERATIONS, A_COMMUNITY)]


async def told(fresh, engine: str, clock, parts) -> dict[str, list[tuple]]:
    with pytest.MonkeyPatch.context() as patch:
        numbers = itertools.count(1)  # of passbooks and people: random ones would differ
        patch.setattr(codes, "new_member_number", lambda: f"{next(numbers):09d}")
        return await _told(fresh, engine, clock, parts)


async def _told(fresh, engine: str, clock, parts) -> dict[str, list[tuple]]:
    async with fresh(engine):
        for number, operations in enumerate(parts, start=1):
            desk = await Desk.opened(clock, number)
            await perform(desk, operations)
            await desk.retire()
        await Sealer().run()
        return await dump()


def differing(one: dict[str, list[tuple]], other: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    """The first rows of each table that only one of them has."""
    assert one.keys() == other.keys()
    return {
        table: sorted({*map(repr, rows)} ^ {*map(repr, other[table])})[:4]
        for table, rows in one.items()
        if rows != other[table]
    }


async def test_both_databases_tell_one_history_alike_and_another_otherwise(fresh, clock):
    seed = int(os.environ.get("PB_MACHINE_SEED") or random.SystemRandom().randrange(10**9))
    print(f"PB_MACHINE_SEED={seed}")  # noqa: T201  shown with a failure
    parts = chapters(seed)

    here = await told(fresh, "sqlite", clock, parts)
    there = await told(fresh, "postgres", clock, parts)

    assert differing(here, there) == {}
    parts[-1].insert(0, ("award", {"book": 0, "points": 7, "days": 400}))
    other = await told(fresh, "sqlite", clock, parts)
    assert differing(other, there).keys() >= {"ledger_entry", "ledger_move", "ledger_lot_use", "trail_record"}
