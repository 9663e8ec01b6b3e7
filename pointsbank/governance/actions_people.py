"""Decisions about people that reach into other rooms: parting a wrong merge, moving house, leaving."""

from collections.abc import Sequence

import msgspec

from pointsbank.awards import actions as awards
from pointsbank.awards import queries as award_queries
from pointsbank.awards.rules import Reason, State
from pointsbank.events import actions_confirm as events
from pointsbank.events import queries as event_queries
from pointsbank.governance.rules import (
    DisputedFirst,
    LastOneLeaves,
    OpeningFirst,
    OwnMatter,
    OwnMerge,
    OwnPassbookLeft,
    PointsLeft,
)
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_expiry as ledger
from pointsbank.ledger import queries as ledger_queries
from pointsbank.ledger import queries_opening as openings
from pointsbank.ledger.queries import Passbook
from pointsbank.people import actions as people
from pointsbank.people import actions_homes, actions_own
from pointsbank.people import queries as people_queries
from pointsbank.people.actions_homes import Moved
from pointsbank.people.queries import Holder
from pointsbank.people.rules import NotOneHome


class Parted(msgspec.Struct, frozen=True):
    """Who waits to be settled again, and how many awards on their way were sent back."""

    person_id: int
    sent_back: int


async def _not_own(tx: Tx, person_ids: Sequence[int]) -> int:
    judge_id = tx.actor.person_id
    assert judge_id is not None
    for concerned in person_ids:
        if await people_queries.same_household(tx, judge_id, concerned):
            raise OwnMatter
    return judge_id


async def separate(tx: Tx, *, merge_id: int, reason: str) -> Parted:
    """Undo a wrong merge: the alias waits to be settled again, with what it brought along.

    Nothing is booked anew. What is on its way to the other's passbook for the alias's attendances is sent back; what
    is booked stays, for staff to reverse.
    """
    merge = await people.live_merge(tx, merge_id=merge_id)
    judge_id = await _not_own(tx, [merge.into_id])
    if judge_id == merge.merged_by:
        raise OwnMerge
    brought = await event_queries.attendance_ids(tx, merge.person_id)
    made = await award_queries.of_acts(tx, "events", "attendance", brought)
    if any(credit.state == State.DISPUTED for credit in made):
        raise DisputedFirst
    waiting = [credit for credit in made if credit.state in (State.PENDING, State.NOTICED)]
    for credit in waiting:
        await awards.send_back(tx, award_id=credit.award_id, reason=Reason.SOMEBODY_ELSE)
    await people.mark_separated(tx, merge_id=merge_id, reason=reason)
    await events.after_separation(tx, person_id=merge.person_id, into_id=merge.into_id, merged_at=merge.merged_at)
    return Parted(merge.person_id, len(waiting))


async def move(
    tx: Tx, *, community_id: int, person_ids: Sequence[int], building_id: int, door: str, reason: str
) -> Moved:
    """Let members of one household move. No points move: refuses where some would be out of everybody's reach."""
    holders = [await people_queries.holder_of(tx, person_id) for person_id in sorted(set(person_ids))]
    if any(holder.community_id != community_id for holder in holders):
        raise NotOneHome
    await _not_own(tx, [holder.person_id for holder in holders])
    moved = await actions_homes.move(
        tx, community_id=community_id, person_ids=person_ids, building_id=building_id, door=door, reason=reason
    )
    await _not_own(tx, [holders[0].person_id])  # nor into one's own household
    if holders[0].kind == "household":
        await _check_nothing_is_stranded(tx, holders[0], moved)
    return moved


async def _check_nothing_is_stranded(tx: Tx, holder: Holder, moved: Moved) -> None:
    if moved.is_emptied:
        if await openings.is_expected(tx, household_id=moved.left_id):
            raise OpeningFirst
        book = await ledger_queries.passbook_in(tx, household_id=moved.left_id)
        if book is not None and await _holds_anything(tx, book):
            raise LastOneLeaves(points=book.balance)
    if holder.household_id is None:
        if await openings.is_expected(tx, person_id=holder.person_id):
            raise OpeningFirst
        book = await ledger_queries.passbook_in(tx, person_id=holder.person_id)
        if book is not None and await _holds_anything(tx, book):
            raise OwnPassbookLeft(points=book.balance)


async def _holds_anything(tx: Tx, book: Passbook) -> bool:
    return book.balance > 0 or bool(await award_queries.waiting_in(tx, book.passbook_id))


async def leave(tx: Tx, *, person_id: int, how: str, points_given_up: int, answer: str) -> None:
    """Carry out that a member leaves, with the words that staff answer.

    A passbook that nobody else holds must be empty, or its points are given up: those that were told, no others. What
    is on its way to it is sent back. A household's passbook stays with the household, and so does what is on its way.
    """
    holder = await people_queries.holder_of(tx, person_id)
    await _not_own(tx, [holder.person_id])
    await people.hold_person(tx, person_id=holder.person_id)
    book = await _book_that_ends(tx, holder)
    if book is not None:
        waiting = await award_queries.waiting_in(tx, book.passbook_id)
        if any(credit.state == State.DISPUTED for credit in waiting):
            raise DisputedFirst
        for credit in waiting:
            await awards.send_back(tx, award_id=credit.award_id, reason=Reason.LEFT)
        if book.balance and book.balance != points_given_up:
            raise PointsLeft(points=book.balance)
        if book.balance:
            await ledger.give_up(
                tx,
                passbook_id=book.passbook_id,
                points=points_given_up,
                member_id=holder.person_id,
                source=("governance", "person", holder.person_id),
            )
    ids = await people_queries.ids_of(tx, holder.person_id)
    await events.after_leaving(tx, person_ids=ids)
    await actions_own.leave(tx, person_id=holder.person_id, how=how, answer=answer)


async def _book_that_ends(tx: Tx, holder: Holder) -> Passbook | None:
    """The passbook that nobody holds once this member has left; refuses while an opening balance is to come to it."""
    whose = {"person_id": holder.person_id}
    if holder.kind == "household" and holder.household_id is not None:
        if await people_queries.household_members(tx, holder.household_id) != [holder.person_id]:
            return None
        whose = {"household_id": holder.household_id}
    if await openings.is_expected(tx, **whose):
        raise OpeningFirst
    return await ledger_queries.passbook_in(tx, **whose)
