"""What somebody who died, or leaves, passes on: all points to an heir or to the pot; then the passbooks are closed.

A voucher for each passbook says it, or for each million smallest units where a passbook holds more: one follows when
the one before is booked. Above what the community lets one person do a second one agrees. With the last of them the
member is gone.
"""

from collections.abc import Sequence

import msgspec

from pointsbank.awards import actions as awards
from pointsbank.governance import actions_people, queries
from pointsbank.governance import actions_points as points
from pointsbank.governance.rules import BookStays, NothingToPassOn
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import actions_flows as flows
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as ledger
from pointsbank.ledger.rules import POINTS_MAX
from pointsbank.ledger.rules_flows import EstateAsked, Voucher, What
from pointsbank.people import actions as people
from pointsbank.people import queries as people_queries
from pointsbank.people.queries import Holder
from pointsbank.people.rules import HasLeft


class Passed(msgspec.Struct, frozen=True):
    """The vouchers that were made out, and whether all is done: otherwise a second person is waited for."""

    voucher_ids: list[int]
    is_done: bool


async def pass_on(tx: Tx, *, person_id: int, heir_id: int | None, reason: str, note: str) -> Passed:
    """Let what a member leaves behind go to an heir's passbooks, or (None) to the pot; a family's stays with it."""
    holder = await people_queries.holder_of(tx, person_id)
    concerned = [holder.person_id, *([] if heir_id is None else [heir_id])]
    await actions_people.not_own(tx, person_ids=concerned)
    holder = await _taken(tx, holder, concerned)
    await points.check_openings_of(tx, holder=holder)
    ending = [book for book in await queries.books_that_end(tx, holder) if book.balance]
    if not ending:
        raise NothingToPassOn
    asked = {voucher.from_id for voucher in await ledger.open_estates(tx, member_id=holder.person_id)}
    left = [book for book in ending if book.passbook_id not in asked]
    if not left:
        raise EstateAsked
    made = []
    for book in left:
        to_id = None
        if heir_id is not None:
            to_id = await vouchers.open_book_of(tx, person_id=heir_id, kind=book.kind_code)
        made += await _draw(
            tx, holder, sides=(book.passbook_id, to_id), points=book.balance, reason=reason, note=note
        )  # fmt: skip
    return Passed(made, await _go_if_done(tx, holder, note))


async def agree(tx: Tx, *, voucher_id: int, seen: str) -> bool:
    """Agree to one of these vouchers as it was seen, and book it; returns whether it was the last."""
    voucher = await ledger.voucher_in(tx, voucher_id)
    if voucher.what is not What.ESTATE or voucher.member_id is None:
        raise NotFound
    holder = await people_queries.holder_of(tx, voucher.member_id)
    holder = await _taken(tx, holder, [holder.person_id])
    if voucher.from_id not in {book.passbook_id for book in await queries.books_that_end(tx, holder)}:
        raise BookStays
    await _book(tx, await vouchers.agree(tx, voucher_id=voucher_id, seen=seen))
    left = (await ledger.book(tx, voucher.from_id)).balance
    sides = (voucher.from_id, voucher.to_id)
    await _draw(tx, holder, sides=sides, points=left, reason=voucher.reason, note=voucher.note)
    return await _go_if_done(tx, holder, voucher.note)


async def _draw(
    tx: Tx, holder: Holder, *, sides: tuple[int, int | None], points: int, reason: str, note: str
) -> list[int]:
    """Make vouchers out until these points are booked, or one of them waits; returns them."""
    made = []
    while points:
        voucher = await vouchers.draw_estate(
            tx, community_id=holder.community_id, from_id=sides[0], to_id=sides[1], points=min(points, POINTS_MAX),
            reason=reason, note=note, member_id=holder.person_id,
        )  # fmt: skip
        made.append(voucher.id)
        if voucher.approval_id is not None:
            break
        await _book(tx, voucher)
        points -= voucher.points
    return made


async def _taken(tx: Tx, holder: Holder, concerned: Sequence[int]) -> Holder:
    """Nobody moves in with the member, or the member away, from now on."""
    await people.touch_roster(tx, community_id=holder.community_id)
    for each in sorted(concerned):
        await people.hold_person(tx, person_id=each)
    now = await people_queries.holder_of(tx, holder.person_id)
    if now.state != "member":
        raise HasLeft
    return now


async def _book(tx: Tx, voucher: Voucher) -> None:
    """What is on its way goes to the heir too; for the pot it is sent back."""
    assert voucher.from_id is not None
    if voucher.to_id is None:
        await points.send_back_waiting(tx, passbook_id=voucher.from_id)
    else:
        await points.check_undisputed(tx, passbook_id=voucher.from_id)
        await awards.redirect(tx, from_id=voucher.from_id, to_id=voucher.to_id)
    await flows.book(tx, voucher=voucher)


async def _go_if_done(tx: Tx, holder: Holder, note: str) -> bool:
    if await ledger.open_estates(tx, member_id=holder.person_id):
        return False
    ending = await points.prepare_end(tx, holder=holder)
    points.check_empty(ending)
    await actions_people.go(tx, holder=holder, ending=ending, how="paper", answer=note)
    return True
