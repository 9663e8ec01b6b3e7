"""Tables of paper passbooks as people paste them: what is read, what is passed over, what is wrong with a row."""

import pytest

from pointsbank.ledger import rules_opening as rules

HEAD = "存折号\t分数\t备注"
NAMED = "姓名\t楼栋\t门牌\t分数"


def read(written: str):
    lines, faults = rules.read(rules.pasted(written))
    return [(line.number or line.name, line.points) for line in lines], [(one.row, one.what) for one in faults]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(f"{HEAD}\n100000012\t120\t第 3 页\n100000023\t8\t", id="with names of columns"),
        pytest.param("100000012\t120\n100000023\t8", id="without"),
        pytest.param("100000012\t测试甲\t120\n100000023\t测试乙\t8", id="with names of people"),
        pytest.param(
            f"测试社区 2026 年\t\t\n\t\t\n{HEAD}\n100000012\t120\t\n\t\t\n100000023\t8\t\n合计\t128\t", id="titles"
        ),
        pytest.param("备注\t剩余积分（分）\t存折号\n\t120\t100000012\n\t8\t100000023", id="another order"),
        pytest.param("存折号，分数\n100000012，120\n100000023，8", id="commas"),
        pytest.param("存折号 分数\n100000012 120\n100000023 8", id="blanks"),
        pytest.param(
            f"{HEAD}\n１００ 000 012\t１２０分\t\n100000023\t8.0\t\n100000034\t0\t", id="wide digits and a zero"
        ),
        pytest.param(f'{HEAD}\n100000012\t120\t"第 3 页\n最后一行"\n100000023\t8\t', id="a cell of two lines"),
        pytest.param(f"{HEAD}\r\n100000012\t120\t\r\n100000023\t8\t\r\n", id="lines of Windows"),
    ],
)
def test_a_list_is_read_however_it_was_written(written):
    assert read(written) == ([("100000012", 120), ("100000023", 8)], [])


def test_a_thousands_mark_is_understood_where_cells_are_apart():
    assert read(f"{HEAD}\n100000012\t1,200\t") == ([("100000012", 1200)], [])


def test_cells_of_a_file_come_as_numbers():
    lines, faults = rules.read([["存折号", "分数", None], [100000012, 120.0, None], [100000023.0, 8, True]])

    assert [(line.number, line.points) for line in lines] == [("100000012", 120), ("100000023", 8)]
    assert faults == []


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("100000012\t\t", "no_points"),
        ("100000012\t一百\t", "not_a_number"),
        ("100000012\t12.5\t", "not_whole"),
        ("100000012\t-3\t", "below_one"),
        ("100000012\t100001\t", "over_bound"),
        ("100000012\t" + "9" * 18 + "\t", "over_bound"),
        ("100000012\t" + "9" * 40 + "\t", "not_a_number"),
        ("\t12\t", "no_person"),
        ("100000012\t12\t电话 10000000001", "private_remark"),
        ("100000012\t12\t" + "长" * 41, "long_remark"),
        ("100000012\t12\t\u202e倒", "unseen"),
    ],
)
def test_a_fault_is_told_with_its_row(row, what):
    assert read(f"{HEAD}\n100000023\t8\t\n{row}") == ([("100000023", 8)], [(3, what)])


@pytest.mark.parametrize("row", ["测试甲\t\t301\t12", "测试甲\t1 号楼\t\t12"])
def test_a_name_alone_is_nobody(row):
    assert read(f"{NAMED}\n{row}") == ([], [(2, "no_place")])


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("", "nothing"),
        ("\n \n", "nothing"),
        (HEAD, "nothing"),
        ("测试甲\t1 号楼", "no_head"),
        ("随便写几个字", "no_head"),
        (HEAD + "\n" + "\n".join(f"{100_000_000 + n}\t1\t" for n in range(1_001)), "too_many"),
    ],
)
def test_a_table_that_is_none_is_told_as_a_whole(written, what):
    assert read(written) == ([], [(0, what)])


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("存折号\t剩余邻里币\n100000012\t1,120 邻里币\n100000023\t８邻里币", id="with names of columns"),
        pytest.param("100000012\t1120邻里币\n100000023\t8分", id="without"),
        pytest.param("存折号\t邻里币（个）\n100000012\t1120\n100000023\t8", id="as a name alone"),
    ],
)
def test_points_are_read_by_whatever_word_the_community_has_for_them(written):
    lines, faults = rules.read(rules.pasted(written), "邻里币")
    assert ([(line.number, line.points) for line in lines], faults) == ([("100000012", 1120), ("100000023", 8)], [])
    assert read("存折号\t分数\n100000012\t5邻里币") == ([], [(2, "not_a_number")])


def test_what_a_file_held_can_be_pasted_again():
    rows = [["存折号", "分数"], [100000012, 120.0], [None, None], ["100000023", "8\n分"]]

    assert rules.read(rules.pasted(rules.as_text(rows))) == rules.read(rows)


def test_a_posting_key_says_where_it_came_from():
    assert rules.line_of(rules.posting_key(12, 345)) == (12, 345)
