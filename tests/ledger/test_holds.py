"""Points kept for what is not decided yet: resolved once, whole, from the lots that were held."""

import asyncio
from datetime import date, timedelta

import pytest

from pointsbank.kit import db
from pointsbank.ledger import actions_expiry, actions_holds, actions_reversal, queries, verify
from pointsbank.ledger.rules import (
    AlreadyHeld,
    AlreadySpent,
    HoldResolved,
    NotEnoughPoints,
    NotOverdue,
    PointsHeld,
    UnknownAccount,
    UnknownHold,
    WrongAmount,
)
from tests.conftest import IN_POINTS

pytestmark = pytest.mark.both

SOON = date(2026, 11, 22)
LATER = date(2026, 12, 31)


async def hold(bank, passbook, points, key="pick-up:1", **facts):
    account = (await bank.passbook(passbook)).account_id
    usual = {
        "account_id": account,
        "overdue_at": bank.clock.now() + timedelta(days=3),
        "member_id": bank.members[passbook],
        "source": ("requests", "request", 1),
    }
    return await db.write(actions_holds.hold, points=points, hold_key=key, **(usual | facts))


async def capture(key="pick-up:1", posting_key="captured:1"):
    return await db.write(
        actions_holds.capture, hold_key=key, outlet_id=1, posting_key=posting_key, summary="自提 食用盐"
    )  # fmt: skip


async def spendable(bank, passbook) -> int:
    account = (await bank.passbook(passbook)).account_id
    return await queries.spendable(None, account, today=date(2026, 11, 21))


async def test_what_is_held_is_still_there_and_cannot_be_spent(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)

    await hold(bank, passbook, 30)

    assert await bank.balance(passbook) == 50
    assert await spendable(bank, passbook) == 20
    with pytest.raises(NotEnoughPoints) as refused:
        await bank.spend(passbook, 24)
    assert refused.value.facts == {"missing": 4, **IN_POINTS}


async def test_a_capture_takes_the_lots_that_were_held(bank):
    passbook = await bank.member()
    await bank.award(passbook, 30, expires_on=LATER)
    await hold(bank, passbook, 20)
    await bank.award(passbook, 10, expires_on=SOON)

    captured = await capture()

    assert captured.balance == 20
    assert await bank.lots(passbook) == [10, 10]
    assert await queries.system_balances(bank.community_id) == {"issued": -40, "redeemed:1": 20}


@pytest.mark.parametrize("how", ["release", "lapse"])
async def test_points_that_are_let_go_can_be_spent_again(bank, how):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30, overdue_at=bank.clock.now())

    await db.write(getattr(actions_holds, how), hold_key="pick-up:1")

    assert (await bank.spend(passbook, 50)).balance == 0


async def test_a_hold_does_not_lapse_before_its_time(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30)

    with pytest.raises(NotOverdue):
        await db.write(actions_holds.lapse, hold_key="pick-up:1")

    assert await spendable(bank, passbook) == 20


@pytest.mark.parametrize("first", ["capture", "release", "lapse"])
@pytest.mark.parametrize("second", ["capture", "release", "lapse"])
async def test_a_hold_is_resolved_once(bank, first, second):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30, overdue_at=bank.clock.now())
    ways = {
        "capture": capture,
        "release": lambda: db.write(actions_holds.release, hold_key="pick-up:1"),
        "lapse": lambda: db.write(actions_holds.lapse, hold_key="pick-up:1"),
    }
    await ways[first]()
    before = await bank.balance(passbook)

    with pytest.raises(HoldResolved):
        await ways[second]()

    assert await bank.balance(passbook) == before


async def test_one_thing_is_held_for_once(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 10)

    with pytest.raises(AlreadyHeld):
        await hold(bank, passbook, 10)

    assert await spendable(bank, passbook) == 40


async def test_held_points_do_not_expire_and_then_they_do(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50, expires_on=SOON)
    await hold(bank, passbook, 30)
    bank.clock.advance(days=2)

    await db.write(actions_expiry.expire_due)
    kept = await bank.balance(passbook)
    await db.write(actions_holds.release, hold_key="pick-up:1")
    await db.write(actions_expiry.expire_due)

    assert (kept, await bank.balance(passbook)) == (30, 0)


async def test_held_points_do_not_cover_a_reversal(bank):
    passbook = await bank.member()
    award = await bank.award(passbook, 50)
    await hold(bank, passbook, 30)

    with pytest.raises(AlreadySpent) as refused:
        await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    assert refused.value.facts == {"missing": 30, **IN_POINTS}


async def test_a_passbook_with_held_points_is_not_given_up(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30)

    with pytest.raises(PointsHeld) as refused:
        await db.write(
            actions_expiry.give_up, passbook_id=passbook, points=50, member_id=1, source=("tests", "test", 1)
        )  # fmt: skip

    assert refused.value.facts == {"held": 30, "which": "1", **IN_POINTS}


@pytest.mark.parametrize("points", [0, -5, 1_000_001, 2.5, True])
async def test_an_amount_that_is_none_is_not_held_spent_or_issued(bank, points):
    passbook = await bank.member()
    await bank.award(passbook, 50)

    for attempt in (hold(bank, passbook, points), bank.spend(passbook, points), bank.award(passbook, points)):
        with pytest.raises(WrongAmount):
            await attempt

    assert await spendable(bank, passbook) == 50


async def test_what_is_not_there_is_neither_held_nor_resolved(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)

    with pytest.raises(UnknownAccount):
        await hold(bank, passbook, 10, account_id=999)
    with pytest.raises(UnknownHold):
        await capture("pick-up:999")


async def test_what_is_held_is_not_held_again(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30)

    with pytest.raises(NotEnoughPoints) as refused:
        await hold(bank, passbook, 24, key="pick-up:2")

    assert refused.value.facts == {"missing": 4, **IN_POINTS}


@pytest.mark.parametrize("ways", [2, 8, 64])
async def test_of_many_who_resolve_one_hold_at_once_one_does(bank, ways):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30, overdue_at=bank.clock.now())
    resolve = (
        lambda number: capture(posting_key=f"captured:{number}"),
        lambda _: db.write(actions_holds.release, hold_key="pick-up:1"),
        lambda _: db.write(actions_holds.lapse, hold_key="pick-up:1"),
    )

    outcomes = await asyncio.gather(
        *(resolve[number % 3](number) for number in range(ways)), return_exceptions=True
    )  # fmt: skip

    assert [type(outcome) for outcome in outcomes].count(HoldResolved) == ways - 1
    assert await bank.balance(passbook) in (20, 50)


async def test_holds_and_orders_share_what_is_there(bank):
    passbook = await bank.member()
    await bank.award(passbook, 100)

    outcomes = await asyncio.gather(
        *(hold(bank, passbook, 7, key=f"pick-up:{number}") for number in range(20)),
        *(bank.spend(passbook, 7) for _ in range(20)),
        return_exceptions=True,
    )

    assert sum(not isinstance(outcome, Exception) for outcome in outcomes) == 14
    assert await spendable(bank, passbook) == 2


async def test_verify_names_a_hold_that_is_a_day_overdue(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30)
    bank.clock.advance(days=4)
    in_time = (await verify.verify()).overdue_holds
    bank.clock.advance(seconds=1)

    assert in_time == []
    assert (await verify.verify()).overdue_holds == ["pick-up:1"]


TAMPERINGS = {
    "an account": "UPDATE ledger_account SET held = held - 1 WHERE held > 0",
    "a lot": "UPDATE ledger_lot SET held = held - 1 WHERE held > 0",
    "a hold": "UPDATE ledger_hold SET points = points + 1",
}


@pytest.mark.tampers
@pytest.mark.parametrize("what", TAMPERINGS)
async def test_verify_finds_a_hold_that_was_tampered_with(bank, what):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await hold(bank, passbook, 30)
    assert (await verify.verify()).is_clean

    async def tamper(tx):
        await tx.run(TAMPERINGS[what])

    await db.write(tamper)

    assert {finding.invariant for finding in (await verify.verify()).findings} >= {11}
