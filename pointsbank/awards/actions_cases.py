"""Findings are written down, confirmed by another person, and told to their holder by a letter.

Order of rows: approvals, cases, counters of caps.
"""

from datetime import date

import msgspec

from pointsbank.approvals import actions as approvals
from pointsbank.approvals import queries as approval_queries
from pointsbank.approvals.rules import facts_hash
from pointsbank.awards import queries_cases as queries
from pointsbank.awards.actions_counters import score
from pointsbank.awards.actions_words import seal_finding
from pointsbank.awards.rules_cases import (
    APPROVAL_KIND,
    Case,
    CaseChanged,
    CaseMoved,
    CaseState,
    FoundAlready,
    How,
    NoDeduction,
    NotBrought,
    OwnCase,
    Step,
    check_day,
    object_days,
    open_until,
    rule_of,
    step_after,
    subject,
)
from pointsbank.kit import words
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_flows as flows
from pointsbank.ledger.actions_kinds import open_book
from pointsbank.ledger.rules import MAIN
from pointsbank.people import queries as people
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import NOTHING, FactNotCounted, Facts, Item, Noted, Table, check_noted
from pointsbank.scoring.rules_facts import FACT_WORDS
from pointsbank.scoring.rules_table import Veto
from pointsbank.trail import actions as trail

MAKE = """
INSERT INTO awards_case (community_id, version_id, item_code, person_id, household_id, passbook_id, found_on, quantity,
                         facts, what, evidence, made_by, made_at, consequence, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'made') ON CONFLICT DO NOTHING RETURNING id
"""
ASK = "UPDATE awards_case SET approval_id = ? WHERE id = ?"
END = "UPDATE awards_case SET state = ? WHERE id = ? AND state = 'made'"
AGREE = """
UPDATE awards_case SET state = 'agreed', step = ?, points = ?, uses = ?, steps = ?, object_days = ?
 WHERE id = ? AND state = 'made'
"""
TELL = """
UPDATE awards_case SET state = 'told', told_on = ?, told_how = ?, told_by = ?, open_until = ?
 WHERE id = ? AND state = 'agreed'
"""
_encode = msgspec.json.Encoder().encode


class _Fixed(msgspec.Struct, frozen=True):
    """What a finding leads to, from the day on which it was confirmed."""

    step: Step
    points: int = 0
    uses: str = "[]"
    steps: str = "[]"


async def make(
    tx: Tx,
    *,
    person_id: int,
    item_code: str,
    found_on: date,
    what: str,
    evidence: str,
    quantity: int = 1,
    noted: Noted = NOTHING,
) -> int:
    """Write down what was found, and ask another person to look at it; returns the case.

    The rules are those of the day on which it was found.
    """
    check_day(found_on, local_day(tx.now))
    holder = await people.holder_of(tx, person_id)
    if holder.state != "member":
        raise NotFound
    await not_own(tx, person_id=holder.person_id)
    version = await scoring.version_on(tx, community_id=holder.community_id, day=found_on)
    rule = rule_of(version.table, item_code)
    if rule is None:
        raise NoDeduction(item_code=item_code, day=found_on.isoformat())
    if isinstance(rule, Item):
        check_noted(version.table, rule, noted, quantity)
    elif noted != NOTHING or quantity != 1:
        told = "level" if noted.level is not None else "quantity" if noted == NOTHING else "fixed_points"
        raise FactNotCounted(name=rule.name, fact=FACT_WORDS[told])
    passbook_id = await open_book(tx, holder=holder, kind=_book_kind(version.table, rule))
    is_shared = isinstance(rule, Item) and rule.scope == "household"
    is_shared = is_shared or (await flows.book(tx, passbook_id)).household_id is not None
    made = await tx.row(
        MAKE, holder.community_id, version.id, item_code, holder.person_id,
        holder.household_id if is_shared else None, passbook_id, found_on, quantity,
        "" if noted == NOTHING else _encode(noted).decode(), words.MARK, words.MARK,
        tx.actor.person_id, tx.now, rule.consequence if isinstance(rule, Veto) else None,
    )  # fmt: skip
    if made is None:
        raise FoundAlready
    case_id = int(made["id"])
    await seal_finding(tx, case_id=case_id, what=what, evidence=evidence)
    case = await queries.case_in(tx, case_id)
    approval_id = await approvals.ask(
        tx,
        community_id=holder.community_id,
        kind=APPROVAL_KIND,
        subject=subject(case_id),
        facts_hash=facts_hash(await queries.facts_of(tx, case)),
        person_ids=[holder.person_id],
        household_ids=[] if holder.household_id is None else [holder.household_id],
    )
    await tx.run(ASK, approval_id, case_id)
    await trail.record(tx, "case.made", subject=("case", case_id), item=item_code)
    return case_id


def _book_kind(table: Table, rule: Item | Veto) -> str:
    """The passbook that is paid from at the counter, or the one to which the base points were given."""
    if isinstance(rule, Item):
        return rule.book_kind
    return table.base.book_kind if rule.consequence == "reset_to_base" and table.base else MAIN


async def agree(tx: Tx, *, case_id: int, seen: str) -> int:
    """Confirm a finding as it was seen: what it leads to is fixed from here on. Returns the case."""
    case = await _waiting(tx, case_id)
    now = facts_hash(await queries.facts_of(tx, case))
    assert case.approval_id is not None
    if now != (await approval_queries.approval(tx, case.approval_id)).facts_hash:
        raise CaseChanged
    await approvals.give(tx, approval_id=case.approval_id, seen=seen)
    await approvals.use(tx, approval_id=case.approval_id, kind=APPROVAL_KIND, subject=subject(case_id), facts_hash=now)
    version = await scoring.version((case.community_id,), case.version_id, tx)
    rule = await queries.rule_for(tx, case)
    fixed = _Fixed(Step.VETO) if isinstance(rule, Veto) else await _worked_out(tx, case, version.table, rule)
    agreed = await tx.run(
        AGREE, fixed.step, fixed.points, fixed.uses, fixed.steps, object_days(version.table, rule), case_id
    )
    if agreed != 1:
        raise CaseMoved
    await trail.record(tx, "case.agreed", subject=("case", case_id), step=fixed.step, points=fixed.points)
    return case_id


async def _worked_out(tx: Tx, case: Case, table: Table, item: Item) -> _Fixed:
    assert item.process is not None
    earlier = await queries.earlier(tx, case, item.process.within_months)
    facts = Facts(case.found_on, 0, 0, case.quantity, earlier=earlier, **msgspec.structs.asdict(case.noted))
    holder = await people.holder_of(tx, case.person_id)
    result, uses = await score(tx, holder=holder, table=table, item=item, facts=facts)
    step = step_after(item.process, earlier)
    return _Fixed(step, result.points, _encode(uses).decode(), _encode(result.steps).decode())


async def refuse(tx: Tx, *, case_id: int, reason: str) -> None:
    case = await _waiting(tx, case_id)
    assert case.approval_id is not None
    await approvals.refuse(tx, approval_id=case.approval_id, reason=reason)
    await _end(tx, case_id, CaseState.REFUSED)


async def withdraw(tx: Tx, *, case_id: int) -> None:
    case = await _waiting(tx, case_id)
    assert case.approval_id is not None
    await approvals.withdraw(tx, approval_id=case.approval_id)
    await _end(tx, case_id, CaseState.WITHDRAWN)


async def tell(tx: Tx, *, case_id: int, told_on: date, how: How) -> None:
    """The letter is with its holder: the days to object begin. Not before it was confirmed, nor in days to come."""
    case = await queries.case_in(tx, case_id)
    assert case.approval_id is not None
    agreed = (await approval_queries.approval(tx, case.approval_id)).used_at
    if told_on > local_day(tx.now) or (agreed is not None and told_on < local_day(agreed)):
        raise NotBrought
    await not_own(tx, person_id=case.person_id)
    if case.object_days is None:
        raise CaseMoved
    until = open_until(told_on, case.object_days)
    if await tx.run(TELL, told_on, how, tx.actor.person_id, until, case_id) != 1:
        raise CaseMoved
    await trail.record(tx, "case.told", subject=("case", case_id), how=how, day=told_on.isoformat())


async def not_own(tx: Tx, *, person_id: int) -> None:
    """Nobody writes down, tells or rules on what their own household did."""
    assert tx.actor.person_id is not None
    if await people.same_household(tx, tx.actor.person_id, person_id):
        raise OwnCase


async def _waiting(tx: Tx, case_id: int) -> Case:
    case = await queries.case_in(tx, case_id)
    if case.state != CaseState.MADE:
        raise CaseMoved
    return case


async def _end(tx: Tx, case_id: int, state: CaseState) -> None:
    if await tx.run(END, state, case_id) != 1:
        raise CaseMoved
    await trail.record(tx, f"case.{state}", subject=("case", case_id))
