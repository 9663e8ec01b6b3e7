from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.events import rules
from pointsbank.events.rules import BLOCKING, Doubt, Over, Plan, TooEarly

START = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)  # 14:30 in Shanghai
PLAN = Plan(START, START + timedelta(hours=2))

spans = st.timedeltas(min_value=timedelta(hours=-3), max_value=timedelta(hours=5))


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize("minutes", [-30, 0, 119.99])
def test_people_may_come_from_half_an_hour_before_until_the_end(minutes):
    rules.check_open(PLAN, at(minutes), "测试乙")


def test_who_comes_too_early_is_told_when_it_opens():
    with pytest.raises(TooEarly) as refused:
        rules.check_open(PLAN, at(-38), "测试乙")

    assert refused.value.facts == {"opens": "14:00", "now": "13:52"}


def test_who_comes_a_day_early_is_told_the_day():
    with pytest.raises(TooEarly) as refused:
        rules.check_open(PLAN, at(-24 * 60), "测试乙")

    assert refused.value.facts["opens"] == "11-22 14:00"


def test_at_the_planned_end_it_is_over():
    with pytest.raises(Over):
        rules.check_open(PLAN, at(120), "测试乙")


@pytest.mark.parametrize(
    ("in_minutes", "out_minutes", "most"),
    [
        (-20, 118, 118),  # early counts from the start
        (10, 135, 110),  # late is cut at the end
        (10, None, 110),  # without a check-out up to the planned end
        (10, 10, 0),
        (-25, -5, 0),  # gone before it began
        (0.5, 1.4, 0),  # whole minutes only
    ],
)
def test_minutes_count_between_in_and_out_inside_the_plan(in_minutes, out_minutes, most):
    out_at = None if out_minutes is None else at(out_minutes)

    assert rules.minutes_max(PLAN, at(in_minutes), out_at) == most


@given(spans, spans)
def test_minutes_are_never_more_than_out_minus_in_nor_than_the_plan(first, second):
    in_at, out_at = START + min(first, second), START + max(first, second)

    most = rules.minutes_max(PLAN, in_at, out_at)

    assert 0 <= most <= PLAN.minutes
    assert timedelta(minutes=most) <= out_at - in_at


def doubts(**facts):
    known = {"plan": PLAN, "in_at": at(0), "in_way": "screen", "out_at": at(90), "state": "member", "is_own": False}
    return rules.doubts(**{**known, "now": at(130), **facts})


def test_a_member_who_was_scanned_in_and_out_leaves_no_doubt():
    assert doubts() == []
    assert doubts(in_way="card") == []


@pytest.mark.parametrize(
    ("facts", "doubt"),
    [
        ({"in_way": "poster"}, Doubt.POSTER),
        ({"in_way": "picked"}, Doubt.PICKED),
        ({"out_at": None}, Doubt.NOT_OUT),
        ({"state": "provisional"}, Doubt.PROVISIONAL),
        ({"is_own": True}, Doubt.OWN),
        ({"out_at": None, "now": at(60)}, Doubt.STILL_IN),
        ({"in_at": at(-20), "out_at": at(-5)}, Doubt.NO_MINUTES),
    ],
)
def test_whatever_needs_a_look_is_not_ticked_beforehand(facts, doubt):
    assert doubts(**facts) == [doubt]


def test_only_doubts_that_a_look_can_settle_may_be_ticked():
    assert {Doubt.POSTER, Doubt.PICKED, Doubt.NOT_OUT}.isdisjoint(BLOCKING)
    assert {Doubt.OWN, Doubt.PROVISIONAL, Doubt.STILL_IN, Doubt.NO_MINUTES} == BLOCKING


@pytest.mark.parametrize(
    ("starts", "ends"),
    [(10, 10), (10, 5), (-120, -60), (10, 10 + 16 * 60 + 1)],
)
def test_hours_that_nobody_could_keep_are_refused(starts, ends):
    with pytest.raises(rules.BadPlan):
        rules.check_plan(at(starts), at(ends), now=at(0))


@pytest.mark.parametrize(
    ("contact", "parts"),
    [
        ("测试乙 100 0000 0000", ("测试乙", "100 0000 0000")),
        ("社区服务站", ("社区服务站", "")),
        ("10000000000", ("", "10000000000")),
    ],
)
def test_a_contact_is_a_name_and_a_number(contact, parts):
    assert rules.split_contact(contact) == parts


@pytest.mark.parametrize(
    ("title", "lines"),
    [("义诊", ["义诊"]), ("三号楼楼道清洁", ["三号楼", "楼道清洁"]), ("长" * 13, ["长" * 13])],
)
def test_a_title_in_large_type_leaves_no_single_character_behind(title, lines):
    assert rules.title_lines(title) == lines
