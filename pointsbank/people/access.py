"""Who is asking and what they may do: the session behind a request, and the guard on every route."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException
from litestar.handlers.base import BaseRouteHandler

from pointsbank.kit import db
from pointsbank.kit.errors import Forbidden
from pointsbank.people import sealed, uses
from pointsbank.people.rules import ChangePasswordFirst, ChooseRoleFirst
from pointsbank.people.rules_roles import PERMISSIONS, RESIDENT, Permission, Role
from pointsbank.people.rules_staff import USES_LAG, SecondStepFirst
from pointsbank.web import kept
from pointsbank.web.i18n import N_

__all__ = ["ROLE_NAMES", "Permission", "Role", "Session", "find_session", "needs"]

SESSIONS_REMEMBERED_MAX = 20_000
BEFORE_PASSWORD = "before_password"  # noqa: S105  the name of a route's option
BEFORE_SECOND_STEP = "before_second_step"
ALWAYS_OPEN = {BEFORE_PASSWORD: True, BEFORE_SECOND_STEP: True}

ROLE_NAMES = {
    Role.COUNTER_STAFF: N_("兑换台"),
    Role.EVENT_ORGANISER: N_("活动组织者"),
    Role.GRID_WORKER: N_("网格员"),
    Role.COMMUNITY_ADMIN: N_("社区管理员"),
    Role.SUPERVISOR: N_("街道督导"),
    Role.AUDITOR: N_("审计"),
    Role.STREET_ADMIN: N_("街道管理员"),
    Role.PANEL_MEMBER: N_("评议小组成员"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One person in one role at one place. `role` is None for residents, and for staff who have yet to choose.

    The texts are what a page's frame shows, masked; they are here because a frame is drawn without a query.
    """

    id: int
    kind: str
    person_id: int
    device_id: int | None
    grant_id: int | None
    role: Role | None
    place_id: int
    community_id: int | None
    community_ids: tuple[int, ...]
    permissions: frozenset[Permission]
    must_change: bool
    must_enrol: bool
    is_provisional: bool
    expires_at: datetime
    idle: timedelta | None
    used_at: datetime  # as written down; `uses` knows what came since
    shown_name: str
    place_name: str
    unit_name: str
    service_phone: str
    oversight_phone: str

    @property
    def actor(self) -> db.Actor:
        return db.Actor(self.person_id, self.id, self.device_id)

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


@dataclass(frozen=True, slots=True)
class Needs:
    """A route's guard. All of the permissions are needed; with none, any signed-in person will do."""

    permissions: frozenset[Permission]

    async def __call__(self, connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]  # Litestar's own alias of a guard leaves them out
        session = connection.scope.get("session")
        if not isinstance(session, Session):
            if not handler.opt.get(BEFORE_PASSWORD):  # a form with passwords is typed again
                await kept.keep(connection)
            raise NotAuthorizedException
        if session.must_change and not handler.opt.get(BEFORE_PASSWORD):
            raise ChangePasswordFirst
        if session.must_enrol and not handler.opt.get(BEFORE_SECOND_STEP):
            raise SecondStepFirst
        if not self.permissions <= session.permissions:
            chooses = session.kind == "staff" and session.role is None
            raise ChooseRoleFirst if chooses else Forbidden


def needs(*permissions: Permission) -> Needs:
    """Guard a route: whoever lacks one of these is refused. Whether an object is theirs, the query decides."""
    return Needs(frozenset(permissions))


# A session is dead with any of: its own end, its grant's, its device's, its login's (staff and tokens only).
FIND = """
SELECT s.id, s.kind, s.device_id, s.grant_id, s.made_at, s.expires_at, s.idle_minutes, s.last_used_at,
       q.id AS person_id, q.state, q.member_number, q.wrapped_key, q.name, g.role, g.place_id,
       q.community_id AS home_id, l.must_change, t.confirmed_at
  FROM people_session s
  JOIN people_person p ON p.id = s.person_id
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  LEFT JOIN people_role_grant g ON g.id = s.grant_id
  LEFT JOIN people_login l ON l.id = s.person_id
  LEFT JOIN people_second_step t ON t.id = s.person_id
  LEFT JOIN people_device d ON d.id = s.device_id
 WHERE s.token_digest = ? AND s.ended_at IS NULL AND g.ended_at IS NULL AND d.ended_at IS NULL
   AND q.state IN ('member', 'provisional') AND (s.kind = 'resident' OR (l.id IS NOT NULL AND l.disabled_at IS NULL))
"""
PLACE = "SELECT kind, name, path FROM people_place WHERE id = ?"
COMMUNITIES = """
SELECT p.id, c.second_step_required FROM people_place p JOIN people_community c ON c.id = p.id
 WHERE p.path LIKE ? ORDER BY p.id
"""
COMMUNITY = """
SELECT c.unit_name, c.service_phone, c.oversight_phone FROM people_community c WHERE c.id = ?
"""


class _Remembered:
    """Sessions of this process by digest. Only on SQLite: there no other process can end one."""

    def __init__(self) -> None:
        self.by_digest: dict[bytes, Session] = {}
        self.database: db.Database | None = None

    def now_of(self) -> datetime:
        """The time, after making sure that these sessions are the open database's."""
        database = db.current()
        if self.database is not database:
            self.by_digest.clear()
            self.database = database
            uses.forget_others()
            db.when_stale("people.sessions", self.by_digest.clear)
        return database.writer.clock.now()

    def keep(self, digest: bytes, session: Session) -> None:
        if self.database is None or not self.database.is_sqlite:
            return
        if len(self.by_digest) >= SESSIONS_REMEMBERED_MAX:
            self.by_digest.clear()
        self.by_digest[digest] = session


_remembered = _Remembered()


def find_session(digest: bytes, kind: str) -> Awaitable[Session | None] | Session | None:
    """The live session of a token that came as a `cookie` or a `bearer`; neither opens what the other is for."""
    now = _remembered.now_of()
    session = _remembered.by_digest.get(digest)
    if session is None:
        return _find(digest, kind, now)
    return session if _is_good(session, kind, now) else None


async def _find(digest: bytes, kind: str, now: datetime) -> Session | None:
    session = await _read(digest)
    if session is None:
        return None
    _remembered.keep(digest, session)
    return session if _is_good(session, kind, now) else None


def _is_good(session: Session, kind: str, now: datetime) -> bool:
    """Whether the session opens this door now; if so, it is used now."""
    if (session.kind == "token") != (kind == "bearer") or session.expires_at <= now:
        return False
    if session.idle is not None:
        seen = uses.last.get(session.id, session.used_at)
        if now - max(seen, session.used_at) >= session.idle:
            return False
    uses.last[session.id] = now
    return True


async def _read(digest: bytes) -> Session | None:
    found = await db.row(FIND, digest)
    if found is None:
        return None
    role = Role(found["role"]) if found["role"] else None
    place_id = found["place_id"] or found["home_id"]
    place = await db.row(PLACE, place_id)
    assert place is not None
    is_resident = found["kind"] == "resident"
    reach = await db.rows(COMMUNITIES, f"{place['path']}%") if is_resident or role is not None else []
    community_ids = tuple(one["id"] for one in reach)
    is_staff = found["kind"] == "staff"
    lacks_step = is_staff and found["confirmed_at"] is None and any(one["second_step_required"] for one in reach)
    minutes = found["idle_minutes"]
    is_community = place["kind"] == "community"
    community = await db.row(COMMUNITY, place_id) if is_community else None
    unit_name, service, oversight = community or (place["name"], "", "")
    return Session(
        id=found["id"],
        kind=found["kind"],
        person_id=found["person_id"],
        device_id=found["device_id"],
        grant_id=found["grant_id"],
        role=role,
        place_id=place_id,
        community_id=place_id if is_community and community_ids else None,
        community_ids=community_ids,
        permissions=RESIDENT if is_resident else PERMISSIONS[role] if role else frozenset(),
        must_change=bool(found["must_change"]) and not is_resident,
        must_enrol=lacks_step,
        is_provisional=found["state"] == "provisional",
        expires_at=found["expires_at"],
        idle=None if minutes is None else timedelta(minutes=minutes),
        used_at=_known_use(found["made_at"], found["last_used_at"]),
        shown_name=sealed.masked_name_of(found),
        place_name=place["name"],
        unit_name=unit_name,
        service_phone=service,
        oversight_phone=oversight,
    )


def _known_use(made_at: datetime, last_used_at: datetime | None) -> datetime:
    """When a session was last used as far as this process knows: another one may not have written it down yet."""
    return made_at if last_used_at is None else last_used_at + USES_LAG
