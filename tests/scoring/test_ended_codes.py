"""A code that was ended is never used again: not in the form of an item, not in a sheet, not in a file."""

import re
from datetime import date, timedelta

import msgspec
import pytest

from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.people.access import Role
from pointsbank.scoring import actions, actions_life, queries, scheme_file
from pointsbank.scoring.rules_life import CodeEnded
from tests.scoring.builders import a_table, an_item
from tests.scoring.lives import lived, meet
from tests.scoring.test_life import STARTS, Village
from tests.world import visiting

OLD, NEW = an_item(code="A01", points=8), an_item(code="A02", points=10)


@pytest.fixture
async def village(database, clock):
    """A01 was in force until A02 took its place."""
    made = await Village(clock).found()
    await made.drafted(a_table(NEW))
    await db.write(actions_life.submit, actor=made.drafter, **made.version)
    await made_known(made)
    clock.set(clock.now() + timedelta(days=9))
    await db.write(actions_life.enter_force_due)
    return made


async def made_known(village):
    await meet(village.version, date(2026, 11, 21))
    village.notice_id = await db.write(
        actions_life.open_notice, actor=village.publisher, **village.version, days=7, starts_on=STARTS
    )
    await village.over()
    await village.publish()


@pytest.mark.both
async def test_an_ended_code_comes_in_by_no_way(village):
    assert await queries.ended_codes(village.id) == ["A01"]
    both = a_table(NEW, OLD)

    with pytest.raises(CodeEnded) as told:
        await db.write(actions.import_draft, community_id=village.id, table=both)
    assert told.value.facts == {"codes": "A01"}
    draft = await db.write(actions.draft_from_current, community_id=village.id)
    with pytest.raises(CodeEnded):
        await db.write(actions.save_draft, community_id=village.id, version_id=draft, table=both)
    with pytest.raises(CodeEnded):
        await db.write(actions.import_draft, community_id=village.id, table=both)
    assert list((await queries.draft_of(village.id)).items) == ["A02"]


@pytest.mark.both
async def test_a_draft_that_has_one_from_before_is_edited_and_goes_no_further(village):
    draft = await db.write(actions.draft_from_current, community_id=village.id)
    which = {"community_id": village.id, "version_id": draft}
    both = a_table(an_item(code="A02", points=12), OLD)

    async def of_an_earlier_release(tx):
        await actions._save(tx, draft, both)

    await db.write(of_an_earlier_release)
    await db.write(actions.save_draft, **which, table=both)
    with pytest.raises(CodeEnded):
        await db.write(actions_life.submit, **which)
    await db.write(actions.save_draft, **which, table=a_table(both.items[0]))
    await db.write(actions_life.submit, **which)


@pytest.mark.both
async def test_what_is_in_force_is_ended_in_a_draft_and_taken_up_again(village):
    draft = await db.write(actions.draft_from_current, community_id=village.id)
    which = {"community_id": village.id, "version_id": draft}

    for table in (a_table(an_item(code="A03")), a_table(an_item(code="A03"), NEW)):
        await db.write(actions.save_draft, **which, table=table)

    assert list((await queries.draft_of(village.id)).items) == ["A03", "A02"]


@pytest.mark.both
async def test_another_community_may_have_the_code(village):
    assert await queries.ended_codes(village.id + 1) == []


@pytest.fixture
async def desk(world):
    """The town's A01 was ended in the version before."""
    admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    table = (await queries.version((world.home.id,), world.home.version_id)).table
    later = msgspec.structs.replace(table, items=tuple(item for item in table.items if item.code != "A01"))
    publisher, _ = await world.staff(Role.COMMUNITY_ADMIN)
    await lived(world.clock, publisher, world.home.id, later, local_day(world.clock.now()) + timedelta(days=1))
    world.clock.advance(days=1)
    await db.write(actions_life.enter_force_due)
    draft = await db.write(actions.draft_from_current, actor=admin, community_id=world.home.id)
    async with visiting(world, cookie=token) as opened:
        yield opened, f"/scoring/versions/{draft}"


async def test_it_is_said_at_the_code_of_a_new_item(desk, world):
    admin, url = desk
    item = {"code": "A01", "category": "志愿服务", "name": "教用手机", "basis": "per_time", "points": "10",
            "evidence": "照片", "editing": ""}  # fmt: skip

    refused = await admin.post(f"{url}/items", data={"request_key": "an-ended-code", **item})

    assert refused.status_code == 400
    assert 'href="#code"' in refused.text
    assert "编号 A01 以前用过，已经停用" in refused.text
    assert "教用手机" in refused.text


async def test_it_is_said_in_the_row_of_a_sheet_and_one_number_says_how_many_are_wrong(desk):
    admin, url = desk
    lines = "编号\t类别\t项目\t计分方式\t分值\t凭据\nA01\t志愿服务\t教用手机\t按次\t3\t照片\nB01\t\t\t\t-3\t"

    checked = await admin.post(f"{url}/sheet/check", data={"lines": lines})

    assert checked.status_code == 400
    assert "编号 A01 以前用过，已经停用，不能再用" in checked.text
    counts = {int(count) for count in re.findall(r"有 (\d+) 处要改", checked.text)}
    assert counts == {checked.text.count('<tr class="is-changed">')} != {1}


async def test_it_is_said_at_its_line_of_the_file_of_a_whole_table(desk, world):
    admin, url = desk
    text = scheme_file.write((await queries.version((world.home.id,), world.home.version_id)).table)

    checked = await admin.post(f"{url}/sheet/check", data={"lines": text})

    line = text.splitlines().index('code = "A01"') + 1
    assert checked.status_code == 400
    assert re.search(rf">{line}</td><td[^>]*>A01</td><td>编号 A01 以前用过，已经停用，不能再用", checked.text)
