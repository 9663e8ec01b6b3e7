"""The published schemes as files, held against what their sources state, and the points that the sources' words give.

`schemes/sources.toml` has what each source states. `schemes/<source>.toml` has, under the code of an item, the words of
the source and cases: facts of an act, how many such acts stand in a row on one day, what was used of a cap, and the
points expected. `example` marks what the source itself gives as an example.
"""

import tomllib
from datetime import date
from pathlib import Path

import msgspec
import pytest

from pointsbank.kit import paths
from pointsbank.scoring import rules, scheme_file

HERE = Path(__file__).parent / "schemes"
ADOPTABLE = paths.seed_dir() / "scoring"
DAY = date(2025, 3, 12)
SOURCES = tomllib.loads((HERE / "sources.toml").read_text("utf-8"))
EXPECTED = {
    path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(HERE.glob("*.toml")) if path.stem != "sources"
}


def scheme(source):
    return scheme_file.parse((ADOPTABLE / f"{source}.toml").read_text("utf-8"))


def cases(*, of_worth):
    return [
        pytest.param(source, code, case, id=f"{source}-{code}-{number}")
        for source, blocks in EXPECTED.items()
        for code, block in blocks.items()
        for number, case in enumerate(block["cases"])
        if (code == "worth") is of_worth
    ]


def scored(table, code, *, acts=1, used=None, example=False, **facts):
    """Points of so many acts alike, one after the other on one day, the counters of a first act at `used`."""
    item = next(item for item in table.items if item.code == code)
    told = msgspec.convert({"day": DAY, "minutes": 0, "planned_minutes": 0} | facts, rules.Facts)
    counted = {}
    for key in rules.caps_of(table, item, DAY):
        level = "" if key.item_code else "table_"
        counted[key] = (used or {}).pop(f"{level}{key.scope}_{key.period}", 0)
    assert not used, f"no such cap: {used}"
    points = 0
    for _ in range(acts):
        result = rules.evaluate(table, item, told, counted)
        points += result.points
        for use in result.uses:
            counted[use.key] += use.amount
    return points


@pytest.mark.parametrize(("source", "code", "case"), cases(of_worth=False))
def test_an_item_gives_the_points_that_the_words_of_its_source_say(source, code, case):
    facts = {name: dict(value) if isinstance(value, dict) else value for name, value in case.items()}
    expected = facts.pop("points")

    assert scored(scheme(source), code, **facts) == expected, EXPECTED[source][code]["says"]


@pytest.mark.parametrize(("source", "code", "case"), cases(of_worth=True))
def test_points_are_worth_what_the_source_says(source, code, case):
    assert case["points"] * scheme(source).yuan_per_point_cents == case["cents"]


@pytest.mark.parametrize("source", EXPECTED)
def test_every_item_has_cases_and_the_words_of_its_source(source):
    blocks = EXPECTED[source]

    assert {item.code for item in scheme(source).items} == blocks.keys() - {"worth"}
    assert all(block["says"] and block["cases"] for block in blocks.values())


def test_no_file_stands_for_a_source_that_is_not_listed():
    assert EXPECTED.keys() == {path.stem for path in ADOPTABLE.glob("*.toml")}
    assert SOURCES.keys() >= EXPECTED.keys()
