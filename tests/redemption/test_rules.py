from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsbank.ledger.rules_kinds import PLAIN
from pointsbank.redemption import rules
from pointsbank.redemption.rules import (
    AlreadyUndone,
    BasketLine,
    BasketUnfit,
    Line,
    NotTheLastOrder,
    NotYourOrder,
    ShelfItem,
    TooLateToUndo,
    UnknownGood,
)
from tests.conftest import IN_POINTS

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def item(good_id: int, points: int, name: str = "食用盐") -> ShelfItem:
    return ShelfItem(good_id, name, "袋", f"2{good_id:012}", points, None)


RICE, OIL, TISSUE = item(1, 60, "东北大米"), item(2, 85, "食用油"), item(3, 15, "抽纸")


def test_the_cheapest_sufficient_removal_is_named():
    basket = [BasketLine(RICE, 5), BasketLine(OIL, 1), BasketLine(TISSUE, 1)]
    refused = rules.short(basket, 386, PLAIN)
    assert refused.facts == {"missing": 14, "names": "抽纸", "points": 15, "drop": "3:1", **IN_POINTS}


def test_pieces_of_one_good_are_counted():
    refused = rules.short([BasketLine(RICE, 5), BasketLine(TISSUE, 1)], 200, PLAIN)
    assert refused.facts == {"missing": 115, "names": "东北大米 ×2", "points": 120, "drop": "1:2", **IN_POINTS}


def test_several_goods_are_named_where_one_is_not_enough():
    refused = rules.short([BasketLine(RICE, 1), BasketLine(TISSUE, 1)], 5, PLAIN)
    assert refused.facts == {"missing": 70, "names": "东北大米、抽纸", "points": 75, "drop": "1:1,3:1", **IN_POINTS}


def test_of_equally_cheap_goods_the_last_one_goes():
    salt, soap = item(1, 5, "食用盐"), item(2, 5, "洗衣皂")
    assert rules.short([BasketLine(salt, 1), BasketLine(soap, 1)], 6, PLAIN).facts["names"] == "洗衣皂"


baskets = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 99)), min_size=1, max_size=rules.BASKET_LINES_MAX).map(
    lambda lines: [BasketLine(item(place, points), quantity) for place, (points, quantity) in enumerate(lines, 1)]
)


@given(baskets, st.integers(0, 100_000))
def test_what_is_left_after_the_removal_can_be_paid(basket, available):
    total = rules.price(basket)
    if total <= available:
        return
    parts = rules.removal(basket, total - available)
    held = {line.item.good_id: line.quantity for line in basket}
    assert sum(part.points for part in parts) >= total - available
    assert all(0 < part.quantity <= held[part.good_id] for part in parts)
    assert len({part.good_id for part in parts}) == len(parts)


def test_two_lines_of_one_good_are_one_by_id_or_barcode():
    lines = [Line(2, good=3), Line(1, barcode=TISSUE.barcode), Line(1, good=1)]
    basket = rules.merge(lines, [RICE, TISSUE])
    assert [(line.item.good_id, line.quantity) for line in basket] == [(3, 3), (1, 1)]


def test_a_good_that_is_not_carried_here_is_named():
    with pytest.raises(UnknownGood) as refused:
        rules.merge([Line(1, barcode="6900000000014")], [RICE])
    assert refused.value.facts == {"what": "6900000000014"}


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [Line(1, good=1)] * 21,
        [Line(0, good=1)],
        [Line(-1, good=1)],
        [Line(100, good=1)],
        [Line(1)],
        [Line(1, good=1, barcode="6900000000014")],
    ],
)
def test_no_basket_is_like_that(lines):
    with pytest.raises(BasketUnfit):
        rules.check(lines)


def test_merging_does_not_get_around_the_largest_quantity():
    with pytest.raises(BasketUnfit):
        rules.merge([Line(60, good=1), Line(60, good=1)], [RICE])


def test_the_passbook_line_says_what_was_taken():
    assert rules.summary([BasketLine(TISSUE, 1)]) == "兑换 抽纸"
    assert rules.summary([BasketLine(TISSUE, 3)]) == "兑换 抽纸 3 件"
    assert rules.summary([BasketLine(TISSUE, 1), BasketLine(RICE, 2)]) == "兑换 抽纸 等 3 件"


def test_an_order_is_undone_only_by_its_maker_once_as_the_last_and_in_time():
    fine = {"staff_id": 1, "by": 1, "state": "done", "is_last": True, "made_at": NOW, "now": NOW}
    rules.check_undo(**fine)
    rules.check_undo(**{**fine, "now": NOW + rules.UNDO_WINDOW - timedelta(microseconds=1)})
    for wrong, refusal in (
        ({"by": 2}, NotYourOrder),
        ({"by": None}, NotYourOrder),
        ({"state": "undone"}, AlreadyUndone),
        ({"is_last": False}, NotTheLastOrder),
        ({"now": NOW + rules.UNDO_WINDOW}, TooLateToUndo),
    ):
        with pytest.raises(refusal):
            rules.check_undo(**{**fine, **wrong})
