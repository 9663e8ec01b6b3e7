"""Budgets of a year are made and raised, points are taken from them, and it is said what a point is worth."""

from datetime import date

import msgspec

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions_seal as seals
from pointsbank.ledger import queries_budgets as queries
from pointsbank.ledger import rules_budgets as rules
from pointsbank.ledger.actions import GIVE_BACK, system_account
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_budgets import BudgetExists, BudgetMoved, BudgetYear, NoCeiling, NoRate, RateInThePast
from pointsbank.trail import actions as trail

MAKE = """
INSERT INTO ledger_budget (community_id, year, programme, account_id, ceiling_points, ceiling_cents, cents_per_100,
                           issued, made_by, made_at)
VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?) ON CONFLICT (community_id, year, programme) DO NOTHING RETURNING id
"""
RAISE = """
UPDATE ledger_budget SET ceiling_points = ?, ceiling_cents = ?
 WHERE id = ? AND COALESCE(ceiling_points, 0) = ? AND COALESCE(ceiling_cents, 0) = ?
"""
# The budget of the programme goes before that of the whole community.
FIND = """
SELECT id, account_id FROM ledger_budget WHERE community_id = ? AND year = ? AND programme IN (?, '')
 ORDER BY programme DESC LIMIT 1
"""
TAKE = """
UPDATE ledger_budget SET issued = issued + ?
 WHERE id = ? AND (ceiling_points IS NULL OR issued + ? <= ceiling_points)
   AND (ceiling_cents IS NULL OR (issued + ?) * cents_per_100 <= ceiling_cents * 100)
"""
SET_RATE = """
INSERT INTO ledger_rate (community_id, book_kind, from_day, cents_per_100, set_by, set_at)
SELECT community_id, code, ?, ?, ?, ? FROM ledger_book_kind WHERE community_id = ? AND code = ? RETURNING id
"""


class Grant(msgspec.Struct, frozen=True):
    """What a budget said: the account to issue from, None where nothing limits; `budget_id` is of one without room."""

    account_id: int | None = None
    budget_id: int | None = None


async def take(tx: Tx, *, community_id: int, programme: str, points: int) -> Grant:
    """Take points from this year's budget. What it has no room for is not refused: the award waits."""
    budget = await tx.row(FIND, community_id, local_day(tx.now).year, programme)
    if budget is None:
        return Grant()
    if await tx.run(TAKE, points, budget["id"], points, points) != 1:
        return Grant(budget_id=budget["id"])
    return Grant(account_id=budget["account_id"])


async def give_back(tx: Tx, *, account_id: int, points: int) -> None:
    """Points that were issued are taken back: there is room for them again, if a budget had issued them."""
    await tx.run(GIVE_BACK, points, account_id)


async def make_budget(
    tx: Tx, *, community_id: int, year: int, programme: str, points: int | None, cents: int | None
) -> int:
    """Limit what a year's awards may issue; what was booked before in that year does not count."""
    today = local_day(tx.now)
    if year not in (today.year, today.year + 1):
        raise BudgetYear
    if points is None and cents is None:
        raise NoCeiling
    rate = None if cents is None else await queries.rate_on(tx, community_id, today)
    if cents is not None and rate is None:
        raise NoRate
    system = rules.issued_under(year, programme)
    account_id = await system_account(tx, community_id=community_id, system=system)
    made = await tx.row(
        MAKE, community_id, year, programme, account_id, points, cents, rate, tx.actor.person_id, tx.now
    )  # fmt: skip
    if made is None:
        raise BudgetExists
    await seals.change(tx, what="budget", row_id=made["id"])
    await trail.record(
        tx, "budget.made", subject=("budget", made["id"]), year=year, programme=programme, points=points, cents=cents
    )
    return int(made["id"])


async def raise_budget(tx: Tx, *, budget_id: int, points: int | None, cents: int | None) -> None:
    budget = await queries.budget_in(tx, budget_id)
    if budget is None:
        raise NotFound
    rules.check_raised(budget, points, cents)
    before = budget.ceiling_points or 0, budget.ceiling_cents or 0
    if await tx.run(RAISE, points, cents, budget_id, *before) != 1:
        raise BudgetMoved
    await seals.change(tx, what="budget", row_id=budget_id)
    await trail.record(tx, "budget.raised", subject=("budget", budget_id), points=points, cents=cents)


async def set_rate(tx: Tx, *, community_id: int, from_day: date, cents_per_100: int, book_kind: str = MAIN) -> None:
    """Say what 100 points of a kind are worth from a day on. Days before keep what they were worth."""
    assert 0 < cents_per_100 <= rules.RATE_MAX
    if from_day < local_day(tx.now):
        raise RateInThePast
    said = (from_day, cents_per_100, tx.actor.person_id, tx.now)
    rate = await tx.row(SET_RATE, *said, community_id, book_kind)
    if rate is None:
        raise NotFound
    await seals.change(tx, what="rate", row_id=rate["id"])
    await trail.record(
        tx, "rate.set", subject=("community", community_id), book_kind=book_kind, from_day=from_day.isoformat(),
        cents_per_100=cents_per_100,
    )  # fmt: skip
