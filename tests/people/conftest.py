"""One street with two communities, built through the actions."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.codes import phone_code, phone_step
from pointsbank.people import access, actions, actions_cards, actions_phones, actions_staff, sealed
from tests.world import program

ADDRESS = "http://points.test"
KEY = {"request_key": "k" * 22}
PASSWORD = "correct horse 7"
CHEAP = crypto.PasswordCost(memory_kib=8, rounds=1)


@dataclass
class Place:
    street: int
    community: int
    elsewhere: int  # another community of the street
    building: int


@dataclass
class People:
    """Makes people of plainly invented names, and says what their codes show."""

    place: Place
    clock: FixedClock
    count: Any = field(default_factory=lambda: itertools.count(1))

    async def member(self, name: str = "测试甲", community: int | None = None, **facts: Any) -> int:
        phone = facts.pop("phone", f"100{next(self.count):08}")
        where = community or self.place.community
        facts = {"household_id": None, **facts}
        return await db.write(actions.make_person, community_id=where, name=name, phone=phone, **facts)

    async def household(self, community: int | None = None, door: str | None = "101") -> int:
        where = community or self.place.community
        building = self.place.building if where == self.place.community else None
        return await db.write(actions.make_household, community_id=where, building_id=building, door=door)

    async def card(self, person: int) -> str:
        issued = await db.write(actions_cards.issue_card, person_id=person)
        return actions_cards.card_code_of(issued.card_id, issued.generation)

    async def device(self, name: str) -> int:
        return await db.write(actions_phones.make_device, token_digest=crypto.token_digest(name))

    async def phone_of(self, person: int, name: str) -> int:
        """A phone that staff paired."""
        pairing = await db.write(actions_phones.start_pairing, old_device=None, new_device=crypto.token_digest(name))
        digits = actions_phones.pairing_digest(sealed.pairing_digits(pairing))
        await db.write(actions_phones.finish_pairing, digits=digits, person_id=person)
        return await self.device(name)

    async def code_of(self, device: int, steps_later: int = 0) -> str:
        found = await db.row("SELECT handle FROM people_device WHERE id = ?", device)
        assert found is not None
        return phone_code(sealed.phone_secret(device), found["handle"], phone_step(self.clock.now()) + steps_later)

    async def take(self, code: str, purpose: str = "visit", community: int | None = None) -> actions_cards.Scanned:
        where = community or self.place.community
        return await db.write(actions_cards.take_code, code=code, purpose=purpose, community_id=where)

    async def staff(self, login: str, role: str = "community_admin", place: int | None = None) -> int:
        person = await self.member(f"测试{login}")
        await db.write(
            actions_staff.make_login,
            person_id=person,
            login=login,
            password_hash=crypto.hash_password(PASSWORD, CHEAP),
            must_change=False,
        )
        await db.write(actions_staff.grant, person_id=person, role=role, place_id=place or self.place.community)
        return person

    async def sign_in(self, person: int, token: str) -> actions_staff.SignedIn:
        found = await db.row("SELECT password_hash FROM people_login WHERE id = ?", person)
        assert found is not None
        digest = crypto.token_digest(token)
        return await db.write(actions_staff.sign_in, person_id=person, password_hash=found[0], token_digest=digest)


async def session_of(token: str, kind: str = "cookie") -> access.Session | None:
    found = access.find_session(crypto.token_digest(token), kind)
    return await found if hasattr(found, "__await__") else found


@pytest.fixture
async def place(database: db.Database) -> Place:
    street = await db.write(actions.make_place, parent_id=None, kind="street", name="测试街道")
    common = {"street_id": street, "holder": "person", "service_phone": "10000000001", "oversight_phone": "10000000002"}
    here = await db.write(actions.make_community, name="梧桐里社区", unit_name="梧桐里社区居委会", **common)
    there = await db.write(actions.make_community, name="银杏里社区", unit_name="银杏里社区居委会", **common)
    building = await db.write(actions.make_place, parent_id=here, kind="building", name="93 号楼")
    return Place(street, here, there, building)


@pytest.fixture
def people(place: Place, clock: FixedClock) -> People:
    return People(place, clock)


Open = Callable[[], httpx.AsyncClient]


@pytest.fixture
def browser(people: People, clock: FixedClock) -> Open:
    """Makes browsers: each has cookies of its own."""
    app = program(clock)

    def open_one() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS, headers={"Origin": ADDRESS})

    return open_one


async def sign_in(browser: Open, login: str, password: str = PASSWORD, **more: str) -> httpx.AsyncClient:
    desk = browser()
    answer = await desk.post("/sign-in", data={"login": login, "password": password, **more})
    assert answer.status_code == 303, answer.text
    return desk


def shown(answer: httpx.Response, testid: str) -> str:
    """The text of the part of a page that bears this mark."""
    found = re.search(rf'data-testid="{testid}">([^<]*)<', answer.text)
    assert found is not None
    return found[1]
