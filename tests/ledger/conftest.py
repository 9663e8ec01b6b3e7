"""A small bank: one community, passbooks by person, told in points."""

import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec
import pytest

from pointsbank.app import database as databases
from pointsbank.kit import crypto, db
from pointsbank.kit.clock import FixedClock, local_day
from pointsbank.kit.db import Database, Tx
from pointsbank.kit.settings import Settings as Program
from pointsbank.ledger import actions, actions_gifts, actions_kinds, queries, rules, verify
from pointsbank.ledger.rules import Posted
from pointsbank.ledger.rules_kinds import Settings
from pointsbank.ledger.sealing import Sealer
from tests.made_up import true_books

PLACE = (
    "INSERT INTO people_place (parent_id, kind, name, path) VALUES (NULL, 'community', '测试社区', '/1/') RETURNING id"
)
COMMUNITY = """
INSERT INTO people_community (id, unit_name, holder, daily_points_max, service_phone, oversight_phone, roster_version)
VALUES (?, '测试社区', 'person', 200, '10000000001', '10000000002', 0)
"""
PERSON = """
INSERT INTO people_person (community_id, member_number, state, made_at) VALUES (?, ?, 'member', ?) RETURNING id
"""


async def found_community(tx: Tx) -> int:
    place = await tx.row(PLACE)
    assert place is not None
    await tx.run(COMMUNITY, place["id"])
    return int(place["id"])


async def add_person(tx: Tx, *, community_id: int, number: str) -> int:
    person = await tx.row(PERSON, community_id, number, tx.now)
    assert person is not None
    return int(person["id"])


PLAIN = Settings(
    name="积分", unit="分", decimals=0, holder="person", redeemable=True, donatable=False, transferable=False,
    balance_max=None, surplus="refused", base_points=0, base_every="never", base_redeemable=False, spend_above=0,
    reset_month=None, reset_day=None, carry_over=False,
)  # fmt: skip


@dataclass
class Bank:
    clock: FixedClock
    community_id: int
    posted: int = 0
    members: dict[int, int] = field(default_factory=dict)

    async def member(self) -> int:
        """A person with an open passbook; returns the passbook's id."""
        number = f"{len(self.members):09d}"
        person_id = await db.write(add_person, community_id=self.community_id, number=number)
        passbook_id = await db.write(actions.open_passbook, community_id=self.community_id, person_id=person_id)
        self.members[passbook_id] = person_id
        return passbook_id

    async def settle(self, **changes) -> None:
        """Settle the main kind of passbook anew."""
        found = await db.row("SELECT id, version FROM ledger_book_kind WHERE code = 'points'")
        assert found is not None
        await db.write(
            actions_kinds.change_kind,
            community_id=self.community_id,
            kind_id=found["id"],
            version=found["version"],
            settings=msgspec.structs.replace(PLAIN, **changes),
        )

    async def gift(self, passbook_id: int, points: int, match_percent: int, expires_on: date = rules.NEVER) -> Posted:
        self.posted += 1
        return await db.write(
            actions_gifts.give_gift,
            community_id=self.community_id,
            passbook_id=passbook_id,
            points=points,
            match_percent=match_percent,
            expires_on=expires_on,
            posting_key=f"gift:{self.posted}",
            member_id=self.members[passbook_id],
            source=("ledger", "gift", self.posted),
            summary="节日赠送",
        )

    async def spendable(self, passbook_id: int) -> int:
        account_id = (await self.passbook(passbook_id)).account_id
        return await queries.spendable(None, account_id, today=local_day(self.clock.now()))

    async def award(self, passbook_id: int, points: int, expires_on: date = rules.NEVER) -> Posted:
        self.posted += 1
        return await db.write(
            actions.post_award,
            community_id=self.community_id,
            passbook_id=passbook_id,
            points=points,
            posting_key=f"award:{self.posted}",
            effective_at=self.clock.now(),
            expires_on=expires_on,
            member_id=self.members[passbook_id],
            version_id=1,
            source=("awards", "award", self.posted),
            summary="楼道清洁 2 小时",
        )

    async def spend(self, passbook_id: int, points: int) -> Posted:
        self.posted += 1
        number = self.posted  # others may spend while this waits
        passbook = await self.passbook(passbook_id)
        return await db.write(
            actions.spend,
            community_id=self.community_id,
            account_id=passbook.account_id,
            points=points,
            outlet_id=1,
            posting_key=f"order:{number}",
            member_id=self.members[passbook_id],
            source=("redemption", "order", number),
            summary="兑换 食用盐",
        )

    async def passbook(self, passbook_id: int) -> queries.Passbook:
        found = await queries.passbook(passbook_id)
        assert found is not None
        return found

    async def balance(self, passbook_id: int) -> int:
        return (await self.passbook(passbook_id)).balance

    async def lots(self, passbook_id: int) -> list[int]:
        """What is left of each lot, soonest to expire first."""
        passbook = await self.passbook(passbook_id)
        sql = "SELECT remaining FROM ledger_lot WHERE account_id = ? ORDER BY expires_on, kind, id"
        return [left for (left,) in await db.rows(sql, passbook.account_id)]


@pytest.fixture
async def bank(database: Database, clock: FixedClock) -> Bank:
    community_id = await db.write(found_community)
    await db.write(actions_kinds.make_main_kind, community_id=community_id)
    return Bank(clock, community_id)


OpenFresh = Callable[[str], AbstractAsyncContextManager[Database]]


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock, keys: crypto.Keys) -> OpenFresh:
    """Opens an empty database each time, on either engine; what was done in it is sealed and verified."""
    numbers, template = itertools.count(1), request.getfixturevalue("template")
    server = request.getfixturevalue("postgres_server") if "postgres" in request.keywords else None

    @asynccontextmanager
    async def opened(engine: str) -> AsyncIterator[Database]:
        crypto.hold(keys)
        folder = tmp_path / f"fresh-{next(numbers)}"
        folder.mkdir()
        async with AsyncExitStack() as stack:
            settings = Program(data=folder)
            if engine == "sqlite":
                shutil.copy(template, folder / databases.FILE_NAME)
            else:
                assert server is not None
                name = await stack.enter_async_context(server.lending())
                settings = Program(data=folder, database_url=server.url(name))
            database = await stack.enter_async_context(databases.opened(settings, clock))
            if engine == "sqlite":  # it may vanish with the machine
                database.write_client.execute("PRAGMA synchronous = OFF")
            yield database
            await Sealer().run()
            assert true_books((await verify.verify()).findings) == []
        shutil.rmtree(folder)

    return opened
