"""What a district advises reaches every community of its streets and nobody else's; its supervisors see it."""

import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions as people
from pointsbank.people.access import Role
from pointsbank.scoring import actions_templates, queries, queries_templates
from tests.changes import TEMPLATE
from tests.scoring.builders import a_table, an_item
from tests.world import visiting

PAGE = "/scoring/templates"


async def keep(place_id: int, points: int) -> int:
    return await db.write(actions_templates.keep_template, place_id=place_id, table=a_table(an_item(points=points)))


async def staff_at(world, place_id: int, role: Role) -> str:
    street, world.street_id = world.street_id, place_id
    _, token = await world.staff(role)
    world.street_id = street
    return token


@pytest.fixture
async def district(world) -> int:
    """A district with a street of one community, which the world knows last; the others lie outside."""
    district_id = await db.write(people.make_place, parent_id=None, kind="district", name="测试区")
    world.street_id = await db.write(people.make_place, parent_id=district_id, kind="street", name="测试内街")
    await world.community("测试区内社区", holder="person", notice_days=0)
    return district_id


async def test_a_community_takes_its_street_s_or_its_district_s_and_nobody_takes_another_district_s(world, district):
    inside, outside = world.communities[-1], world.home
    near, far = await keep(world.street_id, 7), await keep(district, 9)

    await db.write(actions_templates.take, community_id=inside.id, template_id=near)
    taken = await db.write(actions_templates.take, community_id=inside.id, template_id=far)
    with pytest.raises(NotFound):
        await db.write(actions_templates.take, community_id=outside.id, template_id=far)

    draft = await queries.draft_of(inside.id)
    assert (draft.id, draft.table) == (taken, a_table(an_item(points=9)))
    assert await queries.draft_of(outside.id) is None


async def test_a_district_keeps_one_and_compares_its_own_communities_alone(world, district):
    keeper = await staff_at(world, district, Role.STREET_ADMIN)
    async with visiting(world, cookie=keeper) as above:
        kept = await above.post(PAGE, data={"request_key": "of-a-district"}, files={"file": ("x", TEMPLATE)})
        (template,) = await queries_templates.templates([district])
        told = await above.get(f"{PAGE}/{template.id}")
        foreign = {"request_key": "not-of-theirs", "community": str(world.home.id)}
        copied = await above.post(f"{PAGE}/copy", data=foreign)
    assert (kept.status_code, copied.status_code) == (303, 404)
    assert ("测试区内社区" in told.text, told.text.count("处不同")) == (True, 1)


async def test_supervisors_of_the_district_see_its_template_and_keep_none(world, district):
    other_district = await db.write(people.make_place, parent_id=None, kind="district", name="测试外区")
    template_id, foreign = await keep(district, 9), await keep(other_district, 3)
    supervisor = await staff_at(world, district, Role.SUPERVISOR)
    of_street = await staff_at(world, world.street_id, Role.STREET_ADMIN)
    for cookie in (supervisor, of_street):
        async with visiting(world, cookie=cookie) as seeing:
            assert "测试区" in (await seeing.get(PAGE)).text
            assert (await seeing.get(f"{PAGE}/{template_id}")).status_code == 200
            assert (await seeing.get(f"{PAGE}/{foreign}")).status_code == 404
    async with visiting(world, cookie=supervisor) as seeing:
        asked = {"request_key": "from-a-community", "community": str(world.communities[-1].id)}
        assert (await seeing.post(f"{PAGE}/copy", data=asked)).status_code == 403
    assert len(await queries_templates.templates([district])) == 1
