"""A roster from a file: taken in, checked, and entered at once or not at all.

The file's rows lie sealed until they are entered. Whatever takes long is done in slices by `importing`, each of which
says how far it thinks the import is: of two that work on one import the slower one stops.
"""

from collections.abc import Sequence

import msgspec

from pointsbank.kit.db import Tx
from pointsbank.people import actions, queries_import, sealed
from pointsbank.people.rules import CONSENT_VERSION
from pointsbank.people.rules_import import (
    KEPT_FOR,
    ImportMovedOn,
    ImportRunning,
    NobodyToEnter,
    building_key,
    building_name,
)
from pointsbank.trail import actions as trail

SLICE = 100
STALE = "people.imports"

BEGIN = """
INSERT INTO people_import (community_id, made_by, state, digest, kind, head, plan, summary, total, done, entered, known,
                           left_out, cleared, made_at)
VALUES (?, ?, 'uploading', ?, ?, 0, '', '', 0, 0, 0, 0, 0, FALSE, ?) RETURNING id
"""
KEY = "UPDATE people_import SET wrapped_key = ? WHERE id = ?"
UPLOADED = "UPDATE people_import SET state = 'mapping', head = ? WHERE id = ? AND state = 'uploading'"
CHOOSE = """
UPDATE people_import SET state = 'checking', head = ?, plan = ?, summary = '', total = ?, done = 0
 WHERE id = ? AND state IN ('mapping', 'checked')
"""
RESET = """
UPDATE people_import_row SET state = CASE WHEN number > ? THEN 'raw' ELSE 'skipped' END, accepted = FALSE
 WHERE import_id = ?
"""
SKIP = "UPDATE people_import_row SET state = 'skipped' WHERE import_id = ? AND number = ?"
ROWS = "SELECT COUNT(*) AS rows FROM people_import_row WHERE import_id = ? AND state = 'raw'"
REMEMBER = """
INSERT INTO people_import_columns (community_id, header, columns) VALUES (?, ?, ?)
ON CONFLICT (community_id, header) DO UPDATE SET columns = excluded.columns
"""
ADVANCE = "UPDATE people_import SET done = done + ? WHERE id = ? AND state = ? AND done = ?"
JUDGE = "UPDATE people_import_row SET state = ?, verdict = ? WHERE import_id = ? AND number = ?"
CHECKED = "UPDATE people_import SET state = 'checked', summary = ? WHERE id = ? AND state = 'checking' AND done = total"
AGAIN = "UPDATE people_import SET state = 'checking', done = 0 WHERE id = ? AND state = 'checked' RETURNING summary"
ACCEPT = """
UPDATE people_import_row SET state = 'good', accepted = TRUE WHERE import_id = ? AND number = ? AND state = 'asked'
"""
HOLD_COMMUNITY = "UPDATE people_community SET roster_version = roster_version WHERE id = ?"
RUNNING = "SELECT 1 FROM people_import WHERE community_id = ? AND state = 'importing'"
START = (
    "UPDATE people_import SET state = 'importing', made_by = ?, total = ?, done = 0 WHERE id = ? AND state = 'checked'"
)
COUNT = "SELECT COUNT(*) AS rows FROM people_import_row WHERE import_id = ? AND state = ?"
READY = """
UPDATE people_import_row
   SET state = 'ready', household_id = ?, makes_household = makes_household OR ?, is_head = is_head OR ?,
       publication = ?, member_number = ?,
       wrapped_key = ?, name = ?, phone = ?, phone_index = ?, id_last4 = ?, id_index = ?, birth_year = ?,
       sex = ?, tags = ?
 WHERE import_id = ? AND number = ? AND state = 'good'
"""
KNOWN = "UPDATE people_import_row SET state = 'known' WHERE import_id = ? AND number = ? AND state = 'good'"
STOP = """
UPDATE people_import SET state = 'stopped'
 WHERE id = ? AND state IN ('uploading', 'mapping', 'checking', 'checked', 'importing')
"""
EXPIRE = """
UPDATE people_import SET state = 'expired' WHERE state IN ('uploading', 'mapping', 'checked') AND made_at < ?
"""

# The last command. An ID number that somebody registered meanwhile is already there; a member number that was drawn
# meanwhile is drawn again, and a household whose people have gone meanwhile is looked for again.
FINISH = "UPDATE people_import SET state = 'done' WHERE id = ? AND state = 'importing' AND done = total"
TAKEN_ID = """
UPDATE people_import_row SET state = 'known' WHERE import_id = ? AND state = 'ready' AND id_index IS NOT NULL
   AND EXISTS (SELECT 1 FROM people_person p WHERE p.id_index = people_import_row.id_index AND p.state = 'member')
"""
TAKEN_NUMBER = """
UPDATE people_import_row SET state = 'good' WHERE import_id = ? AND state = 'ready'
   AND EXISTS (SELECT 1 FROM people_person p WHERE p.member_number = people_import_row.member_number)
"""
HOME_GONE = """
UPDATE people_import_row SET state = 'good', household_id = NULL
 WHERE import_id = ? AND state = 'ready' AND household_id IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM people_person p
                    WHERE p.household_id = people_import_row.household_id AND p.state = 'member')
   AND NOT EXISTS (SELECT 1 FROM people_import_row first
                    WHERE first.import_id = people_import_row.import_id AND first.makes_household
                      AND first.household_id = people_import_row.household_id)
"""
BACK = "UPDATE people_import SET done = done - ? WHERE id = ? AND state = 'importing'"
PERSONS = """
INSERT INTO people_person (community_id, household_id, member_number, state, wrapped_key, name, phone, phone_index,
                           id_last4, id_index, birth_year, sex, made_at)
SELECT ?, r.household_id, r.member_number, 'member', r.wrapped_key, r.name, r.phone, r.phone_index, r.id_last4,
       r.id_index, r.birth_year, r.sex, ?
  FROM people_import_row r WHERE r.import_id = ? AND r.state = 'ready' ORDER BY r.number
"""
CONSENTS = """
INSERT INTO people_consent (person_id, purpose, version, given_at, how, given_by)
SELECT p.id, 'service', ?, ?, 'file', ?
  FROM people_import_row r JOIN people_person p ON p.member_number = r.member_number
 WHERE r.import_id = ? AND r.state = 'ready'
"""
PUBLICATION = """
INSERT INTO people_consent (person_id, purpose, version, given_at, how, given_by)
SELECT p.id, 'publication', ?, ?, 'file', ?
  FROM people_import_row r JOIN people_person p ON p.member_number = r.member_number
 WHERE r.import_id = ? AND r.state = 'ready' AND r.publication
"""
TAG_CONSENTS = """
INSERT INTO people_consent (person_id, purpose, version, given_at, how, given_by)
SELECT p.id, 'tags', ?, ?, 'file', ?
  FROM people_import_row r JOIN people_person p ON p.member_number = r.member_number
 WHERE r.import_id = ? AND r.state = 'ready' AND r.tags <> ''
"""
PERSON_TAGS = """
INSERT INTO people_person_tag (person_id, tag_id, given_at)
SELECT p.id, t.id, ?
  FROM people_import_row r
  JOIN people_person p ON p.member_number = r.member_number
  JOIN people_tag t ON t.community_id = ? AND t.ended_at IS NULL AND r.tags LIKE '%,' || t.id || ',%'
 WHERE r.import_id = ? AND r.state = 'ready' AND r.tags <> ''
"""
HEADS = """
UPDATE people_household SET head_id = (
    SELECT MIN(p.id) FROM people_import_row r JOIN people_person p ON p.member_number = r.member_number
     WHERE r.household_id = people_household.id AND r.import_id = ? AND r.state = 'ready' AND r.is_head)
 WHERE head_id IS NULL AND id IN (
    SELECT household_id FROM people_import_row WHERE import_id = ? AND state = 'ready' AND is_head)
"""
ENTERED = "UPDATE people_import_row SET state = 'entered' WHERE import_id = ? AND state = 'ready'"
COUNTS = "UPDATE people_import SET entered = ?, known = ?, left_out = ? WHERE id = ?"

ENDED = """
SELECT r.id, r.state, r.household_id, r.makes_household, p.id AS person_id
  FROM people_import_row r LEFT JOIN people_person p ON r.state = 'entered' AND p.member_number = r.member_number
 WHERE r.import_id = ? AND r.state IN ('entered', 'known') ORDER BY r.id LIMIT 200
"""
ALL = """
SELECT r.id, r.state, r.household_id, r.makes_household, p.id AS person_id
  FROM people_import_row r LEFT JOIN people_person p ON r.state = 'entered' AND p.member_number = r.member_number
 WHERE r.import_id = ? ORDER BY r.id LIMIT 200
"""
EMPTY_HOUSEHOLD = """
DELETE FROM people_household
 WHERE id = ? AND NOT EXISTS (SELECT 1 FROM people_person WHERE household_id = people_household.id)
   AND NOT EXISTS (SELECT 1 FROM people_household_card WHERE household_id = people_household.id)
"""
FORGET = "DELETE FROM people_import_row WHERE id = ?"
CLEARED = "UPDATE people_import SET cleared = TRUE, wrapped_key = NULL, plan = '', summary = '' WHERE id = ?"

BUILDINGS = "SELECT name FROM people_place WHERE kind = 'building' AND ended_at IS NULL AND path LIKE ?"
PATH = "SELECT path FROM people_place WHERE id = ?"


class Ready(msgspec.Struct):
    """A row that will be a person: sealed, with the household that it joins or makes."""

    number: int
    member_number: str
    wrapped_key: bytes
    name: bytes
    phone: bytes | None
    phone_index: bytes | None
    id_last4: str | None
    id_index: bytes | None
    birth_year: int | None
    sex: str | None
    publication: bool
    tags: str  # ",3,7,"
    is_head: bool
    home: str
    household_id: int | None
    building_id: int | None
    door: str


# Taking a file in


async def begin(tx: Tx, *, community_id: int, digest: bytes, kind: str) -> int:
    made = await tx.row(BEGIN, community_id, tx.actor.person_id or 0, digest, kind, tx.now)
    assert made is not None
    import_id = int(made["id"])
    await tx.run(KEY, sealed.new_import_key(import_id), import_id)
    return import_id


async def add_rows(tx: Tx, *, import_id: int, rows: Sequence[tuple[int, bytes]]) -> None:
    """Rows of the file by number, sealed."""
    places = ", ".join("(?, ?, 'raw', FALSE, ?, FALSE, FALSE, FALSE, '')" for _ in rows)
    values = [value for number, cells in rows for value in (import_id, number, cells)]
    await tx.run(
        "INSERT INTO people_import_row (import_id, number, state, accepted, cells, makes_household, is_head, "
        f"publication, tags) VALUES {places}",
        *values,
    )


async def uploaded(tx: Tx, *, import_id: int, head: int) -> None:
    if await tx.run(UPLOADED, head, import_id) == 0:
        raise ImportMovedOn


# Columns, and what the check found


async def choose_columns(
    tx: Tx,
    *,
    import_id: int,
    community_id: int,
    head: int,
    plan: str,
    header: bytes,
    columns: str,
    skipped: Sequence[int],
) -> None:
    """Say what is what, and have the file checked; remembered for the next file with this header."""
    await tx.run(RESET, head, import_id)
    for number in skipped:
        await tx.run(SKIP, import_id, number)
    found = await tx.row(ROWS, import_id)
    assert found is not None
    if await tx.run(CHOOSE, head, plan, found["rows"], import_id) == 0:
        raise ImportMovedOn
    await tx.run(REMEMBER, community_id, header, columns)
    tx.made_stale(STALE)


async def judge(tx: Tx, *, import_id: int, done: int, verdicts: Sequence[tuple[int, str, bytes]]) -> None:
    if await tx.run(ADVANCE, len(verdicts), import_id, "checking", done) == 0:
        raise ImportMovedOn
    for number, state, verdict in verdicts:
        await tx.run(JUDGE, state, verdict, import_id, number)


async def end_check(tx: Tx, *, import_id: int, summary: str) -> None:
    if await tx.run(CHECKED, summary, import_id) == 0:
        raise ImportMovedOn


async def make_buildings(tx: Tx, *, import_id: int, community_id: int, names: Sequence[str]) -> None:
    """Make the buildings that an admin ticked, unless somebody was quicker, and have the file checked again.

    Nothing is made that the file does not name.
    """
    checked = await tx.row(AGAIN, import_id)
    if checked is None:
        raise ImportMovedOn
    named = {written for written, _rows in queries_import.summary_of(checked).buildings}
    place = await tx.row(PATH, community_id)
    assert place is not None
    known = {building_key(found["name"]) for found in await tx.rows(BUILDINGS, f"{place['path']}%")}
    for name in names:
        if name in named and building_key(name) not in known:
            known.add(building_key(name))
            made = await actions.make_place(tx, parent_id=community_id, kind="building", name=building_name(name))
            await trail.record(tx, "place.made", subject=("place", made), import_id=import_id)
    tx.made_stale(STALE)


async def accept(tx: Tx, *, import_id: int, numbers: Sequence[int]) -> None:
    """Note that somebody looked at these rows and found them right."""
    for number in numbers:
        await tx.run(ACCEPT, import_id, number)
    await trail.record(tx, "import.accepted", subject=("import", import_id), rows=list(numbers))


# Entering


async def start(tx: Tx, *, import_id: int, community_id: int) -> None:
    await tx.run(HOLD_COMMUNITY, community_id)
    if await tx.row(RUNNING, community_id) is not None:
        raise ImportRunning
    good = await tx.row(COUNT, import_id, "good")
    assert good is not None
    if good["rows"] == 0:
        raise NobodyToEnter
    if await tx.run(START, tx.actor.person_id or 0, good["rows"], import_id) == 0:
        raise ImportMovedOn
    tx.made_stale(STALE)


async def make_ready(
    tx: Tx,
    *,
    import_id: int,
    community_id: int,
    done: int,
    rows: Sequence[Ready],
    known: Sequence[int],
    first_is_head: bool,
) -> dict[str, int]:
    """Lay rows ready, and say which households were made for them. `known` came into the roster meanwhile."""
    if await tx.run(ADVANCE, len(rows) + len(known), import_id, "importing", done) == 0:
        raise ImportMovedOn
    for number in known:
        await tx.run(KNOWN, import_id, number)
    made: dict[str, int] = {}
    for row in rows:
        household_id = row.household_id or made.get(row.home)
        is_new = household_id is None and bool(row.home)
        if is_new:
            household_id = made[row.home] = await actions.make_household(
                tx, community_id=community_id, building_id=row.building_id, door=row.door or None
            )
        is_head = (is_new if first_is_head else row.is_head) and bool(row.home)
        home = (household_id, is_new, is_head, row.publication)
        person = (row.member_number, row.wrapped_key, row.name, row.phone, row.phone_index)
        more = (row.id_last4, row.id_index, row.birth_year, row.sex, row.tags)
        await tx.run(READY, *home, *person, *more, import_id, row.number)
    return made


async def finish(tx: Tx, *, import_id: int, community_id: int) -> bool:
    """Make everybody who lies ready a member, at once. False when some have to be laid ready once more."""
    await tx.run(HOLD_COMMUNITY, community_id)  # nobody leaves a household while others enter it
    if await tx.run(FINISH, import_id) == 0:
        raise ImportMovedOn
    await tx.run(TAKEN_ID, import_id)
    again = await tx.run(TAKEN_NUMBER, import_id) + await tx.run(HOME_GONE, import_id)
    if again:
        await tx.run("UPDATE people_import SET state = 'importing' WHERE id = ?", import_id)
        await tx.run(BACK, again, import_id)
        return False
    entered = await tx.run(PERSONS, community_id, tx.now, import_id)
    for consents in (CONSENTS, PUBLICATION, TAG_CONSENTS):
        await tx.run(consents, CONSENT_VERSION, tx.now, tx.actor.person_id, import_id)
    await tx.run(PERSON_TAGS, tx.now, community_id, import_id)
    await tx.run(HEADS, import_id, import_id)
    await tx.run(ENTERED, import_id)
    known, faulty, asked = [await tx.row(COUNT, import_id, state) for state in ("known", "faulty", "asked")]
    assert known is not None
    assert faulty is not None
    assert asked is not None
    left_out = faulty["rows"] + asked["rows"]
    await tx.run(COUNTS, entered, known["rows"], left_out, import_id)
    await actions.touch_roster(tx, community_id=community_id)
    facts = {"entered": entered, "known": known["rows"], "left_out": left_out}
    await trail.record(tx, "people.imported", subject=("import", import_id), community_id=community_id, **facts)
    return True


async def stop(tx: Tx, *, import_id: int) -> None:
    """Give an import up; nobody of it is entered."""
    if await tx.run(STOP, import_id) == 0:
        raise ImportMovedOn
    await trail.record(tx, "import.stopped", subject=("import", import_id))
    tx.made_stale(STALE)


# Forgetting


async def expire(tx: Tx) -> int:
    return await tx.run(EXPIRE, tx.now - KEPT_FOR)


async def clear(tx: Tx, *, import_id: int, keeps_failed: bool) -> int:
    """Forget a slice of what a finished import brought. Who was entered is noted one by one, by the actor's name."""
    rows = await tx.rows(ENDED if keeps_failed else ALL, import_id)
    for row in rows:
        if row["person_id"] is not None:
            await trail.record(tx, "person.registered", subject=("person", row["person_id"]), import_id=import_id)
        await tx.run(FORGET, row["id"])
        if row["makes_household"] and row["household_id"] is not None and row["state"] != "entered":
            await tx.run(EMPTY_HOUSEHOLD, row["household_id"])
    if not rows and not keeps_failed:
        await tx.run(CLEARED, import_id)
    return len(rows)


async def note_taken(tx: Tx, *, import_id: int) -> None:
    """Record who took the rows that were left out, before they are handed over."""
    await trail.record(tx, "import.rows_taken", subject=("import", import_id))
