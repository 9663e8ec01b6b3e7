"""What ends when somebody goes."""

from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_flows as ledger
from pointsbank.ledger.queries_flows import Book
from pointsbank.people import queries as people
from pointsbank.people.queries import Holder


async def home_that_ends(tx: Tx | None, holder: Holder) -> int | None:
    """The member's household, if nobody else lives there."""
    home = holder.household_id
    is_last = home is not None and await people.household_members(tx, home) == [holder.person_id]
    return home if is_last else None


async def books_that_end(tx: Tx | None, holder: Holder) -> list[Book]:
    """Open passbooks that nobody holds once this member has gone: the own, and those of a household of nobody else.

    They come by account, as they are to be taken.
    """
    found = [
        book for one in await people.ids_of(tx, holder.person_id) for book in await ledger.open_books(tx, person_id=one)
    ]
    home = await home_that_ends(tx, holder)
    if home is not None:
        found += await ledger.open_books(tx, household_id=home)
    return sorted(found, key=lambda book: book.account_id)
