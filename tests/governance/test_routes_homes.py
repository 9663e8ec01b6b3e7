"""Moving house through HTTP: what the pages tell before it is done, and what passbooks say afterwards."""

import pytest

from pointsbank.people.access import Role
from tests.world import World, visiting


@pytest.fixture
async def town(database, settings, clock):
    return await World(clock, settings).found(holder="household", count=1)


async def test_a_share_is_told_before_the_move_and_stands_in_both_passbooks(town):
    home = await town.household()
    goes, stays = [await town.person(name, household_id=home) for name in ("测试甲", "测试乙")]
    await town.give(goes, 30)
    _, desk_token = await town.staff(Role.COMMUNITY_ADMIN)
    phones = [(await town.phone(one))[1] for one in (goes, stays)]
    url = f"/governance/people/{goes}/move"
    form = {"building": str(town.home.building_id), "door": "901", "reason": "split"}
    async with visiting(town, cookie=desk_token) as desk:
        assert "现在 30 分" in (await desk.get(url)).text
        over = await desk.post(f"{url}/check", data={"request_key": "check-the-1", **form, "share": "31"})
        told = await desk.post(f"{url}/check", data={"request_key": "check-the-2", **form, "share": "12"})
        none = await desk.post(f"{url}/check", data={"request_key": "check-the-3", **form, "share": ""})
        moved = await desk.post(url, data={"request_key": "move-them-1", **form, "share": "12"})
    assert (over.status_code, "带走的分不能比存折上的多" in over.text) == (400, True)
    assert "12 分转进新一户的存折" in told.text
    assert 'name="share" value="12"' in told.text
    assert "现有的 30 分留在原来那一户" in none.text
    assert moved.status_code == 303
    said = []
    for token in phones:
        async with visiting(town, cookie=token) as phone:
            said.append((await phone.get("/ledger")).text)
    assert "分户转入" in said[0]
    assert "分户转出" in said[1]


async def test_who_is_the_last_is_told_that_all_goes_along_and_that_the_passbook_ends(town):
    last, host = await town.person(points=30), await town.person("测试乙")
    _, token = await town.staff(Role.COMMUNITY_ADMIN)
    form = {"building": str(town.home.building_id), "door": "777", "reason": "moved"}
    async with visiting(town, cookie=token) as desk:
        for person_id in (host, last):
            url = f"/governance/people/{person_id}/move"
            told = await desk.post(f"{url}/check", data={"request_key": f"check-{person_id:04}", **form})
            done = await desk.post(url, data={"request_key": f"move-{person_id:05}", **form})
        shown = (await desk.get(done.headers["location"])).text
    assert "30 分全部转进新一户的存折" in told.text
    assert "它的存折销户" in told.text
    assert "随户转积分" in shown
    assert await town.balance(host) == 30
