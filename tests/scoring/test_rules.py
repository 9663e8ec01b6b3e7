"""From an act to points. Pure; most tests are properties."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, CapKey, Counts, PastAct, Period, Rounding, Scope, Table
from tests.scoring.builders import (
    DAY,
    a_table,
    an_item,
    evaluated,
    facts,
    histories,
    in_words,
    some_facts,
    tables,
)

# --- what can never happen


@given(tables(), facts, st.integers(0, 70))
def test_same_facts_same_table_and_same_use_give_the_same_points(table, act, before):
    item = table.items[0]
    used = dict.fromkeys(rules.caps_of(table, item, act.day), before)

    again = msgspec.json.decode(msgspec.json.encode(table), type=Table)

    assert rules.evaluate(table, item, act, used) == rules.evaluate(again, again.items[0], act, dict(used))


@given(tables(), facts, st.integers(0, 70))
def test_points_never_exceed_what_any_cap_has_left(table, act, before):
    item = table.items[0]
    used = dict.fromkeys(rules.caps_of(table, item, act.day), before)

    result = rules.evaluate(table, item, act, used)

    for cap in (*item.caps, *table.caps):
        left = cap.most if cap.period is Period.ACT else max(0, cap.most - before)
        assert 0 <= result.points <= left or cap.counts is not Counts.POINTS
        assert left or not result.points or cap.counts is Counts.MINUTES
    for use in result.uses:
        assert use.amount <= left_of(table, item, use.key, before)


def left_of(table, item, key, before):
    caps = item.caps if key.item_code else table.caps
    most = [cap.most for cap in caps if (cap.scope, cap.period, cap.counts) == (key.scope, key.period, key.counts)]
    return max(0, most[0] - before) if most else 10**12


@given(tables(), facts, st.integers(0, 70))
def test_points_and_what_was_clipped_are_the_points_without_caps(table, act, before):
    item = table.items[0]
    used = dict.fromkeys(rules.caps_of(table, item, act.day), before)
    free = msgspec.structs.replace(item, caps=(), minutes_max_per_act=None)

    result = rules.evaluate(table, item, act, used)
    rests = {key: before for key in used if key.counts not in list(Counts)}
    uncapped = rules.evaluate(a_table(free), free, act, rests)

    assert result.points + result.clipped == uncapped.points
    assert uncapped.clipped == 0
    assert sum(step.facts.get("clipped", 0) for step in result.steps) == result.clipped


@given(histories())
def test_acts_one_after_the_other_never_pass_a_cap(history):
    table, acts = history
    results = rules.replay(table, acts)
    by_code = {item.code: item for item in table.items}
    holder_of = {Scope.PERSON: "person_id", Scope.HOUSEHOLD: "household_id", Scope.BUILDING: "building_id"}

    totals = {}
    for act, result in zip(acts, results, strict=True):
        minutes = next((use.amount for use in result.uses if use.key.counts == Counts.MINUTES), 0)
        amounts = {Counts.POINTS: result.points, Counts.TIMES: bool(result.points), Counts.MINUTES: minutes}
        for code, level in (("", table.caps), (act.item_code, by_code[act.item_code].caps)):
            for cap in level:
                one_act = cap.period is Period.ACT
                start = len(totals) if one_act else rules.period_start(cap.period, act.facts.day)
                place = (code, cap, getattr(act, holder_of[cap.scope]), start)
                totals[place] = totals.get(place, 0) + amounts[cap.counts]
    assert all(total <= place[1].most for place, total in totals.items())


@given(tables(), facts)
def test_uses_are_the_points_on_every_counter_that_the_action_reads(table, act):
    item = table.items[0]
    result = rules.evaluate(table, item, act, {})

    keys = [key for key in rules.caps_of(table, item, act.day) if key.counts in list(Counts)]
    uses = [use for use in result.uses if use.key in keys]
    assert [use.key for use in uses] == (keys if result.points else [])
    assert all(use.amount == result.points for use in uses if use.key.counts == Counts.POINTS)
    assert all(use.amount == 1 for use in uses if use.key.counts == Counts.TIMES)
    assert all(0 <= use.amount <= act.minutes for use in uses if use.key.counts == Counts.MINUTES)


@given(tables(), facts, st.integers(0, 70), st.randoms(use_true_random=False))
def test_the_order_of_caps_in_the_table_changes_nothing(table, act, before, chance):
    def shuffled(some):
        return tuple(chance.sample(some, len(some)))

    item = table.items[0]
    other_item = msgspec.structs.replace(item, caps=shuffled(item.caps))
    other = msgspec.structs.replace(table, items=(other_item, *table.items[1:]), caps=shuffled(table.caps))
    used = dict.fromkeys(rules.caps_of(table, item, act.day), before)

    assert rules.evaluate(other, other_item, act, used) == rules.evaluate(table, item, act, used)


@given(tables(), facts, st.integers(0, 70))
def test_every_result_can_be_told_in_words_and_ends_with_its_points(table, act, before):
    item = table.items[0]
    result = rules.evaluate(table, item, act, dict.fromkeys(rules.caps_of(table, item, act.day), before))

    assert all("{" not in line for line in in_words(result))
    assert result.steps[-1].points == result.points


# --- blocks and rounding


@pytest.mark.parametrize(
    ("minutes", "down", "half_up", "up"),
    [
        (0, 0, 0, 0),
        (1, 0, 0, 1),
        (29, 0, 0, 1),
        (30, 0, 1, 1),
        (59, 0, 1, 1),
        (60, 1, 1, 1),
        (61, 1, 1, 2),
        (89, 1, 1, 2),
        (90, 1, 2, 2),
        (120, 2, 2, 2),
        (130, 2, 2, 3),
    ],
)
def test_minutes_are_rounded_once_to_blocks(minutes, down, half_up, up):
    act = some_facts(minutes=minutes)

    blocks = (Rounding.DOWN, Rounding.HALF_UP, Rounding.UP)
    points = [evaluated(an_item(rounding=rounding, points=10), act).points for rounding in blocks]

    assert points == [10 * down, 10 * half_up, 10 * up]


def test_half_of_an_odd_block_is_more_than_its_smaller_half():
    item = an_item(block_minutes=15, rounding=Rounding.HALF_UP)

    assert [evaluated(item, some_facts(minutes=minutes)).points for minutes in (7, 8)] == [0, 1]


def test_four_hours_make_one_point_and_what_is_left_over_makes_none():
    item = an_item(block_minutes=240)

    assert [evaluated(item, some_facts(minutes=minutes)).points for minutes in (239, 240, 479, 480)] == [0, 1, 1, 2]


def test_one_time_counts_once_whatever_it_took_and_pieces_count_each():
    act = some_facts(minutes=300, quantity=4)

    assert evaluated(an_item(basis=Basis.PER_TIME, points=10), act).points == 10
    assert evaluated(an_item(basis=Basis.PER_ITEM, points=2), act).points == 8


def test_a_multiplier_changes_the_value_of_each_block():
    result = evaluated(an_item(points=2, multiplier_percent=150))

    assert result.points == 6
    assert in_words(result) == [
        "2 小时 10 分钟，每满 1 小时记 2 分，满了 2 个，剩下的 10 分钟不算",
        "按 150% 算，4 分变成 6 分",
    ]


def test_only_so_many_minutes_count_for_one_act():
    result = evaluated(an_item(minutes_max_per_act=120), some_facts(minutes=190))

    assert (result.points, result.clipped) == (2, 1)
    assert in_words(result) == [
        "一次最多算 120 分钟，这次的 3 小时 10 分钟只算 2 小时，少 1 分",
        "2 小时，每满 1 小时记 1 分，满了 2 个",
    ]


@pytest.mark.parametrize(("minutes", "is_told"), [(120, False), (121, True)])
def test_minutes_beyond_the_most_are_told_though_they_would_earn_nothing(minutes, is_told):
    result = evaluated(an_item(minutes_max_per_act=120), some_facts(minutes=minutes))

    assert ("minutes_max" in [step.key for step in result.steps]) == is_told


def test_a_panel_fixes_the_value_within_the_published_range():
    item = an_item(basis=Basis.PER_TIME, points=5, range_max=20)

    assert evaluated(item, some_facts(fixed_points=5)).points == 5
    assert in_words(evaluated(item, some_facts(fixed_points=20)))[0] == "这一项可以记 5 分到 20 分，评议定为 20 分"


@pytest.mark.parametrize("fixed", [None, 4, 21, 0, -5])
def test_a_value_outside_the_range_or_left_open_is_refused(fixed):
    item = an_item(basis=Basis.PER_TIME, points=5, range_max=20)

    with pytest.raises(rules.ValueNotFixed) as refused:
        evaluated(item, some_facts(fixed_points=fixed))
    assert refused.value.facts == {"name": "打扫楼道", "low": 5, "high": 20}


def test_nobody_fixes_another_value_for_an_item_without_a_range():
    with pytest.raises(rules.ValueNotFixed):
        evaluated(an_item(points=1), some_facts(fixed_points=2))


# --- thresholds


def test_less_than_the_least_share_of_the_activity_earns_nothing_and_says_why():
    item = an_item(share_min_percent=60)

    result = evaluated(item, some_facts(minutes=35, planned_minutes=60))

    assert (result.points, result.clipped, result.uses) == (0, 0, ())
    assert in_words(result) == ["参加了 35 分钟，不到整场 60 分钟的 60%，不计分"]


@pytest.mark.parametrize(("minutes", "points"), [(59, 0), (60, 1), (61, 1)])
def test_exactly_the_least_share_is_enough(minutes, points):
    assert evaluated(an_item(share_min_percent=60), some_facts(minutes=minutes, planned_minutes=100)).points == points


def test_the_share_is_not_asked_where_nothing_was_planned():
    assert evaluated(an_item(share_min_percent=60), some_facts(minutes=60, planned_minutes=0)).points == 1


@pytest.mark.parametrize(
    ("changes", "act", "line"),
    [
        ({"metres_min": 500}, {"metres": 499}, "走了 499 米，最少要 500 米才计分"),
        ({"minutes_min": 20}, {"minutes": 19}, "参加了 19 分钟，最少要 20 分钟才计分"),
        ({"quantity_min": 3}, {"quantity": 2}, "数量是 2，最少要 3 才计分"),
    ],
)
def test_too_short_or_too_few_earns_nothing_and_says_why(changes, act, line):
    item = an_item(basis=Basis.PER_ITEM, **changes)

    result = evaluated(item, some_facts(**act))

    assert result.points == 0
    assert in_words(result) == [line]


def test_thresholds_stand_before_every_cap():
    item = an_item(minutes_min=20, caps=(Cap(Scope.PERSON, Period.DAY, 1),))
    key = rules.caps_of(a_table(item), item, DAY)[0]

    result = evaluated(item, some_facts(minutes=10), {key: 1})

    assert [step.key for step in result.steps] == ["too_short"]


# --- caps


def test_caps_apply_act_then_item_then_table_and_person_household_building_and_day_to_lifetime():
    every = tuple(Cap(scope, period, 9) for scope in Scope for period in Period if period is not Period.ACT)
    act = Cap(Scope.PERSON, Period.ACT, 9)
    item = an_item(caps=(*reversed(every), act))
    table = a_table(item, caps=(act, *reversed(every)))

    keys = rules.caps_of(table, item, DAY)

    counted = [period for period in Period if period is not Period.ACT]
    assert [(key.item_code, key.scope, key.period) for key in keys] == [
        (code, scope, period) for code in ("A01", "") for scope in Scope for period in counted
    ]


def test_each_cap_that_clips_leaves_its_line_in_that_order():
    item = an_item(
        basis=Basis.PER_ITEM,
        caps=(Cap(Scope.HOUSEHOLD, Period.DAY, 6), Cap(Scope.PERSON, Period.WEEK, 7), Cap(Scope.PERSON, Period.ACT, 9)),
    )
    table = {"caps": (Cap(Scope.PERSON, Period.MONTH, 4), Cap(Scope.PERSON, Period.DAY, 5))}

    result = evaluated(item, some_facts(quantity=10), **table)

    assert [(step.key, step.points) for step in result.steps] == [
        ("per_item", 10),
        ("cap_item_act", 9),
        ("cap_item_person_week", 7),
        ("cap_item_household_day", 6),
        ("cap_table_person_day", 5),
        ("cap_table_person_month", 4),
    ]
    assert (result.points, result.clipped) == (4, 6)


def test_what_was_clipped_is_told_with_the_cap_and_what_was_used():
    item = an_item(basis=Basis.PER_TIME, points=3, caps=(Cap(Scope.PERSON, Period.DAY, 6),))
    key = CapKey(Scope.PERSON, Period.DAY, "A01", DAY)

    result = evaluated(item, used={key: 5})

    assert in_words(result) == ["做了 1 次，记 3 分", "这一项每人每天最多 6 分，前面已有 5 分，超过的 2 分不算"]


def test_a_cap_that_is_just_reached_takes_nothing_and_is_not_mentioned():
    item = an_item(basis=Basis.PER_TIME, points=3, caps=(Cap(Scope.PERSON, Period.DAY, 6),))
    key = rules.caps_of(a_table(item), item, DAY)[0]

    assert in_words(evaluated(item, used={key: 3})) == ["做了 1 次，记 3 分"]


def test_a_cap_lowered_below_what_was_used_leaves_nothing_and_takes_nothing_back():
    item = an_item(caps=(Cap(Scope.PERSON, Period.DAY, 6),))
    key = rules.caps_of(a_table(item), item, DAY)[0]

    result = evaluated(item, used={key: 50})

    assert (result.points, result.clipped, result.uses) == (0, 2, ())


def test_counters_of_another_day_or_person_do_not_count():
    item = an_item(basis=Basis.PER_TIME, points=3, caps=(Cap(Scope.PERSON, Period.DAY, 3),))
    mine = {"item_code": "A01", "person_id": 1, "household_id": 1, "building_id": 1}
    acts = [
        PastAct(facts=some_facts(), **mine),
        PastAct(facts=some_facts(), **mine),
        PastAct(facts=some_facts(day=DAY + timedelta(days=1)), **mine),
        PastAct(facts=some_facts(), **mine | {"person_id": 2}),
    ]

    assert [result.points for result in rules.replay(a_table(item), acts)] == [3, 0, 3, 3]


def test_a_household_cap_counts_its_members_together():
    item = an_item(basis=Basis.PER_TIME, points=3, caps=(Cap(Scope.HOUSEHOLD, Period.MONTH, 5),))
    family = {"item_code": "A01", "facts": some_facts(), "household_id": 7, "building_id": 1}

    results = rules.replay(a_table(item), [PastAct(person_id=1, **family), PastAct(person_id=2, **family)])

    assert [result.points for result in results] == [3, 2]


def test_a_replay_refuses_an_item_that_the_table_does_not_have():
    act = PastAct("Z99", some_facts(), 1, 1, 1)

    with pytest.raises(rules.UnknownItem) as refused:
        rules.replay(a_table(), [act])
    assert refused.value.facts == {"item_code": "Z99"}
