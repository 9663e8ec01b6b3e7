"""The arithmetic of an act: what a reader with a pencil comes to, what never earns more, what is left over."""

from datetime import date
from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Counts, PastAct, Period, Rounding, Scope
from pointsbank.scoring.rules_table import Increment, Process, Streak
from tests.scoring.builders import (
    CONDITIONS,
    FINDINGS,
    HARD,
    LEVELS,
    NIGHT,
    a_table,
    an_item,
    evaluated,
    facts,
    in_words,
    items,
    some_facts,
    tables,
)


def act_of(**changes):
    return PastAct("A01", some_facts(**changes), person_id=1, household_id=1, building_id=1)


# --- the explanation


@given(tables(), facts, st.integers(0, 70))
def test_the_lines_of_the_explanation_add_up_to_the_points(table, act, before):
    item = table.items[0]
    result = rules.evaluate(table, item, act, dict.fromkeys(rules.caps_of(table, item, act.day), before))

    so_far = Fraction(0)
    for step in result.steps:
        so_far = by_hand(step, so_far)
        assert so_far // 1 == step.points, step
    assert so_far == result.points


def by_hand(step, before):
    """What is left after a line, out of nothing but what the line says."""
    key, told = step.key, step.facts
    rest = Fraction(told.get("rest", 0), told.get("parts", 1))
    percent = told.get("percent", 100) if "planned" not in told else 0
    if key in {"streak_again", "streak_goes_on", "streak_too_little"} or {"over", "came"} & told.keys():
        after = before
    elif key == "brought":
        after = before + rest
    elif "rest" in told:
        rounds_up = key == "rounded_up" or (key == "rounded_half_up" and rest * 2 >= 1)
        after = before - rest + rounds_up
    elif {"clipped", "added", "less", "percent"} & told.keys():
        after = before * percent / 100 + told.get("added", 0) - told.get("clipped", 0) - told.get("less", 0)
    else:
        after = by_basis(key, told)
    return max(Fraction(0), after)


def by_basis(key, told):
    if key.endswith("_exact"):
        measure = told["metres"] if key.startswith("metres") else told.get("hours", 0) * 60 + told["minutes"]
        return Fraction(told["value"] * measure, told["block"])
    return Fraction(told.get("value", 0) * told.get("blocks", told.get("quantity", 1)))


# --- what never earns more


@given(items(), facts, st.sampled_from(["minutes", "metres", "quantity"]), st.integers(0, 200))
def test_whoever_did_more_never_gets_less(item, act, measure, more):
    table = a_table(item)
    longer = msgspec.structs.replace(act, **{measure: getattr(act, measure) + more})

    assert rules.evaluate(table, item, longer, {}).points >= rules.evaluate(table, item, act, {}).points


@given(items(bases=(Basis.PER_CONDITIONS, Basis.FULL_SCORE)), facts)
def test_a_condition_more_never_costs_and_a_fault_more_never_pays(item, act):
    table = a_table(item)
    points = [
        rules.evaluate(table, item, msgspec.structs.replace(act, met=CONDITIONS[:count]), {}).points
        for count in range(4)
    ]
    clean, found = (msgspec.structs.replace(act, met=(), faults=names) for names in ((), ("乱堆乱放",)))

    assert item.basis is Basis.FULL_SCORE or points == sorted(points)
    assert rules.evaluate(table, item, clean, {}).points >= rules.evaluate(table, item, found, {}).points


pieces = st.lists(st.integers(0, 300), min_size=1, max_size=6)
percents = st.fixed_dictionaries(
    {}, optional={"multiplier_percent": st.sampled_from([80, 150]), "multipliers": st.just((NIGHT, HARD))}
)


@given(pieces, st.sampled_from([1, 15, 60, 240]), st.sampled_from([Rounding.DOWN, Rounding.EXACT]), percents)
def test_splitting_an_act_never_earns_more_than_the_whole_where_rests_are_dropped(parts, block, rounding, more):
    item = an_item(points=3, block_minutes=block, rounding=rounding, **more)
    night = {"began_minute": 1380, "marks": ("难度高",)}

    split = sum(evaluated(item, some_facts(minutes=minutes, **night)).points for minutes in parts)

    assert split <= evaluated(item, some_facts(minutes=sum(parts), **night)).points


@given(pieces, st.sampled_from([1, 7, 60, 240]), percents)
def test_where_rests_are_carried_splitting_an_act_earns_the_same(parts, block, more):
    item = an_item(points=3, block_minutes=block, rounding=Rounding.EXACT, remainder="carry", **more)
    night = {"began_minute": 1380, "marks": ("难度高",)}

    split = rules.replay(a_table(item), [act_of(minutes=minutes, **night) for minutes in parts])

    assert sum(result.points for result in split) == evaluated(item, some_facts(minutes=sum(parts), **night)).points


# --- the bases and what comes on top, as the sources have them


def test_a_river_walk_counts_from_its_threshold_in_time_and_distance_and_grows_by_the_hundred_metres():
    walk = an_item(
        basis=Basis.PER_TIME,
        points=2,
        minutes_min=20,
        metres_min=500,
        increments=(Increment("metres", 500, 100, 1),),
        caps=(Cap(Scope.PERSON, Period.DAY, 10),),
    )

    def points(minutes, metres):
        return evaluated(walk, some_facts(minutes=minutes, metres=metres)).points

    assert [points(19, 900), points(20, 499), points(20, 500), points(20, 599), points(20, 600)] == [0, 0, 2, 2, 3]
    assert [points(60, 1299), points(60, 1300), points(60, 1400)] == [9, 10, 10]


def test_every_seventh_in_a_row_brings_four_more():
    item = an_item(basis=Basis.PER_TIME, points=3, streak=Streak(7, 4))

    assert [evaluated(item, some_facts(streak=count)).points for count in (0, 1, 6, 7, 8, 14)] == [3, 3, 3, 7, 3, 7]


def days_in_a_row(item, *days, **table):
    """Points of acts on these days of a March, in the order in which they are written down."""
    acts = [act_of(day=date(2025, 3, day)) for day in days]
    return [result.points for result in rules.replay(a_table(item, **table), acts)]


def test_a_row_is_counted_day_by_day_and_a_second_one_of_a_day_makes_it_no_longer():
    item = an_item(basis=Basis.PER_TIME, points=3, streak=Streak(3, 4))

    assert days_in_a_row(item, 1, 2, 3, 3, 4, 5, 6) == [3, 3, 7, 3, 3, 3, 7]
    assert days_in_a_row(item, 1, 2, 4, 5, 6) == [3, 3, 3, 3, 7]
    assert days_in_a_row(item, 1, 1, 2, 2, 2, 3) == [3, 3, 3, 3, 3, 7]


def test_one_that_is_written_down_late_counts_from_the_day_before_it_and_changes_no_later_one():
    item = an_item(basis=Basis.PER_TIME, points=3, streak=Streak(3, 4))

    assert days_in_a_row(item, 1, 2, 4, 3, 5, 6) == [3, 3, 3, 7, 3, 7]


@pytest.mark.parametrize(("period", "days"), [(Period.WEEK, (7, 10, 23)), (Period.DAY, (7, 8, 9))])
def test_a_row_of_weeks_goes_on_however_far_apart_the_days_are(period, days):
    item = an_item(basis=Basis.PER_TIME, points=3, streak=Streak(3, percent=200, period=period))

    assert days_in_a_row(item, *days) == [3, 3, 6]


def test_what_earned_nothing_by_itself_is_no_part_of_a_row_and_what_a_cap_cut_off_is():
    short = an_item(basis=Basis.PER_TIME, points=3, streak=Streak(2, 4), minutes_min=131)
    capped = an_item(basis=Basis.PER_TIME, points=3, streak=Streak(2, 4), caps=(Cap(Scope.PERSON, Period.WEEK, 4),))

    row = rules.replay(a_table(short), [act_of(minutes=minutes) for minutes in (130, 131)])
    assert in_words(row[1])[-1] == "连着第 1 次，到第 2 次多记分"
    assert days_in_a_row(capped, 3, 4, 5, 6, 10) == [3, 1, 0, 0, 3]


def test_an_act_below_a_point_is_told_to_be_no_part_of_a_row():
    item = an_item(rounding=Rounding.EXACT, streak=Streak(3, percent=200))
    acts = [act_of(day=date(2025, 3, day), minutes=minutes) for day, minutes in enumerate((30, 30, 60, 60, 20), 1)]

    told = [in_words(result)[1:] for result in rules.replay(a_table(item), acts)]

    rest = "不满 1 分的零头（{}）不算"
    assert told[0] == told[1] == [rest.format("1/2"), "这次不满 1 分，不算连着的一次"]
    assert told[2:4] == [["连着第 1 次，到第 3 次多记分"], ["连着第 2 次，到第 3 次多记分"]]
    third = "连着第 3 次，每连着 3 次的那一次按 200% 算"
    assert told[4] == [third, rest.format("2/3"), "这次不满 1 分，不算连着的一次"]
    short = msgspec.structs.replace(item, minutes_max_per_act=40)
    assert in_words(evaluated(short, some_facts(minutes=50)))[-1] == told[0][-1]


def test_an_act_below_a_point_that_a_rest_makes_whole_is_one_of_a_row():
    item = an_item(rounding=Rounding.EXACT, remainder="carry", streak=Streak(3, 4))
    acts = [act_of(day=date(2025, 3, day), minutes=30) for day in (1, 2)]

    results = rules.replay(a_table(item), acts)

    assert [[step.key for step in result.steps] for result in results] == [
        ["minutes_exact", "kept", "streak_too_little"],
        ["minutes_exact", "streak_goes_on", "brought"],
    ]


def test_a_household_has_one_row_where_its_deeds_are_the_households():
    item = an_item(basis=Basis.PER_TIME, points=3, streak=Streak(2, 4))
    acts = [msgspec.structs.replace(act_of(day=date(2025, 3, one)), person_id=one) for one in (1, 2)]

    assert [one.points for one in rules.replay(a_table(item), acts)] == [3, 3]
    assert [one.points for one in rules.replay(a_table(item, passbook="household"), acts)] == [3, 7]


def test_levels_conditions_and_full_scores_give_their_points():
    level = an_item(basis=Basis.PER_LEVEL, points=None, levels=LEVELS)
    met = an_item(basis=Basis.PER_CONDITIONS, points=None, conditions=CONDITIONS, points_by_met=(1, 2))
    full = an_item(basis=Basis.FULL_SCORE, points=10, faults=FINDINGS)

    assert [evaluated(level, some_facts(level=name)).points for name in ("一星", "二星")] == [5, 10]
    assert [evaluated(met, some_facts(met=CONDITIONS[:count])).points for count in range(4)] == [0, 1, 2, 2]
    found = [(), ("乱堆乱放",), ("乱堆乱放", "乱堆乱放"), ("乱倒垃圾",)]
    assert [evaluated(full, some_facts(faults=names)).points for names in found] == [10, 5, 5, 0]


@pytest.mark.parametrize(
    ("item", "bad"),
    [
        (an_item(basis=Basis.FULL_SCORE, points=10, faults=FINDINGS), {"faults": ("乱倒垃圾",)}),
        (an_item(basis=Basis.PER_CONDITIONS, points=None, conditions=CONDITIONS, points_by_met=(1, 2)), {"met": ()}),
    ],
)
def test_a_second_look_in_the_month_forgives_nothing(item, bad):
    """What was found wanting once was looked at for the month."""
    good = {"faults": ()} if item.basis is Basis.FULL_SCORE else {"met": CONDITIONS}
    once = msgspec.structs.replace(item, caps=(Cap(Scope.HOUSEHOLD, Period.MONTH, times=1),))
    months = [(3, bad), (3, good), (3, good), (4, good)]
    acts = [act_of(day=date(2025, month, 9), **facts) for month, facts in months]

    results = rules.replay(a_table(once), acts)

    assert [bool(one.points) for one in results] == [False, False, False, True]
    assert [[use.amount for use in one.uses] for one in results] == [[1], [], [], [1]]


@pytest.mark.parametrize(("combine", "points"), [("product", 18), ("highest", 15), ("sum", 17)])
def test_several_multipliers_at_once_combine_as_the_table_says(combine, points):
    item = an_item(basis=Basis.PER_TIME, points=10, multipliers=(NIGHT,))
    table = {"multipliers": (HARD,), "multipliers_combine": combine}

    assert evaluated(item, some_facts(began_minute=1380, marks=("难度高",)), **table).points == points


@pytest.mark.parametrize(("began", "points"), [(1319, 10), (1320, 15), (0, 15), (359, 15), (360, 10)])
def test_a_window_passes_midnight_and_its_end_is_no_longer_in_it(began, points):
    item = an_item(basis=Basis.PER_TIME, points=10, multipliers=(NIGHT,))

    assert evaluated(item, some_facts(began_minute=began)).points == points


@pytest.mark.parametrize(("ends", "points"), [("down", [0, 1, 1, 1]), ("half_up", [0, 1, 1, 2]), ("up", [1, 1, 2, 2])])
def test_fractions_are_rounded_once_at_the_end(ends, points):
    item = an_item(rounding=Rounding.EXACT, end_rounding=ends)

    assert [evaluated(item, some_facts(minutes=minutes)).points for minutes in (29, 60, 89, 90)] == points


def test_an_act_that_counts_at_all_earns_the_least_and_one_that_does_not_earns_nothing():
    item = an_item(points_min_per_act=5)

    assert [evaluated(item, some_facts(minutes=minutes)).points for minutes in (59, 60, 360)] == [0, 5, 6]


def test_a_lowest_value_without_a_highest_lets_a_panel_fix_any_above_it():
    item = an_item(basis=Basis.PER_TIME, points=None, points_min_per_act=5)

    assert evaluated(item, some_facts(fixed_points=5)).points == 5
    with pytest.raises(rules.ValueNotFixed):
        evaluated(item, some_facts(fixed_points=4))
    with pytest.raises(rules.ValueUnknown):
        evaluated(item)


def test_what_is_taken_knows_no_caps_and_factors_of_what_is_earned():
    item = an_item(basis=Basis.PER_TIME, points=10, deduction=True, process=Process())
    table = {"multipliers": (NIGHT, HARD), "caps": (Cap(Scope.PERSON, Period.DAY, 4),)}

    result = evaluated(item, some_facts(earlier=3, marks=("难度高",)), **table)

    assert (result.points, result.uses) == (10, ())


def test_a_deduction_comes_after_advice_and_warning():
    item = an_item(basis=Basis.PER_TIME, points=10, deduction=True, process=Process(advice=1, warnings=2))

    results = [evaluated(item, some_facts(earlier=earlier)) for earlier in range(5)]

    assert [result.points for result in results] == [0, 0, 0, 10, 10]
    assert in_words(results[0]) == ["12 个月里第 1 次发现，先劝导，不扣分"]


@pytest.mark.parametrize(
    ("item", "refused"),
    [
        (an_item(points=None), rules.ValueUnknown),
        (an_item(basis=Basis.PER_DISTANCE), rules.FactMissing),
        (an_item(basis=Basis.PER_LEVEL, levels=LEVELS), rules.FactMissing),
        (an_item(basis=Basis.PER_CONDITIONS, conditions=CONDITIONS, points_by_met=(1,)), rules.FactMissing),
        (an_item(basis=Basis.FULL_SCORE, faults=FINDINGS), rules.FactMissing),
        (an_item(multipliers=(NIGHT,)), rules.FactMissing),
        (an_item(deduction=True, process=Process()), rules.FactMissing),
    ],
)
def test_what_nobody_knows_is_refused_and_never_taken_for_nothing(item, refused):
    with pytest.raises(refused):
        evaluated(item)


def test_a_name_that_the_table_does_not_have_is_refused():
    for item, told in (
        (an_item(basis=Basis.PER_LEVEL, levels=LEVELS), {"level": "三星"}),
        (an_item(basis=Basis.PER_CONDITIONS, conditions=CONDITIONS, points_by_met=(1,)), {"met": ("别的",)}),
        (an_item(basis=Basis.FULL_SCORE, faults=FINDINGS), {"faults": ("别的",)}),
    ):
        with pytest.raises(rules.NotInTable):
            evaluated(item, some_facts(**told))


# --- caps on times and minutes


def test_once_a_month_is_once_a_month_and_what_earned_nothing_does_not_count():
    item = an_item(caps=(Cap(Scope.PERSON, Period.MONTH, times=1),))

    results = rules.replay(a_table(item), [act_of(minutes=minutes) for minutes in (30, 130, 130)])

    assert [result.points for result in results] == [0, 2, 0]
    assert in_words(results[2])[-1] == "这一项每人每月最多 1 次，前面已有 1 次，这次的 2 分不算"


def test_eight_hours_a_day_are_eight_hours_whatever_the_order():
    item = an_item(caps=(Cap(Scope.PERSON, Period.DAY, minutes=480),))

    for order in ((300, 300, 60), (60, 300, 300)):
        results = rules.replay(a_table(item), [act_of(minutes=minutes) for minutes in order])
        assert sum(result.points for result in results) == 8
        assert sum(use.amount for result in results for use in result.uses) == 480
    assert in_words(results[2]) == [
        "这一项每人每天最多算 480 分钟，前面已算 360 分钟，这次的 5 小时只算 2 小时，少 3 分",
        "2 小时，每满 1 小时记 1 分，满了 2 个",
    ]


def test_caps_of_points_times_and_minutes_of_one_period_stand_beside_each_other():
    caps = (Cap(Scope.PERSON, Period.DAY, 5), Cap(Scope.PERSON, Period.DAY, times=2))
    item = an_item(caps=(*caps, Cap(Scope.PERSON, Period.DAY, minutes=300)))

    keys = rules.caps_of(a_table(item), item, some_facts().day)

    assert [key.counts for key in keys] == [Counts.MINUTES, Counts.TIMES, Counts.POINTS]
    assert all(one != other for one, other in pairwise(keys))


def test_an_activity_may_be_scored_by_whatever_its_organiser_enters_and_reviews():
    assert all(rules.is_for_activities(an_item(basis=basis)) for basis in Basis)
    for changes in ({"range_max": 9}, {"metres_min": 5}, {"streak": Streak(7, 4)}):
        assert rules.is_for_activities(an_item(**changes))
    for changes in ({"submit": ("self",)}, {"review": ("community_admin", "organiser")}, {"deduction": True}):
        assert not rules.is_for_activities(an_item(**changes))
