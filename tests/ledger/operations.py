"""What may be asked of a desk, and with which facts: each is drawn from its list."""

import random
from collections.abc import Sequence
from typing import Any

from tests.ledger.desk import Desk
from tests.ledger.desk_books import MEMBERS, PROGRAMME

Facts = dict[str, Sequence[Any]]
Operation = tuple[str, dict[str, Any]]

EARNED, SPENT = range(5, 61), range(1, 26)
UNFIT = (0, -1, 1_000_001, 2**63)
WHO, ALSO = range(MEMBERS), (*range(MEMBERS), None)
DAYS = (0, 1, 2, 5, 40, 400)
BACK, FAR = range(6), (*range(12), *range(12), 30, 60)
PROGRAMMES = (PROGRAMME, "")

OPERATIONS: dict[str, tuple[int, Facts]] = {  # how often in a long history, and the facts
    "award": (8, {"member": WHO, "points": (*EARNED, 1_000_000), "days": DAYS}),
    "order": (8, {"member": WHO, "points": (*SPENT, *UNFIT), "outlet": (1, 2)}),
    "hold": (5, {"member": WHO, "points": (*SPENT, *UNFIT), "hours": (1, 30)}),
    "hold_again": (1, {"member": WHO, "points": range(1, 4), "back": BACK}),
    "capture": (3, {"back": BACK, "outlet": (1, 2)}),
    "release": (2, {"back": BACK}),
    "lapse": (2, {"back": BACK}),
    "reverse": (4, {"back": FAR}),
    "claw_back": (3, {"back": FAR}),
    "gift": (4, {"member": WHO, "points": (*EARNED, *UNFIT), "percent": (10, 33, 50, 100, 250, 0), "days": DAYS}),
    "hand_over": (
        5, {"what": ("transfer", "donation"), "member": WHO, "to": ALSO, "points": (*SPENT, *UNFIT)}
    ),
    "give_own": (3, {"member": WHO, "to": ALSO, "points": SPENT}),
    "grant": (3, {"member": WHO, "points": (*SPENT, *UNFIT), "days": DAYS}),
    "adjust": (3, {"member": WHO, "points": (*EARNED, *UNFIT), "is_up": (True, False), "days": DAYS}),
    "ask_reversal": (4, {"back": FAR}),
    "agree": (6, {"back": BACK, "by_maker": (False, False, False, True), "has_seen": (True, True, True, False)}),
    "turn_down": (1, {"back": BACK, "by_maker": (False, True)}),
    "withdraw": (1, {"back": BACK, "by_maker": (True, False)}),
    "settle": (
        3,
        {
            "transferable": (True, False), "donatable": (True, False), "redeemable": (True, True, True, False),
            "balance_max": (None, None, 90), "surplus": ("refused", "pot"), "with_base": (True, False),
            "every": ("once", "month", "year"), "base_redeemable": (True, False), "spend_above": (0, 0, 15),
            "resets": (None, (11, 22), (11, 30), (12, 31)), "carry_over": (False, True),
        },
    ),
    "give_base": (3, {}),
    "reset": (3, {}),
    "expire": (3, {}),
    "live_on": (3, {"hours": (1, 13, 24, 48, 24 * 20, 24 * 41)}),
    "act": (6, {"member": WHO, "points": EARNED, "programme": PROGRAMMES}),
    "settle_due": (3, {}),
    "make_budget": (
        2,
        {
            "years": (0, 0, 1, 2), "programme": PROGRAMMES, "points": (50, 120, None, 900),
            "cents": (None, None, 400, 2_000),
        },
    ),
    "raise_budget": (2, {"back": BACK, "by": (40, 200, 0, -1)}),
    "close_month": (2, {"off": (0, 0, -1, 1)}),
    "post_into_closed": (1, {"member": WHO}),
    "ask_again": (4, {}),
}  # fmt: skip


def history(seed: int, length: int, only: Sequence[str] = ()) -> list[Operation]:
    """The same for the same seed, whatever database it is for."""
    chance = random.Random(seed)
    names = list(only or OPERATIONS)
    drawn = chance.choices(names, [OPERATIONS[name][0] for name in names], k=length)
    return [(name, {fact: chance.choice(among) for fact, among in OPERATIONS[name][1].items()}) for name in drawn]


async def perform(desk: Desk, operations: Sequence[Operation]) -> None:
    for name, facts in operations:
        await getattr(desk, name)(**facts)
