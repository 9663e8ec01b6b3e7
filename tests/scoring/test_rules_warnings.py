"""What deserves a second look in a table that may be adopted as it is."""

from datetime import date

import pytest
from msgspec.structs import replace

from pointsbank.ledger.rules_kinds import Settings
from pointsbank.scoring.rules import Basis, Cap, Period, Rounding, Scope
from pointsbank.scoring.rules_table import Base, Level, Multiplier
from pointsbank.scoring.rules_warnings import budget_gone, of_books, warnings
from pointsbank.scoring.rules_words import plainly
from tests.scoring.builders import a_table, an_item


def told(table):
    return {(one.item_code, one.key) for one in warnings(table)}


def plain(*points, **changes):
    return [
        an_item(code=f"A{number:02}", basis=Basis.PER_TIME, points=each, **changes)
        for number, each in enumerate(points, start=1)
    ]


def test_a_table_as_others_have_it_has_no_warnings():
    assert told(a_table(*plain(2, 3, 4, 6))) == set()


@pytest.mark.parametrize(("points", "is_dear"), [(12, False), (13, True)])
def test_an_item_is_dear_above_three_times_the_median(points, is_dear):
    assert told(a_table(*plain(4, 4, 4, points))) == ({("A04", "dear")} if is_dear else set())


def test_minutes_are_compared_by_the_hour():
    minute = an_item(code="B01", points=1, block_minutes=1)

    assert ("B01", "dear") in told(a_table(*plain(4, 4, 4), minute))


def test_the_top_of_a_range_counts():
    assert ("A04", "dear") in told(a_table(*plain(4, 4, 4), *plain(0, 0, 0, 4, range_max=13)[3:]))


def test_points_of_other_passbooks_are_not_compared():
    honour = [an_item(code=f"H{n:02}", basis=Basis.PER_TIME, points=100, book_kind="honour") for n in (1, 2, 3, 4)]

    assert told(a_table(*plain(2, 2, 2, 2), *honour)) == set()


@pytest.mark.parametrize(("points", "is_told"), [(1, True), (2, False)])
def test_a_daily_cap_under_one_unit_is_told(points, is_told):
    cap = (Cap(Scope.PERSON, Period.DAY, points),)
    of_item, of_table = a_table(*plain(2, caps=cap)), a_table(*plain(2), caps=cap)

    assert told(of_item) == told(of_table) == ({("A01", "cap_below_unit")} if is_told else set())


def test_a_cap_under_the_highest_level_is_told_too():
    levels = {"points": None, "levels": (Level("一星", 5), Level("二星", 50))}
    cap = (Cap(Scope.PERSON, Period.MONTH, 30),)

    assert told(a_table(an_item(basis=Basis.PER_LEVEL, caps=cap, **levels))) == {("A01", "cap_below_unit")}


@pytest.mark.parametrize(
    ("most", "more", "key"),
    [
        (4, {"multiplier_percent": 250}, "cap_below_unit"),
        (5, {"multiplier_percent": 250}, None),
        (
            5,
            {"multipliers": (Multiplier("节日", 300), Multiplier("夜间", 150, "22:00", "06:00"))},
            "cap_below_multiplied",
        ),
        (6, {"multipliers": (Multiplier("节日", 300),)}, None),
        (1, {"multipliers": (Multiplier("节日", 300),)}, "cap_below_unit"),
        (2, {"multipliers": (Multiplier("新手", 50),)}, None),
        (2, {"multipliers": (Multiplier("小雨", 120),)}, None),  # 2.4 are 2
    ],
)
def test_a_daily_cap_under_one_unit_with_its_percents_is_told(most, more, key):
    cap = (Cap(Scope.PERSON, Period.DAY, most),)
    by_table = {name: value for name, value in more.items() if name == "multipliers"}
    by_item = {name: value for name, value in more.items() if name not in by_table}

    expected = {("A01", key)} if key else set()
    assert told(a_table(*plain(2, caps=cap, **more))) == expected
    assert told(a_table(*plain(2, caps=cap, **by_item), **by_table)) == expected


def test_the_largest_percent_is_named():
    cap = (Cap(Scope.PERSON, Period.DAY, 5),)
    (item,) = plain(2, caps=cap, multipliers=(Multiplier("夜间", 280), Multiplier("节日", 300)))

    (found,) = warnings(a_table(item))

    assert found.said(str.format).startswith("A01：“节日”按 300% 算，一次的分值就超过上限")


@pytest.mark.parametrize(
    ("rounding", "minutes", "is_told"),
    [
        (Rounding.DOWN, 59, True),
        (Rounding.DOWN, 60, False),
        (Rounding.HALF_UP, 29, True),
        (Rounding.HALF_UP, 30, False),
        (Rounding.UP, 1, False),
        (Rounding.EXACT, 1, False),
    ],
)
def test_a_cap_of_minutes_under_one_block_is_told(rounding, minutes, is_told):
    cap = (Cap(Scope.PERSON, Period.DAY, minutes=minutes),)
    item = an_item(rounding=rounding)
    expected = {("A01", "cap_below_block")} if is_told else set()

    assert told(a_table(replace(item, caps=cap))) == told(a_table(item, caps=cap)) == expected
    assert told(a_table(*plain(1), caps=cap)) == set()  # minutes do not matter to it


def test_what_no_organiser_enters_is_told():
    assert told(a_table(*plain(2, submit=("self", "import")))) == {("A01", "nobody_enters")}
    assert told(a_table(*plain(2, submit=("self", "organiser")))) == set()


@pytest.mark.parametrize("evidence", ["无人机照片", "没有错误的作业本", "免冠照片"])
def test_evidence_that_begins_with_a_no_is_evidence(evidence):
    assert told(a_table(*plain(2, evidence=evidence))) == set()


@pytest.mark.parametrize("evidence", ["", " ", "无", "无需凭据", "不用"])
def test_an_item_without_evidence_is_told(evidence):
    assert told(a_table(*plain(2, evidence=evidence))) == {("A01", "no_evidence")}


def test_other_cases_want_something_that_can_be_checked():
    vague = an_item(name="其他突出表现", basis=Basis.PER_TIME)
    in_a_category = an_item(name="突出表现", category="其他", basis=Basis.PER_ITEM, points=1, range_max=9)
    assert told(a_table(in_a_category)) == {("A01", "no_test")}
    measured = [
        an_item(code="A02", name="其它服务", basis=Basis.PER_MINUTES, rounding=Rounding.DOWN),
        an_item(code="A03", name="其他会议", basis=Basis.PER_TIME, share_min_percent=80),
    ]

    assert told(a_table(vague, *measured)) == {("A01", "no_test")}


def test_a_budget_that_is_gone_before_the_year_ends_is_told_with_its_day():
    [one] = budget_gone(date(2027, 11, 8))

    assert one.facts == {"year": 2027, "day": "2027-11-08", "days": 53}
    assert budget_gone(None) == budget_gone(date(2027, 12, 31)) == []


def test_each_warning_can_be_said():
    said = [one.said(str.format) for one in [*warnings(a_table(*plain(4, 4, 4, 99))), *budget_gone(date(2027, 1, 1))]]

    assert said[0].startswith("A04：")
    assert all("{" not in text for text in said)


GIVES_NOTHING = Settings(
    name="积分", unit="分", decimals=0, holder="person", redeemable=True, donatable=True, transferable=False,
    balance_max=None, surplus="refuse", base_points=0, base_every="never", base_redeemable=False, spend_above=0,
    reset_month=None, reset_day=None, carry_over=False,
)  # fmt: skip
SIXTY_A_YEAR = replace(GIVES_NOTHING, base_points=60, base_every="year", spend_above=60, balance_max=500)


def of_books_told(settings, **says):
    books, table = {"points": settings}, a_table(**says)
    found = of_books(table, books, str.format, plainly)
    return {one.key: one.facts for one in found}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (SIXTY_A_YEAR, {}),
        (SIXTY_A_YEAR, {"base": Base(60, "year", spend_above=60), "balance_max": 500}),
        (SIXTY_A_YEAR, {"base": Base(60)}),
        (GIVES_NOTHING, {"base": Base(0, "month")}),
    ],
)
def test_what_a_table_says_of_passbooks_and_they_are_set_to_needs_no_warning(settings, says):
    assert of_books_told(settings, **says) == {}


def test_what_a_table_says_of_passbooks_is_compared_with_what_they_are_set_to():
    base = of_books_told(GIVES_NOTHING, base=Base(60, "year"))["base_differs"]
    assert (base["table"], base["book"]) == ("基础分 60 分，每年给一次", "不发基础分")

    base = of_books_told(SIXTY_A_YEAR, base=Base(60, "month", redeemable=True, spend_above=50))["base_differs"]
    assert base["table"] == "基础分 60 分，每月给一次，可以兑换，超过 50 分才能兑换"
    assert base["book"] == "基础分 60 分，每年给一次，超过 60 分才能兑换"

    assert of_books_told(GIVES_NOTHING, balance_max=300)["balance_differs"]["book"] == "没有上限"
    assert of_books_told(SIXTY_A_YEAR, balance_max=300)["balance_differs"]["book"] == "500 分"
    assert of_books_told(GIVES_NOTHING, base=Base(60, book_kind="honour")) == {"base_kind": {"kind": "honour"}}
