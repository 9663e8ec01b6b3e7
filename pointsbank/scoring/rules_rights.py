"""What no scoring table may touch: rights, statutory benefits, and the freedom to volunteer or not."""

import re
from collections.abc import Iterator

from pointsbank.scoring.rules_facts import facts_wanted
from pointsbank.scoring.rules_fault import Fault
from pointsbank.scoring.rules_table import Basis, Item, Veto

OF_A_FINDING = frozenset((Basis.PER_TIME, Basis.PER_ITEM, Basis.PER_LEVEL))
FOUND = frozenset(("earlier", "level", "fixed_points"))
BENEFIT = re.compile(
    "低保|最低生活保障|特困|五保|救助|救济|残疾人[^，。；、,;]{0,4}补助|困难补助|生活补助|残疾证|抚恤|优抚|优待金|优待证"
    "|医保|医疗|合作医疗|报销|社保|社会保险|养老金|养老保险|退休金|退休工资|失业金|失业保险|工伤|最低工资|高龄|津贴|补贴|直补"
    "|入学|上学|入托|幼儿园|学籍|义务教育|助学金|参军|入伍|政审|户口|户籍|身份证|居住登记|居住证|婚姻登记|结婚登记|营业执照"
    "|公租房|廉租房|保障房|保障性住房|危房改造|宅基地|承包地|土地流转|征地补偿|拆迁补偿|分红|手续|证明|选举"
    "|供[水电气暖](?!设|管|线|站|局|所)|水电(?!费|浪费|消耗|工|表|站)|[停断][水电](?!动|瓶)"
)
RESTRICTION = re.compile(
    "限制|取消|暂停|停发|停办|停供|停止|中止|终止|扣发|扣减|核减|少发|不予|不得|不准|不能|不给|不再|不享受|不享有|不办|不开|不出具"
    "|不发|不批|不供|不受理|不通过|不纳入|缓|延后|延迟|推迟|拒绝|拒办|降低|减少|从严|剥夺|丧失|失去|注销|吊销|收回|清退|冻结|否决|禁止"
)
NEAR = "[^，。；、,;]{0,20}"
RESTRICTED = re.compile(
    f"(?:{RESTRICTION.pattern}){NEAR}?({BENEFIT.pattern})|({BENEFIT.pattern}){NEAR}?(?:{RESTRICTION.pattern})"
)
ENDS = "，。；,;：:！!？?（）()\\s"
OTHERS = re.compile("其[他它余](?:人|户|家|居民|村民|成员)|他人|他户|别人|别家|别户|才|方可|但")
# A letter of words that neither restrict nor speak of others.
WORD = re.compile(f"(?!{RESTRICTION.pattern}|{OTHERS.pattern})[^、{ENDS}]")
# A benefit that the clause itself leaves as it is: "不影响低保、医保", "与低保无关", "低保不与积分挂钩".
UNTOUCHED = re.compile(
    f"(?<!不[能得是会可])(?<!并非)不(?:影响|涉及)(?:{WORD.pattern}){{0,20}}?(?:{BENEFIT.pattern})(?:{WORD.pattern}){{0,20}}"
    f"(?:、(?:{WORD.pattern}){{1,20}})*(?=[、{ENDS}]|但|$)"
    f"|[与和跟同](?:{WORD.pattern}){{0,20}}?(?:{BENEFIT.pattern})(?:、|(?!与){WORD.pattern}){{0,40}}(?:无关|不挂钩)"
    f"|(?:{BENEFIT.pattern})(?:{WORD.pattern}){{0,20}}"
    "(?:不受影响|不[与和跟同]积分挂钩|[与和跟同]积分(?:高低|多少)?(?:无关|不挂钩))"
)
RIGHT = re.compile(
    "上访|信访|缠访|闹访|集访|越级|赴省|赴京|进京|12345|热线|反映问题|投诉|举报|检举|控告|诉讼|起诉|打官司|复议|申诉|仲裁"
    "|言论|牢骚|发帖|媒体|记者|维权|选举|罢免|征地|拆迁"
)
NOT_VOLUNTEERING = re.compile(
    "(不|未|没|没有|拒绝|拒不|逃避).{0,3}(参加|参与|报名|出席|到场|到会|开会|捐|志愿|集体劳动|义务劳动|出工)|缺席|缺勤"
)
PAID_SILENCE = re.compile(f"息访|息诉|(不|零|无|未|没有|放弃|撤回|撤销|停止).{{0,3}}({RIGHT.pattern})")


def benefit_in(words: str, *, is_consequence: bool = False) -> str:
    """The statutory benefit that these words would have points restrict; empty where there is none.

    What follows from points touches no benefit at all, whatever it would do to it. What a clause leaves untouched is
    excused in that clause alone: the next one may take it away.
    """
    words = UNTOUCHED.sub("；", words)
    if is_consequence:
        named = BENEFIT.search(words)
        return named.group() if named else ""
    benefit = RESTRICTED.search(words)
    return (benefit[1] or benefit[2]) if benefit else ""


def rights_faults(item: Item) -> Iterator[Fault]:
    named = [*(level.name for level in item.levels), *item.conditions, *(fault.name for fault in item.faults)]
    words = " ".join((item.category, item.name, item.evidence, *named))
    takes = item.deduction or bool(item.faults)
    if not item.deduction and (silence := PAID_SILENCE.search(words)):
        yield Fault(item.code, "name", "paid_silence", {"word": silence.group()})
    elif takes and (right := RIGHT.search(words)):
        yield Fault(item.code, "deduction" if item.deduction else "faults", "deduction_rights", {"word": right.group()})
    elif takes and NOT_VOLUNTEERING.search(words):
        yield Fault(item.code, "deduction" if item.deduction else "faults", "deduction_not_volunteering", {})
    elif item.deduction:
        yield from _process_faults(item)
    if word := benefit_in(f"{words}；{item.ground}；{item.make_good}"):
        yield Fault(item.code, "name", "benefit", {"word": word})


def veto_rights_faults(veto: Veto) -> Iterator[Fault]:
    if right := RIGHT.search(veto.name):
        yield Fault("", "veto_rules", "veto_rights", {"word": right.group()})
    elif NOT_VOLUNTEERING.search(veto.name):
        yield Fault("", "veto_rules", "veto_not_volunteering", {})
    if word := benefit_in(veto.name, is_consequence=True) or benefit_in(f"{veto.ground}；{veto.make_good}"):
        yield Fault("", "veto_rules", "benefit", {"word": word})


def _process_faults(item: Item) -> Iterator[Fault]:
    """Nothing is taken without advice and a warning before, a ground, and a way to make good."""
    process = item.process
    if process is None or not (process.advice and process.warnings and item.ground and item.make_good):
        yield Fault(item.code, "deduction", "deduction", {})
    elif item.basis not in OF_A_FINDING or not set(facts_wanted(item)) <= FOUND or _asks_when(item):
        yield Fault(item.code, "deduction", "deduction_counts", {})


def _asks_when(item: Item) -> bool:
    """Of a finding nobody knows the hour, or how long it took; nothing makes it weigh more than the table says."""
    return bool(
        item.hours or item.minutes_min or item.share_min_percent or item.multipliers or item.increments or item.streak
        or item.multiplier_percent != 100
    )  # fmt: skip
