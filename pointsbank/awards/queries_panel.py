"""Read panels: who may sit, what waits for somebody's vote, and what was decided."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from pointsbank.awards import queries_hands
from pointsbank.awards.rules_panel import missing
from pointsbank.kit import db
from pointsbank.kit.db import Row, Tx
from pointsbank.kit.errors import NotFound
from pointsbank.people import queries as people
from pointsbank.scoring.rules import Step

LISTED_MAX = 100

OPEN = """
  FROM awards_panel panel
  JOIN awards_award award ON award.id = panel.award_id AND award.state = 'pending' AND award.next_role = 'panel'
  JOIN awards_act act ON act.id = award.act_id
"""
# Who may sit on which open panel: whom an admin has named, but nobody of the doer's household, nobody who wrote the
# act down or took a step of its chain, and nobody who left.
SITTERS = f"""
{OPEN}
  JOIN people_role_grant held ON held.place_id = panel.community_id AND held.role = 'panel_member'
   AND held.ended_at IS NULL
  JOIN people_person named ON named.id = held.person_id
  JOIN people_person sitter ON sitter.id = COALESCE(named.merged_into, named.id) AND sitter.state = 'member'
   AND sitter.community_id = panel.community_id
 WHERE NOT EXISTS (
        SELECT 1 FROM people_person did JOIN people_person doer ON doer.id = COALESCE(did.merged_into, did.id)
         WHERE did.id = award.person_id AND (doer.id = sitter.id OR doer.household_id = sitter.household_id))
   AND NOT EXISTS (
        SELECT 1 FROM people_person hand WHERE (hand.id = sitter.id OR hand.merged_into = sitter.id)
           AND (hand.id = act.recorded_by
                OR hand.id IN (SELECT reviewed_by FROM awards_review WHERE award_id = award.id)))
"""
FREE = f"""
{SITTERS}
   AND NOT EXISTS (
        SELECT 1 FROM awards_panel_seat seat JOIN people_person sits ON sits.id = seat.person_id
         WHERE seat.panel_id = panel.id AND seat.left_at IS NULL AND COALESCE(sits.merged_into, sits.id) = sitter.id)
"""
FIT_TO_SIT = f"SELECT DISTINCT sitter.id {SITTERS} AND panel.id = ?"
FREE_TO_SIT = f"SELECT DISTINCT sitter.id {FREE} AND panel.id = ? ORDER BY sitter.id"
FREE_IN = f"SELECT panel.id, COUNT(DISTINCT sitter.id) AS free {FREE} AND panel.community_id IN"
HAS_VOTED = """
SELECT 1 FROM awards_panel_seat seat JOIN awards_panel_vote vote ON vote.seat_id = seat.id
 WHERE seat.panel_id = ? AND seat.person_id IN
"""
# Seats from which nobody has voted, of those who may no longer sit.
LOST = f"""
SELECT seat.id, seat.panel_id, seat.person_id
  FROM awards_panel_seat seat
  JOIN awards_panel open_panel ON open_panel.id = seat.panel_id AND open_panel.verdict IS NULL
  JOIN awards_award waiting ON waiting.id = open_panel.award_id AND waiting.state = 'pending'
 WHERE seat.left_at IS NULL AND NOT EXISTS (SELECT 1 FROM awards_panel_vote vote WHERE vote.seat_id = seat.id)
   AND NOT EXISTS (SELECT 1 {SITTERS} AND panel.id = seat.panel_id AND sitter.id = seat.person_id)
 ORDER BY seat.panel_id, seat.id LIMIT ?
"""
# Panels with seats that can be filled by a draw now.
SHORT = f"""
SELECT panel.id {FREE} AND panel.drawn AND panel.verdict IS NULL AND panel.seats < panel.members
 GROUP BY panel.id, panel.seats, panel.members
HAVING COUNT(DISTINCT sitter.id) >= CASE WHEN panel.seats = 0 THEN panel.members ELSE 1 END
 ORDER BY panel.id LIMIT ?
"""
FACTS = """
SELECT panel.id AS panel_id, panel.community_id, panel.members, panel.agree, panel.drawn, panel.seats, panel.agreed,
       panel.against, panel.verdict, award.id AS award_id, award.person_id, award.passbook_id, award.version_id,
       award.item_code, award.points, award.steps, act.what, act.evidence, act.began_at, act.minutes, act.quantity
"""
# A person's own: with a seat, or where seats are free for whoever votes.
MINE = f"""
{FACTS} {SITTERS} AND sitter.id = ?
   AND (panel.drawn = FALSE OR EXISTS (SELECT 1 FROM awards_panel_seat own WHERE own.panel_id = panel.id
                                        AND own.person_id = sitter.id AND own.left_at IS NULL))
   AND NOT EXISTS (SELECT 1 FROM awards_panel_seat own JOIN awards_panel_vote vote ON vote.seat_id = own.id
                    WHERE own.panel_id = panel.id AND own.person_id IN
"""
VOTED_ON = f"""
{FACTS}, vote.agrees
  FROM awards_panel panel
  JOIN awards_award award ON award.id = panel.award_id
  JOIN awards_act act ON act.id = award.act_id
  JOIN awards_panel_seat own ON own.panel_id = panel.id
  JOIN awards_panel_vote vote ON vote.seat_id = own.id
 WHERE award.id = ? AND own.person_id IN
"""
WAITING = f"{FACTS} {OPEN} WHERE panel.community_id IN"
OUTCOME = "SELECT members, agreed, against, verdict FROM awards_panel WHERE award_id = ?"
VOTES = """
SELECT seat.person_id, vote.agrees FROM awards_panel panel
  JOIN awards_panel_seat seat ON seat.panel_id = panel.id
  JOIN awards_panel_vote vote ON vote.seat_id = seat.id
 WHERE panel.award_id = ? AND panel.verdict IS NOT NULL ORDER BY vote.id
"""

_steps = msgspec.json.Decoder(list[Step]).decode


class ToVote(msgspec.Struct, frozen=True):
    """One award as a member of its panel sees it: how others vote is told only once it is decided.

    `voted` is the member's own vote. `name` is what a public notice would say.
    """

    award_id: int
    name: str
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
    members: int
    agree: int
    missing: int
    voted: bool | None
    verdict: str | None
    agreed: int


class AtPanel(msgspec.Struct, frozen=True):
    """One line of what waits for panels: how many have voted, and how many more have to be named first."""

    award_id: int
    masked_name: str
    what: str
    began_at: datetime
    passbook_id: int
    points: int
    voted: int
    members: int
    missing: int


class Outcome(msgspec.Struct, frozen=True):
    members: int
    agreed: int
    against: int
    verdict: str | None


async def fit_to_sit(tx: Tx, panel_id: int) -> set[int]:
    return {found[0] for found in await tx.rows(FIT_TO_SIT, panel_id)}


async def free_to_sit(tx: Tx, panel_id: int, award_id: int) -> list[int]:
    """Who may sit, has no seat yet, and is independent of all whose hands the award went through."""
    free = [found[0] for found in await tx.rows(FREE_TO_SIT, panel_id)]
    return await queries_hands.independent(tx, award_id=award_id, person_ids=free)


async def has_voted(tx: Tx, panel_id: int, person_ids: Sequence[int]) -> bool:
    return await tx.row(f"{HAS_VOTED} ({_marks(person_ids)})", panel_id, *person_ids) is not None


async def waiting_for(person_id: int) -> list[ToVote]:
    """What waits for this person's vote, the oldest first."""
    ids = await people.ids_of(None, person_id)
    sql = f"{MINE} ({_marks(ids)})) ORDER BY award.id LIMIT ?"
    listed = await db.rows(sql, person_id, *ids, LISTED_MAX)
    found = {one["award_id"]: one for one in listed}.values()  # somebody may be named under two records
    free = await _free_in({one["community_id"] for one in found})
    return [await _to_vote(one, None, free) for one in found]


async def to_vote(person_id: int, award_id: int) -> ToVote:
    """One award that waits for this person's vote, or has had it; anything else is not found."""
    ids = await people.ids_of(None, person_id)
    found = await db.row(f"{VOTED_ON} ({_marks(ids)})", award_id, *ids)
    if found is not None:
        return await _to_vote(found, bool(found["agrees"]), {})
    for one in await waiting_for(person_id):
        if one.award_id == award_id:
            return one
    raise NotFound


async def _to_vote(found: Row, voted: bool | None, free: dict[int, int]) -> ToVote:
    name, place = await people.notice_name(None, found["person_id"])
    plain = ("award_id", "what", "evidence", "began_at", "minutes", "quantity", "community_id", "version_id",
             "item_code", "passbook_id", "points", "members", "agree", "verdict")  # fmt: skip
    return ToVote(
        **{field: found[field] for field in plain},
        name=name,
        place=place,
        steps=_steps(found["steps"]),
        missing=_missing(found, free) if voted is None and not found["seats"] else 0,
        voted=voted,
        agreed=found["agreed"] if found["verdict"] else 0,
    )


async def at_panels(community_ids: Sequence[int]) -> list[AtPanel]:
    """What waits for the panels of these communities, the oldest first."""
    sql = f"{WAITING} ({_marks(community_ids)}) ORDER BY award.id LIMIT ?"
    found = await db.rows(sql, *community_ids, LISTED_MAX)
    names = await people.masked_names(one["person_id"] for one in found)
    free = await _free_in({one["community_id"] for one in found})
    return [
        AtPanel(
            one["award_id"],
            names[one["person_id"]],
            one["what"],
            one["began_at"],
            one["passbook_id"],
            one["points"],
            one["agreed"] + one["against"],
            one["members"],
            _missing(one, free),
        )
        for one in found
    ]


async def outcome_of(award_id: int) -> Outcome | None:
    found = await db.row(OUTCOME, award_id)
    return None if found is None else Outcome(*found)


async def votes_of(award_id: int) -> list[tuple[str, bool]]:
    """Who voted how, by masked names, once it is decided."""
    found = await db.rows(VOTES, award_id)
    names = await people.masked_names(one["person_id"] for one in found)
    return [(names[one["person_id"]], bool(one["agrees"])) for one in found]


async def _free_in(community_ids: set[int]) -> dict[int, int]:
    """How many may still sit down, for each open panel of these communities that anybody may sit on."""
    if not community_ids:
        return {}
    sql = f"{FREE_IN} ({_marks(list(community_ids))}) GROUP BY panel.id"
    return {one["id"]: one["free"] for one in await db.rows(sql, *community_ids)}


def _missing(found: Row, free: dict[int, int]) -> int:
    return missing(members=found["members"], seats=found["seats"], free=free.get(found["panel_id"], 0))


def _marks(values: Sequence[int]) -> str:
    return ", ".join("?" * len(values)) or "NULL"
