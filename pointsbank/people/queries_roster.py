"""What staff see of one person, and who waits to be settled."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import codes, db, text
from pointsbank.kit.errors import NotFound
from pointsbank.people import roster, sealed
from pointsbank.people.queries import IDS_AT_ONCE, MemberView, household_members, masked_names, member_view

SHOWN_FIELDS = ("name", "phone", "door")
CANDIDATES_MAX = 8

DETAILS = """
SELECT p.id_last4, p.birth_year, p.sex, p.made_at, p.phone, h.door, h.head_id
  FROM people_person p LEFT JOIN people_household h ON h.id = p.household_id WHERE p.id = ?
"""
CARDS = """
SELECT c.id, c.generation, c.state, c.issued_at, c.ended_at, a.used_at, a.expires_at, a.tries_left
  FROM people_card c LEFT JOIN people_activation a ON a.card_id = c.id
 WHERE c.person_id = ? ORDER BY c.generation DESC
"""
PHONES = """
SELECT COUNT(*) AS phones FROM people_device WHERE person_id = ? AND ended_at IS NULL AND bound_at IS NOT NULL
"""
FIELD = """
SELECT p.member_number, p.wrapped_key, p.name, p.phone, h.id AS household_id, h.wrapped_key AS household_key, h.door
  FROM people_person p LEFT JOIN people_household h ON h.id = p.household_id WHERE p.id = ?
"""
PUBLISHES = "SELECT 1 FROM people_consent WHERE person_id = ? AND purpose = 'publication' AND withdrawn_at IS NULL"
LIVE_CARD = "SELECT id, generation, issued_at FROM people_card WHERE person_id = ? AND state = 'live'"
WAITING = """
SELECT id, community_id, member_number, wrapped_key, name, phone, phone_index, made_at
  FROM people_person WHERE state = 'provisional' AND community_id IN
"""
SAME_PHONE = "SELECT id FROM people_person WHERE community_id = ? AND phone_index = ? AND state = 'member' ORDER BY id"


class CardView(msgspec.Struct, frozen=True):
    id: int
    generation: int
    state: str
    issued_at: datetime
    ended_at: datetime | None
    slip_used: bool
    slip_good: bool


class PersonPage(msgspec.Struct, frozen=True):
    view: MemberView
    id_last4: str
    birth_year: int | None
    sex: str
    has_door: bool
    is_head: bool
    publishes: bool
    phones: int
    cards: list[CardView]
    household: list[tuple[int, str]]


class Printed(msgspec.Struct, frozen=True):
    """Everything that card and slip bear: the full name and live secrets, for the one page that prints them."""

    card_id: int
    name: str
    member_number: str
    card_code: str
    activation_token: str
    activation_digits: str


class Candidate(msgspec.Struct, frozen=True):
    view: MemberView
    same_phone: bool
    same_name: bool


class Waiting(msgspec.Struct, frozen=True):
    person_id: int
    masked_name: str
    masked_phone: str
    made_at: datetime
    candidates: list[Candidate]


async def person_page(community_ids: Sequence[int], person_id: int, now: datetime) -> PersonPage:
    view = await member_view(community_ids, person_id)
    found = await db.row(DETAILS, view.person_id)
    assert found is not None
    phones = await db.row(PHONES, view.person_id)
    assert phones is not None
    home = [] if view.household_id is None else await household_members(None, view.household_id)
    names = await masked_names(home)
    return PersonPage(
        view=view,
        id_last4=found["id_last4"] or "",
        birth_year=found["birth_year"],
        sex=found["sex"] or "",
        has_door=found["door"] is not None,
        is_head=found["head_id"] == view.person_id,
        publishes=await db.row(PUBLISHES, view.person_id) is not None,
        phones=phones["phones"],
        cards=await _cards(view.person_id, now),
        household=[(one, names[one]) for one in home if one != view.person_id],
    )


async def _cards(person_id: int, now: datetime) -> list[CardView]:
    cards = []
    for card_id, generation, state, issued_at, ended_at, used_at, expires_at, tries in await db.rows(CARDS, person_id):
        good = state == "live" and used_at is None and expires_at is not None and expires_at > now and tries > 0
        cards.append(CardView(card_id, generation, state, issued_at, ended_at, used_at is not None, good))
    return cards


async def field_of(community_ids: Sequence[int], person_id: int, field: str) -> str:
    """One field in clear. The caller records who looked and why before it shows it."""
    assert field in SHOWN_FIELDS
    view = await member_view(community_ids, person_id)
    found = await db.row(FIELD, view.person_id)
    assert found is not None
    if field == "door":
        return sealed.door_of(found["household_id"], found["household_key"], found["door"])
    return sealed.person_field(found, field)


async def printed_card(community_ids: Sequence[int], person_id: int) -> Printed:
    """The live card of a person, drawn again from the keys."""
    view = await member_view(community_ids, person_id)
    card, found = await db.row(LIVE_CARD, view.person_id), await db.row(FIELD, view.person_id)
    if card is None or found is None:
        raise NotFound
    card_id, generation = card["id"], card["generation"]
    return Printed(
        card_id=card_id,
        name=sealed.person_field(found, "name"),
        member_number=view.member_number,
        card_code=codes.card_code(sealed.card_digits(card_id, generation)),
        activation_token=sealed.activation_token(card_id, generation),
        activation_digits=sealed.typed_activation(card_id, generation),
    )


async def provisional_queue(community_ids: Sequence[int]) -> list[Waiting]:
    """Who waits to be settled, oldest first, each with members of the same phone or name. For staff only."""
    some = list(community_ids)[:IDS_AT_ONCE]
    if not some:
        return []
    marks = ", ".join("?" * len(some))
    found = await db.rows(f"{WAITING} ({marks}) ORDER BY id LIMIT {roster.PAGE_MAX}", *some)
    waiting = []
    for one in found:
        phone = sealed.person_field(one, "phone")
        name = sealed.person_field(one, "name")
        waiting.append(
            Waiting(
                person_id=one["id"],
                masked_name=sealed.masked_name_of(one),
                masked_phone=text.mask_phone(phone) if phone else "",
                made_at=one["made_at"],
                candidates=await _candidates(one["community_id"], name, one["phone_index"]),
            )
        )
    return waiting


async def _candidates(community_id: int, name: str, phone_index: bytes | None) -> list[Candidate]:
    same_phone: set[int] = set()
    if phone_index is not None:
        same_phone = {found["id"] for found in await db.rows(SAME_PHONE, community_id, bytes(phone_index))}
    key = "".join(text.search_key(name).split())
    fitting = [
        Candidate(entry.view, entry.view.person_id in same_phone, entry.key == key)
        for entry in await roster.entries(community_id)
        if entry.view.person_id in same_phone or (key and entry.key == key)
    ]
    return sorted(fitting, key=lambda one: not (one.same_phone and one.same_name))[:CANDIDATES_MAX]
