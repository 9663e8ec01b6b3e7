"""What the parts of the demo share: a clock that walks, dice that fall alike each time, many commands at once."""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, TypeVar

from pointsbank.kit.clock import ZONE, FixedClock, local_day

R = TypeVar("R")
SEED = 20261121


class WalkingClock(FixedClock):
    """Each command finds it a little later than the one before, so that a queue at a door has times of its own."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(moment)
        self.pace = timedelta()

    def now(self) -> datetime:
        self.moment += self.pace
        return self.moment


class Scene:
    """`today` is the local day on which the demo is made; nothing happens after `now`."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today = local_day(now)
        self.clock = WalkingClock(now)
        self.dice = Random(SEED)  # noqa: S311  a demo that falls out alike each time; its secrets are not drawn here

    def at(self, day: date, hour: float, *, pace_seconds: float = 0) -> None:
        """Set the clock to an hour of a local day."""
        self.clock.set(moment(day, hour))
        self.clock.pace = timedelta(seconds=pace_seconds)

    async def all(self, writes: Iterable[Coroutine[Any, Any, R]]) -> list[R]:
        """Send commands together, so that they share commits; they are done in this order."""
        return await asyncio.gather(*writes)


def moment(day: date, hour: float) -> datetime:
    return datetime.combine(day, time.min, ZONE) + timedelta(hours=hour)
