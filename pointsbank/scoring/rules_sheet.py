"""A table as a sheet: written, and read with every fault by row and column.

What a sheet does not carry stays as the draft has it, and so does a cell that says what the draft says: a table that
is written and read again is the same table.
"""

import csv
import hashlib
import io
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.ledger.rules_kinds import PLAIN, Denomination
from pointsbank.scoring import rules_columns, rules_edit
from pointsbank.scoring.rules_columns import COLUMNS, NOT_READ, REQUIRED, Column, Sort, Unread, is_cap_of, is_other_cap
from pointsbank.scoring.rules_differences import AMOUNTS
from pointsbank.scoring.rules_fault import Facts, in_words
from pointsbank.scoring.rules_faults import FAULTS as OF_ITEMS
from pointsbank.scoring.rules_faults import faults as faults_of
from pointsbank.scoring.rules_table import Basis, Cap, Item, Table
from pointsbank.scoring.rules_words import Say

Cell = str | int | float | bool | None
Place = tuple[int, int]  # row and column, counted from 1 as the spreadsheet does

ROWS_MAX = 300
ROWS_LOOKED_AT_MAX = 1_000  # of more, nothing is told but that there are too many
HEAD_WITHIN = 6  # titles may stand above the names of the columns
CELL_LETTERS_MAX = 1_000
UNSEEN = ("Cc", "Cf", "Co", "Cs")
NOTHING_YET = Item(code="", category="-", name="-", basis=Basis.PER_TIME, evidence="-")

FAULTS: dict[str, str] = {
    "nothing": "没有读到积分项。请从表格里选中、复制，粘贴到下面；或选一个文件。",
    "no_head": "没有找到列名。第一行写列名，其中要有“编号”，例如：编号、项目、分值。",
    "too_many": "最多 {most} 行，这里有 {count} 行。请删掉用不到的行。",
    "gbk": "这个文件是 GBK 编码的文字，容易读错字。请在 Excel 或 WPS 里另存为 .xlsx，再试。",
    "old_book": "这是旧的 .xls，看不出里面有没有公式。请另存为 .xlsx，再试。",
    "code_ended": "编号 {code} 以前用过，已经停用，不能再用。请换一个编号。",
    "head_twice": "“{head}”这一列写了两次。请留一列。",
    "merged": "这里是合并的格子。请取消合并，每一行都写全，再试。",
    "code_twice": "编号 {code} 在第 {other} 行已经写过。请留一行，或换一个编号。",
    "other_decimals": "这一项还有 {amount}，“{kind}”最多 {most} 位小数，写不下。请把它也写进这张表，或先在表单里改。",
    "lacks": "{code} 是新的一项，还要写：{heads}。",
    "unseen": "有看不见的字符。请重新输入这一格。",
}  # fmt: skip


class SheetStale(Refusal):
    kind = Kind.CONFLICT
    code = "scoring.sheet_stale"
    message = "看过以后，草稿又改过了，没有放进去。请再看一次。"


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, and where; row 0 is the sheet as a whole, column 0 the row as a whole."""

    row: int
    column: int
    text: str
    facts: Facts = {}

    @property
    def letter(self) -> str:
        """The column as spreadsheets name it."""
        letters, rest = "", self.column
        while rest:
            rest, letter = divmod(rest - 1, 26)
            letters = chr(65 + letter) + letters
        return letters

    def said(self, say: Say) -> str:
        return say(self.text, **in_words(self.facts, say))


class Read(msgspec.Struct, frozen=True):
    """The draft with the sheet put in; it means nothing where there are faults. `unused` are heads nobody knows."""

    table: Table
    faults: list[Fault]
    unused: list[str]


class Head(msgspec.Struct, frozen=True):
    """Where each column stands, from 0, and the first row below."""

    columns: dict[str, int]
    below: int


def digest(table: Table) -> str:
    """What was checked against what: a draft that was saved since has another one."""
    return hashlib.sha256(msgspec.json.encode(table)).hexdigest()


def heads() -> list[str]:
    return [column.head for column in COLUMNS]


def rows_of(table: Table, book_kinds: Mapping[str, Denomination]) -> list[list[Cell]]:
    """The items as cells, numbers as numbers where they keep their digits."""
    return [[_cell(column, item, book_kinds) for column in COLUMNS] for item in table.items]


def _cell(column: Column, item: Item, book_kinds: Mapping[str, Denomination]) -> Cell:
    text = rules_columns.said(column, item, of_kind(item.book_kind, book_kinds))
    if column.sort in (Sort.NUMBER, Sort.AMOUNT, Sort.CAP) and text:
        return float(text) if "." in text else int(text)
    return text or None


def of_kind(code: str, book_kinds: Mapping[str, Denomination]) -> Denomination:
    return book_kinds.get(code, msgspec.structs.replace(PLAIN, code=code, name=code))


def pasted(text: str) -> list[list[str]]:
    """Rows of cells as spreadsheets copy them: tabs between cells, quotes around one with a line break in it."""
    csv.field_size_limit(10**6)
    return list(csv.reader(io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")), delimiter="\t"))


def as_text(rows: Sequence[Sequence[Cell]]) -> str:
    """The same rows as they would be pasted."""
    made = io.StringIO()
    csv.writer(made, delimiter="\t", lineterminator="\n").writerows([[_text(cell) for cell in row] for row in rows])
    text = made.getvalue()
    # A form takes blanks off both ends, and with them the first cell where it is empty.
    return f'""{text}' if text[:1].isspace() else text


def of_file(kind: str, encoding: str | None) -> list[Fault]:
    """What is wrong with a file as such, before any cell is looked at."""
    found = {"gbk": encoding == "gb18030", "old_book": kind == "xls"}
    return [Fault(0, 0, FAULTS[what]) for what, is_so in found.items() if is_so]


def read(
    rows: Sequence[Sequence[Cell]],
    draft: Table,
    book_kinds: Mapping[str, Denomination],
    *,
    ends_others: bool = False,
    merged: Sequence[Place] = (),
    formulas: Sequence[Place] = (),
    ended_codes: Collection[str] = (),
) -> Read:
    """Put a sheet into a draft. `ends_others` leaves out the items that the sheet does not name.

    `ended_codes` are those that no new item may have.
    """
    plain = [[_text(cell) for cell in row] for row in rows]
    if not any(any(row) for row in plain):
        return Read(draft, [Fault(0, 0, FAULTS["nothing"])], [])
    head, faults, unused = _head(plain)
    if head is None:
        return Read(draft, [Fault(0, 0, FAULTS["no_head"]), *faults], [])
    count = sum(any(row) for row in plain[head.below :])
    if not count:
        return Read(draft, [*faults, Fault(0, 0, FAULTS["nothing"])], unused)
    if count > ROWS_MAX:
        faults.append(Fault(0, 0, FAULTS["too_many"], {"most": ROWS_MAX, "count": count}))
    if count > ROWS_LOOKED_AT_MAX:
        return Read(draft, faults, unused)
    faults += [Fault(*place, FAULTS["merged"]) for place in merged if place[0] >= head.below]
    faults += [Fault(*place, NOT_READ["formula"]) for place in formulas if place[0] > head.below]
    reader = _Reader(draft, book_kinds, head, ended_codes)
    for at in range(head.below, len(plain)):
        if any(plain[at]):
            reader.take(at + 1, plain[at])
    kept = [item for item in draft.items if not ends_others or item.code in reader.lines]
    table = msgspec.structs.replace(draft, items=tuple(kept))
    for item in reader.items:
        table = rules_edit.with_item(table, item)
    faults += [*reader.faults, *reader.of_items(table)]
    return Read(table, sorted(faults, key=lambda fault: (fault.row, fault.column)), unused)


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _head(rows: list[list[str]]) -> tuple[Head | None, list[Fault], list[str]]:
    """The row of names; without one, a block whose first cell is a code stands in our own order."""
    for at, row in enumerate(rows[:HEAD_WITHIN]):
        known = [rules_columns.headed(cell) for cell in row]
        if len([one for one in known if one]) < 2 or not any(one and one.field == "code" for one in known):
            continue
        columns: dict[str, int] = {}
        faults = []
        for place, one in enumerate(known):
            if one and one.field in columns:
                faults.append(Fault(at + 1, place + 1, FAULTS["head_twice"], {"head": one.head}))
            elif one:
                columns[one.field] = place
        unused = [cell for cell, one in zip(row, known, strict=True) if cell and not one]
        return Head(columns, at + 1), faults, unused
    return None, [], []


class _Reader:
    """Goes through the rows; `lines` are the rows of the codes that were met."""

    def __init__(
        self, draft: Table, book_kinds: Mapping[str, Denomination], head: Head, ended_codes: Collection[str]
    ) -> None:
        self.ended_codes = ended_codes
        self.known = {item.code: item for item in draft.items}
        self.book_kinds, self.head = book_kinds, head
        self.columns = [column for column in COLUMNS if column.field in head.columns]
        self.lines: dict[str, int] = {}
        self.items: list[Item] = []
        self.faults: list[Fault] = []

    def take(self, row: int, cells: list[str]) -> None:
        typed = {name: cells[place] if place < len(cells) else "" for name, place in self.head.columns.items()}
        unfit = {name for name, text in typed.items() if self._is_unfit(row, name, text)}
        if "code" in unfit:
            return
        code = unicodedata.normalize("NFKC", typed["code"]).upper()
        if not code:
            self._fault(row, "code", NOT_READ["empty"], label="编号")
        elif code in self.lines:
            self._fault(row, "code", FAULTS["code_twice"], code=code, other=self.lines[code])
        elif code in self.ended_codes and code not in self.known:
            self._fault(row, "code", FAULTS["code_ended"], code=code)
        else:
            self.lines[code] = row
            self.items.append(self._item(row, code, typed, unfit))

    def of_items(self, table: Table) -> list[Fault]:
        """What no draft may say, at the cells of this sheet that are not told already."""
        told = {(fault.row, fault.column) for fault in self.faults}
        found = []
        for fault in faults_of(table, self.book_kinds):
            row = self.lines.get(fault.item_code)
            if row and not fault.only_publishing:
                place = self._place(fault.field)
                if (row, place) not in told:
                    found.append(Fault(row, place, OF_ITEMS[fault.key], fault.facts))
        return found

    def _is_unfit(self, row: int, field: str, text: str) -> bool:
        if text.startswith(("=", "＝")):
            self._fault(row, field, NOT_READ["formula"])
        elif len(text) > CELL_LETTERS_MAX:
            self._fault(row, field, NOT_READ["too_long"], most=CELL_LETTERS_MAX)
        elif "\ufffd" in text or any(unicodedata.category(one) in UNSEEN for one in text):
            self._fault(row, field, FAULTS["unseen"])
        else:
            return False
        return True

    def _item(self, row: int, code: str, typed: dict[str, str], unfit: set[str]) -> Item:
        """The item of a row. What could not be read stays as it was, so that the rest is looked at all the same."""
        known = self.known.get(code)
        of = self._book(row, typed, known)
        # In another passbook's decimals the same digits are another amount.
        as_it_was = known if known and known.book_kind == of.code else None
        changes: dict[str, Any] = {}
        for column in self.columns:
            text = typed[column.field]
            is_same = as_it_was is not None and text == rules_columns.said(column, as_it_was, of).strip()
            if column.field == "code" or column.field in unfit or is_same:
                continue
            try:
                changes[column.field] = self._meant(column, text, of)
            except Unread as unread:
                self._fault(row, column.field, NOT_READ[unread.what], **unread.facts)
        if known is None:
            self._refuse_lacking(row, code)
        item = known or msgspec.structs.replace(NOTHING_YET, code=code)
        if known and known.book_kind != of.code:
            item = self._restated(row, known, of, changes)
        caps = _caps(item.caps, changes)
        return msgspec.structs.replace(item, **changes, caps=caps)

    def _restated(self, row: int, known: Item, of: Denomination, changes: dict[str, Any]) -> Item:
        """An item that goes to another passbook: the amounts that its row does not write anew are the same there."""
        was = of_kind(known.book_kind, self.book_kinds)
        anew = {field: rules_columns.DEFAULTS[field] for field in AMOUNTS if field in changes}
        kept = msgspec.structs.replace(known, caps=_without(known.caps, changes), **anew)
        try:
            return rules_edit.restated(kept, was.decimals, of.decimals)
        except rules_edit.Unfit as unfit:
            left = rules_columns.amount(unfit.points, was.decimals)
            self._fault(row, "book_kind", FAULTS["other_decimals"], amount=left, kind=of.name, most=of.decimals)
            return kept

    def _refuse_lacking(self, row: int, code: str) -> None:
        lacking = [column.head for column in COLUMNS if column.field in REQUIRED and column not in self.columns]
        if lacking:
            self._fault(row, "code", FAULTS["lacks"], code=code, heads="、".join(lacking))

    def _book(self, row: int, typed: dict[str, str], known: Item | None) -> Denomination:
        """In whose amounts the row is written: the book it names, or its own so far."""
        code = known.book_kind if known else PLAIN.code
        if text := typed.get("book_kind", ""):
            try:
                code = rules_columns.book_meant(text, self.book_kinds)
            except Unread as unread:
                self._fault(row, "book_kind", NOT_READ[unread.what], **unread.facts)
        return of_kind(code, self.book_kinds)

    def _meant(self, column: Column, text: str, of: Denomination) -> Any:
        if text:
            return rules_columns.meant(column, text, of)
        if column.field in REQUIRED:
            raise Unread("empty", label=column.head)
        return rules_columns.DEFAULTS.get(column.field, () if column.sort is Sort.CAPS else None)

    def _place(self, field: str) -> int:
        """The column of a field, from 1; for caps the first that has any."""
        names = [column.field for column in self.columns if column.sort in (Sort.CAP, Sort.CAPS)]
        named = field if field != "caps" else next(iter(names), "")
        return self.head.columns.get(named, -1) + 1

    def _fault(self, row: int, field: str, text: str, **facts: str | int) -> None:
        self.faults.append(Fault(row, self._place(field), text, facts))


def _caps(caps: tuple[Cap, ...], changes: dict[str, Any]) -> tuple[Cap, ...]:
    """The caps with those put in that have columns of their own, taken out of `changes`."""
    caps = _without(caps, changes) + changes.pop("other_caps", ())
    for column in COLUMNS:
        if column.cap and (points := changes.pop(column.field, None)) is not None:
            caps += (Cap(*column.cap, points),)
    return caps


def _without(caps: tuple[Cap, ...], changes: Mapping[str, Any]) -> tuple[Cap, ...]:
    """The caps that the row does not write anew."""
    written = [column for column in COLUMNS if column.cap and column.field in changes]
    kept = [cap for cap in caps if not any(is_cap_of(cap, column) for column in written)]
    return tuple(cap for cap in kept if "other_caps" not in changes or not is_other_cap(cap))
