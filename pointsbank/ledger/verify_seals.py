"""Compare every row of the ledger with the chain, and the chain with heads that were printed or deposited."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from pointsbank.ledger import canon, queries_seal
from pointsbank.ledger.queries_seal import Head, Position, Rows
from pointsbank.ledger.queries_subjects import SUBJECTS

_HEAD = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9a-f]{16,64})")

PAGE = 2_000
SPAN = 50_000
CHANGES_A_PAGE = 5_000
SEALED_WITHIN = timedelta(minutes=1)
WAITED = "something has waited for its seal for more than a minute"
SHOWN = 20

Told = tuple[str, str]
"""What is wrong, and where."""


async def positions(rows: Rows, community_id: int, upto: int, after: int = 0) -> AsyncIterator[Position]:
    """One community's chain, or a piece of it, read page by page."""
    for start in range(after, upto, PAGE):
        page = await queries_seal.sealed(rows, queries_seal.BETWEEN, community_id, start, min(start + PAGE, upto))
        for one in page:
            yield one


class Deposited(msgspec.Struct, frozen=True):
    """A head as it was printed or kept elsewhere: the first digits of a hash."""

    community_id: int
    position: int
    digits: str


def read_head(typed: str) -> Deposited | None:
    """A head as `Head.shown` spells it; blanks and capitals do not matter. None if it is none."""
    found = _HEAD.fullmatch("".join(typed.split()).lower())
    return Deposited(int(found[1]), int(found[2]), found[3]) if found is not None else None


class Span(msgspec.Struct, frozen=True):
    """A piece of a chain that can be checked by itself, from the hash that stands before it; heads that lie in it."""

    community_id: int
    after: int
    upto: int
    deposited: list[Deposited] = []

    def place(self, position: int) -> str:
        return f"community {self.community_id}, position {position}"


class Checked(msgspec.Struct):
    """A span that was gone through: how many seals it has, and what is wrong, the first position first."""

    findings: list[Told]
    count: int = 0


CheckSpans = Callable[[Sequence[Span]], Awaitable[list[Checked]]]
"""What goes through spans: `check_spans` here, or several processes at once."""


def spans_of(head: Head, heads: Sequence[Deposited]) -> list[Span]:
    """The chain up to its head in pieces; each begins with the position whose hash the one before it ends with."""
    return [
        Span(
            head.community_id,
            after,
            upto := min(after + SPAN, head.position),
            [one for one in heads if one.community_id == head.community_id and after < one.position <= upto],
        )
        for after in range(0, head.position, SPAN)
    ]


def cut_off(head: Head, heads: Sequence[Deposited]) -> list[Told]:
    """Deposited heads that lie beyond the end of the chain."""
    where = f"community {head.community_id}, position {head.position + 1}"
    return [
        (f"the chain is cut off before the deposited head at {one.position}", where)
        for one in heads
        if one.community_id == head.community_id and (one.position > head.position or one.position < 1)
    ]


HASH = "SELECT hash FROM ledger_seal WHERE community_id = ? AND position = ?"


async def check_spans(rows: Rows, spans: Sequence[Span]) -> list[Checked]:
    return [await check_span(rows, span) for span in spans]


async def check_span(rows: Rows, span: Span) -> Checked:
    """Compute a piece of a chain anew; each finding names its position."""
    before = await rows(HASH, span.community_id, span.after) if span.after else [(canon.GENESIS,)]
    last, last_hash = span.after, bytes(before[0][0]) if before else b""
    checked, expected = Checked([]), {head.position: head for head in span.deposited}
    async for one in positions(rows, span.community_id, span.upto, span.after):
        if one.position != last + 1:
            checked.findings.append(("the chain has a gap", span.place(last + 1)))
        if (form := one.form) is None:
            checked.findings.append(("what was sealed is gone", span.place(one.position)))
        elif canon.link(span.community_id, one.position, last_hash, canon.digest(form)) != one.hash:
            checked.findings.append(("what was sealed says something else now", span.place(one.position)))
        head = expected.pop(one.position, None)
        if head is not None and not one.hash.hex().startswith(head.digits):
            checked.findings.append(("the chain differs from a deposited head", span.place(one.position)))
        last, last_hash = one.position, one.hash  # so that the next finding is one of its own
        checked.count += 1
        del checked.findings[SHOWN:]
    if last != span.upto:
        checked.findings.append(("the chain has a gap", span.place(last + 1)))
    return checked


LATEST = """
SELECT change.community_id, change.what, change.name, change.content FROM ledger_change change
 WHERE change.id > ? AND change.id <= ? ORDER BY change.id
"""
LAST_CHANGE = "SELECT COALESCE(MAX(id), 0) FROM ledger_change"


async def check_facts(rows: Rows) -> list[Told]:
    """Compare every row that changes are about with the latest change of its name, both ways."""
    latest: dict[tuple[int, str, str], bytes] = {}
    ((last,),) = await rows(LAST_CHANGE)
    for after in range(0, last, CHANGES_A_PAGE):
        for community_id, what, name, said in await rows(LATEST, after, after + CHANGES_A_PAGE):
            latest[community_id, what, name] = _brief(said)
    findings = []
    for what in SUBJECTS:
        findings += [
            (f"a {what} differs from its latest change", f"{what} {fact.name}")
            async for fact in queries_seal.facts(rows, what)
            if latest.pop((fact.community_id, what, fact.name), None) != _brief(fact.content)
        ]
    findings += [(f"a {what} is gone", f"{what} {name}, community {place}") for place, what, name in latest]
    return findings


def _brief(said: str) -> bytes:
    return sha256(said.encode()).digest()[:16]


WAITING = """
SELECT COUNT(*), MIN(booked_at), (SELECT MAX(booked_at) FROM ledger_entry),
       (SELECT MAX(changed_at) FROM ledger_change)
  FROM (SELECT entry.booked_at FROM ledger_entry entry
         WHERE NOT EXISTS (SELECT 1 FROM ledger_seal seal WHERE seal.entry_id = entry.id)
        UNION ALL SELECT change.changed_at FROM ledger_change change
         WHERE NOT EXISTS (SELECT 1 FROM ledger_seal seal WHERE seal.change_id = change.id)) waiting
"""


async def check_waiting(rows: Rows) -> tuple[int, list[Told]]:
    """How much is not sealed yet. The books' own time is what counts, so that a copy is judged as on its day."""
    ((count, since, booked, changed),) = await rows(WAITING)
    if not count:
        return 0, []
    now = max(_moment(moment) for moment in (booked, changed) if moment is not None)
    if now - _moment(since) <= SEALED_WITHIN:
        return count, []
    return count, [(WAITED, f"{count} since {_moment(since)}")]


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
