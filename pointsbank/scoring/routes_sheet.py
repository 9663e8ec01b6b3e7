"""A draft as a sheet or a file: take it away, bring it or a pasted block back, look at what it would change."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from pointsbank.kit import db, intake
from pointsbank.kit.db import Actor
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.kit.rules_intake import TooManyRows
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import (
    actions_sheet,
    queries,
    routes_life,
    rules,
    rules_columns,
    rules_sheet,
    scheme_file,
    sheet_file,
)
from pointsbank.scoring.queries import Version
from pointsbank.scoring.routes_form import handed
from pointsbank.scoring.routes_pieces import writing
from pointsbank.scoring.rules_columns import Sort
from pointsbank.scoring.rules_sheet import Read, SheetStale
from pointsbank.scoring.rules_table import Table
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, with_words
from pointsbank.web.render import page

AnyRequest = Request[Any, Any, Any]
EDITOR = [needs(Permission.EDIT_SCORING)]
SHEET = "/scoring/versions/{version_id:int}/sheet"
LETTERS_MAX = 400_000
FAULTS_SHOWN = 2_000
ROWS_READ_MAX = 2_000
HELP: dict[str, str] = {
    "code": N_("一个大写字母加两到三位数字，例如 A07。按它认项：写表里有的编号是改，写没有的是新增。"),
    "category": N_("例如：志愿服务"),
    "name": N_("最多 60 个字"),
    "basis": N_("按时长、按次、按数量、按路程；按等级、按做到几条、满分往下减的，细目在这一项的表单里填"),
    "counted": N_("例如：人、件、次检查；不写就是“个”"),
    "block_metres": N_("只用于按路程，不写就是 100"),
    "metres_min": N_("不满就不计分；没有就空着"),
    "evidence_kinds": N_("照片、现场签到、受助人确认、材料，可以写几样"),
    "submit": N_("居民自己、网格员、活动组织者、成批导入，可以写几样；不写就是活动组织者"),
    "says": N_("办法里的原话，公示和对照时给人看"),
    "block_minutes": N_("只用于按时长，不写就是 60"),
    "rounding": N_("只用于按时长：不满不算、满一半也算、不满也算"),
    "points": N_("只写数字"),
    "range_max": N_("分值在一个范围里由评议定的，写最高的；别的空着"),
    "multiplier_percent": N_("不写就是 100"),
    "day_cap": N_("没有就空着"),
    "month_cap": N_("没有就空着"),
    "act_cap": N_("没有就空着"),
    "other_caps": N_("上限不止前三种的，都写在这里：管谁、多久、最多多少，用分号分开"),
    "minutes_min": N_("不满就不计分；没有就空着"),
    "minutes_max_per_act": N_("只用于按时长；没有就空着"),
    "share_min_percent": N_("不满就不计分；没有就空着"),
    "quantity_min": N_("不写就是 1"),
    "evidence": N_("例如：现场签到、照片"),
    "review": N_("活动组织者，或活动组织者、社区管理员"),
    "book_kind": N_("不写就是主存折"),
}


class CheckForm(msgspec.Struct):
    """`others` says what becomes of the items that the sheet does not name."""

    lines: Annotated[str, Meta(title=N_("粘贴到这里"), max_length=LETTERS_MAX)] = ""
    others: Annotated[Literal["stay", "end"], Meta(title=N_("表里没有写的项"))] = "stay"


class Found(msgspec.Struct, frozen=True):
    """The table with what was brought put in; it means nothing where something is wrong.

    `wrong` are row or line, column or item, and the words. `unused` are heads nobody knows; a file brings all of a
    table and a sheet some of it.
    """

    table: Table
    wrong: list[tuple[int, str, str]]
    unused: list[str] = []
    is_file: bool = False


class PutForm(msgspec.Struct):
    """`seen` is the digest of the draft that the check was made against."""

    request_key: str
    seen: str
    lines: Annotated[str, Meta(max_length=LETTERS_MAX)]
    others: Literal["stay", "end"] = "stay"


@get("/scoring/versions/{version_id:int}/sheet.xlsx", guards=[needs()])
async def download(version_id: FromPath[int], session: NamedDependency[Session]) -> Response[bytes]:
    """The version as a workbook, for whoever may read it."""
    version = await routes_life.version_of(session, version_id)
    book_kinds = await kinds.denominations(None, version.community_id)
    lines = [(column.head, _(HELP[column.field])) for column in rules_columns.COLUMNS]
    content = await asyncio.to_thread(
        sheet_file.workbook,
        rules_sheet.heads(),
        rules_sheet.rows_of(version.table, book_kinds),
        title=_("积分项"),
        help_title=_("说明"),
        lines=lines,
        choices=_choices(book_kinds),
    )
    return _taken_away(content, f"scoring-{version.number}.xlsx", sheet_file.MEDIA_TYPE)


@get("/scoring/versions/{version_id:int}/file.toml", guards=[needs()])
async def download_file(version_id: FromPath[int], session: NamedDependency[Session]) -> Response[bytes]:
    """The version whole, as the file that another community takes in, for whoever may read it."""
    version = await routes_life.version_of(session, version_id)
    return _taken_away(scheme_file.write(version.table).encode(), f"scoring-{version.number}.toml", "application/toml")


def _taken_away(content: bytes, name: str, media_type: str) -> Response[bytes]:
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, status_code=200, media_type=media_type, headers=headers)


def _choices(book_kinds: Mapping[str, Denomination]) -> dict[str, Sequence[str]]:
    words: dict[Sort, Sequence[str]] = {
        Sort.BASIS: [rules.WORDS[one] for one in rules.Basis],
        Sort.ROUNDING: [rules.WORDS[one] for one in rules.Rounding],
        Sort.BOOK: [of.name for of in book_kinds.values()],
    }
    return {column.head: words[column.sort] for column in rules_columns.COLUMNS if column.sort in words}


@get(SHEET, guards=EDITOR)
async def sheet_form(version_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    draft = await queries.version(session.community_ids, version_id)
    if draft.state != "draft":
        raise NotFound
    blank: Filled[Any] = forms.blank(others="stay")
    return _page(draft, blank)


def _page(
    draft: Version, form: Filled[Any], found: Found | None = None, *, status: int = 400, **shown: Any
) -> Response[str]:
    """The page with what was pasted still in it; `status` is that of a refused one."""
    wrong = found.wrong if found else []
    others = [("stay", _("照旧")), ("end", _("停用"))]
    facts = {"changes": (), "seen": None, **shown}
    return page(
        "scoring/sheet.html",
        status=200 if form.is_valid else status,
        draft=draft,
        form=form,
        found=found,
        faults=wrong[:FAULTS_SHOWN],
        more=max(0, len(wrong) - FAULTS_SHOWN),
        others=others,
        heads=rules_sheet.heads(),
        labels=rules.FIELD_LABELS,
        **facts,
    )


@post(f"{SHEET}/check", guards=EDITOR, opt={"upload": True})
async def check(version_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    """Show what a sheet or a file would change, or every fault of it; nothing is stored."""
    form = await forms.read(request, CheckForm)
    content = await forms.read_file(request)
    draft = await queries.version(session.community_ids, version_id)
    if draft.state != "draft":
        return _page(draft, handed(form), status=rules.NotADraft.kind.status)
    if not form.is_valid:
        return _page(draft, form)
    book_kinds = await kinds.denominations(None, draft.community_id)
    try:
        found = await _read(form, content, draft, book_kinds)
    except TooManyRows:
        most, read = rules_sheet.ROWS_MAX, ROWS_READ_MAX
        form.refuse("file", N_("最多 {most} 行，这个文件超过 {read} 行。请删掉用不到的行。"), most=most, read=read)
        return _page(draft, form)
    except UnicodeDecodeError:
        form.refuse("file", N_("这个文件不是 UTF-8 的文字。请另存为 UTF-8 再试。"))
        return _page(draft, form)
    except Refusal as refusal:
        form.refuse("file", refusal)
        return _page(draft, form)
    return _looked_at(draft, form, found, book_kinds, "file" if content else "lines")


def _looked_at(
    draft: Version, form: Filled[Any], found: Found, book_kinds: Mapping[str, Denomination], field: str
) -> Response[str]:
    """What would change, or every fault, of what came in this field."""
    if found.wrong:
        form.refuse(field, N_("表格里有 {n} 处要改，改好再检查"), n=len(found.wrong))
        return _page(draft, form, found)
    changes = rules.differences(draft.table, found.table, _, writing(book_kinds))
    seen, status = rules_sheet.digest(draft.table), SheetStale.kind.status
    return _page(draft, form, found, status=status, changes=changes, seen=seen)


async def _read(
    form: Filled[CheckForm], content: bytes, draft: Version, book_kinds: Mapping[str, Denomination]
) -> Found:
    """Read what was chosen, which then stands in the text field where it can be put right; else the text."""
    ends_others = form.typed.get("others") == "end"
    if content and scheme_file.is_one(content):
        form.typed["lines"] = content.decode("utf-8-sig")[:LETTERS_MAX]
        content = b""
    if not content:
        return await _of_text(form.typed.get("lines", ""), draft, book_kinds, ends_others=ends_others)
    ended_codes = await queries.ended_codes(draft.community_id)
    sheet = await intake.read_sheet(content, rows_max=ROWS_READ_MAX)
    found = rules_sheet.read(
        sheet.rows, draft.table, book_kinds, ends_others=ends_others, merged=sheet.merged, formulas=sheet.formulas,
        ended_codes=ended_codes,
    )  # fmt: skip
    of_file = rules_sheet.of_file(sheet.kind, sheet.encoding)
    # What was not written as it is read (a formula, half of a merged area) is not offered for a second try.
    form.typed["lines"] = "" if of_file or sheet.merged or sheet.formulas else rules_sheet.as_text(sheet.rows)
    return _of_sheet(msgspec.structs.replace(found, faults=[*of_file, *found.faults]))


async def _of_text(text: str, draft: Version, book_kinds: Mapping[str, Denomination], *, ends_others: bool) -> Found:
    """What stands in the text field: the file of a table, or rows as spreadsheets copy them."""
    ended_codes = await queries.ended_codes(draft.community_id)
    if scheme_file.is_one(text.encode()):
        problems = await asyncio.to_thread(scheme_file.check, text, book_kinds, with_words)
        wrong = [(one.line, one.where, one.message) for one in problems]
        if wrong:
            return Found(draft.table, wrong, is_file=True)
        table = scheme_file.parse(text, with_words)
        again = {code: line for code, line in scheme_file.lines_of_codes(text).items() if code in ended_codes}
        said = rules_sheet.FAULTS["code_ended"]
        wrong = [(line, code, with_words(said, code=code)) for code, line in again.items() if code not in draft.items]
        return Found(table, wrong, is_file=True)
    rows = rules_sheet.pasted(text)
    read = rules_sheet.read(rows, draft.table, book_kinds, ends_others=ends_others, ended_codes=ended_codes)
    return _of_sheet(read)


def _of_sheet(read: Read) -> Found:
    wrong = [(fault.row, fault.letter, fault.said(with_words)) for fault in read.faults]
    return Found(read.table, wrong, read.unused)


@post(SHEET, guards=EDITOR, opt={"upload": True})
async def put(
    version_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    actor: NamedDependency[Actor],
) -> Response[Any]:
    """Put what was checked into the draft; it is read again, since what comes back was in somebody's hands.

    Where the draft has changed since, what would change now is shown: nothing that was pasted is lost.
    """
    form = await forms.read(request, PutForm)
    draft = await queries.version(session.community_ids, version_id)
    if draft.state != "draft":
        return _page(draft, handed(form), status=rules.NotADraft.kind.status)
    if not form.is_valid:
        return _page(draft, form)
    asked = form.value
    book_kinds = await kinds.denominations(None, draft.community_id)
    found = await _of_text(asked.lines, draft, book_kinds, ends_others=asked.others == "end")
    if found.wrong:
        return _looked_at(draft, form, found, book_kinds, "lines")
    try:
        await db.write(
            actions_sheet.put_sheet,
            actor=actor,
            request_key=asked.request_key,
            community_id=draft.community_id,
            version_id=version_id,
            table=found.table,
            seen=asked.seen,
        )
    except rules.NotADraft as refusal:  # somebody was quicker, by a moment
        return _page(draft, handed(form, refusal), status=refusal.kind.status)
    except SheetStale as refusal:
        form.refuse("lines", refusal)
        return _looked_at(draft, form, found, book_kinds, "lines")
    return Response(
        b"", status_code=303, media_type="text/html", headers={"Location": f"/scoring/versions/{version_id}"}
    )


handlers: list[Any] = [download, download_file, sheet_form, check, put]
