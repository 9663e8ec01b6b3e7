"""A table as a sheet: what is written can be read, what is broken is told cell by cell."""

import msgspec
import pytest
from hypothesis import given

from pointsbank.ledger.rules_kinds import PLAIN, Denomination
from pointsbank.scoring import rules_columns, rules_form, rules_sheet
from pointsbank.scoring.rules import Basis, Cap, Period, Scope
from pointsbank.web import i18n
from tests.scoring.builders import a_table, an_item, sheet_tables, tables
from tests.scoring.published import FOLDERS, scheme

KINDS = {"points": PLAIN, "coins": Denomination("coins", "时间币", "时间币", 1, "person")}
DRAFT = a_table(
    an_item(caps=(Cap(Scope.HOUSEHOLD, Period.MONTH, 20), Cap(Scope.PERSON, Period.DAY, 16))),
    an_item(code="A02", name="劝导", basis=Basis.PER_TIME, points=3),
    an_item(code="C01", name="陪伴", points=15, book_kind="coins", caps=(Cap(Scope.PERSON, Period.ACT, 45),)),
)


def read(text, **options):
    return rules_sheet.read(rules_sheet.pasted(text), DRAFT, KINDS, **options)


def told(text, **options):
    return {(fault.row, fault.letter): fault.said(str.format) for fault in read(text, **options).faults}


def items(text, **options):
    found = read(text, **options)
    assert found.faults == []
    return {item.code: item for item in found.table.items}


@given(tables())
def test_a_table_written_and_read_again_is_the_same(table):
    rows = [rules_sheet.heads(), *rules_sheet.rows_of(table, KINDS)]

    read_again = [rules_sheet.read(rows, table, KINDS, ends_others=True)]
    read_again.append(rules_sheet.read(rules_sheet.pasted(rules_sheet.as_text(rows)), table, KINDS, ends_others=True))

    for found in read_again:
        assert found.table == table
        assert [fault for fault in found.faults if fault.text in rules_columns.NOT_READ.values()] == []


@given(sheet_tables())
def test_a_table_read_into_an_empty_draft_says_the_same(table):
    rows = [rules_sheet.heads(), *rules_sheet.rows_of(table, KINDS)]

    found = rules_sheet.read(rows, msgspec.structs.replace(table, items=()), KINDS).table

    again = {item.code: item for item in found.items}
    for item in table.items:
        same_caps = msgspec.structs.replace(again[item.code], caps=item.caps)
        assert same_caps == item
        assert sorted(again[item.code].caps, key=str) == sorted(item.caps, key=str)


def test_every_published_scheme_goes_to_a_sheet_and_to_the_form_and_comes_back_the_same():
    tables = [scheme(path) for folder in FOLDERS for path in sorted(folder.glob("*.toml"))]
    for table in tables:
        rows = [rules_sheet.heads(), *rules_sheet.rows_of(table, KINDS)]

        found = rules_sheet.read(rules_sheet.pasted(rules_sheet.as_text(rows)), table, KINDS, ends_others=True)

        assert found.table == table
        for item in table.items:
            texts = rules_form.texts_of(item, PLAIN)
            assert rules_form.meant(texts, PLAIN, item) == (item, [])
    assert len(tables) > 48


def test_words_are_read_as_people_write_them():
    found = items(
        "志愿服务积分表\n"
        " 编 号 \t分类\t积分项\t计分办法\t分数\t每日上限\t其他上限\t凭证\t审核人\t备注\n"
        "ｂ０１\t治理\t议事会\t次\t１５分\t30.0\t每户每季最多 60；每年100\t签到表\t组织者、社区管理员\t新的"
    )

    assert found["B01"] == an_item(
        code="B01", category="治理", name="议事会", basis=Basis.PER_TIME, points=15, evidence="签到表", says="新的",
        review=("organiser", "community_admin"),
        caps=(
            Cap(Scope.HOUSEHOLD, Period.QUARTER, 60), Cap(Scope.PERSON, Period.YEAR, 100),
            Cap(Scope.PERSON, Period.DAY, 30),
        ),
    )  # fmt: skip


def test_caps_of_times_and_minutes_stand_in_words():
    caps = (Cap(Scope.PERSON, Period.MONTH, times=1), Cap(Scope.HOUSEHOLD, Period.DAY, minutes=120))
    column = next(one for one in rules_columns.COLUMNS if one.field == "other_caps")

    said = rules_columns.said(column, an_item(caps=caps), PLAIN)

    assert said == "每人每月最多 1 次；每户每天最多 120 分钟"
    assert rules_columns.meant(column, said, PLAIN) == caps


def test_what_only_bars_publishing_may_stand_in_a_draft():
    found = items(
        "编号\t类别\t项目\t计分方式\t凭据\t谁可以申报\t备注\nB02\t环境\t绿化\t按路程\t照片\t自己、网格员\t原话"
    )

    assert found["B02"] == an_item(
        code="B02", name="绿化", basis=Basis.PER_DISTANCE, points=None, evidence="照片", says="原话",
        submit=("self", "grid_worker"),
    )  # fmt: skip


def test_columns_that_mean_nothing_are_named():
    assert read("编号\t分值\t颜色\nA01\t2\t好").unused == ["颜色"]


def test_a_block_of_two_columns_changes_these_and_nothing_else():
    found = items("编号\t分值\nA02\t5")

    assert found["A02"] == msgspec.structs.replace(DRAFT.items[1], points=5)
    assert [found["A01"], found["C01"]] == [DRAFT.items[0], DRAFT.items[2]]


def test_items_that_are_not_named_end_only_where_that_is_asked():
    assert list(items("编号\t分值\nA02\t5")) == ["A01", "A02", "C01"]
    assert list(items("编号\t分值\nA02\t5", ends_others=True)) == ["A02"]


def test_an_empty_cell_takes_a_cap_away_and_the_others_stay():
    assert items("编号\t每人每天上限\nA01\t")["A01"].caps == (Cap(Scope.HOUSEHOLD, Period.MONTH, 20),)


def test_amounts_have_the_decimals_of_their_passbook():
    assert items("编号\t分值\t一次最多\nC01\t1.2\t4.5")["C01"].points == 12
    assert told("编号\t分值\nC01\t1.25\nA01\t1.5") == {
        (2, "B"): "“1.25”的小数太多，这种存折最多 1 位。",
        (3, "B"): "“1.5”不是整数。请写整数。",
    }


def test_an_item_that_goes_to_another_passbook_keeps_its_amounts():
    moved = items("编号\t记入哪种存折\nA01\t时间币\n")["A01"]
    assert [cap.points for cap in moved.caps] == [200, 160]
    assert moved.points == 10 * items("编号\t项目\nA01\t打扫\n")["A01"].points

    back = "编号\t分值\t一次最多\t记入哪种存折\nC01\t2\t5\t积分\n"
    assert (items(back)["C01"].points, items(back)["C01"].caps) == (2, (Cap(Scope.PERSON, Period.ACT, 5),))
    assert told("编号\t分值\t记入哪种存折\nC01\t2\t积分\n") == {
        (2, "C"): "这一项还有 4.5，“积分”最多 0 位小数，写不下。请把它也写进这张表，或先在表单里改。"
    }


def test_a_book_is_named_by_its_name():
    assert items("编号\t分值\t记入哪种存折\nA02\t1.5\t时间币")["A02"].book_kind == "coins"


def test_every_fault_is_told_with_its_row_and_column():
    faults = told(
        "编号\t类别\t项目\t计分方式\t分值\t凭据\t其他上限\t编号\n"
        "A01\t环境\t打扫\t看情况\t八\t签到\t想拿就拿\t\n"
        "A02\t环境\t=A1\t按次\t3\t签到\t\t\n"
        "a02\t环境\t劝导\t按次\t3\t签到\t\t\n"
        "\t环境\t没有编号\t按次\t3\t签到\t\t\n"
        "B01\t环境\t\t按次\t200001\t签到\t\t\n"
        "第九\t环境\t劝导\t按次\t-3\t签到\t每户每月 5；每户每月 6\t\n"
        "B02\t环境\t锟\ufffd\t按次\t3\t签到\t\t"
    )

    assert {place: said.partition("。")[0] for place, said in faults.items()} == {
        (1, "H"): "“编号”这一列写了两次",
        (2, "D"): "不认识“看情况”",
        (2, "E"): "“八”不是数",
        (2, "G"): "看不懂“想拿就拿”",
        (3, "C"): "这一格是公式",
        (4, "A"): "编号 A02 在第 3 行已经写过",
        (5, "A"): "“编号”空着",
        (6, "C"): "“项目”空着",
        (6, "E"): "“分值”现在是 200001，应在 0 到 100000 之间",
        (7, "A"): "编号“第九”写法不对",
        (7, "E"): "“-3”比 0 小",
        (7, "G"): "同一个上限写了两次：每户每月最多 6 分",
        (8, "C"): "有看不见的字符",
    }


def test_what_no_table_may_say_is_told_at_its_cell():
    faults = told(
        "编号\t类别\t项目\t计分方式\t分值\t凭据\t其他上限\n"
        "B1\t环境\t停发低保\t按次\t100001\t签到\t每户每月 5；每户每月 6"
    )

    assert {place: said.partition("。")[0] for place, said in faults.items()} == {
        (2, "A"): "编号“B1”写法不对",
        (2, "C"): "积分不能影响低保这类依法享有的待遇或办事",
        (2, "E"): "“分值”现在是 100001，应在 0 到 100000 之间",
        (2, "G"): "同一个上限写了两次：每户每月最多 6 分",
    }


def test_a_new_item_lacks_what_its_sheet_has_no_column_for():
    assert told("编号\t分值\nB09\t3") == {(2, "A"): "B09 是新的一项，还要写：类别、项目、计分方式、凭据。"}


def test_in_english_it_is_said_that_the_heads_are_chinese():
    (fault,) = read("编号\t分值\nB09\t3").faults

    assert fault.said(lambda text, **facts: i18n.fill(i18n.in_locale(text, "en"), facts)) == (
        "B09 is a new item and also needs these columns, whose heads are in Chinese: 类别、项目、计分方式、凭据."
    )


@pytest.mark.parametrize("word", ["按等级", "按级别", "级别", "等级"])
def test_a_level_has_two_names(word):
    found = read(f"编号\t计分方式\nA02\t{word}")

    assert found.table.items[1].basis is Basis.PER_LEVEL
    assert not any("不认识" in fault.text for fault in found.faults)


def test_a_sheet_as_a_whole_may_be_what_is_wrong():
    assert told("\n \t\n") == {(0, ""): rules_sheet.FAULTS["nothing"]}
    assert told("张三\t3\n李四\t5") == {(0, ""): rules_sheet.FAULTS["no_head"]}
    assert told("编号\t分值") == {(0, ""): rules_sheet.FAULTS["nothing"]}
    rows = "\n".join(f"A{n}\t3" for n in range(1_001))
    assert list(told(f"编号\t分值\n{rows}").values()) == ["最多 300 行，这里有 1001 行。请删掉用不到的行。"]


def test_of_more_rows_than_a_table_may_have_each_fault_is_told_all_the_same():
    rows = "\n".join(f"A{n:03}\t三" for n in range(301))
    faults = told(f"编号\t分值\n{rows}")

    assert faults.pop((0, "")) == "最多 300 行，这里有 301 行。请删掉用不到的行。"
    assert faults[302, "B"] == "“三”不是数。请写数字，例如 8。"
    assert len([place for place in faults if place[1] == "B"]) == 301


def test_merged_cells_and_formulas_are_told_from_the_names_of_the_columns_down():
    faults = told("积分表\n编号\t分值\nA01\t3", merged=[(1, 1), (3, 2)], formulas=[(1, 2), (3, 2)])

    assert list(faults) == [(3, "B")]
    assert read("积分表\n编号\t分值\nA01\t3", merged=[(1, 1)]).faults == []


@pytest.mark.parametrize(("kind", "encoding", "what"), [("csv", "gb18030", "gbk"), ("xls", None, "old_book")])
def test_a_file_that_may_be_read_wrongly_is_refused(kind, encoding, what):
    assert [fault.text for fault in rules_sheet.of_file(kind, encoding)] == [rules_sheet.FAULTS[what]]
    assert rules_sheet.of_file("xlsx", None) == rules_sheet.of_file("csv", "utf-8") == []


def test_a_first_cell_that_is_empty_keeps_its_place_in_a_form():
    rows = [["", "编号", "分值"], ["", "A01", "3"]]

    assert rules_sheet.pasted(rules_sheet.as_text(rows).strip()) == rows
