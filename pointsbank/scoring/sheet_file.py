"""The workbook of a scoring table: the items as rows, and a sheet that explains each column.

Text is written as text: nothing that somebody typed is ever a formula or a link.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter

from pointsbank.scoring.rules_sheet import Cell

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PLAIN = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
NARROW, WIDE = 10, 24
WIDE_FROM_LETTERS = 10
LIST_ROWS = 1_000


def workbook(
    heads: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    title: str,
    help_title: str,
    lines: Sequence[tuple[str, str]],
    choices: dict[str, Sequence[str]],
) -> bytes:
    """`lines` explain the columns; `choices` are the words that a column proposes, by its head."""
    content = BytesIO()
    with xlsxwriter.Workbook(content, PLAIN) as book:
        head, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        sheet, help_sheet = book.add_worksheet(title), book.add_worksheet(help_title)
        for at, word in enumerate(heads):
            longest = max([len(str(row[at] or "")) for row in rows], default=0)
            sheet.set_column(at, at, WIDE if longest >= WIDE_FROM_LETTERS else NARROW)
            sheet.write_string(0, at, word, head)
            if words := choices.get(word):
                options = {"validate": "list", "source": list(words), "error_type": "information"}
                sheet.data_validation(1, at, LIST_ROWS, at, options)
        for number, row in enumerate(rows, 1):
            for at, cell in enumerate(row):
                _write(sheet, number, at, cell)
        sheet.freeze_panes(1, 3)
        help_sheet.set_column(0, 0, WIDE)
        help_sheet.set_column(1, 1, 80)
        for number, (word, said) in enumerate(lines):
            help_sheet.write_string(number, 0, word, wrapped)
            help_sheet.write_string(number, 1, said, wrapped)
    return content.getvalue()


def _write(sheet: Any, row: int, at: int, cell: Cell) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, at, cell)
    elif cell is not None:
        sheet.write_number(row, at, cell)
