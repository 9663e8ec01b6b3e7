"""Take entries back, once: by the mirror of the entry, or by a clawback of what is still there."""

from collections import Counter

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import actions_budgets, queries, rules
from pointsbank.ledger import rules_opening as openings
from pointsbank.ledger.actions import (
    ADD,
    FREE,
    MOVE,
    OPENING,
    PUT,
    TAKE,
    system_account,
)
from pointsbank.ledger.actions_lots import put_back_into_lots, put_into_lot, take_from_lots
from pointsbank.ledger.rules import (
    AlreadyReversed,
    AlreadySpent,
    BookClosed,
    Bucket,
    Clawed,
    LotTaken,
    NothingToTake,
    NotReversible,
    Posted,
    PotSpent,
)
from pointsbank.trail import actions as trail

ORIGINAL = """
SELECT id, posting_key, community_id, kind, effective_at, member_id, summary, version_id, source_room, source_kind,
       source_id
  FROM ledger_entry WHERE id = ?
"""
MOVES = """
SELECT move.source_id AS from_id, move.target_id AS to_id, move.points, source.passbook_id AS from_book,
       target.passbook_id AS to_book, COALESCE(source.closed_at, target.closed_at) AS closed_at
  FROM ledger_move move JOIN ledger_account source ON source.id = move.source_id
  JOIN ledger_account target ON target.id = move.target_id WHERE move.entry_id = ? ORDER BY move.id
"""
SURPLUS_ENTRY = """
SELECT entry.id, entry.reason, move.points, account.balance >= move.points AS is_there
  FROM ledger_entry entry JOIN ledger_move move ON move.entry_id = entry.id
  JOIN ledger_account account ON account.id = move.target_id
 WHERE entry.posting_key = ? AND NOT EXISTS (SELECT 1 FROM ledger_entry back WHERE back.reverses_id = entry.id)
"""
# Two who reverse at once may meet at either unique key, so the loser must be quiet about both.
COUNTER_ENTRY = """
INSERT INTO ledger_entry (posting_key, community_id, kind, effective_at, booked_at, actor_id, member_id, source_room,
                          source_kind, source_id, summary, reason, version_id, reverses_id, shortfall)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id
"""
REFUSED = "refused"
TAKE_FROM_SYSTEM = """
UPDATE ledger_account SET balance = balance - ? WHERE id = ? AND (balance >= ? OR system LIKE 'issued%')
"""
BALANCE = "SELECT balance FROM ledger_account WHERE id = ?"
END_LINE = "UPDATE ledger_opening_line SET live = FALSE WHERE list_id = ? AND position = ?"
TAKEN_FROM = """
SELECT used.points, lot.id, lot.kind, lot.expires_on, lot.match_percent
  FROM ledger_lot_use used JOIN ledger_lot lot ON lot.id = used.lot_id
 WHERE used.entry_id = ? AND lot.account_id = ? AND used.points > 0 ORDER BY lot.id
"""
CLEARED_SINCE = """
SELECT 1 FROM ledger_move move JOIN ledger_entry entry ON entry.id = move.entry_id
 WHERE move.source_id = ? AND entry.id > ? AND entry.kind = 'reset' LIMIT 1
"""
ACCOUNTS = """
SELECT account.id FROM ledger_account account JOIN ledger_move move ON account.id IN (move.source_id, move.target_id)
 WHERE move.entry_id = ? AND account.passbook_id IS NOT NULL ORDER BY account.id
"""
HOLD_ACCOUNT = "UPDATE ledger_account SET balance = balance WHERE id = ?"
FREE_LOTS = """
SELECT lot.id, lot.remaining - lot.held
  FROM ledger_lot lot LEFT JOIN ledger_lot_use used ON used.lot_id = lot.id AND used.entry_id = ?
 WHERE lot.account_id = ? AND lot.remaining > 0 AND lot.remaining > lot.held
   AND (lot.expires_on >= ? OR used.lot_id IS NOT NULL)
"""
# What is only to be used beside earned points, or not at all, would come out at the other end as earned.
OF_ITS_SORTS = """
   AND lot.kind IN (SELECT brought.kind FROM ledger_lot_use filled JOIN ledger_lot brought ON brought.id = filled.lot_id
                     WHERE filled.entry_id = ? AND filled.points < 0 AND brought.account_id = lot.account_id)
"""
# The lots that the entry itself filled come first, even one whose last day has passed.
OWN_FIRST = """
 ORDER BY CASE WHEN used.lot_id IS NULL THEN 1 ELSE 0 END, lot.expires_on, lot.kind, lot.id
"""
FROM_ISSUE = frozenset({*rules.ISSUES, "adjustment"})


async def reverse(tx: Tx, *, entry_id: int, reason: str) -> Posted:
    """Post the mirror of an entry, once; answers the balance of the passbook that its last move touched.

    What was taken goes back to the lots it came from. What was brought is taken from the lots it went into and then
    from the others, of the same sorts where it came from a passbook or the pot; held points are not touched. No
    passbook stands in two moves of one entry. Refuses AlreadyReversed, AlreadySpent, PotSpent, NotReversible,
    BookClosed.
    """
    original = await tx.row(ORIGINAL, entry_id)
    assert original is not None
    if original["kind"] not in rules.REVERSIBLE:
        raise NotReversible
    await _take_accounts(tx, entry_id)
    surplus = await _surplus_of(tx, original)
    if surplus is None:
        return await _mirror(tx, original, reason)
    await _undo(tx, surplus, reason)
    return await _mirror(tx, original, reason, refused=surplus["points"] if surplus["reason"] == REFUSED else 0)


async def _mirror(tx: Tx, original: Row, reason: str, refused: int = 0) -> Posted:
    """`refused` points of it did not fit into the passbook: their budget has them back already."""
    entry_id = original["id"]
    reversal_id = await _counter_entry(tx, original, "reversal", reason, None)
    balance = 0
    for move in await tx.rows(MOVES, entry_id):
        if move["closed_at"] is not None:
            raise BookClosed
        points, from_after, to_after = move["points"], None, None
        if move["from_book"] is None:
            await actions_budgets.give_back(tx, account_id=move["from_id"], points=points - refused)
        # Passbooks before the system's accounts, which everybody waits for.
        if move["to_book"] is not None:
            balance = to_after = await _take_back(tx, reversal_id, original, move["to_id"], points)
        if move["from_book"] is not None:
            balance = from_after = await _give_back(tx, reversal_id, entry_id, move["from_id"], points)
        if move["to_book"] is None and await tx.run(TAKE_FROM_SYSTEM, points, move["to_id"], points) != 1:
            raise await _pot_spent(tx, move["to_id"], move["from_id"], points)
        if move["from_book"] is None:
            await tx.run(ADD, points, move["from_id"])
        await tx.run(MOVE, reversal_id, move["to_id"], move["from_id"], points, to_after, from_after)
    await _after(tx, original, reversal_id, reason)
    return Posted(reversal_id, balance)


async def clawback(tx: Tx, *, entry_id: int, reason: str) -> Clawed:
    """Take back what is still there of an entry that brought points; what is not stays on record, and is no debt.

    It stands in the place of a reversal: an entry has one of them. What did not fit into the passbook and was refused
    was never there, and is not asked for; what went on into the pot and was spent there is lacking, and the holder
    does not stand in for it. Refuses NothingToTake where there is nothing.
    """
    original = await tx.row(ORIGINAL, entry_id)
    assert original is not None
    if original["kind"] not in rules.ISSUES:
        raise NotReversible
    await _take_accounts(tx, entry_id)
    surplus = await _surplus_of(tx, original)
    (move,) = await tx.rows(MOVES, entry_id)
    if move["closed_at"] is not None:
        raise BookClosed
    account_id, asked, lost = move["to_id"], move["points"], 0
    if surplus is not None and surplus["reason"] == REFUSED:
        asked -= surplus["points"]
    elif surplus is not None and surplus["is_there"]:
        await _undo(tx, surplus, reason)
    elif surplus is not None:
        lost = surplus["points"]
    free = await tx.rows(FREE_LOTS + OWN_FIRST, entry_id, account_id, local_day(tx.now))
    parts = rules.take_from(free, asked - lost) if asked > lost else []
    points = sum(part.points for part in parts)
    if not points:
        raise NothingToTake
    clawback_id = await _counter_entry(tx, original, "clawback", reason, asked - points or None)
    account = await tx.row(TAKE, points, account_id, points)
    assert account is not None
    await take_from_lots(tx, entry_id=clawback_id, account_id=account_id, parts=parts)
    target_id = await system_account(tx, community_id=original["community_id"], system=rules.CLAWED_BACK)
    await tx.run(MOVE, clawback_id, account_id, target_id, points, account["balance"], None)
    await tx.run(ADD, points, target_id)
    await _after(tx, original, clawback_id, reason)
    return Clawed(clawback_id, points, asked - points, account["balance"])


async def _take_accounts(tx: Tx, entry_id: int) -> None:
    """Passbooks in the one order in which all take them, and before the entry that only one of several can post."""
    for (account_id,) in await tx.rows(ACCOUNTS, entry_id):
        await tx.run(HOLD_ACCOUNT, account_id)


async def _surplus_of(tx: Tx, original: Row) -> Row | None:
    """What an entry brought too much and went elsewhere."""
    if original["kind"] not in rules.ISSUES:
        return None
    return await tx.row(SURPLUS_ENTRY, rules.surplus_key(original["id"]))


async def _undo(tx: Tx, surplus: Row, reason: str) -> None:
    """It comes back before its entry is taken back whole."""
    original = await tx.row(ORIGINAL, surplus["id"])
    assert original is not None
    await _mirror(tx, original, reason)


async def _counter_entry(tx: Tx, original: Row, kind: str, reason: str, shortfall: int | None) -> int:
    made = await tx.row(
        COUNTER_ENTRY, f"{kind}:{original['id']}", original["community_id"], kind, original["effective_at"], tx.now,
        tx.actor.person_id, original["member_id"], original["source_room"], original["source_kind"],
        original["source_id"], original["summary"], reason, original["version_id"], original["id"], shortfall,
    )  # fmt: skip
    if made is None:
        raise AlreadyReversed
    return int(made["id"])


async def _after(tx: Tx, original: Row, by_entry: int, reason: str) -> None:
    if original["kind"] == OPENING:  # the right points may come with another list
        await tx.run(END_LINE, *openings.line_of(original["posting_key"]))
    await trail.record(tx, "entry.reversed", subject=("entry", original["id"]), by_entry=by_entry, reason=reason)


async def _give_back(tx: Tx, reversal_id: int, entry_id: int, account_id: int, points: int) -> int:
    """Return points to the lots they came from; what would be gone meanwhile comes back for some more days."""
    account = await tx.row(PUT, points, account_id)
    if account is None:
        raise BookClosed
    buckets: Counter[Bucket] = Counter()
    was_cleared = await tx.row(CLEARED_SINCE, account_id, entry_id) is not None
    lots: dict[Bucket, int] = {}
    for part, lot_id, kind, expires_on, match_percent in await tx.rows(TAKEN_FROM, entry_id, account_id):
        lot = Bucket(kind, expires_on, match_percent)
        lots[lot] = lot_id
        buckets[rules.comes_back_as(lot, local_day(tx.now), was_cleared=was_cleared)] += part
    same = [LotTaken(lots[bucket], part) for bucket, part in buckets.items() if bucket in lots]
    await put_back_into_lots(tx, entry_id=reversal_id, account_id=account_id, parts=same)
    for bucket in [one for one in buckets if one not in lots]:
        await put_into_lot(tx, entry_id=reversal_id, account_id=account_id, bucket=bucket, points=buckets[bucket])
    return int(account["balance"])


async def _take_back(tx: Tx, reversal_id: int, original: Row, account_id: int, points: int) -> int:
    account = await tx.row(TAKE, points, account_id, points)
    if account is None:
        free = await tx.row(FREE, account_id)
        assert free is not None
        raise await _spent(tx, account_id, points - free["points"])
    sql, values = FREE_LOTS, [original["id"], account_id, local_day(tx.now)]
    if original["kind"] not in FROM_ISSUE:
        sql, values = sql + OF_ITS_SORTS, [*values, original["id"]]
    parts = rules.take_from(await tx.rows(sql + OWN_FIRST, *values), points)
    missing = points - sum(part.points for part in parts)
    if missing:
        raise await _spent(tx, account_id, missing)
    await take_from_lots(tx, entry_id=reversal_id, account_id=account_id, parts=parts)
    return int(account["balance"])


async def _spent(tx: Tx, account_id: int, missing: int) -> AlreadySpent:
    return AlreadySpent(missing=missing, **rules.in_unit(await queries.paying(tx, account_id)))


async def _pot_spent(tx: Tx, pot_id: int, account_id: int, points: int) -> PotSpent:
    pot = await tx.row(BALANCE, pot_id)
    assert pot is not None
    return PotSpent(missing=points - pot["balance"], **rules.in_unit(await queries.paying(tx, account_id)))
