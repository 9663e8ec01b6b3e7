"""A community's ledger and its oracle, side by side: whatever is asked of one is asked of the other.

Operations name what they are about by counting: passbooks and people from the first, and entries, holds, vouchers,
budgets, merges, lists and orders backwards from the latest. So one list of operations means the same whatever numbers a
database gives.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from pointsbank.awards import actions as awards
from pointsbank.awards import actions_settle
from pointsbank.governance import actions_books
from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock, local_day, start_of_day
from pointsbank.ledger import (
    actions,
    actions_budgets,
    actions_deduction,
    actions_expiry,
    actions_gifts,
    actions_holds,
    actions_kinds,
    actions_periods,
    actions_reset,
    actions_reversal,
)
from tests.conftest import NOON
from tests.ledger.conftest import PLAIN
from tests.ledger.desk_books import BEGIN_WITH, ITEMS, KINDS, PEOPLE, found, homes, kinds_of
from tests.ledger.desk_flows import Handing
from tests.ledger.desk_homes import Moving
from tests.ledger.desk_shelf import fill
from tests.ledger.desk_shop import Selling
from tests.ledger.oracle import MAIN
from tests.ledger.oracle_rows import Person
from tests.ledger.oracle_years import Oracle

OUTSTANDING = """
SELECT kind.code, told.points FROM ledger_outstanding told JOIN ledger_book_kind kind ON kind.id = told.kind_id
 WHERE told.period_id = ? AND told.points <> 0
"""
LATEST = 30
SHORTFALL = "SELECT shortfall FROM ledger_entry WHERE reverses_id = ?"


@dataclass
class Desk(Moving, Handing, Selling):
    @classmethod
    async def opened(cls, clock: FixedClock, number: int) -> "Desk":
        clock.set(NOON)
        kinds = kinds_of(number)
        place = await db.write(found, number=number, kinds=kinds)
        people = [Person(name, home) for name, home in PEOPLE]
        oracle = fill(Oracle(local_day(NOON), dict(kinds), people, homes()), place.shelf)
        desk = cls(clock, number, place, oracle)
        for person, kind in BEGIN_WITH:
            await desk.open_book(person, kind)
        for book in range(len(desk.oracle.books)):
            await desk.award(book, 40, 40 * book)
        return desk

    # One passbook alone.

    async def award(self, book: int, points: int, days: int) -> None:
        book, last_day = self.book(book), self.day(days)
        await self.both(
            actions.post_award, lambda: self.oracle.award(book, points, last_day), **self.community,
            passbook_id=self.place.books[book], points=points, posting_key=self.key(), effective_at=self.clock.now(),
            expires_on=last_day, member_id=self.place.persons[0], version_id=1, source=("ledger", "test", 1),
            summary="楼道清洁",
        )  # fmt: skip

    async def gift(self, book: int, points: int, percent: int, days: int) -> None:
        book, last_day = self.book(book), self.day(days)
        await self.both(
            actions_gifts.give_gift, lambda: self.oracle.gift(book, points, percent, last_day), **self.community,
            passbook_id=self.place.books[book], points=points, match_percent=percent, expires_on=last_day,
            posting_key=self.key(), member_id=self.place.persons[0], source=("ledger", "gift", 1),
            summary="节日赠送",
        )  # fmt: skip

    async def order(self, book: int, points: int, outlet: int) -> None:
        book = self.book(book)
        await self.both(
            actions.spend, lambda: self.oracle.order(book, points, outlet), **self.community,
            account_id=self.place.accounts[book], points=points, outlet_id=outlet, posting_key=self.key(),
            member_id=self.place.persons[0], source=("redemption", "order", 1), summary="食用盐",
        )  # fmt: skip

    async def deduct(self, book: int, points: int, floor: int | None) -> None:
        book = self.book(book)
        taken = await self.both(
            actions_deduction.deduct, lambda: self.oracle.deduct(book, points, floor),
            passbook_id=self.place.books[book], points=points, floor=floor, posting_key=self.key(),
            effective_at=self.clock.now(), member_id=self.place.persons[0], version_id=1, source=("awards", "case", 1),
            summary="楼道堆物",
        )  # fmt: skip
        if taken is not None:
            self.same("what a deduction takes", taken[0].points, taken[1])

    async def hold(self, book: int, points: int, hours: int, key: str | None = None) -> None:
        key, book = key or self.key(), self.book(book)
        await self.both(
            actions_holds.hold, lambda: self.oracle.hold(key, book, points, hours),
            account_id=self.place.accounts[book], points=points, hold_key=key,
            overdue_at=self.clock.now() + timedelta(hours=hours), member_id=self.place.persons[0],
            source=("redemption", "order", 1),
        )  # fmt: skip

    def hold_key(self, back: int) -> str:
        """One that was never used, where there is none."""
        at = self.latest(len(self.oracle.holds), back)
        return self.key() if at is None else list(self.oracle.holds)[at]

    async def hold_again(self, book: int, points: int, back: int) -> None:
        await self.hold(book, points, 1, self.hold_key(back))

    async def capture(self, back: int, outlet: int) -> None:
        key = self.hold_key(back)
        await self.both(
            actions_holds.capture, lambda: self.oracle.capture(key, outlet), hold_key=key, outlet_id=outlet,
            posting_key=self.key(), summary="食用盐",
        )  # fmt: skip

    async def release(self, back: int) -> None:
        key = self.hold_key(back)
        await self.both(actions_holds.release, lambda: self.oracle.release(key), hold_key=key)

    async def lapse(self, back: int) -> None:
        key = self.hold_key(back)
        await self.both(actions_holds.lapse, lambda: self.oracle.lapse(key), hold_key=key)

    def entry(self, back: int) -> int:
        at = self.latest(len(self.ids), back)
        assert at is not None
        return at

    async def reverse(self, back: int) -> None:
        """Orders by the counter, at once; all others by a voucher, to which somebody agrees where it takes two."""
        at = self.entry(back)
        bought = self.oracle.order_of(at)
        if bought is not None:
            await self.undo_order(bought, self.oracle.bought[bought].clerk)
            return
        if self.oracle.entries[at].kind != "order":
            await self.take_back_now("reversal", at)
            return
        await self.both(
            actions_reversal.reverse, lambda: self.oracle.reverse(at), entry_id=self.ids[at], reason="mistake"
        )

    async def claw_back(self, back: int) -> None:
        """Mostly of what a reversal would not cover."""
        short = self.oracle.short(LATEST) if back < LATEST else []
        at = short[-1 - back % len(short)] if short else self.entry(back)
        lacking = await self.take_back_now("clawback", at)
        if lacking is not None:
            ((told,),) = await db.rows(SHORTFALL, self.ids[at])
            self.same("what a clawback lacks", told, lacking)

    # What a kind settles.

    async def settle(self, kind: str, **changes: Any) -> None:
        decimals, holder = self.place.kinds[kind].decimals, self.place.kinds[kind].holder
        if changes.pop("recounts") and kind != MAIN:
            decimals += 1
        if changes.pop("with_base"):
            changes |= {"base_points": 10, "base_every": changes.pop("every")}
        else:
            del changes["every"]
        month, day = changes.pop("resets") or (None, None)
        settings = msgspec.structs.replace(
            PLAIN, decimals=decimals, holder=holder, reset_month=month, reset_day=day, **changes
        )  # fmt: skip
        told = await self.both(
            actions_kinds.change_kind, lambda: self.oracle.settle(kind, settings), **self.community,
            kind_id=self.place.kind_ids[kind], version=self.versions[kind], settings=settings,
        )  # fmt: skip
        self.versions[kind] += told is not None

    async def give_base(self) -> None:
        await self.job(actions_kinds.give_base_due, self.oracle.give_base)

    async def reset(self) -> None:
        await self.job(actions_reset.reset_due, self.oracle.reset)

    async def expire(self) -> None:
        await self.job(actions_expiry.expire_due, self.oracle.expire)

    async def live_on(self, hours: int) -> None:
        self.clock.advance(hours=hours)
        self.oracle.live_through(60 * hours, local_day(self.clock.now()))

    # Years and months.

    async def act(self, person: int, points: int, programme: str, kind: str) -> None:
        person, programme = self.person(person), programme if kind == MAIN else ""
        self.made += 1
        await self.both(
            awards.record_act, lambda: self.oracle.act(person, points, programme, kind), **self.community,
            person_id=self.person_id(person), source=("tests", "act", self.number * 1_000_000 + self.made),
            item_code=ITEMS[programme, kind], what="楼道清洁", evidence="card",
            began_at=self.clock.now() - timedelta(hours=1), minutes=1, planned_minutes=1, quantity=points,
            reviewed_by=self.place.checker[0],
        )  # fmt: skip

    async def settle_due(self) -> None:
        await self.job(actions_settle.settle_due, self.oracle.settle_due)

    async def make_budget(self, years: int, programme: str, points: int | None, cents: int | None) -> None:
        year = self.oracle.today.year + years
        made = await self.both(
            actions_books.make_budget, lambda: self.oracle.make_budget(year, programme, points, cents),
            **self.community, year=year, programme=programme, points=points, cents=cents,
        )  # fmt: skip
        if made is not None:
            self.budget_ids.append(made[0])

    async def raise_budget(self, back: int, by: int) -> None:
        at = self.latest(len(self.budget_ids), back)
        if at is not None:
            budget = self.oracle.budgets[at]
            points = None if budget.points is None else budget.points + by
            cents = None if budget.cents is None else budget.cents + 5 * by
            await self.both(
                actions_budgets.raise_budget, lambda: self.oracle.raise_budget(at, points, cents),
                budget_id=self.budget_ids[at], points=points, cents=cents,
            )  # fmt: skip

    async def close_month(self, off: int) -> None:
        due = self.oracle.next_month() or self.oracle.today.replace(day=1)
        month = due
        for _ in range(abs(off)):
            month = (month - timedelta(days=1)).replace(day=1) if off < 0 else (month + timedelta(days=32))
            month = month.replace(day=1)
        closed = await self.both(actions_periods.close, lambda: self.oracle.close(month), **self.community, month=month)
        if closed is not None:
            while await db.write(actions_periods.count, period_id=closed[0]):
                pass
            told = dict(map(tuple, await db.rows(OUTSTANDING, closed[0])))
            self.same(f"what {month} ended with", told, {kind: points for kind, points in closed[1].items() if points})

    async def post_into_closed(self, book: int) -> None:
        """By a clock that somebody has set back."""
        if not self.oracle.closed:
            return
        now = self.clock.now()
        self.clock.set(start_of_day(self.oracle.closed[-1]) + timedelta(hours=30))
        await self.both(
            actions.post_award, self.oracle.post_into_closed, **self.community, points=1,
            passbook_id=self.place.books[self.book(book)], posting_key=self.key(), effective_at=now,
            expires_on=self.day(1), member_id=self.place.persons[0], version_id=1,
            source=("ledger", "test", 1), summary="楼道清洁",
        )  # fmt: skip
        self.clock.set(now)

    async def retire(self) -> None:
        """So that the jobs of others in the same database, who live in earlier days, find nothing here to do."""
        await self.reset()
        for kind in KINDS:
            await self.settle(kind, with_base=False, every="never", resets=None, recounts=False)
        for back in range(len(self.budget_ids)):
            await self.raise_budget(back, 1_000_000)
        await self.settle_due()
        await self.expire()
