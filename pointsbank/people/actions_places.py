"""The grids and buildings of a community: made, renamed, moved, no longer offered, offered again."""

from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people.actions import make_place, touch_roster
from pointsbank.people.rules_places import NoSuchGrid, PlaceEnded, PlaceInUse, PlaceNameTaken
from pointsbank.trail import actions as trail

PATH = "SELECT path FROM people_place WHERE id = ?"
TAKEN = """
SELECT 1 FROM people_place WHERE kind = ? AND name = ? AND path LIKE ? AND ended_at IS NULL AND id <> ? LIMIT 1
"""
GRID = "SELECT id, path FROM people_place WHERE id = ? AND kind = 'grid' AND ended_at IS NULL AND path LIKE ?"
LOCAL = """
SELECT id, kind, name, parent_id, ended_at FROM people_place
 WHERE id = ? AND kind IN ('grid', 'building') AND path LIKE ?
"""
RENAME = "UPDATE people_place SET name = ? WHERE id = ?"
MOVE = "UPDATE people_place SET parent_id = ?, path = ? WHERE id = ?"
END = "UPDATE people_place SET ended_at = ? WHERE id = ?"
HOUSEHOLDS = """
SELECT COUNT(*) AS n FROM people_household h
 WHERE h.building_id = ? AND EXISTS
   (SELECT 1 FROM people_person p WHERE p.household_id = h.id AND p.state IN ('member', 'provisional'))
"""
BUILDINGS = "SELECT COUNT(*) AS n FROM people_place WHERE parent_id = ? AND ended_at IS NULL"
NOT_YET = 0
ALONE_MAX = "UPDATE people_community SET reversal_alone_max = ? WHERE id = ?"


async def add_place(tx: Tx, *, community_id: int, kind: str, name: str, grid_id: int | None) -> int:
    """Add a grid, or a building of a grid or of none."""
    await _take(tx, community_id)
    parent_id = community_id if grid_id is None else await _grid(tx, community_id, grid_id)
    await _check_free(tx, community_id, kind, name, NOT_YET)
    place_id = await make_place(tx, parent_id=parent_id, kind=kind, name=name)
    await trail.record(tx, "place.made", subject=("place", place_id), kind=kind, parent_id=parent_id)
    return place_id


async def rename_place(tx: Tx, *, community_id: int, place_id: int, name: str) -> None:
    """Notices keep the name that they were printed with."""
    await _take(tx, community_id)
    place = await _living(tx, community_id, place_id)
    await _check_free(tx, community_id, place["kind"], name, place_id)
    await tx.run(RENAME, name, place_id)
    await trail.record(tx, "place.renamed", subject=("place", place_id))


async def move_building(tx: Tx, *, community_id: int, place_id: int, grid_id: int | None) -> None:
    """Put a building into another grid, or into none."""
    await _take(tx, community_id)
    place = await _living(tx, community_id, place_id)
    if place["kind"] != "building":
        raise NotFound
    parent_id = community_id if grid_id is None else await _grid(tx, community_id, grid_id)
    await tx.run(MOVE, parent_id, f"{await _path(tx, parent_id)}{place_id}/", place_id)
    await trail.record(
        tx, "place.moved", subject=("place", place_id), from_id=place["parent_id"], to_id=parent_id
    )  # fmt: skip


async def end_place(tx: Tx, *, community_id: int, place_id: int) -> None:
    """Offer a place no longer; only one where nobody lives and that holds no building."""
    await _take(tx, community_id)
    await _living(tx, community_id, place_id)
    households, buildings = await tx.row(HOUSEHOLDS, place_id), await tx.row(BUILDINGS, place_id)
    assert households is not None
    assert buildings is not None
    if households["n"] or buildings["n"]:
        raise PlaceInUse(count=households["n"], buildings=buildings["n"])
    await tx.run(END, tx.now, place_id)
    await trail.record(tx, "place.ended", subject=("place", place_id))


async def restore_place(tx: Tx, *, community_id: int, place_id: int) -> None:
    """Offer a place again; a building whose grid has ended meanwhile lies in none."""
    await _take(tx, community_id)
    place = await _local(tx, community_id, place_id)
    await _check_free(tx, community_id, place["kind"], place["name"], place_id)
    await tx.run(END, None, place_id)
    if place["kind"] == "building" and place["parent_id"] != community_id:
        where = f"{await _path(tx, community_id)}%"
        if await tx.row(GRID, place["parent_id"], where) is None:
            await tx.run(MOVE, community_id, f"{await _path(tx, community_id)}{place_id}/", place_id)
    await trail.record(tx, "place.restored", subject=("place", place_id))


async def _take(tx: Tx, community_id: int) -> None:
    """Hold the community's row, so that two changes of one tree come one after the other; rosters are read afresh."""
    await touch_roster(tx, community_id=community_id)


async def _path(tx: Tx, place_id: int) -> str:
    found = await tx.row(PATH, place_id)
    assert found is not None
    return str(found["path"])


async def _local(tx: Tx, community_id: int, place_id: int) -> Row:
    found = await tx.row(LOCAL, place_id, f"{await _path(tx, community_id)}%")
    if found is None:
        raise NotFound
    return found


async def _living(tx: Tx, community_id: int, place_id: int) -> Row:
    place = await _local(tx, community_id, place_id)
    if place["ended_at"] is not None:
        raise PlaceEnded
    return place


async def _grid(tx: Tx, community_id: int, grid_id: int) -> int:
    found = await tx.row(GRID, grid_id, f"{await _path(tx, community_id)}%")
    if found is None:
        raise NoSuchGrid
    return int(found["id"])


async def _check_free(tx: Tx, community_id: int, kind: str, name: str, but_id: int) -> None:
    if await tx.row(TAKEN, kind, name, f"{await _path(tx, community_id)}%", but_id) is not None:
        raise PlaceNameTaken(name=name)


async def set_reversal_alone_max(tx: Tx, *, community_id: int, points: int) -> None:
    """Up to how many points one person may reverse an entry without another's agreement."""
    assert points >= 0
    await tx.run(ALONE_MAX, points, community_id)
    await trail.record(tx, "community.reversal_limit", subject=("community", community_id), points=points)
