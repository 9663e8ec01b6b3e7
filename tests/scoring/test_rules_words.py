"""What residents read, and how long caps and points last."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Period, Rounding, Scope, Validity, ValidityKind
from tests.scoring.builders import DAY, an_item, days, evaluated, some_facts


def each_case():
    """One case for each explanation: its key, an item, the facts, caps of the table."""
    yield "share_too_small", an_item(share_min_percent=60), some_facts(minutes=10), ()
    yield "too_short", an_item(minutes_min=20), some_facts(minutes=10), ()
    yield "too_few", an_item(quantity_min=3), some_facts(quantity=2), ()
    yield "fixed", an_item(range_max=9), some_facts(fixed_points=9), ()
    yield "multiplied", an_item(multiplier_percent=200), some_facts(), ()
    for rounding in Rounding:
        yield f"hours_{rounding}", an_item(rounding=rounding), some_facts(minutes=60), ()
        yield f"minutes_{rounding}", an_item(rounding=rounding), some_facts(minutes=59), ()
    yield "per_time", an_item(basis=Basis.PER_TIME), some_facts(), ()
    yield "per_item", an_item(basis=Basis.PER_ITEM), some_facts(), ()
    yield "minutes_max", an_item(minutes_max_per_act=60), some_facts(), ()
    for scope in Scope:
        for period in Period:
            if period is Period.ACT and scope is not Scope.PERSON:
                continue
            name = period if period is Period.ACT else f"{scope}_{period}"
            cap = (Cap(scope, period, 1),)
            yield f"cap_item_{name}", an_item(caps=cap), some_facts(), ()
            yield f"cap_table_{name}", an_item(), some_facts(), cap


CASES = list(each_case())


@pytest.mark.parametrize(("key", "item", "act", "table_caps"), CASES, ids=[case[0] for case in CASES])
def test_each_explanation_is_given_and_its_facts_fill_its_text(key, item, act, table_caps):
    steps = {step.key: step for step in evaluated(item, act, caps=table_caps).steps}

    text = rules.EXPLANATIONS[key]
    assert set(re.findall(r"{(\w+)}", text)) == set(steps[key].facts)
    assert "{" not in text.format(**steps[key].facts)


def test_every_explanation_has_its_case():
    assert {case[0] for case in CASES} == set(rules.EXPLANATIONS)


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
