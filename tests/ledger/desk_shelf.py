"""How a desk's shop is opened, and all that the database says of it."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import msgspec

from pointsbank.kit import codes
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.people import actions_cards as cards
from pointsbank.redemption import actions as redemption
from pointsbank.stock import actions as stock
from tests.ledger.oracle_rows import MOST
from tests.ledger.oracle_shop import POINTS_OF_DAY, Card, Delivery, Good
from tests.ledger.oracle_years import Oracle

GOODS = (("食用盐", 2, 4), ("大米", 5, None), ("食用油", 9, 2))
"""Name, points and how many a month."""
DELIVERED = ((0, 4, 1), (0, 5, 30), (1, 4, 40), (2, 4, None))
"""A good, pieces, and for how many days it keeps (None: for ever)."""
COUNTERS = ("1 号台", "2 号台")
NO_GOOD = MOST
"""An id that no good has."""

SAYS = """
UNION ALL SELECT 'good', id, stock, points, monthly_max, NULL, NULL, NULL, NULL, NULL
  FROM stock_good WHERE community_id = ?
UNION ALL SELECT 'delivery', lot.id, lot.good_id, lot.quantity, lot.remaining, CAST(SUM(move.quantity) AS BIGINT), NULL,
       NULL, CAST(lot.best_before AS TEXT), NULL
  FROM stock_good good JOIN stock_move move ON move.good_id = good.id JOIN stock_lot lot ON lot.id = move.lot_id
 WHERE good.community_id = ? GROUP BY lot.id
UNION ALL SELECT 'bought', id, account_id, entry_id, points, balance_after, person_id, staff_id, CAST(day AS TEXT),
       state
  FROM redemption_order WHERE community_id = ?
UNION ALL SELECT 'used', used.account_id, used.good_id, used.used, NULL, NULL, NULL, NULL,
       CAST(used.period_start AS TEXT), NULL
  FROM ledger_account account JOIN redemption_limit_use used ON used.account_id = account.id
 WHERE used.used <> 0 AND account.community_id = ?
UNION ALL SELECT 'carried', carried.order_id, carried.account_id, carried.merge_id, NULL, NULL, NULL, NULL, NULL, NULL
  FROM redemption_order bought JOIN redemption_carried carried ON carried.order_id = bought.id
 WHERE bought.community_id = ?
UNION ALL SELECT 'card', card.id, card.person_id, NULL, NULL, NULL, NULL, NULL, NULL, card.state
  FROM people_card card JOIN people_person person ON person.id = card.person_id WHERE person.community_id = ?
"""
Said = dict[str, list[tuple[Any, ...]]]


class Shelf(msgspec.Struct):
    """What a shop has, by place, and what members show there: counters and goods stay as they are."""

    outlet_id: int
    counters: list[int]
    goods: list[int]
    barcodes: list[str]
    codes: list[str] = []  # of cards
    orders: list[int] = []

    def note_card(self, card: cards.Issued) -> None:
        self.codes.append(cards.card_code_of(card.card_id, card.generation))


async def open_shop(tx: Tx, *, community_id: int, person_ids: list[int]) -> Shelf:
    outlet_id = await redemption.make_outlet(tx, community_id=community_id, name="测试超市", hours="每天")
    counters = [await redemption.make_counter(tx, outlet_id=outlet_id, name=name) for name in COUNTERS]
    made = Shelf(outlet_id, counters, [], [codes.own_barcode(place) for place in range(len(GOODS))])
    for (name, points, monthly_max), barcode in zip(GOODS, made.barcodes, strict=True):
        made.goods.append(
            await stock.make_good(
                tx, community_id=community_id, outlet_id=outlet_id, name=name, unit="袋", points=points,
                barcode=barcode, monthly_max=monthly_max,
            )
        )  # fmt: skip
    for good, pieces, days in DELIVERED:
        await stock.receive(
            tx, good_id=made.goods[good], quantity=pieces, source="purchased",
            best_before=keeps_until(local_day(tx.now), days),
        )  # fmt: skip
    for person_id in person_ids:
        made.note_card(await cards.issue_card(tx, person_id=person_id))
    return made


def fill(oracle: Oracle, shelf: Shelf) -> Oracle:
    """Let the oracle know what lies there, and who has a card."""
    oracle.outlet = shelf.outlet_id
    oracle.cards = [Card(person) for person in range(len(shelf.codes))]
    oracle.goods = [Good(points, monthly_max) for _, points, monthly_max in GOODS]
    oracle.deliveries = [
        Delivery(good, pieces, pieces, keeps_until(oracle.today, days)) for good, pieces, days in DELIVERED
    ]
    return oracle


def keeps_until(day: date, days: int | None) -> date:
    return date.max if days is None else day + timedelta(days=days)


def day_of(text: str) -> date:
    """PostgreSQL keeps the last day of all as one that never comes."""
    return date.max if text == "infinity" else date.fromisoformat(text)


def place_of(numbers: list[int], number: int | None) -> int | None:
    return None if number is None else numbers.index(number)


def same_shop(said: Said, place: Any, oracle: Oracle, ids: list[int]) -> None:
    """Shelf, orders, what they used up, and cards; `ids` are the ledger's of the oracle's entries."""
    _same_shelf(said, place.shelf, oracle)
    _same_orders(said["bought"], place, oracle, ids)
    goods = {good_id: at for at, good_id in enumerate(place.shelf.goods)} | {0: POINTS_OF_DAY}
    assert {
        (place.accounts.index(account_id), goods[good_id], day_of(period)): used
        for account_id, good_id, used, *_, period, _ in said["used"]
    } == {limit: used for limit, used in oracle.uses().items() if used}
    assert {
        (place.shelf.orders.index(order), place.accounts.index(account_id)): place_of(place.aliases, merge_id)
        for order, account_id, merge_id, *_ in said["carried"]
    } == {(one.order, one.book): one.merge for one in oracle.carried}
    assert [(place.persons.index(person), state) for _, person, *_, state in said["card"]] == [
        (card.person, card.state) for card in oracle.cards
    ]


def _same_shelf(said: Said, shelf: Shelf, oracle: Oracle) -> None:
    """What a good has is what its deliveries have, and that is what came and went."""
    stock: Counter[int] = Counter()
    for one in oracle.deliveries:
        stock[one.good] += one.left
    assert [good[1:4] for good in said["good"]] == [
        (stock[at], good.points, good.monthly_max) for at, good in enumerate(oracle.goods)
    ]
    assert [
        (shelf.goods.index(good), pieces, left, moved, day_of(best_before))
        for _, good, pieces, left, moved, _, _, best_before, _ in said["delivery"]
    ] == [(one.good, one.pieces, one.left, one.left, one.best_before) for one in oracle.deliveries]


def _same_orders(bought: list[tuple[Any, ...]], place: Any, oracle: Oracle, ids: list[int]) -> None:
    place.shelf.orders = [order[0] for order in bought]
    assert [
        (place.accounts.index(account_id), entry_id, points, balance, place.persons.index(person), clerk, day_of(day),
         state == "undone")
        for _, account_id, entry_id, points, balance, person, clerk, day, state in bought
    ] == [
        (one.book, ids[one.entry], one.points, one.balance, one.person, place.clerk_id(one.clerk), one.day,
         one.is_undone)
        for one in oracle.bought
    ]  # fmt: skip
