"""What may be asked of a desk, and with which facts: each is drawn from its list."""

import random
from collections.abc import Sequence
from typing import Any

from tests.ledger.desk import Desk
from tests.ledger.desk_books import HONOUR, KINDS, PROGRAMME, TIME
from tests.ledger.oracle import MAIN

Facts = dict[str, Sequence[Any]]
Operation = tuple[str, dict[str, Any]]

EARNED, SPENT = range(5, 61), range(1, 26)
UNFIT = (0, -1, 1_000_001, 2**63)
BOOK, WHO = range(12), range(6)
ALSO = (*WHO, None)
KIND = (MAIN, MAIN, MAIN, HONOUR, TIME)
DOORS = range(4)
DAYS = (0, 1, 2, 5, 40, 400)
BACK, FAR = range(6), (*range(12), *range(12), 30, 60)
PROGRAMMES = (PROGRAMME, "")
GIVEN_OUT = (
    ((0, 1),), ((1, 1),), ((2, 1),), ((0, 3),), ((1, 3),), ((2, 2),), ((1, 2), (0, 1)), ((2, 1), (0, 2)),
    ((2, 1), (1, 1), (0, 2)), ((0, 1), (1, 1), (0, 1)), ((1, 6), (2, 2)), ((1, 5),),
)  # fmt: skip
"""Goods, and pieces of each; the fourth is not there."""
BASKETS = (*GIVEN_OUT * 3, (), ((0, 0),), ((1, 100),), ((0, 99), (1, 1), (0, 1)), ((0, 1), (3, 1)))

OPERATIONS: dict[str, tuple[int, Facts]] = {  # how often in a long history, and the facts
    "award": (8, {"book": BOOK, "points": (*EARNED, 1_000_000), "days": DAYS}),
    "order": (8, {"book": BOOK, "points": (*SPENT, *UNFIT), "outlet": (1, 2)}),
    "deduct": (3, {"book": BOOK, "points": (*EARNED, *UNFIT), "floor": (None, None, 0, 20, 60)}),
    "hold": (5, {"book": BOOK, "points": (*SPENT, *UNFIT), "hours": (1, 30)}),
    "hold_again": (1, {"book": BOOK, "points": range(1, 4), "back": BACK}),
    "capture": (3, {"back": BACK, "outlet": (1, 2)}),
    "release": (2, {"back": BACK}),
    "lapse": (2, {"back": BACK}),
    "reverse": (4, {"back": FAR}),
    "claw_back": (3, {"back": FAR}),
    "gift": (4, {"book": BOOK, "points": (*EARNED, *UNFIT), "percent": (10, 33, 50, 100, 250, 0), "days": DAYS}),
    "hand_over": (
        5, {"what": ("transfer", "donation"), "book": BOOK, "to": ALSO, "points": (*SPENT, *UNFIT)}
    ),
    "give_own": (3, {"person": WHO, "to": ALSO, "points": SPENT, "kind": KIND}),
    "grant": (3, {"person": WHO, "points": (*SPENT, *UNFIT), "days": DAYS, "kind": KIND}),
    "adjust": (
        3,
        {
            "book": BOOK, "points": (*EARNED, *UNFIT), "is_up": (True, False), "days": DAYS,
            "back_days": (0, 0, 3, 40, -1),
        },
    ),
    "take_back": (6, {"way": ("reversal", "reversal", "clawback"), "back": FAR}),
    "ask_gifts": (
        2,
        {
            "people": ((0,), (1, 2), (0, 1, 3), (2, 0)), "points": (*EARNED, *UNFIT),
            "percent": (10, 50, 50, 100, 0), "days": DAYS,
        },
    ),
    "agree_gifts": (3, {"back": BACK, "by_maker": (False, False, True), "has_seen": (True, True, False)}),
    "refuse_gifts": (1, {"back": BACK, "by_maker": (False, True)}),
    "withdraw_gifts": (1, {"back": BACK, "by_maker": (True, False)}),
    "agree": (6, {"back": BACK, "by_maker": (False, False, False, True), "has_seen": (True, True, True, False)}),
    "turn_down": (1, {"back": BACK, "by_maker": (False, True)}),
    "withdraw": (1, {"back": BACK, "by_maker": (True, False)}),
    "settle": (
        3,
        {
            "kind": KIND, "recounts": (False, False, False, True),
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
    "act": (6, {"person": WHO, "points": EARNED, "programme": PROGRAMMES, "kind": KIND}),
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
    "post_into_closed": (1, {"book": BOOK}),
    "ask_again": (4, {}),
    "open_book": (2, {"person": WHO, "kind": KINDS}),
    "register": (1, {"name": ("测试甲", "测试戊", "测试己"), "person": ALSO}),
    "move": (5, {"person": WHO, "with_others": (True, False), "door": DOORS, "share": (0, 0, 5, 30)}),
    "leave": (1, {"person": WHO, "tells": (True, True, False)}),
    "pass_on": (1, {"person": WHO, "heir": ALSO}),
    "ask_merge": (2, {"person": WHO, "into": WHO}),
    "agree_merge": (
        3, {"back": BACK, "by_maker": (False, False, False, True), "has_seen": (True, True, True, False)}
    ),
    "refuse_merge": (1, {"back": BACK, "by_maker": (False, True)}),
    "withdraw_merge": (1, {"back": BACK, "by_maker": (True, False)}),
    "part": (2, {"back": BACK, "has_merged": (False, False, False, True)}),
    "settle_again": (2, {"back": BACK, "into": (*ALSO, None, None, None, None)}),
    "make_list": (
        2,
        {
            "people": ((0,), (1, 2), (3, 4, 5), (2, 0)), "points": EARNED, "days": (0, 5, 40, 400),
            "back_days": (0, 0, 20, 60),
        },
    ),
    "ask_list": (3, {"back": BACK, "by_maker": (True, True, False)}),
    "agree_list": (
        4, {"back": BACK, "by_maker": (False, False, False, True), "has_seen": (True, True, True, False)}
    ),
    "withdraw_list": (1, {"back": BACK, "by_maker": (True, False)}),
    "refuse_list": (1, {"back": BACK, "by_maker": (False, True)}),
    "buy": (
        9,
        {
            "person": WHO, "lines": BASKETS, "counter": (0, 0, 1), "clerk": (*[-1] * 10, -2, -2, *range(4)),
            "has_barcodes": (False, False, True), "card": (*["last"] * 9, "first", "new", "lost"),
        },
    ),
    "undo": (5, {"back": (0, 0, 0, 0, 1, 2), "by_clerk": (*[True] * 5, False)}),
    "deliver": (
        2,
        {
            "good": range(3), "pieces": (1, 2, 6), "days": (-1, 0, 1, 20, 20, 400, None),
            "lacks_donor": (False, False, False, True),
        },
    ),
    "change_good": (1, {"good": range(3), "points": (1, 2, 5, 9, 12), "monthly_max": (None, 1, 3, 6)}),
    "lose_card": (1, {"person": WHO}),
    "linger": (2, {"minutes": (4, 9, 11, None)}),
    "reverse_line": (2, {"back": BACK, "line": range(3), "by_maker": (False, False, True)}),
}  # fmt: skip


NAMES = [name for name, (weight, _) in OPERATIONS.items() for _ in range(weight)]


def facts_of(name: str, chance: random.Random) -> dict[str, Any]:
    return {fact: chance.choice(among) for fact, among in OPERATIONS[name][1].items()}


def history(seed: int, length: int, only: Sequence[str] = ()) -> list[Operation]:
    """The same for the same seed, whatever database it is for."""
    chance = random.Random(seed)
    names = list(only or OPERATIONS)
    drawn = chance.choices(names, [OPERATIONS[name][0] for name in names], k=length)
    return [(name, facts_of(name, chance)) for name in drawn]


async def perform(desk: Desk, operations: Sequence[Operation]) -> None:
    for name, facts in operations:
        await getattr(desk, name)(**facts)
