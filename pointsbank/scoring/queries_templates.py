"""Read the templates of streets and districts: the latest of a place is its template of today."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.scoring.rules import Table

TEMPLATES = "SELECT id, place_id, rules, made_at FROM scoring_template"
BY_ID = f"{TEMPLATES} WHERE id = ?"
TODAY = f"{TEMPLATES} WHERE place_id = ? ORDER BY id DESC LIMIT 1"

_table = msgspec.json.Decoder(Table).decode


class Template(msgspec.Struct, frozen=True):
    id: int
    place_id: int
    table: Table
    made_at: datetime


async def templates(place_ids: Sequence[int]) -> list[Template]:
    """Those of today, in the order of the places."""
    found = [await db.row(TODAY, place_id) for place_id in place_ids]
    return [_template(one) for one in found if one is not None]


async def template(place_ids: Sequence[int], template_id: int, tx: Tx | None = None) -> Template:
    """A template of one of these places, of today or earlier; another's is not found."""
    found = await (db.row(BY_ID, template_id) if tx is None else tx.row(BY_ID, template_id))
    if found is None or found["place_id"] not in place_ids:
        raise NotFound
    return _template(found)


def _template(found: db.Row) -> Template:
    template_id, place_id, rules, made_at = found
    return Template(template_id, place_id, _table(rules), made_at)
