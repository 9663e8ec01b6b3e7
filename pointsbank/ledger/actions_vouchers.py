"""Vouchers: one person asks, where it matters another one agrees, and one entry is booked.

Grants and adjustments always need a second person, and so does what staff hand on to somebody of another home, or of
one that they filled themselves; reversals and estates above what the community lets one person do. Points that follow
whoever moves house go as that was decided.
"""

from collections.abc import Sequence
from datetime import date

from pointsbank.approvals import actions as approvals
from pointsbank.approvals.rules import facts_hash
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions_periods, rules
from pointsbank.ledger import queries_flows as queries
from pointsbank.ledger.actions_flows import book, check_allowed, check_open
from pointsbank.ledger.actions_kinds import open_book
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import UnknownAccount, WrongMatch
from pointsbank.ledger.rules_flows import (
    APPROVAL_KIND,
    CLAWED_HERE,
    GIFTS_MAX,
    REFUSED,
    REVERSED_HERE,
    TAKES_BACK,
    WITHDRAWN,
    AskedAlready,
    ClawbackNotNeeded,
    DayToCome,
    ElsewhereReversed,
    EstateAsked,
    NotHousemate,
    OwnVoucher,
    SameBook,
    Voucher,
    VoucherMoved,
    What,
    subject,
)
from pointsbank.people import queries as people
from pointsbank.people.rules import OWN_PHONE
from pointsbank.trail import actions as trail

MAKE = """
INSERT INTO ledger_voucher (community_id, what, from_id, to_id, reverses_id, points, expires_on, reason, note, how,
                            member_id, made_by, made_at, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'asked') ON CONFLICT DO NOTHING RETURNING id
"""
ASK = "UPDATE ledger_voucher SET approval_id = ? WHERE id = ?"
GIFT = "INSERT INTO ledger_gift (voucher_id, match_percent, batch_id) VALUES (?, ?, ?) RETURNING id"
PAST_DAY = "INSERT INTO ledger_past_day (voucher_id, day) VALUES (?, ?) RETURNING id"
STEP = "UPDATE ledger_voucher SET state = ? WHERE id = ? AND state = 'asked'"
ROOM = "ledger"


async def hand_over(
    tx: Tx,
    *,
    community_id: int,
    what: What,
    from_id: int,
    to_person: int | None,
    points: int,
    how: str,
    note: str = "",
) -> int:
    """Staff record what a holder asked for: a transfer or donation to a person, or (None) to the pot; the voucher.

    To somebody of another home it waits for a second person, and to or from whom one brought into this one lately.
    """
    assert what in (What.TRANSFER, What.DONATION)
    assert how != OWN_PHONE
    source = await queries.book(tx, from_id)
    rules.check_amount(points, source)
    voucher = await draw(
        tx, community_id=community_id, what=what, from_id=from_id,
        to_id=None if to_person is None else await open_book_of(tx, person_id=to_person, kind=source.kind_code),
        points=points, member_id=source.person_id, how=how, note=note,
    )  # fmt: skip
    if await queries.needs_second(tx, voucher):
        target = None if voucher.to_id is None else await queries.book(tx, voucher.to_id)
        check_allowed(voucher, source, target, local_day(tx.now))
        return await _asked(tx, voucher)
    await _not_own(tx, voucher)
    return (await book(tx, voucher=voucher)).id


async def give_own(tx: Tx, *, to_person: int | None, points: int, kind: str = rules.MAIN) -> int:
    """A resident gives own points to a housemate, or (None) to the community's pot; returns the entry."""
    assert tx.actor.person_id is not None
    holder = await people.holder_of(tx, tx.actor.person_id)
    own = await queries.book(tx, await open_book(tx, holder=holder, kind=kind))
    rules.check_amount(points, own)
    if to_person is not None and not await people.same_household(tx, holder.person_id, to_person):
        raise NotHousemate
    voucher = await draw(
        tx, community_id=holder.community_id, what=What.DONATION if to_person is None else What.TRANSFER,
        from_id=own.passbook_id,
        to_id=None if to_person is None else await open_book_of(tx, person_id=to_person, kind=kind),
        points=points, member_id=holder.person_id, how=OWN_PHONE,
    )  # fmt: skip
    booked = await book(tx, voucher=voucher)
    assert booked.entry_id is not None
    return booked.entry_id


async def grant_to(
    tx: Tx,
    *,
    community_id: int,
    person_id: int,
    points: int,
    expires_on: date,
    reason: str,
    note: str,
    kind: str = rules.MAIN,
) -> int:
    """Ask that the community's pot of a kind gives a member points; returns the voucher."""
    to_id = await open_book_of(tx, person_id=person_id, kind=kind)
    rules.check_amount(points, await queries.book(tx, to_id))
    voucher = await draw(
        tx, community_id=community_id, what=What.GRANT, to_id=to_id,
        points=points, expires_on=expires_on, reason=reason, note=note, member_id=person_id,
    )  # fmt: skip
    return await _asked(tx, voucher)


async def adjust(
    tx: Tx,
    *,
    community_id: int,
    passbook_id: int,
    points: int,
    is_up: bool,
    expires_on: date,
    reason: str,
    note: str,
    past_day: date | None = None,
) -> int:
    """Ask that a passbook is set right, up (with a last day) or down; returns the voucher.

    It counts as of the past day, if one is named, in whatever is told by when things were done.
    """
    found = await queries.book(tx, passbook_id)
    rules.check_amount(points, found)
    today = local_day(tx.now)
    if past_day is not None and past_day > today:
        raise DayToCome
    voucher = await draw(
        tx, community_id=community_id, what=What.ADJUSTMENT, points=points, reason=reason, note=note,
        member_id=found.person_id, from_id=None if is_up else passbook_id, to_id=passbook_id if is_up else None,
        expires_on=expires_on if is_up else None,
    )  # fmt: skip
    if past_day is not None and past_day < today:
        await actions_periods.require_open(tx, community_id=community_id, day=past_day)
        noted = await tx.row(PAST_DAY, voucher.id, past_day)
        assert noted is not None
        await change(tx, what="past_day", row_id=noted["id"])
    return await _asked(tx, await queries.voucher_in(tx, voucher.id))


async def ask_gifts(
    tx: Tx,
    *,
    community_id: int,
    person_ids: Sequence[int],
    points: int,
    match_percent: int,
    expires_on: date,
    note: str,
) -> int:
    """Ask that each of these members is given points, a passbook once; returns the batch, which is its first voucher.

    Of what is given, `match_percent` go with a hundred earned points of the same spending.
    """
    if not 1 <= match_percent <= rules.MATCH_PERCENT_MAX:
        raise WrongMatch(most=rules.MATCH_PERCENT_MAX)
    books: dict[int, int] = {}
    for person_id in person_ids:
        books.setdefault(await open_book_of(tx, person_id=person_id), person_id)
    assert 0 < len(books) <= GIFTS_MAX
    batch_id = 0
    for passbook_id, person_id in sorted(books.items()):
        voucher = await draw(
            tx, community_id=community_id, what=What.GIFT, to_id=passbook_id, points=points, member_id=person_id,
            expires_on=expires_on, note=note,
        )  # fmt: skip
        batch_id = batch_id or voucher.id
        gift = await tx.row(GIFT, voucher.id, match_percent, batch_id)
        assert gift is not None
        await change(tx, what="gift", row_id=gift["id"])
        await _asked(tx, await queries.voucher_in(tx, voucher.id))
    return batch_id


async def take_back(
    tx: Tx, *, community_id: int, entry_id: int, way: What, reason: str, note: str, room: str = ROOM
) -> int:
    """Reverse an entry or claw it back, or above what one person may do ask for it; returns the voucher.

    The room that an entry came from is the one that takes it back, since it has counted it: others are refused.
    """
    assert way in TAKES_BACK
    entry = await queries.entry(tx, entry_id)
    if entry.community_id != community_id:
        raise UnknownAccount
    if entry.kind not in REVERSED_HERE or entry.source_room != room:
        raise ElsewhereReversed
    if entry.is_reversed:
        raise rules.AlreadyReversed
    if way is What.CLAWBACK:
        await _check_short(tx, entry)
    voucher = await draw(
        tx, community_id=community_id, what=way, from_id=entry.to_id,
        to_id=entry.from_id if way is What.REVERSAL else None, points=entry.points, reverses_id=entry_id,
        reason=reason, note=note, member_id=entry.member_id,
    )  # fmt: skip
    if await queries.needs_second(tx, voucher):
        return await _asked(tx, voucher)
    await _not_own(tx, voucher)
    return (await book(tx, voucher=voucher)).id


async def _check_short(tx: Tx, entry: queries.EntryFacts) -> None:
    """A clawback stands in for a reversal that is not covered, and for no other."""
    if entry.kind not in CLAWED_HERE:
        raise rules.NotReversible
    there = (await queries.recoverable(tx, entry, local_day(tx.now))).points
    if not there:
        raise rules.NothingToTake
    if there == entry.points:
        raise ClawbackNotNeeded


async def draw_estate(
    tx: Tx, *, community_id: int, from_id: int, to_id: int | None, points: int, reason: str, note: str, member_id: int
) -> Voucher:
    """Write down that all of a passbook goes to an heir's, or (None) to the pot. Only governance calls it.

    Small ones to the pot or a housemate are for the caller to book at once; the others now wait for a second person,
    and have an approval.
    """
    voucher = await draw(
        tx, community_id=community_id, what=What.ESTATE, from_id=from_id, to_id=to_id, points=points, reason=reason,
        note=note, member_id=member_id,
    )  # fmt: skip
    if await queries.needs_second(tx, voucher):
        await _asked(tx, voucher)
    else:
        await _not_own(tx, voucher)
    return await queries.voucher_in(tx, voucher.id)


async def give(tx: Tx, *, voucher_id: int, seen: str, room: str = ROOM) -> int:
    """Agree to a voucher as it was seen, and book it; returns the entry. An estate is not found here."""
    voucher = await agree(tx, voucher_id=voucher_id, seen=seen)
    if voucher.what is What.ESTATE:
        raise NotFound
    if voucher.reverses_id is not None and (await queries.entry(tx, voucher.reverses_id)).source_room != room:
        raise ElsewhereReversed
    booked = await book(tx, voucher=voucher)
    assert booked.entry_id is not None
    return booked.entry_id


async def agree(tx: Tx, *, voucher_id: int, seen: str) -> Voucher:
    """Agree to a voucher as it was seen; the caller books it in the same transaction."""
    voucher = await _waiting(tx, voucher_id)
    assert voucher.approval_id is not None
    await approvals.give(tx, approval_id=voucher.approval_id, seen=seen)
    await approvals.use(
        tx, approval_id=voucher.approval_id, kind=APPROVAL_KIND, subject=subject(voucher_id),
        facts_hash=facts_hash(voucher.facts),
    )  # fmt: skip
    return voucher


async def refuse(tx: Tx, *, voucher_id: int, reason: str) -> None:
    voucher = await _waiting(tx, voucher_id)
    assert voucher.approval_id is not None
    await approvals.refuse(tx, approval_id=voucher.approval_id, reason=reason)
    await _ended(tx, voucher_id, REFUSED)


async def withdraw(tx: Tx, *, voucher_id: int) -> None:
    voucher = await _waiting(tx, voucher_id)
    assert voucher.approval_id is not None
    await approvals.withdraw(tx, approval_id=voucher.approval_id)
    await _ended(tx, voucher_id, WITHDRAWN)


async def open_book_of(tx: Tx, *, person_id: int, kind: str = rules.MAIN) -> int:
    """The passbook of a kind to which this member's points come, opened where there is none yet."""
    holder = await people.holder_of(tx, person_id)
    if holder.state != "member":
        raise UnknownAccount
    return await open_book(tx, holder=holder, kind=kind)


async def draw(
    tx: Tx,
    *,
    community_id: int,
    what: What,
    points: int,
    member_id: int | None,
    from_id: int | None = None,
    to_id: int | None = None,
    reverses_id: int | None = None,
    expires_on: date | None = None,
    reason: str = "",
    note: str = "",
    how: str = "",
    made_by: int | None = None,
) -> Voucher:
    """Write a voucher down, after looking whether its passbooks are of this community."""
    rules.check_amount(points)
    if from_id == to_id:
        raise SameBook
    for passbook_id in (from_id, to_id):
        if passbook_id is not None:
            side = await queries.book(tx, passbook_id)
            if side.community_id != community_id:
                raise UnknownAccount
            check_open(side, what)
    made = await tx.row(
        MAKE, community_id, what, from_id, to_id, reverses_id, points, expires_on, reason, note, how, member_id,
        made_by or tx.actor.person_id, tx.now,
    )  # fmt: skip
    if made is None:
        raise EstateAsked if what is What.ESTATE else AskedAlready
    facts = {"what": what, "points": points, "reason": reason, "how": how}
    await trail.record(tx, "voucher.made", subject=("voucher", made["id"]), **facts)
    return await queries.voucher_in(tx, made["id"])


async def _asked(tx: Tx, voucher: Voucher) -> int:
    """Send a voucher to a second person; whoever holds one of its passbooks neither asks nor agrees."""
    await _not_own(tx, voucher)
    books = await _books(tx, voucher)
    approval_id = await approvals.ask(
        tx,
        community_id=voucher.community_id,
        kind=APPROVAL_KIND,
        subject=subject(voucher.id),
        facts_hash=facts_hash(voucher.facts),
        person_ids=[one.person_id for one in books if one.person_id is not None],
        household_ids=[one.household_id for one in books if one.household_id is not None],
    )
    await tx.run(ASK, approval_id, voucher.id)
    await change(tx, what="voucher", row_id=voucher.id)
    return voucher.id


async def _books(tx: Tx, voucher: Voucher) -> list[queries.Book]:
    return [await queries.book(tx, one) for one in (voucher.from_id, voucher.to_id) if one is not None]


async def _not_own(tx: Tx, voucher: Voucher) -> None:
    assert tx.actor.person_id is not None
    home = await people.home_of(tx, tx.actor.person_id)
    for one in await _books(tx, voucher):
        if one.person_id in home.person_ids or (one.household_id is not None and one.household_id == home.household_id):
            raise OwnVoucher


async def _waiting(tx: Tx, voucher_id: int) -> Voucher:
    voucher = await queries.voucher_in(tx, voucher_id)
    if voucher.state != "asked":
        raise VoucherMoved
    return voucher


async def _ended(tx: Tx, voucher_id: int, state: str) -> None:
    if await tx.run(STEP, state, voucher_id) != 1:
        raise VoucherMoved
    await change(tx, what="voucher", row_id=voucher_id)
    await trail.record(tx, f"voucher.{state}", subject=("voucher", voucher_id))
