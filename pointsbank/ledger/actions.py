"""Post to the ledger. Rows are taken in one order: accounts, then lots; a system account's balance comes last."""

from datetime import date, datetime

from pointsbank.approvals import queries as approvals
from pointsbank.kit import codes
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import rules
from pointsbank.ledger import rules_opening as openings
from pointsbank.ledger.rules import AlreadyReversed, AlreadySpent, NotAsTold, NotEnoughPoints, NotReversible, Posted
from pointsbank.people import queries as people
from pointsbank.trail import actions as trail

Source = tuple[str, str, int]
"""Room, kind and id of what an entry is about: ("awards", "award", 7)."""

OPENING = "opening"
NUMBER_TRIES = 5
LOTS_AT_ONCE = 4
EXPIRED_AT_ONCE = 100

FIND_PASSBOOK = "SELECT id FROM ledger_passbook WHERE person_id = ? OR household_id = ?"
OPEN_PASSBOOK = """
INSERT INTO ledger_passbook (number, community_id, person_id, household_id, decimals, opened_at)
VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING RETURNING id
"""
OPEN_ACCOUNT = "INSERT INTO ledger_account (community_id, passbook_id, balance) VALUES (?, ?, 0)"
FIND_SYSTEM = "SELECT id FROM ledger_account WHERE community_id = ? AND system = ?"
OPEN_SYSTEM = """
INSERT INTO ledger_account (community_id, system, balance) VALUES (?, ?, 0)
ON CONFLICT (community_id, system) DO NOTHING
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
TAKE = "UPDATE ledger_account SET balance = balance - ? WHERE id = ? AND balance >= ? RETURNING balance"
TAKE_ISSUED = "UPDATE ledger_account SET balance = balance - ? WHERE id = ?"
ON_LIST = """
SELECT 1 FROM ledger_passbook book, ledger_opening_line line
  JOIN ledger_opening_list list ON list.id = line.list_id JOIN people_person person ON person.id = line.person_id
 WHERE book.id = ? AND line.list_id = ? AND line.position = ? AND line.points = ? AND line.live
   AND list.approval_id = ? AND list.state = 'booking'
   AND CASE WHEN line.household_id IS NOT NULL THEN book.household_id = line.household_id
            ELSE book.person_id = COALESCE(person.merged_into, person.id) END
"""
BALANCE = "SELECT balance FROM ledger_account WHERE id = ?"
NEW_LOT = "INSERT INTO ledger_lot (account_id, entry_id, points, remaining, expires_on) VALUES (?, ?, ?, ?, ?)"
LIVE_LOTS = f"""
SELECT id, remaining FROM ledger_lot
 WHERE account_id = ? AND remaining > 0 AND expires_on >= ? ORDER BY expires_on, id LIMIT {LOTS_AT_ONCE}
"""
TAKE_LOT = "UPDATE ledger_lot SET remaining = remaining - ? WHERE id = ? AND remaining >= ?"
LOT_USE = "INSERT INTO ledger_lot_use (lot_id, entry_id, points) VALUES (?, ?, ?)"


async def open_passbook(
    tx: Tx, *, community_id: int, person_id: int | None = None, household_id: int | None = None
) -> int:
    """Open the passbook of a person or of a household; the one that is open already is returned."""
    assert (person_id is None) != (household_id is None)
    for attempt in range(NUMBER_TRIES):
        found = await tx.row(FIND_PASSBOOK, person_id, household_id)
        if found is not None:
            return int(found["id"])
        # A person's passbook bears the number on the person's card; a household's has one of its own.
        if person_id is not None and attempt == 0:
            number = await people.member_number(tx, person_id)
        else:
            number = codes.new_member_number()
        opened = await tx.row(OPEN_PASSBOOK, number, community_id, person_id, household_id, tx.now)
        if opened is not None:
            await tx.run(OPEN_ACCOUNT, community_id, opened["id"])
            await trail.record(tx, "passbook.opened", subject=("passbook", opened["id"]))
            return int(opened["id"])
    raise AssertionError("five random passbook numbers were all taken")


async def _system_account(tx: Tx, community_id: int, system: str) -> int:
    found = await tx.row(FIND_SYSTEM, community_id, system)
    if found is None:
        await tx.run(OPEN_SYSTEM, community_id, system)
        found = await tx.row(FIND_SYSTEM, community_id, system)
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
    """Issue points to a passbook as one lot; `summary` is what the passbook's line will say for ever."""
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
    assert 0 < points <= rules.POINTS_MAX
    issued_id = await _system_account(tx, community_id, rules.ISSUED)
    entry = await tx.row(
        ENTRY, posting_key, community_id, kind, effective_at, tx.now, tx.actor.person_id, member_id,
        *source, summary, "", version_id, None,
    )  # fmt: skip
    account = await tx.row(ADD_TO_PASSBOOK, points, passbook_id)
    assert entry is not None
    assert account is not None
    await tx.run(MOVE, entry["id"], issued_id, account["id"], points, None, account["balance"])
    await tx.run(NEW_LOT, account["id"], entry["id"], points, points, expires_on)
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
    assert 0 < points <= rules.POINTS_MAX
    account = await tx.row(TAKE, points, account_id, points)
    if account is None:
        found = await tx.row(BALANCE, account_id)
        raise NotEnoughPoints(missing=points - (found["balance"] if found else 0))
    target_id = await _system_account(tx, community_id, rules.redeemed(outlet_id))
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
            if await tx.run(TAKE_LOT, taken.points, taken.lot_id, taken.points) != 1:
                raise NotEnoughPoints(missing=points)
            await tx.run(LOT_USE, taken.lot_id, entry_id, taken.points)
            points -= taken.points


ORIGINAL = """
SELECT entry.posting_key, entry.community_id, entry.kind, entry.effective_at, entry.member_id, entry.summary,
       entry.version_id, entry.source_room, entry.source_kind, entry.source_id, move.source_id AS from_id,
       move.target_id AS to_id, move.points
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id WHERE entry.id = ?
"""
END_LINE = "UPDATE ledger_opening_line SET live = FALSE WHERE list_id = ? AND position = ?"
USES = "SELECT lot_id, points FROM ledger_lot_use WHERE entry_id = ? ORDER BY lot_id"
GIVE_TO_LOT = "UPDATE ledger_lot SET remaining = remaining + ? WHERE id = ?"
LOT_OF = "SELECT id, remaining FROM ledger_lot WHERE entry_id = ?"


async def reverse(tx: Tx, *, entry_id: int, reason: str) -> Posted:
    """Post the mirror of an entry, once. Refuses AlreadyReversed, AlreadySpent (points that came in are gone)."""
    original = await tx.row(ORIGINAL, entry_id)
    assert original is not None
    if original["kind"] not in ("award", "order", OPENING):
        raise NotReversible
    entry = await tx.row(
        REVERSAL, f"reversal:{entry_id}", original["community_id"], "reversal", original["effective_at"], tx.now,
        tx.actor.person_id, original["member_id"], original["source_room"], original["source_kind"],
        original["source_id"], original["summary"], reason, original["version_id"], entry_id,
    )  # fmt: skip
    if entry is None:
        raise AlreadyReversed
    points = original["points"]
    if original["kind"] == "order":
        balance = await _give_back(tx, entry["id"], entry_id, original["from_id"], points)
        await tx.run(MOVE, entry["id"], original["to_id"], original["from_id"], points, None, balance)
        await tx.run(TAKE_ISSUED, points, original["to_id"])
    else:
        balance = await _take_back(tx, entry["id"], entry_id, original["to_id"], points)
        await tx.run(MOVE, entry["id"], original["to_id"], original["from_id"], points, balance, None)
        await tx.run(ADD, points, original["from_id"])
    if original["kind"] == OPENING:  # the right points may come with another list
        await tx.run(END_LINE, *openings.line_of(original["posting_key"]))
    await trail.record(tx, "entry.reversed", subject=("entry", entry_id), by_entry=entry["id"], reason=reason)
    return Posted(entry["id"], balance)


async def _give_back(tx: Tx, entry_id: int, order_entry_id: int, account_id: int, points: int) -> int:
    """Return spent points to the lots they came from."""
    account = await tx.row(ADD, points, account_id)
    assert account is not None
    for lot_id, taken in await tx.rows(USES, order_entry_id):
        await tx.run(GIVE_TO_LOT, taken, lot_id)
        await tx.run(LOT_USE, lot_id, entry_id, -taken)
    return int(account["balance"])


async def _take_back(tx: Tx, entry_id: int, original_id: int, account_id: int, points: int) -> int:
    """Take the one lot of what came in out again, whole or not at all."""
    account = await tx.row(TAKE, points, account_id, points)
    lot = await tx.row(LOT_OF, original_id)
    assert lot is not None
    if account is None or await tx.run(TAKE_LOT, points, lot["id"], points) != 1:
        raise AlreadySpent(spent=points - lot["remaining"])
    await tx.run(LOT_USE, lot["id"], entry_id, points)
    return int(account["balance"])


EXPIRED_LOTS = f"""
SELECT lot.id, lot.account_id, lot.remaining, account.community_id FROM ledger_lot lot
  JOIN ledger_account account ON account.id = lot.account_id
 WHERE lot.remaining > 0 AND lot.expires_on < ? ORDER BY lot.account_id, lot.id LIMIT {EXPIRED_AT_ONCE}
"""


async def expire_due(tx: Tx) -> int:
    """Move what expired before today out of its passbooks; returns how many lots, 0 when all is done."""
    lots = await tx.rows(EXPIRED_LOTS, local_day(tx.now))
    for lot_id, account_id, points, community_id in lots:
        account = await tx.row(TAKE, points, account_id, points)
        assert account is not None
        taken = await tx.run(TAKE_LOT, points, lot_id, points)
        assert taken == 1
        target_id = await _system_account(tx, community_id, rules.EXPIRED)
        # A reversal may fill the lot again later, and then it expires again: the moment tells the entries apart.
        entry = await tx.row(
            ENTRY, f"expiry:{lot_id}:{tx.now.isoformat()}", community_id, "expiry", tx.now, tx.now,
            tx.actor.person_id, None, "ledger", "lot", lot_id, "积分到期", "", None, None,
        )  # fmt: skip
        assert entry is not None
        await tx.run(LOT_USE, lot_id, entry["id"], points)
        await tx.run(MOVE, entry["id"], account_id, target_id, points, account["balance"], None)
        await tx.run(ADD, points, target_id)
    return len(lots)


TAKE_ALL = """
UPDATE ledger_account SET balance = 0 WHERE passbook_id = ? AND balance = ? RETURNING id, community_id
"""
BALANCE_OF = "SELECT balance FROM ledger_account WHERE passbook_id = ?"
ALL_LOTS = "SELECT id, remaining FROM ledger_lot WHERE account_id = ? AND remaining > 0 ORDER BY id"


async def give_up(tx: Tx, *, passbook_id: int, points: int, member_id: int, source: Source) -> Posted:
    """Let all of a passbook expire because its holder does not want it; refuses unless it holds what was told."""
    assert 0 < points <= rules.POINTS_MAX
    account = await tx.row(TAKE_ALL, passbook_id, points)
    if account is None:
        found = await tx.row(BALANCE_OF, passbook_id)
        raise NotAsTold(balance=found["balance"] if found is not None else 0)
    account_id, community_id = account
    target_id = await _system_account(tx, community_id, rules.EXPIRED)
    entry = await tx.row(
        ENTRY, f"given-up:{passbook_id}:{tx.now.isoformat()}", community_id, "expiry", tx.now, tx.now,
        tx.actor.person_id, member_id, *source, "自愿放弃积分", "given_up", None, None,
    )  # fmt: skip
    assert entry is not None
    for lot_id, remaining in await tx.rows(ALL_LOTS, account_id):
        taken = await tx.run(TAKE_LOT, remaining, lot_id, remaining)
        assert taken == 1
        await tx.run(LOT_USE, lot_id, entry["id"], remaining)
    await tx.run(MOVE, entry["id"], account_id, target_id, points, 0, None)
    await tx.run(ADD, points, target_id)
    return Posted(entry["id"], 0)
