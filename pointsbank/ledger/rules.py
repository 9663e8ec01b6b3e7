"""What the ledger decides without looking anything up."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Protocol

import msgspec

from pointsbank.kit.errors import Kind, Refusal

POINTS_MAX = 1_000_000
NEVER = date(9999, 12, 31)
MAIN = "points"
"""Code of the kind of passbook that every community has."""
EARNED, BASE, GIFT = "earned", "base", "gift"
"""Sorts of lots."""
GRACE = timedelta(days=30)
MATCH_PERCENT_MAX = 1_000
NOTICE_DAYS = 30
"""So long before points lapse their holder and the community are told, unless the kind says otherwise."""
ISSUED = "issued"
EXPIRED = "expired"
CLAWED_BACK = "clawed_back"
DEDUCTED = "deducted"
POT = "pot"
"""Points that were given to the community."""
ISSUES = ("award", "opening", "base", "gift")
"""Entries that bring points into a passbook from nowhere."""
REVERSIBLE = (*ISSUES, "order", "transfer", "donation", "grant", "adjustment", "joining", "clawback", "deduction")
"""A surplus goes with the entry that brought it."""


class NotEnoughPoints(Refusal):
    kind = Kind.LIMITED
    code = "ledger.not_enough_points"
    message = "还差 {missing:amount}。"


class NotRedeemable(Refusal):
    kind = Kind.LIMITED
    code = "ledger.not_redeemable"
    message = "「{name}」里的积分不能换东西。"


class WrongAmount(Refusal):
    kind = Kind.INVALID
    code = "ledger.wrong_amount"
    message = "一笔最少 {least:amount}，最多 {most:amount}。"


class WrongMatch(Refusal):
    kind = Kind.INVALID
    code = "ledger.wrong_match"
    message = "配比要在 1% 到 {most}% 之间。"


class UnknownAccount(Refusal):
    kind = Kind.NOT_FOUND
    code = "ledger.unknown_account"
    message = "没有这本存折。"


class UnknownHold(Refusal):
    kind = Kind.NOT_FOUND
    code = "ledger.unknown_hold"
    message = "没有这一笔预留。"


class AlreadyHeld(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.already_held"
    message = "这件事的积分已经预留过了。"


class HoldResolved(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.hold_resolved"
    message = "这一笔预留已经办完了，不能再办一次。请刷新页面看结果。"


class NotOverdue(Refusal):
    """A hold is let lapse by the room that made it, and not before its time."""

    kind = Kind.CONFLICT
    code = "ledger.hold_not_overdue"
    message = "这一笔预留还没有到期。要提前取消，请用「取消」。"


class PointsHeld(Refusal):
    kind = Kind.LIMITED
    code = "ledger.points_held"
    message = (
        "存折里有 {held:amount} 为还没办完的事留着（预留 {which} 号），不能全部转出或销户。请先把那件事办完或取消。"
    )


class BookClosed(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.book_closed"
    message = "这本存折已经销户，不能再记。请看它最后一笔，到积分转去的那本存折上办。"


class AlreadySpent(Refusal):
    kind = Kind.LIMITED
    code = "ledger.already_spent"
    message = "存折里能动的积分还差 {missing:amount}，不能冲正这一笔。"


class PotSpent(Refusal):
    """What went from a passbook into the pot was granted on."""

    kind = Kind.LIMITED
    code = "ledger.pot_spent"
    message = (
        "这一笔有积分进了社区积分池，池里还差 {missing:amount}，不能冲正。请等池里够了再办，或只追回存折里还在的。"
    )


class AlreadyReversed(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.already_reversed"
    message = "这一笔已经冲正过了。"


class NotReversible(Refusal):
    kind = Kind.CONFLICT
    code = "ledger.not_reversible"
    message = "这一笔不能冲正。"


class LastDayOver(Refusal):
    """Points that nobody can use: out of the pot they would be lost at once."""

    kind = Kind.CONFLICT
    code = "ledger.last_day_over"
    message = "「用到哪一天」写的是{day}，已经过了，入账也用不了。请退回，换一天再申请。"


class NothingToTake(Refusal):
    kind = Kind.LIMITED
    code = "ledger.nothing_to_take"
    message = "存折里现在没有能追回的积分，什么也没有记。"


class NotAsTold(Refusal):
    """Points came or went between the page that told a balance and the decision about it."""

    kind = Kind.CONFLICT
    code = "ledger.not_as_told"
    message = "存折现在是 {balance:amount}，和页面上写的不一样。请刷新页面再看。"


class Written(Protocol):
    """A passbook or a kind: what says how amounts of its points are written."""

    @property
    def unit(self) -> str: ...

    @property
    def decimals(self) -> int: ...


def in_unit(of: Written) -> dict[str, str | int]:
    """The facts by which a refusal tells its amounts as this passbook writes them."""
    return {"unit": of.unit, "decimals": of.decimals}


def check_amount(points: int, of: Written | None = None) -> None:
    if type(points) is not int or not 0 < points <= POINTS_MAX:
        raise WrongAmount(least=1, most=POINTS_MAX, **({} if of is None else in_unit(of)))


def check_last_day(last_day: date | None, today: date) -> None:
    """Of points that were asked for earlier, and come into a passbook today."""
    if last_day is not None and last_day < today:
        raise LastDayOver(day=last_day.isoformat())


class Bucket(msgspec.Struct, frozen=True, order=True):
    """What tells one lot of an account from another. `match_percent` is a gift's, and a gift's alone."""

    kind: str
    expires_on: date
    match_percent: int | None = None


def comes_back_as(bucket: Bucket, today: date, *, was_cleared: bool) -> Bucket:
    """Where points that a reversal gives back go: their own lot, or, if it expired meanwhile, one of 30 more days.

    So too if the passbook was cleared meanwhile on its reset day; but what was to end before still does.
    """
    if bucket.expires_on >= today and not was_cleared:
        return bucket
    last_day = today + GRACE
    return msgspec.structs.replace(
        bucket, expires_on=min(bucket.expires_on, last_day) if bucket.expires_on >= today else last_day
    )


class LotTaken(msgspec.Struct, frozen=True):
    lot_id: int
    points: int


def take_from(lots: Iterable[Iterable[int]], points: int) -> list[LotTaken]:
    """Take points from lots (id, what is left) in the order given, soonest to expire first.

    Fewer lots than needed give all they have.
    """
    assert points > 0
    taken = []
    for lot_id, remaining in lots:
        assert remaining > 0
        part = min(remaining, points)
        taken.append(LotTaken(lot_id, part))
        points -= part
        if points == 0:
            break
    return taken


def surplus_key(entry_id: int) -> str:
    """Posting key of what left a passbook because an entry brought too much."""
    return f"surplus:{entry_id}"


def pot_of(book_kind: str) -> str:
    """Name of the system account that donated points of a kind go to: those of two kinds have no sum.

    What was donated of another kind before each had a pot lies in the main one; the moves out of those passbooks tell.
    """
    return POT if book_kind == MAIN else f"{POT}@{book_kind}"


def redeemed(outlet_id: int) -> str:
    """Name of the system account that an outlet's redemptions go to."""
    return f"redeemed:{outlet_id}"


class Posted(msgspec.Struct, frozen=True):
    """An entry now in the books, and the passbook's balance after it."""

    entry_id: int
    balance: int


class Clawed(msgspec.Struct, frozen=True):
    """What a clawback took, and what it could not."""

    entry_id: int
    points: int
    shortfall: int
    balance: int


class Deducted(msgspec.Struct, frozen=True):
    """What a deduction took; there is no entry where nothing was there."""

    entry_id: int | None
    points: int
