"""Whoever is made staff reads on the pages of the own phone since when, and by whom."""

from pointsbank.kit import db
from pointsbank.people import actions_staff
from pointsbank.people.access import Role
from tests.world import visiting

PAGES = ("/home", "/me")
GIVEN = "11 月 21 日起，你是测试社区1的社区管理员，由测*员任命"
RESET = "11 月 21 日，你的工作登录密码由测*员重设"


async def told(world, token: str, words: str) -> list[bool]:
    async with visiting(world, cookie=token) as phone:
        return [words in (await phone.get(page)).text for page in PAGES]


async def test_a_resident_is_told_of_a_role_and_of_a_password_that_somebody_gave(world):
    person_id = await world.person()
    _, token = await world.phone(person_id)
    admin, _ = await world.staff(Role.COMMUNITY_ADMIN)
    assert await told(world, token, "监督电话") == [False, False]

    login = {"login": "someone", "password_hash": "", "must_change": False}
    await db.write(actions_staff.make_login, actor=admin, person_id=person_id, **login)
    role = {"role": Role.COMMUNITY_ADMIN.value, "place_id": world.home.id}
    grant_id = await db.write(actions_staff.grant, actor=admin, person_id=person_id, **role)
    assert await told(world, token, GIVEN) == [True, True]
    assert await told(world, token, RESET) == [False, False]

    await db.write(actions_staff.reset_password, actor=admin, person_id=person_id, password_hash="")
    assert await told(world, token, RESET) == [True, True]

    world.clock.advance(days=31)
    assert await told(world, token, GIVEN) == [False, True]
    await db.write(actions_staff.end_grant, actor=admin, grant_id=grant_id)
    assert await told(world, token, GIVEN) == [False, False]


async def test_what_no_person_gave_is_told_as_well(world):
    person_id = await world.person()
    _, token = await world.phone(person_id)
    role = {"role": Role.COUNTER_STAFF.value, "place_id": world.home.id}
    await db.write(actions_staff.grant, person_id=person_id, **role)

    assert await told(world, token, "你是测试社区1的兑换台，由系统管理员任命") == [True, True]
