"""The columns of a table kept as a sheet: what each says of an item, and what a cell of it means."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple, get_args

import msgspec

from pointsbank.ledger.rules_kinds import Denomination, smallest
from pointsbank.scoring.rules_table import (
    Basis,
    Cap,
    Counts,
    EvidenceKind,
    Item,
    Period,
    Reviewer,
    Rounding,
    Scope,
    Submitter,
)
from pointsbank.scoring.rules_words import CAPS, FIELD_LABELS, WORDS

AMOUNT_LETTERS_MAX = 12
NUMBER_LETTERS_MAX = 9
TYPED_SHOWN = 20
OPTIONS = {"review": get_args(Reviewer), "submit": get_args(Submitter), "evidence_kinds": get_args(EvidenceKind)}
ALSO: dict[str, str] = {
    "时长": Basis.PER_MINUTES, "按小时": Basis.PER_MINUTES, "按分钟": Basis.PER_MINUTES, "小时": Basis.PER_MINUTES,
    "次": Basis.PER_TIME, "每次": Basis.PER_TIME, "件": Basis.PER_ITEM, "数量": Basis.PER_ITEM,
    "按件": Basis.PER_ITEM, "每件": Basis.PER_ITEM, "按个": Basis.PER_ITEM,
    "按级别": Basis.PER_LEVEL, "级别": Basis.PER_LEVEL, "等级": Basis.PER_LEVEL,
    "每日": Period.DAY, "每季": Period.QUARTER, "一次": Period.ACT, "单次": Period.ACT, "终身": Period.LIFETIME,
    "每楼": Scope.BUILDING, "每栋": Scope.BUILDING, "每家": Scope.HOUSEHOLD,
    "居民": "self", "自己": "self", "本人": "self", "签到": "place", "受助人": "served_person",
    "组织者": "organiser", "活动负责人": "organiser", "社区": "community_admin", "管理员": "community_admin",
}  # fmt: skip
NOT_READ: dict[str, str] = {
    "empty": "“{label}”空着。请填写。",
    "not_a_number": "“{typed}”不是数。请写数字，例如 8。",
    "negative": "“{typed}”比 0 小。请写 0 或更大的数。",
    "too_large": "“{typed}”太大。请写小一点的数。",
    "not_whole": "“{typed}”不是整数。请写整数。",
    "decimals": "“{typed}”的小数太多，这种存折最多 {most} 位。",
    "unknown_word": "不认识“{typed}”。请写下列之一：{known}。",
    "cap": "看不懂“{typed}”。请写成这样：{example}。",
    "formula": "这一格是公式。请复制，在原处“选择性粘贴—数值”，再试。",
    "too_long": "字太多，最多 {most} 个。",
}  # fmt: skip


class Sort(Enum):
    """How the cells of a column are read."""

    TEXT = auto()
    NUMBER = auto()
    AMOUNT = auto()
    BASIS = auto()
    ROUNDING = auto()
    WORDS = auto()  # several of OPTIONS
    BOOK = auto()
    CAP = auto()  # a number of its own for the one cap in `cap`
    CAPS = auto()  # all other caps, in words


class Column(NamedTuple):
    """`field` is the item's field; for one of its caps, a name of its own."""

    field: str
    head: str
    sort: Sort
    also: str = ""
    cap: tuple[Scope, Period] | None = None


def _of(field: str, sort: Sort, also: str = "") -> Column:
    return Column(field, FIELD_LABELS[field], sort, also)


COLUMNS = (
    _of("code", Sort.TEXT, "代码 项目编号 序号编号"),
    _of("category", Sort.TEXT, "分类 大类 类型"),
    Column("name", "项目", Sort.TEXT, "名称 项目名称 积分项 积分项目 积分事项 内容"),
    _of("basis", Sort.BASIS, "计分办法 计分 方式"),
    _of("counted", Sort.TEXT, "计数单位 单位"),
    _of("block_minutes", Sort.NUMBER, "每满分钟"),
    _of("block_metres", Sort.NUMBER, "每满米"),
    _of("rounding", Sort.ROUNDING, "零头 取整"),
    _of("points", Sort.AMOUNT, "分数 积分 积分值"),
    _of("range_max", Sort.AMOUNT, "最高分 最高分数"),
    _of("multiplier_percent", Sort.NUMBER, "系数%"),
    Column("day_cap", "每人每天上限", Sort.CAP, "每日上限 每天上限 每人每日上限 日上限", (Scope.PERSON, Period.DAY)),
    Column("month_cap", "每人每月上限", Sort.CAP, "每月上限 月上限", (Scope.PERSON, Period.MONTH)),
    Column("act_cap", "一次最多", Sort.CAP, "每次最多 单次最多 单次上限 每次上限", (Scope.PERSON, Period.ACT)),
    Column("other_caps", "其他上限", Sort.CAPS, "上限"),
    _of("minutes_min", Sort.NUMBER, "至少分钟 最少多少分钟"),
    _of("minutes_max_per_act", Sort.NUMBER, "最多计多少分钟 最多分钟"),
    _of("share_min_percent", Sort.NUMBER, "至少参加活动的%"),
    _of("quantity_min", Sort.NUMBER, "至少数量"),
    _of("metres_min", Sort.NUMBER, "最少米"),
    _of("evidence", Sort.TEXT, "凭证 证明 证明材料 佐证"),
    _of("evidence_kinds", Sort.WORDS, "凭据种类"),
    _of("submit", Sort.WORDS, "申报人 谁申报"),
    _of("review", Sort.WORDS, "审核 审核人 审批"),
    _of("book_kind", Sort.BOOK, "存折 存折种类"),
    Column("says", "备注", Sort.TEXT, "原文 说明"),
)  # fmt: skip
REQUIRED = tuple(field.name for field in msgspec.structs.fields(Item) if field.required)
DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(Item) if not field.required}
ALWAYS_SAID = ("review", "book_kind")
SAID_OF = {"block_minutes": Basis.PER_MINUTES, "block_metres": Basis.PER_DISTANCE}
_CAP = re.compile(
    r"(\D{2,3}?)?(每次|每天|每日|每周|每月|每季度|每季|每年|累计|一次|单次|终身)(?:最多|不超过|上限)?:?([0-9.]+)(次|分钟)?\D*"
)


class Unread(Exception):
    """A cell that means nothing; `what` names a text of NOT_READ."""

    def __init__(self, what: str, **facts: str | int) -> None:
        super().__init__(what)
        self.what, self.facts = what, facts


def headed(text: str) -> Column | None:
    """The column of this head, however it is written: blanks, brackets and width do not matter."""
    return _BY_HEAD.get(_plain(text).partition("(")[0]) or _BY_HEAD.get(_plain(text))


def said(column: Column, item: Item, of: Denomination) -> str:
    """What a cell says of an item; what is usual is left empty, as people do."""
    if column.cap is not None:
        found = next((cap.points for cap in item.caps if is_cap_of(cap, column)), None)
        return amount(found, of.decimals)
    if column.sort is Sort.CAPS:
        return "；".join(_cap_said(cap, of) for cap in item.caps if is_other_cap(cap))
    value = getattr(item, column.field)
    has_rounding = column.field == "rounding" and item.basis in SAID_OF.values()
    is_said = column.field in ALWAYS_SAID or SAID_OF.get(column.field) is item.basis or has_rounding
    if value is None or (value == DEFAULTS.get(column.field, msgspec.UNSET) and not is_said):
        return ""
    say = _SAYS.get(column.sort)
    return say(value, of) if say else str(value)


_SAYS: dict[Sort, Callable[[Any, Denomination], str]] = {
    Sort.AMOUNT: lambda value, of: amount(value, of.decimals),
    Sort.BASIS: lambda value, _: WORDS[value],
    Sort.ROUNDING: lambda value, _: WORDS[value],
    Sort.WORDS: lambda value, _: "、".join(WORDS[one] for one in value),
    Sort.BOOK: lambda value, of: of.name or str(value),
}


def meant(column: Column, text: str, of: Denomination) -> Any:
    """What was written, which is not empty; raises Unread. The caps of CAPS come as a tuple."""
    return _MEANS[column.sort](column, text, of)


def book_meant(text: str, book_kinds: Mapping[str, Denomination]) -> str:
    """The kind of passbook of this name or code; raises Unread."""
    plain = _plain(text)
    found = next((code for code, of in book_kinds.items() if plain in (code, _plain(of.name))), None)
    if found is None:
        raise Unread("unknown_word", typed=text[:TYPED_SHOWN], known="、".join(of.name for of in book_kinds.values()))
    return found


def amount(points: int | None, decimals: int) -> str:
    """An amount as it is typed: 1.5, not 1.50."""
    if points is None or not decimals:
        return "" if points is None else str(points)
    whole, rest = divmod(points, 10**decimals)
    return f"{whole}.{rest:0{decimals}}".rstrip("0").rstrip(".")


def number(text: str, decimals: int) -> int:
    plain = _plain(text).replace(",", "").removesuffix("分钟").removesuffix("分").removesuffix("%")
    whole, _point, part = plain.partition(".")
    part = part.rstrip("0")
    if re.fullmatch(r"[0-9]+\.?[0-9]*", plain) is None:
        is_negative = re.fullmatch(r"[-−–][0-9]+\.?[0-9]*", plain) is not None
        raise Unread("negative" if is_negative else "not_a_number", typed=text[:TYPED_SHOWN])
    if len(whole) + decimals > AMOUNT_LETTERS_MAX or len(whole) > NUMBER_LETTERS_MAX:
        raise Unread("too_large", typed=text[:TYPED_SHOWN])
    value = smallest(f"{whole}.{part}" if part else whole, decimals)
    if value is None:
        raise Unread("decimals" if decimals else "not_whole", typed=text[:TYPED_SHOWN], most=decimals)
    return value


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _word(text: str, options: Sequence[str]) -> Any:
    plain = _plain(text)
    found = next((one for one in options if WORDS[one] == plain), ALSO.get(plain))
    if found not in options:
        known = "、".join(WORDS[one] for one in options)
        raise Unread("unknown_word", typed=text[:TYPED_SHOWN], known=known)
    return found


def is_cap_of(cap: Cap, column: Column) -> bool:
    return cap.counts is Counts.POINTS and (cap.scope, cap.period) == column.cap


def is_other_cap(cap: Cap) -> bool:
    """Whether the cap stands in the column of caps in words."""
    return not any(column.cap and is_cap_of(cap, column) for column in COLUMNS)


def _cap_said(cap: Cap, of: Denomination) -> str:
    most = amount(cap.most, of.decimals) if cap.counts is Counts.POINTS else str(cap.most)
    return CAPS[cap.counts].format(scope=WORDS[cap.scope], period=WORDS[cap.period], **{cap.counts: most})


def _cap(text: str, of: Denomination) -> Cap:
    found = _CAP.fullmatch(_plain(text))
    if found is None:
        raise Unread("cap", typed=text[:TYPED_SHOWN], example="每户每月最多 20；每人每年最多 100")
    scope = _word(found[1], tuple(Scope)) if found[1] else Scope.PERSON
    counts = {"次": Counts.TIMES, "分钟": Counts.MINUTES}.get(found[4], Counts.POINTS)
    most = number(found[3], of.decimals if counts is Counts.POINTS else 0)
    return Cap(scope, _word(found[2], tuple(Period)), **{counts.value: most})


def _caps(_column: Column, text: str, of: Denomination) -> tuple[Cap, ...]:
    parts = re.split(r"[;,、\n]", unicodedata.normalize("NFKC", text))
    return tuple(_cap(part, of) for part in parts if part.strip())


def _words(column: Column, text: str, _of: Denomination) -> tuple[str, ...]:
    return tuple(_word(part, OPTIONS[column.field]) for part in re.split(r"[;；,，、/+＋→\s]+", text) if part)


_MEANS: dict[Sort, Callable[[Column, str, Denomination], Any]] = {
    Sort.TEXT: lambda _column, text, _of: text,
    Sort.NUMBER: lambda _column, text, _of: number(text, 0),
    Sort.AMOUNT: lambda _column, text, of: number(text, of.decimals),
    Sort.CAP: lambda _column, text, of: number(text, of.decimals),
    Sort.CAPS: _caps,
    Sort.BASIS: lambda _column, text, _of: _word(text, tuple(Basis)),
    Sort.ROUNDING: lambda _column, text, _of: _word(text, tuple(Rounding)),
    Sort.WORDS: _words,
    Sort.BOOK: lambda _column, _text, of: of.code,  # in whose amounts the row is read: looked up before all others
}
_BY_HEAD = {
    _plain(word).partition("(")[0]: column for column in COLUMNS for word in (column.head, *column.also.split())
}
