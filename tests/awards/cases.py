"""Findings made and confirmed, for tests."""

from datetime import date, timedelta

import msgspec

from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import actions_cases, actions_deductions, queries_cases
from pointsbank.awards.rules_cases import How, remedy_facts
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor
from pointsbank.ledger import actions_holds
from pointsbank.ledger import queries as ledger
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from pointsbank.scoring import queries as scoring
from tests.world import BLOCKED_STAIRS

WORDS = {"what": "三单元门口堆了纸箱", "evidence": "巡查记录 3 号"}


def a_deduction(code="K01", **changes):
    return msgspec.structs.replace(BLOCKED_STAIRS, code=code, **changes)


class Patrol:
    """A grid worker who finds things, an admin who confirms them, and a third who rules."""

    def __init__(self, neighbours, world, worker, admin, third):
        self.neighbours, self.world, self.place = neighbours, world, world.communities[0]
        self.worker, self.admin, self.third = worker, admin, third
        self.balance = neighbours.balance

    @property
    def today(self) -> date:
        return local_day(self.neighbours.clock.now())

    async def make(self, person_id, *, actor=None, **changes) -> int:
        asked = {"item_code": "K01", "found_on": self.today, **WORDS, **changes}
        return await db.write(actions_cases.make, actor=actor or self.worker, person_id=person_id, **asked)

    async def agree(self, case_id, *, actor=None) -> int:
        seen = facts_hash(await queries_cases.facts_of(None, await queries_cases.case_in(None, case_id)))
        return await db.write(actions_cases.agree, actor=actor or self.admin, case_id=case_id, seen=seen)

    async def tell(self, case_id, *, actor=None, told_on=None) -> int:
        await db.write(
            actions_cases.tell, actor=actor or self.worker, case_id=case_id, told_on=told_on or self.today,
            how=How.IN_PERSON,
        )  # fmt: skip
        return case_id

    async def found(self, person_id, **changes):
        """A finding, confirmed and told on its day; the next day begins."""
        case_id = await self.tell(await self.agree(await self.make(person_id, **changes)))
        self.pass_days(1)
        return await queries_cases.case_in(None, case_id)

    def pass_days(self, days: int) -> None:
        self.neighbours.clock.advance(days=days)

    async def book(self) -> int:
        return await db.write(actions_deductions.book_due)

    async def object_to(self, case_id, person_id) -> None:
        """On the own phone."""
        facts = {"case_id": case_id, "said": "那天不是我家的"}
        await db.write(actions_deductions.object_to, actor=Actor(person_id), **facts)

    async def rule(self, case_id, verdict, *, actor=None) -> None:
        asked = {"case_id": case_id, "verdict": verdict, "answer": "看过照片"}
        await db.write(actions_deductions.rule, actor=actor or self.third, **asked)

    async def remedy(self, case_id, *, actor=None) -> None:
        await db.write(actions_deductions.remedy, actor=actor or self.worker, case_id=case_id, said="已经搬走")

    async def agree_remedy(self, case_id, *, actor=None) -> None:
        case = await queries_cases.case_in(None, case_id)
        seen = facts_hash(remedy_facts(case_id, case.remedy))
        await db.write(actions_deductions.agree_remedy, actor=actor or self.admin, case_id=case_id, seen=seen)

    async def earn(self, person_id, points) -> None:
        await self.world.give(person_id, points, self.place)

    async def hold(self, person_id, points) -> None:
        holder = await people.holder_of(None, person_id)
        book = await ledger.passbook_of(person_id=person_id, household_id=holder.household_id, holder=holder.kind)
        await db.write(
            actions_holds.hold, account_id=book.account_id, points=points, hold_key="test:1", member_id=person_id,
            overdue_at=self.neighbours.clock.now() + timedelta(days=99), source=("tests", "wish", 1),
        )  # fmt: skip


async def patrol_in(neighbours, world) -> Patrol:
    """The community of `neighbours`, whose table has one version by now."""
    place = world.communities[0]
    [version] = await scoring.versions(place.id)
    place.version_id = version.version_id
    worker, _ = await world.staff(Role.GRID_WORKER, place)
    admins = [(await world.staff(Role.COMMUNITY_ADMIN, place))[0] for _ in "ab"]
    return Patrol(neighbours, world, worker, *admins)


def days_before(day: date, days: int) -> date:
    return day - timedelta(days=days)
