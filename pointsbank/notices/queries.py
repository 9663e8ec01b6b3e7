"""Read notices, their lines and the objections to them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

import msgspec

from pointsbank.kit import db, words
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.notices.rules import GRACE, About, Grounds, place_of, shown_until
from pointsbank.people import queries as people

PAGE_LINES = 50
LIST_MAX = 100

JUST_OPENED = """
SELECT id FROM notices_notice
 WHERE community_id = ? AND about = 'awards' AND basis = ? AND book_kind = ? AND ends_at = ? AND starts_at > ?
   AND closed_at IS NULL
 ORDER BY id DESC LIMIT 1
"""
IS_CLOSED = "SELECT 1 FROM notices_notice WHERE id = ? AND closed_at IS NOT NULL"
DISPUTED = "SELECT line_id FROM notices_objection WHERE notice_id = ? AND state = 'open'"
OBJECTION_OF = """
SELECT objection.id, objection.community_id, objection.line_id, objection.recorded_by, objection.notice_id
  FROM notices_objection objection JOIN notices_notice notice ON notice.id = objection.notice_id
 WHERE objection.id = ? AND notice.about = ?
"""
STANDING = """
SELECT ends_at, (SELECT COUNT(*) FROM notices_objection objection
                  WHERE objection.notice_id = notice.id AND objection.state = 'open') AS unanswered,
       (SELECT COUNT(*) FROM notices_objection objection
         WHERE objection.notice_id = notice.id AND objection.state = 'upheld') AS upheld
  FROM notices_notice notice WHERE id = ?
"""

NOTICE_OF_LINE = "SELECT notice_id FROM notices_line WHERE id = ?"
NOTICES = """
SELECT notice.id, notice.community_id, notice.number, notice.title, notice.basis, notice.starts_at, notice.ends_at,
       notice.closed_at, notice.unit, notice.decimals, notice.about, notice.withdrawn_at,
       (SELECT COUNT(*) FROM notices_line line WHERE line.notice_id = notice.id) AS line_count,
       CAST((SELECT COALESCE(SUM(line.points), 0) FROM notices_line line WHERE line.notice_id = notice.id) AS BIGINT)
         AS points,
       (SELECT COUNT(*) FROM notices_objection objection
         WHERE objection.notice_id = notice.id AND objection.state = 'open') AS disputed
  FROM notices_notice notice
"""
LINES = """
SELECT line.id, line.position, line.shown_name, line.place, line.what, line.points,
       (SELECT objection.state FROM notices_objection objection WHERE objection.line_id = line.id
         ORDER BY objection.id DESC LIMIT 1) AS objection, about.person_id
  FROM notices_line line LEFT JOIN notices_line_person about ON about.line_id = line.id
"""
OBJECTIONS = """
SELECT objection.id, objection.notice_id, notice.number, objection.line_id, line.position, line.shown_name, line.place,
       line.what, line.points, notice.unit, notice.decimals,
       objection.grounds, objection.state, objection.recorded_by, objection.recorded_at,
       objection.ruled_by, objection.ruled_at, objection.ruling, objection.words, about.person_id
  FROM notices_objection objection
  JOIN notices_line line ON line.id = objection.line_id
  JOIN notices_notice notice ON notice.id = objection.notice_id
  LEFT JOIN notices_line_person about ON about.line_id = objection.line_id
"""


class NoticeView(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    number: str
    title: str
    basis: str
    starts_at: datetime
    ends_at: datetime
    closed_at: datetime | None
    unit: str
    decimals: int
    about: str
    withdrawn_at: datetime | None
    line_count: int
    points: int
    disputed: int

    @property
    def url(self) -> str:
        """The page that tells what it is about: of its room, which bears the first word."""
        return f"/notices/{self.id}" if self.about == About.AWARDS else f"/{self.about}/notices/{self.id}"

    @property
    def first_day(self) -> date:
        return local_day(self.starts_at)

    @property
    def last_day(self) -> date:
        """The last day on which it is shown; `ends_at` is the midnight after it."""
        return local_day(self.ends_at) - timedelta(days=1)


class LineView(msgspec.Struct, frozen=True):
    """`objection` is the state of the last one, None where nobody ever objected.

    `shown_name` is the number where the person agreed to be named when the notice was made, and does no longer.
    """

    id: int
    position: int
    shown_name: str
    place: str
    what: str
    points: int
    objection: str | None
    person_id: int | None


class ObjectionView(msgspec.Struct, frozen=True):
    id: int
    notice_id: int
    number: str
    line_id: int
    position: int
    shown_name: str
    place: str
    what: str
    points: int
    unit: str
    decimals: int
    grounds: Grounds
    state: str
    recorded_by: int
    recorded_at: datetime
    ruled_by: int | None
    ruled_at: datetime | None
    ruling: str | None
    words: str
    person_id: int | None


Named = TypeVar("Named", LineView, ObjectionView)


class Recorded(msgspec.Struct, frozen=True):
    id: int
    community_id: int
    line_id: int
    recorded_by: int
    notice_id: int


class Standing(msgspec.Struct, frozen=True):
    """How far a notice is: when it ends, how many objections wait for an answer, and how many were right."""

    ends_at: datetime
    unanswered: int
    upheld: int


async def just_opened(tx: Tx, *, community_id: int, basis: str, book_kind: str, days: int) -> int | None:
    """The notice of this night to which more lines of the same kind belong."""
    found = await tx.row(JUST_OPENED, community_id, basis, book_kind, shown_until(tx.now, days), tx.now - GRACE)
    return None if found is None else int(found[0])


async def is_closed(tx: Tx, notice_id: int) -> bool:
    return await tx.row(IS_CLOSED, notice_id) is not None


async def disputed_lines(tx: Tx, notice_id: int) -> set[int]:
    """Lines that wait for a ruling."""
    return {found[0] for found in await tx.rows(DISPUTED, notice_id)}


async def objection_of(tx: Tx, objection_id: int, about: About = About.AWARDS) -> Recorded:
    found = await tx.row(OBJECTION_OF, objection_id, about)
    if found is None:
        raise NotFound
    return Recorded(*found)


async def standing(tx: Tx, notice_id: int) -> Standing:
    found = await tx.row(STANDING, notice_id)
    assert found is not None
    return Standing(*found)


async def notices(community_ids: Sequence[int], *, limit: int = LIST_MAX) -> list[NoticeView]:
    """The latest notices first."""
    where = f"WHERE notice.community_id IN ({_marks(community_ids)}) ORDER BY notice.id DESC LIMIT ?"
    return [NoticeView(*found) for found in await db.rows(f"{NOTICES} {where}", *community_ids, limit)]


async def notice(community_ids: Sequence[int], notice_id: int) -> NoticeView:
    where = f"WHERE notice.id = ? AND notice.community_id IN ({_marks(community_ids)})"
    found = await db.rows(f"{NOTICES} {where}", notice_id, *community_ids)
    if not found:
        raise NotFound
    return NoticeView(*found[0])


async def lines(notice_id: int, *, page: int) -> list[LineView]:
    """One page of the lines of a notice; pages count from 1."""
    after = (page - 1) * PAGE_LINES
    found = await db.rows(
        f"{LINES} WHERE line.notice_id = ? AND line.position > ? ORDER BY line.position LIMIT ?",
        notice_id,
        after,
        PAGE_LINES,
    )
    return await _as_agreed([LineView(*line) for line in found])


async def all_lines(notice_id: int) -> list[LineView]:
    """For paper."""
    found = await db.slow_rows(f"{LINES} WHERE line.notice_id = ? ORDER BY line.position", notice_id)
    return await _as_agreed([LineView(*line) for line in found])


def _opened(found: ObjectionView) -> ObjectionView:
    return msgspec.structs.replace(found, words=words.opened(found.words, place_of(found.line_id)))


async def _as_agreed(lines: list[Named]) -> list[Named]:
    """Lines as their people agree to them now: paper that hangs stays, but nothing shown from here on names them."""
    numbers = await people.numbers_instead(line.person_id for line in lines if line.person_id is not None)
    return [
        msgspec.structs.replace(line, shown_name=numbers[line.person_id]) if line.person_id in numbers else line
        for line in lines
    ]


async def line(community_ids: Sequence[int], line_id: int) -> tuple[NoticeView, LineView]:
    """A line of a notice of awards."""
    found = await db.row(f"{LINES} WHERE line.id = ?", line_id)
    owner = await db.row(NOTICE_OF_LINE, line_id)
    if found is None or owner is None:
        raise NotFound
    of = await notice(community_ids, owner[0])
    if of.about != About.AWARDS:
        raise NotFound
    (shown,) = await _as_agreed([LineView(*found)])
    return of, shown


async def objections(notice_id: int) -> list[ObjectionView]:
    found = await db.rows(f"{OBJECTIONS} WHERE objection.notice_id = ? ORDER BY objection.id", notice_id)
    return await _as_agreed([_opened(ObjectionView(*objection)) for objection in found])


async def objections_to(line_id: int) -> list[ObjectionView]:
    found = await db.rows(f"{OBJECTIONS} WHERE objection.line_id = ? ORDER BY objection.id", line_id)
    return await _as_agreed([_opened(ObjectionView(*objection)) for objection in found])


async def open_objections(community_ids: Sequence[int]) -> list[ObjectionView]:
    """Those to awards that wait for a ruling, the oldest first."""
    where = f"objection.community_id IN ({_marks(community_ids)}) AND objection.state = 'open' AND notice.about = ?"
    order = "ORDER BY objection.id LIMIT ?"
    found = await db.rows(f"{OBJECTIONS} WHERE {where} {order}", *community_ids, About.AWARDS, LIST_MAX)
    return await _as_agreed([_opened(ObjectionView(*objection)) for objection in found])


async def objection(community_ids: Sequence[int], objection_id: int, about: About = About.AWARDS) -> ObjectionView:
    where = f"objection.id = ? AND notice.about = ? AND objection.community_id IN ({_marks(community_ids)})"
    found = await db.rows(f"{OBJECTIONS} WHERE {where}", objection_id, about, *community_ids)
    if not found:
        raise NotFound
    (shown,) = await _as_agreed([_opened(ObjectionView(*found[0]))])
    return shown


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values)) or "NULL"
