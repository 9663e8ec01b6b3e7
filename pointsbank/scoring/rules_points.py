"""What an act is worth before any cap: the basis, increments, multipliers, streaks, and one rounding at the end."""

from collections.abc import Callable
from math import gcd
from typing import NamedTuple

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules_caps import parts_of
from pointsbank.scoring.rules_explanations import Step
from pointsbank.scoring.rules_facts import FACT_WORDS, FactMissing, Facts, is_within, known, named
from pointsbank.scoring.rules_table import Basis, Item, Multiplier, Rounding, Table


class ValueNotFixed(Refusal):
    kind = Kind.INVALID
    code = "scoring.value_not_fixed"
    message = "“{name}”每次多少，要在积分标准写的范围里定。请填一个范围里的数。"


class ValueUnknown(Refusal):
    kind = Kind.INVALID
    code = "scoring.value_unknown"
    message = "积分标准没有写“{name}”记多少，不能计分。请先议定分值，写进积分标准。"


class NotInTable(Refusal):
    kind = Kind.INVALID
    code = "scoring.not_in_table"
    message = "“{name}”里没有写“{value}”这一种。请从积分标准写的里面选。"


class Sum:
    """An amount on its way, `number` / `parts`, so that nothing is rounded before the end; and the steps so far."""

    def __init__(self) -> None:
        self.number = 0
        self.parts = 1
        self.steps: list[Step] = []

    def tell(self, key: str, facts: dict[str, str | int]) -> None:
        self.steps.append(Step(key, facts, self.number // self.parts))

    def set(self, number: int, parts: int = 1) -> None:
        self.number, self.parts = number, parts

    def add(self, points: int) -> None:
        self.number += points * self.parts

    def percent(self, percent: int) -> None:
        number, parts = self.number * percent, self.parts * 100
        common = gcd(number, parts)
        self.number, self.parts = number // common, parts // common


class Worked(NamedTuple):
    """`rest` is what of a point is left over, in the parts of `parts_of`."""

    points: int
    rest: int
    steps: list[Step]


def worked_out(table: Table, item: Item, facts: Facts, carried: int = 0) -> Worked:
    """Points of an act that passed the thresholds, and the steps that lead to them; `carried` is the rest so far."""
    total = Sum()
    if item.process is not None:
        total.tell("deducted", {"months": item.process.within_months, "count": known(item, facts, "earlier") + 1})
    BASES[item.basis](item, facts, total)
    if item.increments:
        _increment(item, facts, total)
    if item.multiplier_percent != 100:
        _multiply(item, total)
    if table.multipliers_of(item):
        _combine(table, item, facts, total)
    if item.streak is not None:
        _reward_streak(item, facts, total)
    rest = 0
    if item.remainder == "carry":
        rest = _carry(total, carried, parts_of(table, item))
    elif total.number % total.parts:
        _round(item, total)
    points = total.number // total.parts
    if 0 < points < item.points_min_per_act:
        total.set(item.points_min_per_act)
        total.tell("raised", {"least_points": item.points_min_per_act, "added": item.points_min_per_act - points})
    return Worked(total.number // total.parts, rest, total.steps)


# --- the bases


def _value(item: Item, facts: Facts, total: Sum) -> int:
    """Points of one block, time or piece."""
    low = item.points
    if low is None:
        if item.points_min_per_act and facts.fixed_points is not None:
            return _least_fixed(item, facts.fixed_points, total)
        raise ValueUnknown(name=item.name)
    if item.range_max is None and facts.fixed_points is None:
        return low
    high, value = item.range_max or low, facts.fixed_points
    if value is None or not low <= value <= high:
        raise ValueNotFixed(name=item.name, low=low, high=high)
    if item.range_max is not None:
        total.set(value)
        total.tell("fixed", {"low": low, "high": high, "value": value})
    return value


def _least_fixed(item: Item, value: int, total: Sum) -> int:
    """Of a source that states the lowest value and no highest."""
    if value < item.points_min_per_act:
        raise ValueNotFixed(name=item.name, low=item.points_min_per_act)
    total.set(value)
    total.tell("fixed_above", {"least_points": item.points_min_per_act, "value": value})
    return value


def _per_time(item: Item, facts: Facts, total: Sum) -> None:
    value = _value(item, facts, total)
    total.set(value)
    total.tell("found_once" if item.deduction else "per_time", {"value": value})


def _per_item(item: Item, facts: Facts, total: Sum) -> None:
    value = _value(item, facts, total)
    total.set(value * facts.quantity)
    told: dict[str, str | int] = {"quantity": facts.quantity, "value": value}
    if item.counted:
        total.tell("found_counted" if item.deduction else "per_counted", told | {"counted": item.counted})
    else:
        total.tell("found" if item.deduction else "per_item", told)


def _per_minutes(item: Item, facts: Facts, total: Sum) -> None:
    told: dict[str, str | int]
    if facts.minutes < 60:
        key, told = "minutes", {"minutes": facts.minutes}
    else:
        key, told = "hours", {"hours": facts.minutes // 60, "minutes": facts.minutes % 60}
    value = _value(item, facts, total)
    _by_blocks(item, facts.minutes, item.block_minutes, value, total)
    if not facts.minutes:
        total.tell("no_minutes", {})
        return
    ending, blocks = _blocks_told(item, "minutes", facts.minutes, value)
    total.tell(f"{key}_{ending}", told | blocks)


def _per_distance(item: Item, facts: Facts, total: Sum) -> None:
    metres, value = known(item, facts, "metres"), _value(item, facts, total)
    _by_blocks(item, metres, item.block_metres, value, total)
    ending, blocks = _blocks_told(item, "metres", metres, value)
    total.tell(f"metres_{ending}", blocks | {"metres": metres})


def _by_blocks(item: Item, measure: int, block: int, value: int, total: Sum) -> None:
    if item.rounding is Rounding.EXACT:
        total.set(value * measure, block)
    else:
        total.set(value * BLOCKS[item.rounding](measure, block))


def _blocks_told(item: Item, unit: str, measure: int, value: int) -> tuple[str, dict[str, str | int]]:
    """Return how the explanation goes on, and its facts."""
    block = item.block_minutes if unit == "minutes" else item.block_metres
    if item.rounding is Rounding.EXACT:
        return item.rounding, {"block": block, "value": value}
    blocks = BLOCKS[item.rounding](measure, block)
    if blocks == 0 and item.rounding is not Rounding.UP:
        return "none" if item.rounding is Rounding.DOWN else "none_half", {"block": block}
    told: dict[str, str | int] = {"block": block, "blocks": blocks, "value": value}
    left = measure - blocks * block
    # What goes beyond the start of an increment is counted there, and its rest is told there.
    is_counted_on = any(each.measure == unit and measure > each.above for each in item.increments)
    return item.rounding, told if left <= 0 or is_counted_on else told | {"left": left}


BLOCKS: dict[Rounding, Callable[[int, int], int]] = {
    Rounding.DOWN: lambda measure, block: measure // block,
    Rounding.HALF_UP: lambda measure, block: (2 * measure + block) // (2 * block),
    Rounding.UP: lambda measure, block: -(-measure // block),
}


def _per_level(item: Item, facts: Facts, total: Sum) -> None:
    if facts.level is None:
        raise FactMissing(fact=FACT_WORDS["level"], name=item.name)
    values = {level.name: level.points for level in item.levels}
    value = _listed(item, values, facts.level)
    total.set(value)
    total.tell("per_level", {"level": facts.level, "value": value})


def _per_conditions(item: Item, facts: Facts, total: Sum) -> None:
    met = named(item, facts, "met")
    for name in met:
        if name not in item.conditions:
            raise NotInTable(name=item.name, value=name)
    if not met:
        total.tell("met_none", {})
        return
    if not item.points_by_met:
        raise ValueUnknown(name=item.name)
    counts = min(len(met), len(item.points_by_met))
    value = item.points_by_met[counts - 1]
    total.set(value)
    told: dict[str, str | int] = {"count": len(met), "met": "、".join(met)}
    if not value and any(item.points_by_met):
        total.tell("met_too_few", told | {"least_met": sum(not points for points in item.points_by_met) + 1})
    elif counts < len(met):
        total.tell("per_conditions_most", told | {"counts": counts, "value": value})
    else:
        total.tell("per_conditions", told | {"value": value})


def _full_score(item: Item, facts: Facts, total: Sum) -> None:
    value = _value(item, facts, total)
    total.set(value)
    total.tell("full_score", {"value": value})
    less = {finding.name: finding.points for finding in item.faults}
    for name in named(item, facts, "faults"):
        taken = _listed(item, less, name)
        key = "faulted" if taken <= total.number else "faulted_to_zero"
        total.set(max(0, total.number - taken))
        total.tell(key, {"name": name, "less": taken})


def _listed(item: Item, values: dict[str, int | None], name: str) -> int:
    if name not in values:
        raise NotInTable(name=item.name, value=name)
    value = values[name]
    if value is None:
        raise ValueUnknown(name=name)
    return value


BASES: dict[Basis, Callable[[Item, Facts, Sum], None]] = {
    Basis.PER_MINUTES: _per_minutes,
    Basis.PER_TIME: _per_time,
    Basis.PER_ITEM: _per_item,
    Basis.PER_DISTANCE: _per_distance,
    Basis.PER_LEVEL: _per_level,
    Basis.PER_CONDITIONS: _per_conditions,
    Basis.FULL_SCORE: _full_score,
}


# --- what comes on top


def _increment(item: Item, facts: Facts, total: Sum) -> None:
    for each in item.increments:
        over = known(item, facts, each.measure) - each.above
        if over <= 0:
            continue
        times, left = divmod(over, each.every)
        told: dict[str, str | int] = {"above": each.above, "every": each.every}
        if not times:
            total.tell(f"increment_{each.measure}_none", told | {"over": over})
            continue
        total.add(times * each.points)
        told |= {"each": each.points, "steps": times, "added": times * each.points}
        total.tell(f"increment_{each.measure}", told | {"left": left} if left else told)


def _multiply(item: Item, total: Sum) -> None:
    before, was_whole = total.number, total.parts == 1
    total.percent(item.multiplier_percent)
    if was_whole and total.parts == 1:
        total.tell("multiplied", {"percent": item.multiplier_percent, "before": before, "value": total.number})
    else:
        total.tell("multiplied_parts", {"percent": item.multiplier_percent})


def _combine(table: Table, item: Item, facts: Facts, total: Sum) -> None:
    holding = [each for each in table.multipliers_of(item) if _holds(each, item, facts)]
    rule = item.multipliers_combine or table.multipliers_combine
    for key, name, percent in COMBINED["product" if len(holding) == 1 else rule](holding):
        total.percent(percent)
        total.tell(key if percent else "named_none", {"name": name, "percent": percent} if percent else {"name": name})


def _holds(multiplier: Multiplier, item: Item, facts: Facts) -> bool:
    if not multiplier.from_:
        return multiplier.name in facts.marks
    return is_within(multiplier, known(item, facts, "began_minute"))


Percents = list[tuple[str, str, int]]  # key, name, percent


def _product(holding: list[Multiplier]) -> Percents:
    return [("named", one.name, one.percent) for one in holding]


def _highest(holding: list[Multiplier]) -> Percents:
    best = max(holding, key=lambda one: one.percent, default=None)
    return [("named_highest", best.name, best.percent)] if best else []


def _sum(holding: list[Multiplier]) -> Percents:
    """150% and 120% make 170%: what each adds is added."""
    percent = max(0, 100 + sum(one.percent - 100 for one in holding))
    return [("named_sum", "、".join(one.name for one in holding), percent)] if holding else []


COMBINED: dict[str, Callable[[list[Multiplier]], Percents]] = {"product": _product, "highest": _highest, "sum": _sum}


def _reward_streak(item: Item, facts: Facts, total: Sum) -> None:
    streak, count = item.streak, known(item, facts, "streak")
    assert streak is not None
    if not total.number:
        return
    if not count:
        total.tell("streak_again", {})
    elif count % streak.length:
        total.tell("streak_goes_on", {"count": count, "next": -(-count // streak.length) * streak.length})
    elif streak.points is not None:
        total.add(streak.points)
        total.tell("streak_points", {"count": count, "length": streak.length, "added": streak.points})
    else:
        percent = streak.percent or 100
        total.percent(percent)
        total.tell("streak_percent", {"count": count, "length": streak.length, "percent": percent})


def _round(item: Item, total: Sum) -> None:
    points, rest = divmod(total.number, total.parts)
    told = _fraction(rest, total.parts)
    up = {"down": False, "half_up": 2 * rest >= total.parts, "up": True}[item.end_rounding]
    total.set(points + up)
    total.tell(f"rounded_{item.end_rounding}", told)


def _carry(total: Sum, carried: int, parts: int) -> int:
    """Take whole points out of this act and what earlier ones left over; the rest is for the next."""
    number = total.number * (parts // total.parts) + carried
    if carried:
        told = _fraction(abs(carried), parts)
        total.set(max(0, number), parts)
        total.tell("brought" if carried > 0 else "owed", told)
    points, rest = divmod(number, parts) if number > 0 else (0, number)
    total.set(points)
    if rest > 0:
        total.tell("kept", _fraction(rest, parts))
    return rest


def _fraction(rest: int, parts: int) -> dict[str, str | int]:
    common = gcd(rest, parts)
    return {"one": 1, "rest": rest // common, "parts": parts // common}
