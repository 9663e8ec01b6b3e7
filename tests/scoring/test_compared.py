"""Old against new on sheets of paper: nothing is cut off, however long a row is."""

import pytest

from pointsbank.scoring.routes_compared import HEAD, SHEET, SIGNED, Row, sheets_of

WORDS = "从前是这样写的，以后要那样写。"


def fits(sheets):
    heights = [sum(row.height for row in sheet.rows) for sheet in sheets]
    heights[0] += HEAD
    heights[-1] += SIGNED
    return all(height <= SHEET for height in heights)


@pytest.mark.parametrize("long", [0, 1, 15, 40, 400])
@pytest.mark.parametrize("others", [0, 3, 60])
def test_each_sheet_holds_what_is_on_it_and_all_words_are_there(long, others):
    short = Row("改", "A02 劝导", "分值", "3 分", "4 分")
    row = Row("新", "A01 打扫楼道", "整项", "", WORDS * long)

    sheets = sheets_of([*[short] * others, row])

    rows = [one for sheet in sheets for one in sheet.rows]
    assert fits(sheets)
    assert [sheet.is_last for sheet in sheets] == [False] * (len(sheets) - 1) + [True]
    assert "".join(one.new for one in rows if one.name == row.name) == row.new
    assert rows.count(short) == others
