"""Read findings: what a second person is shown, what waits, and what of it is one's own."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pointsbank.awards.rules_cases import (
    Case,
    CaseState,
    Consequence,
    How,
    Step,
    counts_after,
    place_of,
    rule_of,
    step_after,
)
from pointsbank.kit import db, words
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people import queries as people
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import NOTHING, Noted
from pointsbank.scoring.rules_table import Item, Veto

CASES_MAX = 100
_noted = msgspec.json.Decoder(Noted).decode

CASES = """
SELECT id, community_id, version_id, item_code, person_id, household_id, passbook_id, found_on, quantity, what,
       evidence, made_by, approval_id, state, step, points, object_days, told_on, told_how, open_until, remedy,
       remedy_by, remedy_approval_id, taken, entry_id, consequence, barred_until, facts
  FROM awards_case
"""
BY_ID = f"{CASES} WHERE id = ?"
OF_COMMUNITY = f"{CASES} WHERE community_id = ? ORDER BY id DESC LIMIT ?"
# What was told before this was found: nobody is warned of what happened before the advice came.
EARLIER = """
SELECT COUNT(*) FROM awards_case
 WHERE community_id = ? AND item_code = ? AND state IN ('told', 'made_good', 'booked')
   AND told_on < ? AND found_on > ? AND id <> ?
"""
BARS = """
SELECT barred_until FROM awards_case
 WHERE passbook_id = ? AND state = 'booked' AND barred_until IS NOT NULL ORDER BY barred_until DESC LIMIT 1
"""
BARRING = f"{CASES} WHERE passbook_id = ? AND state = 'booked' AND barred_until >= ? ORDER BY barred_until DESC, id"
OF_HOUSEHOLD = " AND household_id = ?"
OF_PERSON = " AND household_id IS NULL AND person_id IN"
LETTERS = f"{CASES} WHERE step IS NOT NULL AND found_on >= ? AND (household_id = ? OR person_id IN"


HANDS = """
SELECT it.made_by, it.told_by, it.remedy_by, asked.checker_id FROM awards_case it
  JOIN approvals_approval asked ON asked.id = it.approval_id WHERE it.id = ?
"""
OBJECTION = """
SELECT said, person_id, recorded_by, recorded_at, verdict, answer, ruled_by, ruled_at
  FROM awards_case_objection WHERE case_id = ?
"""


class Objection(msgspec.Struct, frozen=True):
    """`person_id` is None where staff wrote down what the holder said; `verdict` until somebody has ruled."""

    said: str
    person_id: int | None
    recorded_by: int
    recorded_at: datetime
    verdict: str | None
    answer: str | None
    ruled_by: int | None
    ruled_at: datetime | None


async def _row(tx: Tx | None, sql: str, *values: object) -> Row | None:
    return await (db.row(sql, *values) if tx is None else tx.row(sql, *values))


def _case(found: Row) -> Case:
    *columns, facts = found
    case = Case(*columns)
    return msgspec.structs.replace(
        case,
        noted=_noted(facts) if facts else NOTHING,
        state=CaseState(case.state),
        step=None if case.step is None else Step(case.step),
        told_how=None if case.told_how is None else How(case.told_how),
        consequence=None if case.consequence is None else Consequence(case.consequence),
        what=words.opened(case.what, place_of(case.id, "what")),
        evidence=words.opened(case.evidence, place_of(case.id, "evidence")),
        remedy=None if case.remedy is None else words.opened(case.remedy, place_of(case.id, "remedy")),
    )


async def case_in(tx: Tx | None, case_id: int) -> Case:
    found = await _row(tx, BY_ID, case_id)
    if found is None:
        raise NotFound
    return _case(found)


async def case_for_staff(community_ids: Sequence[int], case_id: int) -> Case:
    """A finding in one of these communities; another's is not found."""
    case = await case_in(None, case_id)
    if case.community_id not in community_ids:
        raise NotFound
    return case


async def cases(community_id: int) -> list[Case]:
    """The newest first."""
    return [_case(found) for found in await db.rows(OF_COMMUNITY, community_id, CASES_MAX)]


async def letters_to(person_id: int, *, since: date) -> list[Case]:
    """What a resident is told, of the own household too, found on or after this day; the newest first."""
    home = await people.home_of(None, person_id)
    ids = await people.ids_of(None, person_id)
    sql = f"{LETTERS} ({_marks(ids)})) ORDER BY id DESC LIMIT ?"
    return [_case(found) for found in await db.rows(sql, since, home.household_id, *ids, CASES_MAX)]


async def case_for_resident(person_id: int, case_id: int) -> Case:
    """A letter to this resident, or to the household; until it is confirmed there is none."""
    case = await case_in(None, case_id)
    if case.step is None or not await concerns(None, case, person_id):
        raise NotFound
    return case


async def concerns(tx: Tx | None, case: Case, person_id: int) -> bool:
    """Whether a finding is about this person, or about the household that they live in."""
    home = await people.home_of(tx, person_id)
    is_shared = case.household_id is not None and case.household_id == home.household_id
    return is_shared or case.person_id in await people.ids_of(tx, person_id)


async def hands(tx: Tx | None, case: Case) -> set[int]:
    """Who wrote it down, confirmed it, brought the letter, and wrote down or confirmed that it was made good."""
    found = await _row(tx, HANDS, case.id)
    assert found is not None
    return {one for one in found if one is not None}


async def objection(case_id: int) -> Objection | None:
    found = await db.row(OBJECTION, case_id)
    if found is None:
        return None
    one = Objection(*found)
    answer = None if one.answer is None else words.opened(one.answer, place_of(case_id, "answer"))
    return msgspec.structs.replace(one, said=words.opened(one.said, place_of(case_id, "said")), answer=answer)


async def earlier(tx: Tx | None, case: Case, months: int) -> int:
    """How many findings of this item its holder was told of before this one, within the months of the process."""
    asked = (case.community_id, case.item_code, case.found_on, counts_after(case.found_on, months), case.id)
    if case.household_id is not None:
        found = await _row(tx, EARLIER + OF_HOUSEHOLD, *asked, case.household_id)
    else:
        ids = await people.ids_of(tx, case.person_id)
        found = await _row(tx, f"{EARLIER}{OF_PERSON} ({_marks(ids)})", *asked, *ids)
    assert found is not None
    return int(found[0])


async def rule_for(tx: Tx | None, case: Case) -> Item | Veto:
    """What the finding is of, as the table of its day says it."""
    version = await scoring.version((case.community_id,), case.version_id, tx)
    rule = rule_of(version.table, case.item_code)
    assert rule is not None
    return rule


async def step_now(tx: Tx | None, case: Case) -> Step:
    """What the finding leads to as things stand."""
    rule = await rule_for(tx, case)
    if isinstance(rule, Veto):
        return Step.VETO
    assert rule.process is not None
    return step_after(rule.process, await earlier(tx, case, rule.process.within_months))


async def barred_until(tx: Tx, passbook_id: int) -> date | None:
    """Up to which day a passbook is kept from redeeming by what was carried out and not made good."""
    found = await tx.rows(BARS, passbook_id)
    return found[0]["barred_until"] if found else None


async def barring(passbook_id: int, today: date) -> list[Case]:
    """What keeps a passbook from redeeming on this day; what lasts longest first."""
    return [_case(found) for found in await db.rows(BARRING, passbook_id, today)]


async def facts_of(tx: Tx | None, case: Case) -> list[object]:
    """All that a second person is asked to confirm."""
    return [*case.facts, await step_now(tx, case)]


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values)) or "NULL"
