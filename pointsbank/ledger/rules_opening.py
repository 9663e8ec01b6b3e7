"""Lists of opening balances: how a pasted or uploaded table is read, and why a line of it is not taken."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from enum import StrEnum

import msgspec

from pointsbank.approvals.rules import Subject
from pointsbank.kit import text
from pointsbank.kit.errors import Kind, Refusal

LINES_MAX = 1_000
LINE_POINTS_MAX = 100_000
PLAIN_UNIT = "分"
REMARK_LETTERS_MAX = 40
HEAD_WITHIN = 6  # titles may stand above the names of the columns
SLICE_LINES = 100
APPROVAL_KIND = "ledger.opening"
DRAFT, ASKED, REFUSED, WITHDRAWN, BOOKING, BOOKED = "draft", "asked", "refused", "withdrawn", "booking", "booked"


class OpenedElsewhere(Refusal):
    """Two lists were saved at once."""

    kind = Kind.CONFLICT
    code = "ledger.opened_elsewhere"
    message = "第 {line} 条的存折刚刚上了另一张名单，没有存。请再检查一次。"


class ListMoved(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.opening_list_moved"
    message = "这张名单已经不在这一步了。请刷新页面。"


class NotOnList(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.opening_not_on_list"
    message = "这一笔和确认过的名单不一样，没有入账。"


class OwnReversal(Refusal):
    kind = Kind.FORBIDDEN
    code = "ledger.own_reversal"
    message = "自己经办的名单，自己或家人的一笔，不能由自己冲正。请另一位管理员来做。"


class Reason(StrEnum):
    """Why a line is reversed; chosen from a list, for a free text would sooner or later hold somebody's name."""

    POINTS = "opening_points"
    PERSON = "opening_person"
    TWICE = "opening_twice"


REASONS = {Reason.POINTS: "分数写错了", Reason.PERSON: "不是这个人的存折", Reason.TWICE: "同一本存折记了两次"}

# What may be wrong with a line.
FAULTS = {
    "no_head": "没有找到「分数」这一列。第一行写列名：存折号、分数、备注；或姓名、楼栋、门牌、分数、备注。",
    "nothing": "没有读到名单。请从表格里复制，粘贴到下面。",
    "too_many": "一张名单最多 {most} 条，这里有 {count} 条。请分成几张。",
    "unseen": "有看不见的字符，请重新输入这一行。",
    "no_points": "没有写分数。",
    "not_a_number": "分数「{typed}」不是数。",
    "not_whole": "分数「{typed}」不是整数。",
    "below_one": "分数不能是负数。",
    "over_bound": "分数最多 {most}。",
    "long_remark": "备注最多 {most} 个字。",
    "private_remark": "备注里像有电话或证件号，请删掉。",
    "no_person": "没有写存折号，也没有写姓名。",
    "no_place": "只写了姓名。请加上楼栋和门牌，或写存折号。",
    "unknown_number": "没有这个存折号。",
    "household_number": "这是一家人的存折号，本社区按人记分。请写个人的存折号。",
    "other_name": "存折号和姓名不是同一个人。",
    "unknown_name": "名册里没有这个人。",
    "elsewhere": "名册里有同名的人，但楼栋或门牌对不上。",
    "several": "同一门牌有同名的人。请写存折号。",
    "twice": "和第 {other} 行是同一本存折。",
    "opened": "这本存折已经在第 {other} 号名单上。",
}

_HEADS = (
    ("number", "存折号 存折编号 存折号码 会员号"),
    ("name", "姓名 名字 户主 户主姓名 居民 居民姓名 持有人"),
    ("building", "楼栋 楼号 楼栋号 栋 幢 楼"),
    ("door", "门牌 门牌号 房号 房间号 室号 室"),
    ("points", "分数 积分 分 分值 余额 积分余额 期初 期初余额 期初积分 剩余积分 现有积分 结余"),
    ("remark", "备注 说明"),
)
_HEAD_OF = {word: column for column, words in _HEADS for word in words.split()}
_TOTALS = {"合计", "总计", "小计", "总分", "共计"}
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(\.0*)?")
_BROKEN = re.compile(r"[+-]?[0-9]*\.[0-9]+")
_PRIVATE = re.compile(r"[0-9]{7}")
_NUMBER = re.compile(r"[0-9]{9}")

Cell = str | int | float | bool | None


class Fault(msgspec.Struct, frozen=True):
    """What is wrong in a row, counted as the spreadsheet does; row 0 is the table as a whole. `what` names a FAULTS."""

    row: int
    what: str
    facts: dict[str, str | int] = {}


class Typed(msgspec.Struct, frozen=True):
    """A row whose own words are in order; nobody has been looked up yet."""

    row: int
    number: str
    name: str
    building: str
    door: str
    points: int
    remark: str


class NewLine(msgspec.Struct, frozen=True):
    """Points for a passbook: the household's where `household_id` is set, else the person's."""

    person_id: int
    household_id: int | None
    points: int
    remark: str


def pasted(written: str) -> list[list[str]]:
    """Rows of cells: by tabs as spreadsheets copy them, else by commas, else by blanks."""
    written = written.replace("\r", "\n")
    if "\t" in written:
        return [list(row) for row in csv.reader(io.StringIO(written), delimiter="\t")]
    if "," in written or "，" in written:
        return [line.replace("，", ",").split(",") for line in written.split("\n")]
    return [line.split() for line in written.split("\n")]


def as_text(rows: Sequence[Sequence[Cell]]) -> str:
    """The same rows as they would be pasted."""
    return "\n".join("\t".join(map(_cell_text, row)) for row in rows)


def read(rows: Sequence[Sequence[Cell]], unit: str = PLAIN_UNIT) -> tuple[list[Typed], list[Fault]]:
    """Read a table with or without a row of column names; empty rows, totals and zeros are passed over.

    `unit` is what the community calls a point: it may stand behind a number, and in the name of the column.
    """
    plain = [[_cell_text(cell) for cell in row] for row in rows]
    if not any(any(row) for row in plain):
        return [], [Fault(0, "nothing")]
    columns, first = _columns(plain, unit)
    if "points" not in columns:
        return [], [Fault(0, "no_head")]
    lines: list[Typed] = []
    faults: list[Fault] = []
    for number, row in enumerate(plain[first:], first + 1):
        filled = [cell for cell in row if cell]
        if not filled or "".join(filled[0].split()) in _TOTALS:
            continue
        taken = _line(
            number, {column: row[place] if place < len(row) else "" for column, place in columns.items()}, unit
        )
        if isinstance(taken, Fault):
            faults.append(taken)
        elif taken.points:
            lines.append(taken)
    if len(lines) > LINES_MAX:
        return [], [Fault(0, "too_many", {"most": LINES_MAX, "count": len(lines)})]
    return lines, faults if lines or faults else [Fault(0, "nothing")]


def _cell_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def _columns(rows: Sequence[Sequence[str]], unit: str) -> tuple[dict[str, int], int]:
    """Where each column stands, and the first row below the names; without names, as the first row looks."""
    for number, row in enumerate(rows[:HEAD_WITHIN]):
        found: dict[str, int] = {}
        for place, cell in enumerate(row):
            name = unicodedata.normalize("NFKC", "".join(cell.split())).partition("(")[0]
            column = _HEAD_OF.get(name) or _HEAD_OF.get(name.replace(unit, "积分"))
            if column is not None:
                found.setdefault(column, place)
        if "points" in found and ("number" in found or "name" in found):
            return found, number + 1
    first = next(row for row in rows if any(row))
    if not _NUMBER.fullmatch(text.normal_digits(first[0])):
        order: tuple[str, ...] = ("name", "building", "door", "points", "remark")
    elif len(first) > 1 and _WHOLE.fullmatch(_bare(first[1], unit)):
        order = ("number", "points", "remark")
    else:
        order = ("number", "name", "points", "remark")
    is_table = len(first) > order.index("points")
    return ({column: place for place, column in enumerate(order)} if is_table else {}), 0


def _line(row: int, cells: dict[str, str], unit: str) -> Typed | Fault:
    try:
        number, name, building, door, remark = [
            text.clean(cells.get(column, "")) for column in ("number", "name", "building", "door", "remark")
        ]
    except text.BadText:
        return Fault(row, "unseen")
    wrong = None
    if not number and not name:
        wrong = Fault(row, "no_person")
    elif not number and not (building and door):
        wrong = Fault(row, "no_place")
    elif len(remark) > REMARK_LETTERS_MAX:
        wrong = Fault(row, "long_remark", {"most": REMARK_LETTERS_MAX})
    elif _PRIVATE.search(text.normal_digits(remark)):
        wrong = Fault(row, "private_remark")
    if wrong is not None:
        return wrong
    points = _points(row, cells["points"], unit)
    if isinstance(points, Fault):
        return points
    return Typed(row, text.normal_digits(number), name, building, door, points, remark)


def _bare(typed: str, unit: str) -> str:
    """A number without what stands behind it."""
    return text.normal_digits(typed).removesuffix(text.normal_digits(unit)).removesuffix(PLAIN_UNIT).replace(",", "")


def _points(row: int, typed: str, unit: str) -> int | Fault:
    plain = _bare(typed, unit)
    if not plain:
        return Fault(row, "no_points")
    if not _WHOLE.fullmatch(plain):
        return Fault(row, "not_whole" if _BROKEN.fullmatch(plain) else "not_a_number", {"typed": typed[:20]})
    points = int(plain.partition(".")[0])
    if points < 0:
        return Fault(row, "below_one")
    return Fault(row, "over_bound", {"most": LINE_POINTS_MAX}) if points > LINE_POINTS_MAX else points


def subject(list_id: int) -> Subject:
    """What the second person confirms."""
    return Subject("ledger", "opening_list", list_id)


def summary_of(day: date) -> str:
    """What the passbook's line says for ever."""
    return f"期初余额（纸质存折 {day.isoformat()}）"


def posting_key(list_id: int, position: int) -> str:
    return f"opening/{list_id}/{position}"


def line_of(key: str) -> tuple[int, int]:
    """The list and the position that a posting key names."""
    _room, list_id, position = key.split("/")
    return int(list_id), int(position)
