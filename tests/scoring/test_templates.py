"""What a street advises: kept from a file or a community, taken as a draft, and compared later with what came of it."""

import pytest

from pointsbank.kit import db
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions as people
from pointsbank.people.access import Role
from pointsbank.scoring import actions_templates, queries, queries_templates, scheme_file
from pointsbank.scoring.rules import TableFaults
from tests.changes import TEMPLATE
from tests.scoring.builders import a_table, an_item
from tests.scoring.test_routes import key_of
from tests.world import visiting


@pytest.mark.both
async def test_a_community_takes_the_template_of_its_street_and_of_no_other(world):
    other = await db.write(people.make_place, parent_id=None, kind="street", name="测试外街")
    table = a_table(an_item(points=7))
    near, far = [
        await db.write(actions_templates.keep_template, place_id=place, table=table)
        for place in (world.street_id, other)
    ]

    taken = await db.write(actions_templates.take, community_id=world.home.id, template_id=near)
    with pytest.raises(NotFound):
        await db.write(actions_templates.take, community_id=world.home.id, template_id=far)

    draft = await queries.draft_of(world.home.id)
    assert (draft.id, draft.table) == (taken, table)


@pytest.mark.both
async def test_the_latest_is_the_template_of_today_and_one_with_faults_is_none(world):
    tables = [a_table(an_item(points=points)) for points in (7, 9)]
    for table in tables:
        await db.write(actions_templates.keep_template, place_id=world.street_id, table=table)
    with pytest.raises(TableFaults):
        await db.write(actions_templates.keep_template, place_id=world.street_id, table=a_table(an_item(), an_item()))

    (today,) = await queries_templates.templates([world.street_id])
    assert today.table == tables[1]


async def test_a_street_keeps_one_from_a_file_or_a_community_and_sees_where_tables_differ(world):
    _, street = await world.staff(Role.STREET_ADMIN)
    _, admin = await world.staff(Role.COMMUNITY_ADMIN)
    page = "/scoring/templates"
    async with visiting(world, cookie=street) as above, visiting(world, cookie=admin) as desk:
        shown = await above.get(page)
        key = key_of(shown, page)
        wrong = await above.post(page, data={"request_key": key}, files={"file": ("x", "名".encode("gbk"))})
        broken = await above.post(page, data={"request_key": "broken-file"}, files={"file": ("x", b"name = 7")})
        kept = await above.post(page, data={"request_key": "from-a-file"}, files={"file": ("x", TEMPLATE)})
        (template,) = await queries_templates.templates([world.street_id])
        mine = await desk.get(f"{page}/{template.id}")
        taken = await desk.post(f"{page}/{template.id}/take", data={"request_key": "take-a-template"})
        asked = {"request_key": "from-a-community", "community": str(world.home.id)}
        copied = await above.post(f"{page}/copy", data=asked)
        (latest,) = await queries_templates.templates([world.street_id])
        theirs = await above.get(f"{page}/{latest.id}")

    assert (wrong.status_code, "不是 UTF-8" in wrong.text) == (400, True)
    assert (broken.status_code, "处问题" in broken.text) == (400, True)
    assert (kept.status_code, copied.status_code) == (303, 303)
    assert template.table == scheme_file.parse(TEMPLATE.decode())
    assert "处不同" in mine.text
    assert taken.headers["location"] == f"/scoring/versions/{(await queries.draft_of(world.home.id)).id}"
    assert theirs.text.count("和范本一样") == len(world.communities)
