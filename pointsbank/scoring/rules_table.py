"""What a scoring table says, whether it may be adopted, and how two versions of it differ.

Points are whole numbers in the passbook's smallest unit (`Table.decimals` places); pages format, nothing here divides.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, Literal

import msgspec

Say = Callable[..., str]  # fills a text of this module with its facts; the web translates it first

POINTS_MAX = 100_000  # of one item for one unit
CAP_MAX = 100_000_000
MINUTES_MAX = 24 * 60


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


class Validity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: ValidityKind = ValidityKind.NEVER
    months: int = 0


class Cap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scope: Scope
    period: Period
    points: int


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a table. With `range_max` a panel fixes the value of each act within [points, range_max]."""

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
    deduction: bool = False  # read so that it can be refused in plain words; no table may have one


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`notice_days` and `yuan_per_point_cents` are None where the published document does not say."""

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
    "organiser": "活动组织者",
    "community_admin": "社区管理员",
}
YES_NO = {True: "是", False: "否"}
CAP = "{scope}{period}最多 {points} 分"
MONTHS = "{months} 个月内有效"
FAULTS: dict[str, str] = {
    "text": "“{label}”要填写，一行以内，最多 {most} 个字，不能有看不见的字符。",
    "out_of_range": "“{label}”现在是 {value}，应在 {least} 到 {most} 之间。",
    "code": "编号“{value}”写法不对。请用一个大写字母加两到三位数字，例如 A01。",
    "duplicate_code": "编号 {value} 用了两次。请给其中一项换一个编号。",
    "no_items": "这张表还没有可以得分的项。请至少写一项。",
    "range": "最高分值 {value} 要大于最低分值 {least}。",
    "not_per_minutes": "“{label}”只用于按时长计分的项。请删去，或把计分方式改为按时长。",
    "never_a_block": "一次最多计 {most} 分钟，不够一个 {block} 分钟，永远得不到分。",
    "never_long_enough": "最少要 {least} 分钟，却最多只计 {most} 分钟。请把最多的改大。",
    "not_whole": "按系数 {percent}% 算，分值不是整数。请改系数或分值。",
    "duplicate_cap": "同一个上限写了两次：{cap}。请留一个。",
    "act_scope": "一次的上限只能按人算。请把“上限管谁”改为每人。",
    "review": "“谁来审核”至少写一人，不能重复。",
    "months": "只有按月数有效时才写月数。",
    "deduction": "扣分项现在不能录入：扣分要先告知、听本人说明、可以申诉。请删去这一项。",
    "deduction_rights": "“{word}”是居民依法享有的权利，不能因此扣分。请删去这一项。",
    "deduction_not_volunteering": "志愿服务和活动凭自愿，不参加不能扣分。请删去这一项。",
    "paid_silence": "不能用加分换居民不用自己的权利（{word}）。请删去这一项。",
    "benefit": "积分不能影响{word}这类依法享有的待遇或办事。请删去这句话。",
}

BENEFIT = re.compile(
    "低保|特困|救助|医保|医疗|养老金|养老保险|补贴|抚恤|优抚|入学|上学|户口|户籍|身份证|公租房|手续|证明|选举"
)
RESTRICTION = re.compile("限制|取消|暂停|停发|停办|扣发|不予|不得|不准|不能|不给|缓办|延后|拒绝|拒办|降低|剥夺")
RIGHT = re.compile("上访|信访|投诉|举报|检举|控告|诉讼|起诉|打官司|复议|申诉|仲裁|言论|维权|选举|罢免")
NOT_VOLUNTEERING = re.compile("(不|未|没|没有|拒绝|拒不).{0,3}(参加|参与|报名|出席|到场|捐|志愿)|缺席|缺勤")
PAID_SILENCE = re.compile(f"息访|息诉|(不|零|无|未|没有|放弃|撤回|撤销|停止).{{0,3}}({RIGHT.pattern})")


class Fault(msgspec.Struct, frozen=True):
    """Why a table cannot be adopted; `item_code` is empty for the table as a whole."""

    item_code: str
    field: str
    key: str
    facts: dict[str, str | int]

    @property
    def text(self) -> str:
        return self.said(str.format)

    def said(self, say: Say) -> str:
        words = say(FAULTS[self.key], **self.facts)
        return f"{self.item_code}：{words}" if self.item_code else words


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


def faults(table: Table) -> list[Fault]:
    found = list(_table_faults(table))
    codes: set[str] = set()
    for item in table.items:
        if item.code in codes:
            found.append(Fault(item.code, "code", "duplicate_code", {"value": item.code}))
        codes.add(item.code)
        found += _item_faults(item)
    return found


def differences(old: Table | None, new: Table, say: Say = str.format) -> tuple[Difference, ...]:
    """Settings of the table first, then items in the order of the new table, then those that ended."""
    before = {item.code: item for item in old.items} if old else {}
    found = []
    if old and (settings := _changes(old, new, say)):
        found.append(Difference("", new.name, "changed", settings))
    for item in new.items:
        earlier = before.pop(item.code, None)
        if earlier is None:
            found.append(Difference(item.code, item.name, "added"))
        elif changes := _changes(earlier, item, say):
            found.append(Difference(item.code, item.name, "changed", changes))
    found += [Difference(item.code, item.name, "ended") for item in before.values()]
    return tuple(found)


def shown(value: Any, say: Say = str.format) -> str:
    """A cell of a table in plain words, for lists of differences."""
    match value:
        case None:
            return ""
        case bool():
            return say(YES_NO[value])
        case tuple():
            return "；".join(shown(one, say) for one in value)
        case Cap():
            return say(CAP, scope=say(WORDS[value.scope]), period=say(WORDS[value.period]), points=value.points)
        case Validity():
            return say(MONTHS, months=value.months) if value.months else say(WORDS[value.kind])
    return say(WORDS[value]) if value in WORDS else str(value)


def _changes(old: Table | Item, new: Table | Item, say: Say) -> tuple[FieldChange, ...]:
    pairs = [(field, getattr(old, field), getattr(new, field)) for field in new.__struct_fields__ if field != "items"]
    return tuple(FieldChange(field, shown(a, say), shown(b, say)) for field, a, b in pairs if a != b)


def _table_faults(table: Table) -> Iterator[Fault]:
    for field, most in (("name", 60), ("place", 120), ("document", 120), ("unit_name", 6)):
        yield from _text("", field, getattr(table, field), most)
    for field in ("consequences", "notes"):
        for line in getattr(table, field):
            yield from _text("", field, line, 300)
    for line in table.consequences:
        if (benefit := BENEFIT.search(line)) and RESTRICTION.search(line):
            yield Fault("", "consequences", "benefit", {"word": benefit.group()})
    if not table.items:
        yield Fault("", "items", "no_items", {})
    yield from _within("", "decimals", table.decimals, 0, 2)
    yield from _within("", "notice_days", table.notice_days, 0, 30)
    yield from _within("", "yuan_per_point_cents", table.yuan_per_point_cents, 1, 100_000)
    if table.validity.kind is ValidityKind.MONTHS:
        yield from _within("", "months", table.validity.months, 1, 120)
    elif table.validity.months:
        yield Fault("", "months", "months", {})
    yield from _cap_faults("", table.caps)


def _item_faults(item: Item) -> Iterator[Fault]:
    code = item.code
    if not re.fullmatch("[A-Z][0-9]{2,3}", code):
        yield Fault(code, "code", "code", {"value": code})
    for field, most in (("category", 20), ("name", 60), ("evidence", 120)):
        yield from _text(code, field, getattr(item, field), most)
    yield from _rights_faults(item)
    yield from _within(code, "points", item.points, 1, POINTS_MAX)
    yield from _within(code, "range_max", item.range_max, 1, POINTS_MAX)
    if item.range_max is not None and item.range_max <= item.points:
        yield Fault(code, "range_max", "range", {"value": item.range_max, "least": item.points})
    yield from _within(code, "multiplier_percent", item.multiplier_percent, 1, 1_000)
    # A panel may fix any value of a range, so there only whole multiples stay whole.
    if item.multiplier_percent * (1 if item.range_max else item.points) % 100:
        yield Fault(code, "multiplier_percent", "not_whole", {"percent": item.multiplier_percent})
    yield from _within(code, "share_min_percent", item.share_min_percent, 0, 100)
    yield from _within(code, "quantity_min", item.quantity_min, 1, POINTS_MAX)
    yield from _minutes_faults(item)
    yield from _cap_faults(code, item.caps)
    if not item.review or len(set(item.review)) < len(item.review):
        yield Fault(code, "review", "review", {})


def _rights_faults(item: Item) -> Iterator[Fault]:
    words = f"{item.category} {item.name} {item.evidence}"
    if not item.deduction:
        if silence := PAID_SILENCE.search(words):
            yield Fault(item.code, "name", "paid_silence", {"word": silence.group()})
    elif right := RIGHT.search(words):
        yield Fault(item.code, "deduction", "deduction_rights", {"word": right.group()})
    elif NOT_VOLUNTEERING.search(words):
        yield Fault(item.code, "deduction", "deduction_not_volunteering", {})
    else:
        yield Fault(item.code, "deduction", "deduction", {})
    if (benefit := BENEFIT.search(words)) and RESTRICTION.search(words):
        yield Fault(item.code, "name", "benefit", {"word": benefit.group()})


def _minutes_faults(item: Item) -> Iterator[Fault]:
    code, most = item.code, item.minutes_max_per_act
    yield from _within(code, "block_minutes", item.block_minutes, 1, MINUTES_MAX)
    yield from _within(code, "minutes_min", item.minutes_min, 0, MINUTES_MAX)
    yield from _within(code, "minutes_max_per_act", most, 1, MINUTES_MAX)
    if item.basis is not Basis.PER_MINUTES:
        for field in ("block_minutes", "rounding", "minutes_max_per_act"):
            if getattr(item, field) != getattr(BLANK, field):
                yield Fault(code, field, "not_per_minutes", {"label": FIELD_LABELS[field]})
    elif most is not None and most < item.minutes_min:
        facts: dict[str, str | int] = {"least": item.minutes_min, "most": most}
        yield Fault(code, "minutes_max_per_act", "never_long_enough", facts)
    elif most is not None and most < item.block_minutes and item.rounding is Rounding.DOWN:
        facts = {"most": most, "block": item.block_minutes}
        yield Fault(code, "minutes_max_per_act", "never_a_block", facts)


def _cap_faults(code: str, caps: tuple[Cap, ...]) -> Iterator[Fault]:
    seen = set()
    for cap in caps:
        yield from _within(code, "caps", cap.points, 1, CAP_MAX)
        if cap.period is Period.ACT and cap.scope is not Scope.PERSON:
            yield Fault(code, "caps", "act_scope", {})
        if (cap.scope, cap.period) in seen:
            yield Fault(code, "caps", "duplicate_cap", {"cap": shown(cap)})
        seen.add((cap.scope, cap.period))


def _text(code: str, field: str, value: str, most: int) -> Iterator[Fault]:
    invisible = any(unicodedata.category(character)[0] == "C" for character in value)
    if not value.strip() or len(value) > most or invisible:
        yield Fault(code, field, "text", {"label": FIELD_LABELS[field], "most": most})


def _within(code: str, field: str, value: int | None, least: int, most: int) -> Iterator[Fault]:
    if value is not None and not least <= value <= most:
        facts: dict[str, str | int] = {"label": FIELD_LABELS[field], "value": value, "least": least, "most": most}
        yield Fault(code, field, "out_of_range", facts)


BLANK = Item(code="", category="", name="", basis=Basis.PER_TIME, points=0, evidence="")
