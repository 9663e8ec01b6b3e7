"""Two records of one person: somebody asks, another one agrees, and one record becomes an alias of the other.

With it all of its points go along, so it is like money that changes hands: neither of the two who decide is one of the
records, or lives with one.
"""

from pointsbank.approvals import actions as approvals
from pointsbank.approvals import queries as approval_queries
from pointsbank.approvals.rules import Subject, facts_hash
from pointsbank.events import actions_confirm as events
from pointsbank.governance import actions_points as points
from pointsbank.governance import queries
from pointsbank.governance.actions_people import not_own
from pointsbank.governance.queries import MergeRequest
from pointsbank.governance.rules import ASKED, DONE, REFUSED, WITHDRAWN, MergeAsked, MergeMoved
from pointsbank.kit.db import Tx
from pointsbank.ledger.actions_joining import Agreed
from pointsbank.ledger.rules_flows import MERGE_APPROVAL, SAME_PERSON, JoiningChanged
from pointsbank.people import actions as people
from pointsbank.people import actions_homes, actions_own
from pointsbank.people import queries as people_queries
from pointsbank.people.queries import Holder
from pointsbank.people.rules import BadMerge, NotSettled
from pointsbank.trail import actions as trail

MAKE = """
INSERT INTO governance_merge_request (community_id, person_id, into_id, made_by, made_at, state)
VALUES (?, ?, ?, ?, ?, 'asked') ON CONFLICT DO NOTHING RETURNING id
"""
ASK = "UPDATE governance_merge_request SET approval_id = ? WHERE id = ?"
STEP = "UPDATE governance_merge_request SET state = ? WHERE id = ? AND state = 'asked'"


async def ask(tx: Tx, *, person_id: int, same_as: int) -> int:
    """Ask that one member's record becomes an alias of another's, who is the same human being; returns the request."""
    await not_own(tx, person_ids=[person_id, same_as])
    holder, kept = await _member(tx, person_id), await people_queries.holder_of(tx, same_as)
    fits = kept.person_id == same_as != person_id and kept.state == "member"
    if not fits or kept.community_id != holder.community_id:
        raise BadMerge
    await actions_own.check_may_end(tx, person_id=person_id)
    made = await tx.row(MAKE, holder.community_id, person_id, same_as, tx.actor.person_id, tx.now)
    if made is None:
        raise MergeAsked
    request_id = int(made["id"])
    approval_id = await approvals.ask(
        tx,
        community_id=holder.community_id,
        kind=MERGE_APPROVAL,
        subject=_subject(request_id),
        facts_hash=facts_hash(await queries.merge_facts(tx, await queries.merge_request_in(tx, request_id))),
        person_ids=[person_id, same_as],
        household_ids=[one.household_id for one in (holder, kept) if one.household_id is not None],
    )
    await tx.run(ASK, approval_id, request_id)
    await trail.record(tx, "person.merge_asked", subject=("person", person_id), into=same_as)
    return request_id


async def agree(tx: Tx, *, request_id: int, seen: str) -> int:
    """Agree to a merge as it was seen, and carry it out; returns who it is from now on."""
    request = await _waiting(tx, request_id)
    assert request.approval_id is not None
    await people.touch_roster(tx, community_id=request.community_id)
    for each in sorted((request.person_id, request.into_id)):
        await people.hold_person(tx, person_id=each)
    holder = await _member(tx, request.person_id)
    now = facts_hash(await queries.merge_facts(tx, request))
    if now != (await approval_queries.approval(tx, request.approval_id)).facts_hash:
        raise JoiningChanged
    await approvals.give(tx, approval_id=request.approval_id, seen=seen)
    await approvals.use(
        tx, approval_id=request.approval_id, kind=MERGE_APPROVAL, subject=_subject(request_id), facts_hash=now
    )
    await _merge(tx, holder, request)
    await _ended(tx, request, DONE)
    return request.into_id


async def _merge(tx: Tx, holder: Holder, request: MergeRequest) -> None:
    """One entry for each passbook brings the points over, and what is on its way follows; no row is changed or lost.

    The alias's own passbooks stay open, so that a wrong merge can be parted and that entry reversed; those of a
    household that is empty now are closed.
    """
    assert request.approval_id is not None
    person_id, same_as = request.person_id, request.into_id
    await points.check_openings_of(tx, holder=holder)
    left = await queries.books_that_end(tx, holder)
    agreed = Agreed(request.approval_id, request.made_by, {book.passbook_id: book.balance for book in left})
    await actions_own.give_over(tx, person_id=person_id)
    merge_id = await people.mark_merged(tx, person_id=person_id, into_id=same_as)
    await events.after_merge(tx, person_id=person_id, into_id=same_as)
    if holder.household_id is not None:
        await actions_homes.gone_from(tx, household_id=holder.household_id)
    await points.follow(tx, left=left, person_id=same_as, reason=SAME_PERSON, agreed=agreed, merge_id=merge_id)
    await points.close(tx, ending=[book for book in left if book.household_id is not None])


async def refuse(tx: Tx, *, request_id: int, reason: str) -> None:
    request = await _waiting(tx, request_id)
    assert request.approval_id is not None
    await approvals.refuse(tx, approval_id=request.approval_id, reason=reason)
    await _ended(tx, request, REFUSED)


async def withdraw(tx: Tx, *, request_id: int) -> None:
    request = await _waiting(tx, request_id)
    assert request.approval_id is not None
    await approvals.withdraw(tx, approval_id=request.approval_id)
    await _ended(tx, request, WITHDRAWN)


def _subject(request_id: int) -> Subject:
    return Subject("governance", "merge_request", request_id)


async def _member(tx: Tx, person_id: int) -> Holder:
    holder = await people_queries.holder_of(tx, person_id)
    if holder.person_id != person_id or holder.state != "member":
        raise NotSettled
    return holder


async def _waiting(tx: Tx, request_id: int) -> MergeRequest:
    request = await queries.merge_request_in(tx, request_id)
    if request.state != ASKED:
        raise MergeMoved
    return request


async def _ended(tx: Tx, request: MergeRequest, state: str) -> None:
    if await tx.run(STEP, state, request.id) != 1:
        raise MergeMoved
    if state != DONE:
        await trail.record(tx, f"person.merge_{state}", subject=("person", request.person_id), into=request.into_id)
