"""Objections and remedies that were written down before words were sealed; see `notices.actions_words`."""

from pointsbank.awards.rules_cases import place_of
from pointsbank.kit import words
from pointsbank.kit.db import Tx
from pointsbank.notices.actions_words import BATCH, overwrite_what_goes

OBJECTIONS = """
SELECT case_id, said, answer FROM awards_case_objection WHERE said NOT LIKE 'sealed/1:%' ORDER BY id LIMIT ?
"""
SEAL_OBJECTION = "UPDATE awards_case_objection SET said = ?, answer = ? WHERE case_id = ?"
REMEDIES = """
SELECT id, remedy FROM awards_case WHERE remedy IS NOT NULL AND remedy NOT LIKE 'sealed/1:%' ORDER BY id LIMIT ?
"""
SEAL_REMEDY = "UPDATE awards_case SET remedy = ? WHERE id = ?"


async def seal_due(tx: Tx) -> int:
    """Seal the next of them; returns how many, 0 when all is done."""
    objections, remedies = await tx.rows(OBJECTIONS, BATCH), await tx.rows(REMEDIES, BATCH)
    if objections or remedies:
        await overwrite_what_goes(tx)
    for case_id, said, answer in objections:
        sealed = None if answer is None else words.seal(answer, place_of(case_id, "answer"))
        await tx.run(SEAL_OBJECTION, words.seal(said, place_of(case_id, "said")), sealed, case_id)
    for case_id, remedy in remedies:
        await tx.run(SEAL_REMEDY, words.seal(remedy, place_of(case_id, "remedy")), case_id)
    return len(objections) + len(remedies)
