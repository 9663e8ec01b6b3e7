"""A charity supermarket in a small community: one outlet, two counters, two staff, members with points."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.db import Actor, Database
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.ledger import queries as ledger_queries
from pointsbank.ledger import rules as ledger_rules
from pointsbank.people import actions as people
from pointsbank.people import actions_cards as cards
from pointsbank.people import queries as people_queries
from pointsbank.redemption import actions
from pointsbank.redemption.rules import Line
from pointsbank.stock import actions as stock
from pointsbank.stock import queries as stock_queries


@dataclass(frozen=True)
class Member:
    person_id: int
    household_id: int
    code: str


@dataclass
class Shop:
    clock: FixedClock
    street_id: int
    community_id: int
    building_id: int
    outlet_id: int
    counter_id: int
    other_counter_id: int
    staff: Actor
    colleague: Actor
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    async def household(self) -> int:
        door = f"{next(self.numbers)} 室"
        return await db.write(
            people.make_household, community_id=self.community_id, building_id=self.building_id, door=door
        )

    async def member(self, points: int = 0, *, household_id: int | None = None) -> Member:
        household_id = household_id or await self.household()
        person_id = await db.write(
            people.make_person, community_id=self.community_id, household_id=household_id, name="测试甲", phone=None
        )
        if points:
            await self.award(person_id, points)
        return Member(person_id, household_id, await self.card(person_id))

    async def card(self, person_id: int) -> str:
        issued = await db.write(cards.issue_card, person_id=person_id)
        return cards.card_code_of(issued.card_id, issued.generation)

    async def passbook(self, person_id: int) -> ledger_queries.Passbook | None:
        holder = await people_queries.holder_of(None, person_id)
        return await ledger_queries.passbook_of(
            person_id=person_id, household_id=holder.household_id, holder=holder.kind
        )

    async def award(self, person_id: int, points: int, expires_on=ledger_rules.NEVER) -> None:
        holder = await people_queries.holder_of(None, person_id)
        whose = {"household_id": holder.household_id} if holder.kind == "household" else {"person_id": holder.person_id}
        passbook_id = await db.write(ledger.open_passbook, community_id=self.community_id, **whose)
        number = next(self.numbers)
        await db.write(
            ledger.post_award,
            community_id=self.community_id,
            passbook_id=passbook_id,
            points=points,
            posting_key=f"award:{self.community_id}:{number}",
            effective_at=self.clock.now(),
            expires_on=expires_on,
            member_id=person_id,
            version_id=1,
            source=("ledger", "test", number),
            summary="楼道清洁 2 小时",
        )

    async def good(
        self, name: str = "食用盐", points: int = 5, *, in_stock: int = 10, monthly_max: int | None = None
    ) -> int:
        good_id = await db.write(
            stock.make_good,
            community_id=self.community_id,
            outlet_id=self.outlet_id,
            name=name,
            unit="袋",
            points=points,
            monthly_max=monthly_max,
        )
        if in_stock:
            await self.receive(good_id, in_stock)
        return good_id

    async def receive(self, good_id: int, quantity: int, **facts) -> int:
        return await db.write(stock.receive, good_id=good_id, quantity=quantity, source="purchased", **facts)

    async def visit(self, member: Member, *, counter_id: int | None = None, staff: Actor | None = None):
        return await db.write(
            actions.open_visit,
            actor=staff or self.staff,
            counter_id=counter_id or self.counter_id,
            code=member.code,
            community_ids=(self.community_id,),
        )

    async def order(
        self,
        *lines: tuple[int, int],
        member: Member | None = None,
        visit: int | None = None,
        staff: Actor | None = None,
        counter_id: int | None = None,
        key: str | None = None,
    ) -> actions.OrderMade:
        return await db.write(
            actions.order,
            actor=staff or self.staff,
            request_key=key,
            counter_id=counter_id or self.counter_id,
            lines=[Line(quantity=quantity, good=good_id) for good_id, quantity in lines],
            community_ids=(self.community_id,),
            visit=visit,
            code=member.code if member else None,
        )

    async def undo(self, order_id: int, *, staff: Actor | None = None, community_ids: Sequence[int] = ()):
        return await db.write(
            actions.undo,
            actor=staff or self.staff,
            order_id=order_id,
            reason=actions.UndoReason.WRONG_GOODS,
            community_ids=community_ids or (self.community_id,),
        )

    async def balance(self, member: Member) -> int:
        passbook = await self.passbook(member.person_id)
        return passbook.balance if passbook else 0

    async def stock(self, good_id: int) -> int:
        return (await stock_queries.good([self.community_id], good_id)).stock

    async def lots(self, good_id: int) -> list[int]:
        """What is left of each delivery, oldest first."""
        return [lot.remaining for lot in reversed(await stock_queries.lots(good_id))]

    async def count(self, table: str) -> int:
        found = await db.row(f"SELECT COUNT(*) AS rows FROM {table}")
        assert found is not None
        return int(found["rows"])

    async def check_shelves(self) -> None:
        """A good's stock equals its lots, and each lot its moves."""
        for stocked, left in await db.rows(
            "SELECT good.stock, COALESCE(SUM(lot.remaining), 0) FROM stock_good good"
            " LEFT JOIN stock_lot lot ON lot.good_id = good.id GROUP BY good.id, good.stock"
        ):
            assert stocked == left
        for left, moved in await db.rows(
            "SELECT lot.remaining, SUM(move.quantity) FROM stock_lot lot"
            " JOIN stock_move move ON move.lot_id = lot.id GROUP BY lot.id, lot.remaining"
        ):
            assert left == moved


async def found_shop(clock: FixedClock, *, holder: str = "person", daily_points_max: int = 200) -> Shop:
    street_id = await db.write(people.make_place, parent_id=None, kind="street", name="测试街道")
    community_id = await db.write(
        people.make_community,
        street_id=street_id,
        name="测试社区",
        unit_name="测试社区居委会",
        holder=holder,
        service_phone="10000000001",
        oversight_phone="10000000002",
        daily_points_max=daily_points_max,
    )
    await db.write(kinds.make_main_kind, community_id=community_id)
    building_id = await db.write(people.make_place, parent_id=community_id, kind="building", name="91 号楼")
    outlet_id = await db.write(
        actions.make_outlet, community_id=community_id, name="测试爱心超市", hours="9:00–17:00，周一休息"
    )
    counter_id = await db.write(actions.make_counter, outlet_id=outlet_id, name="1 号机")
    other_counter_id = await db.write(actions.make_counter, outlet_id=outlet_id, name="2 号机")
    staff = []
    for name in ("测试店员", "测试同事"):
        person_id = await db.write(
            people.make_person, community_id=community_id, household_id=None, name=name, phone=None
        )
        staff.append(Actor(person_id))
    return Shop(clock, street_id, community_id, building_id, outlet_id, counter_id, other_counter_id, *staff)


@pytest.fixture
async def open_shop(database: Database, clock: FixedClock):
    """Open one more shop in a community of its own; all shelves are checked after the test."""
    shops = []

    async def open_one(**facts) -> Shop:
        shops.append(await found_shop(clock, **facts))
        return shops[-1]

    yield open_one
    for shop in shops:
        await shop.check_shelves()


@pytest.fixture
async def shop(open_shop) -> Shop:
    return await open_shop()
