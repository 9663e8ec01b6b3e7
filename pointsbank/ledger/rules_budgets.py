"""What a community may issue in a year, and what its points are worth. Amounts of money are cents (分钱)."""

from datetime import date, timedelta

import msgspec

from pointsbank.kit.errors import Kind, Refusal

WHOLE = ""
"""Programme of the budget for whatever has none of its own."""
CEILING_MAX = 10_000_000_000
RATE_MAX = 1_000_000
HUNDRED = 100
"""A rate is cents for so many points: 「1 分 = 0.05 元」 is 500."""


class BudgetExists(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.budget_exists"
    message = "这一年、这一类已经有预算了。要加，请打开那一条增加。"


class BudgetMoved(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.budget_moved"
    message = "这个预算刚被别人改过。请刷新页面再看。"


class BudgetNotRaised(Refusal):
    kind = Kind.INVALID
    code = "ledger.budget_not_raised"
    message = "预算只能增加，不能减少。要比现在的上限多。"


class BudgetYear(Refusal):
    kind = Kind.INVALID
    code = "ledger.budget_year"
    message = "预算只能定今年和明年的。"


class NoCeiling(Refusal):
    kind = Kind.INVALID
    code = "ledger.no_ceiling"
    message = "请填分数上限或金额上限，至少填一个。"


class NoRate(Refusal):
    kind = Kind.LIMITED
    code = "ledger.no_rate"
    message = "要按金额定上限，请先定每 100 积分折合多少钱。"


class RateInThePast(Refusal):
    kind = Kind.INVALID
    code = "ledger.rate_in_the_past"
    message = "折合从今天或以后算起，过去的不能改。"


USED_UP = "ledger.budget_used_up"
"""Why an award waits: not a refusal, for it is booked once there is room."""


class Budget(msgspec.Struct, frozen=True):
    """A ceiling that is None does not limit; `cents_per_100` was fixed when the budget was made."""

    budget_id: int
    community_id: int
    year: int
    programme: str
    ceiling_points: int | None
    ceiling_cents: int | None
    cents_per_100: int | None
    issued: int
    made_on: date

    @property
    def ceiling(self) -> int:
        """The lower of the two, in points."""
        ceilings = [] if self.ceiling_points is None else [self.ceiling_points]
        if self.ceiling_cents is not None and self.cents_per_100 is not None:
            ceilings.append(self.ceiling_cents * HUNDRED // self.cents_per_100)
        return min(ceilings)

    @property
    def rest(self) -> int:
        return max(self.ceiling - self.issued, 0)

    @property
    def used_percent(self) -> int:
        return min(100, self.issued * 100 // max(self.ceiling, 1))


def worth(points: int, cents_per_100: int, decimals: int = 0) -> int:
    """In cents, cut off; of points in a smallest unit with so many decimals."""
    return points * cents_per_100 // (HUNDRED * (1, 10, 100)[decimals])


def used_up_on(budget: Budget, today: date) -> date | None:
    """The day on which a budget is used up at the pace it had so far; None if it lasts its year."""
    if budget.rest == 0:
        return today
    first = max(date(budget.year, 1, 1), budget.made_on)
    days = (today - first).days + 1
    if days <= 0 or budget.issued <= 0:
        return None
    day = today + timedelta(days=min(budget.rest * days // budget.issued, 400))
    return day if day.year == budget.year else None


def check_raised(budget: Budget, points: int | None, cents: int | None) -> None:
    """Refuses unless a ceiling rises and none falls or comes or goes."""
    before, after = (budget.ceiling_points, budget.ceiling_cents), (points, cents)
    if before == after:
        raise BudgetNotRaised
    for old, new in zip(before, after, strict=True):
        if (old is None) != (new is None) or (old is not None and new is not None and new < old):
            raise BudgetNotRaised


def issued_under(year: int, programme: str) -> str:
    """Name of the system account that a budget issues from."""
    return f"issued:{year}:{programme}"
