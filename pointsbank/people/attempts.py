"""Counting wrong tries in memory: per address where nobody is signed in, per staff member where somebody is.

A member is never counted here, so nobody can lock a neighbour out.
"""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from pointsbank.kit import db
from pointsbank.people.rules import CodeExpired, TooManyTries, UnknownCode

CALLERS_MAX = 10_000


class Tries:
    """At most so many wrong tries within a span of time."""

    def __init__(self, most: int, span: timedelta) -> None:
        self.most, self.span = most, span
        self.wrong: dict[Hashable, list[datetime]] = {}
        self.database: db.Database | None = None

    def _of(self, who: Hashable, now: datetime) -> list[datetime]:
        if self.database is not db.current():  # what was tried at another installation is not this one's business
            self.database = db.current()
            self.wrong.clear()
        return [when for when in self.wrong.get(who, ()) if when > now - self.span]

    def check(self, who: Hashable, now: datetime) -> None:
        if len(self._of(who, now)) >= self.most:
            raise TooManyTries

    def count(self, who: Hashable, now: datetime) -> None:
        recent = [*self._of(who, now), now]
        self.wrong.pop(who, None)
        if len(self.wrong) >= CALLERS_MAX:
            del self.wrong[next(iter(self.wrong))]
        self.wrong[who] = recent[-self.most :]


sign_ins = Tries(60, timedelta(minutes=15))  # an office behind one address has many people
activations = Tries(20, timedelta(hours=1))
pairings = Tries(20, timedelta(hours=1))
own_passwords = Tries(10, timedelta(minutes=15))
scans = Tries(100, timedelta(hours=1))  # cards of other communities and codes of before come by in good faith


@contextmanager
def scanning(person_id: int, now: datetime) -> Iterator[None]:
    """Around taking a card or phone that this staff person scanned."""
    scans.check(person_id, now)
    try:
        yield
    except (UnknownCode, CodeExpired):
        scans.count(person_id, now)
        raise
