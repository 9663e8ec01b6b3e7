"""Which lots pay, and how much: what expires soonest goes first, as far as gifts find earned points beside them."""

from collections.abc import Sequence

import msgspec

from pointsbank.ledger.rules import LotTaken

PERCENT = 100


class FreeLot(msgspec.Struct, frozen=True):
    """A lot's points that are not held, and of a gift how many go with 100 earned points of the same spending."""

    lot_id: int
    points: int
    kind: str
    match_percent: int | None


def payable(lots: Sequence[FreeLot]) -> int:
    """The most that can be paid at once."""
    return sum(lot.points for lot in lots if lot.kind != "gift") + _gifts_beside(lots, _earned(lots))


def allocate(lots: Sequence[FreeLot], points: int) -> list[LotTaken]:
    """Take points from lots in the order given, from each the most that still lets the rest be paid.

    Gifts of at most p percent come, all together, to at most p per 100 earned points: a better rate helps its own
    gifts alone. `points` must be payable.
    """
    assert 0 < points <= payable(lots)
    taken: list[LotTaken] = []
    gifts: dict[int, int] = {}  # by match_percent
    earned, coming = 0, _earned(lots)
    for lot in lots:
        if lot.kind == "earned":
            coming -= lot.points
            part = min(lot.points, points)
            earned += part
        else:
            # What earned points the gifts taken so far still need is left for later lots.
            part = min(lot.points, points - max(0, _earned_for(gifts) - earned))
        if lot.match_percent is not None:
            part = min(part, _room(gifts, lot.match_percent, earned, coming, points))
            gifts[lot.match_percent] = gifts.get(lot.match_percent, 0) + part
        if part:
            taken.append(LotTaken(lot.lot_id, part))
        points -= part
    assert points == 0
    return taken


def _earned(lots: Sequence[FreeLot]) -> int:
    return sum(lot.points for lot in lots if lot.kind == "earned")


def _gifts_beside(lots: Sequence[FreeLot], earned: int) -> int:
    """The most that gifts add to so many earned points."""
    most = 0
    for percent in sorted({lot.match_percent for lot in lots if lot.match_percent is not None}):
        most += sum(lot.points for lot in lots if lot.match_percent == percent)
        most = min(most, percent * earned // PERCENT)
    return most


def _up_to(gifts: dict[int, int], percent: int) -> int:
    return sum(part for rate, part in gifts.items() if rate <= percent)


def _earned_for(gifts: dict[int, int]) -> int:
    """How many earned points the gifts taken so far need beside them."""
    return max((-(-_up_to(gifts, percent) * PERCENT // percent) for percent in gifts), default=0)


def _room(gifts: dict[int, int], match_percent: int, earned: int, coming: int, points: int) -> int:
    """How much of a gift can be taken, when `points` are left to pay and `coming` earned points lie in later lots."""
    rates = [match_percent, *(rate for rate in gifts if rate > match_percent)]
    rooms = [
        min(
            rate * (earned + coming) // PERCENT - _up_to(gifts, rate),
            (rate * (earned + points) - PERCENT * _up_to(gifts, rate)) // (PERCENT + rate),
        )
        for rate in rates
    ]
    return max(0, min(rooms))
