"""Tables out of bytes, in the child process: what the content is, separated text, old and new workbooks."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from typing import Any, NamedTuple

from pointsbank.kit.rules_intake import (
    CELL_LENGTH_MAX,
    LOOKS,
    TEXT_LENGTH_MAX,
    FileDamaged,
    FileEmpty,
    FileLocked,
    HasMacros,
    NoSheet,
    TooManyColumns,
    TooManyRows,
    TooMuchText,
)

Row = list[str | int | float | bool | None]

OLE, ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
STARTS = (
    (b"%PDF", "pdf"),
    (b"\xff\xd8\xff", "picture"),
    (b"\x89PNG", "picture"),
    (b"BM", "bmp"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"PK", "archive"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"ID;P", "sylk"),
    (b"\x09\x00\x04\x00", "old"),
    (b"\x09\x02\x06\x00", "old"),
    (b"\x09\x04\x06\x00", "old"),
    (b"{\\rtf", "word"),
    (b"MIME-Version:", "web"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
)
MARKUP = ((b"<svg", "svg"), (b"urn:schemas-microsoft-com:office:spreadsheet", "xml"), (b"<?xml", "xml"), (b"<", "web"))
SPACE = b" \t\r\n\x0b\x0c\xef\xbb\xbf"
# Control characters are no text; NUL and its like say that this is no text file at all.
BINARY = re.compile(r"[\x00-\x08\x0e-\x1b\x1c-\x1f]")
UNSEEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, 0xFEFF, 0xFFFE, 0xFFFF])
EXACT_MAX = 2**53
SEPARATORS = ",\t;"
SNIFFED_LINES = 20
MERGED_TOLD_MAX = 200


Place = tuple[int, int]


class Found(NamedTuple):
    rows: list[Row]
    kind: str
    encoding: str | None
    name: str
    merged: Sequence[Place] = ()
    formulas: Sequence[Place] = ()


def read(content: bytes, *, rows_max: int, columns_max: int) -> Found:
    if content.startswith(ZIP):
        from pointsbank.kit import intake_xlsx  # noqa: PLC0415  # text needs no zip

        clean, told = intake_xlsx.cleaned(content, rows_max=rows_max, columns_max=columns_max)
        found = _workbook(clean, "xlsx", rows_max, columns_max)
        return found._replace(formulas=told.formulas_of(found.name))
    if content.startswith(OLE):
        _refuse_ole(content)
        return _workbook(io.BytesIO(content), "xls", rows_max, columns_max)
    looks = looks_like(content)
    if looks is not None:
        raise NoSheet(looks=LOOKS[looks])
    text, encoding = decoded(content)
    return Found(_kept(_separated(text), rows_max, columns_max), "csv", encoding, "")


def looks_like(content: bytes) -> str | None:
    """What starts like something that is neither a workbook nor text."""
    for start, looks in STARTS:
        if content.startswith(start):
            return looks
    if content[4:8] == b"ftyp":
        return "heic"
    if content.startswith(b"RIFF"):
        return "picture"
    head = content[:4096].lstrip(SPACE).lower()
    if head.startswith(b"<"):
        return next(looks for sign, looks in MARKUP if sign in head)
    return None


def decoded(content: bytes) -> tuple[str, str]:
    """Text by its byte order mark, as UTF-8, or as what Excel saves in China. UTF-7 is never tried: it is ASCII."""
    for encoding in ("utf-16",) if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if BINARY.search(text) is None:
            return text, encoding.removesuffix("-sig")
    raise NoSheet(looks=LOOKS["unknown"])


def _separated(text: str) -> Iterator[list[Any]]:
    csv.field_size_limit(CELL_LENGTH_MAX)
    head = [some for some in text[:100_000].splitlines() if some.strip()][:SNIFFED_LINES]
    separator = max(SEPARATORS, key=lambda mark: (sum(mark in some for some in head), "".join(head).count(mark)))
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error:
        raise TooMuchText from None


def _refuse_ole(content: bytes) -> None:
    """OLE2 holds many things. The names of its streams stand in it as they are, in UTF-16."""

    def holds(name: str) -> bool:
        return name.encode("utf-16-le") in content

    if holds("EncryptedPackage"):
        raise FileLocked
    if holds("_VBA_PROJECT"):
        raise HasMacros
    for stream, looks in (("WordDocument", "word"), ("PowerPoint Document", "slides")):
        if holds(stream):
            raise NoSheet(looks=LOOKS[looks])
    if not (holds("Workbook") or holds("Book")):
        raise NoSheet(looks=LOOKS["unknown"])


def _workbook(file: io.BytesIO, kind: str, rows_max: int, columns_max: int) -> Found:
    import python_calamine  # noqa: PLC0415  # text needs no calamine

    kinds = python_calamine.SheetTypeEnum
    try:
        with python_calamine.load_workbook(file) as book:
            for about in book.sheets_metadata:
                if about.typ in (kinds.MacroSheet, kinds.Vba):
                    raise HasMacros
                if about.typ != kinds.WorkSheet or about.visible != python_calamine.SheetVisibleEnum.Visible:
                    continue
                sheet = book.get_sheet_by_name(about.name)
                if sheet.end is None:
                    continue
                _refuse_size(sheet.end[0] + 1, sheet.end[1] + 1, rows_max, columns_max)
                rows = _kept(sheet.to_python(skip_empty_area=False), rows_max, columns_max, is_empty_fit=True)
                if rows:
                    merged = [(start[0] + 1, start[1] + 1) for start, _end in sheet.merged_cell_ranges or ()]
                    return Found(rows, kind, None, about.name[:100].translate(UNSEEN), merged[:MERGED_TOLD_MAX])
    except python_calamine.PasswordError:
        raise FileLocked from None
    except (python_calamine.CalamineError, OSError, ValueError):
        raise FileDamaged from None
    raise FileEmpty


def _refuse_size(rows: int, columns: int, rows_max: int, columns_max: int) -> None:
    if rows > rows_max:
        raise TooManyRows(rows=rows_max)
    if columns > columns_max:
        raise TooManyColumns(columns=columns_max)


def _kept(rows: Iterable[list[Any]], rows_max: int, columns_max: int, *, is_empty_fit: bool = False) -> list[Row]:
    """The rows as plain values. Empty ends are cut off and count for nothing."""
    kept: list[Row] = []
    filled = letters = 0
    for number, row in enumerate(rows, 1):
        plain = [_plain(value) for value in row]
        while plain and plain[-1] is None:
            plain.pop()
        if plain:
            _refuse_size(number, len(plain), rows_max, columns_max)
            filled = number
            letters += sum(len(value) for value in plain if isinstance(value, str))
            if letters > TEXT_LENGTH_MAX:
                raise TooMuchText
        if number <= rows_max:
            kept.append(plain)
    if not filled and not is_empty_fit:
        raise FileEmpty
    return kept[:filled]


def _plain(value: Any) -> str | float | bool | None:
    if isinstance(value, str):
        if len(value) > CELL_LENGTH_MAX:
            raise TooMuchText
        return value.translate(UNSEEN).strip() or None
    if isinstance(value, bool | int):
        return value
    return _number(value) if isinstance(value, float) else _moment(value)


def _number(value: float) -> float | None:
    if not math.isfinite(value):  # neither a number nor anything else that a table can mean
        return None
    return int(value) if value.is_integer() and abs(value) <= EXACT_MAX else value


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds") if value.time() != time() else value.date().isoformat()
    return str(value)  # a day, a time, a span of time
