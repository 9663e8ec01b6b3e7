"""Sheets of cards: how many at once, in what order, what stands behind what; and the refusals about them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Protocol, TypeVar

from pointsbank.kit.errors import Kind, Refusal

RUN_MAX = 500
SLICE = 25
"""Cards issued in one transaction, so that a counter never waits long behind a print."""

SHEET_COLUMNS, SHEET_ROWS = 2, 5
PER_SHEET = SHEET_COLUMNS * SHEET_ROWS
PLATES_PER_SHEET = 8

_NUMBER = re.compile(r"(\d+)")

Natural = tuple[tuple[int, int, str], ...]
T = TypeVar("T")


class HasPlace(Protocol):
    @property
    def place(self) -> int: ...


Placed = TypeVar("Placed", bound=HasPlace)


class Kept(StrEnum):
    """What is printed on sheets: a person's card, a household's card, a plate for its door."""

    MEMBER = "member"
    HOUSEHOLD = "household"
    PLATE = "plate"


class VoidReason(StrEnum):
    MISSING = "missing"
    COPIED = "copied"
    MISPRINTED = "misprinted"
    OTHER = "other"


class NobodyChosen(Refusal):
    kind = Kind.INVALID
    code = "people.nobody_chosen"
    message = "还没有选给谁印。请勾选，或改筛选条件。"


class TooManyCards(Refusal):
    kind = Kind.INVALID
    code = "people.too_many_cards"
    message = "一次最多印 {most} 张。请按楼栋分几次印。"


class NothingToPrint(Refusal):
    kind = Kind.CONFLICT
    code = "people.nothing_to_print"
    message = "这里没有能印的：卡都停用了，或激活条都用过、过期了。请给要卡的人发新卡。"


class RunVoided(Refusal):
    kind = Kind.CONFLICT
    code = "people.run_voided"
    message = "这一批已经作废，不能再印。请到「印卡」里重新选人，印新卡。"


class PersonalCardWanted(Refusal):
    """Service is a person's; a household's card only spends."""

    kind = Kind.FORBIDDEN
    code = "people.personal_card_wanted"
    message = "这是家庭卡，只能兑换。签到请扫本人的积分卡或手机码。"


class HouseholdEmpty(Refusal):
    kind = Kind.CONFLICT
    code = "people.household_empty"
    message = "这一户现在没有登记的人，不能用家庭卡。请先到社区核对。"


class NoHouseholdCards(Refusal):
    kind = Kind.INVALID
    code = "people.no_household_cards"
    message = "本社区的积分记在个人名下，不发家庭卡。请发个人的积分卡。"


class NoLiveHouseholdCard(Refusal):
    kind = Kind.CONFLICT
    code = "people.no_live_household_card"
    message = "这一户现在没有可用的家庭卡。需要的话请发新卡。"


def natural(text: str) -> Natural:
    """A key that puts room 2 before room 10, and 9 号楼 before 10 号楼."""
    plain = unicodedata.normalize("NFKC", text)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in _NUMBER.split(plain) if part)


def sheets(placed: Iterable[Placed]) -> list[list[Placed]]:
    """By sheet, as numbered by place: what ended since the first print leaves a gap there, and moves nothing else."""
    return [list(found) for _, found in groupby(placed, key=lambda one: one.place // PER_SHEET)]


def behind(sheet: Sequence[T]) -> list[T | None]:
    """What stands on the back of a sheet that is turned over its long edge: each row from right to left."""
    filled: list[T | None] = [*sheet, *[None] * (-len(sheet) % SHEET_COLUMNS)]
    rows = [filled[start : start + SHEET_COLUMNS] for start in range(0, len(filled), SHEET_COLUMNS)]
    return [card for row in rows for card in reversed(row)]
