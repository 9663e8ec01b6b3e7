"""What is left over for the next act, and limits of time: what is told is what is stored."""

from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, PastAct, Period, Rounding, Scope
from tests.scoring.builders import DAY, a_table, an_item, evaluated, in_words, some_facts


def act_of(**changes):
    return PastAct("A01", some_facts(**changes), person_id=1, household_id=1, building_id=1)


def test_a_rest_that_was_given_out_and_taken_back_is_made_up_before_more_is_given():
    item = an_item(rounding=Rounding.EXACT, remainder="carry")
    rest = rules.caps_of(a_table(item), item, some_facts().day)[0]

    first = evaluated(item, some_facts(minutes=50))
    second = evaluated(item, some_facts(minutes=20), {rest: 50})
    assert [use.amount for use in (*first.uses, *second.uses)] == [50, -40]
    assert (first.points, second.points) == (0, 1)
    third = evaluated(item, some_facts(minutes=99), {rest: -40})  # the first was sent back

    assert third.points == 0
    assert in_words(third) == [
        "1 小时 39 分钟，每 1 小时记 1 分，按比例算",
        "以前的一条记录退回了，先扣掉它的零头（1 分的 2/3）",
        "不满 1 分的零头（59/60）留到下次",
    ]


REST = {"rounding": Rounding.EXACT, "remainder": "carry"}
limited = st.fixed_dictionaries(
    {"points": st.integers(1, 3), "block_minutes": st.sampled_from([7, 60])},
    optional={
        "minutes_max_per_act": st.sampled_from([50, 90]),
        "caps": st.sampled_from([100, 480]).map(lambda most: (Cap(Scope.PERSON, Period.DAY, minutes=most),)),
        "multiplier_percent": st.sampled_from([80, 150]),
        "minutes_min": st.just(20),
    },
)


@given(limited, st.lists(st.integers(0, 300), min_size=1, max_size=6))
def test_the_rest_that_is_told_is_the_rest_that_is_stored_and_that_the_next_act_brings(given_item, minutes):
    table = a_table(an_item(**REST | given_item))
    stored = told_left = Fraction(0)

    for result in rules.replay(table, [act_of(minutes=each) for each in minutes]):
        kept, brought = (
            Fraction(*[step.facts[of] for step in result.steps if step.key == key for of in ("rest", "parts")] or [0])
            for key in ("kept", "brought")
        )
        if result.steps[0].key != "too_short":
            assert brought == told_left
            told_left = kept
        for use in result.uses:
            if use.key.counts.startswith("rest/"):
                stored += Fraction(use.amount, int(use.key.counts.removeprefix("rest/")))
        assert stored == told_left


def test_where_a_limit_bites_the_rest_is_that_of_the_minutes_that_count():
    item = an_item(points=2, minutes_max_per_act=90, **REST)
    one = msgspec.structs.replace(item, points=1)

    def told(item, minutes):
        return in_words(rules.replay(a_table(item), [act_of(minutes=minutes)])[0])

    assert told(item, 125) == [
        "一次最多算 90 分钟，这次的 2 小时 5 分钟只算 1 小时 30 分钟，少 1 分",
        "1 小时 30 分钟，每 1 小时记 2 分，按比例算",
    ]
    for minutes, came in ((100, "1 小时 40 分钟"), (120, "2 小时")):
        less = "，少 1 分" if minutes == 120 else ""
        assert told(one, minutes) == [
            f"一次最多算 90 分钟，这次的 {came}只算 1 小时 30 分钟{less}",
            "1 小时 30 分钟，每 1 小时记 1 分，按比例算",
            "不满 1 分的零头（1/2）留到下次",
        ]


def test_a_limit_of_minutes_that_was_reached_is_told_whatever_it_costs():
    up = an_item(rounding=Rounding.EXACT, end_rounding="up", minutes_max_per_act=100)
    used = an_item(caps=(Cap(Scope.PERSON, Period.DAY, minutes=60),))
    once = an_item(basis=Basis.PER_TIME)
    of_table = {"caps": (Cap(Scope.PERSON, Period.DAY, minutes=60),)}
    some = dict.fromkeys(rules.caps_of(a_table(used), used, DAY), 15)
    full = dict.fromkeys(rules.caps_of(a_table(used), used, DAY), 60)

    assert in_words(evaluated(up, some_facts(minutes=120))) == [
        "一次最多算 100 分钟，这次的 2 小时只算 1 小时 40 分钟",
        "1 小时 40 分钟，每 1 小时记 1 分，按比例算",
        "不满 1 分的零头（2/3）也算 1 分",
    ]
    assert in_words(evaluated(used, some_facts(minutes=120), some))[0] == (
        "这一项每人每天最多算 60 分钟，前面已算 15 分钟，这次的 2 小时只算 45 分钟，少 2 分"
    )
    assert in_words(evaluated(used, some_facts(minutes=120), full)) == [
        "这一项每人每天最多算 60 分钟，前面已算 60 分钟，这次的 2 小时都不算，少 2 分",
        "没有可以算的时间",
    ]
    assert in_words(evaluated(once, some_facts(minutes=120), **of_table)) == ["做了 1 次，记 1 分"]


def test_an_award_of_before_the_time_that_counts_was_told_is_told_still():
    step = rules.Step("minutes_max", {"most_minutes": 90, "clipped": 1}, 3)

    assert rules.told(step, "{} 分".format) == "一次最多算 90 分钟，超过的时间不算，少 1 分"


def test_an_award_of_before_rests_were_told_is_told_still():
    blocks = rules.Step("hours_down", {"hours": 2, "minutes": 10, "block": 60, "blocks": 2, "value": 1}, 2)
    none = rules.Step("hours_none", {"hours": 1, "minutes": 10, "block": 120}, 0)

    told = [rules.told(step, "{} 分".format) for step in (blocks, none)]

    assert told == [
        "2 小时 10 分钟，每满 1 小时记 1 分，满了 2 个",
        "1 小时 10 分钟，不满 2 小时，还差 50 分钟，不计分",
    ]
