"""Put what was typed into a draft that others may be typing in: cells, an item, a whole sheet."""

from pointsbank.kit.db import Tx
from pointsbank.scoring import actions, queries, rules_sheet
from pointsbank.scoring.rules import Table
from pointsbank.scoring.rules_sheet import SheetStale


async def put_sheet(tx: Tx, *, community_id: int, version_id: int, table: Table, seen: str) -> int:
    """Keep the table that a check made of a sheet and of the draft of that moment, which `seen` is the digest of."""
    await tx.run(actions.HOLD_DRAFTS, community_id)
    draft = await queries.version((community_id,), version_id, tx)
    if rules_sheet.digest(draft.table) != seen:
        raise SheetStale
    return await actions.save_draft(tx, community_id=community_id, version_id=version_id, table=table)
