"""The draft's editor: a grid of cells. Each step works without script."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import Invalid, NotFound
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import actions, actions_sheet, queries, rules, rules_edit, rules_warnings
from pointsbank.scoring.queries import Version
from pointsbank.scoring.routes_form import handed
from pointsbank.scoring.routes_pieces import counted, grouped, of_kind, writing
from pointsbank.scoring.rules import Fault, Table
from pointsbank.scoring.rules_edit import Cells, Row
from pointsbank.scoring.rules_sheet import SheetStale
from pointsbank.scoring.rules_warnings import Warned
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import post
from pointsbank.web.i18n import N_, _, with_words

CELLS = {
    "name": N_("{code} 的名称：{said}"),
    "points": N_("{code} 的分值：{said}"),
    "day_cap": N_("{code} 的每日上限：{said}"),
    "evidence": N_("{code} 的凭据：{said}"),
    "ended": N_("{code}：{said}"),
}
GRID_COLUMNS = ("codes", "names", "points", "day_caps", "evidences", "seen")


_cells = msgspec.json.Decoder(Cells).decode


def _encoded(cells: Cells) -> str:
    return msgspec.json.encode(cells).decode()


class GridForm(msgspec.Struct):
    """The cells come in columns, which are read as typed: an empty cell keeps its place there."""

    request_key: str
    ended: list[str] = []


def rows_of(form: Filled[GridForm]) -> list[Row]:
    columns = [form.lists.get(name, []) for name in GRID_COLUMNS]
    if len({len(column) for column in columns}) > 1:
        raise Invalid(detail=_("表格不完整，请刷新页面后再改。"))
    try:
        return [
            Row(code, name, points, day_cap, evidence, _cells(seen))
            for code, name, points, day_cap, evidence, seen in zip(*columns, strict=True)
        ]
    except msgspec.MsgspecError:
        raise Invalid(detail=_("表格不完整，请刷新页面后再改。")) from None


class KeyForm(msgspec.Struct):
    request_key: str


async def grid(
    draft: Version,
    clock: Clock,
    *,
    only_changes: bool = False,
    form: Filled[Any] | None = None,
    rows: Sequence[Row] = (),
    stored: Table | None = None,
) -> dict[str, Any]:
    """What the editor's page shows: a draft beside what is in force.

    Of one that was refused, `rows` are the cells as typed, though wrong, and `stored` is the table as it stands.
    """
    today = local_day(clock.now())
    current = await queries.current(draft.community_id, today)
    against = current.table if current else None
    book_kinds = await kinds.denominations(None, draft.community_id)
    faults = rules.faults(draft.table, book_kinds)
    changes = rules.differences(against, draft.table, _, writing(book_kinds)) if against else ()
    return {
        "draft": draft,
        "current": current,
        "groups": grouped(draft.table, book_kinds, against, only_changes=only_changes),
        "changes": changes,
        "only_changes": only_changes,
        "count": len(draft.table.items),
        "counted": counted(changes),
        "saved_at": await _saved_at(draft),
        "typed": {
            f"{field}-{row.code}": getattr(row, field)
            for row in rows
            for field in rules_edit.AMOUNT_CELLS
            if getattr(row, field) != getattr(row.seen, field)
        },
        "seen": _seen(stored or draft.table, against, book_kinds),
        "labels": rules.FIELD_LABELS,
        "faults": [(_place(fault), fault.said(with_words)) for fault in faults],
        "warned": [(_place_of(one.item_code), one.said(with_words)) for one in await _warned(draft, book_kinds)],
        "form": form or forms.blank(),
    }


def _seen(stored: Table, in_force: Table | None, book_kinds: Mapping[str, Denomination]) -> dict[str, str]:
    """The cells of each line as they stand, for the form to carry: what was typed since is told by these."""
    items = {item.code: item for item in stored.items}
    known = {item.code: item for item in in_force.items} | items if in_force else items
    return {
        code: _encoded(rules_edit.cells_of(item, of_kind(item, book_kinds).decimals, ended=code not in items))
        for code, item in known.items()
    }


async def _warned(draft: Version, book_kinds: Mapping[str, Denomination]) -> list[Warned]:
    books = {kind.code: kind.settings for kind in await kinds.kinds(draft.community_id)}
    of_books = rules_warnings.of_books(draft.table, books, _, writing(book_kinds))
    panels = rules_warnings.panels_short(draft.table, await people.panel_members(draft.community_id))
    return [*of_books, *panels, *rules_warnings.warnings(draft.table)]


def _place(found: Fault) -> str:
    """Where in the draft it is mended."""
    return "items/new" if found.field == "items" and not found.item_code else _place_of(found.item_code)


def _place_of(item_code: str) -> str:
    return f"items/{item_code}" if item_code else "settings"


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


async def keep(draft: Version, form: Filled[GridForm], actor: Actor, clock: Clock) -> dict[str, Any] | None:
    """Keep the cells that were sent, of all rows or of some.

    One that is no number is named, and that the version is no draft any more; nothing is kept then, and what the page
    shows has all that was typed.
    """
    rows = rows_of(form)
    book_kinds = await kinds.denominations(None, draft.community_id)
    current = await queries.current(draft.community_id, local_day(clock.now()))
    in_force = [current.items[row.code] for row in rows if row.code in current.items] if current else []
    table, wrong = rules_edit.edited(draft.table, rows, form.value.ended, book_kinds, in_force)
    if draft.state != "draft":
        handed(form)
    for cell in wrong:
        said = with_words(rules_edit.CELL_WORDS[cell.why], **cell.facts)
        form.refuse(f"{cell.field}-{cell.code}", CELLS[cell.field], code=cell.code, said=said)
    if form.is_valid:
        try:
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
        except (rules.NotADraft, SheetStale) as refusal:  # somebody was quicker, by a moment
            handed(form, refusal)
        else:
            return None
    return await grid(msgspec.structs.replace(draft, table=table), clock, form=form, rows=rows, stored=draft.table)


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


handlers: list[Any] = [start_draft, drop]
