"""Gifts that were asked for together are decided together; each is a voucher with an approval of its own."""

from pointsbank.approvals.rules import FactsChanged, facts_hash
from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_flows as queries
from pointsbank.ledger.actions_vouchers import give, refuse, withdraw
from pointsbank.ledger.rules_flows import Voucher, VoucherMoved


async def give_gifts(tx: Tx, *, batch_id: int, seen: str) -> int:
    """Agree to all gifts of a batch as they were seen, and book them; returns how many."""
    asked = await _asked_together(tx, batch_id)
    if facts_hash([voucher.facts for voucher in asked]) != seen:
        raise FactsChanged
    for voucher in asked:
        await give(tx, voucher_id=voucher.id, seen=facts_hash(voucher.facts))
    return len(asked)


async def refuse_gifts(tx: Tx, *, batch_id: int, reason: str) -> None:
    for voucher in await _asked_together(tx, batch_id):
        await refuse(tx, voucher_id=voucher.id, reason=reason)


async def withdraw_gifts(tx: Tx, *, batch_id: int) -> None:
    for voucher in await _asked_together(tx, batch_id):
        await withdraw(tx, voucher_id=voucher.id)


async def _asked_together(tx: Tx, batch_id: int) -> list[Voucher]:
    asked = [voucher for voucher in await queries.batch_in(tx, batch_id) if voucher.state == "asked"]
    if not asked:
        raise VoucherMoved
    return asked
