"""Objections that were written down before words were sealed: a job seals them, for a migration has no key at hand."""

from pointsbank.kit import db, words
from pointsbank.kit.db import Tx
from pointsbank.notices.rules import place_of

BATCH = 100

PLAIN = """
SELECT id, line_id, words FROM notices_objection WHERE words <> '' AND words NOT LIKE 'sealed/1:%' ORDER BY id LIMIT ?
"""
OVERWRITE = "PRAGMA secure_delete = ON"
SEAL = "UPDATE notices_objection SET words = ? WHERE id = ?"


async def seal_due(tx: Tx) -> int:
    """Seal the next of them; returns how many, 0 when all is done."""
    plain = await tx.rows(PLAIN, BATCH)
    if plain:
        await overwrite_what_goes(tx)
    for objection_id, line_id, said in plain:
        await tx.run(SEAL, words.seal(said, place_of(line_id)), objection_id)
    return len(plain)


async def overwrite_what_goes(tx: Tx) -> None:
    """Not every SQLite does by itself, and an UPDATE leaves in the file what stood there."""
    if db.current().is_sqlite:
        await tx.rows(OVERWRITE)
