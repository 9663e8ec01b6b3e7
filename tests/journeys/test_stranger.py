"""A stranger's phone with a neighbour's exact name and number gets nowhere."""

import re
from dataclasses import dataclass

import pytest

from pointsbank.app import jobs
from pointsbank.kit import codes, crypto, db
from pointsbank.kit.codes import shown_member_number
from pointsbank.people import actions as people
from pointsbank.people.access import Role
from tests.journeys.conftest import Browser, Stage
from tests.test_pages import ROUTES
from tests.world import visiting

NAME, PHONE, DOOR, BUILDING = "测试欧阳", "10098765432", "909", "测试 9 号楼"
CHOSEN = "a-token-of-my-own-choice"


@dataclass(frozen=True)
class Neighbour:
    person_id: int
    number: str
    card: str
    points: int = 4321

    def is_shown_in(self, text: str) -> bool:
        """Name and phone are the stranger's own words; everything else would be news."""
        news = [self.number, shown_member_number(self.number), str(self.points), "4,321", BUILDING, self.card]
        return any(piece in text for piece in news) or re.search(rf"\b{DOOR}\b", text) is not None


@pytest.fixture
async def neighbour(world) -> Neighbour:
    home = world.home.id
    building = await db.write(people.make_place, parent_id=home, kind="building", name=BUILDING)
    household = await db.write(people.make_household, community_id=home, building_id=building, door=DOOR)
    person = await db.write(
        people.make_person,
        community_id=home,
        household_id=household,
        name=NAME,
        phone=PHONE,
        id_number=None,
        birth_year=1950,
        consent_publication=True,
    )
    await world.give(person, Neighbour.points)
    number = (await db.row("SELECT member_number FROM people_person WHERE id = ?", person))[0]
    return Neighbour(person, number, await world.card(person))


async def at_the_poster(stage: Stage, activity: int, *, cookies: dict[str, str] | None = None) -> Browser:
    """A phone that nobody knows gives the neighbour's name and number."""
    phone = await stage.browser()
    for name, value in (cookies or {}).items():
        phone.client.cookies.set(name, value)
    poster = (await db.row("SELECT poster_token FROM events_activity WHERE id = ?", activity))[0]
    await phone.open(f"/p/{poster}")
    joined = await phone.send("/events/join", name=NAME, phone=PHONE, agree="1", publication="1")
    assert joined.status_code == 303, phone.text
    return phone


async def person_of(phone: Browser) -> int:
    """Who the phone is taken for."""
    digest = crypto.token_digest(phone.client.cookies["sid"])
    return (await db.row("SELECT person_id FROM people_session WHERE token_digest = ?", digest))[0]


async def everything_shown_to(phone: Browser, neighbour: Neighbour, **others: int) -> dict[str, str]:
    """Every page and answer that a GET could bring, asked for by the neighbour's ids."""
    entry = await db.row("SELECT entry_id FROM ledger_move ORDER BY id DESC LIMIT 1")
    ids = {
        "person_id": neighbour.person_id,
        "entry_id": entry[0],
        "code": "A01",
        "token": "0" * 13,
        "name": "x",
        **others,
    }
    shown = {}
    for route in ROUTES:
        if route.method == "GET":
            answer = await phone.client.get(route.url({**dict.fromkeys(route.parameters, 1), **ids}))
            assert answer.status_code < 500, route.path
            shown[route.path] = answer.text
    return shown


async def test_the_neighbours_name_and_number_open_nothing(stage, neighbour):
    activity = await stage.activity()
    phone = await at_the_poster(stage, activity)
    stranger = await person_of(phone)
    assert stranger != neighbour.person_id

    shown = await everything_shown_to(phone, neighbour, activity_id=activity)
    _, cookie = await stage.world.phone(neighbour.person_id)
    own = await everything_shown_to(await stage.browser(cookie=cookie), neighbour)
    seen_by_the_neighbour = [path for path, text in own.items() if neighbour.is_shown_in(text)]

    assert [path for path, text in shown.items() if neighbour.is_shown_in(text)] == []
    assert {"/home", "/ledger", "/me"} <= set(seen_by_the_neighbour), "this is where it would be seen"
    assert await stage.world.balance(stranger) == 0


async def test_registering_says_the_same_whether_or_not_there_is_such_a_neighbour(stage, neighbour):
    activity = await stage.activity()
    known = await at_the_poster(stage, activity)
    unknown = await stage.browser()
    poster = (await db.row("SELECT poster_token FROM events_activity WHERE id = ?", activity))[0]
    await unknown.open(f"/p/{poster}")
    await unknown.send("/events/join", name="测试无名", phone="10000000099", agree="1", publication="1")

    def told(phone: Browser) -> str:
        return re.sub(r'value="[^"]*"', "", phone.text)

    assert told(known) == told(unknown)
    assert neighbour.person_id not in {await person_of(known), await person_of(unknown)}


async def test_the_code_of_the_strangers_phone_pays_nowhere(stage, world, neighbour):
    phone = await at_the_poster(stage, await stage.activity())
    clerk = await stage.program(Role.COUNTER_STAFF)
    device = (await db.row("SELECT id FROM people_device WHERE person_id = ?", await person_of(phone)))[0]
    salt = await world.good(points=1)
    code = await stage.phone_code(device)

    visit = await clerk.visit(world.home.counter_id, code)
    order = await clerk.order(world.home.counter_id, salt, code=code)
    typed = await clerk.visit(world.home.counter_id, neighbour.number)

    for refused in (visit, order):
        assert (refused.status_code, refused.json()["code"]) == (403, "people.still_provisional")
        assert not neighbour.is_shown_in(refused.text)
    assert (typed.status_code, typed.json()["code"]) == (403, "people.typed_number")
    assert await world.balance(neighbour.person_id) == neighbour.points
    assert (await db.row("SELECT COUNT(*) FROM redemption_visit"))[0] == 0


async def test_the_stranger_earns_nothing_even_if_the_organiser_is_made_to_tick_the_line(stage, world, neighbour):
    organiser = await stage.browser(Role.EVENT_ORGANISER)
    activity = await stage.activity()
    phone = await at_the_poster(stage, activity)
    stranger = await person_of(phone)
    line = (await db.row("SELECT id FROM events_attendance WHERE person_id = ?", stranger))[0]
    world.clock.advance(minutes=150)
    await organiser.open(f"/events/{activity}/confirm")

    forced = await organiser.send(f"/events/{activity}/confirm", line=[line], minutes=["60"], tick=[line])

    assert forced.status_code == 400
    assert 'name="tick"' not in organiser.text
    for _ in range(5):
        world.clock.advance(days=1)
        await jobs.tick()
    assert (await db.row("SELECT COUNT(*) FROM awards_award"))[0] == 0
    assert (await world.balance(stranger), await world.balance(neighbour.person_id)) == (0, neighbour.points)


@pytest.mark.parametrize("whom", ["another member", "a new resident", "the neighbour, by mistake"])
async def test_whoever_staff_take_the_stranger_for_the_neighbours_passbook_stays_shut(stage, world, neighbour, whom):
    activity = await stage.activity()
    phone = await at_the_poster(stage, activity)
    stranger = await person_of(phone)
    other = await world.person("测试旁人", points=777)
    same_as = {
        "another member": str(other),
        "a new resident": "",
        "the neighbour, by mistake": str(neighbour.person_id),
    }
    admin = await (await stage.browser(Role.COMMUNITY_ADMIN)).open("/people/provisional")
    settled = await admin.client.post(
        f"/governance/provisional/{stranger}", data={"request_key": "settled-by-staff", "same_as": same_as[whom]}
    )
    assert settled.status_code == 303, settled.text

    shown = await everything_shown_to(phone, neighbour, activity_id=activity)

    assert [path for path, text in shown.items() if neighbour.is_shown_in(text) or "777" in text] == []
    clerk = await stage.program(Role.COUNTER_STAFF)
    for device in await db.rows("SELECT id FROM people_device WHERE person_id IS NOT NULL"):
        visit = await clerk.visit(world.home.counter_id, await stage.phone_code(device["id"]))
        assert visit.status_code >= 400, "only a new resident's own, empty passbook could be meant"
    assert await world.balance(neighbour.person_id) == neighbour.points
    assert await world.balance(other) == 777


async def test_a_session_or_phone_that_the_client_chose_is_nobodys(stage, world, neighbour):
    activity = await stage.activity()
    device = await stage.browser()
    device.client.cookies.set("dev", CHOSEN)
    paired = await device.client.post("/pair/open", data={"request_key": "opened-by-guess"})
    phone = await at_the_poster(stage, activity, cookies={"sid": CHOSEN, "dev": CHOSEN})

    assert paired.status_code >= 400
    chosen = crypto.token_digest(CHOSEN)
    for table in ("people_session", "people_device"):
        assert await db.row(f"SELECT id FROM {table} WHERE token_digest = ?", chosen) is None
    kept = {cookie.name: cookie.value for cookie in phone.client.cookies.jar if cookie.value != CHOSEN}
    assert {"sid", "dev"} <= set(kept)
    for sid in (CHOSEN, "", str(neighbour.person_id), neighbour.number, kept["dev"], kept["sid"][:-1] + "_"):
        async with visiting(world, cookie=sid) as guess:
            assert (await guess.get("/home")).headers["location"].startswith("/sign-in")
        async with visiting(world, bearer=sid or "x") as guess:
            assert (await guess.get(f"/api/ledger/people/{neighbour.person_id}/passbooks")).status_code == 401
    async with visiting(world, bearer=kept["sid"]) as guess:
        path = f"/api/ledger/people/{neighbour.person_id}/passbooks"
        assert (await guess.get(path)).status_code == 401, "a phone's session is no token of a program"


async def test_a_forged_or_borrowed_ticket_lets_nobody_in(stage, world, neighbour):
    activity = await stage.activity()
    poster = (await db.row("SELECT poster_token FROM events_activity WHERE id = ?", activity))[0]
    _, cookie = await world.phone(neighbour.person_id)
    seen = await (await stage.browser()).open(f"/p/{poster}")
    borrowed = re.search(r'name="ticket" value="(\w+)"', seen.text)[1]
    changed = borrowed[:-1] + ("0" if borrowed[-1] != "0" else "1")
    known, unknown = await stage.browser(cookie=cookie), await stage.browser()
    for ticket in ("", "0" * len(borrowed), changed, borrowed, borrowed[:20], codes.poster_token(poster) or ""):
        form = {"ticket": ticket, "request_key": f"forged-{len(ticket)}-{ticket[-1:]}-ticket"}
        for phone, path in ((known, "check-in"), (unknown, "join"), (seen, "check-in")):
            if phone is seen and ticket == borrowed:
                continue
            answer = await phone.client.post(
                f"/events/{path}", data={**form, "name": NAME, "phone": PHONE, "agree": "1"}
            )
            assert 400 <= answer.status_code < 500, (path, ticket)

    assert (await db.row("SELECT COUNT(*) FROM events_attendance"))[0] == 0
    assert (await db.row("SELECT COUNT(*) FROM people_person WHERE state = 'provisional'"))[0] == 0
