"""Base points of a household come once in a period to its people, however often they move."""

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_kinds
from pointsbank.ledger import queries_flows as flows
from tests.governance.test_homes import move
from tests.ledger.conftest import PLAIN
from tests.world import COINS

pytestmark = pytest.mark.both


async def settled(place, every):
    kind = await db.row("SELECT id, version FROM ledger_book_kind WHERE community_id = ?", place.community_id)
    settings = msgspec.structs.replace(PLAIN, holder="household", base_points=100, base_every=every)
    await db.write(
        actions_kinds.change_kind, community_id=place.community_id, kind_id=kind["id"], version=kind["version"],
        settings=settings,
    )  # fmt: skip


async def next_day(place, days=1):
    place.clock.advance(days=days)
    while await db.write(actions_kinds.give_base_due):
        pass


@pytest.mark.parametrize("every", ["month", "year", "once"])
async def test_whoever_moves_out_and_back_has_brought_no_more(families, every):
    await settled(families, every)
    home = await families.household()
    mother, son = [await families.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    door = (await move(families, mother, son, door="900")).household_id
    await next_day(families)
    assert (door, await families.balance(mother)) == (home, 100)

    for _ in range(2):
        await move(families, son, door="901")
        await next_day(families)
        assert await families.balance(son) == 0
        await move(families, son, door="900")
        await next_day(families)
        assert await families.balance(son) == await families.balance(mother) == 100

    await move(families, son, door="901")
    await next_day(families, days=400)
    assert await families.balance(son) == (0 if every == "once" else 100)


async def test_whoever_comes_new_has_them_with_the_next_day(families):
    await settled(families, "month")
    newcomer = await families.person()
    await next_day(families)
    assert await families.balance(newcomer) == 100


async def test_whoever_had_them_alone_brings_them_along_and_has_no_others(neighbours):
    """Of a kind that is the households', whoever belongs to none has a passbook of the own."""
    coins = msgspec.structs.replace(COINS, holder="household", base_points=20, base_every="year")
    await db.write(actions_kinds.make_kind, community_id=neighbours.community_id, code="coins", settings=coins)
    loner = await neighbours.person()
    await db.write(homeless, person_id=loner)
    await next_day(neighbours)
    [own] = await flows.open_books(None, person_id=loner)
    assert own.balance == 20

    moved = await move(neighbours, loner)
    await next_day(neighbours)

    [shared] = await flows.open_books(None, household_id=moved.household_id)
    assert (shared.kind_code, shared.balance) == ("coins", 20)


async def homeless(tx, *, person_id):
    await tx.run("UPDATE people_person SET household_id = NULL WHERE id = ?", person_id)
