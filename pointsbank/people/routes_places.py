"""Grids and buildings of a community."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Meta

from pointsbank.kit import db
from pointsbank.kit.errors import Refusal
from pointsbank.kit.text import BadText, clean
from pointsbank.people import actions_places, queries_places
from pointsbank.people.access import Permission, Session, needs
from pointsbank.people.browser import AnyRequest, key_of, to
from pointsbank.people.queries_places import PlaceView
from pointsbank.people.routes_roster import own_community
from pointsbank.people.rules_places import PLACE_NAME_LENGTH_MAX
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import _
from pointsbank.web.render import page

MANAGES = [needs(Permission.MANAGE_PLACES)]
NO_GRID = 0


class AddForm(msgspec.Struct):
    request_key: str
    kind: Literal["grid", "building"]
    name: Annotated[str, Meta(title="名称", max_length=PLACE_NAME_LENGTH_MAX)]
    grid: Annotated[int, Meta(title="网格")] = NO_GRID


class RenameForm(msgspec.Struct):
    request_key: str
    name: Annotated[str, Meta(title="名称", max_length=PLACE_NAME_LENGTH_MAX)]


class MoveForm(msgspec.Struct):
    request_key: str
    grid: Annotated[int, Meta(title="网格")] = NO_GRID


def _grid_options(grids: list[PlaceView]) -> list[tuple[int, str]]:
    return [(NO_GRID, _("不分网格")), *((grid.id, grid.name) for grid in grids)]


def _plain(form: forms.Filled[Any]) -> str:
    """The name as it is stored: no blanks around it, nothing that nobody could see."""
    try:
        return clean(form.value.name)
    except BadText as error:
        form.refuse("name", str(error))
        return ""


@get("/people/places", guards=MANAGES)
async def places_page(session: NamedDependency[Session]) -> Response[str]:
    return await _places_page(session, forms.blank(kind="building"))


async def _places_page(session: Session, form: forms.Filled[Any], status: int = 200) -> Response[str]:
    tree = await queries_places.tree(own_community(session))
    return page(
        "people/places.html",
        status=status,
        tree=tree,
        form=form,
        # Two forms with a name each: what was typed into the other is not shown in this one.
        building_form=form if form.typed.get("kind") != "grid" else forms.blank(),
        grid_options=_grid_options([grid for grid, _below in tree.grids]),
        households=sum(one.households for one in [*tree.loose, *(b for _grid, below in tree.grids for b in below)]),
    )


@post("/people/places", guards=MANAGES)
async def add_place(request: AnyRequest, session: NamedDependency[Session]) -> Response[str] | Redirect:
    form = await forms.read(request, AddForm)
    name = _plain(form) if form.is_valid else ""
    try:
        if form.is_valid:
            typed = form.value
            await db.write(
                actions_places.add_place,
                actor=session.actor,
                request_key=typed.request_key,
                community_id=own_community(session),
                kind=typed.kind,
                name=name,
                grid_id=typed.grid if typed.kind == "building" and typed.grid != NO_GRID else None,
            )
            return to("/people/places")
    except Refusal as refusal:
        form.refuse("name", refusal)
    return await _places_page(session, form, 400)


@get("/people/places/{place_id:int}", guards=MANAGES)
async def place_page(place_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    place = await queries_places.one_place(own_community(session), place_id)
    return await _place_page(session, place, forms.blank(name=place.name, grid=place.parent_id))


async def _place_page(session: Session, place: PlaceView, form: forms.Filled[Any], status: int = 200) -> Response[str]:
    community_id = own_community(session)
    if place.parent_id == community_id:
        form.typed.setdefault("grid", str(NO_GRID))
    tree = await queries_places.tree(community_id)
    below = next((below for grid, below in tree.grids if grid.id == place.id), [])
    return page(
        "people/place.html",
        status=status,
        place=place,
        below=below,
        form=form,
        grid_options=_grid_options([grid for grid, _below in tree.grids]),
    )


@post("/people/places/{place_id:int}/rename", guards=MANAGES)
async def rename_place(
    place_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, RenameForm)
    place = await queries_places.one_place(own_community(session), place_id)
    name = _plain(form) if form.is_valid else ""
    try:
        if form.is_valid:
            await db.write(
                actions_places.rename_place,
                actor=session.actor,
                request_key=form.value.request_key,
                community_id=own_community(session),
                place_id=place.id,
                name=name,
            )
            return to("/people/places")
    except Refusal as refusal:
        form.refuse("name", refusal)
    return await _place_page(session, place, form, 400)


@post("/people/places/{place_id:int}/move", guards=MANAGES)
async def move_building(
    place_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]
) -> Response[str] | Redirect:
    form = await forms.read(request, MoveForm)
    place = await queries_places.one_place(own_community(session), place_id)
    try:
        if form.is_valid:
            await db.write(
                actions_places.move_building,
                actor=session.actor,
                request_key=form.value.request_key,
                community_id=own_community(session),
                place_id=place.id,
                grid_id=form.value.grid if form.value.grid != NO_GRID else None,
            )
            return to("/people/places")
    except Refusal as refusal:
        form.refuse("grid", refusal)
    form.typed.setdefault("name", place.name)
    return await _place_page(session, place, form, 400)


@post("/people/places/{place_id:int}/end", guards=MANAGES)
async def end_place(place_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    """From now on nobody is registered there."""
    request_key = await key_of(request)
    where = {"community_id": own_community(session), "place_id": place_id}
    await db.write(actions_places.end_place, actor=session.actor, request_key=request_key, **where)
    return to("/people/places")


@post("/people/places/{place_id:int}/restore", guards=MANAGES)
async def restore_place(place_id: FromPath[int], request: AnyRequest, session: NamedDependency[Session]) -> Redirect:
    request_key = await key_of(request)
    where = {"community_id": own_community(session), "place_id": place_id}
    await db.write(actions_places.restore_place, actor=session.actor, request_key=request_key, **where)
    return to("/people/places")


handlers = [places_page, add_place, place_page, rename_place, move_building, end_place, restore_place]
