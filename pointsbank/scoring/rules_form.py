"""A form drawn from the types of what it is about: every field as texts that are typed, and what was typed as values.

The fields of an item stand here, those of the table as a whole in `rules_form_table`.
"""

import hashlib
import re
import types
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, EnumType, auto
from itertools import zip_longest
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec

from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.scoring import rules_edit
from pointsbank.scoring.rules_columns import NOT_READ, TYPED_SHOWN, Unread, amount, number
from pointsbank.scoring.rules_table import Basis, Item
from pointsbank.scoring.rules_words import FIELD_LABELS, YES_NO

MARK_LETTERS = 12
DAY_CAP = "day_cap"
AMOUNTS = frozenset({"points", "range_max", "points_min_per_act", "floor", "points_by_met", "spend_above", DAY_CAP})
LONG = frozenset(
    ("says", "ground", "make_good", "levels_words", "redeem", "redemption_ratio", "expiry_words", "approval", "appeal")
)
YES, NO = "yes", "no"
Texts = dict[str, list[str]]


class Sort(Enum):
    """How a field is typed."""

    TEXT = auto()
    LONG = auto()
    NUMBER = auto()
    AMOUNT = auto()
    CHOICE = auto()
    CHOICES = auto()  # several of a few
    LINES = auto()  # a text in each line
    AMOUNTS = auto()  # several in one line
    PIECE = auto()  # a row of parts, or nothing
    PIECES = auto()  # rows of parts
    BOOK = auto()


class Field(NamedTuple):
    """`name` is that of the input; a part's is `piece.part`. `options` are values, which WORDS names."""

    name: str
    label: str
    sort: Sort
    required: bool = False
    default: Any = None
    options: tuple[Any, ...] = ()
    parts: tuple["Field", ...] = ()
    made: Any = None


class Section(NamedTuple):
    title: str
    fields: tuple[Field, ...]


class Wrong(NamedTuple):
    field: str
    text: str
    facts: dict[str, str | int]


def _field(of: msgspec.structs.FieldInfo, piece: str = "") -> Field:
    kind, default = of.type, None if of.required else of.default
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    name = f"{piece}.{of.encode_name}" if piece else of.encode_name
    sort, options, parts, made = _sort(of.encode_name, kind)
    return Field(name, FIELD_LABELS[of.encode_name], sort, of.required, default, options, parts, made)


SEVERAL = {Sort.CHOICE: Sort.CHOICES, Sort.PIECE: Sort.PIECES, Sort.AMOUNT: Sort.AMOUNTS, Sort.TEXT: Sort.LINES}


def _sort(name: str, kind: Any) -> tuple[Sort, tuple[Any, ...], tuple[Field, ...], Any]:
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        inner, options, parts, made = _sort(name, arguments[0])
        return SEVERAL[inner], options, parts, made
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return Sort.PIECE, (), tuple(_field(part, name) for part in msgspec.structs.fields(kind)), kind
    options = (True, False) if kind is bool else tuple(kind) if isinstance(kind, EnumType) else arguments
    if options:
        return Sort.CHOICE, options, (), None
    if kind is int:
        return (Sort.AMOUNT if name in AMOUNTS else Sort.NUMBER), (), (), None
    return Sort.BOOK if name == "book_kind" else Sort.LONG if name in LONG else Sort.TEXT, (), (), None


def fields_of(kind: type[msgspec.Struct]) -> dict[str, Field]:
    return {of.encode_name: _field(of) for of in msgspec.structs.fields(kind)}


_OF_ITEM = fields_of(Item)
_OF_ITEM[DAY_CAP] = Field(DAY_CAP, "每人每天上限", Sort.AMOUNT)


def _section(title: str, names: str) -> Section:
    return Section(title, tuple(_OF_ITEM[name] for name in names.split()))


SECTIONS = (
    _section("", "code category name basis points day_cap evidence"),
    _section("按时长、路程、数量怎么算", "block_minutes block_metres rounding counted minutes_max_per_act"),
    _section("按等级、按做到几条、满分往下减", "levels conditions points_by_met faults"),
    _section("评议定分、加分和系数", "range_max increments streak multiplier_percent multipliers multipliers_combine"),
    _section("零头", "end_rounding remainder points_min_per_act"),
    _section("门槛", "minutes_min share_min_percent quantity_min metres_min hours"),
    _section("上限", "caps"),
    _section("谁申报、看什么、谁审核", "submit evidence_kinds review panel notice_days"),
    _section("记给谁、有效期", "scope book_kind validity"),
    _section("扣分项", "deduction process ground make_good floor"),
    _section("出处", "says"),
)
SECTION_TITLES = {number: section.title for number, section in enumerate(SECTIONS) if section.title}
FIELDS = tuple(field for section in SECTIONS for field in section.fields)


def inputs_of(field: Field) -> list[str]:
    return [part.name for part in field.parts] or [field.name]


def blank(evidence: str) -> Texts:
    """The texts of an item that is still to be written."""
    usual = Item(code="", category="", name="", basis=Basis.PER_MINUTES, evidence=evidence)
    return texts_of(usual, Denomination("", "", "", 0, ""))


def texts_of(item: Item, of: Denomination) -> Texts:
    """What stands in each input; of rows, in each row."""
    shown = msgspec.structs.replace(item, caps=tuple(cap for cap in item.caps if not rules_edit.is_day_cap(cap)))
    fields = [field for field in FIELDS if field.name != DAY_CAP]
    return {DAY_CAP: [amount(rules_edit.day_cap_of(item), of.decimals)]} | written(fields, shown, of)


def written(fields: Iterable[Field], shown: msgspec.Struct, of: Denomination) -> Texts:
    texts: Texts = {}
    for field in fields:
        value = getattr(shown, field.name)
        if not field.parts:
            texts[field.name] = _written(field, value, of)
            continue
        pieces = value if field.sort is Sort.PIECES else [] if value is None else [value]
        for part, known in zip(field.parts, msgspec.structs.fields(field.made), strict=True):
            texts[part.name] = [_written(part, getattr(piece, known.name), of)[0] for piece in pieces]
    return texts


def _written(field: Field, value: Any, of: Denomination) -> list[str]:
    if value is None:
        return [""]
    match field.sort:
        case Sort.AMOUNT:
            return [amount(value, of.decimals)]
        case Sort.AMOUNTS:
            return ["、".join(amount(one, of.decimals) for one in value)]
        case Sort.LINES:
            return ["\n".join(value)]
        case Sort.CHOICES:
            return list(value)
    return [(YES if value else NO) if isinstance(value, bool) else str(value)]


def meant(texts: Mapping[str, Sequence[str]], of: Denomination, known: Item | None) -> tuple[Item | None, list[Wrong]]:
    """The item that was typed, or what is to be typed again. A field that was not sent stays as it was."""
    sent = [field for field in FIELDS if is_sent(field, texts) or (known is None and field.required)]
    changes, wrong = read(sent, texts, of)
    if wrong:
        return None, wrong
    day_cap = changes.pop(DAY_CAP, None if known is None else rules_edit.day_cap_of(known))
    item = msgspec.structs.replace(known, **changes) if known else Item(**changes)
    item = rules_edit.with_day_cap(item, day_cap)
    if known is None:
        return item, []
    # The same caps, the same reviewers in another order are what they were.
    kept = {
        name: getattr(known, name)
        for name in ("caps", "submit", "review", "evidence_kinds")
        if _is_same(known, item, name)
    }
    return msgspec.structs.replace(item, **kept), []


def marks_of(shown: msgspec.Struct, names: Iterable[str] = ()) -> str:
    """A mark of each field as it is now, for the form to carry: which of them were typed in is told by these."""
    return " ".join(f"{name}:{mark(getattr(shown, name))}" for name in names or shown.__struct_fields__)


def marks_read(marks: str) -> dict[str, str]:
    return dict(mark.partition(":")[::2] for mark in marks.split())


def mark(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:MARK_LETTERS]


def merged(typed: Item, now: Item, marks: str) -> tuple[Item, list[str]]:
    """The item with what was typed since it was seen, and the fields that somebody else has changed as well."""
    seen = marks_read(marks)
    changed = {name: value for name in typed.__struct_fields__ if mark(value := getattr(typed, name)) != seen.get(name)}
    return msgspec.structs.replace(now, **changed), of_both(changed, now, marks)


def of_both(changed: Mapping[str, Any], now: msgspec.Struct, marks: str) -> list[str]:
    """Which of these fields somebody else has changed as well since they were seen, and to something else."""
    seen = marks_read(marks)
    return [
        name
        for name, value in changed.items()
        if value != getattr(now, name) and mark(getattr(now, name)) != seen.get(name)
    ]


def _is_same(known: Item, item: Item, name: str) -> bool:
    return sorted(map(str, getattr(known, name))) == sorted(map(str, getattr(item, name)))


def is_sent(field: Field, texts: Mapping[str, Sequence[str]]) -> bool:
    return any(name in texts for name in inputs_of(field))


def read(
    fields: Iterable[Field], texts: Mapping[str, Sequence[str]], of: Denomination
) -> tuple[dict[str, Any], list[Wrong]]:
    """What was typed into these fields, and those of them that mean nothing."""
    found: dict[str, Any] = {}
    wrong: list[Wrong] = []
    for field in fields:
        try:
            found[field.name] = _pieces(field, texts, of) if field.parts else _one(field, texts.get(field.name, []), of)
        except Unread as unread:
            wrong.append(Wrong(field.name, NOT_READ[unread.what], unread.facts))
    return found, wrong


def _pieces(field: Field, texts: Mapping[str, Sequence[str]], of: Denomination) -> Any:
    columns = [texts.get(part.name, []) for part in field.parts]
    rows = [row for row in zip_longest(*columns, fillvalue="") if any(row)]
    names = [known.name for known in msgspec.structs.fields(field.made)]
    made = []
    for row in rows:
        values = [_one(part, [text], of) for part, text in zip(field.parts, row, strict=True)]
        made.append(field.made(**dict(zip(names, values, strict=True))))
    return tuple(made) if field.sort is Sort.PIECES else next(iter(made), field.default)


def _one(field: Field, typed: Sequence[str], of: Denomination) -> Any:
    if field.sort is Sort.CHOICES:
        return tuple(one for one in field.options if one in typed) or field.default
    text = typed[-1].strip() if typed else ""
    if not text:
        if field.required:
            raise Unread("empty", label=field.label)
        return field.default
    return _MEANS[field.sort](field, text, of)


def _amounts(_field: Field, text: str, of: Denomination) -> tuple[int, ...]:
    parts = re.split(r"[;,、\s]+", unicodedata.normalize("NFKC", text))
    return tuple(number(part, of.decimals) for part in parts if part)


def _chosen(field: Field, text: str) -> Any:
    words = {(YES if one else NO) if isinstance(one, bool) else str(one): one for one in field.options}
    if text not in words:
        known = "、".join(YES_NO.get(one, str(one)) for one in field.options)
        raise Unread("unknown_word", typed=text[:TYPED_SHOWN], known=known)
    return words[text]


_MEANS: dict[Sort, Callable[[Field, str, Denomination], Any]] = {
    Sort.TEXT: lambda _field, text, _of: text,
    Sort.LONG: lambda _field, text, _of: text,
    Sort.BOOK: lambda _field, text, _of: text,
    Sort.NUMBER: lambda _field, text, _of: number(text, 0),
    Sort.AMOUNT: lambda _field, text, of: number(text, of.decimals),
    Sort.AMOUNTS: _amounts,
    Sort.LINES: lambda _field, text, _of: tuple(line.strip() for line in text.split("\n") if line.strip()),
    Sort.CHOICE: lambda field, text, _of: _chosen(field, text),
}
