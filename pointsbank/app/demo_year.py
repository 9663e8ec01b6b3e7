"""A year on the street, week by week: people come, points settle, goods are taken."""

from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import date, timedelta
from typing import Any

import click

from pointsbank.app import demo_cast, demo_events
from pointsbank.app.demo_people import Resident
from pointsbank.app.demo_places import Community, restock
from pointsbank.app.demo_scene import Scene, moment
from pointsbank.awards import actions as awards
from pointsbank.awards import actions_gate, actions_settle
from pointsbank.kit import db
from pointsbank.kit.clock import local_day, month_start
from pointsbank.people.rules_roles import Role
from pointsbank.redemption import actions as redemption
from pointsbank.redemption.rules import Line

WEEKS = 52
SETTLING_WEEKS = 3  # what was done so many weeks ago has settled everywhere
QUIET_DAYS = 3  # before today: demo_today.py tells them day by day
JUST_AFTER_MIDNIGHT = 1 / 6
ORDER_POINTS_MAX = 90
LINES_MAX = 3

BALANCES = """
SELECT passbook.person_id, passbook.household_id, account.balance
  FROM ledger_account account JOIN ledger_passbook passbook ON passbook.id = account.passbook_id
  JOIN ledger_book_kind kind ON kind.id = passbook.kind_id AND kind.code = 'points'
  LEFT JOIN ledger_gate gate ON gate.kind_id = kind.id
  LEFT JOIN ledger_bar bar ON bar.passbook_id = passbook.id
 WHERE account.community_id = ? AND account.balance >= ?
   AND (COALESCE(gate.minutes, 0) = 0 OR bar.gate_passed_on IS NOT NULL) ORDER BY account.id
"""
TO_REVIEW = """
SELECT id FROM awards_award
 WHERE community_id = ? AND state = 'pending' AND next_role = 'community_admin' ORDER BY id
"""


def first_monday(today: date, weeks: int) -> date:
    return today - timedelta(days=today.weekday() + 7 * weeks)


async def until_done(action: Callable[..., Coroutine[Any, Any, int]]) -> None:
    while await db.write(action):
        pass


class Year:
    """Lives in the order of time: the clock is never turned back."""

    def __init__(self, scene: Scene, communities: list[Community]) -> None:
        self.scene, self.communities = scene, communities
        self.last_day = scene.today - timedelta(days=QUIET_DAYS)
        self.taken: Counter[tuple[int, int, date]] = Counter()  # pieces by account holder, good and month

    async def live(self, weeks: int) -> None:
        monday = first_monday(self.scene.today, weeks)
        self.scene.at(monday, JUST_AFTER_MIDNIGHT)
        await db.write(actions_gate.set_due)
        with click.progressbar(length=weeks + 1, label="一年的活动和兑换") as progress:
            for turn in range(weeks + 1):
                is_last_settled = turn == weeks - SETTLING_WEEKS
                await self.week(turn, monday + timedelta(days=7 * turn), has_newcomer=is_last_settled)
                progress.update(1)

    async def week(self, turn: int, monday: date, *, has_newcomer: bool) -> None:
        for offset, step in ((0, self._notices), (3, self._settling), (4, self._orders)):
            if monday + timedelta(days=offset) <= self.last_day:
                await step(monday + timedelta(days=offset))
        friday = monday + timedelta(days=4)
        if friday > self.last_day:
            return
        self.scene.at(friday, 17)
        wanted = [
            (community, programme, moment(monday + timedelta(days=programme.hours.day), programme.hours.start))
            for community in self.communities
            for programme in community.plan.programmes
            if monday + timedelta(days=programme.hours.day) <= self.last_day
        ]
        held = await demo_events.publish(self.scene, wanted, turn)
        if has_newcomer:
            demo_cast.come_once(held)
        for day in sorted({local_day(one.plan.starts_at) for one in held}):
            todays = [one for one in held if local_day(one.plan.starts_at) == day]
            await demo_events.attend(self.scene, todays)
            self.scene.at(day, 18, pace_seconds=20)
            await demo_events.confirm(self.scene, todays)
        await self._reviews()

    async def _notices(self, day: date) -> None:
        self.scene.at(day, JUST_AFTER_MIDNIGHT)
        await until_done(awards.gather_notices)

    async def _settling(self, day: date) -> None:
        self.scene.at(day, JUST_AFTER_MIDNIGHT)
        await until_done(actions_settle.settle_due)

    async def _reviews(self) -> None:
        for community in self.communities:
            ids = [found["id"] for found in await db.rows(TO_REVIEW, community.id)]
            if ids:
                await db.write(
                    awards.review_all,
                    actor=community.actor(Role.COMMUNITY_ADMIN),
                    community_id=community.id,
                    award_ids=ids,
                    passed=True,
                    reason=None,
                )

    async def _orders(self, day: date) -> None:
        """The shops' day: shelves are filled in the morning, then one customer after the other."""
        self.scene.at(day, 8.5)
        for community in self.communities:
            await restock(self.scene, community)
        self.scene.at(day, 9.5, pace_seconds=9)
        writes = []
        for community in self.communities:
            for resident, lines in await self._baskets(community, day):
                writes.append(
                    db.write(
                        redemption.order,
                        actor=community.actor(Role.COUNTER_STAFF),
                        counter_id=community.counter_id,
                        code=resident.code,
                        lines=lines,
                        community_ids=(community.id,),
                    )
                )
        await self.scene.all(writes)

    async def _baskets(self, community: Community, day: date) -> list[tuple[Resident, list[Line]]]:
        cheapest = min(good.points for good in community.goods.values())
        found = await db.rows(BALANCES, community.id, cheapest)
        by_person = {resident.person_id: resident for resident in community.residents}
        heads = {resident.household_id: resident for resident in community.residents if resident.is_head}
        dice = self.scene.dice
        baskets = []
        for person_id, household_id, balance in dice.sample(found, min(len(found), community.plan.orders)):
            resident = by_person[person_id] if person_id is not None else heads[household_id]
            lines = self._basket(community, resident.person_id, min(balance, ORDER_POINTS_MAX), day)
            if lines:
                baskets.append((resident, lines))
        return baskets

    def _basket(self, community: Community, holder_id: int, points: int, day: date) -> list[Line]:
        """Goods that this holder can pay, that are there, and that the month's limit still allows."""
        goods, month = list(community.goods.items()), month_start(day)
        self.scene.dice.shuffle(goods)
        lines: list[Line] = []
        for good_id, good in goods:
            used = self.taken[holder_id, good_id, month]
            within = good.monthly_max is None or used < good.monthly_max
            if good.points <= points and community.stock[good_id] > 0 and within:
                points -= good.points
                community.stock[good_id] -= 1
                self.taken[holder_id, good_id, month] += 1
                lines.append(Line(quantity=1, good=good_id))
                if len(lines) == LINES_MAX:
                    break
        return lines
