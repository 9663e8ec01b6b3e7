"""Refusals tell points as the passbook writes them: with the unit and the decimals of its kind, in both languages."""

from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import (
    actions,
    actions_expiry,
    actions_flows,
    actions_holds,
    actions_kinds,
    actions_reversal,
    actions_vouchers,
    queries,
)
from pointsbank.ledger.rules import NEVER, POINTS_MAX, Bucket, NotEnoughPoints, WrongAmount
from pointsbank.ledger.rules_flows import What
from pointsbank.people.access import Role
from pointsbank.web import current, i18n
from tests.ledger.conftest import PLAIN
from tests.ledger.test_vouchers import agree
from tests.world import World

pytestmark = pytest.mark.both

COINS = msgspec.structs.replace(
    PLAIN, name="志愿币", unit="志愿币", decimals=2, transferable=True, donatable=True, balance_max=1_000_00
)


class Town:
    """Two members with a passbook of a kind that counts hundredths; the first has 1.50."""

    world: World
    person: int
    other: int
    book: int
    account: int

    async def give(self, points: int, to: int | None = None) -> int:
        admin, _ = await self.world.staff(Role.COMMUNITY_ADMIN)
        what = What.DONATION if to is None else What.TRANSFER
        voucher_id = await db.write(
            actions_vouchers.hand_over, actor=admin, community_id=self.world.home.id, what=what, from_id=self.book,
            to_person=to, points=points, how="paper",
        )  # fmt: skip
        if to is not None:
            await agree(self.world, voucher_id)
        return voucher_id

    async def spend(self, points: int) -> None:
        await db.write(
            actions.spend, community_id=self.world.home.id, account_id=self.account, points=points, outlet_id=1,
            posting_key=f"order:{points}", member_id=self.person, source=("redemption", "order", 1), summary="兑换",
        )  # fmt: skip

    async def hold(self, points: int) -> None:
        await db.write(
            actions_holds.hold, account_id=self.account, points=points, hold_key="one", member_id=self.person,
            overdue_at=self.world.clock.now() + timedelta(days=1), source=("tests", "test", 1),
        )  # fmt: skip

    async def give_up(self, points: int) -> None:
        await db.write(
            actions_expiry.give_up, passbook_id=self.book, points=points, member_id=self.person,
            source=("governance", "person", self.person),
        )  # fmt: skip

    async def reverse_first(self) -> None:
        found = await db.row("SELECT id FROM ledger_entry WHERE kind = 'award' ORDER BY id LIMIT 1")
        await db.write(actions_reversal.reverse, entry_id=found["id"], reason="twice")


@pytest.fixture
async def town(database, settings, clock):
    made = Town()
    made.world = world = await World(clock, settings).found(count=1)
    await db.write(actions_kinds.make_kind, community_id=world.home.id, code="coins", settings=COINS)
    made.person, made.other = await world.person("测试甲"), await world.person("测试乙")
    made.book = await db.write(
        actions.open_passbook, community_id=world.home.id, person_id=made.person, kind="coins"
    )  # fmt: skip
    made.account = (await queries.passbook(made.book)).account_id
    await world.credit(made.book, made.person, 150)
    return made


@asynccontextmanager
async def reading_english():
    token = current.scope.set({"type": "http", "headers": [], "locale": "en"})
    try:
        yield
    finally:
        current.scope.reset(token)


async def told(doing) -> tuple[Refusal, str, str]:
    with pytest.raises(Refusal) as refused:
        await doing
    async with reading_english():
        english = i18n.t(refused.value)
    return refused.value, i18n.t(refused.value), english


async def test_what_is_not_there_is_told_in_the_unit_of_the_kind(town):
    for doing in (town.spend(200), town.hold(200), town.give(200)):
        refusal, chinese, english = await told(doing)
        assert (refusal.code, refusal.facts["missing"]) == ("ledger.not_enough_points", 50)
        assert (refusal.facts["unit"], refusal.facts["decimals"]) == ("志愿币", 2)
        assert (chinese, english) == ("还差 0.50 志愿币。", "0.50 志愿币 short.")


async def test_what_does_not_fit_what_is_held_and_what_is_left_are_told_in_it(town):
    target = await db.write(
        actions.open_passbook, community_id=town.world.home.id, person_id=town.other, kind="coins"
    )  # fmt: skip
    await town.world.credit(target, town.other, 1_000_00)
    assert (await told(town.give(1, to=town.other)))[1] == "那本存折最多存 1,000.00 志愿币，放不下这一笔。请减少分数。"
    assert "还有 1.50 志愿币，不能销户" in (await told(db.write(actions_flows.close, passbook_id=town.book)))[1]
    assert "存折现在是 1.50 志愿币" in (await told(town.give_up(149)))[1]
    await town.hold(25)
    assert (await told(town.give_up(150)))[1].startswith("存折里有 0.25 志愿币 为还没办完的事留着")
    refusal, _, english = await told(town.reverse_first())
    assert refusal.code == "ledger.already_spent"
    assert english.startswith("The passbook is 0.25 志愿币 short")


async def test_what_may_be_given_is_told_in_it(town):
    await town.give(50)
    kind = await db.row("SELECT kind_id FROM ledger_passbook WHERE id = ?", town.book)
    await db.write(
        actions.issue, kind="base", community_id=town.world.home.id, passbook_id=town.book, points=75,
        posting_key="base:1", effective_at=town.world.clock.now(), bucket=Bucket("base", NEVER),
        member_id=town.person, version_id=None, source=("ledger", "book_kind", kind[0]), summary="测试",
    )  # fmt: skip
    assert "现在有 1.00 志愿币；" in (await told(town.give(101)))[1]


async def test_an_amount_out_of_bounds_is_told_the_bounds_in_it(town):
    for points in (0, POINTS_MAX + 1):
        refusal, chinese, _ = await told(town.give(points))
        assert isinstance(refusal, WrongAmount)
        assert chinese == "一笔最少 0.01 志愿币，最多 10,000.00 志愿币。"


async def test_a_refusal_that_was_stored_before_units_were_told_still_reads(town):
    assert i18n.t(NotEnoughPoints(missing=14)) == "还差 14 分。"
    assert i18n.t(NotEnoughPoints()) == "还差 …。"
    async with reading_english():
        assert i18n.t(NotEnoughPoints(missing=1)) == "1 point short."


async def test_a_passbook_that_holds_more_than_one_entry_may_move_is_given_up_and_closed(town):
    account = await db.write(actions.open_passbook, community_id=town.world.home.id, person_id=town.person)
    for _ in range(3):
        await town.world.credit(account, town.person, 700_000)
    town.book = account

    await town.give_up(2_100_000)
    await db.write(actions_flows.close, passbook_id=account)

    lines = await queries.lines((await queries.passbook(account)).account_id, limit=4)
    assert [(line.points, line.balance_after) for line in lines[:3]] == [
        (-100_000, 0), (-1_000_000, 100_000), (-1_000_000, 1_100_000),
    ]  # fmt: skip
