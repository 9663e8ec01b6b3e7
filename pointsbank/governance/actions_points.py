"""What becomes of points when their holders move, turn out to be one, or go.

Rows are taken in one order: the roster, people, awards on their way, limits, accounts.
"""

from collections.abc import Iterable

from pointsbank.awards import actions as awards
from pointsbank.awards import actions_holders as cases
from pointsbank.awards import queries as award_queries
from pointsbank.awards.queries import Credit
from pointsbank.awards.rules import Reason, State
from pointsbank.governance import queries
from pointsbank.governance.rules import DisputedFirst, OpeningFirst, PointsLeft
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_flows as flows
from pointsbank.ledger import actions_joining as joining
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_opening as openings
from pointsbank.ledger.actions_joining import Agreed
from pointsbank.ledger.queries_flows import Book
from pointsbank.ledger.rules import in_unit
from pointsbank.people.queries import Holder
from pointsbank.redemption import actions_limits as limits


async def check_openings(tx: Tx, *, person_id: int | None = None, household_id: int | None = None) -> None:
    """Refuses while an opening balance is to come to this person's, or this household's, passbook."""
    if await openings.is_expected(tx, person_id=person_id, household_id=household_id):
        raise OpeningFirst


async def follow(
    tx: Tx,
    *,
    left: Iterable[Book],
    person_id: int,
    reason: str,
    is_theirs_alone: bool = True,
    agreed: Agreed | None = None,
    merge_id: int | None = None,
) -> list[Book]:
    """Let all points of these passbooks, what is on its way to them and what they used come to where this member's are.

    Returns those of them that were left. Whether these passbooks are `is_theirs_alone` decides what bars go along.
    """
    targets = [(book, await vouchers.open_book_of(tx, person_id=person_id, kind=book.kind_code)) for book in left]
    moving = [(book, to_id) for book, to_id in targets if to_id != book.passbook_id]
    for book, to_id in moving:
        await awards.redirect(tx, from_id=book.passbook_id, to_id=to_id)
        await cases.follow(tx, from_id=book.passbook_id, to_id=to_id, is_theirs_alone=is_theirs_alone)
    await limits.follow(tx, left=[book for book, _to_id in moving], person_id=person_id, merge_id=merge_id)
    for book, to_id in moving:
        await joining.carry_over(
            tx, from_id=book.passbook_id, to_id=to_id, points=None, member_id=person_id, reason=reason, agreed=agreed
        )
    return [book for book, _to_id in moving]


async def check_openings_of(tx: Tx, *, holder: Holder) -> None:
    """The same for all passbooks that end with this member."""
    await check_openings(tx, person_id=holder.person_id)
    home = await queries.home_that_ends(tx, holder)
    if home is not None:
        await check_openings(tx, household_id=home)


async def check_undisputed(tx: Tx, *, passbook_id: int) -> list[Credit]:
    """Returns what is on its way to a passbook, of which nothing is disputed."""
    waiting = await award_queries.waiting_in(tx, passbook_id)
    if any(credit.state == State.DISPUTED for credit in waiting):
        raise DisputedFirst
    return waiting


async def send_back_waiting(tx: Tx, *, passbook_id: int) -> None:
    for credit in await check_undisputed(tx, passbook_id=passbook_id):
        await awards.send_back(tx, award_id=credit.award_id, reason=Reason.LEFT)


async def prepare_end(tx: Tx, *, holder: Holder) -> list[Book]:
    """Send back what is on its way to the passbooks that end with this member, and return them."""
    await check_openings_of(tx, holder=holder)
    ending = await queries.books_that_end(tx, holder)
    for book in ending:
        await send_back_waiting(tx, passbook_id=book.passbook_id)
    return ending


def check_empty(ending: Iterable[Book]) -> None:
    """Refuses with the first passbook that holds points: those of several kinds have no sum to tell."""
    for book in ending:
        if book.balance:
            raise PointsLeft(points=book.balance, name=book.kind_name, **in_unit(book))


async def close(tx: Tx, *, ending: Iterable[Book]) -> None:
    for book in ending:
        await cases.end(tx, passbook_id=book.passbook_id)
        await flows.close(tx, passbook_id=book.passbook_id)
