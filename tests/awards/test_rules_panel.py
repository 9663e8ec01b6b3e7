"""When the votes of a panel decide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.awards.rules import REVIEW_REASONS, Reason
from pointsbank.awards.rules_panel import missing, outcome, reason_of


@st.composite
def panels(draw):
    members = draw(st.integers(1, 15))
    agree = draw(st.integers(members // 2 + 1, members))
    return members, agree, draw(st.lists(st.booleans(), min_size=members, max_size=members))


@given(panels())
def test_a_panel_decides_exactly_when_the_votes_to_come_could_change_nothing(panel):
    members, agree, votes = panel
    for count in range(members + 1):
        agreed = sum(votes[:count])
        said = outcome(members=members, agree=agree, agreed=agreed, against=count - agreed)
        best, worst = agreed + members - count, agreed
        assert said == (True if worst >= agree else False if best < agree else None)
    assert said is not None


@pytest.mark.parametrize(
    ("given_reasons", "told"),
    [
        ((Reason.TWICE, Reason.MINUTES, Reason.TWICE), Reason.TWICE),
        ((Reason.NO_EVIDENCE, Reason.NOT_THERE), Reason.NOT_THERE),
        ((Reason.NO_EVIDENCE,), Reason.NO_EVIDENCE),
    ],
)
def test_the_reason_is_what_most_say_and_then_what_stands_first(given_reasons, told):
    assert set(given_reasons) <= set(REVIEW_REASONS)
    assert reason_of(given_reasons) is told


def test_who_is_missing_is_counted_after_seats_and_those_who_may_still_sit():
    assert [missing(members=5, seats=seats, free=free) for seats, free in ((0, 3), (0, 5), (4, 0), (2, 9))] == [
        2,
        0,
        1,
        0,
    ]
