"""What residents read, and how long caps and points last."""

import re
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Counts, Period, Rounding, Scope, Validity, ValidityKind
from pointsbank.scoring.rules_table import Base, Hours, Increment, Multiplier, Process, Streak
from pointsbank.web import i18n
from tests.scoring.builders import (
    CONDITIONS,
    DAY,
    FINDINGS,
    HARD,
    LEVELS,
    NIGHT,
    a_table,
    an_item,
    days,
    evaluated,
    in_words,
    some_facts,
)

LEFT_OVER = {"brought": 50, "owed": -50, "kept": 0}  # sixtieths of a point before the act


def each_case():
    """One case for each explanation: its key, an item, the facts, caps of the table."""
    yield "share_too_small", an_item(share_min_percent=60), some_facts(minutes=10), ()
    yield "too_short", an_item(minutes_min=20), some_facts(minutes=10), ()
    yield "too_near", an_item(metres_min=500), some_facts(metres=499), ()
    yield "too_few", an_item(quantity_min=3), some_facts(quantity=2), ()
    yield "outside_hours", an_item(hours=Hours("06:00", "22:00")), some_facts(began_minute=359), ()
    for key, earlier in (("advised", 0), ("warned", 1), ("deducted", 2)):
        yield key, an_item(deduction=True, process=Process()), some_facts(earlier=earlier), ()
    yield "fixed", an_item(range_max=9), some_facts(fixed_points=9), ()
    yield "multiplied", an_item(multiplier_percent=200), some_facts(), ()
    yield "multiplied_parts", an_item(multiplier_percent=133), some_facts(), ()
    two = {"multipliers": (NIGHT, HARD)}
    hard_night = some_facts(began_minute=1380, marks=("难度高",))
    yield "fixed_above", an_item(points=None, points_min_per_act=5), some_facts(fixed_points=6), ()
    spoilt = an_item(multipliers=(Multiplier("未按要求行动", 0),))
    yield "named_none", spoilt, some_facts(marks=("未按要求行动",)), ()
    yield "named", an_item(**two), some_facts(began_minute=1380), ()
    yield "named_highest", an_item(**two, multipliers_combine="highest"), hard_night, ()
    yield "named_sum", an_item(**two, multipliers_combine="sum"), hard_night, ()
    yield from cases_of_bases()
    yield from cases_of_more()
    for scope in Scope:
        for period in Period:
            if period is Period.ACT and scope is not Scope.PERSON:
                continue
            name = period if period is Period.ACT else f"{scope}_{period}"
            cap = (Cap(scope, period, 1),)
            yield f"cap_item_{name}", an_item(caps=cap), some_facts(), ()
            yield f"cap_table_{name}", an_item(), some_facts(), cap
            if period is not Period.ACT:
                yield from cases_of_counts(scope, period)


def cases_of_bases():
    for rounding in Rounding:
        yield f"hours_{rounding}", an_item(rounding=rounding), some_facts(minutes=60), ()
        yield f"minutes_{rounding}", an_item(rounding=rounding, block_minutes=15), some_facts(minutes=59), ()
        metres = an_item(basis=Basis.PER_DISTANCE, rounding=rounding)
        yield f"metres_{rounding}", metres, some_facts(metres=250), ()
    yield "hours_none", an_item(block_minutes=240), some_facts(minutes=239), ()
    yield "minutes_none", an_item(), some_facts(minutes=59), ()
    yield "metres_none", an_item(basis=Basis.PER_DISTANCE), some_facts(metres=99), ()
    half = {"rounding": Rounding.HALF_UP}
    yield "hours_none_half", an_item(block_minutes=240, **half), some_facts(minutes=119), ()
    yield "minutes_none_half", an_item(**half), some_facts(minutes=29), ()
    yield "metres_none_half", an_item(basis=Basis.PER_DISTANCE, **half), some_facts(metres=49), ()
    yield "no_minutes", an_item(), some_facts(minutes=0), ()
    for ends in ("down", "half_up", "up"):
        yield f"rounded_{ends}", an_item(rounding=Rounding.EXACT, end_rounding=ends), some_facts(), ()
    yield "per_time", an_item(basis=Basis.PER_TIME), some_facts(), ()
    yield "per_item", an_item(basis=Basis.PER_ITEM), some_facts(), ()
    yield "per_counted", an_item(basis=Basis.PER_ITEM, counted="人"), some_facts(), ()
    yield "found_once", an_item(basis=Basis.PER_TIME, deduction=True), some_facts(), ()
    yield "found", an_item(basis=Basis.PER_ITEM, deduction=True), some_facts(), ()
    yield "found_counted", an_item(basis=Basis.PER_ITEM, counted="辆", deduction=True), some_facts(), ()
    yield "per_level", an_item(basis=Basis.PER_LEVEL, levels=LEVELS), some_facts(level="一星"), ()
    by_met = an_item(basis=Basis.PER_CONDITIONS, conditions=CONDITIONS, points_by_met=(1, 2, 4))
    yield "per_conditions", by_met, some_facts(met=CONDITIONS[:2]), ()
    yield "met_none", by_met, some_facts(met=()), ()
    two_of_three = msgspec.structs.replace(by_met, points_by_met=(0, 2))
    yield "met_too_few", two_of_three, some_facts(met=CONDITIONS[:1]), ()
    yield "per_conditions_most", two_of_three, some_facts(met=CONDITIONS), ()
    full = an_item(basis=Basis.FULL_SCORE, points=10, faults=FINDINGS)
    for key, name in (("full_score", "乱堆乱放"), ("faulted", "乱堆乱放"), ("faulted_to_zero", "乱倒垃圾")):
        yield key, full, some_facts(faults=(name,)), ()


def cases_of_more():
    for measure in ("minutes", "metres", "quantity"):
        more = an_item(increments=(Increment(measure, 2, 3, 1),))
        yield f"increment_{measure}", more, some_facts(metres=250, quantity=5), ()
        yield f"increment_{measure}_none", more, some_facts(minutes=4, metres=4, quantity=4), ()
    yield "streak_goes_on", an_item(streak=Streak(7, 4)), some_facts(streak=6), ()
    yield "streak_again", an_item(streak=Streak(7, 4)), some_facts(streak=0), ()
    little = an_item(rounding=Rounding.EXACT, streak=Streak(7, 4))
    yield "streak_too_little", little, some_facts(minutes=30, streak=6), ()
    yield "streak_points", an_item(streak=Streak(7, 4)), some_facts(streak=14), ()
    yield "streak_percent", an_item(streak=Streak(7, percent=200)), some_facts(streak=7), ()
    for key in LEFT_OVER:
        yield key, an_item(rounding=Rounding.EXACT, remainder="carry"), some_facts(), ()
    yield "raised", an_item(points_min_per_act=5), some_facts(), ()
    yield "minutes_max", an_item(minutes_max_per_act=60), some_facts(), ()
    yield "household_has_it", an_item(scope="household"), some_facts(occasion="tests/activity/1"), ()


def cases_of_counts(scope, period):
    for counts, most in ((Counts.TIMES, 1), (Counts.MINUTES, 60)):
        cap = (Cap(scope, period, **{counts: most}),)
        yield f"{counts}_item_{scope}_{period}", an_item(caps=cap), some_facts(), ()
        yield f"{counts}_table_{scope}_{period}", an_item(), some_facts(), cap


CASES = list(each_case())


@pytest.mark.parametrize(("key", "item", "act", "table_caps"), CASES, ids=[case[0] for case in CASES])
def test_each_explanation_is_given_and_its_facts_fill_its_text(key, item, act, table_caps):
    counted = {Counts.TIMES: 1, "rest/60": LEFT_OVER.get(key, 0)}
    keys = rules.caps_of(a_table(item, caps=table_caps), item, DAY, act.occasion)
    used = {each: 1 if each.counts.startswith("once/") else counted.get(each.counts, 0) for each in keys}
    steps = {step.key: step for step in evaluated(item, act, used, caps=table_caps).steps}

    asked = set()

    def say(text, **facts):
        asked.update(re.findall(r"{(\w+)}", text))
        return text.format(**facts)

    words = rules.told(steps[key], "{} 分".format, say)
    unsaid = (
        {"hours", "minutes", "metres"} if "time" in asked else {name for name in ("used", "had") if "前面" not in words}
    )
    assert steps[key].facts.keys() <= asked | unsaid
    assert "{" not in words


def test_every_explanation_has_its_case():
    assert {case[0] for case in CASES} == set(rules.EXPLANATIONS)


@pytest.mark.parametrize(
    ("cap", "before", "words"),
    [
        (Cap(Scope.PERSON, Period.DAY, 5), 0, "这一项每人每天最多 5 分，超过的 1 分不算"),
        (Cap(Scope.PERSON, Period.DAY, 5), 4, "这一项每人每天最多 5 分，前面已有 4 分，超过的 5 分不算"),
        (Cap(Scope.PERSON, Period.MONTH, times=1), 1, "这一项每人每月最多 1 次，前面已有 1 次，这次的 6 分不算"),
    ],
)
def test_a_cap_tells_what_was_counted_before_where_there_was_any(cap, before, words):
    item = an_item(points=3, caps=(cap,))

    result = evaluated(item, some_facts(minutes=120), dict.fromkeys(rules.caps_of(a_table(item), item, DAY), before))

    assert in_words(result)[-1] == words


@pytest.mark.parametrize(
    ("minutes", "block", "words"),
    [
        (130, 60, "2 小时 10 分钟，每满 1 小时记 1 分，满了 2 个，剩下的 10 分钟不算"),
        (118, 60, "1 小时 58 分钟，每满 1 小时记 1 分，满了 1 个，剩下的 58 分钟不算"),
        (120, 60, "2 小时，每满 1 小时记 1 分，满了 2 个"),
        (120, 90, "2 小时，每满 1 小时 30 分钟记 1 分，满了 1 个，剩下的 30 分钟不算"),
        (59, 60, "59 分钟，不满 1 小时，还差 1 分钟，不计分"),
    ],
)
def test_time_is_told_as_people_say_it(minutes, block, words):
    assert in_words(evaluated(an_item(points=1, block_minutes=block), some_facts(minutes=minutes))) == [words]


def test_a_deduction_tells_what_was_found():
    found = an_item(basis=Basis.PER_ITEM, counted="辆", points=2, deduction=True)

    assert in_words(evaluated(found, some_facts(quantity=3))) == ["发现 3 辆，每辆扣 2 分"]


def test_what_everybody_begins_with_is_written_as_its_own_passbook_is():
    def write(kind, points):
        return f"{points} {kind}"

    table = a_table(base=Base(25, "once", book_kind="coins"), balance_max=500)
    (whole,) = rules.differences(a_table(), table, write=write)

    assert [(one.field, one.new) for one in whole.changes] == [
        ("base", "基础分 25 coins，只给一次"),
        ("balance_max", "500 points"),
    ]


# --- periods and expiry


@pytest.mark.parametrize(
    ("period", "day", "start"),
    [
        (Period.ACT, DAY, DAY),
        (Period.DAY, DAY, DAY),
        (Period.WEEK, DAY, date(2025, 3, 10)),
        (Period.WEEK, date(2025, 3, 10), date(2025, 3, 10)),
        (Period.WEEK, date(2025, 3, 16), date(2025, 3, 10)),
        (Period.WEEK, date(2025, 1, 1), date(2024, 12, 30)),
        (Period.MONTH, date(2024, 2, 29), date(2024, 2, 1)),
        (Period.QUARTER, date(2025, 1, 1), date(2025, 1, 1)),
        (Period.QUARTER, date(2025, 3, 31), date(2025, 1, 1)),
        (Period.QUARTER, date(2025, 4, 1), date(2025, 4, 1)),
        (Period.QUARTER, date(2025, 12, 31), date(2025, 10, 1)),
        (Period.YEAR, date(2025, 12, 31), date(2025, 1, 1)),
        (Period.LIFETIME, DAY, date.min),
    ],
)
def test_a_period_starts_on_its_first_day(period, day, start):
    assert rules.period_start(period, day) == start


@given(st.sampled_from(Period), days)
def test_a_period_holds_its_day_and_its_first_day_starts_the_same_period(period, day):
    start = rules.period_start(period, day)

    assert start <= day
    assert rules.period_start(period, start) == start


@given(st.sampled_from([Period.WEEK, Period.MONTH, Period.QUARTER, Period.YEAR]), days)
def test_the_next_day_is_in_the_same_period_or_starts_one(period, day):
    tomorrow = day + timedelta(days=1)

    assert rules.period_start(period, tomorrow) in {rules.period_start(period, day), tomorrow}


@pytest.mark.parametrize(
    ("validity", "day", "last"),
    [
        (Validity(), DAY, None),
        (Validity(ValidityKind.MONTH_END), date(2024, 2, 1), date(2024, 2, 29)),
        (Validity(ValidityKind.MONTH_END), date(2025, 12, 31), date(2025, 12, 31)),
        (Validity(ValidityKind.YEAR_END), date(2025, 1, 1), date(2025, 12, 31)),
        (Validity(ValidityKind.YEAR_END), date(2025, 12, 31), date(2025, 12, 31)),
        (Validity(ValidityKind.MONTHS, 36), DAY, date(2028, 3, 12)),
        (Validity(ValidityKind.YEARS, years=3), DAY, date(2028, 3, 12)),
        (Validity(ValidityKind.YEARS, years=1), date(2024, 2, 29), date(2025, 2, 28)),
        (Validity(ValidityKind.MONTHS, 1), date(2025, 1, 31), date(2025, 2, 28)),
        (Validity(ValidityKind.MONTHS, 1), date(2024, 1, 31), date(2024, 2, 29)),
        (Validity(ValidityKind.MONTHS, 12), date(2024, 2, 29), date(2025, 2, 28)),
        (Validity(ValidityKind.MONTHS, 1), date(2025, 12, 15), date(2026, 1, 15)),
        (Validity(ValidityKind.MONTHS, 11), date(2025, 1, 15), date(2025, 12, 15)),
    ],
)
def test_points_live_to_the_last_day_inclusive(validity, day, last):
    assert rules.expires_on(validity, day) == last


@pytest.mark.parametrize(
    ("refusal", "facts_given"),
    [
        (rules.UnknownItem, {"item_code": "A01"}),
        (rules.ValueNotFixed, {"name": "打扫"}),
        (rules.ValueUnknown, {"name": "打扫"}),
        (rules.FactMissing, {"fact": "走了多少米", "name": "打扫"}),
        (rules.NotInTable, {"name": "打扫", "value": "一星"}),
        (rules.FactNotCounted, {"fact": "走了多少米", "name": "打扫"}),
        (rules.FactOutOfRange, {"fact": "走了多少米", "name": "打扫", "least": 0, "most": 9}),
        (rules.TooSoon, {"earliest": "2025-03-13"}),
        (rules.NotADraft, {}),
        (rules.TableFaults, {"count": 1, "text": "A01：…"}),
        (rules.NoTableInForce, {"day": "2025-03-12"}),
        (rules.SchemeUnreadable, {"count": 1, "text": "第 1 行：…"}),
    ],
)
def test_refusals_are_whole_sentences_filled_from_their_facts(refusal, facts_given):
    assert set(re.findall(r"{(\w+)}", refusal.message)) == set(facts_given)
    assert refusal.code.startswith("scoring.")


@pytest.mark.parametrize(
    ("metres", "words"), [(0, "0 米"), (999, "999 米"), (1000, "1 千米"), (3200, "3.2 千米"), (10_050, "10.05 千米")]
)
def test_a_distance_is_told_as_people_say_it(metres, words):
    assert rules.length(metres) == words


def test_a_walk_is_told_with_what_counts_of_it():
    walk = an_item(basis=Basis.PER_DISTANCE, block_metres=1000, increments=(Increment("metres", 2000, 100, 1),))

    def told(metres):
        return in_words(evaluated(walk, some_facts(metres=metres)))

    assert told(1_950) == ["1.95 千米，每满 1 千米记 1 分，满了 1 个，剩下的 950 米不算"]
    assert told(2_000) == ["2 千米，每满 1 千米记 1 分，满了 2 个"]
    assert told(2_099) == [
        "2.099 千米，每满 1 千米记 1 分，满了 2 个",
        "超过 2 千米的部分只有 99 米，不满 100 米，不加分",
    ]
    assert told(2_100)[1] == "超过 2 千米的部分，每满 100 米加 1 分，满了 1 个，加 1 分"
    assert told(2_150)[1] == "超过 2 千米的部分，每满 100 米加 1 分，满了 1 个，加 1 分，剩下的 50 米不算"


HALF_HOUR = "每 1 小时记 1 分，剩下的满一半也算，一共"


@pytest.mark.parametrize(
    ("rounding", "minutes", "words"),
    [
        (Rounding.HALF_UP, 29, "29 分钟，不满 1 小时的一半，不计分"),
        (Rounding.HALF_UP, 30, f"30 分钟，{HALF_HOUR} 1 个"),
        (Rounding.HALF_UP, 60, f"1 小时，{HALF_HOUR} 1 个"),
        (Rounding.HALF_UP, 89, f"1 小时 29 分钟，{HALF_HOUR} 1 个，剩下的 29 分钟不到一半，不算"),
        (Rounding.HALF_UP, 90, f"1 小时 30 分钟，{HALF_HOUR} 2 个"),
        (Rounding.UP, 61, "1 小时 1 分钟，每 1 小时记 1 分，剩下的不满也算，一共 2 个"),
    ],
)
def test_a_rest_is_told_where_it_does_not_count(rounding, minutes, words):
    assert in_words(evaluated(an_item(rounding=rounding), some_facts(minutes=minutes))) == [words]


@pytest.mark.parametrize(
    ("measure", "extra", "words"),
    [
        ("minutes", 29, "超过 60 分钟的部分只有 29 分钟，不满 30 分钟，不加分"),
        ("minutes", 30, "超过 60 分钟的部分，每满 30 分钟加 1 分，满了 1 个，加 1 分"),
        ("minutes", 45, "超过 60 分钟的部分，每满 30 分钟加 1 分，满了 1 个，加 1 分，剩下的 15 分钟不算"),
        ("quantity", 29, "超过 60 个的部分只有 29 个，不满 30 个，不加分"),
        ("quantity", 30, "超过 60 个的部分，每满 30 个加 1 分，加了 1 次，共 1 分"),
        ("quantity", 45, "超过 60 个的部分，每满 30 个加 1 分，加了 1 次，共 1 分，剩下的 15 个不算"),
    ],
)
def test_what_fills_no_step_of_an_increment_is_told(measure, extra, words):
    item = an_item(basis=Basis.PER_TIME, increments=(Increment(measure, 60, 30, 1),))

    assert in_words(evaluated(item, some_facts(**{measure: 60 + extra})))[1:] == [words]
    assert len(in_words(evaluated(item, some_facts(**{measure: 60})))) == 1


def test_conditions_beyond_those_that_count_and_too_few_of_them_are_told():
    item = an_item(basis=Basis.PER_CONDITIONS, conditions=CONDITIONS, points_by_met=(0, 2))

    told = [in_words(evaluated(item, some_facts(met=CONDITIONS[:met])))[0] for met in (1, 2, 3)]

    assert told == [
        "做到 1 条（门前干净），最少要做到 2 条才计分",
        "做到 2 条（门前干净、垃圾分类），记 2 分",
        "做到 3 条（门前干净、垃圾分类、邻里和睦），最多按 2 条算，记 2 分",
    ]


rounded = st.sampled_from([Rounding.DOWN, Rounding.HALF_UP, Rounding.UP])


@given(rounded, st.sampled_from([1, 7, 60, 240]), st.integers(0, 900), st.sampled_from(["minutes", "metres"]))
def test_what_is_counted_and_what_is_told_as_left_over_make_the_whole(rounding, block, measure, unit):
    basis = Basis.PER_MINUTES if unit == "minutes" else Basis.PER_DISTANCE
    item = an_item(basis=basis, rounding=rounding, **{f"block_{unit}": block})

    (step,) = evaluated(item, some_facts(**{unit: measure})).steps

    told = step.facts
    if step.key == "no_minutes":
        assert not measure
    elif "_none" in step.key:
        assert (2 if rounding is Rounding.HALF_UP else 1) * measure < block
    elif "left" in told:
        assert 0 < told["left"] < block
        assert told["blocks"] * block + told["left"] == measure
    else:
        assert told["blocks"] * block >= measure


@given(
    st.integers(0, 900), st.integers(1, 200), st.integers(0, 900), st.sampled_from(["minutes", "metres", "quantity"])
)
def test_what_an_increment_counts_and_leaves_over_make_what_is_above_its_start(above, every, measure, name):
    item = an_item(basis=Basis.PER_TIME, increments=(Increment(name, above, every, 2),))

    _, *steps = evaluated(item, some_facts(**{name: measure})).steps

    told = steps[0].facts if steps else {"over": 0}
    assert told.get("over", told.get("steps", 0) * every + told.get("left", 0)) == max(0, measure - above)
    assert told.get("over", 0) < every
    assert told.get("left", 1) in range(1, every) or every == 1


def test_what_an_item_is_scored_by_reads_as_one_in_english():
    label, *ways = (i18n.in_locale(text, "en") for text in (rules.FIELD_LABELS["basis"], *map(rules.WORDS.get, Basis)))

    assert f"{label} {ways[0]}" == "Scoring by time"
    assert all(way[0].islower() for way in ways)
