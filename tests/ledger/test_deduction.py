"""A deduction takes what is there, down to a floor, and never what only seems to be there."""

from datetime import date

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_deduction, actions_holds, rules

pytestmark = pytest.mark.both
TODAY = date(2026, 11, 21)


async def deduct(bank, passbook, points, *, floor=None):
    done = await db.write(
        actions_deduction.deduct, passbook_id=passbook, points=points, floor=floor,
        posting_key=f"deduction:{points}:{floor}", effective_at=bank.clock.now(), member_id=bank.members[passbook],
        version_id=1, source=("awards", "case", 1), summary="楼道堆物",
    )  # fmt: skip
    return done.points


async def hold(bank, passbook, points):
    await db.write(
        actions_holds.hold, account_id=(await bank.passbook(passbook)).account_id, points=points, hold_key="hold-1",
        overdue_at=bank.clock.now(), member_id=bank.members[passbook], source=("redemption", "order", 1),
    )  # fmt: skip


async def test_what_expired_neither_is_taken_nor_stands_in_for_the_floor(bank):
    passbook = await bank.member()
    await bank.award(passbook, 25, expires_on=TODAY)
    await bank.award(passbook, 12)
    bank.clock.advance(hours=24)  # and nobody has expired it yet

    assert await deduct(bank, passbook, 20, floor=10) == 2
    assert await bank.lots(passbook) == [25, 10]


async def test_what_is_held_is_not_there_and_the_kind_says_what_stays_where_nothing_else_does(bank):
    await bank.settle(spend_above=5)
    passbook = await bank.member()
    await bank.award(passbook, 30)
    await hold(bank, passbook, 15)

    assert await deduct(bank, passbook, 40) == 10
    assert await deduct(bank, passbook, 41) == 0
    assert await deduct(bank, passbook, 42, floor=0) == 5
    assert await bank.balance(passbook) == 15


@pytest.mark.parametrize("points", [0, -1, rules.POINTS_MAX + 1])
async def test_an_amount_that_is_none_is_refused(bank, points):
    passbook = await bank.member()
    with pytest.raises(rules.WrongAmount):
        await deduct(bank, passbook, points)
