"""The draft's editor: a grid of cells, a form per item, publishing. Each step works without script."""

from collections.abc import Sequence
from datetime import datetime
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
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import MAIN
from pointsbank.ledger.rules_kinds import smallest
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import actions, actions_sheet, queries, rules, rules_edit
from pointsbank.scoring.queries import Version
from pointsbank.scoring.routes_pieces import counted, grouped, of_kind, typed, writing
from pointsbank.scoring.rules import Basis, Item, Rounding
from pointsbank.scoring.rules_edit import Row
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, with_words
from pointsbank.web.render import page

CHAINS: dict[str, tuple[Literal["organiser", "community_admin"], ...]] = {
    "no": ("organiser",),
    "yes": ("organiser", "community_admin"),
}
CELL_WORDS = {"points": N_("{code} 的分值要写成数字"), "day_cap": N_("{code} 的每日上限要写成数字，没有上限就空着")}


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
    """Amounts are typed as they are shown, with the decimals of the kind of passbook."""

    request_key: str
    code: Annotated[str, Meta(title=N_("编号"))]
    category: Annotated[str, Meta(title=N_("类别"))]
    name: Annotated[str, Meta(title=N_("名称"))]
    basis: Annotated[Basis, Meta(title=N_("计分方式"))]
    points: Annotated[str, Meta(title=N_("分值"), max_length=12)]
    evidence: Annotated[str, Meta(title=N_("凭据"))]
    rounding: Annotated[Rounding, Meta(title=N_("零头怎么算"))] = Rounding.DOWN
    block_minutes: Annotated[int, Meta(title=N_("每满多少分钟"), ge=1, le=1440)] = 60
    minutes_min: Annotated[int, Meta(title=N_("最少分钟"), ge=0, le=1440)] = 0
    share_min_percent: Annotated[int, Meta(title=N_("至少参加活动的（%）"), ge=0, le=100)] = 0
    day_cap: Annotated[str, Meta(title=N_("每人每天上限"), max_length=12)] = ""
    book_kind: Annotated[str, Meta(title=N_("记入哪种存折"), max_length=20)] = MAIN
    second_review: Annotated[Literal["no", "yes"], Meta(title=N_("社区管理员复核"))] = "no"


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
    book_kinds = await kinds.denominations(None, draft.community_id)
    faults = rules.faults(draft.table, book_kinds)
    changes = rules.differences(against, draft.table, _, writing(book_kinds)) if against else ()
    return page(
        "scoring/editor.html",
        status=status,
        draft=draft,
        current=current,
        groups=grouped(draft.table, book_kinds, against, only_changes=only_changes),
        changes=changes,
        only_changes=only_changes,
        count=len(draft.table.items),
        counted=counted(changes),
        saved_at=await _saved_at(draft),
        typed={f"points-{row.code}": row.points for row in rows} | {f"day_cap-{row.code}": row.day_cap for row in rows},
        faults=[(fault.item_code, fault.said(with_words)) for fault in faults],
        form=form or forms.blank(),
    )


async def _saved_at(draft: Version) -> datetime:
    known = await queries.versions(draft.community_id)
    return next(line.drafted_at for line in known if line.version_id == draft.id)


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
    """Keep the cells that were sent, of all rows or of some; one that is no number is named, and all typed stays."""
    form = await forms.read(request, GridForm)
    draft = await queries.version(session.community_ids, version_id)
    rows = rows_of(form)
    book_kinds = await kinds.denominations(None, draft.community_id)
    current = await queries.current(draft.community_id, local_day(clock.now()))
    in_force = [current.items[row.code] for row in rows if row.code in current.items] if current else []
    table, wrong = rules_edit.edited(draft.table, rows, form.value.ended, book_kinds, in_force)
    if wrong:
        for cell in wrong:
            form.refuse(f"{cell.field}-{cell.code}", CELL_WORDS[cell.field], code=cell.code)
        return await editor(msgspec.structs.replace(draft, table=table), clock, form=form, rows=rows, status=400)
    await db.write(
        actions_sheet.edit_cells,
        actor=actor,
        request_key=form.value.request_key,
        community_id=draft.community_id,
        version_id=draft.id,
        rows=rows,
        ended=form.value.ended,
        in_force=in_force,
    )
    return _to(f"/scoring/versions/{version_id}")


@get(
    "/scoring/versions/{version_id:int}/items/{code:str}",
    guards=[needs(Permission.EDIT_SCORING)],
)
async def item_form(version_id: FromPath[int], code: FromPath[str], session: NamedDependency[Session]) -> Response[str]:
    """The form of one item; the code `new` is a new one's."""
    draft = await queries.version(session.community_ids, version_id)
    if code == "new":
        blank: Filled[Any] = forms.blank(
            basis="per_minutes", block_minutes=60, rounding="down", evidence=_("现场签到"), book_kind=MAIN
        )
        return await _item_page(draft, blank)
    item = draft.items.get(code)
    if item is None:
        raise NotFound
    second = "yes" if "community_admin" in item.review else "no"
    known = {field: getattr(item, field) for field in ItemForm.__struct_fields__ if hasattr(item, field)}
    of = of_kind(item, await kinds.denominations(None, draft.community_id))
    known |= {"points": typed(item.points, of), "day_cap": typed(rules_edit.day_cap_of(item), of)}
    return await _item_page(draft, forms.blank(**known, second_review=second))


async def _item_page(draft: Version, form: Filled[Any], status: int = 200) -> Response[str]:
    bases = [(basis.value, _(rules.WORDS[basis])) for basis in Basis]
    roundings = [(rounding.value, _(rules.WORDS[rounding])) for rounding in Rounding]
    known = (await kinds.denominations(None, draft.community_id)).values()
    books = [(one.code, one.name) for one in known]
    return page(
        "scoring/item.html", status=status, draft=draft, form=form, bases=bases, roundings=roundings, books=books
    )


@post("/scoring/versions/{version_id:int}/items", guards=[needs(Permission.EDIT_SCORING)])
async def save_item(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
) -> Response[Any]:
    form = await forms.read(request, ItemForm)
    draft = await queries.version(session.community_ids, version_id)
    item, day_cap = await _item_of(form, draft) if form.is_valid else (None, None)
    if item is None:
        return await _item_page(draft, form, 400)
    table = rules_edit.with_item(draft.table, rules_edit.with_day_cap(item, day_cap))
    for fault in rules.faults(table):
        if fault.item_code == item.code:
            form.refuse(fault.field if fault.field in form.typed else "code", fault.said(with_words))
    if not form.is_valid:
        return await _item_page(draft, form, 400)
    await db.write(
        actions_sheet.put_item,
        actor=actor,
        request_key=form.value.request_key,
        community_id=draft.community_id,
        version_id=draft.id,
        item=rules_edit.with_day_cap(item, day_cap),
    )
    return _to(f"/scoring/versions/{version_id}")


async def _item_of(form: Filled[ItemForm], draft: Version) -> tuple[Item | None, int | None]:
    """The item that was typed, and its cap a day; no item where something is to be typed again."""
    asked = form.value
    of = (await kinds.denominations(None, draft.community_id)).get(asked.book_kind)
    if of is None:
        form.refuse("book_kind", N_("请选择记入哪种存折"))
        return None, None
    amounts = {name: smallest(getattr(asked, name), of.decimals) for name in ("points", "day_cap")}
    for name, points in amounts.items():
        if points is None and (name == "points" or getattr(asked, name).strip()):
            form.refuse(name, N_("要写成数字，小数最多 {n} 位。"), n=of.decimals)
    if not form.is_valid:
        return None, None
    fields = {field: getattr(asked, field) for field in Item.__struct_fields__ if hasattr(asked, field)}
    fields |= {"points": amounts["points"], "review": CHAINS[asked.second_review]}
    known = draft.items.get(asked.code)
    item = Item(**fields) if known is None else msgspec.structs.replace(known, **fields)
    return item, amounts["day_cap"]


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


handlers: list[Any] = [start_draft, save, item_form, save_item, drop]
