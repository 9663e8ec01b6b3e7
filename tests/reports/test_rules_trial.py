"""What a trial run adds up, and the day on which a budget is gone."""

from datetime import date, timedelta

import pytest

from pointsbank.ledger.rules import MAIN
from pointsbank.reports import rules_trial as rules
from pointsbank.reports.rules_trial import Did, Pair, Scored, Tally
from pointsbank.scoring.rules import Basis, Item, Result, Step

FIRST, LAST = date(2025, 12, 1), date(2026, 11, 30)
DAY = date(2026, 3, 12)


def an_item(**changes):
    usual = {
        "code": "A01",
        "category": "环境",
        "name": "扫楼道",
        "basis": Basis.PER_TIME,
        "points": 2,
        "evidence": "照片",
    }
    return Item(**usual | changes)


def scored(points, item=None, **clipped):
    steps = (Step("cap_item_person_day", {"most": 5, "used": 5, **clipped}, points),) if clipped else ()
    return Scored(item or an_item(), None if points is None else Result(points, clipped.get("clipped", 0), steps, ()))


def tally(*lines):
    found = Tally(FIRST, LAST)
    for did, old, new in lines:
        found.add(did, old, new)
    return found.outcome()


def did(person, points=0, **more):
    return Did(**{"person_id": person, "day": DAY, "awarded": points} | more)


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 11, 22), 1, date(2026, 10, 23)),
        (date(2026, 11, 22), 12, date(2025, 11, 23)),
        (date(2026, 3, 31), 1, date(2026, 3, 1)),
        (date(2026, 1, 1), 24, date(2024, 1, 2)),
    ],
)
def test_so_many_months_end_today(today, months, first):
    assert rules.first_day(today, months) == first


def test_sums_stand_by_item_month_and_person():
    outcome = tally((did(1, 2), scored(2), scored(3)), (did(2, 2), scored(2), scored(3)))

    assert outcome.totals == {MAIN: Pair(4, 6)}
    assert outcome.awarded == {MAIN: 4}
    assert [(line.code, line.acts, line.points) for line in outcome.items] == [("A01", 2, Pair(4, 6))]
    assert outcome.months == {"2026-03": Pair(4, 6)}
    assert outcome.people == Pair(2, 2)


def test_an_act_whose_item_ended_is_listed_and_counted():
    [line] = tally((did(1, 2), scored(2), None)).items

    assert (line.ended, line.acts, line.points) == (True, 1, Pair(2, 0))


def test_an_act_that_the_draft_cannot_score_is_counted_as_such():
    [line] = tally((did(1, 2), scored(2), scored(None, an_item(range_max=9)))).items

    assert (line.ended, line.unscored, line.points) == (False, 1, Pair(2, 0))


def test_an_item_that_moves_to_another_passbook_stands_in_both():
    outcome = tally((did(1, 2), scored(2), scored(30, an_item(book_kind="coins"))))

    assert outcome.totals == {MAIN: Pair(2, 0), "coins": Pair(0, 30)}
    assert outcome.people == Pair(1, 0)


def test_what_a_cap_took_is_told_with_its_limit():
    outcome = tally(*[(did(1), scored(2), scored(1, most=5, clipped=1))] * 3)

    assert [(clip.key, clip.most, clip.times, clip.points) for clip in outcome.clips] == [
        ("cap_item_person_day", 5, 3, 3)
    ]


def test_a_deduction_takes_away():
    outcome = tally((did(1), scored(0), scored(3, an_item(deduction=True))), (did(1), scored(5), scored(5)))

    assert outcome.totals == {MAIN: Pair(5, 2)}


@pytest.mark.parametrize(("limit", "most"), [("most", 5), ("most_times", 2), ("most_minutes", 120)])
def test_a_cap_may_count_points_times_or_minutes(limit, most):
    step = Step("any", {limit: most, "clipped": 1}, 1)
    [clip] = tally((did(1), scored(2), Scored(an_item(), Result(1, 1, (step,), ())))).clips

    assert clip.most == most


def test_a_group_under_five_people_is_not_told():
    women = [(did(n, birth_year=1950, sex="f"), scored(2), scored(2)) for n in range(5)]
    men = [(did(n, birth_year=2000, sex="m"), scored(2), scored(2)) for n in range(10, 14)]
    outcome = tally(*women, *men)

    assert [(one.name, one.people) for one in outcome.sexes] == [("f", 5)]
    assert [(one.name, one.people, one.points) for one in outcome.ages] == [("70-79", 5, Pair(10, 10))]


@pytest.mark.parametrize(
    ("born", "band"), [(None, ""), (2010, "0-17"), (2008, "18-34"), (1966, "60-69"), (1946, "80-"), (2030, "0-17")]
)
def test_ages_come_in_bands(born, band):
    assert rules.age_band(born, 2026) == band


def test_the_greatest_changes_are_told_once_each():
    outcome = tally(*[(did(n), scored(10), scored(10 + n - 8)) for n in range(1, 16)])

    assert [one.person_id for one in outcome.gains] == [15, 14, 13, 12, 11]
    assert [one.person_id for one in outcome.losses] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("points", "percent"), [([], 0), ([7], 100), ([1] * 10, 10), ([91, *[1] * 9], 91), ([50, 30, *[2] * 10], 80)]
)
def test_the_top_tenth_is_rounded_up_to_a_person(points, percent):
    assert rules.top_tenth_percent(points) == percent


def test_a_budget_lasts_to_the_day_before_it_is_passed():
    days = {FIRST + timedelta(days=n): 10 for n in range(365)}

    assert rules.used_up_on(days, FIRST, LAST, 3650, 2027) is None
    assert rules.used_up_on(days, FIRST, LAST, 3649, 2027) == date(2027, 12, 31)
    assert rules.used_up_on(days, FIRST, LAST, 100, 2027) == date(2027, 1, 11)


def test_a_busy_spring_uses_the_budget_up_in_spring():
    days = {date(2026, 3, 10): 900, date(2025, 12, 20): 100}

    assert rules.used_up_on(days, FIRST, LAST, 800, 2027) == date(2027, 3, 10)
    assert rules.used_up_on(days, FIRST, LAST, 950, 2027) == date(2027, 12, 20)


def test_of_two_years_the_later_one_is_laid_out():
    days = {date(2025, 3, 10): 900, date(2026, 5, 10): 900}

    assert rules.used_up_on(days, date(2024, 12, 1), LAST, 800, 2027) == date(2027, 5, 10)


def test_of_less_than_a_year_each_day_counts_alike():
    days = {date(2026, 11, 1): 300}

    assert rules.used_up_on(days, date(2026, 11, 1), LAST, 3650, 2027) is None
    assert rules.used_up_on(days, date(2026, 11, 1), LAST, 100, 2027) == date(2027, 1, 11)
    assert rules.used_up_on({}, date(2026, 11, 1), LAST, 100, 2027) is None


def test_29_february_is_the_28th_of_a_common_year():
    days = {date(2024, 2, 29): 10}

    assert rules.used_up_on(days, date(2023, 12, 1), date(2024, 11, 30), 5, 2027) == date(2027, 2, 28)
