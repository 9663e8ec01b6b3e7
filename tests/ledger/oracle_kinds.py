"""What a kind of passbook settles: gifts beside earned points, base points, reset days."""

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date

from pointsbank.ledger.rules_kinds import Settings
from tests.ledger.oracle import Books
from tests.ledger.oracle_rows import MOST, No

NEVER = date(9999, 12, 31)


@dataclass
class Kinds(Books):
    had: set[tuple[int, str]] = field(default_factory=set)  # base points, by passbook and period
    based_on: dict[str, date] = field(default_factory=dict)
    cleared: dict[str, date] = field(default_factory=dict)  # the reset day up to which all is done

    def settle(self, code: str, kind: Settings) -> None:
        if kind.decimals != self.kinds[code].decimals:
            raise No("kind_decimals_fixed")
        self.kinds[code] = kind
        if kind.reset_month is not None:
            self.cleared[code] = self._last_reset(kind)

    def gift(self, book: int, points: int, percent: int, last_day: date) -> int:
        if not 1 <= percent <= 1_000:
            raise No("wrong_match")
        return self.issue("gift", book, points, (last_day, "gift", percent))

    def give_base(self) -> None:
        """Once a day everybody is looked at."""
        for code, kind in self.kinds.items():
            if not kind.base_points or self.based_on.get(code) == self.today:
                continue
            self.based_on[code] = self.today
            month_end = self.today.replace(day=monthrange(self.today.year, self.today.month)[1])
            period, last_day = {
                "once": ("once", NEVER),
                "month": (f"{self.today:%Y-%m}", month_end),
                "year": (f"{self.today:%Y}", date(self.today.year, 12, 31)),
            }[kind.base_every]
            for holder in self._holders(kind):
                book = self.open(code, *holder)
                if (book, period) not in self.had:
                    self.had.add((book, period))
                    self.issue("base", book, kind.base_points, (last_day, "base", 0))

    def _holders(self, kind: Settings) -> list[tuple[int | None, int | None]]:
        members = [(at, one.home) for at, one in enumerate(self.people) if one.state == "member"]
        if kind.holder == "person":
            return [(at, None) for at, _ in members]
        return [(None, home) for home in sorted({home for _, home in members if home is not None})]

    def reset(self) -> None:
        for code, kind in self.kinds.items():
            if kind.reset_month is None or kind.carry_over or self.cleared[code] == self._last_reset(kind):
                continue
            self.cleared[code] = self._last_reset(kind)
            for at, book in enumerate(self.books):
                while book.kind == code and (free := self.free(at)):
                    taken = self.gather(self.in_order(at), at, min(free, MOST))
                    self.post("reset", at, "expired", sum(taken.values()), self._of(at, taken))

    def _last_reset(self, kind: Settings) -> date:
        """The tests take no 29 February."""
        month, day = kind.reset_month, kind.reset_day
        assert month is not None
        assert day is not None
        this = date(self.today.year, month, day)
        return this if this < self.today else date(self.today.year - 1, month, day)
