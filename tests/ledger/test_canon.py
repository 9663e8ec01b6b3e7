"""The sealed forms stand for ever: what was sealed once must come out the same, byte for byte."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.ledger import canon, export, export_verifier

GOLDEN = json.loads((Path(__file__).parent / "golden_seals.json").read_text(encoding="utf-8"))
LETTERS = st.characters(codec="utf-8")
FIELDS = st.lists(st.none() | st.text(LETTERS), min_size=len(canon.ENTRY), max_size=len(canon.ENTRY))


@pytest.mark.parametrize("vector", GOLDEN["entries"], ids=lambda vector: vector["why"])
def test_an_entry_is_sealed_as_it_always_was(vector):
    form = canon.entry_form(vector["entry"], vector["moves"], vector["uses"])

    assert form.decode() == vector["form"]
    assert canon.digest(form).hex() == vector["digest"]
    assert export_verifier.digest_of([vector["entry"]], vector["moves"], vector["uses"], []) == vector["digest"]


@pytest.mark.parametrize("vector", GOLDEN["changes"], ids=lambda vector: vector["why"])
def test_a_change_is_sealed_as_it_always_was(vector):
    form = canon.change_form(vector["change"])

    assert form.decode() == vector["form"]
    assert canon.digest(form).hex() == vector["digest"]
    assert export_verifier.digest_of([], [], [], [vector["change"]]) == vector["digest"]


def test_the_links_of_a_chain_are_what_they_always_were():
    previous = canon.GENESIS
    for vector in GOLDEN["chain"]:
        digest = bytes.fromhex(vector["digest"])
        hashed = canon.link(GOLDEN["community"], vector["position"], previous, digest)
        assert hashed.hex() == vector["hash"]
        told = (str(GOLDEN["community"]), str(vector["position"]), previous.hex(), vector["digest"])
        assert export_verifier.link(*told) == vector["hash"]
        previous = hashed


@given(FIELDS, FIELDS)
def test_two_entries_that_differ_have_different_forms(one, other):
    assert (canon.entry_form(one, [], []) == canon.entry_form(other, [], [])) == (one == other)


@given(st.lists(st.lists(st.none() | st.text(LETTERS), min_size=5, max_size=5), max_size=3), st.integers(0, 3))
def test_no_move_can_be_taken_for_a_use(rows, cut):
    entry = ["x"] * len(canon.ENTRY)
    forms = {canon.entry_form(entry, rows[:at], rows[at:]) for at in range(len(rows) + 1)}
    assert len(forms) == len(rows) + 1


def test_null_is_not_empty_and_lengths_are_bytes():
    assert (
        canon.change_form(["1", "kind", "", None, "积", "5:a,"]) == "8:change/1,1:1,4:kind,0:,-,3:积,4:5:a,,".encode()
    )


def test_values_have_one_spelling():
    moment = datetime(2026, 11, 21, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    assert canon.texts([None, "", 0, -7, True, False, moment, date(2026, 1, 2)]) == [
        None, "", "0", "-7", "1", "0", "2026-11-21 04:00:00.000000+00:00", "2026-01-02"
    ]  # fmt: skip
    assert canon.content({"b": True, "a": None, "at": moment.astimezone(UTC), "rows": [(1, date(2026, 1, 2))]}) == (
        '{"a":null,"at":"2026-11-21 04:00:00.000000+00:00","b":1,"rows":[[1,"2026-01-02"]]}'
    )


def test_the_verifier_knows_the_same_columns():
    parts = {name: columns.split() for name, columns in export_verifier.PARTS.items()}
    assert parts == {
        "entries.csv": [*canon.ENTRY],
        "moves.csv": [*canon.MOVE],
        "lot_uses.csv": [*canon.USE],
        "changes.csv": [*canon.CHANGE],
    }


def test_the_verifier_is_short_and_needs_nothing():
    path = Path(export_verifier.__file__)
    text = path.read_text(encoding="utf-8")
    imported = {
        line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))
    }
    assert len(text.splitlines()) < 200
    assert imported <= {"__future__", "argparse", "csv", "hashlib", "itertools", "pathlib", "sys", "typing"}


@given(st.none() | st.text(LETTERS))
def test_a_cell_comes_back_as_it_was(value):
    file = io.StringIO(newline="")
    export.Table(file, ["a", "b"]).add(value, "x")
    file.seek(0)
    rows = object.__new__(export_verifier.Rows)
    rows.name, rows.columns, rows.rows, rows.next = "one.csv", ["a", "b"], csv.reader(file), None
    assert [rows.take(), rows.take(), rows.take()] == [None, ["a", "b"], [value, "x"]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@a", "\ta", "\\N", "\\"])
def test_no_cell_is_a_formula(text):
    assert export.cell(text) == "\\" + text
    assert export.cell("-5") == "-5"
