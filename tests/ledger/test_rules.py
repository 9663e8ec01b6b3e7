"""Taking from lots."""

from hypothesis import given
from hypothesis import strategies as st

from pointsbank.ledger.rules import take_from

lots = st.lists(st.integers(1, 500), max_size=40).map(lambda parts: list(enumerate(parts)))


@given(lots, st.integers(1, 5_000))
def test_what_is_taken_is_what_was_asked_or_all_there_is(have, points):
    taken = take_from(have, points)

    assert sum(part.points for part in taken) == min(points, sum(left for _, left in have))


@given(lots, st.integers(1, 5_000))
def test_a_lot_is_touched_only_when_those_before_it_are_empty(have, points):
    taken = take_from(have, points)

    assert [part.lot_id for part in taken] == [lot_id for lot_id, _ in have[: len(taken)]]
    assert all(part.points == left for part, (_, left) in zip(taken[:-1], have, strict=False))
