"""Recording an objection, ruling on it, and settling a provisional person, through the pages."""

import re

from pointsbank.kit import db
from pointsbank.people import actions as people
from pointsbank.people import actions_phones as phones
from pointsbank.people.access import Role
from tests.world import visiting


def key_in(page) -> str:
    return re.search(r'name="request_key" value="([^"]+)"', page.text)[1]


async def noticed(neighbours):
    await neighbours.adopt(notice_days=3)
    person = await neighbours.person("王测试兰")
    made = await neighbours.act(person)
    await neighbours.midnight()
    return person, made.award_id, await neighbours.line(made.award_id)


async def test_an_objection_is_recorded_by_a_grid_worker_and_ruled_on_by_an_admin(neighbours, world):
    person, award, line = await noticed(neighbours)
    _clerk, clerk_token = await world.staff(Role.GRID_WORKER)
    _admin, admin_token = await world.staff(Role.COMMUNITY_ADMIN)
    async with visiting(world, cookie=clerk_token) as clerk:
        page = await clerk.get(f"/governance/objections/new?line={line}")
        asked = {"request_key": key_in(page), "line_id": str(line)}
        missing = await clerk.post("/governance/objections", data=asked)
        recorded = await clerk.post("/governance/objections", data={**asked, "grounds": "minutes"})
        listed = await clerk.get("/governance/objections")
        objection = (await db.row("SELECT id FROM notices_objection"))[0]
        forbidden = await clerk.get(f"/governance/objections/{objection}")

    assert page.status_code == 200
    assert (missing.status_code, recorded.status_code) == (400, 303)
    assert await neighbours.state(award) == "disputed"
    assert "王**兰" in listed.text
    assert "时长不对" in listed.text
    assert forbidden.status_code == 403

    address = f"/governance/objections/{objection}"
    async with visiting(world, cookie=admin_token) as admin:
        page = await admin.get(address)
        short = await admin.post(address, data={"request_key": key_in(page), "verdict": "upheld", "ruling": "不"})
        ruling = {"request_key": key_in(short), "verdict": "dismissed", "ruling": "查过签到记录，时长没有错。"}
        ruled = await admin.post(address, data=ruling)
        again = await admin.post(address, data={**ruling, "request_key": "another-key"})
        after = await admin.get(address)
        why = await admin.get(f"/awards/{award}")

    assert (short.status_code, ruled.status_code, again.status_code) == (400, 303, 400)
    assert "已经答复过了" in again.text
    assert "不成立" in after.text
    assert "查过签到记录，时长没有错。" in why.text
    await neighbours.midnight(3)
    assert await neighbours.balance(person) == 20


async def test_a_line_that_is_disputed_already_says_so(neighbours, world):
    _person, award, line = await noticed(neighbours)
    await neighbours.object_to(award)
    _clerk, token = await world.staff(Role.GRID_WORKER)
    async with visiting(world, cookie=token) as clerk:
        asked = {"request_key": "a-key-of-my-own", "line_id": str(line), "grounds": "twice"}
        page = await clerk.post("/governance/objections", data=asked)
    assert page.status_code == 400
    assert "已经有人提出异议" in page.text


async def test_another_community_s_lines_and_objections_are_not_found(neighbours, world):
    _person, award, line = await noticed(neighbours)
    objection = await neighbours.object_to(award)
    _stranger, token = await world.staff(Role.COMMUNITY_ADMIN, world.communities[1])
    key = {"request_key": "a-key-of-my-own"}
    async with visiting(world, cookie=token) as stranger:
        answers = [
            await stranger.get(f"/governance/objections/new?line={line}"),
            await stranger.post("/governance/objections", data={**key, "line_id": str(line), "grounds": "twice"}),
            await stranger.post("/governance/objections", data={**key, "line_id": "x", "grounds": "twice"}),
            await stranger.get(f"/governance/objections/{objection}"),
            await stranger.post(
                f"/governance/objections/{objection}", data={**key, "verdict": "upheld", "ruling": "查过了"}
            ),
        ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert await neighbours.state(award) == "disputed"


async def test_a_provisional_person_is_settled_from_the_queue(neighbours, world):
    device = await db.write(phones.make_device, token_digest=b"a phone")
    stranger = await db.write(
        people.register_provisional,
        community_id=neighbours.community_id,
        device_id=device,
        name="测试乙",
        phone="10000000001",
        consent_publication=True,
    )
    member = await neighbours.person()
    _admin, token = await world.staff(Role.COMMUNITY_ADMIN)
    _other, foreign = await world.staff(Role.COMMUNITY_ADMIN, world.communities[1])
    address, asked = f"/governance/provisional/{stranger}", {"request_key": "a-key-of-my-own", "same_as": str(member)}
    async with visiting(world, cookie=foreign) as elsewhere:
        hidden = await elsewhere.post(address, data=asked)
    async with visiting(world, cookie=token) as admin:
        settled = await admin.post(address, data=asked)
        again = await admin.post(address, data={"request_key": "another-key"})

    assert (hidden.status_code, settled.status_code, again.status_code) == (404, 303, 409)
    found = await db.row("SELECT state, merged_into FROM people_person WHERE id = ?", stranger)
    assert tuple(found) == ("merged", member)
