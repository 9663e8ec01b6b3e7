"""What a street advises: kept from a file or a community, taken as a draft, and compared later with what came of it."""

from datetime import timedelta

import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound
from pointsbank.people import actions as people
from pointsbank.people.access import Role
from pointsbank.scoring import actions, actions_life, actions_templates, queries, queries_templates, scheme_file
from pointsbank.scoring.rules import TableFaults
from tests.changes import TEMPLATE
from tests.scoring import lives
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
        above.cookies.set("lang", "en")
        english = await above.post(page, data={"request_key": "in-english"}, files={"file": ("x", b"name = 7")})
        above.cookies.delete("lang")
        copied = await above.post(f"{page}/copy", data=asked)
        (latest,) = await queries_templates.templates([world.street_id])
        theirs = await above.get(f"{page}/{latest.id}")

    assert (wrong.status_code, "不是 UTF-8" in wrong.text) == (400, True)
    assert (broken.status_code, "处问题" in broken.text) == (400, True)
    assert "line 1: name (" in english.text
    assert "has to be a text in quotation marks" in english.text
    assert (kept.status_code, copied.status_code) == (303, 303)
    assert template.table == scheme_file.parse(TEMPLATE.decode())
    assert "处不同" in mine.text
    assert taken.headers["location"] == f"/scoring/versions/{(await queries.draft_of(world.home.id)).id}"
    assert theirs.text.count("和范本一样") == len(world.communities)


async def test_what_came_in_the_way_since_the_page_was_opened_is_told_on_the_page(world):
    kept = await db.write(actions_templates.keep_template, place_id=world.street_id, table=a_table(an_item(points=7)))
    version_id = await db.write(
        actions.import_draft, community_id=world.home.id, table=a_table(an_item(points=3), name="议定的表")
    )
    page = f"/scoring/templates/{kept}"
    _, admin = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=admin) as desk:
        key = key_of(await desk.get(page), f"{page}/take")
        await db.write(actions_life.submit, community_id=world.home.id, version_id=version_id)
        late = await desk.post(f"{page}/take", data={"request_key": key})
        gone = await desk.post("/scoring/templates/999999/take", data={"request_key": "gone-key-0001"})

    assert (late.status_code, gone.status_code) == (409, 404)
    assert 'class="errors"' in late.text
    assert IN_THE_WAY["discussion"][0] in late.text
    assert SWAP not in late.text
    assert (await queries.version((world.home.id,), version_id)).table.name == "议定的表"


async def test_why_a_template_cannot_be_a_draft_here_is_told_in_the_language_of_the_reader(world):
    """The street keeps what credits a kind of passbook that this community has not."""
    table = a_table(an_item(points=7, book_kind="coins"))
    kept = await db.write(actions_templates.keep_template, place_id=world.street_id, table=table)
    _, admin = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=admin) as desk:
        desk.cookies.set("lang", "en")
        refused = await desk.post(f"/scoring/templates/{kept}/take", data={"request_key": "take-coins-01"})

    assert refused.status_code == 400
    assert ("存折种类" in refused.text, "coins" in refused.text) == (False, True)


TAKE, SWAP = "拿来作草稿</button>", "换掉现在的草稿</button>"
IN_THE_WAY = {
    "discussion": ("正在等居民议事会讨论。要用范本，先在它的步骤里退回起草", "/scoring/versions/{}/life"),
    "noticed": ("正在公示。要用范本，先在它的步骤里退回起草", "/scoring/versions/{}/life"),
    "scheduled": ("零点起生效。要用范本，从那天起再拿来作草稿", "/scoring/versions/{}"),
}


async def test_what_of_ones_own_is_in_the_way_of_a_template_is_told_instead_of_offering_it(world):
    publisher, own = Actor(await world.person()), a_table(an_item(points=3))
    kept = await db.write(actions_templates.keep_template, place_id=world.street_id, table=a_table(an_item(points=7)))

    async def told():
        _, admin = await world.staff(Role.COMMUNITY_ADMIN)
        async with visiting(world, cookie=admin) as desk:
            return [(await desk.get(page)).text for page in ("/scoring/templates", f"/scoring/templates/{kept}")]

    assert all(TAKE in text for text in await told())
    version_id = await db.write(actions.import_draft, community_id=world.home.id, table=own)
    version = {"community_id": world.home.id, "version_id": version_id}
    assert all(SWAP in text and "要用范本" not in text for text in await told())

    await db.write(actions_life.submit, **version)
    seen = {"discussion": await told()}
    today = local_day(world.clock.now())
    await lives.meet(version, today)
    starts_on = today + timedelta(days=9)
    await db.write(actions_life.open_notice, actor=publisher, **version, days=7, starts_on=starts_on)
    seen["noticed"] = await told()
    world.clock.advance(days=8)
    await db.write(actions_life.publish, actor=publisher, **version, in_force_from=starts_on)
    seen["scheduled"] = await told()

    for state, texts in seen.items():
        words, where = IN_THE_WAY[state]
        for text in texts:
            assert words in text, state
            assert f'href="{where.format(version_id)}"' in text
            assert TAKE not in text
            assert SWAP not in text
