"""What a program that drives the demo needs to know: sign-ins, tokens, cards, goods, events. Of a demo only."""

from datetime import datetime
from typing import Any

import msgspec

from pointsbank.app import database as databases
from pointsbank.app import demo, demo_cast, demo_today, lock
from pointsbank.app.demo_sign_ins import Login, SignIns, Token
from pointsbank.events import actions_attendance as attendance
from pointsbank.events.rules import SCREEN_STATION
from pointsbank.kit import codes, db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.settings import Settings
from pointsbank.people import actions_cards as cards
from pointsbank.people import queries_roster as roster

CARDS = """
SELECT card.id AS card_id, card.generation, person.id, person.member_number, person.community_id, account.balance,
       passbook.id AS passbook_id
  FROM people_card card JOIN people_person person ON person.id = card.person_id
  JOIN ledger_passbook passbook ON passbook.person_id = person.id OR passbook.household_id = person.household_id
  JOIN ledger_book_kind kind ON kind.id = passbook.kind_id AND kind.code = 'points'
  JOIN ledger_account account ON account.passbook_id = passbook.id
 WHERE card.state = 'live' AND person.state = 'member'
 ORDER BY account.balance DESC, person.id
"""
GOODS = """
SELECT good.id, good.name, good.barcode, good.points, good.stock, good.monthly_max, good.outlet_id, good.community_id,
       (SELECT MIN(counter.id) FROM redemption_counter counter WHERE counter.outlet_id = good.outlet_id) AS counter_id
  FROM stock_good good WHERE good.state = 'live' ORDER BY good.id
"""
COUNTERS = "SELECT id, name, outlet_id, community_id FROM redemption_counter ORDER BY id"
EVENT = "SELECT id, title, community_id, poster_token, starts_at, ends_at FROM events_activity WHERE id = ?"
COMMUNITIES = """
SELECT community.id, place.name, community.holder FROM people_community community
  JOIN people_place place ON place.id = community.id ORDER BY community.id
"""


class Card(msgspec.Struct, frozen=True):
    """Cards of one household passbook share its balance."""

    code: str
    person_id: int
    member_number: str
    community_id: int
    passbook_id: int
    balance: int


class Good(msgspec.Struct, frozen=True):
    id: int
    name: str
    barcode: str
    points: int
    stock: int
    monthly_max: int | None
    outlet_id: int
    community_id: int
    counter_id: int


class Counter(msgspec.Struct, frozen=True):
    id: int
    name: str
    outlet_id: int
    community_id: int


class Event(msgspec.Struct, frozen=True):
    """`poster` and `screen` are the tails of /p/ and /e/; the screen's is good for half a minute at most."""

    id: int
    title: str
    community_id: int
    poster: str
    screen: str
    starts_at: datetime
    ends_at: datetime


class Resident(msgspec.Struct, frozen=True):
    """Whose phone a browser can become, by opening the address and pressing the button."""

    person_id: int
    name: str
    member_number: str
    community_id: int
    activation: str


class Community(msgspec.Struct, frozen=True):
    id: int
    name: str
    holder: str


class Facts(msgspec.Struct, frozen=True):
    """`cast` has residents by what they show: votes, barred, gate_waits, gate_passed."""

    base_url: str
    communities: list[Community]
    logins: list[Login]
    tokens: list[Token]
    cards: list[Card]
    goods: list[Good]
    counters: list[Counter]
    event: Event
    events: list[Event]
    residents: list[Resident]
    cast: dict[str, Resident]


async def facts(settings: Settings) -> Facts:
    """Read a demo's facts, also while it is served; refuses any other database."""
    async with databases.opened_to_read(settings):
        await demo.check_demo(settings)
        sign_ins = SignIns.read(settings.data)
        base_url = lock.address_of(settings.data) or f"http://127.0.0.1:{settings.port}"
        community_ids, now = await demo_today.community_ids(), Clock().now()
        events = [await _event(community_id, now) for community_id in community_ids]
        running = [event for event in events if event is not None]
        if not running:
            raise demo.NotFresh(settings.data)
        return Facts(
            base_url=base_url,
            communities=await _all(Community, COMMUNITIES),
            logins=sign_ins.logins,
            tokens=sign_ins.tokens,
            cards=[_card(found) for found in await db.rows(CARDS)],
            goods=await _all(Good, GOODS),
            counters=await _all(Counter, COUNTERS),
            event=running[0],
            events=running,
            residents=[
                await _resident(community_id, await demo_today.first_resident(community_id), base_url)
                for community_id in community_ids
            ],
            cast={
                part.shows: await _resident(part.community_id, part.person_id, base_url)
                for part in await demo_cast.cast(local_day(now))
            },
        )


async def _all(kind: type[Any], sql: str) -> list[Any]:
    return [kind(**{name: found[name] for name in kind.__struct_fields__}) for found in await db.rows(sql)]


def _card(found: db.Row) -> Card:
    return Card(
        code=cards.card_code_of(found["card_id"], found["generation"]),
        person_id=found["id"],
        member_number=found["member_number"],
        community_id=found["community_id"],
        passbook_id=found["passbook_id"],
        balance=found["balance"],
    )


async def _event(community_id: int, now: datetime) -> Event | None:
    activity_id = await demo_today.running(community_id, now)
    found = None if activity_id is None else await db.row(EVENT, activity_id)
    if found is None:
        return None
    step = codes.event_step(now)
    return Event(
        id=found["id"],
        title=found["title"],
        community_id=community_id,
        poster=found["poster_token"],
        screen=codes.event_code(attendance.event_key(found["id"]), found["id"], SCREEN_STATION, step),
        starts_at=found["starts_at"],
        ends_at=found["ends_at"],
    )


async def _resident(community_id: int, person_id: int, base_url: str) -> Resident:
    slip = await roster.printed_card((community_id,), person_id)
    return Resident(person_id, slip.name, slip.member_number, community_id, f"{base_url}/a/{slip.activation_token}")
