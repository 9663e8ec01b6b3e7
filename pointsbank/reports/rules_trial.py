"""What a trial run adds up: the acts of some months under the rules of their days, and under a draft.

Both sides are worked out from the same acts, so that whatever differs comes from the rules. Pure.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger.rules import MAIN
from pointsbank.reports.rules import GROUP_MIN
from pointsbank.scoring.rules import STREAK, CapKey, Item, Period, Result, Table, caps_of

MONTHS_MAX = 24
CHANGES_SHOWN = 5
TENTH = 10
YEAR_DAYS = 364
AGES = (18, 35, 60, 70, 80)
UNKNOWN = ""
LIMITS = ("most", "most_times", "most_minutes")
"""What an explanation calls the limit of a cap, by what the cap counts."""


class TrialRuns(Refusal):
    kind = Kind.CONFLICT
    code = "reports.trial_runs"
    message = "这个社区正在试算。请等它算完，或者先停止。"


class Pair(msgspec.Struct):
    """By the rules of the day, and by the draft."""

    old: int = 0
    new: int = 0

    def add(self, old: int, new: int) -> None:
        self.old += old
        self.new += new


class ItemLine(msgspec.Struct):
    """An item of which there were acts: `ended` where the draft has it no more, `unscored` acts it cannot score."""

    code: str
    category: str
    name: str
    kind: str
    acts: int = 0
    points: Pair = msgspec.field(default_factory=Pair)
    ended: bool = False
    unscored: int = 0


class Clip(msgspec.Struct):
    """What a cap of the draft took: the explanation's `key`, its limit, how often, and how much in all."""

    code: str
    kind: str
    key: str
    most: int
    times: int = 0
    points: int = 0


class Change(msgspec.Struct, frozen=True):
    person_id: int
    old: int
    new: int


class GroupLine(msgspec.Struct, frozen=True):
    """People with points on either side; `name` is an age band as "18-34", a sex, or UNKNOWN."""

    name: str
    people: int
    points: Pair


class Outcome(msgspec.Struct, frozen=True):
    """What came out, in smallest units. What is told of people, months and days is of the main kind of passbook.

    `awarded` is what the same acts were really awarded, by kind; it differs from the old side where something that
    was sent back later had used up a cap meanwhile.
    """

    first: date
    last: date
    acts: int
    left_out: int
    totals: dict[str, Pair]
    awarded: dict[str, int]
    items: list[ItemLine]
    clips: list[Clip]
    people: Pair
    top_tenth_percent: Pair
    ages: list[GroupLine]
    sexes: list[GroupLine]
    gains: list[Change]
    losses: list[Change]
    months: dict[str, Pair]
    days: dict[date, Pair]


class Did(msgspec.Struct, frozen=True):
    """An act as the tally sees it: who, when, and what it was really awarded."""

    person_id: int
    day: date
    awarded: int
    birth_year: int | None = None
    sex: str | None = None


class Scored(msgspec.Struct, frozen=True):
    """The item of a table and what it gives or takes; `result` is None where the table cannot score the act."""

    item: Item
    result: Result | None

    @property
    def points(self) -> int:
        if self.result is None:
            return 0
        return -self.result.points if self.item.deduction else self.result.points


def first_day(today: date, months: int) -> date:
    """The first of the days that make up so many months with today."""
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    same = date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
    return same + timedelta(days=1)


def counted_from(first: date) -> date:
    """Most caps count within a year, so acts from its beginning use them up, though they are in no sum."""
    return first.replace(month=1, day=1)


def reaching_back(tables: Iterable[Table], day: date) -> tuple[str, ...]:
    """The items of which what happened in earlier years counts, too.

    Over a lifetime, in a week of two years, in a row that began before. What these were worth then may hang on a cap
    of their table as a whole, and so on everything else that was done.
    """
    pairs = [(table, item) for table in tables for item in table.items]
    found = {item.code for table, item in pairs for key in caps_of(table, item, day) if not _ends_with_year(key)}
    if found and any(cap.period is not Period.ACT for table, _item in pairs for cap in table.caps):
        found = {item.code for _table, item in pairs}
    return tuple(sorted(found))


def _ends_with_year(key: CapKey) -> bool:
    return key.period in (Period.DAY, Period.MONTH, Period.QUARTER, Period.YEAR) and key.counts != STREAK


def age_band(birth_year: int | None, year: int) -> str:
    if birth_year is None:
        return UNKNOWN
    age = year - birth_year
    edges = [0, *AGES]
    low = max(edge for edge in edges if edge <= max(age, 0))
    above = [edge for edge in AGES if edge > low]
    return f"{low}-{above[0] - 1}" if above else f"{low}-"


def top_tenth_percent(points: list[int]) -> int:
    """Which part of all points the tenth of people has who have most; at least one of them."""
    total = sum(points)
    most = sorted(points, reverse=True)[: -(-len(points) // TENTH)]
    return sum(most) * 100 // total if total > 0 else 0


def used_up_on(days: Mapping[date, int], first: date, last: date, ceiling: int, year: int) -> date | None:
    """The day on which a year like this one runs through its budget; None if the budget lasts.

    A whole year is laid out day by day, so that a busy spring counts as such; of less, each day counts alike.
    """
    january = date(year, 1, 1)
    span = (last - first).days + 1
    if span < YEAR_DAYS:
        total = sum(days.values())
        day = january + timedelta(days=ceiling * span // total) if total > 0 else None
        return day if day is not None and day.year == year else None
    laid: dict[date, int] = {}
    for day, points in days.items():
        if day > first_day(last, 12) - timedelta(days=1):
            there = date(year, day.month, min(day.day, monthrange(year, day.month)[1]))
            laid[there] = laid.get(there, 0) + points
    issued = 0
    for day in sorted(laid):
        issued += laid[day]
        if issued > ceiling:
            return day
    return None


class Tally:
    """Adds up act by act. Only what is of the main kind of passbook is told of people, months and days."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.last = first, last
        self.acts = self.left_out = 0
        self.totals: dict[str, Pair] = {MAIN: Pair()}
        self.awarded: dict[str, int] = {MAIN: 0}
        self.items: dict[tuple[str, str], ItemLine] = {}
        self.clips: dict[tuple[str, str, int], Clip] = {}
        self.people: dict[int, Pair] = {}
        self.ages: dict[int, str] = {}
        self.sexes: dict[int, str] = {}
        self.months: dict[str, Pair] = {}
        self.days: dict[date, Pair] = {}

    def add(self, did: Did, old: Scored, new: Scored | None) -> None:
        """`new` is None where the draft has the item no more."""
        self.acts += 1
        self.awarded[old.item.book_kind] = self.awarded.get(old.item.book_kind, 0) + did.awarded
        if new is None:
            self._side(did, old.item, old.points, 0).ended = True
        elif new.item.book_kind == old.item.book_kind:
            line = self._side(did, new.item, old.points, new.points)
            line.unscored += new.result is None
        else:
            self._side(did, old.item, old.points, 0)
            self._side(did, new.item, 0, new.points).unscored += new.result is None
        if new is not None and new.result is not None:
            self._clipped(new.item, new.result)

    def _side(self, did: Did, item: Item, old: int, new: int) -> ItemLine:
        kind = item.book_kind
        line = self.items.setdefault((item.code, kind), ItemLine(item.code, item.category, item.name, kind))
        line.category, line.name = item.category, item.name
        line.acts += 1
        places = [line.points, self.totals.setdefault(kind, Pair())]
        if kind == MAIN:
            places += [
                self.people.setdefault(did.person_id, Pair()),
                self.months.setdefault(f"{did.day:%Y-%m}", Pair()),
                self.days.setdefault(did.day, Pair()),
            ]
            self.ages[did.person_id] = age_band(did.birth_year, self.last.year)
            self.sexes[did.person_id] = did.sex or UNKNOWN
        for place in places:
            place.add(old, new)
        return line

    def _clipped(self, item: Item, result: Result) -> None:
        for step in result.steps:
            if "clipped" in step.facts:
                most = next(int(step.facts[limit]) for limit in LIMITS if limit in step.facts)
                place = item.code, step.key, most
                clip = self.clips.setdefault(place, Clip(item.code, item.book_kind, step.key, most))
                clip.times += 1
                clip.points += int(step.facts["clipped"])

    def outcome(self) -> Outcome:
        olds = [pair.old for pair in self.people.values() if pair.old > 0]
        news = [pair.new for pair in self.people.values() if pair.new > 0]
        changes = [Change(person, pair.old, pair.new) for person, pair in sorted(self.people.items())]
        changes.sort(key=lambda one: one.new - one.old)
        return Outcome(
            first=self.first,
            last=self.last,
            acts=self.acts,
            left_out=self.left_out,
            totals=self.totals,
            awarded=self.awarded,
            items=sorted(self.items.values(), key=lambda line: (line.code, line.kind)),
            clips=sorted(self.clips.values(), key=lambda clip: (-clip.points, clip.code, clip.key)),
            people=Pair(len(olds), len(news)),
            top_tenth_percent=Pair(top_tenth_percent(olds), top_tenth_percent(news)),
            ages=self._groups(self.ages),
            sexes=self._groups(self.sexes),
            gains=[one for one in reversed(changes) if one.new > one.old][:CHANGES_SHOWN],
            losses=[one for one in changes if one.new < one.old][:CHANGES_SHOWN],
            months=dict(sorted(self.months.items())),
            days=self.days,
        )

    def _groups(self, names: Mapping[int, str]) -> list[GroupLine]:
        found: dict[str, list[Pair]] = {}
        for person, name in names.items():
            if (pair := self.people[person]).old or pair.new:
                found.setdefault(name, []).append(pair)
        lines = [
            GroupLine(name, len(pairs), Pair(sum(one.old for one in pairs), sum(one.new for one in pairs)))
            for name, pairs in found.items()
            if len(pairs) >= GROUP_MIN
        ]
        return sorted(lines, key=lambda line: (line.name == UNKNOWN, line.name))
