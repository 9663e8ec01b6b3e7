"""Write the trail; called by every action that changes something that counts."""

from typing import Any

import msgspec

from pointsbank.kit.db import Tx

RECORD = """
INSERT INTO trail_record (at, person_id, session_id, verb, subject_kind, subject_id, facts) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_encode = msgspec.json.Encoder().encode


async def record(tx: Tx, verb: str, subject: tuple[str, int], **facts: Any) -> None:
    """Note that the actor did `verb` (`order.undone`) to `subject`; the facts are plain and impersonal."""
    kind, subject_id = subject
    person_id, session_id = tx.actor.person_id, tx.actor.session_id
    await tx.run(RECORD, tx.now, person_id, session_id, verb, kind, subject_id, _encode(facts).decode())
