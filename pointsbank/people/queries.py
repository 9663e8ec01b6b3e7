"""Who somebody is, for other rooms and for pages: always through a session's communities, always masked."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import codes, db, text
from pointsbank.kit.codes import CodeKind
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people import sealed
from pointsbank.people.rules import UnknownCode, refusal_of

IDS_AT_ONCE = 400

HOLDER = """
SELECT q.community_id, q.id AS person_id, q.household_id, h.building_id, b.name AS building_name, k.holder,
       q.state, q.member_number
  FROM people_person p
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  JOIN people_community k ON k.id = q.community_id
  LEFT JOIN people_household h ON h.id = q.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.id = ?
"""
CANONICAL = "SELECT COALESCE(merged_into, id) AS id FROM people_person WHERE id = ?"
TOGETHER = """
SELECT one.id = other.id OR COALESCE(one.household_id = other.household_id, 1 = 0)
  FROM people_person a JOIN people_person one ON one.id = COALESCE(a.merged_into, a.id),
       people_person b JOIN people_person other ON other.id = COALESCE(b.merged_into, b.id)
 WHERE a.id = ? AND b.id = ?
"""
NUMBER = "SELECT member_number FROM people_person WHERE id = ?"
IDS = """
SELECT a.id FROM people_person p
  JOIN people_person a ON a.id = COALESCE(p.merged_into, p.id) OR a.merged_into = COALESCE(p.merged_into, p.id)
 WHERE p.id = ? ORDER BY a.id
"""
# Who became this record's alias before it became another's, and whoever was theirs.
CAME_ALONG = """
WITH RECURSIVE own (id) AS (
  SELECT person_id FROM people_merge WHERE into_id = ? AND separated_at IS NULL
   UNION SELECT it.person_id FROM people_merge it JOIN own ON it.into_id = own.id WHERE it.separated_at IS NULL)
SELECT id FROM own ORDER BY id
"""
HOUSEMATES = """
SELECT a.id, q.household_id
  FROM people_person p
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  JOIN people_person one ON one.id = q.id OR (one.household_id = q.household_id AND one.merged_into IS NULL)
  JOIN people_person a ON a.id = one.id OR a.merged_into = one.id
 WHERE p.id = ? ORDER BY a.id
"""
STANDS = """
SELECT 1 FROM people_session s
  LEFT JOIN people_role_grant g ON g.id = s.grant_id LEFT JOIN people_login l ON l.id = s.person_id
 WHERE s.id = ? AND s.ended_at IS NULL AND s.expires_at > ? AND g.ended_at IS NULL AND l.disabled_at IS NULL
"""
VIEW = """
SELECT q.id, q.member_number, q.state, q.community_id, q.household_id, q.wrapped_key, q.name, q.phone,
       b.name AS building, k.holder
  FROM people_person p
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  JOIN people_community k ON k.id = q.community_id
  LEFT JOIN people_household h ON h.id = q.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.id = ?
"""
NAMES = """
SELECT p.id AS asked, q.member_number, q.wrapped_key, q.name
  FROM people_person p JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id) WHERE p.id IN
"""
PUBLISHES = """
SELECT 1 FROM people_consent WHERE person_id = ? AND purpose = 'publication' AND withdrawn_at IS NULL LIMIT 1
"""
NOT_NAMED = """
SELECT p.id AS asked, q.member_number
  FROM people_person p JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
 WHERE NOT EXISTS (SELECT 1 FROM people_consent k
                    WHERE k.person_id = q.id AND k.purpose = 'publication' AND k.withdrawn_at IS NULL)
   AND p.id IN
"""
PHONE_HANDLE = "SELECT handle FROM people_device WHERE id = ? AND ended_at IS NULL AND person_id IS NOT NULL"
COMMUNITY = """
SELECT k.id, p.name, p.path, k.unit_name, k.holder, k.daily_points_max, k.service_phone, k.oversight_phone,
       s.name AS street_name
  FROM people_community k JOIN people_place p ON p.id = k.id LEFT JOIN people_place s ON s.id = p.parent_id
 WHERE k.id = ?
"""
BUILDINGS = "SELECT id, name FROM people_place WHERE kind = 'building' AND ended_at IS NULL AND path LIKE ? ORDER BY id"
CARD_OWNER = """
SELECT q.id, q.community_id
  FROM people_card c
  JOIN people_person p ON p.id = c.person_id
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
 WHERE c.digits_index = ?
"""
HOUSEHOLD_CARD_OWNER = """
SELECT h.id, h.community_id
  FROM people_household_card c JOIN people_household h ON h.id = c.household_id
 WHERE c.digits_index = ?
"""
CARD_OWNERS = {
    CodeKind.CARD: (CARD_OWNER, "/people/{}"),
    CodeKind.HOUSEHOLD: (HOUSEHOLD_CARD_OWNER, "/people/households/{}/card"),
}
PANEL_MEMBERS = """
SELECT COUNT(DISTINCT q.id) FROM people_role_grant g
  JOIN people_person p ON p.id = g.person_id JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
 WHERE g.place_id = ? AND g.role = 'panel_member' AND g.ended_at IS NULL AND q.state = 'member'
"""
MEMBERS = "SELECT id FROM people_person WHERE household_id = ? AND state = 'member' ORDER BY id"
HEAD = "SELECT head_id FROM people_household WHERE id = ?"


class Holder(msgspec.Struct, frozen=True):
    """Whose points they are: the canonical person's, or where `kind` is household the household's."""

    community_id: int
    person_id: int
    household_id: int | None
    building_id: int | None
    building_name: str
    kind: str
    state: str
    member_number: str


class Home(msgspec.Struct, frozen=True):
    """A person's household, and every id under which the person or a housemate may be known."""

    household_id: int | None
    person_ids: list[int]


class MemberView(msgspec.Struct, frozen=True):
    """A person as staff and residents may see one. `member_number` is written with blanks."""

    person_id: int
    masked_name: str
    member_number: str
    building: str
    state: str
    household_id: int | None
    masked_phone: str = ""
    community_id: int = 0


class CommunityView(msgspec.Struct, frozen=True):
    id: int
    name: str
    unit_name: str
    holder: str
    daily_points_max: int
    service_phone: str
    oversight_phone: str
    street_name: str
    path: str


class Building(msgspec.Struct, frozen=True):
    id: int
    name: str


async def _row(tx: Tx | None, sql: str, *values: object) -> Row | None:
    return await (db.row(sql, *values) if tx is None else tx.row(sql, *values))


async def _rows(tx: Tx | None, sql: str, *values: object) -> list[Row]:
    return await (db.rows(sql, *values) if tx is None else tx.rows(sql, *values))


async def holder_of(tx: Tx | None, person_id: int) -> Holder:
    found = await _row(tx, HOLDER, person_id)
    if found is None:
        raise NotFound
    community_id, canonical, household_id, building_id, building_name, kind, state, number = found
    return Holder(community_id, canonical, household_id, building_id, building_name or "", kind, state, number)


async def canonical_id(tx: Tx | None, person_id: int) -> int:
    found = await _row(tx, CANONICAL, person_id)
    if found is None:
        raise NotFound
    return int(found["id"])


async def member_number(tx: Tx | None, person_id: int) -> str:
    """Nine digits: what an answer to a program names a person by."""
    found = await _row(tx, NUMBER, person_id)
    if found is None:
        raise NotFound
    return str(found["member_number"])


async def ids_of(tx: Tx | None, person_id: int) -> list[int]:
    """All ids under which rows of this person may lie: the canonical one and its aliases."""
    return [found["id"] for found in await _rows(tx, IDS, person_id)]


async def came_along(tx: Tx, person_id: int) -> list[int]:
    """The records that are an alias's own: they came with it to the one that it was taken for."""
    return [found["id"] for found in await tx.rows(CAME_ALONG, person_id)]


async def same_household(tx: Tx | None, a: int, b: int) -> bool:
    """Whether two ids are one person or live together; nobody decides on either."""
    found = await _row(tx, TOGETHER, a, b)
    return found is not None and bool(found[0])


async def home_of(tx: Tx | None, person_id: int) -> Home:
    """For comparing many others with one person: what `same_household` says of two."""
    found = await _rows(tx, HOUSEMATES, person_id)
    if not found:
        raise NotFound
    return Home(found[0]["household_id"], [one["id"] for one in found])


async def session_stands(tx: Tx, session_id: int) -> bool:
    """Whether a session is good at this moment of the transaction: neither it nor its role or login was ended."""
    return await tx.row(STANDS, session_id, tx.now) is not None


async def household_members(tx: Tx | None, household_id: int) -> list[int]:
    return [found["id"] for found in await _rows(tx, MEMBERS, household_id)]


async def panel_members(community_id: int) -> int:
    """How many are named to sit on panels here."""
    found = await db.row(PANEL_MEMBERS, community_id)
    assert found is not None
    return int(found[0])


async def head_of(household_id: int) -> int | None:
    found = await db.row(HEAD, household_id)
    return None if found is None else found["head_id"]


async def member_view(community_ids: Sequence[int], person_id: int) -> MemberView:
    """Find one person of these communities; anybody else is not found."""
    found = await db.row(VIEW, person_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return view_of(found)


def view_of(found: sealed.Record) -> MemberView:
    phone = sealed.person_field(found, "phone")
    return MemberView(
        person_id=found["id"],
        masked_name=sealed.masked_name_of(found),
        member_number=codes.shown_member_number(found["member_number"]),
        building=found["building"] or "",
        state=found["state"],
        household_id=found["household_id"],
        masked_phone=text.mask_phone(phone) if phone else "",
        community_id=found["community_id"],
    )


async def page_of_card(community_ids: Sequence[int], code: str) -> str:
    """Find the page of a scanned card's person or household, live or not, without using it up."""
    scan = codes.parse_scan(code)
    if scan.kind not in CARD_OWNERS:
        raise refusal_of(scan.kind)
    statement, address = CARD_OWNERS[scan.kind]
    found = await db.row(statement, sealed.card_index(scan.digits, scan.kind))
    if found is None or found["community_id"] not in community_ids:
        raise UnknownCode
    return address.format(found["id"])


async def masked_names(person_ids: Iterable[int]) -> dict[int, str]:
    """For each id asked the masked name of who that is; lists only, a scope was checked when the list was made."""
    asked = sorted(set(person_ids))
    names: dict[int, str] = {}
    for start in range(0, len(asked), IDS_AT_ONCE):
        some = asked[start : start + IDS_AT_ONCE]
        marks = ", ".join("?" * len(some))
        for found in await db.rows(f"{NAMES} ({marks})", *some):
            names[found["asked"]] = sealed.masked_name_of(found)
    return names


async def notice_name(tx: Tx | None, person_id: int) -> tuple[str, str]:
    """How a person stands on a public notice: (name, place). Without consent to publication, only the number."""
    found = await _row(tx, VIEW, person_id)
    if found is None:
        raise NotFound
    number = codes.shown_member_number(found["member_number"])
    publishes = await _row(tx, PUBLISHES, found["id"]) is not None
    return (sealed.masked_name_of(found) if publishes else number), found["building"] or ""


async def numbers_instead(person_ids: Iterable[int]) -> dict[int, str]:
    """Of these people the numbers of those whom no notice may name now."""
    asked = sorted(set(person_ids))
    numbers: dict[int, str] = {}
    for start in range(0, len(asked), IDS_AT_ONCE):
        some = asked[start : start + IDS_AT_ONCE]
        for found in await db.rows(f"{NOT_NAMED} ({', '.join('?' * len(some))})", *some):
            numbers[found["asked"]] = codes.shown_member_number(found["member_number"])
    return numbers


async def publishes(person_id: int) -> bool:
    """Whether this person agreed that notices name him, masked."""
    return await db.row(PUBLISHES, person_id) is not None


async def current_phone_code(device_id: int, now: datetime) -> str | None:
    """The twenty digits that this phone shows at this moment; nothing is written by showing them."""
    found = await db.row(PHONE_HANDLE, device_id)
    if found is None:
        return None
    return codes.phone_code(sealed.phone_secret(device_id), found["handle"], codes.phone_step(now))


async def community(community_id: int) -> CommunityView:
    found = await db.row(COMMUNITY, community_id)
    if found is None:
        raise NotFound
    return CommunityView(
        id=found["id"],
        name=found["name"],
        unit_name=found["unit_name"],
        holder=found["holder"],
        daily_points_max=found["daily_points_max"],
        service_phone=found["service_phone"],
        oversight_phone=found["oversight_phone"],
        street_name=found["street_name"] or "",
        path=found["path"],
    )


async def buildings(community_id: int) -> list[Building]:
    where = await community(community_id)
    return [Building(*found) for found in await db.rows(BUILDINGS, f"{where.path}%")]
