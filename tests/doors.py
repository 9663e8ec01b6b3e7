"""Who stands before a door, and whether anything changed behind it."""

import sqlite3
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar.types import ASGIApp

from pointsbank.app import database as databases
from pointsbank.people.access import Role
from tests.world import World, program, visiting

TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'command' UNION ALL SELECT 'sqlite_schema'"


class Watch:
    """Sees whether any row changed, other than the stored answers of commands: a refusal may be kept under its key."""

    def __init__(self, world: World) -> None:
        self.connection = sqlite3.connect(databases.path_of(world.settings))
        self.version = -1
        self.rows: dict[str, str] = {}
        self.look()

    def look(self) -> bool:
        """Whether something changed since the last look."""
        version = self.connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self.version:
            return False
        tables = [name for (name,) in self.connection.execute(TABLES)]
        rows = {name: repr(self.connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in tables}
        changed = rows != self.rows
        self.version, self.rows = version, rows
        return changed


@dataclass
class Doors:
    """Sessions and tokens of the first community, one of each identity, and clients that use them."""

    world: World
    known: dict[tuple[str, bool], dict[str, str]] = field(default_factory=dict)
    app: ASGIApp | None = None

    async def who(self, name: str, route: Any) -> dict[str, str]:
        """What somebody of this identity sends along to this route of the table."""
        key = name, route.is_api
        if key not in self.known:
            self.known[key] = await self._enter(name, is_api=route.is_api)
        return self.known[key]

    async def _enter(self, name: str, *, is_api: bool) -> dict[str, str]:
        if name == "nobody" or (name == "resident" and is_api):
            return {}
        if name == "resident":
            _, token = await self.world.phone(await self.world.person("测试居民"))
            return {"cookie": token}
        _, token = await self.world.staff(Role(name), kind="token" if is_api else "staff")
        return {"bearer": token} if is_api else {"cookie": token}

    def visiting(self, **who: str) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        self.app = self.app or program(self.world.clock)
        return visiting(self.world, app=self.app, **who)
