"""What happened, as a file."""

import re
from datetime import date

import pytest

from pointsbank.scoring import facts_file, rules
from pointsbank.scoring.facts_file import FactsUnreadable
from tests.scoring.builders import a_table, an_item


def test_one_act_is_read_with_what_is_usual():
    (act,) = facts_file.parse('{"item": "A01", "day": "2025-03-12", "met": ["门前干净"], "person": 7}')

    assert (act.item_code, act.person_id, act.household_id) == ("A01", 7, 1)
    assert (act.facts.day, act.facts.minutes, act.facts.met) == (date(2025, 3, 12), 0, ("门前干净",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "[1]",
        "{}",
        '{"item": "A01"}',
        '{"item": 1, "day": "2025-03-12"}',
        '{"item": "A01", "day": "2025-03-12", "hours": 2}',
        '{"item": "A01", "day": "2025-03-12", "minutes": -1}',
        '{"item": "A01", "day": "2025-03-12", "minutes": "130"}',
        '{"item": "A01", "day": "2025-03-12", "minutes": 10000000001}',
        '{"item": "A01", "day": "2025-03-12", "began_minute": 1440}',
        '{"item": "A01", "day": "2025-03-12", "level": 3}',
        '{"item": "A01", "day": "2025-03-12", "met": "门前干净"}',
        '{"item": "A01", "day": "20250312"}',
        "[]",
        '{"item": "A01", "day": "2025-03-12", "minutes": 1.5}',
        '{"item": "A01", "day": "2025-03-12", "person": "测试甲"}',
        '[{"item": "A01", "day": "2025-03-12"}, {"item": "A01", "day": "2025-02-30"}]',
    ],
)
def test_what_is_no_act_is_refused_with_its_number(text):
    with pytest.raises(FactsUnreadable) as refused:
        facts_file.parse(text)
    assert refused.value.facts["number"] == (2 if "02-30" in text else 1)
    assert not re.search("Expected|Invalid|Object|truncated", refused.value.facts["why"])


def test_a_share_of_an_activity_whose_length_nobody_wrote_is_refused():
    acts = [
        facts_file.parse(f'{{"item": "A01", "day": "2025-03-12", "minutes": 60{more}}}')
        for more in ("", ', "planned_minutes": 0', ', "planned_minutes": 90')
    ]
    half = a_table(an_item(share_min_percent=50))

    for missing in acts[:2]:
        with pytest.raises(rules.FactMissing) as refused:
            facts_file.check(half, missing)
        assert "planned_minutes" in refused.value.facts["fact"]
    facts_file.check(half, acts[2])
    for act in acts:
        facts_file.check(a_table(), act)
