"""Rosters with one planted fault each: where it stands, and by what key it must be found.

Everybody in them is invented. What the reader of files would hand over stands here as rows; those with `content` are
files indeed.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import xlsxwriter

from pointsbank.people.rules_import import Cell

HEAD = ["姓名", "性别", "身份证号", "手机", "楼栋", "门牌", "户号", "与户主关系", "出生日期", "标签", "同意公示"]
TITLE = ["九十三号院居民名册（测试）"]
FAULTY = 4  # number of the row with the fault: title, header, somebody, the fault, somebody else
THIS_YEAR = 2026


def id_number(birthday: str = "19500302", serial: int = 2) -> str:
    """A right number that nobody has: serials of this place and day are drawn for tests alone."""
    digits = f"110105{birthday}{serial:03}"
    return digits + "10X98765432"[sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(digits)) % 11]


def somebody(**said: Cell) -> list[Cell]:
    row: dict[str, Cell] = dict.fromkeys(HEAD)
    row |= {"姓名": "测试乙", "手机": "10000000002", "楼栋": "93号楼", "门牌": "202", "与户主关系": "户主"}
    row |= said
    assert list(row) == HEAD, said
    return list(row.values())


ABOVE = somebody(姓名="测试甲", 手机="10000000001", 门牌="101", 身份证号=id_number(serial=12), 性别="女")
BELOW = somebody(姓名="测试丙", 手机="10000000003", 门牌="303")


@dataclass(frozen=True)
class Planted:
    name: str
    rows: list[list[Cell]]
    column: str  # header of the column in which the fault stands; empty when it is the row's
    key: str
    row: int = FAULTY
    holder: str = "person"
    content: Callable[[Sequence[Sequence[Cell]]], bytes] | None = None

    @property
    def wanted(self) -> tuple[int, str, str]:
        return self.row, self.column, self.key


def sheet(*people: list[Cell], head: Sequence[Cell] = HEAD) -> list[list[Cell]]:
    return [list(TITLE), list(head), *people]


def cell(
    name: str, column: str, value: Cell, key: str, *, content: object = None, holder: str = "person", **more: Cell
) -> Planted:
    """One cell is wrong."""
    rows = sheet(ABOVE, somebody(**{column: value}, **more), BELOW)
    return Planted(name, rows, column, key, holder=holder, content=content)  # type: ignore[arg-type]


def row(name: str, column: str, key: str, *, content: object = None, holder: str = "person", **said: Cell) -> Planted:
    """A row is wrong in view of the others."""
    rows = sheet(ABOVE, somebody(**said), BELOW)
    return Planted(name, rows, column, key, holder=holder, content=content)  # type: ignore[arg-type]


def xlsx(rows: Sequence[Sequence[Cell]]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        written = book.add_worksheet()
        for at, cells in enumerate(rows):
            for place, value in enumerate(cells):
                if isinstance(value, str):
                    written.write_string(at, place, value)
                elif value is not None:
                    written.write(at, place, value)
    return content.getvalue()


def _csv(rows: Sequence[Sequence[Cell]], encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([["" if value is None else value for value in cells] for cells in rows])
    return text.getvalue().encode(encoding)


def csv_gbk(rows: Sequence[Sequence[Cell]]) -> bytes:
    return _csv(rows, "gb18030")


def csv_utf8(rows: Sequence[Sequence[Cell]]) -> bytes:
    return _csv(rows, "utf-8-sig")


def csv_bare(rows: Sequence[Sequence[Cell]]) -> bytes:
    return _csv(rows, "utf-8")


TRADED = somebody(姓名="测试戊", 手机="10000000001", 门牌="101", 与户主关系="妻")
RIGHT = id_number(serial=22)

CORPUS = [
    # The name
    cell("no name", "姓名", None, "name_missing"),
    cell("blanks for a name", "姓名", "   ", "name_missing", content=csv_utf8),
    cell("a number for a name", "姓名", 301.0, "name_number", content=xlsx),
    cell("digits in a name", "姓名", "测试乙2", "name_digits"),
    cell("head of household before the name", "姓名", "户主测试乙", "name_title", content=csv_gbk),
    cell("a title after the name", "姓名", "测试阿姨", "name_title"),
    cell("brackets", "姓名", "测试乙（已搬走）", "name_brackets"),
    cell("two names", "姓名", "测试乙、测试丁", "name_several"),
    cell("masked name", "姓名", "测*乙", "name_masked"),
    cell("a hole where a character was", "姓名", "测□乙", "name_hole"),
    cell("a question mark where a character was", "姓名", "测?乙", "name_hole", content=csv_gbk),
    cell("a character of somebody's own make", "姓名", "测\ue000乙", "name_private"),
    cell("a replacement character", "姓名", "测\ufffd乙", "garbled", content=xlsx),
    cell("twice converted", "姓名", "锟斤拷", "garbled"),
    cell("UTF-8 read as Latin", "姓名", "æµè¯ä¹", "garbled"),
    cell("Cyrillic", "姓名", "测试Ж", "name_letter"),
    cell("a letter turning the writing", "姓名", "测\u202e试", "unseen", content=xlsx),
    cell("a line break", "姓名", "测试\n乙", "unseen", content=xlsx),
    cell("nobody lives there", "姓名", "空户", "name_placeholder"),
    cell("the example of the template", "姓名", "示例（请删掉这一行）", "example_row", content=xlsx),
    cell("name too long", "姓名", "测" * 41, "too_long"),
    cell("formula for a name", "姓名", '=HYPERLINK("x")', "formula", content=xlsx),
    cell("full-width formula", "姓名", "＝1+1", "formula"),
    cell("failed formula", "姓名", "#N/A", "cell_error", content=csv_utf8),
    cell("yes or no for a name", "姓名", True, "not_text"),
    cell("a rare character", "姓名", "测䶮", "name_rare", content=xlsx),
    cell("one character", "姓名", "测", "name_short"),
    cell("曾 written 增", "姓名", "增小测", "surname_lookalike", content=csv_gbk),
    cell("an odd surname", "姓名", "令小测", "surname_lookalike"),
    cell("吕 in the other writing", "姓名", "呂小测", "surname_lookalike"),
    # The ID number
    cell("ID number in scientific writing", "身份证号", "1.10105E+17", "id_scientific", content=csv_gbk),
    cell("ID number from a number cell", "身份证号", 110105195003020000.0, "id_precision", content=xlsx),
    cell("ID number that ends in 000", "身份证号", "110105195003020000", "id_precision", content=csv_utf8),
    cell("fifteen digits", "身份证号", "110105500302002", "id_old"),
    cell("seventeen digits", "身份证号", "11010519500302002", "id_length"),
    cell("nineteen digits", "身份证号", f"{RIGHT[:-1]}00", "id_length"),
    cell("wrong check digit", "身份证号", RIGHT[:-1] + ("0" if RIGHT[-1] != "0" else "1"), "id_checksum"),
    cell("no such birthday", "身份证号", id_number("19501332"), "id_unreal"),
    cell("letters in the ID number", "身份证号", "11010519500302ABCD", "id_letters"),
    cell("masked ID number", "身份证号", "1101**********0021", "id_masked"),
    cell("another document", "身份证号", "H10000001", "id_other"),
    cell("phone in the ID column", "身份证号", "10000000002", "id_is_phone"),
    row("ID number of somebody above", "身份证号", "id_twice", 身份证号=ABOVE[2]),
    cell("born in the year 1850", "身份证号", id_number("18500302"), "birth_range"),
    # The phone
    cell("ten digits", "手机", "1000000000", "phone_length", content=csv_utf8),
    cell("twelve digits", "手机", "100000000021", "phone_length"),
    cell("phone in scientific writing", "手机", "1.0E+10", "phone_scientific"),
    cell("landline", "手机", "010-60000000", "phone_landline"),
    cell("two phones", "手机", "10000000002/10000000004", "phone_several"),
    cell("masked phone", "手机", "100****0002", "phone_masked"),
    cell("foreign phone", "手机", "+1 5550000000", "phone_foreign"),
    cell("ID number in the phone column", "手机", RIGHT, "phone_is_id"),
    cell("words for a phone", "手机", "儿子代接", "phone_unfit"),
    # Birth and sex
    cell("age", "出生日期", 76, "birth_age", content=xlsx),
    cell("two digits of a year", "出生日期", "50年", "birth_age"),
    cell("no such day", "出生日期", "1950-02-30", "birth_unfit"),
    cell("born in the future", "出生日期", "2050-01-01", "birth_range"),
    row("another year in the ID number", "出生日期", "birth_contradicts_id", 身份证号=RIGHT, 出生日期="1955.1.1"),
    row("another sex in the ID number", "性别", "sex_contradicts_id", 身份证号=RIGHT, 性别="男"),
    cell("no sex of the two", "性别", "未说明", "sex_unknown"),
    cell("a child", "出生日期", "2020/1/1", "minor"),
    # Where they live
    cell("no such building", "楼栋", "7号楼", "building_unknown", content=csv_gbk),
    cell("building that became a day", "楼栋", "2026-03-02", "building_date"),
    cell("door that became a day", "门牌", "2026-03-02", "door_date"),
    cell("formula for a door", "门牌", "+301", "formula"),
    cell("no door where passbooks are the household's", "门牌", None, "home_missing", holder="household"),
    cell("no building for a household's passbook", "楼栋", None, "home_missing", holder="household", 门牌=None),
    cell("nothing but a name", "姓名", "测试乙", "not_enough", 手机=None, 楼栋=None, 门牌=None),
    # Households
    Planted(
        "two heads", sheet(ABOVE, somebody(门牌="101", 姓名="测试丁"), BELOW), "与户主关系", "head_twice",
    ),
    Planted(
        "one household, two doors",
        sheet(somebody(户号="7"), somebody(户号="7", 姓名="测试丁", 手机=None, 门牌="404", 与户主关系="子")),
        "户号", "home_differs",
    ),
    Planted(
        "one door, two households",
        sheet(somebody(户号="7"), somebody(户号="8", 姓名="测试丁", 手机=None)), "户号", "door_shared",
    ),
    Planted(
        "no head",
        sheet(somebody(与户主关系="子"), somebody(姓名="测试丁", 手机=None, 与户主关系="女")),
        "与户主关系", "head_missing", row=3,
    ),
    # The same person
    row("the same phone and name", "姓名", "twice", 姓名="测试甲", 手机="10000000001", 门牌="102"),
    row("the same door and name", "姓名", "twice", 姓名="测试甲", 门牌="101", 与户主关系="子", content=csv_utf8),
    row("the same ID number", "身份证号", "twice", 姓名="测试甲", 身份证号=ABOVE[2], 手机=None),
    Planted(
        "曾 and 增 in one household",
        sheet(somebody(姓名="测小曾"), somebody(姓名="测小增", 手机=None, 与户主关系="妻")), "姓名", "near_names",
        content=xlsx,
    ),
    Planted(
        "one character apart with one phone", sheet(ABOVE, somebody(**dict(zip(HEAD, TRADED, strict=True)))), "姓名",
        "near_names",
    ),
    # Tags and agreements
    cell("a tag that the community does not use", "标签", "养猫", "tag_unknown"),
    cell("a tag about somebody's health", "标签", "独居，糖尿病", "tag_sensitive"),
    cell("neither yes nor no", "同意公示", "大概", "publication_unknown"),
]  # fmt: skip
