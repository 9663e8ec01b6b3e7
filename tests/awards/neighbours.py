"""A community with a scoring table: people who do things, organisers and admins who look at what they did."""

import itertools
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pytest

from pointsbank.awards import actions, actions_settle
from pointsbank.governance import actions as governance
from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock, local_day, start_of_day
from pointsbank.kit.db import Actor, Database
from pointsbank.kit.settings import Settings
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.ledger import queries as ledger
from pointsbank.people import actions as people
from pointsbank.people import queries as people_queries
from pointsbank.scoring import actions as scoring
from pointsbank.scoring.rules import Basis, Item, Table, TableKind
from tests.scoring.lives import lived
from tests.world import Community, World

LONG_AGO = date(2026, 1, 1)
ADMIN = "community_admin"


def an_item(code: str = "A01", **changes) -> Item:
    """An hour is worth ten points, and the organiser's word is enough."""
    usual = {"category": "环境", "name": "打扫楼道", "basis": Basis.PER_MINUTES, "points": 10, "evidence": "现场签到"}
    return Item(**{"code": code, **usual, **changes})


TWICE_REVIEWED = an_item("B01", review=("organiser", ADMIN))


def a_table(*items: Item, **changes) -> Table:
    usual = {"name": "测试积分表", "place": "测试社区", "document": "测试办法", "kind": TableKind.SERVICE_HOURS}
    return Table(**{**usual, "items": items or (an_item(), TWICE_REVIEWED), "notice_days": 3, **changes})


@dataclass
class Neighbours:
    clock: FixedClock
    community_id: int
    elsewhere_id: int
    building_id: int
    street_id: int
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    async def household(self) -> int:
        door = f"{next(self.numbers)} 室"
        return await db.write(
            people.make_household, community_id=self.community_id, building_id=self.building_id, door=door
        )

    async def person(self, name: str = "测试甲", *, household_id: int | None = None, publishes: bool = True) -> int:
        return await db.write(
            people.make_person,
            community_id=self.community_id,
            household_id=household_id or await self.household(),
            name=name,
            phone=f"100{next(self.numbers):08}",
            consent_publication=publishes,
        )

    async def actor(self) -> Actor:
        return Actor(await self.person("测试干部"))

    async def adopt(self, *items: Item, **settings) -> int:
        table = a_table(*items, **settings)
        return await db.write(scoring.adopt, community_id=self.community_id, table=table, in_force_from=LONG_AGO)

    async def adopt_from_tomorrow(self, *items: Item, **settings) -> int:
        """The next version of the table."""
        tomorrow = local_day(self.clock.now()) + timedelta(days=1)
        return await lived(self.clock, await self.actor(), self.community_id, a_table(*items, **settings), tomorrow)

    async def act(
        self,
        person_id: int,
        *,
        item: str = "A01",
        minutes: int = 120,
        began_at: datetime | None = None,
        confirmed_by: Actor | None = None,
        what: str = "三号楼楼道清洁",
        **told,
    ) -> actions.Made:
        """Something that was done, with the organiser's confirmation unless `confirmed_by` says otherwise."""
        organiser = confirmed_by or await self.actor()
        return await db.write(
            actions.record_act,
            actor=organiser,
            community_id=self.community_id,
            person_id=person_id,
            source=("tests", "attendance", next(self.numbers)),
            item_code=item,
            what=what,
            evidence="screen",
            began_at=began_at or self.clock.now() - timedelta(hours=3),
            minutes=minutes,
            planned_minutes=minutes,
            reviewed_by=organiser.person_id,
            **told,
        )

    async def midnight(self, nights: int = 1) -> int:
        """Let nights pass with the jobs of each midnight; returns how many awards settled."""
        settled = 0
        for _ in range(nights):
            self.clock.set(start_of_day(local_day(self.clock.now()) + timedelta(days=1)))
            settled += await self.jobs()
        return settled

    async def jobs(self) -> int:
        while await db.write(actions.gather_notices):
            pass
        settled = 0
        while done := await db.write(actions_settle.settle_due):
            settled += done
        return settled

    async def balance(self, person_id: int) -> int:
        holder = await people_queries.holder_of(None, person_id)
        found = await ledger.passbook_of(person_id=person_id, household_id=holder.household_id, holder=holder.kind)
        return found.balance if found else 0

    async def entries(self) -> int:
        found = await db.row("SELECT COUNT(*) FROM ledger_entry")
        assert found is not None
        return found[0]

    async def award(self, award_id: int):
        found = await db.row("SELECT * FROM awards_award WHERE id = ?", award_id)
        assert found is not None
        return found

    async def state(self, award_id: int) -> str:
        return (await self.award(award_id))["state"]

    async def line(self, award_id: int) -> int:
        return (await self.award(award_id))["line_id"]

    async def counted(self) -> list[int]:
        """What the counters of all caps hold, without those that hold nothing."""
        found = await db.rows("SELECT points FROM awards_cap_use WHERE points <> 0 ORDER BY points")
        return [points for (points,) in found]

    async def object_to(self, award_id: int, *, recorded_by: Actor | None = None) -> int:
        return await db.write(
            governance.object_to,
            actor=recorded_by or await self.actor(),
            line_id=await self.line(award_id),
            grounds="minutes",
        )


@pytest.fixture
async def neighbours(database: Database, clock: FixedClock) -> Neighbours:
    return await settle_in(clock, "person")


@pytest.fixture
async def families(database: Database, clock: FixedClock) -> Neighbours:
    """The same, where passbooks are the households'."""
    return await settle_in(clock, "household")


async def settle_in(clock: FixedClock, holder: str) -> Neighbours:
    street_id = await db.write(people.make_place, parent_id=None, kind="street", name="测试街道")
    communities = [
        await db.write(
            people.make_community,
            street_id=street_id,
            name=name,
            unit_name="积分",
            holder=holder,
            service_phone="100 0000 0001",
            oversight_phone="100 0000 0009",
        )
        for name in ("测试社区", "别的社区")
    ]
    for community_id in communities:
        await db.write(kinds.make_main_kind, community_id=community_id)
    building_id = await db.write(people.make_place, parent_id=communities[0], kind="building", name="测试 1 号楼")
    return Neighbours(clock, *communities, building_id, street_id)


@pytest.fixture
def world(neighbours: Neighbours, settings: Settings) -> World:
    """The same community, to be visited over HTTP; it has adopted no table yet."""
    places = [
        Community(id=community_id, building_id=neighbours.building_id, outlet_id=0, counter_id=0, version_id=0)
        for community_id in (neighbours.community_id, neighbours.elsewhere_id)
    ]
    return World(neighbours.clock, settings, neighbours.street_id, places)
