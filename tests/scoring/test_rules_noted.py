"""What may be written down of an act: what its item counts, and nothing that it does not know."""

import pytest

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Noted, Period, Scope
from pointsbank.scoring.rules_table import Increment, Process
from tests.scoring.builders import CONDITIONS, FINDINGS, HARD, LEVELS, NIGHT, a_table, an_item

WALK = an_item(basis=Basis.PER_DISTANCE)
PRIZE = an_item(basis=Basis.PER_LEVEL, points=None, levels=LEVELS)
HOME = an_item(basis=Basis.PER_CONDITIONS, points=None, conditions=CONDITIONS, points_by_met=(1, 2, 4))
FULL = an_item(basis=Basis.FULL_SCORE, points=10, faults=FINDINGS)
RANGE = an_item(basis=Basis.PER_TIME, points=3, range_max=9)
HEADS = an_item(basis=Basis.PER_ITEM, counted="人")
MARKED = an_item(basis=Basis.PER_TIME, multipliers=(NIGHT, HARD))


@pytest.mark.parametrize(
    ("item", "noted"),
    [
        (an_item(), Noted()),
        (WALK, Noted(metres=0)),
        (an_item(metres_min=500), Noted(metres=1_000_000)),
        (an_item(increments=(Increment("metres", 500, 100, 1),)), Noted(metres=3000)),
        (PRIZE, Noted(level="二星")),
        (HOME, Noted(met=())),
        (HOME, Noted(met=("门前干净", "垃圾分类"))),
        (FULL, Noted(faults=())),
        (RANGE, Noted(fixed_points=3)),
        (RANGE, Noted(fixed_points=9)),
        (MARKED, Noted()),
        (MARKED, Noted(marks=("难度高",))),
    ],
)
def test_what_an_item_counts_may_be_written_down(item, noted):
    rules.check_noted(a_table(item), item, noted, 1)


@pytest.mark.parametrize(
    ("item", "noted", "quantity", "refused"),
    [
        (WALK, Noted(), 1, rules.FactMissing),
        (PRIZE, Noted(), 1, rules.FactMissing),
        (HOME, Noted(), 1, rules.FactMissing),
        (FULL, Noted(), 1, rules.FactMissing),
        (RANGE, Noted(), 1, rules.FactMissing),
        (PRIZE, Noted(level="三星"), 1, rules.NotInTable),
        (HOME, Noted(met=("门前干净", "别的")), 1, rules.NotInTable),
        (FULL, Noted(faults=("别的",)), 1, rules.NotInTable),
        (MARKED, Noted(marks=("节假日",)), 1, rules.NotInTable),
        (MARKED, Noted(marks=("夜间",)), 1, rules.NotInTable),  # that one has hours and holds by itself
        (an_item(), Noted(marks=("难度高",)), 1, rules.NotInTable),
        (RANGE, Noted(fixed_points=2), 1, rules.ValueNotFixed),
        (RANGE, Noted(fixed_points=10), 1, rules.ValueNotFixed),
        (WALK, Noted(metres=-1), 1, rules.FactOutOfRange),
        (WALK, Noted(metres=1_000_001), 1, rules.FactOutOfRange),
        (HEADS, Noted(), 0, rules.FactOutOfRange),
        (HEADS, Noted(), 10_001, rules.FactOutOfRange),
        (an_item(), Noted(), 2, rules.FactNotCounted),
        (an_item(), Noted(metres=5), 1, rules.FactNotCounted),
        (WALK, Noted(metres=5, level="一星"), 1, rules.FactNotCounted),
        (an_item(), Noted(fixed_points=1), 1, rules.FactNotCounted),
        (an_item(), Noted(met=()), 1, rules.FactNotCounted),
        (an_item(deduction=True, process=Process()), Noted(faults=()), 1, rules.FactNotCounted),
    ],
)
def test_what_is_missing_or_unknown_or_not_counted_is_refused(item, noted, quantity, refused):
    with pytest.raises(refused):
        rules.check_noted(a_table(item), item, noted, quantity)


def test_marks_are_the_multipliers_without_hours_of_item_and_table():
    assert rules.marks_of(a_table(multipliers=(HARD,)), an_item(multipliers=(NIGHT,))) == ("难度高",)
    rules.check_noted(a_table(multipliers=(HARD,)), an_item(), Noted(marks=("难度高",)), 1)


def test_minutes_and_quantity_are_counted_where_the_points_would_be_others():
    minutes = Cap(Scope.PERSON, Period.DAY, minutes=480)
    by_steps = an_item(basis=Basis.PER_TIME, increments=(Increment("minutes", 60, 30, 1),))
    for item in (an_item(), an_item(basis=Basis.PER_TIME, minutes_min=20), by_steps, an_item(caps=(minutes,))):
        assert rules.counts_minutes(a_table(item), item)
    assert rules.counts_minutes(a_table(PRIZE, caps=(minutes,)), PRIZE)
    assert not any(rules.counts_minutes(a_table(item), item) for item in (WALK, PRIZE, HOME, FULL, RANGE, HEADS))
    assert rules.counts_quantity(HEADS)
    assert not rules.counts_quantity(WALK)
