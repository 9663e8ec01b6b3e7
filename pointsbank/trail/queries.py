"""Read the trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from pointsbank.kit import db

HISTORY = """
SELECT at, person_id, verb, facts FROM trail_record WHERE subject_kind = ? AND subject_id = ? ORDER BY id
"""


RECENT = """
SELECT at, person_id, verb, facts FROM trail_record WHERE subject_kind = ? AND subject_id = ? AND verb IN
"""


class Record(msgspec.Struct, frozen=True):
    at: datetime
    person_id: int | None
    verb: str
    facts: dict[str, Any]


async def history(subject: tuple[str, int]) -> list[Record]:
    """Return what happened to a subject, oldest first."""
    kind, subject_id = subject
    found = await db.rows(HISTORY, kind, subject_id)
    return [Record(at, person_id, verb, msgspec.json.decode(facts)) for at, person_id, verb, facts in found]


async def recent(subject: tuple[str, int], verbs: Sequence[str], limit: int) -> list[Record]:
    """Return the last of what happened to a subject, of these sorts, newest first."""
    kind, subject_id = subject
    marks = ", ".join("?" * len(verbs))
    found = await db.rows(f"{RECENT} ({marks}) ORDER BY id DESC LIMIT {limit}", kind, subject_id, *verbs)
    return [Record(at, person_id, verb, msgspec.json.decode(facts)) for at, person_id, verb, facts in found]
