"""Book vouchers: one entry of one move, between passbooks or between a passbook and the system's accounts.

Rows are taken in one order: the passbooks' accounts by ascending id, their lots, the system's account.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date

import msgspec

from pointsbank.approvals import queries as approvals
from pointsbank.approvals.rules import NotGiven
from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_gifts, actions_periods, actions_reversal, rules
from pointsbank.ledger import queries_flows as queries
from pointsbank.ledger.actions import (
    ADD,
    ENTRY,
    MOVE,
    PUT,
    TAKE,
    TAKE_ISSUED,
    system_account,
)
from pointsbank.ledger.actions_lots import put_into_lot, take_from_lots
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.queries_flows import Book
from pointsbank.ledger.rules import BookClosed, Bucket, NotEnoughPoints, PointsHeld, check_last_day, in_unit
from pointsbank.ledger.rules_flows import (
    APPROVAL_KIND,
    BOOKED,
    FOLLOWED,
    FOLLOWS,
    MERGE_APPROVAL,
    SAME_PERSON,
    SUMMARIES,
    TAKES_BACK,
    BookFull,
    BookMerged,
    BookNotEmpty,
    EstateChanged,
    NotDonatable,
    NotTransferable,
    NotWhileBarred,
    OnlyEarned,
    OtherKind,
    PotShort,
    Voucher,
    VoucherMoved,
    What,
    subject,
)
from pointsbank.trail import actions as trail

TAKE_SOME = """
UPDATE ledger_account SET balance = balance - ?
 WHERE id = ? AND balance - held >= ? AND closed_at IS NULL RETURNING balance
"""
HOLD_ACCOUNT = "UPDATE ledger_account SET balance = balance WHERE id = ?"
# All of it, or of more than one entry may move as much as one may.
TAKE_ALL = f"""
UPDATE ledger_account SET balance = balance - ?
 WHERE id = ? AND (balance = ? OR (balance > ? AND ? = {rules.POINTS_MAX})) AND held = 0 AND closed_at IS NULL
RETURNING balance
"""
POT_BALANCE = "SELECT balance FROM ledger_account WHERE id = ?"
LOTS = """
SELECT id, remaining - held AS free, kind, expires_on, match_percent FROM ledger_lot
 WHERE account_id = ? AND expires_on >= ? AND remaining > 0 AND remaining > held ORDER BY expires_on, kind, id
"""
BOOKED_BY = "UPDATE ledger_voucher SET state = 'booked', entry_id = ? WHERE id = ? AND state = 'asked'"
CLOSE = """
UPDATE ledger_account SET closed_at = ?
 WHERE passbook_id = ? AND balance = 0 AND held = 0 AND closed_at IS NULL RETURNING id
"""
OPEN_AGAIN = """
UPDATE ledger_account SET closed_at = NULL
 WHERE closed_at IS NOT NULL AND passbook_id IN (SELECT id FROM ledger_passbook WHERE person_id = ?)
RETURNING id, passbook_id
"""
GIVEN = frozenset({What.TRANSFER, What.DONATION})


async def book(tx: Tx, *, voucher: Voucher) -> Voucher:
    """Book a voucher. What needs a second person is refused (NotGiven) unless one agreed to exactly this voucher."""
    await _check_agreed(tx, voucher)
    source = None if voucher.from_id is None else await queries.book(tx, voucher.from_id)
    target = None if voucher.to_id is None else await queries.book(tx, voucher.to_id)
    for one in (source, target):
        if one is not None:
            check_open(one, voucher.what)
    check_last_day(voucher.expires_on, local_day(tx.now))
    if voucher.what in TAKES_BACK:
        assert voucher.reverses_id is not None
        take = actions_reversal.reverse if voucher.what is What.REVERSAL else actions_reversal.clawback
        entry_id = (await take(tx, entry_id=voucher.reverses_id, reason=voucher.reason)).entry_id
    elif voucher.what is What.GIFT:
        entry_id = await _give_gift(tx, voucher)
    else:
        check_allowed(voucher, source, target, local_day(tx.now))
        entry_id = await _post(tx, voucher, source, target)
    if await tx.run(BOOKED_BY, entry_id, voucher.id) != 1:
        raise VoucherMoved
    await change(tx, what="voucher", row_id=voucher.id)
    await trail.record(tx, "voucher.booked", subject=("voucher", voucher.id), entry=entry_id)
    return msgspec.structs.replace(voucher, state=BOOKED, entry_id=entry_id)


async def _give_gift(tx: Tx, voucher: Voucher) -> int:
    assert voucher.to_id is not None
    assert voucher.match_percent is not None
    assert voucher.expires_on is not None
    posted = await actions_gifts.give_gift(
        tx,
        community_id=voucher.community_id,
        passbook_id=voucher.to_id,
        points=voucher.points,
        match_percent=voucher.match_percent,
        expires_on=voucher.expires_on,
        posting_key=f"voucher:{voucher.id}",
        member_id=voucher.member_id,
        source=("ledger", "voucher", voucher.id),
        summary=SUMMARIES[What.GIFT],
    )
    return posted.entry_id


def check_open(of: Book, what: What) -> None:
    """Refuses a passbook that is closed, or into which nobody looks any more."""
    if of.is_closed:
        raise BookClosed
    if of.is_merged and what is not What.JOINING:
        raise BookMerged


async def _check_agreed(tx: Tx, voucher: Voucher) -> None:
    if voucher.reason == SAME_PERSON:
        if voucher.approval_id is None:
            raise NotGiven
        await approvals.require_used_now(tx, approval_id=voucher.approval_id, kind=MERGE_APPROVAL)
        return
    if not await queries.needs_second(tx, voucher):
        return
    if voucher.approval_id is None:
        raise NotGiven
    await approvals.require_used(
        tx, approval_id=voucher.approval_id, kind=APPROVAL_KIND, subject=subject(voucher.id)
    )  # fmt: skip


def check_allowed(voucher: Voucher, source: Book | None, target: Book | None, today: date) -> None:
    if source is not None and target is not None and source.kind_id != target.kind_id:
        raise OtherKind
    if source is not None and voucher.what is What.TRANSFER and not source.transferable:
        raise NotTransferable
    barred = None if source is None else source.barred_until
    if voucher.what is What.TRANSFER and barred is not None and barred >= today:
        raise NotWhileBarred(day=barred.isoformat())
    if source is not None and voucher.what is What.DONATION and not source.donatable:
        raise NotDonatable


async def _post(tx: Tx, voucher: Voucher, source: Book | None, target: Book | None) -> int:
    after: dict[int, int] = {}
    for one in sorted((one for one in (source, target) if one is not None), key=lambda one: one.account_id):
        after[one.account_id] = await (_take(tx, voucher, one) if one is source else _put(tx, voucher, one))
    done_at = tx.now
    if voucher.past_day is not None:  # its month may have been closed since somebody asked
        await actions_periods.require_open(tx, community_id=voucher.community_id, day=voucher.past_day)
        done_at = start_of_day(voucher.past_day)
    made = await tx.row(
        ENTRY, f"voucher:{voucher.id}", voucher.community_id, voucher.what.value, done_at, tx.now, tx.actor.person_id,
        voucher.member_id, "ledger", "voucher", voucher.id, _summary(voucher), voucher.reason, None, None,
    )  # fmt: skip
    assert made is not None
    entry_id = int(made["id"])
    if source is not None:
        buckets = await _take_lots(tx, entry_id, voucher, source, left=after[source.account_id])
    else:
        assert voucher.expires_on is not None
        buckets = Counter({Bucket(rules.EARNED, voucher.expires_on): voucher.points})
    if target is not None:
        for bucket, points in sorted(buckets.items()):
            await put_into_lot(tx, entry_id=entry_id, account_id=target.account_id, bucket=bucket, points=points)
    system_id = 0
    if source is None or target is None:
        holder = source or target
        assert holder is not None
        system = rules.ISSUED if voucher.what is What.ADJUSTMENT else rules.pot_of(holder.kind_code)
        system_id = await system_account(tx, community_id=voucher.community_id, system=system)
    from_id = system_id if source is None else source.account_id
    to_id = system_id if target is None else target.account_id
    await tx.run(MOVE, entry_id, from_id, to_id, voucher.points, after.get(from_id), after.get(to_id))
    if target is None:
        await tx.run(ADD, voucher.points, system_id)
    elif source is None:
        assert target is not None
        await _take_from_system(tx, voucher, system_id, target)
    return entry_id


def _summary(voucher: Voucher) -> str:
    return FOLLOWED[voucher.reason] if voucher.what in FOLLOWS else SUMMARIES[voucher.what]


async def _take_from_system(tx: Tx, voucher: Voucher, system_id: int, target: Book) -> None:
    points = voucher.points
    if voucher.what is What.ADJUSTMENT:
        await tx.run(TAKE_ISSUED, points, system_id)
    elif await tx.row(TAKE, points, system_id, points) is None:
        pot = await tx.row(POT_BALANCE, system_id)
        assert pot is not None
        raise PotShort(missing=points - pot["balance"], **in_unit(target))


async def _take(tx: Tx, voucher: Voucher, source: Book) -> int:
    """Take the points off the account; what the holder gives must leave what has to stay in this kind of passbook."""
    if voucher.what is What.ESTATE:
        return await _take_all(tx, voucher, source)
    wanted = voucher.points
    if voucher.what in GIVEN:
        wanted += await queries.kept_back(tx, source, local_day(tx.now))
    account = await tx.row(TAKE_SOME, voucher.points, source.account_id, wanted)
    if account is None:
        now = await queries.book(tx, source.passbook_id)
        if now.is_closed:
            raise BookClosed
        raise NotEnoughPoints(missing=wanted - now.balance + now.held, **in_unit(now))
    return int(account["balance"])


async def _take_all(tx: Tx, voucher: Voucher, source: Book) -> int:
    points = voucher.points
    account = await tx.row(TAKE_ALL, points, source.account_id, points, points, points)
    if account is None:
        await check_nothing_held(tx, passbook_id=source.passbook_id)
        now = await queries.book(tx, source.passbook_id)
        raise BookClosed if now.is_closed else EstateChanged(balance=now.balance, **in_unit(now))
    return int(account["balance"])


async def _put(tx: Tx, voucher: Voucher, target: Book) -> int:
    account = await tx.row(PUT, voucher.points, target.account_id)
    if account is None:
        raise BookClosed
    is_bounded = target.balance_max is not None and voucher.what not in FOLLOWS
    if is_bounded and account["balance"] > target.balance_max:
        raise BookFull(most=target.balance_max, **in_unit(target))
    return int(account["balance"])


async def _take_lots(tx: Tx, entry_id: int, voucher: Voucher, source: Book, *, left: int) -> Counter[Bucket]:
    """Take lots, soonest to expire first, and say of what sort they were: their last days go along.

    A holder gives away what was earned; an adjustment takes whatever there is. Where all of it follows somebody, what
    has expired goes along and lapses there; of an estate that needs several entries each takes all sorts.
    """
    is_all = voucher.what is What.ESTATE or (voucher.what in FOLLOWS and left == 0)
    found = await tx.rows(LOTS, source.account_id, date.min if is_all else local_day(tx.now))
    lots = {lot["id"]: lot for lot in found if lot["kind"] == rules.EARNED or voucher.what not in GIVEN}
    taken = rules.take_from([(lot_id, lot["free"]) for lot_id, lot in lots.items()], voucher.points)
    found_points = sum(part.points for part in taken)
    if found_points < voucher.points:
        if voucher.what in GIVEN:
            raise OnlyEarned(points=found_points, **in_unit(source))
        raise NotEnoughPoints(missing=voucher.points - found_points, **in_unit(source))
    await take_from_lots(tx, entry_id=entry_id, account_id=source.account_id, parts=taken)
    buckets: Counter[Bucket] = Counter()
    for part in taken:
        lot = lots[part.lot_id]
        buckets[Bucket(lot["kind"], lot["expires_on"], lot["match_percent"])] += part.points
    return buckets


async def hold_books(tx: Tx, *, passbook_ids: Iterable[int]) -> None:
    """Take the accounts of these passbooks, in the one order, so that what is read of them still holds."""
    account_ids = [(await queries.book(tx, one)).account_id for one in set(passbook_ids)]
    for account_id in sorted(account_ids):
        await tx.run(HOLD_ACCOUNT, account_id)


async def check_nothing_held(tx: Tx, *, passbook_id: int) -> None:
    """Refuses PointsHeld, and says which holds are to be resolved first."""
    found = await queries.open_holds(tx, passbook_id)
    if found:
        held, which = sum(one.points for one in found), "、".join(str(one.hold_id) for one in found)
        raise PointsHeld(held=held, which=which, **in_unit(await queries.book(tx, passbook_id)))


async def close(tx: Tx, *, passbook_id: int) -> None:
    """Close an empty passbook for good: nothing can come into it or go out of it any more."""
    closed = await tx.row(CLOSE, tx.now, passbook_id)
    if closed is None:
        await check_nothing_held(tx, passbook_id=passbook_id)
        now = await queries.book(tx, passbook_id)
        raise BookClosed if now.is_closed else BookNotEmpty(points=now.balance, **in_unit(now))
    await change(tx, what="account", row_id=closed["id"])
    await trail.record(tx, "passbook.closed", subject=("passbook", passbook_id))


async def open_again(tx: Tx, *, person_id: int) -> None:
    """Open what was closed when this person came into a household: whoever belongs to none has passbooks of the own.

    A passbook is one of its kind and holder, so there can be no other in its place. Only governance calls it.
    """
    for account_id, passbook_id in await tx.rows(OPEN_AGAIN, person_id):
        await change(tx, what="account", row_id=account_id)
        await trail.record(tx, "passbook.opened_again", subject=("passbook", passbook_id))
