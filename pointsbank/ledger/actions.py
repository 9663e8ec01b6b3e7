"""Post to the ledger. Rows are taken in one order: accounts, then lots; a system account's balance comes last."""

from datetime import date, datetime

from pointsbank.approvals import queries as approvals
from pointsbank.kit import codes
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import rules
from pointsbank.ledger import rules_opening as openings
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules import Bucket, NotEnoughPoints, Posted, UnknownAccount
from pointsbank.people import queries as people
from pointsbank.trail import actions as trail

Source = tuple[str, str, int]
"""Room, kind and id of what an entry is about: ("awards", "award", 7)."""

OPENING = "opening"
NUMBER_TRIES = 5
LOTS_AT_ONCE = 4

FIND_PASSBOOK = """
SELECT book.id FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id AND kind.code = ?
"""
FIND_OF_PERSON = FIND_PASSBOOK + " WHERE book.person_id = ?"
FIND_OF_HOUSEHOLD = FIND_PASSBOOK + " WHERE book.household_id = ?"
OPEN_PASSBOOK = """
INSERT INTO ledger_passbook (number, community_id, kind_id, person_id, household_id, opened_at)
SELECT ?, kind.community_id, kind.id, ?, ?, ? FROM ledger_book_kind kind
 WHERE kind.community_id = ? AND kind.code = ? ON CONFLICT DO NOTHING RETURNING id
"""
OPEN_ACCOUNT = "INSERT INTO ledger_account (community_id, passbook_id, balance) VALUES (?, ?, 0) RETURNING id"
FIND_SYSTEM = "SELECT id FROM ledger_account WHERE community_id = ? AND system = ?"
OPEN_SYSTEM = """
INSERT INTO ledger_account (community_id, system, balance) VALUES (?, ?, 0)
ON CONFLICT (community_id, system) DO NOTHING RETURNING id
"""
ENTRY = """
INSERT INTO ledger_entry (posting_key, community_id, kind, effective_at, booked_at, actor_id, member_id,
                          source_room, source_kind, source_id, summary, reason, version_id, reverses_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (reverses_id) DO NOTHING RETURNING id
"""
# Two who reverse at once may meet at either unique key, so the loser must be quiet about both.
REVERSAL = ENTRY.replace("ON CONFLICT (reverses_id)", "ON CONFLICT")
MOVE = """
INSERT INTO ledger_move (entry_id, source_id, target_id, points, source_after, target_after) VALUES (?, ?, ?, ?, ?, ?)
"""
ADD_TO_PASSBOOK = "UPDATE ledger_account SET balance = balance + ? WHERE passbook_id = ? RETURNING id, balance"
ADD = "UPDATE ledger_account SET balance = balance + ? WHERE id = ? RETURNING balance"
TAKE = "UPDATE ledger_account SET balance = balance - ? WHERE id = ? AND balance - held >= ? RETURNING balance"
TAKE_ISSUED = "UPDATE ledger_account SET balance = balance - ? WHERE id = ?"
ON_LIST = """
SELECT 1 FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id AND kind.code = 'points',
       ledger_opening_line line
  JOIN ledger_opening_list list ON list.id = line.list_id JOIN people_person person ON person.id = line.person_id
 WHERE book.id = ? AND line.list_id = ? AND line.position = ? AND line.points = ? AND line.live
   AND list.approval_id = ? AND list.state = 'booking'
   AND CASE WHEN line.household_id IS NOT NULL THEN book.household_id = line.household_id
            ELSE book.person_id = COALESCE(person.merged_into, person.id) END
"""
FREE = "SELECT balance - held AS points FROM ledger_account WHERE id = ?"
PUT_INTO_LOT = """
INSERT INTO ledger_lot (account_id, expires_on, kind, remaining) VALUES (?, ?, ?, ?)
ON CONFLICT (account_id, expires_on, kind) WHERE match_percent IS NULL
DO UPDATE SET remaining = ledger_lot.remaining + excluded.remaining RETURNING id
"""
PUT_INTO_GIFT = """
INSERT INTO ledger_lot (account_id, expires_on, kind, remaining, match_percent) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account_id, expires_on, match_percent) WHERE match_percent IS NOT NULL
DO UPDATE SET remaining = ledger_lot.remaining + excluded.remaining RETURNING id
"""
LIVE_LOTS = f"""
SELECT id, remaining - held FROM ledger_lot
 WHERE account_id = ? AND expires_on >= ? AND remaining > 0 AND remaining > held
 ORDER BY expires_on, kind, id LIMIT {LOTS_AT_ONCE}
"""
TAKE_LOT = "UPDATE ledger_lot SET remaining = remaining - ? WHERE id = ? AND remaining - held >= ?"
LOT_USE = "INSERT INTO ledger_lot_use (entry_id, lot_id, points) VALUES (?, ?, ?)"


async def open_passbook(
    tx: Tx,
    *,
    community_id: int,
    person_id: int | None = None,
    household_id: int | None = None,
    kind: str = rules.MAIN,
) -> int:
    """Open a passbook of a person or of a household; the one of this kind that is open already is returned."""
    assert (person_id is None) != (household_id is None)
    find, holder_id = (FIND_OF_PERSON, person_id) if household_id is None else (FIND_OF_HOUSEHOLD, household_id)
    for attempt in range(NUMBER_TRIES):
        found = await tx.row(find, kind, holder_id)
        if found is not None:
            return int(found["id"])
        # A person's main passbook bears the number on the person's card; every other has one of its own.
        if person_id is not None and kind == rules.MAIN and attempt == 0:
            number = await people.member_number(tx, person_id)
        else:
            number = codes.new_member_number()
        opened = await tx.row(OPEN_PASSBOOK, number, person_id, household_id, tx.now, community_id, kind)
        if opened is not None:
            account = await tx.row(OPEN_ACCOUNT, community_id, opened["id"])
            assert account is not None
            await change(tx, what="passbook", row_id=opened["id"])
            await change(tx, what="account", row_id=account["id"])
            await trail.record(tx, "passbook.opened", subject=("passbook", opened["id"]))
            return int(opened["id"])
    raise AssertionError("no such kind of passbook, or five random numbers were all taken")


async def system_account(tx: Tx, *, community_id: int, system: str) -> int:
    found = await tx.row(FIND_SYSTEM, community_id, system)
    if found is None:
        opened = await tx.row(OPEN_SYSTEM, community_id, system)
        if opened is not None:
            await change(tx, what="account", row_id=opened["id"])
        found = opened or await tx.row(FIND_SYSTEM, community_id, system)
    assert found is not None
    return int(found["id"])


async def post_award(
    tx: Tx,
    *,
    community_id: int,
    passbook_id: int,
    points: int,
    posting_key: str,
    effective_at: datetime,
    expires_on: date,
    member_id: int,
    version_id: int,
    source: Source,
    summary: str,
) -> Posted:
    """Issue points to a passbook; `summary` is what the passbook's line will say for ever."""
    return await _issue(
        tx,
        kind="award",
        community_id=community_id,
        passbook_id=passbook_id,
        points=points,
        posting_key=posting_key,
        effective_at=effective_at,
        expires_on=expires_on,
        member_id=member_id,
        version_id=version_id,
        source=source,
        summary=summary,
    )


async def _issue(
    tx: Tx,
    *,
    kind: str,
    community_id: int,
    passbook_id: int,
    points: int,
    posting_key: str,
    effective_at: datetime,
    expires_on: date,
    member_id: int,
    version_id: int | None,
    source: Source,
    summary: str,
) -> Posted:
    rules.check_amount(points)
    issued_id = await system_account(tx, community_id=community_id, system=rules.ISSUED)
    entry = await tx.row(
        ENTRY, posting_key, community_id, kind, effective_at, tx.now, tx.actor.person_id, member_id,
        *source, summary, "", version_id, None,
    )  # fmt: skip
    account = await tx.row(ADD_TO_PASSBOOK, points, passbook_id)
    assert entry is not None
    assert account is not None
    await tx.run(MOVE, entry["id"], issued_id, account["id"], points, None, account["balance"])
    bucket = Bucket(rules.EARNED, expires_on)
    await put_into_lot(tx, entry_id=entry["id"], account_id=account["id"], bucket=bucket, points=points)
    await tx.run(TAKE_ISSUED, points, issued_id)
    return Posted(entry["id"], account["balance"])


async def post_opening(
    tx: Tx,
    *,
    approval_id: int,
    list_id: int,
    position: int,
    community_id: int,
    passbook_id: int,
    points: int,
    effective_at: datetime,
    expires_on: date,
    member_id: int,
    summary: str,
) -> Posted:
    """Take a paper passbook's points over: one line of a list that a second person confirmed, into the book it names.

    Refuses NotGiven without that approval, NotOnList where the line says something else.
    """
    await approvals.require_used(
        tx, approval_id=approval_id, kind=openings.APPROVAL_KIND, subject=openings.subject(list_id)
    )
    if await tx.row(ON_LIST, passbook_id, list_id, position, points, approval_id) is None:
        raise openings.NotOnList
    return await _issue(
        tx,
        kind=OPENING,
        community_id=community_id,
        passbook_id=passbook_id,
        points=points,
        posting_key=openings.posting_key(list_id, position),
        effective_at=effective_at,
        expires_on=expires_on,
        member_id=member_id,
        version_id=None,
        source=("ledger", "opening_list", list_id),
        summary=summary,
    )


async def spend(
    tx: Tx,
    *,
    community_id: int,
    account_id: int,
    points: int,
    outlet_id: int,
    posting_key: str,
    member_id: int,
    source: Source,
    summary: str,
) -> Posted:
    """Take points from a passbook's account, soonest to expire first; refuses NotEnoughPoints."""
    rules.check_amount(points)
    account = await tx.row(TAKE, points, account_id, points)
    if account is None:
        free = await tx.row(FREE, account_id)
        if free is None:
            raise UnknownAccount
        raise NotEnoughPoints(missing=points - free["points"])
    target_id = await system_account(tx, community_id=community_id, system=rules.redeemed(outlet_id))
    entry = await tx.row(
        ENTRY, posting_key, community_id, "order", tx.now, tx.now, tx.actor.person_id, member_id,
        *source, summary, "", None, None,
    )  # fmt: skip
    assert entry is not None
    await _take_lots(tx, account_id, points, entry["id"])
    await tx.run(MOVE, entry["id"], account_id, target_id, points, account["balance"], None)
    await tx.run(ADD, points, target_id)
    return Posted(entry["id"], account["balance"])


async def _take_lots(tx: Tx, account_id: int, points: int, entry_id: int) -> None:
    today = local_day(tx.now)
    while points:
        found = await tx.rows(LIVE_LOTS, account_id, today)
        if not found:  # the balance still counts lots that expired today: the expiry job has not come round
            raise NotEnoughPoints(missing=points)
        for taken in rules.take_from(found, points):
            await take_from_lot(tx, entry_id=entry_id, lot_id=taken.lot_id, points=taken.points)
            points -= taken.points


async def take_from_lot(tx: Tx, *, entry_id: int, lot_id: int, points: int) -> None:
    """The account was taken before, so what was read of its lots still holds."""
    taken = await tx.run(TAKE_LOT, points, lot_id, points)
    assert taken == 1
    await tx.run(LOT_USE, entry_id, lot_id, points)


async def put_into_lot(tx: Tx, *, entry_id: int, account_id: int, bucket: Bucket, points: int) -> int:
    """Returns the lot; the account was taken before."""
    values = (account_id, bucket.expires_on, bucket.kind, points)
    if bucket.match_percent is None:
        lot = await tx.row(PUT_INTO_LOT, *values)
    else:
        lot = await tx.row(PUT_INTO_GIFT, *values, bucket.match_percent)
    assert lot is not None
    await tx.run(LOT_USE, entry_id, lot["id"], -points)
    return int(lot["id"])
