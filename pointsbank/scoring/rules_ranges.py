"""How large the numbers of a table may be and how long its texts: what is checked, and what the JSON Schema says."""

import re

import msgspec

from pointsbank.ledger.rules_kinds import CODE
from pointsbank.scoring.rules_noted import METRES_MAX
from pointsbank.scoring.rules_table import (
    Base,
    Cap,
    Finding,
    Hours,
    Increment,
    Item,
    Level,
    Multiplier,
    Panel,
    Process,
    Star,
    Streak,
    Table,
    Validity,
    Veto,
)

Struct = type[msgspec.Struct]

POINTS_MAX = 100_000  # of one item for one unit
CAP_MAX = 100_000_000
MINUTES_MAX = 24 * 60
MONTHS_MAX = 120
PERCENT_MAX = 1_000
LONG_MAX = 300  # characters of a sentence
ITEM_CODE = re.compile("[A-Z][0-9]{2,3}")
CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")

RANGES: dict[Struct, dict[str, tuple[int, int]]] = {
    Table: {
        "notice_days": (0, 30),
        "yuan_per_point_cents": (1, 100_000),
        "gate_minutes": (0, CAP_MAX),
        "balance_max": (1, CAP_MAX),
    },
    Item: {
        "points": (0, POINTS_MAX),
        "range_max": (1, POINTS_MAX),
        "multiplier_percent": (1, PERCENT_MAX),
        "points_min_per_act": (0, POINTS_MAX),
        "share_min_percent": (0, 100),
        "quantity_min": (1, POINTS_MAX),
        "metres_min": (0, METRES_MAX),
        "block_minutes": (1, MINUTES_MAX),
        "block_metres": (1, METRES_MAX),
        "minutes_min": (0, MINUTES_MAX),
        "minutes_max_per_act": (1, MINUTES_MAX),
        "notice_days": (0, 30),
        "floor": (0, CAP_MAX),
    },
    Validity: {"months": (0, MONTHS_MAX), "years": (0, MONTHS_MAX // 12)},
    Cap: {"points": (1, CAP_MAX), "times": (1, CAP_MAX), "minutes": (1, CAP_MAX)},
    Level: {"points": (0, POINTS_MAX)},
    Finding: {"points": (0, POINTS_MAX)},
    Increment: {"above": (0, METRES_MAX), "every": (1, METRES_MAX), "points": (1, POINTS_MAX)},
    Streak: {"length": (2, 366), "points": (1, POINTS_MAX), "percent": (101, PERCENT_MAX)},  # a reward
    Multiplier: {"percent": (0, PERCENT_MAX)},
    Panel: {"members": (1, 99)},
    Process: {"advice": (0, 99), "warnings": (0, 99), "within_months": (1, MONTHS_MAX)},
    Base: {"points": (0, CAP_MAX), "spend_above": (0, CAP_MAX)},
    Star: {"from_minutes": (0, CAP_MAX), "from_points": (0, CAP_MAX)},
    Veto: {"bar_months": (1, MONTHS_MAX)},
}
EACH_RANGE: dict[Struct, dict[str, tuple[int, int]]] = {Item: {"points_by_met": (0, POINTS_MAX)}}
# Characters at most, of what must be written, of what may be left out, and of each line of a list.
WORDS: dict[Struct, dict[str, int]] = {
    Table: {"name": 60, "place": 120, "document": 120, "unit_name": 6},
    Item: {"category": 20, "name": 60, "evidence": 120},
    Level: {"name": 60},
    Finding: {"name": 60},
    Multiplier: {"name": 20},
    Star: {"name": 60},
    Veto: {"name": 60},
}
FREE_WORDS: dict[Struct, dict[str, int]] = {
    Table: dict.fromkeys(
        ("levels_words", "redeem", "redemption_ratio", "expiry_words", "approval", "appeal"), LONG_MAX
    ),
    Item: {"says": LONG_MAX, "counted": 6, "ground": LONG_MAX, "make_good": LONG_MAX},
    Star: {"benefits": LONG_MAX},
    Veto: {"ground": LONG_MAX, "make_good": LONG_MAX},
}
EACH_WORDS: dict[Struct, dict[str, int]] = {
    Table: dict.fromkeys(("consequences", "notes", "vetoes"), LONG_MAX),
    Item: {"conditions": 60},
}
PATTERNS: dict[Struct, dict[str, re.Pattern[str]]] = {
    Item: {"code": ITEM_CODE, "book_kind": CODE},
    Veto: {"code": ITEM_CODE},
    Hours: {"from": CLOCK, "to": CLOCK},
    Multiplier: {"from": re.compile(f"|{CLOCK.pattern}"), "to": re.compile(f"|{CLOCK.pattern}")},
}
