"""How two versions of a table differ."""

from typing import Literal

import msgspec

from pointsbank.ledger.rules import MAIN
from pointsbank.scoring.rules_table import Basis, Item, Table
from pointsbank.scoring.rules_words import Say, Write, plainly, shown

AMOUNTS = ("points", "range_max", "points_min_per_act", "floor", "balance_max")


class FieldChange(msgspec.Struct, frozen=True):
    field: str
    old: str
    new: str


class Difference(msgspec.Struct, frozen=True):
    """`code` is empty for the settings of the table as a whole."""

    code: str
    name: str
    what: Literal["added", "changed", "ended"]
    changes: tuple[FieldChange, ...] = ()


def differences(old: Table | None, new: Table, say: Say = str.format, write: Write = plainly) -> tuple[Difference, ...]:
    """Settings of the table first, then items in the order of the new table, then those that ended."""
    before = {item.code: item for item in old.items} if old else {}
    found = []
    if old and (settings := _changes(old, new, say, write)):
        found.append(Difference("", new.name, "changed", settings))
    for item in new.items:
        earlier = before.pop(item.code, None)
        if earlier is None:
            found.append(Difference(item.code, item.name, "added"))
        elif changes := _changes(earlier, item, say, write):
            found.append(Difference(item.code, item.name, "changed", changes))
    found += [Difference(item.code, item.name, "ended") for item in before.values()]
    return tuple(found)


def described(item: Item, say: Say = str.format, write: Write = plainly) -> tuple[tuple[str, str], ...]:
    """What an item says beyond what holds for every item: pairs of field and words."""
    bare = Item(code=item.code, category=item.category, name=item.name, basis=item.basis, evidence=item.evidence)
    if item.basis is Basis.PER_MINUTES:
        bare = msgspec.structs.replace(bare, block_minutes=0)
    if item.basis is Basis.PER_DISTANCE:
        bare = msgspec.structs.replace(bare, block_metres=0)
    told = [(one.field, one.new) for one in _changes(bare, item, say, write)]
    return ("basis", cell(item, "basis", say, write)), *told, ("evidence", item.evidence)


def _changes(old: Table | Item, new: Table | Item, say: Say, write: Write) -> tuple[FieldChange, ...]:
    named = [field for field in new.__struct_fields__ if field != "items"]
    fields = [field for field in named if getattr(old, field) != getattr(new, field)]
    return tuple(FieldChange(field, cell(old, field, say, write), cell(new, field, say, write)) for field in fields)


def cell(of: Table | Item, field: str, say: Say = str.format, write: Write = plainly) -> str:
    """What one field says, in words; its amounts as the kind of passbook has them that they are of."""
    value = getattr(of, field)
    book_kind = of.book_kind if isinstance(of, Item) else MAIN
    if field == "points_by_met":
        return say("；").join(write(book_kind, points) for points in value)
    return write(book_kind, value) if field in AMOUNTS and value is not None else shown(value, say, write, book_kind)
