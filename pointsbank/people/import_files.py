"""The spreadsheets of a roster import: the template to fill in, and the rows that were left out.

Every cell is written as text: nothing that somebody typed is ever a formula or a link.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter

from pointsbank.people.rules_import import FIELD_WORDS, Cell, Field
from pointsbank.people.rules_import_cells import text_of

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEMPLATE_ROWS = 2000
PLAIN = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
WIDTHS = {Field.ID_NUMBER: 22, Field.PHONE: 15, Field.TAGS: 16, Field.PUBLICATION: 15, Field.RELATION: 12}
ORDER = (
    Field.NAME,
    Field.SEX,
    Field.ID_NUMBER,
    Field.PHONE,
    Field.BUILDING,
    Field.DOOR,
    Field.HOUSEHOLD,
    Field.RELATION,
    Field.BIRTH,
    Field.TAGS,
    Field.PUBLICATION,
)
EXAMPLE = {
    Field.NAME: "示例（请删掉这一行）",
    Field.SEX: "女",
    Field.PHONE: "10000000000",
    Field.DOOR: "301",
    Field.RELATION: "户主",
    Field.BIRTH: "1950",
    Field.PUBLICATION: "是",
}
RELATIONS = ("户主", "配偶", "子", "女", "父", "母", "孙子女", "祖父母", "兄弟姐妹", "其他")


def template(
    buildings: Sequence[str], tags: Sequence[str], *, title: str, help_title: str, lines: Sequence[tuple[str, str]]
) -> bytes:
    """A workbook to fill in: text columns, drop-downs, and a sheet that explains each column."""
    content = BytesIO()
    with xlsxwriter.Workbook(content, PLAIN) as book:
        plain, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        sheet, help_sheet = book.add_worksheet(title), book.add_worksheet(help_title)
        choices = book.add_worksheet("choices")
        choices.hide()
        example = {**EXAMPLE, Field.BUILDING: buildings[0] if buildings else "1 号楼"}
        for at, field in enumerate(ORDER):
            sheet.set_column(at, at, WIDTHS.get(field, 10), plain)
            sheet.write_string(0, at, FIELD_WORDS[field], head)
            sheet.write_string(1, at, example.get(field, ""), plain)
        sheet.freeze_panes(1, 1)
        options = {
            Field.SEX: ("男", "女"),
            Field.BUILDING: tuple(buildings),
            Field.RELATION: RELATIONS,
            Field.TAGS: tuple(tags),
            Field.PUBLICATION: ("是", "否"),
        }
        for column, (field, words) in enumerate(options.items()):
            _drop_down(sheet, choices, ORDER.index(field), column, words)
        help_sheet.set_column(0, 0, 16)
        help_sheet.set_column(1, 1, 80)
        for row, (word, said) in enumerate(lines):
            help_sheet.write_string(row, 0, word, wrapped)
            help_sheet.write_string(row, 1, said, wrapped)
    return content.getvalue()


def _drop_down(sheet: Any, choices: Any, at: int, column: int, words: Sequence[str]) -> None:
    """A list that proposes and warns, and lets other words stand: the check says later what is wrong with them."""
    if not words:
        return
    for row, word in enumerate(words):
        choices.write_string(row, column, word)
    letter = chr(65 + column)
    source = f"=choices!${letter}$1:${letter}${len(words)}"
    sheet.data_validation(1, at, TEMPLATE_ROWS, at, {"validate": "list", "source": source, "error_type": "information"})


def failed(header: Sequence[Cell], rows: Sequence[tuple[Sequence[Cell], str]], *, title: str, problem: str) -> bytes:
    """The rows that were left out, in the columns of their file, with a column that says why."""
    content = BytesIO()
    width = max([len(header), *(len(cells) for cells, _said in rows)], default=0)
    with xlsxwriter.Workbook(content, PLAIN) as book:
        plain, head = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        said_format = book.add_format({"text_wrap": True, "num_format": "@", "font_color": "#9B2C2C"})
        sheet = book.add_worksheet(title)
        sheet.set_column(0, max(width - 1, 0), 14, plain)
        sheet.set_column(width, width, 60, said_format)
        for at, cell in enumerate(header):
            sheet.write_string(0, at, text_of(cell), head)
        sheet.write_string(0, width, problem, head)
        for row, (cells, said) in enumerate(rows, start=1):
            for at, cell in enumerate(cells):
                if text_of(cell):
                    sheet.write_string(row, at, text_of(cell), plain)
            sheet.write_string(row, width, said, said_format)
        sheet.freeze_panes(1, 0)
    return content.getvalue()
