"""What a passbook has used of a day's points and of each good's month; and that this follows whoever used it.

An order counts for the passbook that paid, and beside it for each one that its holders came to while its month ran.
Governance calls `follow` and `part`. Rows are taken in one order: of a passbook that is left the row of today, which
every order takes first; orders; the rows of the passbooks that they come to.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from pointsbank.kit.clock import local_day, month_start
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries as ledger_queries
from pointsbank.ledger import queries_flows as books
from pointsbank.ledger.queries_flows import Book
from pointsbank.ledger.rules import MAIN, in_unit
from pointsbank.redemption import rules
from pointsbank.redemption.rules import BasketLine, OverDailyLimit, OverMonthlyLimit
from pointsbank.trail import actions as trail

WHOLE_BASKET = 0
"""In the table of limits, where a good's id stands: the points of a day."""

Limit = tuple[int, int, date]
"""An account, a good, and the first day of the period."""

USE = """
INSERT INTO redemption_limit_use (account_id, good_id, period_start, used) VALUES (?, ?, ?, ?)
ON CONFLICT (account_id, good_id, period_start)
DO UPDATE SET used = redemption_limit_use.used + excluded.used WHERE redemption_limit_use.used + excluded.used <= ?
"""
USED = "SELECT used FROM redemption_limit_use WHERE account_id = ? AND good_id = ? AND period_start = ?"
GIVE_BACK = """
UPDATE redemption_limit_use SET used = used - ? WHERE account_id = ? AND good_id = ? AND period_start = ?
"""
# Taken whether it is there or not: an order that is just being made is waited for.
HOLD = """
INSERT INTO redemption_limit_use (account_id, good_id, period_start, used) VALUES (?, ?, ?, 0)
ON CONFLICT (account_id, good_id, period_start) DO UPDATE SET used = redemption_limit_use.used
"""
# Taken, so that none of them is undone meanwhile.
COUNTED = """
UPDATE redemption_order SET state = state
 WHERE community_id = ? AND day >= ? AND state = 'done'
   AND (account_id = ? OR id IN (SELECT order_id FROM redemption_carried WHERE account_id = ?))
RETURNING id
"""
# Of a record whose household's passbook was closed when it was merged: parted, it goes on with what it used there.
COUNTED_OF = """
UPDATE redemption_order SET state = state WHERE person_id = ? AND day >= ? AND state = 'done' RETURNING id, account_id
"""
# Nothing counts twice: neither with whoever paid for it, nor where it has come by another way.
CARRY = """
INSERT INTO redemption_carried (order_id, account_id, merge_id)
SELECT it.id, book.id, COALESCE(CAST(? AS BIGINT), came.merge_id)
  FROM ledger_account book, redemption_order it
  LEFT JOIN redemption_carried came ON came.order_id = it.id AND came.account_id = ?
 WHERE book.id = ? AND it.id = ? AND it.account_id <> book.id
ON CONFLICT (order_id, account_id) DO NOTHING
"""
USES = """
SELECT 0, day, points FROM redemption_order WHERE id = ?
UNION ALL SELECT line.good_id, it.day, line.quantity FROM redemption_order it
  JOIN redemption_order_line line ON line.order_id = it.id WHERE it.id = ?
"""
ACCOUNTS = """
SELECT account_id FROM redemption_order WHERE id = ? UNION SELECT account_id FROM redemption_carried WHERE order_id = ?
"""
BROUGHT = """
UPDATE redemption_order SET state = state
 WHERE state = 'done' AND id IN (SELECT order_id FROM redemption_carried WHERE merge_id = ?) RETURNING id
"""
PART = "DELETE FROM redemption_carried WHERE merge_id = ? RETURNING order_id, account_id"


async def use(tx: Tx, *, account_id: int, basket: Sequence[BasketLine], points: int, daily_max: int, day: date) -> None:
    """Count an order against the day's points and the month's pieces; goods without a limit are counted too.

    So a limit that is set within a month sees what was taken before.
    """
    if not await _use(tx, (account_id, WHOLE_BASKET, day), points, daily_max):
        left = await left_today(tx, account_id=account_id, daily_max=daily_max, day=day)
        raise OverDailyLimit(left=left, points=points, **in_unit(await ledger_queries.paying(tx, account_id)))
    month = month_start(day)
    for line in sorted(basket, key=lambda line: line.item.good_id):
        item, most = line.item, line.item.monthly_max or rules.UNLIMITED
        if not await _use(tx, (account_id, item.good_id, month), line.quantity, most):
            used = await _used(tx, (account_id, item.good_id, month))
            raise OverMonthlyLimit(good_id=item.good_id, name=item.name, unit=item.unit, most=most, used=used)


async def _use(tx: Tx, limit: Limit, amount: int, most: int) -> bool:
    # A first row has no conflict and so no guard: what is too much by itself is turned away here.
    return amount <= most and await tx.run(USE, *limit, amount, most) == 1


async def _used(tx: Tx, limit: Limit) -> int:
    found = await tx.row(USED, *limit)
    return int(found["used"]) if found is not None else 0


async def left_today(tx: Tx, *, account_id: int, daily_max: int, day: date) -> int:
    """Nothing, where two passbooks became one and had used more together than one may."""
    return max(daily_max - await _used(tx, (account_id, WHOLE_BASKET, day)), 0)


async def hold(tx: Tx, *, account_id: int, day: date) -> None:
    """Take the row that every order of this passbook takes first."""
    await tx.run(HOLD, account_id, WHOLE_BASKET, day)


async def give_back(tx: Tx, *, order_id: int) -> None:
    """An order that was undone, and is taken, counts nowhere any more.

    The periods are those of the order, not of the undo: midnight may lie between.
    """
    await _give_back(tx, [(order_id, account_id) for (account_id,) in await tx.rows(ACCOUNTS, order_id, order_id)])


async def follow(tx: Tx, *, left: Iterable[Book], person_id: int, merge_id: int | None = None) -> None:
    """What these passbooks, and this member, used in the running month counts for the one that the member has now.

    Called before any account is taken. That passbook is opened, if there is none, where something is to count.
    `merge_id` is the merge that brings it.
    """
    sources = sorted((book for book in left if book.kind_code == MAIN), key=lambda book: book.account_id)
    today = local_day(tx.now)
    month = month_start(today)
    for source in sources:
        await hold(tx, account_id=source.account_id, day=today)
    counted = [(order_id, account_id) for order_id, account_id in await tx.rows(COUNTED_OF, person_id, month)]
    for source in sources:
        at = source.account_id
        counted += [(order_id, at) for (order_id,) in await tx.rows(COUNTED, source.community_id, month, at, at)]
    if not counted:
        return
    home = await books.book(tx, await vouchers.open_book_of(tx, person_id=person_id))
    carried = [
        order_id
        for order_id, from_id in sorted(counted)
        if await tx.run(CARRY, merge_id, from_id, home.account_id, order_id)
    ]
    for limit, amount in sorted((await _uses(tx, [(one, home.account_id) for one in carried])).items()):
        await tx.run(USE, *limit, amount, rules.UNLIMITED)
    if carried:
        facts = {"orders": carried, "left": [source.passbook_id for source in sources]}
        await trail.record(tx, "limits.carried", subject=("passbook", home.passbook_id), **facts)


async def part(tx: Tx, *, merge_id: int) -> None:
    """What a merge brought goes with it: each of the two has used what was used with the own passbook."""
    standing = {order_id for (order_id,) in await tx.rows(BROUGHT, merge_id)}
    parted = [(order_id, account_id) for order_id, account_id in await tx.rows(PART, merge_id)]
    await _give_back(tx, [one for one in parted if one[0] in standing])
    if parted:
        await trail.record(tx, "limits.parted", subject=("merge", merge_id), counted=sorted(parted))


async def _give_back(tx: Tx, counted: Iterable[tuple[int, int]]) -> None:
    for limit, amount in sorted((await _uses(tx, counted)).items()):
        await tx.run(GIVE_BACK, amount, *limit)


async def _uses(tx: Tx, counted: Iterable[tuple[int, int]]) -> Counter[Limit]:
    """What these orders use up of the limits of these accounts."""
    uses: Counter[Limit] = Counter()
    for order_id, account_id in counted:
        for good_id, day, amount in await tx.rows(USES, order_id, order_id):
            uses[account_id, good_id, day if good_id == WHOLE_BASKET else month_start(day)] += amount
    return uses
