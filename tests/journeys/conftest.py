"""Whoever takes part in a story: residents with phones, browsers that read forms, programs that hold a token."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from pointsbank.events import actions as events
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.people import queries as people
from pointsbank.people.access import Role
from tests.world import World, visiting

Fields = dict[str, list[str]]


class _Forms(HTMLParser):
    """The forms of a page by address, with what a browser would send if nobody typed anything."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, Fields] = {}
        self.open: Fields = {}
        self.select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        name, value = about.get("name", ""), about.get("value", "")
        if tag == "form":
            self.open = self.found.setdefault(about.get("action", ""), {})
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in about:
            self.open.setdefault(self.select, []).append(value)
        elif tag == "input" and name:
            is_box = about.get("type") in {"checkbox", "radio"}
            if not is_box or "checked" in about:
                self.open.setdefault(name, []).append(value)


@dataclass
class Browser:
    """Somebody's browser without script: what it sends, it has read in the page before it."""

    client: httpx.AsyncClient
    page: httpx.Response | None = None

    async def open(self, path: str) -> "Browser":
        self.page = await self.client.get(path, follow_redirects=True)
        return self

    async def send(self, action: str, **typed: Any) -> httpx.Response:
        """Send a form of the page, changed by what is typed; one without an address goes where the page came from."""
        assert self.page is not None
        form = _Forms(self.page.text).found[action]
        answer = await self.client.post(action or self.page.url.path, data={**form, **typed})
        self.page = answer if answer.status_code != 303 else await self.client.get(answer.headers["location"])
        return answer

    @property
    def text(self) -> str:
        assert self.page is not None
        return self.page.text


@dataclass
class Program:
    """A program with a token; every call has a key of its own unless one is given."""

    client: httpx.AsyncClient
    calls: int = 0

    async def ask(self, path: str, *, key: str = "", **body: Any) -> httpx.Response:
        self.calls += 1
        return await self.client.post(path, json={**body, "request_key": key or f"call-{self.calls:04}"})

    async def check_in(self, activity: int, code: str) -> httpx.Response:
        return await self.ask(f"/api/events/{activity}/check-ins", code=code)

    async def check_out(self, activity: int, code: str) -> httpx.Response:
        return await self.ask(f"/api/events/{activity}/check-outs", code=code)

    async def visit(self, counter: int, code: str) -> httpx.Response:
        return await self.ask(f"/api/redemption/counters/{counter}/visits", code=code)

    async def order(self, counter: int, good: int, quantity: int = 1, *, key: str = "", **who: Any) -> httpx.Response:
        lines = [{"good": good, "quantity": quantity}]
        return await self.ask(f"/api/redemption/counters/{counter}/orders", key=key, lines=lines, **who)

    async def passbook(self, person: int) -> dict[str, Any]:
        answer = await self.client.get(f"/api/ledger/people/{person}/passbooks")
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["passbooks"]
        return found


@dataclass
class Stage:
    world: World
    people: AsyncExitStack
    staff: dict[Role, Actor] = field(default_factory=dict)

    async def browser(self, role: Role | None = None, *, cookie: str = "") -> Browser:
        """A staff member's browser, or that of whoever holds this cookie; of nobody without either."""
        if role is not None:
            self.staff[role], cookie = await self.world.staff(role)
        return Browser(await self.people.enter_async_context(visiting(self.world, cookie=cookie)))

    async def program(self, role: Role) -> Program:
        """A program of the staff member who sits at this role's browser, or of another one."""
        if role in self.staff:
            person = self.staff[role].person_id
            grant = await db.row("SELECT id FROM people_role_grant WHERE person_id = ?", person)
            assert person is not None
            assert grant is not None
            _, token = await self.world.session(person, grant["id"], "token")
        else:
            self.staff[role], token = await self.world.staff(role, kind="token")
        return Program(await self.people.enter_async_context(visiting(self.world, bearer=token)))

    async def another_program(self, role: Role) -> Program:
        """A program of a colleague."""
        _, token = await self.world.staff(role, kind="token")
        return Program(await self.people.enter_async_context(visiting(self.world, bearer=token)))

    async def activity(self, *, minutes: int = 120) -> int:
        """One that begins now, of an organiser."""
        home, now = self.world.home, self.world.clock.now()
        organiser, _ = await self.world.staff(Role.EVENT_ORGANISER)
        activity_id = await db.write(
            events.create,
            actor=organiser,
            community_id=home.id,
            title="测试楼道清洁",
            venue="测试 1 号楼",
            item_code="A01",
            contact="测试员 100 0000 0000",
            starts_at=now + timedelta(minutes=1),
            ends_at=now + timedelta(minutes=1 + minutes),
            seats=None,
        )
        await db.write(events.publish, actor=organiser, activity_id=activity_id, community_ids=(home.id,))
        return activity_id

    async def phone_code(self, device: int) -> str:
        """The twenty digits that a bound phone shows now."""
        code = await people.current_phone_code(device, self.world.clock.now())
        assert code is not None
        return code


@pytest.fixture
async def world(database: Any, settings: Any, clock: Any) -> World:
    """Two communities that show points for three days before they are booked."""
    return await World(clock, settings).found(notice_days=3)


@pytest.fixture
async def stage(world: World) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as people_of_the_story:
        yield Stage(world, people_of_the_story)
