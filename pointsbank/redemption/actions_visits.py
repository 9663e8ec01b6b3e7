"""End visits before their ten minutes are over."""

from collections.abc import Sequence

from pointsbank.kit.db import Tx
from pointsbank.redemption.rules import VISIT_LIFE

# Visits are numbered as they come, so the newest that is too old to be open says where to begin.
LAST_OLD = "SELECT id FROM redemption_visit WHERE opened_at <= ? ORDER BY id DESC LIMIT 1"
END = "UPDATE redemption_visit SET expires_at = ? WHERE id > ? AND person_id = ? AND expires_at > ?"


async def end_visits(tx: Tx, *, person_ids: Sequence[int]) -> None:
    """Have whoever stands at a counter scanned anew: the passbook that was opened is another's to spend now."""
    # Twice the time, since the clock of another process may be behind.
    last = await tx.row(LAST_OLD, tx.now - 2 * VISIT_LIFE)
    for person_id in sorted(set(person_ids)):
        await tx.run(END, tx.now, 0 if last is None else last["id"], person_id, tx.now)
