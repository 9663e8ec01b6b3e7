"""How points, days and spans are written, in Chinese and in English; always in the local day of Shanghai."""

from datetime import date, datetime
from typing import Protocol

from pointsbank.kit.clock import ZONE

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MINUTES_PER_HOUR = 60
POINTS = "分"
"""The unit for which each language has a word; every other is a name."""


class Denominated(Protocol):
    """What says how amounts of a kind of points are written."""

    @property
    def unit(self) -> str: ...

    @property
    def decimals(self) -> int: ...


def local(moment: datetime | date) -> datetime | date:
    """A moment in local time; a day is a day already."""
    if isinstance(moment, datetime):
        assert moment.tzinfo is not None, "moments are aware"
        return moment.astimezone(ZONE)
    return moment


def points(amount: int, decimals: int = 0) -> str:
    """An amount of smallest units as people read it; nothing is divided, so nothing is rounded."""
    if not decimals:
        return f"{amount:,}"
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    return f"{'-' if amount < 0 else ''}{int(digits[:-decimals]):,}.{digits[-decimals:]}"


def signed(amount: int, decimals: int = 0) -> str:
    """Gains ＋, spending －: red and green mean nothing here."""
    if amount == 0:
        return "0"
    return f"{'＋' if amount > 0 else '－'}{points(abs(amount), decimals)}"


def day(moment: datetime | date, *, today: date, english: bool) -> str:
    """11 月 22 日; the year is named where it is another one."""
    when = local(moment)
    if english:
        text = f"{when.day} {MONTHS[when.month - 1]}"
        return text if when.year == today.year else f"{text} {when.year}"
    text = f"{when.month} 月 {when.day} 日"
    return text if when.year == today.year else f"{when.year} 年 {text}"


def weekday(moment: datetime | date, *, english: bool) -> str:
    return (DAYS if english else WEEKDAYS)[local(moment).weekday()]


def month(moment: datetime | date, *, english: bool) -> str:
    when = local(moment)
    return MONTHS[when.month - 1] if english else f"{when.month} 月"


def clock(moment: datetime) -> str:
    return f"{local(moment):%H:%M}"


def when(moment: datetime, *, today: date, english: bool) -> str:
    return f"{day(moment, today=today, english=english)}{',' if english else ''} {clock(moment)}"


def iso_day(moment: datetime | date) -> str:
    return f"{local(moment):%Y-%m-%d}"


def minutes(amount: int, *, english: bool) -> str:
    """2 小时 16 分."""
    hours, rest = divmod(amount, MINUTES_PER_HOUR)
    hour, minute = (" h", " min") if english else (" 小时", " 分")
    parts = [f"{hours:,}{hour}"] if hours else []
    if rest or not hours:
        parts.append(f"{rest}{minute}")
    return " ".join(parts)
