"""Record and rule on objections, and settle who a provisional person is."""

from collections.abc import Sequence

from pointsbank.approvals import queries as approvals
from pointsbank.awards import actions as awards
from pointsbank.awards import queries as award_queries
from pointsbank.events import actions_confirm as events
from pointsbank.governance import actions_people
from pointsbank.governance.rules import RULING_LETTERS_MAX, OwnMatter, OwnRecord, PointsFirst
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_flows as flows
from pointsbank.ledger import queries_flows as ledger
from pointsbank.ledger.rules import in_unit
from pointsbank.notices import actions as notices
from pointsbank.notices import queries as notice_queries
from pointsbank.notices.rules import Grounds
from pointsbank.people import actions as people
from pointsbank.people import actions_own
from pointsbank.people import queries as people_queries
from pointsbank.redemption import actions_limits as limits


async def object_to(tx: Tx, *, line_id: int, grounds: Grounds) -> int:
    """Write a neighbour's objection down and hold the line back; returns the objection."""
    objection_id = await notices.record_objection(tx, line_id=line_id, grounds=grounds)
    await awards.hold_line(tx, line_id=line_id)
    return objection_id


async def rule(tx: Tx, *, objection_id: int, upheld: bool, ruling: str) -> None:
    """Answer an objection: upheld sends the award back, dismissed lets it go on."""
    assert 0 < len(ruling) <= RULING_LETTERS_MAX
    objection = await notice_queries.objection_of(tx, objection_id)
    beneficiary_id = await award_queries.beneficiary_of_line(tx, objection.line_id)
    judge_id = tx.actor.person_id
    assert judge_id is not None
    if await people_queries.same_household(tx, judge_id, beneficiary_id):
        raise OwnMatter
    if judge_id == objection.recorded_by:
        raise OwnRecord
    dependent = await approvals.dependent(tx, objection.recorded_by, judge_id)
    if dependent is not None:
        raise dependent

    line_id = await notices.rule_objection(tx, objection_id=objection_id, upheld=upheld, ruling=ruling)
    if upheld:
        await awards.reject_line(tx, line_id=line_id)
    else:
        await awards.release_line(tx, line_id=line_id)


async def settle_provisional(tx: Tx, *, person_id: int, same_as: int | None, take: Sequence[str] = ()) -> int:
    """Make a provisional person a new resident, or an alias of a member; returns who it is from now on.

    `take` names what of the alias's own words the roster shall have: name, phone.
    """
    judge_id = tx.actor.person_id
    assert judge_id is not None
    for concerned in (person_id, same_as):
        if concerned is not None and await people_queries.same_household(tx, judge_id, concerned):
            raise OwnMatter
    # A member who became an alias here would leave a passbook behind, and his card would open another's.
    await people.hold_provisional(tx, person_id=person_id)
    if same_as is None:
        await people.accept_provisional(tx, person_id=person_id)
        holder = await people_queries.holder_of(tx, person_id)
        if holder.household_id is None:
            await flows.open_again(tx, person_id=person_id)
        # Whoever was parted may have passbooks of the own; from here on the household's are looked into.
        await actions_people.settle_into_household(tx, holder=holder)
        return person_id
    await _check_nothing_left(tx, person_id)
    await actions_own.adopt(tx, from_id=person_id, into_id=same_as, fields=take)
    merge_id = await people.mark_merged(tx, person_id=person_id, into_id=same_as)
    await events.after_merge(tx, person_id=person_id, into_id=same_as)
    left = await ledger.open_books(tx, person_id=person_id)
    await limits.follow(tx, left=left, person_id=same_as, merge_id=merge_id)
    return same_as


async def _check_nothing_left(tx: Tx, person_id: int) -> None:
    """An alias's points go along only when a second person agreed to them; who was never a member has none."""
    for book in await ledger.open_books(tx, person_id=person_id):
        if book.balance:
            raise PointsFirst(points=book.balance, **in_unit(book))
