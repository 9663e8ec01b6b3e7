"""The words of a scoring table: what its fields and choices are called, and how a cell of it is told."""

from collections.abc import Callable
from typing import Any

from pointsbank.ledger.rules import MAIN
from pointsbank.scoring.rules_table import (
    Base,
    Basis,
    Cap,
    Counts,
    Finding,
    Hours,
    Increment,
    Item,
    Level,
    Multiplier,
    Panel,
    Period,
    Process,
    Rounding,
    Scope,
    Star,
    Streak,
    TableKind,
    Validity,
    ValidityKind,
    Veto,
)

Say = Callable[..., str]  # fills a text of this room with its facts; the web translates it first
Write = Callable[[str, int], str]  # an amount of a kind of passbook in words: 「1.5 时间币」

FIELD_LABELS: dict[str, str] = {
    "name": "名称",
    "place": "地方",
    "document": "依据的文件",
    "kind": "类型",
    "items": "积分项",
    "unit_name": "计量名称",
    "passbook": "存折归谁",
    "decimals": "小数位数",
    "notice_days": "公示天数",
    "yuan_per_point_cents": "每分折合（分钱）",
    "validity": "有效期",
    "months": "有效月数",
    "years": "有效年数",
    "caps": "上限",
    "scope": "算谁的",
    "period": "管多久",
    "base": "基础分",
    "balance_max": "存折里最多多少",
    "gate_minutes": "服务满多少分钟才能兑换",
    "levels": "等级",
    "levels_words": "等级的规定",
    "redeem": "兑换的规定",
    "redemption_ratio": "兑换比例（原文）",
    "expiry_words": "有效期（原文）",
    "approval": "审核的规定",
    "appeal": "申诉的规定",
    "vetoes": "一票否决",
    "veto_rules": "照着办的一票否决",
    "consequences": "积分的后果",
    "notes": "说明",
    "code": "编号",
    "category": "类别",
    "basis": "计分方式",
    "points": "分值",
    "evidence": "凭据",
    "range_max": "最高分值",
    "says": "原文",
    "counted": "数量数的是什么",
    "block_minutes": "每满多少分钟",
    "block_metres": "每满多少米",
    "rounding": "零头怎么算",
    "conditions": "条件",
    "points_by_met": "做到几条得几分",
    "faults": "扣减的情形",
    "increments": "递增加分",
    "multiplier_percent": "系数（%）",
    "multipliers": "另外的系数",
    "multipliers_combine": "几个系数同时有时",
    "streak": "连续加分",
    "end_rounding": "最后的零头怎么算",
    "remainder": "零头留不留",
    "points_min_per_act": "一次最少多少分",
    "minutes_min": "最少分钟",
    "minutes_max_per_act": "一次最多计多少分钟",
    "metres_min": "最少米数",
    "share_min_percent": "至少参加活动的（%）",
    "quantity_min": "最少数量",
    "hours": "时段",
    "submit": "谁可以申报",
    "evidence_kinds": "凭据的种类",
    "review": "谁来审核",
    "panel": "评议小组",
    "book_kind": "记入哪种存折",
    "deduction": "扣分项",
    "process": "扣分前的步骤",
    "ground": "依据",
    "make_good": "怎样补回",
    "floor": "扣到多少为止",
    "times": "次数",
    "minutes": "分钟",
    "measure": "按什么递增",
    "above": "超过多少",
    "every": "每满多少",
    "length": "连续几次",
    "percent": "百分比",
    "from": "从几点",
    "to": "到几点",
    "members": "几人",
    "agree": "几人同意",
    "drawn": "随机抽取",
    "advice": "劝导几次",
    "warnings": "警告几次",
    "within_months": "多少个月内",
    "each": "多久一次",
    "redeemable": "可以兑换",
    "spend_above": "超过多少才能兑换",
    "from_minutes": "从多少分钟起",
    "from_points": "从多少分起",
    "benefits": "礼遇",
    "consequence": "后果",
    "bar_months": "几个月不能兑换",
}
WORDS: dict[str, str] = {
    Basis.PER_MINUTES: "按时长",
    Basis.PER_TIME: "按次",
    Basis.PER_ITEM: "按数量",
    Basis.PER_DISTANCE: "按路程",
    Basis.PER_LEVEL: "按等级",
    Basis.PER_CONDITIONS: "按做到几条",
    Basis.FULL_SCORE: "满分往下减",
    Rounding.DOWN: "不满不算",
    Rounding.HALF_UP: "满一半也算",
    Rounding.UP: "不满也算",
    Rounding.EXACT: "按比例算",
    Scope.PERSON: "每人",
    Scope.HOUSEHOLD: "每户",
    Scope.BUILDING: "每栋楼",
    Period.ACT: "每次",
    Period.DAY: "每天",
    Period.WEEK: "每周",
    Period.MONTH: "每月",
    Period.QUARTER: "每季度",
    Period.YEAR: "每年",
    Period.LIFETIME: "累计",
    TableKind.SERVICE_HOURS: "志愿服务时长",
    TableKind.HOUSEHOLD_DEEDS: "家庭好事",
    TableKind.DAILY_PARTICIPATION: "日常参与",
    TableKind.WASTE_SORTING: "垃圾分类",
    TableKind.TIME_BANK: "时间银行",
    ValidityKind.NEVER: "长期有效",
    ValidityKind.MONTH_END: "当月最后一天前有效",
    ValidityKind.YEAR_END: "当年 12 月 31 日前有效",
    ValidityKind.MONTHS: "按月数有效",
    ValidityKind.YEARS: "按年数有效",
    "organiser": "活动组织者",
    "community_admin": "社区管理员",
    "panel": "评议小组",
    "self": "居民自己",
    "grid_worker": "网格员",
    "import": "成批导入",
    "photo": "照片",
    "place": "现场签到",
    "served_person": "受助人确认",
    "document": "材料",
    "team": "团队",
    "product": "相乘",
    "highest": "取最高的",
    "sum": "增加的部分相加",
    "drop": "不留",
    "carry": "留到下次",
    "metres": "米",
    "minutes": "分钟",
    "quantity": "数量",
    "once": "一次",
    "no_redemption": "暂停兑换",
    "reset_to_base": "只留基础分",
}
YES_NO = {True: "是", False: "否"}
CAPS = {
    Counts.POINTS: "{scope}{period}最多 {points}",
    Counts.TIMES: "{scope}{period}最多 {times} 次",
    Counts.MINUTES: "{scope}{period}最多 {minutes} 分钟",
}
MONTHS = "{months} 个月内有效"
YEARS = "{years} 年内有效"
LEVEL = "{name}：{points}"
UNKNOWN = "原文没有写"
INCREMENTS = {
    "minutes": "超过 {above} 分钟后每满 {every} 分钟加 {points}",
    "metres": "超过 {above} 米后每满 {every} 米加 {points}",
    "quantity": "超过 {above} 个后每满 {every} 个加 {points}",
}
STREAK_POINTS = "每连续 {length} 次（{period}一次）加 {points}"
STREAK_PERCENT = "每连续 {length} 次（{period}一次），那一次按 {percent}% 计"
HOURS = "{start} 到 {end}"
MULTIPLIER = "{name} {percent}%"
MULTIPLIER_HOURS = "{name}（{start} 到 {end}）{percent}%"
PANEL = "{members} 人，{agree} 人同意"
EVIDENCE_WANTED = "{evidence}，要有{kinds}"
PANEL_DRAWN = "{members} 人随机抽取，{agree} 人同意"
PROCESS = "先劝导 {advice} 次，再警告 {warnings} 次，{months} 个月内再有才扣分"
PLAIN = "{points} 分"
BASES = {
    None: "基础分 {points}",
    "once": "基础分 {points}，只给一次",
    "month": "基础分 {points}，每月给一次",
    "year": "基础分 {points}，每年给一次",
}
REDEEMABLE = "{base}，可以兑换"
SPEND_ABOVE = "{base}，超过 {above}才能兑换"
STAR_MINUTES = "{name}：服务满 {minutes} 分钟。{benefits}"
STAR_POINTS = "{name}：满 {points}。{benefits}"
VETO_MONTHS = "{code} {name}：告知以后 {months} 个月不能兑换。依据：{ground}。补救：{make_good}"
VETO_RESET = "{code} {name}：只留基础分，其余收回。依据：{ground}。补救：{make_good}"


def shown(value: Any, say: Say = str.format, write: Write | None = None, book_kind: str = MAIN) -> str:
    """A cell of a table in plain words."""
    match value:
        case None:
            return ""
        case bool():
            return say(YES_NO[value])
        case tuple():
            *before, last = [shown(one, say, write, book_kind) for one in value] or [""]
            return say("；").join([*(one.rstrip("。.") for one in before), last])
    told = _TOLD.get(type(value))
    if told is not None:
        of = value.book_kind if isinstance(value, Base) else book_kind
        return told(value, say, lambda points: write(of, points) if write else say(PLAIN, points=points))
    return say(WORDS[value]) if value in WORDS else str(value)


def plainly(_book_kind: str, points: int) -> str:
    """An amount for whoever knows no kinds of passbook."""
    return PLAIN.format(points=points)


def evidence_wanted(item: Item, say: Say) -> str:
    """What the table demands as evidence: in its own words, and the kinds that it names."""
    kinds = [say(WORDS[kind]) for kind in item.evidence_kinds]
    return say(EVIDENCE_WANTED, evidence=item.evidence, kinds=say("、").join(kinds)) if kinds else item.evidence


Amount = Callable[[int], str]


def _cap(cap: Cap, say: Say, amount: Amount) -> str:
    most = amount(cap.most) if cap.counts is Counts.POINTS else cap.most
    return say(CAPS[cap.counts], scope=say(WORDS[cap.scope]), period=say(WORDS[cap.period]), **{cap.counts: most})


def _validity(validity: Validity, say: Say, _amount: Amount) -> str:
    if validity.years:
        return say(YEARS, years=validity.years)
    return say(MONTHS, months=validity.months) if validity.months else say(WORDS[validity.kind])


def _level(level: Level | Finding, say: Say, amount: Amount) -> str:
    return say(LEVEL, name=level.name, points=say(UNKNOWN) if level.points is None else amount(level.points))


def _increment(increment: Increment, say: Say, amount: Amount) -> str:
    facts = {"above": increment.above, "every": increment.every, "points": amount(increment.points)}
    return say(INCREMENTS[increment.measure], **facts)


def _streak(streak: Streak, say: Say, amount: Amount) -> str:
    facts = {"length": streak.length, "period": say(WORDS[streak.period])}
    if streak.points is not None:
        return say(STREAK_POINTS, points=amount(streak.points), **facts)
    return say(STREAK_PERCENT, percent=streak.percent, **facts)


def _hours(hours: Hours, say: Say, _amount: Amount) -> str:
    return say(HOURS, start=hours.from_, end=hours.to)


def _multiplier(multiplier: Multiplier, say: Say, _amount: Amount) -> str:
    facts = {"name": multiplier.name, "percent": multiplier.percent}
    if multiplier.from_:
        return say(MULTIPLIER_HOURS, start=multiplier.from_, end=multiplier.to, **facts)
    return say(MULTIPLIER, **facts)


def _panel(panel: Panel, say: Say, _amount: Amount) -> str:
    return say(PANEL_DRAWN if panel.drawn else PANEL, members=panel.members, agree=panel.agree)


def _process(process: Process, say: Say, _amount: Amount) -> str:
    return say(PROCESS, advice=process.advice, warnings=process.warnings, months=process.within_months)


def _base(base: Base, say: Say, amount: Amount) -> str:
    told = say(BASES[base.each], points=amount(base.points))
    if base.redeemable:
        told = say(REDEEMABLE, base=told)
    return told if base.spend_above is None else say(SPEND_ABOVE, base=told, above=amount(base.spend_above))


def _star(star: Star, say: Say, amount: Amount) -> str:
    if star.from_minutes is not None:
        return say(STAR_MINUTES, name=star.name, minutes=star.from_minutes, benefits=star.benefits)
    return say(STAR_POINTS, name=star.name, points=amount(star.from_points or 0), benefits=star.benefits)


def _veto(veto: Veto, say: Say, _amount: Amount) -> str:
    facts = {"code": veto.code, "name": veto.name, "ground": veto.ground, "make_good": veto.make_good}
    if veto.consequence == "no_redemption":
        return say(VETO_MONTHS, months=veto.bar_months or 0, **facts)
    return say(VETO_RESET, **facts)


_TOLD: dict[type, Callable[[Any, Say, Amount], str]] = {
    Cap: _cap,
    Validity: _validity,
    Level: _level,
    Finding: _level,
    Increment: _increment,
    Streak: _streak,
    Hours: _hours,
    Multiplier: _multiplier,
    Panel: _panel,
    Process: _process,
    Base: _base,
    Star: _star,
    Veto: _veto,
}
