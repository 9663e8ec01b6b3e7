"""A roster as a community keeps it in Excel: sixty invented people, and six rows with planted faults."""

import io
from pathlib import Path

import xlsxwriter

HEAD = ("姓名", "楼栋", "门牌", "手机", "身份证号", "出生年", "性别", "同意公示姓名")
BUILDINGS = ("测试 1 号楼", "测试 2 号楼")
LETTERS = "安宝成大恩芳国和建开兰明宁平庆荣山水天文心秀雅玉云正志中"
PEOPLE = 60
NUMBER_OF_AN_ID = 110105194912310021.0  # what Excel keeps of an ID number in a cell that is no text
FAULTS = [
    ("", BUILDINGS[0], "901", "", "", 1950, "女", "是"),
    ("测断号", BUILDINGS[0], "902", "1990000123", "", 1950, "女", "是"),
    ("测错位", BUILDINGS[0], "903", "", "110105194912310020", 1949, "女", "是"),
    ("测丢位", BUILDINGS[0], "904", "", NUMBER_OF_AN_ID, 1949, "女", "是"),
    ("测别处", "测试 99 号楼", "905", "", "", 1950, "男", "是"),
    ("测哪年", BUILDINGS[1], "906", "", "", "一九五零左右", "男", "是"),
]


def name_of(number: int) -> str:
    tens, ones = divmod(number, len(LETTERS))
    return f"测{LETTERS[tens]}{LETTERS[ones]}"


def row_of(number: int) -> tuple[object, ...]:
    """Two live behind each door."""
    building = BUILDINGS[number % 4 // 2]
    phone = f"1990001{number:04d}"
    return name_of(number), building, str(101 + number // 4), phone, "", 1940 + number % 60, "女男"[number % 2], "是"


def write(file: Path) -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet("花名册")
        sheet.merge_range(0, 0, 0, len(HEAD) - 1, "测试社区居民花名册")
        for at, row in enumerate([HEAD, *map(row_of, range(PEOPLE)), *FAULTS], start=1):
            sheet.write_row(at, 0, row)
    file.write_bytes(made.getvalue())
