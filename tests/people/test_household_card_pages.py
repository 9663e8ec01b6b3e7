"""The pages of a household's card: sheets and single cards, where a scan leads, who sees them."""

import re

import pytest

from pointsbank.kit import db
from pointsbank.people.access import Role
from tests.world import World, visiting

CODE = re.compile(r"84\d\d(?: \d{4}){4}")


def key(number: int) -> dict[str, str]:
    return {"request_key": f"household-{number:02}"}


@pytest.fixture
async def world(database, settings, clock) -> World:
    return await World(clock, settings).found(holder="household", count=2)


async def test_sheets_of_household_cards_name_the_door_and_are_ended_together(world):
    homes = [await world.household() for _ in range(3)]
    for home in homes[:2]:
        await world.person("测试小甲", household_id=home)
    _, cookie = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=cookie) as desk:
        listed = await desk.get("/people/cards?kind=household")
        assert "印 3 张家庭卡" in listed.text  # the admin's home, too; where nobody lives there is no card
        printed = await desk.post(
            "/people/cards/print", data={**key(1), "kind": "household", "ids": ",".join(map(str, homes))}
        )
        codes = [found.replace(" ", "") for found in CODE.findall(printed.text)]
        assert len(codes) == 2
        assert "测试 1 号楼 101" in printed.text
        found = await desk.post("/people/scan", data={"code": codes[0]})
        page = found.headers["location"]
        assert page in {f"/people/households/{home}/card" for home in homes}
        run = (await db.row("SELECT id FROM people_print_run"))["id"]
        await desk.post(f"/people/cards/runs/{run}/void", data={**key(2), "reason": "copied", "sure": "1"})
        assert "已挂失" in (await desk.get(page)).text
    assert [one["state"] for one in await db.rows("SELECT state FROM people_household_card")] == ["lost", "lost"]


async def test_a_lost_household_card_is_replaced_in_two_clicks(world):
    home = await world.household()
    await world.person("测试小甲", household_id=home)
    _, cookie = await world.staff(Role.GRID_WORKER)
    page = f"/people/households/{home}/card"
    async with visiting(world, cookie=cookie) as desk:
        await desk.post(page, data=key(1))
        before = CODE.search((await desk.post(f"{page}/print", data=key(2))).text)[0]
        replaced = await desk.post(f"{page}/replace-lost", data=key(3))
        after = CODE.search((await desk.post(f"{page}/print", data=key(4))).text)[0]
        assert replaced.headers["location"] == page
        assert before != after
        assert (await desk.post(f"{page}/lost", data=key(5))).status_code == 303
        shown = (await desk.get(page)).text
        assert "测**甲" in shown
        assert "测试小甲" not in shown
        assert (await desk.post(f"{page}/print", data=key(6))).status_code == 404
    verbs = [one["verb"] for one in await db.rows("SELECT verb FROM trail_record WHERE subject_kind = 'household'")]
    assert verbs.count("household_card.printed") == 2
    assert verbs.count("household_card.lost") == 2


async def test_where_points_are_a_persons_no_household_card_is_offered_or_printed(world):
    place = await world.community("测试个人社区", holder="person", notice_days=0)
    person = await world.person(community=place)
    home = (await db.row("SELECT household_id AS id FROM people_person WHERE id = ?", person))["id"]
    _, cookie = await world.staff(Role.COMMUNITY_ADMIN, place)
    async with visiting(world, cookie=cookie) as desk:
        assert "家庭卡" not in (await desk.get("/people/cards?kind=household")).text
        printed = await desk.post("/people/cards/print", data={**key(1), "kind": "household", "ids": str(home)})
        assert printed.status_code == 400
        assert "不发家庭卡" in printed.text
        assert "不发家庭卡" in (await desk.get(f"/people/households/{home}/card")).text
        assert (await desk.post(f"/people/households/{home}/card", data=key(2))).status_code == 400
