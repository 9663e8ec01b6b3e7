"""The JSON Schema of scoring table files: what its numbers, lengths and patterns refuse, the checker refuses too."""

import re
import tomllib
from copy import deepcopy
from functools import reduce
from operator import getitem

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.kit.paths import seed_dir
from pointsbank.scoring import rules, scheme_file, scheme_schema

FILES = sorted((seed_dir() / "scoring").rglob("*.toml"))
DEFS = scheme_schema.schema()["$defs"]
LIMITS = ("minimum", "maximum", "maxLength", "pattern")
ITEM = {"category": "测试类", "basis": "per_time", "points": 5, "evidence": "照片"}
DUE = {"ground": "测试依据", "make_good": "测试补救"}
FULL = {
    "name": "测试表",
    "place": "测试社区",
    "document": "测试办法",
    "kind": "service_hours",
    "validity": {"kind": "months", "months": 18},
    "caps": [{"scope": "person", "period": "year", "points": 900}],
    "multipliers": [{"name": "夜里", "percent": 150, "from": "22:00", "to": "06:00"}],
    "base": {"points": 60},
    "levels": [{"name": "一星", "from_minutes": 600, "benefits": "测试徽章"}],
    "veto_rules": [{"code": "V01", "name": "借卡", "consequence": "no_redemption", "bar_months": 3, **DUE}],
    "consequences": ["测试后果"],
    "items": [
        ITEM
        | {
            "code": "A01",
            "name": "测试甲项",
            "increments": [{"measure": "quantity", "above": 5, "every": 10, "points": 1}],
            "streak": {"length": 7, "points": 4},
            "hours": {"from": "06:00", "to": "22:00"},
            "review": ["panel"],
            "panel": {"members": 5, "agree": 3},
        },
        {key: value for key, value in ITEM.items() if key != "points"}
        | {"code": "A02", "name": "测试乙项", "basis": "per_level", "levels": [{"name": "一级", "points": 5}]},
        ITEM | {"code": "A03", "name": "测试丙项", "basis": "full_score", "faults": [{"name": "乱放", "points": 1}]},
        ITEM | {"code": "D01", "name": "乱堆乱放", "deduction": True, "process": {"within_months": 12}, **DUE},
    ],
}
PLACES = {
    "Table": (),
    "Item": ("items", 0),
    "Validity": ("validity",),
    "Cap": ("caps", 0),
    "Multiplier": ("multipliers", 0),
    "Base": ("base",),
    "Star": ("levels", 0),
    "Veto": ("veto_rules", 0),
    "Increment": ("items", 0, "increments", 0),
    "Streak": ("items", 0, "streak"),
    "Hours": ("items", 0, "hours"),
    "Panel": ("items", 0, "panel"),
    "Level": ("items", 1, "levels", 0),
    "Finding": ("items", 2, "faults", 0),
    "Process": ("items", 3, "process"),
}
LIMITED = [
    (name, key, told)
    for name, part in DEFS.items()
    for key, told in part.get("properties", {}).items()
    if any(limit in piece for piece in (told, told.get("items", {})) for limit in LIMITS)
]


def changed(name, key, value):
    """The full table with another value at one place, as a file."""
    data = deepcopy(FULL)
    reduce(getitem, PLACES[name], data)[key] = value
    return scheme_file.write(msgspec.convert(data, rules.Table))


def is_refused(told, value):
    """Whether a limit that stands here forbids the value."""
    if isinstance(value, str):
        return len(value) > told.get("maxLength", len(value)) or not re.search(told.get("pattern", ""), value)
    return not told.get("minimum", value) <= value <= told.get("maximum", value)


def outside(told):
    """Values just beyond each limit."""
    found = {"minimum": told.get("minimum", 0) - 1, "maximum": told.get("maximum", 0) + 1}
    found |= {"maxLength": "字" * (told.get("maxLength", 0) + 1), "pattern": " "}
    return [value for limit, value in found.items() if limit in told]


def refused_in(value, told):
    """What the schema refuses in a whole table."""
    for one in (told, *told.get("anyOf", ())):
        if "$ref" in one:
            told = DEFS[one["$ref"].rpartition("/")[2]]
    if isinstance(value, dict):
        for key, part in value.items():
            yield from refused_in(part, told["properties"][key])
    elif isinstance(value, list):
        for part in value:
            yield from refused_in(part, told["items"])
    elif is_refused(told, value):
        yield value


def test_the_full_table_is_whole_and_every_piece_with_a_limit_stands_in_it():
    assert scheme_file.check(changed("Table", "name", "测试表")) == []
    assert {name for name, _, _ in LIMITED} == PLACES.keys()
    assert list(refused_in(FULL, DEFS["Table"])) == []


@pytest.mark.parametrize(("name", "key", "told"), LIMITED, ids=[f"{name}.{key}" for name, key, _ in LIMITED])
def test_what_a_limit_refuses_the_checker_refuses(name, key, told):
    is_list = told.get("type") == "array"
    wrong = outside(told["items"] if is_list else told)

    assert wrong
    for value in wrong:
        assert scheme_file.check(changed(name, key, [value] if is_list else value)) != [], value


@given(st.data())
def test_a_number_is_out_of_range_for_both_or_for_none(data):
    numbers = [each for each in LIMITED if "minimum" in each[2] and each[0] != "Validity"]
    name, key, told = data.draw(st.sampled_from(numbers))
    span = st.integers(told["minimum"] - 3, told["maximum"] + 3)
    value = data.draw(
        st.sampled_from([told["minimum"] - 1, told["minimum"], told["maximum"], told["maximum"] + 1]) | span
    )

    messages = [problem.message for problem in scheme_file.check(changed(name, key, value))]

    if name != "Cap" or key == "points":  # of the others there would be two in one cap
        assert any("，应在" in message for message in messages) == is_refused(told, value), messages


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_we_ship_is_within_the_schema(path):
    assert list(refused_in(tomllib.loads(path.read_text("utf-8")), DEFS["Table"])) == []
