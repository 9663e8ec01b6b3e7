"""Read the trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx

HISTORY = """
SELECT at, person_id, verb, facts FROM trail_record WHERE subject_kind = ? AND subject_id = ? ORDER BY id
"""
DOERS = """
SELECT subject_id, person_id, at FROM trail_record
 WHERE at > ? AND person_id IS NOT NULL AND subject_kind = ? AND subject_id IN
"""
FACTS = "SELECT facts FROM trail_record WHERE at >= ? AND subject_kind = ? AND verb = ? AND subject_id IN"
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


async def doers(
    tx: Tx | None, kind: str, subject_ids: Sequence[int], verbs: Sequence[str], *, since: datetime
) -> Sequence[Row]:
    """Return whoever did one of these to one of the subjects since then, and when: (subject, person, moment)."""
    of, did = ", ".join("?" * len(subject_ids)), ", ".join("?" * len(verbs))
    rows = db.rows if tx is None else tx.rows
    return await rows(f"{DOERS} ({of}) AND verb IN ({did})", since, kind, *subject_ids, *verbs)


async def facts(tx: Tx, kind: str, subject_ids: Sequence[int], verb: str, *, since: datetime) -> list[dict[str, Any]]:
    """Return what was written down of one sort of deed about any of the subjects since then."""
    marks = ", ".join("?" * len(subject_ids)) or "NULL"
    rows = await tx.rows(f"{FACTS} ({marks})", since, kind, verb, *subject_ids)
    return [msgspec.json.decode(said) for (said,) in rows]
