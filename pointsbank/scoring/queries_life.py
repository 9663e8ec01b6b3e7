"""Read how far a version has come: who drafted it, its meeting, its public notice."""

from datetime import date, datetime
from typing import Literal

import msgspec

from pointsbank.kit import db, words
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.scoring.rules_life import NOTICE_DAYS, place_of

DRAFTERS = "SELECT person_id FROM scoring_drafter WHERE version_id = ? ORDER BY id"
MEETINGS = """
SELECT id, version_id, held_on, place, present, votes_for, votes_against, abstained, record_kind, recorded_by,
       recorded_at, voided_at
  FROM scoring_meeting
"""
MEETING_NOW = f"{MEETINGS} WHERE version_id = ? AND voided_at IS NULL"
MEETINGS_OF = f"{MEETINGS} WHERE version_id = ? ORDER BY id"
RECORD = "SELECT record, record_kind FROM scoring_meeting WHERE id = ? AND version_id = ?"
TOLD = "SELECT notice_id, version_id, starts_on, opened_by, voided_at FROM scoring_notice"
TOLD_NOW = f"{TOLD} WHERE version_id = ? AND voided_at IS NULL"
TOLD_OF = f"{TOLD} WHERE version_id = ? AND voided_at IS NOT NULL ORDER BY id"
TOLD_BY = f"{TOLD} WHERE notice_id = ?"
LEAST_DAYS = "SELECT notice_days_min FROM scoring_table WHERE community_id = ?"
SUBMITTED = "SELECT drafted_at FROM scoring_version WHERE id = ?"
DISCUSSED = """
SELECT 1 FROM scoring_version WHERE id = ?
   AND (EXISTS (SELECT 1 FROM scoring_meeting WHERE version_id = scoring_version.id)
        OR EXISTS (SELECT 1 FROM scoring_notice WHERE version_id = scoring_version.id))
"""


class Meeting(msgspec.Struct, frozen=True):
    """A residents' meeting about a version; voided where the version went back to being a draft since."""

    id: int
    version_id: int
    held_on: date
    place: str
    present: int
    votes_for: int
    votes_against: int
    abstained: int
    record_kind: Literal["jpeg", "pdf"]
    recorded_by: int | None
    recorded_at: datetime
    voided_at: datetime | None


class Told(msgspec.Struct, frozen=True):
    """A public notice of a version, with the day from which residents were told that it is in force."""

    notice_id: int
    version_id: int
    starts_on: date
    opened_by: int | None
    voided_at: datetime | None


async def _row(tx: Tx | None, sql: str, *values: object) -> Row | None:
    return await (db.row(sql, *values) if tx is None else tx.row(sql, *values))


async def drafters(tx: Tx | None, version_id: int) -> list[int]:
    """Everybody who ever wrote on it, the first one first."""
    found = await (db.rows(DRAFTERS, version_id) if tx is None else tx.rows(DRAFTERS, version_id))
    return [person_id for (person_id,) in found]


async def last_change(tx: Tx | None, version_id: int) -> datetime:
    found = await _row(tx, SUBMITTED, version_id)
    assert found is not None
    changed: datetime = found[0]
    return changed


async def was_discussed(tx: Tx, version_id: int) -> bool:
    return await tx.row(DISCUSSED, version_id) is not None


async def meeting(tx: Tx | None, version_id: int) -> Meeting | None:
    """The meeting that counts."""
    found = await _row(tx, MEETING_NOW, version_id)
    return None if found is None else Meeting(*found)


async def meetings(version_id: int) -> list[Meeting]:
    """All that were ever recorded, those that count no longer too."""
    return [Meeting(*found) for found in await db.rows(MEETINGS_OF, version_id)]


async def record_of(version_id: int, meeting_id: int) -> tuple[bytes, str]:
    """The minutes as they were uploaded, and what sort of file it is."""
    found = await db.row(RECORD, meeting_id, version_id)
    if found is None:
        raise NotFound
    return words.opened_paper(bytes(found[0]), place_of(meeting_id)), found[1]


async def told(tx: Tx | None, version_id: int) -> Told | None:
    """The notice that counts."""
    found = await _row(tx, TOLD_NOW, version_id)
    return None if found is None else Told(*found)


async def told_before(version_id: int) -> list[Told]:
    """Notices of it that were withdrawn, the first one first."""
    return [Told(*found) for found in await db.rows(TOLD_OF, version_id)]


async def told_by(tx: Tx | None, notice_id: int) -> Told:
    found = await _row(tx, TOLD_BY, notice_id)
    if found is None:
        raise NotFound
    return Told(*found)


async def least_days(tx: Tx | None, community_id: int) -> int:
    """How long a community shows a new version at the least."""
    found = await _row(tx, LEAST_DAYS, community_id)
    return NOTICE_DAYS if found is None else int(found[0])
