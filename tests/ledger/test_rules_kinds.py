"""Days and amounts of a kind of passbook."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_kinds import base_bucket, last_reset, next_reset, smallest

days = st.dates(date(2020, 1, 1), date(2060, 12, 31))


@given(days, st.sampled_from([(1, 1), (2, 29), (6, 30), (12, 31)]))
def test_today_lies_between_two_reset_days_of_one_year(today, reset):
    last, following = last_reset(*reset, today), next_reset(*reset, today)

    assert last < today <= following
    assert 365 <= (following - last).days <= 366


@given(days)
def test_base_points_live_to_the_end_of_their_period(today):
    month, year = base_bucket("month", today).expires_on, base_bucket("year", today).expires_on

    assert today <= month <= year
    assert (month + timedelta(days=1)).day == 1
    assert (year.month, year.day) == (12, 31)
    assert base_bucket("once", today).expires_on == NEVER


@pytest.mark.parametrize(
    ("typed", "decimals", "points"),
    [("12", 0, 12), ("12.5", 2, 1250), ("12.5", 1, 125), (" 7 ", 2, 700), ("0.05", 2, 5), ("12.5", 0, None),
     ("1.234", 2, None), ("", 2, None), (".5", 2, None), ("-1", 0, None), ("１２", 0, None), ("1.", 1, None)],
)  # fmt: skip
def test_what_is_typed_becomes_whole_units(typed, decimals, points):
    assert smallest(typed, decimals) == points
