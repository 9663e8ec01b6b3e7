"""Columns, headers, cells and the whole of a roster, without a database."""

import pytest

from pointsbank.kit import intake_sheet
from pointsbank.people.rules_import import (
    FAULTS,
    NOTES,
    QUESTIONS,
    ColumnTwice,
    Field,
    NoNameColumn,
    Plan,
    TagSensitive,
    TagUnfit,
    building_key,
    building_name,
    check_columns,
    check_tag,
    door_key,
    find_head,
    guess_columns,
    header_key,
    is_data,
)
from pointsbank.people.rules_import_check import Home, Row, Town, Verdict, check
from tests.people.import_faults import CORPUS, HEAD, THIS_YEAR, Planted, id_number, sheet, somebody


def town(**facts) -> Town:
    plain = {
        "holder": "person",
        "year": THIS_YEAR,
        "buildings": {"93": [(5, "93 号楼")]},
        "tags": {"独居": 3, "助餐": 4},
        "ids": {},
        "phones": {},
        "homes": {},
        "index_id": str.encode,
        "index_phone": str.encode,
    }
    return Town(**{**plain, **facts})


def checked(rows, place: Town | None = None, *, accepted: bool = False) -> list[Verdict]:
    head = find_head(rows)
    plan = Plan(guess_columns(rows[head - 1]), head)
    people = [Row(number, cells, accepted) for number, cells in enumerate(rows, start=1) if number > head]
    return check(people, plan, place or town())


def found(verdicts: list[Verdict], head) -> list[tuple[int, str, str]]:
    columns = guess_columns(head)
    return [
        (verdict.number, head[columns[problem.field]] if problem.field else "", problem.key)
        for verdict in verdicts
        for problem in verdict.problems
        if problem.key not in NOTES
    ]


@pytest.mark.parametrize("planted", CORPUS, ids=lambda planted: planted.name)
def test_a_planted_fault_is_found_where_it_stands_and_nothing_else_is(planted: Planted):
    verdicts = checked(planted.rows, town(holder=planted.holder))
    assert found(verdicts, HEAD) == [planted.wanted]
    states = {verdict.number: verdict.state for verdict in verdicts}
    expected = "faulty" if planted.key in FAULTS else "asked"
    assert states == {number: expected if number == planted.row else "good" for number in states}


FILES = [planted for planted in CORPUS if planted.content]


@pytest.mark.parametrize("planted", FILES, ids=lambda planted: f"{planted.name} ({planted.content.__name__})")
def test_it_is_found_in_a_file_too(planted: Planted):
    """As xlsx, as UTF-8 with and without its mark, as GBK: read here, and by a child process in the program."""
    read = intake_sheet.read(planted.content(planted.rows), rows_max=100, columns_max=50)
    assert found(checked([list(cells) for cells in read.rows]), HEAD) == [planted.wanted]


def test_the_corpus_is_large_and_knows_every_fault_that_a_file_alone_can_have():
    assert len(CORPUS) >= 60
    assert len({planted.name for planted in CORPUS}) == len(CORPUS)
    assert len(FILES) >= 12
    of_the_roster = {"building_ambiguous", "id_other_name", "head_taken", "near_known"}
    assert {planted.key for planted in CORPUS} == (FAULTS.keys() | QUESTIONS.keys()) - of_the_roster


@pytest.mark.parametrize(
    ("field", "written", "key", "stored"),
    [
        ("name", "测 试 乙", "name_spaces", "测试乙"),
        ("name", "阿测·买试", None, "阿测·买试"),
        ("name", "阿测．买试", None, "阿测·买试"),
        ("name", "Test Ｏne", "name_narrowed", "Test One"),
        ("phone", "+86 100-0000-0009", "phone_narrowed", "10000000009"),
        ("phone", "１００００００００09", "phone_narrowed", "10000000009"),
        ("phone", 10000000009.0, None, "10000000009"),
        ("phone", "无", None, ""),
        ("id_number", id_number(serial=9).replace("X", "x"), None, id_number(serial=9)),
        ("id_number", f" {id_number()[:6]} {id_number()[6:]}", "id_narrowed", id_number()),
        ("id_number", f"'{id_number()}", "id_narrowed", id_number()),
        ("birth_year", "1990.1.1", None, 1990),
        ("birth_year", "1990/1/1", None, 1990),
        ("birth_year", "1990年1月", None, 1990),
        ("birth_year", "19900101", None, 1990),
        ("birth_year", "1990-01-01T00:00:00", None, 1990),
        ("birth_year", 1990, None, 1990),
        ("birth_year", 1990.1, None, 1990),
        ("birth_year", "1/2/1990", None, 1990),
        ("birth_year", 32874, "birth_serial", 1990),
        ("birth_year", "32874", "birth_serial", 1990),
        ("sex", "女性", None, "f"),
        ("sex", "M", None, "m"),
        ("publication", "√", None, True),
        ("publication", "不同意", None, False),
        ("publication", None, None, False),
        ("tag_ids", "独居，助餐", None, [3, 4]),
        ("door", 301.0, None, "301"),
    ],
)
def test_what_can_be_put_right_is_put_right(field, written, key, stored):
    header = {"name": "姓名", "phone": "手机", "id_number": "身份证号", "birth_year": "出生日期", "sex": "性别",
              "publication": "同意公示", "tag_ids": "标签", "door": "门牌"}[field]  # fmt: skip
    (verdict,) = checked(sheet(somebody(**{header: written})))
    assert verdict.state == "good", verdict.problems
    assert getattr(verdict.entry, field) == stored
    keys = [problem.key for problem in verdict.problems]
    assert keys == ([key] if key else keys)


def test_a_lower_case_x_is_the_same_number():
    number = next(id_number(serial=serial) for serial in range(1, 99) if id_number(serial=serial).endswith("X"))
    (verdict,) = checked(sheet(somebody(身份证号=number.lower())))
    assert verdict.entry.id_number == number
    assert [problem.key for problem in verdict.problems] == ["id_narrowed"]


def test_year_and_sex_come_from_the_id_number():
    (verdict,) = checked(sheet(somebody(身份证号=id_number("19610203", 18))))
    assert (verdict.entry.birth_year, verdict.entry.sex) == (1961, "f")


def test_whoever_is_in_the_roster_is_no_fault():
    number = id_number()
    home = Home(8, "测*甲", {"测试甲"})
    place = town(
        ids={number.encode(): "测试乙"},
        phones={b"10000000003": {"测试丙"}},
        homes={(5, "101"): home},
    )
    rows = sheet(
        somebody(身份证号=number, 手机=None),
        somebody(姓名="测试丙", 手机="10000000003", 门牌="303"),
        somebody(姓名="测试甲", 手机=None, 楼栋="93栋", 门牌="101室"),
        somebody(姓名="测试丁", 手机="10000000003", 门牌="304"),
    )
    assert [verdict.state for verdict in checked(rows, place)] == ["known", "known", "known", "good"]


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ({"姓名": "测试别人", "身份证号": id_number()}, "id_other_name"),
        ({"姓名": "测试丁", "门牌": "101"}, "head_taken"),
        ({"姓名": "增小测", "门牌": "101", "与户主关系": "妻"}, "near_known"),
    ],
)
def test_what_contradicts_the_roster_is_said(said, key):
    place = town(ids={id_number().encode(): "测试乙"}, homes={(5, "101"): Home(8, "曾*测", {"曾小测"})})
    (verdict,) = checked(sheet(somebody(**said)), place)
    assert key in [problem.key for problem in verdict.problems]
    assert verdict.state in {"faulty", "asked"}


def test_two_buildings_that_look_alike_are_told_apart_only_by_the_whole_name():
    place = town(buildings={"93": [(5, "93 号楼"), (6, "93 座")]})
    rows = sheet(somebody(楼栋="93座"), somebody(姓名="测试丁", 楼栋="93 座", 门牌="404", 手机=None))
    unsure, sure = checked(rows, place)
    assert [problem.key for problem in unsure.problems] == ["building_ambiguous"]
    assert sure.entry.building_id == 6


def test_a_household_has_the_address_of_its_first_row_that_names_one_and_one_head():
    rows = sheet(
        somebody(户号="7"),
        somebody(户号="7", 姓名="测试丁", 手机=None, 楼栋=None, 门牌=None, 与户主关系="妻"),
        somebody(姓名="测试戊", 手机=None, 与户主关系="子"),
    )
    entries = [verdict.entry for verdict in checked(rows)]
    assert {entry.home for entry in entries} == {"n7"}
    assert [entry.building_id for entry in entries] == [5, 5, 5]
    assert [entry.is_head for entry in entries] == [True, False, False]


def test_the_same_person_written_with_another_surname_is_asked_about_twice():
    rows = sheet(somebody(姓名="曾小测"), somebody(姓名="增小测", 与户主关系="妻"))
    assert found(checked(rows), HEAD) == [(4, "姓名", "surname_lookalike"), (4, "姓名", "near_names")]


def test_a_question_that_was_answered_is_none_and_a_fault_stays_one():
    questions = sheet(somebody(姓名="增小测"))
    faults = sheet(somebody(姓名="增小测", 手机="1"))
    assert [checked(rows, accepted=True)[0].state for rows in (questions, faults)] == ["good", "faulty"]


# Headers


@pytest.mark.parametrize(
    ("header", "guessed"),
    [
        (["序号", "户主", "电话", "楼号", "室"], {"name": 1, "phone": 2, "building": 3, "door": 4}),
        (["户主姓名", "姓 名*", "联系方式（必填）"], {"name": 1, "phone": 2}),
        (["姓名", "与户主关系", "户号", "监护人电话", "年龄"], {"name": 0, "relation": 1, "household": 2}),
        (["姓名", "证件号码", "幢", "房间号"], {"name": 0, "id_number": 1, "building": 2, "door": 3}),
        (["编号", "日期", 3, None], {}),
    ],
)
def test_columns_are_guessed_from_their_headers(header, guessed):
    assert guess_columns(header) == guessed


def test_titles_above_the_header_are_passed_over():
    rows = [["测试社区居民名册", None], [None], ["2026年11月", "单位：人"], ["姓名", "手机"], ["测试甲", "10000000001"]]
    assert find_head(rows) == 4
    assert find_head([["测试甲", "10000000001"]]) == 0


def test_blank_rows_totals_and_the_header_once_more_are_nobody():
    head = header_key(HEAD)
    assert [is_data(row, head) for row in ([None, " "], HEAD, ["合计", 31], ["制表人：测试", None])] == [False] * 4
    assert is_data(somebody(), head)
    assert is_data([1.0, 2.0], "")


def test_each_field_has_one_column_and_the_name_must_have_one():
    assert check_columns({0: "name", 3: "phone"}) == {"name": 0, "phone": 3}
    with pytest.raises(ColumnTwice) as twice:
        check_columns({0: "name", 3: "name"})
    assert twice.value.facts == {"field": "姓名"}
    with pytest.raises(NoNameColumn):
        check_columns({3: Field.PHONE.value})


@pytest.mark.parametrize("written", ["3号楼", "3 号楼", "3栋", "03幢", "三号楼", "３＃", "第3座", "3"])
def test_a_building_is_the_same_however_it_is_written(written):
    assert building_key(written) == "3"
    assert building_name(written) == "3 号楼"


def test_other_buildings_stay_apart():
    keys = [building_key(name) for name in ("13号楼", "十三栋", "30号楼", "A座", "梧桐苑 3 号楼", "楼")]
    assert keys == ["13", "13", "30", "a", "梧桐苑3", "楼"]
    assert building_name(" 梧桐苑  3 号楼") == "梧桐苑 3 号楼"


def test_a_door_is_the_same_however_it_is_written():
    assert {door_key(door) for door in ("1单元301室", "1-301", "１－３０１", "1 - 301")} == {"1-301"}
    assert door_key("301") != door_key("1-301")


def test_tags_about_health_and_hardship_are_not_offered():
    check_tag("独居")
    for tag in ("糖尿病", "低保户", "残疾"):
        with pytest.raises(TagSensitive):
            check_tag(tag)
    for tag in ("", "a b", "独居，助餐", "长" * 11):
        with pytest.raises(TagUnfit):
            check_tag(tag)
