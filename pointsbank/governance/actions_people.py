"""Decisions about people that reach into other rooms: merging and parting, moving house, leaving."""

from collections.abc import Sequence
from datetime import date

import msgspec

from pointsbank.approvals import queries as approvals
from pointsbank.awards import actions as awards
from pointsbank.awards import actions_holders as cases
from pointsbank.awards import queries as award_queries
from pointsbank.awards.rules import Reason, State
from pointsbank.events import actions_confirm as events
from pointsbank.events import queries as event_queries
from pointsbank.governance import actions_points as points
from pointsbank.governance import queries
from pointsbank.governance.rules import DisputedFirst, FilledAlone, LeftBehind, OwnMatter, OwnMerge
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_expiry as ledger
from pointsbank.ledger import actions_joining as joining
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries as ledger_queries
from pointsbank.ledger import queries_flows as books
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.queries_flows import Book
from pointsbank.ledger.rules import NotEnoughPoints, in_unit
from pointsbank.people import actions as people
from pointsbank.people import actions_homes, actions_own
from pointsbank.people import queries as people_queries
from pointsbank.people.actions_homes import Moved
from pointsbank.people.queries import Holder
from pointsbank.people.rules import NotOneHome
from pointsbank.redemption import actions_limits as limits


class Parted(msgspec.Struct, frozen=True):
    """Who waits to be settled again, and how many awards on their way were sent back."""

    person_id: int
    sent_back: int


async def not_own(tx: Tx, *, person_ids: Sequence[int]) -> int:
    """Refuses OwnMatter where whoever decides is one of these, or lives with one; returns who decides."""
    judge_id = tx.actor.person_id
    assert judge_id is not None
    for concerned in person_ids:
        if await people_queries.same_household(tx, judge_id, concerned):
            raise OwnMatter
    return judge_id


async def separate(tx: Tx, *, merge_id: int, reason: str) -> Parted:
    """Undo a wrong merge: the alias waits to be settled again, with what it brought along.

    Nothing is booked anew. What is on its way to the other's passbook for the alias's attendances is sent back; what
    is booked stays, for staff to reverse. What was found of the alias, and what it bars, goes back to it; and each has
    used what was used with the own passbook.
    """
    merge = await people.live_merge(tx, merge_id=merge_id)
    judge_id = await not_own(tx, person_ids=[merge.into_id])
    if judge_id in (merge.merged_by, await queries.who_asked(tx, merge.person_id, merge.into_id)):
        raise OwnMerge
    records = [merge.person_id, *await people_queries.came_along(tx, merge.person_id)]
    brought = [line for one in records for line in await event_queries.attendance_ids(tx, one)]
    made = await award_queries.of_acts(tx, "events", "attendance", brought)
    if any(credit.state == State.DISPUTED for credit in made):
        raise DisputedFirst
    waiting = [credit for credit in made if credit.state in (State.PENDING, State.NOTICED)]
    for credit in waiting:
        await awards.send_back(tx, award_id=credit.award_id, reason=Reason.SOMEBODY_ELSE)
    kept = await people_queries.holder_of(tx, merge.into_id)
    await cases.part_rows(tx, community_id=kept.community_id, person_id=merge.person_id)
    await people.mark_separated(tx, merge_id=merge_id, reason=reason)
    await events.after_separation(tx, person_id=merge.person_id, into_id=merge.into_id, merged_at=merge.merged_at)
    await cases.go_back(tx, holder=await people_queries.holder_of(tx, merge.person_id), kept=kept)
    await limits.part(tx, merge_id=merge_id)
    return Parted(merge.person_id, len(waiting))


async def move(
    tx: Tx,
    *,
    community_id: int,
    person_ids: Sequence[int],
    building_id: int,
    door: str,
    reason: str,
    share: int = 0,
) -> Moved:
    """Let members of one household move, and points with them.

    Refuses FilledAlone where that would let one admin make the household to whom the points go, and LeftBehind.
    Who leaves nobody behind takes all of the household's points along, what is on its way too, and its passbooks are
    closed. Who leaves others behind takes `share` of the shared passbook. What was used of the limits counts for both.
    """
    await people.touch_roster(tx, community_id=community_id)  # first, so that nobody moves between reading and moving
    holders = [await people_queries.holder_of(tx, person_id) for person_id in sorted(set(person_ids))]
    if any(holder.community_id != community_id for holder in holders):
        raise NotOneHome
    moving = {holder.person_id for holder in holders}
    judge_id = await not_own(tx, person_ids=sorted(moving))
    shares_from = await approvals.brought_until(tx, judge_id, moving) if share else None
    moved = await actions_homes.move(
        tx, community_id=community_id, person_ids=person_ids, building_id=building_id, door=door, reason=reason
    )
    first = holders[0]
    await not_own(tx, person_ids=[first.person_id])  # nor into one's own household
    await _check_hands(tx, judge_id, moved, moving, takes_share=share > 0, shares_from=shares_from)
    if first.household_id is None:
        await settle_into_household(tx, holder=first)
    elif moved.left_id is not None and moved.is_emptied:
        await points.check_openings(tx, household_id=moved.left_id)
        left = await books.open_books(tx, household_id=moved.left_id)
        alone = await _live_there_alone(tx, moved.household_id, holders)
        await points.follow(tx, left=left, person_id=first.person_id, reason="moved", is_theirs_alone=alone)
        await points.close(tx, ending=left)
    elif moved.left_id is not None:
        left = await books.open_books(tx, household_id=moved.left_id)
        await limits.follow(tx, left=left, person_id=first.person_id)
        if share:
            await _take_share(tx, first, moved.left_id, share)
    return moved


async def _check_hands(
    tx: Tx, judge_id: int, moved: Moved, moving: set[int], *, takes_share: bool, shares_from: date | None
) -> None:
    """Refuses FilledAlone where a household's points would come to people whom the same hands brought in lately.

    And LeftBehind where they came lately, by the same hands, with whoever is to leave them there.
    """
    if moved.left_id is None:
        return
    if not any(book.balance for book in await books.open_books(tx, household_id=moved.left_id)):
        return
    gaining = set(await people_queries.household_members(tx, moved.left_id))
    if moved.is_emptied or takes_share:
        gaining |= set(await people_queries.household_members(tx, moved.household_id))
    until = await approvals.brought_until(tx, judge_id, sorted(gaining - moving))
    days = [day for day in (until, None if moved.is_emptied else shares_from) if day is not None]
    if days:
        raise FilledAlone(day=max(days).isoformat())
    came = await books.followed(tx, household_id=moved.left_id, person_ids=sorted(moving))
    stays_from = None if moved.is_emptied else await approvals.done_until(tx, judge_id, came)
    if stays_from is not None:
        raise LeftBehind(day=stays_from.isoformat())


async def settle_into_household(tx: Tx, *, holder: Holder) -> None:
    """Who belonged to no household had passbooks of their own where others have the household's."""
    if holder.kind == "household":
        await points.check_openings(tx, person_id=holder.person_id)
    own = await books.open_books(tx, person_id=holder.person_id)
    home = (await people_queries.holder_of(tx, holder.person_id)).household_id
    left = await points.follow(
        tx,
        left=own,
        person_id=holder.person_id,
        reason="moved",
        is_theirs_alone=home is None or await _live_there_alone(tx, home, [holder]),
    )
    await points.close(tx, ending=left)


async def _live_there_alone(tx: Tx, household_id: int, holders: Sequence[Holder]) -> bool:
    """Whether nobody lives in a household but these."""
    return {holder.person_id for holder in holders}.issuperset(await people_queries.household_members(tx, household_id))


async def _take_share(tx: Tx, holder: Holder, left_id: int, share: int) -> None:
    shared = await ledger_queries.passbook_in(tx, household_id=left_id)
    if holder.kind != "household" or shared is None:
        raise NotEnoughPoints(missing=share, **in_unit(await kinds.main(tx, holder.community_id)))
    to_id = await vouchers.open_book_of(tx, person_id=holder.person_id)
    await joining.carry_over(
        tx, from_id=shared.passbook_id, to_id=to_id, points=share, member_id=holder.person_id, reason="split"
    )


async def leave(tx: Tx, *, person_id: int, how: str, points_given_up: int, answer: str) -> None:
    """Carry out that a member leaves, with the words that staff answer.

    Passbooks that nobody else holds are closed: empty, or with their points given up, those that were told and no
    others. What is on its way to them is sent back. A household's passbook stays with the household, and so does what
    is on its way.
    """
    holder = await people_queries.holder_of(tx, person_id)
    await not_own(tx, person_ids=[holder.person_id])
    await people.touch_roster(tx, community_id=holder.community_id)  # nobody moves in with whoever leaves
    await people.hold_person(tx, person_id=holder.person_id)
    holder = await people_queries.holder_of(tx, person_id)
    ending = await points.prepare_end(tx, holder=holder)
    told = sum(book.balance for book in ending)
    if told != points_given_up:
        points.check_empty(ending)
    for book in ending:
        if book.balance:
            await ledger.give_up(
                tx,
                passbook_id=book.passbook_id,
                points=book.balance,
                member_id=holder.person_id,
                source=("governance", "person", holder.person_id),
            )
    await go(tx, holder=holder, ending=ending, how=how, answer=answer)


async def go(tx: Tx, *, holder: Holder, ending: Sequence[Book], how: str, answer: str) -> None:
    """Close the passbooks, which are empty, and end all that lets this member in."""
    await points.close(tx, ending=ending)
    await events.after_leaving(tx, person_ids=await people_queries.ids_of(tx, holder.person_id))
    await actions_own.leave(tx, person_id=holder.person_id, how=how, answer=answer)
