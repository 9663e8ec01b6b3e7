"""What a year may issue and what waits for it; months that are closed. And the whole oracle."""

from dataclasses import dataclass, field
from datetime import date

from tests.ledger.oracle import No
from tests.ledger.oracle_flows import Flows
from tests.ledger.oracle_kinds import Kinds

CENTS_PER_100 = 500


@dataclass
class Budget:
    year: int
    programme: str
    points: int | None
    cents: int | None

    @property
    def name(self) -> str:
        return f"issued:{self.year}:{self.programme}"

    @property
    def ceiling(self) -> int:
        by_money = [] if self.cents is None else [self.cents * 100 // CENTS_PER_100]
        return min([*by_money, *([] if self.points is None else [self.points])])


@dataclass
class Waiting:
    member: int
    points: int
    programme: str
    budget: Budget


@dataclass
class Oracle(Kinds, Flows):
    budgets: list[Budget] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)  # as they were done
    closed: list[date] = field(default_factory=list)
    outstanding: dict[date, int] = field(default_factory=dict)  # at the end of each month

    def room(self, budget: Budget) -> int:
        return budget.ceiling + self.systems[budget.name]

    def make_budget(self, year: int, programme: str, points: int | None, cents: int | None) -> None:
        if year not in (self.today.year, self.today.year + 1):
            raise No("budget_year")
        if points is None and cents is None:
            raise No("no_ceiling")
        if any((one.year, one.programme) == (year, programme) for one in self.budgets):
            raise No("budget_exists")
        made = Budget(year, programme, points, cents)
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

    def act(self, member: int, points: int, programme: str) -> int | None:
        """Something was done, and its points are booked, or wait."""
        return self._settle(member, points, programme, None)

    def settle_due(self) -> None:
        while self._settle_waiting():
            pass

    def _settle_waiting(self) -> int:
        settled = 0
        for budget in self.budgets:
            room, is_over = self.room(budget), budget.year < self.today.year
            for one in [each for each in self.waiting if each.budget is budget and (is_over or each.points <= room)]:
                number = self._settle(one.member, one.points, one.programme, one)
                settled += number is not None or is_over
        return settled

    def _settle(self, member: int, points: int, programme: str, waited: Waiting | None) -> int | None:
        budget = self._budget_for(programme)
        if budget is not None and points > self.room(budget):
            if waited is None:
                self.waiting.append(Waiting(member, points, programme, budget))
            else:
                waited.budget = budget
            return None
        if waited is not None:
            self.waiting.remove(waited)
        last_day = date(self.today.year, 12, 31)
        return self.issue(
            "award", member, points, (last_day, "earned", 0), "issued" if budget is None else budget.name
        )  # fmt: skip

    def _budget_for(self, programme: str) -> Budget | None:
        found = {one.programme: one for one in self.budgets if one.year == self.today.year}
        return found.get(programme) or found.get("")

    def live_through(self, hours: int, today: date) -> None:
        month = self.today.replace(day=1)
        while month < today.replace(day=1):
            members = sum(self.balance(member) for member in range(self.members))
            self.outstanding[month] = members + self.systems["pot"]
            month = following(month)
        super().live_through(hours, today)

    def next_month(self) -> date | None:
        if self.closed:
            return following(self.closed[-1])
        return None if self.first_day is None else self.first_day.replace(day=1)

    def close(self, month: date) -> int:
        """How many points passbooks and pot had when it ended."""
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
