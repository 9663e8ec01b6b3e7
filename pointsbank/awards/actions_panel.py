"""Votes of a panel. Order of rows: panels, seats, votes; then, where a vote decides, awards and what follows them."""

from pointsbank.awards import actions as awards
from pointsbank.awards import queries_hands
from pointsbank.awards import queries_panel as queries
from pointsbank.awards.rules import AlreadyReviewed, Reason, State
from pointsbank.awards.rules_panel import AlreadyVoted, NotSeated, TooFewNamed, missing, outcome, reason_of
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people import queries as people
from pointsbank.trail import actions as trail

TAKE = """
UPDATE awards_panel SET seats = seats WHERE award_id = ? AND verdict IS NULL
   AND EXISTS (SELECT 1 FROM awards_award award
                WHERE award.id = awards_panel.award_id AND award.state = 'pending' AND award.next_role = 'panel')
RETURNING id, members, agree, drawn, seats
"""
KNOWN = "SELECT 1 FROM awards_panel WHERE award_id = ?"
SEAT_OF = "SELECT id FROM awards_panel_seat WHERE panel_id = ? AND person_id = ? AND left_at IS NULL"
SIT_DOWN = "INSERT INTO awards_panel_seat (panel_id, person_id, seated_at) VALUES (?, ?, ?) RETURNING id"
SEATED = "UPDATE awards_panel SET seats = seats + 1 WHERE id = ?"
VOTE = """
INSERT INTO awards_panel_vote (seat_id, agrees, reason, voted_at) VALUES (?, ?, ?, ?)
ON CONFLICT (seat_id) DO NOTHING RETURNING id
"""
COUNT = """
UPDATE awards_panel SET agreed = agreed + ?, against = against + ? WHERE id = ? RETURNING agreed, against
"""
DECIDE = "UPDATE awards_panel SET verdict = ?, decided_at = ? WHERE id = ?"
REASONS_GIVEN = """
SELECT vote.reason FROM awards_panel_vote vote JOIN awards_panel_seat seat ON seat.id = vote.seat_id
 WHERE seat.panel_id = ? AND vote.reason <> ''
"""


async def vote(tx: Tx, *, award_id: int, agrees: bool, reason: Reason | None) -> State:
    """Give one's vote, once; the last one that is needed takes the step of the chain. Says where the award stands."""
    assert agrees == (reason is None)
    panel = await tx.row(TAKE, award_id)  # the guard of all that follows: votes come one after the other
    if panel is None:
        raise AlreadyReviewed if await tx.row(KNOWN, award_id) else NotFound
    seat_id = await _seat(tx, award_id, panel)
    if await tx.row(VOTE, seat_id, agrees, reason or "", tx.now) is None:
        raise AlreadyVoted
    counted = await tx.row(COUNT, int(agrees), int(not agrees), panel["id"])
    assert counted is not None
    await trail.record(tx, "panel.voted", subject=("award", award_id))  # what, the vote itself says
    passed = outcome(
        members=panel["members"], agree=panel["agree"], agreed=counted["agreed"], against=counted["against"]
    )
    if passed is None:
        return State.PENDING
    return await _decide(tx, award_id, panel["id"], passed=passed)


async def _seat(tx: Tx, award_id: int, panel: Row) -> int:
    """The seat from which the actor votes; one that is not drawn is taken by voting."""
    person_id = tx.actor.person_id
    assert person_id is not None
    if await queries.has_voted(tx, panel["id"], await people.ids_of(tx, person_id)):
        raise AlreadyVoted
    if person_id not in await queries.fit_to_sit(tx, panel["id"]):
        raise NotSeated
    await queries_hands.check_reviewer(tx, award_id=award_id, reviewer_id=person_id, known=set())
    seat = await tx.row(SEAT_OF, panel["id"], person_id)
    if seat is not None:
        return int(seat["id"])
    if panel["drawn"]:
        raise NotSeated
    if not panel["seats"]:
        free = len(await queries.free_to_sit(tx, panel["id"], award_id))
        if lacking := missing(members=panel["members"], seats=0, free=free):
            raise TooFewNamed(missing=lacking)
    await tx.run(SEATED, panel["id"])
    taken = await tx.row(SIT_DOWN, panel["id"], person_id, tx.now)
    assert taken is not None
    return int(taken["id"])


async def _decide(tx: Tx, award_id: int, panel_id: int, *, passed: bool) -> State:
    verdict = "passed" if passed else "rejected"
    await tx.run(DECIDE, verdict, tx.now, panel_id)
    given = [Reason(reason) for (reason,) in await tx.rows(REASONS_GIVEN, panel_id)]
    reason = None if passed else reason_of(given)
    award = await tx.row(awards.AWARD_OF_ID, award_id)
    assert award is not None
    return await awards.take_step(tx, award=award, passed=passed, reason=reason, reviewer_id=None)
