"""Write scoring tables: draft, save, publish, come into force."""

from datetime import date, timedelta

import msgspec

from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.scoring import queries, rules
from pointsbank.scoring.rules import HasTable, NotADraft, Table, TableFaults, TooSoon
from pointsbank.trail import actions as trail

FAULTS_SHOWN = 5
DUE_AT_ONCE = 200

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
PUBLISH = """
UPDATE scoring_version SET state = ?, in_force_from = ?, published_by = ?, published_at = ?
 WHERE id = ? AND state = 'draft'
"""
DROP = "DELETE FROM scoring_version WHERE id = ? AND community_id = ? AND state = 'draft'"
DUE = f"""
SELECT id, community_id FROM scoring_version WHERE state = 'scheduled' AND in_force_from <= ?
 ORDER BY community_id, in_force_from, number LIMIT {DUE_AT_ONCE}
"""
RETIRE = "UPDATE scoring_version SET state = 'retired' WHERE community_id = ? AND state = 'in_force'"
ENTER = "UPDATE scoring_version SET state = 'in_force' WHERE id = ? AND state = 'scheduled'"

_encode = msgspec.json.Encoder().encode


async def adopt(tx: Tx, *, community_id: int, table: Table, in_force_from: date) -> int:
    """Take a community's first table, in force from any day, also a past one: there is nothing it could change."""
    await _refuse_faults(tx, community_id, table)
    made = await tx.row(NEW_TABLE, community_id, table.name, tx.now)
    if made is None:
        raise HasTable
    version_id = await _new_draft(tx, made["id"], community_id, table)
    state = "in_force" if in_force_from <= local_day(tx.now) else "scheduled"
    await tx.run(PUBLISH, state, in_force_from, tx.actor.person_id, tx.now, version_id)
    await trail.record(tx, "table.adopted", subject=("version", version_id), in_force_from=in_force_from.isoformat())
    return version_id


async def draft_from_current(tx: Tx, *, community_id: int) -> int:
    """Start a draft as a copy of what is in force; the draft that is open already is returned."""
    await tx.run(HOLD_DRAFTS, community_id)
    open_draft = await queries.draft_of(community_id, tx)
    if open_draft is not None:
        return open_draft.id
    day = local_day(tx.now)
    current = await queries.version_on(tx, community_id=community_id, day=day)
    return await _drafted(tx, community_id, current.table)


async def import_draft(tx: Tx, *, community_id: int, table: Table) -> int:
    """Put a table from a file into the community's draft; refuses one with faults."""
    await _refuse_faults(tx, community_id, table)
    await tx.run(HOLD_DRAFTS, community_id)
    open_draft = await queries.draft_of(community_id, tx)
    if open_draft is not None:
        await _save(tx, open_draft.id, table)
        return open_draft.id
    return await _drafted(tx, community_id, table)


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
    await _save(tx, version_id, table)
    return len(rules.faults(table, await kinds.denominations(tx, community_id)))


async def _save(tx: Tx, version_id: int, table: Table) -> None:
    if await tx.run(SAVE_RULES, _rules_text(table), tx.actor.person_id, tx.now, version_id) != 1:
        raise NotADraft
    await tx.run(CLEAR_ITEMS, version_id)
    await _write_items(tx, version_id, table)
    await trail.record(tx, "table.saved", subject=("version", version_id), items=len(table.items))


async def drop_draft(tx: Tx, *, community_id: int, version_id: int) -> None:
    await tx.run(HOLD_DRAFTS, community_id)
    found = await queries.version((community_id,), version_id, tx)
    if found.state != "draft":
        raise NotADraft
    await tx.run(CLEAR_ITEMS, version_id)
    if await tx.run(DROP, version_id, community_id) != 1:
        raise NotFound
    await trail.record(tx, "table.dropped", subject=("version", version_id))


async def publish(tx: Tx, *, community_id: int, version_id: int, in_force_from: date) -> None:
    """Set the day from which a draft is in force, tomorrow at the earliest; from now on it never changes."""
    await tx.run(HOLD_DRAFTS, community_id)
    found = await queries.version((community_id,), version_id, tx)
    if found.state != "draft":
        raise NotADraft
    earliest = local_day(tx.now) + timedelta(days=1)
    if in_force_from < earliest:
        raise TooSoon(earliest=earliest.isoformat())
    await _refuse_faults(tx, community_id, found.table)
    if await tx.run(PUBLISH, "scheduled", in_force_from, tx.actor.person_id, tx.now, version_id) != 1:
        raise NotADraft
    await trail.record(tx, "table.published", subject=("version", version_id), in_force_from=in_force_from.isoformat())


async def _refuse_faults(tx: Tx, community_id: int, table: Table) -> None:
    found = rules.faults(table, await kinds.denominations(tx, community_id))
    if found:
        raise TableFaults(count=len(found), text="；".join(fault.text for fault in found[:FAULTS_SHOWN]))


async def enter_force_due(tx: Tx) -> int:
    """Put versions whose day has come into force and retire those before them; returns how many."""
    due = await tx.rows(DUE, local_day(tx.now))
    for version_id, community_id in due:
        await tx.run(RETIRE, community_id)
        await tx.run(ENTER, version_id)
        await trail.record(tx, "table.entered_force", subject=("version", version_id))
    return len(due)
