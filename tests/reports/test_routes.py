"""Pages across rooms: what they show, and to whom."""

from pointsbank.people.access import Role
from tests.world import visiting


async def test_a_resident_sees_what_can_be_spent_and_what_is_on_its_way(world):
    person = await world.person("测试甲", points=30)
    _, token = await world.phone(person)

    async with visiting(world, cookie=token) as phone:
        home = await phone.get("/home")

    assert home.status_code == 200
    assert "30" in home.text
    assert "测试甲" not in home.text


async def test_staff_see_one_member_across_rooms_and_nobody_elses(world):
    person = await world.person("测试甲", points=30)
    foreign = await world.person("测试乙", points=30, community=world.communities[1])
    _, token = await world.staff(Role.COMMUNITY_ADMIN)

    async with visiting(world, cookie=token) as desk:
        own, other = [await desk.get(f"/people/{one}") for one in (person, foreign)]

    assert own.status_code == 200
    assert "测试发分" in own.text
    assert "测试甲" not in own.text
    assert other.status_code == 404


async def test_a_supervisor_sees_numbers_and_no_names(world):
    for number in range(4):
        await world.person(f"测试{number}", points=10)
    _, token = await world.staff(Role.SUPERVISOR)

    async with visiting(world, cookie=token) as desk:
        overview = await desk.get("/overview")

    assert overview.status_code == 200
    assert "测试社区1" in overview.text
    assert "测*" not in overview.text.replace(world_name(overview.text), "")


def world_name(text: str) -> str:
    """The frame shows the masked name of whoever is signed in; the page itself may show none."""
    return text[text.index("<nav") : text.index("</nav>")]


async def test_everybody_starts_where_their_work_begins(world):
    starts = {}
    for role in Role:
        _, token = await world.staff(role)
        async with visiting(world, cookie=token) as desk:
            starts[role] = (await desk.get("/")).headers["location"]
    async with visiting(world) as stranger:
        door = (await stranger.get("/")).headers["location"]

    assert door == "/sign-in"
    assert starts == {
        Role.COUNTER_STAFF: "/redemption/counters",
        Role.EVENT_ORGANISER: "/todo",
        Role.GRID_WORKER: "/todo",
        Role.COMMUNITY_ADMIN: "/todo",
        Role.SUPERVISOR: "/overview",
        Role.AUDITOR: "/overview",
        Role.STREET_ADMIN: "/scoring/templates",
        Role.PANEL_MEMBER: "/awards/panel",
    }
