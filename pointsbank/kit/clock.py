"""Time. Code holds aware UTC moments; a day is a day of the wall clock in a zone."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")


class Clock:
    """Injected wherever time matters, so that a test or the demo can live through a year in seconds."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock(Clock):
    """Stands still until it is set or advanced."""

    def __init__(self, moment: datetime) -> None:
        self.set(moment)

    def now(self) -> datetime:
        return self.moment

    def set(self, moment: datetime) -> None:
        assert moment.tzinfo is not None, "a moment without a zone is nobody's time"
        self.moment = moment.astimezone(UTC)

    def advance(self, **span: float) -> None:
        """Move forward by the named parts of a `timedelta`: `advance(days=3, minutes=5)`."""
        self.set(self.moment + timedelta(**span))


@lru_cache(maxsize=64)  # one action asks for the day of its own time again and again
def local_day(moment: datetime, zone: ZoneInfo = ZONE) -> date:
    assert moment.tzinfo is not None, "a moment without a zone is nobody's time"
    return moment.astimezone(zone).date()


def minute_of_day(moment: datetime, zone: ZoneInfo = ZONE) -> int:
    """Minutes on the clock since midnight."""
    local = moment.astimezone(zone)
    return local.hour * 60 + local.minute


def start_of_day(day: date, zone: ZoneInfo = ZONE) -> datetime:
    """The first moment of the day, in UTC. A day is the half-open interval up to the next day's start."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def utc_day(moment: datetime) -> int:
    """How many whole days since 1970 there were in UTC: what a column `utc_day` counts, whatever zone a day is of."""
    return int(moment.timestamp() // 86_400)


@lru_cache(maxsize=64)
def month_start(day: date) -> date:
    return day.replace(day=1)
