"""What is written down of an act beside its time: all that its item counts, and nothing that it does not know."""

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules_facts import FACT_WORDS, FactMissing, facts_wanted
from pointsbank.scoring.rules_points import NotInTable, ValueNotFixed
from pointsbank.scoring.rules_table import Basis, Counts, Item, Table

METRES_MAX = 1_000_000
QUANTITY_MAX = 10_000


class FactNotCounted(Refusal):
    kind = Kind.INVALID
    code = "scoring.fact_not_counted"
    message = "“{name}”计分不看{fact}。请不要填。"


class FactOutOfRange(Refusal):
    kind = Kind.INVALID
    code = "scoring.fact_out_of_range"
    message = "“{name}”的{fact}要在 {least} 到 {most} 之间。请改一个数。"


class Noted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """As in `Facts`. None was not looked at; an empty list was, and there was nothing."""

    fixed_points: int | None = None
    metres: int | None = None
    level: str | None = None
    met: tuple[str, ...] | None = None
    faults: tuple[str, ...] | None = None
    marks: tuple[str, ...] = ()


NOTHING = Noted()


def marks_of(table: Table, item: Item) -> tuple[str, ...]:
    """The multipliers that hold only where somebody says so."""
    return tuple(one.name for one in table.multipliers_of(item) if not one.from_)


def counts_quantity(item: Item) -> bool:
    by_steps = any(increment.measure == "quantity" for increment in item.increments)
    return item.basis is Basis.PER_ITEM or item.quantity_min > 1 or by_steps


def counts_minutes(table: Table, item: Item) -> bool:
    """Whether the points would be others if the act had taken longer."""
    by_steps = any(increment.measure == "minutes" for increment in item.increments)
    capped = any(cap.counts is Counts.MINUTES for cap in (*item.caps, *table.caps_of(item)))
    asked = item.minutes_min or item.share_min_percent
    return bool(item.basis is Basis.PER_MINUTES or asked or by_steps or capped)


def check_noted(table: Table, item: Item, noted: Noted, quantity: int) -> None:
    """Refuse what is wanted and missing, what the item does not count, and what does not stand in its lists."""
    wanted = facts_wanted(item)
    for fact in ("fixed_points", "metres", "level", "met", "faults"):
        is_told = getattr(noted, fact) is not None
        if is_told and fact not in wanted:
            raise FactNotCounted(name=item.name, fact=FACT_WORDS[fact])
        if fact in wanted and not is_told:
            raise FactMissing(name=item.name, fact=FACT_WORDS[fact])
    if quantity != 1 and not counts_quantity(item):
        raise FactNotCounted(name=item.name, fact=FACT_WORDS["quantity"])
    _check_names(table, item, noted)
    low, high = item.points or 0, item.range_max or 0
    if noted.fixed_points is not None and not low <= noted.fixed_points <= high:
        raise ValueNotFixed(name=item.name, low=low, high=high)
    for fact, value, least, most in (
        ("quantity", quantity, 1, QUANTITY_MAX),
        ("metres", noted.metres or 0, 0, METRES_MAX),
    ):
        if not least <= value <= most:
            raise FactOutOfRange(name=item.name, fact=FACT_WORDS[fact], least=least, most=most)


def _check_names(table: Table, item: Item, noted: Noted) -> None:
    for names, listed in (
        ((noted.level,) if noted.level is not None else (), {level.name for level in item.levels}),
        (noted.met or (), set(item.conditions)),
        (noted.faults or (), {finding.name for finding in item.faults}),
        (noted.marks, set(marks_of(table, item))),
    ):
        for name in names:
            if name not in listed:
                raise NotInTable(name=item.name, value=name[:40])
