"""No published scheme is left out, and no file leaves out what its source states, or hides what it does not say.

`schemes/sources.toml` has what each source states, item by item and rule by rule, in short.
"""

import re

import pytest

from pointsbank.ledger.rules import MAIN
from pointsbank.scoring import rules, scheme_file
from tests.scoring.published import ADOPTABLE, FOLDERS, PUBLISHED, REFUSED, SOURCES, plain, scheme, whole

SILENT = "出处没有写："
RULES = {
    "expiry": "有效期",
    "redemption_ratio": "折合",
    "publicity_days": "公示天数",
    "appeal": "申诉",
    "approval_chain": "审核",
    "base_points": "基础分",
    "levels": "等级",
}
FILES = [path for folder in FOLDERS for path in sorted(folder.glob("*.toml"))]


def clauses(source):
    stated = [words for words in source["rules"].values() if isinstance(words, str)]
    for item in source.get("items", ()):
        stated += [item[name] for name in ("name", "category", "cap", "condition") if name in item]
    return [clause for words in stated for clause in re.split("[;。]", words) if clause]


@pytest.mark.parametrize("source", SOURCES)
def test_every_clause_of_a_source_stands_in_its_file(source):
    path = whole(source)
    words = plain(path.read_text("utf-8") + "".join(f"{level.name}{level.benefits}" for level in scheme(path).levels))

    assert [clause for clause in clauses(SOURCES[source]) if plain(clause) not in words] == []


@pytest.mark.parametrize("source", SOURCES)
def test_a_file_says_where_its_source_is_silent(source):
    table, stated = scheme(whole(source)), SOURCES[source]["rules"]
    silent = next(note for note in table.notes if note.startswith(SILENT))

    assert [label for rule, label in RULES.items() if rule not in stated and label not in silent] == []
    assert not {RULES[rule] for rule in stated.keys() & RULES.keys()} & set(re.split("[：、；。，]", silent))
    assert ("积分项" in silent) == ("items" not in SOURCES[source] or source == "yuyao-moral-bank")


def unit(item):
    """What an item counts, as the sources put it."""
    match item.basis:
        case rules.Basis.PER_MINUTES:
            return {1: "per minute", 60: "per hour", 240: "per 4 hours"}[item.block_minutes]
        case rules.Basis.PER_ITEM:
            return "per person" if item.counted == "人" else "per item"
    once = [cap.period for cap in item.caps if cap.times == 1 or cap.points == item.points]
    return f"per {once[0]}" if once else "per time"


def is_carried(stated, table):
    name = plain(stated["name"])
    for item in table.items:
        carries = name in plain(item.name + item.says) or plain(item.name) in name
        if carries and stated["category"] in (item.category, item.category.translate(str.maketrans("（）", "()"))):
            for increment in item.increments:
                if stated.get("unit") == f"per {increment.every} m":
                    return increment.points == stated["points"]
            value = item.points_min_per_act or None if item.points is None else item.points
            if value == stated.get("points") and item.deduction == stated.get("deduction", False):
                return stated.get("unit", unit(item)) in (unit(item), "per category")
    is_void = stated.get("deduction", False) and "points" not in stated
    return is_void and any(
        name == plain(multiplier.name) and multiplier.percent == 0
        for item in table.items
        for multiplier in item.multipliers
    )


@pytest.mark.parametrize("source", SOURCES)
def test_every_item_of_a_source_is_carried_with_its_value_and_unit(source):
    table = scheme(whole(source))

    assert [item["name"] for item in SOURCES[source].get("items", ()) if not is_carried(item, table)] == []


@pytest.mark.parametrize("source", SOURCES)
def test_the_numbers_of_the_rules_are_numbers_of_the_file(source):
    table, stated = scheme(whole(source)), SOURCES[source]["rules"]

    assert table.notice_days == stated.get("publicity_days")
    assert (table.base.points if table.base else None) == stated.get("base_points")
    assert (table.yuan_per_point_cents is not None) == bool(re.search("积?分=1元", stated.get("redemption_ratio", "")))
    assert (table.validity == rules.Validity()) == (not re.search("三年|自然年|不可跨年", stated.get("expiry", "")))


def test_every_source_has_a_file_and_every_file_a_source():
    assert len(SOURCES) == 48
    assert {path.stem for path in FILES} == SOURCES.keys()


def test_what_can_be_adopted_has_no_fault_and_what_has_one_lies_apart():
    for path in FILES:
        faults = rules.faults(scheme(path), book_kinds={MAIN})
        assert bool(faults) == (path.parent != ADOPTABLE), (path, faults)


# No items, no value, no word of advice and warning; and a kind of passbook that a community has to open first.
LEFT_OPEN = {"no_items", "value_unknown", "deduction", "unknown_kind"}


def test_what_is_kept_as_published_can_be_read_and_lacks_nothing_but_what_its_source_leaves_open():
    for path in PUBLISHED.glob("*.toml"):
        table = scheme_file.parse(path.read_text("utf-8"))
        faults = rules.faults(table, book_kinds={MAIN})
        assert {fault.key for fault in faults} <= LEFT_OPEN, (path, faults)


def test_what_was_shortened_to_be_adopted_says_nothing_else():
    shortened = [path for path in ADOPTABLE.glob("*.toml") if whole(path.stem) != path]

    assert len(shortened) == 4
    for path in shortened:
        published = {item.code: item for item in scheme(whole(path.stem)).items}
        for item in scheme(path).items:
            whole_item = published[item.code]
            assert (item.name, item.basis, item.points) == (whole_item.name, whole_item.basis, whole_item.points)
        assert any("published 文件夹" in note for note in scheme(path).notes)


CONTRADICTORY = {"linqing-bishui", "xinyu-wenming-app", "jingyuan-xinqi", "guanghan-youyi"}


def test_where_a_source_contradicts_itself_the_file_says_so_and_which_reading_it_takes():
    told = {
        path.stem
        for path in FILES
        for note in scheme(path).notes
        if note.startswith("出处前后不一：") and "本表" in note
    }
    assert told == CONTRADICTORY


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_file_names_no_web_address_and_has_the_words_of_each_item(path):
    assert not re.search(r"https?:|www\.|\.(com|cn|org|net|gov)\b", path.read_text("utf-8"))
    assert all(item.says for item in scheme(path).items)


def test_against_rights_are_two():
    assert sorted(path.stem for path in REFUSED.glob("*.toml")) == ["party-deduction-sheet", "yinchuan-zhangzheng"]
