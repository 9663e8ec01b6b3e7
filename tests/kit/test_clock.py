from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.kit.clock import Clock, FixedClock, local_day, month_start, start_of_day


def test_the_clock_tells_aware_utc():
    assert Clock().now().utcoffset() == timedelta(0)


def test_a_fixed_clock_moves_only_when_told():
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.advance(days=2, minutes=5)
    assert clock.moment == datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
    with pytest.raises(AssertionError):
        clock.set(datetime(2026, 3, 1))  # noqa: DTZ001 the refusal of a naive moment is what is tested


def test_a_day_begins_at_midnight_in_shanghai():
    assert local_day(datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)) == date(2026, 3, 1)
    assert local_day(datetime(2026, 3, 1, 16, tzinfo=UTC)) == date(2026, 3, 2)
    assert start_of_day(date(2026, 3, 2)) == datetime(2026, 3, 1, 16, tzinfo=UTC)


@given(st.datetimes(datetime(1995, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 bounds are naive
def test_every_moment_lies_in_exactly_its_day(moment):
    day = local_day(moment)
    assert start_of_day(day) <= moment < start_of_day(day + timedelta(days=1))
    assert month_start(day).day == 1
