"""Months of the books: when one may be closed, and what of it is counted."""

from datetime import date, datetime, timedelta

import msgspec

from pointsbank.kit.clock import start_of_day
from pointsbank.kit.errors import Kind, Refusal

CLOSING = "closing"
CLOSED = "closed"


class MonthClosed(Refusal):
    """Said by the table itself, whoever posts."""

    kind = Kind.CONFLICT
    code = "ledger.month_closed"
    message = "这个月已经结账，不能再记进去。请看看电脑的日期对不对；日期对的，请找社区管理员。"


class DayClosed(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.day_closed"
    message = "{day}所在的月份已经结账。请写没有结账的日子，在说明里提原来的日子。"


class MonthNotOver(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.month_not_over"
    message = "这个月还没有过完，下个月 1 日起才能结账。"


class EarlierMonthOpen(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.earlier_month_open"
    message = "前面还有月份没有结账。请从最早的一个月结起。"


class AlreadyClosed(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.already_closed"
    message = "这个月已经结过账了。请刷新页面看结果。"


class Period(msgspec.Struct, frozen=True):
    """`upto` is the moment up to which entries are counted; what is None is not known before it is closed."""

    period_id: int
    community_id: int
    month: date
    starts_at: datetime
    ends_at: datetime
    upto: datetime
    begun_by: int | None
    closed_at: datetime | None
    head: str | None

    @property
    def state(self) -> str:
        return CLOSING if self.closed_at is None else CLOSED


def month_after(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def ends_at(month: date) -> datetime:
    return start_of_day(month_after(month))


def check_next(month: date, following: date, now: datetime) -> None:
    """Refuses unless `month` is over and the next to be closed."""
    if month < following:
        raise AlreadyClosed
    if ends_at(month) > now:
        raise MonthNotOver
    if month > following:
        raise EarlierMonthOpen
