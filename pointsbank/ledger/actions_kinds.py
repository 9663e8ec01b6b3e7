"""Kinds of passbook that a community keeps."""

from pointsbank.kit.db import Tx
from pointsbank.ledger import rules
from pointsbank.ledger.actions_seal import change
from pointsbank.trail import actions as trail

MAKE_MAIN = """
INSERT INTO ledger_book_kind (community_id, code, name, unit, decimals, holder, redeemable, donatable, transferable,
                              surplus, base_points, base_every, base_redeemable, spend_above, carry_over, version)
SELECT id, ?, '积分', '分', 0, holder, TRUE, FALSE, FALSE, 'refused', 0, 'never', FALSE, 0, FALSE, 1
  FROM people_community WHERE id = ? RETURNING id
"""


async def make_main_kind(tx: Tx, *, community_id: int) -> int:
    """The kind that every community has: acts are credited to it, and whose it is the community has said."""
    made = await tx.row(MAKE_MAIN, rules.MAIN, community_id)
    assert made is not None
    await change(tx, what="kind", row_id=made["id"])
    await trail.record(tx, "book_kind.made", subject=("book_kind", made["id"]), code=rules.MAIN)
    return int(made["id"])
