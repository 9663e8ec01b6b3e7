"""A shelf in a small community."""

from dataclasses import dataclass

import pytest

from pointsbank.kit import db
from pointsbank.kit.db import Database
from pointsbank.people import actions as people
from pointsbank.redemption import actions as redemption
from pointsbank.stock import actions, queries


@dataclass
class Shelf:
    community_id: int
    outlet_id: int

    async def good(self, name="食用盐", *, in_stock=0, **facts) -> int:
        facts = {"unit": "袋", "points": 5, **facts}
        good_id = await db.write(
            actions.make_good, community_id=self.community_id, outlet_id=self.outlet_id, name=name, **facts
        )
        if in_stock:
            await self.receive(good_id, in_stock)
        return good_id

    async def receive(self, good_id, quantity, **facts) -> int:
        return await db.write(actions.receive, good_id=good_id, quantity=quantity, **{"source": "purchased", **facts})

    async def of(self, good_id) -> queries.Good:
        return await queries.good([self.community_id], good_id)


@pytest.fixture
async def open_shelf(database: Database):
    async def open_one() -> Shelf:
        street_id = await db.write(people.make_place, parent_id=None, kind="street", name="测试街道")
        community_id = await db.write(
            people.make_community,
            street_id=street_id,
            name="测试社区",
            unit_name="测试社区居委会",
            holder="person",
            service_phone="10000000001",
            oversight_phone="10000000002",
        )
        outlet_id = await db.write(
            redemption.make_outlet, community_id=community_id, name="测试爱心超市", hours="9:00–17:00"
        )
        return Shelf(community_id, outlet_id)

    return open_one


@pytest.fixture
async def shelf(open_shelf) -> Shelf:
    return await open_shelf()
