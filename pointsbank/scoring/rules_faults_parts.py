"""Faults of the pieces that tables and items have in common: caps, validity, multipliers."""

from collections.abc import Iterator

from pointsbank.scoring.rules_fault import Fault, at, repeated, sized, within
from pointsbank.scoring.rules_ranges import CLOCK, RANGES
from pointsbank.scoring.rules_table import Cap, Counts, Multiplier, Period, Scope, Validity, ValidityKind

# The periods that lie whole in this one; a week may lie in two months.
INSIDE = {
    Period.ACT: (),
    Period.DAY: (Period.ACT,),
    Period.WEEK: (Period.ACT, Period.DAY),
    Period.MONTH: (Period.ACT, Period.DAY),
    Period.QUARTER: (Period.ACT, Period.DAY, Period.MONTH),
    Period.YEAR: (Period.ACT, Period.DAY, Period.MONTH, Period.QUARTER),
    Period.LIFETIME: (Period.ACT, Period.DAY, Period.WEEK, Period.MONTH, Period.QUARTER, Period.YEAR),
}


def validity_faults(code: str, validity: Validity) -> Iterator[Fault]:
    for kind, field, count in (
        (ValidityKind.MONTHS, "months", validity.months),
        (ValidityKind.YEARS, "years", validity.years),
    ):
        if validity.kind is kind:
            yield from within(code, "validity", count, (1, RANGES[Validity][field][1]), field)
        elif count:
            yield Fault(code, "validity", field, {})


def multiplier_faults(code: str, multipliers: tuple[Multiplier, ...]) -> Iterator[Fault]:
    yield from repeated(code, "multipliers", [one.name for one in multipliers])
    for number, one in enumerate(multipliers, start=1):
        yield from at(number, _multiplier_faults(code, one))


def _multiplier_faults(code: str, one: Multiplier) -> Iterator[Fault]:
    yield from sized(code, one, "multipliers")
    if one.from_ and one.to:
        yield from clock_faults(code, "multipliers", one.from_, one.to)
    elif one.from_ or one.to:
        yield Fault(code, "multipliers", "half_window", {"value": one.name})


def clock_faults(code: str, field: str, start: str, end: str) -> Iterator[Fault]:
    wrong = [clock for clock in (start, end) if not CLOCK.fullmatch(clock)]
    if wrong or start == end:
        yield Fault(code, field, "clock", {"value": (wrong or [start])[0][:20]})


def cap_faults(code: str, caps: tuple[Cap, ...]) -> Iterator[Fault]:
    for number, cap in enumerate(caps, start=1):
        yield from at(number, _cap_faults(code, cap, caps[: number - 1]))
        for other in caps:
            if _place(cap) != _place(other):
                yield from at(number, above(code, cap, other))


def above(code: str, cap: Cap, other: Cap, key: str = "cap_above") -> Iterator[Fault]:
    """A cap that is never reached, since the other always comes first."""
    if _lies_in(cap, other) and cap.most > other.most > 0:
        yield Fault(code, "caps", key, {"cap": cap, "other": other})


def _cap_faults(code: str, cap: Cap, before: tuple[Cap, ...]) -> Iterator[Fault]:
    if sum(getattr(cap, counts) is not None for counts in Counts) != 1:
        yield Fault(code, "caps", "cap_counts", {})
        return
    yield from within(code, "caps", cap.most, RANGES[Cap][cap.counts], cap.counts)
    if cap.period is Period.ACT and cap.counts is not Counts.POINTS:
        yield Fault(code, "caps", "cap_act", {})
    if cap.period is Period.ACT and cap.scope is not Scope.PERSON:
        yield Fault(code, "caps", "act_scope", {})
    if any(_place(cap) == _place(other) for other in before):
        yield Fault(code, "caps", "duplicate_cap", {"cap": cap})


def _place(cap: Cap) -> tuple[Scope, Period, Counts]:
    return cap.scope, cap.period, cap.counts


def _lies_in(cap: Cap, other: Cap) -> bool:
    """Whether what this cap counts is all counted by the other, of a longer period or a larger circle, as well."""
    if cap.counts is not other.counts or Period.ACT is other.period:
        return False
    scopes = list(Scope)
    is_inside = cap.period is other.period or cap.period in INSIDE[other.period]
    return is_inside and scopes.index(cap.scope) <= scopes.index(other.scope)
