"""Something is to come to a passbook that is closed, as never should be: nobody else goes without for it."""

import pytest

from pointsbank.awards import verify
from pointsbank.kit import db
from pointsbank.ledger import actions_budgets

pytestmark = [pytest.mark.both, pytest.mark.tampers]
OF_PERSON = "(SELECT id FROM ledger_passbook WHERE person_id = ?)"


async def shut(person_id: int) -> None:
    """Behind the program's back: each way to it that was found is closed."""

    async def close(tx: db.Tx) -> None:
        sql = f"UPDATE ledger_account SET closed_at = ? WHERE passbook_id = {OF_PERSON}"
        assert await tx.run(sql, tx.now, person_id) == 1

    await db.write(close)


async def told() -> list[str]:
    return [one.what for one in await verify.check(db.rows)]


async def test_the_awards_of_all_others_are_booked_and_verify_tells_of_it(neighbours):
    await neighbours.adopt(notice_days=3)
    gone, other = await neighbours.person(), await neighbours.person()
    for one in (gone, other):
        await neighbours.act(one)
    await neighbours.midnight()
    await shut(gone)

    assert await neighbours.midnight(4) == 1

    assert [await neighbours.balance(one) for one in (gone, other)] == [0, 20]
    assert "an award is to come to a passbook that is closed" in await told()


async def test_so_are_those_that_wait_for_a_budget(neighbours):
    await neighbours.adopt(notice_days=0)
    budget = {"community_id": neighbours.community_id, "year": 2026, "programme": "", "points": 10, "cents": None}
    budget_id = await db.write(actions_budgets.make_budget, **budget)
    gone, other = await neighbours.person(), await neighbours.person()
    for one in (gone, other):
        await neighbours.act(one)
    await shut(gone)

    await db.write(actions_budgets.raise_budget, budget_id=budget_id, points=100, cents=None)
    await neighbours.jobs()

    assert [await neighbours.balance(one) for one in (gone, other)] == [0, 20]
