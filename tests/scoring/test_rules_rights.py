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
        "取消最低生活保障", "停发退休金", "失业保险不再受理", "不发残疾人生活补助", "取消残疾人两项补贴",
        "扣减粮食直补",
        "不办居住登记", "居住证缓办", "参军政审从严", "停供水电", "停水停电", "不供电", "廉租房清退", "影响子女学籍",
        "积分不到 60 分的取消低保，不影响其他家庭", "取消低保，与其他家庭无关", "取消低保，不涉及医保",
        "不影响兑换，低保从严", "不影响其他家庭、低保取消", "不影响低保、停发养老金", "本户停发，不影响其他家庭的低保",
        "取消低保与邻居无关", "并非不影响低保", "不影响村容的才能申请低保", "与志愿服务无关的手续缓办",
    ],
)  # fmt: skip
def test_no_consequence_touches_a_statutory_benefit(consequence):
    assert "benefit" in keys(a_table(an_item(), consequences=(consequence,)))


@pytest.mark.parametrize(
    "words",
    [
        "不影响低保", "积分清零，不影响低保、医保、入学等依法享有的待遇", "与低保无关", "积分与低保、医保一律不挂钩",
        "低保与积分高低无关", "低保不与积分挂钩", "低保等待遇不受影响", "暂停兑换三个月（不影响医保报销）",
        "不影响低保但三个月不能兑换", "三个月不能兑换；不影响本人的养老金", "取消评优，不涉及社保。",
        "只留基础分，不影响其他家庭",
    ],
)  # fmt: skip
def test_a_clause_may_say_that_a_benefit_stays(words):
    table = a_table(an_item(), consequences=(words,), vetoes=(words,), redeem=words, levels_words=words)
    assert "benefit" not in keys(table)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("redeem", "积分不到 60 分的，不再为其办理居住登记"), ("levels_words", "末等的家庭低保年审不通过"),
        ("approval", "取消低保，不影响其他家庭"), ("appeal", "逾期的取消其本人以及家庭全部成员享受的低保"),
    ],
)  # fmt: skip
def test_no_free_words_take_a_benefit_away(field, words):
    assert "benefit" in keys(a_table(an_item(), **{field: words}))


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
        ("name", "减少水电浪费"), ("name", "不乱停电动车"), ("name", "停水停电时给老人送水"), ("name", "动员参军入伍"),
        ("name", "陪老人办居住登记"), ("name", "爱护供水设施"),
    ],
)  # fmt: skip
def test_what_is_honest_may_be_said(field, words):
    table = a_table(an_item(), **{field: words}) if field == "consequences" else a_table(an_item(**{field: words}))
    assert not keys(table) & {"benefit", "paid_silence", "deduction_rights"}
