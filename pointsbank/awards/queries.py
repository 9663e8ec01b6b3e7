"""Read awards: why somebody got so many points, what waits for a review, and the parts of a passbook."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from pointsbank.awards.queries_panel import Outcome, outcome_of
from pointsbank.awards.rules import Reason, State
from pointsbank.awards.rules_panel import PANEL
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries as ledger
from pointsbank.notices import queries as notices
from pointsbank.people import queries as people
from pointsbank.people.queries import Holder
from pointsbank.scoring.rules import CapKey, Period, Scope, Step

WAITING_MAX = 100

AWARDS = """
SELECT award.id, award.community_id, award.person_id, award.passbook_id, award.version_id, award.item_code,
       award.points, award.clipped, award.steps, award.chain, award.next_role, award.notice_days, award.expires_on,
       award.state, award.notice_id, award.line_id, award.entry_id, award.waits_for_budget, award.made_at,
       award.settled_at,
       act.source_room, act.source_kind, act.source_id, act.what, act.evidence, act.began_at, act.minutes,
       act.quantity, act.recorded_by
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
"""
BY_ID = f"{AWARDS} WHERE award.id = ?"
WAITING_IN = """
SELECT award.id, award.person_id, act.what, award.points, award.state, award.entry_id, act.began_at, award.passbook_id
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
 WHERE award.passbook_id = ? AND award.state IN ('pending', 'noticed', 'disputed') ORDER BY award.id
"""
OF_ACTS = """
SELECT award.id, award.person_id, act.what, award.points, award.state, award.entry_id, act.began_at, award.passbook_id
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
 WHERE act.source_room = ? AND act.source_kind = ? AND act.source_id IN ({ids}) ORDER BY award.id
"""
REVIEWS = """
SELECT step, verdict, reason, reviewed_by, reviewed_at FROM awards_review WHERE award_id = ? ORDER BY step
"""
LAST_REVIEW = "SELECT reviewed_at FROM awards_review WHERE award_id = ? ORDER BY step DESC LIMIT 1"
BENEFICIARY = "SELECT person_id FROM awards_award WHERE line_id = ?"
AWARD_OF_LINE = "SELECT id FROM awards_award WHERE line_id = ?"
SUMS = "SELECT state, SUM(points) FROM awards_award WHERE passbook_id = ? GROUP BY state"
UNSETTLED = f"""
{AWARDS}
 WHERE award.passbook_id = ? AND award.state IN ('pending', 'noticed', 'disputed') ORDER BY award.id DESC LIMIT ?
"""
TO_REVIEW = """
SELECT award.id, award.person_id, award.community_id, award.version_id, award.item_code, award.passbook_id,
       award.points, award.steps, award.made_at,
       act.what, act.evidence, act.began_at, act.minutes, act.quantity,
       act.recorded_by = ? OR EXISTS (SELECT 1 FROM awards_review review
                                       WHERE review.award_id = award.id AND review.reviewed_by = ?) AS mine,
       (SELECT MIN(review.reviewed_by) FROM awards_review review WHERE review.award_id = award.id) AS reviewed_by
  FROM awards_award award JOIN awards_act act ON act.id = award.act_id
 WHERE award.state = 'pending' AND award.next_role = 'community_admin' AND award.community_id IN
"""
# What counts besides a holder's own counters: those of records that were merged into this person, and of homes that
# stand empty because of it. Nothing is moved, so a merge that is parted and an act that is sent back need nothing.
BEFORE_MERGING = """
SELECT used.scope, used.item_code, used.period, used.period_start, used.counts,
       CAST(CASE used.counts WHEN 'streak' THEN MAX(used.points) ELSE SUM(used.points) END AS BIGINT) AS points FROM (
  SELECT community_id, 'person' AS scope, id AS holder_id FROM people_person WHERE merged_into = ?
  UNION
  SELECT community_id, 'household', COALESCE(household_id, -id) FROM people_person alias
   WHERE (merged_into = ? OR merged_into IN (SELECT id FROM people_person WHERE household_id = ?))
     AND NOT EXISTS (SELECT 1 FROM people_person mate
                      WHERE mate.household_id = alias.household_id AND mate.state = 'member')) AS alias
  JOIN awards_cap_use used ON used.community_id = alias.community_id AND used.scope = alias.scope
   AND used.holder_id = alias.holder_id
 GROUP BY used.scope, used.item_code, used.period, used.period_start, used.counts
"""

PLAIN = (
    "id", "community_id", "person_id", "passbook_id", "version_id", "item_code", "points", "clipped", "next_role",
    "notice_days", "expires_on", "notice_id", "line_id", "entry_id", "waits_for_budget", "made_at", "settled_at",
    "what", "evidence", "began_at", "minutes", "quantity", "recorded_by",
)  # fmt: skip

_steps = msgspec.json.Decoder(list[Step]).decode
_chain = msgspec.json.Decoder(list[str]).decode


class ReviewView(msgspec.Struct, frozen=True):
    """`role` is the step of the chain, `reviewer` a masked name; of a panel there is what came of it instead."""

    role: str
    verdict: str
    reason: Reason | None
    reviewer: str
    reviewed_at: datetime
    panel: Outcome | None


class AwardView(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    person_id: int
    passbook_id: int
    version_id: int
    item_code: str
    points: int
    clipped: int
    steps: list[Step]
    chain: list[str]
    next_role: str
    notice_days: int
    expires_on: date
    state: State
    notice_id: int | None
    line_id: int | None
    entry_id: int | None
    waits_for_budget: int | None
    made_at: datetime
    settled_at: datetime | None
    source: tuple[str, str, int]
    what: str
    evidence: str
    began_at: datetime
    minutes: int
    quantity: int
    recorded_by: int | None


class Waiting(msgspec.Struct, frozen=True):
    """Points on their way to a passbook; `expected_on` is None while a person still has to decide."""

    award_id: int
    person_id: int
    what: str
    began_at: datetime
    points: int
    state: State
    expected_on: date | None


class Credit(msgspec.Struct, frozen=True):
    """An award as those see it who decide on people: where it stands, and its entry once it is booked."""

    award_id: int
    person_id: int
    what: str
    points: int
    state: State
    entry_id: int | None
    began_at: datetime
    passbook_id: int


class Parts(msgspec.Struct, frozen=True):
    """What of a passbook was earned and settled, and what is not spendable yet."""

    settled: int
    pending: int
    noticed: int
    disputed: int
    waiting: list[Waiting]


class ToReview(msgspec.Struct, frozen=True):
    """One line of the review page. `hindrance` is empty where the reader may decide, else "own" or "same_reviewer"."""

    award_id: int
    masked_name: str
    place: str
    what: str
    evidence: str
    began_at: datetime
    minutes: int
    quantity: int
    community_id: int
    version_id: int
    item_code: str
    passbook_id: int
    points: int
    steps: list[Step]
    first_reviewer: str
    hindrance: str


async def award_for_staff(community_ids: Sequence[int], award_id: int) -> AwardView:
    found = await db.row(BY_ID, award_id)
    if found is None or found["community_id"] not in community_ids:
        raise NotFound
    return _view(found)


async def award_for_resident(person_id: int, award_id: int) -> AwardView:
    """Find an award for one's own deed, or of one's own passbook, which may be the household's."""
    found = await db.row(BY_ID, award_id)
    if found is None:
        raise NotFound
    mine = await people.holder_of(None, person_id)
    if await people.canonical_id(None, found["person_id"]) != mine.person_id:
        # By the passbook, not by where its person lives: somebody may have moved since.
        book = await ledger.passbook(found["passbook_id"])
        shares = mine.kind == "household" and mine.household_id is not None
        if not shares or book is None or book.household_id != mine.household_id:
            raise NotFound
    return _view(found)


async def reviews(award: AwardView) -> list[ReviewView]:
    found = await db.rows(REVIEWS, award.id)
    names = await people.masked_names(review["reviewed_by"] for review in found if review["reviewed_by"] is not None)
    panel = await outcome_of(award.id) if PANEL in award.chain else None
    return [
        ReviewView(
            role=award.chain[review["step"]],
            verdict=review["verdict"],
            reason=Reason(review["reason"]) if review["reason"] else None,
            reviewer=names.get(review["reviewed_by"], ""),
            reviewed_at=review["reviewed_at"],
            panel=panel if award.chain[review["step"]] == PANEL else None,
        )
        for review in found
    ]


async def expected_on(award: AwardView) -> date | None:
    """The day on which the points will be booked unless somebody objects; None while a person or a budget decides."""
    if award.waits_for_budget is not None:
        return None
    if award.state == State.NOTICED:
        assert award.notice_id is not None
        return local_day((await notices.notice([award.community_id], award.notice_id)).ends_at)
    if award.state != State.PENDING or award.next_role:
        return None
    last = await db.row(LAST_REVIEW, award.id)
    ready_at = award.made_at if last is None else last[0]
    return local_day(ready_at) + timedelta(days=1 + award.notice_days)


async def parts(passbook_id: int) -> Parts:
    sums = {state: int(points) for state, points in await db.rows(SUMS, passbook_id)}
    views = [_view(found) for found in await db.rows(UNSETTLED, passbook_id, WAITING_MAX)]
    waiting = [
        Waiting(view.id, view.person_id, view.what, view.began_at, view.points, view.state, await expected_on(view))
        for view in views
    ]
    return Parts(
        settled=sums.get(State.SETTLED, 0),
        pending=sums.get(State.PENDING, 0),
        noticed=sums.get(State.NOTICED, 0),
        disputed=sums.get(State.DISPUTED, 0),
        waiting=waiting,
    )


async def waiting_in(tx: Tx | None, passbook_id: int) -> list[Credit]:
    """Everything on its way to this passbook."""
    rows = db.rows if tx is None else tx.rows
    return [_credit(found) for found in await rows(WAITING_IN, passbook_id)]


async def of_acts(tx: Tx | None, room: str, kind: str, source_ids: Sequence[int]) -> list[Credit]:
    """What became of acts that another room recorded."""
    rows = db.rows if tx is None else tx.rows
    sql = OF_ACTS.replace("{ids}", _marks(source_ids))
    return [_credit(found) for found in await rows(sql, room, kind, *source_ids)]


def _credit(found: Row) -> Credit:
    award_id, person_id, what, points, state, *others = found
    return Credit(award_id, person_id, what, points, State(state), *others)


async def to_review(community_ids: Sequence[int], reviewer_id: int) -> list[ToReview]:
    """What waits for a community admin, the oldest first."""
    sql = f"{TO_REVIEW} ({_marks(community_ids)}) ORDER BY award.id LIMIT ?"
    found = await db.rows(sql, reviewer_id, reviewer_id, *community_ids, WAITING_MAX)
    asked = {person for line in found for person in (line["person_id"], line["reviewed_by"]) if person is not None}
    names = await people.masked_names(asked)
    lines = []
    for line in found:
        holder = await people.holder_of(None, line["person_id"])
        is_own = await people.same_household(None, reviewer_id, holder.person_id)
        lines.append(
            ToReview(
                award_id=line["id"],
                masked_name=names[line["person_id"]],
                place=holder.building_name,
                what=line["what"],
                evidence=line["evidence"],
                began_at=line["began_at"],
                minutes=line["minutes"],
                quantity=line["quantity"],
                community_id=line["community_id"],
                version_id=line["version_id"],
                item_code=line["item_code"],
                passbook_id=line["passbook_id"],
                points=line["points"],
                steps=_steps(line["steps"]),
                first_reviewer=names.get(line["reviewed_by"], ""),
                hindrance="own" if is_own else "same_reviewer" if line["mine"] else "",
            )
        )
    return lines


async def award_of_line(line_id: int) -> int | None:
    found = await db.row(AWARD_OF_LINE, line_id)
    return None if found is None else int(found[0])


async def used_before_merging(tx: Tx, holder: Holder) -> dict[CapKey, int]:
    """What the caps counted under other records of this human being."""
    found = await tx.rows(BEFORE_MERGING, holder.person_id, holder.person_id, holder.household_id)
    return {
        CapKey(Scope(scope), Period(period), item_code, start, counts): points
        for scope, item_code, period, start, counts, points in found
    }


async def beneficiary_of_line(tx: Tx, line_id: int) -> int:
    found = await tx.row(BENEFICIARY, line_id)
    if found is None:
        raise NotFound
    return int(found[0])


def _view(found: Row) -> AwardView:
    return AwardView(
        **{name: found[name] for name in PLAIN},
        state=State(found["state"]),
        steps=_steps(found["steps"]),
        chain=_chain(found["chain"]),
        source=(found["source_room"], found["source_kind"], found["source_id"]),
    )


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values)) or "NULL"
