"""Two tables and a few actions that know nothing of points, to try the write path on."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime

import asyncpg
from tortoise import fields
from tortoise.models import Model

from pointsbank.app import database as databases
from pointsbank.kit import db
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.kit.settings import Settings

TOWN = """
CREATE TABLE town (
  id ID,
  name TEXT NOT NULL UNIQUE,
  people WHOLE NOT NULL CHECK (people < 1000),
  since DAY NOT NULL,
  seen_at MOMENT NOT NULL,
  live BOOLEAN NOT NULL
)
"""
HOUSE = "CREATE TABLE house (id ID, town_id BIGINT NOT NULL REFERENCES town(id))"

SINCE = date(2026, 1, 1)
SEEN = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


class Town(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    people = fields.BigIntField(default=0)
    since = fields.DateField(default=SINCE)
    seen_at = fields.DatetimeField(default=SEEN)
    live = fields.BooleanField(default=True)

    class Meta:
        table = "town"


class House(Model):
    id = fields.BigIntField(primary_key=True)
    town = fields.ForeignKeyField("models.Town", related_name="houses")

    class Meta:
        table = "house"


class TownFull(Refusal):
    kind = Kind.LIMITED
    code = "tests.town_full"
    message = "{name} 住满了。"


class TownSecret(Refusal):
    kind = Kind.FORBIDDEN
    code = "tests.town_secret"
    message = "这里不能去。"


class TownUnknown(Refusal):
    kind = Kind.NOT_FOUND
    code = "tests.town_unknown"
    message = "没有这个地方。"


class TownTaken(Refusal):
    kind = Kind.CONFLICT
    code = "tests.town_taken"
    message = "已经有人了。"


class TownGone(Refusal):
    kind = Kind.EXPIRED
    code = "tests.town_gone"
    message = "已经没有了。"


class TownMistyped(Refusal):
    kind = Kind.INVALID
    code = "tests.town_mistyped"
    message = "写错了。"


class TownInAHurry(Refusal):
    kind = Kind.THROTTLED
    code = "tests.town_in_a_hurry"
    message = "太快了。"


class TownBusy(Refusal):
    kind = Kind.BUSY
    code = "tests.town_busy"
    message = "太忙了。"


KINDS_STORED = (TownFull, TownSecret, TownUnknown, TownTaken, TownGone)
KINDS_NOT_STORED = (TownMistyped, TownInAHurry, TownBusy)

ADD = "INSERT INTO town (name, people, since, seen_at, live) VALUES (?, ?, ?, ?, ?) RETURNING id"
MOVE_IN = "UPDATE town SET people = people + ? WHERE name = ? AND people + ? < 1000"


async def add(tx: Tx, *, name: str, people: int = 1) -> int:
    added = await tx.row(ADD, name, people, SINCE, tx.now, True)
    assert added is not None
    return int(added["id"])


async def move_in(tx: Tx, *, name: str, people: int) -> None:
    if await tx.run(MOVE_IN, people, name, people) != 1:
        raise TownFull(name=name)


async def refuse(tx: Tx, *, code: str) -> int:
    """Write, then say no: what was written must go."""
    await add(tx, name=f"trace of {code}")
    raise Refusal.known[code]


NAMES = "SELECT name FROM town"


async def names() -> set[str]:
    return {name for (name,) in await db.rows(NAMES)}


async def names_stored(settings: Settings) -> set[str]:
    """What another process would see, also after this one closed the database."""
    if not settings.database_url:
        with closing(sqlite3.connect(databases.path_of(settings))) as file:
            return {name for (name,) in file.execute(NAMES)}
    connection = await asyncpg.connect(settings.database_url)
    found = {name for (name,) in await connection.fetch(NAMES)}
    await connection.close()
    return found
