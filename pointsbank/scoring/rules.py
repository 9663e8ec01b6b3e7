"""From an act to points: thresholds, blocks, caps, and a line of explanation for each.

Pure: same facts, same table and same use of the caps give the same points, for ever.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger.rules import MAIN
from pointsbank.scoring.rules_faults import FAULTS, Fault, faults
from pointsbank.scoring.rules_table import (
    FIELD_LABELS,
    WORDS,
    Basis,
    Cap,
    Difference,
    FieldChange,
    Item,
    Period,
    Rounding,
    Scope,
    Table,
    TableKind,
    Validity,
    ValidityKind,
    differences,
    shown,
)

__all__ = [  # what the other rooms know under `scoring.rules`, wherever it stands
    "EXPLANATIONS",
    "FAULTS",
    "FIELD_LABELS",
    "POINT_FACTS",
    "WORDS",
    "Basis",
    "Cap",
    "CapKey",
    "CapUse",
    "Difference",
    "Facts",
    "Fault",
    "FieldChange",
    "HasTable",
    "Item",
    "NoTableInForce",
    "NotADraft",
    "PastAct",
    "Period",
    "Replay",
    "Result",
    "Rounding",
    "SchemeUnreadable",
    "Scope",
    "Step",
    "Table",
    "TableFaults",
    "TableKind",
    "TooSoon",
    "UnknownItem",
    "Used",
    "Validity",
    "ValidityKind",
    "ValueNotFixed",
    "caps_of",
    "differences",
    "evaluate",
    "expires_on",
    "faults",
    "period_start",
    "replay",
    "shown",
]


class UnknownItem(Refusal):
    kind = Kind.NOT_FOUND
    code = "scoring.unknown_item"
    message = "积分表里没有编号为 {item_code} 的项。请从积分表里选一项。"


class ValueNotFixed(Refusal):
    kind = Kind.INVALID
    code = "scoring.value_not_fixed"
    message = "“{name}”每次记多少由评议定。请填写评议定下的分值，要在积分标准写的范围里。"


class TooSoon(Refusal):
    kind = Kind.INVALID
    code = "scoring.too_soon"
    message = "生效日期最早是明天（{earliest}）。请改一个日期。"


class NotADraft(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.not_a_draft"
    message = "这一版积分标准已经交给议事会，或已经公布，不能再改。还没有生效的，先退回起草；已经生效的，另起一份草稿。"


class HasTable(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.has_table"
    message = "这个社区已经有积分标准了。请起一份草稿来修改。"


class TableFaults(Refusal):
    kind = Kind.INVALID
    code = "scoring.table_faults"
    message = "积分表还有 {count} 处要改：{text}"


class NoTableInForce(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.no_table_in_force"
    message = "{day}没有生效的积分表，不能计分。请社区管理员先公布积分表。"


class SchemeUnreadable(Refusal):
    kind = Kind.INVALID
    code = "scoring.scheme_unreadable"
    message = "积分表文件有 {count} 处问题：{text}"


class Facts(msgspec.Struct, frozen=True):
    """What happened. `day` is the local day on which the act began; `minutes` are raw, never rounded."""

    day: date
    minutes: int
    planned_minutes: int
    quantity: int = 1
    fixed_points: int | None = None

    def __post_init__(self) -> None:
        assert self.minutes >= 0
        assert self.planned_minutes >= 0
        assert self.quantity >= 0


class CapKey(msgspec.Struct, frozen=True):
    """One counter of one holder: `item_code` is empty for the table as a whole."""

    scope: Scope
    period: Period
    item_code: str
    period_start: date


class CapUse(msgspec.Struct, frozen=True):
    key: CapKey
    points: int


class Step(msgspec.Struct, frozen=True):
    """One line of the explanation: EXPLANATIONS[key] filled from `facts`, of which POINT_FACTS are written as amounts.

    `points` are those left after it.
    """

    key: str
    facts: dict[str, str | int]
    points: int


class Result(msgspec.Struct, frozen=True):
    """`uses` is what to add to each counter, and what to give back should the award be rejected."""

    points: int
    clipped: int
    steps: tuple[Step, ...]
    uses: tuple[CapUse, ...]


class PastAct(msgspec.Struct, frozen=True):
    """An act to be scored again; the ids say whose counters it draws on."""

    item_code: str
    facts: Facts
    person_id: int
    household_id: int
    building_id: int


Used = Mapping[CapKey, int]  # points already counted; a counter that is missing has counted none

EXPLANATIONS: dict[str, str] = {
    "share_too_small": "参加 {minutes} 分钟，不满活动（{planned} 分钟）的 {percent}%，不计分",
    "too_short": "参加 {minutes} 分钟，不满最少的 {least} 分钟，不计分",
    "too_few": "数量 {quantity}，不到最少的 {least}，不计分",
    "fixed": "这一项 {low}到 {high}，评议定为 {value}",
    "multiplied": "按 {percent}% 计，{before}变为 {value}",
    "hours_down": "{hours} 小时 {minutes} 分，每满 {block} 分钟算 1 次：{blocks} 次，每次 {value}",
    "minutes_down": "{minutes} 分钟，每满 {block} 分钟算 1 次：{blocks} 次，每次 {value}",
    "hours_half_up": "{hours} 小时 {minutes} 分，每 {block} 分钟算 1 次，满一半也算：{blocks} 次，每次 {value}",
    "minutes_half_up": "{minutes} 分钟，每 {block} 分钟算 1 次，满一半也算：{blocks} 次，每次 {value}",
    "hours_up": "{hours} 小时 {minutes} 分，每 {block} 分钟算 1 次，不满也算：{blocks} 次，每次 {value}",
    "minutes_up": "{minutes} 分钟，每 {block} 分钟算 1 次，不满也算：{blocks} 次，每次 {value}",
    "per_time": "做完 1 次，{value}",
    "per_item": "数量 {quantity}，每个 {value}",
    "minutes_max": "一次最多计 {most_minutes} 分钟，这次少记 {clipped}",
    "cap_item_act": "这一项一次最多 {most}，这次少记 {clipped}",
    "cap_table_act": "一次最多 {most}，这次少记 {clipped}",
    **{
        f"cap_{level}_{scope}_{period}": f"{what}{WORDS[scope]}{WORDS[period]}最多 {{most}}，"
        "此前已记 {used}，这次少记 {clipped}"
        for level, what in (("item", "这一项"), ("table", "全部项目合计"))
        for scope in Scope
        for period in Period
        if period is not Period.ACT
    },
}
POINT_FACTS = frozenset({"low", "high", "value", "before", "most", "used", "clipped"})  # amounts, in the smallest unit


def evaluate(table: Table, item: Item, facts: Facts, used: Used) -> Result:
    """Points of one act; never more than any cap has left.

    A cap that was lowered below what is already used leaves nothing; it takes nothing back.
    """
    unmet = _unmet_threshold(item, facts)
    if unmet is not None:
        return Result(points=0, clipped=0, steps=(unmet,), uses=())

    value, steps = _value(item, facts)
    full = points = value * _units(item, facts.minutes, facts.quantity)
    steps.append(_units_step(item, facts, value, full))

    most_minutes = item.minutes_max_per_act
    if most_minutes is not None and facts.minutes > most_minutes:
        points = value * _units(item, most_minutes, facts.quantity)
        if points < full:
            steps.append(Step("minutes_max", {"most_minutes": most_minutes, "clipped": full - points}, points))

    for text, cap, key in _caps_in_order(table, item, facts.day):
        before = used.get(key, 0) if key else 0
        left = max(0, cap.points - before)
        if points > left:
            counted: dict[str, str | int] = {"used": before} if key else {}
            steps.append(Step(text, {"most": cap.points, "clipped": points - left, **counted}, left))
            points = left

    uses = tuple(CapUse(key, points) for key in caps_of(table, item, facts.day)) if points else ()
    return Result(points=points, clipped=full - points, steps=tuple(steps), uses=uses)


class Replay:
    """Scores acts one after the other, each by the table it is handed with; the counters begin at nothing."""

    def __init__(self) -> None:
        self._counted: dict[tuple[int, CapKey], int] = {}

    def score(self, table: Table, item: Item, act: PastAct) -> Result:
        holder = {Scope.PERSON: act.person_id, Scope.HOUSEHOLD: act.household_id, Scope.BUILDING: act.building_id}
        keys = caps_of(table, item, act.facts.day)
        used = {key: self._counted.get((holder[key.scope], key), 0) for key in keys}
        result = evaluate(table, item, act.facts, used)
        for use in result.uses:
            place = holder[use.key.scope], use.key
            self._counted[place] = self._counted.get(place, 0) + use.points
        return result


def replay(table: Table, acts: Iterable[PastAct]) -> list[Result]:
    """Score acts one after the other as if this table had been in force and its counters had begun at nothing."""
    items = {item.code: item for item in table.items}
    again, results = Replay(), []
    for act in acts:
        item = items.get(act.item_code)
        if item is None:
            raise UnknownItem(item_code=act.item_code)
        results.append(again.score(table, item, act))
    return results


def caps_of(table: Table, item: Item, day: date) -> tuple[CapKey, ...]:
    """The counters that an act of this item on this day draws on, in the order in which the caps apply."""
    return tuple(key for _, _, key in _caps_in_order(table, item, day) if key)


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


def expires_on(validity: Validity, day: date) -> date | None:
    """The last day on which points of this day live; months and years end on the like day, or the last of its month."""
    match validity.kind:
        case ValidityKind.NEVER:
            return None
        case ValidityKind.MONTH_END:
            return _last_of_month(day.year * 12 + day.month - 1)
        case ValidityKind.YEAR_END:
            return day.replace(month=12, day=31)
        case ValidityKind.MONTHS | ValidityKind.YEARS:
            months = day.year * 12 + day.month - 1 + validity.months + 12 * validity.years
            last = _last_of_month(months)
            return last.replace(day=min(day.day, last.day))


def _last_of_month(months: int) -> date:
    """`months` counts from January of the year 0."""
    year, month = divmod(months + 1, 12)
    return date.fromordinal(date(year, month + 1, 1).toordinal() - 1)


def _unmet_threshold(item: Item, facts: Facts) -> Step | None:
    # Compared as products: a share of minutes is never rounded.
    if facts.minutes * 100 < item.share_min_percent * facts.planned_minutes:
        shares: dict[str, str | int] = {"planned": facts.planned_minutes, "percent": item.share_min_percent}
        return Step("share_too_small", {"minutes": facts.minutes, **shares}, 0)
    if facts.minutes < item.minutes_min:
        return Step("too_short", {"minutes": facts.minutes, "least": item.minutes_min}, 0)
    if facts.quantity < item.quantity_min:
        return Step("too_few", {"quantity": facts.quantity, "least": item.quantity_min}, 0)
    return None


def _value(item: Item, facts: Facts) -> tuple[int, list[Step]]:
    """Points of one block, time or piece."""
    low, high = item.points, item.range_max or item.points
    value = facts.fixed_points if facts.fixed_points is not None or item.range_max else item.points
    if value is None or not low <= value <= high:
        raise ValueNotFixed(name=item.name, low=low, high=high)
    steps = [Step("fixed", {"low": low, "high": high, "value": value}, value)] if item.range_max else []
    if item.multiplier_percent != 100:
        before, rest = value, value * item.multiplier_percent % 100
        assert rest == 0, "a table whose multiplier leaves fractions has faults"
        value = before * item.multiplier_percent // 100
        steps.append(Step("multiplied", {"percent": item.multiplier_percent, "before": before, "value": value}, value))
    return value, steps


def _units(item: Item, minutes: int, quantity: int) -> int:
    if item.basis is Basis.PER_TIME:
        return 1
    if item.basis is Basis.PER_ITEM:
        return quantity
    block = item.block_minutes
    match item.rounding:
        case Rounding.DOWN:
            return minutes // block
        case Rounding.HALF_UP:
            return (2 * minutes + block) // (2 * block)
        case Rounding.UP:
            return -(-minutes // block)


def _units_step(item: Item, facts: Facts, value: int, points: int) -> Step:
    if item.basis is Basis.PER_TIME:
        return Step("per_time", {"value": value}, points)
    if item.basis is Basis.PER_ITEM:
        return Step("per_item", {"quantity": facts.quantity, "value": value}, points)
    blocks = _units(item, facts.minutes, facts.quantity)
    numbers: dict[str, str | int] = {"block": item.block_minutes, "blocks": blocks, "value": value}
    if facts.minutes < 60:
        return Step(f"minutes_{item.rounding}", {"minutes": facts.minutes, **numbers}, points)
    hours, minutes = divmod(facts.minutes, 60)
    return Step(f"hours_{item.rounding}", {"hours": hours, "minutes": minutes, **numbers}, points)


def _caps_in_order(table: Table, item: Item, day: date) -> Iterator[tuple[str, Cap, CapKey | None]]:
    """Explanation, cap and counter: per act, then the item, then the table; an act has no counter."""
    of_table = table.caps if item.book_kind == MAIN else ()
    levels = (("item", item.code, _sorted(item.caps)), ("table", "", _sorted(of_table)))
    for level, _, caps in levels:
        yield from ((f"cap_{level}_act", cap, None) for cap in caps if cap.period is Period.ACT)
    for level, code, caps in levels:
        for cap in caps:
            if cap.period is not Period.ACT:
                key = CapKey(cap.scope, cap.period, code, period_start(cap.period, day))
                yield f"cap_{level}_{cap.scope}_{cap.period}", cap, key


def _sorted(caps: tuple[Cap, ...]) -> list[Cap]:
    scopes, periods = list(Scope), list(Period)
    return sorted(caps, key=lambda cap: (scopes.index(cap.scope), periods.index(cap.period)))
