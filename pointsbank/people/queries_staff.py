"""Sign-ins, roles, sessions and tokens, as sign-in and the staff page need them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.kit import db
from pointsbank.people import sealed
from pointsbank.people.rules_roles import Role

LOGIN = "SELECT id, password_hash FROM people_login WHERE login = ?"
OWN_LOGIN = "SELECT id, login, password_hash, must_change FROM people_login WHERE id = ?"
GRANTS = """
SELECT g.id, g.role, g.place_id, p.name AS place_name
  FROM people_role_grant g JOIN people_place p ON p.id = g.place_id
 WHERE g.person_id = ? AND g.ended_at IS NULL ORDER BY g.id
"""
STAFF = """
SELECT g.id AS grant_id, g.role, g.place_id, pl.name AS place_name, q.id, q.member_number, q.wrapped_key, q.name,
       l.login, l.disabled_at
  FROM people_role_grant g
  JOIN people_place pl ON pl.id = g.place_id
  JOIN people_person q ON q.id = g.person_id
  LEFT JOIN people_login l ON l.id = q.id
 WHERE g.ended_at IS NULL AND g.place_id IN
"""
DISABLED = "SELECT 1 FROM people_login WHERE id = ? AND disabled_at IS NOT NULL"
GRANT_PLACE = "SELECT place_id, person_id FROM people_role_grant WHERE id = ? AND ended_at IS NULL"
SESSIONS = """
SELECT id, made_at, expires_at FROM people_session
 WHERE person_id = ? AND kind = 'staff' AND ended_at IS NULL AND expires_at > ? ORDER BY id
"""
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


class LoginFacts(msgspec.Struct, frozen=True):
    """What is compared at sign-in; the hash goes nowhere else."""

    person_id: int
    password_hash: str


class OpenSession(msgspec.Struct, frozen=True):
    id: int
    made_at: datetime
    expires_at: datetime


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


async def staff_of(place_ids: Sequence[int]) -> list[StaffMember]:
    """Whoever holds a role at one of these places, with the roles held there."""
    marks = ", ".join("?" * len(place_ids))
    members: dict[int, StaffMember] = {}
    for one in await db.rows(f"{STAFF} ({marks}) ORDER BY q.id, g.id", *place_ids):
        member = members.setdefault(
            one["id"],
            StaffMember(one["id"], sealed.masked_name_of(one), one["login"] or "", one["disabled_at"] is not None, []),
        )
        member.grants.append(StaffGrant(one["grant_id"], Role(one["role"]), one["place_name"]))
    return list(members.values())


async def place_of_grant(grant_id: int) -> int | None:
    found = await db.row(GRANT_PLACE, grant_id)
    return None if found is None else int(found["place_id"])


async def open_sessions(person_id: int, now: datetime) -> list[OpenSession]:
    return [OpenSession(*one) for one in await db.rows(SESSIONS, person_id, now)]


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
