"""What becomes of findings, bars and the gate when their holders move, turn out to be one, or go.

A deduction goes with the points that it would be taken from. A veto and its bar go along only where nobody else is
touched: to a home where they live among themselves, or to the other record of the same person. Nobody is kept from
redeeming by what was found of somebody whom they took in. A gate that was passed stays passed. Two who were wrongly
taken for one are two again: what followed the one record to the other goes back.
"""

from datetime import date

import msgspec

from pointsbank.approvals import actions as approvals
from pointsbank.awards.actions_counters import add_to_counters
from pointsbank.awards.actions_deductions import set_bar
from pointsbank.awards.rules import CounterUse, own_row
from pointsbank.awards.rules_cases import CaseState
from pointsbank.kit.db import Row, Tx
from pointsbank.ledger import actions_bars as ledger
from pointsbank.ledger.actions_kinds import open_book
from pointsbank.people.queries import Holder
from pointsbank.scoring.rules import Period
from pointsbank.trail import actions as trail

REDIRECT = """
UPDATE awards_case SET passbook_id = ?
 WHERE passbook_id = ? AND state IN ('made', 'agreed', 'told', 'disputed') AND consequence IS NULL RETURNING id
"""
REDIRECT_VETOES = """
UPDATE awards_case SET passbook_id = ?
 WHERE passbook_id = ? AND consequence IS NOT NULL
   AND (state IN ('made', 'agreed', 'told', 'disputed') OR (state = 'booked' AND barred_until IS NOT NULL)) RETURNING id
"""
# A household's own findings stay with it, also those of a member whose record was a housemate's for a while.
FOLLOWED = """
SELECT it.id, it.passbook_id, kind.code FROM awards_case it
  JOIN ledger_passbook book ON book.id = it.passbook_id JOIN ledger_book_kind kind ON kind.id = book.kind_id
 WHERE it.person_id = ?
   AND (book.person_id = ? OR (book.household_id = ? AND it.household_id IS DISTINCT FROM book.household_id))
   AND (it.state IN ('made', 'agreed', 'told', 'disputed') OR (it.state = 'booked' AND it.barred_until IS NOT NULL))
 ORDER BY it.id
"""
SEND_BACK = "UPDATE awards_case SET passbook_id = ? WHERE id = ?"
# The alias's own rows and those of the record it was taken for, while they are still one.
ROWS = """
SELECT used.scope, used.item_code, used.period, used.period_start, used.points, used.holder_id = it.lent AS is_lent,
       used.holder_id
  FROM (SELECT community_id, 'person' AS scope, id AS lent, merged_into AS own FROM people_person WHERE id = ?
        UNION ALL
        SELECT alias.community_id, 'household', COALESCE(alias.household_id, -alias.id),
               COALESCE(kept.household_id, -kept.id)
          FROM people_person alias JOIN people_person kept ON kept.id = alias.merged_into WHERE alias.id = ?) it
  JOIN awards_cap_use used ON used.community_id = it.community_id AND used.scope = it.scope
   AND used.holder_id IN (it.lent, it.own) AND it.lent <> it.own
 WHERE used.counts = 'streak' AND used.points > 0
 ORDER BY used.scope, used.item_code, used.period, used.period_start
"""
SHORTEN = """
UPDATE awards_cap_use SET points = ?
 WHERE community_id = ? AND scope = ? AND holder_id = ? AND item_code = ? AND period = ? AND period_start = ?
   AND counts = 'streak'
"""
OPEN_OF = """
SELECT id, state, community_id, uses, approval_id, remedy_approval_id FROM awards_case
 WHERE passbook_id = ? AND (state IN ('made', 'agreed', 'told', 'disputed') OR remedy_approval_id IS NOT NULL)
   AND state NOT IN ('dropped', 'made_good') AND taken IS NULL ORDER BY id
"""
END = "UPDATE awards_case SET state = ? WHERE id = ? AND state = ?"
_uses = msgspec.json.Decoder(list[CounterUse]).decode


async def follow(tx: Tx, *, from_id: int, to_id: int, is_theirs_alone: bool) -> None:
    """The holders' points come to another passbook: called before either's account is taken."""
    moved = await tx.rows(REDIRECT, to_id, from_id)
    if is_theirs_alone:
        vetoes = await tx.rows(REDIRECT_VETOES, to_id, from_id)
        if vetoes:
            await set_bar(tx, passbook_id=from_id)
            await set_bar(tx, passbook_id=to_id)
        moved = [*moved, *vetoes]
    for (case_id,) in moved:
        await trail.record(tx, "case.redirected", subject=("case", case_id), passbook=to_id)
    await ledger.follow_gate(tx, from_id=from_id, to_id=to_id)


async def part_rows(tx: Tx, *, community_id: int, person_id: int) -> None:
    """An alias is about to be parted: what the other's rows had of its own is theirs no more for what is to come."""
    rows: dict[tuple[str, str, str], tuple[dict[date, int], dict[date, int]]] = {}
    holders: dict[str, int] = {}
    for found in await tx.rows(ROWS, person_id, person_id):
        own, lent = rows.setdefault((found["scope"], found["item_code"], found["period"]), ({}, {}))
        (lent if found["is_lent"] else own)[found["period_start"]] = found["points"]
        if not found["is_lent"]:
            holders[found["scope"]] = found["holder_id"]
    for (scope, item_code, period), (own, lent) in rows.items():
        for start, count in own_row(Period(period), own, lent).items():
            await tx.run(SHORTEN, count, community_id, scope, holders[scope], item_code, period, start)


async def go_back(tx: Tx, *, holder: Holder, kept: Holder) -> None:
    """A wrong merge was parted: `holder` was an alias of `kept` and is somebody again, with what was found of them.

    What was found of the kept record meanwhile stays with it: nobody can say whose doing it was.
    """
    touched = set()
    for case_id, from_id, kind in await tx.rows(FOLLOWED, holder.person_id, kept.person_id, kept.household_id):
        to_id = await open_book(tx, holder=holder, kind=kind)
        await tx.run(SEND_BACK, to_id, case_id)
        await trail.record(tx, "case.redirected", subject=("case", case_id), passbook=to_id)
        touched |= {from_id, to_id}
    for passbook_id in sorted(touched):
        await set_bar(tx, passbook_id=passbook_id)


async def end(tx: Tx, *, passbook_id: int) -> None:
    """A passbook is closed: what was found and is not carried out yet ends with it, and nobody inherits it."""
    for case in await tx.rows(OPEN_OF, passbook_id):
        await _end(tx, case)


async def _end(tx: Tx, case: Row) -> None:
    is_asked = case["state"] == CaseState.MADE
    for approval_id in (case["approval_id"] if is_asked else None, case["remedy_approval_id"]):
        if approval_id is not None:
            await approvals.end(tx, approval_id=approval_id)
    if case["state"] == CaseState.BOOKED:
        return
    state = CaseState.WITHDRAWN if is_asked else CaseState.DROPPED
    ended = await tx.run(END, state, case["id"], case["state"])
    assert ended == 1
    await add_to_counters(tx, community_id=case["community_id"], uses=_uses(case["uses"]), sign=-1)
    await trail.record(tx, "case.ended", subject=("case", case["id"]), passbook="closed")
