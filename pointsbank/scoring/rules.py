"""From an act to points: `evaluate` and `replay`, and the names under which other rooms know these rules.

Pure: same facts, same table and same use of the caps give the same points, for ever.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules_caps import STREAK, CapKey, Caps, CapUse, caps_at, caps_of, period_start
from pointsbank.scoring.rules_differences import Difference, FieldChange, differences
from pointsbank.scoring.rules_explanations import EXPLANATIONS, POINT_FACTS, Step, length, told
from pointsbank.scoring.rules_facts import FactMissing, Facts, done, facts_wanted, unmet
from pointsbank.scoring.rules_faults import FAULTS, Fault, faults
from pointsbank.scoring.rules_noted import (
    NOTHING,
    FactNotCounted,
    FactOutOfRange,
    Noted,
    check_noted,
    counts_minutes,
    counts_quantity,
    marks_of,
)
from pointsbank.scoring.rules_points import NotInTable, ValueNotFixed, ValueUnknown, Worked, worked_out
from pointsbank.scoring.rules_table import (
    Basis,
    Cap,
    Counts,
    Item,
    Period,
    Rounding,
    Scope,
    Table,
    TableKind,
    Validity,
    ValidityKind,
)
from pointsbank.scoring.rules_words import FIELD_LABELS, WORDS, evidence_wanted, shown

__all__ = [  # what the other rooms know under `scoring.rules`, wherever it stands
    "EXPLANATIONS",
    "FAULTS",
    "FIELD_LABELS",
    "NOTHING",
    "POINT_FACTS",
    "STREAK",
    "WORDS",
    "Basis",
    "Cap",
    "CapKey",
    "CapUse",
    "Counts",
    "Difference",
    "FactMissing",
    "FactNotCounted",
    "FactOutOfRange",
    "Facts",
    "Fault",
    "FieldChange",
    "HasTable",
    "Item",
    "NoTableInForce",
    "NotADraft",
    "NotInTable",
    "Noted",
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
    "ValueUnknown",
    "caps_of",
    "check_noted",
    "counts_minutes",
    "counts_quantity",
    "differences",
    "done",
    "evaluate",
    "evidence_wanted",
    "expires_on",
    "facts_wanted",
    "faults",
    "is_for_activities",
    "length",
    "marks_of",
    "period_start",
    "replay",
    "shown",
    "told",
]


class UnknownItem(Refusal):
    kind = Kind.NOT_FOUND
    code = "scoring.unknown_item"
    message = "积分表里没有编号为 {item_code} 的项。请从积分表里选一项。"


class TooSoon(Refusal):
    kind = Kind.INVALID
    code = "scoring.too_soon"
    message = "生效日期最早是明天（{earliest}）。请改一个日期。"


class NotADraft(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.not_a_draft"
    message = "这一版积分标准已经交给议事会，或已经公布，不能再改。没有公布的，先退回起草；公布了的，生效以后另起草稿。"


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


JUDGED = frozenset({Basis.PER_CONDITIONS, Basis.FULL_SCORE})
"""What was looked at and found wanting was looked at: it is one of its times, though it gives nothing."""

Used = Mapping[CapKey, int]  # what is already counted; a counter that is missing has counted none


def evaluate(table: Table, item: Item, facts: Facts, used: Used) -> Result:
    """Points of one act; never more than any cap has left. Of a deduction: the points to be taken.

    A cap that was lowered below what is already used leaves nothing; it takes nothing back.
    """
    missed = unmet(item, facts)
    if missed is not None:
        return Result(points=0, clipped=0, steps=(missed,), uses=())

    caps = caps_at(table, item, facts.day, facts.occasion)
    facts, row = _in_a_row(caps, facts, used)
    full, (points, rest, steps), minutes = _within_minutes(table, item, facts, caps, used)
    for text, key, counts, most in caps.placed:
        before = used.get(key, 0) if key else 0
        if counts is Counts.TIMES and points and before >= most:
            steps.append(Step(text, {"most_times": most, "had": before, "clipped": points}, 0))
            points = 0
        elif counts is Counts.POINTS and points > (left := max(0, most - before)):
            counted: dict[str, str | int] = {"used": before} if key else {}
            steps.append(Step(text, {"most": most, "clipped": points - left, **counted}, left))
            points = left

    amounts = {Counts.POINTS: points, Counts.TIMES: 1, Counts.MINUTES: minutes}
    found_wanting = item.basis in JUDGED and not full
    uses = _uses(caps, amounts) if points else _looked_at(caps, used) if found_wanting else []
    if full:  # clipped by a cap it was done all the same
        uses += row
    if caps.rest and (more := rest - used.get(caps.rest, 0)):
        uses.append(CapUse(caps.rest, more))
    return Result(points=points, clipped=full - points, steps=tuple(steps), uses=tuple(uses))


def _within_minutes(table: Table, item: Item, facts: Facts, caps: Caps, used: Used) -> tuple[int, Worked, int]:
    """Points of all the minutes; what those that count give; how many they are."""
    carried = used.get(caps.rest, 0) if caps.rest else 0
    worked = worked_out(table, item, facts, carried)
    full, minutes, limits = worked.points, facts.minutes, list[Step]()
    for text, most, said in _minute_limits(item, caps, used):
        if minutes <= most:
            continue
        fewer = worked_out(table, item, msgspec.structs.replace(facts, minutes=most), carried)
        if _is_by_minutes(item):
            less = {"clipped": worked.points - fewer.points} if fewer.points < worked.points else {}
            limits.append(Step(text, {**said, "came": minutes, "left_minutes": most, **less}, 0))
        minutes, worked = most, fewer
    steps = worked.steps
    if not full and any(step.key in STREAKS for step in steps):
        steps = _not_in_a_row(steps)
    # Limits of time come first: all that is told after them is told of the minutes that count.
    return full, worked._replace(steps=limits + steps), minutes


STREAKS = ("streak_goes_on", "streak_points", "streak_percent")


def _not_in_a_row(steps: list[Step]) -> list[Step]:
    """What gives no whole point is none of a row, whatever it would have been in it."""
    return [step for step in steps if step.key != "streak_goes_on"] + [Step("streak_too_little", {"one": 1}, 0)]


def _is_by_minutes(item: Item) -> bool:
    """Whether what an act gives grows with its minutes."""
    return item.basis is Basis.PER_MINUTES or any(each.measure == "minutes" for each in item.increments)


def _uses(caps: Caps, amounts: Mapping[Counts, int]) -> list[CapUse]:
    return [CapUse(key, amounts[counts]) for _, key, counts, _ in caps.placed if key]


def _looked_at(caps: Caps, used: Used) -> list[CapUse]:
    """One of the item's own times, where one is left."""
    times = [(key, most) for _, key, counts, most in caps.placed if key and key.item_code and counts is Counts.TIMES]
    return [CapUse(key, 1) for key, most in times if used.get(key, 0) < most]


def _in_a_row(caps: Caps, facts: Facts, used: Used) -> tuple[Facts, list[CapUse]]:
    """Count how many in a row end with this one; a second one in its period makes the row no longer."""
    if caps.row is None or facts.streak is not None:
        return facts, []
    here, before = caps.row
    count = 0 if used.get(here, 0) else used.get(before, 0) + 1
    return msgspec.structs.replace(facts, streak=count), [CapUse(here, count)] if count else []


def _minute_limits(item: Item, caps: Caps, used: Used) -> Iterator[tuple[str, int, dict[str, str | int]]]:
    """How many minutes count: explanation, the most, and what is told. The act's, then what counters have left."""
    if item.minutes_max_per_act is not None:
        yield "minutes_max", item.minutes_max_per_act, {"most_minutes": item.minutes_max_per_act}
    for text, key, counts, most in caps.placed:
        if counts is Counts.MINUTES and key:
            before = used.get(key, 0)
            yield text, max(0, most - before), {"most_minutes": most, "had": before}


class Replay:
    """Scores acts one after the other, each by the table it is handed with; the counters begin at nothing."""

    def __init__(self) -> None:
        self._counted: dict[tuple[int, CapKey], int] = {}

    def score(self, table: Table, item: Item, act: PastAct) -> Result:
        holder = {Scope.PERSON: act.person_id, Scope.HOUSEHOLD: act.household_id, Scope.BUILDING: act.building_id}
        keys = caps_of(table, item, act.facts.day, act.facts.occasion)
        used = {key: self._counted.get((holder[key.scope], key), 0) for key in keys}
        result = evaluate(table, item, act.facts, used)
        for use in result.uses:
            place = holder[use.key.scope], use.key
            self._counted[place] = self._counted.get(place, 0) + use.amount
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


def is_for_activities(item: Item) -> bool:
    """Whether an activity's organiser can enter an act of this item.

    Where organisers review, confirming the minutes is their review: it has to be the first.
    """
    return "organiser" in item.submit and "organiser" not in item.review[1:] and not item.deduction


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
