"""Who sends the good requests of the route table, and which of them a short run tries."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.changes import (
    ADMIN,
    CHANGES,
    CLERK,
    ENDS,
    MEETS,
    NEIGHBOUR,
    NEXT_DOOR,
    RESIDENT,
    SHOWS,
    STRANGER,
    STREET,
    VISITOR,
    WORKER,
)
from tests.test_pages import ROUTES
from tests.world import visiting

KEY = "the-key-of-this-request"
CHANGING = {route.path: route for route in ROUTES if route.method == "POST"}
HOST = "testserver.local"  # as a cookie names it; so an answer's cookie takes the place of one that was there
SHORT = 6
# Another command of the same person, for requests in which there is nothing to change.
OTHERWISE = {
    ADMIN: "/people/places",
    WORKER: "/people/new",
    STREET: "/scoring/templates/copy",
    CLERK: "/redemption/counters/{counter_id:int}/scan",
    **dict.fromkeys((RESIDENT, VISITOR, NEIGHBOUR), "/me/requests/correct"),
    **dict.fromkeys((NEXT_DOOR, MEETS, SHOWS, ENDS), "/people/places"),
    STRANGER: "/events/join",
}


def seed() -> int:
    """PB_FAULT_SEED repeats a choice; every process of one run makes the same."""
    return int(os.environ.get("PB_FAULT_SEED") or 20261122)


def is_long() -> bool:
    """PB_FAULTS=all: everything, and as long as it takes."""
    return os.environ.get("PB_FAULTS") == "all"


def sampled(paths: list[str]) -> list[str]:
    """A few of them; in the long run all."""
    if is_long() or len(paths) <= SHORT:
        return paths
    return sorted(random.Random(seed()).sample(paths, SHORT))


class Sender:
    """Whoever may make this change, and the request that makes it."""

    def __init__(self, scene: Any, path: str) -> None:
        self.path, self.stand, self.world = path, scene.stand, scene.world
        self.change = CHANGES[path]
        self.is_api = path.startswith("/api/")

    @property
    def caller(self) -> str:
        """Whose keys the change is kept under."""
        return self.stand.actors[self.change.who].caller

    @asynccontextmanager
    async def visiting(self, *, colleague: bool = False) -> AsyncIterator[httpx.AsyncClient]:
        sessions = self.stand.colleagues if colleague else self.stand
        async with visiting(self.world, **sessions.session(self.change.who, is_api=self.is_api)) as client:
            for name, value in self.change.cookies.items():
                client.cookies.set(name, value.format_map(self.stand.own), domain=HOST)
            yield client

    async def send(self, client: httpx.AsyncClient, key: str = KEY, *, differs: bool = False) -> httpx.Response:
        """The request, or with `differs` another one under the same key."""
        if differs and not self.change.differs:
            return await self._post(client, OTHERWISE[self.change.who], key)
        return await self._post(client, self.path, key, differs=differs)

    async def _post(self, client: httpx.AsyncClient, path: str, key: str, *, differs: bool = False) -> httpx.Response:
        change, is_api = CHANGES[path], path.startswith("/api/")
        body = change.filled(self.stand.own, key, other=differs)
        url = CHANGING[path].url(change.places(self.stand.own))
        files = {name: ("file", content) for name, content in change.files.items()}
        return await client.post(url, **{"json" if is_api else "data": body}, files=files or None)
