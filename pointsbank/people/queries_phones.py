"""What a phone that nobody is signed in on may know of itself, and which phones somebody has."""

from datetime import datetime

import msgspec

from pointsbank.kit import db
from pointsbank.people import uses

LIVE_PAIRING = """
SELECT r.id FROM people_pairing r JOIN people_device d ON d.id = r.device_id
 WHERE d.token_digest = ? AND d.ended_at IS NULL AND r.used_at IS NULL AND r.expires_at > ? ORDER BY r.id DESC LIMIT 1
"""
PHONES = """
SELECT d.id, d.bound_at, s.id AS session_id, s.made_at, s.last_used_at
  FROM people_device d
  LEFT JOIN people_session s ON s.device_id = d.id AND s.kind = 'resident' AND s.ended_at IS NULL
 WHERE d.person_id = ? AND d.ended_at IS NULL AND d.bound_at IS NOT NULL ORDER BY d.id, s.id
"""


async def live_pairing(device_digest: bytes, now: datetime) -> int | None:
    """The pairing whose digits this phone is showing."""
    found = await db.row(LIVE_PAIRING, device_digest, now)
    return None if found is None else int(found["id"])


class Phone(msgspec.Struct, frozen=True):
    """`used_at` is empty where nobody is signed in on it: its codes work all the same."""

    id: int
    bound_at: datetime
    used_at: datetime | None


async def phones_of(person_id: int) -> list[Phone]:
    """The phones of one person, by the canonical id; a scope was checked when the id was found."""
    phones: dict[int, Phone] = {}
    for one in await db.rows(PHONES, person_id):
        used_at = None
        if one["session_id"] is not None:
            used_at = uses.last_of(one["session_id"], one["last_used_at"]) or one["made_at"]
        phones[one["id"]] = Phone(one["id"], one["bound_at"], used_at)
    return list(phones.values())
