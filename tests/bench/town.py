"""A town to measure and to crash: people with cards and points, goods, counters, activities, tokens of staff.

Everything is made by the product's own actions, many of them in one transaction, so that ten thousand people take
seconds and the books are clean. Nothing is kept from one run to the next.
"""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta

import msgspec

from pointsbank.app import database as databases
from pointsbank.app import installation
from pointsbank.events import actions as events
from pointsbank.kit import codes, crypto, db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.db import Actor, Tx
from pointsbank.kit.paths import seed_dir
from pointsbank.kit.settings import Settings
from pointsbank.ledger import actions as ledger
from pointsbank.ledger import actions_kinds as kinds
from pointsbank.ledger.rules import EARNED, Bucket
from pointsbank.ledger.sealing import Sealer
from pointsbank.people import actions as people
from pointsbank.people import actions_cards, actions_phones, actions_staff
from pointsbank.people.rules_roles import Role
from pointsbank.redemption import actions as redemption
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import queries as scoring_queries
from pointsbank.scoring import rules, scheme_file
from pointsbank.stock import actions as stock

SCHEME = "hailin-community-volunteer.toml"
CLIENTS = 64
PEOPLE_AT_ONCE = 512
GOOD_POINTS = 5
DAY = timedelta(days=1)
FIRST_DAY = date(2090, 1, 1)
IN_FORCE = timedelta(days=800)  # so that a year of the past can be tried again
LOT_POINTS = 23  # no multiple of a good's price: now and then an order takes the end of one lot and the next


class Size(msgspec.Struct, frozen=True):
    people: int
    lines: int
    goods: int = 100
    stock_lot: int = 100_000
    counters: int = 8
    activities: int = 50
    expired: int = 0  # people who have one lot each, whose last day was yesterday


class Member(msgspec.Struct, frozen=True):
    person_id: int
    card: str


class Staff(msgspec.Struct, frozen=True):
    """Signed in twice: with a token for the API, and with a cookie for pages."""

    person_id: int
    session_id: int
    token: str
    cookie: str

    @property
    def actor(self) -> Actor:
        return Actor(self.person_id, self.session_id)


class Town(msgspec.Struct, frozen=True):
    community_id: int
    counter_ids: list[int]
    good_ids: list[int]
    activity_ids: list[int]
    members: list[Member]
    counter_staff: list[Staff]
    organisers: list[Staff]
    admin: Staff


async def found(settings: Settings, size: Size, progress: Callable[[str], None] = lambda _text: None) -> Town:
    """Found a town in an empty data folder, or in the empty database that the settings name."""
    await databases.migrate(settings)
    keys = crypto.Keys.load_or_create(settings.key_path)
    crypto.hold(keys)
    async with databases.opened(settings, Clock()):
        await db.write(installation.found, kind="real", key_fingerprint=keys.fingerprint)
        community_id = await _found_community()
        progress("staff, goods, activities …")
        counter_staff = await _hire(community_id, Role.COUNTER_STAFF)
        organisers = await _hire(community_id, Role.EVENT_ORGANISER)
        (admin,) = await _hire(community_id, Role.COMMUNITY_ADMIN, count=1)
        outlet_id = await db.write(redemption.make_outlet, community_id=community_id, name="测试超市", hours="每天")
        counter_ids = [
            await db.write(redemption.make_counter, outlet_id=outlet_id, name=f"{number} 号台")
            for number in range(1, size.counters + 1)
        ]
        good_ids = await db.write(_fill_shelf, community_id=community_id, outlet_id=outlet_id, size=size)
        organiser = organisers[0].actor
        activity_ids = await db.write(_announce, actor=organiser, community_id=community_id, count=size.activities)
        progress(f"{size.people} people with {size.lines} lines each …")
        members: list[Member] = []
        while len(members) < size.people:
            several = range(len(members), min(len(members) + PEOPLE_AT_ONCE, size.people))
            members += await asyncio.gather(
                *(db.write(_move_in, community_id=community_id, number=number, size=size) for number in several)
            )
        if size.expired:
            progress(f"{size.expired} lots that have expired …")
        first = size.people
        for start in range(first, first + size.expired, PEOPLE_AT_ONCE):
            several = range(start, min(start + PEOPLE_AT_ONCE, first + size.expired))
            yesterday = {"size": msgspec.structs.replace(size, lines=1), "first_day": local_day(Clock().now()) - DAY}
            await asyncio.gather(
                *(db.write(_move_in, community_id=community_id, number=number, **yesterday) for number in several)
            )
        await Sealer().run()
    return Town(community_id, counter_ids, good_ids, activity_ids, members, counter_staff, organisers, admin)


async def _found_community() -> int:
    street_id = await db.write(people.make_place, parent_id=None, kind="street", name="测试街道")
    community_id = await db.write(
        people.make_community,
        street_id=street_id,
        name="测试社区",
        unit_name="测试社区居委会",
        holder="person",
        service_phone="10000000001",
        oversight_phone="10000000002",
        daily_points_max=1_000_000,
    )
    await db.write(kinds.make_main_kind, community_id=community_id)
    table = scheme_file.parse((seed_dir() / "scoring" / SCHEME).read_text("utf-8"))
    await db.write(
        scoring.adopt, community_id=community_id, table=table, in_force_from=local_day(Clock().now()) - IN_FORCE
    )
    return community_id


async def _hire(community_id: int, role: Role, *, count: int = CLIENTS) -> list[Staff]:
    tokens = [(crypto.new_token(), crypto.new_token()) for _ in range(count)]
    hired = await db.write(_sign_in_all, community_id=community_id, role=role, tokens=tokens)
    return [Staff(*ids, *texts) for ids, texts in zip(hired, tokens, strict=True)]


async def _sign_in_all(
    tx: Tx, *, community_id: int, role: Role, tokens: list[tuple[str, str]]
) -> list[tuple[int, int]]:
    hired = []
    for number, (token, cookie) in enumerate(tokens):
        person_id = await people.make_person(
            tx, community_id=community_id, household_id=None, name="测试店员", phone=None
        )
        login = f"{role.value}-{number}"
        await actions_staff.make_login(tx, person_id=person_id, login=login, password_hash="", must_change=False)
        grant_id = await actions_staff.grant(tx, person_id=person_id, role=role.value, place_id=community_id)
        session_ids = [
            await actions_phones.open_session(
                tx,
                kind=kind,
                token_digest=crypto.token_digest(text),
                person_id=person_id,
                grant_id=grant_id,
                device_id=None,
                name=login,
                expires_at=tx.now + timedelta(days=30),
            )
            for kind, text in (("token", token), ("staff", cookie))
        ]
        hired.append((person_id, session_ids[0]))
    return hired


async def _fill_shelf(tx: Tx, *, community_id: int, outlet_id: int, size: Size) -> list[int]:
    good_ids = []
    for number in range(size.goods):
        good_id = await stock.make_good(
            tx,
            community_id=community_id,
            outlet_id=outlet_id,
            name=f"测试商品 {number}",
            unit="件",
            barcode=codes.own_barcode(number + 1),
            points=GOOD_POINTS,
            monthly_max=None,
        )
        for years in (1, 2):
            best_before = local_day(tx.now) + timedelta(365 * years)
            await stock.receive(
                tx, good_id=good_id, quantity=size.stock_lot, source="purchased", best_before=best_before
            )
        good_ids.append(good_id)
    return good_ids


async def _announce(tx: Tx, *, community_id: int, count: int) -> list[int]:
    """Activities that begin in a moment, so that people may come in already."""
    starts_at = tx.now + timedelta(minutes=2)
    version = await scoring_queries.version_on(tx, community_id=community_id, day=local_day(starts_at))
    item_code = next(code for code, item in version.items.items() if rules.is_for_activities(item))
    activity_ids = []
    for number in range(count):
        activity_id = await events.create(
            tx,
            community_id=community_id,
            title=f"测试活动 {number}",
            venue="测试广场",
            item_code=item_code,
            contact="10000000003",
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=6),
            seats=None,
        )
        await events.publish(tx, activity_id=activity_id, community_ids=[community_id])
        activity_ids.append(activity_id)
    return activity_ids


async def _move_in(tx: Tx, *, community_id: int, number: int, size: Size, first_day: date = FIRST_DAY) -> Member:
    person_id = await people.make_person(
        tx, community_id=community_id, household_id=None, name="测试甲", phone=f"100{number:08d}"
    )
    issued = await actions_cards.issue_card(tx, person_id=person_id)
    passbook_id = await ledger.open_passbook(tx, community_id=community_id, person_id=person_id)
    kind = await tx.row("SELECT kind_id FROM ledger_passbook WHERE id = ?", passbook_id)
    assert kind is not None
    for line in range(size.lines):
        await ledger.issue(  # of what no act has to stand behind
            tx,
            kind="base",
            community_id=community_id,
            passbook_id=passbook_id,
            points=LOT_POINTS,
            posting_key=f"bench:{number:06d}:{line:02d}",
            effective_at=tx.now,
            bucket=Bucket(EARNED, first_day + timedelta(days=line)),
            member_id=person_id,
            version_id=None,
            source=("ledger", "book_kind", kind["kind_id"]),
            summary="基础积分",
        )
    return Member(person_id, actions_cards.card_code_of(issued.card_id, issued.generation))
