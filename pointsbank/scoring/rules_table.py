"""What a scoring table says, and how two versions of it differ.

Points are whole numbers in the smallest unit of the kind of passbook they go to; pages format, nothing here divides.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal

import msgspec

from pointsbank.ledger.rules import MAIN

Say = Callable[..., str]  # fills a text of this module with its facts; the web translates it first
Write = Callable[[str, int], str]  # an amount of a kind of passbook in words: 「1.5 时间币」


class Basis(StrEnum):
    PER_MINUTES = "per_minutes"  # points for each block of `block_minutes`
    PER_TIME = "per_time"  # points once for the act, however long it took
    PER_ITEM = "per_item"  # points for each of `Facts.quantity`


class Rounding(StrEnum):
    """What becomes of the last, unfinished block of minutes. Nothing else is ever rounded."""

    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"


class Scope(StrEnum):
    """Whose points a cap limits, in the order in which caps apply."""

    PERSON = "person"
    HOUSEHOLD = "household"
    BUILDING = "building"


class Period(StrEnum):
    """How long a cap counts, in the order in which caps apply. ACT needs no counter."""

    ACT = "act"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LIFETIME = "lifetime"


class TableKind(StrEnum):
    SERVICE_HOURS = "service_hours"
    HOUSEHOLD_DEEDS = "household_deeds"
    DAILY_PARTICIPATION = "daily_participation"
    WASTE_SORTING = "waste_sorting"
    TIME_BANK = "time_bank"


class ValidityKind(StrEnum):
    NEVER = "never"  # points never expire
    MONTH_END = "month_end"
    YEAR_END = "year_end"
    MONTHS = "months"
    YEARS = "years"


class Validity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    kind: ValidityKind = ValidityKind.NEVER
    months: int = 0
    years: int = 0


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scope: Scope
    period: Period
    points: int


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a table. With `range_max` a panel fixes the value of each act within [points, range_max].

    `book_kind` is the code of the kind of passbook that its points go to.
    """

    code: str
    category: str
    name: str
    basis: Basis
    points: int
    evidence: str
    range_max: int | None = None
    block_minutes: int = 60
    rounding: Rounding = Rounding.DOWN
    multiplier_percent: int = 100
    minutes_min: int = 0
    minutes_max_per_act: int | None = None
    share_min_percent: int = 0
    quantity_min: int = 1
    caps: tuple[Cap, ...] = ()
    review: tuple[Literal["organiser", "community_admin"], ...] = ("organiser",)
    self_claim: bool = False
    book_kind: str = MAIN
    deduction: bool = False  # read so that it can be refused in plain words; no table may have one


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`notice_days` and `yuan_per_point_cents` are None where the published document does not say.

    `caps` count what goes to the main passbook: points of different kinds have no sum.
    """

    name: str
    place: str
    document: str
    kind: TableKind
    items: tuple[Item, ...]
    unit_name: str = "分"
    passbook: Literal["person", "household"] = "person"
    decimals: int = 0
    notice_days: int | None = None
    yuan_per_point_cents: int | None = None
    validity: Validity = Validity()
    caps: tuple[Cap, ...] = ()
    consequences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


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
    "scope": "上限管谁",
    "period": "上限管多久",
    "consequences": "积分的后果",
    "notes": "说明",
    "code": "编号",
    "category": "类别",
    "basis": "计分方式",
    "points": "分值",
    "evidence": "凭据",
    "range_max": "最高分值",
    "block_minutes": "每满多少分钟",
    "rounding": "零头怎么算",
    "multiplier_percent": "系数（%）",
    "minutes_min": "最少分钟",
    "minutes_max_per_act": "一次最多计多少分钟",
    "share_min_percent": "至少参加活动的（%）",
    "quantity_min": "最少数量",
    "review": "谁来审核",
    "self_claim": "可以自己申报",
    "book_kind": "记入哪种存折",
    "deduction": "扣分项",
}
WORDS: dict[str, str] = {
    Basis.PER_MINUTES: "按时长",
    Basis.PER_TIME: "按次",
    Basis.PER_ITEM: "按数量",
    Rounding.DOWN: "不满不算",
    Rounding.HALF_UP: "满一半也算",
    Rounding.UP: "不满也算",
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
}
YES_NO = {True: "是", False: "否"}
CAP = "{scope}{period}最多 {points}"
MONTHS = "{months} 个月内有效"
YEARS = "{years} 年内有效"
AMOUNTS = ("points", "range_max")


class FieldChange(msgspec.Struct, frozen=True):
    field: str
    old: str
    new: str


class Difference(msgspec.Struct, frozen=True):
    """`code` is empty for the settings of the table as a whole."""

    code: str
    name: str
    what: Literal["added", "changed", "ended"]
    changes: tuple[FieldChange, ...] = ()


def plainly(_book_kind: str, points: int) -> str:
    """An amount for whoever knows no kinds of passbook."""
    return f"{points} 分"


def differences(old: Table | None, new: Table, say: Say = str.format, write: Write = plainly) -> tuple[Difference, ...]:
    """Settings of the table first, then items in the order of the new table, then those that ended."""
    before = {item.code: item for item in old.items} if old else {}
    found = []
    if old and (settings := _changes(old, new, say, write)):
        found.append(Difference("", new.name, "changed", settings))
    for item in new.items:
        earlier = before.pop(item.code, None)
        if earlier is None:
            found.append(Difference(item.code, item.name, "added"))
        elif changes := _changes(earlier, item, say, write):
            found.append(Difference(item.code, item.name, "changed", changes))
    found += [Difference(item.code, item.name, "ended") for item in before.values()]
    return tuple(found)


def shown(value: Any, say: Say = str.format, write: Write = plainly, book_kind: str = MAIN) -> str:
    """A cell of a table in plain words, for lists of differences."""
    match value:
        case None:
            return ""
        case bool():
            return say(YES_NO[value])
        case tuple():
            return "；".join(shown(one, say, write, book_kind) for one in value)
        case Cap():
            points = write(book_kind, value.points)
            return say(CAP, scope=say(WORDS[value.scope]), period=say(WORDS[value.period]), points=points)
        case Validity():
            return _lasting(value, say)
    return say(WORDS[value]) if value in WORDS else str(value)


def _lasting(validity: Validity, say: Say) -> str:
    if validity.years:
        return say(YEARS, years=validity.years)
    return say(MONTHS, months=validity.months) if validity.months else say(WORDS[validity.kind])


def _changes(old: Table | Item, new: Table | Item, say: Say, write: Write) -> tuple[FieldChange, ...]:
    named = [field for field in new.__struct_fields__ if field != "items"]
    fields = [field for field in named if getattr(old, field) != getattr(new, field)]
    return tuple(FieldChange(field, _cell(old, field, say, write), _cell(new, field, say, write)) for field in fields)


def _cell(of: Table | Item, field: str, say: Say, write: Write) -> str:
    value = getattr(of, field)
    book_kind = of.book_kind if isinstance(of, Item) else MAIN
    return write(book_kind, value) if field in AMOUNTS and value is not None else shown(value, say, write, book_kind)
