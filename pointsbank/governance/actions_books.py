"""Budgets, made by people, that awards wait for."""

from pointsbank.awards import actions_settle as awards
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_budgets as ledger
from pointsbank.ledger.rules_budgets import WHOLE


async def make_budget(
    tx: Tx, *, community_id: int, year: int, programme: str, points: int | None, cents: int | None
) -> int:
    """Make a budget; what waits for another's room and belongs to this one waits for it from now on."""
    budget_id = await ledger.make_budget(
        tx, community_id=community_id, year=year, programme=programme, points=points, cents=cents
    )
    if programme != WHOLE:
        await awards.wait_for_its_own(tx, community_id=community_id, budget_id=budget_id, programme=programme)
    return budget_id
