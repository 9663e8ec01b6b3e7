"""Points that follow their holders to another passbook. Only governance calls these."""

import msgspec

from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_flows as queries
from pointsbank.ledger.actions_flows import book, check_nothing_held, hold_books
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.actions_vouchers import draw
from pointsbank.ledger.rules import POINTS_MAX
from pointsbank.ledger.rules_flows import JoiningChanged, What

JOINING = "INSERT INTO ledger_joining (voucher_id, approval_id) VALUES (?, ?) RETURNING id"


class Agreed(msgspec.Struct, frozen=True):
    """To what a second person agreed, used up in the same transaction: the points of each passbook that is left."""

    approval_id: int
    maker_id: int
    points: dict[int, int]


async def carry_over(
    tx: Tx, *, from_id: int, to_id: int, points: int | None, member_id: int, reason: str, agreed: Agreed | None = None
) -> None:
    """Let points (None: all) follow their holders to another passbook.

    Refuses PointsHeld where all are to go and some are held, NotEnoughPoints, and JoiningChanged where a second person
    agreed to other points than there are.
    """
    await hold_books(tx, passbook_ids=(from_id, to_id))
    source = await queries.book(tx, from_id)
    if agreed is not None and agreed.points[from_id] != source.balance:
        raise JoiningChanged
    if points is None:
        await check_nothing_held(tx, passbook_id=from_id)
        points = source.balance
    while points:
        part = min(points, POINTS_MAX)
        voucher = await draw(
            tx, community_id=source.community_id, what=What.JOINING, from_id=from_id, to_id=to_id, points=part,
            member_id=member_id, reason=reason, made_by=None if agreed is None else agreed.maker_id,
        )  # fmt: skip
        if agreed is not None:
            joining = await tx.row(JOINING, voucher.id, agreed.approval_id)
            assert joining is not None
            await change(tx, what="joining", row_id=joining["id"])
            voucher = await queries.voucher_in(tx, voucher.id)
        await book(tx, voucher=voucher)
        points -= part
