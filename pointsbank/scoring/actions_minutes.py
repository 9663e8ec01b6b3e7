"""Minutes of meetings bear names and signatures: sealed as they are recorded. A job seals what was kept in plain."""

from pointsbank.kit import words
from pointsbank.kit.db import Tx
from pointsbank.notices.actions_words import overwrite_what_goes
from pointsbank.scoring.rules_life import place_of

BATCH = 4  # a photo or a PDF each

KEEP = "UPDATE scoring_meeting SET record = ? WHERE id = ?"
PLAIN = "SELECT id, record FROM scoring_meeting WHERE substr(record, 1, 9) <> ? ORDER BY id LIMIT ?"


async def keep(tx: Tx, *, meeting_id: int, record: bytes) -> None:
    """Its row is there already: the seal names it."""
    await tx.run(KEEP, words.seal_paper(record, place_of(meeting_id)), meeting_id)


async def seal_due(tx: Tx) -> int:
    """Seal the next of them; returns how many, 0 when all is done."""
    plain = await tx.rows(PLAIN, words.MARK.encode(), BATCH)
    if plain:
        await overwrite_what_goes(tx)
    for meeting_id, record in plain:
        await keep(tx, meeting_id=meeting_id, record=bytes(record))
    return len(plain)
