"""The tags of a community: what rosters may say of people beside who they are."""

from typing import Annotated

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.errors import Refusal
from pointsbank.people import actions_own
from pointsbank.people import actions_tags as actions
from pointsbank.people import queries_import as queries
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.people.queries import member_view
from pointsbank.people.routes_roster import own_community
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.render import page

IMPORTS = [needs(Permission.IMPORT_PEOPLE)]


class TagForm(msgspec.Struct):
    request_key: str
    tag: Annotated[str, Meta(title="标签")]


@get("/people/tags", guards=IMPORTS)
async def tags_page(session: NamedDependency[Session]) -> Response[str]:
    return await _tags_page(session, forms.blank())


async def _tags_page(session: Session, form: forms.Filled[TagForm], status: int = 200) -> Response[str]:
    return page("people/tags.html", status=status, form=form, tags=await queries.tags(own_community(session)))


@post("/people/tags", guards=IMPORTS)
async def make_tag(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    form = await forms.read(request, TagForm)
    community_id = own_community(session)
    try:
        if form.is_valid:
            await db.write(
                actions.make_tag,
                actor=session.actor,
                request_key=form.value.request_key,
                community_id=community_id,
                name=form.value.tag,
            )
            return to("/people/tags")
    except Refusal as refusal:
        form.refuse("tag", refusal)
    return await _tags_page(session, form, 400)


@post("/people/tags/{tag_id:int}/end", guards=IMPORTS)
async def end_tag(tag_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    await queries.check_tag_in(session.community_ids, tag_id)
    await db.write(actions.end_tag, actor=session.actor, request_key=request_key, tag_id=tag_id)
    return to("/people/tags")


@post("/people/{person_id:int}/tags/end", guards=[needs(Permission.REGISTER_PEOPLE)])
async def take_tags(person_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """Somebody no longer agrees to tags."""
    request_key = await key_of(request)
    view = await member_view(session.community_ids, person_id)
    facts = {"person_id": view.person_id, "how": "in_person"}
    await db.write(actions_own.take_tags, actor=session.actor, request_key=request_key, **facts)
    return to(f"/people/{view.person_id}")


handlers = [tags_page, make_tag, end_tag, take_tags]
