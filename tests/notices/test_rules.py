"""How long a notice is shown and how it spreads over paper."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.notices.rules import FIRST_SHEET, GROUNDS, LATER_SHEET, Grounds, number_of, sheets, shown_until

moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware


@dataclass(frozen=True)
class Line:
    points: int


@given(moments, st.integers(1, 30))
def test_a_notice_ends_at_a_midnight_after_its_full_days(opened_at, days):
    until = shown_until(opened_at, days)
    assert until == start_of_day(local_day(until))
    assert timedelta(days=days, hours=-1) <= until - opened_at <= timedelta(days=days + 1)


def test_a_job_a_little_late_does_not_lengthen_the_notice():
    midnight = datetime(2026, 11, 21, 16, tzinfo=UTC)
    assert shown_until(midnight, 3) == shown_until(midnight + timedelta(minutes=40), 3)
    assert shown_until(midnight + timedelta(hours=2), 3) == shown_until(midnight, 4)


@given(st.lists(st.builds(Line, st.integers(1, 100)), max_size=150))
def test_paper_shows_every_line_once_and_ends_with_lines_and_a_seal(lines):
    spread = sheets(lines)
    assert [line for sheet in spread for line in sheet.lines] == lines
    assert sum(sheet.points for sheet in spread) == sum(line.points for line in lines)
    assert [sheet.is_last for sheet in spread] == [False] * (len(spread) - 1) + [True]
    assert bool(spread[-1].lines) == bool(lines)


@given(st.integers(0, 150))
def test_no_sheet_holds_more_than_fits(count):
    spread = sheets([Line(1)] * count)
    for place, sheet in enumerate(spread):
        most, most_of_last = FIRST_SHEET if place == 0 else LATER_SHEET
        assert len(sheet.lines) <= (most_of_last if sheet.is_last else most)


def test_a_full_sheet_has_twenty_five_lines_and_the_first_some_fewer():
    assert [len(sheet.lines) for sheet in sheets([Line(1)] * 120)] == [22, 25, 25, 25, 20, 3]
    assert [len(sheet.lines) for sheet in sheets([Line(1)] * 42)] == [22, 20]


def test_every_ground_has_its_words():
    assert set(GROUNDS) == set(Grounds)
    assert number_of(2026, 10) == "〔2026〕10 号"
