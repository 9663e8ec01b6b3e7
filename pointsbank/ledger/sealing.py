"""The sealer: goes over what was booked, slice by slice, and knows up to where there is nothing left to look at.

On SQLite there is one writer, so ids come in the order of commits and what was sealed last says it all. On PostgreSQL
a smaller id may be committed after a larger one. So what has been gone over counts as done only when every transaction
that was under way at that time has ended: ids that it had been given by then are in sight or never will be.
"""

import msgspec

from pointsbank.kit import db
from pointsbank.ledger import actions_seal, queries_seal

SLICES_MAX = 10_000
# The transactions under way have numbers from the first of these on, and below the second.
UNDER_WAY = """
SELECT CAST(CAST(pg_snapshot_xmin(now.under_way) AS TEXT) AS BIGINT),
       CAST(CAST(pg_snapshot_xmax(now.under_way) AS TEXT) AS BIGINT),
       (SELECT COALESCE(MAX(id), 0) FROM ledger_entry), (SELECT COALESCE(MAX(id), 0) FROM ledger_change)
  FROM (SELECT pg_current_snapshot() AS under_way) now
"""


class _Mark(msgspec.Struct, frozen=True):
    """Ids that had been given out when the transaction of this number was still to begin."""

    transaction: int = 0
    entry_id: int = 0
    change_id: int = 0


class Sealer:
    """One a process. What it remembers only spares it work: a new one looks at everything once."""

    def __init__(self) -> None:
        self.done = _Mark()
        self.next: _Mark | None = None

    async def run(self, *, slices: int = SLICES_MAX) -> int:
        """Seal what is not sealed yet; returns how much."""
        if db.current().is_sqlite:
            return await self._go_over(await self._last_sealed(), slices)
        first_under_way, next_transaction, entry_id, change_id = (await db.rows(UNDER_WAY))[0]
        has_ended = self.next is not None and self.next.transaction <= first_under_way
        sealed = await self._go_over(self.done, slices)
        if has_ended and self.is_through:
            assert self.next is not None
            self.done, self.next = self.next, None
        if self.next is None:
            self.next = _Mark(next_transaction, entry_id, change_id)
        return sealed

    async def _last_sealed(self) -> _Mark:
        return _Mark(0, *(await db.rows(queries_seal.LAST_SEALED))[0])

    async def _go_over(self, start: _Mark, slices: int) -> int:
        total, entry_id, change_id = 0, start.entry_id, start.change_id
        self.is_through = False
        if await db.row(queries_seal.IS_MORE, entry_id, change_id) is None:
            self.is_through = True
            return 0
        has_left = False
        for _ in range(slices):
            part = await db.write(actions_seal.seal, after_entry=entry_id, after_change=change_id)
            total, entry_id, change_id = total + part.count, part.entry_id, part.change_id
            has_left = has_left or part.must_wait
            if part.is_last:  # what is booked from here on is the next round's
                self.is_through = not has_left
                break
        return total
