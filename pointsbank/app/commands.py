"""Commands of the shell that write. They run in the shell's own process or in the server's: see local.py.

Facts travel as JSON, so passwords come hashed and tokens as digests.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from pointsbank.app import backup, jobs
from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import Invalid, Kind, NotFound, Refusal
from pointsbank.kit.text import BadText, clean
from pointsbank.ledger.sealing import Sealer
from pointsbank.people import actions as people
from pointsbank.people import actions_second, queries_staff
from pointsbank.people import actions_staff as staff
from pointsbank.people.rules import NAME_LENGTH_MAX, UnknownLogin
from pointsbank.people.rules_roles import GRANTED_AT, Role
from pointsbank.scoring import actions as scoring
from pointsbank.scoring import scheme_file

PLACES = "SELECT id, kind, name FROM people_place WHERE kind IN ('district', 'street', 'community') ORDER BY id"
COMMUNITY_BELOW = """
SELECT place.id FROM people_place place
 WHERE place.kind = 'community' AND place.path LIKE (SELECT path FROM people_place WHERE id = ?) || '%'
 ORDER BY place.id LIMIT 1
"""
MEMBER_OF_NUMBER = "SELECT id FROM people_person WHERE member_number = ? AND state = 'member'"


class WhichPlace(Refusal):
    kind = Kind.INVALID
    code = "app.which_place"
    message = "请用 --{option} 写明地方，可选：{places}。"


class UnknownMember(Refusal):
    kind = Kind.NOT_FOUND
    code = "app.unknown_member"
    message = "没有这个存折号。请核对卡上的 9 位数字。"


class AddUser(msgspec.Struct, forbid_unknown_fields=True):
    """`number` names a roster person, `person_name` makes a new staff person; one of the two."""

    login: str
    password_hash: str
    must_change: bool
    role: Role
    place: str
    number: str
    person_name: str


class ResetUser(msgspec.Struct, forbid_unknown_fields=True):
    login: str
    password_hash: str


class SecondStepOff(msgspec.Struct, forbid_unknown_fields=True):
    login: str


class IssueToken(msgspec.Struct, forbid_unknown_fields=True):
    login: str
    purpose: str
    digest: str
    days: int
    role: str


class RevokeToken(msgspec.Struct, forbid_unknown_fields=True):
    token_id: int


class ImportScheme(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    community: str


class Tick(msgspec.Struct, forbid_unknown_fields=True):
    pass


class NoteBackup(msgspec.Struct, forbid_unknown_fields=True):
    is_clean: bool


async def run(name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Run a command by its name; the database is open and its keys are held."""
    if name not in COMMANDS:
        raise NotFound
    kind, command = COMMANDS[name]
    try:
        given = msgspec.convert(facts, kind)
    except msgspec.ValidationError as error:
        raise Invalid(detail=str(error)) from None
    return await command(given)


async def _add_user(facts: AddUser) -> dict[str, Any]:
    place = await find_place(facts.place, GRANTED_AT[facts.role], option="place")
    person_id = await _member(facts.number) if facts.number else None
    community = await db.row(COMMUNITY_BELOW, place["id"])
    if community is None:
        raise WhichPlace(option="place", places="还没有社区，请先建一个")
    made_id = await db.write(
        set_up_user,
        person_id=person_id,
        community_id=community["id"],
        name=clean_name(facts.person_name) if person_id is None else "",
        login=facts.login,
        password_hash=facts.password_hash,
        must_change=facts.must_change,
        role=facts.role.value,
        place_id=place["id"],
    )
    return {"person_id": made_id, "place": place["name"]}


async def set_up_user(
    tx: Tx,
    *,
    person_id: int | None,
    community_id: int,
    name: str,
    login: str,
    password_hash: str,
    must_change: bool,
    role: str,
    place_id: int,
) -> int:
    """Let somebody sign in for a role at a place; without `person_id` a new person without a household."""
    if person_id is None:
        person_id = await people.make_person(tx, community_id=community_id, household_id=None, name=name, phone=None)
    await staff.make_login(tx, person_id=person_id, login=login, password_hash=password_hash, must_change=must_change)
    await staff.grant(tx, person_id=person_id, role=role, place_id=place_id)
    return person_id


async def _member(number: str) -> int:
    found = await db.row(MEMBER_OF_NUMBER, "".join(number.split()))
    if found is None:
        raise UnknownMember
    return int(found["id"])


def clean_name(name: str) -> str:
    """A name as it is stored; refuses one that nobody could read out."""
    try:
        plain = clean(name)
    except BadText as error:
        raise Invalid(detail=str(error)) from None
    if not 0 < len(plain) <= NAME_LENGTH_MAX:
        raise Invalid(detail=f"名称要有 1 到 {NAME_LENGTH_MAX} 个字")
    return plain


async def find_place(wanted: str, kinds: tuple[str, ...], *, option: str) -> Row:
    """A place by its name or number; without either the only one there is."""
    places = [place for place in await db.rows(PLACES) if place["kind"] in kinds]
    fitting = [place for place in places if not wanted or wanted in (place["name"], str(place["id"]))]
    if len(fitting) != 1:
        shown = "、".join(f"{place['name']}（{place['id']}）" for place in places) or "还没有"
        raise WhichPlace(option=option, places=shown)
    return fitting[0]


async def _reset_user(facts: ResetUser) -> dict[str, Any]:
    found = await queries_staff.login_facts(facts.login)
    if found is None:
        raise UnknownLogin
    await db.write(staff.reset_password, person_id=found.person_id, password_hash=facts.password_hash)
    return {}


async def _second_step_off(facts: SecondStepOff) -> dict[str, Any]:
    await db.write(actions_second.take_off_by_login, login=facts.login)
    return {}


async def _issue_token(facts: IssueToken) -> dict[str, Any]:
    token_id = await db.write(
        staff.issue_token,
        login=facts.login,
        name=facts.purpose,
        token_digest=bytes.fromhex(facts.digest),
        days=facts.days,
        role=facts.role or None,
    )
    return {"token_id": token_id}


async def _revoke_token(facts: RevokeToken) -> dict[str, Any]:
    return {"was_alive": await db.write(staff.revoke_token, session_id=facts.token_id)}


async def _import_scheme(facts: ImportScheme) -> dict[str, Any]:
    table = scheme_file.parse(facts.text)
    community = await find_place(facts.community, ("community",), option="community")
    version_id = await db.write(scoring.import_draft, community_id=community["id"], table=table)
    return {"version_id": version_id, "community": community["name"], "items": len(table.items)}


async def _tick(_facts: Tick) -> dict[str, Any]:
    done = await jobs.tick()
    sealed = await Sealer().run()
    return done | ({"seals": sealed} if sealed else {})


async def _note_backup(facts: NoteBackup) -> dict[str, Any]:
    await db.write(backup.note, is_clean=facts.is_clean)
    return {}


Command = Callable[[Any], Awaitable[dict[str, Any]]]

COMMANDS: dict[str, tuple[type[msgspec.Struct], Command]] = {
    "user.add": (AddUser, _add_user),
    "user.reset": (ResetUser, _reset_user),
    "user.second_step_off": (SecondStepOff, _second_step_off),
    "token.issue": (IssueToken, _issue_token),
    "token.revoke": (RevokeToken, _revoke_token),
    "scoring.import": (ImportScheme, _import_scheme),
    "tick": (Tick, _tick),
    "backup.note": (NoteBackup, _note_backup),
}
