"""What printed cards, slips and plates bear, drawn again from the keys: full names and live secrets.

Only pages that answer a recorded print may ask for it.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from pointsbank.kit import codes, db, qr
from pointsbank.kit.codes import CodeKind
from pointsbank.kit.db import Row
from pointsbank.kit.errors import NotFound
from pointsbank.people import sealed
from pointsbank.people.rules_cards import PER_SHEET, Kept, Natural, natural

TAIL_DIGITS = 4

MEMBER_CARD = """
SELECT {place}, c.id, c.generation, c.issued_at, q.member_number, q.wrapped_key, q.name, b.name AS building,
       a.used_at, a.expires_at, a.tries_left
  FROM people_card c
  JOIN people_person p ON p.id = c.person_id
  JOIN people_person q ON q.id = COALESCE(p.merged_into, p.id)
  LEFT JOIN people_household h ON h.id = q.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
  LEFT JOIN people_activation a ON a.card_id = c.id
"""
HOUSEHOLD_CARD = """
SELECT {place}, c.id, c.generation, c.issued_at, h.id AS household_id, h.wrapped_key AS household_key, h.door,
       b.name AS building, q.member_number, q.wrapped_key, q.name
  FROM people_household_card c
  JOIN people_household h ON h.id = c.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
  LEFT JOIN people_person m ON m.id = h.head_id
  LEFT JOIN people_person q ON q.id = COALESCE(m.merged_into, m.id)
"""
OF_RUN = """
  JOIN people_print_run_card x ON x.{column} = c.id
 WHERE x.run_id = ? AND c.state = 'live' AND x.place BETWEEN ? AND ? ORDER BY x.place
"""
RUN_MEMBER_CARDS = MEMBER_CARD.format(place="x.place") + OF_RUN.format(column="card_id")
RUN_HOUSEHOLD_CARDS = HOUSEHOLD_CARD.format(place="x.place") + OF_RUN.format(column="household_card_id")
ALONE = "0 AS place"
ONE_MEMBER_CARD = MEMBER_CARD.format(place=ALONE) + "WHERE c.person_id = ? AND c.state = 'live'"
ONE_HOUSEHOLD_CARD = HOUSEHOLD_CARD.format(place=ALONE) + "WHERE h.id = ? AND c.state = 'live'"
PLATES = """
SELECT t.token, h.id AS household_id, h.wrapped_key AS household_key, h.door, b.name AS building
  FROM people_plate t
  JOIN people_household h ON h.id = t.household_id
  JOIN people_place b ON b.id = h.building_id
 WHERE h.id IN
"""
DOORS = {
    Kept.MEMBER: """
SELECT p.id, h.id AS household_id, h.wrapped_key AS household_key, h.door, b.name AS building
  FROM people_person p
  LEFT JOIN people_household h ON h.id = p.household_id
  LEFT JOIN people_place b ON b.id = h.building_id
 WHERE p.id IN
""",
    Kept.HOUSEHOLD: """
SELECT h.id, h.id AS household_id, h.wrapped_key AS household_key, h.door, b.name AS building
  FROM people_household h LEFT JOIN people_place b ON b.id = h.building_id
 WHERE h.id IN
""",
}

T = TypeVar("T")


class PaperCard(msgspec.Struct, frozen=True):
    """Front and back. `title` stands largest: the person's name, or the household's door."""

    place: int
    card_id: int
    title: str
    under: str
    generation: int
    issued_at: datetime
    code: str
    square: qr.Drawing
    bars: qr.Drawing


class PaperSlip(msgspec.Struct, frozen=True):
    """Matched to its card by number and the last digits of the code; whoever holds it can sign in as that person."""

    place: int
    masked_name: str
    building: str
    member_number: str
    tail: str
    typed: str
    expires_at: datetime
    square: qr.Drawing


class PaperPlate(msgspec.Struct, frozen=True):
    building: str
    door: str
    square: qr.Drawing


async def member_cards(run_id: int, sheet: int) -> list[PaperCard]:
    """The cards of a run that still live, on one of its sheets or (0) on all."""
    return await _drawn(await db.slow_rows(RUN_MEMBER_CARDS, run_id, *_places(sheet)), _member_card)


async def household_cards(run_id: int, sheet: int) -> list[PaperCard]:
    return await _drawn(await db.slow_rows(RUN_HOUSEHOLD_CARDS, run_id, *_places(sheet)), _household_card)


async def slips(run_id: int, sheet: int, base: str, now: datetime) -> list[PaperSlip]:
    """Those of the run's slips that are still good, in the order of the cards."""
    found = await db.slow_rows(RUN_MEMBER_CARDS, run_id, *_places(sheet))
    return await _drawn([one for one in found if _is_slip_good(one, now)], lambda one: _slip(one, base))


async def one_card(person_id: int, base: str, now: datetime) -> tuple[PaperCard, PaperSlip | None]:
    """A person's live card, with its slip while that is good."""
    found = await db.row(ONE_MEMBER_CARD, person_id)
    if found is None:
        raise NotFound
    return _member_card(found), _slip(found, base) if _is_slip_good(found, now) else None


async def one_household_card(household_id: int) -> PaperCard:
    found = await db.row(ONE_HOUSEHOLD_CARD, household_id)
    if found is None:
        raise NotFound
    return _household_card(found)


async def plates(household_ids: Sequence[int], base: str) -> list[PaperPlate]:
    """In the order asked."""
    found = {one["household_id"]: one for one in await _of_ids(PLATES, household_ids)}
    return await _drawn([found[one] for one in household_ids if one in found], lambda one: _plate(one, base))


async def in_order_of_doors(kind: Kept, ids: Collection[int]) -> list[int]:
    """By building and door, as one walks: what has neither comes last."""
    found = await _of_ids(DOORS[Kept.MEMBER if kind is Kept.MEMBER else Kept.HOUSEHOLD], ids)
    placed = await _drawn(found, lambda one: (_walk(one), one["id"]))
    return [one for _, one in sorted(placed)]


def _walk(one: Row) -> tuple[bool, Natural, bool, Natural, int]:
    building, door = one["building"] or "", _door(one)
    return not building, natural(building), not door, natural(door), one["household_id"] or 0


async def _of_ids(statement: str, ids: Collection[int]) -> list[Row]:
    asked = sorted(ids)
    return await db.slow_rows(f"{statement} ({', '.join('?' * len(asked))})", *asked) if asked else []


async def _drawn(found: Sequence[Row], draw: Callable[[Row], T]) -> list[T]:
    """Half a second for two hundred slips, so in a thread."""
    return await asyncio.to_thread(lambda: [draw(one) for one in found])


def _places(sheet: int) -> tuple[int, int]:
    """The places of a sheet, counted from 1; 0 is all of them."""
    return (0, 2**31) if sheet == 0 else ((sheet - 1) * PER_SHEET, sheet * PER_SHEET - 1)


def _member_card(one: Row) -> PaperCard:
    code = codes.card_code(sealed.card_digits(one["id"], one["generation"]))
    number = codes.shown_member_number(one["member_number"])
    return _card(one, sealed.person_field(one, "name") or number, number, code)


def _household_card(one: Row) -> PaperCard:
    digits = sealed.card_digits(one["id"], one["generation"], CodeKind.HOUSEHOLD)
    head = sealed.person_field(one, "name") if one["member_number"] is not None else ""
    home = f"{one['building'] or ''} {_door(one)}".strip()
    return _card(one, home or head, head if home else "", codes.card_code(digits, CodeKind.HOUSEHOLD))


def _card(one: Row, title: str, under: str, code: str) -> PaperCard:
    return PaperCard(
        place=one["place"],
        card_id=one["id"],
        title=title,
        under=under,
        generation=one["generation"],
        issued_at=one["issued_at"],
        code=_by_fours(code),
        square=qr.qr_drawing(code, level="Q"),
        bars=qr.code128_drawing(code),
    )


def _is_slip_good(one: Row, now: datetime) -> bool:
    return (
        one["expires_at"] is not None and one["used_at"] is None and one["expires_at"] > now and one["tries_left"] > 0
    )


def _slip(one: Row, base: str) -> PaperSlip:
    card_id, generation = one["id"], one["generation"]
    address = f"{base}/a/{sealed.activation_token(card_id, generation)}"
    return PaperSlip(
        place=one["place"],
        masked_name=sealed.masked_name_of(one),
        building=one["building"] or "",
        member_number=codes.shown_member_number(one["member_number"]),
        tail=codes.card_code(sealed.card_digits(card_id, generation))[-TAIL_DIGITS:],
        typed=_by_fours(sealed.typed_activation(card_id, generation)),
        expires_at=one["expires_at"],
        square=qr.qr_drawing(address, level="M"),
    )


def _plate(one: Row, base: str) -> PaperPlate:
    return PaperPlate(one["building"], _door(one), qr.qr_drawing(f"{base}/d/{one['token']}", level="M"))


def _door(one: Row) -> str:
    return sealed.door_of(one["household_id"], one["household_key"], one["door"])


def _by_fours(digits: str) -> str:
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
