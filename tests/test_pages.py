"""Every route × every role × own and foreign community, generated from the route table; and rubbish at every door.

What a role may do is read from the guards and from the table of roles; what is tested is that nothing else is possible,
that a foreign object looks like one that does not exist, and that no refused request changes a row.
"""

import json
import re
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from litestar.handlers import HTTPRouteHandler

from pointsbank.app import wiring
from pointsbank.kit.clock import FixedClock
from pointsbank.kit.settings import Settings
from pointsbank.people.access import Role
from pointsbank.people.rules_roles import PERMISSIONS, RESIDENT
from tests.doors import Doors, Watch
from tests.furniture import FOREIGN_NAME, furnish
from tests.world import BLOCKED_STAIRS, NOON, World

MISSING = 987_654_321
PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
SHELL = "/api/local/commands"


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    permissions: frozenset[str] | None  # None: open to everybody

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def parameters(self) -> list[str]:
        return [name for name, _ in PARAMETER.findall(self.path)]

    def url(self, values: dict[str, object]) -> str:
        return PARAMETER.sub(lambda hit: str(values[hit[1]]), self.path)


def all_routes() -> list[Route]:
    app = wiring.route_table(Settings(), FixedClock(NOON))
    found = []
    for route in app.routes:
        if route.path.startswith("/schema"):
            continue  # documentation, open to everybody
        for handler in getattr(route, "route_handlers", ()):
            if not isinstance(handler, HTTPRouteHandler):
                continue
            guard = next((one for one in handler.guards or () if hasattr(one, "permissions")), None)
            permissions = None if guard is None else frozenset(guard.permissions)
            methods = sorted(handler.http_methods - {"OPTIONS", "HEAD"})
            found += [Route(method, route.path, permissions) for method in methods]
    return found


ROUTES = all_routes()
GUARDED = [route for route in ROUTES if route.permissions is not None]
IDENTITIES = ["nobody", "resident", *Role]


@pytest.fixture
async def world(database, settings, clock) -> World:
    return await World(clock, settings, more_items=(BLOCKED_STAIRS,)).found(notice_days=3)


def may(name: str, route: Route) -> bool:
    assert route.permissions is not None
    held = {"nobody": None, "resident": None if route.is_api else RESIDENT}.get(name, PERMISSIONS.get(name))
    return held is not None and route.permissions <= held


def test_every_route_says_who_may_use_it():
    open_to_all = {(route.method, route.path) for route in ROUTES if route.permissions is None}

    assert open_to_all == OPEN


# Reviewed one by one: what each may do without a session, and why that is right.
OPEN = {
    *(("GET", path) for path in ("/livez", "/readyz", "/privacy", "/print/{name:str}")),  # the same for everybody
    *(("GET", path) for path in ("/offline", "/sw.js", "/guide/counter", "/guide/community")),  # nobody's data in them
    *(("GET", f"/{path}") for path in ("type", "language")),  # a cookie of the reader's own, no more
    *(("GET", f"/printer/{what}") for what in ("roll", "shift")),  # a cookie of the computer's own, no more
    ("GET", "/"),  # leads on to where each reader belongs
    *((method, "/sign-in") for method in ("GET", "POST")),  # nobody has a session before; tries are counted
    *((method, "/sign-in/code") for method in ("GET", "POST")),  # wants the ticket that a right password gives
    *((method, path) for method in ("GET", "POST") for path in ("/a/{token:str}", "/activate")),  # good for one slip
    ("GET", "/d/{token:str}"),  # a plate that hangs in public: says whose community it is, leads staff to the door
    *(("GET", path) for path in ("/e/{code:str}", "/p/{token:str}")),  # behind a code that hangs in public
    *(("POST", f"/events/{act}") for act in ("check-in", "check-out", "join")),  # wants the ticket from there
    *((method, "/pair") for method in ("GET", "POST")),  # shows digits that only staff can use
    ("POST", "/pair/open"),  # wants the cookie of the phone that staff have paired
    ("POST", SHELL),  # wants the secret of the data folder
}


@pytest.mark.parametrize("name", IDENTITIES)
async def test_nobody_gets_past_a_guard_without_its_permissions(world, name):
    own = await furnish(world, world.home)
    watch, doors, wrong = Watch(world), Doors(world), []
    for route in GUARDED:
        if may(name, route):
            continue
        who = await doors.who(name, route)
        watch.look()
        async with doors.visiting(**who) as client:
            answer = await client.request(route.method, route.url(own))
        expected = {401} if route.is_api and not who else {303} if not who else {403}
        if answer.status_code not in expected or watch.look():
            wrong.append((route.method, route.path, answer.status_code))
        if answer.status_code == 303 and not answer.headers["location"].startswith("/sign-in"):
            wrong.append((route.method, route.path, answer.headers["location"]))

    assert wrong == [], "\n".join(map(str, wrong))


WITH_OBJECTS = [route for route in GUARDED if set(route.parameters) - {"name", "token"}]


@pytest.mark.parametrize("name", [role for role in IDENTITIES if role != "nobody"])
async def test_a_foreign_object_looks_like_one_that_does_not_exist(world, name):
    await furnish(world, world.home)
    foreign = await furnish(world, world.communities[1])
    missing = {key: MISSING if isinstance(value, int) else value for key, value in foreign.items()}
    watch, doors, wrong = Watch(world), Doors(world), []
    for route in WITH_OBJECTS:
        if not may(name, route) or name in WIDE:
            continue
        who = await doors.who(name, route)
        watch.look()
        async with doors.visiting(**who) as client:
            answers = [await ask(client, route, values) for values in (foreign, missing)]
        told = [(answer.status_code, neutral(answer.text)) for answer in answers]
        if told[0] != told[1] or answers[0].status_code not in REFUSED or watch.look():
            wrong.append((route.method, route.path, [answer.status_code for answer in answers]))
        if FOREIGN_NAME in answers[0].text:
            wrong.append((route.path, "a foreign name"))

    assert wrong == [], "\n".join(map(str, wrong))


WIDE = {Role.SUPERVISOR, Role.STREET_ADMIN}  # their street holds both communities
REFUSED = {400, 403, 404, 409}


async def ask(client, route, values):
    url = route.url(values)
    if route.method == "GET":
        return await client.get(url)
    key = f"foreign-{values['person_id']}-key"
    if route.is_api:
        return await client.post(url, json={"request_key": key, **BODIES.get(route.path, {})})
    return await client.post(url, data={"request_key": key, **BODIES.get(route.path, {})})


# Bodies that would be good for one's own object, so that only the object can be what is refused.
BODIES: dict[str, dict[str, object]] = {
    f"/events/{{activity_id:int}}/{page}/find": {"q": FOREIGN_NAME} for page in ("roster", "late")
}


def neutral(text: str) -> str:
    """Without what differs between any two answers: request keys, ids in addresses."""
    text = re.sub(r'name="request_key" value="[^"]*"', "", text)
    return re.sub(r"\d{3,}|/\d+", "N", text)


RUBBISH: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "application/x-www-form-urlencoded"),
    "bytes": (bytes(range(256)) * 8, "application/octet-stream"),
    "form bytes": (b"request_key=%ff%fe%00&code=%ed%a0%80&points=-9e99&lines=%00", "application/x-www-form-urlencoded"),
    "deep json": (b"[" * 100_000, "application/json"),
    "deep object": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "application/json"),
    "wrong json": (b'{"request_key": 7, "code": [], "lines": "x", "points": 1e999}', "application/json"),
    "surrogates": (json.dumps({"request_key": "\ud800" * 9, "code": "\ud800"}).encode(), "application/json"),
    "too large": (b"x" * 70_000, "application/json"),
    "large amounts": (
        json.dumps(
            {"request_key": "rubbish-key", "visit": 2**70, "lines": [{"good": -1, "quantity": 10**30}]}
        ).encode(),
        "application/json",
    ),
    "broken multipart": (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x"),
}


@pytest.mark.parametrize("what", RUBBISH)
async def test_rubbish_is_refused_with_a_code_and_changes_nothing(world, what):
    body, kind = RUBBISH[what]
    own = await furnish(world, world.home)
    watch, doors, wrong = Watch(world), Doors(world), []
    for route in ROUTES:
        if route.method == "GET" or route.path == SHELL:
            continue
        names = [name for name in IDENTITIES if route.permissions is not None and may(name, route)] or ["nobody"]
        who = await doors.who(names[0], route)
        watch.look()
        async with doors.visiting(**who) as client:
            answer = await client.post(route.url(own), content=body, headers={"Content-Type": kind})
        if route.path in HARMLESS:
            doors.known.clear()  # whoever signed out comes in again
            continue
        if not 400 <= answer.status_code < 500:
            wrong.append((route.path, answer.status_code))
        elif watch.look():
            wrong.append((route.path, "changed something"))
        if route.is_api and "code" not in answer.json():
            wrong.append((route.path, answer.text[:80]))

    assert wrong == [], "\n".join(map(str, wrong))


# What needs nothing but the session: there is nothing in a body that could be wrong.
HARMLESS = {"/sign-out", "/me/sign-out-everywhere"}


LARGE = 2**70
# What no reader can mean, though its shape is right: databases and int() are strict about different things.
UNHEARD_OF = [
    pytest.param(LARGE, id="too large for SQLite"),
    pytest.param(LARGE, id="too large for PostgreSQL", marks=pytest.mark.postgres),
    pytest.param("a\x00b", id="no text for PostgreSQL", marks=pytest.mark.postgres),
    pytest.param("²", id="a digit and no number"),
]


@pytest.mark.parametrize("value", UNHEARD_OF)
async def test_values_that_nobody_could_mean_break_nothing(world, value):
    own = await furnish(world, world.home)
    doors, wrong = Doors(world), []
    for route in ROUTES:
        names = [name for name in IDENTITIES if route.permissions is not None and may(name, route)] or ["nobody"]
        if route.path in HARMLESS:
            continue
        who = await doors.who(names[0], route)
        async with doors.visiting(**who) as client:
            told = [answer.status_code for answer in await strange(client, route, own, value)]
        if max(told, default=0) >= 500 or (route.method != "GET" and route.is_api and min(told) < 400):
            wrong.append((route.method, route.path, told))

    assert wrong == [], "\n".join(map(str, wrong))


FIELDS = re.findall(
    r"\w+",
    "activity_id arrived award_id before building code community copy day digits done good grant head in_force_from "
    "left line line_id lines minutes name of page paper person phone points q quantity reason right same_as side size "
    "strike tick ticket times visit",
)


async def strange(client, route, own, value):
    """The same value in the path, and in the query or the body."""
    text = quote(str(value))
    fields = "&".join(f"{name}={text}" for name in FIELDS)
    answers = [await client.request(route.method, PARAMETER.sub(text, route.path))] if route.parameters else []
    if route.method == "GET":
        return [*answers, await client.get(f"{route.url(own)}?{fields}")]
    if not route.is_api:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return [*answers, await client.post(route.url(own), content=f"request_key=strange-key&{fields}", headers=kind)]
    body = {"request_key": "strange-key", "code": str(value)}
    if route.path.endswith("/orders"):
        body["lines"] = [{"good": value, "quantity": 1} if value == LARGE else {"barcode": value, "quantity": 1}]
    return [*answers, await client.post(route.url(own), json=body)]


async def test_no_get_changes_anything(world):
    own = await furnish(world, world.home)
    watch, doors, wrong = Watch(world), Doors(world), []
    for route in ROUTES:
        if route.method != "GET":
            continue
        names = [name for name in IDENTITIES if route.permissions is None or may(name, route)]
        for name in names[:3]:
            who = await doors.who(name, route)
            watch.look()
            async with doors.visiting(**who) as client:
                answer = await client.get(route.url(own))
            if watch.look():
                wrong.append((route.path, name, "changed something"))
            if answer.status_code >= 500:
                wrong.append((route.path, name, answer.status_code))

    assert wrong == [], "\n".join(map(str, wrong))
