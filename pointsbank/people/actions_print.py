"""Print runs: many cards for one print, issued slice by slice; who printed them; and the end of a whole run."""

from collections.abc import Sequence

import msgspec

from pointsbank.kit import codes
from pointsbank.kit.db import Tx
from pointsbank.people.actions_cards import issue_card
from pointsbank.people.actions_household_cards import issue_household_card
from pointsbank.people.rules_cards import SLICE, Kept, NoHouseholdCards, RunVoided
from pointsbank.trail import actions as trail

# The row that gives out numbers, so that of two who print at once one waits.
HOLD_COMMUNITY = "UPDATE people_community SET holder = holder WHERE id = ? RETURNING holder"
NUMBER = "SELECT COALESCE(MAX(number), 0) + 1 AS next FROM people_print_run WHERE community_id = ?"
OPEN = """
INSERT INTO people_print_run (community_id, kind, number, made_by, made_at) VALUES (?, ?, ?, ?, ?) RETURNING id
"""
HOLD_RUN = "UPDATE people_print_run SET kind = kind WHERE id = ? AND ended_at IS NULL RETURNING community_id"
HOLD_PERSON = "UPDATE people_person SET state = state WHERE id = ? AND community_id = ? AND state = 'member'"
HOLD_HOUSEHOLD = "UPDATE people_household SET community_id = community_id WHERE id = ? AND community_id = ?"
LIVE_CARD = "SELECT id FROM people_card WHERE person_id = ? AND state = 'live'"
LIVE_HOUSEHOLD_CARD = "SELECT id FROM people_household_card WHERE household_id = ? AND state = 'live'"
HAS_MEMBERS = "SELECT 1 FROM people_person WHERE household_id = ? AND state = 'member' LIMIT 1"
ADD_CARD = "INSERT INTO people_print_run_card (run_id, place, card_id) VALUES (?, ?, ?)"
ADD_HOUSEHOLD_CARD = "INSERT INTO people_print_run_card (run_id, place, household_card_id) VALUES (?, ?, ?)"
MAKE_PLATE = """
INSERT INTO people_plate (household_id, token, made_at)
SELECT id, ?, ? FROM people_household WHERE id = ? AND community_id = ?
ON CONFLICT (household_id) DO NOTHING
"""
END_RUN = """
UPDATE people_print_run SET ended_at = ?, ended_by = ?, end_reason = ? WHERE id = ? AND ended_at IS NULL
"""
END_CARDS = """
UPDATE people_card SET state = 'lost', ended_at = ?
 WHERE state = 'live' AND id IN (SELECT card_id FROM people_print_run_card WHERE run_id = ?)
"""
END_HOUSEHOLD_CARDS = """
UPDATE people_household_card SET state = 'lost', ended_at = ?
 WHERE state = 'live' AND id IN (SELECT household_card_id FROM people_print_run_card WHERE run_id = ?)
"""


class RunOpened(msgspec.Struct, frozen=True):
    run_id: int
    number: int


async def open_run(tx: Tx, *, community_id: int, kind: Kept, holder_ids: Sequence[int]) -> RunOpened:
    """Give the print a number. The ids are here so that one key stays one choice; `fill_run` gets them by slices."""
    assert kind is not Kept.PLATE
    community = await tx.row(HOLD_COMMUNITY, community_id)
    assert community is not None
    if kind is Kept.HOUSEHOLD and community["holder"] != "household":
        raise NoHouseholdCards
    number = await tx.row(NUMBER, community_id)
    assert number is not None
    made = await tx.row(OPEN, community_id, kind.value, number["next"], tx.actor.person_id, tx.now)
    assert made is not None
    subject = ("print_run", made["id"])
    await trail.record(tx, "cards.run_opened", subject, kind=kind.value, number=number["next"], asked=len(holder_ids))
    return RunOpened(made["id"], number["next"])


async def fill_run(tx: Tx, *, run_id: int, kind: Kept, start: int, holder_ids: Sequence[int]) -> int:
    """Put cards into the run from place `start` on, issued where there is none; says how many were issued.

    Whoever has left or was merged since he was chosen is passed over.
    """
    assert 0 < len(holder_ids) <= SLICE
    run = await tx.row(HOLD_RUN, run_id)
    if run is None:
        raise RunVoided
    issued = 0
    # By ascending id, as rows of one table are always taken; the places keep the order of the sheets.
    for holder_id, place in sorted((holder_id, start + at) for at, holder_id in enumerate(holder_ids)):
        if kind is Kept.MEMBER:
            issued += await _put_member(tx, run_id, run["community_id"], place, holder_id)
        else:
            issued += await _put_household(tx, run_id, run["community_id"], place, holder_id)
    return issued


async def _put_member(tx: Tx, run_id: int, community_id: int, place: int, person_id: int) -> int:
    if await tx.run(HOLD_PERSON, person_id, community_id) == 0:
        return 0
    live = await tx.row(LIVE_CARD, person_id)
    card_id = (await issue_card(tx, person_id=person_id)).card_id if live is None else live["id"]
    await tx.run(ADD_CARD, run_id, place, card_id)
    return int(live is None)


async def _put_household(tx: Tx, run_id: int, community_id: int, place: int, household_id: int) -> int:
    if await tx.run(HOLD_HOUSEHOLD, household_id, community_id) == 0:
        return 0
    if await tx.row(HAS_MEMBERS, household_id) is None:
        return 0
    live = await tx.row(LIVE_HOUSEHOLD_CARD, household_id)
    card_id = (await issue_household_card(tx, household_id=household_id)).card_id if live is None else live["id"]
    await tx.run(ADD_HOUSEHOLD_CARD, run_id, place, card_id)
    return int(live is None)


async def note_run_printed(tx: Tx, *, run_id: int, what: str, sheet: int) -> None:
    """Record who printed what of a run: its cards or its slips, one sheet or all of them (0)."""
    if await tx.row(HOLD_RUN, run_id) is None:
        raise RunVoided
    await trail.record(tx, "cards.run_printed", subject=("print_run", run_id), what=what, sheet=sheet)


async def void_run(tx: Tx, *, run_id: int, reason: str) -> int:
    """End every card of a run that is still live, at once; says how many. Their holders have none until a new print."""
    if await tx.run(END_RUN, tx.now, tx.actor.person_id, reason, run_id) == 0:
        raise RunVoided
    ended = await tx.run(END_CARDS, tx.now, run_id) + await tx.run(END_HOUSEHOLD_CARDS, tx.now, run_id)
    await trail.record(tx, "cards.run_voided", subject=("print_run", run_id), reason=reason, cards=ended)
    return ended


async def note_household_card_printed(tx: Tx, *, household_id: int, card_id: int) -> None:
    await trail.record(tx, "household_card.printed", subject=("household", household_id), card_id=card_id)


async def make_plates(tx: Tx, *, community_id: int, household_ids: Sequence[int]) -> None:
    """See that each of these households has a plate; one that hangs stays what it is."""
    for household_id in sorted(household_ids):
        await tx.run(MAKE_PLATE, codes.new_poster_token(), tx.now, household_id, community_id)
    await trail.record(tx, "plates.printed", subject=("community", community_id), count=len(household_ids))
