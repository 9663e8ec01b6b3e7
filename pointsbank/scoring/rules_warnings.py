"""What in a scoring table deserves a second look. Nothing here keeps a table from being adopted; `faults` do.

Pure: the day on which a budget is gone comes from whoever has tried the table on the past.
"""

import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from statistics import median

import msgspec

from pointsbank.ledger.rules import MAIN
from pointsbank.scoring.rules_table import Basis, Counts, Item, Period, Table
from pointsbank.scoring.rules_words import Say

TIMES_MEDIAN = 3
LEAST_TO_COMPARE = 4  # the median of fewer items says nothing about any of them
HOUR_MINUTES = 60

WARNINGS: dict[str, str] = {
    "dear": "分值是各项中间值的 {times} 倍（按时长的项折成一小时来比）。请想一想是不是太高。",
    "cap_below_unit": "每天的上限还不到一次的分值，谁也拿不满一次的分。请改上限，或改分值。",
    "no_evidence": "没有写要什么凭据。请写明凭什么记分，例如现场签到、照片。",
    "no_test": "“其他”类的项没有能核对的标准，给不给分全凭审核的人。请写明做了什么、做到多少才算。",
    "budget_gone": "照这样发，{year} 年的积分预算到{day}就用完了，早 {days} 天。请增加预算，或调低分值、上限。",
}
OTHER = re.compile("其他|其它")
NONE_DEMANDED = re.compile("无|没有|不用|不要|不需要|无需|免")


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
    return found


def budget_gone(day: date | None) -> list[Warned]:
    """What a trial run adds: the day on which the budget of its year is used up, None where it lasts."""
    last = None if day is None else date(day.year, 12, 31)
    if day is None or day == last:
        return []
    assert last is not None
    return [Warned("", "budget_gone", {"year": day.year, "day": day.isoformat(), "days": (last - day).days})]


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
    caps = (*item.caps, *(table.caps if item.book_kind == MAIN else ()))
    day_caps = [cap for cap in caps if cap.period is Period.DAY and cap.counts is Counts.POINTS]
    if any(cap.most < (item.points or 0) for cap in day_caps):
        yield Warned(item.code, "cap_below_unit")
    if not item.evidence_kinds and (not item.evidence.strip() or NONE_DEMANDED.match(item.evidence.strip())):
        yield Warned(item.code, "no_evidence")
    if OTHER.search(item.name) and _has_no_test(item):
        yield Warned(item.code, "no_test")


def _has_no_test(item: Item) -> bool:
    """Minutes, metres and pieces can be counted; that something was done once is somebody's word."""
    return item.basis is Basis.PER_TIME and not (item.minutes_min or item.metres_min or item.share_min_percent)
