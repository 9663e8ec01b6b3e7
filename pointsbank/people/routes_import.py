"""Roster import: a file, its columns, what is wrong with it, and the people of it at once or not at all."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db, intake
from pointsbank.kit.errors import Refusal
from pointsbank.people import actions_import as actions
from pointsbank.people import import_files as files
from pointsbank.people import importing, sealed
from pointsbank.people import queries_import as queries
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.people.queries import buildings as buildings_of
from pointsbank.people.queries import community as community_of
from pointsbank.people.queries_import import ImportView
from pointsbank.people.routes_roster import own_community
from pointsbank.people.rules_import import (
    FAULTS,
    FIELD_WORDS,
    HEAD_ROWS_MAX,
    QUESTIONS,
    Cell,
    Field,
    NothingInFile,
    Plan,
    Problem,
    ServiceConsentMissing,
    TagConsentMissing,
    check_columns,
    find_head,
    guess_columns,
    header_key,
    is_blank,
    is_data,
)
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, _, with_words
from pointsbank.web.render import page

IMPORTS = [needs(Permission.IMPORT_PEOPLE)]
PAGES_MAX = 1000
FIRST_ROWS = HEAD_ROWS_MAX + 10
AT_WORK = {"checking", "importing"}
NO_STORE = {"Cache-Control": "no-store"}

HELP = (
    (Field.NAME, N_("必填。只写姓名，不带称呼。")),
    (Field.SEX, N_("男或女。写了身份证号可以不写。")),
    (Field.ID_NUMBER, N_("18 位，可以不写。只用来认出同一个人，系统只留末 4 位。这一列要是文本，否则末几位会变成 0。")),
    (Field.PHONE, N_("11 位手机号，没有就空着。")),
    (Field.BUILDING, N_("从下拉里选。还没有的楼栋，检查时可以一起建。")),
    (Field.DOOR, N_("例如 301 或 1-301。同一楼栋同一门牌算一户。")),
    (Field.HOUSEHOLD, N_("可以不写。写了就按户号分户。")),
    (Field.RELATION, N_("写「户主」或别的关系。整列不要就删掉这一列，第一个人算户主。")),
    (Field.BIRTH, N_("四位年份，例如 1950。写了身份证号可以不写。")),
    (Field.TAGS, N_("只能用社区自己的标签，几个标签用逗号隔开。要本人同意才写。")),
    (Field.PUBLICATION, N_("「是」表示本人同意公示遮住的姓名；空着算不同意。")),
)


class UploadForm(msgspec.Struct):
    """Its key is not kept: the same file, sent again, leads to the same import."""

    request_key: str


class ColumnsForm(msgspec.Struct):
    """Beside these: `c0`, `c1` … with the field of each column."""

    request_key: str
    head: Annotated[int, Meta(title="表头在第几行", ge=0, le=1000)]
    service: bool = False
    publication: bool = False
    tag_consent: bool = False
    look: bool = False


class RowsForm(msgspec.Struct):
    request_key: str
    row: Annotated[list[int], Meta(title="行")]


class BuildingsForm(msgspec.Struct):
    request_key: str
    building: Annotated[list[str], Meta(title="楼栋")]


# The file


@get("/people/import", guards=IMPORTS)
async def import_page(session: NamedDependency[Session]) -> Response[str]:
    return await _import_page(session, forms.blank())


async def _import_page(session: Session, form: forms.Filled[UploadForm], status: int = 200) -> Response[str]:
    community_id = own_community(session)
    return page("people/import.html", status=status, form=form, recent=await queries.recent(community_id))


@post("/people/import", guards=IMPORTS, opt={"upload": True})
async def upload(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    """Take a file in: read it apart from this process, and lay its rows down sealed."""
    community_id = own_community(session)
    form = await forms.read(request, UploadForm)
    content = await forms.read_file(request)
    if not content:
        form.refuse("file", _("请选择文件"))
        return await _import_page(session, form, 400)
    digest = sealed.file_digest("file", content)
    found = await queries.unfinished_of(community_id, digest)
    if found is not None:
        return to(f"/people/import/{found}")
    try:
        sheet = await intake.read_sheet(content)
        rows = [(number, cells) for number, cells in enumerate(sheet.rows, start=1) if not is_blank(cells)]
        head = find_head(sheet.rows)
        if not any(number > head for number, _cells in rows):
            raise NothingInFile
    except Refusal as refusal:
        form.refuse("file", refusal)
        return await _import_page(session, form, refusal.kind.status)
    import_id = await db.write(
        actions.begin, actor=session.actor, community_id=community_id, digest=digest, kind=sheet.kind
    )
    shown = await queries.view([community_id], import_id)
    assert shown.key is not None
    await importing.take_in(import_id, shown.key, rows)
    await db.write(actions.uploaded, actor=session.actor, import_id=import_id, head=head)
    return to(f"/people/import/{import_id}")


@get("/people/import/template.xlsx", guards=IMPORTS)
async def template(session: NamedDependency[Session]) -> Response[bytes]:
    community_id = own_community(session)
    buildings = [one.name for one in await buildings_of(community_id)]
    tags = [one.name for one in await queries.tags(community_id)]
    lines = [(_(FIELD_WORDS[field]), _(said)) for field, said in HELP]
    titles = {"title": _("名册"), "help_title": _("说明")}
    content = await asyncio.to_thread(files.template, buildings, tags, lines=lines, **titles)
    return _sheet(content, "roster-template.xlsx")


def _sheet(content: bytes, name: str) -> Response[bytes]:
    headers = {**NO_STORE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, status_code=200, media_type=files.MEDIA_TYPE, headers=headers)


# One import, at whatever step it is


@get("/people/import/{import_id:int}", guards=IMPORTS)
async def one_import(import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    """`?columns=1` goes back from the check to the columns."""
    shown = await queries.view(session.community_ids, import_id)
    if shown.state == "mapping" or (shown.state == "checked" and "columns" in request.query_params):
        return await _columns_page(shown, forms.blank(), shown.head)
    return await _step_page(shown, forms.blank())


async def _step_page(shown: ImportView, form: forms.Filled[RowsForm], status: int = 200) -> Response[str]:
    is_checked = shown.state == "checked"
    return page(
        "people/import_one.html",
        status=status,
        shown=shown,
        form=form,
        is_working=shown.state in AT_WORK,
        faulty=await queries.rows_of(shown, "faulty") if is_checked else [],
        asked=await queries.rows_of(shown, "asked") if is_checked else [],
        repaired=[(_(said), rows) for said, rows in queries.repaired(shown.summary)],
        say=say,
    )


def say(problem: Problem) -> str:
    return with_words(FAULTS.get(problem.key) or QUESTIONS[problem.key], **problem.facts)


async def _columns_page(
    shown: ImportView, form: forms.Filled[ColumnsForm], head: int, status: int = 200
) -> Response[str]:
    rows = await queries.top_rows(shown, FIRST_ROWS)
    titles = next((cells for number, cells in rows if number == head), [])
    columns = queries.columns_of(titles, [cells for number, cells in rows if number > head])
    community = await community_of(shown.community_id)
    if not any(name.startswith("c") and name[1:].isdigit() for name in form.typed):
        known = await queries.remembered_columns(shown.community_id, header_key(titles)) if titles else {}
        for field, at in (known or guess_columns(titles)).items():
            form.typed[f"c{at}"] = field
        form.typed["head"] = str(head)
    return page(
        "people/import_columns.html",
        status=status,
        shown=shown,
        form=form,
        columns=columns,
        fields=[(field.value, _(word)) for field, word in FIELD_WORDS.items()],
        letter=queries.letter_of,
        is_guessed=head > 0,
        per_household=community.holder == "household",
        tags=[tag.name for tag in await queries.tags(shown.community_id)],
    )


@post("/people/import/{import_id:int}/columns", guards=IMPORTS)
async def choose_columns(
    import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, ColumnsForm)
    shown = await queries.view(session.community_ids, import_id)
    if shown.state not in {"mapping", "checked"}:
        return to(_url(import_id))
    head = form.value.head if form.is_valid else shown.head
    if form.is_valid and form.value.look:  # another row is the header: guess once more
        fresh: forms.Filled[ColumnsForm] = forms.Filled(
            {name: typed for name, typed in form.typed.items() if not name.startswith("c")}
        )
        return await _columns_page(shown, fresh, head)
    titles = await queries.header(shown, head) if shown.key is not None else []
    columns = _chosen(form)
    if not form.is_valid:
        return await _columns_page(shown, form, head, 400)
    plan = Plan(columns, head, form.value.publication)
    await db.write(
        actions.choose_columns,
        actor=session.actor,
        request_key=form.value.request_key,
        import_id=import_id,
        community_id=shown.community_id,
        head=head,
        plan=msgspec.json.encode(plan).decode(),
        header=sealed.file_digest("header", header_key(titles).encode("utf-8", "surrogatepass")),
        columns=msgspec.json.encode(columns).decode(),
        skipped=await _skipped(shown, head, titles),
    )
    return to(_url(import_id))


def _url(import_id: int) -> str:
    return f"/people/import/{import_id}"


def _chosen(form: forms.Filled[ColumnsForm]) -> dict[str, int]:
    """Fields by column; what is wrong with the choice is said at the form."""
    known = {field.value for field in Field}
    picked = {
        int(name[1:]): typed
        for name, typed in form.typed.items()
        if name.startswith("c") and name[1:].isascii() and name[1:].isdigit() and len(name) <= 3 and typed in known
    }
    columns: dict[str, int] = {}
    try:
        columns = check_columns(picked)
    except Refusal as refusal:
        form.refuse("columns", refusal)
    if not form.is_valid:
        return columns
    if not form.value.service:
        form.refuse("service", ServiceConsentMissing())
    if Field.TAGS.value in columns and not form.value.tag_consent:
        form.refuse("tag_consent", TagConsentMissing())
    return columns


async def _skipped(shown: ImportView, head: int, titles: list[Cell]) -> list[int]:
    """Rows below the header that are nobody: the header once more, totals, who made the list."""
    rows = await queries.every_row(shown)
    key = header_key(titles)
    return [number for number, cells in rows if number > head and not is_data(cells, key)]


@post("/people/import/{import_id:int}/buildings", guards=IMPORTS)
async def make_buildings(
    import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, BuildingsForm)
    shown = await queries.view(session.community_ids, import_id)
    if not form.is_valid:
        return await _step_page(shown, forms.Filled(form.typed, form.lists), 400)
    await db.write(
        actions.make_buildings,
        actor=session.actor,
        request_key=form.value.request_key,
        import_id=import_id,
        community_id=shown.community_id,
        names=form.value.building,
    )
    return to(_url(import_id))


@post("/people/import/{import_id:int}/accept", guards=IMPORTS)
async def accept(
    import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, RowsForm)
    shown = await queries.view(session.community_ids, import_id)
    if not form.is_valid:
        return await _step_page(shown, form, 400)
    await db.write(
        actions.accept,
        actor=session.actor,
        request_key=form.value.request_key,
        import_id=import_id,
        numbers=form.value.row[: queries.SHOWN_MAX],
    )
    return to(_url(import_id))


@post("/people/import/{import_id:int}/start", guards=IMPORTS)
async def start(import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    shown = await queries.view(session.community_ids, import_id)
    await db.write(
        actions.start,
        actor=session.actor,
        request_key=request_key,
        import_id=import_id,
        community_id=shown.community_id,
    )
    return to(_url(import_id))


@post("/people/import/{import_id:int}/stop", guards=IMPORTS)
async def stop(import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    shown = await queries.view(session.community_ids, import_id)
    await db.write(actions.stop, actor=session.actor, request_key=request_key, import_id=shown.id)
    return to(_url(import_id))


# What was left out


@get("/people/import/{import_id:int}/faults", guards=IMPORTS)
async def faults(import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[str]:
    shown = await queries.view(session.community_ids, import_id)
    number = min(max(forms.number(request.query_params.get("page", "1")) or 1, 1), PAGES_MAX)
    rows = await queries.rows_of(shown, "faulty", start=(number - 1) * queries.SHOWN_MAX, limit=queries.SHOWN_MAX + 1)
    return page(
        "people/import_faults.html",
        shown=shown,
        rows=rows[: queries.SHOWN_MAX],
        has_more=len(rows) > queries.SHOWN_MAX,
        number=number,
        say=say,
    )


@post("/people/import/{import_id:int}/failed", guards=IMPORTS)
async def failed(import_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Response[bytes]:
    """A POST, because it is recorded who took the rows: they are in clear."""
    await key_of(request)
    shown = await queries.view(session.community_ids, import_id)
    if shown.plan is None or shown.key is None:
        raise NothingInFile
    await db.write(actions.note_taken, actor=session.actor, import_id=shown.id)
    header, rows = await queries.failed_rows(shown)
    titles = header or [""]
    told = [(cells, _told(shown.plan, titles, problems)) for cells, problems in rows]
    words = {"title": _("要改的行"), "problem": _("问题")}
    content = await asyncio.to_thread(files.failed, titles, told, **words)
    return _sheet(content, f"roster-failed-{shown.id}.xlsx")


def _told(plan: Plan, titles: list[Cell], problems: list[Problem]) -> str:
    said = ((queries.column_of(plan, titles, problem.field), say(problem)) for problem in problems)
    return "\n".join(f"{column}: {text}" if column else text for column, text in said)


handlers = [
    import_page,
    upload,
    template,
    one_import,
    choose_columns,
    make_buildings,
    accept,
    start,
    stop,
    faults,
    failed,
]
