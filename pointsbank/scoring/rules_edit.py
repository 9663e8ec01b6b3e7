"""Editing a draft: what was typed into the grid or the item form becomes a table, or says what is to be changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.scoring.rules_columns import NOT_READ, Unread, amount, number
from pointsbank.scoring.rules_differences import AMOUNTS
from pointsbank.scoring.rules_table import Cap, Counts, Item, Period, Scope, Table

FIELDS = ("name", "points", "day_cap", "evidence")
AMOUNT_CELLS = ("points", "day_cap")
NONE = "无"
CELL_WORDS: dict[str, str] = NOT_READ | {
    "other": "别人刚改成“{stored}”，你写的是“{typed}”。要用你写的，再保存一次；要用别人的，照他的写。",
    "ended": "别人刚把这一项停用了，你写的“{typed}”没有存。还要用，再保存一次。",
    "moved": "你要停用的这一项，别人刚改过：{stored}。还要停用，再保存一次。",
    "gone": "别人刚把这一项拿掉了，你写的“{typed}”没有存。",
}
"""Why a cell is not put in; `edited` says which facts."""


class Cells(msgspec.Struct, frozen=True, array_like=True):
    """A line of the grid as it is shown."""

    name: str
    points: str
    day_cap: str
    evidence: str
    ended: bool


class Row(msgspec.Struct, frozen=True):
    """One line of the grid as typed, and as it was seen; `day_cap` is empty where there is none."""

    code: str
    name: str
    points: str
    day_cap: str
    evidence: str
    seen: Cells


class CellWrong(msgspec.Struct, frozen=True):
    """`field` is one of FIELDS or `ended`, of the item `code`; `why` names a text of CELL_WORDS."""

    code: str
    field: str
    why: str
    facts: Mapping[str, str | int]


def day_cap_of(item: Item) -> int | None:
    """Return what one person may get of this item a day."""
    return next((cap.points for cap in item.caps if is_day_cap(cap)), None)


def with_day_cap(item: Item, points: int | None) -> Item:
    kept = tuple(cap for cap in item.caps if not is_day_cap(cap))
    added = (Cap(Scope.PERSON, Period.DAY, points),) if points is not None else ()
    return msgspec.structs.replace(item, caps=added + kept)


def is_day_cap(cap: Cap) -> bool:
    return cap.scope is Scope.PERSON and cap.period is Period.DAY and cap.counts is Counts.POINTS


def cells_of(item: Item, decimals: int, *, ended: bool = False) -> Cells:
    """What stands in the grid's cells."""
    day_cap = amount(day_cap_of(item), decimals)
    return Cells(item.name, amount(item.points, decimals), day_cap, item.evidence, ended)


def edited(
    table: Table,
    rows: Sequence[Row],
    ended: Sequence[str],
    book_kinds: Mapping[str, Denomination],
    in_force: Sequence[Item] = (),
) -> tuple[Table, list[CellWrong]]:
    """Return the table with the cells put in that were typed, and the cells that cannot be.

    What is as it was seen was not typed: it stays as it is now. What somebody else has changed since it was seen is
    not overwritten, but told. A row that was ended and is no longer takes up again what stands among those
    `in_force`. Items that the grid did not carry stay, unless they are ended.
    """
    typed = {row.code: row for row in rows}
    stored = {item.code: item for item in table.items}
    known = {item.code: item for item in in_force} | stored
    left, changed, wrong = set(ended) - typed.keys(), {}, []
    for code, row in typed.items():
        item = known.get(code)
        if item is None:
            wrong += _gone(row)
            continue
        of = book_kinds.get(item.book_kind)
        kept, is_ended, found = _merged(row, item, code not in stored, code in ended, 0 if of is None else of.decimals)
        wrong += found
        if is_ended:
            left.add(code)
        else:
            changed[code] = kept
    for code in changed.keys() - stored.keys():
        table = with_item(table, changed[code])
    items = tuple(changed.get(item.code, item) for item in table.items if item.code not in left)
    return msgspec.structs.replace(table, items=items), wrong


def _gone(row: Row) -> list[CellWrong]:
    """Somebody else has taken the item out; what was typed of it is told, for it has no place any more."""
    texts = [getattr(row, field) for field in FIELDS if getattr(row, field) != getattr(row.seen, field)]
    return [CellWrong(row.code, "name", "gone", {"typed": "、".join(texts)})] if texts else []


def _merged(row: Row, item: Item, was_ended: bool, is_ended: bool, decimals: int) -> tuple[Item, bool, list[CellWrong]]:
    """The item as it is to be, whether it is left out, and the cells that cannot be put in."""
    now = cells_of(item, decimals, ended=was_ended)
    typed = [field for field in FIELDS if getattr(row, field) != getattr(row.seen, field)]
    moved = [field for field in FIELDS if getattr(now, field) not in (getattr(row.seen, field), getattr(row, field))]
    if is_ended == row.seen.ended and was_ended:  # nobody here takes it up again
        if is_ended or not typed:
            return item, True, []
        wrong = [CellWrong(row.code, typed[0], "ended", {"typed": getattr(row, typed[0])})]
        return _with_cells(item, row, typed, decimals)[0], False, wrong
    if is_ended and not row.seen.ended:
        told = {"stored": "、".join(getattr(now, field) or NONE for field in moved)}
        return item, True, [CellWrong(row.code, "ended", "moved", told)] if moved and not was_ended else []
    kept, wrong = _with_cells(item, row, typed, decimals)
    other = cells_of(kept, decimals)
    for field in typed:
        if field in moved and getattr(other, field) != getattr(now, field):
            facts = {"stored": getattr(now, field) or NONE, "typed": getattr(row, field) or NONE}
            wrong.append(CellWrong(row.code, field, "other", facts))
    return kept, False, wrong


def _with_cells(item: Item, row: Row, typed: Sequence[str], decimals: int) -> tuple[Item, list[CellWrong]]:
    """Put in the cells that were typed, those that are amounts."""
    changes: dict[str, Any] = {field: getattr(row, field) for field in ("name", "evidence") if field in typed}
    wrong = []
    for field in AMOUNT_CELLS:
        text = getattr(row, field)
        if field not in typed:
            continue
        is_empty = not text and (field == "day_cap" or item.points is None)
        try:
            changes[field] = None if is_empty else number(text, decimals)
        except Unread as unread:
            wrong.append(CellWrong(row.code, field, unread.what, unread.facts))
    day_cap = changes.pop("day_cap", day_cap_of(item))
    return with_day_cap(msgspec.structs.replace(item, **changes), day_cap), wrong


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
