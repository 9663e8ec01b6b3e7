"""What verify says of what a test did by hand: points for nothing, nothing that was bought, and nobody's key."""

from collections.abc import Callable, Sequence
from typing import Any

from pointsbank.awards import verify as awards
from pointsbank.kit.checks import Finding, Rows
from pointsbank.redemption import verify as redemption
from pointsbank.trail import verify as trail

MADE_UP = frozenset({
    "a gift went by no voucher",
    "an entry is of an award that does not know it",
    "an entry is of an order that does not know it",
    "an order that stands has given its points back",
    trail.GONE,
})  # fmt: skip


def true_books(findings: Sequence[Finding]) -> list[Finding]:
    """What else is wrong; of the demo and of whole stories tests ask for everything."""
    return [finding for finding in findings if finding.what not in MADE_UP]


def overlook(put: Callable[[Any, str, Any], None] = setattr) -> None:
    """For the rest of a process, or of a test that hands `monkeypatch.setattr`: also where a backup looks."""
    for room in (awards, redemption):
        put(room, "CHECKS", tuple(check for check in room.CHECKS if check[1] not in MADE_UP))
    put(trail, "check", _nothing)


async def _nothing(_rows: Rows) -> list[Finding]:
    return []
