"""What a community settles about a kind of passbook holds wherever points come in or go out."""

import asyncio
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions, actions_holds, actions_kinds, actions_reversal, queries
from pointsbank.ledger.rules import AlreadySpent, NotEnoughPoints, NotRedeemable, WrongMatch
from pointsbank.ledger.rules_kinds import (
    BaseUnclear,
    CodeTaken,
    DecimalsFixed,
    HolderFixed,
    KindMoved,
    LimitUnfit,
    MainHasNoDecimals,
    ResetDayUnfit,
    WrongCode,
)
from pointsbank.scoring import scheme_file
from tests.conftest import IN_POINTS

from .conftest import PLAIN

pytestmark = pytest.mark.both

LATER = date(2026, 12, 31)
SCHEMES = Path(__file__).parents[2] / "seed_data" / "scoring"


async def make(bank, code="honour", **changes) -> int:
    settings = msgspec.structs.replace(PLAIN, **changes)
    return await db.write(actions_kinds.make_kind, community_id=bank.community_id, code=code, settings=settings)


async def test_a_person_has_a_passbook_of_each_kind(bank):
    main = await bank.member()
    await make(bank)
    other = {"community_id": bank.community_id, "person_id": bank.members[main], "kind": "honour"}

    opened = await db.write(actions.open_passbook, **other)

    assert opened != main
    assert await db.write(actions.open_passbook, **other) == opened
    found = await queries.passbook_of(person_id=bank.members[main], household_id=None, holder="person")
    assert found.passbook_id == main


async def test_many_who_open_one_passbook_at_once_open_one(bank):
    main = await bank.member()
    await make(bank)
    other = {"community_id": bank.community_id, "person_id": bank.members[main], "kind": "honour"}

    opened = await asyncio.gather(*(db.write(actions.open_passbook, **other) for _ in range(8)))

    assert len(set(opened)) == 1


async def test_points_that_are_not_for_spending_are_neither_spent_nor_held(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await bank.settle(redeemable=False)

    with pytest.raises(NotRedeemable):
        await bank.spend(passbook, 1)
    with pytest.raises(NotRedeemable):
        await hold(bank, passbook, 1)

    assert (await bank.spendable(passbook), await bank.balance(passbook)) == (0, 50)


async def hold(bank, passbook, points):
    account_id = (await bank.passbook(passbook)).account_id
    await db.write(
        actions_holds.hold, account_id=account_id, points=points, hold_key="one", member_id=1,
        overdue_at=bank.clock.now() + timedelta(days=1), source=("tests", "test", 1),
    )  # fmt: skip


async def test_only_what_lies_above_the_threshold_is_spent(bank):
    passbook = await bank.member()
    await bank.award(passbook, 50)
    await bank.settle(spend_above=30)

    assert await bank.spendable(passbook) == 20
    for spending in (bank.spend(passbook, 21), hold(bank, passbook, 21)):
        with pytest.raises(NotEnoughPoints) as refused:
            await spending
        assert refused.value.facts == {"missing": 1, **IN_POINTS}
    assert (await bank.spend(passbook, 20)).balance == 30


async def test_base_points_that_are_not_for_spending_stay(bank):
    passbook = await bank.member()
    await bank.settle(base_points=100, base_every="once")
    await db.write(actions_kinds.give_base_due)
    await bank.award(passbook, 20, expires_on=LATER)

    assert await bank.spendable(passbook) == 20
    with pytest.raises(NotEnoughPoints) as refused:
        await bank.spend(passbook, 21)
    assert refused.value.facts == {"missing": 1, **IN_POINTS}
    assert (await bank.spend(passbook, 20)).balance == 100


async def test_base_points_that_are_for_spending_are_spent(bank):
    passbook = await bank.member()
    await bank.settle(base_points=100, base_every="once", base_redeemable=True)
    await db.write(actions_kinds.give_base_due)

    assert await bank.spendable(passbook) == 100
    assert (await bank.spend(passbook, 100)).balance == 0


@pytest.mark.parametrize(("surplus", "system"), [("pot", {"issued": -70, "pot": 20}), ("refused", {"issued": -50})])
async def test_what_comes_in_above_the_limit_goes_on_at_once(bank, surplus, system):
    passbook = await bank.member()
    await bank.award(passbook, 40)
    await bank.settle(balance_max=50, surplus=surplus)

    posted = await bank.award(passbook, 30, expires_on=LATER)

    assert posted.balance == 50
    assert await bank.lots(passbook) == [10, 40]
    assert await queries.system_balances(bank.community_id) == system
    account_id = (await bank.passbook(passbook)).account_id
    lines = await queries.lines(account_id)
    assert [(line.kind, line.points) for line in lines] == [("surplus", -20), ("award", 30), ("award", 40)]


async def test_a_published_limit_is_reached_and_not_passed(bank):
    """Nanjing's time bank: 个人账户存储上限暂定1500小时，超出部分主要用于捐赠或褒奖."""
    most = scheme_file.parse((SCHEMES / "nanjing-timebank.toml").read_text("utf-8")).balance_max
    assert most == 1_500
    await bank.settle(balance_max=most, surplus="pot")
    passbook = await bank.member()

    balances = [(await bank.award(passbook, hours)).balance for hours in (most - 1, 1, 1)]

    assert balances == [most - 1, most, most]
    assert (await queries.system_balances(bank.community_id))["pot"] == 1


async def test_an_award_is_taken_back_with_its_surplus(bank):
    passbook = await bank.member()
    await bank.settle(balance_max=50, surplus="pot")
    award = await bank.award(passbook, 70)

    await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    assert await bank.balance(passbook) == 0
    assert await queries.system_balances(bank.community_id) == {"issued": 0, "pot": 0}


async def test_an_award_is_clawed_back_with_its_surplus(bank):
    passbook = await bank.member()
    await bank.settle(balance_max=50, surplus="pot")
    award = await bank.award(passbook, 70)
    await bank.spend(passbook, 45)

    clawed = await db.write(actions_reversal.clawback, entry_id=award.entry_id, reason="not_there")

    assert (clawed.points, clawed.shortfall) == (25, 45)


async def test_a_surplus_is_taken_back_once(bank):
    passbook = await bank.member()
    await bank.settle(balance_max=50, surplus="pot")
    award = await bank.award(passbook, 70)
    await bank.spend(passbook, 45)

    for _ in range(2):
        with pytest.raises(AlreadySpent):
            await db.write(actions_reversal.reverse, entry_id=award.entry_id, reason="not_there")

    assert await queries.system_balances(bank.community_id) == {"issued": -70, "pot": 20, "redeemed:1": 45}


async def test_gifts_pay_beside_earned_points_alone(bank):
    passbook = await bank.member()
    await bank.gift(passbook, 40, 50, LATER)

    assert await bank.spendable(passbook) == 0
    with pytest.raises(NotEnoughPoints):
        await bank.spend(passbook, 1)

    await bank.award(passbook, 20)
    assert await bank.spendable(passbook) == 30
    with pytest.raises(NotEnoughPoints) as refused:
        await bank.spend(passbook, 31)
    assert refused.value.facts == {"missing": 1, **IN_POINTS}
    await bank.spend(passbook, 15)
    assert await bank.lots(passbook) == [35, 10]


async def test_a_gift_behind_many_lots_is_found(bank):
    passbook = await bank.member()
    for days in range(6):
        await bank.award(passbook, 10, expires_on=LATER + timedelta(days=days))
    await bank.gift(passbook, 60, 100)

    assert (await bank.spend(passbook, 120)).balance == 0


async def test_a_gift_goes_back_to_its_own_lot(bank):
    passbook = await bank.member()
    await bank.gift(passbook, 40, 100, LATER)
    await bank.award(passbook, 40)
    order = await bank.spend(passbook, 60)

    await db.write(actions_reversal.reverse, entry_id=order.entry_id, reason="wrong_goods")

    assert await bank.lots(passbook) == [40, 40]
    assert await bank.spendable(passbook) == 80


@pytest.mark.parametrize("match_percent", [0, -1, 1_001])
async def test_a_gift_without_a_rate_is_not_given(bank, match_percent):
    passbook = await bank.member()

    with pytest.raises(WrongMatch):
        await bank.gift(passbook, 40, match_percent)


REFUSED = [
    ({"code": "points"}, CodeTaken),
    ({"code": "Honour"}, WrongCode),
    ({"code": "x" * 21}, WrongCode),
    ({"base_points": 10}, BaseUnclear),
    ({"base_every": "year"}, BaseUnclear),
    ({"reset_month": 12}, ResetDayUnfit),
    ({"reset_month": 2, "reset_day": 30}, ResetDayUnfit),
    ({"balance_max": 20, "spend_above": 30}, LimitUnfit),
    ({"balance_max": 20, "base_points": 30, "base_every": "once"}, LimitUnfit),
    ({"balance_max": 1_000_001}, LimitUnfit),
]


@pytest.mark.parametrize(("wrong", "refusal"), REFUSED)
async def test_what_contradicts_itself_is_no_kind(bank, wrong, refusal):
    with pytest.raises(refusal):
        await make(bank, **wrong)

    assert len(await db.rows("SELECT 1 FROM ledger_book_kind")) == 1


async def test_what_is_fixed_is_not_settled_anew(bank):
    kind_id = await make(bank, decimals=2)
    coarser = msgspec.structs.replace(PLAIN, decimals=1)
    change = {"community_id": bank.community_id, "kind_id": kind_id, "version": 1}
    with pytest.raises(DecimalsFixed):
        await db.write(actions_kinds.change_kind, **change, settings=coarser)
    main = await bank.member()
    await db.write(
        actions.open_passbook, community_id=bank.community_id, person_id=bank.members[main], kind="honour"
    )  # fmt: skip

    shared = msgspec.structs.replace(PLAIN, decimals=2, holder="household")
    with pytest.raises(HolderFixed):
        await db.write(actions_kinds.change_kind, **change, settings=shared)
    settings = msgspec.structs.replace(PLAIN, decimals=2)
    await db.write(actions_kinds.change_kind, **change, settings=settings)
    with pytest.raises(KindMoved):
        await db.write(actions_kinds.change_kind, **change, settings=settings)
    with pytest.raises(NotFound):
        await db.write(actions_kinds.change_kind, **(change | {"community_id": 999}), settings=settings)


async def test_main_points_have_no_decimals_and_keep_their_holder(bank):
    with pytest.raises(MainHasNoDecimals):
        await bank.settle(decimals=1)
    with pytest.raises(HolderFixed):
        await bank.settle(holder="household")


async def test_what_has_expired_is_not_what_has_to_stay(bank):
    """The job that lets it lapse has not come yet."""
    passbook = await bank.member()
    await bank.settle(spend_above=15)
    await bank.award(passbook, 20, expires_on=date(2026, 11, 21))
    await bank.award(passbook, 25)
    bank.clock.advance(days=1)
    assert await bank.spendable(passbook) == 10

    with pytest.raises(NotEnoughPoints) as refused:
        await bank.spend(passbook, 11)
    await bank.spend(passbook, 10)

    assert refused.value.facts["missing"] == 1
