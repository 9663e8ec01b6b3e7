"""The form of an item: what an item says can be typed, and what was typed is the item."""

import msgspec
import pytest
from hypothesis import given

from pointsbank.ledger.rules_kinds import PLAIN, Denomination
from pointsbank.scoring import rules_form
from pointsbank.scoring.rules import Basis, Cap, Period, Scope
from pointsbank.scoring.rules_table import Item, Level, Multiplier, Panel, Process, Validity, ValidityKind
from tests.scoring.builders import an_item, items

COINS = Denomination("coins", "时间币", "时间币", 1, "person")
WHOLE = an_item(
    basis=Basis.PER_LEVEL, levels=(Level("市级表彰", 20), Level("区级表彰")),
    caps=(Cap(Scope.PERSON, Period.MONTH, times=1),),
    review=("community_admin", "organiser"), panel=Panel(5, 3, drawn=True), submit=("self", "import"),
    validity=Validity(ValidityKind.MONTHS, 6), scope="household", notice_days=7, evidence_kinds=("photo",),
    deduction=True, process=Process(2, 1, 6), ground="居民公约第三条", make_good="参加一次清洁", floor=0, says="原文",
    points_by_met=(1, 2), conditions=("门前干净", "分类"), multipliers=(Multiplier("夜间", 150, "22:00", "06:00"),),
)  # fmt: skip


def typed(**fields):
    usual = {"code": "A09", "category": "环境", "name": "打扫", "basis": "per_time", "points": "3", "evidence": "照片"}
    return {
        name.replace("__", "."): value if isinstance(value, list) else [value]
        for name, value in (usual | fields).items()
    }


def test_the_form_carries_every_field_of_an_item():
    assert {field.name for field in rules_form.FIELDS} == {*Item.__struct_fields__, rules_form.DAY_CAP}


@given(items())
def test_an_item_typed_as_it_stands_is_the_same(item):
    assert rules_form.meant(rules_form.texts_of(item, PLAIN), PLAIN, item) == (item, [])


@pytest.mark.parametrize("of", [PLAIN, COINS])
def test_every_piece_comes_back_as_it_was(of):
    texts = rules_form.texts_of(WHOLE, of)

    assert rules_form.meant(texts, of, WHOLE) == (WHOLE, [])
    fresh, wrong = rules_form.meant(texts, of, None)
    assert wrong == []
    assert msgspec.structs.replace(fresh, review=WHOLE.review) == WHOLE


def test_what_was_not_sent_stays_and_what_was_emptied_goes():
    item, _ = rules_form.meant({"name": ["改名"], "says": [""], "submit": [""]}, PLAIN, WHOLE)

    assert (item.name, item.says, item.submit) == ("改名", "", ("organiser",))
    assert item.levels == WHOLE.levels


def test_rows_left_empty_are_no_rows_and_half_a_row_is_told():
    rows = {"levels__name": ["一星", "", "二星"], "levels__points": ["5", "", "x"], "caps__scope": ["", "person"]}
    item, wrong = rules_form.meant(typed(**rows), PLAIN, None)
    assert item is None
    assert [(one.field, one.text.format(**one.facts)) for one in wrong] == [
        ("levels", "“x”不是数。请写数字，例如 8。"), ("caps", "“管多久”空着。请填写。"),
    ]  # fmt: skip

    item, wrong = rules_form.meant(typed(**rows | {"levels__points": ["5", "", "10"], "caps__scope": []}), PLAIN, None)
    assert (item.levels, item.caps) == ((Level("一星", 5), Level("二星", 10)), ())


def test_amounts_have_the_decimals_of_their_passbook():
    item, _ = rules_form.meant(typed(points="1.5", day_cap="4.5", points_by_met="0.5、1"), COINS, None)
    assert (item.points, item.caps[0].points, item.points_by_met) == (15, 45, (5, 10))

    _, wrong = rules_form.meant(typed(points="1.25", name=""), COINS, None)
    assert [one.field for one in wrong] == ["name", "points"]


def test_a_choice_that_nobody_offered_is_refused():
    _, wrong = rules_form.meant(typed(basis="per_mile"), PLAIN, None)
    assert [one.field for one in wrong] == ["basis"]
