"""Acts become awards, awards are reviewed and noticed. Order of rows: counters of caps, awards, the ledger."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import msgspec

from pointsbank.awards import actions_seats, actions_settle, queries_hands
from pointsbank.awards.actions_counters import add_to_counters, score
from pointsbank.awards.actions_settle import AWARDS, last_day
from pointsbank.awards.rules import (
    BATCH_MAX,
    AlreadyRecorded,
    AlreadyReviewed,
    CounterUse,
    LineNotHeld,
    NotYourStep,
    OwnAct,
    Reason,
    Settling,
    State,
    basis_of,
    leaves_something,
    next_role,
    notice_days,
)
from pointsbank.awards.rules_panel import PANEL
from pointsbank.kit.clock import local_day, minute_of_day, start_of_day
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.actions_kinds import open_book
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.notices import actions as notices
from pointsbank.notices import queries as notice_queries
from pointsbank.notices.rules import NewLine, Told
from pointsbank.people import queries as people
from pointsbank.people.rules import HasLeft, StillProvisional
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import (
    NOTHING,
    WORDS,
    Facts,
    Noted,
    UnknownItem,
    check_noted,
    done,
)
from pointsbank.trail import actions as trail

ACT = """
INSERT INTO awards_act (community_id, person_id, source_room, source_kind, source_id, item_code, what, evidence,
                        began_at, day, minutes, planned_minutes, quantity, facts, recorded_by, recorded_at, occasion)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (source_room, source_kind, source_id, item_code) DO NOTHING RETURNING id
"""
AWARD = """
INSERT INTO awards_award (act_id, version_id, community_id, person_id, passbook_id, item_code, points, clipped, steps,
                          uses, chain, reviews_given, next_role, notice_days, expires_on, state, made_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?) RETURNING id
"""
REVIEW = """
INSERT INTO awards_review (award_id, step, verdict, reason, reviewed_by, reviewed_at) VALUES (?, ?, ?, ?, ?, ?)
"""
AWARD_OF_ID = f"{AWARDS} WHERE award.id = ?"
AWARD_OF_LINE = f"{AWARDS} WHERE award.line_id = ?"
READY = f"""
{AWARDS}
 WHERE award.state = 'pending' AND award.next_role = '' AND award.waits_for_budget IS NULL
   AND NOT EXISTS (SELECT 1 FROM awards_review review WHERE review.award_id = award.id AND review.reviewed_at >= ?)
 ORDER BY award.community_id, award.version_id, award.id LIMIT ?
"""
TAKE_STEP = """
UPDATE awards_award SET reviews_given = reviews_given + 1, next_role = ?
 WHERE id = ? AND state = 'pending' AND reviews_given = ?
"""
TAKE_FOR_NOTICE = "UPDATE awards_award SET state = 'noticed' WHERE id = ? AND state = 'pending' AND next_role = ''"
PUT_ON_NOTICE = "UPDATE awards_award SET notice_id = ?, line_id = ? WHERE id = ?"
CHANGE = "UPDATE awards_award SET state = ? WHERE id = ? AND state = ?"
REJECT = """
UPDATE awards_award SET state = 'rejected', waits_for_budget = NULL WHERE id = ? AND state = ?
RETURNING community_id, uses
"""

REDIRECT = """
UPDATE awards_award SET passbook_id = ?
 WHERE passbook_id = ? AND state IN ('pending', 'noticed', 'disputed') RETURNING id
"""

_NOTICE = itemgetter("community_id", "version_id", "notice_days")
_encode = msgspec.json.Encoder().encode
_uses = msgspec.json.Decoder(list[CounterUse]).decode
_chain = msgspec.json.Decoder(list[str]).decode


class Made(msgspec.Struct, frozen=True):
    award_id: int
    points: int
    state: State


async def record_act(
    tx: Tx,
    *,
    community_id: int,
    person_id: int,
    source: tuple[str, str, int],
    item_code: str,
    what: str,
    evidence: str,
    began_at: datetime,
    minutes: int,
    planned_minutes: int,
    quantity: int = 1,
    noted: Noted = NOTHING,
    reviewed_by: int | None = None,
    occasion: tuple[str, str, int] | None = None,
) -> Made:
    """Write down what was done, and how much of it as its item counts it, and work out its points.

    `reviewed_by` has passed the first step of a chain that begins with the organiser. What several did on one
    `occasion` has it in common, for items that count once for a household; an act without is an occasion of its own.
    A caller with several acts goes through them by ascending person, so that two callers do not wait for each other.
    """
    day = local_day(began_at)
    version = await scoring.version_on(tx, community_id=community_id, day=day)
    item = version.items.get(item_code)
    if item is None or item.deduction:  # those are found, not done, and have their own way
        raise UnknownItem(item_code=item_code)
    holder = await people.holder_of(tx, person_id)
    if holder.state != "member":
        raise StillProvisional if holder.state == "provisional" else HasLeft
    if reviewed_by is not None and await people.same_household(tx, reviewed_by, holder.person_id):
        raise OwnAct
    check_noted(version.table, item, noted, quantity)
    facts = Facts(
        day, minutes, planned_minutes, quantity, began_minute=minute_of_day(began_at),
        occasion="/".join(map(str, occasion or source)), **msgspec.structs.asdict(noted),
    )  # fmt: skip
    result, uses = await score(tx, holder=holder, table=version.table, item=item, facts=facts)
    act = await tx.row(
        ACT, community_id, holder.person_id, *source, item_code, f"{what} {done(item, facts)}", evidence, began_at,
        day, minutes, planned_minutes, quantity, "" if noted == NOTHING else _text(noted), tx.actor.person_id,
        tx.now, facts.occasion,
    )  # fmt: skip
    if act is None:
        raise AlreadyRecorded
    given = 1 if reviewed_by is not None and item.review[0] == "organiser" else 0
    chain = item.review if leaves_something(facts.minutes, result.points, uses) else item.review[:given]
    passbook_id = await open_book(tx, holder=holder, kind=item.book_kind)
    award = await tx.row(
        AWARD, act["id"], version.id, community_id, holder.person_id, passbook_id, item_code, result.points,
        result.clipped, _text(result.steps), _text(uses), _text(chain), given, next_role(chain, given),
        notice_days(version.table, item), last_day(item.validity or version.table.validity, tx.now), tx.now,
    )  # fmt: skip
    assert award is not None
    award_id = int(award["id"])
    if given:
        await tx.run(REVIEW, award_id, 0, "passed", "", reviewed_by, tx.now)
    await trail.record(tx, "award.made", subject=("award", award_id), points=result.points, clipped=result.clipped)
    return Made(award_id, result.points, await _advance(tx, award_id))


async def review(tx: Tx, *, award_id: int, passed: bool, reason: Reason | None, role: str = "community_admin") -> State:
    """Take the next step of an award's chain; a rejection needs its reason and gives back what the caps counted."""
    return await _review(tx, award_id, passed=passed, reason=reason, role=role, known=set())


async def _review(tx: Tx, award_id: int, *, passed: bool, reason: Reason | None, role: str, known: set[int]) -> State:
    award = await _award(tx, AWARD_OF_ID, award_id)
    if award["state"] != State.PENDING or not award["next_role"]:
        raise AlreadyReviewed
    if award["next_role"] != role:
        raise NotYourStep(role=WORDS[award["next_role"]])
    reviewer_id = tx.actor.person_id
    assert reviewer_id is not None
    if await people.same_household(tx, reviewer_id, award["person_id"]):
        raise OwnAct
    await queries_hands.check_reviewer(tx, award_id=award_id, reviewer_id=reviewer_id, known=known)
    return await take_step(tx, award=award, passed=passed, reason=reason, reviewer_id=reviewer_id)


async def take_step(tx: Tx, *, award: Row, passed: bool, reason: Reason | None, reviewer_id: int | None) -> State:
    """Walk one step of the chain, or send the award back; no reviewer where a panel decided."""
    award_id, given = award["id"], award["reviews_given"]
    # The count that was read is the guard: whoever took this step meanwhile has raised it.
    following = next_role(_chain(award["chain"]), given + 1)
    if await tx.run(TAKE_STEP, following if passed else award["next_role"], award_id, given) != 1:
        raise AlreadyReviewed
    verdict = "passed" if passed else "rejected"
    await tx.run(REVIEW, award_id, given, verdict, reason or "", reviewer_id, tx.now)
    await trail.record(tx, "award.reviewed", subject=("award", award_id), step=given, verdict=verdict)
    if passed:
        return await _advance(tx, award_id)
    assert reason is not None
    await _reject(tx, award_id, State.PENDING, reason)
    return State.REJECTED


async def review_all(
    tx: Tx, *, community_id: int, award_ids: Sequence[int], passed: bool, reason: Reason | None
) -> int:
    """Take the same step for several awards of a community, all or none; returns how many."""
    assert 0 < len(award_ids) <= BATCH_MAX
    known: set[int] = set()
    for award_id in sorted(set(award_ids)):
        award = await _award(tx, AWARD_OF_ID, award_id)
        if award["community_id"] != community_id:
            raise NotFound
        await _review(tx, award_id, passed=passed, reason=reason, role="community_admin", known=known)
    return len(set(award_ids))


async def gather_notices(tx: Tx) -> int:
    """Put what was fully reviewed before today on today's notices; returns how many awards, 0 when all is done.

    Only what was ready at midnight counts, so it does not matter how often this runs: one notice a night for each
    community, version and kind of passbook.
    """
    midnight = start_of_day(local_day(tx.now))
    ready = await tx.rows(READY, midnight, BATCH_MAX)
    gathered = 0
    for _night, awards in groupby(ready, _NOTICE):
        taken = [award for award in awards if await tx.run(TAKE_FOR_NOTICE, award["id"]) == 1]
        if taken:
            await _put_on_notice(tx, taken)
        gathered += len(taken)
    return gathered


async def _put_on_notice(tx: Tx, awards: Sequence[Row]) -> None:
    """Points of different kinds have no sum, so each kind has its own notice."""
    community_id = awards[0]["community_id"]
    version = await scoring.version((community_id,), awards[0]["version_id"], tx)
    book_kinds = await kinds.denominations(tx, community_id)

    def kind_of(award: Row) -> str:
        return version.items[award["item_code"]].book_kind

    for code, of_kind in groupby(sorted(awards, key=kind_of), kind_of):
        await _show(tx, list(of_kind), book_kinds[code], basis_of(version.table, version.number))


async def _show(tx: Tx, awards: Sequence[Row], of: Denomination, basis: str) -> None:
    community_id, days = awards[0]["community_id"], awards[0]["notice_days"]
    lines = []
    for award in awards:
        shown_name, place = await people.notice_name(tx, award["person_id"])
        lines.append(NewLine(shown_name, place, award["what"], award["points"], award["person_id"]))
    night = {"community_id": community_id, "basis": basis, "days": days}
    notice_id = await notice_queries.just_opened(tx, **night, book_kind=of.code)
    if notice_id is None:
        today = local_day(tx.now)
        title = f"{today.year} 年 {today.month} 月 {today.day} 日{of.name}公示"
        told = Told(of.code, of.unit, of.decimals)
        opened = await notices.open_notice(tx, **night, title=title, told=told, lines=lines)
        notice_id, line_ids = opened.notice_id, opened.line_ids
    else:
        line_ids = await notices.add_lines(tx, notice_id=notice_id, lines=lines)
    for award, line_id in zip(awards, line_ids, strict=True):
        await tx.run(PUT_ON_NOTICE, notice_id, line_id, award["id"])


async def hold_line(tx: Tx, *, line_id: int) -> None:
    """Keep the award of this line from settling until a ruling."""
    award = await _award(tx, AWARD_OF_LINE, line_id)
    if await tx.run(CHANGE, State.DISPUTED, award["id"], State.NOTICED) != 1:
        raise LineNotHeld
    await trail.record(tx, "award.held", subject=("award", award["id"]))


async def release_line(tx: Tx, *, line_id: int) -> None:
    """The objection was dismissed: back on the notice, or booked at once where the notice has ended meanwhile."""
    award = await _award(tx, AWARD_OF_LINE, line_id)
    if await tx.run(CHANGE, State.NOTICED, award["id"], State.DISPUTED) != 1:
        raise LineNotHeld
    await trail.record(tx, "award.released", subject=("award", award["id"]))
    if await notice_queries.is_closed(tx, award["notice_id"]):
        outcome = await actions_settle.settle(tx, award=await _award(tx, AWARD_OF_LINE, line_id))
        assert outcome is not Settling.MOVED


async def reject_line(tx: Tx, *, line_id: int, reason: Reason = Reason.OBJECTION) -> None:
    """The objection was upheld."""
    award = await _award(tx, AWARD_OF_LINE, line_id)
    await _reject(tx, award["id"], State.DISPUTED, reason)


async def send_back(tx: Tx, *, award_id: int, reason: Reason) -> None:
    """Take an award off its way to points: its person is another, or left. A line that hangs on a notice stays."""
    award = await _award(tx, AWARD_OF_ID, award_id)
    if award["state"] not in (State.PENDING, State.NOTICED):
        raise AlreadyReviewed
    await _reject(tx, award_id, award["state"], reason)


async def redirect(tx: Tx, *, from_id: int, to_id: int) -> None:
    """Let what is on its way to one passbook come to another; called before either's account is taken."""
    for (award_id,) in await tx.rows(REDIRECT, to_id, from_id):
        await trail.record(tx, "award.redirected", subject=("award", award_id), passbook=to_id)


async def _award(tx: Tx, sql: str, number: int) -> Row:
    found = await tx.row(sql, number)
    if found is None:
        raise NotFound
    return found


async def _advance(tx: Tx, award_id: int) -> State:
    """Settle what waits for nobody: the chain finished, and no notice wanted or no points to be noticed."""
    award = await _award(tx, AWARD_OF_ID, award_id)
    if award["next_role"] or (award["points"] and award["notice_days"]):
        if award["next_role"] == PANEL:
            await actions_seats.open_panel(tx, award=award)
        return State.PENDING
    outcome = await actions_settle.settle(tx, award=award)
    assert outcome is not Settling.MOVED
    return State.SETTLED if outcome is Settling.BOOKED else State.PENDING


async def _reject(tx: Tx, award_id: int, state: State, reason: Reason) -> None:
    rejected = await tx.row(REJECT, award_id, state)
    if rejected is None:
        raise AlreadyReviewed
    await add_to_counters(tx, community_id=rejected["community_id"], uses=_uses(rejected["uses"]), sign=-1)
    await trail.record(tx, "award.rejected", subject=("award", award_id), reason=reason)


def _text(value: object) -> str:
    return _encode(value).decode()
