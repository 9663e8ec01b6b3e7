"""Points that live months from their own day lie in a lot for each day: an order takes as many as it needs."""

from datetime import date, timedelta

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_holds as holds
from pointsbank.ledger import actions_lots
from pointsbank.ledger import actions_reversal as reversals
from pointsbank.ledger.rules import GRACE, NEVER
from pointsbank.scoring.rules import Validity, ValidityKind, expires_on

DAYS = 730
LOTS = """
SELECT lot.id, lot.expires_on, lot.remaining FROM ledger_lot lot
  JOIN ledger_account account ON account.id = lot.account_id JOIN ledger_passbook book ON book.id = account.passbook_id
 WHERE book.person_id = ? ORDER BY lot.expires_on, lot.id
"""
USES = "SELECT lot_id, points FROM ledger_lot_use WHERE entry_id = (SELECT MAX(id) FROM ledger_entry) ORDER BY lot_id"
ACCOUNT = """
SELECT account.id FROM ledger_account account JOIN ledger_passbook book ON book.id = account.passbook_id
 WHERE book.person_id = ?
"""
AT_ANY_ORDER = 24  # with a key, and without the two of its lot
NO_LIMIT = "UPDATE people_community SET daily_points_max = 100000"
TWO_YEARS = Validity(ValidityKind.MONTHS, months=24)


async def earned_daily(shop, last_days: list[date], points: int = 2):
    """A member with so many points of each day, all of them written in one transaction."""
    member = await shop.member(1)
    book = await shop.passbook(member.person_id)

    async def award(tx):
        await tx.run(NO_LIMIT)
        for number, last_day in enumerate(last_days):
            await ledger.post_award(
                tx, community_id=shop.community_id, passbook_id=book.passbook_id, points=points,
                posting_key=f"daily:{number}", effective_at=tx.now, expires_on=last_day, member_id=member.person_id,
                version_id=1, source=("ledger", "test", number + 1), summary="楼道清洁 2 小时",
            )  # fmt: skip

    await db.write(award)
    return member


def last_days_of(shop, validity: Validity) -> list[date]:
    """Of points that were earned on each of so many days up to now."""
    today = shop.clock.now().date()
    return [expires_on(validity, today - timedelta(days=DAYS - 1 - number)) or NEVER for number in range(DAYS)]


async def lots(member) -> list[tuple[int, date, int]]:
    return [tuple(lot) for lot in await db.rows(LOTS, member.person_id)]


def without(found: list[tuple[int, date, int]], points: int, *, held: int = 0) -> list[tuple[int, date, int]]:
    """The lots as they must be after so many points of what is not held were taken, soonest to expire first."""
    left = []
    for lot_id, last_day, remaining in found:
        kept = min(held, remaining)
        taken = min(points, remaining - kept)
        held, points = held - kept, points - taken
        left.append((lot_id, last_day, remaining - taken))
    return left


@pytest.mark.both
async def test_an_order_takes_what_was_earned_on_hundreds_of_days_and_an_undo_gives_each_day_its_own_back(shop):
    last_days = last_days_of(shop, TWO_YEARS)
    member = await earned_daily(shop, last_days + last_days[:10])
    before = await lots(member)
    assert [last_day for _id, last_day, _left in before] == [*sorted(set(last_days)), NEVER]
    [account_id] = await db.row(ACCOUNT, member.person_id)
    await db.write(
        holds.hold, account_id=account_id, points=101, hold_key="kept", overdue_at=shop.clock.now() + timedelta(days=1),
        member_id=member.person_id, source=("tests", "hold", 1),
    )  # fmt: skip

    made = await shop.order((await shop.good(points=1_300), 1), member=member)
    assert await lots(member) == without(before, 1_300, held=101)
    used = await db.rows(USES)
    assert sum(points for _lot, points in used) == 1_300
    assert len(used) > 600

    await shop.undo(made.order_id)
    assert await lots(member) == before


@pytest.mark.both
async def test_what_expired_meanwhile_comes_back_together_beside_hundreds_of_lots_that_live(shop):
    """The lot that it comes back to is one of those that the order took from."""
    last_days = last_days_of(shop, TWO_YEARS)
    member = await earned_daily(shop, last_days)
    before = await lots(member)
    made = await shop.order((await shop.good(points=1_000), 1), member=member)
    shop.clock.advance(days=40)
    today = local_day(shop.clock.now())
    [entry_id] = await db.row("SELECT entry_id FROM redemption_order WHERE id = ?", made.order_id)
    await db.write(reversals.reverse, entry_id=entry_id, reason="wrong_goods")

    expired = sum(left for _id, last_day, left in before if last_day < today)
    assert expired > 0
    assert await lots(member) == [
        (lot_id, last_day, 0 if last_day < today else left + expired * (last_day == today + GRACE))
        for lot_id, last_day, left in before
    ]


async def test_hundreds_of_lots_take_a_statement_for_each_hundred(shop, said):
    rice = await shop.good(points=2 * DAYS + 1)
    await shop.order((await shop.good(points=1), 1), member=await shop.member(1))
    member = await earned_daily(shop, [shop.clock.now().date() + timedelta(days=number) for number in range(DAYS)])

    said.clear()
    made = await shop.order((rice, 1), member=member, key="of-all-days")
    of_the_lots = -(-(DAYS + 1) // actions_lots.USES_AT_ONCE) + 1
    assert len(said) == AT_ANY_ORDER + of_the_lots + 1, said  # the lots are read twice: first a few
    said.clear()
    await shop.undo(made.order_id)
    assert len(said) < 2 * AT_ANY_ORDER + of_the_lots, said
