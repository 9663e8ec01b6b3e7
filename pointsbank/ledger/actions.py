"""Post to the ledger. Rows are taken in one order: accounts, then lots; a system account's balance comes last."""

from datetime import date, datetime

from pointsbank.approvals import queries as approvals
from pointsbank.kit import codes
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import queries, rules, rules_lots
from pointsbank.ledger import rules_opening as openings
from pointsbank.ledger.actions_lots import put_into_lot, take_from_lot, take_from_lots
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.queries import MANY_LOTS, SPENDABLE_LOTS
from pointsbank.ledger.rules import (
    BookClosed,
    Bucket,
    LotTaken,
    NotEnoughPoints,
    NotRedeemable,
    Posted,
    UnknownAccount,
)
from pointsbank.ledger.rules_lots import FreeLot
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
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (reverses_id) WHERE reverses_id IS NOT NULL DO NOTHING RETURNING id
"""
MOVE = """
INSERT INTO ledger_move (entry_id, source_id, target_id, points, source_after, target_after) VALUES (?, ?, ?, ?, ?, ?)
"""
ADD_TO_PASSBOOK = """
UPDATE ledger_account SET balance = balance + ?
 WHERE passbook_id = ? AND community_id = ? AND closed_at IS NULL RETURNING id, balance, (
  SELECT kind.balance_max FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id
   WHERE book.id = ledger_account.passbook_id) AS balance_max
"""
SURPLUS_OF = """
SELECT kind.surplus, kind.code, account.id AS account_id, entry.community_id, entry.effective_at, entry.member_id,
       entry.source_room, entry.source_kind, entry.source_id
  FROM ledger_account account JOIN ledger_passbook book ON book.id = account.passbook_id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id, ledger_entry entry WHERE book.id = ? AND entry.id = ?
"""
IS_THERE = "SELECT 1 FROM ledger_passbook WHERE id = ? AND community_id = ?"
ADD = "UPDATE ledger_account SET balance = balance + ? WHERE id = ? RETURNING balance"
PUT = "UPDATE ledger_account SET balance = balance + ? WHERE id = ? AND closed_at IS NULL RETURNING balance"
TAKE = "UPDATE ledger_account SET balance = balance - ? WHERE id = ? AND balance - held >= ? RETURNING balance"
GIVE_BACK = "UPDATE ledger_budget SET issued = issued - ? WHERE account_id = ?"
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
# What the kind of passbook keeps back, none of it points that expired since the job last came; nothing fits the guard
# where the kind is not for spending.
EXPIRED_TOO = """CASE WHEN kind.spend_above = 0 THEN 0 ELSE (
SELECT CAST(COALESCE(SUM(lot.remaining - lot.held), 0) AS BIGINT) FROM ledger_lot lot
 WHERE lot.account_id = ACCOUNT.id AND lot.remaining > 0 AND lot.expires_on < ?) END"""
KEPT_BACK = f"""(
SELECT kind.spend_above + {EXPIRED_TOO.replace("ACCOUNT", "ledger_account")}
  FROM ledger_passbook book JOIN ledger_book_kind kind ON kind.id = book.kind_id
 WHERE book.id = ledger_account.passbook_id AND kind.redeemable)
"""
SPEND = f"""
UPDATE ledger_account SET balance = balance - ?
 WHERE id = ? AND community_id = ? AND balance - held >= ? + {KEPT_BACK} RETURNING balance
"""
SPENDABLE = f"""
SELECT account.community_id,
       account.balance - account.held - kind.spend_above - {EXPIRED_TOO.replace("ACCOUNT", "account")} AS points,
       kind.redeemable, kind.name, account.closed_at, kind.unit, kind.decimals
  FROM ledger_account account JOIN ledger_passbook book ON book.id = account.passbook_id
  JOIN ledger_book_kind kind ON kind.id = book.kind_id WHERE account.id = ?
"""


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
    issued_id: int | None = None,
) -> Posted:
    """Issue points to a passbook; `summary` is what the passbook's line will say for ever.

    `issued_id` is the account of the budget that they were taken from.
    """
    return await issue(
        tx,
        kind="award",
        community_id=community_id,
        passbook_id=passbook_id,
        points=points,
        posting_key=posting_key,
        effective_at=effective_at,
        bucket=Bucket(rules.EARNED, expires_on),
        member_id=member_id,
        version_id=version_id,
        source=source,
        summary=summary,
        issued_id=issued_id,
    )


async def issue(
    tx: Tx,
    *,
    kind: str,
    community_id: int,
    passbook_id: int,
    points: int,
    posting_key: str,
    effective_at: datetime,
    bucket: Bucket,
    member_id: int | None,
    version_id: int | None,
    source: Source,
    summary: str,
    issued_id: int | None = None,
) -> Posted:
    """Bring points into a passbook from nowhere; what lies above the passbook's limit leaves it at once.

    Refuses BookClosed, and UnknownAccount for another community's.
    """
    rules.check_amount(points)
    if issued_id is None:
        issued_id = await system_account(tx, community_id=community_id, system=rules.ISSUED)
    entry = await tx.row(
        ENTRY, posting_key, community_id, kind, effective_at, tx.now, tx.actor.person_id, member_id,
        *source, summary, "", version_id, None,
    )  # fmt: skip
    account = await tx.row(ADD_TO_PASSBOOK, points, passbook_id, community_id)
    assert entry is not None
    if account is None:
        raise UnknownAccount if await tx.row(IS_THERE, passbook_id, community_id) is None else BookClosed
    account_id, balance, balance_max = account
    await tx.run(MOVE, entry["id"], issued_id, account_id, points, None, balance)
    lot_id = await put_into_lot(tx, entry_id=entry["id"], account_id=account_id, bucket=bucket, points=points)
    await tx.run(TAKE_ISSUED, points, issued_id)
    if balance_max is not None and balance > balance_max:
        balance = await _let_go_of_surplus(
            tx, entry["id"], passbook_id=passbook_id, lot_id=lot_id, points=min(points, balance - balance_max),
            issued_id=issued_id,
        )  # fmt: skip
    return Posted(entry["id"], balance)


async def _let_go_of_surplus(
    tx: Tx, entry_id: int, *, passbook_id: int, lot_id: int, points: int, issued_id: int
) -> int:
    """Take what an entry brought too much out of the lot that it just filled; returns the balance.

    What is refused goes back where it was issued, and there is room for it again in that budget.
    """
    to = await tx.row(SURPLUS_OF, passbook_id, entry_id)
    assert to is not None
    target_id = issued_id
    if to["surplus"] == "pot":
        target_id = await system_account(tx, community_id=to["community_id"], system=rules.pot_of(to["code"]))
    else:
        await tx.run(GIVE_BACK, points, issued_id)
    entry = await tx.row(
        ENTRY, rules.surplus_key(entry_id), to["community_id"], "surplus", to["effective_at"], tx.now,
        tx.actor.person_id, to["member_id"], to["source_room"], to["source_kind"], to["source_id"], "超过存折上限",
        to["surplus"], None, None,
    )  # fmt: skip
    account = await tx.row(TAKE, points, to["account_id"], points)
    assert entry is not None
    assert account is not None
    await take_from_lot(tx, entry_id=entry["id"], lot_id=lot_id, points=points)
    await tx.run(MOVE, entry["id"], to["account_id"], target_id, points, account["balance"], None)
    await tx.run(ADD, points, target_id)
    return int(account["balance"])


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
    return await issue(
        tx,
        kind=OPENING,
        community_id=community_id,
        passbook_id=passbook_id,
        points=points,
        posting_key=openings.posting_key(list_id, position),
        effective_at=effective_at,
        bucket=Bucket(rules.EARNED, expires_on),
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
    """Take points from a passbook's account, soonest to expire first.

    Refuses NotEnoughPoints, where the kind of passbook keeps some back too, NotRedeemable, and UnknownAccount for
    another community's.
    """
    rules.check_amount(points)
    account = await tx.row(SPEND, points, account_id, community_id, points, local_day(tx.now))
    if account is None:
        await refuse_spending(tx, account_id=account_id, points=points, community_id=community_id)
    assert account is not None
    target_id = await system_account(tx, community_id=community_id, system=rules.redeemed(outlet_id))
    entry = await tx.row(
        ENTRY, posting_key, community_id, "order", tx.now, tx.now, tx.actor.person_id, member_id,
        *source, summary, "", None, None,
    )  # fmt: skip
    assert entry is not None
    parts = await lots_for(tx, account_id=account_id, points=points)
    await take_from_lots(tx, entry_id=entry["id"], account_id=account_id, parts=parts)
    await tx.run(MOVE, entry["id"], account_id, target_id, points, account["balance"], None)
    await tx.run(ADD, points, target_id)
    return Posted(entry["id"], account["balance"])


async def refuse_spending(tx: Tx, *, account_id: int, points: int, community_id: int | None = None) -> None:
    """Say why the guard let nothing through."""
    found = await tx.row(SPENDABLE, local_day(tx.now), account_id)
    if found is None or community_id not in (None, found["community_id"]):
        raise UnknownAccount
    if found["closed_at"] is not None:
        raise BookClosed
    if not found["redeemable"]:
        raise NotRedeemable(name=found["name"])
    raise NotEnoughPoints(missing=points - found["points"], unit=found["unit"], decimals=found["decimals"])


async def lots_for(tx: Tx, *, account_id: int, points: int) -> list[LotTaken]:
    """Choose the lots that pay; the account was taken before. Refuses NotEnoughPoints.

    The balance counts what expired since the expiry job last came, base points that stay, and gifts without match.
    """
    today = local_day(tx.now)
    lots = [FreeLot(*lot) for lot in await tx.rows(SPENDABLE_LOTS, account_id, today, LOTS_AT_ONCE)]
    if lots and lots[0].kind != rules.GIFT and lots[0].points >= points:  # nearly always
        return [LotTaken(lots[0].lot_id, points)]
    has_gift = any(lot.kind == rules.GIFT for lot in lots)
    if len(lots) == LOTS_AT_ONCE and (has_gift or sum(lot.points for lot in lots) < points):
        lots = [FreeLot(*lot) for lot in await tx.rows(SPENDABLE_LOTS, account_id, today, MANY_LOTS)]
    most = rules_lots.payable(lots)
    if most < points:
        raise NotEnoughPoints(missing=points - most, **rules.in_unit(await queries.paying(tx, account_id)))
    return rules_lots.allocate(lots, points)
