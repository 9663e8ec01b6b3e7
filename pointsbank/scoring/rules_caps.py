"""Caps and the counters they count with, in the one order in which they apply."""

from collections.abc import Iterator
from datetime import date

import msgspec

from pointsbank.ledger.rules import MAIN
from pointsbank.scoring.rules_explanations import KEYS
from pointsbank.scoring.rules_table import Cap, Counts, Item, Period, Scope, Table


class CapKey(msgspec.Struct, frozen=True):
    """One counter of one holder: `item_code` is empty for the table as a whole."""

    scope: Scope
    period: Period
    item_code: str
    period_start: date
    counts: Counts = Counts.POINTS


class CapUse(msgspec.Struct, frozen=True):
    """`amount` is of what its key counts."""

    key: CapKey
    amount: int


PlacedCap = tuple[str, Cap, CapKey | None]


def caps_of(table: Table, item: Item, day: date) -> tuple[CapKey, ...]:
    """The counters that an act of this item on this day draws on, in the order in which the caps apply."""
    return tuple([key for _, _, key in caps_in_order(table, item, day) if key])


def caps_in_order(table: Table, item: Item, day: date) -> Iterator[PlacedCap]:
    """Explanation, cap and counter: per act, then the item, then the table; an act has no counter."""
    of_table = table.caps if item.book_kind == MAIN else ()
    if not of_table and not item.caps:
        return
    levels = (("item", item.code, sorted(item.caps, key=_place)), ("table", "", sorted(of_table, key=_place)))
    for level, _, caps in levels:
        yield from ((f"cap_{level}_act", cap, None) for cap in caps if cap.period is Period.ACT)
    for level, code, caps in levels:
        for cap in caps:
            if cap.period is not Period.ACT:
                key = CapKey(cap.scope, cap.period, code, period_start(cap.period, day), cap.counts)
                yield f"{KEYS[cap.counts]}_{level}_{cap.scope}_{cap.period}", cap, key


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
