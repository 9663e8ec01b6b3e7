"""What becomes of a finding that was told: objected to, ruled on, made good, or carried out when its days are over.

Order of rows: approvals, cases, counters of caps, the ledger.
"""

from datetime import timedelta

import msgspec

from pointsbank.approvals import actions as approvals
from pointsbank.approvals import queries as approval_queries
from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import queries_cases as queries
from pointsbank.awards.actions_cases import not_own
from pointsbank.awards.actions_counters import add_to_counters
from pointsbank.awards.rules import CounterUse
from pointsbank.awards.rules_cases import (
    REMEDY_KIND,
    Case,
    CaseMoved,
    CaseState,
    Consequence,
    NotTheirs,
    OverForObjecting,
    SameHands,
    Verdict,
    months_after,
    place_of,
    remedy_facts,
    remedy_subject,
)
from pointsbank.kit import words
from pointsbank.kit.clock import local_day, start_of_day
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import actions_bars as bars
from pointsbank.ledger import actions_deduction as ledger
from pointsbank.ledger.rules import Deducted
from pointsbank.people import queries as people
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules_table import Item, Veto
from pointsbank.trail import actions as trail

BATCH = 100

OBJECT = "UPDATE awards_case SET state = 'disputed' WHERE id = ? AND state = 'told' AND open_until >= ?"
KEEP = """
INSERT INTO awards_case_objection (case_id, said, person_id, recorded_by, recorded_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (case_id) DO NOTHING
"""
RULE = """
UPDATE awards_case_objection SET verdict = ?, answer = ?, ruled_by = ?, ruled_at = ?
 WHERE case_id = ? AND verdict IS NULL
"""
UPHELD = "UPDATE awards_case SET state = 'dropped' WHERE id = ? AND state = 'disputed' RETURNING community_id, uses"
# Whoever objected has as many days again to make it good.
DISMISSED = "UPDATE awards_case SET state = 'told', open_until = ? WHERE id = ? AND state = 'disputed'"
REMEDY = """
UPDATE awards_case SET remedy = ?, remedy_by = ?
 WHERE id = ? AND remedy IS NULL
   AND ((state = 'told' AND step IN ('deduction', 'veto') AND open_until >= ?)
        OR (state = 'booked' AND barred_until >= ?))
"""
ASK = "UPDATE awards_case SET remedy_approval_id = ? WHERE id = ?"
REMEDIED = """
UPDATE awards_case SET state = 'made_good' WHERE id = ? AND state IN ('told', 'booked') AND remedy_approval_id = ?
RETURNING community_id, uses
"""
NOT_REMEDIED = """
UPDATE awards_case SET remedy = NULL, remedy_by = NULL, remedy_approval_id = NULL
 WHERE id = ? AND remedy_approval_id = ?
"""
DUE = """
SELECT id FROM awards_case
 WHERE state = 'told' AND step IN ('deduction', 'veto') AND open_until < ? AND remedy IS NULL
 ORDER BY passbook_id, id LIMIT ?
"""
BOOK = """
UPDATE awards_case SET state = 'booked', booked_at = ?
 WHERE id = ? AND state = 'told' AND open_until < ? AND remedy IS NULL
"""
BOOKED = "UPDATE awards_case SET points = ?, taken = ?, entry_id = ? WHERE id = ?"
BARRED = "UPDATE awards_case SET barred_until = ? WHERE id = ?"
_uses = msgspec.json.Decoder(list[CounterUse]).decode


async def object_to(tx: Tx, *, case_id: int, said: str) -> None:
    """Object, once, as the holder; until somebody has ruled, nothing is taken and the finding does not count."""
    case = await queries.case_in(tx, case_id)
    assert tx.actor.person_id is not None
    if not await queries.concerns(tx, case, tx.actor.person_id):
        raise NotTheirs
    await _object(tx, case, said, tx.actor.person_id)


async def note_objection(tx: Tx, *, case_id: int, said: str) -> None:
    """Write down what the holder said at the desk or by telephone."""
    await _object(tx, await queries.case_in(tx, case_id), said, None)


async def _object(tx: Tx, case: Case, said: str, person_id: int | None) -> None:
    today = local_day(tx.now)
    if await tx.run(OBJECT, case.id, today) != 1:
        raise OverForObjecting if case.open_until is not None and case.open_until < today else CaseMoved
    sealed = words.seal(said, place_of(case.id, "said"))
    if await tx.run(KEEP, case.id, sealed, person_id, tx.actor.person_id, tx.now) != 1:
        raise OverForObjecting  # it was ruled on, and a ruling is the last word here
    await trail.record(tx, "case.disputed", subject=("case", case.id), on_phone=person_id is not None)


async def rule(tx: Tx, *, case_id: int, verdict: Verdict, answer: str) -> None:
    """Decide on an objection; whoever wrote the finding down, confirmed or told it does not rule on it.

    Nor does somebody who may have signed in as one of them.
    """
    ruler_id = tx.actor.person_id
    assert ruler_id is not None
    case = await queries.case_in(tx, case_id)
    await not_own(tx, person_id=case.person_id)
    hands = await queries.hands(tx, case)
    if set(await people.ids_of(tx, ruler_id)) & hands:
        raise SameHands
    for hand in sorted(hands):
        if (dependent := await approval_queries.dependent(tx, hand, ruler_id)) is not None:
            raise dependent
    sealed = words.seal(answer, place_of(case_id, "answer"))
    if await tx.run(RULE, verdict, sealed, ruler_id, tx.now, case_id) != 1:
        raise CaseMoved
    if verdict == Verdict.UPHELD:
        await _let_go(tx, await tx.row(UPHELD, case_id))
    else:
        assert case.open_until is not None
        assert case.object_days is not None
        until = max(case.open_until, local_day(tx.now) + timedelta(days=case.object_days))
        if await tx.run(DISMISSED, until, case_id) != 1:
            raise CaseMoved
    await trail.record(tx, "case.ruled", subject=("case", case_id), verdict=verdict)


async def remedy(tx: Tx, *, case_id: int, said: str) -> None:
    """Write down, in time, that it was made good; a second person looks, and meanwhile nothing is taken.

    A bar can be lifted for as long as it holds.
    """
    case = await queries.case_in(tx, case_id)
    await not_own(tx, person_id=case.person_id)
    today = local_day(tx.now)
    sealed = words.seal(said, place_of(case_id, "remedy"))
    if await tx.run(REMEDY, sealed, tx.actor.person_id, case_id, today, today) != 1:
        raise CaseMoved
    holder = await people.holder_of(tx, case.person_id)
    households = {one for one in (holder.household_id, case.household_id) if one is not None}
    approval_id = await approvals.ask(
        tx,
        community_id=case.community_id,
        kind=REMEDY_KIND,
        subject=remedy_subject(case_id),
        facts_hash=facts_hash(remedy_facts(case_id, said)),
        person_ids=[holder.person_id],
        household_ids=households,
    )
    await tx.run(ASK, approval_id, case_id)
    await trail.record(tx, "case.remedy_told", subject=("case", case_id))


async def agree_remedy(tx: Tx, *, case_id: int, seen: str) -> None:
    """It was made good: nothing is taken, and a bar is lifted."""
    case, approval_id, said = await _remedied(tx, case_id)
    await approvals.give(tx, approval_id=approval_id, seen=seen)
    await approvals.use(
        tx, approval_id=approval_id, kind=REMEDY_KIND, subject=remedy_subject(case_id),
        facts_hash=facts_hash(remedy_facts(case.id, said)),
    )  # fmt: skip
    await _let_go(tx, await tx.row(REMEDIED, case_id, approval_id))
    if case.state == CaseState.BOOKED:
        await set_bar(tx, passbook_id=case.passbook_id)
    await trail.record(tx, "case.made_good", subject=("case", case_id))


async def refuse_remedy(tx: Tx, *, case_id: int, reason: str) -> None:
    """It was not made good, and what was to come goes on."""
    _case, approval_id, _said = await _remedied(tx, case_id)
    await approvals.refuse(tx, approval_id=approval_id, reason=reason)
    if await tx.run(NOT_REMEDIED, case_id, approval_id) != 1:
        raise CaseMoved
    await trail.record(tx, "case.remedy_refused", subject=("case", case_id))


async def _remedied(tx: Tx, case_id: int) -> tuple[Case, int, str]:
    case = await queries.case_in(tx, case_id)
    if case.state not in (CaseState.TOLD, CaseState.BOOKED) or case.remedy_approval_id is None or case.remedy is None:
        raise CaseMoved
    return case, case.remedy_approval_id, case.remedy


async def _let_go(tx: Tx, ended: Row | None) -> None:
    """What the caps counted is given back."""
    if ended is None:
        raise CaseMoved
    await add_to_counters(tx, community_id=ended["community_id"], uses=_uses(ended["uses"]), sign=-1)


async def book_due(tx: Tx) -> int:
    """Carry out deductions and vetoes whose days are over; returns how many, 0 when all is done."""
    today = local_day(tx.now)
    due = await tx.rows(DUE, today, BATCH)
    for (case_id,) in due:
        if await tx.run(BOOK, tx.now, case_id, today) == 1:
            await _carry_out(tx, await queries.case_in(tx, case_id))
    return len(due)


async def _carry_out(tx: Tx, case: Case) -> None:
    rule = await queries.rule_for(tx, case)
    if isinstance(rule, Veto) and case.consequence == Consequence.NO_REDEMPTION:
        await _bar(tx, case, rule)
        return
    points, done = await (_reset(tx, case, rule) if isinstance(rule, Veto) else _take(tx, case, rule))
    await tx.run(BOOKED, points, done.points, done.entry_id, case.id)
    shortfall = points - done.points
    await trail.record(tx, "case.booked", subject=("case", case.id), points=done.points, shortfall=shortfall)


async def _take(tx: Tx, case: Case, item: Item) -> tuple[int, Deducted]:
    if not case.points:
        return 0, Deducted(None, 0)
    said = _posting(case, item.name)
    return case.points, await ledger.deduct(tx, **said, points=case.points, floor=item.floor)


async def _reset(tx: Tx, case: Case, veto: Veto) -> tuple[int, Deducted]:
    version = await scoring.version((case.community_id,), case.version_id, tx)
    assert version.table.base is not None
    return await ledger.reset_to(tx, **_posting(case, veto.name), base=version.table.base.points)


def _posting(case: Case, summary: str) -> ledger.Posting:
    return {
        "passbook_id": case.passbook_id,
        "posting_key": f"deduction:{case.id}",
        "effective_at": start_of_day(case.found_on),
        "member_id": case.person_id,
        "version_id": case.version_id,
        "source": ("awards", "case", case.id),
        "summary": summary,
    }


async def _bar(tx: Tx, case: Case, veto: Veto) -> None:
    """The months count from the letter: whoever objects is not barred for longer."""
    assert case.told_on is not None
    assert veto.bar_months is not None
    until = months_after(case.told_on, veto.bar_months)
    await tx.run(BARRED, until, case.id)
    await set_bar(tx, passbook_id=case.passbook_id)
    await trail.record(tx, "case.barred", subject=("case", case.id), until=until.isoformat())


async def set_bar(tx: Tx, *, passbook_id: int) -> None:
    """Let a passbook redeem again after the last of its bars."""
    await bars.bar(tx, passbook_id=passbook_id, until=await queries.barred_until(tx, passbook_id))
