"""Cards and the codes that staff scan."""

import msgspec

from pointsbank.kit import codes
from pointsbank.kit.codes import CodeKind
from pointsbank.kit.db import Row, Tx, reads
from pointsbank.people import sealed
from pointsbank.people.actions_household_cards import take_household_card
from pointsbank.people.rules import (
    ACTIVATION_LIFE,
    ACTIVATION_TRIES,
    CARD_KEY_ID,
    CodeExpired,
    CodeUsed,
    NoLiveCard,
    StillProvisional,
    UnknownCode,
    check_card_state,
    refusal_of,
)
from pointsbank.people.rules_cards import PersonalCardWanted
from pointsbank.trail import actions as trail

# Taken first, or of two who issue at once the second would not see the card that the first has just made.
HOLD_MEMBER = "UPDATE people_person SET state = state WHERE id = ? AND state = 'member'"
GENERATION = "SELECT COALESCE(MAX(generation), 0) AS last FROM people_card WHERE person_id = ?"
END = "UPDATE people_card SET state = ?, ended_at = ? WHERE person_id = ? AND state = 'live' RETURNING id"
ISSUE = """
INSERT INTO people_card (person_id, generation, key_id, state, issued_at) VALUES (?, ?, ?, 'live', ?) RETURNING id
"""
SET_DIGITS = "UPDATE people_card SET digits_index = ? WHERE id = ?"
ACTIVATION = """
INSERT INTO people_activation (person_id, card_id, token_digest, typed_digest, tries_left, expires_at)
VALUES (?, ?, ?, ?, ?, ?)
"""
FIND_CARD = """
SELECT c.id AS card_id, c.state AS card_state, c.ended_at, q.id, q.household_id, q.state, q.community_id,
       q.member_number, k.holder
  FROM people_card c
  JOIN people_person p ON p.id = c.person_id
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  JOIN people_community k ON k.id = q.community_id
 WHERE c.digits_index = ?
"""
FIND_PHONE = """
SELECT d.id AS device_id, d.check_in_step, d.check_out_step, d.visit_step, d.ended_at,
       q.id, q.household_id, q.state, q.community_id, q.member_number, k.holder
  FROM people_device d
  JOIN people_person p ON p.id = d.person_id
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  JOIN people_community k ON k.id = q.community_id
 WHERE d.handle = ?
"""
# The very card that was scanned: times would not tell, when another server's clock is behind.
CARD_STATE = {
    "card": "SELECT state, ended_at FROM people_card WHERE id = ?",
    "household": "SELECT state, ended_at FROM people_household_card WHERE id = ?",
}
HAS_PHONE = "SELECT 1 FROM people_device WHERE person_id = ? AND ended_at IS NULL LIMIT 1"
STEP = {
    "check_in": "UPDATE people_device SET check_in_step = ? WHERE id = ? AND check_in_step < ?",
    "check_out": "UPDATE people_device SET check_out_step = ? WHERE id = ? AND check_out_step < ?",
    "visit": "UPDATE people_device SET visit_step = ? WHERE id = ? AND visit_step < ?",
}
NO_STEP = -1


class Issued(msgspec.Struct, frozen=True):
    card_id: int
    generation: int


class Scanned(msgspec.Struct, frozen=True):
    """Whose code was taken: a card, phone or household (`code_kind`). `holder` is person or household.

    `person_id` is canonical; of a household's card it is one of the household, and who stands there, staff say.
    """

    person_id: int
    household_id: int | None
    code_kind: str
    state: str
    holder: str
    member_number: str
    card_id: int | None


def card_code_of(card_id: int, generation: int) -> str:
    """The twenty digits on a card, drawn again from the key."""
    return codes.card_code(sealed.card_digits(card_id, generation))


async def issue_card(tx: Tx, *, person_id: int, is_lost: bool = False) -> Issued:
    """Give a new card with its activation slip; the one before ends now, and its slip with it.

    `is_lost`: the one before was lost, and ends as such.
    """
    if await tx.run(HOLD_MEMBER, person_id) == 0:
        raise StillProvisional
    before = await tx.row(END, "lost" if is_lost else "replaced", tx.now, person_id)
    if is_lost and before is not None:
        await trail.record(tx, "card.lost", subject=("person", person_id), card_id=before["id"])
    last = await tx.row(GENERATION, person_id)
    assert last is not None
    generation = last["last"] + 1
    made = await tx.row(ISSUE, person_id, generation, CARD_KEY_ID, tx.now)
    assert made is not None
    card_id = int(made["id"])
    await tx.run(SET_DIGITS, sealed.card_index(sealed.card_digits(card_id, generation)), card_id)
    token = sealed.short_digest("activation", sealed.activation_token(card_id, generation))
    typed = sealed.short_digest("typed", sealed.typed_activation(card_id, generation))
    await tx.run(ACTIVATION, person_id, card_id, token, typed, ACTIVATION_TRIES, tx.now + ACTIVATION_LIFE)
    await trail.record(tx, "card.issued", subject=("person", person_id), card_id=card_id, generation=generation)
    return Issued(card_id, generation)


async def report_lost(tx: Tx, *, person_id: int) -> None:
    """The card and its slip are dead from this commit on; points stay where they are."""
    lost = await tx.row(END, "lost", tx.now, person_id)
    if lost is None:
        raise NoLiveCard
    await trail.record(tx, "card.lost", subject=("person", person_id), card_id=lost["id"])


class ReadCode(msgspec.Struct, frozen=True):
    """What was scanned, and of a card that by which its row is found."""

    scan: codes.Scan
    index: bytes = b""


def read_code(code: str) -> ReadCode:
    """For `db.reads`: all that can be said of a scanned code without a row."""
    scan = codes.parse_scan(code)
    if scan.kind in (CodeKind.CARD, CodeKind.HOUSEHOLD):
        return ReadCode(scan, sealed.card_index(scan.digits, scan.kind))
    return ReadCode(scan)


@reads(code=read_code)
async def take_code(tx: Tx, *, code: ReadCode, purpose: str, community_id: int) -> Scanned:
    """Say whose scanned code this is and use it up: a phone code is good once for each purpose.

    `purpose` is check_in, check_out or visit. A visit is for members only; a provisional person may check in.
    """
    scan = code.scan
    if scan.kind is CodeKind.CARD:
        found = await _live_card(tx, code.index, community_id)
        taken = _scanned(found, "card", found["card_id"])
    elif scan.kind is CodeKind.PHONE:
        found = await _take_phone(tx, scan, purpose, community_id)
        taken = _scanned(found, "phone")
    elif scan.kind is CodeKind.HOUSEHOLD:
        if purpose != "visit":
            raise PersonalCardWanted
        acting, card_id = await take_household_card(tx, index=code.index, community_id=community_id)
        taken = _scanned(acting, "household", card_id)
    else:
        raise refusal_of(scan.kind)
    if purpose == "visit" and taken.state != "member":
        raise StillProvisional
    return taken


def _scanned(found: Row, code_kind: str, card_id: int | None = None) -> Scanned:
    return Scanned(
        found["id"], found["household_id"], code_kind, found["state"], found["holder"], found["member_number"], card_id
    )


async def check_code_still_good(tx: Tx, *, person_id: int, code_kind: str, card_id: int | None) -> None:
    """Refuse to go on with a code that was good when scanned, if its card was ended or its phone taken away since."""
    if code_kind == "phone":
        if await tx.row(HAS_PHONE, person_id) is None:
            raise CodeExpired
        return
    found = None if card_id is None else await tx.row(CARD_STATE[code_kind], card_id)
    if found is None:
        raise UnknownCode
    check_card_state(found["state"], found["ended_at"])


async def _live_card(tx: Tx, index: bytes, community_id: int) -> Row:
    found = await tx.row(FIND_CARD, index)
    if found is None or found["community_id"] != community_id or found["state"] == "left":
        raise UnknownCode
    check_card_state(found["card_state"], found["ended_at"])
    return found


async def _take_phone(tx: Tx, scan: codes.Scan, purpose: str, community_id: int) -> Row:
    found = await tx.row(FIND_PHONE, scan.handle)
    if found is None or found["community_id"] != community_id or found["ended_at"] is not None:
        raise UnknownCode
    if found["state"] not in ("member", "provisional"):
        raise UnknownCode
    secret, last_step = sealed.phone_secret(found["device_id"]), found[f"{purpose}_step"]
    step = codes.matching_phone_step(secret, scan.otp, tx.now, last_step)
    if step is None:
        was_good = codes.matching_phone_step(secret, scan.otp, tx.now, NO_STEP) is not None
        raise CodeUsed if was_good else CodeExpired
    # The guard: of two counters that scan one screenshot, one is told that it was used.
    if await tx.run(STEP[purpose], step, found["device_id"], step) == 0:
        raise CodeUsed
    return found
