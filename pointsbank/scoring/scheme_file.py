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
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec

from pointsbank.scoring import rules
from pointsbank.scoring import rules_scheme_words as words
from pointsbank.scoring import rules_table as tables
from pointsbank.scoring.rules_fault import Fault, of_item, within
from pointsbank.scoring.rules_ranges import RANGES
from pointsbank.scoring.rules_words import Say

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


class Problem(msgspec.Struct, frozen=True):
    """`where` is an item's code, or empty for the table as a whole; `line` counts from 1. `message` is in words."""

    line: int
    where: str
    message: str


def is_one(content: bytes) -> bool:
    """Whether a file speaks as scoring tables do, however wrongly; what it is called is not asked."""
    return TELLING.search(content[:TEXT_MAX]) is not None


def check(text: str, book_kinds: Collection[str] | None = None, say: Say = str.format) -> list[Problem]:
    """Why a file cannot be read; with `book_kinds` also which passbooks it names that are not there."""
    return _read(text, book_kinds, say)[1]


def lines_of_codes(text: str) -> dict[str, int]:
    """Where the code of each item stands, in a file that can be read."""
    lines = _Lines(text)
    items = tomllib.loads(text.removeprefix("\ufeff")).get("items", [])
    return {item["code"]: lines.of_item(index, "code") for index, item in enumerate(items)}


def bars(text: str) -> list[Problem]:
    """Why the table of a file that can be read cannot be published as it is."""
    return _read(text)[2]


def parse(text: str, say: Say = str.format) -> rules.Table:
    """Refuses a file with any problem; the message names them."""
    table, problems, _ = _read(text, None, say)
    if table is None or problems:
        named = [
            say(words.NAMED, line=one.line, message=of_item(one.where, one.message, say))
            for one in problems[:PROBLEMS_NAMED]
        ]
        raise rules.SchemeUnreadable(count=len(problems), text=say("；").join(named))
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
# Faults that say that something is not there: not told where it may stand in what cannot be read.
OF_PERCENTS = ("basis", "rounding", "multiplier_percent", "multipliers", "streak")
MISSING = {
    ("remainder", "carry"): OF_PERCENTS,
    ("remainder", "carry_whole"): OF_PERCENTS,
    ("caps", "not_for_basis"): ("increments",),
}
Entries = dict[tuple[str, str], list[int]]
Read = tuple[rules.Table | None, list[Problem], list[Problem]]


class _Shape(NamedTuple):
    """What of a file can be read. `table` has stand-ins for what cannot: `unread` names those keys, by item.

    `entries` are those of a list that can be read, by item and key, where others cannot: which of the list they are.
    """

    table: rules.Table
    problems: list[Problem]
    unread: set[tuple[str, str]]
    codes: list[Any]
    entries: Entries

    def tells(self, fault: Fault) -> bool:
        """Whether a fault is the file's own, and not one of a stand-in."""
        if (fault.item_code, fault.field) in self.unread or (fault.only_publishing and self.problems):
            return False
        if (fault.item_code, fault.field) in self.entries and not fault.entry:
            return False
        if any(self._is_lost(fault.item_code, key) for key in MISSING.get((fault.field, fault.key), ())):
            return False
        return fault.key not in OF_BASIS or (fault.item_code, "basis") not in self.unread

    def entry(self, fault: Fault) -> int:
        """Which of the file's list a fault is of, where the table has only some of it."""
        numbers = self.entries.get((fault.item_code, fault.field))
        return numbers[fault.entry - 1] if numbers and fault.entry else fault.entry

    def _is_lost(self, code: str, key: str) -> bool:
        """Whether something of this key could not be read, of the item or of the whole table."""
        return any(place in self.unread or place in self.entries for place in ((code, key), ("", key)))


def _read(text: str, book_kinds: Collection[str] | None = None, say: Say = str.format) -> Read:
    """The table, if there is one, what is wrong with the file, and what bars publishing alone."""
    data = _data(text, say)
    if isinstance(data, Problem):
        return None, [data], []
    lines = _Lines(text)
    shape = _shape(data, lines, say)
    problems, bars = list(shape.problems), list[Problem]()
    for fault in filter(shape.tells, rules.faults(shape.table, book_kinds)):
        (bars if fault.only_publishing else problems).append(_problem_of(fault, shape, lines, say))
    return (
        None if shape.problems else shape.table,
        sorted(dict.fromkeys(problems), key=_line),
        sorted(dict.fromkeys(bars), key=_line),
    )


def _shape(data: dict[str, Any], lines: "_Lines", say: Say) -> _Shape:
    given = data.get("items", [])
    items = [item for item in (given if isinstance(given, list) else []) if isinstance(item, dict)]
    problems, left, good = _shape_problems(data, rules.Table, "", lines.of_table, say)
    unread = {("", key) for key in data.keys() - left.keys()}
    entries = {("", key): numbers for key, numbers in good.items()}
    readable = []
    for index, item in enumerate(items):
        code = item.get("code")
        where = code if isinstance(code, str) and code else say(words.NTH_ITEM, number=index + 1)
        wrong, rest, good = _shape_problems(item, rules.Item, where, partial(lines.of_item, index), say)
        problems += wrong
        unread |= {(where, key) for key in item.keys() - rest.keys()}
        entries |= {(where, key): numbers for key, numbers in good.items()}
        if (UNREAD_ITEM | rest).keys() >= OF_ITEM:
            readable.append(UNREAD_ITEM | rest if wrong else rest)
    if problems and (len(readable) < len(items) or not readable):
        unread.add(("", "items"))
    table = msgspec.convert(UNREAD | left | {"items": readable} if problems else data, rules.Table)
    return _Shape(table, problems, unread, [item.get("code") for item in items], entries)


def _problem_of(fault: Fault, shape: _Shape, lines: "_Lines", say: Say) -> Problem:
    codes = shape.codes
    # The second of two items with one code is the one to change.
    last = len(codes) - 1 - codes[::-1].index(fault.item_code) if fault.item_code in codes else None
    of_fault = lines.of_table if last is None else partial(lines.of_item, last)
    return Problem(of_fault(fault.field, shape.entry(fault)), fault.item_code, fault.words(say))


def _line(problem: Problem) -> int:
    return problem.line


def _data(text: str, say: Say) -> dict[str, Any] | Problem:
    if len(text) > TEXT_MAX:
        return Problem(1, "", say(words.WRONG["too_large"], most=TEXT_MAX))
    long = next((number for number, line in enumerate(text.split("\n"), start=1) if len(line) > LINE_MAX), None)
    if long is not None:
        return Problem(long, "", say(words.WRONG["too_long"], most=LINE_MAX))
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        return Problem(1, "", say(words.WRONG["too_deep"]))
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        return _syntax_problem(text, str(error), say)


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
    data: dict[str, Any], struct: type[msgspec.Struct], where: str, line_of: LineOf, say: Say
) -> tuple[list[Problem], dict[str, Any], dict[str, list[int]]]:
    """Keys that nobody knows, keys that are missing, values of the wrong sort; and the rest, which can be read.

    Of a list that is wrong in some of its entries the others can be: last come their numbers.
    """
    wrong = list(_wrong(data, struct, "", say))
    entries = {(key, entry) for key, entry, _message in wrong}
    keys = {key for key, _entry in entries}
    problems = [Problem(line_of(key, entry), where, message) for key, entry, message in wrong]
    good = {
        key: [number for number in range(1, len(data[key]) + 1) if (key, number) not in entries]
        for key in {key for key, entry in entries if entry}
    }
    left = {key: value for key, value in data.items() if key not in keys}
    parts = {key: [data[key][number - 1] for number in numbers] for key, numbers in good.items()}
    return problems, left | parts, good


Wrong = tuple[str, int, str]  # key, which entry of a list, message


def _wrong(data: dict[str, Any], struct: type[msgspec.Struct], path: str, say: Say) -> Iterator[Wrong]:
    """What is wrong; `path` says in which piece of a field."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for key in data:
        if key not in fields:
            yield key, 0, say(words.WRONG["unknown"], path=path, key=key[:40])
    for key, field in fields.items():
        label = {"path": path, "key": key, "name": say(rules.FIELD_LABELS[key])}
        if key not in data:
            if field.required:
                yield key, 0, say(words.WRONG["missing"], **label)
        elif key == "items":
            if not isinstance(data[key], list) or not all(isinstance(item, dict) for item in data[key]):
                yield key, 0, say(words.WRONG["items"])
        else:
            wrong = _wrong_value(data[key], _without_none(field.type), label, say)
            yield from ((key, entry, message) for entry, message in wrong)


def _wrong_value(value: Any, kind: Any, label: dict[str, str], say: Say) -> Iterator[tuple[int, str]]:
    piece = _piece(kind)
    if piece is not None and kind is piece and isinstance(value, dict):
        yield from ((0, message) for message in _wrong_piece(value, piece, say(words.IN_PIECE, **label), say))
    elif (
        piece is not None and kind is not piece and isinstance(value, list) and all(isinstance(x, dict) for x in value)
    ):
        for number, one in enumerate(value, start=1):
            path = say(words.IN_ENTRY, **label, number=number)
            yield from ((number, message) for message in _wrong_piece(one, piece, path, say))
    elif not _converts(value, kind):
        yield 0, say(words.WRONG["sort"], **label, sort=_sort_of(kind, say))


def _wrong_piece(data: dict[str, Any], piece: type[msgspec.Struct], path: str, say: Say) -> Iterator[str]:
    """What is wrong; with it the numbers out of range, since nobody looks at a piece again that cannot be read."""
    found = {key: message for key, _, message in _wrong(data, piece, path, say)}
    yield from found.values()
    for key, span in RANGES.get(piece, {}).items() if found else ():
        if key in data and key not in found:
            yield from (fault.words(say) for fault in within("", key, data[key], span))


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
    return inner if inner in words.EXAMPLES else None


def _sort_of(kind: Any, say: Say) -> str:
    if kind in words.SIMPLE:
        return say(words.SIMPLE[kind])
    if isinstance(kind, EnumType):
        return say(words.ONE_OF, names=say("、").join(kind))
    if get_origin(kind) is Literal:
        *first, last = [f'"{one}"' for one in get_args(kind)]
        return say(words.EITHER, first=say("、").join(first), last=last)
    if get_origin(kind) is tuple:
        (inner, _) = get_args(kind)
        if inner in words.EXAMPLES:
            return say(words.ROWS_LIKE, example=words.EXAMPLES[inner])
        return say(words.ROW_OF, example=get_args(inner)[0], sort=_sort_of(inner, say))
    return say(words.LIKE, example=words.EXAMPLES[kind])


def _has_large_number(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_large_number, value.values()))
        case list():
            return any(map(_has_large_number, value))
        case int():
            return abs(value) > NUMBER_MAX
    return False


def _syntax_problem(text: str, error: str, say: Say) -> Problem:
    place = PLACE.search(error)
    line = int(place.group(1)) if place else text.rstrip().count("\n") + 1
    plain = next((meant for known, meant in words.KNOWN.items() if known in error), words.WRONG["syntax"])
    return Problem(line, "", say(plain))


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
