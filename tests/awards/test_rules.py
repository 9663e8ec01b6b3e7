"""Chains, holders of counters, and the order in which counters are taken."""

from datetime import date

import pytest

from pointsbank.awards.rules import REASONS, REVIEW_REASONS, Counter, Holders, Reason, next_role, notice_days, order_of
from pointsbank.scoring.rules import Scope
from tests.awards.neighbours import a_table

DAY = date(2026, 11, 21)


def test_a_chain_is_walked_step_by_step():
    chain = ["organiser", "community_admin"]
    assert [next_role(chain, given) for given in (0, 1, 2)] == ["organiser", "community_admin", ""]


def test_a_chain_has_no_step_beyond_its_end():
    with pytest.raises(AssertionError):
        next_role(["organiser"], 2)


def test_who_has_no_household_shares_a_counter_with_nobody():
    alone, other, housed = Holders(7, None, None), Holders(8, None, None), Holders(9, 7, 8)
    for scope in (Scope.HOUSEHOLD, Scope.BUILDING):
        assert len({alone.of(scope), other.of(scope), housed.of(scope)}) == 3
    assert alone.of(Scope.PERSON) == 7


def test_counters_are_taken_by_scope_holder_and_period():
    counters = [
        Counter(Scope.PERSON, 2, "", "day", DAY),
        Counter(Scope.HOUSEHOLD, 9, "A01", "day", DAY),
        Counter(Scope.PERSON, 1, "A01", "month", DAY),
        Counter(Scope.PERSON, 1, "A01", "day", DAY),
    ]
    shown = [(it.scope, it.holder_id, it.period) for it in sorted(counters, key=order_of)]
    assert shown == [("household", 9, "day"), ("person", 1, "day"), ("person", 1, "month"), ("person", 2, "day")]


def test_a_table_that_is_silent_about_the_notice_has_three_days():
    assert notice_days(a_table(notice_days=None)) == 3
    assert notice_days(a_table(notice_days=0)) == 0


def test_reviewers_choose_among_five_reasons():
    assert len(REVIEW_REASONS) == 5
    assert set(REASONS) == set(Reason)
