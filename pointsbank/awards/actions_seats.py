"""The seats of a panel: filled when an award reaches it, and again when somebody may no longer sit.

Order of rows: panels, seats. A draw is recorded with how many it was out of, so that it can be looked at later.
"""

from secrets import SystemRandom

from pointsbank.awards import queries_panel as queries
from pointsbank.awards.rules import BATCH_MAX
from pointsbank.kit.db import Row, Tx
from pointsbank.scoring import queries as scoring
from pointsbank.trail import actions as trail

OPEN = """
INSERT INTO awards_panel (award_id, community_id, step, members, agree, drawn, seats, agreed, against, opened_at)
VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, ?) RETURNING id
"""
TAKE = "UPDATE awards_panel SET seats = seats WHERE id = ? AND verdict IS NULL RETURNING award_id, members, seats"
SEAT = "INSERT INTO awards_panel_seat (panel_id, person_id, out_of, seated_at) VALUES (?, ?, ?, ?)"
FILLED = "UPDATE awards_panel SET seats = seats + ? WHERE id = ? AND verdict IS NULL"
LEAVE = """
UPDATE awards_panel_seat SET left_at = ?
 WHERE id = ? AND left_at IS NULL AND NOT EXISTS (SELECT 1 FROM awards_panel_vote WHERE seat_id = awards_panel_seat.id)
"""


async def open_panel(tx: Tx, *, award: Row) -> None:
    """An award has come to the panel's step; seats that are not drawn are taken by who votes."""
    version = await scoring.version((award["community_id"],), award["version_id"], tx)
    panel = version.items[award["item_code"]].panel
    assert panel is not None
    opened = await tx.row(
        OPEN, award["id"], award["community_id"], award["reviews_given"], panel.members, panel.agree, panel.drawn,
        tx.now,
    )  # fmt: skip
    assert opened is not None
    subject = ("award", award["id"])
    await trail.record(tx, "panel.opened", subject=subject, members=panel.members, agree=panel.agree)
    if panel.drawn:
        await _draw(tx, int(opened["id"]))


async def fill_due(tx: Tx) -> int:
    """Clear the seats of those who may no longer sit, and draw others; returns how many changes, 0 when all is done.

    A panel whose draw has to wait until enough are independent of whoever wrote the act down is no change.
    """
    lost = await tx.rows(queries.LOST, BATCH_MAX)
    for seat in lost:
        await _vacate(tx, seat["panel_id"], seat["id"], seat["person_id"])
    short = await tx.rows(queries.SHORT, BATCH_MAX - len(lost))
    drawn = [await _draw(tx, panel["id"]) for panel in short]
    return len(lost) + sum(drawn)


async def _vacate(tx: Tx, panel_id: int, seat_id: int, person_id: int) -> None:
    """A vote that was given stays."""
    panel = await tx.row(TAKE, panel_id)
    if panel is None or await tx.run(LEAVE, tx.now, seat_id) != 1:
        return
    await tx.run(FILLED, -1, panel_id)
    await trail.record(tx, "panel.seat_lost", subject=("award", panel["award_id"]), person=person_id)


async def _draw(tx: Tx, panel_id: int) -> bool:
    """All seats at once at first: each draw is out of everybody who may sit. Says whether anybody was drawn."""
    panel = await tx.row(TAKE, panel_id)
    if panel is None:
        return False
    free = await queries.free_to_sit(tx, panel_id, panel["award_id"])
    wanted = panel["members"] - panel["seats"]
    if not free or (panel["seats"] == 0 and len(free) < wanted):
        return False
    drawn = SystemRandom().sample(free, min(wanted, len(free)))
    for person_id in sorted(drawn):
        await tx.run(SEAT, panel_id, person_id, len(free), tx.now)
    await tx.run(FILLED, len(drawn), panel_id)
    subject = ("award", panel["award_id"])
    await trail.record(tx, "panel.drawn", subject=subject, persons=sorted(drawn), out_of=free)
    return True
