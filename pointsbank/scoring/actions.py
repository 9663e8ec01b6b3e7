"""Write scoring tables: a first one, and drafts."""

from collections.abc import Set as AbstractSet
from datetime import date

import msgspec

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.scoring import queries, queries_life, rules
from pointsbank.scoring.rules import HasTable, NotADraft, Table, TableFaults
from pointsbank.scoring.rules_life import CodeEnded, VersionWaits
from pointsbank.trail import actions as trail

FAULTS_SHOWN = 500

# Whoever touches a draft takes this row first: what was checked is then what is published.
HOLD_DRAFTS = "UPDATE scoring_table SET name = name WHERE community_id = ?"
FIND_TABLE = "SELECT id FROM scoring_table WHERE community_id = ?"
NEW_TABLE = """
INSERT INTO scoring_table (community_id, name, made_at) VALUES (?, ?, ?)
ON CONFLICT (community_id) DO NOTHING RETURNING id
"""
LAST_NUMBER = "SELECT COALESCE(MAX(number), 0) FROM scoring_version WHERE table_id = ?"
NEW_DRAFT = """
INSERT INTO scoring_version (table_id, community_id, number, state, rules, drafted_by, drafted_at)
VALUES (?, ?, ?, 'draft', ?, ?, ?) RETURNING id
"""
NEW_ITEM = """
INSERT INTO scoring_item (version_id, position, code, category, name, rule) VALUES (?, ?, ?, ?, ?, ?)
"""
SAVE_RULES = "UPDATE scoring_version SET rules = ?, drafted_by = ?, drafted_at = ? WHERE id = ? AND state = 'draft'"
CLEAR_ITEMS = "DELETE FROM scoring_item WHERE version_id = ?"
DRAFTED = "INSERT INTO scoring_drafter (version_id, person_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
FIRST = """
UPDATE scoring_version SET state = ?, in_force_from = ?, published_by = ?, published_at = ?
 WHERE id = ? AND state = 'draft'
"""
KEEP_DROPPED = "UPDATE scoring_version SET state = 'dropped' WHERE id = ? AND state = 'draft'"
CLEAR_DRAFTERS = "DELETE FROM scoring_drafter WHERE version_id = ?"
DROP = "DELETE FROM scoring_version WHERE id = ? AND state = 'draft'"

_encode = msgspec.json.Encoder().encode


async def adopt(tx: Tx, *, community_id: int, table: Table, in_force_from: date) -> int:
    """Take a community's first table, in force from any day, also a past one: there is nothing it could change."""
    await refuse_faults(tx, community_id=community_id, table=table)
    made = await tx.row(NEW_TABLE, community_id, table.name, tx.now)
    if made is None:
        raise HasTable
    version_id = await _new_draft(tx, made["id"], community_id, table)
    state = "in_force" if in_force_from <= local_day(tx.now) else "scheduled"
    await tx.run(FIRST, state, in_force_from, tx.actor.person_id, tx.now, version_id)
    await trail.record(tx, "table.adopted", subject=("version", version_id), in_force_from=in_force_from.isoformat())
    return version_id


async def draft_from_current(tx: Tx, *, community_id: int) -> int:
    """Start a draft as a copy of what is in force; the version that is under way already is returned."""
    await tx.run(HOLD_DRAFTS, community_id)
    under_way = await queries.under_way(community_id, tx)
    if under_way is not None:
        return under_way.id
    await refuse_waiting(tx, community_id=community_id)
    current = await queries.version_on(tx, community_id=community_id, day=local_day(tx.now))
    return await _drafted(tx, community_id, current.table)


async def import_draft(tx: Tx, *, community_id: int, table: Table) -> int:
    """Put a table from a file into the community's draft; refuses faults, but for those that bar publishing alone."""
    await refuse_faults(tx, community_id=community_id, table=table, to_publish=False)
    await tx.run(HOLD_DRAFTS, community_id)
    under_way = await queries.under_way(community_id, tx)
    if under_way is not None:
        await _save(tx, under_way.id, table)
        return under_way.id
    await refuse_waiting(tx, community_id=community_id)
    return await _drafted(tx, community_id, table)


async def refuse_waiting(tx: Tx, *, community_id: int) -> None:
    """Nothing is begun beside a version whose day is set and has not come.

    It would be compared with what is in force today, and undo on its own day what the other brought.
    """
    waiting = await queries.waiting(community_id, local_day(tx.now), tx)
    if waiting is not None:
        assert waiting.in_force_from is not None
        raise VersionWaits(number=waiting.number, day=waiting.in_force_from.isoformat())


async def _drafted(tx: Tx, community_id: int, table: Table) -> int:
    found = await tx.row(FIND_TABLE, community_id) or await tx.row(NEW_TABLE, community_id, table.name, tx.now)
    assert found is not None
    return await _new_draft(tx, found["id"], community_id, table)


async def _new_draft(tx: Tx, table_id: int, community_id: int, table: Table) -> int:
    last = await tx.row(LAST_NUMBER, table_id)
    assert last is not None
    actor = tx.actor.person_id
    version = await tx.row(NEW_DRAFT, table_id, community_id, last[0] + 1, _rules_text(table), actor, tx.now)
    assert version is not None
    await _write_items(tx, version["id"], table)
    await _had_a_hand(tx, version["id"])
    await trail.record(tx, "table.drafted", subject=("version", version["id"]))
    return int(version["id"])


def _rules_text(table: Table) -> str:
    return _encode(msgspec.structs.replace(table, items=())).decode()


async def _write_items(tx: Tx, version_id: int, table: Table) -> None:
    for position, item in enumerate(table.items):
        rule = _encode(item).decode()
        await tx.run(NEW_ITEM, version_id, position, item.code, item.category, item.name, rule)


async def save_draft(tx: Tx, *, community_id: int, version_id: int, table: Table) -> int:
    """Keep a draft as it was typed, faults and all; how many faults it has is the answer."""
    await tx.run(HOLD_DRAFTS, community_id)
    found = await queries.version((community_id,), version_id, tx)
    if found.state != "draft":
        raise NotADraft
    await _refuse_ended(tx, community_id, {item.code for item in table.items} - found.items.keys())
    await _save(tx, version_id, table)
    return len(rules.faults(table, await kinds.denominations(tx, community_id)))


async def _save(tx: Tx, version_id: int, table: Table) -> None:
    if await tx.run(SAVE_RULES, _rules_text(table), tx.actor.person_id, tx.now, version_id) != 1:
        raise NotADraft
    await tx.run(CLEAR_ITEMS, version_id)
    await _write_items(tx, version_id, table)
    await _had_a_hand(tx, version_id)
    await trail.record(tx, "table.saved", subject=("version", version_id), items=len(table.items))


async def _refuse_ended(tx: Tx, community_id: int, codes: AbstractSet[str]) -> None:
    """A code that was ended is never used again: what is counted and booked under it is of the item it was."""
    used = [code for code in await queries.ended_codes(community_id, tx) if code in codes]
    if used:
        raise CodeEnded(codes="、".join(used[:FAULTS_SHOWN]))


async def _had_a_hand(tx: Tx, version_id: int) -> None:
    """Whoever ever wrote on a version does not publish it."""
    if tx.actor.person_id is not None:
        await tx.run(DRAFTED, version_id, tx.actor.person_id)


async def drop_draft(tx: Tx, *, community_id: int, version_id: int) -> None:
    """Give a draft up; one that residents have discussed before is kept to be read."""
    await tx.run(HOLD_DRAFTS, community_id)
    found = await queries.version((community_id,), version_id, tx)
    if found.state != "draft":
        raise NotADraft
    if await queries_life.was_discussed(tx, version_id):
        await tx.run(KEEP_DROPPED, version_id)
    else:
        await tx.run(CLEAR_ITEMS, version_id)
        await tx.run(CLEAR_DRAFTERS, version_id)
        await tx.run(DROP, version_id)
    await trail.record(tx, "table.dropped", subject=("version", version_id))


async def refuse_faults(tx: Tx, *, community_id: int, table: Table, to_publish: bool = True) -> None:
    """Refuse a table with faults; one that is only drafted may have those that bar publishing alone."""
    await _refuse_ended(tx, community_id, {item.code for item in table.items})
    found = rules.faults(table, await kinds.denominations(tx, community_id))
    found = [fault for fault in found if to_publish or not fault.only_publishing]
    if found:
        raise TableFaults(count=len(found), text="；".join(fault.text for fault in found[:FAULTS_SHOWN]))
