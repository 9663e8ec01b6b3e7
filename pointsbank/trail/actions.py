"""Write the trail; called by every action that changes something that counts."""

from typing import Any

import msgspec

from pointsbank.kit.db import Tx, outbox

RECORD = """
INSERT INTO trail_record (at, person_id, session_id, verb, subject_kind, subject_id, facts) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

WATCHED = frozenset(
    {
        "card.lost",
        "cards.run_voided",
        "entry.reversed",
        "household_card.lost",
        "login.disabled",
        "login.password_reset",
        "person.field_shown",
        "person.merged",
        "role.ended",
        "role.granted",
        "second_step.blocked",
        "second_step.not_required",
        "second_step.taken_off",
        "table.published",
        "token.issued",
        "token.revoked",
    }
)
"""What an operator hears of at once: the outbox carries it to the log."""

_encode = msgspec.json.Encoder().encode


async def record(tx: Tx, verb: str, subject: tuple[str, int], **facts: Any) -> None:
    """Note that the actor did `verb` (`order.undone`) to `subject`; the facts are plain and impersonal."""
    kind, subject_id = subject
    person_id, session_id = tx.actor.person_id, tx.actor.session_id
    await tx.run(RECORD, tx.now, person_id, session_id, verb, kind, subject_id, _encode(facts).decode())
    if verb in WATCHED:
        await outbox.put(tx, "watched", verb=verb, subject=f"{kind}:{subject_id}", actor_id=person_id)
