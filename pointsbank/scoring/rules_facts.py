"""What happened, and whether it passes an item's thresholds."""

from datetime import date
from functools import lru_cache

import msgspec

from pointsbank.kit.errors import Kind, Refusal
from pointsbank.scoring.rules_explanations import CONDITIONS_MET, COUNTED, ONCE, PIECES, Step, length, span
from pointsbank.scoring.rules_table import Basis, Hours, Item, Multiplier


class FactMissing(Refusal):
    kind = Kind.INVALID
    code = "scoring.fact_missing"
    message = "要知道{fact}，才能给“{name}”计分。请补上。"


FACT_WORDS: dict[str, str] = {
    "fixed_points": "评议定下的分值",
    "began_minute": "几点开始的",
    "quantity": "数量",
    "metres": "走了多少米",
    "level": "是哪一级",
    "met": "做到了哪几条",
    "faults": "发现了哪几种情形",
    "streak": "连续做了几次",
    "earlier": "以前发现过几次",
}


class Facts(msgspec.Struct, frozen=True):
    """What happened. `day` is the local day on which the act began; `minutes` are raw, never rounded.

    `began_minute` counts from local midnight, `streak` how many in a row with this one, `earlier` the findings before
    this one within the months of a deduction's process. `marks` name multipliers that hold. None is not known.
    `occasion` says what was done together; empty for what stands alone.
    """

    day: date
    minutes: int
    planned_minutes: int
    quantity: int = 1
    fixed_points: int | None = None
    began_minute: int | None = None
    metres: int | None = None
    level: str | None = None
    marks: tuple[str, ...] = ()
    met: tuple[str, ...] | None = None
    faults: tuple[str, ...] | None = None
    streak: int | None = None
    earlier: int | None = None
    occasion: str = ""

    def __post_init__(self) -> None:
        assert self.minutes >= 0
        assert self.planned_minutes >= 0
        assert self.quantity >= 0


def facts_wanted(item: Item) -> list[str]:
    """Name the facts, beyond time and quantity, without which an act of this item cannot be scored."""
    measures = {increment.measure for increment in item.increments}
    wanted = {
        "fixed_points": item.range_max is not None,
        "metres": item.basis is Basis.PER_DISTANCE or item.metres_min > 0 or "metres" in measures,
        "level": item.basis is Basis.PER_LEVEL,
        "met": item.basis is Basis.PER_CONDITIONS,
        "faults": item.basis is Basis.FULL_SCORE,
        "streak": item.streak is not None,
        "earlier": item.process is not None,
    }
    return [fact for fact, is_wanted in wanted.items() if is_wanted]


def done(item: Item, facts: Facts) -> str:
    """How much was done, in the unit that the item counts by; not what was found wrong."""
    match item.basis:
        case Basis.PER_MINUTES:
            return span(facts.minutes)
        case Basis.PER_DISTANCE:
            return length(known(item, facts, "metres"))
        case Basis.PER_ITEM:
            return (COUNTED if item.counted else PIECES).format(quantity=facts.quantity, counted=item.counted)
        case Basis.PER_LEVEL:
            assert facts.level is not None
            return facts.level
        case Basis.PER_CONDITIONS:
            return CONDITIONS_MET.format(count=len(named(item, facts, "met")))
        case _:
            return ONCE


def unmet(item: Item, facts: Facts) -> Step | None:
    """The threshold below which an act earns nothing."""
    # Compared as products: a share of minutes is never rounded.
    if facts.minutes * 100 < item.share_min_percent * facts.planned_minutes:
        shares: dict[str, str | int] = {"planned": facts.planned_minutes, "percent": item.share_min_percent}
        return Step("share_too_small", {"minutes": facts.minutes, **shares}, 0)
    if facts.minutes < item.minutes_min:
        return Step("too_short", {"minutes": facts.minutes, "least": item.minutes_min}, 0)
    if facts.quantity < item.quantity_min:
        return Step("too_few", {"quantity": facts.quantity, "least": item.quantity_min}, 0)
    if item.metres_min and (metres := known(item, facts, "metres")) < item.metres_min:
        return Step("too_near", {"metres": metres, "least": item.metres_min}, 0)
    return _outside_hours(item.hours, item, facts) if item.hours else _only_told(item, facts)


def _outside_hours(window: Hours, item: Item, facts: Facts) -> Step | None:
    minute = known(item, facts, "began_minute")
    if is_within(window, minute):
        return _only_told(item, facts)
    began = "{:02}:{:02}".format(*divmod(minute, 60))
    return Step("outside_hours", {"began": began, "start": window.from_, "end": window.to}, 0)


def _only_told(item: Item, facts: Facts) -> Step | None:
    """A finding that brings advice or a warning, and takes nothing yet."""
    if item.process is None:
        return None
    earlier = known(item, facts, "earlier")
    if earlier >= item.process.advice + item.process.warnings:
        return None
    counted: dict[str, str | int] = {"months": item.process.within_months, "count": earlier + 1}
    return Step("advised" if earlier < item.process.advice else "warned", counted, 0)


@lru_cache(maxsize=1_000)
def minute_of(clock: str) -> int:
    """Minutes after midnight of a time of day such as 22:00."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def is_within(window: Hours | Multiplier, minute: int) -> bool:
    start, end = minute_of(window.from_), minute_of(window.to)
    return start <= minute < end if start < end else minute >= start or minute < end


def known(item: Item, facts: Facts, name: str) -> int:
    value = getattr(facts, name)
    if value is None:
        raise FactMissing(fact=FACT_WORDS[name], name=item.name)
    return int(value)


def named(item: Item, facts: Facts, name: str) -> tuple[str, ...]:
    """Each name once."""
    value: tuple[str, ...] | None = getattr(facts, name)
    if value is None:
        raise FactMissing(fact=FACT_WORDS[name], name=item.name)
    return tuple(dict.fromkeys(value))
