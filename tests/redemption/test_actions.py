"""Orders on the real database: what moves, what is refused, and that a refusal moves nothing."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from pointsbank.kit import codes, db
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import KeyReused, NotFound
from pointsbank.ledger import queries as ledger_queries
from pointsbank.ledger import rules as ledger_rules
from pointsbank.ledger.rules import NEVER
from pointsbank.people import actions as people
from pointsbank.people import actions_cards as cards
from pointsbank.people.rules import (
    CardLost,
    CardReplaced,
    PaymentCode,
    TypedNumber,
    UnknownCode,
)
from pointsbank.redemption import actions
from pointsbank.redemption.rules import (
    BasketUnfit,
    Line,
    NoSuchVisit,
    NotEnoughPoints,
    NothingEarned,
    OverDailyLimit,
    OverMonthlyLimit,
    OwnHousehold,
    UnknownGood,
    VisitOrCode,
    VisitOver,
)
from pointsbank.stock.rules import OutOfStock
from pointsbank.trail import queries as trail
from tests.conftest import IN_POINTS

WROTE = ("redemption_order", "redemption_order_line", "stock_move", "ledger_entry", "redemption_visit", "trail_record")


async def everything(shop):
    return {table: await shop.count(table) for table in WROTE}


@pytest.mark.both
async def test_an_order_moves_goods_and_points_together(shop):
    member, salt = await shop.member(30), await shop.good(points=5, in_stock=10)
    made = await shop.order((salt, 3), member=member)
    assert (made.points, made.balance_before, made.balance_after) == (15, 30, 15)
    assert [(line.good_id, line.name, line.quantity, line.points) for line in made.lines] == [(salt, "食用盐", 3, 15)]
    assert await shop.balance(member) == 15
    assert await shop.stock(salt) == 7
    passbook = await shop.passbook(member.person_id)
    line = (await ledger_queries.lines(passbook.account_id))[0]
    assert (line.points, line.summary, line.member_id) == (-15, "兑换 食用盐 3 件", member.person_id)
    assert (line.source_room, line.source_kind, line.source_id) == ("redemption", "order", made.order_id)
    assert [record.verb for record in await trail.history(("order", made.order_id))] == ["order.made"]


async def test_what_keeps_least_long_goes_first_and_points_that_expire_soonest_too(shop):
    member, salt = await shop.member(), await shop.good(in_stock=0)
    await shop.award(member.person_id, 20, NEVER)
    await shop.award(member.person_id, 20, date(2026, 12, 31))
    await shop.receive(salt, 5)
    await shop.receive(salt, 2, best_before=date(2027, 5, 1))
    await shop.receive(salt, 2, best_before=date(2027, 1, 1))
    await shop.order((salt, 5), member=member)
    assert await shop.lots(salt) == [4, 0, 0]
    left = await db.rows("SELECT remaining FROM ledger_lot ORDER BY id")
    assert [row["remaining"] for row in left] == [15, 0]


@pytest.mark.both
async def test_one_visit_serves_several_orders_until_it_ends(shop, clock):
    member, salt = await shop.member(30), await shop.good(points=5)
    visit = await shop.visit(member)
    assert (visit.person_id, visit.code_kind) == (member.person_id, "card")
    assert (visit.available_points, visit.left_today) == (30, 200)
    await shop.order((salt, 1), visit=visit.visit_id)
    clock.advance(minutes=9, seconds=59)
    await shop.order((salt, 1), visit=visit.visit_id)
    clock.advance(seconds=1)
    with pytest.raises(VisitOver):
        await shop.order((salt, 1), visit=visit.visit_id)
    assert await shop.balance(member) == 20


async def test_a_visit_belongs_to_its_counter_and_staff_person(shop):
    member, salt = await shop.member(30), await shop.good()
    visit = await shop.visit(member)
    with pytest.raises(NoSuchVisit):
        await shop.order((salt, 1), visit=visit.visit_id, counter_id=shop.other_counter_id)
    with pytest.raises(NoSuchVisit):
        await shop.order((salt, 1), visit=visit.visit_id, staff=shop.colleague)
    with pytest.raises(NoSuchVisit):
        await shop.order((salt, 1), visit=visit.visit_id + 1)
    assert await shop.count("redemption_order") == 0


async def test_a_card_lost_between_visit_and_order_ends_the_visit(shop, clock):
    member, salt = await shop.member(30), await shop.good()
    visit = await shop.visit(member)
    clock.advance(minutes=1)
    await db.write(cards.report_lost, person_id=member.person_id)
    with pytest.raises(CardLost):
        await shop.order((salt, 1), visit=visit.visit_id)
    await shop.card(member.person_id)
    with pytest.raises(CardLost):
        await shop.order((salt, 1), visit=visit.visit_id)
    assert await shop.balance(member) == 30


async def test_an_old_card_opens_no_visit_and_a_new_one_does_at_once(shop):
    member, salt = await shop.member(30), await shop.good()
    new = await shop.card(member.person_id)
    with pytest.raises(CardReplaced):
        await shop.order((salt, 1), member=member)
    await db.write(
        actions.open_visit,
        actor=shop.staff,
        counter_id=shop.counter_id,
        code=new,
        community_ids=(shop.community_id,),
    )


@pytest.mark.parametrize(
    ("code", "refusal"),
    [("134500000000000001", PaymentCode), ("", UnknownCode), ("536062571", TypedNumber), ("8" * 20, UnknownCode)],
)
async def test_what_is_no_member_code_opens_nothing(shop, code, refusal):
    number = codes.new_member_number() if refusal is TypedNumber else code
    before = await everything(shop)
    with pytest.raises(refusal):
        await db.write(
            actions.open_visit,
            actor=shop.staff,
            request_key="scan-0001",
            counter_id=shop.counter_id,
            code=number,
            community_ids=(shop.community_id,),
        )
    assert await everything(shop) == before


async def test_of_a_payment_code_nothing_is_stored(shop):
    with pytest.raises(PaymentCode):
        await db.write(
            actions.open_visit,
            actor=shop.staff,
            request_key="scan-0002",
            counter_id=shop.counter_id,
            code="134500000000000001",
            community_ids=(shop.community_id,),
        )
    assert await db.rows("SELECT * FROM command WHERE request_key = 'scan-0002'") == []


async def test_a_member_who_earned_nothing_yet_is_told_what_to_do(shop):
    member, salt = await shop.member(), await shop.good()
    with pytest.raises(NothingEarned):
        await shop.order((salt, 1), member=member)


async def test_nobody_serves_himself_or_his_household(shop):
    salt = await shop.good()
    home = await shop.household()
    clerk, wife = await shop.member(30, household_id=home), await shop.member(30, household_id=home)
    for member in (clerk, wife):
        with pytest.raises(OwnHousehold):
            await shop.order((salt, 1), member=member, staff=Actor(clerk.person_id))
        with pytest.raises(OwnHousehold):
            await shop.visit(member, staff=Actor(clerk.person_id))
    assert await shop.count("redemption_visit") == 0


async def test_a_counter_of_another_community_does_not_exist(shop, open_shop):
    elsewhere = await open_shop()
    member, salt = await shop.member(30), await shop.good()
    foreign = await elsewhere.member(30)
    with pytest.raises(NotFound):
        await shop.order((salt, 1), member=member, counter_id=elsewhere.counter_id)
    with pytest.raises(UnknownCode):
        await shop.order((salt, 1), member=foreign)
    with pytest.raises(UnknownGood):
        await shop.order((await elsewhere.good(), 1), member=member)


@pytest.mark.both
async def test_not_enough_points_says_what_to_leave_out_and_keeps_nothing(shop):
    member = await shop.member(70)
    rice, tissue = await shop.good("东北大米", 60), await shop.good("抽纸", 15)
    before = await everything(shop)
    with pytest.raises(NotEnoughPoints) as refused:
        await shop.order((rice, 1), (tissue, 1), member=member)
    assert refused.value.facts == {"missing": 5, "names": "抽纸", "points": 15, "drop": f"{tissue}:1", **IN_POINTS}
    assert await everything(shop) == before
    assert await shop.count("redemption_limit_use") == 0


async def test_points_that_expired_are_not_counted(shop, clock):
    member, salt = await shop.member(), await shop.good(points=5)
    await shop.award(member.person_id, 30, date(2026, 11, 21))
    clock.advance(days=1)
    with pytest.raises(NotEnoughPoints) as refused:
        await shop.order((salt, 1), member=member)
    assert refused.value.facts["missing"] == 5


async def test_a_good_out_of_stock_is_named_and_nothing_else_moves(shop):
    member = await shop.member(100)
    salt, rice = await shop.good("食用盐", 5, in_stock=5), await shop.good("东北大米", 20, in_stock=1)
    before = await everything(shop)
    with pytest.raises(OutOfStock) as refused:
        await shop.order((salt, 1), (rice, 2), member=member)
    assert refused.value.facts == {"good_id": rice, "name": "东北大米"}
    assert await everything(shop) == before
    assert (await shop.stock(salt), await shop.stock(rice)) == (5, 1)
    assert await shop.count("redemption_limit_use") == 0


@pytest.mark.both
async def test_points_of_a_day_are_limited_to_the_last_point_and_begin_anew_at_midnight(shop, clock):
    member, rice = await shop.member(500), await shop.good("东北大米", 50, in_stock=50)
    await shop.order((rice, 3), member=member)
    with pytest.raises(OverDailyLimit) as refused:
        await shop.order((rice, 2), member=member)
    assert refused.value.facts == {"left": 50, "points": 100, **IN_POINTS}
    await shop.order((rice, 1), member=member)
    clock.set(datetime(2026, 11, 21, 15, 59, 59, tzinfo=UTC))
    with pytest.raises(OverDailyLimit):
        await shop.order((rice, 1), member=member)
    clock.set(datetime(2026, 11, 21, 16, 0, tzinfo=UTC))
    await shop.order((rice, 4), member=member)
    with pytest.raises(OverDailyLimit):
        await shop.order((rice, 1), member=member)
    with pytest.raises(OverDailyLimit):
        await shop.order((rice, 5), member=await shop.member(500))


@pytest.mark.both
async def test_pieces_of_a_month_are_limited_and_begin_anew_on_the_first(shop, clock):
    member, tissue = await shop.member(500), await shop.good("抽纸", 15, monthly_max=2)
    other = await shop.member(500)
    await shop.order((tissue, 1), member=member)
    with pytest.raises(OverMonthlyLimit) as refused:
        await shop.order((tissue, 2), member=member)
    assert refused.value.facts == {"good_id": tissue, "name": "抽纸", "unit": "袋", "most": 2, "used": 1}
    await shop.order((tissue, 1), member=member)
    clock.set(datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC))
    with pytest.raises(OverMonthlyLimit):
        await shop.order((tissue, 1), member=member)
    await shop.order((tissue, 2), member=other)
    with pytest.raises(OverMonthlyLimit):
        await shop.order((tissue, 3), member=await shop.member(500))
    clock.set(datetime(2026, 11, 30, 16, 0, tzinfo=UTC))
    await shop.order((tissue, 2), member=member)


async def test_a_limit_set_within_the_month_counts_what_was_taken_before(shop):
    member, tissue = await shop.member(100), await shop.good("抽纸", 15)
    await shop.order((tissue, 2), member=member)
    await db.write(
        actions.stock.change_good, good_id=tissue, name="抽纸", unit="提", points=15, monthly_max=2, low_at=0
    )
    with pytest.raises(OverMonthlyLimit):
        await shop.order((tissue, 1), member=member)


async def test_a_household_shares_its_passbook_and_its_limits(open_shop):
    shop = await open_shop(holder="household")
    home = await shop.household()
    first = await shop.member(100, household_id=home)
    second = await shop.member(household_id=home)
    tissue = await shop.good("抽纸", 15, monthly_max=1)
    made = await shop.order((tissue, 1), member=second)
    assert (made.balance_before, made.balance_after) == (100, 85)
    with pytest.raises(OverMonthlyLimit):
        await shop.order((tissue, 1), member=first)


@pytest.mark.both
async def test_a_repeat_gets_the_first_answer_and_moves_nothing(shop):
    member, salt = await shop.member(30), await shop.good(points=5)
    made = await shop.order((salt, 1), member=member, key="order-0001")
    before = await everything(shop)
    assert await shop.order((salt, 1), member=member, key="order-0001") == made
    assert await everything(shop) == before
    with pytest.raises(KeyReused):
        await shop.order((salt, 2), member=member, key="order-0001")
    assert await shop.balance(member) == 25


async def test_a_refusal_stays_the_answer_to_its_key(shop):
    member, salt = await shop.member(4), await shop.good(points=5)
    for _ in range(2):
        with pytest.raises(NotEnoughPoints):
            await shop.order((salt, 1), member=member, key="order-0002")
        await shop.award(member.person_id, 10)
    await shop.order((salt, 1), member=member, key="order-0003")


async def test_stored_answers_hold_no_names(shop):
    member, salt = await shop.member(30), await shop.good()
    await shop.order((salt, 1), member=member, key="order-0004")
    stored = await db.row("SELECT answer FROM command WHERE request_key = 'order-0004'")
    assert "测试甲" not in bytes(stored["answer"]).decode()
    assert member.code not in bytes(stored["answer"]).decode()


async def test_exactly_one_of_visit_and_code_is_wanted(shop):
    member, salt = await shop.member(30), await shop.good()
    with pytest.raises(VisitOrCode):
        await shop.order((salt, 1))
    with pytest.raises(VisitOrCode):
        await shop.order((salt, 1), member=member, visit=1)
    with pytest.raises(BasketUnfit):
        await shop.order(member=member)


async def test_goods_are_found_by_bar_code_and_two_lines_of_one_are_merged(shop):
    member, salt = await shop.member(30), await shop.good(points=5)
    barcode = (await actions.stock_queries.good([shop.community_id], salt)).barcode
    made = await db.write(
        actions.order,
        actor=shop.staff,
        counter_id=shop.counter_id,
        lines=[Line(1, barcode=barcode), Line(2, good=salt)],
        community_ids=(shop.community_id,),
        code=member.code,
    )
    assert [(line.good_id, line.quantity) for line in made.lines] == [(salt, 3)]


@pytest.mark.both
async def test_the_last_unit_goes_to_one_of_sixty_four(shop):
    rice = await shop.good("东北大米", 20, in_stock=1)
    members = [await shop.member(50) for _ in range(64)]
    before = await everything(shop)
    answers = await asyncio.gather(
        *(shop.order((rice, 1), member=member, key=f"race-{n:04}") for n, member in enumerate(members)),
        return_exceptions=True,
    )
    bought = [answer for answer in answers if isinstance(answer, actions.OrderMade)]
    assert len(bought) == 1
    assert sum(isinstance(answer, OutOfStock) for answer in answers) == 63
    after = await everything(shop)
    assert {table: after[table] - before[table] for table in WROTE} == dict.fromkeys(WROTE, 1)
    assert sorted([await shop.balance(member) for member in members]) == [30] + [50] * 63
    assert await shop.count("redemption_limit_use") == 2
    assert await shop.stock(rice) == 0


@pytest.mark.both
async def test_the_last_points_of_a_household_are_spent_once(open_shop):
    shop = await open_shop(holder="household")
    home, rice = await shop.household(), await shop.good("东北大米", 20)
    members = [await shop.member(household_id=home) for _ in range(8)]
    await shop.award(members[0].person_id, 30)
    answers = await asyncio.gather(
        *(shop.order((rice, 1), member=member) for member in members), return_exceptions=True
    )
    assert sum(isinstance(answer, actions.OrderMade) for answer in answers) == 1
    # On PostgreSQL whoever asked before the winner's commit is told by the ledger's guard instead.
    short = (NotEnoughPoints, ledger_rules.NotEnoughPoints)
    assert sum(isinstance(answer, short) for answer in answers) == 7
    assert await shop.stock(rice) == 9


async def test_the_card_of_a_merged_person_serves_whom_he_was_merged_into(shop):
    member, twin, salt = await shop.member(30), await shop.member(), await shop.good()
    await db.write(people.mark_merged, person_id=twin.person_id, into_id=member.person_id)
    made = await shop.order((salt, 1), member=twin)
    assert made.balance_before == 30
