"""What a kind of passbook settles: gifts beside earned points, base points, reset days."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date

from pointsbank.ledger.rules_kinds import Settings
from tests.ledger.oracle import MOST, Books, No

NEVER = date(9999, 12, 31)


@dataclass
class Kinds(Books):
    had: set[tuple[int, str]] = field(default_factory=set)  # base points, by member and period
    based_on: date | None = None
    cleared: date | None = None  # the reset day up to which all is done

    def settle(self, kind: Settings) -> None:
        self.kind = kind
        if kind.reset_month is not None:
            self.cleared = self._last_reset()

    def gift(self, member: int, points: int, percent: int, last_day: date) -> int:
        if not 1 <= percent <= 1_000:
            raise No("wrong_match")
        return self.issue("gift", member, points, (last_day, "gift", percent))

    def give_base(self) -> None:
        """Once a day everybody is looked at."""
        if not self.kind.base_points or self.based_on == self.today:
            return
        self.based_on = self.today
        month_end = self.today.replace(day=monthrange(self.today.year, self.today.month)[1])
        period, last_day = {
            "once": ("once", NEVER),
            "month": (f"{self.today:%Y-%m}", month_end),
            "year": (f"{self.today:%Y}", date(self.today.year, 12, 31)),
        }[self.kind.base_every]
        for member in range(self.members):
            if (member, period) not in self.had:
                self.had.add((member, period))
                self.issue("base", member, self.kind.base_points, (last_day, "base", 0))

    def reset(self) -> None:
        if self.kind.reset_month is None or self.kind.carry_over or self.cleared == self._last_reset():
            return
        self.cleared = self._last_reset()
        for member in range(self.members):
            while free := self.free(member):
                taken = self.gather(self.in_order(member), member, min(free, MOST))
                self.post("reset", member, "expired", sum(taken.values()), self._of(member, taken))

    def _last_reset(self) -> date:
        """The tests take no 29 February."""
        month, day = self.kind.reset_month, self.kind.reset_day
        assert month is not None
        assert day is not None
        this = date(self.today.year, month, day)
        return this if this < self.today else date(self.today.year - 1, month, day)
