"""What no scoring table may touch: rights, statutory benefits, and the freedom to volunteer or not."""

import re
from collections.abc import Iterator

from pointsbank.scoring.rules_facts import facts_wanted
from pointsbank.scoring.rules_fault import Fault
from pointsbank.scoring.rules_table import Basis, Item, Veto

OF_A_FINDING = frozenset((Basis.PER_TIME, Basis.PER_ITEM, Basis.PER_LEVEL))
FOUND = frozenset(("earlier", "level", "fixed_points"))
BENEFIT = re.compile(
    "低保|特困|救助|医保|医疗|养老金|养老保险|补贴|抚恤|优抚|入学|上学|户口|户籍|身份证|公租房|手续|证明|选举"
)
RESTRICTION = re.compile("限制|取消|暂停|停发|停办|扣发|不予|不得|不准|不能|不给|缓办|延后|拒绝|拒办|降低|剥夺")
RIGHT = re.compile("上访|信访|投诉|举报|检举|控告|诉讼|起诉|打官司|复议|申诉|仲裁|言论|维权|选举|罢免")
NOT_VOLUNTEERING = re.compile("(不|未|没|没有|拒绝|拒不).{0,3}(参加|参与|报名|出席|到场|捐|志愿)|缺席|缺勤")
PAID_SILENCE = re.compile(f"息访|息诉|(不|零|无|未|没有|放弃|撤回|撤销|停止).{{0,3}}({RIGHT.pattern})")


def benefit_in(words: str) -> str:
    """The statutory benefit that these words would have points restrict; empty where there is none."""
    benefit = BENEFIT.search(words)
    return benefit.group() if benefit and RESTRICTION.search(words) else ""


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
    if word := benefit_in(f"{words} {item.ground} {item.make_good}"):
        yield Fault(item.code, "name", "benefit", {"word": word})


def veto_rights_faults(veto: Veto) -> Iterator[Fault]:
    if right := RIGHT.search(veto.name):
        yield Fault("", "veto_rules", "veto_rights", {"word": right.group()})
    elif NOT_VOLUNTEERING.search(veto.name):
        yield Fault("", "veto_rules", "veto_not_volunteering", {})
    if word := benefit_in(f"{veto.name} {veto.ground} {veto.make_good}"):
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
