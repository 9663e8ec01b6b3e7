"""A community's ledger and its oracle, side by side: whatever is asked of one is asked of the other.

Operations name what they are about by counting: a member by place, and entries, holds, vouchers and budgets backwards
from the latest. So one list of operations means the same whatever numbers a database gives.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec

from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import actions as awards
from pointsbank.awards import actions_settle
from pointsbank.governance import actions_books
from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock, local_day, start_of_day
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import (
    actions,
    actions_budgets,
    actions_expiry,
    actions_gifts,
    actions_holds,
    actions_kinds,
    actions_periods,
    actions_reset,
    actions_reversal,
    actions_vouchers,
    queries_flows,
)
from pointsbank.ledger.rules_flows import What
from tests.conftest import NOON
from tests.ledger.conftest import PLAIN
from tests.ledger.desk_books import MEMBERS, Founded, found, look
from tests.ledger.oracle import No
from tests.ledger.oracle_years import Oracle

MALFORMED = {"ledger.wrong_amount", "ledger.wrong_match", "ledger.same_book", "ledger.budget_year"}
MALFORMED |= {"ledger.no_ceiling", "ledger.budget_not_raised"}
"""Refusals that are not remembered: a repeat is refused anew."""


class Differs(AssertionError):
    """The ledger and its oracle say different things."""


@dataclass
class Desk:
    clock: FixedClock
    number: int
    place: Founded
    oracle: Oracle
    ids: list[int] = field(default_factory=list)  # of the oracle's entries, in the ledger
    voucher_ids: list[int] = field(default_factory=list)
    budget_ids: list[int] = field(default_factory=list)
    made: int = 0
    kind_version: int = 1
    last: tuple[Any, ...] | None = None

    @classmethod
    async def opened(cls, clock: FixedClock, number: int) -> "Desk":
        clock.set(NOON)
        place = await db.write(found, number=number)
        desk = cls(clock, number, place, Oracle(local_day(NOON), PLAIN, MEMBERS))
        for member in range(MEMBERS):
            await desk.award(member, 40, 40 * member)
        return desk

    @property
    def community(self) -> dict[str, int]:
        return {"community_id": self.place.community_id}

    def key(self) -> str:
        self.made += 1
        return f"model-{self.number}-{self.made}"

    def day(self, days: int) -> date:
        return self.oracle.today + timedelta(days=days)

    def latest(self, count: int, back: int) -> int | None:
        return count - 1 - back % count if count else None

    # How both are asked.

    async def both(
        self, action: Callable[..., Any], expected: Callable[[], Any], *, by: int | None = None, **facts: Any
    ) -> Any:
        """Ask both; answers what the ledger said, or None where both refused."""
        actor = Actor(*self.place.maker) if by is None else Actor(by)
        request_key = self.key()
        answer = await self.ask(action, actor, request_key, facts)
        self.last = (action, actor, request_key, facts, answer)
        told, refusal = None, None
        try:
            told = expected()
        except No as no:
            refusal = no.code
        if (answer if isinstance(answer, str) else None) != refusal:
            raise Differs(f"{action.__name__}: the ledger says {answer}, the oracle {refusal or told}")
        await self.look()
        return None if refusal else (answer, told)

    async def ask(self, action: Callable[..., Any], actor: Actor, request_key: str, facts: dict[str, Any]) -> Any:
        try:
            return await db.write(action, actor=actor, request_key=request_key, **facts)
        except Refusal as refused:
            return refused.code

    async def job(self, action: Callable[..., Any], expected: Callable[[], Any]) -> None:
        while await db.write(action):
            pass
        expected()
        await self.look()

    async def look(self) -> None:
        """All that the ledger says now, against the oracle."""
        self.ids += await look(self.place, self.oracle, self.ids[-1] if self.ids else 0)

    async def ask_again(self) -> None:
        """The last request of all comes once more: the same answer, and nothing else."""
        if self.last is not None:
            *asked, answer = self.last
            if answer not in MALFORMED and await self.ask(*asked) != answer:
                raise Differs("another answer to the same request")
            await self.look()

    # One holder alone.

    async def award(self, member: int, points: int, days: int) -> None:
        last_day = self.day(days)
        await self.both(
            actions.post_award, lambda: self.oracle.award(member, points, last_day), **self.community,
            passbook_id=self.place.books[member], points=points, posting_key=self.key(), effective_at=self.clock.now(),
            expires_on=last_day, member_id=self.place.persons[member], version_id=1, source=("awards", "award", 1),
            summary="楼道清洁",
        )  # fmt: skip

    async def gift(self, member: int, points: int, percent: int, days: int) -> None:
        last_day = self.day(days)
        await self.both(
            actions_gifts.give_gift, lambda: self.oracle.gift(member, points, percent, last_day), **self.community,
            passbook_id=self.place.books[member], points=points, match_percent=percent, expires_on=last_day,
            posting_key=self.key(), member_id=self.place.persons[member], source=("ledger", "gift", 1),
            summary="节日赠送",
        )  # fmt: skip

    async def order(self, member: int, points: int, outlet: int) -> None:
        await self.both(
            actions.spend, lambda: self.oracle.order(member, points, outlet), **self.community,
            account_id=self.place.accounts[member], points=points, outlet_id=outlet, posting_key=self.key(),
            member_id=self.place.persons[member], source=("redemption", "order", 1), summary="食用盐",
        )  # fmt: skip

    async def hold(self, member: int, points: int, hours: int, key: str | None = None) -> None:
        key = key or self.key()
        await self.both(
            actions_holds.hold, lambda: self.oracle.hold(key, member, points, hours),
            account_id=self.place.accounts[member], points=points, hold_key=key,
            overdue_at=self.clock.now() + timedelta(hours=hours), member_id=self.place.persons[member],
            source=("redemption", "order", 1),
        )  # fmt: skip

    def hold_key(self, back: int) -> str:
        """One that was never used, where there is none."""
        at = self.latest(len(self.oracle.holds), back)
        return self.key() if at is None else list(self.oracle.holds)[at]

    async def hold_again(self, member: int, points: int, back: int) -> None:
        await self.hold(member, points, 1, self.hold_key(back))

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
        at = self.entry(back)
        await self.both(
            actions_reversal.reverse, lambda: self.oracle.reverse(at), entry_id=self.ids[at], reason="mistake"
        )

    async def claw_back(self, back: int) -> None:
        at = self.entry(back)
        done = await self.both(
            actions_reversal.clawback, lambda: self.oracle.clawback(at), entry_id=self.ids[at], reason="mistake"
        )
        if done is not None and done[0].shortfall != done[1][1]:
            raise Differs(f"a clawback lacks {done[0].shortfall}, the oracle {done[1][1]}")

    # From hand to hand.

    async def hand_over(self, what: str, member: int, to: int | None, points: int) -> None:
        to = None if what == "donation" and to == member else to
        told = await self.both(
            actions_vouchers.hand_over, lambda: self.oracle.hand_over(what, member, to, points), **self.community,
            what=What(what), from_id=self.place.books[member], points=points, how="in_person",
            to_person=None if to is None else self.place.persons[to],
        )  # fmt: skip
        self._made(told)

    async def give_own(self, member: int, to: int | None, points: int) -> None:
        told = await self.both(
            actions_vouchers.give_own, lambda: self.oracle.give_own(member, to, points), points=points,
            to_person=None if to is None else self.place.persons[to], by=self.place.persons[member],
        )  # fmt: skip
        if told is not None:
            voucher = await queries_flows.voucher_of_entry(told[0])
            assert voucher is not None
            self.voucher_ids.append(voucher.id)

    def _made(self, told: Any) -> None:
        if told is not None:
            self.voucher_ids.append(told[0])

    async def grant(self, member: int, points: int, days: int) -> None:
        last_day = self.day(days)
        told = await self.both(
            actions_vouchers.grant_to, lambda: self.oracle.grant(member, points, last_day), **self.community,
            person_id=self.place.persons[member], points=points, expires_on=last_day, reason="hardship", note="",
        )  # fmt: skip
        self._made(told)

    async def adjust(self, member: int, points: int, is_up: bool, days: int) -> None:
        last_day = self.day(days)
        told = await self.both(
            actions_vouchers.adjust, lambda: self.oracle.adjust(member, points, last_day if is_up else None),
            **self.community, passbook_id=self.place.books[member], points=points, is_up=is_up, expires_on=last_day,
            reason="missed", note="",
        )  # fmt: skip
        self._made(told)

    async def ask_reversal(self, back: int) -> None:
        at = self.entry(back)
        room = (await queries_flows.entry(None, self.ids[at])).source_room
        told = await self.both(
            actions_vouchers.take_back, lambda: self.oracle.ask_reversal(at), **self.community,
            entry_id=self.ids[at], way=What.REVERSAL, reason="twice", note="", room=room,
        )  # fmt: skip
        self._made(told)

    async def agree(self, back: int, by_maker: bool, has_seen: bool) -> None:
        at = self.latest(len(self.voucher_ids), back)
        if at is not None:
            voucher = await queries_flows.voucher((self.place.community_id,), self.voucher_ids[at])
            back = voucher.reverses_id
            room = "ledger" if back is None else (await queries_flows.entry(None, back)).source_room
            await self._decide(
                actions_vouchers.give, lambda: self.oracle.give(at, is_maker=by_maker, has_seen=has_seen), by_maker,
                voucher_id=voucher.id, seen=facts_hash(voucher.facts) if has_seen else "what stood there before",
                room=room,
            )  # fmt: skip

    async def turn_down(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.voucher_ids), back)
        if at is not None:
            await self._decide(
                actions_vouchers.refuse, lambda: self.oracle.refuse(at, is_maker=by_maker), by_maker,
                voucher_id=self.voucher_ids[at], reason="不清楚",
            )  # fmt: skip

    async def withdraw(self, back: int, by_maker: bool) -> None:
        at = self.latest(len(self.voucher_ids), back)
        if at is not None:
            await self._decide(
                actions_vouchers.withdraw, lambda: self.oracle.withdraw(at, is_maker=by_maker), by_maker,
                voucher_id=self.voucher_ids[at],
            )  # fmt: skip

    async def _decide(self, action: Callable[..., Any], expected: Callable[[], Any], by_maker: bool, **facts) -> None:
        maker, self.place.maker = self.place.maker, self.place.maker if by_maker else self.place.checker
        await self.both(action, expected, **facts)
        self.place.maker = maker

    # What the kind settles.

    async def settle(self, **changes: Any) -> None:
        if changes.pop("with_base"):
            changes |= {"base_points": 10, "base_every": changes.pop("every")}
        else:
            del changes["every"]
        month, day = changes.pop("resets") or (None, None)
        kind = msgspec.structs.replace(PLAIN, reset_month=month, reset_day=day, **changes)
        await self.both(
            actions_kinds.change_kind, lambda: self.oracle.settle(kind), **self.community, kind_id=self.place.kind_id,
            version=self.kind_version, settings=kind,
        )  # fmt: skip
        self.kind_version += 1

    async def give_base(self) -> None:
        await self.job(actions_kinds.give_base_due, self.oracle.give_base)

    async def reset(self) -> None:
        await self.job(actions_reset.reset_due, self.oracle.reset)

    async def expire(self) -> None:
        await self.job(actions_expiry.expire_due, self.oracle.expire)

    async def live_on(self, hours: int) -> None:
        self.clock.advance(hours=hours)
        self.oracle.live_through(hours, local_day(self.clock.now()))

    # Years and months.

    async def act(self, member: int, points: int, programme: str) -> None:
        self.made += 1
        await self.both(
            awards.record_act, lambda: self.oracle.act(member, points, programme), **self.community,
            person_id=self.place.persons[member], source=("tests", "act", self.number * 1_000_000 + self.made),
            item_code="A01" if programme else "B01", what="楼道清洁", evidence="card",
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
            sql = "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM ledger_outstanding WHERE period_id = ?"
            ((outstanding,),) = await db.rows(sql, closed[0])
            if outstanding != closed[1]:
                raise Differs(f"{month} ended with {outstanding}, says the ledger, the oracle {closed[1]}")

    async def post_into_closed(self, member: int) -> None:
        """By a clock that somebody has set back."""
        if not self.oracle.closed:
            return
        now = self.clock.now()
        self.clock.set(start_of_day(self.oracle.closed[-1]) + timedelta(hours=30))
        await self.both(
            actions.post_award, self.oracle.post_into_closed, **self.community, passbook_id=self.place.books[member],
            points=1, posting_key=self.key(), effective_at=now, expires_on=self.day(1),
            member_id=self.place.persons[member], version_id=1, source=("awards", "award", 1), summary="楼道清洁",
        )  # fmt: skip
        self.clock.set(now)

    async def retire(self) -> None:
        """So that the jobs of others in the same database, who live in earlier days, find nothing here to do."""
        await self.settle(with_base=False, every="never", resets=None)
        for back in range(len(self.budget_ids)):
            await self.raise_budget(back, 1_000_000)
        await self.settle_due()
        await self.expire()
