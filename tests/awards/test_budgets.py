"""Awards and the budget of a year: what has no room waits, and nothing is lost."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pointsbank.awards import actions_settle, queries_budgets
from pointsbank.governance import actions as governance
from pointsbank.governance import actions_books
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import (
    actions_budgets,
    actions_kinds,
    actions_reversal,
    actions_vouchers,
    queries_periods,
    verify,
)
from pointsbank.ledger import queries as ledger
from pointsbank.ledger import queries_budgets as budgets
from pointsbank.ledger.actions_seal import change
from pointsbank.ledger.rules_budgets import BudgetExists, BudgetNotRaised, BudgetYear, NoCeiling, NoRate, RateInThePast
from pointsbank.ledger.rules_flows import What
from pointsbank.reports import queries as reports
from tests.awards.neighbours import an_item
from tests.ledger.conftest import PLAIN
from tests.world import COINS

pytestmark = pytest.mark.both

OTHER = an_item("C01", category="助老")


async def a_budget(neighbours, points=None, *, cents=None, programme="", year=2026) -> int:
    return await db.write(
        actions_books.make_budget,
        community_id=neighbours.community_id, year=year, programme=programme, points=points, cents=cents,
    )  # fmt: skip


async def issued(budget_id: int) -> int:
    return (await budgets.budget_in(None, budget_id)).issued


async def test_without_a_budget_everything_is_as_it_was(neighbours):
    await neighbours.adopt(notice_days=0)
    person = await neighbours.person()
    await neighbours.act(person)

    assert await neighbours.balance(person) == 20
    assert await ledger.system_balances(neighbours.community_id) == {"issued": -20}


async def test_an_award_past_the_ceiling_waits_with_its_notice_done_and_is_booked_once_it_is_raised(neighbours):
    await neighbours.adopt(notice_days=3)
    budget_id = await a_budget(neighbours, 30)
    early, late = await neighbours.person(), await neighbours.person()
    await neighbours.act(early)
    held = await neighbours.act(late)
    await neighbours.midnight(4)

    assert [await neighbours.balance(one) for one in (early, late)] == [20, 0]
    award = await neighbours.award(held.award_id)
    assert (award["state"], award["waits_for_budget"], award["settled_at"]) == ("noticed", budget_id, None)
    assert await queries_budgets.sums([budget_id]) == {budget_id: queries_budgets.Waits(1, 20)}
    said = await db.rows("SELECT verb FROM trail_record WHERE subject_id = ? AND verb = 'award.waits'", held.award_id)
    assert len(said) == 1
    assert await neighbours.jobs() == 0

    await db.write(actions_budgets.raise_budget, budget_id=budget_id, points=40, cents=None)
    assert await neighbours.jobs() == 1
    assert (await neighbours.balance(late), await issued(budget_id)) == (20, 40)
    award = await neighbours.award(held.award_id)
    assert (award["state"], award["waits_for_budget"]) == ("settled", None)
    assert await ledger.system_balances(neighbours.community_id) == {"issued:2026:": -40}


async def test_what_waits_is_booked_when_a_new_year_begins_from_its_own_budget(neighbours):
    await neighbours.adopt(notice_days=0)
    this, following = await a_budget(neighbours, 10), await a_budget(neighbours, 20, year=2027)
    first, second = await neighbours.person(), await neighbours.person()
    made = await neighbours.act(first)
    await neighbours.act(second)
    assert made.state == "pending"
    await neighbours.midnight()
    assert await neighbours.state(made.award_id) == "pending", "it is through with everything: no notice is wanted"

    neighbours.clock.set(datetime(2026, 12, 31, 16, 30, tzinfo=UTC))  # New Year in Shanghai
    assert await neighbours.jobs() == 2
    assert [await neighbours.balance(one) for one in (first, second)] == [20, 0]
    assert [await issued(one) for one in (this, following)] == [0, 20]
    assert await neighbours.jobs() == 0


async def test_a_category_draws_from_its_own_budget_and_all_others_from_the_whole(neighbours):
    await neighbours.adopt(an_item(), OTHER, notice_days=0)
    whole, own = await a_budget(neighbours, 20), await a_budget(neighbours, 40, programme="助老")
    person = await neighbours.person()
    await neighbours.act(person)
    for _time in range(2):
        await neighbours.act(person, item="C01")
    full = await neighbours.act(person)

    assert (await issued(whole), await issued(own)) == (20, 40)
    assert full.state == "pending"
    assert await ledger.system_balances(neighbours.community_id) == {"issued:2026:": -20, "issued:2026:助老": -40}


async def test_a_new_budget_of_a_category_takes_over_what_waited_for_the_whole(neighbours):
    await neighbours.adopt(an_item(), OTHER, notice_days=0)
    whole = await a_budget(neighbours, 10)
    person = await neighbours.person()
    other, plain = await neighbours.act(person, item="C01"), await neighbours.act(person)
    own = await a_budget(neighbours, 20, programme="助老")

    assert await neighbours.jobs() == 1
    assert [await neighbours.state(one.award_id) for one in (other, plain)] == ["settled", "pending"]
    assert (await issued(whole), await issued(own)) == (0, 20)
    assert (await neighbours.award(plain.award_id))["waits_for_budget"] == whole


async def test_what_still_fits_is_booked_past_what_does_not(neighbours):
    await neighbours.adopt(notice_days=0)
    budget_id = await a_budget(neighbours, 25)
    person = await neighbours.person()
    large, small = await neighbours.act(person, minutes=180), await neighbours.act(person, minutes=120)

    assert [await neighbours.state(one.award_id) for one in (large, small)] == ["pending", "settled"]
    assert await issued(budget_id) == 20


async def test_a_reversal_gives_its_points_back_to_the_budget(neighbours):
    await neighbours.adopt(notice_days=0)
    budget_id = await a_budget(neighbours, 20)
    first, second = await neighbours.person(), await neighbours.person()
    made = await neighbours.act(first)
    waits = await neighbours.act(second)
    entry_id = (await neighbours.award(made.award_id))["entry_id"]
    await db.write(actions_reversal.reverse, entry_id=entry_id, reason="twice")
    assert await issued(budget_id) == 0

    assert await neighbours.jobs() == 1
    assert await neighbours.state(waits.award_id) == "settled"


async def test_what_a_passbook_had_no_room_for_is_given_back_to_the_budget_once(neighbours):
    await neighbours.adopt(notice_days=0)
    budget_id = await a_budget(neighbours, 25)
    await limit_passbooks(neighbours, 15)
    person, other = await neighbours.person(), await neighbours.person()
    award, small = await neighbours.act(person), await neighbours.act(other, minutes=60)
    assert (await neighbours.balance(person), await issued(budget_id)) == (15, 25)

    for one, left in ((award, 10), (small, 0)):
        entry_id = (await neighbours.award(one.award_id))["entry_id"]
        await db.write(actions_reversal.reverse, entry_id=entry_id, reason="twice")
        assert await issued(budget_id) == left
    assert await ledger.system_balances(neighbours.community_id) == {"issued:2026:": 0}


async def test_a_clawback_does_not_ask_for_what_the_passbook_had_no_room_for(neighbours):
    await neighbours.adopt(notice_days=0)
    budget_id = await a_budget(neighbours, 25)
    await limit_passbooks(neighbours, 15)
    person, other = await neighbours.person(), await neighbours.person()
    award = await neighbours.act(person)
    await neighbours.act(other, minutes=60)
    entry_id = (await neighbours.award(award.award_id))["entry_id"]

    clawed = await db.write(actions_reversal.clawback, entry_id=entry_id, reason="twice")

    assert (clawed.points, clawed.shortfall, await issued(budget_id)) == (15, 0, 25)


async def limit_passbooks(neighbours, most: int) -> None:
    found = await db.row("SELECT id FROM ledger_book_kind WHERE community_id = ?", neighbours.community_id)
    settings = msgspec.structs.replace(PLAIN, balance_max=most)
    await db.write(
        actions_kinds.change_kind, community_id=neighbours.community_id, kind_id=found["id"], version=1,
        settings=settings,
    )  # fmt: skip


async def test_a_dismissed_objection_may_still_find_the_budget_used_up(neighbours):
    await neighbours.adopt(notice_days=3)
    await a_budget(neighbours, 10)
    made = await neighbours.act(await neighbours.person())
    await neighbours.midnight()
    objection_id = await neighbours.object_to(made.award_id)
    await neighbours.midnight(3)
    judge = await neighbours.actor()
    await db.write(governance.rule, actor=judge, objection_id=objection_id, upheld=False, ruling="核对过，没有错")
    award = await neighbours.award(made.award_id)
    assert (award["state"], award["waits_for_budget"] is not None) == ("noticed", True)


@pytest.mark.parametrize("ways", [2, 8])
async def test_of_several_awards_for_the_last_of_a_budget_one_is_booked(neighbours, ways):
    await neighbours.adopt(notice_days=0)
    budget_id = await a_budget(neighbours, 30)
    people = [await neighbours.person() for _way in range(ways)]
    organiser = await neighbours.actor()
    made = await asyncio.gather(*(neighbours.act(one, confirmed_by=organiser) for one in people))

    assert sorted(one.state for one in made) == ["pending"] * (ways - 1) + ["settled"]
    assert sorted([await neighbours.balance(one) for one in people]) == [0] * (ways - 1) + [20]
    assert await issued(budget_id) == 20


async def test_settling_and_raising_at_once_book_each_award_once(neighbours):
    await neighbours.adopt(notice_days=0)
    budget_id = await a_budget(neighbours, 10)
    person = await neighbours.person()
    await neighbours.act(person)
    raised = {"budget_id": budget_id, "points": 20, "cents": None}
    await asyncio.gather(
        db.write(actions_budgets.raise_budget, **raised), *(db.write(actions_settle.settle_due) for _ in range(4))
    )
    await neighbours.jobs()

    assert (await neighbours.balance(person), await issued(budget_id)) == (20, 20)


async def test_a_budget_in_yuan_keeps_the_rate_that_it_was_made_with(neighbours):
    await neighbours.adopt(notice_days=0)
    with pytest.raises(NoRate):
        await a_budget(neighbours, cents=100)
    today = local_day(neighbours.clock.now())
    rate = {"community_id": neighbours.community_id, "from_day": today}
    await db.write(actions_budgets.set_rate, **rate, cents_per_100=500)  # 5 cents a point
    budget_id = await a_budget(neighbours, 1000, cents=104)
    await db.write(actions_budgets.set_rate, **rate, cents_per_100=100)
    person = await neighbours.person()
    await neighbours.act(person)
    waits = await neighbours.act(person)

    found = await budgets.budget_in(None, budget_id)
    assert (found.ceiling, found.issued, found.rest, waits.state) == (20, 20, 0, "pending")


async def test_what_is_wrong_with_a_budget_has_its_own_refusal_and_changes_nothing(neighbours):
    budget_id = await a_budget(neighbours, 50)
    before = await db.rows("SELECT * FROM ledger_budget")
    for refusal, facts in (
        (BudgetExists, {"points": 60}),
        (BudgetYear, {"points": 60, "year": 2028}),
        (NoCeiling, {"programme": "助老"}),
    ):
        with pytest.raises(refusal):
            await a_budget(neighbours, **facts)
    for points, cents in ((40, None), (50, None), (None, None), (60, 100)):
        with pytest.raises(BudgetNotRaised):
            await db.write(actions_budgets.raise_budget, budget_id=budget_id, points=points, cents=cents)
    past = {"community_id": neighbours.community_id, "from_day": datetime(2026, 11, 21, tzinfo=UTC).date()}
    neighbours.clock.advance(days=1)
    with pytest.raises(RateInThePast):
        await db.write(actions_budgets.set_rate, **past, cents_per_100=500)
    assert await db.rows("SELECT * FROM ledger_budget") == before


async def test_the_liability_of_any_day_is_what_was_outstanding_at_what_it_was_worth(neighbours):
    await neighbours.adopt(notice_days=0)
    person = await neighbours.person()
    community_id, start = neighbours.community_id, neighbours.clock.now()
    await neighbours.act(person)
    neighbours.clock.advance(days=1)
    day = local_day(neighbours.clock.now())
    await db.write(actions_budgets.set_rate, community_id=community_id, from_day=day, cents_per_100=550)
    middle = neighbours.clock.now()
    await neighbours.act(person)
    neighbours.clock.advance(days=1)

    moments = (start, middle, neighbours.clock.now())
    at = [await budgets.liabilities_at(community_id, moment, local_day(moment)) for moment in moments]
    assert [(one.points, one.cents) for (one,) in at] == [(0, None), (20, 110), (40, 220)]


async def test_each_kind_is_owed_at_its_own_rate_and_all_together_in_yuan(neighbours):
    community_id, start = neighbours.community_id, neighbours.clock.now()
    settings = msgspec.structs.replace(COINS, donatable=True)
    await db.write(actions_kinds.make_kind, community_id=community_id, code="coins", settings=settings)
    await neighbours.adopt(an_item(points=25, book_kind="coins"), an_item("A02"), notice_days=0)
    person = await neighbours.person()
    await neighbours.act(person, minutes=60)
    await neighbours.act(person, item="A02", minutes=60)
    today = local_day(start)
    rate = {"community_id": community_id, "from_day": today}
    await db.write(actions_budgets.set_rate, **rate, cents_per_100=500)
    await db.write(actions_budgets.set_rate, **rate, cents_per_100=20_000, book_kind="coins")
    with pytest.raises(NotFound):
        await db.write(actions_budgets.set_rate, **rate, cents_per_100=1, book_kind="nothing")
    coins = await db.row("SELECT MIN(id) AS id FROM ledger_passbook")
    clerk = await neighbours.actor()
    gift = {"what": What.DONATION, "from_id": coins["id"], "to_person": None, "points": 5, "how": "paper"}
    await db.write(actions_vouchers.hand_over, actor=clerk, community_id=community_id, **gift)

    owed = await budgets.liabilities_at(community_id, start + timedelta(days=1), today)
    before = await budgets.liabilities_at(community_id, start, today)

    assert [(one.of.code, one.points, one.cents) for one in owed] == [("points", 10, 50), ("coins", 25, 500)]
    assert budgets.cents_of(owed) == 550
    assert [(one.of.code, one.points) for one in before] == [("points", 0), ("coins", 0)]
    assert (await verify.verify()).is_clean
    pots = await db.rows("SELECT system, balance FROM ledger_account WHERE system LIKE 'pot%'")
    assert [tuple(pot) for pot in pots] == [("pot@coins", 5)]
    moved = await queries_periods.totals(community_id, start, start + timedelta(days=1))
    assert {(one.name, one.book_kind): (one.points_in, one.points_out) for one in moved} == {
        ("issued", "coins"): (0, 25), ("issued", "points"): (0, 10), ("pot@coins", "coins"): (5, 0),
    }  # fmt: skip
    assert (await reports.month_of(community_id, today, today + timedelta(days=1))).points_in == 10


@pytest.mark.tampers
async def test_verify_finds_a_budget_that_says_something_else_than_its_account(neighbours):
    await neighbours.adopt(notice_days=0)
    await a_budget(neighbours, 100)
    await neighbours.act(await neighbours.person())
    assert (await verify.verify()).is_clean

    async def tamper(tx) -> None:
        await tx.run("UPDATE ledger_budget SET issued = issued - 1")

    await db.write(tamper)
    (finding,) = (await verify.verify()).findings
    assert (finding.invariant, finding.where) == (
        13, f"budget 2026 , community {neighbours.community_id}: expected 20, found 19",
    )  # fmt: skip


async def test_what_a_full_passbook_refuses_goes_back_to_the_budget(neighbours):
    await neighbours.adopt(notice_days=0)
    budget_id = await a_budget(neighbours, 40)

    async def limit(tx) -> None:
        await tx.run("UPDATE ledger_book_kind SET balance_max = 15 WHERE community_id = ?", neighbours.community_id)
        (kind_id,) = await tx.row("SELECT id FROM ledger_book_kind WHERE community_id = ?", neighbours.community_id)
        await change(tx, what="kind", row_id=kind_id)

    await db.write(limit)
    person = await neighbours.person()
    await neighbours.act(person)

    assert (await neighbours.balance(person), await issued(budget_id)) == (15, 15)
