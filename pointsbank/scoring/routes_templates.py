"""Tables that a street or district advises: kept there, taken by a community, and compared with what it has."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.errors import NotFound, Refusal
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.people import queries as people
from pointsbank.people import queries_places as places
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.queries_places import Above
from pointsbank.scoring import actions_templates, queries, queries_templates, rules, scheme_file
from pointsbank.scoring.queries import Version
from pointsbank.scoring.queries_templates import Template
from pointsbank.scoring.routes_compared import Row, compared
from pointsbank.scoring.routes_pieces import readable
from pointsbank.scoring.rules import Fault
from pointsbank.web import forms
from pointsbank.web.forms import Filled
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import N_, with_words
from pointsbank.web.render import page

TEMPLATES = "/scoring/templates"
KEEPER = [needs(Permission.KEEP_TEMPLATES)]

AnyRequest = Request[Any, Any, Any]


class FileForm(msgspec.Struct):
    request_key: str


class CopyForm(msgspec.Struct):
    request_key: str
    community: Annotated[int, Meta(title=N_("社区"))]


class Kept(msgspec.Struct, frozen=True):
    """A template of today, and of which street or district it is."""

    template: Template
    place: str


class Against(msgspec.Struct, frozen=True):
    """How a community's table of today differs from a template; None for `version` where it has none."""

    name: str
    version: Version | None
    rows: list[Row]


async def _reach(session: Session) -> list[Above]:
    """The places whose templates this session may see."""
    return await places.above(None, session.community_id or session.place_id)


async def _kept(session: Session) -> list[Kept]:
    names = {one.id: one.name for one in await _reach(session)}
    return [Kept(one, names[one.place_id]) for one in await queries_templates.templates(list(names))]


async def _taking(session: Session, clock: Clock) -> dict[str, Any]:
    """Whether the community may take a template as its draft; a version of its own that is past that is in the way."""
    if session.community_id is None or not session.may(Permission.EDIT_SCORING):
        return {"may_take": False, "has_draft": False, "in_the_way": None}
    own = await queries.under_way(session.community_id)
    own = own or await queries.waiting(session.community_id, local_day(clock.now()))
    has_draft = own is not None and own.state == "draft"
    in_the_way = None if has_draft else own
    return {"may_take": in_the_way is None, "has_draft": has_draft, "in_the_way": in_the_way}


async def _shown(session: Session, clock: Clock, form: Filled[Any]) -> Response[str]:
    known = [await people.community(one) for one in session.community_ids]
    return page(
        "scoring/templates.html",
        status=200 if form.is_valid else 400,
        kept=await _kept(session),
        communities=[(one.id, one.name) for one in known],
        may_keep=session.may(Permission.KEEP_TEMPLATES),
        **await _taking(session, clock),
        form=form,
    )


@get(TEMPLATES, guards=[needs(Permission.SEE_SCORING)])
async def template_list(session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[str]:
    return await _shown(session, clock, forms.blank())


async def _keep(session: Session, form: Filled[Any], field: str, table: rules.Table, version_id: int | None) -> None:
    try:
        await db.write(
            actions_templates.keep_template,
            actor=session.actor,
            request_key=form.value.request_key,
            place_id=session.place_id,
            table=table,
            version_id=version_id,
        )
    except Refusal as refused:
        form.refuse(field, readable(refused, rules.faults(table)))


@post(TEMPLATES, guards=KEEPER, opt={"upload": True})
async def keep(request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[Any]:
    """From a file, as `pointsbank scoring check` reads it."""
    content = await forms.read_file(request)
    form = await forms.read(request, FileForm)
    try:
        table = scheme_file.parse(content.decode("utf-8"), with_words)
    except UnicodeDecodeError:
        form.refuse("file", N_("这个文件不是 UTF-8 的文字。请另存为 UTF-8 再试。"))
    except Refusal as refused:
        form.refuse("file", refused)
    else:
        await _keep(session, form, "file", table, None)
    return await _shown(session, clock, form) if form.errors else Redirect(TEMPLATES, status_code=303)


@post(f"{TEMPLATES}/copy", guards=KEEPER)
async def copy(request: AnyRequest, session: NamedDependency[Session], clock: NamedDependency[Clock]) -> Response[Any]:
    """From what a community has in force."""
    form = await forms.read(request, CopyForm)
    if form.is_valid:
        if form.value.community not in session.community_ids:
            raise NotFound
        found = await queries.current(form.value.community, local_day(clock.now()))
        if found is None:
            form.refuse("community", N_("这个社区还没有执行中的积分标准。"))
        else:
            await _keep(session, form, "community", found.table, found.id)
    return await _shown(session, clock, form) if form.errors else Redirect(TEMPLATES, status_code=303)


async def _compared(template: Template, community_ids: Sequence[int], clock: Clock) -> list[Against]:
    told = []
    for community_id in community_ids:
        version = await queries.current(community_id, local_day(clock.now()))
        book_kinds = await kinds.denominations(None, community_id)
        rows = compared(template.table, version.table, book_kinds) if version else []
        told.append(Against((await people.community(community_id)).name, version, rows))
    return told


async def _barring(session: Session, community_id: int, template_id: int) -> list[Fault]:
    """The faults with which a template can be no draft here; it may credit a kind of passbook that is not there."""
    found = await queries_templates.template([one.id for one in await _reach(session)], template_id)
    book_kinds = await kinds.denominations(None, community_id)
    return [fault for fault in rules.faults(found.table, book_kinds) if not fault.only_publishing]


async def _template_page(
    template_id: int, session: Session, clock: Clock, form: Filled[Any], status: int = 200
) -> Response[str]:
    reach = {one.id: one.name for one in await _reach(session)}
    found = await queries_templates.template(list(reach), template_id)
    own = [session.community_id] if session.community_id is not None else session.community_ids
    return page(
        "scoring/template.html",
        status=status,
        form=form,
        template=found,
        place=reach[found.place_id],
        compared=await _compared(found, own, clock),
        **await _taking(session, clock),
    )


@get(f"{TEMPLATES}/{{template_id:int}}", guards=[needs(Permission.SEE_SCORING)])
async def template_page(
    template_id: FromPath[int], session: NamedDependency[Session], clock: NamedDependency[Clock]
) -> Response[str]:
    """Where the tables of the communities in sight differ from it."""
    return await _template_page(template_id, session, clock, forms.blank())


@post(f"{TEMPLATES}/{{template_id:int}}/take", guards=[needs(Permission.EDIT_SCORING)])
async def take(
    template_id: FromPath[int],
    request: AnyRequest,
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
) -> Response[Any]:
    """Where something has come in the way since the page was opened, it is shown again as it is now."""
    form = await forms.read(request, FileForm)
    if session.community_id is None:
        raise NotFound
    try:
        version_id = await db.write(
            actions_templates.take,
            actor=session.actor,
            request_key=form.value.request_key,
            community_id=session.community_id,
            template_id=template_id,
        )
    except NotFound:
        raise
    except Refusal as refused:
        form.refuse("take", readable(refused, await _barring(session, session.community_id, template_id)))
        return await _template_page(template_id, session, clock, form, refused.kind.status)
    return Redirect(f"/scoring/versions/{version_id}", status_code=303)


handlers: list[Any] = [template_list, keep, copy, template_page, take]
