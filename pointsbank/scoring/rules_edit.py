"""Editing a draft: what was typed into the grid or the item form becomes a table, or says what is to be changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pointsbank.ledger.rules_kinds import Denomination, smallest
from pointsbank.scoring.rules_differences import AMOUNTS
from pointsbank.scoring.rules_table import Cap, Counts, Item, Period, Scope, Table

DIGITS_MAX = 9


class Row(msgspec.Struct, frozen=True):
    """One line of the grid as typed; `day_cap` is empty where there is none."""

    code: str
    name: str
    points: str
    day_cap: str
    evidence: str


class CellWrong(msgspec.Struct, frozen=True):
    """`field` is name, points, day_cap or evidence of the item `code`."""

    code: str
    field: str


def day_cap_of(item: Item) -> int | None:
    """Return what one person may get of this item a day."""
    return next((cap.points for cap in item.caps if is_day_cap(cap)), None)


def with_day_cap(item: Item, points: int | None) -> Item:
    kept = tuple(cap for cap in item.caps if not is_day_cap(cap))
    added = (Cap(Scope.PERSON, Period.DAY, points),) if points is not None else ()
    return msgspec.structs.replace(item, caps=added + kept)


def is_day_cap(cap: Cap) -> bool:
    return cap.scope is Scope.PERSON and cap.period is Period.DAY and cap.counts is Counts.POINTS


def _amount(text: str, decimals: int) -> int | None:
    return smallest(text, decimals) if len(text) <= DIGITS_MAX else None


def edited(
    table: Table,
    rows: Sequence[Row],
    ended: Sequence[str],
    book_kinds: Mapping[str, Denomination],
    in_force: Sequence[Item] = (),
) -> tuple[Table, list[CellWrong]]:
    """Return the table with the grid's cells put in and the ended items left out, and the cells that are no amounts.

    Items that the grid did not carry stay as they are: somebody else may have added them meanwhile. A row that is
    not ended takes up again what the table had left out of those `in_force`.
    """
    typed = {row.code: row for row in rows}
    codes = {item.code for item in table.items}
    for item in in_force:
        if item.code in typed.keys() - codes - set(ended):
            table = with_item(table, item)
    wrong = []
    items = []
    for item in table.items:
        if item.code in ended:
            continue
        row = typed.get(item.code)
        if row is None:
            items.append(item)
            continue
        of = book_kinds.get(item.book_kind)
        points, day_cap = (_amount(text, 0 if of is None else of.decimals) for text in (row.points, row.day_cap))
        unknown = item.points is None and not row.points.strip()
        if points is None and not unknown:
            wrong.append(CellWrong(item.code, "points"))
        if row.day_cap and day_cap is None:
            wrong.append(CellWrong(item.code, "day_cap"))
        changed = msgspec.structs.replace(
            item, name=row.name, points=None if unknown else points or 0, evidence=row.evidence
        )
        items.append(with_day_cap(changed, day_cap))
    return msgspec.structs.replace(table, items=tuple(items)), wrong


class Unfit(Exception):
    """An amount that has too many decimals for the passbook it is to go to."""

    def __init__(self, points: int) -> None:
        super().__init__(points)
        self.points = points


def restated(item: Item, old: int, new: int) -> Item:
    """Return the item with the same amounts, in smallest units of `new` decimals in place of `old`; raises Unfit."""

    def amount(points: int) -> int:
        found, rest = divmod(points * 10**new, 10**old)
        if rest:
            raise Unfit(points)
        return int(found)

    def part(one: Any) -> Any:
        return one if one.points is None else msgspec.structs.replace(one, points=amount(one.points))

    changes: dict[str, Any] = {
        field: amount(points) for field in AMOUNTS if (points := getattr(item, field, None)) is not None
    }
    changes["points_by_met"] = tuple(amount(points) for points in item.points_by_met)
    for field in ("caps", "levels", "faults", "increments"):
        changes[field] = tuple(part(one) for one in getattr(item, field))
    changes["streak"] = item.streak and part(item.streak)
    return msgspec.structs.replace(item, **changes)


def with_item(table: Table, item: Item) -> Table:
    """Return the table with this item in the place of the one of its code, or at the end of its category."""
    items = list(table.items)
    for position, known in enumerate(items):
        if known.code == item.code:
            items[position] = item
            return msgspec.structs.replace(table, items=tuple(items))
    last = max((position for position, known in enumerate(items) if known.category == item.category), default=None)
    items.insert(len(items) if last is None else last + 1, item)
    return msgspec.structs.replace(table, items=tuple(items))
