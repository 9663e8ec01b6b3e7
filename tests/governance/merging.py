"""Two people who decide that two records are one person's, for tests."""

from pointsbank.approvals.rules import facts_hash
from pointsbank.governance import actions_merging, queries
from pointsbank.kit import db
from tests.ledger.test_vouchers import admin


async def ask(town, person_id, same_as, *, actor=None):
    return await db.write(actions_merging.ask, actor=actor or await admin(town), person_id=person_id, same_as=same_as)


async def agree(town, request_id, *, actor=None):
    request = await queries.merge_request((town.home.id,), request_id)
    return await db.write(
        actions_merging.agree, actor=actor or await admin(town), request_id=request_id,
        seen=facts_hash(await queries.merge_facts(None, request)),
    )  # fmt: skip


async def merge(town, person_id, same_as, *, actor=None):
    """Whoever is named asks."""
    return await agree(town, await ask(town, person_id, same_as, actor=actor))
