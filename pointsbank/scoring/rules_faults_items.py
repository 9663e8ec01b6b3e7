"""Faults of one item."""

from collections.abc import Iterator
from typing import Any

from pointsbank.ledger.rules_kinds import CODE
from pointsbank.scoring.rules_fault import Fault, at, repeated, sized
from pointsbank.scoring.rules_faults_parts import cap_faults, clock_faults, multiplier_faults, validity_faults
from pointsbank.scoring.rules_ranges import ITEM_CODE
from pointsbank.scoring.rules_rights import rights_faults
from pointsbank.scoring.rules_table import Basis, Counts, Item, Period, Rounding
from pointsbank.scoring.rules_words import FIELD_LABELS, WORDS

ONLY_FOR: dict[str, tuple[Basis, ...]] = {
    "block_minutes": (Basis.PER_MINUTES,),
    "minutes_max_per_act": (Basis.PER_MINUTES,),
    "rounding": (Basis.PER_MINUTES, Basis.PER_DISTANCE),
    "block_metres": (Basis.PER_DISTANCE,),
    "counted": (Basis.PER_ITEM,),
    "levels": (Basis.PER_LEVEL,),
    "conditions": (Basis.PER_CONDITIONS,),
    "points_by_met": (Basis.PER_CONDITIONS,),
    "faults": (Basis.FULL_SCORE,),
}
NEEDED = {Basis.PER_LEVEL: "levels", Basis.PER_CONDITIONS: "conditions", Basis.FULL_SCORE: "faults"}
PRICED_BY = {Basis.PER_LEVEL: "levels", Basis.PER_CONDITIONS: "points_by_met"}  # and not by `points`
DEDUCTION_ONLY = ("process", "ground", "make_good", "floor")
BLANK = Item(code="", category="", name="", basis=Basis.PER_TIME, evidence="")


def item_faults(item: Item) -> Iterator[Fault]:
    code = item.code
    if not ITEM_CODE.fullmatch(code):
        yield Fault(code, "code", "code", {"value": code})
    yield from sized(code, item)
    if CODE.fullmatch(item.book_kind) is None:
        yield Fault(code, "book_kind", "book_kind", {})
    yield from rights_faults(item)
    yield from _basis_faults(item)
    yield from _value_faults(item)
    yield from _minutes_faults(item)
    yield from _extras_faults(item)
    yield from multiplier_faults(code, item.multipliers)
    yield from cap_faults(code, item.caps)
    yield from _idle_caps(item)
    if item.validity is not None:
        yield from validity_faults(code, item.validity)
    yield from _people_faults(item)
    yield from _deduction_faults(item)


def _idle_caps(item: Item) -> Iterator[Fault]:
    """Caps of minutes where no minute counts."""
    if item.basis is Basis.PER_MINUTES or any(each.measure == "minutes" for each in item.increments):
        return
    for number, cap in enumerate(item.caps, start=1):
        if cap.counts is Counts.MINUTES:
            yield Fault(item.code, "caps", "not_for_basis", {"label": cap, "basis": WORDS[item.basis]}, number)


def _basis_faults(item: Item) -> Iterator[Fault]:
    code, basis = item.code, item.basis
    for field, bases in ONLY_FOR.items():
        if basis not in bases and getattr(item, field) != getattr(BLANK, field):
            yield Fault(code, field, "not_for_basis", {"label": FIELD_LABELS[field], "basis": WORDS[basis]})
    needed = NEEDED.get(basis)
    if needed is not None and not getattr(item, needed):
        yield Fault(code, needed, "for_basis", {"label": FIELD_LABELS[needed], "basis": WORDS[basis]})
    for field in ("levels", "faults"):
        yield from repeated(code, field, [one.name for one in getattr(item, field)])
        for number, one in enumerate(getattr(item, field), start=1):
            yield from at(number, sized(code, one, field))
    yield from repeated(code, "conditions", list(item.conditions))
    by_met = list(item.points_by_met)
    if len(by_met) > len(item.conditions) or by_met != sorted(by_met):
        yield Fault(code, "points_by_met", "points_by_met", {"most": len(item.conditions)})


def _value_faults(item: Item) -> Iterator[Fault]:
    code, elsewhere = item.code, PRICED_BY.get(item.basis)
    if elsewhere is not None and item.points is not None:
        facts: dict[str, str | int] = {"basis": WORDS[item.basis], "label": FIELD_LABELS[elsewhere]}
        yield Fault(code, "points", "points_elsewhere", facts)
    if item.range_max is not None:
        if item.points is None:
            yield Fault(code, "range_max", "range_unpriced", {})
        elif item.range_max <= item.points:
            yield Fault(code, "range_max", "range", {"value": item.range_max, "least": item.points})
    for field, value, entry in _unknown_values(item):
        yield Fault(code, field, "value_unknown", {"value": value}, entry)


def _unknown_values(item: Item) -> Iterator[tuple[str, str, int]]:
    if item.basis is Basis.PER_CONDITIONS:
        if item.conditions and not item.points_by_met:
            yield "points_by_met", item.name, 0
    elif item.basis is not Basis.PER_LEVEL and item.points is None and item.range_max is None:
        yield "points", item.name, 0
    for field in ("levels", "faults"):
        for number, one in enumerate(getattr(item, field), start=1):
            if one.points is None:
                yield field, one.name, number


def _minutes_faults(item: Item) -> Iterator[Fault]:
    code, most = item.code, item.minutes_max_per_act
    if item.basis is not Basis.PER_MINUTES or most is None:
        return
    facts: dict[str, str | int]
    if most < item.minutes_min:
        facts = {"least": item.minutes_min, "most": most}
        yield Fault(code, "minutes_max_per_act", "never_long_enough", facts)
    elif most < item.block_minutes and item.rounding is Rounding.DOWN:
        facts = {"most": most, "block": item.block_minutes}
        yield Fault(code, "minutes_max_per_act", "never_a_block", facts)
    for increment in item.increments:
        if increment.measure == "minutes" and increment.above + increment.every > most:
            yield Fault(code, "increments", "never_over", {"most": most, "above": increment.above})


def _extras_faults(item: Item) -> Iterator[Fault]:
    code = item.code
    for number, increment in enumerate(item.increments, start=1):
        yield from at(number, sized(code, increment, "increments"))
    if item.streak is not None:
        yield from sized(code, item.streak, "streak")
        if (item.streak.points is None) == (item.streak.percent is None):
            yield Fault(code, "streak", "streak", {})
        if item.streak.period in (Period.ACT, Period.LIFETIME):
            yield Fault(code, "streak", "streak_period", {})
    if item.hours is not None:
        yield from clock_faults(code, "hours", item.hours.from_, item.hours.to)


def _people_faults(item: Item) -> Iterator[Fault]:
    code = item.code
    for field in ("submit", "review", "evidence_kinds"):
        chosen: tuple[Any, ...] = getattr(item, field)
        if len(set(chosen)) < len(chosen) or (not chosen and field != "evidence_kinds"):
            yield Fault(code, field, field, {})
    if "panel" in item.review and item.panel is None:
        yield Fault(code, "panel", "panel_size", {})
    if item.panel is not None:
        if "panel" not in item.review:
            yield Fault(code, "panel", "panel", {})
        yield from sized(code, item.panel, "panel")
        if not item.panel.members < 2 * item.panel.agree <= 2 * item.panel.members:
            facts: dict[str, str | int] = {"members": item.panel.members, "agree": item.panel.agree}
            yield Fault(code, "panel", "panel_majority", facts)


def _deduction_faults(item: Item) -> Iterator[Fault]:
    if item.deduction:
        if item.process is not None:
            yield from sized(item.code, item.process, "process")
        return
    for field in DEDUCTION_ONLY:
        if getattr(item, field) != getattr(BLANK, field):
            yield Fault(item.code, field, "only_deduction", {"label": FIELD_LABELS[field]})
