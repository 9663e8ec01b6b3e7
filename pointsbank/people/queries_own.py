"""What is held about one person: consents, requests, who looked; and who waits that might be the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from pointsbank.kit import codes, db, text
from pointsbank.kit.errors import NotFound
from pointsbank.people import sealed
from pointsbank.people.queries import canonical_id, ids_of, masked_names
from pointsbank.trail import queries as trail

LIST_MAX = 100
OF_REQUEST = ("id", "community_id", "person_id", "kind", "field", "state", "answer", "made_at", "settled_at")
OF_MERGE = (
    "id", "person_id", "into_id", "merged_by", "merged_at", "separated_by", "separated_at", "reason", "community_id",
)  # fmt: skip
LOOKS = frozenset({"person.field_shown", "card.printed", "person.request_shown"})

CONSENTS = """
SELECT purpose, version, given_at, how, withdrawn_at, withdrawn_how FROM people_consent
 WHERE person_id = ? ORDER BY id DESC
"""
BOUND = "SELECT bound_at FROM people_device WHERE id = ? AND ended_at IS NULL AND bound_at IS NOT NULL"
DEVICES = "SELECT bound_at FROM people_device WHERE person_id = ? AND bound_at IS NOT NULL AND ended_at IS NULL"
OWN = """
SELECT p.community_id, p.member_number, p.wrapped_key, p.name, p.phone, p.id_last4, p.birth_year, p.sex, p.made_at,
       h.id AS household_id, h.wrapped_key AS household_key, h.door, h.head_id, b.name AS building
  FROM people_person p LEFT JOIN people_household h ON h.id = p.household_id
  LEFT JOIN people_place b ON b.id = h.building_id WHERE p.id = ?
"""
TAGS = """
SELECT t.name FROM people_person_tag g JOIN people_tag t ON t.id = g.tag_id WHERE g.person_id = ? ORDER BY t.name
"""
REQUEST = """
SELECT r.id, r.community_id, r.person_id, r.kind, r.field, r.state, r.answer, r.made_at, r.settled_at,
       q.member_number, q.wrapped_key, q.name, r.asked
  FROM people_request r JOIN people_person q ON q.id = r.person_id
"""
OPEN_REQUESTS = f"{REQUEST} WHERE r.state = 'open' AND r.community_id IN"
REQUESTS_OF = f"{REQUEST} WHERE r.person_id = ? ORDER BY r.id DESC LIMIT ?"
ONE_REQUEST = f"{REQUEST} WHERE r.id = ?"
MERGES = """
SELECT m.id, m.person_id, m.into_id, m.merged_by, m.merged_at, m.separated_by, m.separated_at, m.reason,
       p.member_number, p.wrapped_key, p.name, p.community_id
  FROM people_merge m JOIN people_person p ON p.id = m.person_id
"""
MERGES_INTO = f"{MERGES} WHERE m.into_id = ? ORDER BY m.id DESC"
ONE_MERGE = f"{MERGES} WHERE m.id = ?"
NAMESAKES = """
SELECT id, wrapped_key, member_number, name, phone_index FROM people_person
 WHERE community_id = ? AND state = 'provisional' ORDER BY id LIMIT ?
"""
SELF = "SELECT community_id, member_number, wrapped_key, name, phone_index FROM people_person WHERE id = ?"


class ConsentView(msgspec.Struct, frozen=True):
    purpose: str
    version: str
    given_at: datetime
    how: str | None
    withdrawn_at: datetime | None
    withdrawn_how: str | None


class RequestView(msgspec.Struct, frozen=True):
    """A resident's request without what it asks for."""

    id: int
    community_id: int
    person_id: int
    kind: str
    field: str
    state: str
    answer: str
    made_at: datetime
    settled_at: datetime | None
    masked_name: str
    member_number: str


class Look(msgspec.Struct, frozen=True):
    """Somebody saw something of a person that is not masked; `by` is a masked name."""

    at: datetime
    by: str
    what: str
    purpose: str


class Deed(msgspec.Struct, frozen=True):
    """One record of the trail of a person."""

    at: datetime
    by: str
    verb: str
    facts: dict[str, Any]


class MergeView(msgspec.Struct, frozen=True):
    id: int
    person_id: int
    into_id: int
    merged_by: int | None
    merged_at: datetime
    separated_by: int | None
    separated_at: datetime | None
    reason: str
    masked_name: str
    member_number: str
    community_id: int


class OwnData(msgspec.Struct, frozen=True):
    """Everything of the roster about one person, in clear: for that person alone."""

    community_id: int
    member_number: str
    name: str
    phone: str
    id_last4: str
    birth_year: int | None
    sex: str
    tags: list[str]
    made_at: datetime
    household_id: int | None
    building: str
    door: str
    is_head: bool
    phones: list[datetime]


async def consents(person_id: int) -> list[ConsentView]:
    return [ConsentView(*found) for found in await db.rows(CONSENTS, person_id)]


async def is_bound(device_id: int | None) -> bool:
    """Whether this phone was activated or paired, not merely registered at a poster."""
    return device_id is not None and await db.row(BOUND, device_id) is not None


async def tags_of(person_id: int) -> list[str]:
    return [found["name"] for found in await db.rows(TAGS, person_id)]


async def own_data(person_id: int) -> OwnData:
    found = await db.row(OWN, person_id)
    if found is None:
        raise NotFound
    return OwnData(
        community_id=found["community_id"],
        member_number=codes.shown_member_number(found["member_number"]),
        name=sealed.person_field(found, "name"),
        phone=sealed.person_field(found, "phone"),
        id_last4=found["id_last4"] or "",
        birth_year=found["birth_year"],
        sex=found["sex"] or "",
        tags=await tags_of(person_id),
        made_at=found["made_at"],
        household_id=found["household_id"],
        building=found["building"] or "",
        door=sealed.door_of(found["household_id"], found["household_key"], found["door"]),
        is_head=found["head_id"] == person_id,
        phones=[one["bound_at"] for one in await db.rows(DEVICES, person_id)],
    )


def knows(own: OwnData, typed: str) -> bool:
    """Whether somebody typed this person's full name or phone number."""
    same_name = "".join(text.search_key(typed).split()) == "".join(text.search_key(own.name).split())
    return bool(typed) and (same_name or (own.phone != "" and text.normal_phone(typed) == own.phone))


# Requests


async def open_requests(community_ids: Sequence[int]) -> list[RequestView]:
    """What residents wait for, the oldest first."""
    marks = ", ".join("?" * len(community_ids)) or "NULL"
    sql = f"{OPEN_REQUESTS} ({marks}) ORDER BY r.id LIMIT {LIST_MAX}"
    return [_request(found) for found in await db.rows(sql, *community_ids)]


async def requests_of(person_id: int) -> list[RequestView]:
    """Newest first."""
    return [_request(found) for found in await db.rows(REQUESTS_OF, person_id, LIST_MAX)]


async def request(community_ids: Sequence[int], request_id: int) -> RequestView:
    found = await db.row(ONE_REQUEST, request_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return _request(found)


async def asked_of(community_ids: Sequence[int], request_id: int) -> str:
    """What a request asks for, in clear. The caller records who looked before it shows it."""
    found = await db.row(ONE_REQUEST, request_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return sealed.person_field(found, "asked")


def _request(found: db.Row) -> RequestView:
    return RequestView(
        **{name: found[name] for name in OF_REQUEST},
        masked_name=sealed.masked_name_of(found),
        member_number=codes.shown_member_number(found["member_number"]),
    )


# The trail of a person, as staff and the person may read it


async def history(person_id: int) -> list[Deed]:
    """What was done to a person and to whoever was taken for the person, newest first."""
    records = [record for one in await ids_of(None, person_id) for record in await trail.history(("person", one))]
    names = await masked_names(record.person_id for record in records if record.person_id is not None)
    deeds = [Deed(one.at, names.get(one.person_id or 0, ""), one.verb, one.facts) for one in records]
    return sorted(deeds, key=lambda deed: deed.at, reverse=True)


def looks(deeds: Sequence[Deed]) -> list[Look]:
    """Who saw a field in clear or printed a card, and why."""
    return [
        Look(deed.at, deed.by, str(deed.facts.get("field", "")) or "card", str(deed.facts.get("purpose", "")))
        for deed in deeds
        if deed.verb in LOOKS
    ]


# Merges


async def merges_into(person_id: int) -> list[MergeView]:
    return [_merge(found) for found in await db.rows(MERGES_INTO, person_id)]


async def merge(community_ids: Sequence[int], merge_id: int) -> MergeView:
    found = await db.row(ONE_MERGE, merge_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return _merge(found)


def _merge(found: db.Row) -> MergeView:
    """The name is the alias's own, not that of whom it was taken for."""
    return MergeView(
        **{name: found[name] for name in OF_MERGE},
        masked_name=sealed.masked_name_of(found),
        member_number=codes.shown_member_number(found["member_number"]),
    )


async def waiting_like(person_id: int) -> list[int]:
    """Provisional people with this member's phone or name."""
    own = await db.row(SELF, person_id)
    assert own is not None
    name = "".join(text.search_key(sealed.person_field(own, "name")).split())
    like = []
    for one in await db.rows(NAMESAKES, own["community_id"], LIST_MAX):
        same_phone = own["phone_index"] is not None and one["phone_index"] == own["phone_index"]
        if same_phone or (name and "".join(text.search_key(sealed.person_field(one, "name")).split()) == name):
            like.append(int(one["id"]))
    return [one for one in like if one != person_id and await canonical_id(None, one) == one]
