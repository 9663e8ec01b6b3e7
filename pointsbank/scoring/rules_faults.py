"""Why a scoring table cannot be adopted: each fault with the item and the field where it is, in plain words."""

from collections.abc import Collection, Iterator

from pointsbank.scoring.rules_caps import parts_of
from pointsbank.scoring.rules_fault import FAULTS, Fault, at, repeated, sized
from pointsbank.scoring.rules_faults_items import ONLY_FOR, item_faults
from pointsbank.scoring.rules_faults_parts import above, cap_faults, multiplier_faults, validity_faults
from pointsbank.scoring.rules_ranges import FREE_WORDS, ITEM_CODE
from pointsbank.scoring.rules_rights import benefit_in, veto_rights_faults
from pointsbank.scoring.rules_table import Item, Rounding, Star, Table, Veto

__all__ = ["FAULTS", "Fault", "faults"]
PARTS_MAX = 10**12  # of a point; a counter holds them as one whole number


def faults(table: Table, book_kinds: Collection[str] | None = None) -> list[Fault]:
    """All that is wrong; `book_kinds` are the codes of the kinds of passbook there are, None where nobody knows.

    Some bar publishing alone (`Fault.only_publishing`): with those a table can be read and kept as a draft.
    """
    found = list(_table_faults(table))
    codes: set[str] = set()
    for item in table.items:
        if item.code in codes:
            found.append(Fault(item.code, "code", "duplicate_code", {"value": item.code}))
        codes.add(item.code)
        found += item_faults(item)
        for number, cap in enumerate(item.caps, start=1):
            for other in table.caps_of(item):
                found += at(number, above(item.code, cap, other, "cap_above_table"))
        found += _twice_multiplied(table, item)
        if item.remainder == "carry":
            found += _carry_faults(table, item)
        if book_kinds is not None and item.book_kind not in book_kinds:
            found.append(Fault(item.code, "book_kind", "unknown_kind", {"value": item.book_kind}))
    return found


def _twice_multiplied(table: Table, item: Item) -> Iterator[Fault]:
    """Both would count, and who ticks the name once ticks it for both."""
    of_table = {one.name for one in table.multipliers_of(item)[len(item.multipliers) :]}
    for number, one in enumerate(item.multipliers, start=1):
        if one.name in of_table:
            yield Fault(item.code, "multipliers", "multiplier_twice", {"value": one.name}, number)


def _carry_faults(table: Table, item: Item) -> Iterator[Fault]:
    has_blocks = item.basis in ONLY_FOR["rounding"]
    percents = [item.multiplier_percent, *(one.percent for one in table.multipliers_of(item))]
    if item.streak is not None:
        percents.append(item.streak.percent or 100)
    if not (has_blocks and item.rounding is Rounding.EXACT) and not any(percent % 100 for percent in percents):
        yield Fault(item.code, "remainder", "carry" if has_blocks else "carry_whole", {})
    elif item.end_rounding != "down":
        yield Fault(item.code, "end_rounding", "carry_rounding", {})
    if parts_of(table, item) > PARTS_MAX:
        yield Fault(item.code, "remainder", "carry_parts", {})


def _table_faults(table: Table) -> Iterator[Fault]:
    yield from sized("", table)
    yield from _benefit_faults(table)
    if not table.items:
        yield Fault("", "items", "no_items", {})
    if table.decimals:
        yield Fault("", "decimals", "main_has_no_decimals", {})
    yield from validity_faults("", table.validity)
    yield from cap_faults("", table.caps)
    yield from multiplier_faults("", table.multipliers)
    yield from _holder_faults(table)
    codes = [item.code for item in table.items]
    for number, veto in enumerate(table.veto_rules, start=1):
        yield from at(number, _veto_faults(table, veto, codes))
        codes.append(veto.code)


def _benefit_faults(table: Table) -> Iterator[Fault]:
    for field in FREE_WORDS[Table]:
        if word := benefit_in(getattr(table, field)):
            yield Fault("", field, "benefit", {"word": word})
    for field in ("consequences", "vetoes"):
        for number, line in enumerate(getattr(table, field), start=1):
            if word := benefit_in(line, is_consequence=field == "consequences"):
                yield Fault("", field, "benefit", {"word": word}, number)


def _holder_faults(table: Table) -> Iterator[Fault]:
    """What everybody begins with, and what levels bring."""
    if table.base is not None:
        yield from sized("", table.base, "base")
    yield from repeated("", "levels", [star.name for star in table.levels])
    for number, star in enumerate(table.levels, start=1):
        yield from at(number, _star_faults(star))


def _veto_faults(table: Table, veto: Veto, codes: Collection[str]) -> Iterator[Fault]:
    """A code names an item or a veto: what was found is told by it."""
    if not ITEM_CODE.fullmatch(veto.code):
        yield Fault("", "veto_rules", "code", {"value": veto.code})
    elif veto.code in codes:
        yield Fault("", "veto_rules", "duplicate_code", {"value": veto.code})
    yield from sized("", veto, "veto_rules")
    if (veto.consequence == "no_redemption") == (veto.bar_months is None):
        yield Fault("", "veto_rules", "veto_months", {"value": veto.name})
    if veto.consequence == "reset_to_base" and table.base is None:
        yield Fault("", "veto_rules", "veto_base", {"value": veto.name})
    if not (veto.ground and veto.make_good):
        yield Fault("", "veto_rules", "veto", {"value": veto.name})
    yield from veto_rights_faults(veto)


def _star_faults(star: Star) -> Iterator[Fault]:
    yield from sized("", star, "levels")
    if word := benefit_in(star.benefits):
        yield Fault("", "levels", "benefit", {"word": word})
    if (star.from_minutes is None) == (star.from_points is None):
        yield Fault("", "levels", "star", {"value": star.name})
