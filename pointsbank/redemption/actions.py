"""Open visits, take orders, undo them.

Rows are taken in one order: command key, code, limits, goods and stock lots, order, the holder's account and lots,
the outlet's account last.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.awards import queries_gate as gates
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx, reads
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_reversal as reversals
from pointsbank.ledger import queries as ledger_queries
from pointsbank.ledger import queries_flows as books
from pointsbank.ledger.actions_flows import check_open
from pointsbank.ledger.rules import in_unit
from pointsbank.ledger.rules_flows import What
from pointsbank.people import actions_cards as cards
from pointsbank.people import queries as people_queries
from pointsbank.redemption import actions_limits as limits
from pointsbank.redemption import rules
from pointsbank.redemption.rules import (
    AlreadyUndone,
    BasketLine,
    Line,
    NoSuchVisit,
    NothingEarned,
    OwnHousehold,
    PriceChanged,
    ShelfItem,
    UndoReason,
    VisitOrCode,
    VisitOver,
)
from pointsbank.stock import actions as stock
from pointsbank.stock import queries as stock_queries
from pointsbank.stock.rules import Wanted
from pointsbank.trail import actions as trail


class VisitOpened(msgspec.Struct, frozen=True):
    visit_id: int
    person_id: int
    code_kind: str
    available_points: int
    left_today: int
    expires_at: datetime


class MadeLine(msgspec.Struct, frozen=True):
    good_id: int
    name: str
    quantity: int
    points: int


class OrderMade(msgspec.Struct, frozen=True):
    order_id: int
    points: int
    balance_before: int
    balance_after: int
    lines: list[MadeLine]


class Undone(msgspec.Struct, frozen=True):
    order_id: int
    points: int
    balance: int


class _Counter(msgspec.Struct, frozen=True):
    counter_id: int
    outlet_id: int
    community_id: int
    daily_points_max: int


class _Visit(msgspec.Struct, frozen=True):
    visit_id: int
    person_id: int
    account_id: int
    available: int
    code_kind: str


NEW_OUTLET = "INSERT INTO redemption_outlet (community_id, name, hours, made_at) VALUES (?, ?, ?, ?) RETURNING id"
NEW_COUNTER = """
INSERT INTO redemption_counter (outlet_id, community_id, name, made_at) VALUES (?, ?, ?, ?) RETURNING id
"""
OUTLET = "SELECT community_id FROM redemption_outlet WHERE id = ?"
COUNTER = """
SELECT counter.id, counter.outlet_id, counter.community_id, community.daily_points_max
  FROM redemption_counter counter JOIN people_community community ON community.id = counter.community_id
 WHERE counter.id = ?
"""
NEW_VISIT = """
INSERT INTO redemption_visit (counter_id, staff_id, person_id, account_id, code_kind, card_id, opened_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
# A passbook of a household is for those who live there at this moment, whenever the visit was opened.
VISIT = """
SELECT visit.counter_id, visit.staff_id, visit.person_id, visit.account_id, visit.code_kind, visit.card_id,
       visit.expires_at, COALESCE(book.household_id = member.household_id, book.household_id IS NULL) AS is_theirs
  FROM redemption_visit visit JOIN ledger_account account ON account.id = visit.account_id
  JOIN ledger_passbook book ON book.id = account.passbook_id JOIN people_person person ON person.id = visit.person_id
  JOIN people_person member ON member.id = COALESCE(person.merged_into, person.id) WHERE visit.id = ?
"""
CHOOSE_MEMBER = "UPDATE redemption_visit SET person_id = ? WHERE id = ?"
NEW_ORDER = """
INSERT INTO redemption_order (counter_id, outlet_id, community_id, visit_id, staff_id, person_id, account_id,
                              points, day, state, made_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'done', ?) RETURNING id
"""
NEW_LINE = "INSERT INTO redemption_order_line (order_id, good_id, quantity, points) VALUES (?, ?, ?, ?)"
ANOTHER_LINE = ", (?, ?, ?, ?)"
PAID = "UPDATE redemption_order SET entry_id = ?, balance_after = ? WHERE id = ?"
ORDER = """
SELECT community_id, counter_id, staff_id, account_id, entry_id, points, day, state, made_at,
       id = (SELECT MAX(last.id) FROM redemption_order last WHERE last.counter_id = redemption_order.counter_id)
         AS is_last
  FROM redemption_order WHERE id = ?
"""
UNDO = """
UPDATE redemption_order SET state = 'undone', undone_at = ?, undo_reason = ? WHERE id = ? AND state = 'done'
"""


async def make_outlet(tx: Tx, *, community_id: int, name: str, hours: str) -> int:
    made = await tx.row(NEW_OUTLET, community_id, name, hours, tx.now)
    assert made is not None
    await trail.record(tx, "outlet.made", subject=("outlet", made["id"]), name=name)
    return int(made["id"])


async def make_counter(tx: Tx, *, outlet_id: int, name: str) -> int:
    outlet = await tx.row(OUTLET, outlet_id)
    if outlet is None:
        raise NotFound
    made = await tx.row(NEW_COUNTER, outlet_id, outlet["community_id"], name, tx.now)
    assert made is not None
    await trail.record(tx, "counter.made", subject=("counter", made["id"]), name=name, outlet=outlet_id)
    return int(made["id"])


@reads(code=cards.read_code)
async def open_visit(tx: Tx, *, counter_id: int, code: cards.ReadCode, community_ids: Sequence[int]) -> VisitOpened:
    """Consume a member's code: for ten minutes this staff person may serve this member at this counter."""
    counter = await _counter(tx, counter_id, community_ids)
    visit = await _admit(tx, counter, code)
    most, today = counter.daily_points_max, local_day(tx.now)
    left = await limits.left_today(tx, account_id=visit.account_id, daily_max=most, day=today)
    ends_at = tx.now + rules.VISIT_LIFE
    return VisitOpened(visit.visit_id, visit.person_id, visit.code_kind, visit.available, left, ends_at)


async def choose_member(tx: Tx, *, counter_id: int, visit: int, person_id: int, community_ids: Sequence[int]) -> None:
    """Say who of the household stands there with its card; the entry will name this member."""
    counter = await _counter(tx, counter_id, community_ids)
    member = await _visit(tx, counter, visit)
    home = (await people_queries.holder_of(tx, member.person_id)).household_id
    if member.code_kind != "household" or home is None:
        raise NoSuchVisit
    if person_id not in await people_queries.household_members(tx, home):
        raise NoSuchVisit
    await tx.run(CHOOSE_MEMBER, person_id, visit)


@reads(code=cards.read_code)
async def order(
    tx: Tx,
    *,
    counter_id: int,
    lines: Sequence[Line],
    community_ids: Sequence[int],
    visit: int | None = None,
    code: cards.ReadCode | None = None,
    seen_points: int | None = None,
) -> OrderMade:
    """Give goods for points. A code opens the visit in the same transaction; a visit serves until it ends.

    With `seen_points`, what the clerk was shown it would cost, another price is refused instead of charged.
    """
    rules.check(lines)
    if (visit is None) == (code is None):
        raise VisitOrCode
    counter = await _counter(tx, counter_id, community_ids)
    member = await _admit(tx, counter, code) if code is not None else await _visit(tx, counter, visit or 0)
    basket = await _basket(tx, counter.outlet_id, lines)
    points = rules.price(basket)
    if seen_points is not None and seen_points != points:
        raise PriceChanged(points=points, **in_unit(await ledger_queries.paying(tx, member.account_id)))
    if points > member.available:
        raise rules.short(basket, member.available, await ledger_queries.paying(tx, member.account_id))

    day = local_day(tx.now)
    await limits.use(
        tx, account_id=member.account_id, basket=basket, points=points, daily_max=counter.daily_points_max, day=day
    )
    # The new order is nobody else's row: it is made before the goods are taken, so that they can name it.
    made = await tx.row(
        NEW_ORDER, counter_id, counter.outlet_id, counter.community_id, member.visit_id, tx.actor.person_id,
        member.person_id, member.account_id, points, day, tx.now,
    )  # fmt: skip
    assert made is not None
    order_id: int = made["id"]
    wanted = [Wanted(line.item.good_id, line.quantity) for line in basket]
    await stock.take(tx, outlet_id=counter.outlet_id, wanted=wanted, order_id=order_id)
    values = [value for line in basket for value in (order_id, line.item.good_id, line.quantity, line.points)]
    await tx.run(NEW_LINE + ANOTHER_LINE * (len(basket) - 1), *values)
    posted = await ledger.spend(
        tx,
        community_id=counter.community_id,
        account_id=member.account_id,
        points=points,
        outlet_id=counter.outlet_id,
        posting_key=f"order:{order_id}",
        member_id=member.person_id,
        source=("redemption", "order", order_id),
        summary=rules.summary(basket),
    )
    await tx.run(PAID, posted.entry_id, posted.balance, order_id)
    await trail.record(tx, "order.made", subject=("order", order_id), points=points)
    made_lines = [MadeLine(line.item.good_id, line.item.name, line.quantity, line.points) for line in basket]
    return OrderMade(order_id, points, posted.balance + points, posted.balance, made_lines)


async def _counter(tx: Tx, counter_id: int, community_ids: Sequence[int]) -> _Counter:
    found = await tx.row(COUNTER, counter_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return _Counter(*found)


async def _admit(tx: Tx, counter: _Counter, code: cards.ReadCode) -> _Visit:
    """Consume a code and open the visit it stands for."""
    scanned = await cards.take_code(tx, code=code, purpose="visit", community_id=counter.community_id)
    assert tx.actor.person_id is not None, "somebody stands behind the counter"
    if await people_queries.same_household(tx, tx.actor.person_id, scanned.person_id):
        raise OwnHousehold
    account = await ledger_queries.spending_account(
        tx, person_id=scanned.person_id, household_id=scanned.household_id, holder=scanned.holder
    )
    if account is None:
        raise NothingEarned
    if (shut := await gates.why_shut(tx, account)) is not None:
        raise shut
    opened = await tx.row(
        NEW_VISIT, counter.counter_id, tx.actor.person_id, scanned.person_id, account.account_id, scanned.code_kind,
        scanned.card_id, tx.now, tx.now + rules.VISIT_LIFE,
    )  # fmt: skip
    assert opened is not None
    return _Visit(opened["id"], scanned.person_id, account.account_id, account.points, scanned.code_kind)


async def _visit(tx: Tx, counter: _Counter, visit_id: int) -> _Visit:
    """A visit that is still good here and now; a card reported lost meanwhile ends it."""
    found = await tx.row(VISIT, visit_id)
    if found is None or found["counter_id"] != counter.counter_id or found["staff_id"] != tx.actor.person_id:
        raise NoSuchVisit
    if found["expires_at"] <= tx.now or not found["is_theirs"]:
        raise VisitOver
    await cards.check_code_still_good(
        tx, person_id=found["person_id"], code_kind=found["code_kind"], card_id=found["card_id"]
    )
    account = await ledger_queries.account(tx, found["account_id"], today=local_day(tx.now))
    if (shut := await gates.why_shut(tx, account)) is not None:
        raise shut
    return _Visit(visit_id, found["person_id"], account.account_id, account.points, found["code_kind"])


async def _basket(tx: Tx, outlet_id: int, lines: Sequence[Line]) -> list[BasketLine]:
    good_ids = [line.good for line in lines if line.good is not None]
    barcodes = [line.barcode for line in lines if line.barcode is not None]
    shelf = await stock_queries.shelf(tx, outlet_id=outlet_id, good_ids=good_ids, barcodes=barcodes)
    return rules.merge(lines, [shelf_item(good) for good in shelf])


def shelf_item(good: stock_queries.Good) -> ShelfItem:
    return ShelfItem(good.good_id, good.name, good.unit, good.barcode, good.points, good.monthly_max)


async def undo(tx: Tx, *, order_id: int, reason: UndoReason, community_ids: Sequence[int]) -> Undone:
    """Take an order back: goods to their lots, points to theirs, and the limits as they were."""
    found = await tx.row(ORDER, order_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    rules.check_undo(
        staff_id=found["staff_id"],
        by=tx.actor.person_id,
        state=found["state"],
        is_last=bool(found["is_last"]),
        made_at=found["made_at"],
        now=tx.now,
    )
    await limits.hold(tx, account_id=found["account_id"], day=found["day"])
    if await tx.run(UNDO, tx.now, reason.value, order_id) != 1:
        raise AlreadyUndone

    await _check_looked_into(tx, found["account_id"])
    await limits.give_back(tx, order_id=order_id)
    await stock.put_back(tx, order_id=order_id)
    posted = await reversals.reverse(tx, entry_id=found["entry_id"], reason=reason.value)
    await trail.record(tx, "order.undone", subject=("order", order_id), reason=reason.value, points=found["points"])
    return Undone(order_id, found["points"], posted.balance)


async def _check_looked_into(tx: Tx, account_id: int) -> None:
    """Refuses BookClosed and BookMerged: what went back there would be in nobody's reach."""
    paid = await ledger_queries.paying(tx, account_id)
    check_open(await books.book(tx, paid.passbook_id), What.REVERSAL)
