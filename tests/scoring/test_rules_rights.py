"""Points touch no right, no statutory benefit, and nobody's freedom to volunteer or not."""

import pytest

from pointsbank.scoring import rules_faults
from pointsbank.scoring.rules_table import Basis, Process, Veto
from tests.scoring.builders import a_table, an_item

DUE = {
    "basis": Basis.PER_TIME, "deduction": True, "process": Process(1, 1, 12), "ground": "居民公约第三条",
    "make_good": "参加一次清洁",
}  # fmt: skip


def keys(table) -> set[str]:
    return {fault.key for fault in rules_faults.faults(table)}


@pytest.mark.parametrize(
    "consequence",
    [
        "不再享受低保", "停止办理低保", "低保申请从严审核", "不办理任何村里手续", "不开具证明", "减少高龄津贴",
        "不享受医保报销", "延迟发放养老金", "缓交宅基地审批", "停发土地流转分红", "子女不能上幼儿园", "优先办理低保",
    ],
)  # fmt: skip
def test_no_consequence_touches_a_statutory_benefit(consequence):
    assert "benefit" in keys(a_table(an_item(), consequences=(consequence,)))


@pytest.mark.parametrize("field", ["redeem", "levels_words", "expiry_words", "approval"])
def test_nor_does_what_is_said_of_the_table_elsewhere(field):
    assert "benefit" in keys(a_table(an_item(), **{field: "低于60分的取消低保资格"}))
    assert "benefit" not in keys(a_table(an_item(), **{field: "积分高低不影响低保待遇"}))


def test_no_veto_takes_a_benefit_away():
    veto = Veto("V01", "全家取消分红", "no_redemption", bar_months=3, ground="公约", make_good="参加清洁")
    assert "benefit" in keys(a_table(an_item(), veto_rules=(veto,)))


@pytest.mark.parametrize(
    "name",
    [
        "缠访闹访", "集访", "赴省进京", "拨打12345", "越级反映问题", "向媒体反映", "在群里发牢骚", "网上发帖抹黑本村",
        "不配合征地拆迁",
    ],
)  # fmt: skip
def test_nobody_pays_for_using_a_right(name):
    assert "deduction_rights" in keys(a_table(an_item(name=name, **DUE)))


@pytest.mark.parametrize("name", ["不来开会", "逃避集体劳动", "拒不出工"])
def test_nobody_pays_for_not_taking_part(name):
    assert "deduction_not_volunteering" in keys(a_table(an_item(name=name, **DUE)))


@pytest.mark.parametrize("name", ["家庭无缠访", "一年不打12345"])
def test_silence_is_not_bought(name):
    assert "paid_silence" in keys(a_table(an_item(name=name)))


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("name", "帮老人补办身份证，不能走动的上门"), ("name", "陪老人就医"), ("evidence", "村委会证明"),
        ("name", "未来社区建设建议"), ("consequences", ("积分清零，不影响低保等待遇",)),
    ],
)  # fmt: skip
def test_what_is_honest_may_be_said(field, words):
    table = a_table(an_item(), **{field: words}) if field == "consequences" else a_table(an_item(**{field: words}))
    assert not keys(table) & {"benefit", "paid_silence", "deduction_rights"}
