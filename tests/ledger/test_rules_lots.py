"""Paying from lots, against every way there is."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from pointsbank.ledger.rules_lots import FreeLot, allocate, payable

KINDS = [("earned", None), ("earned", None), ("base", None), ("gift", 50), ("gift", 100), ("gift", 30), ("gift", 200)]


def lots_of(parts: list[tuple[int, tuple[str, int | None]]]) -> list[FreeLot]:
    return [FreeLot(number, points, kind, rate) for number, (points, (kind, rate)) in enumerate(parts)]


small = st.lists(st.tuples(st.integers(1, 5), st.sampled_from(KINDS)), min_size=1, max_size=5).map(lots_of)
large = st.lists(st.tuples(st.integers(1, 5_000), st.sampled_from(KINDS)), min_size=1, max_size=30).map(lots_of)


def is_matched(lots: list[FreeLot], parts: tuple[int, ...]) -> bool:
    """Gifts of at most p percent come to at most p per 100 earned points, for every p."""
    taken = list(zip(lots, parts, strict=True))
    earned = sum(part for lot, part in taken if lot.kind == "earned")
    rates = {lot.match_percent for lot in lots if lot.match_percent is not None}
    return all(
        100 * sum(part for lot, part in taken if lot.match_percent is not None and lot.match_percent <= rate)
        <= rate * earned
        for rate in rates
    )  # fmt: skip


def every_way(lots: list[FreeLot]) -> list[tuple[int, ...]]:
    return [parts for parts in product(*(range(lot.points + 1) for lot in lots)) if is_matched(lots, parts)]


def parts_of(lots: list[FreeLot], points: int) -> tuple[int, ...]:
    by_lot = {part.lot_id: part.points for part in allocate(lots, points)}
    return tuple(by_lot.get(lot.lot_id, 0) for lot in lots)


@given(small)
def test_the_most_that_can_be_paid_is_found(lots):
    assert payable(lots) == max(map(sum, every_way(lots)))


@given(small, st.data())
def test_what_expires_soonest_goes_first_as_far_as_gifts_are_matched(lots, data):
    most = payable(lots)
    if most:
        points = data.draw(st.integers(1, most))
        assert parts_of(lots, points) == max(parts for parts in every_way(lots) if sum(parts) == points)


@given(large, st.data())
def test_whatever_is_payable_is_paid_to_the_point(lots, data):
    most = payable(lots)
    if most:
        parts = parts_of(lots, points := data.draw(st.integers(1, most)))
        assert sum(parts) == points
        assert is_matched(lots, parts)
        assert all(0 <= part <= lot.points for lot, part in zip(lots, parts, strict=True))


def test_gifts_alone_pay_nothing():
    assert payable(lots_of([(100, ("gift", 100))])) == 0


def test_a_gift_goes_with_earned_points_that_expire_later():
    assert parts_of(lots_of([(100, ("gift", 50)), (100, ("earned", None))]), 60) == (20, 40)
