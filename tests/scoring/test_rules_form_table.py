"""The form of the table as a whole: what it says can be typed, and only what was changed is meant."""

from itertools import chain
from urllib.parse import urlencode

import msgspec
import pytest

from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_kinds import PLAIN, Denomination
from pointsbank.scoring import rules_form_table
from pointsbank.scoring.rules import Cap, Period, Scope, Table, Validity, ValidityKind
from pointsbank.scoring.rules_form_table import marks_of, meant, texts_of
from pointsbank.scoring.rules_table import Base
from pointsbank.web.security import BODY_BYTES_MAX
from tests.scoring.builders import a_table
from tests.scoring.published import FOLDERS, scheme

COINS = Denomination("coins", "时间币", "时间币", 1, "person")
KINDS = {MAIN: PLAIN, "coins": COINS}


def test_the_form_carries_every_field_of_a_table_but_its_items():
    assert sorted(field.name for field in rules_form_table.FIELDS) == sorted({*Table.__struct_fields__} - {"items"})


@pytest.mark.parametrize("path", sorted(chain.from_iterable(folder.glob("*.toml") for folder in FOLDERS)), ids=str)
def test_every_published_scheme_comes_back_from_the_form_as_it_was(path):
    table = scheme(path)
    texts = texts_of(table, KINDS)

    assert meant(texts, KINDS, marks_of(table)) == ({}, [])
    settings, wrong = meant(texts, KINDS, "")
    assert wrong == []
    assert settings.keys() == {field.name for field in rules_form_table.FIELDS}
    assert msgspec.structs.replace(table, **settings) == table
    assert len(urlencode(texts, doseq=True)) < BODY_BYTES_MAX * 3 / 4


def test_what_everybody_begins_with_has_the_decimals_of_its_passbook():
    table = a_table(base=Base(15, "year", spend_above=5, book_kind="coins"))
    texts = texts_of(table, KINDS)

    assert (texts["base.points"], texts["base.spend_above"]) == (["1.5"], ["0.5"])
    assert meant(texts | {"base.points": ["2.5"]}, KINDS, marks_of(table)) == (
        {"base": Base(25, "year", spend_above=5, book_kind="coins")}, []
    )  # fmt: skip
    assert meant(texts | {name: [""] for name in texts if name.startswith("base.")}, KINDS, "")[0]["base"] is None


def test_what_was_emptied_goes_and_half_a_row_is_told():
    table = a_table(validity=Validity(ValidityKind.YEARS, years=3), caps=(Cap(Scope.PERSON, Period.DAY, 20),))
    emptied = {name: [""] for name in ("validity.kind", "validity.months", "validity.years", "caps.scope")}

    assert meant(emptied, KINDS, marks_of(table)) == ({"validity": Validity(), "caps": ()}, [])
    _, wrong = meant({"caps.scope": ["person"], "name": [""], "notice_days": ["x"]}, KINDS, marks_of(table))
    assert [one.field for one in wrong] == ["name", "notice_days", "caps"]
