"""A counter at which people use up their limits before they move, for tests."""

from dataclasses import dataclass

import pytest

from pointsbank.app import verifying
from pointsbank.governance import actions_people
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.people import queries_own as own
from pointsbank.people.access import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line, UndoReason
from tests.ledger.test_vouchers import admin
from tests.made_up import true_books
from tests.world import World

DAY = 200


@dataclass
class Till:
    """One clerk at one counter, and rice of a hundred points, two bags a month."""

    town: World
    clerk: Actor
    token: str
    rice: int = 0

    @property
    def here(self):
        return {"actor": self.clerk, "community_ids": (self.town.home.id,)}

    async def buy(self, person_id, bags=1, *, good=None):
        made = await db.write(
            redemption.order, **self.here, counter_id=self.town.home.counter_id, code=await self.town.card(person_id),
            lines=[Line(quantity=bags, good=good or self.rice)],
        )  # fmt: skip
        return made.order_id

    async def undo(self, order_id):
        await db.write(redemption.undo, **self.here, order_id=order_id, reason=UndoReason.CHANGED_MIND)

    async def left(self, *person_ids):
        """What a clerk is told that each may have today."""
        counter_id = self.town.home.counter_id
        return [
            (await db.write(redemption.open_visit, **self.here, counter_id=counter_id, code=await self.town.card(one)))
            .left_today
            for one in person_ids
        ]  # fmt: skip


async def opened(clock, settings, holder):
    town = await World(clock, settings).found(holder=holder, count=1)
    till = Till(town, *await town.staff(Role.COUNTER_STAFF))
    till.rice = await town.good(points=100, in_stock=99, monthly_max=2)
    return till


@pytest.fixture
async def till(database, settings, clock):
    """Each household shares a passbook."""
    yield await opened(clock, settings, "household")
    await sound()


@pytest.fixture
async def own_till(database, settings, clock):
    """Everybody has a passbook of the own."""
    yield await opened(clock, settings, "person")
    await sound()


async def family(town, *names, points=1000):
    home = await town.household()
    people = [await town.person(name, household_id=home) for name in names]
    await town.give(people[0], points)
    return people


async def move(till, *person_ids, door="901", share=0):
    town = till.town
    return await db.write(
        actions_people.move, actor=await admin(town), community_id=town.home.id, person_ids=list(person_ids),
        building_id=town.home.building_id, door=door, reason="split", share=share,
    )  # fmt: skip


async def part_again(till, known):
    [merged] = await own.merges_into(known)
    await db.write(actions_people.separate, actor=await admin(till.town), merge_id=merged.id, reason="两位同名")


async def sound():
    assert true_books(await verifying.of_other_rooms()) == []


async def nothing_is_used():
    assert [one["used"] for one in await db.rows("SELECT DISTINCT used FROM redemption_limit_use")] == [0]
