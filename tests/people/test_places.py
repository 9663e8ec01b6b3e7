"""The tree of a community: grids and buildings are made, renamed, moved, and ended only when nobody lives there."""

import asyncio

import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions, actions_places, queries, queries_places, roster
from pointsbank.people.rules_places import NoSuchGrid, PlaceEnded, PlaceInUse, PlaceNameTaken
from tests.people.conftest import sign_in


@pytest.fixture
def here(place):
    return {"community_id": place.community}


async def grid(here, name: str = "第一网格") -> int:
    return await db.write(actions_places.add_place, kind="grid", name=name, grid_id=None, **here)


async def building(here, name: str, grid_id: int | None = None) -> int:
    return await db.write(actions_places.add_place, kind="building", name=name, grid_id=grid_id, **here)


@pytest.mark.both
async def test_buildings_move_between_grids_and_stay_the_communitys(place, here):
    first, second = await grid(here), await grid(here, "第二网格")
    made = await building(here, "94 号楼", first)
    await db.write(actions_places.move_building, place_id=made, grid_id=second, **here)
    await db.write(actions_places.move_building, place_id=place.building, grid_id=second, **here)
    tree = await queries_places.tree(place.community)
    assert [(one.id, [below.id for below in houses]) for one, houses in tree.grids] == [
        (first, []),
        (second, [place.building, made]),
    ]
    paths = await db.row("SELECT path FROM people_place WHERE id = ?", made)
    assert paths["path"] == f"/{place.street}/{place.community}/{second}/{made}/"
    assert [one.id for one in await queries.buildings(place.community)] == [place.building, made]
    await db.write(actions_places.move_building, place_id=made, grid_id=None, **here)
    assert [one.id for one in (await queries_places.tree(place.community)).loose] == [made]


@pytest.mark.both
async def test_only_a_place_where_nobody_lives_is_ended(people, place, here):
    household = await people.household()
    person = await people.member(household_id=household)
    which = {"place_id": place.building, **here}
    with pytest.raises(PlaceInUse):
        await db.write(actions_places.end_place, **which)
    await db.write(_move_out, person_id=person)
    await db.write(actions_places.end_place, **which)
    assert await queries.buildings(place.community) == []
    with pytest.raises(PlaceEnded):
        await db.write(actions_places.rename_place, name="新名", **which)
    await db.write(actions_places.restore_place, **which)
    assert [one.id for one in await queries.buildings(place.community)] == [place.building]


async def _move_out(tx, *, person_id: int) -> None:
    await tx.run("UPDATE people_person SET state = 'left' WHERE id = ?", person_id)


async def test_a_grid_with_buildings_is_not_ended_and_a_building_comes_back_without_its_grid(place, here):
    first = await grid(here)
    made = await building(here, "94 号楼", first)
    with pytest.raises(PlaceInUse):
        await db.write(actions_places.end_place, place_id=first, **here)
    for ended in (made, first):
        await db.write(actions_places.end_place, place_id=ended, **here)
    with pytest.raises(NoSuchGrid):
        await building(here, "95 号楼", first)
    await db.write(actions_places.restore_place, place_id=made, **here)
    assert made in [one.id for one in (await queries_places.tree(place.community)).loose]


@pytest.mark.both
async def test_of_two_places_of_one_name_at_once_one_is_made(here):
    done = await asyncio.gather(building(here, "94 号楼"), building(here, "94 号楼"), return_exceptions=True)
    assert [type(one) for one in done if isinstance(one, Exception)] == [PlaceNameTaken]


async def test_the_roster_shows_a_new_name_at_once(people, place, here):
    person = await people.member("测试甲", household_id=await people.household())
    await roster.search(place.community, "", start=0, limit=5)
    await db.write(actions_places.rename_place, place_id=place.building, name="桂花楼", **here)
    found = await roster.search(place.community, "", start=0, limit=5)
    assert [(one.person_id, one.building) for one in found] == [(person, "桂花楼")]


@pytest.mark.both
async def test_places_of_others_and_the_community_itself_are_not_found(place, here):
    theirs = await db.write(actions.make_place, parent_id=place.elsewhere, kind="building", name="外面的楼")
    for other in (theirs, place.community, place.street):
        for action, facts in (
            (actions_places.rename_place, {"name": "新名"}),
            (actions_places.move_building, {"grid_id": None}),
            (actions_places.end_place, {}),
            (actions_places.restore_place, {}),
        ):
            with pytest.raises(NotFound):
                await db.write(action, place_id=other, **facts, **here)
    with pytest.raises(NotFound):
        await queries_places.one_place(place.community, theirs)


async def test_an_admin_works_on_the_tree_by_pages(people, place, browser):
    await people.staff("an")
    desk = await sign_in(browser, "an")
    keys = iter(f"places-key-{n}" for n in range(20))

    async def send(path: str, **typed: str):
        return await desk.post(f"/people/places{path}", data={"request_key": next(keys), **typed})

    assert (await send("", kind="grid", name="第一网格")).status_code == 303
    made = (await queries_places.grids(place.community))[0].id
    assert (await send("", kind="building", name="94 号楼", grid=str(made))).status_code == 303
    again = await send("", kind="building", name="94 号楼", grid=str(made))
    assert again.status_code == 400
    assert 'value="94 号楼"' in again.text
    assert "社区里已经有「94 号楼」" in again.text
    own = f"/{place.building}"
    assert (await send(f"{own}/move", grid=str(made))).status_code == 303
    assert (await send(f"{own}/rename", name="桂花楼")).status_code == 303
    assert "桂花楼" in (await desk.get("/people/places")).text
    assert (await send(f"{own}/end")).status_code == 303
    assert "重新启用" in (await desk.get(f"/people/places{own}")).text
    assert (await send(f"{own}/restore")).status_code == 303
    verbs = [
        one["verb"] for one in await db.rows("SELECT verb FROM trail_record WHERE subject_kind = 'place' ORDER BY id")
    ]
    told = ["place.made", "place.made", "place.moved", "place.renamed", "place.ended", "place.restored"]
    assert verbs == told
    assert (await desk.get("/people")).text.count("/people/places") == 1
    await people.staff("ling", "grid_worker")
    worker = await sign_in(browser, "ling")
    assert (await worker.get("/people/places")).status_code == 403
    assert "/people/places" not in (await worker.get("/people")).text
