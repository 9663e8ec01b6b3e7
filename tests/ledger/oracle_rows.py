"""What the oracle keeps: people, households, passbooks with their lots, holds and entries; and how it refuses."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

MOST = 1_000_000
Bucket = tuple[date, str, int]
"""A lot's last day, sort and matching percent (0: none); by the first two lots are spent, then as they came."""
Side = int | str
"""Where points are: in a passbook, by place, or in an account of the system, by name."""
Uses = dict[tuple[int, Bucket], int]
"""What goes out of lots, or, below zero, into them."""


class No(Exception):
    """A refusal, by its code."""

    def __init__(self, code: str, room: str = "ledger") -> None:
        super().__init__(code)
        self.code = f"{room}.{code}" if room else code


@dataclass
class Person:
    name: str
    home: int | None
    state: str = "member"
    into: int | None = None  # who the record turned out to be
    came_on: date | None = None  # into the household, through whoever asks here
    left: list[tuple[date, int]] = field(default_factory=list)  # households, and when


@dataclass
class Home:
    door: int | None  # None: nobody can move in there any more


@dataclass
class Merge:
    """Two records are one person's, somebody says; and so much would go along, by passbook."""

    person: int
    into: int
    goes_along: list[tuple[int, int]]
    state: str = "asked"


@dataclass
class Alias:
    """A record that became another's, as it was noted."""

    person: int
    into: int
    is_parted: bool = False


@dataclass
class Lot:
    remaining: int = 0
    held: int = 0

    @property
    def free(self) -> int:
        return self.remaining - self.held


@dataclass
class Entry:
    kind: str
    source: Side
    target: Side
    points: int
    uses: Uses
    undoes: int | None = None
    is_undone: bool = False
    surplus: int | None = None  # the entry by which it went on
    line: Any = None  # of a list of opening balances
    day: date = date.min

    @property
    def seen(self) -> tuple[str, int, Side, Side]:
        return self.kind, self.points, self.source, self.target


@dataclass
class Book:
    kind: str
    person: int | None
    home: int | None
    is_closed: bool = False
    lots: dict[Bucket, Lot] = field(default_factory=dict)


@dataclass
class Hold:
    book: int
    points: int
    lots: dict[Bucket, int]
    state: str = "open"
    overdue_after: int = 0


def check_amount(points: int) -> None:
    if not 0 < points <= MOST:
        raise No("wrong_amount")
