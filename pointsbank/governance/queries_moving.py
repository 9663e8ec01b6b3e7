"""What a move means for passbooks, of whatever kind, told before it is done."""

from collections.abc import Sequence

import msgspec

from pointsbank.awards import queries as awards
from pointsbank.governance.rules import Fate, fate_of
from pointsbank.ledger import queries_flows as ledger
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.queries_flows import Book
from pointsbank.ledger.rules import MAIN
from pointsbank.people.queries import Holder


class Told(msgspec.Struct, frozen=True):
    """`share` goes along, the rest stays; `waiting` are points on their way to this passbook."""

    book: Book
    fate: Fate
    share: int
    waiting: int

    @property
    def left(self) -> int:
        return self.book.balance - self.share


async def books_of_move(
    holder: Holder, moving: Sequence[int], *, stays_household: bool, is_last: bool, share: int
) -> list[Told]:
    """The passbooks of who moves, and of the household that is left; the main kind's first."""
    holders = {code: kind.holder for code, kind in (await kinds.denominations(None, holder.community_id)).items()}
    holders[MAIN] = holder.kind
    found = [book for one in moving for book in await ledger.open_books(None, person_id=one)]
    if holder.household_id is not None:
        found += await ledger.open_books(None, household_id=holder.household_id)
    told = []
    for book in sorted(found, key=lambda book: (book.kind_code != MAIN, book.account_id)):
        part = share if book.household_id is not None and book.kind_code == MAIN else 0
        fate = fate_of(
            is_own=book.household_id is None,
            joins_household=holder.household_id is None and holders[book.kind_code] == "household",
            stays_household=stays_household,
            is_last=is_last,
            share=part,
        )
        waiting = sum(credit.points for credit in await awards.waiting_in(None, book.passbook_id))
        told.append(Told(book, fate, part if fate is Fate.SHARED else 0, waiting))
    return told
