"""Caps and the counters they count with, in the one order in which they apply."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import msgspec

from pointsbank.scoring.rules_explanations import KEYS
from pointsbank.scoring.rules_table import Basis, Cap, Counts, Item, Period, Rounding, Scope, Table

STREAK = "streak"


class CapKey(msgspec.Struct, frozen=True, cache_hash=True):
    """One counter of one holder: `item_code` is empty for the table as a whole.

    `counts` is one of Counts, "rest/60" for the sixtieths of a point that earlier acts have left over, "once/" and an
    occasion for what a household gets once there, or STREAK for how many in a row end in this period.
    """

    scope: Scope
    period: Period
    item_code: str
    period_start: date
    counts: str = Counts.POINTS


OF_A_HOME = ("household", "building")


class CapUse(msgspec.Struct, frozen=True):
    """`amount` is of what its key counts."""

    key: CapKey
    amount: int


class Placed(NamedTuple):
    """A cap in its place: explanation, counter (none for one act), what it counts, how much at most."""

    text: str
    key: CapKey | None
    counts: Counts
    most: int


class Caps(NamedTuple):
    """The caps of one item on one day in the order in which they apply; the counters, with that of a rest last.

    `row` counts a streak: this period, and the one before it.
    """

    placed: tuple[Placed, ...]
    keys: tuple[CapKey, ...]
    row: tuple[CapKey, CapKey] | None
    rest: CapKey | None


def caps_of(table: Table, item: Item, day: date, occasion: str = "") -> tuple[CapKey, ...]:
    """The counters that an act of this item on this day draws on, in the order in which the caps apply; a rest last."""
    return caps_at(table, item, day, occasion).keys


def caps_at(table: Table, item: Item, day: date, occasion: str) -> Caps:
    """The caps of that day; a household gets its own deed, or its share of its building's, once for the occasion."""
    caps = caps_on(table, item, day)
    if item.scope not in OF_A_HOME or not occasion:
        return caps
    once = CapKey(Scope.HOUSEHOLD, Period.LIFETIME, item.code, date.min, f"once/{occasion}")
    placed = (Placed("household_has_it", once, Counts.TIMES, 1), *caps.placed)
    return caps._replace(placed=placed, keys=(once, *caps.keys))


# By identity: a version is parsed once, and looking one up by what it says would take longer than working it out.
_KNOWN: dict[tuple[int, int, date], tuple[Table, Item, Caps]] = {}
KNOWN_MAX = 20_000


def caps_on(table: Table, item: Item, day: date) -> Caps:
    place = id(table), id(item), day
    known = _KNOWN.get(place)
    if known is None:
        placed = tuple(_in_order(table, item, day))
        rest = _rest_of(table, item) if item.remainder == "carry" else None
        row = None if item.streak is None else _row_of(table, item, item.streak.period, day)
        keys = [one.key for one in placed if one.key] + [*(row or ())] + ([rest] if rest else [])
        if len(_KNOWN) >= KNOWN_MAX:
            _KNOWN.clear()
        # Table and item are kept beside, so that nothing else gets their identity.
        known = _KNOWN[place] = table, item, Caps(placed, tuple(keys), row, rest)
    return known[2]


def _row_of(table: Table, item: Item, period: Period, day: date) -> tuple[CapKey, CapKey]:
    is_shared = (item.scope or table.passbook) in OF_A_HOME
    scope = Scope.HOUSEHOLD if is_shared else Scope.PERSON
    here = period_start(period, day)
    before = period_start(period, date.fromordinal(here.toordinal() - 1))
    return CapKey(scope, period, item.code, here, STREAK), CapKey(scope, period, item.code, before, STREAK)


def _rest_of(table: Table, item: Item) -> CapKey:
    """The counter of what an item leaves over. Where the parts change with the table, what was left is forgotten."""
    return CapKey(Scope.PERSON, Period.LIFETIME, item.code, date.min, f"rest/{parts_of(table, item)}")


def parts_of(table: Table, item: Item) -> int:
    """In how many parts a point of this item may be broken."""
    combined = item.multipliers_combine or table.multipliers_combine
    named = len(table.multipliers_of(item))
    percents = (item.multiplier_percent != 100) + (named if combined == "product" else min(named, 1))
    if item.streak is not None and item.streak.percent is not None:
        percents += 1
    block = {Basis.PER_MINUTES: item.block_minutes, Basis.PER_DISTANCE: item.block_metres}.get(item.basis, 1)
    return int((block if item.rounding is Rounding.EXACT else 1) * 100**percents)


def _in_order(table: Table, item: Item, day: date) -> Iterator[Placed]:
    """Per act, then the item, then the table."""
    levels = (
        ("item", item.code, sorted(item.caps, key=_place)),
        ("table", "", sorted(table.caps_of(item), key=_place)),
    )
    for level, _, caps in levels:
        acts = [cap for cap in caps if cap.period is Period.ACT]
        yield from (Placed(f"cap_{level}_act", None, cap.counts, cap.most) for cap in acts)
    for level, code, caps in levels:
        for cap in caps:
            if cap.period is not Period.ACT:
                key = CapKey(cap.scope, cap.period, code, period_start(cap.period, day), cap.counts)
                yield Placed(f"{KEYS[cap.counts]}_{level}_{cap.scope}_{cap.period}", key, cap.counts, cap.most)


_SCOPES = {scope: place for place, scope in enumerate(Scope)}
_PERIODS = {period: place for place, period in enumerate(Period)}
_COUNTS = {counts: place for place, counts in enumerate((Counts.MINUTES, Counts.TIMES, Counts.POINTS))}


def _place(cap: Cap) -> tuple[int, int, int]:
    return _SCOPES[cap.scope], _PERIODS[cap.period], _COUNTS[cap.counts]


def period_start(period: Period, day: date) -> date:
    """First day of the period; a week begins on Monday. A lifetime begins at the first date there is."""
    match period:
        case Period.ACT | Period.DAY:
            return day
        case Period.WEEK:
            return date.fromordinal(day.toordinal() - day.weekday())
        case Period.MONTH:
            return day.replace(day=1)
        case Period.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Period.YEAR:
            return day.replace(month=1, day=1)
        case Period.LIFETIME:
            return date.min
