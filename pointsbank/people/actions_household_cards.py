"""The household's card: it spends the household's points, and checks nobody in."""

import msgspec

from pointsbank.kit.codes import CodeKind
from pointsbank.kit.db import Row, Tx
from pointsbank.people import sealed
from pointsbank.people.rules import CARD_KEY_ID, UnknownCode, check_card_state
from pointsbank.people.rules_cards import HouseholdEmpty, NoHouseholdCards, NoLiveHouseholdCard
from pointsbank.trail import actions as trail

# Taken first, or of two who issue at once the second would not see the card that the first has just made.
HOLD_HOUSEHOLD = "UPDATE people_household SET community_id = community_id WHERE id = ? RETURNING community_id"
HOLDER = "SELECT holder FROM people_community WHERE id = ?"
GENERATION = "SELECT COALESCE(MAX(generation), 0) AS last FROM people_household_card WHERE household_id = ?"
END = "UPDATE people_household_card SET state = ?, ended_at = ? WHERE household_id = ? AND state = 'live' RETURNING id"
ISSUE = """
INSERT INTO people_household_card (household_id, generation, key_id, state, issued_at)
VALUES (?, ?, ?, 'live', ?) RETURNING id
"""
SET_DIGITS = "UPDATE people_household_card SET digits_index = ? WHERE id = ?"
FIND_CARD = """
SELECT c.id, c.state AS card_state, c.ended_at, c.household_id, h.community_id
  FROM people_household_card c JOIN people_household h ON h.id = c.household_id
 WHERE c.digits_index = ?
"""
# Who stands there is asked at the counter; until then it is the head, or whoever was registered first.
FIRST_OF = """
SELECT p.id, p.household_id, p.state, p.member_number, k.holder
  FROM people_person p
  JOIN people_household h ON h.id = p.household_id
  JOIN people_community k ON k.id = p.community_id
  LEFT JOIN people_person m ON m.id = h.head_id
 WHERE p.household_id = ? AND p.state = 'member'
 ORDER BY CASE WHEN p.id = COALESCE(m.merged_into, m.id) THEN 0 ELSE 1 END, p.id LIMIT 1
"""


class HouseholdCardIssued(msgspec.Struct, frozen=True):
    card_id: int
    generation: int


async def issue_household_card(tx: Tx, *, household_id: int, is_lost: bool = False) -> HouseholdCardIssued:
    """Give the household a new card; the one before ends now, as lost if that is why a new one is wanted."""
    held = await tx.row(HOLD_HOUSEHOLD, household_id)
    community = None if held is None else await tx.row(HOLDER, held["community_id"])
    if community is None or community["holder"] != "household":
        raise NoHouseholdCards
    if await tx.row(FIRST_OF, household_id) is None:
        raise HouseholdEmpty
    before = await tx.row(END, "lost" if is_lost else "replaced", tx.now, household_id)
    if is_lost and before is not None:
        await trail.record(tx, "household_card.lost", ("household", household_id), card_id=before["id"])
    last = await tx.row(GENERATION, household_id)
    assert last is not None
    generation = last["last"] + 1
    made = await tx.row(ISSUE, household_id, generation, CARD_KEY_ID, tx.now)
    assert made is not None
    card_id = int(made["id"])
    digits = sealed.card_digits(card_id, generation, CodeKind.HOUSEHOLD)
    await tx.run(SET_DIGITS, sealed.card_index(digits, CodeKind.HOUSEHOLD), card_id)
    subject = ("household", household_id)
    await trail.record(tx, "household_card.issued", subject, card_id=card_id, generation=generation)
    return HouseholdCardIssued(card_id, generation)


async def report_household_card_lost(tx: Tx, *, household_id: int) -> None:
    """The card is dead from this commit on; points stay where they are."""
    lost = await tx.row(END, "lost", tx.now, household_id)
    if lost is None:
        raise NoLiveHouseholdCard
    await trail.record(tx, "household_card.lost", subject=("household", household_id), card_id=lost["id"])


async def take_household_card(tx: Tx, *, index: bytes, community_id: int) -> tuple[Row, int]:
    """Who is served for the scanned card until staff say who of the household stands there; and which card it is."""
    found = await tx.row(FIND_CARD, index)
    if found is None or found["community_id"] != community_id:
        raise UnknownCode
    check_card_state(found["card_state"], found["ended_at"])
    first = await tx.row(FIRST_OF, found["household_id"])
    if first is None:
        raise HouseholdEmpty
    return first, found["id"]
