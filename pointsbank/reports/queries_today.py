"""What waits for the staff of a community today: one query for each sort of work."""

from datetime import date, datetime, timedelta

import msgspec

from pointsbank.awards import queries_panel
from pointsbank.awards.rules_questions import answer_by
from pointsbank.kit import db
from pointsbank.kit.clock import local_day
from pointsbank.ledger.queries import to_day
from pointsbank.ledger.rules import MAIN, NEVER
from pointsbank.ledger.rules_kinds import cleared_on
from pointsbank.people.rules_staff import UNUSED

FOUND_MAX = 50
DECEMBER = 12
BACKUP_EVERY = timedelta(days=1)
BACKUP_MISSED = timedelta(days=2)


class Lapsing(msgspec.Struct, frozen=True):
    """What a passbook loses soon, and whom one may tell of it."""

    person_id: int
    is_shared: bool
    points: int
    first_day: date
    kind: str
    unit: str
    decimals: int


class Asker(msgspec.Struct, frozen=True):
    """For whom the page is drawn, and when."""

    community_id: int
    person_id: int
    now: datetime

    @property
    def today(self) -> date:
        return local_day(self.now)


class Waits(msgspec.Struct, frozen=True):
    """How much of one sort waits: the day on which the first of it is due (if any), an example in words, points.

    `url` leads to the one that waits, where there is but one and it has a page of its own.
    """

    count: int
    due: date | None = None
    example: str = ""
    points: int = 0
    url: str = ""


NOTHING = Waits(0)

REVIEWS = """
SELECT COUNT(*) FROM awards_award
 WHERE community_id = ? AND state = 'pending' AND next_role = 'community_admin'
"""
OBJECTIONS = """
SELECT line.what, notice.ends_at FROM notices_objection objection
  JOIN notices_line line ON line.id = objection.line_id JOIN notices_notice notice ON notice.id = objection.notice_id
 WHERE objection.community_id = ? AND objection.state = 'open' AND notice.about = 'awards'
 ORDER BY notice.ends_at LIMIT ?
"""
QUESTIONS = """
SELECT act.what, question.asked_at FROM awards_question question
  JOIN awards_award award ON award.id = question.award_id JOIN awards_act act ON act.id = award.act_id
 WHERE question.community_id = ? AND question.answered_at IS NULL ORDER BY question.id LIMIT ?
"""
UNCONFIRMED = """
SELECT activity.id, activity.title, activity.ends_at FROM events_activity activity
 WHERE activity.community_id = ? AND activity.state = 'published' AND activity.ends_at <= ?
   AND EXISTS (SELECT 1 FROM events_attendance came WHERE came.activity_id = activity.id AND came.state = 'open')
 ORDER BY activity.ends_at LIMIT ?
"""
PROVISIONAL = "SELECT COUNT(*) FROM people_person WHERE community_id = ? AND state = 'provisional'"
REQUESTS = "SELECT COUNT(*) FROM people_request WHERE community_id = ? AND state = 'open'"
# Pieces past their day are not there for anybody.
LOW_STOCK = """
SELECT name, fresh, unit FROM
       (SELECT name, unit, low_at, stock - COALESCE((SELECT CAST(SUM(remaining) AS BIGINT) FROM stock_lot lot
                WHERE lot.good_id = good.id AND lot.remaining > 0 AND lot.best_before < ?), 0) AS fresh
          FROM stock_good good WHERE community_id = ? AND state = 'live') shelf
 WHERE fresh <= low_at ORDER BY fresh, name LIMIT ?
"""
PAST_STOCK = """
SELECT good.name, CAST(SUM(lot.remaining) AS BIGINT), good.unit
  FROM stock_good good JOIN stock_lot lot ON lot.good_id = good.id
 WHERE good.community_id = ? AND lot.remaining > 0 AND lot.best_before < ?
 GROUP BY good.id, good.name, good.unit ORDER BY good.name LIMIT ?
"""
UNUSED_LOGINS = """
SELECT COUNT(DISTINCT login.id) FROM people_login login
  JOIN people_role_grant held ON held.person_id = login.id AND held.ended_at IS NULL AND held.place_id = ?
 WHERE login.disabled_at IS NULL AND login.made_at <= ?
   AND (login.signed_in_at IS NULL OR login.signed_in_at <= ?)
   AND (login.last_used_at IS NULL OR login.last_used_at <= ?)
"""
# The version of a table that is under way waits for its meeting, for its notice, for answers or for its day.
TABLE_STEPS = """
SELECT version.id, version.state, meeting.id AS meeting_id, notice.ends_at,
       (SELECT COUNT(*) FROM notices_objection objection
         WHERE objection.notice_id = notice.id AND objection.state = 'open') AS unanswered,
       (SELECT COUNT(*) FROM scoring_drafter drafter
         WHERE drafter.version_id = version.id AND drafter.person_id = ?) AS is_drafter
  FROM scoring_version version
  LEFT JOIN scoring_meeting meeting ON meeting.version_id = version.id AND meeting.voided_at IS NULL
  LEFT JOIN scoring_notice told ON told.version_id = version.id AND told.voided_at IS NULL
  LEFT JOIN notices_notice notice ON notice.id = told.notice_id
 WHERE version.community_id = ? AND version.state IN ('discussion', 'noticed')
"""
OPEN_NOTICES = """
SELECT title, ends_at FROM notices_notice WHERE community_id = ? AND closed_at IS NULL ORDER BY ends_at LIMIT ?
"""

OPENINGS = "SELECT COUNT(*) FROM ledger_opening_list WHERE community_id = ? AND state = 'asked' AND made_by <> ?"
VOUCHERS = """
SELECT COUNT(*), MIN(id) FROM ledger_voucher WHERE community_id = ? AND state = 'asked' AND made_by <> ?
"""
PROPOSALS = """
SELECT COUNT(*), MIN(id) FROM ledger_proposal WHERE community_id = ? AND state = 'asked' AND made_by <> ?
"""
MERGES = """
SELECT COUNT(*), MIN(id) FROM governance_merge_request WHERE community_id = ? AND state = 'asked' AND made_by <> ?
"""

CASES = """
SELECT COUNT(*), MIN(id) FROM awards_case
 WHERE community_id = ? AND ((state = 'made' AND made_by <> ?)
                             OR (state = 'told' AND remedy_approval_id IS NOT NULL AND remedy_by <> ?))
"""
CASES_DISPUTED = "SELECT COUNT(*), MIN(id) FROM awards_case WHERE community_id = ? AND state = 'disputed'"
LETTERS = "SELECT COUNT(*), MIN(id) FROM awards_case WHERE community_id = ? AND state = 'agreed'"
NO_BUDGET = """
SELECT COUNT(*), CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM awards_award
 WHERE community_id = ? AND waits_for_budget IS NOT NULL
"""
BUDGETS_OF = "SELECT COUNT(*) FROM ledger_budget WHERE community_id = ? AND year = ?"

# What is due is said by the job list. A demo has no backups, and those of PostgreSQL are not ours to know.
BACKUP = """
SELECT job.due_at, installation.made_at, EXISTS (SELECT 1 FROM job unclean WHERE unclean.name = 'backup_unclean')
  FROM installation LEFT JOIN job ON job.name = 'backup'
 WHERE installation.kind = 'real'
"""


async def unconfirmed(asker: Asker) -> Waits:
    found = await db.rows(UNCONFIRMED, asker.community_id, asker.now, FOUND_MAX)
    if not found:
        return NOTHING
    activity_id, title, ended_at = found[0]
    url = f"/events/{activity_id}/confirm" if len(found) == 1 else ""
    return Waits(len(found), local_day(ended_at), title, url=url)


async def reviews(asker: Asker) -> Waits:
    return await _counted(REVIEWS, asker.community_id)


async def panels(asker: Asker) -> Waits:
    """What waits for the reader's own vote."""
    return Waits(len(await queries_panel.waiting_for(asker.person_id)))


async def short_panels(asker: Asker) -> Waits:
    """What waits because too few may sit."""
    return Waits(sum(one.missing > 0 for one in await queries_panel.at_panels([asker.community_id])))


async def objections(asker: Asker) -> Waits:
    return _noticed(await db.rows(OBJECTIONS, asker.community_id, FOUND_MAX))


async def questions(asker: Asker) -> Waits:
    found = await db.rows(QUESTIONS, asker.community_id, FOUND_MAX)
    if not found:
        return NOTHING
    what, asked_at = found[0]
    return Waits(len(found), answer_by(local_day(asked_at)), what)


async def provisional(asker: Asker) -> Waits:
    return await _counted(PROVISIONAL, asker.community_id)


async def requests(asker: Asker) -> Waits:
    return await _counted(REQUESTS, asker.community_id)


async def open_notices(asker: Asker) -> Waits:
    return _noticed(await db.rows(OPEN_NOTICES, asker.community_id, FOUND_MAX))


async def _table_step(asker: Asker, step: str) -> Waits:
    """Whether the version that is under way waits at this step, and until when."""
    found = await db.row(TABLE_STEPS, asker.person_id, asker.community_id)
    if found is None:
        return NOTHING
    version_id, state, meeting_id, ends_at, unanswered, is_drafter = found
    life = f"/scoring/versions/{version_id}/life"
    if state == "discussion":
        waits = "notice" if meeting_id else "meeting"
        return Waits(1, url=life) if step == waits and not (is_drafter and step == "notice") else NOTHING
    if step == "answers" and unanswered:
        return Waits(int(unanswered), local_day(ends_at) - timedelta(days=1), url=life)
    is_ready = step == "day" and ends_at <= asker.now and not unanswered and not is_drafter
    return Waits(1, asker.today, url=life) if is_ready else NOTHING


async def table_meeting(asker: Asker) -> Waits:
    """A version that residents are to discuss."""
    return await _table_step(asker, "meeting")


async def table_notice(asker: Asker) -> Waits:
    """A version that a meeting has discussed, for somebody who did not draft it."""
    return await _table_step(asker, "notice")


async def table_answers(asker: Asker) -> Waits:
    """What residents object to in a version on notice."""
    return await _table_step(asker, "answers")


async def table_day(asker: Asker) -> Waits:
    """A version whose notice is over, for somebody who did not draft it."""
    return await _table_step(asker, "day")


async def low_stock(asker: Asker) -> Waits:
    return _stocked(await db.rows(LOW_STOCK, asker.today, asker.community_id, FOUND_MAX))


async def past_stock(asker: Asker) -> Waits:
    return _stocked(await db.rows(PAST_STOCK, asker.community_id, asker.today, FOUND_MAX))


def _stocked(found: list[db.Row]) -> Waits:
    return Waits(len(found), None, "，".join(f"{name} {stock} {unit}" for name, stock, unit in found[:3]))


async def openings(asker: Asker) -> Waits:
    """Lists of opening balances that somebody else made."""
    return await _counted(OPENINGS, asker.community_id, asker.person_id)


async def awards_without_budget(asker: Asker) -> Waits:
    """Awards that are through with everything but wait for a budget."""
    found = await db.row(NO_BUDGET, asker.community_id)
    assert found is not None
    return Waits(int(found[0]), points=int(found[1]))


async def next_budget(asker: Asker) -> Waits:
    """In December: this year has a budget and the next has none, so nothing would limit it."""
    year = asker.today.year
    this, following = [(await _counted(BUDGETS_OF, asker.community_id, one)).count for one in (year, year + 1)]
    if asker.today.month != DECEMBER or not this or following:
        return NOTHING
    return Waits(1, date(year, DECEMBER, 31))


async def vouchers(asker: Asker) -> Waits:
    """Vouchers that somebody else made out and that wait for a second person."""
    return await _each_with_a_page("/ledger/vouchers", VOUCHERS, asker.community_id, asker.person_id)


async def merges(asker: Asker) -> Waits:
    """Records that somebody else says are one person's."""
    return await _each_with_a_page("/governance/merge-requests", MERGES, asker.community_id, asker.person_id)


async def proposals(asker: Asker) -> Waits:
    """Settings that somebody else wants changed."""
    return await _each_with_a_page("/ledger/proposals", PROPOSALS, asker.community_id, asker.person_id)


async def cases(asker: Asker) -> Waits:
    """Findings that somebody else wrote down, and what somebody else says was made good."""
    return await _each_with_a_page("/awards/cases", CASES, asker.community_id, asker.person_id, asker.person_id)


async def disputed_cases(asker: Asker) -> Waits:
    return await _each_with_a_page("/awards/cases", CASES_DISPUTED, asker.community_id)


async def letters(asker: Asker) -> Waits:
    """What was confirmed, and its holder does not know of yet."""
    return await _each_with_a_page("/awards/cases", LETTERS, asker.community_id)


async def _each_with_a_page(pages: str, sql: str, *values: object) -> Waits:
    found = await db.row(sql, *values)
    assert found is not None
    count, first = found
    return Waits(int(count), url=f"{pages}/{first}" if count == 1 else "")


async def unused_logins(asker: Asker) -> Waits:
    """Staff who have not signed in for so long that they may have left."""
    return await _counted(UNUSED_LOGINS, asker.community_id, *(asker.now - UNUSED,) * 3)


def _noticed(found: list[db.Row]) -> Waits:
    """Rows of a title and the midnight at which a notice ends; its last day is the one before."""
    if not found:
        return NOTHING
    title, ends_at = found[0]
    return Waits(len(found), local_day(ends_at) - timedelta(days=1), title)


async def _counted(sql: str, *values: object) -> Waits:
    found = await db.row(sql, *values)
    assert found is not None
    return Waits(int(found[0]))


KINDS = """
SELECT id, code, unit, decimals, notice_days, reset_month, reset_day, carry_over FROM ledger_book_kind
 WHERE community_id = ? ORDER BY id
"""
# By passbook: the index of live lots is by account, so this asks each account of the community once.
LAPSING = """
SELECT COALESCE(book.person_id, home.head_id,
                (SELECT MIN(one.id) FROM people_person one
                  WHERE one.household_id = book.household_id AND one.state = 'member')) AS person_id,
       book.household_id IS NOT NULL AS is_shared, CAST(SUM(lot.remaining) AS BIGINT) AS points,
       MIN(lot.expires_on) AS first_day
  FROM ledger_passbook book JOIN ledger_account account ON account.passbook_id = book.id
  JOIN ledger_lot lot ON lot.account_id = account.id
  LEFT JOIN people_household home ON home.id = book.household_id
 WHERE book.community_id = ? AND book.kind_id = ? AND lot.remaining > 0 AND lot.expires_on BETWEEN ? AND ?
 GROUP BY book.id, book.person_id, book.household_id, home.head_id ORDER BY MIN(lot.expires_on), book.id
"""


async def lapsing(community_id: int, today: date) -> list[Lapsing]:
    """Passbooks that soon lose points, as soon as their kind says, the soonest first.

    Nobody is left to tell of an empty household.
    """
    lines = []
    for kind_id, code, unit, decimals, notice_days, *reset, carry_over in await db.rows(KINDS, community_id):
        cleared, until = cleared_on(*reset, carry_over=bool(carry_over), today=today), today + timedelta(notice_days)
        found = await db.slow_rows(LAPSING, community_id, kind_id, today, NEVER if cleared <= until else until)
        lines += [
            Lapsing(person_id, bool(is_shared), int(points), min(to_day(first_day), cleared), code, unit, decimals)
            for person_id, is_shared, points, first_day in found
            if person_id is not None
        ]
    return sorted(lines, key=lambda line: line.first_day)


async def expiring(asker: Asker) -> Waits:
    found = await lapsing(asker.community_id, asker.today)
    if not found:
        return NOTHING
    return Waits(len(found), found[0].first_day, points=sum(one.points for one in found if one.kind == MAIN))


class LastBackup(msgspec.Struct, frozen=True):
    """`made_at` is None as long as there is none; `due` is the day from which it is too old.

    One that is not clean is kept, and its books have findings.
    """

    made_at: datetime | None
    due: date
    is_clean: bool


async def last_backup() -> LastBackup | None:
    """The latest backup of this installation; None where backups are not made by us."""
    found = await db.row(BACKUP) if db.current().is_sqlite else None
    if found is None:
        return None
    due_at, founded_at, is_unclean = found
    made_at = None if due_at is None else due_at - BACKUP_EVERY
    return LastBackup(made_at, local_day((made_at or founded_at) + BACKUP_MISSED), not is_unclean)


async def backups(asker: Asker) -> Waits:
    """Waits once a daily backup was left out."""
    last = await last_backup()
    if last is None or last.due > asker.today:
        return NOTHING
    return Waits(1, last.due)


async def unclean_books(asker: Asker) -> Waits:
    """Waits as long as the last backup found something wrong with the books."""
    last = await last_backup()
    return NOTHING if last is None or last.is_clean else Waits(1, asker.today)
