"""Put what was typed into a draft that others may be typing in: cells, an item, settings of the table, a sheet."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.scoring import actions, queries, rules_edit, rules_form, rules_sheet
from pointsbank.scoring.rules import Item, Table
from pointsbank.scoring.rules_edit import Row
from pointsbank.scoring.rules_sheet import SheetStale


async def edit_cells(
    tx: Tx, *, community_id: int, version_id: int, rows: Sequence[Row], ended: Sequence[str], in_force: Sequence[Item]
) -> int:
    """Put cells into the draft as it is now, so that two people who type in different rows both keep theirs."""
    await tx.run(actions.HOLD_DRAFTS, community_id)
    draft = await queries.version((community_id,), version_id, tx)
    book_kinds = await kinds.denominations(tx, community_id)
    table, wrong = rules_edit.edited(draft.table, rows, ended, book_kinds, in_force)
    if wrong:  # what the caller had looked at was another draft
        raise SheetStale
    return await actions.save_draft(tx, community_id=community_id, version_id=version_id, table=table)


async def put_item(tx: Tx, *, community_id: int, version_id: int, item: Item, seen: str) -> int:
    """Put in an item what was typed of it since it was `seen`, by the marks of then; a new one has none."""
    await tx.run(actions.HOLD_DRAFTS, community_id)
    draft = await queries.version((community_id,), version_id, tx)
    now = draft.items.get(item.code)
    if now is None and seen:  # somebody has taken it out
        raise SheetStale
    if now is not None:
        item, both = rules_form.merged(item, now, seen)
        if both:
            raise SheetStale
    table = rules_edit.with_item(draft.table, item)
    return await actions.save_draft(tx, community_id=community_id, version_id=version_id, table=table)


async def put_settings(tx: Tx, *, community_id: int, version_id: int, settings: Mapping[str, Any], seen: str) -> int:
    """Change these fields of the table as a whole since they were `seen`; what others typed in the rest of it stays."""
    await tx.run(actions.HOLD_DRAFTS, community_id)
    draft = await queries.version((community_id,), version_id, tx)
    if rules_form.of_both(settings, draft.table, seen):
        raise SheetStale
    table = msgspec.structs.replace(draft.table, **settings)
    return await actions.save_draft(tx, community_id=community_id, version_id=version_id, table=table)


async def put_sheet(tx: Tx, *, community_id: int, version_id: int, table: Table, seen: str) -> int:
    """Keep the table that a check made of a sheet and of the draft of that moment, which `seen` is the digest of."""
    await tx.run(actions.HOLD_DRAFTS, community_id)
    draft = await queries.version((community_id,), version_id, tx)
    if rules_sheet.digest(draft.table) != seen:
        raise SheetStale
    return await actions.save_draft(tx, community_id=community_id, version_id=version_id, table=table)
