"""What the pages of scoring tables show alike: versions, and lines with their amounts."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

import msgspec

from pointsbank.kit.errors import Refusal
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.scoring import actions, rules, rules_edit
from pointsbank.scoring.queries import VersionLine
from pointsbank.scoring.rules import Basis, Difference, Fault, Item, Table, TableFaults
from pointsbank.scoring.rules_differences import cell
from pointsbank.web import formats
from pointsbank.web.i18n import N_, _, amount, locale_now, with_words

STATES = {
    "draft": (N_("草稿"), "warn"),
    "discussion": (N_("议事中"), "info"),
    "noticed": (N_("公示中"), "info"),
    "dropped": (N_("已作废"), "stop"),
    "scheduled": (N_("待生效"), "info"),
    "in_force": (N_("执行中"), "ok"),
    "retired": (N_("已归档"), ""),
}
MARKS = {
    "added": (N_("新"), "ok", "is-new"),
    "changed": (N_("改"), "warn", "is-changed"),
    "ended": (N_("停"), "stop", "is-ended"),
}
OF_TABLES = {
    "multipliers": N_("系数"),
    "base": N_("基础分"),
    "balance_max": N_("存储上限"),
    "levels": N_("等级"),
    "levels_words": N_("等级说明"),
    "redemption_ratio": N_("兑换比例"),
    "redeem": N_("兑换"),
    "expiry_words": N_("到期"),
    "approval": N_("审核"),
    "appeal": N_("申诉"),
    "vetoes": N_("一票否决"),
    "veto_rules": N_("一票否决"),
    "consequences": N_("后果"),
}
WHOLE_POINTS = Denomination(MAIN, "", formats.POINTS, 0, "")
"""How amounts are written of a kind that is not there: a draft may name one."""


def readable(refused: Refusal, found: Sequence[Fault]) -> Refusal:
    """What was refused for the faults of a table, with these in the words of the reader: it is raised in ours."""
    if not isinstance(refused, TableFaults):
        return refused
    said = [fault.said(with_words) for fault in found[: actions.FAULTS_SHOWN]]
    return TableFaults(count=len(found), text=_("；").join(said))


class VersionChip(msgspec.Struct, frozen=True):
    line: VersionLine
    label: str
    state: str


class Cell(msgspec.Struct, frozen=True):
    """A line of the grid: the item, its amounts as they are typed, and how it differs from the version in force.

    `kind` names the kind of passbook its points go to, and is empty for the main one; `worth` may be a range.
    `old_points` and `old_cap` are those of the version in force where they were others; `may_end` what that one has.
    """

    item: Item
    unit: str
    kind: str
    points: str
    worth: str
    day_cap: str
    mark: str
    mark_state: str
    row_class: str
    old: dict[str, str]
    old_points: str = ""
    old_cap: str = ""
    is_other_points: bool = False
    is_other_cap: bool = False
    may_end: bool = False


class Group(msgspec.Struct, frozen=True):
    category: str
    lines: list[Cell]


def chip_of(state: str) -> tuple[str, str]:
    label, colour = STATES[state]
    return _(label), colour


def unit_of(item: Item) -> str:
    """Return what the points are for, in words: each hour, each time."""
    if item.basis is Basis.PER_MINUTES:
        if item.block_minutes % 60 == 0:
            hours = item.block_minutes // 60
            return _("小时") if hours == 1 else _("{n} 小时", n=hours)
        return _("{n} 分钟", n=item.block_minutes)
    if item.basis is Basis.PER_DISTANCE:
        return _("{n} 米", n=item.block_metres)
    return item.counted or _("件") if item.basis is Basis.PER_ITEM else _("次")


def rules_told(table: Table, book_kinds: Mapping[str, Denomination]) -> list[tuple[str, str]]:
    """Return what else a table says as a whole, as pairs of label (not yet translated) and words."""
    write = writing(book_kinds)
    gate = formats.minutes(table.gate_minutes, english=locale_now() == "en")
    return [
        *([(N_("兑换前"), _("先服务满 {time}", time=gate))] if table.gate_minutes else []),
        *((label, cell(table, field, _, write)) for field, label in OF_TABLES.items() if getattr(table, field)),
    ]


def of_kind(item: Item, book_kinds: Mapping[str, Denomination]) -> Denomination:
    return book_kinds.get(item.book_kind, WHOLE_POINTS)


def typed(points: int | None, of: Denomination) -> str:
    """An amount as it is typed: without commas or unit."""
    return "" if points is None else formats.points(points, of.decimals).replace(",", "")


def _cell(
    item: Item, difference: Difference | None, book_kinds: Mapping[str, Denomination], in_force: Item | None
) -> Cell:
    mark, state, row_class = MARKS[difference.what] if difference else ("", "", "")
    old = {change.field: change.old for change in difference.changes} if difference else {}
    of = of_kind(item, book_kinds)
    kind = "" if item.book_kind == MAIN else of.name or item.book_kind
    points, (worth, cap) = typed(item.points, of), _amounts(item, of)
    old_worth, old_cap = ("", "") if in_force is None else _amounts(in_force, of_kind(in_force, book_kinds))
    return Cell(
        item, unit_of(item), kind, points, worth, cap, _(mark) if mark else "", state, row_class, old,
        old_points=old_worth if old_worth != worth else "",
        old_cap=old_cap if old_cap != cap else "",
        is_other_points=old_worth != worth,
        is_other_cap=old_cap != cap,
        may_end=in_force is not None,
    )  # fmt: skip


def _amounts(item: Item, of: Denomination) -> tuple[str, str]:
    """What an item is worth, which may be a range, and its cap a day."""
    points = typed(item.points, of)
    worth = points if item.range_max is None else f"{points}–{typed(item.range_max, of)}"
    return worth, typed(rules_edit.day_cap_of(item), of)


def counted(changes: Sequence[Difference]) -> str:
    """How many items were changed, added, ended."""
    words = {"changed": N_("改 {n} 条"), "added": N_("新增 {n} 条"), "ended": N_("停用 {n} 条")}
    items = [change.what for change in changes if change.code]
    told = [_(text, n=items.count(what)) for what, text in words.items() if what in items]
    if len(items) < len(changes):
        told.append(_("整张表的规定有改动"))
    return _("，").join(told)


def writing(book_kinds: Mapping[str, Denomination]) -> Callable[[str, int], str]:
    return lambda code, points: amount(points, book_kinds.get(code, WHOLE_POINTS))


def grouped(
    table: Table,
    book_kinds: Mapping[str, Denomination],
    against: Table | None = None,
    *,
    only_changes: bool = False,
) -> list[Group]:
    """Return the items by category, marked against another table, with those that it alone has marked as ended."""
    found = {one.code: one for one in rules.differences(against, table, _, writing(book_kinds))} if against else {}
    items = list(table.items)
    if against:
        items += [item for item in against.items if item.code in found and found[item.code].what == "ended"]
    in_force = {item.code: item for item in against.items} if against else {}
    cells = [_cell(item, found.get(item.code), book_kinds, in_force.get(item.code)) for item in items]
    kept = [cell for cell in cells if cell.mark or not only_changes]
    kept.sort(key=lambda cell: [item.category for item in items].index(cell.item.category))
    return [Group(name, list(lines)) for name, lines in groupby(kept, key=lambda cell: cell.item.category)]
