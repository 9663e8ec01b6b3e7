"""Scoring tables as files: every one we ship can be adopted, and a bad one is told what is wrong where."""

from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.scoring import rules, scheme_file, scheme_schema
from pointsbank.web import i18n
from tests.scoring import builders

SEEDS = sorted((Path(__file__).parents[2] / "seed_data" / "scoring").glob("*.toml"))
REFUSED = Path(__file__).parent / "refused"

HEAD = """\
name = "测试积分表"
place = "测试社区"
document = "测试办法"
kind = "service_hours"
"""
ITEM = """
[[items]]
code = "A01"
category = "环境"
name = "打扫楼道"
basis = "per_minutes"
points = 1
evidence = "现场签到"
"""
GOOD = HEAD + ITEM
ONE_CAP = '  { scope = "person", period = "day", points = 6 },\n'
TWO_LINES = 'scope = "person"\nperiod = "week"\n'


def problems(text):
    return [(problem.line, problem.where, problem.message) for problem in scheme_file.check(text)]


# --- the files we ship


def test_there_are_at_least_fourteen_schemes_of_at_least_four_kinds():
    tables = [scheme_file.parse(path.read_text("utf-8")) for path in SEEDS]

    assert len(tables) >= 14
    assert len({table.kind for table in tables}) >= 4
    assert {table.passbook for table in tables} == {"person", "household"}


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_a_seed_file_reads_without_fault_and_comes_back_from_writing(path):
    text = path.read_text("utf-8")
    assert scheme_file.check(text) == []

    table = scheme_file.parse(text)

    assert rules.faults(table) == []
    assert scheme_file.parse(scheme_file.write(table)) == table
    assert table.place
    assert table.document


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_every_item_of_a_seed_file_can_earn_points(path):
    table = scheme_file.parse(path.read_text("utf-8"))

    for item in table.items:
        act = rules.Facts(
            day=date(2025, 3, 12),
            minutes=max(item.block_minutes, item.minutes_min),
            planned_minutes=item.block_minutes,
            quantity=item.quantity_min,
            fixed_points=item.range_max,
            metres=item.metres_min,
        )
        assert rules.evaluate(table, item, act, {}).points > 0 or item.points == 0


def test_the_published_schema_is_that_of_the_structs():
    published = (SEEDS[0].parent / "schema.json").read_text("utf-8")

    assert published == scheme_schema.text(), "run: pointsbank scoring schema > seed_data/scoring/schema.json"


@pytest.mark.parametrize("struct", [rules.Table, rules.Item])
def test_every_key_is_described_in_both_languages(struct):
    halves = (SEEDS[0].parent / "README.md").read_text("utf-8").split("\n---\n")

    assert len(halves) == 2
    for name in struct.__struct_fields__:
        assert name == "items" or all(f"`{name}`" in half or f"`{name} =" in half for half in halves), name


# --- files that nobody may adopt


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("party-deduction-sheet", "A01", "不参加不能扣分"),
        ("party-deduction-sheet", "B01", "不参加不能扣分"),
        ("party-deduction-sheet", "C02", "不参加不能扣分"),
        ("party-deduction-sheet", "D02", "依法享有的权利，不能因此扣分"),
        ("yinchuan-zhangzheng", "", "积分不能影响低保"),
    ],
)
def test_a_published_scheme_against_rights_is_refused_with_its_reason(name, code, reason):
    text = (REFUSED / f"{name}.toml").read_text("utf-8")

    assert any(where == code and reason in message for _, where, message in problems(text))
    with pytest.raises(rules.SchemeUnreadable):
        scheme_file.parse(text)


@pytest.mark.parametrize("name", ["jingyuan-xinqi", "rongcheng-dongdaoliujia"])
def test_a_deduction_can_be_read_and_cannot_be_published(name):
    text = (SEEDS[0].parent / "published" / f"{name}.toml").read_text("utf-8")

    assert scheme_file.check(text) == []
    assert any("扣分项要写明先劝导、再警告各几次" in bar.message for bar in scheme_file.bars(text))


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (HEAD, 1, "还没有可以得分的项"),
        (GOOD.replace("points = 1\n", ""), 6, "原文没有写“打扫楼道”记多少"),
        (GOOD + 'review = ["panel"]\n', 6, "要写几人、几人同意"),
    ],
)
def test_what_the_source_leaves_open_or_nobody_can_carry_out_yet_is_read_and_bars_publishing(text, line, part):
    assert scheme_file.check(text) == []
    assert [(bar.line, part in bar.message) for bar in scheme_file.bars(text)] == [(line, True)]
    assert rules.faults(scheme_file.parse(text)) != []


def test_every_refused_file_is_refused_for_what_it_says_and_not_for_its_form():
    for path in REFUSED.glob("*.toml"):
        assert not any("不认识" in message or "应是" in message for _, _, message in problems(path.read_text("utf-8")))


# --- problems, each with its line


@pytest.mark.parametrize(
    ("text", "line", "where", "part"),
    [
        (GOOD.replace('"环境"', '"环境'), 8, "", "文字没有写完引号"),
        (GOOD.replace("points = 1", "points ="), 11, "", "等号后面的写法不对"),
        (GOOD.replace("points = 1", "points 1"), 11, "", "等号"),
        (GOOD + "points = 2\n", 13, "", "同一个键写了两次"),
        (GOOD.replace("points", "pionts"), 11, "A01", "不认识“pionts”"),
        (GOOD.replace('name = "打扫楼道"\n', ""), 6, "A01", "缺少 name（名称）"),
        (GOOD.replace('place = "测试社区"\n', ""), 1, "", "缺少 place（地方）"),
        (GOOD.replace("points = 1", 'points = "1"'), 11, "A01", "points（分值） 应是整数"),
        (GOOD.replace("points = 1", "points = 1.5"), 11, "A01", "应是整数"),
        (GOOD.replace("points = 1", "points = true"), 11, "A01", "应是整数"),
        (GOOD.replace("points = 1", f"points = 0x{'f' * 900}"), 11, "A01", "应是整数"),
        (GOOD.replace("points = 1", f"points = {'9' * 900}"), 11, "A01", "应是整数"),
        (GOOD.replace("points = 1", "points = -1"), 11, "A01", "应在 0 到 100000 之间"),
        (GOOD.replace("per_minutes", "per_hour"), 10, "A01", "per_minutes、per_time、per_item、per_distance"),
        (GOOD.replace('"A01"', "7"), 7, "第 1 项", "应是引号里的文字"),
        (GOOD.replace('"打扫楼道"', '""'), 9, "A01", "要填写"),
        (GOOD + 'deduction = "是"\n', 13, "A01", "true 或 false"),
        (GOOD + 'review = ["mayor"]\n', 13, "A01", '["organiser"]'),
        (GOOD + 'caps = [{ scope = "street", period = "day", points = 4 }]\n', 13, "A01", "scope"),
        (GOOD + 'caps = [{ scope = "person", period = "day", points = 0 }]\n', 13, "A01", "应在 1 到"),
        (
            GOOD + f'caps = [{{ scope = "person", period = "day", points = 0x{"f" * 300} }}]\n',
            13,
            "A01",
            "第 1 个的 points",
        ),
        (GOOD + ITEM, 15, "A01", "用了两次"),
        (HEAD + 'validity = "year_end"\n' + ITEM, 5, "", '{ kind = "never" }'),
        (HEAD + 'passbook = "street"\n' + ITEM, 5, "", '"person" 或 "household"'),
        (HEAD + "notes = [1]\n" + ITEM, 5, "", "一串引号里的文字"),
        (HEAD + "notice_days = 31\n" + ITEM, 5, "", "应在 0 到 30 之间"),
        (GOOD + "streak = { length = 7, pionts = 4 }\n", 13, "A01", "streak（连续加分） 的 不认识“pionts”"),
        (GOOD + "panel = { members = 5 }\n", 13, "A01", "缺少 panel（评议小组） 的 agree"),
        (GOOD + 'hours = "06:00-22:00"\n', 13, "A01", '{ from = "06:00", to = "22:00" }'),
        (GOOD + "levels = [1]\n", 13, "A01", "这样的一串"),
        (GOOD + 'multipliers_combine = "both"\n', 13, "A01", '"product"、"highest" 或 "sum"'),
        (GOOD + "caps = [\n" + ONE_CAP + ONE_CAP.replace("day", "week") + ONE_CAP + "]\n", 16, "A01", "写了两次"),
        (GOOD + "caps = [\n" + ONE_CAP + ONE_CAP.replace("6", '"6"') + "]\n", 15, "A01", "第 2 个的 points"),
        (GOOD + '[items.panel]\nmembers = 5\nagree = 3\n[items.hours]\nfrom = "6"\nto = "7"\n', 16, "A01", "几点几分"),
        (GOOD + "[[items.caps]]\n" + TWO_LINES + "[[items.caps]]\n" + TWO_LINES, 16, "A01", "只写一样"),
        (HEAD + 'notes = [\n  "好",\n  "",\n]\n' + ITEM, 7, "", "“说明”要填写"),
        (HEAD + "items = [1]\n", 5, "", "[[items]]"),
        (HEAD + 'items = [{ code = "A01" }]\n', 5, "A01", "缺少 basis"),
        ("", 1, "", "缺少 name"),
        ("name = " + "[" * 900, 1, "", "套得太深"),
        ("\n".join("name = [" + "[" * 500 for _ in range(20)), 1, "", "套得太深"),
        (HEAD + "x" * 1001, 5, "", "太长"),
        ("#\n" * 50_001, 1, "", "文件太大"),
        ("name = " + "9" * 900, 1, "", "应是引号里的文字"),
    ],
)
def test_a_problem_is_told_with_its_line_and_item(text, line, where, part):
    found = problems(text)

    assert any((at, item) == (line, where) and part in message for at, item, message in found), found
    with pytest.raises(rules.SchemeUnreadable):
        scheme_file.parse(text)


def test_every_problem_is_told_in_english_where_english_is_read():
    def say(text, /, **facts):
        known = {name: i18n.in_locale(fact, "en") if isinstance(fact, str) else fact for name, fact in facts.items()}
        return i18n.fill(i18n.in_locale(text, "en"), known)

    def in_chinese(text):
        found = scheme_file.check(text, ("points",), say)
        assert found
        return [one.message for one in found if i18n.HAN.search(one.message)]

    plain = GOOD.replace("打扫楼道", "Sweeping")
    (mark,) = [one for one in test_a_problem_is_told_with_its_line_and_item.pytestmark if one.name == "parametrize"]
    broken = [case[0].replace("打扫楼道", "Sweeping") for case in mark.args[1]]
    broken += [plain + f"{key} = [[]]\n" for key in rules.Item.__struct_fields__]

    assert [left for text in broken for left in in_chinese(text)] == []


def test_all_problems_are_told_at_once_in_the_order_of_lines():
    text = GOOD.replace("points = 1", "points = -1").replace('place = "测试社区"', 'place = ""')

    assert [line for line, _, _ in problems(text)] == [2, 11]


def test_the_refusal_counts_the_problems_and_names_the_first():
    with pytest.raises(rules.SchemeUnreadable) as refused:
        scheme_file.parse(GOOD.replace("points = 1", "points = -1"))

    assert refused.value.facts["count"] == 1
    assert refused.value.facts["text"].startswith("第 11 行：A01：“分值”现在是 -1")


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read():
    assert scheme_file.parse("\ufeff" + GOOD.replace("\n", "\r\n")) == scheme_file.parse(GOOD)


def test_a_file_is_known_by_what_it_says_and_a_sheet_is_none():
    everywhere = [*SEEDS, *(SEEDS[0].parent / "published").glob("*.toml"), *REFUSED.glob("*.toml")]

    assert all(scheme_file.is_one(path.read_bytes()) for path in everywhere)
    assert scheme_file.is_one(("\ufeff" + GOOD).encode())
    assert scheme_file.is_one(GOOD.encode("gbk"))
    assert scheme_file.is_one(b'[[ "items" ]]\ncode 3')
    assert not any(
        scheme_file.is_one(one.encode()) for one in ("", "编号,分值\nA01,=3", "name,points\nA01,3", "points\t=2+3")
    )


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    assert scheme_file.check(text) != []
    with pytest.raises(rules.SchemeUnreadable):
        scheme_file.parse(text)


@given(st.lists(st.sampled_from([*GOOD.splitlines(keepends=True), "[[items]]\n", "[items]\n", "caps = [[]]\n"])))
def test_any_jumble_of_lines_is_read_or_refused(lines):
    text = "".join(lines)

    assert (scheme_file.check(text) == []) == (text_is_adopted(text))


def text_is_adopted(text):
    try:
        scheme_file.parse(text)
    except rules.SchemeUnreadable:
        return False
    return True


# --- there and back


words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip)


@st.composite
def tables(draw):
    base = scheme_file.parse(GOOD)
    items = tuple(
        msgspec.structs.replace(
            base.items[0],
            code=code,
            name=draw(words),
            basis=rules.Basis.PER_MINUTES,
            points=draw(st.integers(1, 100)),
            range_max=draw(st.none() | st.integers(101, 200)),
            block_minutes=draw(st.integers(1, 60)),
            rounding=draw(st.sampled_from(rules.Rounding)),
            minutes_max_per_act=draw(st.none() | st.integers(60, 300)),
            caps=draw(builders.caps),
            review=draw(st.sampled_from([("organiser",), ("community_admin", "organiser")])),
            submit=draw(st.sampled_from([("organiser",), ("self", "grid_worker")])),
        )
        for code in draw(st.lists(st.sampled_from(["A01", "B01", "C001"]), min_size=1, unique=True))
    )
    return msgspec.structs.replace(
        base,
        items=items,
        name=draw(words),
        kind=draw(st.sampled_from(rules.TableKind)),
        passbook=draw(st.sampled_from(["person", "household"])),
        notice_days=draw(st.none() | st.integers(0, 30)),
        validity=draw(
            st.sampled_from(
                [
                    rules.Validity(),
                    rules.Validity(rules.ValidityKind.MONTH_END),
                    rules.Validity(rules.ValidityKind.YEAR_END),
                    rules.Validity(rules.ValidityKind.MONTHS, 36),
                    rules.Validity(rules.ValidityKind.YEARS, years=3),
                ]
            )
        ),
        caps=builders.within_reach(draw(builders.caps), items),
        notes=tuple(draw(st.lists(words, max_size=5))),
    )


@given(tables() | builders.tables())
def test_a_table_written_and_read_again_is_the_same(table):
    assert scheme_file.parse(scheme_file.write(table)) == table


def test_what_cannot_be_read_hides_nothing_else():
    second = ITEM.replace("A01", "A02").replace("points = 1", "points = -1").replace('"per_minutes"', '"per_hour"')
    first = ITEM.replace("points = 1", 'points = "one"\nmultiplier_percent = 0')
    text = HEAD.replace('"测试社区"', "7") + first + second

    told = [(where, message) for _line, where, message in problems(text)]

    assert [where for where, _message in told] == ["", "A01", "A01", "A02", "A02"]
    said = " ".join(message for _where, message in told)
    for words in ("place（地方）", "points（分值） 应是", "系数（%）”现在是 0", "“分值”现在是 -1", "basis（计分方式）"):
        assert words in said, words


def test_a_fault_is_told_once_however_many_times_it_stands_on_a_line():
    twice = ITEM + "caps = [\n" + ONE_CAP + ONE_CAP + ONE_CAP + "]\n"
    told = problems(HEAD + twice)
    assert len(told) == len(set(told))


STEP = '  {{ measure = "{}", above = 60, every = {}, points = 1 }},\n'


def test_an_entry_that_cannot_be_read_hides_none_beside_it():
    steps = STEP.format("minutes", 0) + STEP.format("hours", 5) + STEP.format("metres", 0)

    found = [(line, part) for line, _where, part in problems(GOOD + "increments = [\n" + steps + "]\n")]

    assert [line for line, _ in found] == [14, 15, 16]
    assert "第 2 个的 measure" in found[1][1]
    assert all("“每满多少”现在是 0" in found[number][1] for number in (0, 2))


def test_a_number_beside_a_word_that_cannot_be_read_is_told_too():
    found = problems(GOOD + "increments = [\n" + STEP.format("hours", 0) + "]\n")

    assert [line for line, _, _ in found] == [14, 14]
    assert any("“每满多少”现在是 0" in part for _, _, part in found)


def test_a_list_of_which_nothing_can_be_read_is_not_said_to_be_empty():
    by_level = GOOD.replace("per_minutes", "per_level").replace("points = 1\n", "")

    (only,) = problems(by_level + "levels = [{ name = 1 }]\n")

    assert "第 1 个的 name" in only[2]


@pytest.mark.parametrize(
    "text",
    [
        'remainder = "carry"\nmultipliers = [\n  { name = "难度高", percent = "150" },\n]\n',
        'caps = [{ scope = "person", period = "day", minutes = 60 }]\nincrements = [\n'
        + STEP.format("minutes", '"5"')
        + "]\n",
    ],
)
def test_nothing_is_said_to_be_missing_that_may_stand_where_nobody_can_read(text):
    basis = GOOD.replace("per_minutes", "per_time")

    (only,) = problems(basis + text)

    assert "整数" in only[2]
