"""A street or district advises a table; a community takes it as its draft and goes on from there."""

import msgspec

from pointsbank.kit.db import Tx
from pointsbank.people import queries_places as places
from pointsbank.scoring import actions, queries_templates, rules
from pointsbank.scoring.rules import Table, TableFaults
from pointsbank.trail import actions as trail

KEEP = (
    "INSERT INTO scoring_template (place_id, rules, version_id, made_by, made_at) VALUES (?, ?, ?, ?, ?) RETURNING id"
)

_encode = msgspec.json.Encoder().encode


async def keep_template(tx: Tx, *, place_id: int, table: Table, version_id: int | None = None) -> int:
    """Make a table the template of a place from now on; `version_id` is the community's version it comes from."""
    found = rules.faults(table)
    if found:
        text = "；".join(fault.text for fault in found[: actions.FAULTS_SHOWN])
        raise TableFaults(count=len(found), text=text)
    made = await tx.row(KEEP, place_id, _encode(table).decode(), version_id, tx.actor.person_id, tx.now)
    assert made is not None
    subject = ("template", int(made["id"]))
    await trail.record(tx, "template.kept", subject=subject, place=place_id, items=len(table.items))
    return int(made["id"])


async def take(tx: Tx, *, community_id: int, template_id: int) -> int:
    """Put a template from above into the community's draft; returns the version."""
    above = [place.id for place in await places.above(tx, community_id)]
    found = await queries_templates.template(above, template_id, tx)
    version_id = await actions.import_draft(tx, community_id=community_id, table=found.table)
    await trail.record(tx, "template.taken", subject=("version", version_id), template=template_id)
    return version_id
