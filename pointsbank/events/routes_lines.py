"""What the confirmation page asks of each line beside its minutes, and how that is read back.

An input is named after what it asks and the line it stands in: "metres-7"; the row that fills the others is ALL.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pointsbank.events.queries import Activity
from pointsbank.kit.clock import local_day
from pointsbank.kit.errors import Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination, smallest
from pointsbank.scoring import queries as scoring
from pointsbank.scoring.rules import (
    NOTHING,
    Item,
    Noted,
    Table,
    check_noted,
    counts_minutes,
    counts_quantity,
    facts_wanted,
    marks_of,
)
from pointsbank.scoring.rules_table import Finding, Level
from pointsbank.web import forms, i18n
from pointsbank.web.i18n import _, amount

ALL = "all"
INPUTS_MAX = 1_800  # of one form, with room for those that every form has
Typed = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Ask:
    """`options` are pairs of value and label; of a number there are none."""

    name: str
    label: str
    sort: Literal["number", "choice", "ticks"] = "number"
    options: tuple[tuple[str, str], ...] = ()
    usual: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """What an activity's item asks; without a table for its day, nothing but the minutes."""

    asks: tuple[Ask, ...] = ()
    wants_minutes: bool = True
    table: Table | None = None
    item: Item | None = None
    of: Denomination | None = None

    @property
    def lines_max(self) -> int:
        """As many lines as one form may send with every box ticked."""
        return INPUTS_MAX // (3 + sum(len(ask.options) if ask.sort == "ticks" else 1 for ask in self.asks))

    def trouble(self, noted: Noted, quantity: int) -> Refusal | None:
        """Why these facts cannot be scored."""
        if self.table is None or self.item is None:
            return None
        try:
            check_noted(self.table, self.item, noted, quantity)
        except Refusal as refused:
            return refused
        return None

    def read(self, typed: Typed, line: str) -> tuple[Noted, int] | str:
        """The facts of a line, or what is to be changed in it."""
        found: dict[str, Any] = {}
        for ask in self.asks:
            values = [value for value in typed.get(f"{ask.name}-{line}", ()) if value]
            if ask.sort == "ticks":
                found[ask.name] = tuple(values)
            elif ask.sort == "choice":
                found[ask.name] = values[-1] if values else None
            elif values:
                found[ask.name] = self._number(ask, values[-1])
                if found[ask.name] is None:
                    return _("{label}要填数，例如 12", label=ask.label)
        quantity = found.pop("quantity", 1 if self.item is None or not counts_quantity(self.item) else 0)
        noted = Noted(**found) if found else NOTHING
        refused = self.trouble(noted, quantity)
        return (noted, quantity) if refused is None else i18n.t(refused)

    def _number(self, ask: Ask, text: str) -> int | None:
        if len(text) > forms.DIGITS_MAX:
            return None
        decimals = self.of.decimals if ask.name == "fixed_points" and self.of is not None else 0
        return smallest(unicodedata.normalize("NFKC", text), decimals)


async def asking(activity: Activity) -> Asking:
    """By the table of the activity's day."""
    version = await scoring.current(activity.community_id, local_day(activity.starts_at))
    item = None if version is None else version.items.get(activity.item_code)
    if version is None or item is None:
        return Asking()
    of = (await kinds.denominations(None, activity.community_id))[item.book_kind]
    return asking_of(version.table, item, of)


def asking_of(table: Table, item: Item, of: Denomination) -> Asking:
    return Asking(tuple(_asks(table, item, of)), counts_minutes(table, item), table, item, of)


def _asks(table: Table, item: Item, of: Denomination) -> list[Ask]:
    asks = []
    if counts_quantity(item):
        label = _("几{counted}", counted=item.counted) if item.counted else _("数量")
        asks.append(Ask("quantity", label, usual="1"))
    for fact in facts_wanted(item):
        match fact:
            case "metres":
                asks.append(Ask(fact, _("走了多少米")))
            case "fixed_points":
                low, high = amount(item.points or 0, of), amount(item.range_max or 0, of)
                asks.append(Ask(fact, _("评议定的分值（{low}到 {high}）", low=low, high=high)))
            case "level":
                levels = [
                    (one.name, _("{level}，记 {value}", level=one.name, value=_worth(one, of))) for one in item.levels
                ]
                asks.append(Ask(fact, _("哪一级"), "choice", tuple(levels)))
            case "met":
                asks.append(Ask(fact, _("做到的打勾"), "ticks", tuple((name, name) for name in item.conditions)))
            case "faults":
                found = [(one.name, _("{name}，减 {less}", name=one.name, less=_worth(one, of))) for one in item.faults]
                asks.append(Ask(fact, _("发现的打勾"), "ticks", tuple(found)))
    if marks := marks_of(table, item):
        percents = {one.name: one.percent for one in table.multipliers_of(item)}
        shown = ((name, _("“{name}”按 {percent}% 算", name=name, percent=percents[name])) for name in marks)
        asks.append(Ask("marks", _("有这种情况的打勾"), "ticks", tuple(shown)))
    return asks


def _worth(listed: Level | Finding, of: Denomination) -> str:
    return amount(listed.points or 0, of)


def filled(asking: Asking, typed: dict[str, list[str]], lines: Sequence[str]) -> dict[str, list[str]]:
    """Put what stands in the row for all into each of these lines; what was left empty there changes nothing."""
    more: dict[str, list[str]] = {}
    for ask in asking.asks:
        if values := [value for value in typed.get(f"{ask.name}-{ALL}", []) if value]:
            more |= {f"{ask.name}-{line}": values for line in lines}
    return typed | more
