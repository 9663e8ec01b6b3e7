"""A community's tree of grids and buildings, with how many households live where."""

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people.queries import community

TREE = """
SELECT p.id, p.kind, p.name, p.parent_id, p.ended_at,
       (SELECT COUNT(*) FROM people_household h WHERE h.building_id = p.id AND EXISTS
         (SELECT 1 FROM people_person q WHERE q.household_id = h.id AND q.state IN ('member', 'provisional'))
       ) AS households
  FROM people_place p WHERE p.kind IN ('grid', 'building') AND p.path LIKE ? ORDER BY p.id
"""


ABOVE = """
SELECT up.id, up.kind, up.name FROM people_place own JOIN people_place up ON own.path LIKE up.path || '%'
 WHERE own.id = ? AND up.kind IN ('street', 'district') ORDER BY up.path DESC
"""


class Above(msgspec.Struct, frozen=True):
    """A street or district that a place lies in, or is."""

    id: int
    kind: str
    name: str


class PlaceView(msgspec.Struct, frozen=True):
    id: int
    kind: str
    name: str
    parent_id: int
    is_ended: bool
    households: int


class Tree(msgspec.Struct, frozen=True):
    """`loose` are the buildings of no grid, `ended` what is no longer offered."""

    grids: list[tuple[PlaceView, list[PlaceView]]]
    loose: list[PlaceView]
    ended: list[PlaceView]


async def tree(community_id: int) -> Tree:
    places = await _places(community_id)
    living = [place for place in places if not place.is_ended]
    below: dict[int, list[PlaceView]] = {}
    for place in living:
        if place.kind == "building":
            below.setdefault(place.parent_id, []).append(place)
    grids = [(grid, below.get(grid.id, [])) for grid in living if grid.kind == "grid"]
    return Tree(grids, below.get(community_id, []), [place for place in places if place.is_ended])


async def grids(community_id: int) -> list[PlaceView]:
    return [grid for grid, _ in (await tree(community_id)).grids]


async def one_place(community_id: int, place_id: int) -> PlaceView:
    """A grid or building of this community; any other place is not found."""
    for place in await _places(community_id):
        if place.id == place_id:
            return place
    raise NotFound


async def _places(community_id: int) -> list[PlaceView]:
    where = await community(community_id)
    return [
        PlaceView(
            id=one["id"],
            kind=one["kind"],
            name=one["name"],
            parent_id=one["parent_id"],
            is_ended=one["ended_at"] is not None,
            households=one["households"],
        )
        for one in await db.rows(TREE, f"{where.path}%")
    ]


async def above(tx: Tx | None, place_id: int) -> list[Above]:
    """The street and the district of a place, the nearest first; a street or district itself among them."""
    found = await (db.rows(ABOVE, place_id) if tx is None else tx.rows(ABOVE, place_id))
    return [Above(*one) for one in found]
