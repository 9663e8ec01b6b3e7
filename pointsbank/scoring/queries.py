"""Read scoring tables."""

from datetime import date, datetime

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.scoring.rules import Item, NoTableInForce, Table, is_for_activities
from pointsbank.scoring.rules_life import FIXED


class Version(msgspec.Struct, frozen=True):
    """A version with its table; `items` by code."""

    id: int
    number: int
    state: str
    in_force_from: date | None
    table: Table
    items: dict[str, Item]
    community_id: int


class VersionLine(msgspec.Struct, frozen=True):
    version_id: int
    number: int
    state: str
    in_force_from: date | None
    drafted_by: int | None
    drafted_at: datetime
    published_by: int | None
    published_at: datetime | None


class _Parsed:
    """Versions that can never change again, parsed once for the database that is open."""

    def __init__(self) -> None:
        self.by_id: dict[int, Version] = {}
        self.database: db.Database | None = None

    def of_open(self) -> dict[int, Version]:
        if self.database is not db.current():
            self.by_id, self.database = {}, db.current()
        return self.by_id


_parsed = _Parsed()
_table = msgspec.json.Decoder(Table).decode

COLUMNS = "SELECT id, number, state, in_force_from, rules, community_id FROM scoring_version"
ON_DAY = f"""
{COLUMNS} WHERE community_id = ? AND in_force_from <= ?
 ORDER BY in_force_from DESC, number DESC LIMIT 1
"""
BY_ID = f"{COLUMNS} WHERE id = ?"
BY_NUMBER = f"{COLUMNS} WHERE community_id = ? AND number = ?"
DRAFT = f"{COLUMNS} WHERE community_id = ? AND state = 'draft'"
UNDER_WAY = f"{COLUMNS} WHERE community_id = ? AND state IN ('draft', 'discussion', 'noticed')"
WAITING = f"{COLUMNS} WHERE community_id = ? AND state = 'scheduled' AND in_force_from > ?"
ENDED_CODES = """
SELECT DISTINCT item.code FROM scoring_item item JOIN scoring_version version ON version.id = item.version_id
 WHERE version.community_id = ? AND version.state = 'retired'
   AND item.code NOT IN (SELECT item.code FROM scoring_item item JOIN scoring_version version
                            ON version.id = item.version_id
                          WHERE version.community_id = ? AND version.state IN ('scheduled', 'in_force'))
 ORDER BY item.code
"""
ITEMS = "SELECT rule FROM scoring_item WHERE version_id = ? ORDER BY position"
VERSIONS = """
SELECT id, number, state, in_force_from, drafted_by, drafted_at, published_by, published_at
  FROM scoring_version WHERE community_id = ? ORDER BY number DESC LIMIT 50
"""


def _item(text: str) -> Item:
    """Read a stored item; before `submit` there was `self_claim`, and what is in force never changes."""
    told = msgspec.json.decode(text)
    if told.pop("self_claim", False):
        told["submit"] = ["self", "organiser"]
    return msgspec.convert(told, Item)


async def _rows(tx: Tx | None, sql: str, *values: object) -> list[Row]:
    return await (tx.rows(sql, *values) if tx is not None else db.rows(sql, *values))


async def _version(tx: Tx | None, found: Row) -> Version:
    known = _parsed.of_open().get(found["id"])
    # The state goes on from scheduled to retired, the table does not.
    if known is not None:
        return known if known.state == found["state"] else msgspec.structs.replace(known, state=found["state"])
    items = tuple([_item(rule) for (rule,) in await _rows(tx, ITEMS, found["id"])])
    table = msgspec.structs.replace(_table(found["rules"]), items=items)
    by_code = {item.code: item for item in items}
    version = Version(
        found["id"], found["number"], found["state"], found["in_force_from"], table, by_code, found["community_id"]
    )
    if version.state in FIXED:
        _parsed.of_open()[version.id] = version
    return version


async def version_on(tx: Tx | None, *, community_id: int, day: date) -> Version:
    """Return the version in force on a local day; refuses NoTableInForce."""
    found = await _rows(tx, ON_DAY, community_id, day)
    if not found:
        raise NoTableInForce(day=day.isoformat())
    return await _version(tx, found[0])


async def current(community_id: int, day: date, tx: Tx | None = None) -> Version | None:
    found = await _rows(tx, ON_DAY, community_id, day)
    return await _version(tx, found[0]) if found else None


async def version(community_ids: tuple[int, ...], version_id: int, tx: Tx | None = None) -> Version:
    """Return a version of one of these communities; another's is not found."""
    found = await _rows(tx, BY_ID, version_id)
    if not found or found[0]["community_id"] not in community_ids:
        raise NotFound
    return await _version(tx, found[0])


async def numbered(community_id: int, number: int) -> Version | None:
    found = await _rows(None, BY_NUMBER, community_id, number)
    return await _version(None, found[0]) if found else None


async def draft_of(community_id: int, tx: Tx | None = None) -> Version | None:
    found = await _rows(tx, DRAFT, community_id)
    return await _version(tx, found[0]) if found else None


async def under_way(community_id: int, tx: Tx | None = None) -> Version | None:
    """The version that is drafted, discussed or on notice: a community has one at a time."""
    found = await _rows(tx, UNDER_WAY, community_id)
    return await _version(tx, found[0]) if found else None


async def waiting(community_id: int, day: date, tx: Tx | None = None) -> Version | None:
    """The version that is published and whose day has not come by this one."""
    found = await _rows(tx, WAITING, community_id, day)
    return await _version(tx, found[0]) if found else None


async def ended_codes(community_id: int, tx: Tx | None = None) -> list[str]:
    """Codes of items that were in force once, and are no longer: the books and the counters know them still."""
    return [code for (code,) in await _rows(tx, ENDED_CODES, community_id, community_id)]


async def versions(community_id: int) -> list[VersionLine]:
    """Return a community's versions, newest first."""
    return [VersionLine(*found) for found in await db.rows(VERSIONS, community_id)]


async def items_for_events(community_id: int, day: date) -> list[Item]:
    """Return the items that an event on this day may be scored by: those an organiser can review."""
    found = await current(community_id, day)
    if found is None:
        return []
    return [item for item in found.table.items if is_for_activities(item)]
