"""Open and close notices, record objections and rulings. Only rooms above know what a line stands for."""

from collections.abc import Sequence

import msgspec

from pointsbank.kit import words as seals
from pointsbank.kit.clock import local_day
from pointsbank.kit.db import Tx
from pointsbank.kit.errors import NotFound
from pointsbank.notices.rules import (
    LINES_MAX,
    About,
    AlreadyRuled,
    Grounds,
    NewLine,
    NoticeOver,
    Told,
    number_of,
    place_of,
    shown_until,
)
from pointsbank.trail import actions as trail

COUNT = "SELECT COUNT(*) FROM notices_notice WHERE community_id = ? AND number LIKE ?"
OPEN = """
INSERT INTO notices_notice (community_id, number, title, basis, starts_at, ends_at, about, book_kind, unit, decimals)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
LAST_POSITION = "SELECT COALESCE(MAX(position), 0) FROM notices_line WHERE notice_id = ?"
ADD = """
INSERT INTO notices_line (notice_id, position, shown_name, place, what, points) VALUES (?, ?, ?, ?, ?, ?) RETURNING id
"""
ABOUT = "INSERT INTO notices_line_person (line_id, person_id) VALUES (?, ?)"
CLOSE = """
UPDATE notices_notice SET closed_at = ?
 WHERE id IN (SELECT id FROM notices_notice WHERE closed_at IS NULL AND ends_at <= ? AND about = ? ORDER BY id LIMIT ?)
   AND closed_at IS NULL
RETURNING id
"""
WITHDRAW = """
UPDATE notices_notice SET withdrawn_at = ?, closed_at = COALESCE(closed_at, ?) WHERE id = ? AND withdrawn_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM notices_objection WHERE notice_id = notices_notice.id AND state = 'open')
"""
LINE = """
SELECT notice.id, notice.community_id, notice.about, notice.number, notice.ends_at, notice.closed_at
  FROM notices_line line JOIN notices_notice notice ON notice.id = line.notice_id
 WHERE line.id = ?
"""
OBJECT = """
INSERT INTO notices_objection (community_id, notice_id, line_id, grounds, words, state, recorded_by, recorded_at)
VALUES (?, ?, ?, ?, ?, 'open', ?, ?) RETURNING id
"""
RULE = """
UPDATE notices_objection SET state = ?, ruled_by = ?, ruled_at = ?, ruling = ? WHERE id = ? AND state = 'open'
RETURNING line_id
"""
KNOWN = "SELECT 1 FROM notices_objection WHERE id = ?"


class Opened(msgspec.Struct, frozen=True):
    notice_id: int
    line_ids: list[int]


async def open_notice(
    tx: Tx,
    *,
    community_id: int,
    title: str,
    basis: str,
    told: Told,
    days: int,
    lines: Sequence[NewLine],
    about: About = About.AWARDS,
) -> Opened:
    """Show lines to the community for `days` full local days under its next number of the year."""
    year = local_day(tx.now).year
    count = await tx.row(COUNT, community_id, f"〔{year}〕%")
    assert count is not None
    number = number_of(year, count[0] + 1)
    until = shown_until(tx.now, days)
    made = await tx.row(OPEN, community_id, number, title, basis, tx.now, until, about, *msgspec.structs.astuple(told))
    assert made is not None
    line_ids = await add_lines(tx, notice_id=made[0], lines=lines)
    await trail.record(tx, "notice.opened", subject=("notice", made[0]), lines=len(line_ids), days=days)
    return Opened(made[0], line_ids)


async def add_lines(tx: Tx, *, notice_id: int, lines: Sequence[NewLine]) -> list[int]:
    """More lines of the same night, when there are more than one transaction takes."""
    assert 0 < len(lines) <= LINES_MAX
    last = await tx.row(LAST_POSITION, notice_id)
    assert last is not None
    ids = []
    for position, line in enumerate(lines, last[0] + 1):
        made = await tx.row(ADD, notice_id, position, line.shown_name, line.place, line.what, line.points)
        assert made is not None
        ids.append(made[0])
        if line.person_id is not None:
            await tx.run(ABOUT, made[0], line.person_id)
    return ids


async def close_ended(tx: Tx, *, about: About = About.AWARDS, limit: int = 200) -> list[int]:
    """Close a room's notices whose last day is over; each is handed out once."""
    closed = [found[0] for found in await tx.rows(CLOSE, tx.now, tx.now, about, limit)]
    for notice_id in closed:
        await trail.record(tx, "notice.closed", subject=("notice", notice_id))
    return closed


async def withdraw(tx: Tx, *, notice_id: int) -> None:
    """Take a notice back, be its time over or not; the caller has seen to it that every objection has an answer."""
    if await tx.run(WITHDRAW, tx.now, tx.now, notice_id) != 1:
        raise NotFound
    await trail.record(tx, "notice.withdrawn", subject=("notice", notice_id))


async def record_objection(
    tx: Tx, *, line_id: int, grounds: Grounds, words: str = "", about: About = About.AWARDS
) -> int:
    """Write an objection down; the caller holds back what the line stands for, in the same transaction."""
    notice = await tx.row(LINE, line_id)
    if notice is None or notice["about"] != about:
        raise NotFound
    if notice["closed_at"] is not None or notice["ends_at"] <= tx.now:
        raise NoticeOver(number=notice["number"])
    recorded_by = tx.actor.person_id
    sealed = seals.seal(words, place_of(line_id)) if words else ""
    made = await tx.row(OBJECT, notice["community_id"], notice["id"], line_id, grounds, sealed, recorded_by, tx.now)
    assert made is not None
    await trail.record(tx, "objection.recorded", subject=("objection", made[0]), line=line_id, grounds=grounds)
    return int(made[0])


async def rule_objection(tx: Tx, *, objection_id: int, upheld: bool, ruling: str) -> int:
    """Answer an objection once; returns its line, for the caller to act on."""
    state = "upheld" if upheld else "dismissed"
    ruled = await tx.row(RULE, state, tx.actor.person_id, tx.now, ruling, objection_id)
    if ruled is None:
        raise AlreadyRuled if await tx.row(KNOWN, objection_id) else NotFound
    await trail.record(tx, "objection.ruled", subject=("objection", objection_id), state=state)
    return int(ruled[0])
