"""What becomes of points when their holders move, turn out to be one, or go: nothing is left where nobody reaches it.

Rows are taken in one order: the roster, people, awards on their way, accounts.
"""

from collections.abc import Iterable

from pointsbank.awards import actions as awards
from pointsbank.awards import queries as award_queries
from pointsbank.awards.queries import Credit
from pointsbank.awards.rules import Reason, State
from pointsbank.governance.rules import DisputedFirst, OpeningFirst
from pointsbank.kit.db import Tx
from pointsbank.ledger import actions_flows as flows
from pointsbank.ledger import actions_vouchers as vouchers
from pointsbank.ledger import queries_flows as books
from pointsbank.ledger import queries_opening as openings
from pointsbank.ledger.queries_flows import Book
from pointsbank.people import queries as people
from pointsbank.people.queries import Holder


async def books_that_end(tx: Tx | None, holder: Holder) -> list[Book]:
    """Open passbooks that nobody holds once this member has gone: the own, and those of a household of nobody else."""
    found = [
        book for one in await people.ids_of(tx, holder.person_id) for book in await books.open_books(tx, person_id=one)
    ]
    home = await _home_that_ends(tx, holder)
    if home is not None:
        found += await books.open_books(tx, household_id=home)
    return sorted(found, key=lambda book: book.account_id)


async def _home_that_ends(tx: Tx | None, holder: Holder) -> int | None:
    home = holder.household_id
    is_last = home is not None and await people.household_members(tx, home) == [holder.person_id]
    return home if is_last else None


async def check_no_opening_is_lost(tx: Tx, holder: Holder) -> None:
    await check_no_opening_is_to_come(tx, person_id=holder.person_id)
    home = await _home_that_ends(tx, holder)
    if home is not None:
        await check_no_opening_is_to_come(tx, household_id=home)


async def check_no_opening_is_to_come(tx: Tx, *, person_id: int | None = None, household_id: int | None = None) -> None:
    if await openings.is_expected(tx, person_id=person_id, household_id=household_id):
        raise OpeningFirst


async def follow(tx: Tx, *, left: Iterable[Book], person_id: int, reason: str) -> list[Book]:
    """Let all points of these passbooks, and what is on its way to them, come to where this member's are now.

    Returns those of them that were left.
    """
    targets = [(book, await vouchers.open_book_of(tx, person_id=person_id, kind=book.kind_code)) for book in left]
    moving = [(book, to_id) for book, to_id in targets if to_id != book.passbook_id]
    for book, to_id in moving:
        await awards.redirect(tx, from_id=book.passbook_id, to_id=to_id)
    for book, to_id in moving:
        await vouchers.carry_over(
            tx, from_id=book.passbook_id, to_id=to_id, points=None, member_id=person_id, reason=reason
        )
    return [book for book, _to_id in moving]


async def send_back_waiting(tx: Tx, ending: Iterable[Book]) -> None:
    """What is on its way to passbooks that end is not booked any more; what is disputed is ruled on first."""
    for credit in await waiting_in(tx, ending):
        await awards.send_back(tx, award_id=credit.award_id, reason=Reason.LEFT)


async def waiting_in(tx: Tx, ending: Iterable[Book]) -> list[Credit]:
    """Refuses DisputedFirst."""
    waiting = [one for book in ending for one in await award_queries.waiting_in(tx, book.passbook_id)]
    if any(credit.state == State.DISPUTED for credit in waiting):
        raise DisputedFirst
    return waiting


async def close(tx: Tx, ending: Iterable[Book]) -> None:
    for book in ending:
        await flows.close(tx, passbook_id=book.passbook_id)
