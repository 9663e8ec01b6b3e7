"""What in a scoring table deserves a second look. Nothing here keeps a table from being adopted; `faults` do.

Pure: the day on which a budget is gone comes from whoever has tried the table on the past.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from statistics import median

import msgspec
from msgspec.structs import replace

from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_kinds import Settings
from pointsbank.scoring.rules_points import BLOCKS
from pointsbank.scoring.rules_table import Base, Basis, Counts, Item, Period, Table
from pointsbank.scoring.rules_words import Say, Write, shown

TIMES_MEDIAN = 3
LEAST_TO_COMPARE = 4  # the median of fewer items says nothing about any of them
HOUR_MINUTES = 60
YEAR_MONTHS = 12

WARNINGS: dict[str, str] = {
    "dear": "分值是各项中间值的 {times} 倍（按时长的项折成一小时来比）。请想一想是不是太高。",
    "cap_below_unit": "上限还不到一次的分值，谁也拿不满一次的分。请改上限，或改分值。",
    "cap_below_multiplied": "“{name}”按 {percent}% 算，一次的分值就超过上限，多出来的谁也拿不到。请改上限，或改系数。",
    "cap_below_block": "最多算 {most} 分钟，不够记一次分的 {block} 分钟，永远得不到分。请改上限，或改“每满多少分钟”。",
    "no_evidence": "没有写要什么凭据。请写明凭什么记分，例如现场签到、照片。",
    "nobody_enters": "这一项不由活动组织者申报。居民自己、网格员申报和成批导入的页面还没有，公布以后暂时没有人能得分。",
    "no_test": "“其他”类的项没有能核对的标准，给不给分全凭审核的人。请写明做了什么、做到多少才算。",
    "base_differs": "这里写的是“{table}”，存折种类“{kind}”里设的是“{book}”。公布不改存折，请把两边改成一样。",
    "balance_differs": "这里写存折里最多 {table}，存折种类“{kind}”里设的是{book}。公布不改存折，请把两边改成一样。",
    "base_kind": "基础分写的存折种类“{kind}”还没有。请先到“存折种类”里新建，或改记另一种。",
    "long_bar": "一票否决“{name}”要 {months} 个月不能兑换，超过一年。请想一想是不是太重。",
    "budget_gone": "照这样发，{year} 年的积分预算到{day}就用完了，早 {days} 天。请增加预算，或调低分值、上限。",
    "panel_short": "评议小组要 {members} 人，现在指定了 {named} 人。请在“工作人员”里再指定几位，不然评议会一直等着。",
}
OTHER = re.compile("其他|其它")
NONE_DEMANDED = re.compile("(无|没有|不用|不要|不需要|无需|免|任何|凭据|凭证|证明|材料|照片|提供|审核|要求)*[。.]?")


class Warned(msgspec.Struct, frozen=True):
    """A warning; `item_code` is empty for the table as a whole."""

    item_code: str
    key: str
    facts: dict[str, str | int] = {}

    def said(self, say: Say) -> str:
        words = say(WARNINGS[self.key], **self.facts)
        return f"{self.item_code}：{words}" if self.item_code else words


def warnings(table: Table) -> list[Warned]:
    """What the table itself shows, item by item."""
    found: list[Warned] = []
    middles = {kind: _middle(table, kind) for kind in {item.book_kind for item in table.items}}
    for item in table.items:
        found += _of_item(table, item, middles[item.book_kind])
    for veto in table.veto_rules:
        if (veto.bar_months or 0) > YEAR_MONTHS:
            found.append(Warned("", "long_bar", {"name": veto.name, "months": veto.bar_months or 0}))
    return found


NO_BASE = "不发基础分"
NO_MOST = "没有上限"


def of_books(table: Table, books: Mapping[str, Settings], say: Say, write: Write) -> list[Warned]:
    """Where what the table says of passbooks is not what their kinds are set to; what it does not say is no matter."""
    return [*_of_base(table, books, say, write), *_of_balance(table, books, say, write)]


def _of_base(table: Table, books: Mapping[str, Settings], say: Say, write: Write) -> Iterator[Warned]:
    if table.base is None:
        return
    of = books.get(table.base.book_kind)
    if of is None:
        yield Warned("", "base_kind", {"kind": table.base.book_kind})
    elif (real := _real_base(table.base, of)) != table.base:
        book = shown(real, say, write) if real.points or real.spend_above else say(NO_BASE)
        yield Warned("", "base_differs", {"table": shown(table.base, say, write), "kind": of.name, "book": book})


def _of_balance(table: Table, books: Mapping[str, Settings], say: Say, write: Write) -> Iterator[Warned]:
    of, most = books.get(MAIN), table.balance_max
    if of is not None and most is not None and most != of.balance_max:
        book = say(NO_MOST) if of.balance_max is None else write(MAIN, of.balance_max)
        yield Warned("", "balance_differs", {"table": write(MAIN, most), "kind": of.name, "book": book})


def _real_base(said: Base, of: Settings) -> Base:
    """The same statement as the kind of passbook makes it, as far as the table makes any."""
    real = replace(said, points=of.base_points, spend_above=None if said.spend_above is None else of.spend_above)
    if of.base_every == "never":
        return real
    return replace(real, each=said.each and of.base_every, redeemable=of.base_redeemable)


def budget_gone(day: date | None) -> list[Warned]:
    """What a trial run adds: the day on which the budget of its year is used up, None where it lasts."""
    last = None if day is None else date(day.year, 12, 31)
    if day is None or day == last:
        return []
    assert last is not None
    return [Warned("", "budget_gone", {"year": day.year, "day": day.isoformat(), "days": (last - day).days})]


def panels_short(table: Table, named: int) -> list[Warned]:
    """Items whose panel wants more people than are named."""
    return [
        Warned(item.code, "panel_short", {"members": item.panel.members, "named": named})
        for item in table.items
        if item.panel is not None and item.panel.members > named
    ]


def worth(item: Item) -> Fraction:
    """The most that one time, one piece or one hour gives, so that items can be compared."""
    listed = [level.points or 0 for level in item.levels] + list(item.points_by_met)
    most = Fraction(max(item.range_max or 0, item.points or 0, *listed)) * item.multiplier_percent / 100
    return most * HOUR_MINUTES / item.block_minutes if item.basis is Basis.PER_MINUTES else most


def _middle(table: Table, kind: str) -> Fraction | None:
    """Points of different kinds of passbook have no common measure."""
    values = [worth(item) for item in table.items if item.book_kind == kind and not item.deduction]
    return median(values) if len(values) >= LEAST_TO_COMPARE else None


def _of_item(table: Table, item: Item, middle: Fraction | None) -> Iterator[Warned]:
    if middle and not item.deduction and worth(item) > TIMES_MEDIAN * middle:
        yield Warned(item.code, "dear", {"times": int(worth(item) / middle)})
    yield from _low_caps(table, item)
    if not item.evidence_kinds and (not item.evidence.strip() or NONE_DEMANDED.fullmatch(item.evidence.strip())):
        yield Warned(item.code, "no_evidence")
    if "organiser" not in item.submit and not item.deduction:
        yield Warned(item.code, "nobody_enters")
    if (OTHER.search(item.name) or OTHER.search(item.category)) and _has_no_test(item):
        yield Warned(item.code, "no_test")


def _low_caps(table: Table, item: Item) -> Iterator[Warned]:
    """Caps, but those of one act, under what one time gives, or under the minutes that it takes."""
    caps = [cap for cap in (*item.caps, *table.caps_of(item)) if cap.period is not Period.ACT]
    most = min((cap.most for cap in caps if cap.counts is Counts.POINTS), default=None)
    plain = max(item.points or 0, *(level.points or 0 for level in item.levels), *item.points_by_met, 0)
    once = plain * item.multiplier_percent // 100
    largest = max(table.multipliers_of(item), key=lambda one: one.percent, default=None)
    if most is not None and most < once:
        yield Warned(item.code, "cap_below_unit")
    elif most is not None and largest and most < plain * item.multiplier_percent * largest.percent // 10_000:
        yield Warned(item.code, "cap_below_multiplied", {"name": largest.name, "percent": largest.percent})
    minutes = min((cap.most for cap in caps if cap.counts is Counts.MINUTES), default=None)
    blocks = BLOCKS.get(item.rounding) if item.basis is Basis.PER_MINUTES else None
    if minutes is not None and blocks and not blocks(minutes, item.block_minutes):
        yield Warned(item.code, "cap_below_block", {"most": minutes, "block": item.block_minutes})


def _has_no_test(item: Item) -> bool:
    """Minutes, metres and pieces can be counted; that it was done once, or was worth so much, is somebody's word."""
    if item.range_max is not None:
        return True
    return item.basis is Basis.PER_TIME and not (item.minutes_min or item.metres_min or item.share_min_percent)
