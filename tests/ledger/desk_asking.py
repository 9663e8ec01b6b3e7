"""How a desk asks: the ledger and its oracle, side by side, one question at a time."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pointsbank.kit import db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import Refusal
from tests.ledger.desk_books import KINDS, Founded, look
from tests.ledger.oracle_rows import No
from tests.ledger.oracle_years import Oracle

MALFORMED = {
    "ledger.wrong_amount",
    "ledger.wrong_match",
    "ledger.same_book",
    "ledger.budget_year",
    "people.bad_merge",
    "ledger.day_to_come",
}
MALFORMED |= {"ledger.no_ceiling", "ledger.budget_not_raised"}
"""Refusals that are not remembered: a repeat is refused anew."""


class Differs(AssertionError):
    """The ledger and its oracle say different things."""


@dataclass
class Asking:
    clock: FixedClock
    number: int
    place: Founded
    oracle: Oracle
    ids: list[int] = field(default_factory=list)  # of the oracle's entries, in the ledger
    budget_ids: list[int] = field(default_factory=list)
    merge_ids: list[int] = field(default_factory=list)
    list_ids: list[int] = field(default_factory=list)
    made: int = 0
    versions: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(KINDS, 1)))
    last: tuple[Any, ...] | None = None

    @property
    def community(self) -> dict[str, int]:
        return {"community_id": self.place.community_id}

    def key(self) -> str:
        self.made += 1
        return f"model-{self.number}-{self.made}"

    def day(self, days: int) -> date:
        return self.oracle.today + timedelta(days=days)

    def book(self, number: int) -> int:
        return number % len(self.oracle.books)

    def person(self, number: int) -> int:
        return number % len(self.oracle.people)

    def person_id(self, number: int | None) -> int | None:
        return None if number is None else self.place.persons[self.person(number)]

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
            with self.oracle.whole():
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

    async def decide(self, action: Callable[..., Any], expected: Callable[[], Any], by_maker: bool, **facts) -> Any:
        """By whoever asked, or by another."""
        maker, self.place.maker = self.place.maker, self.place.maker if by_maker else self.place.checker
        told = await self.both(action, expected, **facts)
        self.place.maker = maker
        return told

    async def job(self, action: Callable[..., Any], expected: Callable[[], Any]) -> None:
        try:
            while await db.write(action):
                pass
        except Refusal as refused:
            raise Differs(f"{action.__name__} is refused: {refused.code}") from refused
        expected()
        await self.look()

    @staticmethod
    def same(what: str, told: Any, expected: Any) -> None:
        if told != expected:
            raise Differs(f"{what}: the ledger says {told}, the oracle {expected}")

    async def look(self) -> None:
        """All that the ledger says now, against the oracle."""
        self.ids = await look(self.place, self.oracle, self.ids)

    async def ask_again(self) -> None:
        """The last request of all comes once more: the same answer, and nothing else."""
        if self.last is not None:
            *asked, answer = self.last
            is_kept = not isinstance(answer, str) or answer not in MALFORMED
            if is_kept and await self.ask(*asked) != answer:
                raise Differs("another answer to the same request")
            await self.look()
