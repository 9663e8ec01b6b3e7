"""What a kind of passbook settles: gifts beside earned points, base points, reset days."""

from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from pointsbank.ledger.rules_kinds import Settings
from tests.ledger.oracle import Books
from tests.ledger.oracle_rows import MOST, Bucket, No

NEVER = date(9999, 12, 31)
FROM_NOWHERE = ("award", "opening", "base", "gift", "grant", "adjustment")


@dataclass
class Kinds(Books):
    had: dict[tuple[int, str], date] = field(default_factory=dict)  # base points, by passbook and period
    based_on: dict[str, date] = field(default_factory=dict)
    cleared: dict[str, date] = field(default_factory=dict)  # the reset day up to which all is done

    def settle(self, code: str, kind: Settings) -> None:
        if self._is_reset_due(code):
            raise No("kind_reset_under_way")
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
                if not (self._is_paid(book, kind.base_every, period) or self._had_elsewhere(code, holder[1], period)):
                    self.had[book, period] = self.today
                    self.issue("base", book, kind.base_points, (last_day, "base", 0))

    def _is_paid(self, book: int, every: str, period: str) -> bool:
        """Whether what this passbook had was for a time that this period has a day of."""
        for (of, had), day in self.had.items():
            time = f"{day:%Y-%m-%d}" if had == "once" else had
            if of == book and (every == "once" or had == period or time.startswith(period) or period.startswith(time)):
                return True
        return False

    def _had_elsewhere(self, code: str, home: int | None, period: str) -> bool:
        """Whether somebody of this household had them where they lived in this period before."""
        every = self.kinds[code].base_every
        start = {"once": date.min, "month": self.today.replace(day=1), "year": self.today.replace(month=1, day=1)}
        mates = [
            at for at, one in enumerate(self.people) if home is not None and (one.home, one.state) == (home, "member")
        ]
        left = {past for at in mates for day, past in self.people[at].left if day >= start[every]}
        books = [*(self.find(code, at, None) for at in mates), *(self.find(code, None, past) for past in left)]
        return any(book is not None and self._is_paid(book, every, period) for book in books)

    def _holders(self, kind: Settings) -> list[tuple[int | None, int | None]]:
        members = [(at, one.home) for at, one in enumerate(self.people) if one.state == "member"]
        if kind.holder == "person":
            return [(at, None) for at, _ in members]
        return list(dict.fromkeys((at, None) if home is None else (None, home) for at, home in members))

    def reset(self) -> None:
        for code, kind in self.kinds.items():
            if not self._is_reset_due(code):
                continue
            self.cleared[code] = self._last_reset(kind)
            for at, book in enumerate(self.books):
                while book.kind == code and (taken := self._before(at, self.cleared[code])):
                    self.post("reset", at, "expired", sum(taken.values()), self._of(at, taken))

    def _is_reset_due(self, code: str) -> bool:
        kind = self.kinds[code]
        return kind.reset_month is not None and not kind.carry_over and self.cleared[code] != self._last_reset(kind)

    def _before(self, book: int, day: date) -> dict[Bucket, int]:
        """What is free of what came up to this day; what came from nowhere since is let alone."""
        new: Counter[Bucket] = Counter()
        for entry in self.entries:
            if entry.day > day and entry.target == book and entry.kind in FROM_NOWHERE:
                new.update({bucket: -part for (_, bucket), part in entry.uses.items()})
        taken: dict[Bucket, int] = {}
        for bucket in self.in_order(book):
            free = self.books[book].lots[bucket].free - new[bucket]
            if part := min(free, MOST - sum(taken.values())) if free > 0 else 0:
                taken[bucket] = part
        return taken

    def _last_reset(self, kind: Settings) -> date:
        """The tests take no 29 February."""
        month, day = kind.reset_month, kind.reset_day
        assert month is not None
        assert day is not None
        this = date(self.today.year, month, day)
        return this if this < self.today else date(self.today.year - 1, month, day)
