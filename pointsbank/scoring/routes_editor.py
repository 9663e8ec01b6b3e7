"""The draft's editor: a grid of cells, a form per item, publishing. Each step works without script."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import Invalid, NotFound
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import actions, queries, rules, rules_edit
from pointsbank.scoring.queries import Version, VersionLine
from pointsbank.scoring.rules import Basis, Difference, Item, Rounding, Table
from pointsbank.scoring.rules_edit import Row
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, with_words
from pointsbank.web.render import page

STATES = {
    "draft": (N_("草稿"), "warn"),
    "scheduled": (N_("待生效"), "info"),
    "in_force": (N_("执行中"), "ok"),
    "retired": (N_("已归档"), ""),
}
MARKS = {
    "added": (N_("新"), "ok", "is-new"),
    "changed": (N_("改"), "warn", "is-changed"),
    "ended": (N_("停"), "stop", "is-ended"),
}
CHAINS: dict[str, tuple[Literal["organiser", "community_admin"], ...]] = {
    "no": ("organiser",),
    "yes": ("organiser", "community_admin"),
}
CELL_WORDS = {"points": N_("{code} 的分值要写整数"), "day_cap": N_("{code} 的每日上限要写整数，没有上限就空着")}


class VersionChip(msgspec.Struct, frozen=True):
    line: VersionLine
    label: str
    state: str


class Cell(msgspec.Struct, frozen=True):
    """A line of the grid: the item, what was typed, and how it differs from the version in force."""

    item: Item
    unit: str
    day_cap: str
    mark: str
    mark_state: str
    row_class: str
    old: dict[str, str]


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
    return _("次") if item.basis is Basis.PER_TIME else _("件")


def _cell(item: Item, difference: Difference | None) -> Cell:
    mark, state, row_class = MARKS[difference.what] if difference else ("", "", "")
    old = {change.field: change.old for change in difference.changes} if difference else {}
    cap = rules_edit.day_cap_of(item)
    return Cell(item, unit_of(item), "" if cap is None else str(cap), _(mark) if mark else "", state, row_class, old)


def grouped(table: Table, against: Table | None = None, *, only_changes: bool = False) -> list[Group]:
    """Return the items by category, marked against another table, with those that it alone has marked as ended."""
    found = {one.code: one for one in rules.differences(against, table, _)} if against else {}
    items = list(table.items)
    if against:
        items += [item for item in against.items if item.code in found and found[item.code].what == "ended"]
    cells = [_cell(item, found.get(item.code)) for item in items]
    kept = [cell for cell in cells if cell.mark or not only_changes]
    kept.sort(key=lambda cell: [item.category for item in items].index(cell.item.category))
    return [Group(name, list(lines)) for name, lines in groupby(kept, key=lambda cell: cell.item.category)]


GRID_COLUMNS = ("codes", "names", "points", "day_caps", "evidences")


class GridForm(msgspec.Struct):
    """The cells come in columns, which are read as typed: an empty cell keeps its place there."""

    request_key: str
    ended: list[str] = []


def rows_of(form: Filled[GridForm]) -> list[Row]:
    columns = [form.lists.get(name, []) for name in GRID_COLUMNS]
    if len({len(column) for column in columns}) > 1:
        raise Invalid(detail=_("表格不完整，请刷新页面后再改。"))
    return [Row(*cells) for cells in zip(*columns, strict=True)]


class ItemForm(msgspec.Struct):
    request_key: str
    code: Annotated[str, Meta(title=N_("编号"))]
    category: Annotated[str, Meta(title=N_("类别"))]
    name: Annotated[str, Meta(title=N_("名称"))]
    basis: Annotated[Basis, Meta(title=N_("计分方式"))]
    points: Annotated[int, Meta(title=N_("分值"), ge=1, le=100_000)]
    evidence: Annotated[str, Meta(title=N_("凭据"))]
    rounding: Annotated[Rounding, Meta(title=N_("零头怎么算"))] = Rounding.DOWN
    block_minutes: Annotated[int, Meta(title=N_("每满多少分钟"), ge=1, le=1440)] = 60
    minutes_min: Annotated[int, Meta(title=N_("最少分钟"), ge=0, le=1440)] = 0
    share_min_percent: Annotated[int, Meta(title=N_("至少参加活动的（%）"), ge=0, le=100)] = 0
    day_cap: Annotated[int | None, Meta(title=N_("每人每天上限"))] = None
    second_review: Annotated[Literal["no", "yes"], Meta(title=N_("社区管理员复核"))] = "no"


class PublishForm(msgspec.Struct):
    request_key: str
    in_force_from: Annotated[date, Meta(title=N_("生效日期"))]


class KeyForm(msgspec.Struct):
    request_key: str


async def editor(
    draft: Version,
    clock: Clock,
    *,
    only_changes: bool = False,
    form: Filled[Any] | None = None,
    rows: Sequence[Row] = (),
    status: int = 200,
) -> Response[str]:
    """Show a draft beside what is in force; `rows` are cells as typed, which are shown although they are wrong."""
    today = local_day(clock.now())
    current = await queries.current(draft.community_id, today)
    against = current.table if current else None
    faults = rules.faults(draft.table)
    return page(
        "scoring/editor.html",
        status=status,
        draft=draft,
        current=current,
        groups=grouped(draft.table, against, only_changes=only_changes),
        changes=rules.differences(against, draft.table, _) if against else (),
        only_changes=only_changes,
        typed={f"points-{row.code}": row.points for row in rows} | {f"day_cap-{row.code}": row.day_cap for row in rows},
        faults=[fault.said(with_words) for fault in faults],
        earliest=today + timedelta(days=1),
        form=form or forms.blank(in_force_from=(today + timedelta(days=1)).isoformat()),
    )


@post("/scoring/drafts", guards=[needs(Permission.EDIT_SCORING)])
async def start_draft(
    request: Request[Any, Any, Any], session: NamedDependency[Session], actor: NamedDependency[Actor]
) -> Response[bytes]:
    form = await forms.read(request, KeyForm)
    community_id = _own_community(session)
    draft = await db.write(
        actions.draft_from_current, actor=actor, request_key=form.value.request_key, community_id=community_id
    )
    return _to(f"/scoring/versions/{draft}")


@post("/scoring/versions/{version_id:int}", guards=[needs(Permission.EDIT_SCORING)])
async def save(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    """Keep the grid; a cell that is no number is named, and everything typed stays."""
    form = await forms.read(request, GridForm)
    draft = await queries.version(session.community_ids, version_id)
    rows = rows_of(form)
    table, wrong = rules_edit.edited(draft.table, rows, form.value.ended)
    if wrong:
        for cell in wrong:
            form.refuse(f"{cell.field}-{cell.code}", CELL_WORDS[cell.field], code=cell.code)
        return await editor(msgspec.structs.replace(draft, table=table), clock, form=form, rows=rows, status=400)
    await _save(actor, form.value.request_key, draft, table)
    return _to(f"/scoring/versions/{version_id}")


async def _save(actor: Actor, request_key: str, draft: Version, table: Table) -> None:
    await db.write(
        actions.save_draft,
        actor=actor,
        request_key=request_key,
        community_id=draft.community_id,
        version_id=draft.id,
        table=table,
    )


@get(
    "/scoring/versions/{version_id:int}/items/{code:str}",
    guards=[needs(Permission.EDIT_SCORING)],
)
async def item_form(version_id: FromPath[int], code: FromPath[str], session: NamedDependency[Session]) -> Response[str]:
    """The form of one item; the code `new` is a new one's."""
    draft = await queries.version(session.community_ids, version_id)
    if code == "new":
        return _item_page(
            draft, forms.blank(basis="per_minutes", block_minutes=60, rounding="down", evidence=_("现场签到"))
        )
    item = draft.items.get(code)
    if item is None:
        raise NotFound
    second = "yes" if "community_admin" in item.review else "no"
    known = {field: getattr(item, field) for field in ItemForm.__struct_fields__ if hasattr(item, field)}
    return _item_page(draft, forms.blank(**known, day_cap=rules_edit.day_cap_of(item), second_review=second))


def _item_page(draft: Version, form: Filled[Any], status: int = 200) -> Response[str]:
    bases = [(basis.value, _(rules.WORDS[basis])) for basis in Basis]
    roundings = [(rounding.value, _(rules.WORDS[rounding])) for rounding in Rounding]
    return page("scoring/item.html", status=status, draft=draft, form=form, bases=bases, roundings=roundings)


@post("/scoring/versions/{version_id:int}/items", guards=[needs(Permission.EDIT_SCORING)])
async def save_item(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
) -> Response[Any]:
    form = await forms.read(request, ItemForm)
    draft = await queries.version(session.community_ids, version_id)
    if not form.is_valid:
        return _item_page(draft, form, 400)
    typed = form.value
    known = draft.items.get(typed.code)
    fields = {field: getattr(typed, field) for field in Item.__struct_fields__ if hasattr(typed, field)}
    review = CHAINS[typed.second_review]
    if known is not None:
        item = msgspec.structs.replace(known, **fields, review=review)
    else:
        item = Item(**fields, review=review)
    item = rules_edit.with_day_cap(item, typed.day_cap)
    table = rules_edit.with_item(draft.table, item)
    for fault in rules.faults(table):
        if fault.item_code == item.code:
            form.refuse(fault.field if fault.field in form.typed else "code", fault.said(with_words))
    if not form.is_valid:
        return _item_page(draft, form, 400)
    await _save(actor, typed.request_key, draft, table)
    return _to(f"/scoring/versions/{version_id}")


@post("/scoring/versions/{version_id:int}/publish", guards=[needs(Permission.PUBLISH_SCORING)])
async def publish(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    form = await forms.read(request, PublishForm)
    draft = await queries.version(session.community_ids, version_id)
    if form.is_valid:
        try:
            await db.write(
                actions.publish,
                actor=actor,
                request_key=form.value.request_key,
                community_id=draft.community_id,
                version_id=version_id,
                in_force_from=form.value.in_force_from,
            )
        except (rules.TooSoon, rules.TableFaults) as refused:
            form.refuse("in_force_from", refused)
        else:
            return _to(f"/scoring/versions/{version_id}")
    return await editor(draft, clock, form=form, status=400)


@post("/scoring/versions/{version_id:int}/drop", guards=[needs(Permission.EDIT_SCORING)])
async def drop(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
) -> Response[bytes]:
    form = await forms.read(request, KeyForm)
    await db.write(
        actions.drop_draft,
        actor=actor,
        request_key=form.value.request_key,
        community_id=_own_community(session),
        version_id=version_id,
    )
    return _to("/scoring")


def _own_community(session: Session) -> int:
    if session.community_id is None:
        raise NotFound
    return session.community_id


def _to(url: str) -> Response[bytes]:
    return Response(b"", status_code=303, media_type="text/html", headers={"Location": url})


handlers: list[Any] = [start_draft, save, item_form, save_item, publish, drop]
