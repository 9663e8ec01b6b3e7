"""From a line to its points: whoever cuts, doubles or changes a link behind the program's back is found."""

import pytest

from pointsbank.awards import verify as awards
from pointsbank.events import verify as events
from pointsbank.kit import db
from tests.ledger.intruder import Intruder
from tests.schema_reading import read_schema

pytestmark = [pytest.mark.both, pytest.mark.tampers]

MANY = "a confirmed line has become no act, or several, or one of other minutes"
UNCONFIRMED = "an act is of a line that nobody confirmed"
OTHER = "an act has no award, or several, or one of another person or item"
UNSETTLED = "a settled award has no entry, or one that says something else"
EARLY = "an award that is not settled, or is worth nothing, has an entry"
UNREVIEWED = "an award is beyond its reviews, and not every step of its chain was passed"
UNKNOWN = "an entry is of an award that does not know it"
TAKEN_BACK = "an award or a deduction was taken back by no voucher"
ELSEWHERE = {6, 10, 15, 17}  # closed passbooks, deductions, vetoes and panels are damaged with their own tests
TABLES = {
    "attendance": "events_attendance", "act": "awards_act", "award": "awards_award", "entry": "ledger_entry",
}  # fmt: skip
ACT = "community_id, person_id, source_room, source_kind, source_id, {}, what, evidence, began_at, day, minutes, \
planned_minutes, quantity, recorded_at"
AWARD = "act_id, {}, community_id, person_id, passbook_id, item_code, points, clipped, steps, uses, chain, \
reviews_given, next_role, notice_days, expires_on, state, made_at"
ENTRY = "{}, community_id, kind, effective_at, booked_at, member_id, source_room, source_kind, source_id, summary, \
reason, version_id"
BACK = ENTRY.format("'reversal:x'").replace(" kind", " 'reversal'", 1)


def again(table: str, columns: str, column: str, value: str) -> str:
    """The second row once more, but for one column."""
    return (
        f"INSERT INTO {table} ({columns.format(column)})"
        f" SELECT {columns.format(value)} FROM {table} ORDER BY id LIMIT 1 OFFSET 1"
    )


def second(table: str, change: str) -> str:
    return f"UPDATE {table} SET {change} WHERE id = (SELECT id FROM {table} ORDER BY id LIMIT 1 OFFSET 1)"


ATTACKS = {
    # The link is cut.
    "DELETE FROM awards_act WHERE id = (SELECT MAX(id) FROM awards_act)": {MANY, "an award is for no act"},
    "DELETE FROM awards_award WHERE id = (SELECT MAX(id) FROM awards_award)": {OTHER, UNKNOWN},
    second("events_attendance", "state = 'open'"): {UNCONFIRMED},
    second("awards_act", "source_id = 0"): {MANY, UNCONFIRMED},
    second("awards_award", "entry_id = NULL"): {UNSETTLED, UNKNOWN},
    second("awards_award", "state = 'rejected'"): {EARLY},
    second("ledger_entry", "source_id = 0"): {UNSETTLED},
    f"INSERT INTO ledger_entry ({ENTRY.format('posting_key')}, reverses_id) SELECT {BACK}, id"
    " FROM ledger_entry ORDER BY id LIMIT 1 OFFSET 1": {TAKEN_BACK},
    # It is there twice.
    again("awards_act", ACT, "item_code", "'A99'"): {MANY, OTHER},
    again("awards_award", AWARD, "version_id", "version_id + 1"): {OTHER, UNSETTLED, UNREVIEWED},
    again("ledger_entry", ENTRY, "posting_key", "'once more'"): {UNKNOWN},
    "'tests', ".join(again("ledger_entry", ENTRY, "posting_key", "'twice'").rsplit("source_room, ", 1)): {UNKNOWN},
    # It names another room, or what is not there.
    second("ledger_entry", "source_room = 'ledger'"): {UNSETTLED},
    second("ledger_entry", "source_kind = 'case'"): {UNSETTLED},
    # A review was left out, or comes from nowhere.
    second("awards_award", """chain = '["organiser","community_admin"]'"""): {UNREVIEWED},
    second("awards_award", "next_role = 'community_admin'"): {UNREVIEWED},
    second("awards_award", "reviews_given = 0"): {UNREVIEWED},
    second("awards_review", "verdict = 'rejected'"): {UNREVIEWED},
    # Another amount, another passbook, somebody else.
    second("events_attendance", "minutes = minutes - 1"): {MANY},
    second("awards_act", "minutes = minutes + 1"): {MANY},
    second("awards_award", "points = points + 1"): {UNSETTLED},
    second("ledger_move", "points = points + 1"): {UNSETTLED},
    second("awards_award", "points = 0"): {EARLY},
    second("awards_award", "passbook_id = passbook_id + 1"): {UNSETTLED},
    second("awards_award", "person_id = person_id + 1"): {OTHER, UNSETTLED},
    second("awards_act", "item_code = 'A99'"): {OTHER},
}  # fmt: skip


@pytest.fixture
async def intruder(square, settings):
    """Beside three lines that were confirmed, and one that was not."""
    activity_id = await square.activity()
    people = [await square.world.person() for _ in range(4)]
    square.world.clock.advance(minutes=10)
    for person_id in people:
        await square.pick(activity_id, person_id)
    square.world.clock.advance(minutes=120)
    lines = await db.rows("SELECT id FROM events_attendance ORDER BY id")
    await square.confirm(activity_id, *((number, 120) for (number,) in lines[:3]))
    one = Intruder(settings, await read_schema(), ())
    await one.connect()
    yield one
    await one.close()


async def found(intruder: Intruder) -> list:
    return [*await awards.check(intruder.rows), *await events.check(intruder.rows)]


async def test_a_link_that_is_cut_doubled_or_changed_is_found_and_its_place_named(intruder):
    assert await found(intruder) == []
    first = {what: await intruder.rows(f"SELECT MIN(id) FROM {table}") for what, table in TABLES.items()}

    for attack, expected in ATTACKS.items():
        async with intruder.attempt():
            await intruder.rows(attack)
            findings = await found(intruder)
        assert {finding.what for finding in findings} == expected, (attack, findings)
        for finding in findings:  # the rows before it are none of its business
            what, number = finding.where.partition(":")[0].split()
            assert int(number) > first[what][0][0], (attack, finding)

    told = {what for number, what, _ in awards.CHECKS if number not in ELSEWHERE} | {
        what for _, what, _ in events.CHECKS
    }
    assert told == set().union(*ATTACKS.values())
