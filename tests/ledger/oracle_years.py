"""What a year may issue and what waits for it; months that are closed. And the whole oracle."""

from dataclasses import dataclass, field
from datetime import date

from tests.ledger.oracle import MAIN
from tests.ledger.oracle_homes import Budget, Homes, Waiting
from tests.ledger.oracle_kinds import Kinds
from tests.ledger.oracle_rows import No

CENTS_PER_100 = 500


@dataclass
class Oracle(Kinds, Homes):
    budgets: list[Budget] = field(default_factory=list)
    outstanding: dict[date, dict[str, int]] = field(default_factory=dict)  # at the end of each month, by kind

    def room(self, budget: Budget) -> int:
        return budget.ceiling + self.systems[budget.name]

    def make_budget(self, year: int, programme: str, points: int | None, cents: int | None) -> None:
        if year not in (self.today.year, self.today.year + 1):
            raise No("budget_year")
        if points is None and cents is None:
            raise No("no_ceiling")
        if any((one.year, one.programme) == (year, programme) for one in self.budgets):
            raise No("budget_exists")
        made = Budget(year, programme, points, cents, CENTS_PER_100)
        self.budgets.append(made)
        for one in self.waiting:
            if programme and one.programme == programme:
                one.budget = made

    def raise_budget(self, place: int, points: int | None, cents: int | None) -> None:
        budget = self.budgets[place]
        pairs = ((budget.points, points), (budget.cents, cents))
        if all(old == new for old, new in pairs):
            raise No("budget_not_raised")
        if any((old is None) != (new is None) or (old or 0) > (new or 0) for old, new in pairs):
            raise No("budget_not_raised")
        budget.points, budget.cents = points, cents

    def act(self, person: int, points: int, programme: str, kind: str) -> int | None:
        """Something was done, and its points are booked, or wait."""
        state = self.people[self.human(person)].state
        if state != "member":
            raise No("still_provisional" if state == "provisional" else "has_left", "people")
        return self._settle(self.book_of(person, kind), points, programme, None)

    def settle_due(self) -> None:
        while self._settle_waiting():
            pass

    def _settle_waiting(self) -> int:
        settled = 0
        for budget in self.budgets:
            room, is_over = self.room(budget), budget.year < self.today.year
            for one in [each for each in self.waiting if each.budget is budget and (is_over or each.points <= room)]:
                number = self._settle(one.book, one.points, one.programme, one)
                settled += number is not None or is_over
        return settled

    def _settle(self, book: int, points: int, programme: str, waited: Waiting | None) -> int | None:
        budget = self._budget_for(programme) if self.books[book].kind == MAIN else None
        if budget is not None and points > self.room(budget):
            if waited is None:
                self.add(self.waiting, Waiting(book, points, programme, budget))
            else:
                waited.budget = budget
            return None
        if waited is not None:
            self.waiting.remove(waited)
        bucket = (date(self.today.year, 12, 31), "earned", 0)
        return self.issue("award", book, points, bucket, "issued" if budget is None else budget.name)

    def _budget_for(self, programme: str) -> Budget | None:
        found = {one.programme: one for one in self.budgets if one.year == self.today.year}
        return found.get(programme) or found.get("")

    def live_through(self, minutes: int, today: date) -> None:
        month = self.today.replace(day=1)
        while month < today.replace(day=1):
            self.outstanding[month] = {kind: self.owed(kind) for kind in self.kinds}
            month = following(month)
        super().live_through(minutes, today)

    def owed(self, kind: str) -> int:
        books = sum(self.balance(at) for at, book in enumerate(self.books) if book.kind == kind)
        return books + self.systems["pot" if kind == MAIN else f"pot@{kind}"]

    def next_month(self) -> date | None:
        if self.closed:
            return following(self.closed[-1])
        return None if self.first_day is None else self.first_day.replace(day=1)

    def close(self, month: date) -> dict[str, int]:
        """How many points passbooks and pot of each kind had when it ended."""
        due = self.next_month()
        if due is None:
            raise No("month_not_over")
        if month < due:
            raise No("already_closed")
        if following(month) > self.today:
            raise No("month_not_over")
        if month > due:
            raise No("earlier_month_open")
        self.closed.append(month)
        return self.outstanding[month]

    def post_into_closed(self) -> None:
        raise No("month_closed")


def following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
