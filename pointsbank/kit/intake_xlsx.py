"""Workbooks in zip form, in the child process: every part is looked at before a library sees any of it.

What the library gets is a zip of our own with exactly the parts that were checked, so that no two readers of one file
can see two different things in it.
"""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from pointsbank.kit.rules_intake import (
    CELL_LENGTH_MAX,
    LOOKS,
    PARTS_MAX,
    RATIO_MAX,
    TEXT_LENGTH_MAX,
    UNPACKED_BYTES_MAX,
    XML_DEPTH_MAX,
    FileDamaged,
    FileLocked,
    FileSuspect,
    FileTooMuch,
    HasLinks,
    HasMacros,
    NoSheet,
    TooManyColumns,
    TooManyRows,
    TooMuchText,
)

METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
IS_ENCRYPTED = 1
LOCAL_HEADER_BYTES = 30
# A part of this size may be as empty as it likes: styles and themes are.
SMALL_PART_BYTES = 100_000
CHUNK_BYTES = 1 << 20
FORMULAS_TOLD_MAX = 200
TYPES, BOOK = "[Content_Types].xml", "xl/workbook.xml"
OTHERS = (("word/", "word"), ("ppt/", "slides"), ("xl/workbook.bin", "xlsb"), ("META-INF/manifest.xml", "ods"))
MACROS = re.compile(r"vba|macrosheets/|xl/activex/|macroEnabled", re.IGNORECASE)
LINKS = re.compile(r"externallinks/|xl/connections|xl/querytables/", re.IGNORECASE)
LINK_TYPES = re.compile(r"/(externalLink|externalLinkPath|connections|queryTable|attachedTemplate|oleObject)$")
PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
SHEETS_LISTED = "xl/_rels/workbook.xml.rels"
SHARED = "s"
WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")  # UTF-16, which the two parsers would read differently


Place = tuple[int, int]  # row and column, counted from 1


@dataclass
class Book:
    """What is told of a workbook as its parts stream by; `part_of` leads from a sheet's name to its part."""

    rows_max: int
    columns_max: int
    shared: list[int] = field(default_factory=list)
    letters: int = 0
    part_of: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    formulas: dict[str, list[Place]] = field(default_factory=dict)

    def formulas_of(self, sheet: str) -> list[Place]:
        """Where the first formulas of a sheet stand. What the library reads of them is a value of yesterday."""
        target = self.targets.get(self.part_of.get(sheet, ""), "")
        return self.formulas.get(target.removeprefix("/") if target.startswith("/") else f"xl/{target}", [])


def cleaned(content: bytes, *, rows_max: int, columns_max: int) -> tuple[io.BytesIO, Book]:
    """The same workbook as a plain zip of its XML parts, all of them checked, and what they told."""
    book = Book(rows_max, columns_max)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return _copied(packed, _parts(packed), book), book
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, expat.ExpatError):
        raise FileDamaged from None


def _parts(packed: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The parts worth reading, if the directory of the zip is in order."""
    infos = packed.infolist()
    if len(infos) > PARTS_MAX:
        raise FileSuspect
    names = [info.orig_filename for info in infos]
    _refuse_names(names)
    _refuse_kind(names)
    unpacked = 0
    for info in infos:
        if info.flag_bits & IS_ENCRYPTED:
            raise FileLocked
        if info.compress_type not in METHODS:
            raise FileSuspect
        unpacked += info.file_size
        if info.file_size > max(info.compress_size * RATIO_MAX, SMALL_PART_BYTES):
            raise FileTooMuch
    if unpacked > UNPACKED_BYTES_MAX:
        raise FileTooMuch
    _refuse_overlaps(infos, packed.start_dir)
    return [info for info in infos if info.filename.lower().endswith((".xml", ".rels"))]


def _refuse_names(names: list[str]) -> None:
    if len({name.lower() for name in names}) < len(names):
        raise FileSuspect
    for name in names:
        steps = name.split("/")
        if name.startswith("/") or ".." in steps or "\\" in name or ":" in name or "\x00" in name:
            raise FileSuspect


def _refuse_kind(names: list[str]) -> None:
    if TYPES not in names or BOOK not in names:
        looks = next((looks for start, looks in OTHERS if any(name.startswith(start) for name in names)), "archive")
        raise NoSheet(looks=LOOKS[looks])
    if any(MACROS.search(name) for name in names):
        raise HasMacros
    if any(LINKS.search(name) for name in names):
        raise HasLinks


def _refuse_overlaps(infos: list[zipfile.ZipInfo], end: int) -> None:
    """Parts that share bytes are how a small zip unpacks to anything."""
    for info in sorted(infos, key=lambda info: -info.header_offset):
        if info.header_offset + LOCAL_HEADER_BYTES + info.compress_size > end:
            raise FileSuspect
        end = info.header_offset


def _copied(packed: zipfile.ZipFile, parts: list[zipfile.ZipInfo], book: Book) -> io.BytesIO:
    made = io.BytesIO()
    # The shared texts come first: a cell that names one counts with its length.
    parts.sort(key=lambda info: not info.filename.lower().endswith("sharedstrings.xml"))
    with zipfile.ZipFile(made, "w") as clean:
        for info in parts:
            part = _Part(book, info.filename)
            with packed.open(info) as source, clean.open(info.filename, "w") as target:
                # zipfile hands out what the directory declares and not a byte more, whatever the stream holds, and
                # then the checksum is wrong: so the sum that was checked above is the sum that is read.
                while chunk := source.read(CHUNK_BYTES):
                    if part.is_new and chunk.startswith(WIDE):
                        raise FileSuspect
                    part.feed(chunk)
                    target.write(chunk)
            part.feed(b"", is_last=True)
    made.seek(0)
    return made


class _Part:
    """One XML part as it streams by: no DOCTYPE, no depth without end, no cell beyond the limits."""

    def __init__(self, book: Book, name: str) -> None:
        self.book, self.name = book, name
        self.depth = self.row = self.column = self.length = 0
        self.root = self.cell_type = self.inside = ""
        self.is_filled, self.is_new = False, True
        self.text: list[str] = []
        self.parser = expat.ParserCreate("utf-8")  # as the library reads it, whatever the part says of itself
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def feed(self, chunk: bytes, *, is_last: bool = False) -> None:
        self.is_new = False
        self.parser.Parse(chunk, is_last)

    def _refuse_doctype(self, *_declared: Any) -> None:
        raise FileSuspect

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > XML_DEPTH_MAX:
            raise FileSuspect
        name = name.rpartition(":")[2]
        if self.depth == 1:
            self.root = name
        if self.root == "worksheet":
            self._start_in_sheet(name, attributes)
        elif self.root == "sst":
            if name == "si":
                self.length = 0
            elif name == "t":
                self.parser.CharacterDataHandler = self._count
        elif name == "Relationship":
            self._start_relationship(attributes)
        elif name == "sheet" and self.root == "workbook":
            known = next((value for key, value in attributes.items() if key.rpartition(":")[2] == "id"), "")
            self.book.part_of[attributes.get("name", "")] = known
        elif name in {"Override", "Default"} and MACROS.search(attributes.get("ContentType", "")):
            raise HasMacros

    def _start_relationship(self, attributes: dict[str, str]) -> None:
        if LINK_TYPES.search(attributes.get("Type", "")):
            raise HasLinks
        if self.name == SHEETS_LISTED:
            self.book.targets[attributes.get("Id", "")] = attributes.get("Target", "")

    def _start_in_sheet(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = 0
        elif name == "c":
            self._place(attributes.get("r"))
            self.cell_type = attributes.get("t", "n")
        elif name == "f":
            found = self.book.formulas.setdefault(self.name, [])
            if len(found) < FORMULAS_TOLD_MAX:
                found.append((self.row, self.column))
        elif name in {"v", "t"}:
            self.is_filled = True
            self.text = []
            self.parser.CharacterDataHandler = self.text.append

    def _place(self, place: str | None) -> None:
        self.is_filled = False
        self.column += 1
        if place is None:
            return
        found = PLACE.fullmatch(place)
        if found is None:
            raise FileDamaged
        self.row, self.column = int(found[2]), 0
        for letter in found[1]:
            self.column = self.column * 26 + ord(letter) - 64

    def _end(self, name: str) -> None:
        self.depth -= 1
        name = name.rpartition(":")[2]
        if self.root == "worksheet":
            self._end_in_sheet(name)
        elif self.root == "sst":
            self.parser.CharacterDataHandler = None
            if name == "si":
                if self.length > CELL_LENGTH_MAX:
                    raise TooMuchText
                self.book.shared.append(self.length)

    def _end_in_sheet(self, name: str) -> None:
        if name in {"v", "t"}:
            self.parser.CharacterDataHandler = None
            self._add("".join(self.text))
        elif name == "c" and self.is_filled:
            # Only cells with a value count: whole columns of borders without one are what offices send.
            if self.row > self.book.rows_max:
                raise TooManyRows(rows=self.book.rows_max)
            if self.column > self.book.columns_max:
                raise TooManyColumns(columns=self.book.columns_max)

    def _add(self, text: str) -> None:
        if self.cell_type == SHARED:
            number = int(text)
            if not 0 <= number < len(self.book.shared):
                raise FileDamaged
            self.book.letters += self.book.shared[number]
        else:
            self.book.letters += len(text)
        if self.book.letters > TEXT_LENGTH_MAX or len(text) > CELL_LENGTH_MAX:
            raise TooMuchText

    def _count(self, text: str) -> None:
        self.length += len(text)
