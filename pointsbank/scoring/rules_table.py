"""What a scoring table says.

Points are whole numbers in the smallest unit of the kind of passbook they go to; pages format, nothing here divides.
Every field is described in seed_data/scoring/README.md. What is left out has the value that stands here, for ever:
stored versions are read by these structs.
"""

from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import field

from pointsbank.ledger.rules import MAIN


class Basis(StrEnum):
    PER_MINUTES = "per_minutes"  # points for each block of `block_minutes`
    PER_TIME = "per_time"  # points once for the act, however long it took
    PER_ITEM = "per_item"  # points for each of `Facts.quantity`
    PER_DISTANCE = "per_distance"  # points for each block of `block_metres`
    PER_LEVEL = "per_level"  # the points of one of `levels`
    PER_CONDITIONS = "per_conditions"  # `points_by_met`: for meeting one, two, three of `conditions`
    FULL_SCORE = "full_score"  # points, less those of each of the `faults` that were found; never below zero


class Rounding(StrEnum):
    """What becomes of the last, unfinished block of minutes or metres. EXACT knows no blocks: pro rata."""

    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"
    EXACT = "exact"


class Scope(StrEnum):
    """Whose points a cap limits, in the order in which caps apply."""

    PERSON = "person"
    HOUSEHOLD = "household"
    BUILDING = "building"


class Period(StrEnum):
    """How long a cap counts, in the order in which caps apply. ACT needs no counter."""

    ACT = "act"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LIFETIME = "lifetime"


class Counts(StrEnum):
    """What a cap counts."""

    POINTS = "points"
    TIMES = "times"
    MINUTES = "minutes"


class TableKind(StrEnum):
    SERVICE_HOURS = "service_hours"
    HOUSEHOLD_DEEDS = "household_deeds"
    DAILY_PARTICIPATION = "daily_participation"
    WASTE_SORTING = "waste_sorting"
    TIME_BANK = "time_bank"


class ValidityKind(StrEnum):
    NEVER = "never"  # points never expire
    MONTH_END = "month_end"
    YEAR_END = "year_end"
    MONTHS = "months"
    YEARS = "years"


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of a table or an item."""


class Validity(_Part, frozen=True):
    kind: ValidityKind = ValidityKind.NEVER
    months: int = 0
    years: int = 0


class Cap(_Part, frozen=True):
    """One of `points`, `times` and `minutes` is given."""

    scope: Scope
    period: Period
    points: int | None = None
    times: int | None = None
    minutes: int | None = None

    @property
    def counts(self) -> Counts:
        return Counts.POINTS if self.points is not None else Counts.TIMES if self.times is not None else Counts.MINUTES

    @property
    def most(self) -> int:
        return self.points or self.times or self.minutes or 0


class Level(_Part, frozen=True):
    """An award or a star; `points` is None where the source does not say."""

    name: str
    points: int | None = None


class Finding(_Part, frozen=True):
    """What a fault takes from a full score; None where the source does not say."""

    name: str
    points: int | None = None


class Increment(_Part, frozen=True):
    """`points` on top for each full `every` of what is above `above`."""

    measure: Literal["minutes", "metres", "quantity"]
    above: int
    every: int
    points: int


class Streak(_Part, frozen=True):
    """Every `length`-th act in a row earns `points` on top, or `percent` of its own."""

    length: int
    points: int | None = None
    percent: int | None = None
    period: Period = Period.DAY


class Hours(_Part, frozen=True):
    """Local time of day, as in 22:00; a window may pass midnight, its end is no longer in it."""

    from_: str = field(name="from")
    to: str


class Multiplier(_Part, frozen=True):
    """One with hours holds by itself for acts that begin in them, another where the facts name it."""

    name: str
    percent: int
    from_: str = field(name="from", default="")
    to: str = ""


class Panel(_Part, frozen=True):
    """`agree` of `members` decide; `drawn` at random for each case."""

    members: int
    agree: int
    drawn: bool = False


class Process(_Part, frozen=True):
    """The due process of a deduction: so often advice, then so often a warning, counted over so many months."""

    advice: int = 1
    warnings: int = 1
    within_months: int = 12


class Base(_Part, frozen=True):
    """What everybody begins with; only what is above `spend_above` can be spent. None where the source is silent."""

    points: int
    each: Literal["once", "month", "year"] | None = None
    redeemable: bool = False
    spend_above: int | None = None
    book_kind: str = MAIN


class Star(_Part, frozen=True):
    """A level of the holder, from so many minutes of service or so many points; what it brings is told in words."""

    name: str
    from_minutes: int | None = None
    from_points: int | None = None
    benefits: str = ""


class Veto(_Part, frozen=True):
    """What keeps whoever did it from redeeming for so many months after they were told, or leaves them the base alone.

    Nothing else follows from it: a consequence outside of this scheme cannot be written down.
    """

    code: str
    name: str
    consequence: Literal["no_redemption", "reset_to_base"]
    bar_months: int | None = None
    ground: str = ""
    make_good: str = ""


Combine = Literal["product", "highest", "sum"]
Ends = Literal["down", "half_up", "up"]
Reviewer = Literal["organiser", "community_admin", "panel"]
Submitter = Literal["self", "grid_worker", "organiser", "import"]
EvidenceKind = Literal["photo", "place", "served_person", "document"]
Doer = Literal["person", "household", "building", "team"]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a table. `points` is None where the source gives no value, or another field gives it.

    With `range_max` a panel fixes the value of each act within [points, range_max]. `book_kind` is the code of the
    kind of passbook that its points go to. `notice_days`, `validity` and `multipliers_combine` are None where the
    table's apply.
    """

    code: str
    category: str
    name: str
    basis: Basis
    evidence: str
    points: int | None = None
    range_max: int | None = None
    says: str = ""
    counted: str = ""
    block_minutes: int = 60
    block_metres: int = 100
    rounding: Rounding = Rounding.DOWN
    levels: tuple[Level, ...] = ()
    conditions: tuple[str, ...] = ()
    points_by_met: tuple[int, ...] = ()
    faults: tuple[Finding, ...] = ()
    increments: tuple[Increment, ...] = ()
    multiplier_percent: int = 100
    multipliers: tuple[Multiplier, ...] = ()
    multipliers_combine: Combine | None = None
    streak: Streak | None = None
    end_rounding: Ends = "down"
    remainder: Literal["drop", "carry"] = "drop"
    points_min_per_act: int = 0
    minutes_min: int = 0
    minutes_max_per_act: int | None = None
    metres_min: int = 0
    share_min_percent: int = 0
    quantity_min: int = 1
    hours: Hours | None = None
    caps: tuple[Cap, ...] = ()
    submit: tuple[Submitter, ...] = ("organiser",)
    evidence_kinds: tuple[EvidenceKind, ...] = ()
    review: tuple[Reviewer, ...] = ("organiser",)
    panel: Panel | None = None
    notice_days: int | None = None
    validity: Validity | None = None
    scope: Doer | None = None
    book_kind: str = MAIN
    deduction: bool = False
    process: Process | None = None
    ground: str = ""
    make_good: str = ""
    floor: int | None = None


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`notice_days` and `yuan_per_point_cents` are None where the published document does not say.

    `caps` count what goes to the main passbook: points of different kinds have no sum.
    """

    name: str
    place: str
    document: str
    kind: TableKind
    items: tuple[Item, ...] = ()
    unit_name: str = "分"
    passbook: Literal["person", "household"] = "person"
    decimals: int = 0
    notice_days: int | None = None
    yuan_per_point_cents: int | None = None
    validity: Validity = Validity()
    caps: tuple[Cap, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    multipliers_combine: Combine = "product"
    base: Base | None = None
    balance_max: int | None = None
    gate_minutes: int = 0
    levels: tuple[Star, ...] = ()
    levels_words: str = ""
    redeem: str = ""
    redemption_ratio: str = ""
    expiry_words: str = ""
    approval: str = ""
    appeal: str = ""
    vetoes: tuple[str, ...] = ()
    veto_rules: tuple[Veto, ...] = ()
    consequences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def caps_of(self, item: Item) -> tuple[Cap, ...]:
        """Those of the table under which an item stands: they are for what is earned."""
        return self.caps if item.book_kind == MAIN and not item.deduction else ()

    def multipliers_of(self, item: Item) -> tuple[Multiplier, ...]:
        """An item's own, and those of the table, which are for what is earned."""
        return item.multipliers if item.deduction else (*item.multipliers, *self.multipliers)


PARTS = (Validity, Cap, Level, Finding, Increment, Streak, Hours, Multiplier, Panel, Process, Base, Star, Veto)
