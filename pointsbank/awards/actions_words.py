"""Findings are written down sealed; those, objections and remedies that were written in plain are sealed by a job.

See `notices.actions_words`.
"""

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

FINDINGS = "SELECT id, what, evidence FROM awards_case WHERE what NOT LIKE 'sealed/1:%' ORDER BY id LIMIT ?"
SEAL_FINDING = "UPDATE awards_case SET what = ?, evidence = ? WHERE id = ?"


async def seal_finding(tx: Tx, *, case_id: int, what: str, evidence: str) -> None:
    """Its row is there already: the seal names it."""
    sealed = [words.seal(said, place_of(case_id, name)) for name, said in (("what", what), ("evidence", evidence))]
    await tx.run(SEAL_FINDING, *sealed, case_id)


async def seal_due(tx: Tx) -> int:
    """Seal the next of them; returns how many, 0 when all is done."""
    objections, remedies = await tx.rows(OBJECTIONS, BATCH), await tx.rows(REMEDIES, BATCH)
    findings = await tx.rows(FINDINGS, BATCH)
    if objections or remedies or findings:
        await overwrite_what_goes(tx)
    for case_id, said, answer in objections:
        sealed = None if answer is None else words.seal(answer, place_of(case_id, "answer"))
        await tx.run(SEAL_OBJECTION, words.seal(said, place_of(case_id, "said")), sealed, case_id)
    for case_id, remedy in remedies:
        await tx.run(SEAL_REMEDY, words.seal(remedy, place_of(case_id, "remedy")), case_id)
    for case_id, what, evidence in findings:
        await seal_finding(tx, case_id=case_id, what=what, evidence=evidence)
    return len(objections) + len(remedies) + len(findings)
