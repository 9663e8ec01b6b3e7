"""What ends when somebody goes, and requests to make two records one."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_flows as ledger
from pointsbank.ledger.queries_flows import Book
from pointsbank.people import queries as people
from pointsbank.people.queries import Holder

REQUESTS_MAX = 50
REQUESTS = """
SELECT id, community_id, person_id, into_id, made_by, made_at, state, approval_id FROM governance_merge_request
"""
OF_ID = f"{REQUESTS} WHERE id = ?"
OPEN_OF = f"{REQUESTS} WHERE person_id = ? AND state = 'asked'"
OF_COMMUNITY = f"""{REQUESTS}
 WHERE community_id = ? ORDER BY CASE WHEN state = 'asked' THEN 0 ELSE 1 END, id DESC LIMIT ?
"""
WHO_ASKED = """
SELECT made_by FROM governance_merge_request WHERE person_id = ? AND into_id = ? AND state = 'done'
 ORDER BY id DESC LIMIT 1
"""


class MergeRequest(msgspec.Struct, frozen=True):
    """That the record `person_id` is to become an alias of `into_id`."""

    id: int
    community_id: int
    person_id: int
    into_id: int
    made_by: int
    made_at: datetime
    state: str
    approval_id: int | None


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


def _request(found: Row | None) -> MergeRequest:
    if found is None:
        raise NotFound
    return MergeRequest(*found)


async def merge_request_in(tx: Tx, request_id: int) -> MergeRequest:
    return _request(await tx.row(OF_ID, request_id))


async def merge_request(community_ids: Sequence[int], request_id: int) -> MergeRequest:
    request = _request(await db.row(OF_ID, request_id))
    if request.community_id not in community_ids:
        raise NotFound
    return request


async def merge_requests(community_id: int) -> list[MergeRequest]:
    """Those that wait for a second person first, then the latest."""
    return [MergeRequest(*found) for found in await db.rows(OF_COMMUNITY, community_id, REQUESTS_MAX)]


async def open_merge_request(person_id: int) -> MergeRequest | None:
    found = await db.row(OPEN_OF, person_id)
    return None if found is None else MergeRequest(*found)


async def merge_facts(tx: Tx | None, request: MergeRequest) -> list[object]:
    """All that a second person is asked to confirm: who becomes whom, and how much goes along from which passbook."""
    ending = await books_that_end(tx, await people.holder_of(tx, request.person_id))
    moving = [(book.number, book.kind_code, book.balance) for book in ending if book.balance]
    return [request.id, request.person_id, request.into_id, moving]


async def who_asked(tx: Tx | None, person_id: int, into_id: int) -> int | None:
    """For a merge that was carried out; None where nobody had to."""
    found = await (db.row if tx is None else tx.row)(WHO_ASKED, person_id, into_id)
    return None if found is None else int(found["made_by"])
