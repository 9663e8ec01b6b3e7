"""Awards are settled: booked, or made to wait for a budget that has no room. Order of rows: awards, budget, ledger."""

from datetime import date, datetime

from pointsbank.awards import actions_gate
from pointsbank.awards.rules import BATCH_MAX, Settling
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_budgets as budgets
from pointsbank.ledger import queries_budgets as budget_queries
from pointsbank.ledger.rules import MAIN, POINTS_MAX
from pointsbank.ledger.rules_budgets import USED_UP
from pointsbank.notices import actions as notices
from pointsbank.notices import queries as notice_queries
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import Validity, expires_on
from pointsbank.trail import actions as trail

AWARDS = """
SELECT award.id, award.community_id, award.person_id, award.passbook_id, award.version_id, award.points, award.state,
       award.chain, award.reviews_given, award.next_role, award.notice_days, award.notice_id, award.line_id,
       award.item_code, award.waits_for_budget, act.what, act.began_at
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
"""
# One that is to come to a closed passbook, which verify tells of, is not to hold up all others.
IS_OPEN = """
 EXISTS (SELECT 1 FROM ledger_account account
          WHERE account.passbook_id = award.passbook_id AND account.closed_at IS NULL)
"""
NOTICES_WAITED_FOR = """
SELECT DISTINCT notice_id FROM awards_award WHERE state = 'noticed' AND waits_for_budget IS NULL ORDER BY notice_id
"""
OF_NOTICE = f"""
{AWARDS} WHERE award.notice_id = ? AND award.state = 'noticed' AND award.waits_for_budget IS NULL AND {IS_OPEN}
 ORDER BY award.passbook_id, award.id LIMIT ?
"""
SETTLE = """
UPDATE awards_award SET state = 'settled', settled_at = ?, expires_on = ?, waits_for_budget = NULL
 WHERE id = ? AND state = ? RETURNING passbook_id
"""
BOOKED = "UPDATE awards_award SET entry_id = ? WHERE id = ?"
WAIT = """
UPDATE awards_award SET state = ?, settled_at = NULL, waits_for_budget = ?, programme = ? WHERE id = ?
"""
WAIT_FOR_ITS_OWN = """
UPDATE awards_award SET waits_for_budget = ?
 WHERE community_id = ? AND programme = ? AND waits_for_budget IS NOT NULL
"""
BUDGETS_WAITED_FOR = """
SELECT DISTINCT waits_for_budget FROM awards_award WHERE waits_for_budget IS NOT NULL ORDER BY waits_for_budget
"""
OF_BUDGET = f"""
{AWARDS}
 WHERE award.waits_for_budget = ? AND award.state IN ('pending', 'noticed') AND award.points <= ? AND {IS_OPEN}
 ORDER BY award.id LIMIT ?
"""
NEVER = date.max


async def settle_due(tx: Tx) -> int:
    """Book the awards of notices that have ended, but for disputed lines; returns how many, 0 when all is done.

    A notice that is closed while some of its awards are not booked yet is picked up again.
    """
    await notices.close_ended(tx)
    settled = await _settle_waiting(tx)
    for (notice_id,) in await tx.rows(NOTICES_WAITED_FOR):
        if not await notice_queries.is_closed(tx, notice_id):
            continue
        disputed = await notice_queries.disputed_lines(tx, notice_id)
        for award in await tx.rows(OF_NOTICE, notice_id, BATCH_MAX - settled):
            if award["line_id"] not in disputed and await settle(tx, award=award) is not Settling.MOVED:
                settled += 1
        if settled >= BATCH_MAX:
            break
    return settled


async def _settle_waiting(tx: Tx) -> int:
    """Book what waits for a budget that was raised or is of a year that is over, the oldest first."""
    settled = 0
    for (budget_id,) in await tx.rows(BUDGETS_WAITED_FOR):
        room = await budget_queries.room_in(tx, budget_id)
        if room == 0:
            continue
        for award in await tx.rows(OF_BUDGET, budget_id, POINTS_MAX if room is None else room, BATCH_MAX - settled):
            outcome = await settle(tx, award=award)
            # Of a year that is over, each finds its next budget; of this year, what no longer fits waits on.
            settled += outcome is Settling.BOOKED or (room is None and outcome is Settling.WAITS)
        if settled >= BATCH_MAX:
            break
    return settled


async def settle(tx: Tx, *, award: Row) -> Settling:
    """Book an award, or let it wait for a budget that has no room; MOVED where its state changed since it was read."""
    community_id, award_id = award["community_id"], award["id"]
    version = await scoring.version((community_id,), award["version_id"], tx)
    until = last_day(version.items[award["item_code"]].validity or version.table.validity, tx.now)
    settled = await tx.row(SETTLE, tx.now, until, award_id, award["state"])
    if settled is None:
        return Settling.MOVED
    if award["points"]:
        item = version.items[award["item_code"]]
        grant = budgets.Grant()
        # A budget is for what goods are given for: points of other kinds would count for something else.
        if item.book_kind == MAIN:
            grant = await budgets.take(tx, community_id=community_id, programme=item.category, points=award["points"])
        if grant.budget_id is not None:
            await _wait(tx, award, grant.budget_id, item.category)
            return Settling.WAITS
        posted = await ledger.post_award(
            tx,
            community_id=community_id,
            passbook_id=settled["passbook_id"],  # its people may have moved since the award was read
            points=award["points"],
            posting_key=f"award:{award_id}",
            effective_at=award["began_at"],
            expires_on=until,
            member_id=award["person_id"],
            version_id=award["version_id"],
            source=("awards", "award", award_id),
            summary=award["what"],
            issued_id=grant.account_id,
        )
        await tx.run(BOOKED, posted.entry_id, award_id)
    await actions_gate.note_served(tx, passbook_id=settled["passbook_id"])
    await trail.record(tx, "award.settled", subject=("award", award_id), points=award["points"])
    return Settling.BOOKED


async def _wait(tx: Tx, award: Row, budget_id: int, programme: str) -> None:
    """Back to the state it had, with the reason; said once, however often the job asks again."""
    await tx.run(WAIT, award["state"], budget_id, programme, award["id"])
    if award["waits_for_budget"] != budget_id:
        subject = ("award", award["id"])
        await trail.record(tx, "award.waits", subject=subject, reason=USED_UP, budget=budget_id)


async def wait_for_its_own(tx: Tx, *, community_id: int, budget_id: int, programme: str) -> None:
    """A programme got a budget of its own: its awards no longer wait for that of the whole community."""
    await tx.run(WAIT_FOR_ITS_OWN, budget_id, community_id, programme)


def last_day(validity: Validity, booked_at: datetime) -> date:
    """Points live from the day on which they are booked: a notice over New Year must not let them expire unseen."""
    return expires_on(validity, local_day(booked_at)) or NEVER
