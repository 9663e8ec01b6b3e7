"""Scoring tables as files (TOML, described in seed_data/scoring/README.md): check, read, write.

A file is checked as a whole: every problem is named at once, with its line, in words for whoever typed it.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterator
from enum import EnumType
from functools import partial
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from pointsbank.scoring import rules
from pointsbank.scoring import rules_table as tables

TEXT_MAX = 100_000  # characters; the largest published table has some two hundred items
LINE_MAX = 1_000  # tomllib takes quadratic time over one long dotted key
NUMBER_MAX = 10**12
HEADER = re.compile(r"\s*\[\[\s*[\"']?items[\"']?\s*\]\]")
KEY = re.compile(r"\s*[\"']?(\w+)[\"']?\s*=")
PIECE = re.compile(r"\s*\[+\s*(?:items\.)?(\w+)\s*\]")
ENTRY = re.compile(r"\s*[{\"']")
KEYS = "|".join((*tables.Table.__struct_fields__, *tables.Item.__struct_fields__))
TELLING = re.compile(
    rb"""^(?:\xef\xbb\xbf)?[ \t]*(?:\[\[[ \t]*["']?items|["']?(?:%s)["']?[ ]*=)""" % KEYS.encode(), re.MULTILINE
)
PLACE = re.compile(r"line (\d+), column (\d+)")
KNOWN = {
    "Cannot overwrite a value": "同一个键写了两次。请留一个。",
    "Unterminated string": "引号没有成对。请补上。",
    "Illegal character": "有看不见的字符，或文字没有写完引号就换行了。",
    "Invalid value": "等号后面的写法不对。文字要加英文引号，数字不加。",
    "Unclosed array": "方括号没有成对。请补上。",
    "Expected '=' after a key": "键的后面要有等号。",
}
SIMPLE: dict[Any, str] = {
    str: "引号里的文字",
    int: "整数，不加引号",
    bool: "true 或 false",
    tuple[str, ...]: '一串引号里的文字：["…", "…"]',
    tuple[int, ...]: "一串整数：[1, 2, 4]",
}
EXAMPLES: dict[Any, str] = {
    tables.Validity: '{ kind = "never" }、{ kind = "year_end" }、{ kind = "months", months = 18 } '
    '或 { kind = "years", years = 3 }',
    tables.Cap: '{ scope = "person", period = "day", points = 45 }',
    tables.Level: '{ name = "市级表彰", points = 20 }',
    tables.Finding: '{ name = "乱堆乱放", points = 5 }',
    tables.Increment: '{ measure = "metres", above = 500, every = 100, points = 1 }',
    tables.Streak: '{ length = 7, points = 4, period = "day" }',
    tables.Hours: '{ from = "06:00", to = "22:00" }',
    tables.Multiplier: '{ name = "夜间", percent = 150, from = "22:00", to = "06:00" }',
    tables.Panel: "{ members = 5, agree = 3 }",
    tables.Process: "{ advice = 1, warnings = 1, within_months = 12 }",
    tables.Base: '{ points = 60, each = "once", spend_above = 60 }',
    tables.Veto: '{ code = "V01", name = "…", consequence = "no_redemption", bar_months = 3, '
    'ground = "…", make_good = "…" }',
    tables.Star: '{ name = "一星", from_minutes = 6000, benefits = "…" }',
}


class Problem(msgspec.Struct, frozen=True):
    """`where` is an item's code, or empty for the table as a whole; `line` counts from 1."""

    line: int
    where: str
    message: str


def is_one(content: bytes) -> bool:
    """Whether a file speaks as scoring tables do, however wrongly; what it is called is not asked."""
    return TELLING.search(content[:TEXT_MAX]) is not None


def check(text: str, book_kinds: Collection[str] | None = None) -> list[Problem]:
    """Why a file cannot be read; with `book_kinds` also which passbooks it names that are not there."""
    return _read(text, book_kinds)[1]


def lines_of_codes(text: str) -> dict[str, int]:
    """Where the code of each item stands, in a file that can be read."""
    lines = _Lines(text)
    items = tomllib.loads(text.removeprefix("\ufeff")).get("items", [])
    return {item["code"]: lines.of_item(index, "code") for index, item in enumerate(items)}


def bars(text: str) -> list[Problem]:
    """Why the table of a file that can be read cannot be published as it is."""
    return _read(text)[2]


def parse(text: str) -> rules.Table:
    """Refuses a file with any problem; the message names them."""
    table, problems, _ = _read(text)
    if table is None or problems:
        named = "；".join(f"第 {problem.line} 行：{problem.message}" for problem in problems[:PROBLEMS_NAMED])
        raise rules.SchemeUnreadable(count=len(problems), text=named)
    return table


def write(table: rules.Table) -> str:
    """The file of a table; what has its usual value is left out."""
    lines = _pairs(table)
    for item in table.items:
        lines += ["", "[[items]]", *_pairs(item)]
    return "\n".join(lines) + "\n"


PROBLEMS_NAMED = 500
# What stands for a file's own words where they cannot be read, so that the rest is looked at all the same.
UNREAD = {"name": "…", "place": "…", "document": "…", "kind": rules.TableKind.HOUSEHOLD_DEEDS}
UNREAD_ITEM = {"category": "…", "name": "…", "evidence": "…", "basis": rules.Basis.PER_TIME}
OF_BASIS = {"not_for_basis", "for_basis", "points_elsewhere", "deduction_counts"}
OF_ITEM = {field.encode_name for field in msgspec.structs.fields(rules.Item) if field.required}
Read = tuple[rules.Table | None, list[Problem], list[Problem]]


def _read(text: str, book_kinds: Collection[str] | None = None) -> Read:
    """The table, if there is one, what is wrong with the file, and what bars publishing alone."""
    data = _data(text)
    if isinstance(data, Problem):
        return None, [data], []
    lines = _Lines(text)
    given = data.get("items", [])
    items = [item for item in (given if isinstance(given, list) else []) if isinstance(item, dict)]
    problems, left = _shape_problems(data, rules.Table, "", lines.of_table)
    unread = {("", key) for key in data.keys() - left.keys()}
    readable = []
    for index, item in enumerate(items):
        code = item.get("code")
        where = code if isinstance(code, str) and code else f"第 {index + 1} 项"
        wrong, rest = _shape_problems(item, rules.Item, where, partial(lines.of_item, index))
        problems += wrong
        unread |= {(where, key) for key in item.keys() - rest.keys()}
        if (UNREAD_ITEM | rest).keys() >= OF_ITEM:
            readable.append(UNREAD_ITEM | rest if wrong else rest)
    is_whole = not problems
    if not is_whole and (len(readable) < len(items) or not readable):
        unread.add(("", "items"))
    table = msgspec.convert(data if is_whole else UNREAD | left | {"items": readable}, rules.Table)

    bars: list[Problem] = []
    codes = [item.get("code") for item in items]
    for fault in rules.faults(table, book_kinds):
        if (fault.item_code, fault.field) in unread or (fault.only_publishing and not is_whole):
            continue
        if fault.key in OF_BASIS and (fault.item_code, "basis") in unread:
            continue
        # The second of two items with one code is the one to change.
        last = len(codes) - 1 - codes[::-1].index(fault.item_code) if fault.item_code in codes else None
        of_fault = lines.of_table if last is None else partial(lines.of_item, last)
        line = of_fault(fault.field, fault.entry)
        (bars if fault.only_publishing else problems).append(Problem(line, fault.item_code, fault.text))
    return (
        table if is_whole else None,
        sorted(dict.fromkeys(problems), key=_line),
        sorted(dict.fromkeys(bars), key=_line),
    )


def _line(problem: Problem) -> int:
    return problem.line


def _data(text: str) -> dict[str, Any] | Problem:
    if len(text) > TEXT_MAX:
        return Problem(1, "", f"文件太大，最多 {TEXT_MAX} 个字。")
    long = next((number for number, line in enumerate(text.split("\n"), start=1) if len(line) > LINE_MAX), None)
    if long is not None:
        return Problem(long, "", f"这一行太长，最多 {LINE_MAX} 个字。请分成几行。")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        return Problem(1, "", "括号套得太深。请检查方括号和花括号。")
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        return _syntax_problem(text, str(error))


LineOf = Callable[[str, int], int]  # key, and which entry of a list -> line


class _Lines:
    """Where keys stand, and the entries of lists that have lines of their own.

    Found by looking at the lines, since tomllib does not tell; good enough to point at one.
    """

    def __init__(self, text: str) -> None:
        self._items: list[dict[str, list[int]]] = []
        self._table: dict[str, list[int]] = {}
        of, here, found = self._table, self._table, [1]
        for number, line in enumerate(text.split("\n"), start=1):
            if HEADER.match(line):
                found = [number]
                of = here = {"": found}
                self._items.append(of)
                self._table.setdefault("items", found)
            elif piece := PIECE.match(line):  # a table of its own: what stands in it is of this key
                found = of.setdefault(piece.group(1), [number])
                found.append(number)
                here = {}
            elif key := KEY.match(line):
                found = here.setdefault(key.group(1), [number])
            elif ENTRY.match(line):
                found.append(number)

    def of_table(self, key: str, entry: int = 0) -> int:
        return _line_of(self._table, key, entry, 1)

    def of_item(self, index: int, key: str, entry: int = 0) -> int:
        if index >= len(self._items):  # written as one list: items = [{…}]
            return self.of_table("items")
        places = self._items[index]
        return _line_of(places, key, entry, places[""][0])


def _line_of(places: dict[str, list[int]], key: str, entry: int, otherwise: int) -> int:
    """The key's own line comes first, then those of its entries."""
    lines = places.get(key, [otherwise])
    return lines[entry] if entry < len(lines) else lines[0]


def _shape_problems(
    data: dict[str, Any], struct: type[msgspec.Struct], where: str, line_of: LineOf
) -> tuple[list[Problem], dict[str, Any]]:
    """Keys that nobody knows, keys that are missing, values of the wrong sort; and the rest, which can be read."""
    wrong = list(_wrong(data, struct, ""))
    keys = {key for key, _entry, _message in wrong}
    problems = [Problem(line_of(key, entry), where, message) for key, entry, message in wrong]
    return problems, {key: value for key, value in data.items() if key not in keys}


Wrong = tuple[str, int, str]  # key, which entry of a list, message


def _wrong(data: dict[str, Any], struct: type[msgspec.Struct], path: str) -> Iterator[Wrong]:
    """What is wrong; `path` says in which piece of a field."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for key in data:
        if key not in fields:
            yield key, 0, f"{path}不认识“{key[:40]}”这个键。请对照说明检查拼写。"
    for key, field in fields.items():
        label = f"{path}{key}（{rules.FIELD_LABELS[key]}）"
        if key not in data:
            if field.required:
                yield key, 0, f"缺少 {label}。请补上。"
        elif key == "items":
            if not isinstance(data[key], list) or not all(isinstance(item, dict) for item in data[key]):
                yield key, 0, "积分项要写成一段一段的 [[items]]。"
        else:
            wrong = _wrong_value(data[key], _without_none(field.type), label)
            yield from ((key, entry, message) for entry, message in wrong)


def _wrong_value(value: Any, kind: Any, label: str) -> Iterator[tuple[int, str]]:
    piece = _piece(kind)
    if piece is not None and kind is piece and isinstance(value, dict):
        yield from ((0, message) for _, _, message in _wrong(value, piece, f"{label} 的 "))
    elif (
        piece is not None and kind is not piece and isinstance(value, list) and all(isinstance(x, dict) for x in value)
    ):
        for number, one in enumerate(value, start=1):
            yield from ((number, message) for _, _, message in _wrong(one, piece, f"{label} 第 {number} 个的 "))
    elif not _converts(value, kind):
        yield 0, f"{label} 应是{_sort_of(kind)}。"


def _converts(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return not _has_large_number(value)


def _without_none(kind: Any) -> Any:
    if get_origin(kind) not in (Union, UnionType):
        return kind
    return next(one for one in get_args(kind) if one is not type(None))


def _piece(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field is, or is a row of."""
    inner = get_args(kind)[0] if get_origin(kind) is tuple else kind
    return inner if inner in EXAMPLES else None


def _sort_of(kind: Any) -> str:
    if kind in SIMPLE:
        return SIMPLE[kind]
    if isinstance(kind, EnumType):
        return "下列之一：" + "、".join(kind)
    if get_origin(kind) is Literal:
        *first, last = [f'"{one}"' for one in get_args(kind)]
        return f"{'、'.join(first)} 或 {last}"
    if get_origin(kind) is tuple:
        (inner, _) = get_args(kind)
        if inner in EXAMPLES:
            return f"这样的一串：[{EXAMPLES[inner]}]"
        return f'这样的一串：["{get_args(inner)[0]}"]，可以写的有 {_sort_of(inner)}'
    return f"这样：{EXAMPLES[kind]}"


def _has_large_number(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_large_number, value.values()))
        case list():
            return any(map(_has_large_number, value))
        case int():
            return abs(value) > NUMBER_MAX
    return False


def _syntax_problem(text: str, error: str) -> Problem:
    place = PLACE.search(error)
    line = int(place.group(1)) if place else text.rstrip().count("\n") + 1
    plain = next((words for known, words in KNOWN.items() if known in error), "写法不对。请检查引号、等号和括号。")
    return Problem(line, "", plain)


def _pairs(struct: rules.Table | rules.Item) -> list[str]:
    found = []
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.name != "items" and (field.required or value != field.default):
            found.append(f"{field.encode_name} = {_toml(msgspec.to_builtins(value))}")
    return found


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case dict():
            return "{ " + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + " }"
        case list() | tuple():
            parts = [_toml(part) for part in value]
            one_line = "[" + ", ".join(parts) + "]"
            return one_line if len(one_line) <= 100 else "[\n" + "".join(f"  {part},\n" for part in parts) + "]"
    return str(value)
