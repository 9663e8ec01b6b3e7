"""Points leave passbooks because their last day has passed, or because their holder does not want them."""

from collections import Counter

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_flows as queries
from pointsbank.ledger import rules
from pointsbank.ledger.actions import ADD, ENTRY, MOVE, TAKE, Source, system_account
from pointsbank.ledger.actions_flows import HOLD_ACCOUNT, check_nothing_held
from pointsbank.ledger.actions_lots import take_from_lot, take_from_lots
from pointsbank.ledger.rules import NotAsTold, Posted

EXPIRED_AT_ONCE = 400
"""Orders wait for so many, some 100 ms; with fewer 20,000 lots beside a busy counter would take too long."""

EXPIRED_LOTS = f"""
SELECT lot.id, lot.account_id, lot.remaining - lot.held, account.community_id, lot.remaining
  FROM ledger_lot lot
  JOIN ledger_account account ON account.id = lot.account_id
 WHERE lot.remaining > 0 AND lot.remaining > lot.held AND lot.expires_on < ?
 ORDER BY lot.expires_on, lot.id LIMIT {EXPIRED_AT_ONCE}
"""
TAKE_ALL = """
UPDATE ledger_account SET balance = 0 WHERE passbook_id = ? AND balance = ? AND held = 0 RETURNING id, community_id
"""
ALL_LOTS = "SELECT id, remaining FROM ledger_lot WHERE account_id = ? AND remaining > 0 ORDER BY id"


async def expire_due(tx: Tx) -> int:
    """Move what expired before today out of its passbooks; returns how many lots, 0 when all is done.

    What a hold keeps stays until the hold is resolved.
    """
    today = local_day(tx.now)
    accounts = {lot["account_id"] for lot in await tx.rows(EXPIRED_LOTS, today)}
    for account_id in sorted(accounts):
        await tx.run(HOLD_ACCOUNT, account_id)
    # Whoever took from one of them meanwhile has been waited for.
    lots = [lot for lot in await tx.rows(EXPIRED_LOTS, today) if lot["account_id"] in accounts]
    targets: dict[int, int] = {}  # by community
    sums: Counter[int] = Counter()  # by account of the system, whose rows are taken last
    for lot_id, account_id, free, community_id, left in sorted(lots, key=lambda lot: (lot[1], lot[0])):
        points = min(free, rules.POINTS_MAX)  # of a lot that holds more, the rest comes next
        account = await tx.row(TAKE, points, account_id, points)
        assert account is not None
        if community_id not in targets:
            targets[community_id] = await system_account(tx, community_id=community_id, system=rules.EXPIRED)
        # A lot may expire again: what a hold lets go, and what comes in after its last day, even as much once more.
        entry = await tx.row(
            ENTRY, f"expiry:{lot_id}:{left}:{tx.now:%Y%m%d%H%M%S%f}", community_id, "expiry", tx.now, tx.now,
            tx.actor.person_id, None, "ledger", "lot", lot_id, "积分到期", "", None, None,
        )  # fmt: skip
        assert entry is not None
        await take_from_lot(tx, entry_id=entry["id"], lot_id=lot_id, points=points)
        await tx.run(MOVE, entry["id"], account_id, targets[community_id], points, account["balance"], None)
        sums[targets[community_id]] += points
    for target_id, points in sorted(sums.items()):
        await tx.run(ADD, points, target_id)
    return len(lots)


async def give_up(tx: Tx, *, passbook_id: int, points: int, member_id: int, source: Source) -> Posted:
    """Let all of a passbook expire because its holder does not want it; refuses unless it holds what was told.

    Returns the last entry: a passbook that holds more than one may move needs several.
    """
    rules.check_amount(min(points, rules.POINTS_MAX))
    account = await tx.row(TAKE_ALL, passbook_id, points)
    if account is None:
        await check_nothing_held(tx, passbook_id=passbook_id)
        now = await queries.book(tx, passbook_id)
        raise NotAsTold(balance=now.balance, **rules.in_unit(now))
    account_id, community_id = account
    target_id = await system_account(tx, community_id=community_id, system=rules.EXPIRED)
    left, entry_id = points, 0
    while left:
        part = min(left, rules.POINTS_MAX)
        left -= part
        entry = await tx.row(
            ENTRY, f"given-up:{passbook_id}:{tx.now.isoformat()}:{left}", community_id, "expiry", tx.now, tx.now,
            tx.actor.person_id, member_id, *source, "自愿放弃积分", "given_up", None, None,
        )  # fmt: skip
        assert entry is not None
        entry_id = int(entry["id"])
        parts = rules.take_from(await tx.rows(ALL_LOTS, account_id), part)
        await take_from_lots(tx, entry_id=entry_id, account_id=account_id, parts=parts)
        await tx.run(MOVE, entry_id, account_id, target_id, part, left, None)
    await tx.run(ADD, points, target_id)
    return Posted(entry_id, 0)
