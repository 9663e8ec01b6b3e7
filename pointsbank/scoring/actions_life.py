"""From a draft to a version in force: meeting, public notice, answers, the day. Who drafts does not publish.

Whoever takes a step holds the community's table first: what was checked is then what goes on.
"""

from datetime import date, timedelta

from pointsbank.approvals import queries as approvals
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import MAIN
from pointsbank.notices import actions as notices
from pointsbank.notices import queries as notice_queries
from pointsbank.notices.rules import DAYS_MAX, LINES_MAX, About, Grounds, NewLine, Told, shown_until
from pointsbank.people import queries as people
from pointsbank.scoring import actions_minutes, queries, queries_life
from pointsbank.scoring.actions import HOLD_DRAFTS, refuse_faults, refuse_waiting
from pointsbank.scoring.queries import Version
from pointsbank.scoring.rules import TooSoon
from pointsbank.scoring.rules_life import (
    WORDS_LETTERS_MAX,
    Back,
    MeetingOutOfTime,
    NoMeeting,
    NotCarried,
    NothingChanged,
    NoticeRuns,
    NoticeTooShort,
    NotLowered,
    OwnDraft,
    OwnObjection,
    StartsTooEarly,
    Unanswered,
    UnansweredYet,
    VotesExceed,
    WrongStep,
    earliest_start,
    is_carried,
    notice_lines,
)
from pointsbank.trail import actions as trail

DUE_AT_ONCE = 200
STEP = "UPDATE scoring_version SET state = ? WHERE id = ? AND state = ?"
BACK_TO_DRAFT = "UPDATE scoring_version SET state = 'draft' WHERE id = ? AND state IN ('discussion', 'noticed')"
VOID_MEETING = "UPDATE scoring_meeting SET voided_at = ? WHERE version_id = ? AND voided_at IS NULL"
MEET = """
INSERT INTO scoring_meeting (version_id, held_on, place, present, votes_for, votes_against, abstained, record,
                             record_kind, recorded_by, recorded_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
TELL = "INSERT INTO scoring_notice (version_id, notice_id, starts_on, opened_by) VALUES (?, ?, ?, ?)"
VOID_TOLD = "UPDATE scoring_notice SET voided_at = ? WHERE version_id = ? AND voided_at IS NULL RETURNING notice_id"
PUBLISH = """
UPDATE scoring_version SET state = 'scheduled', in_force_from = ?, published_by = ?, published_at = ?
 WHERE id = ? AND state = 'noticed'
"""
LEAST_DAYS = "UPDATE scoring_table SET notice_days_min = ? WHERE community_id = ?"
DUE = f"""
SELECT id, community_id FROM scoring_version WHERE state = 'scheduled' AND in_force_from <= ?
 ORDER BY community_id, in_force_from, number LIMIT {DUE_AT_ONCE}
"""
RETIRE = "UPDATE scoring_version SET state = 'retired' WHERE community_id = ? AND state = 'in_force'"
ENTER = "UPDATE scoring_version SET state = 'in_force' WHERE id = ? AND state = 'scheduled'"

TITLE = "积分标准第 {number} 版公示"
BASIS = "《{name}》第 {number} 版"


async def _held(tx: Tx, community_id: int, version_id: int, *states: str) -> Version:
    """The version, which nobody else takes a step with until this transaction ends."""
    await tx.run(HOLD_DRAFTS, community_id)
    found = await queries.version((community_id,), version_id, tx)
    if found.state not in states:
        raise WrongStep
    return found


async def _is_drafter(tx: Tx, version_id: int) -> bool:
    assert tx.actor.person_id is not None
    known = await people.ids_of(tx, tx.actor.person_id)
    return bool(set(known) & set(await queries_life.drafters(tx, version_id)))


async def _not_drafter(tx: Tx, version_id: int) -> None:
    assert tx.actor.person_id is not None
    if await _is_drafter(tx, version_id):
        raise OwnDraft
    for drafter_id in await queries_life.drafters(tx, version_id):
        dependent = await approvals.dependent(tx, drafter_id, tx.actor.person_id)
        if dependent is not None:
            raise dependent


async def _step(tx: Tx, version_id: int, before: str, after: str) -> None:
    if await tx.run(STEP, after, version_id, before) != 1:
        raise WrongStep


async def set_least_days(tx: Tx, *, community_id: int, days: int) -> None:
    """Set how long this community shows a new version at the least.

    Anybody who publishes makes it longer, who drafted too. Less is for a second person: so there is a version that
    somebody else has drafted.
    """
    await tx.run(HOLD_DRAFTS, community_id)
    if not 0 < days <= DAYS_MAX:
        raise NoticeTooShort(least=1, most=DAYS_MAX)
    before = await queries_life.least_days(tx, community_id)
    if days < before:
        under_way = await queries.under_way(community_id, tx)
        if under_way is None or await _is_drafter(tx, under_way.id):
            raise NotLowered(least=before)
        await _not_drafter(tx, under_way.id)
    await tx.run(LEAST_DAYS, days, community_id)
    await trail.record(tx, "table.notice_days_set", subject=("community", community_id), days=days, before=before)


async def submit(tx: Tx, *, community_id: int, version_id: int) -> None:
    """Hand a draft to the residents' meeting: from here on it stays as it is."""
    found = await _held(tx, community_id, version_id, "draft")
    await refuse_faults(tx, community_id=community_id, table=found.table)
    await _lines(tx, found)
    await _step(tx, version_id, "draft", "discussion")
    await trail.record(tx, "table.submitted", subject=("version", version_id))


async def record_meeting(
    tx: Tx,
    *,
    community_id: int,
    version_id: int,
    held_on: date,
    place: str,
    present: int,
    votes_for: int,
    votes_against: int,
    abstained: int,
    record: bytes,
    record_kind: str,
) -> int:
    """Write the meeting down; one that was written down before, by mistake or another day, counts no longer."""
    await _held(tx, community_id, version_id, "discussion")
    first, last = local_day(await queries_life.last_change(tx, version_id)), local_day(tx.now)
    if not first <= held_on <= last:
        raise MeetingOutOfTime(first=first.isoformat(), last=last.isoformat())
    votes = votes_for + votes_against + abstained
    if votes > present:
        raise VotesExceed(votes=votes, present=present)
    await tx.run(VOID_MEETING, tx.now, version_id)
    made = await tx.row(
        MEET, version_id, held_on, place, present, votes_for, votes_against, abstained, b"", record_kind,
        tx.actor.person_id, tx.now,
    )  # fmt: skip
    assert made is not None
    await actions_minutes.keep(tx, meeting_id=made["id"], record=record)
    counted = {"present": present, "votes_for": votes_for, "votes_against": votes_against, "abstained": abstained}
    await trail.record(tx, "table.discussed", subject=("version", version_id), meeting=made["id"], **counted)
    return int(made["id"])


async def open_notice(tx: Tx, *, community_id: int, version_id: int, days: int, starts_on: date) -> int:
    """Show to everybody what is to change, and from which day; returns the notice."""
    found = await _held(tx, community_id, version_id, "discussion")
    await _not_drafter(tx, version_id)
    await refuse_faults(tx, community_id=community_id, table=found.table)
    held = await queries_life.meeting(tx, version_id)
    if held is None:
        raise NoMeeting
    if not is_carried(held.present, held.votes_for):
        raise NotCarried(present=held.present, votes_for=held.votes_for)
    least = await queries_life.least_days(tx, community_id)
    if not least <= days <= DAYS_MAX:
        raise NoticeTooShort(least=least, most=DAYS_MAX)
    earliest = earliest_start(local_day(shown_until(tx.now, days)), None, local_day(tx.now))
    if starts_on < earliest:
        raise StartsTooEarly(earliest=earliest.isoformat())
    notice_id = await _tell(tx, found, days)
    await tx.run(TELL, version_id, notice_id, starts_on, tx.actor.person_id)
    await _step(tx, version_id, "discussion", "noticed")
    await trail.record(
        tx, "table.noticed", subject=("version", version_id), notice=notice_id, starts_on=starts_on.isoformat()
    )
    return notice_id


async def _tell(tx: Tx, found: Version, days: int) -> int:
    lines = await _lines(tx, found)
    opened = await notices.open_notice(
        tx,
        community_id=found.community_id,
        title=TITLE.format(number=found.number),
        basis=BASIS.format(name=found.table.name, number=found.number),
        told=Told(MAIN, "分", 0),
        days=days,
        lines=lines[:LINES_MAX],
        about=About.SCORING,
    )
    for start in range(LINES_MAX, len(lines), LINES_MAX):
        await notices.add_lines(tx, notice_id=opened.notice_id, lines=lines[start : start + LINES_MAX])
    return opened.notice_id


async def _lines(tx: Tx, found: Version) -> list[NewLine]:
    """What differs from the version in force; refuses where nothing does, and where another is to be in force first."""
    await refuse_waiting(tx, community_id=found.community_id)
    book_kinds = await kinds.denominations(tx, found.community_id)
    against = await queries.current(found.community_id, local_day(tx.now), tx)
    lines = notice_lines(against.table if against else None, found.table, book_kinds)
    if not lines:
        raise NothingChanged
    return lines


async def object_to(tx: Tx, *, community_id: int, line_id: int, words: str) -> int:
    """Write down what a resident says about a line of the notice; returns the objection."""
    assert 0 < len(words) <= WORDS_LETTERS_MAX
    await tx.run(HOLD_DRAFTS, community_id)
    return await notices.record_objection(tx, line_id=line_id, grounds=Grounds.OTHER, words=words, about=About.SCORING)


async def answer(tx: Tx, *, community_id: int, objection_id: int, upheld: bool, words: str) -> None:
    """Answer an objection once; where one is accepted the version goes back, as soon as all have an answer."""
    assert 0 < len(words) <= WORDS_LETTERS_MAX
    objection = await notice_queries.objection_of(tx, objection_id, About.SCORING)
    version_id = (await queries_life.told_by(tx, objection.notice_id)).version_id
    await _held(tx, community_id, version_id, "noticed")
    await _not_drafter(tx, version_id)
    assert tx.actor.person_id is not None
    if await people.same_household(tx, tx.actor.person_id, objection.recorded_by):
        raise OwnObjection
    await notices.rule_objection(tx, objection_id=objection_id, upheld=upheld, ruling=words)
    standing = await notice_queries.standing(tx, objection.notice_id)
    if standing.upheld and not standing.unanswered:
        await _send_back(tx, version_id, Back.OBJECTION)


async def send_back(tx: Tx, *, community_id: int, version_id: int, reason: Back) -> None:
    """Make a version a draft again; its meeting and its notice count no longer.

    Not past those who objected: they were told that each has an answer, and the notice ends with this.
    """
    await _held(tx, community_id, version_id, "discussion", "noticed")
    told = await queries_life.told(tx, version_id)
    unanswered = (await notice_queries.standing(tx, told.notice_id)).unanswered if told else 0
    if unanswered:
        raise UnansweredYet(count=unanswered)
    await _send_back(tx, version_id, reason)


async def _send_back(tx: Tx, version_id: int, reason: Back) -> None:
    if await tx.run(BACK_TO_DRAFT, version_id) != 1:
        raise WrongStep
    meetings = await tx.run(VOID_MEETING, tx.now, version_id)
    told = await tx.row(VOID_TOLD, tx.now, version_id)
    if told is not None:
        await notices.withdraw(tx, notice_id=told["notice_id"])
    void = {"meetings": meetings, "notice": told["notice_id"] if told else None}
    await trail.record(tx, "table.sent_back", subject=("version", version_id), reason=reason, **void)


async def publish(tx: Tx, *, community_id: int, version_id: int, in_force_from: date) -> None:
    """Set the day from which a version is in force, once its notice is over and everybody has an answer.

    It is tomorrow at the earliest, and never before the day that residents were told.
    """
    found = await _held(tx, community_id, version_id, "noticed")
    await _not_drafter(tx, version_id)
    told = await queries_life.told(tx, version_id)
    assert told is not None
    standing = await notice_queries.standing(tx, told.notice_id)
    if standing.ends_at > tx.now:
        raise NoticeRuns(day=local_day(standing.ends_at).isoformat())
    if standing.unanswered:
        raise Unanswered(count=standing.unanswered)
    earliest = local_day(tx.now) + timedelta(days=1)
    if in_force_from < earliest:
        raise TooSoon(earliest=earliest.isoformat())
    if in_force_from < told.starts_on:
        raise StartsTooEarly(earliest=told.starts_on.isoformat())
    await refuse_faults(tx, community_id=community_id, table=found.table)
    await refuse_waiting(tx, community_id=community_id)
    if await tx.run(PUBLISH, in_force_from, tx.actor.person_id, tx.now, version_id) != 1:
        raise WrongStep
    await trail.record(tx, "table.published", subject=("version", version_id), in_force_from=in_force_from.isoformat())


async def enter_force_due(tx: Tx) -> int:
    """Put versions whose day has come into force and retire those before them, and close notices that are over.

    Returns how many of both.
    """
    closed = await notices.close_ended(tx, about=About.SCORING)
    due = await tx.rows(DUE, local_day(tx.now))
    for version_id, community_id in due:
        await tx.run(RETIRE, community_id)
        await tx.run(ENTER, version_id)
        await trail.record(tx, "table.entered_force", subject=("version", version_id))
    return len(due) + len(closed)
