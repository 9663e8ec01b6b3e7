"""A small world for journeys and for the route matrix; everything in it is made through actions."""

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import httpx
import msgspec
from litestar.types import ASGIApp

from pointsbank.app import wiring
from pointsbank.app.installation import Installation
from pointsbank.awards import actions as awards
from pointsbank.governance import actions as governance
from pointsbank.kit import codes, crypto, db
from pointsbank.kit.clock import Clock, FixedClock, local_day
from pointsbank.kit.db import Actor
from pointsbank.kit.paths import seed_dir
from pointsbank.kit.settings import Settings
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.ledger import queries as ledger_queries
from pointsbank.ledger.rules import NEVER
from pointsbank.ledger.rules_kinds import Settings as KindSettings
from pointsbank.people import actions as people
from pointsbank.people import (
    actions_cards,
    actions_import,
    actions_phones,
    actions_print,
    actions_staff,
    importing,
    queries_import,
)
from pointsbank.people import queries as people_queries
from pointsbank.people.access import Role
from pointsbank.people.rules_cards import Kept
from pointsbank.redemption import actions as redemption
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import scheme_file
from pointsbank.scoring.rules import Basis, Item, Table
from pointsbank.scoring.rules_table import Panel, Process
from pointsbank.stock import actions as stock
from pointsbank.web.limits import Limit, Limits

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # Saturday noon in Shanghai
ADDRESS = "http://testserver"
LOOSE = Limits(*(Limit(per_minute=1_000_000, burst=100_000) for _ in range(3)))
SCHEME = "hailin-community-volunteer.toml"
COINS = KindSettings(
    name="时间币", unit="币", decimals=1, holder="person", redeemable=False, donatable=False, transferable=False,
    balance_max=None, surplus="refused", base_points=0, base_every="never", base_redeemable=False, spend_above=0,
    reset_month=None, reset_day=None, carry_over=False,
)  # fmt: skip
"""A kind of passbook with tenths."""
BLOCKED_STAIRS = Item(
    code="K01", category="环境", name="楼道堆物", basis=Basis.PER_TIME, points=2, evidence="巡查记录", deduction=True,
    process=Process(advice=1, warnings=1, within_months=6), ground="居民公约第三条", make_good="三天里把东西搬走",
    submit=("grid_worker",), review=("community_admin",),
)  # fmt: skip
"""Advice, a warning, then two points each time."""
JUDGED = Item(
    code="P01", category="荣誉", name="好邻居", basis=Basis.PER_TIME, points=5, evidence="邻居推荐", review=("panel",),
    panel=Panel(members=1, agree=1), evidence_kinds=("photo", "document"),
)  # fmt: skip
"""Five points where a panel of one agrees."""


@dataclass
class Community:
    id: int
    building_id: int
    outlet_id: int
    counter_id: int
    version_id: int


@functools.cache
def scheme() -> Table:
    return scheme_file.parse((seed_dir() / "scoring" / SCHEME).read_text("utf-8"))


@dataclass
class World:
    clock: FixedClock
    settings: Settings
    street_id: int = 0
    communities: list[Community] = field(default_factory=list)
    made: int = 0
    more_items: tuple[Item, ...] = ()  # of every table, after those of the scheme
    word: str = ""  # ends every free text: the browser looks whether one is ever taken for more than text

    async def found(self, *, holder: str = "person", notice_days: int = 0, count: int = 2) -> "World":
        self.street_id = await db.write(people.make_place, parent_id=None, kind="street", name=f"测试街道{self.word}")
        for number in range(count):
            await self.community(f"测试社区{number + 1}{self.word}", holder=holder, notice_days=notice_days)
        return self

    async def community(self, name: str, *, holder: str, notice_days: int) -> Community:
        community_id = await db.write(
            people.make_community,
            street_id=self.street_id,
            name=name,
            unit_name=name,
            holder=holder,
            service_phone="10000000001",
            oversight_phone="10000000002",
        )
        await db.write(kinds.make_main_kind, community_id=community_id)
        building_id = await db.write(
            people.make_place, parent_id=community_id, kind="building", name=f"测试 1 号楼{self.word}"
        )
        items = (*scheme().items, *self.more_items)
        table = msgspec.structs.replace(scheme(), notice_days=notice_days, passbook=holder, items=items)
        version_id = await db.write(
            scoring.adopt,
            community_id=community_id,
            table=table,
            in_force_from=local_day(self.clock.now()) - timedelta(days=30),
        )
        outlet_id = await db.write(
            redemption.make_outlet,
            community_id=community_id,
            name=f"测试超市{self.word}",
            hours=f"每天 9–17 点{self.word}",
        )
        counter_id = await db.write(redemption.make_counter, outlet_id=outlet_id, name=f"1 号台{self.word}")
        made = Community(community_id, building_id, outlet_id, counter_id, version_id)
        self.communities.append(made)
        return made

    def again(self, clock: FixedClock, settings: Settings) -> "World":
        """The same world, in another database that holds it."""
        return replace(self, clock=clock, settings=settings, communities=[replace(one) for one in self.communities])

    @property
    def home(self) -> Community:
        return self.communities[0]

    async def household(self, community: Community | None = None) -> int:
        place = community or self.home
        self.made += 1
        return await db.write(
            people.make_household, community_id=place.id, building_id=place.building_id, door=str(100 + self.made)
        )

    async def person(
        self,
        name: str = "测试甲",
        *,
        points: int = 0,
        community: Community | None = None,
        household_id: int | None = None,
    ) -> int:
        place = community or self.home
        household_id = household_id or await self.household(place)
        self.made += 1
        person_id = await db.write(
            people.make_person,
            community_id=place.id,
            household_id=household_id,
            name=f"{name}{self.word}",
            phone=f"100{self.made:08d}",
            id_number=None,
            birth_year=1950,
            consent_publication=True,
        )
        if points:
            await self.give(person_id, points, place)
        return person_id

    async def give(self, person_id: int, points: int, community: Community | None = None) -> None:
        place = community or self.home
        holder = await people_queries.holder_of(None, person_id)
        is_shared = holder.kind == "household" and holder.household_id is not None
        passbook_id = await db.write(
            ledger.open_passbook,
            community_id=place.id,
            person_id=None if is_shared else holder.person_id,
            household_id=holder.household_id if is_shared else None,
        )
        await self.credit(passbook_id, holder.person_id, points, place)

    async def credit(self, passbook_id: int, person_id: int, points: int, community: Community | None = None) -> None:
        """Points out of nowhere, into any passbook."""
        place = community or self.home
        self.made += 1
        await db.write(
            ledger.post_award,
            community_id=place.id,
            passbook_id=passbook_id,
            points=points,
            posting_key=f"test:{self.made}",
            effective_at=self.clock.now(),
            expires_on=NEVER,
            member_id=person_id,
            version_id=place.version_id,
            source=("ledger", "test", self.made),
            summary=f"测试发分{self.word}",
        )

    async def provisional(self, name: str = "测试丁", community: Community | None = None) -> int:
        """Somebody who registered at a poster."""
        place = community or self.home
        self.made += 1
        device_id = await db.write(actions_phones.make_device, token_digest=f"poster {self.made}".encode())
        return await db.write(
            people.register_provisional,
            community_id=place.id,
            device_id=device_id,
            name=name,
            phone=f"100{self.made:08d}",
            consent_publication=True,
        )

    async def merged(self, community: Community | None = None) -> int:
        """Somebody from a poster whom an admin took for a member; returns the merge."""
        place = community or self.home
        admin, _ = await self.staff(Role.COMMUNITY_ADMIN, place)
        member, stranger = await self.person("测试丙", community=place), await self.provisional(community=place)
        await db.write(governance.settle_provisional, actor=admin, person_id=stranger, same_as=member)
        found = await db.row("SELECT id FROM people_merge WHERE person_id = ?", stranger)
        assert found is not None
        return int(found["id"])

    async def balance(self, person_id: int) -> int:
        holder = await people_queries.holder_of(None, person_id)
        passbook = await ledger_queries.passbook_of(
            person_id=holder.person_id, household_id=holder.household_id, holder=holder.kind
        )
        return passbook.balance if passbook else 0

    async def card(self, person_id: int) -> str:
        """The 20 digits of a new card."""
        issued = await db.write(actions_cards.issue_card, person_id=person_id)
        return actions_cards.card_code_of(issued.card_id, issued.generation)

    async def card_run(self, person_id: int, place: Community) -> int:
        """A sheet that was printed with one card."""
        whom = {"kind": Kept.MEMBER, "holder_ids": [person_id]}
        run = await db.write(actions_print.open_run, community_id=place.id, **whom)
        await db.write(actions_print.fill_run, run_id=run.run_id, start=0, **whom)
        return run.run_id

    async def good(
        self,
        *,
        points: int = 5,
        in_stock: int = 10,
        community: Community | None = None,
        best_before: date = NEVER,
        **facts,
    ) -> int:
        place = community or self.home
        self.made += 1
        good_id = await db.write(
            stock.make_good,
            community_id=place.id,
            outlet_id=place.outlet_id,
            points=points,
            **{
                "name": f"测试商品{self.made}{self.word}",
                "unit": f"件{self.word}",
                "barcode": codes.own_barcode(self.made),
                **facts,
            },
        )
        if in_stock:
            await db.write(
                stock.receive,
                good_id=good_id,
                quantity=in_stock,
                source="purchased",
                donor=self.word,
                unit_value_cents=100,
                best_before=best_before,
            )
        return good_id

    async def noticed(self, place: Community) -> tuple[int, int, int]:
        """An award in public notice; returns the ids of notice, line and award."""
        await db.write(awards.gather_notices)
        person_id = await self.person("测试公示人", community=place)
        self.made += 1
        made = await db.write(
            awards.record_act,
            community_id=place.id,
            person_id=person_id,
            source=("tests", "act", self.made),
            item_code="A01",
            what=f"测试服务{self.word}",
            evidence="card",
            began_at=self.clock.now() - timedelta(days=1),
            minutes=120,
            planned_minutes=120,
            reviewed_by=(await self.staff(Role.EVENT_ORGANISER, place))[0].person_id,
        )
        self.clock.advance(days=1)
        await db.write(awards.gather_notices)
        found = await db.row("SELECT notice_id, line_id FROM awards_award WHERE id = ?", made.award_id)
        assert found is not None
        return found["notice_id"], found["line_id"], made.award_id

    async def roster_file(self, admin: Actor, place: Community, name: str) -> int:
        """A roster from a file, whose columns are still to be matched."""
        import_id = await db.write(
            actions_import.begin, actor=admin, community_id=place.id, digest=name.encode(), kind="xlsx"
        )
        shown = await queries_import.view([place.id], import_id)
        assert shown.key is not None
        await importing.take_in(import_id, shown.key, [(1, ["姓名", "手机"]), (2, [name, "10000000099"])])
        await db.write(actions_import.uploaded, actor=admin, import_id=import_id, head=1)
        return import_id

    async def staff(self, role: Role, community: Community | None = None, *, kind: str = "staff") -> tuple[Actor, str]:
        """A new person in a role, signed in; returns the actor and the session's or token's text."""
        place = community or self.home
        person_id = await self.person("测试员", community=place)
        self.made += 1
        await db.write(
            actions_staff.make_login,
            person_id=person_id,
            login=f"staff{self.made}",
            password_hash="",
            must_change=False,
        )
        place_id = self.street_id if role in {Role.SUPERVISOR, Role.STREET_ADMIN} else place.id
        grant_id = await db.write(actions_staff.grant, person_id=person_id, role=role.value, place_id=place_id)
        return await self.session(person_id, grant_id, kind)

    async def session(self, person_id: int, grant_id: int, kind: str) -> tuple[Actor, str]:
        token = crypto.new_token()
        session_id = await db.write(
            actions_phones.open_session,
            kind=kind,
            token_digest=crypto.token_digest(token),
            person_id=person_id,
            grant_id=grant_id,
            device_id=None,
            name=None,
            expires_at=self.clock.now() + timedelta(days=365),
        )
        return Actor(person_id, session_id), token

    async def phone(self, person_id: int) -> tuple[int, str]:
        """A phone bound to a person; returns the device and its session's token."""
        device_token, token = crypto.new_token(), crypto.new_token()
        issued = await db.write(actions_cards.issue_card, person_id=person_id)
        activation = actions_cards.sealed.activation_token(issued.card_id, issued.generation)
        digest = crypto.token_digest(device_token)
        await db.write(
            actions_phones.activate_browser,
            activation=actions_phones.activation_digest(activation),
            old_device=None,
            new_device=digest,
            session_digest=crypto.token_digest(token),
        )
        return await db.write(actions_phones.make_device, token_digest=digest), token


class StageClock(Clock):
    """The clock of the test that is on stage: building the program takes a second, so all tests share one."""

    shown: Clock | None = None

    def now(self) -> datetime:
        assert self.shown is not None
        return self.shown.now()


_stage = StageClock()


@functools.cache
def _program() -> ASGIApp:
    return wiring.create_app(Settings(), _stage, Installation(is_demo=False), limit=LOOSE)


def program(clock: Clock) -> ASGIApp:
    """The whole program, with limits that no test meets by accident."""
    _stage.shown = clock
    return _program()


@asynccontextmanager
async def visiting(
    world: World, *, cookie: str = "", bearer: str = "", app: ASGIApp | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever holds this session or token, talking HTTP to the whole program."""
    headers = {"Origin": ADDRESS}
    if bearer:
        headers["Authorization"] = f"Bearer {bearer}"
    transport = httpx.ASGITransport(app or program(world.clock), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as client:
        if cookie:
            client.cookies.set("sid", cookie)
        yield client
