import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.stock import rules
from pointsbank.stock.rules import BarcodeUnfit, ValueUnfit

lots = st.lists(st.integers(1, 50), max_size=8).map(lambda left: list(enumerate(left)))


@given(lots, st.integers(1, 200))
def test_lots_are_taken_in_order_and_never_beyond_what_they_hold(held, quantity):
    taken = rules.take_from(held, quantity)
    assert sum(part.quantity for part in taken) == min(quantity, sum(left for _, left in held))
    assert [part.lot_id for part in taken] == [lot_id for lot_id, _ in held[: len(taken)]]
    assert all(part.quantity == left for part, (_, left) in zip(taken[:-1], held, strict=False))


@pytest.mark.parametrize(
    "code", ["6901234567892", "６９０１２３４５６７８９２", " 6901234567892 ", "96385074", "036000291452"]
)
def test_a_bar_code_is_known_by_its_check_digit(code):
    assert rules.fit_barcode(code) in ("6901234567892", "96385074", "036000291452")


@pytest.mark.parametrize("code", ["6901234567891", "690123456789", "", "abc", "134500000000000001", "81" + "0" * 18])
def test_what_is_no_bar_code_is_refused(code):
    with pytest.raises(BarcodeUnfit):
        rules.fit_barcode(code)


@pytest.mark.parametrize(
    ("typed", "cents"), [("12.50", 1250), ("12.5", 1250), ("12", 1200), ("0.05", 5), ("０.１", 10)]
)
def test_yuan_become_cents_without_a_float(typed, cents):
    assert rules.cents_of(typed) == cents
    assert rules.cents_of(rules.yuan_of(cents)) == cents


@pytest.mark.parametrize("typed", ["", "-1", "1.234", "1,5", "12345678", ".5", "NaN", "1e3"])
def test_what_is_no_price_is_refused(typed):
    with pytest.raises(ValueUnfit):
        rules.cents_of(typed)
