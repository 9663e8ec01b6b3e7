"""The points that each published scheme gives, beside the words of its source.

`schemes/<source>.toml` has, under the code of an item, those words and cases: facts of an act, how many such acts stand
in a row on one day, what was used of a cap, and the points expected or the refusal. `example` marks what the source
itself gives as an example, `whole` what a file that was shortened to be adopted leaves out. `worth`, `expiry`, `levels`
and `spend` say the same of points, and of who holds them.
"""

from datetime import date

import msgspec
import pytest

from pointsbank.kit.errors import Refusal
from pointsbank.scoring import rules
from tests.scoring.published import ADOPTABLE, EXPECTED, FOLDERS, scheme, whole

DAY = date(2025, 3, 12)
OF_TABLES = {"worth", "expiry", "levels", "spend"}


def cases_of_items():
    return [
        pytest.param(path, code, case, id=f"{path.parent.name}-{source}-{code}-{number}")
        for source, blocks in EXPECTED.items()
        for path in (folder / f"{source}.toml" for folder in FOLDERS)
        if path.exists()
        for item in scheme(path).items
        for code in [item.code]
        for number, case in enumerate(blocks[code]["cases"])
        if path == whole(source) or not case.get("whole")
    ]


def cases_of(name):
    return [
        pytest.param(whole(source), case, id=f"{source}-{number}")
        for source, blocks in EXPECTED.items()
        for number, case in enumerate(blocks.get(name, {"cases": ()})["cases"])
    ]


def counters(table, item, used):
    """The caps' counters at what a case says: `person_day`, `table_person_month`, `person_day_times`."""
    left, counted = dict(used), {}
    for key in rules.caps_of(table, item, DAY):
        level = "" if key.item_code else "table_"
        counts = "" if key.counts == "points" else f"_{key.counts}"
        counted[key] = left.pop(f"{level}{key.scope}_{key.period}{counts}", 0)
    assert not left, f"no such cap: {left}"
    return counted


def scored(table, code, *, acts=1, used=None, **facts):
    """Points of so many acts alike, one after the other on one day."""
    item = next(item for item in table.items if item.code == code)
    told = msgspec.convert({"day": DAY, "minutes": 0, "planned_minutes": 0} | facts, rules.Facts)
    counted = counters(table, item, used or {})
    points = 0
    for _ in range(acts):
        result = rules.evaluate(table, item, told, counted)
        points += result.points
        for use in result.uses:
            counted[use.key] += use.amount
    return points


@pytest.mark.parametrize(("path", "code", "case"), cases_of_items())
def test_an_item_gives_the_points_that_the_words_of_its_source_say(path, code, case):
    facts = {name: value for name, value in case.items() if name not in ("points", "refused", "example", "whole")}
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            scored(scheme(path), code, **facts)
        assert refused.value.code == case["refused"]
    else:
        assert scored(scheme(path), code, **facts) == case["points"]


@pytest.mark.parametrize(("path", "case"), cases_of("worth"))
def test_points_are_worth_what_the_source_says(path, case):
    assert case["points"] * scheme(path).yuan_per_point_cents == case["cents"]


@pytest.mark.parametrize(("path", "case"), cases_of("expiry"))
def test_points_last_as_long_as_the_source_says(path, case):
    assert rules.expires_on(scheme(path).validity, case["day"]) == case["last"]


@pytest.mark.parametrize(("path", "case"), cases_of("levels"))
def test_a_star_begins_at_the_hours_or_points_that_the_source_says(path, case):
    reached = [
        level.name
        for level in scheme(path).levels
        if (level.from_minutes or 0) <= case.get("minutes", 0) and (level.from_points or 0) <= case.get("points", 0)
    ]
    assert (reached[-1] if reached else "") == case["level"]


@pytest.mark.parametrize(("path", "case"), cases_of("spend"))
def test_only_what_is_above_the_base_can_be_spent(path, case):
    assert max(0, case["balance"] - scheme(path).base.spend_above) == case["can"]


@pytest.mark.parametrize("source", EXPECTED)
def test_every_item_has_cases_and_the_words_of_its_source(source):
    blocks = EXPECTED[source]

    assert {item.code for item in scheme(whole(source)).items} == blocks.keys() - OF_TABLES
    assert all(block["says"] and block["cases"] for block in blocks.values())


def test_every_scheme_with_items_has_cases():
    with_items = {path.stem for folder in FOLDERS for path in folder.glob("*.toml") if scheme(path).items}

    assert with_items <= EXPECTED.keys()
    assert len(list(ADOPTABLE.glob("*.toml"))) == 17
