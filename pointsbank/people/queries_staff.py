"""Sign-ins, roles, sessions and tokens, as sign-in and the staff page need them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from pointsbank.kit import db
from pointsbank.kit.db import Tx
from pointsbank.people import queries, sealed, uses
from pointsbank.people.rules_roles import Role
from pointsbank.people.rules_staff import APPOINTS, PENDING_LIFE, UNUSED, unused_since
from pointsbank.trail import queries as trail

LOGIN = "SELECT id, password_hash FROM people_login WHERE login = ?"
OWN_LOGIN = "SELECT id, login, password_hash, must_change FROM people_login WHERE id = ?"
GRANTS = """
SELECT g.id, g.role, g.place_id, p.name AS place_name
  FROM people_role_grant g JOIN people_place p ON p.id = g.place_id
 WHERE g.person_id = ? AND g.ended_at IS NULL ORDER BY g.id
"""
STAFF = """
SELECT g.id AS grant_id, g.role, g.place_id, pl.name AS place_name, q.id, q.member_number, q.wrapped_key, q.name,
       l.login, l.disabled_at, l.made_at, l.signed_in_at, l.last_used_at, t.confirmed_at
  FROM people_role_grant g
  JOIN people_place pl ON pl.id = g.place_id
  JOIN people_person q ON q.id = g.person_id
  LEFT JOIN people_login l ON l.id = q.id
  LEFT JOIN people_second_step t ON t.id = q.id
 WHERE g.ended_at IS NULL AND g.place_id IN
"""
APPOINTED = """
SELECT g.role, g.granted_at AS at, p.name AS place_name, q.member_number, q.wrapped_key, q.name
  FROM people_role_grant g JOIN people_place p ON p.id = g.place_id LEFT JOIN people_person q ON q.id = g.granted_by
 WHERE g.person_id = ? AND g.ended_at IS NULL ORDER BY g.id
"""
DISABLED = "SELECT 1 FROM people_login WHERE id = ? AND disabled_at IS NOT NULL"
GRANT_PLACE = "SELECT place_id FROM people_role_grant WHERE id = ?"
SESSIONS = """
SELECT s.id, s.kind, s.name, s.made_at, s.expires_at, s.idle_minutes, s.last_used_at, g.role, p.name AS place_name
  FROM people_session s
  LEFT JOIN people_role_grant g ON g.id = s.grant_id
  LEFT JOIN people_place p ON p.id = g.place_id
 WHERE s.person_id = ? AND s.kind IN ('staff', 'token') AND s.ended_at IS NULL AND s.expires_at > ?
   AND g.ended_at IS NULL ORDER BY s.id
"""
LAST_RESET = """
SELECT l.reset_at, l.reset_by, q.member_number, q.wrapped_key, q.name
  FROM people_login l LEFT JOIN people_person q ON q.id = l.reset_by WHERE l.id = ? AND l.reset_at IS NOT NULL
"""
ALIASES = "SELECT id, merged_into FROM people_person WHERE merged_into IN"
SECOND_STEP = "SELECT confirmed_at FROM people_second_step WHERE id = ?"
PENDING = "SELECT secret FROM people_second_step WHERE id = ? AND confirmed_at IS NULL AND made_at > ?"
REQUIRED = "SELECT second_step_required FROM people_community WHERE id = ?"
TOKENS = """
SELECT s.id, s.name, s.made_at, s.expires_at, s.ended_at, l.login, g.role
  FROM people_session s
  JOIN people_login l ON l.id = s.person_id
  LEFT JOIN people_role_grant g ON g.id = s.grant_id
 WHERE s.kind = 'token' ORDER BY s.id
"""


class Grant(msgspec.Struct, frozen=True):
    id: int
    role: Role
    place_id: int
    place_name: str


class StaffGrant(msgspec.Struct, frozen=True):
    id: int
    role: Role
    place_name: str


class StaffMember(msgspec.Struct, frozen=True):
    person_id: int
    masked_name: str
    login: str
    is_disabled: bool
    grants: list[StaffGrant]
    last_used_at: datetime | None
    is_unused: bool
    has_second_step: bool


class LoginFacts(msgspec.Struct, frozen=True):
    """What is compared at sign-in; the hash goes nowhere else."""

    person_id: int
    password_hash: str


class OpenSession(msgspec.Struct, frozen=True):
    """A session of a browser, or (`kind` is token) of a program with this name."""

    id: int
    kind: str
    name: str
    role: Role | None
    place_name: str
    made_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class Reset(msgspec.Struct, frozen=True):
    """`by` is empty for the command line."""

    at: datetime
    by: str


class Appointment(msgspec.Struct, frozen=True):
    """A role that somebody holds, since when, and who gave it; `by` is empty for the command line."""

    role: Role
    place_name: str
    at: datetime
    by: str


class Token(msgspec.Struct, frozen=True):
    id: int
    login: str
    name: str
    role: str
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None


async def login_facts(login: str) -> LoginFacts | None:
    found = await db.row(LOGIN, login)
    return None if found is None else LoginFacts(found["id"], found["password_hash"])


async def own_login(person_id: int) -> tuple[str, str] | None:
    """Login and hash of a person, for changing one's own password."""
    found = await db.row(OWN_LOGIN, person_id)
    return None if found is None else (found["login"], found["password_hash"])


async def is_disabled(person_id: int) -> bool:
    return await db.row(DISABLED, person_id) is not None


async def grants_of(person_id: int) -> list[Grant]:
    return [
        Grant(one["id"], Role(one["role"]), one["place_id"], one["place_name"])
        for one in await db.rows(GRANTS, person_id)
    ]


async def appointments_of(person_id: int) -> list[Appointment]:
    """What a resident is to know of: that the roles are held, and by whom they were given."""
    return [
        Appointment(Role(one["role"]), one["place_name"], one["at"], _by(one))
        for one in await db.rows(APPOINTED, person_id)
    ]


def _by(one: db.Row) -> str:
    return "" if one["wrapped_key"] is None else sealed.masked_name_of(one)


async def staff_of(place_ids: Sequence[int], now: datetime) -> list[StaffMember]:
    """Whoever holds a role at one of these places, with the roles held there."""
    marks = ", ".join("?" * len(place_ids))
    members: dict[int, StaffMember] = {}
    for one in await db.rows(f"{STAFF} ({marks}) ORDER BY q.id, g.id", *place_ids):
        member = members.setdefault(one["id"], _member(one, now))
        member.grants.append(StaffGrant(one["grant_id"], Role(one["role"]), one["place_name"]))
    return list(members.values())


def _member(one: db.Row, now: datetime) -> StaffMember:
    is_open = one["login"] is not None and one["disabled_at"] is None
    used = one["signed_in_at"], one["last_used_at"]
    return StaffMember(
        person_id=one["id"],
        masked_name=sealed.masked_name_of(one),
        login=one["login"] or "",
        is_disabled=one["disabled_at"] is not None,
        grants=[],
        last_used_at=max((when for when in used if when is not None), default=None),
        is_unused=is_open and unused_since(one["made_at"], *used) <= now - UNUSED,
        has_second_step=one["confirmed_at"] is not None,
    )


async def place_of_grant(grant_id: int) -> int | None:
    """Of one that has ended too: its end may be asked for again."""
    found = await db.row(GRANT_PLACE, grant_id)
    return None if found is None else int(found["place_id"])


async def open_sessions(person_id: int, now: datetime) -> list[OpenSession]:
    """What would open a door now; of sessions that lie idle only those that have not lain too long."""
    found = []
    for one in await db.rows(SESSIONS, person_id, now):
        used = uses.last_of(one["id"], one["last_used_at"])
        minutes = one["idle_minutes"]
        if minutes is None or (used or one["made_at"]) > now - timedelta(minutes=minutes):
            role = Role(one["role"]) if one["role"] else None
            facts = (one["name"] or "", role, one["place_name"] or "", one["made_at"], one["expires_at"], used)
            found.append(OpenSession(one["id"], one["kind"], *facts))
    return found


async def last_reset(person_id: int) -> Reset | None:
    """Who last set this person's password, and when."""
    found = await db.row(LAST_RESET, person_id)
    if found is None:
        return None
    return Reset(found["reset_at"], _by(found))


async def has_second_step(person_id: int) -> bool:
    found = await db.row(SECOND_STEP, person_id)
    return found is not None and found["confirmed_at"] is not None


async def pending_secret(person_id: int, now: datetime) -> bytes | None:
    """The secret that waits to be confirmed by its first code; it is shown until then, and never again."""
    found = await db.row(PENDING, person_id, now - PENDING_LIFE)
    return None if found is None else sealed.second_secret(person_id, bytes(found["secret"]))


async def requires_second_step(community_id: int) -> bool:
    found = await db.row(REQUIRED, community_id)
    return found is not None and bool(found["second_step_required"])


async def list_tokens() -> list[Token]:
    """All tokens of programs, ended ones too; for the command line."""
    return [
        Token(
            one["id"],
            one["login"],
            one["name"] or "",
            one["role"] or "",
            one["made_at"],
            one["expires_at"],
            one["ended_at"],
        )
        for one in await db.rows(TOKENS)
    ]


async def password_hash(person_id: int) -> str | None:
    """For the second page of signing in, which must be about the same password as the first."""
    found = await db.row(OWN_LOGIN, person_id)
    return None if found is None else str(found["password_hash"])


async def hands_of(tx: Tx | None, person_id: int, *, since: datetime) -> dict[int, datetime | None]:
    """Whoever may have signed in as this person, and since when: None for the person.

    Those are whoever gave the login, a password or a role since then, and whoever did so for them.
    """
    found: dict[int, datetime | None] = dict.fromkeys(await queries.ids_of(tx, person_id))
    fresh = list(found)
    while fresh:
        links = await trail.doers(tx, "person", fresh, APPOINTS, since=since)
        fresh = []
        for subject_id, by, at in links:
            before = found[subject_id]
            through = at if before is None else min(before, at)
            for one in await queries.ids_of(tx, by):
                if one not in found or ((known := found[one]) is not None and known < through):
                    found[one] = through
                    fresh.append(one)
    return found


async def appointed(tx: Tx, person_ids: Sequence[int], *, since: datetime) -> set[int]:
    """Those of these people to whom, under whatever record, somebody gave login, password or role since then."""
    marks = ", ".join("?" * len(person_ids))
    of = {one: one for one in person_ids}
    of |= {one["id"]: one["merged_into"] for one in await tx.rows(f"{ALIASES} ({marks})", *person_ids)}
    return {of[one[0]] for one in await trail.doers(tx, "person", list(of), APPOINTS, since=since)}
