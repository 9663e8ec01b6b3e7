"""Which tables cannot be adopted, and how two versions differ."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given

from pointsbank.scoring import rules
from pointsbank.scoring.rules import Basis, Cap, Item, Period, Rounding, Scope, Table, TableKind, Validity, ValidityKind
from pointsbank.scoring.rules_table import (
    PARTS,
    Base,
    Combine,
    Doer,
    Ends,
    EvidenceKind,
    Finding,
    Hours,
    Increment,
    Level,
    Multiplier,
    Panel,
    Process,
    Reviewer,
    Star,
    Streak,
    Submitter,
    Veto,
)
from tests.scoring.builders import a_table, an_item, some_facts, tables

CARRIED = {"rounding": Rounding.EXACT, "remainder": "carry"}
MANY = tuple(Multiplier(f"第{number}种", 101, "22:00", "06:00") for number in range(6))
LEVELS = {"basis": Basis.PER_LEVEL, "points": None}
MET = {"basis": Basis.PER_CONDITIONS, "points": None, "conditions": ("门前干净", "垃圾分类")}
FULL = {"basis": Basis.FULL_SCORE, "points": 10}


@given(tables())
def test_the_tables_of_these_tests_have_no_faults(table):
    assert rules.faults(table) == []


DUE = {
    "deduction": True, "basis": Basis.PER_TIME, "process": Process(), "ground": "居民公约第三条", "make_good": "搬走",
}  # fmt: skip


def test_a_deduction_that_advises_and_warns_first_can_be_published():
    assert rules.faults(a_table(an_item(), an_item(code="K01", name="楼道堆物", **DUE))) == []
    levels = {"basis": Basis.PER_LEVEL, "points": None, "levels": (Level("轻微", 2), Level("严重", 8))}
    assert rules.faults(a_table(an_item(), an_item(code="K01", name="楼道堆物", **DUE | levels))) == []
    assert rules.faults(a_table(an_item(), an_item(code="K01", name="楼道堆物", **DUE | {"range_max": 9}))) == []


@pytest.mark.parametrize(
    ("changes", "field", "key"),
    [
        ({"code": "a1"}, "code", "code"),
        ({"code": "A1２"}, "code", "code"),
        ({"name": " "}, "name", "text"),
        ({"name": "打扫\n楼道"}, "name", "text"),
        ({"name": "字" * 61}, "name", "text"),
        ({"category": ""}, "category", "text"),
        ({"evidence": ""}, "evidence", "text"),
        ({"points": -1}, "points", "out_of_range"),
        ({"points": 100_001}, "points", "out_of_range"),
        ({"points": 5, "range_max": 5}, "range_max", "range"),
        ({"range_max": 100_001}, "range_max", "out_of_range"),
        ({"block_minutes": 0}, "block_minutes", "out_of_range"),
        ({"block_minutes": 1441}, "block_minutes", "out_of_range"),
        ({"minutes_min": -1}, "minutes_min", "out_of_range"),
        ({"minutes_max_per_act": 1441}, "minutes_max_per_act", "out_of_range"),
        ({"minutes_max_per_act": 59}, "minutes_max_per_act", "never_a_block"),
        ({"minutes_max_per_act": 60, "minutes_min": 61}, "minutes_max_per_act", "never_long_enough"),
        ({"basis": Basis.PER_TIME, "minutes_max_per_act": 60}, "minutes_max_per_act", "not_for_basis"),
        ({"basis": Basis.PER_ITEM, "rounding": Rounding.UP}, "rounding", "not_for_basis"),
        ({"share_min_percent": 101}, "share_min_percent", "out_of_range"),
        ({"quantity_min": 0}, "quantity_min", "out_of_range"),
        ({"multiplier_percent": 0}, "multiplier_percent", "out_of_range"),
        ({"basis": Basis.PER_TIME, "block_metres": 50}, "block_metres", "not_for_basis"),
        ({"levels": (Level("一星", 5),)}, "levels", "not_for_basis"),
        ({"basis": Basis.PER_LEVEL, "points": None}, "levels", "for_basis"),
        ({"basis": Basis.PER_LEVEL, "levels": (Level("一星", 5),)}, "points", "points_elsewhere"),
        (LEVELS | {"levels": (Level("一星", 5), Level("一星", 6))}, "levels", "duplicate_name"),
        (LEVELS | {"levels": (Level("一星", -1),)}, "levels", "out_of_range"),
        (LEVELS | {"levels": (Level("一星"),)}, "levels", "value_unknown"),
        (MET | {"points_by_met": (1, 2, 4)}, "points_by_met", "points_by_met"),
        (MET | {"points_by_met": (2, 1)}, "points_by_met", "points_by_met"),
        (MET | {"points_by_met": ()}, "points_by_met", "value_unknown"),
        (FULL | {"faults": (Finding("乱堆", -5),)}, "faults", "out_of_range"),
        (FULL | {"faults": (Finding("上访", 5),)}, "faults", "deduction_rights"),
        (FULL | {"faults": (Finding("不参加大扫除", 5),)}, "faults", "deduction_not_volunteering"),
        ({"points": None}, "points", "value_unknown"),
        ({"points": None, "range_max": 5}, "range_max", "range_unpriced"),
        ({"increments": (Increment("metres", 500, 0, 1),)}, "increments", "out_of_range"),
        ({"minutes_max_per_act": 60, "increments": (Increment("minutes", 60, 10, 1),)}, "increments", "never_over"),
        ({"hours": Hours("6:00", "22:00")}, "hours", "clock"),
        ({"hours": Hours("22:00", "22:00")}, "hours", "clock"),
        ({"multipliers": (Multiplier("夜间", -1, "22:00", "06:00"),)}, "multipliers", "out_of_range"),
        ({"multipliers": (Multiplier("夜间", 150, "22:00", "24:00"),)}, "multipliers", "clock"),
        ({"multipliers": (Multiplier("夜间", 150, "22:00"),)}, "multipliers", "half_window"),
        ({"notice_days": 31}, "notice_days", "out_of_range"),
        ({"validity": Validity(ValidityKind.MONTHS, 0)}, "validity", "out_of_range"),
        ({"submit": ()}, "submit", "submit"),
        ({"evidence_kinds": ("photo", "photo")}, "evidence_kinds", "evidence_kinds"),
        ({"panel": Panel(5, 3)}, "panel", "panel"),
        ({"review": ("organiser", "panel")}, "panel", "panel_size"),
        ({"ground": "村规民约第三条"}, "ground", "only_deduction"),
        ({"deduction": True, "process": Process(within_months=0)}, "process", "out_of_range"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY),)}, "caps", "cap_counts"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY, 5, times=1),)}, "caps", "cap_counts"),
        ({"caps": (Cap(Scope.PERSON, Period.ACT, minutes=60),)}, "caps", "cap_act"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY, 6), Cap(Scope.PERSON, Period.MONTH, 5))}, "caps", "cap_above"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY, 50), Cap(Scope.HOUSEHOLD, Period.MONTH, 10))}, "caps", "cap_above"),
        ({"basis": Basis.PER_TIME, "caps": (Cap(Scope.PERSON, Period.DAY, minutes=60),)}, "caps", "not_for_basis"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY, 6), Cap(Scope.HOUSEHOLD, Period.DAY, 5))}, "caps", "cap_above"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY, 0),)}, "caps", "out_of_range"),
        ({"caps": (Cap(Scope.HOUSEHOLD, Period.ACT, 5),)}, "caps", "act_scope"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY, 5), Cap(Scope.PERSON, Period.DAY, 6))}, "caps", "duplicate_cap"),
        ({"review": ()}, "review", "review"),
        ({"review": ("organiser", "organiser")}, "review", "review"),
        ({"deduction": True}, "deduction", "deduction"),
        (CARRIED | {"multipliers": MANY}, "remainder", "carry_parts"),
        (DUE | {"process": Process(advice=0)}, "deduction", "deduction"),
        (DUE | {"process": Process(warnings=0)}, "deduction", "deduction"),
        (DUE | {"ground": ""}, "deduction", "deduction"),
        (DUE | {"make_good": ""}, "deduction", "deduction"),
        (DUE | {"basis": Basis.PER_MINUTES}, "deduction", "deduction_counts"),
        (DUE | {"metres_min": 5}, "deduction", "deduction_counts"),
        (DUE | {"multiplier_percent": 300}, "deduction", "deduction_counts"),
        (DUE | {"hours": Hours("22:00", "06:00")}, "deduction", "deduction_counts"),
        (DUE | {"name": "越级上访"}, "deduction", "deduction_rights"),
        (DUE | {"make_good": "不补就取消低保"}, "name", "benefit"),
        (CARRIED | {"rounding": Rounding.DOWN}, "remainder", "carry"),
        (CARRIED | {"basis": Basis.PER_TIME, "rounding": Rounding.DOWN}, "remainder", "carry_whole"),
        (CARRIED | {"end_rounding": "up"}, "end_rounding", "carry_rounding"),
        ({"streak": Streak(7)}, "streak", "streak"),
        ({"streak": Streak(7, percent=100)}, "streak", "out_of_range"),
        ({"streak": Streak(7, 4, period=Period.ACT)}, "streak", "streak_period"),
        ({"review": ("panel",), "panel": Panel(5, 2)}, "panel", "panel_majority"),
        ({"deduction": True, "name": "越级上访"}, "deduction", "deduction_rights"),
        ({"deduction": True, "name": "恶意投诉社区"}, "deduction", "deduction_rights"),
        ({"deduction": True, "name": "无故不参加大扫除"}, "deduction", "deduction_not_volunteering"),
        ({"deduction": True, "name": "未参与志愿服务"}, "deduction", "deduction_not_volunteering"),
        ({"name": "全年零上访"}, "name", "paid_silence"),
        ({"name": "主动撤回投诉"}, "name", "paid_silence"),
        ({"name": "分低的取消低保"}, "name", "benefit"),
        ({"book_kind": "荣誉"}, "book_kind", "book_kind"),
    ],
)
def test_an_item_that_cannot_be_is_named_with_its_code_and_field(changes, field, key):
    item = an_item(**changes)

    found = rules.faults(a_table(item))

    assert (item.code, field, key) in [(fault.item_code, fault.field, fault.key) for fault in found]
    assert {fault.key for fault in found} <= {
        key,
        "deduction",
    }
    assert found[0].text.startswith(f"{item.code}：")


def a_veto(**changes) -> Veto:
    usual = Veto("V01", "私搭乱建", "no_redemption", 3, ground="居民公约第五条", make_good="拆掉")
    return msgspec.structs.replace(usual, **changes)


@pytest.mark.parametrize(
    ("changes", "field", "key"),
    [
        ({"name": ""}, "name", "text"),
        ({"place": "\u200b"}, "place", "text"),
        ({"document": ""}, "document", "text"),
        ({"unit_name": "一二三四五六七"}, "unit_name", "text"),
        ({"notes": ("",)}, "notes", "text"),
        ({"decimals": 1}, "decimals", "main_has_no_decimals"),
        ({"notice_days": 31}, "notice_days", "out_of_range"),
        ({"yuan_per_point_cents": 0}, "yuan_per_point_cents", "out_of_range"),
        ({"validity": Validity(ValidityKind.MONTHS, 0)}, "validity", "out_of_range"),
        ({"validity": Validity(ValidityKind.YEAR_END, 3)}, "validity", "months"),
        ({"validity": Validity(ValidityKind.YEARS, years=11)}, "validity", "out_of_range"),
        ({"validity": Validity(ValidityKind.YEAR_END, years=3)}, "validity", "years"),
        ({"balance_max": 0}, "balance_max", "out_of_range"),
        ({"base": Base(-1)}, "base", "out_of_range"),
        ({"levels": (Star("一星"),)}, "levels", "star"),
        ({"levels": (Star("一星", -1),)}, "levels", "out_of_range"),
        ({"levels": (Star("一星", 1, benefits="不满不给低保"),)}, "levels", "benefit"),
        ({"vetoes": ("一票否决的，取消低保",)}, "vetoes", "benefit"),
        ({"approval": "字" * 301}, "approval", "text"),
        ({"veto_rules": (a_veto(code="V"),)}, "veto_rules", "code"),
        ({"veto_rules": (a_veto(), a_veto())}, "veto_rules", "duplicate_code"),
        ({"veto_rules": (a_veto(code="A01"),)}, "veto_rules", "duplicate_code"),
        ({"veto_rules": (a_veto(name=""),)}, "veto_rules", "text"),
        ({"veto_rules": (a_veto(bar_months=0),)}, "veto_rules", "out_of_range"),
        ({"veto_rules": (a_veto(bar_months=None),)}, "veto_rules", "veto_months"),
        ({"veto_rules": (a_veto(consequence="reset_to_base"),), "base": Base(1)}, "veto_rules", "veto_months"),
        ({"veto_rules": (a_veto(consequence="reset_to_base", bar_months=None),)}, "veto_rules", "veto_base"),
        ({"veto_rules": (a_veto(ground=""),)}, "veto_rules", "veto"),
        ({"veto_rules": (a_veto(make_good=""),)}, "veto_rules", "veto"),
        ({"veto_rules": (a_veto(name="越级上访"),)}, "veto_rules", "veto_rights"),
        ({"veto_rules": (a_veto(name="三次不参加志愿活动"),)}, "veto_rules", "veto_not_volunteering"),
        ({"veto_rules": (a_veto(make_good="不补回的停发低保"),)}, "veto_rules", "benefit"),
        ({"caps": (Cap(Scope.PERSON, Period.DAY, 0),)}, "caps", "out_of_range"),
        ({"consequences": ("减分在申请低保、办手续时作一定限制",)}, "consequences", "benefit"),
        ({"items": ()}, "items", "no_items"),
        ({"items": (an_item(), an_item(name="另一项"))}, "code", "duplicate_code"),
    ],
)
def test_a_table_that_cannot_be_is_named_with_its_field(changes, field, key):
    found = rules.faults(a_table(**changes))

    assert [(fault.field, fault.key) for fault in found] == [(field, key)]
    assert found[0].text


@pytest.mark.parametrize("name", ["举报不文明行为", "帮老人办手续", "反诈宣传", "调解邻里纠纷", "陪同就医和取药"])
def test_good_deeds_that_touch_such_words_can_be_entered(name):
    assert rules.faults(a_table(an_item(name=name))) == []


def test_a_kind_of_passbook_that_is_not_there_is_named():
    table = a_table(an_item(), an_item(code="A02", book_kind="honour"))

    found = rules.faults(table, {"points"})

    assert [(fault.item_code, fault.field, fault.key) for fault in found] == [("A02", "book_kind", "unknown_kind")]
    assert rules.faults(table, {"points", "honour"}) == rules.faults(table) == []


def test_every_fault_has_a_test_that_meets_it():
    marks = [
        mark
        for test in (
            test_an_item_that_cannot_be_is_named_with_its_code_and_field,
            test_a_table_that_cannot_be_is_named_with_its_field,
        )
        for mark in test.pytestmark
    ]
    assert {case[2] for mark in marks for case in mark.args[1]} | {
        "unknown_kind",
        "multiplier_twice",
        "cap_above_table",
    } == set(rules.FAULTS)


@pytest.mark.parametrize(
    ("item", "of_table"),
    [
        ({"multiplier_percent": 150}, {}),
        ({"multipliers": (Multiplier("难度高", 150),)}, {}),
        ({}, {"multipliers": (Multiplier("难度高", 150),)}),
        ({"streak": Streak(3, percent=150)}, {}),
    ],
)
def test_a_rest_is_carried_wherever_a_percent_leaves_one(item, of_table):
    for basis in (Basis.PER_MINUTES, Basis.PER_TIME):
        table = a_table(an_item(basis=basis, remainder="carry", **item), **of_table)
        assert rules.faults(table) == []

        facts = some_facts(minutes=60, marks=("难度高",), streak=3)
        acts = [rules.PastAct("A01", facts, 1, 1, 1)] * 2
        assert [result.points for result in rules.replay(table, acts)] == [1, 2]


@pytest.mark.parametrize("percent", [100, 200])
def test_percents_that_leave_nothing_over_carry_nothing(percent):
    times = an_item(basis=Basis.PER_TIME, remainder="carry", multipliers=(Multiplier("难度高", percent),))
    hours = msgspec.structs.replace(times, basis=Basis.PER_MINUTES)

    assert [fault.key for item in (times, hours) for fault in rules.faults(a_table(item))] == ["carry_whole", "carry"]


def test_a_multiplier_of_the_table_is_not_an_items_own_as_well():
    hard = Multiplier("难度高", 150)
    item = an_item(multipliers=(Multiplier("夜间", 150, "22:00", "06:00"), hard))

    (found,) = rules.faults(a_table(item, multipliers=(hard,)))

    assert (found.item_code, found.field, found.key, found.entry) == ("A01", "multipliers", "multiplier_twice", 2)
    assert found.text == "A01：系数“难度高”整张表里也有，勾一次会乘两次。请留一处。"
    deduction = msgspec.structs.replace(item, deduction=True)
    assert "multiplier_twice" not in [fault.key for fault in rules.faults(a_table(deduction, multipliers=(hard,)))]


# --- how two versions differ


def test_differences_name_what_was_added_changed_and_ended():
    old = a_table(an_item(), an_item(code="B01", name="旧的一项"))
    new = a_table(
        an_item(points=2, caps=(Cap(Scope.PERSON, Period.DAY, 6),)), an_item(code="C01", name="新的一项"), notice_days=3
    )

    found = [
        (each.code, each.name, each.what, [(change.field, change.old, change.new) for change in each.changes])
        for each in rules.differences(old, new)
    ]

    assert found == [
        ("", "测试积分表", "changed", [("notice_days", "", "3")]),
        ("A01", "打扫楼道", "changed", [("points", "1 分", "2 分"), ("caps", "", "每人每天最多 6 分")]),
        ("C01", "新的一项", "added", []),
        ("B01", "旧的一项", "ended", []),
    ]


def test_a_veto_is_told_with_its_consequence_ground_and_way_out():
    vetoes = (a_veto(), a_veto(code="V02", name="冒领积分", consequence="reset_to_base", bar_months=None))

    (found,) = rules.differences(a_table(), a_table(veto_rules=vetoes))

    told = (
        "V01 私搭乱建：告知以后 3 个月不能兑换。依据：居民公约第五条。补救：拆掉；"
        "V02 冒领积分：只留基础分，其余收回。依据：居民公约第五条。补救：拆掉"
    )
    assert [(change.field, change.new) for change in found.changes] == [("veto_rules", told)]


def test_a_first_table_is_all_new_and_an_unchanged_one_differs_in_nothing():
    table = a_table(an_item(), an_item(code="B01"))

    assert [each.what for each in rules.differences(None, table)] == ["added", "added"]
    assert rules.differences(table, table) == ()


@given(tables(), tables())
def test_tables_differ_in_nothing_only_when_they_say_the_same(old, new):
    def content(table):
        return msgspec.structs.replace(table, items=tuple(sorted(table.items, key=lambda item: item.code)))

    assert (rules.differences(old, new) == ()) == (content(old) == content(new))


def test_every_field_has_a_label_and_every_choice_a_word():
    fields = {name for struct in (Table, Item, *PARTS) for name in struct.__struct_encode_fields__}
    chosen = [get_args(kind) for kind in (Combine, Ends, Reviewer, Submitter, EvidenceKind, Doer)]

    assert fields == set(rules.FIELD_LABELS)
    for kind in (Basis, Rounding, Scope, Period, TableKind, ValidityKind, *chosen):
        assert all(choice in rules.WORDS for choice in kind)


def test_a_cap_of_an_item_that_lies_above_the_tables_is_never_reached():
    item = an_item(caps=(Cap(Scope.PERSON, Period.DAY, 50), Cap(Scope.PERSON, Period.MONTH, 90)))
    of_table = (Cap(Scope.PERSON, Period.DAY, 10), Cap(Scope.PERSON, Period.MONTH, 100))

    found = [(fault.item_code, fault.key, fault.entry) for fault in rules.faults(a_table(item, caps=of_table))]

    assert found == [("A01", "cap_above_table", 1)]
    assert rules.faults(a_table(item, caps=of_table))[0].text == (
        "A01：每人每天最多 50 分，比整张表的上限（每人每天最多 10 分）还多，永远用不到。请改小或删去。"
    )
    assert rules.faults(a_table(an_item(book_kind="honour", caps=item.caps), caps=of_table)) == []
