"""What a phone that nobody is signed in on may know of itself."""

from datetime import datetime

from pointsbank.kit import db

LIVE_PAIRING = """
SELECT r.id FROM people_pairing r JOIN people_device d ON d.id = r.device_id
 WHERE d.token_digest = ? AND d.ended_at IS NULL AND r.used_at IS NULL AND r.expires_at > ? ORDER BY r.id DESC LIMIT 1
"""


async def live_pairing(device_digest: bytes, now: datetime) -> int | None:
    """The pairing whose digits this phone is showing."""
    found = await db.row(LIVE_PAIRING, device_digest, now)
    return None if found is None else int(found["id"])
